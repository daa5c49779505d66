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
from solon.lang.rego import ast, inline
from solon.lang.rego.errors import COMPILE_ERROR, RegoError
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.safety import matching_parts, variables
from solon.lang.source import Diagnostic
from solon.lang.values import Set

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
# What may give another result for the same operands; all else is called once in a body.
_DIFFERENT_EACH_TIME: Final = frozenset(["http.send", "trace"])
_ORDERINGS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


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
        self.kinds: dict[str, type] = {}  # name -> the type of what it holds, where that is certain
        self.defined: set[str] = set()  # names that were read and found not to be U

    # --- writing

    def fail(self) -> str:
        return "continue" if self.loops else self.failure

    def guard(self, condition: str) -> None:
        """Give up where the condition holds."""
        with self.function.block(f"if {condition}:"):
            self.function.add(self.fail())

    def needs(self, name: str) -> None:
        """Give up where a name holds U; tested once."""
        if name not in self.defined and name not in self.kinds:
            self.defined.add(name)
            self.guard(f"{name} is U")

    def needs_truth(self, name: str) -> None:
        """Give up where a name holds false."""
        kind = self.kinds.get(name)
        if kind is bool:
            self.guard(f"not {name}")
        elif kind is None:
            self.guard(f"{name} is False")

    def assign(self, expression: str, kind: type | None = None) -> str:
        name = self.unit.fresh("v")
        self.function.add(f"{name} = {expression}")
        if kind is not None:
            self.kinds[name] = kind
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
            self.needs_truth(held)
        self.state = outer
        return held

    def cover(self, at: int) -> None:
        span = self.module.span(at)
        line = (span.file, span.row)
        self.compiler.coverable.add(line)
        self.function.add(f"s.cover({self.unit.constant(line)})")

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
        self.needs_truth(self.value(term))

    def condition(self, call: ast.Call) -> str | None:
        """A comparison or membership as a Python condition; None for any other call."""
        if self.is_mocked(call.name):
            return None
        if call.name in ("equal", "eq", "neq"):
            left, right = self.value(call.args[0]), self.value(call.args[1])
            test = self.equality(call.args[0], left, call.args[1], right)
            return f"(not {test})" if call.name == "neq" else test
        of_type = inline.TABLE.get(call.name)
        if of_type is not None and not of_type.may_refuse:
            return of_type.text.format(*[self.value(arg) for arg in call.args])
        shape = _COMPARISONS.get(call.name)
        if shape is None:
            return None
        args = [self.value(arg) for arg in call.args]
        operator = _ORDERINGS.get(call.name)
        if operator is not None and {self.kinds.get(arg) for arg in args} in ({int}, {str}):
            return f"({args[0]} {operator} {args[1]})"
        return shape.format(*args)

    def equality(self, left: ast.Term | None, a: str, right: ast.Term | None, b: str) -> str:
        """A Python condition for a == b that is cheap where one side is a known scalar."""
        for term, constant, other in ((right, b, a), (left, a, b)):
            if isinstance(term, ast.Scalar):
                kind = type(term.value)
                if term.value is None or kind is bool:
                    return f"({other} is {constant})"
                if kind is str or term.value not in (0, 1):
                    return f"({other} == {constant})"
        kinds = {self.kinds.get(a), self.kinds.get(b)}
        if str in kinds or kinds == {int}:
            return f"({a} == {b})"
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
        self.function.add(f"s.print(({''.join(f'{x}, ' for x in sets)}), format_value)")

    # --- not

    def negation(self, statement: ast.Statement) -> None:
        """``not``: calls, and what a call is given, are evaluated before it (so undefined there is not "not").

        An equality's own references are not: ``not input.x == 1`` holds where ``input.x`` is undefined.
        """
        match statement:
            case ast.TermExpr(term=ast.Ref() as ref) if self.is_plain(ref):
                held = self.read(ref)
                self.guard(f"{held} is not U and {held} is not False")
            case ast.TermExpr(term=ast.Call() as call):
                args = [self.hoisted(arg) for arg in call.args]
                call = ast.Call(call.name, args, call.at, call.infix)
                condition = self.condition(call)
                if condition is not None:
                    self.guard(condition)
                    return
                result = self.call(call, undefined=True)
                is_bool = self.kinds.get(result) is bool
                self.guard(result if is_bool else f"{result} is not U and {result} is not False")
            case ast.Unify(operator="()"):
                self.refute(statement)
            case ast.Unify():
                left, right = self.hoisted_calls(statement.left), self.hoisted_calls(statement.right)
                self.refute(ast.Unify(left, right, statement.operator))
            case _:
                self.refute(statement)

    def is_plain(self, ref: ast.Ref) -> bool:
        """Whether reading it needs no loop: a path of constants and bound variables from input or a variable."""
        known = isinstance(ref.head, ast.Var) and (
            ref.head.name == "input" or ref.head.name in self.environment
        )
        return known and all(
            isinstance(p, ast.Scalar) or (isinstance(p, ast.Var) and p.name in self.environment)
            for p in ref.path
        )

    def read(self, ref: ast.Ref) -> str:
        """The value of a plain reference, which may be U; nothing gives up."""
        assert isinstance(ref.head, ast.Var)
        base = f"{self.state}.input" if ref.head.name == "input" else self.environment[ref.head.name]
        names: list[str] = []
        for part in ref.path:
            if isinstance(part, ast.Scalar) and type(part.value) is str:
                names.append(self.unit.constant(part.value))
                continue
            base, names = self.field(base, names, "{0} = U"), []
            base = self.assign(f"lookup({base}, {self.value(part)})")
        base = self.field(base, names, "{0} = U")
        return self.assign(base) if "." in base else base

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
        inner.kinds = self.kinds
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
            self.unify(statement.key, self.unkeyed(index))
        self.unify(statement.value, element)

    def every(self, statement: ast.Every) -> None:
        domain = self.value(statement.domain)
        used = list(walk_all([], [statement.body]))
        index, element = self.unit.fresh("v"), self.unit.fresh("v")
        outer, call = self.lift("e", used, "return False", domain)
        with outer.function.block("if type(d) not in COLLECTIONS:"):
            outer.function.add("return False")
        outer.environment[statement.value.name] = element
        outer.function.add(f"for {index}, {element} in items(s, d):")
        outer.function.depth += 1
        if statement.key is not None:
            outer.environment[statement.key.name] = outer.unkeyed(index)
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
                name = self.unit.constant(term.value)
                self.kinds[name] = type(term.value)
                return name
            case ast.Var():
                return self.environment[term.name]
            case ast.Ref():
                return self.ref(term)
            case ast.Call():
                condition = self.condition(term)
                return self.assign(condition, bool) if condition is not None else self.call(term)
            case ast.Comprehension():
                return self.comprehension(term)
            case ast.Template():
                return self.template(term)
        constant = literal(term)
        if constant is not None:
            name = self.unit.constant(constant[0])
            self.kinds[name] = type(constant[0])
            return name
        match term:
            case ast.Array():
                return self.assign(f"[{', '.join(self.value(item) for item in term.items)}]", list)
            case ast.SetTerm():
                members = "".join(self.value(item) + ", " for item in term.items)
                return self.assign(f"Set.of(({members}))", Set)
            case ast.Object():
                pairs = []
                for k, v in term.pairs:
                    name = self.value(k)
                    pairs.append(f"{self.key_of(name)}: {self.value(v)}")
                return self.assign("{" + ", ".join(pairs) + "}", dict)

    def key_of(self, name: str) -> str:
        """A Python expression for the key that stands for a value."""
        kind = self.kinds.get(name)
        if kind is None:
            return f"{name} if type({name}) is str else key({name})"
        return name if kind in (str, int, float, type(None)) else f"Key({name})"

    def template(self, term: ast.Template) -> str:
        parts = []
        for part in term.parts:
            text = self.unit.constant(part) if isinstance(part, str) else self.value(part)
            parts.append(f"({isinstance(part, str)}, {text})")
        site = self.site("template-strings must not produce multiple outputs")
        return self.assign(
            f"template(({''.join(p + ', ' for p in parts)}), format_value, {self.state}, {site})", str
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
            add(f"out[{inner.key_of(member)}] = {member}")
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
        return self.assign(call, {"array": list, "set": Set, "object": dict}[term.kind])

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
            if not may_be_undefined:
                self.defined.add(name)
        self.needs(name)
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
            self.needs(base)
        return base

    def fields(self, base: str, names: list[str], defined: bool) -> tuple[str, bool]:
        """``base.a.b``, read once; may be U."""
        if not names:
            return base, defined
        return self.field(base, names, self.fail()), False

    def field(self, base: str, names: list[str], failure: str) -> str:
        """``base.a.b``, read once; ``failure`` ({0}: the name) is what to do where it has no fields."""
        taken = len(names)
        while taken and (base, *names[:taken]) not in self.known:
            taken -= 1
        held = self.known.get((base, *names[:taken]), base)
        if taken == len(names):
            return held
        name = self.unit.fresh("v")
        with self.function.block("try:"):
            self.function.add(f"{name} = {held}{''.join(f'.get({n}, U)' for n in names[taken:])}")
        with self.function.block("except AttributeError:"):
            self.function.add(failure.format(name))
        self.known[base, *names] = name
        return name

    def iterate(self, base: str, part: ast.Term) -> str:
        element = self.unit.fresh("v")
        if isinstance(part, ast.Var) and part.name.startswith("_'"):
            self.loop(f"for {element} in {self.visit('values')}({self.state}, {base}):")
            return element
        index = self.unit.fresh("v")
        self.loop(f"for {index}, {element} in {self.visit('items')}({self.state}, {base}):")
        self.unify(part, self.unkeyed(index))
        return element

    def unkeyed(self, index: str) -> str:
        """What ``items`` gave as an index, as a value."""
        with self.function.block(f"if type({index}) is Key:"):
            self.function.add(f"{index} = {index}.value")
        return index

    # --- calls

    def call(self, call: ast.Call, *, undefined: bool = False) -> str:
        """A call's result; where it is undefined, gives up, or (``undefined``) the result is U."""
        name = call.name
        if name == "walk":
            return self.walk(call)
        condition = self.condition(call)
        if condition is not None:
            return self.assign(condition, bool)
        if name.startswith("rego.metadata."):
            return self.unit.constant(self.compiler.metadata(name, self.module, call.at))
        if self.is_mocked(name):
            return self.mocked(name, [self.value(arg) for arg in call.args], undefined)
        if name == "sprintf":
            text = self.sprintf(call)
            if text is not None:
                return self.assign(text, str)
        args = [self.value(arg) for arg in call.args]
        again = self.known.get(("call", name, self.state, *args))
        if again is None and undefined:
            again = self.known.get(("tried", name, self.state, *args))
        if again is not None:
            return again
        if name.startswith("data."):
            target = self.compiler.function_group(name)
            result = self.assign(f"g{target.index}({', '.join([self.state, *args])})")
            if not undefined:
                self.needs(result)
        else:
            result = self.inlined(name, args, undefined) or self.builtin(name, args, undefined)
        if name not in _DIFFERENT_EACH_TIME:
            self.known["tried" if undefined else "call", name, self.state, *args] = result
        return result

    def sprintf(self, call: ast.Call) -> str | None:
        """A call with a template known here, and its operands written out, as an f-string."""
        template, operands = call.args
        if not isinstance(template, ast.Scalar) or not isinstance(operands, ast.Array):
            return None
        parts = inline.template(template.value, len(operands.items))
        if parts is None:
            return None
        names = [self.value(item) for item in operands.items]
        return inline.sprintf(parts, names, self.kinds, self.unit.constant)

    def inlined(self, name: str, args: list[str], undefined: bool) -> str | None:
        """A built-in call as a Python expression, where there is one; what it refuses is false for ``not``."""
        usual = inline.shortcut(name, args, self.kinds)
        if usual is not None and not usual.condition:
            return self.assign(usual.text, usual.kind)
        shape = inline.TABLE.get(name)
        if shape is None:
            return None
        result = self.unit.fresh("v")
        with self.function.block("try:"):
            self.function.add(f"{result} = {shape.text.format(*args)}")
        with self.function.block("except TypeError:"):
            target = self.compiler.builtin(self.compiler.builtins[name])
            self.function.add(f"{self.state}.refused({target}, ({', '.join(args)},), {self.site(name)})")
            self.function.add(f"{result} = False" if undefined else self.fail())
        if shape.kind is bool or not undefined:
            self.kinds[result] = shape.kind
        if shape.operands is not None and not undefined:
            self.kinds.update(dict.fromkeys(args, shape.operands))
        return result

    def mocked(self, name: str, args: list[str], undefined: bool) -> str:
        """A call of a function that a `with` may have replaced."""
        original = self.compiler.replacement_of(name)
        packed = "".join(a + ", " for a in args)
        call = f"{self.state}.call({self.unit.constant(name)}, {original}, ({packed}))"
        result = self.assign(call) if name.startswith("data.") else self.attempt(name, call, undefined)
        if not undefined:
            self.needs(result)
        return result

    def builtin(self, name: str, args: list[str], undefined: bool) -> str:
        builtin = self.compiler.builtins[name]
        target = self.compiler.builtin(builtin)
        call = f"{target}({', '.join([self.state, *args] if builtin.contextual else args)})"
        usual = inline.shortcut(name, args, self.kinds)
        if usual is not None:
            call = f"{usual.text} if {usual.condition} else {call}"
        result = self.attempt(name, call, undefined)
        if not undefined:
            self.needs(result)
        return result

    def attempt(self, name: str, call: str, undefined: bool) -> str:
        """What a call of a built-in gives; where it raises, gives up, or (``undefined``) the result is U."""
        result = self.unit.fresh("v")
        site = self.site(name)
        with self.function.block("try:"):
            self.function.add(f"{result} = {call}")
        with self.function.block("except BuiltinError as error:"):
            self.function.add(f"{self.state}.failed(error, {site})")
            self.function.add(f"{result} = U" if undefined else self.fail())
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
            members = [literal(item) for item in term.items]
            return None if None in members else (Set.of(m[0] for m in members if m),)
        case _:
            return None


def _statement_terms(statement: ast.Statement) -> Iterable[ast.Term]:
    bodies = [statement.body] if isinstance(statement, ast.Every) else []
    return walk_all(ast.statement_terms(statement), bodies)
