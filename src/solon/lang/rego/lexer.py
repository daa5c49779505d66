"""Rego text to tokens.

Whitespace separates tokens and is dropped, but each token knows whether a space or a line break came
before it: ``a[0]`` is a reference, ``a [0]`` is not, and a line break ends an expression.
"""

from __future__ import annotations

import json
import re
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


@dataclass(slots=True)
class Token:
    """``kind`` is one of the constants above, or the text itself for keywords and punctuation."""

    kind: str
    text: str
    at: int
    end: int
    spaced: bool  # white space stands before it
    newline: bool  # a line break stands before it


# One alternative a token; tried in this order.
_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ \t\r\f\ufeff]+)
  | (?P<newline>\n)
  | (?P<comment>\#[^\n]*)
  | (?P<ident>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>-?(?:0(?![0-9])|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<template>\$"|\$`)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<raw>`[^`]*`)
  | (?P<punct>:=|==|!=|<=|>=|[-+*/%&|=<>.,;:(){}\[\]])
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


def tokenize(file: str, text: str) -> tuple[list[Token], list[Comment]]:
    """All tokens, closed by one of kind ``eof``, and the comments. Raises RegoError."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    starts = line_starts(text)
    row = 1
    at = 0
    spaced = newline = True
    match = _TOKEN.match
    while at < len(text):
        found = match(text, at)
        if found is None:
            raise fail(file, text, at, *_explain(text, at))
        kind = found.lastgroup
        end = found.end()
        if kind == "newline":
            spaced = newline = True
            row += 1
        elif kind == "space":
            spaced = True
        elif kind == "comment":
            comments.append(Comment(text[at + 1 : end], at, row, at - starts[row - 1] + 1))
            spaced = True
        else:
            if kind == "template":
                end = _template_end(file, text, end, text[end - 1])
                token = Token(TEMPLATE, text[at:end], at, end, spaced, newline)
            elif kind == "punct":
                token = Token(text[at:end], text[at:end], at, end, spaced, newline)
            elif kind == "number":
                token = _number(tokens, text, at, end, spaced, newline)
                end = token.end
                after = text[end : end + 1]
                if token.kind == NUMBER and (after.isalnum() or after == "_"):
                    raise fail(file, text, at, "illegal number format", length=end - at + 1)
            elif kind == "ident":
                word = text[at:end]
                token = Token(word if word in KEYWORDS else IDENT, word, at, end, spaced, newline)
            else:
                token = Token(STRING, _unquote(file, text, at, end), at, end, spaced, newline)
            row += text.count("\n", at, end)
            tokens.append(token)
            spaced = newline = False
        at = end
    tokens.append(Token(END, "", len(text), len(text), True, True))
    return tokens, comments


_OPERAND_ENDS: Final = frozenset([IDENT, NUMBER, STRING, TEMPLATE, ")", "]", "}", "true", "false", "null"])


def _number(tokens: list[Token], text: str, at: int, end: int, spaced: bool, newline: bool) -> Token:
    # `x -1` and `x-1` subtract; a sign belongs to the number only where no operand stands before it.
    if text[at] == "-" and tokens and tokens[-1].kind in _OPERAND_ENDS and not newline:
        return Token("-", "-", at, at + 1, spaced, newline)
    # `a.0` never is a field: the dot of a reference is not part of a number.
    return Token(NUMBER, text[at:end], at, end, spaced, newline)


_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\(.)', re.DOTALL)


def _unquote(file: str, text: str, at: int, end: int) -> str:
    if text[at] == "`":
        return text[at + 1 : end - 1]
    body = text[at:end]
    if "\\" in body:
        for escape in _ESCAPE.finditer(body):
            if escape.group(1) is not None:
                raise fail(
                    file, text, at + escape.start(), "illegal string escape sequence",
                    "write a backslash as \\\\, or use a raw string in backticks", 2,
                )  # fmt: skip
    try:
        return str(json.loads(body, strict=False))
    except ValueError as error:
        raise fail(file, text, at, f"illegal string: {error}") from None


def _template_end(file: str, text: str, at: int, quote: str) -> int:
    """Offset behind the closing quote of a template string whose first character stands at ``at``."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and (quote == '"' or text[at + 1 : at + 2] in "{}"):
            at += 2
            continue
        if depth == 0 and char == quote:
            return at + 1
        if depth == 0 and char == "\n" and quote == '"':
            break
        if char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif depth and char in '"`':
            closing = re.compile(r'"(?:[^"\\\n]|\\.)*"' if char == '"' else r"`[^`]*`").match(text, at)
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
