"""count, sum, product, max, min, sort, and the deprecated all and any."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from solon.lang.budget import spend
from solon.lang.rego.builtins.numbers import add, multiply, plain
from solon.lang.rego.builtins.registry import Builtin, wrong_type
from solon.lang.rego.errors import OperandError
from solon.lang.values import UNDEFINED, Set, Value, compare, sorted_members, sorted_values, type_name


def count(collection: Value) -> int:
    kind = type(collection)
    if kind is str or kind is list or kind is dict or kind is Set:
        return len(collection)
    raise wrong_type(collection, 1, "one of {array, object, set, string}")


def _members(collection: Value) -> Iterable[Value]:
    kind = type(collection)
    if kind is list:
        spend(5 * len(collection))
        return collection  # type: ignore[no-any-return]
    if kind is Set:
        spend(5 * len(collection))
        return sorted_members(collection)
    raise wrong_type(collection, 1, "one of {array, set}")


def _numbers(collection: Value) -> Iterable[int | float]:
    for member in _members(collection):
        if type(member) is not int and type(member) is not float:
            shape = "set" if type(collection) is Set else "array"
            raise OperandError(
                1, f"must be {shape} of numbers but got {shape} containing {type_name(member)}"
            )
        yield member


def sum_(collection: Value) -> int | float:
    total: int | float = 0
    for number in _numbers(collection):
        total = add(total, number)
    return total


def product(collection: Value) -> int | float:
    numbers = list(_numbers(collection))
    if float in map(type, numbers):
        # Beside a fraction OPA multiplies in 53 bits, here alone.
        rounded = 1.0
        for number in numbers:
            rounded *= float(number) if abs(number) < 1e300 else math.inf
        if math.isfinite(rounded):
            return plain(Decimal(repr(rounded)))
    total: int | float = 1
    for number in numbers:
        total = multiply(total, number)
    return total


def _extreme(collection: Value, direction: int) -> Value:
    best: Any = UNDEFINED
    for member in _members(collection):
        if best is UNDEFINED or compare(member, best) != -direction:
            best = member
    return best


def maximum(collection: Value) -> Value:
    return _extreme(collection, 1)


def minimum(collection: Value) -> Value:
    return _extreme(collection, -1)


def sort(collection: Value) -> list[Value]:
    return sorted_values(_members(collection))


def all_(collection: Value) -> bool:
    return all(member is True for member in _members(collection))


def any_(collection: Value) -> bool:
    return any(member is True for member in _members(collection))


BUILTINS = (
    Builtin("count", "(string|array[any]|object[any: any]|set[any]) -> number", count),
    Builtin("sum", "(array[number]|set[number]) -> number", sum_),
    Builtin("product", "(array[number]|set[number]) -> number", product),
    Builtin("max", "(array[any]|set[any]) -> any", maximum),
    Builtin("min", "(array[any]|set[any]) -> any", minimum),
    Builtin("sort", "(array[any]|set[any]) -> array[any]", sort),
    Builtin("all", "(array[any]|set[any]) -> boolean", all_, deprecated=True),
    Builtin("any", "(array[any]|set[any]) -> boolean", any_, deprecated=True),
)
