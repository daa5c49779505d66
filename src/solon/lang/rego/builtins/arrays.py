"""array.*"""

from __future__ import annotations

from solon.lang.rego.builtins.registry import Builtin, array, int64
from solon.lang.values import Value


def concat(left: Value, right: Value) -> list[Value]:
    return array(left, 1) + array(right, 2)


def reverse(items: Value) -> list[Value]:
    return array(items, 1)[::-1]


def slice_(items: Value, start: Value, stop: Value) -> list[Value]:
    if type(items) is not list:
        array(items, 1)
    first = max(0, int64(start, 2))
    last = min(len(items), int64(stop, 3))
    return array(items[first:last], 1) if first < last else []


def flatten(items: Value) -> list[Value]:
    out: list[Value] = []
    for item in array(items, 1):
        if type(item) is list:
            out.extend(array(item, 1))
        else:
            out.append(item)
    return out


BUILTINS = (
    Builtin("array.concat", "(array[any], array[any]) -> array[any]", concat),
    Builtin("array.reverse", "(array[any]) -> array[any]", reverse),
    Builtin("array.slice", "(array[any], number, number) -> array[any]", slice_),
    Builtin("array.flatten", "(array[any]) -> array[any]", flatten),
)
