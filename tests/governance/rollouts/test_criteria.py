from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from solon.frameworks.policy import Stage
from solon.governance.rollouts.criteria import criteria, in_stage, percent
from solon.governance.rollouts.observations import Found, Seen
from solon.governance.rollouts.rollout import Exit, Rollout, Track, plan
from solon.subjects.files import Part, parsed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def days(
    counts: Sequence[int], *, until: datetime = NOW, units: int = 20, red: int = 0, errors: int = 0
) -> list[Seen]:
    """An observation a day, the last one now."""
    return [
        Seen(
            until - timedelta(days=len(counts) - 1 - n),
            Stage.WARN,
            100,
            units,
            Found(count, 0, red, 0, 0, errors),
        )
        for n, count in enumerate(counts)
    ]


def said(exit_: Exit, seen: list[Seen], now: datetime = NOW) -> dict[str, tuple[str, bool]]:
    return {each.name: (each.actual, each.holds) for each in criteria(exit_, seen, now, UTC)}


@pytest.mark.parametrize(
    ("exit_", "counts", "name", "actual", "holds"),
    [
        (Exit(days=3), [1, 1, 1], "days", "3", True),
        (Exit(days=4), [1, 1, 1], "days", "3", False),
        (Exit(days=0), [], "days", "0", True),
        (Exit(violations=5), [9, 5], "violations", "5", True),
        (Exit(violations=5), [1, 6], "violations", "6", False),
        (Exit(violations=0), [0], "violations", "0", True),
        (Exit(violations=5), [], "violations", "never observed in this stage", False),
        (Exit(trend="falling"), [9, 8, 7], "trend", "falling, from 9 to 7", True),
        (Exit(trend="falling"), [7, 7, 7], "trend", "level, from 7 to 7", False),
        (Exit(trend="not-rising"), [7, 7, 7], "trend", "level, from 7 to 7", True),
        (Exit(trend="not-rising"), [7, 7, 8], "trend", "rising, from 7 to 8", False),
        # Nothing left that could fall.
        (Exit(trend="falling"), [0, 0, 0], "trend", "level, from 0 to 0", True),
        # One peak in the middle, or at the end of a long way down, does not turn it.
        (Exit(trend="falling"), [9, 9, 9, 40, 3, 3, 2, 2, 2], "trend", "falling, from 9 to 2", True),
        (
            Exit(trend="falling"),
            [30, 30, 30, 20, 20, 20, 10, 10, 40],
            "trend",
            "falling, from 30 to 20",
            True,
        ),
        (Exit(trend="falling"), [9, 1], "trend", "2 of the 3 days that show one", False),
    ],
)
def test_criteria(exit_: Exit, counts: list[int], name: str, actual: str, holds: bool) -> None:
    assert said(exit_, days(counts)) == {name: (actual, holds)}


@pytest.mark.parametrize(
    ("green", "units", "red", "actual", "holds"),
    [
        ("95%", 20, 1, "95%, 19 of 20", True),
        ("95%", 20, 2, "90%, 18 of 20", False),
        (0.95, 20, 1, "95%, 19 of 20", True),
        ("100%", 3000, 1, "99.9%, 2,999 of 3,000", False),
        ("0%", 4, 4, "0%, 0 of 4", True),
        # Where there is no team at all, none is red.
        ("100%", 0, 0, "100%, 0 of 0", True),
        # 0.7 * 10 is 7.000000000000001 in binary.
        ("70%", 10, 3, "70%, 7 of 10", True),
    ],
)
def test_the_share_of_teams(green: str | float, units: int, red: int, actual: str, holds: bool) -> None:
    found = said(Exit(green=green), days([1], units=units, red=red))
    assert found == {"green": (actual, holds)}


def test_days_are_those_of_the_time_zone() -> None:
    # 23:30 and 00:30 in Berlin, in one day of UTC.
    times = [datetime(2026, 11, 19, 22, 30, tzinfo=UTC), datetime(2026, 11, 19, 23, 30, tzinfo=UTC)]
    seen = [Seen(at, Stage.WARN, 1, 1, Found()) for at in times]
    exit_ = Exit(days=2)
    assert [c.holds for c in criteria(exit_, seen, NOW, UTC)] == [False]
    assert [c.holds for c in criteria(exit_, seen, NOW, ZoneInfo("Europe/Berlin"))] == [True]


def test_an_old_observation_says_nothing_of_now() -> None:
    exit_ = Exit(days=3, violations=5, green="50%", trend="falling")
    seen = days([3, 2, 1], until=NOW - timedelta(hours=48))
    assert all(holds for _, holds in said(exit_, seen).values())
    late = said(exit_, seen, NOW + timedelta(seconds=1))
    assert late.pop("days") == ("3", True)
    assert set(late.values()) == {("last observed 2 days ago", False)}


def test_a_policy_that_fails_is_not_ready() -> None:
    found = said(Exit(violations=5), days([0], errors=2))
    assert found == {"violations": ("0", True), "errors": ("2 failures of the policy", False)}


ROLLOUT = """
policy: a
default: dryrun
scopes:
  - name: all
    stages:
      - {stage: warn, from: 2026-11-10}
      - {stage: enforce, from: 2026-11-18, grace: 5d}
"""


def track() -> Track:
    (part,) = parsed(ROLLOUT, "r.yaml", Rollout, "rollout")
    assert isinstance(part, Part)
    found, problems = plan(part, UTC)
    assert found is not None
    assert not problems
    return found.tracks[0]


@pytest.mark.parametrize(
    ("now", "dates"),
    [
        ("2026-11-09", ["2026-11-08", "2026-11-09"]),  # the default has no beginning
        ("2026-11-12", ["2026-11-10", "2026-11-11", "2026-11-12"]),
        # A grace period is the stage that it was; what was seen when it was another one does not count.
        ("2026-11-19", ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-19"]),
        ("2026-11-23", ["2026-11-23"]),
    ],
)
def test_what_was_seen_since_the_stage_began(now: str, dates: list[str]) -> None:
    stages = {
        "2026-11-08": Stage.DRYRUN,
        "2026-11-09": Stage.DRYRUN,
        "2026-11-10": Stage.WARN,
        "2026-11-11": Stage.WARN,
        "2026-11-12": Stage.WARN,
        "2026-11-13": Stage.DRYRUN,  # the file said something else that day
        "2026-11-19": Stage.WARN,
        "2026-11-23": Stage.ENFORCE,
    }
    seen = [Seen(datetime.fromisoformat(f"{d}T00:00Z"), s, 1, 1, Found()) for d, s in stages.items()]
    found = in_stage(seen, track(), datetime.fromisoformat(f"{now}T06:00Z"))
    assert [f"{each.time:%Y-%m-%d}" for each in found] == dates


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100%"), (0.9999, "99.9%"), (0.95, "95%"), (0.0, "0%"), (2 / 3, "66.6%")]
)
def test_percentages_are_rounded_down(share: float, text: str) -> None:
    assert percent(share) == text
