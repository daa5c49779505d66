"""Go's time layouts: reading and writing times by example (``Mon Jan 2 15:04:05 MST 2006``)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from solon.lang.rego.builtins.registry import remembered

NAMED: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip

# The elements of a layout, longest first where one begins another.
_ELEMENT: Final = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07"
    r"|__2|002|_2|01|02|03|04|05|06|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)

EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001
NS: Final = 1_000_000_000


@remembered(256)
def _elements(layout: str) -> tuple[tuple[bool, str], ...]:
    """(is an element, text) of a layout."""
    out: list[tuple[bool, str]] = []
    at = 0
    for found in _ELEMENT.finditer(layout):
        text = found.group()
        if text in ("Jan", "Mon") and layout[found.end() : found.end() + 1].islower():
            continue  # part of a longer word
        if at < found.start():
            out.append((False, layout[at : found.start()]))
        out.append((True, text))
        at = found.end()
    if layout[at:]:
        out.append((False, layout[at:]))
    return tuple(out)


def zone(name: str) -> tzinfo:
    """The time zone. Raises ValueError."""
    if name in ("", "UTC"):
        return UTC
    if name == "Local":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name}") from None


def at_zone(ns: int, place: tzinfo) -> tuple[datetime, int]:
    """The local time, and the nanoseconds within its second."""
    seconds, fraction = divmod(ns, NS)
    utc = EPOCH.replace(tzinfo=UTC) + timedelta(seconds=seconds)
    return utc.astimezone(place), fraction


def to_ns(moment: datetime, fraction: int) -> int:
    """Nanoseconds since the epoch of an aware time."""
    delta = moment.astimezone(UTC) - EPOCH.replace(tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * NS + fraction


def format_time(moment: datetime, fraction: int, layout: str) -> str:
    return "".join(_write(text, moment, fraction) if special else text for special, text in _elements(layout))


def _offset(moment: datetime) -> int:
    found = moment.utcoffset()
    return int(found.total_seconds()) if found is not None else 0


def _write(element: str, t: datetime, fraction: int) -> str:
    if element[0] in ".,":
        digits = f"{fraction:09d}"[: len(element) - 1]
        if element[1] == "0":
            return element[0] + digits
        digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    if element[0] == "Z" or element.startswith("-07"):
        return _write_zone(element, _offset(t))
    return {
        "January": _MONTHS[t.month - 1], "Jan": _MONTHS[t.month - 1][:3], "Monday": _DAYS[t.weekday()],
        "Mon": _DAYS[t.weekday()][:3], "MST": _zone_name(t), "2006": f"{t.year:04d}", "06": f"{t.year % 100:02d}",
        "01": f"{t.month:02d}", "1": str(t.month), "02": f"{t.day:02d}", "_2": f"{t.day:2d}", "2": str(t.day),
        "002": f"{t.timetuple().tm_yday:03d}", "__2": f"{t.timetuple().tm_yday:3d}", "15": f"{t.hour:02d}",
        "03": f"{(t.hour + 11) % 12 + 1:02d}", "3": str((t.hour + 11) % 12 + 1), "04": f"{t.minute:02d}",
        "4": str(t.minute), "05": f"{t.second:02d}", "5": str(t.second), "PM": "PM" if t.hour >= 12 else "AM",
        "pm": "pm" if t.hour >= 12 else "am",
    }[element]  # fmt: skip


def _zone_name(t: datetime) -> str:
    name = t.tzname() or "UTC"
    return (
        name if not name.startswith("UTC") else "UTC" if _offset(t) == 0 else _write_zone("-0700", _offset(t))
    )


def _write_zone(element: str, offset: int) -> str:
    if element[0] == "Z" and offset == 0:
        return "Z"
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    colon = ":" if ":" in element else ""
    shown = f"{sign}{hours:02d}"
    pairs = len(element.replace(":", "")) // 2  # Z07, Z0700, Z070000
    if pairs >= 2:
        shown += f"{colon}{minutes:02d}"
    if pairs >= 3:
        shown += f"{colon}{seconds:02d}"
    return shown


# What each element reads: (pattern, field).
_READ: Final[dict[str, tuple[str, str]]] = {
    "January": ("(?i:" + "|".join(_MONTHS) + ")", "month name"),
    "Jan": ("(?i:" + "|".join(m[:3] for m in _MONTHS) + ")", "month name"),
    "Monday": ("(?i:" + "|".join(_DAYS) + ")", ""),
    "Mon": ("(?i:" + "|".join(d[:3] for d in _DAYS) + ")", ""),
    "MST": (r"[A-Z]{3,5}(?:[+-]\d{1,2})?|[+-]\d{2}", "zone name"),
    "2006": (r"\d{4}", "year"), "06": (r"\d{2}", "short year"),
    "01": (r"\d{2}", "month"), "1": (r"\d{1,2}", "month"),
    "02": (r"\d{2}", "day"), "_2": (r" ?\d{1,2}", "day"), "2": (r"\d{1,2}", "day"),
    "002": (r"\d{3}", "day of year"), "__2": (r" {0,2}\d{1,3}", "day of year"),
    "15": (r"\d{1,2}", "hour"), "03": (r"\d{2}", "half hour"), "3": (r"\d{1,2}", "half hour"),
    "04": (r"\d{2}", "minute"), "4": (r"\d{1,2}", "minute"),
    "05": (r"\d{2}", "second"), "5": (r"\d{1,2}", "second"),
    "PM": ("AM|PM", "half"), "pm": ("am|pm", "half"),
}  # fmt: skip

_ZONE: Final = {
    "Z07": r"Z|[+-]\d{2}", "Z0700": r"Z|[+-]\d{4}", "Z07:00": r"Z|[+-]\d{2}:\d{2}",
    "Z070000": r"Z|[+-]\d{6}", "Z07:00:00": r"Z|[+-]\d{2}:\d{2}:\d{2}",
    "-07": r"[+-]\d{2}", "-0700": r"[+-]\d{4}", "-07:00": r"[+-]\d{2}:\d{2}",
    "-070000": r"[+-]\d{6}", "-07:00:00": r"[+-]\d{2}:\d{2}:\d{2}",
}  # fmt: skip


_SPACES: Final = re.compile(r"(?:\\ )+")


# No element is read in two ways, as Go has it: a layout cannot make reading take long.
@remembered(256)
def _reader(layout: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    pattern: list[str] = []
    fields: list[str] = []
    elements = _elements(layout)
    for position, (special, text) in enumerate(elements):
        if not special:
            pattern.append(_SPACES.sub(" ++", re.escape(text)))
            continue
        if text[0] in ".,":
            digits = rf"\d{{{len(text) - 1}}}" if text[1] == "0" else r"\d*+"
            pattern.append(rf"((?>[.,]{digits}))" + ("?+" if text[1] == "9" else ""))
            fields.append("fraction")
        elif text in _ZONE:
            pattern.append(f"((?>{_ZONE[text]}))")
            fields.append("offset")
        else:
            expression, field = _READ[text]
            pattern.append(f"((?>{expression}))")
            fields.append(field)
            follows = elements[position + 1] if position + 1 < len(elements) else (False, "")
            # Go reads a fraction behind the seconds even where the layout has none.
            if field == "second" and not (follows[0] and follows[1][0] in ".,"):
                pattern.append(r"([.,]\d++)?+")
                fields.append("fraction")
    return re.compile("".join(pattern)), tuple(fields)


def parse_time(layout: str, text: str) -> int:
    """Nanoseconds since the epoch; UTC where the text has no zone. Raises ValueError."""
    pattern, fields = _reader(layout)
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{text}"')
    got = {
        field: value
        for field, value in zip(fields, found.groups(), strict=True)
        if field and value is not None
    }
    year = int(got.get("year", 0))
    if "short year" in got:
        year = int(got["short year"]) + (1900 if int(got["short year"]) >= 69 else 2000)
    month = int(got.get("month", 1))
    if "month name" in got:
        month = next(
            n for n, name in enumerate(_MONTHS, 1) if name[:3].lower() == got["month name"][:3].lower()
        )
    hour = int(got.get("hour", 0))
    if "half hour" in got:
        hour = int(got["half hour"])
        afternoon = got.get("half", "").upper() == "PM"
        hour = hour % 12 + 12 * afternoon if "half" in got else hour
    fraction = int((got.get("fraction", ".")[1:] + "0" * 9)[:9])
    offset = _read_offset(got.get("offset", ""))
    day, second, minute = int(got.get("day", 1)), int(got.get("second", 0)), int(got.get("minute", 0))
    try:
        if "day of year" in got:
            start = date(year, 1, 1) + timedelta(days=int(got["day of year"]) - 1)
            if start.year != year:
                raise ValueError("day-of-year out of range")
            month, day = start.month, start.day
        if not year:  # Go's year 0: beyond what can be told in nanoseconds
            raise ValueError("time outside of valid range")
        days = date(year, month, day).toordinal() - EPOCH.toordinal()
    except ValueError as error:
        problem = "time outside of valid range" if not year else f'parsing time "{text}": day out of range'
        raise ValueError(problem) from error
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f'parsing time "{text}": hour, minute or second out of range')
    return ((days * 86_400 + hour * 3600 + minute * 60 + second) - offset) * NS + fraction


def _read_offset(text: str) -> int:
    if text in ("", "Z"):
        return 0
    digits = text[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if text[0] == "-" else seconds
