"""``strings``. Characters are Unicode's; bytes that are no text count as a character each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.lang.budget import claim, spend
from solon.lang.sentinel.imports.declare import INT, LIST, STRING, Namespace, function, kind, named
from solon.lang.sentinel.imports.numerals import shortest
from solon.lang.sentinel.values import Failure, Surroundings, Undefined, Value, type_of

# What Unicode calls white space. (Python's `strip` takes four control characters more.)
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
_PIECE: Final = 64  # bytes of a string in a list, at the least


def _flat(values: list[Value], into: list[str], within: tuple[int, ...]) -> Undefined | None:
    spend(len(values))
    for value in values:
        kind = type(value)
        if kind is list:
            if id(value) in within:
                raise Failure("strings.join: a list holds itself")
            undefined = _flat(value, into, (*within, id(value)))
            if undefined is not None:
                return undefined
        elif kind is Undefined:
            return value  # type: ignore[no-any-return]
        else:
            into.append(_piece(value, kind))
    return None


def _piece(value: Value, kind: type) -> str:
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return shortest(value)
    raise Failure(f"strings.join: a list to join has strings, numbers and booleans, not {type_of(value)}")


def join(values: list[Value], separator: str) -> Value:
    pieces: list[str] = []
    undefined = _flat(values, pieces, (id(values),))
    if undefined is not None:
        return undefined
    claim(sum(map(len, pieces)) + len(separator) * len(pieces))
    return separator.join(pieces)


def split(text: Value, separator: str) -> Value:
    if type(text) is list:
        return text
    if not separator:
        claim(_PIECE * len(text))
        return list(text)
    spend(len(text) // 64)
    claim(len(text) + _PIECE * (text.count(separator) + 1))
    return text.split(separator)


def replace(text: str, old: str, new: str, times: int = -1) -> str:
    spend(len(text) // 64)
    found = text.count(old)
    if times >= 0:
        found = min(found, times)
    claim(len(text) + max(0, found * (len(new) - len(old))))
    return text.replace(old, new, min(times, len(text) + 1))


def to_lower(text: str) -> str:
    """Character by character, as Go does: no letter becomes two, and none depends on its neighbours."""
    claim(len(text))
    if text.isascii():
        return text.lower()
    spend(4 * len(text))
    return "".join([char.lower()[0] for char in text])


def to_upper(text: str) -> str:
    claim(len(text))
    if text.isascii():
        return text.upper()
    spend(4 * len(text))
    return "".join(map(_raised, text))


def _raised(char: str) -> str:
    for raised in (char.upper(), char.title()):
        if len(raised) == 1:
            return raised
    return char


_NAMESPACE: Final = Namespace(
    named(
        "strings",
        function("strings.has_prefix", str.startswith, STRING, STRING),
        function("strings.has_suffix", str.endswith, STRING, STRING),
        function("strings.join", join, LIST, STRING),
        function("strings.replace", replace, STRING, STRING, STRING, INT, least=3),
        function("strings.split", split, kind("a string or a list", str, list), STRING),
        function("strings.to_lower", to_lower, STRING),
        function("strings.to_upper", to_upper, STRING),
        function("strings.trim", str.strip, STRING, STRING),
        function("strings.trim_left", str.lstrip, STRING, STRING),
        function("strings.trim_prefix", str.removeprefix, STRING, STRING),
        function("strings.trim_right", str.rstrip, STRING, STRING),
        function("strings.trim_space", lambda text: text.strip(_SPACE), STRING),
        function("strings.trim_suffix", str.removesuffix, STRING, STRING),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
