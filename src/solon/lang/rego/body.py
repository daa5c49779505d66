"""Bodies and terms to Python: each expression narrows, loops or binds, the next one nests inside it.

``xs[i].name == "a"`` becomes a loop over ``xs`` with a ``continue`` where a comparison fails. Reading a term
may open loops; they stay open to the end of the function, since what follows depends on what they bind. A
part that must not leave its loops open (a comprehension, a negation, ``every``) becomes a function of its
own, which gets the variables it uses as arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solon.lang.rego import ast
from solon.lang.rego.calls import Calls
from solon.lang.rego.errors import UNSAFE_VAR_ERROR, RegoError
from solon.lang.rego.resolve import walk_all
from solon.lang.rego.safety import is_readable, matching_parts, variables
from solon.lang.source import Diagnostic
from solon.lang.values import Set


class BodyEmitter(Calls):
    """Writes the Python function of a body."""

    detailed = False  # whether each rule and element is to be seen, so that nothing may be left out

    # --- what profiles and traces add

    def begin_rule(self, at: int) -> None:
        """The function of a rule begins."""

    def begin_head(self, at: int, terms: Sequence[ast.Term]) -> None:
        """The body of a rule holds; what comes is its key and value."""

    def end_head(self) -> None:
        """The rule has a result."""

    # --- expressions

    def body(self, exprs: Sequence[ast.Expr]) -> None:
        waiting = list(exprs)
        while waiting:
            expr = waiting.pop(0)
            if self.compiler.may_reorder and self.opens_loop(expr):
                for early in self.askable(waiting):
                    waiting.remove(early)
                    self.expr(early)
            self.rest = waiting
            self.expr(expr)
        self.rest = ()

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
            case ast.Logic():
                self.logic(statement)
            case ast.Some():
                pass

    def holds(self, term: ast.Term) -> None:
        """The term must be defined and not false."""
        if isinstance(term, ast.Call):
            if term.name == "print":
                self.print(term)
                return
            condition = self.condition(term, must_hold=True)
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
                left, right = self.hoisted_parts(statement.left), self.hoisted_parts(statement.right)
                self.refute(ast.Unify(left, right, statement.operator))
            case ast.TermExpr(term=term):
                self.refute(ast.TermExpr(self.hoisted_parts(term)))
            case _:
                self.refute(statement)

    def hoisted(self, term: ast.Term) -> ast.Term:
        if isinstance(term, ast.Ref | ast.Call | ast.Comprehension | ast.Template):
            return self.temporary(self.value(term), term.at)
        return self.hoisted_parts(term)

    def hoisted_parts(self, term: ast.Term) -> ast.Term:
        """The term with what it consists of evaluated before; a reference as a whole is not."""
        match term:
            case ast.Call() | ast.Comprehension():
                return self.temporary(self.value(term), term.at)
            case ast.Ref(head=ast.Var()):
                return ast.Ref(term.head, [self.hoisted(part) for part in term.path], term.at)
            case ast.Array():
                return ast.Array([self.hoisted(item) for item in term.items], term.at)
            case ast.SetTerm():
                return ast.SetTerm([self.hoisted(item) for item in term.items], term.at)
            case ast.Object():
                pairs = [(self.hoisted(k), self.hoisted(v)) for k, v in term.pairs]
                return ast.Object(pairs, term.at)
            case _:
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

    def logic(self, logic: ast.Logic) -> None:
        """Each operand is tried in a function of its own, in order, and no further than needed."""
        tests = []
        for operand in logic.operands:
            inner, call = self.lift("n", walk_all([], [operand]), "return False")
            inner.body(operand)
            inner.function.add("return True")
            tests.append(call)
        match logic.operator:
            case "not":
                self.guard(tests[0])
            case "and":
                self.guard(f"not ({' and '.join(tests)})")
            case "or":
                self.guard(f"not ({' or '.join(tests)})")

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
        inner = type(self)(self.compiler, self.module, function, environment, failure)
        inner.kinds = self.kinds
        arguments = [self.state, *([domain] if domain else []), *parameters]
        return inner, f"{name}({', '.join(arguments)})"

    # --- some … in, every

    def some_in(self, statement: ast.SomeIn) -> None:
        domain = self.value(statement.domain)
        self.seek(statement.value)
        sought, self.sought = self.sought, None
        element = self.unit.fresh("v")
        if statement.key is None:
            self.loop(f"for {element} in {self.elements('values', domain, sought)}:")
        else:
            index = self.unit.fresh("v")
            self.loop(f"for {index}, {element} in {self.elements('items', domain, sought)}:")
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

    # --- terms

    def value(self, term: ast.Term) -> str:
        """A Python expression (a name or constant) for the term's value; gives up where it is undefined."""
        match term:
            case ast.Scalar():
                name = self.unit.constant(term.value)
                self.kinds[name] = type(term.value)
                return name
            case ast.Var():
                held = self.environment.get(term.name)
                if held is None:
                    span = self.module.span(term.at, len(term.shown))
                    error = Diagnostic(UNSAFE_VAR_ERROR, f"var {term.shown} is unsafe", span)
                    raise RegoError([error], self.compiler.sources)
                return held
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
                # Of two pairs with one key the last counts; constants come before keys that are computed.
                for k, v in sorted(term.pairs, key=lambda pair: not isinstance(pair[0], ast.Scalar)):
                    name = self.value(k)
                    pairs.append(f"{self.key_of(name)}: {self.value(v)}")
                return self.assign("{" + ", ".join(pairs) + "}", dict)

    def template(self, term: ast.Template) -> str:
        parts = []
        for part in term.parts:
            if isinstance(part, str):
                parts.append(f"(True, {self.unit.constant(part)})")
            elif isinstance(part, ast.Comprehension):
                parts.append(f"(False, {self.value(part)})")
            else:
                parts.append(f"(True, format_value({self.value(part)}))")
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
            waiting = list(parts)
            while waiting:
                pending = {
                    v.name for p in waiting for side in p for v in variables(side)
                } - self.environment.keys()
                ready = (
                    p for p in waiting
                    if any(is_readable(side, self.environment, pending) for side in p)
                )  # fmt: skip
                pair = next(ready, waiting[0])
                waiting.remove(pair)
                self.unify_terms(*pair)
            return
        if self.is_pattern(right) and (isinstance(right, ast.Var) or not self.is_pattern(left)):
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
            if isinstance(right, ast.Ref) and any(map(self.is_open, right.path)):
                self.seek(left)
            value = self.value(right)
            self.sought = None
            self.unify(left, value)
            return
        a, b = self.both(left, right)
        self.guard(f"not {self.equality(left, a, right, b)}")

    def unify(self, pattern: ast.Term, value: str) -> None:
        """Match a value that a Python expression holds."""
        if not self.is_pattern(pattern):
            held = self.value(pattern)
            self.guard(f"not {self.equality(pattern, held, None, value)}")
            return
        if value in ("None", "True", "False"):
            value = self.assign(value)  # Python warns of `None[0]`, even where it is never reached
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
    return walk_all(ast.statement_terms(statement), ast.bodies(statement))
