"""time and its timespaces: the documentation's examples, zones, exact nanoseconds, odd times."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import MISSING, call, opened

from solon.lang.sentinel.values import Failure, Undefined, equals

NOWHERE = Undefined("no key")
MOMENT = "2019-11-16T01:20:30Z"


def load(value: object, **config: str) -> Any:
    return call(opened("time", config=config), "load", value)


@pytest.mark.parametrize(
    ("value", "name", "result"),
    [
        (MOMENT, "hour", 1),
        (MOMENT, "minute", 20),
        (MOMENT, "second", 30),
        (MOMENT, "day", 16),
        (MOMENT, "month", 11),
        (MOMENT, "month_name", "November"),
        (MOMENT, "weekday", 6),
        (MOMENT, "weekday_name", "Saturday"),
        (MOMENT, "year", 2019),
        (MOMENT, "unix", 1573867230),
        (MOMENT, "unix_nano", 1573867230000000000),
        (MOMENT, "zone", 0),
        (MOMENT, "zone_string", "+00:00"),
        ("2019-11-16T01:20:30-08:00", "zone", -28800),
        ("2019-11-16T01:20:30-08:00", "zone_string", "-08:00"),
        ("2019-11-16T01:20:30-08:00", "hour", 1),
        ("2019-11-16T01:20:30-08:00", "unix", 1573896030),
        ("2019-11-16T01:20:30+05:30", "zone", 19800),
        ("2019-11-16T01:20:30+05:30", "zone_string", "+05:30"),
        ("2019-11-17T01:20:30Z", "weekday", 0),
        ("2019-11-17T01:20:30Z", "weekday_name", "Sunday"),
        ("2019-11-16T01:20:30.5Z", "unix_nano", 1573867230500000000),
        ("2019-11-16T01:20:30.1234567899Z", "unix_nano", 1573867230123456789),
        (0, "year", 1970),
        (0, "weekday_name", "Thursday"),
        (-1, "second", 59),
        (-1, "unix", -1),
        (1573867230, "hour", 1),
        (1.5, "unix_nano", 1500000000),
        ("1969-12-31T23:59:59.5Z", "unix", -1),
        ("0001-01-01T00:00:00Z", "unix", -62135596800),
        ("9999-12-31T23:59:59Z", "unix", 253402300799),
    ],
)
def test_load(value: object, name: str, result: object) -> None:
    found = load(value).get(name, MISSING)
    assert (type(found), found) == (type(result), result)


def test_now_is_the_moment_of_the_evaluation() -> None:
    members = opened("time")
    now = members.get("now", MISSING)
    assert (now.get("unix_nano", None), now.get("hour", None)) == (1573867230123456789, 1)
    assert members.get("now", MISSING) is now
    assert str(now) == "2019-11-16T01:20:30.123456789Z"


@pytest.mark.parametrize(
    ("zone", "hour", "zone_string", "name"),
    [
        ("Australia/Brisbane", 11, "+10:00", "Saturday"),
        ("America/New_York", 20, "-05:00", "Friday"),
        ("Asia/Kathmandu", 7, "+05:45", "Saturday"),
        ("UTC", 1, "+00:00", "Saturday"),
    ],
)
def test_the_configured_zone(zone: str, hour: int, zone_string: str, name: str) -> None:
    now: Any = opened("time", config={"timezone": zone}).get("now", MISSING)
    assert [now.get(key, None) for key in ("hour", "zone_string", "weekday_name")] == [
        hour,
        zone_string,
        name,
    ]
    assert load(1573867230, timezone=zone).get("hour", None) == hour
    # A time that says where it is stays there.
    assert load(MOMENT, timezone=zone).get("hour", None) == 1


def test_a_summer_s_offset_is_not_a_winter_s() -> None:
    winter = load(1573867230, timezone="Europe/Berlin")
    summer = call(winter, "add", -120 * 24 * 3600 * 10**9)
    assert (winter.get("zone_string", None), summer.get("zone_string", None)) == ("+01:00", "+02:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", 5, None])
def test_a_zone_that_is_none(zone: object) -> None:
    with pytest.raises(
        Failure, match=r"^time: there is no time zone .* \(`timezone` in the configuration\)$"
    ):
        opened("time", config={"timezone": zone})


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("nanosecond", "2019-11-16T01:20:30.000000001Z"),
        ("microsecond", "2019-11-16T01:20:30.000001Z"),
        ("millisecond", "2019-11-16T01:20:30.001Z"),
        ("second", "2019-11-16T01:20:31Z"),
        ("minute", "2019-11-16T01:21:30Z"),
        ("hour", "2019-11-16T02:20:30Z"),
    ],
)
def test_units(unit: str, text: str) -> None:
    assert str(call(load(MOMENT), "add", opened("time").get(unit, MISSING))) == text


@pytest.mark.parametrize(
    ("name", "argument", "result"),
    [
        ("before", "2019-11-15T01:20:30Z", False),
        ("before", "2019-11-16T01:20:30.000000001Z", True),
        ("after", "2019-11-15T01:20:30Z", True),
        ("after", MOMENT, False),
        ("equal", "2019-11-15T01:20:30Z", False),
        ("equal", "2019-11-16T02:20:30+01:00", True),
        ("equal", 1573867230, True),
        ("sub", "2019-11-16T04:20:30Z", -3 * 3600 * 10**9),
        ("sub", "0001-01-01T00:00:00Z", 9223372036854775807),
        ("sub", "9999-01-01T00:00:00Z", -9223372036854775808),
    ],
)
def test_methods(name: str, argument: object, result: object) -> None:
    assert call(load(MOMENT), name, argument) == result
    assert call(load(MOMENT), name, load(argument)) == result


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (1.9, "2019-11-16T01:20:30.000000001Z"),
        (-1.9, "2019-11-16T01:20:29.999999999Z"),
        (3.6e12, "2019-11-16T02:20:30Z"),
        (-1, "2019-11-16T01:20:29.999999999Z"),
    ],
)
def test_a_duration_may_be_a_float_which_is_truncated(duration: float, text: str) -> None:
    assert str(call(load(MOMENT), "add", duration)) == text


def test_the_page_s_round_trip() -> None:
    duration = call(load(MOMENT), "sub", "2019-11-16T04:20:30Z")
    assert equals(call(load("2019-11-16T04:20:30Z"), "add", duration), load(MOMENT))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("yesterday", "time: this is not a time as RFC 3339 has it: 'yesterday'"),
        ("2019-11-16", "time: this is not a time as RFC 3339 has it: '2019-11-16'"),
        ("2019-11-16 01:20:30Z", "time: this is not a time as RFC 3339 has it: '2019-11-16 01:20:30Z'"),
        ("2019-11-16T01:20:30", "time: this is not a time as RFC 3339 has it: '2019-11-16T01:20:30'"),
        ("2019-02-30T00:00:00Z", "time: there is no such time: '2019-02-30T00:00:00Z'"),
        ("2019-02-01T24:00:00Z", "time: there is no such time: '2019-02-01T24:00:00Z'"),
        ("2019-02-01T00:00:00+24:00", "time: there is no such time: '2019-02-01T00:00:00+24:00'"),
        ("0000-01-01T00:00:00Z", "time: there is no such time: '0000-01-01T00:00:00Z'"),
        (10**18, "time: the years of a time are 1 to 9999"),
        (-(2**63), "time: the years of a time are 1 to 9999"),
        (math.nan, "time: this is no time: nan"),
        (math.inf, "time: this is no time: inf"),
        (1e300, "time: the years of a time are 1 to 9999"),
        (
            None,
            "time.load: the argument must be seconds, a time as RFC 3339 has it, or a timespace, not null",
        ),
    ],
)
def test_what_is_no_time(value: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        load(value)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        (math.inf, "time.add: this is no duration: inf"),
        ("1h", "time.add: the argument must be a number, not string"),
    ],
)
def test_what_is_no_duration(duration: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(load(MOMENT), "add", duration)
    assert raised.value.message == message


def test_undefined() -> None:
    assert load(NOWHERE) is NOWHERE
    assert call(load(MOMENT), "before", NOWHERE) is NOWHERE
    assert load(MOMENT).get("none", MISSING) is MISSING


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_nanoseconds_are_exact(ns: int, more: int) -> None:
    moment: Any = opened("time", now_ns=ns).get("now", MISSING)
    later = call(moment, "add", more)
    assert later.get("unix_nano", None) == ns + more if abs(ns + more) < 2**63 else True
    assert call(later, "sub", moment) == more
    seconds = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // 10**9)
    assert [moment.get(key, None) for key in ("year", "month", "day", "hour", "minute", "second")] == [
        seconds.year, seconds.month, seconds.day, seconds.hour, seconds.minute, seconds.second,
    ]  # fmt: skip
    assert equals(load(str(moment)), moment) is True
