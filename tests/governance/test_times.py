from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solon.governance.times import duration, instant, moment, period, shown, zone


@pytest.mark.parametrize(
    "text, place, expected",
    [
        ("2026-12-01", "UTC", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01", "Europe/Berlin", "2026-11-30T23:00:00+00:00"),
        ("2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00+00:00"),
        ("2026-12-01T09:30", "America/New_York", "2026-12-01T14:30:00+00:00"),
        ("2026-12-01 09:30:15Z", "America/New_York", "2026-12-01T09:30:15+00:00"),
        ("2026-12-01T09:30:15.25+02:00", "UTC", "2026-12-01T07:30:15.250000+00:00"),
        # What the clock skips (02:30 on the last Sunday of March), and what it shows twice (in October).
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
        # A day without a midnight.
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00+00:00"),
        # Leap seconds.
        ("2016-12-31T23:59:60Z", "UTC", "2017-01-01T00:00:00+00:00"),
        ("2016-12-31T15:59:60-08:00", "UTC", "2017-01-01T00:00:00+00:00"),
        # Far dates.
        ("9999-12-30", "UTC", "9999-12-30T00:00:00+00:00"),
        ("1900-01-01", "UTC", "1900-01-01T00:00:00+00:00"),
    ],
)
def test_moments(text, place, expected):
    assert moment(text, zone(place)).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "2026", "2026-13-01", "2026-02-29", "2026-12-01T25:00", "2026-12-01T10:00:61Z", "01.12.2026",
        "2026-12-01T10", "10000-01-01", "0000-01-01", "2026-12-01T10:00+99:00",
    ],
)  # fmt: skip
def test_what_is_no_moment(text):
    with pytest.raises(ValueError, match="is no date"):
        moment(text)


@pytest.mark.parametrize(
    "text, place", [("9999-12-31T23:00", "America/New_York"), ("0001-01-01", "Asia/Tokyo")]
)
def test_what_is_out_of_range(text, place):
    with pytest.raises(ValueError, match="is no date"):
        moment(text, zone(place))


@pytest.mark.parametrize("name", ["Mars/Base", "../../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_what_is_no_time_zone(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        ("2 w", timedelta(weeks=2)),
    ],
)
def test_durations(text, expected):
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5h", "1y", "999999d", "1d2h"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        duration(text)


def test_an_instant_keeps_its_microseconds():
    assert instant(1_700_000_000_123_456_789) == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "at, place, expected",
    [
        (datetime(2026, 12, 1, tzinfo=UTC), "UTC", "2026-12-01"),
        (datetime(2026, 11, 30, 23, tzinfo=UTC), "Europe/Berlin", "2026-12-01"),
        (datetime(2026, 12, 1, 9, 30, tzinfo=UTC), "UTC", "2026-12-01 09:30 UTC"),
        (datetime(2026, 12, 1, 9, 30, 7, tzinfo=UTC), "Europe/Berlin", "2026-12-01 10:30:07 CET"),
    ],
)
def test_moments_are_shown_as_people_write_them(at, place, expected):
    assert shown(at, zone(place)) == expected


@pytest.mark.parametrize(
    "length, expected",
    [
        (timedelta(days=3, hours=5), "3 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(hours=-5), "5 hours"),
        (timedelta(seconds=61), "1 minute"),
        (timedelta(seconds=3), "less than a minute"),
    ],
)
def test_periods(length, expected):
    assert period(length) == expected
