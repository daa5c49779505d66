"""Lines with their indentation, and the comments that belong between and behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.rego.ast import Comment

INDENT: Final = "\t"
METADATA: Final = "METADATA"


class CrowdedError(Exception):
    """Two comments would share a line: what they stand in cannot be laid out anew."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the output to go back to."""

    length: int
    level: int
    inline: bool
    pending: Comment | None
    taken: int


class Lines:
    """Writes lines. Comments wait until something that stands behind them in the source is written."""

    def __init__(self, comments: Sequence[Comment]) -> None:
        self.out: list[str] = []
        self.level = 0
        self.inline = False  # the line has been begun
        self.comments = comments
        self.taken = 0  # how many of them
        self.pending: Comment | None = None  # goes to the end of this line
        self.delayed = False  # and to that of the next instead

    def text(self) -> str:
        return "".join(self.out).rstrip("\n") + "\n"

    def write(self, text: str) -> None:
        self.out.append(text)

    def start_line(self) -> None:
        self.inline = True
        self.write(INDENT * self.level)

    def end_line(self) -> None:
        self.inline = False
        if self.pending is not None and not self.delayed:
            self.write(" " + shown(self.pending))
            self.pending = None
        self.delayed = False
        self.write("\n")

    def blank_line(self) -> None:
        if self.inline:
            self.end_line()
        self.write("\n")

    # --- comments

    def next_comment(self) -> Comment | None:
        return self.comments[self.taken] if self.taken < len(self.comments) else None

    def write_comments(self, comments: Iterable[Comment]) -> None:
        """Comments on lines of their own, with the blank lines between them."""
        last: Comment | None = None
        annotation = False
        for comment in comments:
            header = comment.text.strip() == METADATA
            if last is not None:
                apart = comment.row - last.row > 1
                if apart or (annotation and header):
                    self.blank_line()
                annotation = annotation and not apart
            annotation = annotation or header
            if self.inline and self.pending is not None:
                raise CrowdedError
            if not self.inline:
                self.start_line()
            self.write(shown(comment))
            self.end_line()
            last = comment

    def comments_above(self, row: int) -> None:
        """Write the comments above a row."""
        first = self.taken
        while (comment := self.next_comment()) is not None and comment.row < row:
            self.taken += 1
        above = self.comments[first : self.taken]
        self.write_comments(above)
        if above and row - above[-1].row > 1:
            self.blank_line()

    def comments_to(self, row: int) -> None:
        """Write the comments above a row; that of the row itself goes to the end of this line."""
        self.comments_above(row)
        comment = self.next_comment()
        if comment is not None and comment.row == row:
            if self.pending is not None:
                raise CrowdedError
            self.pending = comment
            self.taken += 1

    # --- going back

    def mark(self) -> Mark:
        return Mark(len(self.out), self.level, self.inline, self.pending, self.taken)

    def restore(self, mark: Mark) -> None:
        del self.out[mark.length :]
        self.level, self.inline, self.pending = mark.level, mark.inline, mark.pending
        self.taken = mark.taken
        self.delayed = False

    def write_verbatim(self, text: str, at: int, last_row: int) -> None:
        """Text of the source that begins at an offset, with the comments inside it."""
        end = at + len(text)
        if self.pending is not None and at <= self.pending.at < end:
            self.pending = None
        elif self.taken and self.comments[self.taken - 1].at >= at:
            raise CrowdedError  # a comment inside has been written already
        while (comment := self.next_comment()) is not None and comment.at < end:
            self.taken += 1
        self.write(text)
        if comment is not None and comment.row == last_row and self.pending is None:
            self.pending = comment
            self.taken += 1


def shown(comment: Comment) -> str:
    return "#" + comment.text.rstrip()
