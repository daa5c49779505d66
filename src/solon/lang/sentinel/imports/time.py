"""``time``: the moment of the evaluation, other moments, and what a calendar says about them.

A moment is an exact number of nanoseconds; its zone only says how it is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from typing import Final

from solon.lang.sentinel.imports.declare import NUMBER, Method, Namespace, function, kind, method, named
from solon.lang.sentinel.values import Failure, Surroundings, Value, wrapped

NANOSECOND: Final = 1
MICROSECOND: Final = 1_000 * NANOSECOND
MILLISECOND: Final = 1_000 * MICROSECOND
SECOND: Final = 1_000 * MILLISECOND
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = (1 << 63) - 1
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,40}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Timespace:
    ns: int  # since the epoch
    local: datetime  # the same in its zone, down to the second

    @property
    def type_name(self) -> str:
        return "map"

    @property
    def shown(self) -> str:
        return str(self)

    def get(self, name: str, default: Value) -> Value:
        component = _COMPONENTS.get(name)
        if component is not None:
            return component(self)
        found = _METHODS.get(name)
        return default if found is None else found.of(self)

    def __str__(self) -> str:
        fraction = self.ns % SECOND
        digits = f".{fraction:09d}".rstrip("0") if fraction else ""
        zone = zone_string(self) if offset(self) else "Z"
        return f"{self.local.replace(tzinfo=None).isoformat()}{digits}{zone}"


def timespace(ns: int, zone: tzinfo) -> Timespace:
    try:
        return Timespace(ns, (_EPOCH + timedelta(seconds=ns // SECOND)).astimezone(zone))
    except (OverflowError, ValueError):
        raise Failure("time: the years of a time are 1 to 9999") from None


def offset(moment: Timespace) -> int:
    """Seconds east of UTC."""
    found = moment.local.utcoffset()
    return 0 if found is None else found // timedelta(seconds=1)


def zone_string(moment: Timespace) -> str:
    seconds = offset(moment)
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"


_COMPONENTS: Final[dict[str, Callable[[Timespace], Value]]] = {
    "day": lambda moment: moment.local.day,
    "hour": lambda moment: moment.local.hour,
    "minute": lambda moment: moment.local.minute,
    "month": lambda moment: moment.local.month,
    "month_name": lambda moment: _MONTHS[moment.local.month - 1],
    "second": lambda moment: moment.local.second,
    "unix": lambda moment: moment.ns // SECOND,
    "unix_nano": lambda moment: wrapped(moment.ns),
    "weekday": lambda moment: moment.local.isoweekday() % 7,
    "weekday_name": lambda moment: _DAYS[moment.local.isoweekday() % 7],
    "year": lambda moment: moment.local.year,
    "zone": offset,
    "zone_string": zone_string,
}


def _loaded(zone: tzinfo, value: Value) -> Timespace:
    """The moment that anything like a time stands for: seconds since the epoch, RFC 3339, a timespace."""
    if type(value) is Timespace:
        return value
    if type(value) is str:
        return _parsed(value)
    if type(value) is int:
        return timespace(value * SECOND, zone)
    if not math.isfinite(value):
        raise Failure(f"time: this is no time: {value}")
    return timespace(int(value) * SECOND + round(value % 1 * SECOND), zone)


def _parsed(text: str) -> Timespace:
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise Failure(f"time: this is not a time as RFC 3339 has it: {text[:60]!r}")
    year, month, day, hour, minute, second = (int(found[group]) for group in range(1, 7))
    fraction = int((found[7] or "").ljust(9, "0")[:9])
    hours, minutes = int(found[9] or 0), int(found[10] or 0)
    try:
        if hours > 23 or minutes > 59:
            raise ValueError
        east = timedelta(hours=hours, minutes=minutes) * (-1 if found[8] == "-" else 1)
        zone = timezone(east) if east else UTC
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return timespace((local - _EPOCH) // timedelta(seconds=1) * SECOND + fraction, zone)
    except (ValueError, OverflowError):
        raise Failure(f"time: there is no such time: {text[:60]!r}") from None


def _add(moment: Timespace, duration: Value) -> Timespace:
    if not math.isfinite(duration):
        raise Failure(f"time.add: this is no duration: {duration}")
    return timespace(moment.ns + int(duration), moment.local.tzinfo or UTC)


def _sub(moment: Timespace, other: Value) -> int:
    """Nanoseconds; as many as 64 bits hold where there are more."""
    return max(-_LONGEST - 1, min(_LONGEST, moment.ns - _loaded(UTC, other).ns))


_TIMEISH: Final = kind("seconds, a time as RFC 3339 has it, or a timespace", int, float, str, Timespace)
_METHODS: Final[dict[str, Method]] = named(
    "time",
    method("time.add", _add, NUMBER),
    method("time.after", lambda one, other: one.ns > _loaded(UTC, other).ns, _TIMEISH),
    method("time.before", lambda one, other: one.ns < _loaded(UTC, other).ns, _TIMEISH),
    method("time.equal", lambda one, other: one.ns == _loaded(UTC, other).ns, _TIMEISH),
    method("time.sub", _sub, _TIMEISH),
)


def _zone(name: Value) -> tzinfo:
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise Failure(f"time: there is no time zone {name!r} (`timezone` in the configuration)") from None


def opened(surroundings: Surroundings, config: Mapping[str, Value]) -> Namespace:
    zone = _zone(config.get("timezone", "UTC"))
    return Namespace(
        named("time", function("time.load", partial(_loaded, zone), _TIMEISH))
        | {
            "now": timespace(surroundings.now_ns, zone),
            "nanosecond": NANOSECOND,
            "microsecond": MICROSECOND,
            "millisecond": MILLISECOND,
            "second": SECOND,
            "minute": MINUTE,
            "hour": HOUR,
        }
    )
