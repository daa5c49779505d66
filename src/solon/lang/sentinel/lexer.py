r"""Sentinel text to tokens.

A line break is a semicolon where it stands behind what may end a statement: an identifier, a literal, ``break``,
``continue``, ``return``, ``empty`` or a closing bracket, unless the next line begins with a selector (``.name``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from solon.lang.sentinel.errors import PARSE_ERROR, SentinelError
from solon.lang.source import Diagnostic, Span

IDENT: Final = "ident"
INT: Final = "int"
FLOAT: Final = "float"
STRING: Final = "string"
END: Final = "eof"

KEYWORDS: Final = frozenset([
    "all", "any", "as", "break", "case", "continue", "default", "else", "empty", "filter", "for", "func", "if",
    "import", "map", "param", "return", "rule", "when",
    "and", "contains", "in", "is", "matches", "not", "or", "xor",
])  # fmt: skip
_ENDERS: Final = frozenset([IDENT, INT, FLOAT, STRING, "break", "continue", "return", "empty", ")", "]", "}"])

_TOKEN: Final = re.compile(
    r"""
    [ \t\r\ufeff]*
    (?:
      (?P<newline>\n)
    | (?P<ident>[^\W\d]\w*)
    | (?P<string>"[^"\\\n]*(?:\\.[^"\\\n]*)*")
    | (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    | (?P<number>0[xX]\w*|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<punct>[-+*/%=!<>]=|[-+*/%=!<>()\[\]{},.:;])
    | (?P<raw>`[^`]*`)
    | (?P<end>\Z)
    | (?P<bad>.)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIMPLE_ESCAPES: Final = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34,
}  # fmt: skip
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))",
    re.DOTALL,
)
_CONTINUES: Final = re.compile(r"(?>\s+|\#[^\n]*|//[^\n]*|/\*.*?\*/)*+\.[^\W\d]", re.DOTALL)
LARGEST: Final = 1 << 63


class Comment(NamedTuple):
    """A comment with its marks: ``# text``, ``// text`` or ``/* text */``."""

    text: str
    at: int
    end: int


@dataclass(slots=True)
class Tokens:
    """Parallel lists. A kind is one of the constants above, or the token itself: keywords, operators, punctuation.

    The value of an identifier is its name, of a literal what it stands for, of a semicolon how it was written:
    ``;``, a line break, or nothing at the end of the file. The last token is of kind ``eof``.
    """

    kinds: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, kind: str, value: Any, at: int) -> None:
        """A token that is not written."""
        self.kinds.append(kind)
        self.values.append(value)
        self.starts.append(at)
        self.ends.append(at)


def tokenize(file: str, text: str) -> tuple[Tokens, list[Comment]]:
    """The tokens and the comments of a text. Raises SentinelError."""
    tokens = Tokens()
    kinds, values, starts, ends = tokens.kinds, tokens.values, tokens.starts, tokens.ends
    comments: list[Comment] = []
    ender = False  # whether a line break would be a semicolon
    continued = 0  # up to where line breaks are none
    kind = before = ""
    for found in _TOKEN.finditer(text):
        group = found.lastgroup
        assert group is not None
        at, end = found.span(group)
        value: Any = None
        if group == "ident":
            value = found.group(group)
            kind = value if value in KEYWORDS and before != "." else IDENT
        elif group == "punct":
            kind = value = found.group(group)
            if value == "/" and text.startswith("/*", at):
                raise failure(file, text, at, "the comment does not end", "close it with */", at + 2)
        elif group in ("string", "raw", "number"):
            kind, value = _literal(file, text, at, end)
        elif group == "newline":
            if not ender or at < continued:
                continue
            selector = _CONTINUES.match(text, at)
            if selector:
                continued = selector.end()
                continue
            kind, value = ";", "\n"
        elif group == "comment":
            whole = found.group(group)
            comments.append(Comment(whole.rstrip("\r"), at, end - (whole[-1] == "\r")))
            if not (ender and "\n" in whole and at >= continued):
                continue
            kind, value = ";", "\n"
        elif group == "end":
            break
        else:
            raise failure(file, text, at, *_explain(text, at))
        kinds.append(kind)
        values.append(value)
        starts.append(at)
        ends.append(end)
        before = kind
        ender = kind in _ENDERS
    if ender:
        tokens.add(";", "", len(text))
    tokens.add(END, None, len(text))
    return tokens, comments


def failure(file: str, text: str, at: int, message: str, hint: str = "", end: int = 0) -> SentinelError:
    """The error for a place in the text."""
    return SentinelError([diagnostic(file, text, at, message, hint, end)], {file: text})


def diagnostic(file: str, text: str, at: int, message: str, hint: str = "", end: int = 0) -> Diagnostic:
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Diagnostic(PARSE_ERROR, message, Span(file, row, column, max(1, end - at)), hint)


def _literal(file: str, text: str, at: int, end: int) -> tuple[str, Any]:
    """Kind and value of a string or number."""
    if text[at] == '"':
        found = text.find("\\", at, end)
        return STRING, text[at + 1 : end - 1] if found < 0 else _unescaped(file, text, at, end)
    if text[at] == "`":
        return STRING, text[at + 1 : end - 1].replace("\r", "")
    return _number(file, text, at, end)


def _number(file: str, text: str, at: int, end: int) -> tuple[str, int | float]:
    written = text[at:end]
    after = text[end : end + 1]
    if after.isalnum() or after == "_":
        raise failure(
            file, text, at, "a number ends in a letter", "put a space or an operator between", end + 1
        )
    if written[:2] in ("0x", "0X"):
        try:
            value = int(written[2:].replace("_", "?"), 16)
        except ValueError:
            raise failure(
                file, text, at, f"no hexadecimal number: {written[:40]}", "use the digits 0-9 and a-f", end
            ) from None
    elif not written.isdecimal():
        return FLOAT, float(written)
    elif written[0] == "0" and len(written) > 1:
        try:
            value = int(written, 8)
        except ValueError:
            raise failure(
                file, text, at, f"no octal number: {written[:40]}",
                "a number that begins with 0 is octal; leave the 0 out", end,
            ) from None  # fmt: skip
    else:
        value = int(written) if len(written) < 20 else LARGEST + 1
    if value > LARGEST:
        raise failure(file, text, at, "the number is too large for 64 bits", "write it as a float: 1e20", end)
    return INT, value


def _unescaped(file: str, text: str, at: int, end: int) -> str:
    """What stands between the quotes of a string, with its escapes replaced."""
    out: list[bytes] = []
    last = at + 1
    for escape in _ESCAPE.finditer(text, at + 1, end - 1):
        out.append(text[last : escape.start()].encode("utf-8", "surrogatepass"))
        last = escape.end()
        simple, hexadecimal, octal, short, long, wrong = escape.groups()
        if simple:
            out.append(bytes([_SIMPLE_ESCAPES[simple]]))
        elif hexadecimal:
            out.append(bytes([int(hexadecimal, 16)]))
        elif octal:
            out.append(bytes([int(octal, 8)]))
        else:
            point = -1 if wrong else int(short or long, 16)
            if not (0 <= point < 0xD800 or 0xE000 <= point < 0x110000):
                raise failure(
                    file, text, escape.start(), f"unknown escape {escape.group()}",
                    "write a backslash as \\\\, or use a raw string in backticks", escape.end(),
                )  # fmt: skip
            out.append(chr(point).encode())
    out.append(text[last : end - 1].encode("utf-8", "surrogatepass"))
    return b"".join(out).decode("utf-8", "surrogateescape")


def _explain(text: str, at: int) -> tuple[str, str]:
    char = text[at]
    if char == '"':
        return "the string does not end", 'close it with " on the same line, or use a raw string in backticks'
    if char == "`":
        return "the raw string does not end", "close it with a backtick"
    if char in "&|":
        return f"there is no operator {text[at : at + 2]}", "write `and` or `or`"
    if char == "'":
        return "a string stands in double quotes", 'write "…" or `…`'
    return f"unexpected character {char!r}", "take it out"
