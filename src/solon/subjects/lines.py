"""Rows and columns of offsets in a text, without counting from its beginning for each."""

from __future__ import annotations

from typing import Final

_BLOCK: Final = 1 << 16


class Lines:
    """The lines of one text; what has been counted is kept, a block at a time."""

    __slots__ = ("_blocks", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._blocks = [(0, -1)]  # per block: the line feeds before it, and the offset of the last of them

    def place(self, offset: int) -> tuple[int, int]:
        """(row, column) of an offset, counted from 1."""
        text, blocks, number = self._text, self._blocks, offset // _BLOCK
        while len(blocks) <= number:
            feeds, last = blocks[-1]
            start = (len(blocks) - 1) * _BLOCK
            end = start + _BLOCK
            found = text.rfind("\n", start, end)
            blocks.append((feeds + text.count("\n", start, end), last if found < 0 else found))
        feeds, last = blocks[number]
        start = number * _BLOCK
        return feeds + text.count("\n", start, offset) + 1, offset - max(
            last, text.rfind("\n", start, offset)
        )

    def row(self, offset: int) -> int:
        return self.place(offset)[0]
