"""Dates as people write them, to RFC 3339 in UTC. What could be two dates is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = "january february march april may june july august september october november december"
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NAMED: Final = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[ .-]+)?([A-Za-z]{3,9})\.?[ -]+(?:(\d{1,2})(?:st|nd|rd|th)?,?[ ]+)?(\d{4})"
)


class NoDate(ValueError):
    """Why a text is no date, and what to write."""


def moment(text: str) -> datetime:
    """Without a time the first moment of the day, without a day that of the month. Raises NoDate."""
    text = text.strip()
    try:
        if found := _DAY.fullmatch(text):
            return datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
        if found := _NAMED.fullmatch(text):
            first, name, second, year = found.groups()
            month = [
                number
                for number, each in enumerate(_MONTHS.split(), start=1)
                if each.startswith(name.lower())
            ]
            if month and not (first and second):
                return datetime(int(year), month[0], int(first or second or 1), tzinfo=UTC)
        elif text[:4].isdecimal() and len(text) > 10:
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NoDate(f"{text[:60]!r} is no date, or could be two; write it as 2026-01-31")
