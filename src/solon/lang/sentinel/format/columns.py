"""Columns: which lines share them, and how wide they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SMALL: Final = 20  # keys up to this size share a column whatever their sizes
RATIO: Final = 4  # a key so many times as long as the one before it, or as short, begins a column of its own


@dataclass(slots=True)
class Line:
    level: int
    cells: list[str]  # the last one is in no column
    section: bool  # no column goes on from the line before
    empty_before: bool


class Run:
    """Goes through the elements of a list, and says where columns end.

    They end before and behind what takes several lines, where several elements stand on a line, at empty lines,
    and at a key that is much longer or shorter than the one before it.
    """

    def __init__(self) -> None:
        self._size = 0
        self._broken = -1  # the last element that began a line

    def ends(self, number: int, size: int, breaks: int) -> bool:
        """Whether columns end before this element; ``size`` is 0 for what takes several lines."""
        before, self._size = self._size, size
        together = bool(before and size) and (
            (before <= SMALL and size <= SMALL) or before < RATIO * size < RATIO * RATIO * before
        )
        ends = not together or self._broken + 1 < number
        if breaks:
            self._broken = number
        return bool(breaks) and ends


def aligned(lines: list[Line]) -> str:
    """The text of the lines, with their cells in columns."""
    out: list[str] = []
    start = 0
    for number in range(1, len(lines) + 1):
        if number == len(lines) or lines[number].section or lines[number].empty_before:
            out += _section(lines[start:number])
            start = number
    return "".join(out)


def _section(lines: list[Line]) -> list[str]:
    widths: list[list[int]] = [[] for _ in lines]
    _fill(lines, widths, 0, len(lines), 0)
    out = []
    for line, columns in zip(lines, widths, strict=True):
        text = "".join(cell.ljust(width) for cell, width in zip(line.cells, columns, strict=False))
        text += line.cells[-1]
        out.append(("\n" if line.empty_before else "") + "\t" * line.level * bool(text) + text + "\n")
    return out


def _fill(lines: list[Line], widths: list[list[int]], start: int, end: int, column: int) -> None:
    """The widths of a column in each run of lines that have it, and of those to its right within the run."""
    at = start
    while at < end:
        if len(lines[at].cells) <= column + 1:
            at += 1
            continue
        stop = at
        while stop < end and len(lines[stop].cells) > column + 1:
            stop += 1
        width = max(len(line.cells[column]) for line in lines[at:stop]) + 1
        for index in range(at, stop):
            widths[index].append(width)
        _fill(lines, widths, at, stop, column + 1)
        at = stop
