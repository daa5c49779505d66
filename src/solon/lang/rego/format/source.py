"""The source text of a module beside its tree: where terms begin and end, and which brackets belong together.

The tree itself has no need of this, and compiling policies does not pay for it.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from solon.lang.rego import ast
from solon.lang.rego.lexer import STRING, Token
from solon.lang.rego.parser import Parser

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


class SourceParser(Parser):
    """A parser that notes the parentheses around terms, and where terms end."""

    def __init__(
        self, file: str, text: str, version: ast.Version, start: int = 0, stop: int | None = None
    ) -> None:
        super().__init__(file, text, version, start, stop)
        self.opened: dict[ast.Term, int] = {}  # term -> offset of the outermost parenthesis around it
        self.ends: dict[ast.Term, int] = {}  # term -> offset behind it and its parentheses

    def primary(self) -> ast.Term:
        start = self.token
        term = super().primary()
        if start.kind == "(":
            self.opened[term] = start.at
            self.ends[term] = self.last_end()
        return term

    def term(self) -> ast.Term:
        term = super().term()
        self.ends[term] = self.last_end()
        return term


class Source:
    """One module: its tree, and places in its text."""

    def __init__(self, file: str, text: str, version: ast.Version) -> None:
        """Raises RegoError."""
        parser = SourceParser(file, text, version)
        try:
            self.module = parser.module()
        except RecursionError:
            raise parser.error("nested too deeply") from None
        self.text = text
        self.tokens = parser.tokens
        self._opened = parser.opened
        self._ends = parser.ends
        self._index = {token.at: index for index, token in enumerate(self.tokens)}
        self._closing: dict[int, int] = {}  # index of an opening bracket -> index of the closing one
        open_: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.kind in _CLOSING:
                open_.append(index)
            elif token.kind in (")", "]", "}"):
                self._closing[open_.pop()] = index

    def row(self, at: int) -> int:
        return bisect_right(self.module.line_starts, at)

    def is_grouped(self, term: ast.Term) -> bool:
        """Whether parentheses stand around it."""
        return term in self._opened

    def begin(self, term: ast.Term, *, inside: bool = False) -> int:
        """Where a term begins, with the parentheses around it unless ``inside``."""
        if not inside and term in self._opened:
            return self._opened[term]
        if isinstance(term, ast.Call) and term.infix:
            return self.begin(term.args[0], inside=inside)
        if isinstance(term, ast.Ref):
            return self.begin(term.head, inside=inside)
        return term.at

    def end(self, term: ast.Term) -> int:
        """The offset behind a term and the parentheses around it."""
        end = self._ends.get(term)
        if end is not None:
            return end
        if isinstance(term, ast.Call) and term.infix:
            return self.end(term.args[-1])
        if isinstance(term, ast.Ref):
            return self.end(term.head)
        return self.tokens[self._index[term.at]].end

    def term_row(self, term: ast.Term) -> int:
        """The row on which what is inside the parentheses begins."""
        return self.row(self.begin(term, inside=True))

    def scalar(self, term: ast.Scalar) -> str:
        """A scalar as it is written."""
        token = self.tokens[self._index[term.at]]
        if token.kind == "-":
            return "-" + self.tokens[self._index[term.at] + 1].text
        return self.text[token.at : token.end]

    def template(self, term: ast.Template) -> str:
        return self.tokens[self._index[term.at]].text

    def is_quoted(self, at: int) -> bool:
        """Whether a name in a path stands in brackets and quotation marks."""
        token = self.tokens[self._index[at]] if at in self._index else None
        return token is not None and token.kind == STRING

    def string(self, value: str, at: int) -> str:
        """A string as it is written, or in quotation marks where it is the name behind a dot."""
        if not self.is_quoted(at):
            return json.dumps(value, ensure_ascii=False)
        return self.text[at : self.tokens[self._index[at]].end]

    def closing(self, at: int) -> int:
        """The offset of the bracket that closes the one at an offset."""
        return self.tokens[self._closing[self._index[at]]].at

    def names(self, at: int) -> tuple[list[Token], int]:
        """The names of the path at an offset; and the offset of what follows, such as a ``(``."""
        index = self._index[at]
        names = [self.tokens[index]]
        index += 1
        while self.tokens[index].kind in (".", "[") and not self.tokens[index].spaced:
            names.append(self.tokens[index + 1])
            index = index + 2 if self.tokens[index].kind == "." else self._closing[index] + 1
        return names, self.tokens[index].at

    def before(self, at: int) -> Token:
        """The token before the one at an offset."""
        return self.tokens[self._index[at] - 1]

    def after(self, at: int) -> Token:
        """The token behind the one at an offset."""
        return self.tokens[self._index[at] + 1]

    def assigns(self, value: ast.Term) -> bool:
        """Whether ``:=`` stands before a value, and not ``=``."""
        return self.before(self.begin(value)).kind == ":="

    def begins_line(self, at: int) -> bool:
        return self.tokens[self._index[at]].newline

    def closing_row(self, body: Sequence[ast.Expr]) -> int:
        """The row of the brace that closes a body; 0 where it has none."""
        opening = self.before(body[0].at)
        return self.row(self.closing(opening.at)) if opening.kind == "{" else 0

    def head_end_row(self, head: ast.Head) -> int:
        """The row on which a rule's head ends."""
        last = head.value or head.key
        if last is not None:
            return self.row(self.end(last) - 1)
        behind = self.names(head.at)[1]
        if head.args is not None:
            return self.row(self.closing(behind))
        return self.row(self.before(behind).end - 1)
