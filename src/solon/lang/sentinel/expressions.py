"""Expressions to lines of Python, and an atom that holds the value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from solon.lang.sentinel import ast, choices
from solon.lang.sentinel.builtins import BUILTINS, Builtin
from solon.lang.sentinel.emitter import BOOL, MOST_LOOPS, SURE_BOOL, UNKNOWN, Emitter, Info
from solon.lang.sentinel.joins import fixed_names, plan_of
from solon.lang.sentinel.values import Undefined, Value

_ORDERS: Final = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
_ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}
_LOOKS: Final = {
    "contains": "contains", "not contains": "lacks", "in": "contains", "not in": "lacks", "matches": "matches",
    "not matches": "mismatches",
}  # fmt: skip
_NUMBER_KINDS: Final = frozenset(["int", "float"])


class Expressions(Emitter):
    """The expressions of a function. ``wants_keys``: every loop has the keys of its elements."""

    wants_keys = False

    def value(self, node: ast.Expr) -> str:
        """An atom for the value of an expression."""
        constants = self.compiler.scopes.constants
        if node in constants:
            return self.literal(constants[node])
        found: str = getattr(self, _KINDS[type(node)])(node)
        return found

    def literal(self, value: Value) -> str:
        """A constant. A collection is copied where somebody might change it."""
        if type(value) is Undefined:
            return self.unit.named("U", value)
        atom = self.constant(value)
        if type(value) is not list and type(value) is not dict:
            return atom
        info = self.info(atom)
        if self.compiler.scopes.changes:
            return self.temporary(f"copied({atom})", info)
        return self.temporary(f"copied({atom}) if {self.run}.changing else {atom}", info)

    # --- the kinds of expressions

    def _paren(self, node: ast.Paren) -> str:
        return self.value(node.inner)

    def _list(self, node: ast.List) -> str:
        items = [self.value(item) for item in node.items]
        return self.gathered(self.temporary(f"[{', '.join(items)}]", Info("list", True)), items)

    def _map(self, node: ast.Map) -> str:
        pairs = []
        items = []
        for name, value in node.pairs:
            atom = self.value(name)
            if self.info(atom) != Info("str", True):
                self.at(name)
                atom = self.temporary(f"key({atom})")
            items.append(self.value(value))
            pairs.append(f"{atom}: {items[-1]}")
        return self.gathered(self.temporary(f"{{{', '.join(pairs)}}}", Info("dict", True)), items)

    def _unary(self, node: ast.Unary) -> str:
        operand = self.value(node.operand)
        self.at(node)
        if node.operator == "not":
            info = self.info(operand)
            if info == SURE_BOOL:
                return self.derived(self.temporary(f"not {operand}", SURE_BOOL), operand)
            value = f"False if {operand} is True else True if {operand} is False else negation({operand})"
            return self.derived(self.temporary(value, BOOL), operand)
        verb = "negative" if node.operator == "-" else "positive"
        return self.derived(self.temporary(f"{verb}({operand})"), operand)

    def _test(self, node: ast.Test) -> str:
        operand = self.value(node.operand)
        self.at(node)
        if node.what == "defined":
            test = f"type({operand}) is {'' if node.negated else 'not '}Undefined"
            return self.derived(self.temporary(test, SURE_BOOL), operand)
        test = f"{'not_empty' if node.negated else 'is_empty'}({operand})"
        return self.derived(self.temporary(test, BOOL), operand)

    def _func(self, node: ast.Func) -> str:
        name = self.compiler.func(node)
        self.at(node)
        free = [f"c{variable.number}" for variable in self.compiler.scopes.frames[node].free]
        shown = self.unit.constant(node.name or "this function")
        return self.temporary(f"func({', '.join([name, shown, str(len(node.parameters)), 'g', *free])})")

    def _rule(self, node: ast.Rule) -> str:
        """A rule that is not assigned to a name: its value."""
        atom = self.rule(node)
        self.force(atom)
        return atom

    def rule(self, node: ast.Rule) -> str:
        """A rule as what is evaluated later."""
        name = self.compiler.rule(node)
        self.at(node)
        file = self.compiler.file
        about = self.unit.named("K", (node.name, file.span(node.at, node.at + 4), node.at))
        free = [f"c{variable.number}" for variable in self.compiler.scopes.frames[node].free]
        return self.temporary(f"Rule({', '.join([name, about, 'g', *free])})")

    # --- operators

    def _chain(self, node: ast.Chain) -> str:
        first = node.operators[0].name
        if first in ("and", "or", "xor"):
            return self._logic(node)
        if first == "else":
            return self._else(node)
        left = self.value(node.operands[0])
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            left = self._binary(node, operator, left, operand)
        return left

    def _binary(self, node: ast.Chain, operator: ast.Operator, left: str, operand: ast.Expr) -> str:
        """The right operand is not evaluated where the left one is undefined."""
        mark = len(self.function.lines)
        known = self.known
        self.known = set(known)
        right = self.value(operand)
        self.at(operand, start=node.at)
        text, info = self._operation(operator, left, right, self.place_between(node, operand))
        if len(self.function.lines) == mark or self.info(left).sure:
            return self.combined(operator, self.temporary(text, info), left, right)
        self.known = known
        result = self.temporary(text, info)
        self.combined(operator, result, left, right)
        self.guard(mark, f"if type({left}) is not Undefined:")
        with self.function.block("else:"):
            self.move(result, left)
        return result

    # --- for those who want to know more of what happens

    def derived(self, result: str, _operand: str) -> str:
        """``result`` follows from another value."""
        return result

    def gathered(self, result: str, _items: Sequence[str]) -> str:
        """``result`` is a collection of values."""
        return result

    def combined(self, _operator: ast.Operator, result: str, _left: str, _right: str) -> str:
        """``result`` comes of an operator."""
        return result

    def either(self, result: str, other: str) -> None:
        """``result``, which is not true, becomes ``result or other``."""
        with self.function.block(f"if {other} is True or {result} is False:"):
            self.add(f"{result} = {other}")

    def place_between(self, node: ast.Chain, operand: ast.Expr) -> Callable[[], str]:
        return lambda: self.place(operand, start=node.at)

    def _operation(
        self, operator: ast.Operator, left: str, right: str, place: Callable[[], str]
    ) -> tuple[str, Info]:
        name = operator.name
        if name in ("==", "!="):
            return self.equality(left, right, name)
        if name in _ORDERS:
            return self._order(name, left, right, place)
        if name in _LOOKS:
            if name in ("in", "not in"):
                left, right = right, left
            return self._look(_LOOKS[name], left, right)
        return f"{_ARITHMETIC[name]}({left}, {right})", UNKNOWN

    def equality(self, left: str, right: str, operator: str) -> tuple[str, Info]:
        """``left operator right`` as a Python expression."""
        info, other = self.info(left), self.info(right)
        result = Info("bool", info.sure and other.sure)
        other_kind = other.kind if other.sure else ""
        if not other_kind and info.kind and info.sure:
            left, right, info, other_kind = right, left, other, info.kind
        kind = info.kind
        no = "False" if operator == "==" else "True"
        if kind == other_kind and info.sure and kind in ("str", "int", "float", "bool"):
            return f"{left} {operator} {right}", result
        undefined = "" if info.sure else f"{left} if type({left}) is Undefined else "
        if other_kind == "str":
            return f"{left} {operator} {right} if type({left}) is str else {undefined}{no}", result
        if other_kind in _NUMBER_KINDS:
            return f"{left} {operator} {right} if type({left}) in NUMBERS else {undefined}{no}", result
        if other_kind in ("None", "bool"):
            test = f"{left} {'is' if operator == '==' else 'is not'} {right}"
            return f"{undefined}{test}", result
        verb = "equal" if operator == "==" else "different"
        return (
            f"{left} {operator} {right} if type({left}) is type({right}) is str else {verb}({left}, {right})",
            result,
        )

    def _order(self, name: str, left: str, right: str, place: Callable[[], str]) -> tuple[str, Info]:
        info, other = self.info(left), self.info(right)
        number = next((i.kind for i in (info, other) if i.sure and i.kind == "int"), "")
        slow = f"{_ORDERS[name]}({left}, {right}, {place()})"
        if not number:
            return slow, BOOL
        unsure = [atom for atom, i in ((left, info), (right, other)) if not (i.sure and i.kind == "int")]
        if not unsure:
            return f"{left} {name} {right}", SURE_BOOL
        return f"{left} {name} {right} if type({unsure[0]}) is int else {slow}", BOOL

    def _look(self, verb: str, left: str, right: str) -> tuple[str, Info]:
        """``left`` contains, or matches, ``right``."""
        slow = f"{verb}({left}, {right})"
        if verb in ("contains", "lacks") and self.info(right) == Info("str", True):
            word = "in" if verb == "contains" else "not in"
            fast = f"type({left}) is dict or type({left}) is list and len({left}) < 64"
            return f"{right} {word} {left} if {fast} else {slow}", BOOL
        return slow, BOOL

    def _else(self, node: ast.Chain) -> str:
        first = self.value(node.operands[0])
        if self.info(first).sure:
            return first
        result = self.fresh()
        self.move(result, first)
        kind = self.info(first).kind
        for operand in node.operands[1:]:
            with self.block(f"if type({result}) is Undefined:"):
                atom = self.value(operand)
                self.move(result, atom)
            info = self.info(atom)
            kind = kind if kind == info.kind else ""
        self.infos[result] = Info(kind, info.sure)
        return result

    def logical(self, atom: str, node: ast.Expr) -> None:
        """Refuse what is neither a boolean nor undefined."""
        if self.info(atom).kind != "bool":
            self.at(node)
            with self.function.block(f"if {atom} is not True and {atom} is not False:"):
                self.add(f"{atom} = not_logical({atom})")

    def operand_of_logic(self, name: str, node: ast.Expr) -> bool:
        """Put a boolean, or what is undefined, into a name; whether it is certainly a boolean."""
        atom = self.value(node)
        self.move(name, atom)
        info = self.infos[name] = self.info(atom)
        self.logical(name, node)
        return info == SURE_BOOL

    def _logic(self, node: ast.Chain) -> str:
        result = self.fresh()
        sure = self.operand_of_logic(result, node.operands[0])
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            if operator.name == "and":
                skips = choices.UNDEFINED_AND_SKIPS
                with self.block(f"if {result} is True:" if skips else f"if {result} is not False:"):
                    if skips:
                        sure &= self.operand_of_logic(result, operand)
                    else:
                        other = self.fresh()
                        sure &= self.operand_of_logic(other, operand)
                        self.add(f"{result} = {other} if {result} is True else {result}")
                continue
            other = self.fresh()
            if operator.name == "or":
                # What was undefined stays so, unless the right operand is true.
                with self.block(f"if {result} is not True:"):
                    sure &= self.operand_of_logic(other, operand)
                    self.either(result, other)
            else:
                known = set(self.known)
                sure &= self.operand_of_logic(other, operand)
                self.known = known
                self.add(f"{result} = exclusive({result}, {other})")
                self.combined(operator, result, result, other)
        self.infos[result] = SURE_BOOL if sure else BOOL
        return result

    # --- paths

    def _path(self, node: ast.Path) -> str:
        steps: Sequence[ast.Step] = node.steps
        imported = False
        if isinstance(node.head, ast.Name):
            step = steps[0]
            if isinstance(step, ast.Call):
                called = self.call_by_name(node.head, step)
                if called is not None:
                    return self.steps(called, node, steps[1:])
            slot = self.import_slot(node.head.name)
            if slot is not None and not isinstance(step, ast.Call):
                imported = True
                atom = f"g[{slot}]"
            else:
                atom = self.value(node.head)
        else:
            atom = self.value(node.head)
        atom = self.steps(atom, node, steps)
        if imported and not isinstance(steps[-1], ast.Call):
            # What belongs to a document is not to be changed.
            self.at(node)
            run = self.run
            return self.temporary(f"{run}.copied({atom}) if {run}.owning else {atom}", self.info(atom))
        return atom

    def import_slot(self, name: str) -> int | None:
        """Where the import stands that a name means, if it means one."""
        return None if self.candidates(name)[0] else self.compiler.imports.get(name)

    def steps(self, atom: str, node: ast.Path, steps: Sequence[ast.Step]) -> str:
        position = 0
        while position < len(steps):
            step = steps[position]
            names = self._names(steps, position)
            if names:
                last = steps[position + len(names) - 1]
                atom = self.selection(atom, node, names, last)
                position += len(names)
                continue
            if isinstance(step, ast.Index):
                atom = self._guarded(atom, [step.index], partial(self._indexed, node, step))
            elif isinstance(step, ast.Slice):
                bounds = [each for each in (step.low, step.high) if each is not None]
                atom = self._guarded(atom, bounds, partial(self._cut, node, step))
            else:
                assert isinstance(step, ast.Call)
                atom = self._guarded(atom, step.arguments, partial(self.called, node, step))
            position += 1
        return atom

    def _names(self, steps: Sequence[ast.Step], start: int) -> list[tuple[str, ast.Step]]:
        """The fixed names that follow: ``.a["b"]``."""
        found: list[tuple[str, ast.Step]] = []
        for step in steps[start:]:
            if isinstance(step, ast.Select):
                found.append((step.name, step))
            elif (
                isinstance(step, ast.Index)
                and isinstance(step.index, ast.Constant)
                and type(step.index.value) is str
            ):
                found.append((step.index.value, step))
            else:
                break
        return found

    def selection(self, atom: str, node: ast.Path, names: list[tuple[str, ast.Step]], last: ast.Step) -> str:
        self.at(last, start=node.at)
        gets, pairs = [], []
        for name, step in names:
            missing = self.missing(f'no key "{name}"', step)
            gets.append(f".get({self.unit.constant(name)}, {missing})")
            pairs.append((name, self.unit.constants[missing]))
        result = self.fresh()
        with self.function.block("try:"):
            self.add(f"{result} = {atom}{''.join(gets)}")
        with self.function.block("except AttributeError:"):
            self.add(f"{result} = select({atom}, {self.unit.named('P', tuple(pairs))})")
        return result

    def _guarded(
        self,
        atom: str,
        arguments: Sequence[ast.Expr],
        finish: Callable[[str, list[str]], str],
    ) -> str:
        """A step with arguments, which are not evaluated where what is before is undefined."""
        mark = len(self.function.lines)
        known = self.known
        self.known = set(known)
        given = [self.value(each) for each in arguments]
        simple = len(self.function.lines) == mark or self.info(atom).sure
        result = finish(atom, given)
        if simple:
            return result
        self.known = known
        self.infos.pop(result, None)
        self.guard(mark, f"if type({atom}) is not Undefined:")
        with self.function.block("else:"):
            self.add(f"{result} = {atom}")
        return result

    def _indexed(self, node: ast.Path, step: ast.Index, atom: str, given: list[str]) -> str:
        self.at(step, start=node.at)
        return self.temporary(f"index({atom}, {given[0]}, {self.place(step)})")

    def _cut(self, node: ast.Path, step: ast.Slice, atom: str, given: list[str]) -> str:
        self.at(step, start=node.at)
        rest = iter(given)
        low = "None" if step.low is None else next(rest)
        high = "None" if step.high is None else next(rest)
        return self.temporary(f"cut({atom}, {low}, {high}, {self.place(step)})")

    # --- calls

    def called(self, node: ast.Path, step: ast.Call, atom: str, given: list[str]) -> str:
        """Call what an atom holds."""
        self.at(step, start=node.at)
        count, listed = len(given), ", ".join(given)
        test = f"type({atom}) is Function and {atom}.least == {count} == {atom}.most"
        return self.temporary(f"{atom}.run({listed}) if {test} else call({', '.join([atom, *given])})")

    def call_by_name(self, head: ast.Name, step: ast.Call) -> str | None:
        """Call a function that is known by its name; None where it is not."""
        name = head.name
        sole = self.compiler.sole_function(name, self.scope)
        if sole is not None:
            node, variable = sole
            return self._call_own(node, variable, head, step)
        if self.candidates(name)[0] or name in self.compiler.imports or name not in BUILTINS:
            return None
        return self._call_builtin(head, step)

    def _call_own(self, node: ast.Func, variable: Any, head: ast.Name, step: ast.Call) -> str:
        if variable not in self.known:
            variable.asked = True
            self.at(head)
            with self.function.block(f"if {self.text_of(variable)} is UNSET:"):
                self.add(f"unknown({self.unit.constant(variable.name)})")
            self.known.add(variable)
        given = [self.value(each) for each in step.arguments]
        self.at(step, start=head.at)
        wanted = len(node.parameters)
        if len(given) != wanted:
            return self._miscounted(variable.name, wanted, wanted, len(given))
        return self.temporary(f"{self.compiler.function_name(node)}({', '.join(['g', *given])})")

    def _miscounted(self, name: str, least: int, most: int | None, count: int) -> str:
        return self.temporary(f"miscounted({self.unit.constant(name)}, {least}, {most}, {count})")

    def _call_builtin(self, head: ast.Name, step: ast.Call) -> str:
        builtin = BUILTINS[head.name]
        given = [self.value(each) for each in step.arguments]
        self.at(step, start=head.at)
        count = len(given)
        if count < builtin.least or (builtin.most is not None and count > builtin.most):
            return self._miscounted(builtin.name, builtin.least, builtin.most, count)
        return self.builtin_called(builtin, given, head, step)

    def builtin_called(self, builtin: Builtin, given: list[str], head: ast.Name, step: ast.Call) -> str:
        if builtin.name == "length":
            atom = given[0]
            sized = self.info(atom).kind in ("list", "dict") and self.info(atom).sure
            fast = f"len({atom})"
            if sized:
                return self.temporary(fast, Info("int", True))
            test = f"type({atom}) is list or type({atom}) is dict"
            return self.temporary(f"{fast} if {test} else length({atom})", Info("int"))
        if builtin.needs == "run":
            given = [self.run, *given]
        elif builtin.needs == "place":
            given = [self.place(step, start=head.at), *given]
        kind = Info("bool", True) if builtin.name == "print" else UNKNOWN
        return self.temporary(f"{self.compiler.builtin(builtin)}({', '.join(given)})", kind)

    # --- quantifiers

    def _quantifier(self, node: ast.Quantifier) -> str:
        collection = self.value(node.collection)
        result = self.fresh()
        if self.info(collection).sure:
            self.quantify(node, collection, result)
        else:
            self.at(node)
            with self.function.block(f"if type({collection}) is Undefined:"):
                self.add(f"{result} = {collection}")
            with self.block("else:"):
                self.quantify(node, collection, result)
        if node.kind == "map":
            self.infos[result] = Info("list", self.info(collection).sure)
        elif node.kind != "filter":
            self.infos[result] = BOOL
        return result

    def quantify(self, node: ast.Quantifier, collection: str, result: str) -> None:
        start = {"all": "True", "any": "False", "map": "[]"}.get(
            node.kind, f"{{}} if type({collection}) is dict else []"
        )
        self.at(node)
        self.add(f"{result} = {start}")
        with self.loop(node, collection) as (key, value):
            body = self.value(node.body)
            self.collect(node, collection, result, key, value, body)

    def collect(
        self, node: ast.Quantifier, collection: str, result: str, key: str, value: str, body: str
    ) -> None:
        """What a quantifier does with the value of its body for one element."""
        self.at(node.body)
        if node.kind == "map":
            self.add(f"{result}.append({body})")
            return
        if self.info(body).kind != "bool":
            body = self.temporary(body, BOOL)
            with self.function.block(f"if {body} is not True and {body} is not False:"):
                self.add(f"{body} = not_logical({body})")
        if node.kind == "all":
            with self.function.block(f"if {body} is not True:"):
                self.add(f"{result} = {body}")
                self.add("break")
        elif node.kind == "any":
            with self.function.block(f"if {body} is True:"):
                self.add(f"{result} = {body}")
                self.add("break")
            if not self.info(body).sure:
                with self.function.block(f"if {body} is not False and {result} is False:"):
                    self.add(f"{result} = {body}")
        else:
            with self.function.block(f"if {body} is True:"):
                with self.function.block(f"if type({collection}) is dict:"):
                    self.add(f"{result}[{key}] = {value}")
                with self.function.block("else:"):
                    self.add(f"{result}.append({value})")
            if not self.info(body).sure:
                with self.function.block(f"elif {body} is not False:"):
                    self.add(f"{result} = {body}")
                    self.add("break")

    def join(self, node: ast.Quantifier | ast.For, collection: str) -> str:
        """A Python expression for the elements that can matter; nothing where all may."""
        plan = plan_of(node)
        if plan is None:
            return ""
        names: tuple[str, ...] = ()
        head = plan.wanted
        if isinstance(head, ast.Path):
            names, head = fixed_names(head.steps), head.head
        if isinstance(head, ast.Constant):
            wanted = self.unit.constant(head.value)
        else:
            assert isinstance(head, ast.Name)
            found, certain = self.candidates(head.name)
            if len(found) != 1 or found[0].holds_rule or not (certain or found[0].scope.kind == "file"):
                return ""
            wanted = self.text_of(found[0])
            if names:
                wanted = f"soft({wanted}, {self.unit.shared('P', f'names {names}', names)})"
        compared = self.unit.shared("P", f"names {plan.names}", plan.names)
        guards = self.unit.shared("P", f"guards {plan.guards}", plan.guards)
        return f"matching({self.run}, {collection}, {compared}, {wanted}, {guards})"

    @contextmanager
    def loop(self, node: ast.Quantifier | ast.For, collection: str) -> Iterator[tuple[str, str]]:
        """A loop over a collection, with its names; gives the key as it is stored, and the element."""
        self.loops += 1
        if self.loops > MOST_LOOPS:
            self.at(node)
            self.refuse(f"more than {MOST_LOOPS} loops in one another")
        scope = self.compiler.scopes.scopes[node]
        variables = scope.variables
        second = variables[node.second.name]
        first = None if node.first is None else variables[node.first.name]
        pair = first is not None
        value = f"x{second.number}"
        key = self.fresh()
        filters = isinstance(node, ast.Quantifier) and node.kind == "filter"
        self.at(node.collection)
        join = self.join(node, collection)
        lone = first is None and not filters and not self.wants_keys and not join
        if lone:
            header = f"for {value} in elements({self.run}, {collection}):"
        else:
            value = value if pair else self.fresh()
            header = f"for {key}, {value} in {join or f'entries({self.run}, {collection})'}:"
        with self.block(header):
            self.at(node)
            if lone:
                if second.read:
                    with self.function.block(f"if type({value}) is BoolKey:"):
                        self.add(f"{value} = {value}.value")
            elif not pair:
                self.add(f"x{second.number} = as_value({key}) if type({collection}) is dict else {value}")
            elif first is not None and first.read and first is not second:
                self.add(f"x{first.number} = {key} if type({key}) is not BoolKey else {key}.value")
            with self.inside(scope):
                yield key, value
        self.loops -= 1


_KINDS: Final[dict[type, str]] = {
    ast.Name: "read",
    ast.Paren: "_paren",
    ast.List: "_list",
    ast.Map: "_map",
    ast.Path: "_path",
    ast.Unary: "_unary",
    ast.Test: "_test",
    ast.Chain: "_chain",
    ast.Quantifier: "_quantifier",
    ast.Func: "_func",
    ast.Rule: "_rule",
}
