"""Dates, times and durations as files state them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:\d\d)?)?"
)
_DURATION: Final = re.compile(r"(\d{1,5})\s*(m|h|d|w)")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name. Raises ValueError."""
    if name in ("", "UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # unknown; a path out of the database; a directory of it
        raise ValueError(f"unknown time zone {name!r}: write one such as Europe/Berlin") from None


@lru_cache(maxsize=4096)
def moment(text: str, local: tzinfo = UTC) -> datetime:
    """The instant, in UTC. Raises ValueError.

    A date alone is its first instant in the time zone ``local``; so is a time that a clock shows twice there,
    and one that it skips is as long after midnight as it says. A leap second is the second behind it (RFC 3339,
    section 5.7; clocks of computers have none).
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no date: write 2026-12-01, or 2026-12-01T09:00:00Z")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    leap = second == 60
    try:
        local = _offset(found[8]) if found[8] else local
        stated = datetime(year, month, day, hour, minute, second - leap, tzinfo=local)
        return stated.astimezone(UTC) + timedelta(seconds=leap, microseconds=_micros(found[7]))
    except (ValueError, OverflowError) as error:
        problem = str(error) if isinstance(error, ValueError) else "out of range"
        raise ValueError(f"{text!r} is no date: {problem}") from None


def _offset(text: str) -> tzinfo:
    return UTC if text in "Zz" else datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo or UTC


def _micros(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


def duration(text: str) -> timedelta:
    """``30d``, ``12h``, ``90m`` or ``2w``. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration: write a number and m, h, d or w, such as 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def instant(time_ns: int) -> datetime:
    """Nanoseconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC) + timedelta(
        microseconds=time_ns % 1_000_000_000 // 1000
    )


def stamp(at: datetime) -> str:
    """In UTC, to the second: ``2026-12-01T09:00:00Z``."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def shown(at: datetime, local: tzinfo = UTC) -> str:
    """``2026-12-01`` where that says it all, else ``2026-12-01 09:00 UTC``, with seconds where there are any."""
    there = at.astimezone(local)
    if not (there.hour or there.minute or there.second):
        return f"{there:%Y-%m-%d}"
    return f"{there:%Y-%m-%d %H:%M:%S %Z}" if there.second else f"{there:%Y-%m-%d %H:%M %Z}"


def period(length: timedelta) -> str:
    """``3 days``, ``5 hours``, ``1 minute``: in the largest unit that it fills."""
    seconds = int(abs(length).total_seconds())
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count:,} {unit}{'s' * (count != 1)}"
    return "less than a minute"
