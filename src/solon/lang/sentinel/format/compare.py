"""Whether two files say the same: their tokens and comments, wherever these stand."""

from __future__ import annotations

from typing import Any, Final

from solon.lang.sentinel import ast

_CLOSING: Final = frozenset([")", "]", "}"])
_NO_END_BEHIND: Final = frozenset([";", "{", ":", ""])  # a semicolon behind these ends nothing
_NO_END_BEFORE: Final = frozenset(["}", "when", "else", "eof"])


def same(one: ast.File, other: ast.File) -> bool:
    return _said(one) == _said(other) and _remarks(one) == _remarks(other)


def _said(file: ast.File) -> list[tuple[str, Any]]:
    """Kinds and values of the tokens, without semicolons and commas that say nothing."""
    out: list[tuple[str, Any]] = []
    kinds, values = file.tokens.kinds, file.tokens.values
    before = ""
    for kind, value, following in zip(kinds, values, [*kinds[1:], "eof"], strict=True):
        if kind == ";" and (before in _NO_END_BEHIND or following in _NO_END_BEFORE):
            continue
        if kind == "," and following in _CLOSING:
            continue
        out.append((kind, None if kind == ";" else value))
        before = kind
    return out


def _remarks(file: ast.File) -> list[str]:
    return [" ".join(comment.text.split()) for comment in file.comments]
