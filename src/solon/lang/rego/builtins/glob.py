"""glob.*: patterns as gobwas/glob has them, translated to RE2.

``*`` stays between delimiters, ``**`` does not, ``?`` is one character that is no delimiter; ``[a-z]``,
``[!a-z]``, ``{cat,dog}`` and backslash escapes.
"""

from __future__ import annotations

from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.regex import compiled, scanning
from solon.lang.rego.builtins.registry import Builtin, remembered, string, wrong_type
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Value, type_name


def match(pattern: Value, delimiters: Value, text: Value) -> bool:
    string(pattern, 1)
    if delimiters is None:
        separators: tuple[str, ...] = ()
    elif type(delimiters) is list:
        for each in delimiters:
            if type(each) is not str:
                raise OperandError(2, f"must be array of strings but got array containing {type_name(each)}")
            if len(each) != 1:
                raise OperandError(2, "must be array of single characters")
        separators = tuple(delimiters) or (".",)
    else:
        raise wrong_type(delimiters, 2, "one of {null, array}")
    expression = _expression(pattern, separators)
    scanning(expression, string(text, 3))
    return expression.search(text) is not None


@remembered(1024)
def _expression(pattern: str, separators: tuple[str, ...]) -> Any:
    return compiled(translate(pattern, separators))


_SPECIAL: Final = frozenset(r"\.+*?()|[]{}^$")


def _literal(char: str) -> str:
    return "\\" + char if char in _SPECIAL else char


def translate(pattern: str, separators: tuple[str, ...]) -> str:
    """The regular expression for a glob. Raises BuiltinError where the pattern is not one."""
    inside = "[^" + "".join("\\" + c if c in "\\]^-[" else c for c in separators) + "]" if separators else "."
    out: list[str] = ["(?s)^"]
    spend(20 * len(pattern))
    depth = 0
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            stars = at
            while pattern[at : at + 1] == "*":
                at += 1
            out.append(".*" if at - stars > 1 else inside + "*")
            continue
        if char == "?":
            out.append(inside)
        elif char == "[":
            text, at = _range(pattern, at)
            out.append(text)
            continue
        elif char == "{":
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        elif char == "\\":
            at += 1
            if at >= len(pattern):
                raise BuiltinError("unexpected end of pattern behind a backslash")
            out.append(_literal(pattern[at]))
        else:
            out.append(_literal(char))
        at += 1
    if depth:
        raise BuiltinError("unclosed { in pattern")
    return "".join([*out, "$"])


def _range(pattern: str, at: int) -> tuple[str, int]:
    end = pattern.find("]", at + 2)
    if end < 0:
        raise BuiltinError("unclosed [ in pattern")
    body = pattern[at + 1 : end]
    negated = body.startswith("!")
    if negated:
        body = body[1:]
    if body[1:2] == "-" and body[0] != "\\":
        if len(body) != 3:
            raise BuiltinError("expected close range character")
        low, high = body[0], body[2]
        if low > high:
            raise BuiltinError("hi character should be greater than lo character")
        body = f"{_in_class(low)}-{_in_class(high)}"
    else:
        body = "".join(map(_in_class, body.replace("\\", "")))
    return f"[{'^' if negated else ''}{body}]", end + 1


def _in_class(char: str) -> str:
    return "\\" + char if char in "\\]^-[" else char


def quote_meta(pattern: Value) -> str:
    return "".join("\\" + c if c in "*?\\[]{}" else c for c in string(pattern, 1))


BUILTINS = (
    Builtin("glob.match", "(string, null|array[string], string) -> boolean", match),
    Builtin("glob.quote_meta", "(string) -> string", quote_meta),
)
