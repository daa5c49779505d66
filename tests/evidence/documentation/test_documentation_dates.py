from __future__ import annotations

import pytest

from solon.evidence.documentation.dates import NoDate, moment


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2026-10-01", "2026-10-01T00:00:00+00:00"),
        ("2026/1/5", "2026-01-05T00:00:00+00:00"),
        ("2026-10-01T12:30:00Z", "2026-10-01T12:30:00+00:00"),
        ("2026-10-01T12:30:00+02:00", "2026-10-01T10:30:00+00:00"),
        ("2026-10-01 12:30", "2026-10-01T12:30:00+00:00"),
        ("1 October 2026", "2026-10-01T00:00:00+00:00"),
        ("October 1, 2026", "2026-10-01T00:00:00+00:00"),
        ("Oct. 1st, 2026", "2026-10-01T00:00:00+00:00"),
        ("01-Oct-2026", "2026-10-01T00:00:00+00:00"),
        ("October 2026", "2026-10-01T00:00:00+00:00"),  # the oldest that it can be
    ],
)
def test_dates_as_people_write_them(text, expected):
    assert moment(text).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "10/01/2026",  # of January or October
        "2026-13-01",
        "2026-02-30",
        "2026",
        "soon",
        "last week",
        "1 Foo 2026",
        "1 October 2 2026",
        "20261001",
        "0000-01-01",
        "9999-12-31T23:59:59-01:00",
        "",
    ],
)
def test_what_is_no_date_or_could_be_two(text):
    with pytest.raises(NoDate, match="write it as 2026-01-31"):
        moment(text)
