"""Rego text to tokens.

Whitespace separates tokens and is dropped, but each token knows whether a space or a line break came
before it: ``a[0]`` is a reference, ``a [0]`` is not, and a line break ends an expression.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.rego.ast import Comment, line_starts
from solon.lang.rego.errors import PARSE_ERROR, RegoError
from solon.lang.source import Diagnostic, Span

IDENT: Final = "ident"
NUMBER: Final = "number"
STRING: Final = "string"
TEMPLATE: Final = "template"
END: Final = "eof"


Part = tuple[bool, int, int]  # of a template string: whether it is an expression, start, end


@dataclass(slots=True)
class Token:
    """``kind`` is one of the constants above, or the text itself for keywords and punctuation."""

    kind: str
    text: str
    at: int
    end: int
    spaced: bool  # white space stands before it
    newline: bool  # a line break stands before it
    parts: Sequence[Part] = ()  # of a template string


# White space, then a token: one alternative each, tried in this order; `space` is what ends a file.
_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\f\n\ufeff]*)
  (?:
    (?P<comment>\#[^\n]*)
  | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<template>\$"|\$`)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<punct>:=|==|!=|<=|>=|[-+*/%&|=<>.,;:(){}\[\]])
  )?
    """,
    re.VERBOSE,
)

# Words that can never be variables. `if`, `contains`, `in` and `every` depend on the module's version.
KEYWORDS: Final = frozenset(
    ["as", "default", "else", "false", "import", "package", "not", "null", "some", "true", "with"]
)
FUTURE_KEYWORDS: Final = frozenset(["contains", "every", "if", "in"])


def fail(file: str, text: str, at: int, message: str, hint: str = "", length: int = 1) -> RegoError:
    """The error for a place in the text."""
    before = text[:at]
    row = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    return RegoError([Diagnostic(PARSE_ERROR, message, Span(file, row, column, length), hint)], {file: text})


def tokenize(
    file: str, text: str, start: int = 0, stop: int | None = None
) -> tuple[list[Token], list[Comment]]:
    """All tokens between two offsets, closed by one of kind ``eof``, and the comments. Raises RegoError."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    starts: list[int] = []
    at = start
    stop = len(text) if stop is None else stop
    spaced = newline = True
    match = _TOKEN.match
    while at < stop:
        found = match(text, at, stop)
        assert found is not None
        kind = found.lastgroup
        before, at, end = at, found.end("space"), found.end()
        if at > before:
            spaced = True
            newline = newline or "\n" in text[before:at]
        if kind == "space":
            if at < stop:
                raise fail(file, text, at, *_explain(text, at))
            break
        if kind == "comment":
            starts = starts or line_starts(text)
            row = bisect_right(starts, at)
            comments.append(Comment(text[at + 1 : end], at, row, at - starts[row - 1] + 1))
            spaced = True
        else:
            if kind == "template":
                parts, end = template_parts(file, text, at)
                token = Token(TEMPLATE, text[at:end], at, end, spaced, newline, parts)
            elif kind == "punct":
                token = Token(text[at:end], text[at:end], at, end, spaced, newline)
            elif kind == "number":
                after = text[end : end + 1]
                if after.isalnum() or after == "_":
                    raise fail(file, text, at, "illegal number format", length=end - at + 1)
                if text[at] == "0" and text[at + 1 : at + 2].isdigit():
                    raise fail(file, text, at, "expected number without leading zero", length=end - at)
                token = Token(NUMBER, text[at:end], at, end, spaced, newline)
            elif kind == "ident":
                word = text[at:end]
                token = Token(word if word in KEYWORDS else IDENT, word, at, end, spaced, newline)
            else:
                value = unquote(file, text, at + 1, end - 1) if kind == "string" else text[at + 1 : end - 1]
                token = Token(STRING, value, at, end, spaced, newline)
            tokens.append(token)
            spaced = newline = False
        at = end
    tokens.append(Token(END, "", stop, stop, True, True))
    return tokens, comments


_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\(.)', re.DOTALL)


def unquote(file: str, text: str, start: int, end: int, *, template: bool = False) -> str:
    r"""What stands between the quotes of a string, with its escapes replaced; a template may have ``\{``."""
    body = text[start:end]
    if "\\" not in body:
        return body
    for escape in _ESCAPE.finditer(body):
        if escape.group(1) is not None and not (template and escape.group(1) == "{"):
            raise fail(
                file, text, start + escape.start(), "illegal string escape sequence",
                "write a backslash as \\\\, or use a raw string in backticks", 2,
            )  # fmt: skip
    if template:
        body = re.sub(r"\\([\\{])", lambda m: "{" if m[1] == "{" else m[0], body)
    try:
        return str(json.loads(f'"{body}"', strict=False))
    except ValueError as error:
        raise fail(file, text, start - 1, f"illegal string: {error}") from None


_STRING: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')


def template_parts(file: str, text: str, at: int, level: int = 0) -> tuple[list[Part], int]:
    """The parts of the template string at an offset, and the offset behind it."""
    quote = text[at + 1]
    parts: list[Part] = []
    depth = 0  # of braces
    at = start = at + 2
    while at < len(text):
        char = text[at]
        if depth == 0:
            if char == quote:
                parts.append((False, start, at))
                return [part for part in parts if part[0] or part[1] < part[2]], at + 1
            if char == "\n" and quote == '"':
                break
            if char == "\\" and (quote == '"' or text.startswith("\\{", at)):
                at += 1
            elif char == "{":
                parts.append((False, start, at))
                start = at + 1
                depth = 1
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                parts.append((True, start, at))
                start = at + 1
        elif char == "$" and text[at + 1 : at + 2] in ('"', "`"):
            if level > 20:
                raise fail(file, text, at, "template strings nested too deeply")
            at = template_parts(file, text, at, level + 1)[1]
            continue
        elif char in '"`':
            closing = _STRING.match(text, at)
            if closing is None:
                break
            at = closing.end()
            continue
        at += 1
    raise fail(file, text, min(at, len(text) - 1), "non-terminated template string")


def _explain(text: str, at: int) -> tuple[str, str]:
    char = text[at]
    if char == '"':
        return "non-terminated string", 'close it with " on the same line, or use a raw string in backticks'
    if char == "`":
        return "non-terminated raw string", "close it with a backtick"
    if char == "!":
        return "illegal ! character", "negation is written `not`"
    return f"illegal token {char!r}", ""
