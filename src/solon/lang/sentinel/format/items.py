"""What is written in a file, in order: tokens and comments, and where lines are broken between them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from solon.lang.sentinel import ast
from solon.lang.sentinel.lexer import END

LINE: Final = "//"  # the kind of a comment up to the end of its line
BLOCK: Final = "/*"  # the kind of a comment that has an end
MOST_BREAKS: Final = 2  # one empty line


@dataclass(slots=True, eq=False)
class Item:
    text: str
    at: int
    kind: str  # as the lexer has it, or that of a comment
    breaks: int  # line breaks before it

    @property
    def is_comment(self) -> bool:
        return self.kind in {LINE, BLOCK}


class Items:
    """The items of a file without its semicolons: where one was written, a line ends."""

    def __init__(self, file: ast.File) -> None:
        self.all: list[Item] = []
        text, tokens = file.text, file.tokens
        written = [
            (at, end, kind)
            for kind, at, end in zip(tokens.kinds, tokens.starts, tokens.ends, strict=True)
            if kind != END and (kind != ";" or text[at:end] == ";")
        ]
        written += [(c.at, c.end, BLOCK if c.text.startswith("/*") else LINE) for c in file.comments]
        last, ended = 0, False
        for at, end, kind in sorted(written):
            if kind == ";":
                ended = True
                continue
            breaks = min(MOST_BREAKS, text.count("\n", last, at)) if self.all else 0
            comment = kind in {LINE, BLOCK}
            if (ended and not comment) or (self.all and self.all[-1].kind == LINE):
                breaks = max(1, breaks)
            ended = ended and comment
            self.all.append(Item(_shown(text[at:end], kind), at, kind, breaks))
            last = end
        self._starts = [item.at for item in self.all]

    def index(self, at: int) -> int:
        """The item at a place in the text, or the first one behind it."""
        return bisect_left(self._starts, at)

    def code(self, index: int) -> int:
        """The token there, or the next one."""
        while index < len(self.all) and self.all[index].is_comment:
            index += 1
        return index

    def token(self, at: int) -> int:
        """The token at a place in the text, or the first one behind it."""
        return self.code(self.index(at))

    def before(self, index: int) -> int:
        """The token before this item; -1 where there is none."""
        index -= 1
        while index >= 0 and self.all[index].is_comment:
            index -= 1
        return index

    def ending(self, end: int) -> int:
        """The token that ends there."""
        return self.before(self.index(end))

    def broken(self, index: int) -> bool:
        """Whether a line is broken between this token and the one before it."""
        return any(item.breaks for item in self.all[self.before(index) + 1 : index + 1])

    def begin(self, index: int) -> None:
        """A line begins at this token."""
        item = self.all[index]
        if index and not self.broken(index):
            item.breaks = 1

    def join(self, index: int) -> None:
        """The token stands on the line of the one before it, unless there is a comment in between."""
        if index and not self.all[index - 1].is_comment:
            self.all[index].breaks = 0

    def on_one_line(self, start: int, end: int) -> bool:
        """Whether these tokens, the last one included, are."""
        return not any(item.breaks for item in self.all[start + 1 : end + 1]) and not any(
            "\n" in item.text for item in self.all[start : end + 1]
        )


def _shown(text: str, kind: str) -> str:
    if kind == LINE:
        return text.rstrip()
    if kind == BLOCK:
        return "\n".join(line.rstrip() for line in text.split("\n"))
    return text.replace("\r", "") if text[0] == "`" else text
