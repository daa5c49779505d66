"""Strings. Positions and lengths count Unicode code points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.formatting import format_value
from solon.lang.rego.builtins.registry import Builtin, int64, number, obj, string, string_end, wrong_type
from solon.lang.rego.builtins.templates import render
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Set, Value, number_text, sorted_members, type_name, unkey

_LONG: Final = 1_000  # characters, or parts
_FEW: Final = 32


def concat(delimiter: Value, parts: Value) -> str:
    string(delimiter, 1)
    if type(parts) is Set:
        parts = sorted_members(parts)
    elif type(parts) is not list:
        raise wrong_type(parts, 2, "one of {array, set}")
    try:
        size = sum(map(len, parts)) + len(delimiter) * len(parts)
        if size > _LONG:
            spend(len(parts) + size // 16)
            claim(size)
        return str(delimiter.join(parts))
    except TypeError:
        odd = next(part for part in parts if type(part) is not str)
        raise OperandError(2, f"must be array of strings but got array containing {type_name(odd)}") from None


def contains(text: Value, part: Value) -> bool:
    return string(part, 2) in string(text, 1)


def startswith(text: Value, prefix: Value) -> bool:
    return string_end(text, 1).startswith(string(prefix, 2))


def endswith(text: Value, suffix: Value) -> bool:
    return string_end(text, 1).endswith(string(suffix, 2))


def format_int(value: Value, base: Value) -> str:
    number(value, 1)
    digits = {2: "b", 8: "o", 10: "d", 16: "x"}.get(base if type(base) is int else -1)
    if digits is None:
        raise OperandError(2, "must be one of {2, 8, 10, 16}")
    return number_text(int(value)) if digits == "d" else format(int(value), digits)


def indexof(text: Value, part: Value) -> int:
    if string(part, 2) == "":
        raise BuiltinError("empty search character")
    return string(text, 1).find(part)


def indexof_n(text: Value, part: Value) -> list[int]:
    string(text, 1)
    if string(part, 2) == "":
        raise BuiltinError("empty search character")
    found = []
    at = text.find(part)
    while at >= 0:
        found.append(at)
        spend(2 + len(part) // 16)
        at = text.find(part, at + 1)
    return found


def _lowered(char: str) -> str:
    lowered = char.lower()
    return lowered if len(lowered) == 1 else lowered[0]


def _raised(char: str) -> str:
    for raised in (char.upper(), char.title()):
        if len(raised) == 1:
            return raised
    return char


def lower(text: Value) -> str:
    """Character by character, as Go does: no letter becomes two, and none depends on its neighbours."""
    body = string(text, 1)
    if body.isascii():
        return body.lower()
    spend(4 * len(body))
    return "".join(map(_lowered, body))


def upper(text: Value) -> str:
    body = string(text, 1)
    if body.isascii():
        return body.upper()
    spend(4 * len(body))
    return "".join(map(_raised, body))


def replace(text: Value, old: Value, new: Value) -> str:
    body, before, after = string(text, 1), string(old, 2), string(new, 3)
    if len(after) > len(before):
        size = body.count(before) * len(after)
        spend(size // 16)
        claim(size)
    return body.replace(before, after)


def split(text: Value, delimiter: Value) -> list[str]:
    string(delimiter, 2)
    if len(string(text, 1)) > _LONG:
        parts = text.count(delimiter)
        spend(parts)
        claim((60 if delimiter or not text.isascii() else 8) * parts)
    return text.split(delimiter) if delimiter else list(text)


def split_n(text: Value, delimiter: Value, count: Value) -> list[str]:
    """The first ``count`` parts, or the last if it is negative."""
    parts, limit = split(text, delimiter), int64(count, 3)
    return parts[:limit] if limit >= 0 else parts[limit:]


def substring(text: Value, start: Value, length: Value) -> str:
    string_end(text, 1)
    first, count = int64(start, 2), int64(length, 3)
    if first < 0:
        raise BuiltinError("negative offset")
    return string(text[first:] if count < 0 else text[first : first + count], 1)


def _cutset(text: Value, cutset: Value) -> str:
    """The characters to trim; each character of the text may be compared with all of them."""
    if len(string(cutset, 2)) > _FEW:
        cutset = "".join(set(cutset))
        spend(len(string(text, 1)) * len(cutset) // 256)
    return str(cutset)


def trim(text: Value, cutset: Value) -> str:
    return string(text, 1).strip(_cutset(text, cutset))


def trim_left(text: Value, cutset: Value) -> str:
    return string(text, 1).lstrip(_cutset(text, cutset))


def trim_right(text: Value, cutset: Value) -> str:
    return string(text, 1).rstrip(_cutset(text, cutset))


def trim_prefix(text: Value, prefix: Value) -> str:
    return string(text, 1).removeprefix(string(prefix, 2))


def trim_suffix(text: Value, suffix: Value) -> str:
    return string(text, 1).removesuffix(string(suffix, 2))


# Go's unicode.IsSpace
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # fmt: skip


def trim_space(text: Value) -> str:
    return string(text, 1).strip(_SPACE)


def reverse(text: Value) -> str:
    return string(text, 1)[::-1]


def count_of(text: Value, part: Value) -> int:
    return string(text, 1).count(string(part, 2))


def replace_n(patterns: Value, text: Value) -> str:
    """Go's strings.Replacer: at each place, the first pattern (in order of keys) that matches."""
    pairs: list[tuple[str, str]] = []
    for stored, new in obj(patterns, 1).items():
        old = unkey(stored)
        if type(old) is not str:
            raise OperandError(1, "non-string key found in pattern object")
        if type(new) is not str:
            raise OperandError(1, "non-string value found in pattern object")
        pairs.append((old, new))
    string(text, 2)
    pairs.sort()
    out: list[str] = []
    at = 0
    while at <= len(text):
        spend(2 + len(pairs))
        found = next(((old, new) for old, new in pairs if text.startswith(old, at)), None)
        if found is not None:
            claim(len(found[1]))
            out.append(found[1])
        if found is None or not found[0]:
            out.append(text[at : at + 1])
            at += 1
        else:
            at += len(found[0])
    return "".join(out)


def _strings(value: Value, position: int) -> list[str]:
    if type(value) is str:
        return [value]
    if type(value) is not list and type(value) is not Set:
        raise wrong_type(value, position, "one of {string, set, array}")
    spend(len(value))
    members: list[str] = list(value.values() if type(value) is Set else value)
    for member in members:
        if type(member) is not str:
            raise OperandError(
                position, f"must be array of strings but got array containing {type_name(member)}"
            )
    return members


def _any_match(test: Callable[[str, tuple[str, ...]], bool]) -> Callable[[Value, Value], bool]:
    def match(search: Value, base: Value) -> bool:
        texts = _strings(search, 1)
        parts = tuple(_strings(base, 2))
        spend(len(texts) * len(parts))
        return any(test(text, parts) for text in texts)

    return match


def render_template(text: Value, variables: Value) -> str:
    return render(string(text, 1), obj(variables, 2))


def template_string(parts: Value) -> str:
    out: list[str] = []
    for part in parts:
        if type(part) is Set:
            out.append(format_value(next(iter(part.values()))) if part else "<undefined>")
        else:
            out.append(format_value(part))
        claim(len(out[-1]))
    return "".join(out)


def _function(name: str, types: str, result: str, function: Callable[..., Any]) -> Builtin:
    return Builtin(name, f"({types}) -> {result}", function)


_PATTERNS = "string|array[string]|set[string]"

BUILTINS = (
    _function("concat", "string, array[string]|set[string]", "string", concat),
    _function("contains", "string, string", "boolean", contains),
    _function("startswith", "string, string", "boolean", startswith),
    _function("endswith", "string, string", "boolean", endswith),
    _function("format_int", "number, number", "string", format_int),
    _function("indexof", "string, string", "number", indexof),
    _function("indexof_n", "string, string", "array[number]", indexof_n),
    _function("lower", "string", "string", lower),
    _function("upper", "string", "string", upper),
    _function("replace", "string, string, string", "string", replace),
    _function("split", "string, string", "array[string]", split),
    _function("substring", "string, number, number", "string", substring),
    _function("trim", "string, string", "string", trim),
    _function("trim_left", "string, string", "string", trim_left),
    _function("trim_right", "string, string", "string", trim_right),
    _function("trim_prefix", "string, string", "string", trim_prefix),
    _function("trim_suffix", "string, string", "string", trim_suffix),
    _function("trim_space", "string", "string", trim_space),
    _function("strings.reverse", "string", "string", reverse),
    _function("strings.count", "string, string", "number", count_of),
    _function("strings.split_n", "string, string, number", "array[string]", split_n),
    _function("strings.replace_n", "object[string: string], string", "string", replace_n),
    _function("strings.any_prefix_match", f"{_PATTERNS}, {_PATTERNS}", "boolean", _any_match(str.startswith)),
    _function("strings.any_suffix_match", f"{_PATTERNS}, {_PATTERNS}", "boolean", _any_match(str.endswith)),
    _function("strings.render_template", "string, object[string: any]", "string", render_template),
    _function("internal.template_string", "array[any]", "string", template_string),
)
