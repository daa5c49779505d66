"""``json``: values from JSON and to JSON, written as Go's encoder writes it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.sentinel.imports.declare import ANY, STRING, Namespace, function, named
from solon.lang.sentinel.imports.numerals import shortest
from solon.lang.sentinel.imports.unsettled import LARGE_INTEGERS_ARE_FLOATS, MARSHAL_ESCAPES_HTML
from solon.lang.sentinel.values import BoolKey, Failure, Surroundings, Undefined, Value, type_of, wrapped

MAX_DEPTH: Final = 400  # as of the documents that are judged
_VALUE_STEPS: Final = 20
_VALUE_BYTES: Final = 64
_DIGITS: Final = 400  # of a number; no float has an exponent that needs more

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONE: Final = re.compile("[\ud800-\udfff]")
_HTML: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_ESCAPED: Final = {"\u2028": "\\u2028", "\u2029": "\\u2029"} | (_HTML if MARSHAL_ESCAPES_HTML else {})
_TO_ESCAPE: Final = re.compile(f"[{''.join(_ESCAPED)}]")


class _InvalidError(ValueError):
    pass


def _integer(digits: str) -> int | float:
    if len(digits) <= 20 and wrapped(number := int(digits)) == number:
        return number
    if not LARGE_INTEGERS_ARE_FLOATS:
        raise _InvalidError(f"the number {digits[:40]} needs more than 64 bits")
    return _float(digits)


def _float(digits: str) -> float:
    number = float(digits) if len(digits) <= _DIGITS else math.inf
    if math.isinf(number):
        raise _InvalidError(f"the number {digits[:40]} is too large")
    return number


def _constant(name: str) -> Any:
    raise _InvalidError(f"{name} is no JSON")


def _nested(text: str) -> bool:
    """Whether lists and maps are nested too deeply. (Brackets in strings do not count.)"""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', text, re.DOTALL):
        first = found.group()[0]
        depth += 1 if first in "[{" else -1 if first in "]}" else 0
        if depth > MAX_DEPTH:
            return True
    return False


def _read(text: str) -> Value:
    """The value of a JSON text. Raises ValueError."""
    spend(len(text) // 16)
    values = text.count(",") + text.count("[") + text.count("{")
    spend(_VALUE_STEPS * values)
    claim(len(text) + _VALUE_BYTES * values)
    if _nested(text):
        raise _InvalidError(f"nested more than {MAX_DEPTH} levels deep")
    value = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    # Half of a surrogate pair is no character.
    return _replaced(value) if _SURROGATE.search(text) else value


def _replaced(value: Value) -> Value:
    if type(value) is str:
        return _LONE.sub("\ufffd", value)
    if type(value) is list:
        return [_replaced(element) for element in value]
    if type(value) is dict:
        return {_replaced(key): _replaced(element) for key, element in value.items()}
    return value


def unmarshal(text: str) -> Value:
    try:
        return _read(text)
    except json.JSONDecodeError as error:
        raise Failure(
            f"json.unmarshal: line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}"
        ) from None
    except ValueError as error:
        raise Failure(f"json.unmarshal: {error}") from None


def valid(text: str) -> bool:
    try:
        _read(text)
    except ValueError:
        return False
    return True


def marshal(value: Value) -> Value:
    if type(value) is Undefined:
        return value
    pieces: list[str] = []
    _write(value, pieces, 0)
    return "".join(pieces)


def _write(value: Value, pieces: list[str], depth: int) -> None:
    kind = type(value)
    if kind is str:
        pieces.append(_quoted(value))
    elif kind is list:
        _within(depth)
        spend(len(value))
        separator = "["
        for element in value:
            if type(element) is not Undefined:
                pieces.append(separator)
                _write(element, pieces, depth + 1)
                separator = ","
        pieces.append("[]" if separator == "[" else "]")
    elif kind is dict:
        _within(depth)
        spend(2 * len(value))
        separator = "{"
        named = [(_key(key), element) for key, element in value.items() if type(element) is not Undefined]
        for name, element in sorted(named, key=_first):
            pieces += (separator, _quoted(name), ":")
            _write(element, pieces, depth + 1)
            separator = ","
        pieces.append("{}" if separator == "{" else "}")
    elif kind is float:
        pieces.append(_number(value))
    elif value is None:
        pieces.append("null")
    elif kind is bool:
        pieces.append("true" if value else "false")
    elif kind is int:
        pieces.append(str(value))
    else:
        raise Failure(f"json.marshal: {type_of(value)} has no JSON")


def _within(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise Failure(f"json.marshal: nested more than {MAX_DEPTH} levels deep")


def _key(key: Value) -> str:
    if type(key) is str:
        return key
    return repr(key) if type(key) in (int, BoolKey) else shortest(key)


def _first(pair: tuple[str, Value]) -> bytes:
    return pair[0].encode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    claim(len(text))
    quoted = json.dumps(_LONE.sub("\ufffd", text), ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda found: _ESCAPED[found.group()], quoted)


def _number(number: float) -> str:
    if not math.isfinite(number):
        raise Failure(f"json.marshal: {shortest(number)} has no JSON")
    text = shortest(number, 1e-6)
    return text.replace("e-0", "e-")


_NAMESPACE: Final = Namespace(
    named(
        "json",
        function("json.marshal", marshal, ANY),
        function("json.unmarshal", unmarshal, STRING),
        function("json.valid", valid, STRING),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
