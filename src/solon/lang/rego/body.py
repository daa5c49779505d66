"""Bodies and terms to Python: each expression narrows, loops or binds, the next one nests inside it.

``xs[i].name == "a"`` becomes a loop over ``xs`` with a ``continue`` where a comparison fails. Reading a term
may open loops; they stay open to the end of the function, since what follows depends on what they bind. A
part that must not leave its loops open (a comprehension, a negation, ``every``) becomes a function of its
own, which gets the variables it uses as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from solon.lang.emit import Function
from solon.lang.rego import ast
from solon.lang.rego.errors import COMPILE_ERROR, RegoError
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.safety import matching_parts, variables
from solon.lang.source import Diagnostic

if TYPE_CHECKING:
    from solon.lang.rego.compile import Compiler

# CPython allows 20 nested loops in a function.
MAX_LOOPS: Final = 18

_COMPARISONS: Final = {
    "lt": "less({0}, {1})",
    "lte": "less_equal({0}, {1})",
    "gt": "less({1}, {0})",
    "gte": "less_equal({1}, {0})",
    "internal.member_2": "member({0}, {1})",
    "internal.member_3": "member_at({0}, {1}, {2})",
}


class BodyEmitter:
    """Writes one Python function."""

    def __init__(
        self,
        compiler: Compiler,
        module: ast.Module,
        function: Function,
        environment: dict[str, str],
        failure: str,
    ) -> None:
        self.compiler = compiler
        self.unit = compiler.unit
        self.module = module
        self.function = function
        self.environment = environment  # variable -> Python expression
        self.failure = failure  # the statement that gives up, outside of any loop
        self.loops = 0
        self.ordered = False  # whether objects and sets are visited in order: what is built is an array
        self.state = "s"
        self.known: dict[tuple[object, ...], str] = {}  # what has been read -> the name that holds it

    # --- writing

    def fail(self) -> str:
        return "continue" if self.loops else self.failure

    def guard(self, condition: str) -> None:
        """Give up where the condition holds."""
        with self.function.block(f"if {condition}:"):
            self.function.add(self.fail())

    def assign(self, expression: str) -> str:
        name = self.unit.fresh("v")
        self.function.add(f"{name} = {expression}")
        return name

    def loop(self, header: str) -> None:
        if self.loops >= MAX_LOOPS and self.function.origin is not None:
            problem = f"more than {MAX_LOOPS} nested iterations in one body"
            hint = "move part of the body into a function"
            raise RegoError(
                [Diagnostic(COMPILE_ERROR, problem, self.function.origin(), hint)], self.compiler.sources
            )
        self.function.open(header)
        self.loops += 1

    def at(self, at: int, length: int = 1) -> None:
        """What is written from here on comes from this place of the policy."""
        module = self.module
        self.function.origin = lambda: module.span(at, length)

    def visit(self, how: str) -> str:
        """The function of the runtime that iterates: ``values``, ``items``, ``walk``, ``keys``."""
        return f"ordered_{how}" if self.ordered else how

    def site(self, what: str) -> int:
        return self.compiler.site(what, self.function.origin)

    # --- expressions

    def body(self, exprs: Sequence[ast.Expr]) -> None:
        for expr in exprs:
            self.expr(expr)

    def expr(self, expr: ast.Expr) -> None:
        self.at(expr.at, expr.end - expr.at)
        if self.compiler.coverage:
            self.cover(expr.at)
        outer = self.state
        if expr.withs:
            self.enter_with(expr.withs)
        if expr.negated:
            self.negation(expr.statement)
        else:
            self.statement(expr.statement)
        self.state = outer

    def answer(self, expr: ast.Expr, term: ast.Term, *, may_be_false: bool) -> str:
        """The value of an expression of a query, as a Python expression."""
        self.at(expr.at, expr.end - expr.at)
        outer = self.state
        if expr.withs:
            self.enter_with(expr.withs)
        if isinstance(term, ast.Call) and term.name == "print":
            self.print(term)
            held = "True"
        else:
            held = self.value(term)
        if not may_be_false:
            self.guard(f"{held} is False")
        self.state = outer
        return held

    def cover(self, at: int) -> None:
        span = self.module.span(at)
        line = (span.file, span.row)
        self.compiler.coverable.add(line)
        self.function.add(f"s.options.covered.add({self.unit.constant(line)})")

    def statement(self, statement: ast.Statement) -> None:
        match statement:
            case ast.TermExpr():
                self.holds(statement.term)
            case ast.Unify():
                self.unify_terms(statement.left, statement.right)
            case ast.SomeIn():
                self.some_in(statement)
            case ast.Every():
                self.every(statement)
            case ast.Some():
                pass

    def holds(self, term: ast.Term) -> None:
        """The term must be defined and not false."""
        if isinstance(term, ast.Call):
            if term.name == "print":
                self.print(term)
                return
            condition = self.condition(term)
            if condition is not None:
                self.guard(f"not {condition}")
                return
        if isinstance(term, ast.Scalar):
            if term.value is False:
                self.guard("True")
            return
        if isinstance(term, ast.Comprehension | ast.Array | ast.Object | ast.SetTerm) and not variables(term):
            self.value(term)
            return
        self.guard(f"{self.value(term)} is False")

    def condition(self, call: ast.Call) -> str | None:
        """A comparison or membership as a Python condition; None for any other call."""
        if self.is_mocked(call.name):
            return None
        if call.name in ("equal", "eq", "neq"):
            left, right = self.value(call.args[0]), self.value(call.args[1])
            test = self.equality(call.args[0], left, call.args[1], right)
            return f"(not {test})" if call.name == "neq" else test
        shape = _COMPARISONS.get(call.name)
        if shape is None:
            return None
        return shape.format(*[self.value(arg) for arg in call.args])

    def equality(self, left: ast.Term | None, a: str, right: ast.Term | None, b: str) -> str:
        """A Python condition for a == b that is cheap where one side is a known scalar."""
        for term, constant, other in ((right, b, a), (left, a, b)):
            if isinstance(term, ast.Scalar):
                kind = type(term.value)
                if term.value is None or kind is bool:
                    return f"({other} is {constant})"
                if kind is str or term.value not in (0, 1):
                    return f"({other} == {constant})"
        return f"equal({a}, {b})"

    def print(self, call: ast.Call) -> None:
        if not self.compiler.prints:
            return
        sets = []
        for arg in call.args:
            if isinstance(arg, ast.Scalar | ast.Var):
                sets.append(f"Set.of(({self.value(arg)},))")
            else:
                var = ast.Var("_'print", arg.at)
                body = [ast.Expr(ast.Unify(var, arg, ":="), arg.at, arg.at)]
                sets.append(self.comprehension(ast.Comprehension("set", None, var, body, arg.at)))
        self.function.add(
            f"s.options.prints.extend(printed(({''.join(f'{x}, ' for x in sets)}), format_value))"
        )

    # --- not

    def negation(self, statement: ast.Statement) -> None:
        """``not``: calls, and what a call is given, are evaluated before it (so undefined there is not "not").

        An equality's own references are not: ``not input.x == 1`` holds where ``input.x`` is undefined.
        """
        match statement:
            case ast.TermExpr(term=ast.Call() as call):
                args = [self.hoisted(arg) for arg in call.args]
                call = ast.Call(call.name, args, call.at, call.infix)
                condition = self.condition(call)
                if condition is not None:
                    self.guard(condition)
                    return
                result = self.call(call, undefined=True)
                self.guard(f"{result} is not U and {result} is not False")
            case ast.Unify(operator="()"):
                self.refute(statement)
            case ast.Unify():
                left, right = self.hoisted_calls(statement.left), self.hoisted_calls(statement.right)
                self.refute(ast.Unify(left, right, statement.operator))
            case _:
                self.refute(statement)

    def hoisted(self, term: ast.Term) -> ast.Term:
        if isinstance(term, ast.Ref | ast.Call | ast.Comprehension | ast.Template):
            return self.temporary(self.value(term), term.at)
        return term

    def hoisted_calls(self, term: ast.Term) -> ast.Term:
        if isinstance(term, ast.Call | ast.Comprehension):
            return self.temporary(self.value(term), term.at)
        if isinstance(term, ast.Array):
            return ast.Array([self.hoisted(item) for item in term.items], term.at)
        return term

    def temporary(self, expression: str, at: int) -> ast.Var:
        """A variable for what a Python expression holds."""
        var = ast.Var(f"{expression}'t", at)
        self.environment[var.name] = expression
        return var

    def refute(self, statement: ast.Statement) -> None:
        """Give up where the statement holds; it is tried in a function of its own."""
        inner, call = self.lift("n", _statement_terms(statement), "return False")
        inner.statement(statement)
        inner.function.add("return True")
        self.guard(call)

    def lift(
        self, prefix: str, used: Iterable[ast.Term], failure: str, domain: str = ""
    ) -> tuple[BodyEmitter, str]:
        """An emitter for a nested function, and the call of it; ``domain`` is given to a parameter ``d``."""
        environment: dict[str, str] = {}
        parameters: list[str] = []
        for term in used:
            if isinstance(term, ast.Var) and term.name in self.environment and term.name not in environment:
                held = environment[term.name] = self.environment[term.name]
                if held[0] in "va" and held not in parameters:
                    parameters.append(held)
        name = self.unit.fresh(prefix)
        function = self.unit.function(name, ["s", *(["d"] if domain else []), *parameters])
        function.origin = self.function.origin
        inner = BodyEmitter(self.compiler, self.module, function, environment, failure)
        arguments = [self.state, *([domain] if domain else []), *parameters]
        return inner, f"{name}({', '.join(arguments)})"

    # --- some … in, every

    def some_in(self, statement: ast.SomeIn) -> None:
        domain = self.value(statement.domain)
        element = self.unit.fresh("v")
        if statement.key is None:
            self.loop(f"for {element} in {self.visit('values')}({self.state}, {domain}):")
        else:
            index = self.unit.fresh("v")
            self.loop(f"for {index}, {element} in {self.visit('items')}({self.state}, {domain}):")
            self.unify(statement.key, index)
        self.unify(statement.value, element)

    def every(self, statement: ast.Every) -> None:
        domain = self.value(statement.domain)
        used = list(walk_all([], [statement.body]))
        index, element = self.unit.fresh("v"), self.unit.fresh("v")
        outer, call = self.lift("e", used, "return False", domain)
        with outer.function.block("if type(d) not in COLLECTIONS:"):
            outer.function.add("return False")
        if statement.key is not None:
            outer.environment[statement.key.name] = index
        outer.environment[statement.value.name] = element
        outer.function.add(f"for {index}, {element} in items(s, d):")
        outer.function.depth += 1
        inner, test = outer.lift("e", used, "return False")
        inner.body(statement.body)
        inner.function.add("return True")
        with outer.function.block(f"if not {test}:"):
            outer.function.add("return False")
        outer.function.depth -= 1
        outer.function.add("return True")
        self.guard(f"not {call}")

    # --- with

    def enter_with(self, withs: Sequence[ast.With]) -> None:
        targets: list[tuple[str, ...]] = []
        held: list[str] = []
        for modifier in withs:
            target = modifier.target
            assert isinstance(target.head, ast.Var)
            path = tuple(str(part.value) for part in target.path if isinstance(part, ast.Scalar))
            function = self.compiler.function_named(target)
            if function is None:
                targets.append((target.head.name, *path))
                held.append(self.value(modifier.value))
            else:
                targets.append(("function", function))
                held.append(self.replacing_function(modifier.value))
        changed = f"{self.state}.replaced({self.unit.constant(tuple(targets))}, ({', '.join(held)},))"
        name = self.unit.fresh("s")
        self.function.add(f"{name} = {changed}")
        self.state = name

    def replacing_function(self, value: ast.Term) -> str:
        if isinstance(value, ast.Ref):
            function = self.compiler.function_named(value)
            if function is not None:
                return self.compiler.replacement_of(function)
        return self.value(value)

    def is_mocked(self, function: str) -> bool:
        return function in self.compiler.mocked_functions

    # --- terms

    def value(self, term: ast.Term) -> str:
        """A Python expression (a name or constant) for the term's value; gives up where it is undefined."""
        match term:
            case ast.Scalar():
                return self.unit.constant(term.value)
            case ast.Var():
                return self.environment[term.name]
            case ast.Ref():
                return self.ref(term)
            case ast.Call():
                condition = self.condition(term)
                return self.assign(condition) if condition is not None else self.call(term)
            case ast.Comprehension():
                return self.comprehension(term)
            case ast.Template():
                return self.template(term)
        constant = literal(term)
        if constant is not None:
            return self.unit.constant(constant[0])
        match term:
            case ast.Array():
                return self.assign(f"[{', '.join(self.value(item) for item in term.items)}]")
            case ast.SetTerm():
                return self.assign(f"Set.of(({''.join(self.value(item) + ', ' for item in term.items)}))")
            case ast.Object():
                pairs = []
                for k, v in term.pairs:
                    name = self.value(k)
                    plain = isinstance(k, ast.Scalar) and not isinstance(k.value, bool)
                    pairs.append(f"{name if plain else f'key({name})'}: {self.value(v)}")
                return self.assign("{" + ", ".join(pairs) + "}")

    def template(self, term: ast.Template) -> str:
        parts = []
        for part in term.parts:
            text = self.unit.constant(part) if isinstance(part, str) else self.value(part)
            parts.append(f"({isinstance(part, str)}, {text})")
        site = self.site("template-strings must not produce multiple outputs")
        return self.assign(
            f"template(({''.join(p + ', ' for p in parts)}), format_value, {self.state}, {site})"
        )

    def comprehension(self, term: ast.Comprehension) -> str:
        inner, call = self.lift("c", walk_all([term], []), "return out")
        inner.ordered = term.kind == "array"
        inner.body(term.body)
        add = inner.function.add
        if term.kind == "array":
            add(f"out.append({inner.value(term.value)})")
            start = "out = []"
        elif term.kind == "set":
            member = inner.value(term.value)
            add(f"out[{key_of(member)}] = {member}")
            start = "out = Set()"
        else:
            assert term.key is not None
            name, held = inner.value(term.key), inner.value(term.value)
            site = inner.site("object keys must be unique")
            add(f"put(s, out, {name}, {held}, {site})")
            start = "out = {}"
        inner.function.first(start)
        inner.function.depth = 1
        add("return out")
        return self.assign(call)

    # --- references

    def ref(self, ref: ast.Ref) -> str:
        head = ref.head
        if isinstance(head, ast.Var):
            if head.name == "input":
                return self.steps(f"{self.state}.input", ref.path)
            if head.name == "data":
                return self.data(ref)
            return self.steps(self.environment[head.name], ref.path)
        return self.steps(self.value(head), ref.path)

    def data(self, ref: ast.Ref) -> str:
        """A reference into data: to a rule, to plain data, or to a document that both define."""
        compiler = self.compiler
        node = compiler.root
        depth = 0
        for part in ref.path:
            if node.group is not None or not isinstance(part, ast.Scalar) or type(part.value) is not str:
                break
            child = node.children.get(part.value)
            if child is None:
                return self.steps(f"{self.state}.data", ref.path)
            node = child
            depth += 1
        rest = ref.path[depth:]
        if node.group is None and rest and isinstance(rest[0], ast.Scalar):
            return self.steps(f"{self.state}.data", ref.path)
        if compiler.is_replaced(node.path):
            return self.stepwise(compiler.node(compiler.root), ref.path)
        if node.group is None:
            return self.stepwise(compiler.node(node), rest)
        if node.group.kind == "function":
            self.guard("True")
            return "U"
        return self.steps(self.document(node.group.index, node.group.kind == "complete"), rest)

    def document(self, group: int, may_be_undefined: bool) -> str:
        where = ("group", group, self.state)
        name = self.known.get(where)
        if name is None:
            name = self.known[where] = self.assign(f"g{group}({self.state})")
            if may_be_undefined:
                self.guard(f"{name} is U")
        return name

    def stepwise(self, node: int, path: Sequence[ast.Term]) -> str:
        """A path through packages, one step at a time: only what it leads to is evaluated."""
        if not path:
            name = self.assign(f"{self.state}.document({node})")
            self.guard(f"{name} is U")
            return name
        at = self.assign(f"{self.state}.at({node})")
        for part in path:
            if self.is_open(part):
                index = self.unit.fresh("v")
                self.loop(f"for {index} in {self.visit('keys')}({self.state}, {at}):")
                self.unify(part, index)
            else:
                index = self.value(part)
            at = self.assign(f"{self.state}.step({at}, {index})")
            self.guard(f"{at} is U")
        name = self.assign(f"{self.state}.force({at})")
        self.guard(f"{name} is U")
        return name

    def is_open(self, term: ast.Term) -> bool:
        """Whether the term, used as an index, binds variables."""
        return isinstance(term, ast.Var | ast.Array | ast.Object) and any(
            var.name not in self.environment for var in variables(term)
        )

    def steps(self, base: str, path: Sequence[ast.Term]) -> str:
        """Follow a path from a Python expression."""
        names: list[str] = []
        at_data = base.endswith(".data")
        defined = True  # whether `base` is known not to be U
        if base.endswith(".input"):
            defined = False
        for part in path:
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                names.append(self.unit.constant(part.value))
                continue
            base, defined = self.fields(base, names, defined)
            names = []
            if self.is_open(part):
                base, defined = (
                    self.iterate(
                        base,
                        part,
                    ),
                    True,
                )
            else:
                step = "data_lookup" if at_data and isinstance(part, ast.Scalar) else "lookup"
                base, defined = self.assign(f"{step}({base}, {self.value(part)})"), False
        base, defined = self.fields(base, names, defined)
        if not defined:
            if "." in base:
                base = self.assign(base)
            self.guard(f"{base} is U")
        return base

    def fields(self, base: str, names: list[str], defined: bool) -> tuple[str, bool]:
        """``base.a.b``, read once; may be U."""
        if not names:
            return base, defined
        where = (base, *names)
        held = self.known.get(where)
        if held is not None:
            return held, False
        name = self.unit.fresh("v")
        with self.function.block("try:"):
            self.function.add(f"{name} = {base}{''.join(f'.get({n}, U)' for n in names)}")
        with self.function.block("except AttributeError:"):
            self.function.add(self.fail())
        self.known[where] = name
        return name, False

    def iterate(self, base: str, part: ast.Term) -> str:
        element = self.unit.fresh("v")
        if isinstance(part, ast.Var) and part.name.startswith("_'"):
            self.loop(f"for {element} in {self.visit('values')}({self.state}, {base}):")
            return element
        index = self.unit.fresh("v")
        self.loop(f"for {index}, {element} in {self.visit('items')}({self.state}, {base}):")
        self.unify(part, index)
        return element

    # --- calls

    def call(self, call: ast.Call, *, undefined: bool = False) -> str:
        """A call's result; where it is undefined, gives up, or (``undefined``) the result is U."""
        name = call.name
        if name == "walk":
            return self.walk(call)
        if name in ("equal", "eq", "neq") or name in _COMPARISONS:
            condition = self.condition(call)
            if condition is not None:
                return self.assign(condition)
        if name.startswith("rego.metadata."):
            return self.unit.constant(self.compiler.metadata(name, self.module, call.at))
        args = [self.value(arg) for arg in call.args]
        if name.startswith("data."):
            target = self.compiler.function_group(name)
            if self.is_mocked(name):
                result = self.mocked(name, args)
            else:
                result = self.assign(f"g{target.index}({', '.join([self.state, *args])})")
            if not undefined:
                self.guard(f"{result} is U")
            return result
        return self.builtin(name, args, undefined)

    def mocked(self, name: str, args: list[str]) -> str:
        function = self.unit.constant(name)
        original = self.compiler.replacement_of(name)
        return self.assign(f"{self.state}.call({function}, {original}, ({''.join(a + ', ' for a in args)}))")

    def builtin(self, name: str, args: list[str], undefined: bool) -> str:
        builtin = self.compiler.builtins[name]
        result = self.unit.fresh("v")
        site = self.site(name)
        function = self.function
        with function.block("try:"):
            if self.is_mocked(name):
                original = self.compiler.replacement_of(name)
                packed = "".join(a + ", " for a in args)
                function.add(
                    f"{result} = {self.state}.call({self.unit.constant(name)}, {original}, ({packed}))"
                )
            else:
                target = self.compiler.builtin(builtin)
                given = [self.state, *args] if builtin.contextual else args
                function.add(f"{result} = {target}({', '.join(given)})")
        with function.block("except BuiltinError as error:"):
            function.add(f"{self.state}.failed(error, {site})")
            function.add(f"{result} = U" if undefined else self.fail())
        if not undefined:
            self.guard(f"{result} is U")
        return result

    def walk(self, call: ast.Call) -> str:
        path, at = self.walk_loop(call)
        return self.assign(f"[{path}, {at}]")

    def walk_loop(self, call: ast.Call) -> tuple[str, str]:
        document = self.value(call.args[0])
        path, at = self.unit.fresh("v"), self.unit.fresh("v")
        self.loop(f"for {path}, {at} in {self.visit('walk')}({self.state}, {document}):")
        return path, at

    # --- unification

    def is_pattern(self, term: ast.Term) -> bool:
        """Whether the term has variables without a value that a value would bind."""
        match term:
            case ast.Var():
                return term.name not in self.environment
            case ast.Array():
                return any(map(self.is_pattern, term.items))
            case ast.Object():
                return any(self.is_pattern(value) for _, value in term.pairs)
            case _:
                return False

    def unify_terms(self, left: ast.Term, right: ast.Term) -> None:
        parts = matching_parts(left, right)
        if parts is not None and (self.is_pattern(left) or self.is_pattern(right)):
            waiting = parts
            while waiting:
                ready = [
                    p for p in waiting if not (self.is_pattern(p[0]) and self.is_pattern(p[1]))
                ] or waiting[:1]
                for one, other in ready:
                    self.unify_terms(one, other)
                waiting = [p for p in waiting if p not in ready]
            return
        if self.is_pattern(right) and not self.is_pattern(left):
            left, right = right, left
        if (
            isinstance(right, ast.Call) and right.name == "walk"
            and isinstance(left, ast.Array) and len(left.items) == 2
        ):  # fmt: skip
            path, at = self.walk_loop(right)
            self.unify(left.items[0], path)
            self.unify(left.items[1], at)
            return
        if self.is_pattern(left):
            self.unify(left, self.value(right))
            return
        a, b = self.value(left), self.value(right)
        self.guard(f"not {self.equality(left, a, right, b)}")

    def unify(self, pattern: ast.Term, value: str) -> None:
        """Match a value that a Python expression holds."""
        if not self.is_pattern(pattern):
            held = self.value(pattern)
            self.guard(f"not {self.equality(pattern, held, None, value)}")
            return
        match pattern:
            case ast.Var():
                self.environment[pattern.name] = value
            case ast.Array():
                self.guard(f"type({value}) is not list or len({value}) != {len(pattern.items)}")
                for position, item in enumerate(pattern.items):
                    if isinstance(item, ast.Var) and item.name.startswith("_'"):
                        continue
                    self.unify(item, self.assign(f"{value}[{position}]"))
            case ast.Object():
                self.guard(f"type({value}) is not dict or len({value}) != {len(pattern.pairs)}")
                for k, part in pattern.pairs:
                    found = self.assign(f"lookup({value}, {self.value(k)})")
                    self.guard(f"{found} is U")
                    self.unify(part, found)


def key_of(name: str) -> str:
    """A Python expression for the key that stands for a value."""
    return f"{name} if type({name}) is str else key({name})"


def literal(term: ast.Term) -> tuple[object] | None:
    """The value of an array or object written out in constants, wrapped in a tuple; None for any other."""
    match term:
        case ast.Scalar():
            return (term.value,)
        case ast.Array():
            items = [literal(item) for item in term.items]
            return None if None in items else ([item[0] for item in items if item],)
        case ast.Object():
            fields: dict[str, object] = {}
            for k, v in term.pairs:
                value = literal(v)
                if not isinstance(k, ast.Scalar) or type(k.value) is not str or value is None:
                    return None
                fields[k.value] = value[0]
            return (fields,)
        case ast.SetTerm():
            from solon.lang.values import Set

            members = [literal(item) for item in term.items]
            return None if None in members else (Set.of(m[0] for m in members if m),)
        case _:
            return None


def _statement_terms(statement: ast.Statement) -> Iterable[ast.Term]:
    bodies = [statement.body] if isinstance(statement, ast.Every) else []
    return walk_all(ast.statement_terms(statement), bodies)
