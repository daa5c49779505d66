"""What decisions say of policies in a period, counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

from solon.decisions.audit import evidence
from solon.decisions.audit.evidence import Asked, Evidence
from solon.decisions.warehouse import session
from solon.decisions.warehouse.session import Window


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def at(number: int, when: str, *findings: dict[str, Any], outcome: str = "", **more: Any) -> dict[str, Any]:
    words = {each["outcome"] for each in findings}
    word = outcome or next((w for w in ("deny", "error") if w in words), "allow")
    return event(number, f"{when}:00Z", word, findings=findings, **more)


WAIVED = finding("a", "waived", ruling={"waiver": "w-1", "waiver_expires": "2026-09-01", "because": "vendor"})
TOKEN = finding(
    "a", "overridden", ruling={"breakglass": "bg-1", "because": "let through by break-glass bg-1"}
)
EVENTS = [
    at(1, "2026-05-30T10:00", finding("a")),  # before the period
    at(2, "2026-06-01T00:00", finding("a", message="one"), finding("a", message="two"), finding("b")),
    at(3, "2026-06-01T09:00"),
    at(4, "2026-06-02T09:00", WAIVED, name="Job/x"),
    at(5, "2026-06-03T09:00", TOKEN, outcome="warn", requested_by="ann"),
    at(6, "2026-06-04T09:00", finding("a", "error", message="no data"), result={"allow": True}),
    at(7, "2026-06-05T09:00", finding("c"), bundles={"other": "r1"}),
    at(8, "2026-06-30T23:59", bundles={"base": "r2", "other": "r1"}),
    at(9, "2026-07-01T00:00", finding("a")),  # behind it
    {"decision_id": "opa", "timestamp": "2026-06-06T09:00:00Z", "bundles": {"base": {"revision": "r1"}}, "result": False},
]  # fmt: skip
JUNE = Asked(["base"], ["a"], us("2026-06-01"), us("2026-07-01"))


def looked(tmp_path: Path, asked: Asked = JUNE, events: list[Any] = EVENTS) -> Evidence:
    log = log_of(tmp_path / "log", events)
    with session.opened(log, window=Window(None, asked.end_us), records=True) as found:
        return evidence.gathered(found, asked)


def test_decisions_that_asked_the_policy_sets(tmp_path: Path) -> None:
    found = looked(tmp_path)
    assert found.outcomes == {"allow": 3, "deny": 2, "error": 1, "warn": 1}
    assert found.counts == {
        "denials": 1,
        "waived": 1,
        "breakglass": 1,
        "errors": 1,
        "unnamed": 1,
        "subjects": 2,
    }
    assert found.policies == {"a": {"deny": 1, "error": 1, "overridden": 1, "waived": 1}}
    assert found.days_of["base"][date(2026, 5, 30)] == 1
    assert [(each["day"].day, each["decisions"], each["denied"]) for each in found.days] == [
        (1, 2, 1),
        (2, 1, 0),
        (3, 1, 0),
        (4, 1, 0),
        (6, 1, 1),
        (30, 1, 0),
    ]
    assert [(each["policy_set"], each["revision"], each["decisions"]) for each in found.revisions] == [
        ("base", "r1", 6),
        ("base", "r2", 1),
        ("other", "r1", 1),
    ]


def test_everything(tmp_path: Path) -> None:
    found = looked(tmp_path, Asked([], [], JUNE.start_us, JUNE.end_us, everything=True))
    assert sum(found.outcomes.values()) == 8
    assert set(found.policies) == {"a", "b", "c"}
    assert found.counts["denials"] == 2


def test_lists_have_the_words_of_the_events(tmp_path: Path) -> None:
    found = looked(tmp_path)
    ((denial),) = found.denials
    assert (denial["decision_id"], denial["messages"], denial["policies"]) == ("d-2", ["one", "two"], ["a"])
    ((token),) = found.breakglass
    assert (token["token"], token["because"], token["requested_by"]) == (
        "bg-1",
        "let through by break-glass bg-1",
        "ann",
    )
    ((failed),) = found.errors
    assert (failed["messages"], failed["passed"]) == (["no data"], True)
    ((waiver),) = found.waivers
    assert (waiver["waiver"], waiver["expires"], waiver["because"]) == (
        "w-1",
        datetime(2026, 9, 1, tzinfo=UTC),
        "vendor",
    )


def test_violations_at_the_end_of_the_period(tmp_path: Path) -> None:
    events = [
        at(1, "2026-05-01T00:00", finding("a")),
        at(2, "2026-05-03T00:00"),  # fixed before the period
        at(3, "2026-05-20T00:00", finding("a"), name="Job/x"),
        at(4, "2026-06-10T00:00", name="Job/x"),
        at(5, "2026-05-31T00:00", finding("a"), name="Job/y"),
        at(6, "2026-06-11T00:00", WAIVED, name="Job/z"),
    ]
    found = looked(tmp_path, events=events)
    ((row),) = found.remediation
    days = 86_400.0
    assert [row[name] for name in ("fixed", "median", "open", "waived", "oldest")] == [
        1,
        21 * days,
        1,
        1,
        31 * days,
    ]
    assert [(each["subject"].split("/")[-1], each["state"]) for each in found.open] == [
        ("y", "open"),
        ("z", "waived"),
    ]


def test_nothing_at_all(tmp_path: Path) -> None:
    found = looked(tmp_path, events=[EVENTS[0]])
    assert found.outcomes == {}
    assert found.days_of == {"base": {date(2026, 5, 30): 1}}


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_a_sample_is_spread_evenly(tmp_path: Path, size: int) -> None:
    events = [at(n, f"2026-06-{1 + n // 24:02}T{n % 24:02}:00") for n in range(100)]
    with session.opened(log_of(tmp_path / "log", events), records=True) as found:
        evidence.look(found, JUNE)
        chosen = [index for _, index in evidence.sampled(found, size)]
    assert len(chosen) == size
    steps = [b - a for a, b in pairwise(chosen)]
    assert chosen[0] == 0
    assert max(steps, default=0) - min(steps, default=0) <= 1
