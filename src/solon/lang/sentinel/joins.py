"""Loops that visit only the elements that can matter.

Policies say ``filter volumes as v { v.instance is i.id }`` inside a loop over ``i``. For an element with another
``v.instance`` the body is false, whatever else it says: the compiler (:func:`plan_of`) asks :func:`matching` for the
others. Asked a second time for the same collection and names, it makes an index, so that the loops together take time
in proportion to what they find.

An element may be left out only if its body is certainly false (of ``all``: true), which takes that what stands before
the comparison is a boolean for it (``guards``) and that it has the names that are compared. All others are visited.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.lang.sentinel import ast, operators
from solon.lang.sentinel.runtime import Run, entries
from solon.lang.sentinel.values import Undefined, Value

Names = tuple[str, ...]
Guards = tuple[
    tuple[Names, bool], ...
]  # names that must lead to something; whether that must be a collection

_FEW: Final = 16  # elements; going over them is as fast
_MOST_INDEXES: Final = 4  # of one collection, as it changes
_KEYS: Final = frozenset([str, int, float])
_COLLECTIONS: Final = frozenset([list, dict])

# --- what the compiler asks


@dataclass(frozen=True, slots=True)
class Plan:
    """The loop is over what has ``names`` equal to ``wanted``, a constant or a path of fixed names."""

    names: Names
    wanted: ast.Expr
    guards: Guards


def plan_of(node: ast.Quantifier | ast.For) -> Plan | None:
    """How to leave out elements of a loop; None where nothing says which."""
    element = node.second.name
    own = {element} if node.first is None else {element, node.first.name}
    equals, word, body = "==", "and", _condition(node)
    if isinstance(node, ast.Quantifier) and node.kind == "all":
        equals, word = "!=", "or"
    if body is None or (node.first is not None and node.first.name == element):
        return None
    guards: list[tuple[Names, bool]] = []
    constant: Plan | None = None
    for part in _parts(body, word):
        compared = _compared(part, element, own, equals)
        if compared is not None:
            names, wanted = compared
            if not isinstance(wanted, ast.Constant):
                return Plan(names, wanted, tuple(guards))
            constant = constant or Plan(names, wanted, tuple(guards))
        guard = _guard(part, element)
        if guard is None:
            break
        guards.append(guard)
    return constant


def _condition(node: ast.Quantifier | ast.For) -> ast.Expr | None:
    """The expression that must hold for an element to matter."""
    if isinstance(node, ast.Quantifier):
        return None if node.kind == "map" else node.body
    match node.body.statements:
        case [ast.If(branches=[branch], otherwise=None)]:
            return branch.condition
    return None


def _parts(body: ast.Expr, word: str) -> Sequence[ast.Expr]:
    body = ast.inner(body)
    if isinstance(body, ast.Chain) and body.operators[0].name == word:
        if any(operator.name != word for operator in body.operators):
            return ()
        return [part for operand in body.operands for part in _parts(operand, word)]
    return [body]


def _compared(part: ast.Expr, element: str, own: set[str], operator: str) -> tuple[Names, ast.Expr] | None:
    """``element.names operator wanted``, from either side."""
    if not isinstance(part, ast.Chain) or [each.name for each in part.operators] != [operator]:
        return None
    left, right = map(ast.inner, part.operands)
    for side, other in ((left, right), (right, left)):
        names = _names_from(side, element)
        if names and (isinstance(other, ast.Constant) or (_head(other) not in {*own, ""})):
            return names, other
    return None


def _names_from(node: ast.Expr, element: str) -> Names:
    """``element.a["b"]`` as ``a`` and ``b``; nothing for what is no such path."""
    return fixed_names(node.steps) if isinstance(node, ast.Path) and _head(node) == element else ()


def fixed_names(steps: Sequence[ast.Step]) -> Names:
    found = []
    for step in steps:
        if isinstance(step, ast.Select):
            found.append(step.name)
        elif (
            isinstance(step, ast.Index)
            and isinstance(step.index, ast.Constant)
            and type(step.index.value) is str
        ):
            found.append(step.index.value)
        else:
            return ()
    return tuple(found)


def _head(node: ast.Expr) -> str:
    """The variable that a name or a path of fixed names begins at."""
    if isinstance(node, ast.Name):
        return node.name
    if isinstance(node, ast.Path) and isinstance(node.head, ast.Name) and fixed_names(node.steps):
        return node.head.name
    return ""


def _guard(part: ast.Expr, element: str) -> tuple[Names, bool] | None:
    """What makes sure that a part is a boolean: the names of the element that it compares with a constant."""
    if not isinstance(part, ast.Chain) or len(part.operators) != 1:
        return None
    left, right = map(ast.inner, part.operands)
    names = _names_from(left, element)
    if not names or not isinstance(right, ast.Constant):
        return None
    operator = part.operators[0].name
    if operator in ("==", "!="):
        return names, False
    return (names, True) if operator in ("contains", "not contains") else None


# --- what compiled code asks


class _Index:
    __slots__ = ("buckets", "change", "collection", "count", "others", "size")

    def __init__(self, collection: Value) -> None:
        self.collection = collection  # held, so that its id stays its own
        self.count = 0
        self.size = self.change = -1
        self.buckets: dict[Any, list[tuple[int, Any, Value]]] = {}
        self.others: list[tuple[int, Any, Value]] = []

    def make(self, names: Names, guards: Guards) -> None:
        collection = self.collection
        self.count += 1
        self.size, self.change = len(collection), operators.changes.last
        self.buckets, self.others = {}, []
        pairs = collection.items() if type(collection) is dict else enumerate(collection)
        for position, (key, element) in enumerate(pairs):
            value = _reached(element, names)
            if value is _NOTHING or not all(_holds(element, guard) for guard in guards):
                self.others.append((position, key, element))
            elif type(value) in _KEYS:
                self.buckets.setdefault(value, []).append((position, key, element))


_NOTHING: Final = object()


def _reached(element: Value, names: Names) -> Any:
    """What the names lead to; _NOTHING where that is undefined, an error, or not plain data."""
    for name in names:
        if type(element) is not dict:
            return _NOTHING
        element = element.get(name, _NOTHING)
    return _NOTHING if type(element) is Undefined else element


def _holds(element: Value, guard: tuple[Names, bool]) -> bool:
    names, collects = guard
    found = _reached(element, names)
    return type(found) in _COLLECTIONS if collects else found is not _NOTHING


def soft(value: Value, names: Names) -> Value:
    """``value.a.b`` of plain data; None where it is not that simple."""
    found = _reached(value, names)
    return None if found is _NOTHING else found


def matching(
    run: Run, collection: Value, names: Names, wanted: Value, guards: Guards
) -> Iterable[tuple[Any, Value]]:
    """(key, element) of a collection, perhaps without those that have something else than ``wanted`` there."""
    kind = type(collection)
    if kind not in _COLLECTIONS or len(collection) < _FEW or not (type(wanted) is str or type(wanted) is int):
        return entries(run, collection)
    where = id(collection), names, guards
    index = run.joins.get(where)
    if index is None:
        run.joins[where] = _Index(collection)
        return entries(run, collection)
    if index.size != len(collection) or index.change != operators.changes.last:
        if index.count >= _MOST_INDEXES:
            return entries(run, collection)
        run.charge(2 * len(collection))
        index.make(names, guards)
    found = index.buckets.get(wanted, ())
    if index.others:
        found = sorted([*found, *index.others], key=_position)
    run.charge(len(found) + 1)
    return [(key, element) for _, key, element in found]


def _position(entry: tuple[int, Any, Value]) -> int:
    return entry[0]
