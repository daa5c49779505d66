"""Which decisions of a log are replayed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

from solon.decisions.log import erasure
from solon.decisions.log.store import Log
from solon.decisions.replay import source
from solon.decisions.replay.source import Selection, Which
from solon.decisions.warehouse import compaction, session
from solon.decisions.warehouse.query import Filters
from solon.decisions.warehouse.session import Window

DAY = 86_400_000_000
MARCH = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z
EVENTS = [
    event(0, "2026-03-01T08:00:00Z"),
    event(1, "2026-03-02T08:00:00Z", "deny", findings=[finding("a")]),
    event(2, "2026-03-03T08:00:00Z", name="Deployment/api", team="search"),
    event(3, "2026-03-04T08:00:00Z", "warn", name="Deployment/api", team="search"),
    event(4, "2026-03-05T08:00:00Z", "deny", name="Deployment/never", findings=[finding("b")]),
    event(5, "2026-03-06T08:00:00Z", "deny", path="solon/audit"),
]


@pytest.fixture(params=["hot", "cold", "both"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Log:
    """The same decisions in segments, in the warehouse, and in some of each."""
    if request.param == "both":
        log_of(tmp_path / "log", EVENTS[:3], seal=True)
        compaction.compact(Log(str(tmp_path / "log")), open_segments=True)
        return log_of(tmp_path / "log", EVENTS[3:])
    found = log_of(tmp_path / "log", EVENTS, seal=request.param == "cold")
    if request.param == "cold":
        compaction.compact(found, open_segments=True)
    return found


def ids(log: Log, which: Which = Which.ALL, window: Window = Window(), **filters: Any) -> list[str]:  # noqa: B008
    selection = Selection(Filters(**filters), which)
    with session.opened(log, window=window) as found:
        return sorted(then.id for then, _ in source.events(found, selection))


@pytest.mark.parametrize(
    ("which", "filters", "found"),
    [
        (Which.ALL, {}, ["d-0", "d-1", "d-2", "d-3", "d-4"]),
        (Which.ALL, {"paths": ["solon/*"]}, ["d-0", "d-1", "d-2", "d-3", "d-4", "d-5"]),
        (Which.ALL, {"teams": ["search"]}, ["d-2", "d-3"]),
        (Which.ALL, {"outcomes": ["deny"]}, ["d-1", "d-4"]),
        (Which.ALL, {"policies": ["a"]}, ["d-1"]),
        (Which.LATEST, {}, ["d-1", "d-3", "d-4"]),
        (Which.DEPLOYED, {}, ["d-0", "d-3"]),
        (Which.DEPLOYED, {"teams": ["search"]}, ["d-3"]),
        (Which.LATEST, {"outcomes": ["allow"]}, []),  # the newest of each, and then what it was
    ],
)
def test_which(log: Log, which: Which, filters: dict[str, Any], found: list[str]) -> None:
    assert ids(log, which, **filters) == found


def test_when(log: Log) -> None:
    second_and_third = Window(MARCH + DAY, MARCH + 3 * DAY)
    assert ids(log, window=second_and_third) == ["d-1", "d-2"]
    assert ids(log, Which.DEPLOYED, second_and_third) == ["d-2"]
    assert ids(log, Which.DEPLOYED, Window(None, MARCH + DAY)) == ["d-0"]


def test_what_was_erased_is_counted_by_the_time_of_the_decision(log: Log) -> None:
    found = [each for name in ("d-1", "d-2") for each in log.find(name)]
    erasure.erase(log, found, reason="GDPR request", by="dpo")
    for window, count in (
        (Window(), 2),
        (Window(MARCH + DAY, MARCH + 2 * DAY), 1),
        (Window(None, MARCH + DAY), 0),
    ):
        selection = Selection(Filters())
        with session.opened(log, window=window, records=True) as opened:
            assert source.erased(log, opened) == count
            assert not {"d-1", "d-2"} & {then.id for then, _ in source.events(opened, selection)}
    log.close()


def test_an_admission_review_that_an_opa_was_asked_about(tmp_path: Path) -> None:
    request = {"kind": {"kind": "Pod"}, "namespace": "n", "object": {"metadata": {"name": "p"}}}
    review = {
        "decision_id": "o", "timestamp": "2026-03-01T08:00:00Z", "path": "system/main",
        "input": {"kind": "AdmissionReview", "request": request}, "result": {"response": {"allowed": False}},
    }  # fmt: skip
    log = log_of(tmp_path / "opa", [review])
    selection = Selection(Filters())
    with session.opened(log) as found:
        ((then, _),) = source.events(found, selection)
    assert (then.uri, then.outcome) == ("k8s:///n/Pod/p", "deny")
