"""One page that needs nothing beside it: no script, no font, no network. It prints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from solon.decisions.audit.assessed import Audit
from solon.report.audit.view import view
from solon.report.text import printable_lines

if TYPE_CHECKING:
    import jinja2

_CELL: Final = 13  # pixels of a day, with its gap
_LEFT: Final = 30
_TOP: Final = 18
_LONGEST: Final = 371  # days in a calendar: longer periods are shown by their end
_LEVELS: Final = 4
_BREAKS: Final = re.compile(r"(?<=[./:_,])(?=[^./:_,\s])")


def render(audit: Audit) -> str:
    template = _environment().get_template("report.html.j2")
    return template.render(view=view(audit), calendar=calendar(audit)) + "\n"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("solon.report.audit", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable_lines(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> str:
    """A name that may go on in the next line behind its punctuation."""
    from markupsafe import Markup

    parts = _BREAKS.split(printable_lines(name))
    return Markup("<wbr>").join(parts)


# --- the calendar


@dataclass(frozen=True, slots=True)
class Day:
    """A square: ``style`` is gap, idle (as such days are), before, or how many decisions there are, from l1 to l4."""

    x: int
    y: int
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Calendar:
    width: int
    height: int
    scale: float
    days: Sequence[Day]
    months: Sequence[tuple[int, str]]
    said: str
    cut: str


def calendar(audit: Audit) -> Calendar:
    """A square for each day of the period: weeks are columns, beginning with Mondays."""
    evidence = audit.evidence
    rows: dict[date, Mapping[str, Any]] = {each["day"]: each for each in evidence.days}
    until = min(audit.end, audit.made)
    last = max((until - timedelta(microseconds=1)).date(), audit.start.date())
    first = max(audit.start.date(), last - timedelta(days=_LONGEST - 1))
    begun = min((day for days in evidence.days_of.values() for day in days), default=None)
    most = max((each["decisions"] for each in rows.values()), default=1)
    monday = first - timedelta(days=first.weekday())
    unusual = {
        gap.first + timedelta(days=at)
        for each in audit.controls
        for gap in each.gaps
        if not gap.expected
        for at in range(gap.days)
    }
    days = list(_days(rows, first, last, monday, begun, most, unusual))
    months = [
        (_LEFT + (day - monday).days // 7 * _CELL, f"{day:%b}" + (f" {day:%Y}" if day.month == 1 else ""))
        for day in (first + timedelta(days=at) for at in range((last - first).days + 1))
        if day.day == 1
    ]
    weeks = (last - monday).days // 7 + 1
    empty = sum(each.style in {"gap", "idle"} for each in days)
    said = f"Decisions by day from {first} to {last}: {len(rows)} days with decisions, {empty} without."
    cut = f"The last {_LONGEST} days of the period." if first > audit.start.date() else ""
    scale = 2 if weeks <= 20 else 1.5 if weeks <= 32 else 1.25
    return Calendar(_LEFT + weeks * _CELL, _TOP + 7 * _CELL, scale, days, months, said, cut)


def _days(
    rows: Mapping[date, Mapping[str, Any]],
    first: date,
    last: date,
    monday: date,
    begun: date | None,
    most: int,
    unusual: set[date],
) -> Iterator[Day]:
    for at in range((last - first).days + 1):
        day = first + timedelta(days=at)
        found = rows.get(day)
        x, y = _LEFT + (day - monday).days // 7 * _CELL, _TOP + day.weekday() * _CELL
        if found is not None:
            count = found["decisions"]
            level = -(-count * _LEVELS // most)
            yield Day(x, y, f"l{level}", f"{day}: {count:,} decisions, {found['denied']:,} denied")
        elif begun is None or day < begun:
            yield Day(x, y, "before", f"{day}: before the first decision")
        else:
            yield Day(x, y, "gap" if day in unusual else "idle", f"{day}: no decision")
