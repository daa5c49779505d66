"""Times that nothing covers. A gap is no violation: it is a question that the log alone does not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row without a decision. ``usual``: how many there are on such days of the week, added up."""

    first: date
    last: date
    usual: float

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def expected(self) -> bool:
        """Whether these days have none as a rule: weekends of a gate that nobody uses then."""
        return self.usual < 1


def without_decisions(counts: Mapping[date, int], first: date, last: date) -> list[Gap]:
    """Days from the first to the last that have no decision, from the day on that had one before.

    ``counts`` may begin earlier: then what is usual is known from there, too.
    """
    begun = min((day for day, count in counts.items() if count), default=None)
    if begun is None:
        return []
    usual = _usual(counts, begun, last)
    out: list[Gap] = []
    day = max(first, begun)
    while day <= last:
        if not counts.get(day):
            expected = usual[day.weekday()]
            if out and out[-1].last == day - _DAY:
                out[-1] = Gap(out[-1].first, day, out[-1].usual + expected)
            else:
                out.append(Gap(day, day, expected))
        day += _DAY
    return out


def _usual(counts: Mapping[date, int], first: date, last: date) -> list[float]:
    """The median of each day of the week. Weeks without any decision do not make silence usual: they are left out."""
    days: list[list[int]] = [[] for _ in range(7)]
    monday = first - first.weekday() * _DAY
    while monday <= last:
        week = [monday + at * _DAY for at in range(7)]
        if any(counts.get(day) for day in week):
            for day in week:
                if first <= day <= last:
                    days[day.weekday()].append(counts.get(day, 0))
        monday += 7 * _DAY
    return [median(each) if each else 0.0 for each in days]


def uncovered(periods: Sequence[tuple[int, int | None]], start: int, end: int) -> list[tuple[int, int]]:
    """The times from start to end that are in none of the periods."""
    out = []
    at = start
    for first, last in sorted(periods, key=lambda each: each[0]):
        if first >= end:
            break
        if first > at:
            out.append((at, first))
        at = max(at, end if last is None else last)
        if at >= end:
            return out
    if at < end:
        out.append((at, end))
    return out
