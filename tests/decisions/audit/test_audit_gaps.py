"""Gaps, counted by hand. 2026-06-01 is a Monday."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.audit.gaps import Gap, uncovered, without_decisions


def day(number: int) -> date:
    """The day that is so many days behind Monday, 2026-06-01."""
    return date(2026, 6, 1) + timedelta(days=number)


WORKDAYS = {day(week * 7 + at): 10 for week in range(4) for at in range(5)}


@pytest.mark.parametrize(
    ("counts", "first", "last", "found"),
    [
        pytest.param({}, 0, 27, [], id="never a decision"),
        pytest.param({day(0): 1, day(1): 2}, 0, 1, [], id="none"),
        pytest.param({day(3): 1}, 0, 3, [], id="before the first decision is no gap"),
        pytest.param({day(-3): 1, day(3): 1}, 0, 2, [(0, 2)], id="it began before the period"),
        pytest.param({day(0): 1, day(2): 1, day(4): 1}, 0, 6, [(1, 1), (3, 3), (5, 6)], id="days in a row are one"),
        pytest.param({day(0): 1, day(9): 1}, 2, 4, [(2, 4)], id="within the period alone"),
    ],
)  # fmt: skip
def test_days_without_a_decision(
    counts: dict[date, int], first: int, last: int, found: list[tuple[int, int]]
) -> None:
    gaps = without_decisions(counts, day(first), day(last))
    assert [(gap.first, gap.last) for gap in gaps] == [(day(a), day(b)) for a, b in found]


def test_weekends_are_usual_where_nobody_works_then() -> None:
    gaps = without_decisions(WORKDAYS, day(0), day(27))
    assert [(gap.first, gap.days, gap.usual, gap.expected) for gap in gaps] == [
        (day(5), 2, 0, True),
        (day(12), 2, 0, True),
        (day(19), 2, 0, True),
        (day(26), 2, 0, True),
    ]


def test_a_workday_without_a_decision_is_unusual() -> None:
    counts = {at: count for at, count in WORKDAYS.items() if at not in {day(8), day(9)}}
    unusual = [gap for gap in without_decisions(counts, day(0), day(27)) if not gap.expected]
    assert unusual == [Gap(day(8), day(9), 20.0)]


def test_silence_does_not_become_usual_by_lasting() -> None:
    counts = {at: count for at, count in WORKDAYS.items() if at < day(7)}
    (weekend_and_after,) = without_decisions(counts, day(0), day(99))
    assert (weekend_and_after.first, weekend_and_after.last) == (day(5), day(99))
    assert not weekend_and_after.expected


def test_what_was_usual_before_the_period_counts() -> None:
    (gap,) = without_decisions(WORKDAYS, day(28), day(32))
    assert gap == Gap(day(28), day(32), 50.0)


@given(st.sets(st.integers(0, 60), max_size=40), st.integers(0, 60), st.integers(0, 60))
def test_each_day_is_in_a_gap_or_has_a_decision(days: set[int], first: int, length: int) -> None:
    last = first + length
    gaps = without_decisions({day(each): 1 for each in days}, day(first), day(last))
    silent = {gap.first + timedelta(days=at) for gap in gaps for at in range(gap.days)}
    begun = min(days, default=1_000)
    expected = {day(each) for each in range(max(first, begun), last + 1) if each not in days}
    assert silent == expected
    assert sum(gap.days for gap in gaps) == len(expected)


@pytest.mark.parametrize(
    ("periods", "found"),
    [
        ([], [(10, 20)]),
        ([(0, None)], []),
        ([(10, 20)], []),
        ([(12, 15)], [(10, 12), (15, 20)]),
        ([(0, 12), (15, None)], [(12, 15)]),
        ([(15, None), (0, 12)], [(12, 15)]),
        ([(0, 14), (12, 16)], [(16, 20)]),
        ([(25, None)], [(10, 20)]),
        ([(0, 5)], [(10, 20)]),
    ],
)
def test_times_in_no_period(periods: list[tuple[int, int | None]], found: list[tuple[int, int]]) -> None:
    assert uncovered(periods, 10, 20) == found
