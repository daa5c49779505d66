"""Plots as SVG in the page: marks with their intervals on a line, and bars. No script; colours come from the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from solon.report.text import printable

WIDTH: Final = 760
_LABEL: Final = 210
_NOTE: Final = 150
_ROW: Final = 26
_AXIS: Final = 24
_LEFT: Final = _LABEL + 12
_RIGHT: Final = WIDTH - _NOTE - 12
_LONGEST: Final = 32  # characters of a label

Kind = Literal["now", "before"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with the interval it lies in, where one is known; ``before`` is what is deployed."""

    value: float
    low: float | None = None
    high: float | None = None
    kind: Kind = "now"


@dataclass(frozen=True, slots=True)
class Row:
    """``limit`` is a value to be met, ``note`` stands at the right. Without marks nothing is known, and the note says why."""

    label: str
    marks: Sequence[Mark] = ()
    note: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``, with ``ticks`` that are round numbers."""

    low: float
    high: float
    ticks: Sequence[float]

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _LEFT + max(0.0, min(1.0, share)) * (_RIGHT - _LEFT)


def axis(values: Sequence[float], *, zero: bool = False) -> Axis:
    """One on which all values are; ``zero``: with nothing cut off at its beginning."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = min(low, 0.0) if zero else low
    if high == low:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    step = _step((high - low) / 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(number * step, 12) for number in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], ticks)


def _step(least: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def dots(title: str, rows: Sequence[Row], scale: Axis | None = None) -> str:
    """A row for each, its marks as dots with whiskers, and its limit as a line across."""
    known = [v for row in rows for m in row.marks for v in (m.value, m.low, m.high) if v is not None]
    known += [row.limit for row in rows if row.limit is not None]
    scale = scale or axis(known)
    return _svg(title, rows, scale, lambda row, middle: _dots(row, middle, scale))


def bars(title: str, rows: Sequence[Row], guides: Sequence[float] = ()) -> str:
    """A bar for the first mark of each row, from zero, with lines at ``guides``."""
    known = [mark.value for row in rows for mark in row.marks[:1]]
    scale = axis([*known, *guides], zero=True)
    lines = "".join(
        f'<line class="limit" x1="{scale.at(g):.1f}" x2="{scale.at(g):.1f}" y1="0" y2="{len(rows) * _ROW}"/>'
        for g in guides
    )
    return _svg(title, rows, scale, lambda row, middle: _bar(row, middle, scale), lines)


def _svg(
    title: str, rows: Sequence[Row], scale: Axis, drawn: Callable[[Row, float], str], over: str = ""
) -> str:
    height = len(rows) * _ROW + _AXIS
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_text(title)}">',
        *_grid(scale, len(rows) * _ROW),
    ]
    for number, row in enumerate(rows):
        middle = number * _ROW + _ROW / 2
        label = row.label if len(row.label) <= _LONGEST else row.label[: _LONGEST - 1] + "…"
        parts.append(
            f'<text class="label" x="{_LABEL}" y="{middle + 4}" text-anchor="end">{_text(label)}</text>'
        )
        parts.append(drawn(row, middle))
        parts.append(f'<text x="{_RIGHT + 12}" y="{middle + 4}">{_text(row.note)}</text>')
    return "".join([*parts, over, "</svg>"])


def _grid(scale: Axis, height: float) -> Iterator[str]:
    for tick in scale.ticks:
        x = scale.at(tick)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
        yield f'<text x="{x:.1f}" y="{height + 15}" text-anchor="middle">{tick:g}</text>'


def _dots(row: Row, middle: float, scale: Axis) -> str:
    out = []
    if row.limit is not None:
        x = scale.at(row.limit)
        out.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 11}" y2="{middle + 11}"/>')
    several = len(row.marks) > 1
    for mark in row.marks:
        y = middle + (0 if not several else -4 if mark.kind == "now" else 5)
        if mark.low is not None and mark.high is not None:
            out.append(
                f'<line class="{mark.kind}" x1="{scale.at(mark.low):.1f}" x2="{scale.at(mark.high):.1f}" '
                f'y1="{y}" y2="{y}"/>'
            )
        out.append(f'<circle class="{mark.kind}" cx="{scale.at(mark.value):.1f}" cy="{y}" r="4"/>')
    return "".join(out)


def _bar(row: Row, middle: float, scale: Axis) -> str:
    if not row.marks:
        return ""
    start, end = sorted((scale.at(0.0), scale.at(row.marks[0].value)))
    return f'<rect class="now" x="{start:.1f}" y="{middle - 7}" width="{max(1.0, end - start):.1f}" height="14" rx="2"/>'


def _text(text: str) -> str:
    return escape(printable(text))
