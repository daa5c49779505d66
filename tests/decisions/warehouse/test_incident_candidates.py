"""Denials that look like incidents, and incidents as the metrics count them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

from solon.decisions import incidents
from solon.decisions.incidents import Incident
from solon.decisions.log.events import entry_of
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.warehouse import compaction, session
from solon.decisions.warehouse.incidents import suggested
from solon.decisions.warehouse.metrics import measured
from solon.decisions.warehouse.session import Window

NOW = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp() * 1e6)


def at(number: int, hour: int, *findings: dict[str, Any], outcome: str = "", **more: Any) -> dict[str, Any]:
    """Decision d-NUMBER, so many hours into March."""
    time = f"2026-03-{1 + hour // 24:02}T{hour % 24:02}:00:00Z"
    words = {each["outcome"] for each in findings}
    word = outcome or ("deny" if "deny" in words else "warn" if "overridden" in words else "allow")
    return event(number, time, word, findings=findings, **more)


def waived(policy: str, because: str) -> dict[str, Any]:
    return finding(policy, "waived", ruling={"waiver": "w-1", "because": because})


DENIED, OTHER = finding("a"), finding("b")
PASSED = finding("a", "overridden", ruling={"breakglass": "bg-1"})
FALSE = waived("a", "waived until 2026-12-01 by w.yaml:1 (ann, approved by ben): False positive: sidecars")
NEW = {"base": "r2"}


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param([at(1, 0, DENIED), at(2, 1, PASSED)], [("d-1", "overridden", ["a"], 1, "d-2")], id="overridden"),
        pytest.param([at(1, 0, DENIED), at(2, 1, FALSE)], [("d-1", "wrong", ["a"], 1, "d-2")], id="wrong"),
        pytest.param([at(1, 0, DENIED), at(2, 1, waived("a", "vendor image"))], [], id="waived for another reason"),
        pytest.param([at(1, 0, DENIED), at(2, 1, bundles=NEW)], [("d-1", "rolled-back", ["a"], 1, "d-2")], id="rolled back"),
        pytest.param([at(1, 0, DENIED), at(2, 1)], [], id="the same policies"),
        pytest.param([at(1, 0, DENIED), at(2, 1, bundles=NEW, input={"kind": "Job"})], [], id="another input"),
        pytest.param([at(1, 0, DENIED, input={"a": 1, "b": 2}), at(2, 1, bundles=NEW, input={"b": 2, "a": 1})],
                     [("d-1", "rolled-back", ["a"], 1, "d-2")], id="the same input in another order"),
        pytest.param([at(1, 0, DENIED, input=None), at(2, 1, bundles=NEW, input=None)], [], id="no input"),
        pytest.param([at(1, 0, DENIED), at(2, 1, bundles=NEW, path="gate")], [], id="another gate"),
        pytest.param([at(1, 0, DENIED), at(2, 1, PASSED, name="Job/x")], [], id="another subject"),
        pytest.param([at(1, 0, OTHER), at(2, 1, PASSED)], [], id="another policy"),
        pytest.param([at(1, 0, DENIED, OTHER), at(2, 1, PASSED)], [("d-1", "overridden", ["a"], 1, "d-2")], id="one of two"),
        pytest.param([at(2, 0, PASSED), at(1, 1, DENIED)], [], id="before"),
        pytest.param([at(1, 0, DENIED), at(2, 73, PASSED)], [], id="too late"),
        pytest.param([at(1, 0, DENIED), at(2, 72, PASSED)], [("d-1", "overridden", ["a"], 1, "d-2")], id="just in time"),
        pytest.param([at(1, 0, DENIED), at(2, 5, DENIED), at(3, 6, PASSED)], [("d-1", "overridden", ["a"], 2, "d-3")],
                     id="in a row"),
        pytest.param([at(1, 0, DENIED), at(2, 70, DENIED), at(3, 80, PASSED)], [("d-2", "overridden", ["a"], 1, "d-3")],
                     id="in a row, the first too early"),
        pytest.param([at(1, 0, DENIED), at(2, 1), at(3, 2, PASSED)], [], id="something else came between"),
        pytest.param([at(1, 0, DENIED), at(2, 1, finding("a", "error"), outcome="error"), at(3, 2, PASSED)],
                     [("d-1", "overridden", ["a"], 1, "d-3")], id="an error says nothing"),
        pytest.param([at(1, 0, DENIED), at(2, 1, PASSED), at(3, 2, DENIED), at(4, 3, bundles=NEW)],
                     [("d-1", "overridden", ["a"], 1, "d-2"), ("d-3", "rolled-back", ["a"], 1, "d-4")], id="twice"),
        pytest.param([at(9, 0, DENIED), at(2, 1, PASSED)], [], id="marked already"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cold", [False, True], ids=["hot", "compacted"])
def test_what_looks_like_an_incident(
    tmp_path: Path, events: list[dict[str, Any]], found: list[Any], cold: bool
) -> None:
    log = log_of(tmp_path / "log", events, seal=cold)
    if cold:
        compaction.compact(log)
    with session.opened(log, records=True) as asked:
        candidates = suggested(asked, within=timedelta(days=3), known=["d-9"])
    assert [(c.decision.id, c.kind, list(c.policies), c.denials, c.because.id) for c in candidates] == found


@pytest.mark.parametrize("findings", [7, ["x"], [{"ruling": 3}], {"a": 1}, None])
def test_odd_events_are_no_incidents(tmp_path: Path, findings: Any) -> None:
    odd = at(1, 0, DENIED)
    later = at(2, 1)
    later["solon"]["findings"] = findings
    with session.opened(log_of(tmp_path / "log", [odd, later]), records=True) as asked:
        assert suggested(asked, within=timedelta(days=3), known=()) == []


def mark(name: str, decision: str, decided: str, kind: str, *policies: str, team: str = "payments") -> bytes:
    said = Incident(name, decision, decided, kind, policies, team, "k8s:///x", "so", "ann", "")
    return incidents.added(said, 1_775_001_600_000_000_000, {})  # 2026-04-01: behind any window of March


def marked_log(tmp_path: Path) -> Log:
    events = [at(n, n, DENIED if n < 4 else OTHER) for n in range(1, 6)] + [
        at(n, n, team="ml") for n in range(6, 11)
    ]
    log = log_of(tmp_path / "log", events)
    marks = [
        mark("inc-1", "d-1", "2026-03-01T01:00:00Z", "wrong", "a"),
        mark("inc-2", "d-2", "2026-03-01T02:00:00Z", "overridden", "a", "b"),
        mark("inc-3", "d-3", "2026-03-01T03:00:00Z", "wrong", "a"),
        incidents.ended(
            Incident("inc-1", "", "", "", (), "", "", "", "", ""), 1, resolution="fixed", by="b", note="", entry="e-1"
        ),
        incidents.ended(
            Incident("inc-3", "", "", "", (), "", "", "", "", ""), 1, resolution="retracted", by="b", note="", entry="e-3"
        ),
    ]  # fmt: skip
    log.append([entry_of(each) for each in marks])
    log.close()
    return log


def test_incidents_by_policy_and_team(tmp_path: Path) -> None:
    with session.opened(marked_log(tmp_path), records=True) as asked:
        found = measured(asked, asof_us=NOW)
    kinds = {"overridden": 1, "wrong": 1, "rolled-back": 0}
    assert found.incident_count == 2
    assert found.incidents == [
        {"policy": "a", "team": "payments", "incidents": 2, "open": 1, "kinds": kinds, "denials": 3, "per_thousand": 400},
        {"policy": "b", "team": "payments", "incidents": 1, "open": 1, "kinds": {**kinds, "wrong": 0}, "denials": 2,
         "per_thousand": 200},
    ]  # fmt: skip


def test_an_incident_counts_at_the_time_of_its_decision(tmp_path: Path) -> None:
    log = marked_log(tmp_path)
    first = int(datetime(2026, 3, 1, 2, tzinfo=UTC).timestamp() * 1e6)
    for window, count in ((Window(first), 1), (Window(None, first), 1), (Window(first + 1), 0)):
        with session.opened(log, window=window, records=True) as asked:
            assert measured(asked, asof_us=NOW).incident_count == count


def test_records_know_no_window(tmp_path: Path) -> None:
    log = marked_log(tmp_path)
    log.append([entry_of(json.dumps(at(20, 20)).encode())])
    log.writer().writer.seal()
    log.close()
    compaction.compact(log)
    with session.opened(log, window=Window(0, 1), records=True) as asked:
        assert asked.all("SELECT count(*), min(kind), max(kind) FROM records") == [
            (5, "incident", "incident")
        ]


def test_a_log_with_incidents_verifies(tmp_path: Path) -> None:
    log = marked_log(tmp_path)
    log.integrate()
    report = verify(log)
    assert (report.entries, report.problems) == (15, [])
