"""Functions that keep the reasons of what they compute: which elements made it so.

Beside each temporary ``vN`` may stand its reasons ``bN``, beside each variable ``xN`` its ``yN``; ``t`` are the
:class:`~solon.lang.sentinel.reasons.Reasons` of the evaluation. Code like this runs a second time what has failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from solon.lang.sentinel import ast, reasons
from solon.lang.sentinel.body import Body
from solon.lang.sentinel.builtins import Builtin
from solon.lang.sentinel.scopes import Variable
from solon.lang.sentinel.values import Failure

NAMESPACE: Final[dict[str, Any]] = {
    "Failure": Failure,
    **{each.__name__: each for each in (
        reasons.assigned, reasons.forced, reasons.joined, reasons.located, reasons.picked, reasons.whole,
    )},
}  # fmt: skip
NONE: Final = "()"
_OF_COLLECTIONS: Final = frozenset(["length", "keys", "values"])
_LOOKS: Final = frozenset(["in", "not in", "contains", "not contains", "matches", "not matches"])
_HERE: Final = "(t.within,)"


class Tracking(Body):
    """A function that keeps reasons."""

    wants_keys = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.why: dict[str, str] = {}  # atom -> the name of its reasons
        self.names: set[str] = set()
        self.because_of: list[str] = []  # the conditions and loops around, the innermost last
        self.adds = False
        self.counts = False
        self.cause = ""  # the name of the reasons of the last condition

    # --- reasons of atoms

    def reason(self, atom: str) -> str:
        found = self.why.get(atom)
        if found is not None:
            return found
        return f"y{atom[1:]}" if atom[0] == "x" else NONE

    def give(self, atom: str, why: str) -> str:
        """An atom has these reasons."""
        if atom[0] == "v" and (why != NONE or atom in self.why):
            name = self.why[atom] = f"b{atom[1:]}"
            self.names.add(name)
            self.add(f"{name} = {why}")
        return atom

    def whole(self, atom: str) -> str:
        """The reasons of an atom, and of what is in it."""
        if atom[0] not in "vxg":
            return NONE
        return f"whole(t, {atom}, {self.reason(atom)})"

    def joined(self, atoms: Sequence[str], whole: bool = False) -> str:
        whys = [why for why in map(self.whole if whole else self.reason, atoms) if why != NONE]
        text = whys.pop() if whys else NONE
        for why in reversed(whys):
            text = f"joined({why}, {text})"
        return text

    def first_of(self, atom: str) -> str:
        """The reasons of an atom, or else those for which it is computed here."""
        own = [self.reason(atom)] if atom and self.reason(atom) != NONE else []
        return " or ".join([*own, *reversed(self.because_of)]) or NONE

    # --- what happens to values

    def move(self, name: str, atom: str) -> None:
        super().move(name, atom)
        self.give(name, self.reason(atom))

    def derived(self, result: str, operand: str) -> str:
        return self.give(result, self.whole(operand))

    def gathered(self, result: str, items: Sequence[str]) -> str:
        why = self.joined(items)
        if why != NONE:
            self.add(f"t.note({result}, {why})")
        return result

    def combined(self, operator: ast.Operator, result: str, left: str, right: str) -> str:
        return self.give(result, self.joined([left, right], whole=operator.name not in _LOOKS))

    def either(self, result: str, other: str) -> None:
        if self.reason(result) != NONE or self.reason(other) != NONE:
            self.give(result, f"{self.reason(other)} or {self.reason(result)}")
        super().either(result, other)

    def selection(self, atom: str, node: ast.Path, names: list[tuple[str, ast.Step]], last: ast.Step) -> str:
        result = super().selection(atom, node, names, last)
        return self._picked(atom, result, last)

    def _indexed(self, node: ast.Path, step: ast.Index, atom: str, given: list[str]) -> str:
        return self._picked(atom, super()._indexed(node, step, atom, given), step)

    def _picked(self, atom: str, result: str, step: ast.Step) -> str:
        with self.function.block(f"if type({result}) is Undefined:"):
            self.add(f"{result} = located({result}, {self.place(step)})")
        return (
            result
            if atom[0] == "g"
            else self.give(result, f"picked(t, {atom}, {self.reason(atom)}, {result})")
        )

    # --- variables

    def companion(self, variable: Variable) -> str:
        """Where the reasons of a variable are."""
        if variable.scope.kind == "file":
            return f"g[{self.compiler.companion(variable)}]"
        return f"c{variable.number}[1]" if variable.captured else f"y{variable.number}"

    def took(self, atom: str, variable: Variable) -> None:
        self.give(atom, self.companion(variable))

    def force(self, atom: str) -> None:
        with self.function.block(f"if type({atom}) is Rule:"):
            name = self.why[atom] = f"b{atom[1:]}"
            self.names.add(name)
            self.add(f"{atom}, {name} = forced(t, {atom})")

    def store(self, variable: Variable, value: str) -> None:
        held, why = self.text_of(variable), self.companion(variable)
        new = self.first_of("" if self.counts else value)
        self.add(f"{why} = assigned(t, {held}, {why}, {value}, {new}, {self.adds or self.counts})")
        super().store(variable, value)

    def begin(self, variable: Variable) -> str:
        if variable.captured:
            value = f"x{variable.number}" if variable.fixed else "UNSET"
            return f"c{variable.number} = [{value}, ()]"
        why = f"y{variable.number} = ()"
        return why if variable.fixed else f"x{variable.number} = UNSET; {why}"

    def put(self, collection: str, index: str, value: str) -> None:
        super().put(collection, index, value)
        self._note(collection, value)

    def _note(self, collection: str, value: str) -> None:
        """A collection is changed: for the reasons of where that is done, or else of what is put in."""
        why = " or ".join(reversed(self.because_of)) or self.reason(value)
        if why != NONE:
            self.add(f"t.note({collection}, {why})")

    def _changed(self, node: ast.Assign, held: str) -> str:
        result = super()._changed(node, held)
        self.give(result, " or ".join(reversed(self.because_of)) or NONE)
        return result

    def _assign_name(self, node: ast.Assign, target: ast.Name) -> None:
        self.adds = node.operator != "="
        self.counts = _adds_to(target.name, node.value)
        super()._assign_name(node, target)
        self.adds = self.counts = False

    # --- calls

    def called(self, node: ast.Path, step: ast.Call, atom: str, given: list[str]) -> str:
        self.add("t.returned = ()")
        return self.give(super().called(node, step, atom, given), "t.returned")

    def _call_own(self, node: ast.Func, variable: Variable, head: ast.Name, step: ast.Call) -> str:
        return self.give(super()._call_own(node, variable, head, step), "t.returned")

    def builtin_called(self, builtin: Builtin, given: list[str], head: ast.Name, step: ast.Call) -> str:
        result = super().builtin_called(builtin, given, head, step)
        if builtin.name == "append":
            self._note(given[0], given[1])
            return result
        return self.give(result, self.joined(given, whole=builtin.name in _OF_COLLECTIONS))

    def returning(self, value: str) -> None:
        self.add(f"t.returned = {self.first_of(value)}")
        self.add("t.within = w")
        super().returning(value)

    def rule_body(self, node: ast.Rule) -> None:
        self.add("t.returned = ()")
        super().rule_body(node)

    def finish(self) -> None:
        super().finish()
        names = sorted(self.names)
        for start in range(0, len(names), 50):
            self.function.first(f"{' = '.join(names[start : start + 50])} = ()")
        self.function.first("w = t.within")
        self.function.first("t = g[0].reasons")

    # --- conditions and loops

    def conditioned(self, condition: str) -> str:
        """The name of the reasons of a condition, as they are when it is asked."""
        why = self.reason(condition)
        self.cause = ""
        if why != NONE:
            self.cause = f"q{self.count}"
            self.count += 1
            self.names.add(self.cause)
            self.add(f"{self.cause} = {why}")
        return self.cause

    @contextmanager
    def because(self, cause: str) -> Iterator[None]:
        if cause:
            self.because_of.append(cause)
        yield
        if cause:
            self.because_of.pop()

    def statements(self, block: ast.Block) -> None:
        count = len(self.because_of)
        super().statements(block)
        del self.because_of[count:]

    def _if(self, node: ast.If) -> None:
        """What is behind an ``if`` that returns is done because of its condition."""
        super()._if(node)
        last = node.branches[-1].body.statements
        if self.cause and last and isinstance(last[-1], ast.Return):
            self.because_of.append(self.cause)

    @contextmanager
    def loop(self, node: ast.Quantifier | ast.For, collection: str) -> Iterator[tuple[str, str]]:
        around = f"w{self.count}"
        self.add(f"{around} = t.within")
        file = self.compiler.file
        kind = node.kind if isinstance(node, ast.Quantifier) else "for"
        about = self.unit.named(
            "K", (kind, file.source(node.collection), file.span(node.at, node.at + len(kind)))
        )
        with super().loop(node, collection) as (key, value):
            self.add(f"t.within = ({key}, {value}, {about}, {around})")
            self.because_of.append(_HERE)
            yield key, value
            self.because_of.pop()
        self.add(f"t.within = {around}")

    def quantify(self, node: ast.Quantifier, collection: str, result: str) -> None:
        """Like an evaluation that is not interrupted: every element that fails is told."""
        start = {"all": "True", "any": "False", "map": "[]"}.get(
            node.kind, f"{{}} if type({collection}) is dict else []"
        )
        self.add(f"{result} = {start}")
        why = self.why[result] = f"b{result[1:]}"
        self.names.add(why)
        self.add(f"{why} = []")
        with self.loop(node, collection) as (key, value):
            with self.function.block("try:"):
                self.add("pass")
                body = self.value(node.body)
                if self.info(body).kind != "bool" and node.kind != "map":
                    body = self.temporary(body)
                    with self.function.block(f"if {body} is not True and {body} is not False:"):
                        self.add(f"{body} = not_logical({body})")
            with self.function.block("except Failure:"):
                # The evaluation that counts was over when this was known.
                decided = {"all": f"{result} is not True", "any": f"{result} is True"}.get(node.kind, "False")
                with self.function.block(f"if {decided}:"):
                    self.add("break")
                self.add("raise")
            told = f"{why} += {self.first_of(body)}"
            if node.kind == "map":
                self.add(f"{result}.append({body})")
            elif node.kind == "all":
                with self.function.block(f"if {body} is not True:"):
                    self.add(f"{result} = {body} if {result} is True else {result}")
                    self.add(told)
            elif node.kind == "any":
                with self.function.block(
                    f"if {body} is True or ({body} is not False and {result} is False):"
                ):
                    self.add(f"{result} = {body}")
                    self.add(told)
            else:
                with self.function.block(f"if {body} is not False:"):
                    self.add(
                        f"t.note({result}, {_HERE}) if {body} is True else {why}.extend({self.first_of(body)})"
                    )
                self.collect(node, collection, result, key, value, body)
        if node.kind == "map":
            self.add(f"t.note({result}, {self.whole(collection)})")


def _adds_to(name: str, value: ast.Expr) -> bool:
    """Whether a value is ``name + …``."""
    value = ast.inner(value)
    if not isinstance(value, ast.Chain) or value.operators[0].name not in "+-*":
        return False
    first = ast.inner(value.operands[0])
    return isinstance(first, ast.Name) and first.name == name
