"""What the operators of Sentinel do, where compiled code does not do it itself.

A value that is undefined makes the result undefined, and the first cause goes along. ``at`` is the place of the
expression, for what becomes undefined there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any, Final, NoReturn

from solon.lang.budget import STEP_BYTES, claim, spend
from solon.lang.sentinel import choices
from solon.lang.sentinel.values import (
    BOOL_KEYS,
    BoolKey,
    Failure,
    Undefined,
    Value,
    equals,
    type_of,
    wrapped,
)
from solon.lang.source import Span

NUMBERS: Final = frozenset([int, float])
_FEW: Final = 64  # elements; what C does with fewer need not be charged
_PATTERN_MEMORY: Final = 8 << 20


def shown_type(value: Value) -> str:
    name = type_of(value)
    return choices.FUNC_TYPE if name == "func" else name


# --- undefined and booleans


def not_logical(value: Value) -> Value:
    """An operand of ``and``, ``or``, ``xor`` or ``not`` that is no boolean."""
    if type(value) is Undefined:
        return value
    raise Failure(f"a logical operand must be a bool, not {shown_type(value)}")


def not_condition(value: Value) -> None:
    """A condition of ``if``, ``when`` or a quantifier that is neither true nor false."""
    if type(value) is not Undefined:
        raise Failure(f"a condition must be a bool, not {shown_type(value)}")


def exclusive(left: Value, right: Value) -> Value:
    if type(left) is Undefined:
        return left
    if type(right) is Undefined:
        return right
    return left is not right


def negation(value: Value) -> Value:
    """``not value``"""
    return not value if type(value) is bool else not_logical(value)


# --- comparing


def equal(left: Value, right: Value) -> Value:
    if type(left) is Undefined:
        return left
    if type(right) is Undefined:
        return right
    return equals(left, right)


def different(left: Value, right: Value) -> Value:
    if type(left) is Undefined:
        return left
    if type(right) is Undefined:
        return right
    return not equals(left, right)


def _unordered(left: Value, right: Value, at: Span) -> Value:
    """What comparing by order gives for operands that are not both numbers or both strings."""
    if type(left) is Undefined:
        return left
    if type(right) is Undefined:
        return right
    problem = f"{shown_type(left)} and {shown_type(right)} have no order"
    if choices.ORDER_OF_DIFFERENT_TYPES == "undefined":
        return Undefined(problem, at)
    raise Failure(problem)


def _have_order(left: Value, right: Value) -> bool:
    kind, other = type(left), type(right)
    return (kind is str and other is str) or (kind in NUMBERS and other in NUMBERS)


def less(left: Value, right: Value, at: Span) -> Value:
    return left < right if _have_order(left, right) else _unordered(left, right, at)


def less_equal(left: Value, right: Value, at: Span) -> Value:
    return left <= right if _have_order(left, right) else _unordered(left, right, at)


def greater(left: Value, right: Value, at: Span) -> Value:
    return left > right if _have_order(left, right) else _unordered(left, right, at)


def greater_equal(left: Value, right: Value, at: Span) -> Value:
    return left >= right if _have_order(left, right) else _unordered(left, right, at)


def key(value: Value) -> Any:
    """The key of a dict that stands for a value."""
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return value
    if kind is bool:
        return BOOL_KEYS[value]
    raise Failure(f"the key of a map must be a string, number or bool, not {shown_type(value)}")


def contains(collection: Value, element: Value) -> Value:
    kind = type(collection)
    if kind is Undefined:
        return collection
    if type(element) is Undefined:
        return element
    if kind is list:
        if len(collection) > _FEW:
            spend(len(collection))
        if type(element) is str:
            return element in collection
        return any(equals(element, item) for item in collection)
    if kind is dict:
        return type(element) in _KEYS and key(element) in collection
    if kind is str:
        if type(element) is not str:
            raise Failure(f"a string contains strings, not {shown_type(element)}")
        spend(len(collection) // STEP_BYTES)
        return element in collection
    raise Failure(f"`contains` and `in` look into a list, map or string, not {shown_type(collection)}")


_KEYS: Final = frozenset([str, int, float, bool])


def lacks(collection: Value, element: Value) -> Value:
    found = contains(collection, element)
    return not found if type(found) is bool else found


def is_empty(value: Value) -> Value:
    kind = type(value)
    if kind is list or kind is dict or kind is str:
        return not value
    if kind is Undefined:
        return value
    if choices.EMPTY_OF_OTHERS == "error":
        raise Failure(f"`is empty` is asked of a list, map or string, not {shown_type(value)}")
    return False


def not_empty(value: Value) -> Value:
    found = is_empty(value)
    return not found if type(found) is bool else found


# --- regular expressions


@lru_cache(maxsize=512)
def pattern(text: str) -> Callable[[bytes], object]:
    """What looks for a regular expression (RE2) in bytes. Raises Failure."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    options.never_capture = True
    try:
        search: Callable[[bytes], object] = re2.compile(as_bytes(text), options=options).search
    except re2.error as error:
        detail = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise Failure(f"no regular expression: {detail}") from None
    return search


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def matches(text: Value, expression: Value) -> Value:
    if type(text) is not str or type(expression) is not str:
        for each in (text, expression):
            if type(each) is Undefined:
                return each
        wrong = text if type(text) is not str else expression
        raise Failure(f"`matches` takes strings, not {shown_type(wrong)}")
    spend(len(text) // STEP_BYTES)
    return pattern(expression)(as_bytes(text)) is not None


def mismatches(text: Value, expression: Value) -> Value:
    found = matches(text, expression)
    return not found if type(found) is bool else found


# --- arithmetic


def _not_numbers(verb: str, left: Value, right: Value) -> Value:
    if type(left) is Undefined:
        return left
    if type(right) is Undefined:
        return right
    raise Failure(f"cannot {verb} {shown_type(left)} and {shown_type(right)}")


def add(left: Value, right: Value) -> Value:
    kind, other = type(left), type(right)
    if kind is str and other is str:
        result = left + right
        if len(result) > _LONG:
            _grown(len(result))
        return result
    if kind in NUMBERS and other in NUMBERS:
        result = left + right
        return wrapped(result) if type(result) is int else result
    if kind is list and other is list:
        spend(len(left) + len(right))
        return left + right
    return _not_numbers("add", left, right)


_LONG: Final = 1_000


def _grown(length: int) -> None:
    """Account for a text that has been made."""
    from threading import get_ident

    from solon.lang.budget import running

    meter = running.get(get_ident())
    if meter is not None:
        meter.text(length)


def add_in_place(left: Value, right: Value) -> Value:
    """``left += right``: a list is itself made longer."""
    if type(left) is list and type(right) is list:
        spend(len(right))
        claim(8 * len(right))
        left += right
        return left
    return add(left, right)


def subtract(left: Value, right: Value) -> Value:
    if type(left) in NUMBERS and type(right) in NUMBERS:
        result = left - right
        return wrapped(result) if type(result) is int else result
    return _not_numbers("subtract", left, right)


def multiply(left: Value, right: Value) -> Value:
    if type(left) in NUMBERS and type(right) in NUMBERS:
        result = left * right
        return wrapped(result) if type(result) is int else result
    return _not_numbers("multiply", left, right)


def divide(left: Value, right: Value) -> Value:
    if not (type(left) in NUMBERS and type(right) in NUMBERS):
        return _not_numbers("divide", left, right)
    if type(left) is int and type(right) is int:
        if right == 0:
            raise Failure("division by zero")
        return wrapped(-(-left // right) if (left < 0) != (right < 0) else left // right)
    if right == 0:
        return (
            math.nan
            if left == 0 or math.isnan(left)
            else math.copysign(math.inf, left) * math.copysign(1, right)
        )
    return left / right


def remainder(left: Value, right: Value) -> Value:
    if not (type(left) in NUMBERS and type(right) in NUMBERS):
        return _not_numbers("take the remainder of", left, right)
    if type(left) is int and type(right) is int:
        if right == 0:
            raise Failure("division by zero")
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


def negative(value: Value) -> Value:
    kind = type(value)
    if kind is int:
        return wrapped(-value)
    if kind is float:
        return -value
    if kind is Undefined:
        return value
    raise Failure(f"cannot negate {shown_type(value)}")


def positive(value: Value) -> Value:
    if type(value) in NUMBERS or type(value) is Undefined:
        return value
    raise Failure(f"`+` stands before a number, not {shown_type(value)}")


# --- going into collections

Names = tuple[tuple[str, Undefined], ...]


def select(value: Value, names: Names) -> Value:
    """``value.a.b``: each name with what is undefined where there is none."""
    for name, missing in names:
        kind = type(value)
        if kind is dict:
            value = value.get(name, missing)
        elif kind is Undefined:
            return value
        elif value is None:
            return Undefined(f'no key "{name}", as what it is looked for in is null', missing.at)
        elif kind in _PLAIN or not hasattr(value, "get"):
            raise Failure(f"{shown_type(value)} has no keys: .{name} is asked for")
        else:
            value = value.get(name, missing)
    return value


_PLAIN: Final = frozenset([str, int, float, bool, list])


def index(value: Value, at: Value, span: Span) -> Value:
    """``value[at]``"""
    kind = type(value)
    if kind is Undefined:
        return value
    if type(at) is Undefined and choices.UNDEFINED_KEY == "undefined":
        return at
    if kind is dict:
        try:
            return value[at if type(at) is str else key(at)]
        except KeyError:
            return Undefined(f"no key {_shown_key(at)}", span)
    if kind is list:
        if type(at) is not int:
            raise Failure(f"the index of a list must be an int, not {shown_type(at)}")
        if -len(value) <= at < len(value):
            return value[at]
        return Undefined(f"no index {at} in a list of {len(value)}", span)
    if value is None:
        return Undefined(f"no key {_shown_key(at)}, as what it is looked for in is null", span)
    if kind is str and choices.INDEX_OF_STRING == "undefined":
        return Undefined("a string has no elements", span)
    if kind in _PLAIN or not hasattr(value, "get"):
        raise Failure(f"{shown_type(value)} has no elements")
    if type(at) is not str:
        raise Failure(f"{shown_type(value)} has elements by name, not by {shown_type(at)}")
    return value.get(at, Undefined(f"no key {_shown_key(at)}", span))


def _shown_key(at: Value) -> str:
    return f'"{at}"' if type(at) is str else str(at).lower() if type(at) is bool else str(at)


def cut(value: Value, low: Value, high: Value, span: Span) -> Value:
    """``value[low:high]``; None: not given."""
    for each in (value, low, high):
        if type(each) is Undefined:
            return each
    kind = type(value)
    if value is None:
        return Undefined("what the slice is of is null", span)
    if kind is str:
        whole = as_bytes(value)
    elif kind is list:
        whole = value
    else:
        raise Failure(f"a slice is of a list or string, not {shown_type(value)}")
    for each in (low, high):
        if each is not None and type(each) is not int:
            raise Failure(f"the bounds of a slice must be int, not {shown_type(each)}")
    length = len(whole)
    start = 0 if low is None else low
    stop = length if high is None else high
    start = start + length if start < 0 else start
    stop = stop + length if stop < 0 else stop
    if not 0 <= start <= stop <= length:
        return Undefined(f"the slice [{start}:{stop}] is out of the range of {length} elements", span)
    spend((stop - start) // (STEP_BYTES if kind is str else 1))
    part = whole[start:stop]
    return part.decode("utf-8", "surrogateescape") if kind is str else part


class _Changes:
    """When something in a collection was last replaced or taken out. (That it grew, its length says.)"""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.last = 0

    def note(self) -> None:
        self.last = next(
            self._numbers
        )  # a number that no other thread is given, so it is not one seen before


changes: Final = _Changes()


def put(collection: Value, at: Value, value: Value) -> None:
    """``collection[at] = value``"""
    kind = type(collection)
    if kind is dict:
        name = at if type(at) is str else key(at)
        if name in collection:
            changes.note()
        collection[name] = value
        spend(1)
    elif kind is list:
        if type(at) is not int:
            raise Failure(f"the index of a list must be an int, not {shown_type(at)}")
        if not -len(collection) <= at < len(collection):
            raise Failure(f"no index {at} in a list of {len(collection)}; `append` makes it longer")
        changes.note()
        collection[at] = value
    else:
        raise Failure(f"cannot assign to an element of {shown_type(collection)}")


def as_value(stored: Any) -> Value:
    """The value that the key of a dict stands for."""
    return stored.value if type(stored) is BoolKey else stored


def unknown(name: str) -> NoReturn:
    raise Failure(f"unknown identifier accessed: {name}")
