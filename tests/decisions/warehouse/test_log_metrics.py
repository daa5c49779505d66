"""Metrics, counted by hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of

from solon.decisions.warehouse import session
from solon.decisions.warehouse.metrics import BOUNDS, Metrics, measured
from solon.report import metrics_report

DAY = 86_400.0
NOW = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp() * 1e6)
_number = iter(range(10_000))


def at(
    day: int, *policies: str, outcome: str = "", bundles: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A decision of 2026-03-DAY that these policies denied."""
    found = [finding(policy) for policy in policies]
    word = outcome or ("deny" if found else "allow")
    more.setdefault("findings", found)
    return event(next(_number), f"2026-03-{day:02}T00:00:00Z", word, bundles=bundles, **more)


def metrics_of(tmp_path: Path, events: Sequence[dict[str, Any]], **more: Any) -> Metrics:
    with session.opened(log_of(tmp_path / "log", events)) as found:
        return measured(found, asof_us=NOW, **more)


@pytest.mark.parametrize(
    ("events", "fixed", "open_", "median", "oldest"),
    [
        pytest.param([at(1, "a"), at(3, "a"), at(6)], 1, 0, 5 * DAY, None, id="fixed"),
        pytest.param([at(1, "a"), at(3, "a")], 0, 1, None, 31 * DAY, id="open"),
        pytest.param([at(1, "a"), at(2), at(5, "a"), at(8)], 2, 0, 2 * DAY, None, id="twice"),
        pytest.param([at(1, "a"), at(2), at(5, "a")], 1, 1, DAY, 27 * DAY, id="again"),
        pytest.param([at(1), at(2, "a"), at(5)], 1, 0, 3 * DAY, None, id="clean before"),
        pytest.param(
            [at(1, "a"), at(2, outcome="error", findings=[finding("a", "error")]), at(4)], 1, 0, 3 * DAY, None, id="failed"
        ),
        pytest.param([at(1, "a"), at(2, bundles={"other": "r"}), at(4)], 1, 0, 3 * DAY, None, id="others asked"),
        pytest.param([at(1, "a"), at(2, bundles={"base": "r2", "x": "1"})], 1, 0, DAY, None, id="a new revision"),
        pytest.param([at(1, "a"), at(2, path="other/gate")], 0, 1, None, 31 * DAY, id="another gate"),
        pytest.param(
            [at(1, "a"), at(3, outcome="allow", findings=[finding("a", "waived", ruling={"waiver": "w"})])],
            0, 1, None, 31 * DAY, id="waived is not fixed",
        ),
    ],
)  # fmt: skip
def test_time_to_remediate(
    tmp_path: Path, events: list[Any], fixed: int, open_: int, median: float | None, oldest: float | None
) -> None:
    ((found),) = metrics_of(tmp_path, events).remediation
    assert (found["policy"], found["team"]) == ("a", "payments")
    assert (found["fixed"], found["open"], found["median"], found["oldest"]) == (fixed, open_, median, oldest)


def test_each_policy_and_subject_has_its_own_time(tmp_path: Path) -> None:
    events = [
        at(1, "a", "b"),
        at(2, "b"),
        at(1, "a", name="Job/x", team="ml"),
        at(9, name="Job/x", team="ml"),
        at(20),
    ]
    found = {
        (each["policy"], each["team"]): each["median"] for each in metrics_of(tmp_path, events).remediation
    }
    assert found == {("a", "payments"): DAY, ("a", "ml"): 8 * DAY, ("b", "payments"): 19 * DAY}


def test_the_longest_open_come_first(tmp_path: Path) -> None:
    found = metrics_of(
        tmp_path, [at(5, "a"), at(2, "b", name="Job/x"), at(8, "c", name="Job/y")], stuck=2
    ).stuck
    assert [(each["policy"], each["age"]) for each in found] == [("b", 30 * DAY), ("a", 27 * DAY)]


def test_violations_by_policy_and_team_over_time(tmp_path: Path) -> None:
    events = [
        at(2, "a"),
        at(3, "a"),
        at(3, "a", name="Job/x"),
        at(9, "a"),
        at(9, "b", team="ml"),
        at(9, outcome="allow", findings=[finding("a", "recorded", excepted="x")]),
    ]
    found = metrics_of(tmp_path, events)
    assert [
        (each["bucket"], each["policy"], each["team"], each["outcome"], each["decisions"], each["subjects"])
        for each in found.violations
    ] == [
        (date(2026, 3, 2), "a", "payments", "deny", 3, 2),
        (date(2026, 3, 9), "a", "payments", "deny", 1, 1),
        (date(2026, 3, 9), "b", "ml", "deny", 1, 1),
    ]
    assert found.decisions == {"allow": 1, "deny": 5}


def test_waivers_and_break_glass(tmp_path: Path) -> None:
    waived = finding("a", "waived", ruling={"waiver": "w-1"})
    token = finding("a", "overridden", ruling={"breakglass": "bg-1"})
    events = [
        at(10, outcome="allow", findings=[waived, waived]),
        at(12, outcome="allow", findings=[waived], name="Job/x", team="ml"),
        at(13, outcome="warn", findings=[token]),
    ]
    found = metrics_of(tmp_path, events)
    ((waiver),) = found.waivers
    assert (waiver["waiver"], waiver["policies"], waiver["teams"]) == ("w-1", ["a"], ["ml", "payments"])
    assert (waiver["decisions"], waiver["subjects"], waiver["age"]) == (2, 2, 22 * DAY)
    assert waiver["last_used"] == datetime(2026, 3, 12)  # noqa: DTZ001 (all times are UTC)
    assert found.breakglass == 1


def test_latencies(tmp_path: Path) -> None:
    events = [at(1, latency_ns=ns) for ns in (50_000, 1_000_000, 1_000_001, 20_000_000_000)]
    found = metrics_of(tmp_path, events).latency
    assert dict(zip(BOUNDS, found.counts, strict=False))[0.001] == 2
    assert list(found.counts) == [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]
    assert found.seconds == pytest.approx(20.002050001)


def test_no_decisions(tmp_path: Path) -> None:
    found = metrics_of(tmp_path, [])
    assert metrics_report.render("table", found) == "No decisions.\n"
    assert "solon_decision_duration_seconds_count 0" in metrics_report.render("prometheus", found)


EVENTS = [
    at(1, 'odd"policy\\name\nx', latency_ns=3_000_000),
    at(5, latency_ns=3_000_000),
    at(7, "a", name="Job/x", team="ml", latency_ns=40_000_000),
    at(8, outcome="allow", findings=[finding("b", "waived", ruling={"waiver": "w-1"})]),
]


def test_prometheus_text(tmp_path: Path) -> None:
    text = metrics_report.render("prometheus", metrics_of(tmp_path, EVENTS))
    assert 'solon_decisions_total{outcome="deny"} 2\n' in text
    assert (
        'solon_findings_total{policy="odd\\"policy\\\\name\\nx",team="payments",outcome="deny"} 1\n' in text
    )
    assert 'solon_decision_duration_seconds_bucket{le="0.005"} 3\n' in text
    assert 'solon_decision_duration_seconds_bucket{le="+Inf"} 4\n' in text
    assert "solon_decision_duration_seconds_sum 0.047\n" in text
    assert 'solon_violations_open{policy="a",team="ml"} 1\n' in text
    assert 'solon_violations_oldest_seconds{policy="a",team="ml"} 2160000\n' in text
    assert (
        'solon_remediation_median_seconds{policy="odd\\"policy\\\\name\\nx",team="payments"} 345600\n' in text
    )
    assert 'solon_waiver_age_seconds{waiver="w-1"} 2073600\n' in text
    assert "solon_waivers_used 1\n" in text
    families = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(families) == len(set(families))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_it(tmp_path: Path) -> None:
    text = metrics_report.render("prometheus", metrics_of(tmp_path, EVENTS))
    run = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
