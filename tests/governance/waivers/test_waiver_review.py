"""What is to be done about waivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from solon.governance.waivers.review import Health, Review, by_owner, review, unused
from solon.governance.waivers.waiver import WaiverSettings, rules

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
POLICIES = ["a.low", "a.medium", "a.high", "b.critical"]
ENTRY = "- {{id: {id}, policy: {policy}, scope: {{namespace: {id}}}, owner: {owner}, reason: why, approved_by: ciso, created: {created}, expires: {expires}}}\n"


def entry(name: str, created: str, expires: str, policy: str = "a.low", owner: str = "team-a") -> str:
    return ENTRY.format(id=name, created=created, expires=expires, policy=policy, owner=owner)


@dataclass
class Seen:
    time: datetime
    waivers: Mapping[str, int]


@pytest.fixture
def reviewed(check_waivers):
    def run(text: str, *looks: Seen, now: datetime = NOW) -> Review:
        return review(check_waivers(text), POLICIES, looks, rules(WaiverSettings()), now)

    return run


@pytest.mark.parametrize(
    "now, expired, expiring",
    [
        ("2026-11-14T23:59:59Z", [], []),
        ("2026-11-15T00:00:00Z", [], ["x"]),
        ("2026-12-14T23:59:59Z", [], ["x"]),
        ("2026-12-15T00:00:00Z", ["x"], []),
    ],
)
def test_reminders_begin_thirty_days_before_and_end_with_the_waiver(reviewed, now, expired, expiring):
    found = reviewed(entry("x", "2026-09-01", "2026-12-15"), now=datetime.fromisoformat(now))
    assert [each.id for each in found.expired] == expired
    assert [each.id for each in found.expiring] == expiring


def test_one_that_is_to_come_is_not_about_to_expire(reviewed):
    found = reviewed(entry("x", "2026-12-05", "2026-12-15"))
    assert (found.expired, found.expiring, found.health.pending) == ([], [], 1)


def test_names_that_no_policy_has(reviewed):
    several = entry("x", "2026-11-01", "2026-12-30", policy="[a.low, a.lwo]") + entry(
        "z", "2026-11-01", "2026-11-30", policy="'c.*'"
    )
    assert [(each.id, glob) for each, glob in reviewed(several).unknown] == [("z", "c.*"), ("x", "a.lwo")]
    assert not reviewed(entry("x", "2026-11-01", "2026-12-01", policy="'b.*'")).unknown


def test_owners_are_one_however_they_are_spelt(check_waivers):
    several = "".join(
        entry(name, "2026-11-01", "2026-12-30", owner=owner)
        for name, owner in (("w1", "team-b"), ("w2", "'@Team-A'"), ("w3", "TEAM-B"), ("w4", "team-a"))
    )
    owned = by_owner(check_waivers(several).exemptions)
    assert {owner: [each.id for each in several] for owner, several in owned.items()} == {
        "@Team-A": ["w2", "w4"],
        "team-b": ["w1", "w3"],
    }


@pytest.mark.parametrize(
    "created, median",
    [
        ([], timedelta()),
        (["2026-11-01"], timedelta(days=30, hours=12)),
        (["2026-11-01", "2026-11-21"], timedelta(days=20, hours=12)),
        (["2026-11-01", "2026-11-21", "2026-11-30"], timedelta(days=10, hours=12)),
    ],
)
def test_the_median_age(reviewed, created, median):
    several = "".join(entry(f"n{n}", day, "2027-02-01") for n, day in enumerate(created))
    health = reviewed(several).health
    assert health.median_age == median
    assert health.oldest == (timedelta(days=30, hours=12) if created else timedelta())


def test_waivers_as_numbers(reviewed):
    renewed = entry("r", "2026-11-01", "2027-02-01", owner="'@team-b'").replace(
        "reason: why", "reason: new, history: [{created: 2026-01-01, expires: 2026-11-02, reason: old}]"
    )
    found = reviewed(
        entry("gone", "2026-10-01", "2026-11-01")
        + entry("soon", "2026-11-01", "2026-12-20")
        + entry("late", "2026-12-02", "2026-12-20")
        + renewed
    )
    assert found.health == Health(
        active=2,
        pending=1,
        expired=1,
        expiring=1,
        renewed=1,
        median_age=(timedelta(days=334, hours=12) + timedelta(days=30, hours=12)) / 2,
        oldest=timedelta(days=334, hours=12),
        by_owner={"team-a": 1, "@team-b": 1},
    )


def test_overlaps_are_told(reviewed):
    text = entry("x", "2026-11-01", "2026-12-30") + entry("x", "2026-11-02", "2026-12-30").replace(
        "id: x", "id: z"
    )
    assert [(each.one.id, each.other.id) for each in reviewed(text).overlapping] == [("x", "z")]
    assert reviewed(text).warned


# --- Unused


def looks(every: timedelta, since: str, used: Mapping[str, str] | None = None) -> list[Seen]:
    """Observations until NOW; ``used``: until when each waiver matched something."""
    out = []
    time = datetime.fromisoformat(since).replace(tzinfo=UTC)
    while time <= NOW:
        seen = {
            n: 1
            for n, until in (used or {}).items()
            if time <= datetime.fromisoformat(until).replace(tzinfo=UTC)
        }
        out.append(Seen(time, seen))
        time += every
    return out


DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    "seen, found",
    [
        (looks(DAY, "2026-11-01"), ["x"]),
        (looks(WEEK, "2026-11-01"), ["x"]),
        (looks(8 * DAY, "2026-11-01"), []),  # looked away for more than a quarter of the time
        (looks(DAY, "2026-11-20"), []),  # not looked for long enough
        ([], []),
        (looks(DAY, "2026-10-01", {"x": "2026-12-01"}), []),
        (looks(DAY, "2026-10-01", {"x": "2026-11-02"}), []),
        (looks(DAY, "2026-10-01", {"x": "2026-10-31"}), ["x"]),
        (looks(DAY, "2026-10-01", {"z": "2026-12-01"}), ["x"]),
        ([*looks(DAY, "2026-11-01"), Seen(NOW + DAY, {"x": 1})], ["x"]),  # nobody knows what comes
        ([Seen(each.time, {"x": 0}) for each in looks(DAY, "2026-11-01")], ["x"]),
    ],
)
def test_one_that_matched_nothing_for_thirty_days(reviewed, seen, found):
    """Those that are in force since September; in any order of observations."""
    for several in (seen, seen[::-1]):
        assert [
            each.exemption.id for each in reviewed(entry("x", "2026-09-01", "2027-02-01"), *several).unused
        ] == found


@pytest.mark.parametrize(
    "created, expires, history, found",
    [
        ("2026-11-01", "2027-02-01", "", True),
        ("2026-11-01T12:00:01Z", "2027-02-01", "", False),
        ("2026-11-20", "2027-02-01", "{created: 2026-09-01, expires: 2026-11-25}", True),
        ("2026-11-20", "2027-02-01", "{created: 2026-09-01, expires: 2026-11-19}", False),  # a gap
        ("2026-09-01", "2026-12-01", "", False),  # expired
    ],
)
def test_only_of_one_that_was_in_force_all_the_time(reviewed, created, expires, history, found):
    text = entry("x", created, expires).replace("reason: why", f"reason: why, history: [{history}]")
    assert bool(reviewed(text, *looks(DAY, "2026-10-01")).unused) is found


def test_since_when_it_matched_nothing(check_waivers):
    text = entry("x", "2026-09-01", "2027-02-01") + entry("z", "2026-09-01", "2027-02-01")
    seen = looks(DAY, "2026-10-01", {"x": "2026-10-20"})
    x, y = unused(check_waivers(text).exemptions, seen, NOW, timedelta(days=30))
    assert (x.last, x.since) == (datetime(2026, 10, 20, tzinfo=UTC),) * 2
    assert (y.last, y.since) == (None, datetime(2026, 10, 1, tzinfo=UTC))
