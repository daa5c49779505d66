"""``collection/lists``. Each gives a new list."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import cmp_to_key
from typing import Final

from solon.lang.budget import claim, spend
from solon.lang.sentinel.imports.declare import FUNC, LIST, Namespace, function, named
from solon.lang.sentinel.values import (
    BOOL_KEYS,
    Failure,
    Function,
    Surroundings,
    Undefined,
    Value,
    type_of,
)

_SLOT: Final = 8  # bytes


class _UndefinedError(Exception):
    """Something undefined was met: so is the result."""

    def __init__(self, value: Undefined) -> None:
        super().__init__()
        self.value = value


def concat(*lists: list[Value]) -> Value:
    claim(_SLOT * sum(map(len, lists)))
    return [element for elements in lists for element in elements]


def _identity(value: Value, depth: int = 0) -> Hashable:
    """Values that are equal have the same."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return BOOL_KEYS[value]
    if kind is float:
        return value if value == value else object()  # noqa: PLR0124 - NaN equals nothing
    if kind is Undefined:
        raise _UndefinedError(value)
    if kind is list:
        spend(len(value))
        return (list, *_identities(value, depth))
    if kind is dict:
        spend(len(value))
        return (dict, frozenset(zip(value, _identities(value.values(), depth), strict=True)))
    return value  # type: ignore[no-any-return]


def _identities(values: Iterable[Value], depth: int) -> list[Hashable]:
    if depth > 200:
        raise Failure("collection/lists: nested too deeply to compare")
    return [_identity(value, depth + 1) for value in values]


def _distinct(*lists: list[Value]) -> dict[Hashable, Value]:
    """The first of each, in order."""
    found: dict[Hashable, Value] = {}
    for elements in lists:
        spend(len(elements))
        claim(8 * _SLOT * len(elements))
        for element in elements:
            found.setdefault(_identity(element), element)
    return found


def difference(items: list[Value], *others: list[Value]) -> Value:
    try:
        taken = _distinct(*others)
        spend(len(items))
        return [element for element in items if _identity(element) not in taken]
    except _UndefinedError as undefined:
        return undefined.value


def intersection(items: list[Value], *others: list[Value]) -> Value:
    try:
        found = _distinct(items)
        for other in others:
            kept = _distinct(other)
            found = {key: element for key, element in found.items() if key in kept}
        return list(found.values())
    except _UndefinedError as undefined:
        return undefined.value


def union(*lists: list[Value]) -> Value:
    try:
        return list(_distinct(*lists).values())
    except _UndefinedError as undefined:
        return undefined.value


def sort(items: list[Value], compare: Function) -> Value:
    def compared(current: Value, following: Value) -> int:
        order = compare(current, following)
        if type(order) is Undefined:
            raise _UndefinedError(order)
        if type(order) is not int:
            raise Failure(f"collection/lists.sort: the function must give -1, 0 or 1, not {type_of(order)}")
        return order

    spend(len(items))
    try:
        return sorted(items, key=cmp_to_key(compared))
    except _UndefinedError as undefined:
        return undefined.value


def total(items: list[Value]) -> Value:
    spend(len(items))
    result = 0.0
    for element in items:
        kind = type(element)
        if kind is Undefined:
            return element
        if kind is not int and kind is not float:
            raise Failure(f"collection/lists.sum: a list to sum has numbers, not {type_of(element)}")
        result += element
    return result


_NAMESPACE: Final = Namespace(
    named(
        "collection/lists",
        function("collection/lists.concat", concat, LIST, LIST, rest=LIST),
        function("collection/lists.difference", difference, LIST, rest=LIST),
        function("collection/lists.intersection", intersection, LIST, rest=LIST),
        function("collection/lists.sort", sort, LIST, FUNC),
        function("collection/lists.sum", total, LIST),
        function("collection/lists.union", union, LIST, rest=LIST),
        diff="difference",
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
