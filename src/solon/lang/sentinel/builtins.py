"""The functions that every policy has without importing anything.

Those that need the evaluation (``print``) or say where they were called (``int``) are in the table with what they
need; the compiler hands it over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from solon.lang.budget import claim, spend
from solon.lang.sentinel.operators import NUMBERS, as_bytes, as_value, changes, key, shown_type
from solon.lang.sentinel.printing import printed
from solon.lang.sentinel.runtime import Run
from solon.lang.sentinel.values import Failure, Undefined, Value, text, wrapped
from solon.lang.source import Span


@dataclass(frozen=True, slots=True)
class Builtin:
    """``needs`` is what comes before the arguments: the run, or the place of the call."""

    name: str
    run: Callable[..., Value]
    least: int
    most: int | None
    needs: Literal["", "run", "place"] = ""


def _append(target: Value, value: Value) -> Value:
    if type(target) is not list:
        raise Failure(f"append adds to a list, not to {shown_type(target)}")
    spend(1)
    target.append(value)
    return _NOTHING_APPENDED


_NOTHING_APPENDED: Final = Undefined("append has no result: it changes its list")


def _delete(target: Value, name: Value) -> Value:
    if type(target) is not dict:
        raise Failure(f"delete takes from a map, not from {shown_type(target)}")
    if type(name) is Undefined:
        raise Failure("delete takes a key, not undefined")
    if target.pop(key(name), _NOTHING_DELETED) is not _NOTHING_DELETED:
        changes.note()
    return _NOTHING_DELETED


_NOTHING_DELETED: Final = Undefined("delete has no result: it changes its map")


def _keys(value: Value) -> Value:
    if type(value) is dict:
        spend(len(value))
        return [as_value(each) for each in value]
    return _map_expected("keys", value)


def _values(value: Value) -> Value:
    if type(value) is dict:
        spend(len(value))
        return list(value.values())
    return _map_expected("values", value)


def _map_expected(name: str, value: Value) -> Value:
    if type(value) is Undefined:
        return value
    raise Failure(f"{name} takes a map, not {shown_type(value)}")


def length(value: Value) -> Value:
    kind = type(value)
    if kind is list or kind is dict:
        return len(value)
    if kind is str:
        return len(value) if value.isascii() else len(as_bytes(value))
    if kind is Undefined:
        return value
    raise Failure(f"length takes a list, map or string, not {shown_type(value)}")


def _range(*bounds: Value) -> Value:
    for each in bounds:
        if type(each) is Undefined:
            return each
        if type(each) is not int:
            raise Failure(f"range takes int, not {shown_type(each)}")
    start, end, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    if step == 0:
        raise Failure("the step of range is 0")
    found = range(start, end, step)
    size = max(0, (end - start + step - (1 if step > 0 else -1)) // step)
    spend(size)
    claim(size * 32)
    return list(found)


def _compare(left: Value, right: Value) -> Value:
    for each in (left, right):
        if type(each) is Undefined:
            return each
    kind, other = type(left), type(right)
    if not ((kind is str and other is str) or (kind in NUMBERS and other in NUMBERS)):
        raise Failure(
            f"compare takes two numbers or two strings, not {shown_type(left)} and {shown_type(right)}"
        )
    return (left > right) - (left < right)


def _print(run: Run, *values: Value) -> Value:
    line = " ".join(map(printed, values))
    run.text(len(line))
    run.output.append(line)
    return True


def _error(*values: Value) -> Value:
    raise Failure(" ".join(map(printed, values)))


_LARGEST: Final = 2.0**63
_INT: Final = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)\Z")


def _int(at: Span, value: Value) -> Value:
    kind = type(value)
    if kind is int or kind is Undefined:
        return value
    if kind is bool:
        return 1 if value else 0
    if kind is float and math.isfinite(value):
        return wrapped(math.floor(value))
    if kind is str and len(value) < 40 and _INT.match(value):
        sign = -1 if value[0] == "-" else 1
        digits = value.lstrip("+-").lower()
        number = int(digits, 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10)
        if -(1 << 63) <= sign * number < 1 << 63:
            return sign * number
    return _unconvertible(at, value, "an int")


_FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")


def _float(at: Span, value: Value) -> Value:
    kind = type(value)
    if kind is float or kind is Undefined:
        return value
    if kind is int or kind is bool:
        return float(value)
    if kind is str and len(value) < 400 and _FLOAT.match(value):
        return float(value)
    return _unconvertible(at, value, "a float")


def _string(at: Span, value: Value) -> Value:
    if type(value) is Undefined:
        return value
    found = text(value)
    return _unconvertible(at, value, "a string") if found is None else found


_BOOLS: Final[dict[Any, bool]] = {
    **dict.fromkeys(["1", "t", "T", "TRUE", "true", "True"], True),
    **dict.fromkeys(["0", "f", "F", "FALSE", "false", "False"], False),
}


def _bool(at: Span, value: Value) -> Value:
    kind = type(value)
    if kind is bool or kind is Undefined:
        return value
    if kind in NUMBERS:
        return bool(value != 0)
    found = _BOOLS.get(value) if kind is str else None
    return _unconvertible(at, value, "a bool") if found is None else found


def _unconvertible(at: Span, value: Value, wanted: str) -> Undefined:
    said = f'the string "{value}"' if type(value) is str and len(value) < 40 else shown_type(value)
    return Undefined(f"{said} is not convertible to {wanted}", at)


BUILTINS: Final[dict[str, Builtin]] = {
    each.name: each
    for each in [
        Builtin("append", _append, 2, 2),
        Builtin("bool", _bool, 1, 1, "place"),
        Builtin("compare", _compare, 2, 2),
        Builtin("delete", _delete, 2, 2),
        Builtin("error", _error, 0, None),
        Builtin("float", _float, 1, 1, "place"),
        Builtin("int", _int, 1, 1, "place"),
        Builtin("keys", _keys, 1, 1),
        Builtin("length", length, 1, 1),
        Builtin("print", _print, 0, None, "run"),
        Builtin("range", _range, 1, 3),
        Builtin("string", _string, 1, 1, "place"),
        Builtin("values", _values, 1, 1),
    ]
}
CHANGING: Final = frozenset(["append", "delete"])  # those that change their first argument
