"""Arithmetic, the operators of comparison and membership, bits, ranges, conversion.

Integers are exact. Numbers with a fraction are added and multiplied as the decimals they are written as,
so that ``0.1 + 0.2`` is ``0.3``, as it is for OPA.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.go_format import quote
from solon.lang.rego.builtins.registry import Builtin, Context, int64, integer, number, string, wrong_type
from solon.lang.rego.builtins.sets import difference
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Set, Value, compare, equal, member, member_at

Number = int | float


def _decimal(value: Number) -> Decimal:
    return Decimal(repr(value)) if type(value) is float else Decimal(value)


_MAX_DIGITS: Final = 4000  # Python converts no longer ints to text
_MAX_BITS: Final = 13_000


def plain(value: Decimal) -> Number:
    """A whole number as int, any other as float."""
    if value.adjusted() >= _MAX_DIGITS:
        raise BuiltinError("number too large")
    if value == value.to_integral_value():
        return int(value)
    if value.adjusted() >= 19:
        with localcontext() as context:
            context.prec = 20  # of so many digits, OPA keeps no more beside a fraction
            return int((+value).to_integral_value())
    found = float(value)
    return int(found) if found.is_integer() else found


_LONG: Final = 15  # digits that every float keeps
_SHORT: Final = 10


def _exact(operation: Callable[[Decimal, Decimal], Decimal], a: Number, b: Number) -> Number:
    with localcontext() as context:
        context.prec = 60
        left, right = _decimal(a), _decimal(b)
        value = operation(left, right)
        if _is_cut(a, left) or _is_cut(b, right):
            # OPA computes with more digits than a float has, so that 1 / 3 * 3 is 1.
            context.prec = _LONG
            near = (+value).normalize()
            if len(near.as_tuple().digits) <= _SHORT:
                value = near
        return plain(value)


def _is_cut(value: Number, digits: Decimal) -> bool:
    """Whether a float stands for a number with more digits than it has."""
    return type(value) is float and len(digits.as_tuple().digits) > _LONG


def add(a: Number, b: Number) -> Number:
    if type(a) is int and type(b) is int:
        return a + b
    return _exact(Decimal.__add__, a, b)


def multiply(a: Number, b: Number) -> Number:
    if type(a) is int and type(b) is int:
        if a.bit_length() + b.bit_length() > _MAX_BITS:
            raise BuiltinError("number too large")
        return a * b
    return _exact(Decimal.__mul__, a, b)


def plus(a: Value, b: Value) -> Number:
    return add(number(a, 1), number(b, 2))


def minus(a: Value, b: Value) -> Value:
    if type(a) is int and type(b) is int:
        return a - b
    if type(a) is Set and type(b) is Set:
        return difference(a, b)
    if type(a) is Set:
        raise wrong_type(b, 2, "set")
    if type(a) in (int, float) and type(b) is Set:
        raise wrong_type(b, 2, "number")
    if type(a) not in (int, float):
        raise wrong_type(a, 1, "one of {number, set}")
    return _exact(Decimal.__sub__, a, number(b, 2))


def mul(a: Value, b: Value) -> Number:
    return multiply(number(a, 1), number(b, 2))


def div(a: Value, b: Value) -> Number:
    number(a, 1)
    if number(b, 2) == 0:
        raise BuiltinError("divide by zero")
    if type(a) is int and type(b) is int and a % b == 0:
        return a // b
    return _exact(Decimal.__truediv__, a, b)


def rem(a: Value, b: Value) -> int:
    number(a, 1)
    number(b, 2)
    if not (_is_whole(a) and _is_whole(b)):
        raise BuiltinError("modulo on floating-point number")
    left, right = int(a), int(b)
    if right == 0:
        raise BuiltinError("modulo by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _is_whole(value: Number) -> bool:
    return type(value) is int or float(value).is_integer()


def abs_(value: Value) -> Number:
    return abs(number(value, 1))


def ceil(value: Value) -> int:
    return math.ceil(number(value, 1))


def floor(value: Value) -> int:
    return math.floor(number(value, 1))


def round_(value: Value) -> int:
    """Half away from zero."""
    if type(value) is int:
        return value
    return int(_decimal(number(value, 1)).quantize(Decimal(1), ROUND_HALF_UP))


def _bits(operation: Callable[[int, int], int]) -> Callable[[Value, Value], int]:
    return lambda a, b: operation(integer(a, 1), integer(b, 2))


def negate(a: Value) -> int:
    return ~integer(a, 1)


_MAX_SHIFT: Final = 10_000


def _shift(operation: Callable[[int, int], int]) -> Callable[[Value, Value], int]:
    def shift(a: Value, b: Value) -> int:
        value, by = integer(a, 1), integer(b, 2)
        if by < 0:
            raise OperandError(2, "must be an unsigned integer number but got a negative integer")
        if by > _MAX_SHIFT:
            raise OperandError(2, f"must not be above {_MAX_SHIFT}")
        shifted = operation(value, by)
        if shifted.bit_length() > _MAX_BITS:
            raise BuiltinError("number too large")
        return shifted

    return shift


def _claim(numbers: int) -> None:
    spend(numbers)
    claim(40 * numbers)


def range_(first: Value, last: Value) -> list[int]:
    start, stop = integer(first, 1), integer(last, 2)
    _claim(abs(stop - start) + 1)
    return list(range(start, stop + 1)) if start <= stop else list(range(start, stop - 1, -1))


def range_step(first: Value, last: Value, step: Value) -> list[int]:
    start, stop, by = integer(first, 1), integer(last, 2), integer(step, 3)
    if by <= 0:
        raise BuiltinError("numbers.range_step: step must be a positive integer")
    _claim(abs(stop - start) // by + 1)
    return list(range(start, stop + 1, by)) if start <= stop else list(range(start, stop - 1, -by))


def intn(context: Context, name: Value, bound: Value) -> int:
    """The same for the same arguments within one evaluation."""
    if type(name) is not str:
        raise wrong_type(name, 1, "string")
    limit = abs(int64(bound, 2))
    if limit == 0:
        return 0
    where = ("rand.intn", name, limit)
    if where not in context.cache:
        context.cache[where] = context.random.randrange(limit)
    found: int = context.cache[where]
    return found


_NUMBER: Final = re.compile(r"[+-]?(\d++(?:\.\d*+)?|\.\d++)([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?\d{1,4000}", re.ASCII)


def to_number(value: Value) -> Number:
    if value is None:
        return 0
    if type(value) is bool:
        return int(value)
    if type(value) is int or type(value) is float:
        return value
    if type(value) is not str:
        raise wrong_type(value, 1, "one of {null, boolean, number, string}")
    if value.lstrip("+-").lower() in ("inf", "infinity", "nan"):
        raise OperandError(1, "must be valid number string but got string")
    if not _NUMBER.fullmatch(string(value, 1)):
        raise BuiltinError(f"strconv.ParseFloat: parsing {quote(value)}: invalid syntax")
    if math.isinf(float(value)):
        raise BuiltinError(f"strconv.ParseFloat: parsing {quote(value)}: value out of range")
    return int(value) if _INTEGER.fullmatch(value) else plain(Decimal(value))


def _compared(test: Callable[[int], bool]) -> Callable[[Value, Value], bool]:
    return lambda a, b: test(compare(a, b))


def not_equal(a: Value, b: Value) -> bool:
    return not equal(a, b)


def _two(
    name: str, function: Callable[..., Any], types: str = "number, number", result: str = "number"
) -> Builtin:
    return Builtin(name, f"({types}) -> {result}", function)


BUILTINS = (
    _two("plus", plus),
    _two("minus", minus, "number|set[any], number|set[any]", "number|set[any]"),
    _two("mul", mul),
    _two("div", div),
    _two("rem", rem),
    Builtin("abs", "(number) -> number", abs_),
    Builtin("ceil", "(number) -> number", ceil),
    Builtin("floor", "(number) -> number", floor),
    Builtin("round", "(number) -> number", round_),
    _two("bits.and", _bits(int.__and__)),
    _two("bits.or", _bits(int.__or__)),
    _two("bits.xor", _bits(int.__xor__)),
    Builtin("bits.negate", "(number) -> number", negate),
    _two("bits.lsh", _shift(int.__lshift__)),
    _two("bits.rsh", _shift(int.__rshift__)),
    Builtin("numbers.range", "(number, number) -> array[number]", range_),
    Builtin("numbers.range_step", "(number, number, number) -> array[number]", range_step),
    Builtin("rand.intn", "(string, number) -> number", intn, contextual=True),
    Builtin("to_number", "(null|boolean|number|string) -> number", to_number),
    _two("eq", equal, "any, any", "boolean"),
    _two("equal", equal, "any, any", "boolean"),
    _two("neq", not_equal, "any, any", "boolean"),
    _two("lt", _compared(lambda order: order < 0), "any, any", "boolean"),
    _two("lte", _compared(lambda order: order <= 0), "any, any", "boolean"),
    _two("gt", _compared(lambda order: order > 0), "any, any", "boolean"),
    _two("gte", _compared(lambda order: order >= 0), "any, any", "boolean"),
    _two("internal.member_2", member, "any, any", "boolean"),
    Builtin("internal.member_3", "(any, any, any) -> boolean", member_at),
)
