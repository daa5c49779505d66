"""time.*: nanoseconds since the epoch, alone or as ``[ns, "Europe/Berlin"]``."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins.go_time import (
    NAMED,
    NS,
    at_zone,
    format_time,
    parse_time,
    to_ns,
    zone,
)
from solon.lang.rego.builtins.registry import Builtin, Context, int64, string, wrong_type
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Value

_CHARACTER_STEPS: Final = 20
_LOW: Final = -(2**63)
_HIGH: Final = 2**63 - 1


def _in_range(ns: int) -> int:
    if not _LOW <= ns <= _HIGH:
        raise BuiltinError("time outside of valid range")
    return ns


def _operand(value: Value, position: int) -> tuple[int, tzinfo, str]:
    """Nanoseconds, zone and layout."""
    place, layout = "", ""
    if type(value) is list:
        if not 1 <= len(value) <= 3:
            raise OperandError(position, "must be either number (ns) or [number (ns), string (tz)]")
        ns = value[0]
        place = string(value[1], position) if len(value) > 1 else ""
        layout = string(value[2], position) if len(value) > 2 else ""
    elif type(value) in (int, float):
        ns = value
    else:
        raise wrong_type(value, position, "one of {number, array}")
    if type(ns) not in (int, float):
        raise wrong_type(ns, position, "number")
    if type(ns) is float and not ns.is_integer():
        raise OperandError(position, "must be integer number but got floating-point number")
    ns = int(ns)
    if not _LOW <= ns <= _HIGH:
        raise BuiltinError("timestamp too big")
    try:
        return ns, zone(place), layout
    except ValueError as error:
        raise BuiltinError(str(error)) from None


def _local(value: Value, position: int = 1) -> tuple[datetime, int]:
    ns, place, _ = _operand(value, position)
    return at_zone(ns, place)


def now_ns(context: Context) -> int:
    return context.now_ns


def parse_ns(layout: Value, text: Value) -> int:
    form = string(layout, 1)
    spend(_CHARACTER_STEPS * len(form) + len(string(text, 2)))
    try:
        return _in_range(parse_time(NAMED.get(form, form), text))
    except ValueError as error:
        raise BuiltinError(str(error)) from None


def parse_rfc3339_ns(text: Value) -> int:
    return parse_ns("RFC3339", text)


_DURATION: Final = re.compile(r"(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(ns|us|µs|μs|ms|s|m|h|d|w|y)")
_UNITS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": NS, "m": 60 * NS, "h": 3600 * NS,
    "d": 86400 * NS, "w": 7 * 86400 * NS, "y": 365 * 86400 * NS,
}  # fmt: skip


def parse_duration_ns(text: Value) -> int:
    body = string(text, 1)
    spend(_CHARACTER_STEPS // 2 * len(body))
    sign = -1 if body.startswith("-") else 1
    body = body[1:] if body[:1] in ("-", "+") else body
    if body == "0":
        return 0
    total, at = 0, 0
    for found in _DURATION.finditer(body):
        if found.start() != at:
            break
        whole, _, fraction = found[1].partition(".")
        unit = _UNITS[found[2]]
        total += int(whole or 0) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
        at = found.end()
    if at == 0 or at != len(body) or total > _HIGH + (sign < 0):
        raise BuiltinError(f'time: invalid duration "{text}"')
    return sign * total


def date_(value: Value) -> list[int]:
    moment, _ = _local(value)
    return [moment.year, moment.month, moment.day]


def clock(value: Value) -> list[int]:
    moment, _ = _local(value)
    return [moment.hour, moment.minute, moment.second]


def weekday(value: Value) -> str:
    moment, fraction = _local(value)
    return format_time(moment, fraction, "Monday")


def format_(value: Value) -> str:
    ns, place, layout = _operand(value, 1)
    moment, fraction = at_zone(ns, place)
    spend(_CHARACTER_STEPS * len(layout))
    return format_time(moment, fraction, NAMED.get(layout, layout) or NAMED["RFC3339Nano"])


def add_date(value: Value, years: Value, months: Value, days: Value) -> int:
    """Go's AddDate: the sum is normalised, so that October 32nd is November 1st."""
    moment, fraction = _local(value)
    plus_years, plus_months, plus_days = int64(years, 2), int64(months, 3), int64(days, 4)
    total = moment.month - 1 + plus_months
    year, month = moment.year + plus_years + total // 12, total % 12 + 1
    try:
        first = date(year, month, 1) + timedelta(days=moment.day - 1 + plus_days)
        shifted = moment.replace(year=first.year, month=first.month, day=first.day)
        return _in_range(to_ns(shifted, fraction))
    except (ValueError, OverflowError):
        raise BuiltinError("time outside of valid range") from None


def diff(first: Value, second: Value) -> list[int]:
    """[years, months, days, hours, minutes, seconds] between two times, in the first one's zone."""
    ns1, place, _ = _operand(first, 1)
    ns2, _, _ = _operand(second, 2)
    if ns1 > ns2:
        ns1, ns2 = ns2, ns1
    a, b = at_zone(ns1, place)[0], at_zone(ns2, place)[0]
    parts = [
        b.year - a.year, b.month - a.month, b.day - a.day, b.hour - a.hour, b.minute - a.minute,
        b.second - a.second,
    ]  # fmt: skip
    for position, base in ((5, 60), (4, 60), (3, 24)):
        if parts[position] < 0:
            parts[position] += base
            parts[position - 1] -= 1
    if parts[2] < 0:
        # days of the month the first time is in
        following = date(a.year + a.month // 12, a.month % 12 + 1, 1)
        parts[2] += (following - date(a.year, a.month, 1)).days
        parts[1] -= 1
    if parts[1] < 0:
        parts[1] += 12
        parts[0] -= 1
    return parts


def _time(name: str, types: str, result: str, function: Any) -> Builtin:
    return Builtin(f"time.{name}", f"({types}) -> {result}", function)


_WHEN: Final = "number|array<number, string>"

BUILTINS = (
    Builtin("time.now_ns", "() -> number", now_ns, contextual=True),
    _time("parse_ns", "string, string", "number", parse_ns),
    _time("parse_rfc3339_ns", "string", "number", parse_rfc3339_ns),
    _time("parse_duration_ns", "string", "number", parse_duration_ns),
    _time("date", _WHEN, "array<number, number, number>", date_),
    _time("clock", _WHEN, "array<number, number, number>", clock),
    _time("weekday", _WHEN, "string", weekday),
    _time("format", f"{_WHEN}|array<number, string, string>", "string", format_),
    _time("add_date", "number, number, number, number", "number", add_date),
    _time("diff", f"{_WHEN}, {_WHEN}", f"array<{', '.join(['number'] * 6)}>", diff),
)
