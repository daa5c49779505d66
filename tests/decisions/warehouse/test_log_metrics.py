"""Metrics, counted by hand."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, finding, log_of
from prometheus_tools import promtool

from solon.decisions.health import Health, Witnessed
from solon.decisions.sinks.lag import Lag
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
    with session.opened(log_of(tmp_path / "log", events), records=True) as found:
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
    ],
)  # fmt: skip
def test_time_to_remediate(
    tmp_path: Path, events: list[Any], fixed: int, open_: int, median: float | None, oldest: float | None
) -> None:
    ((found),) = metrics_of(tmp_path, events).remediation
    assert (found["policy"], found["team"]) == ("a", "payments")
    assert (found["fixed"], found["open"], found["median"], found["oldest"]) == (fixed, open_, median, oldest)


def waived(policy: str) -> dict[str, Any]:
    return finding(policy, "waived", ruling={"waiver": "w-1"})


@pytest.mark.parametrize(
    ("events", "fixed", "waived_", "open_", "median", "oldest"),
    [
        pytest.param([at(1, "a"), at(3, outcome="allow", findings=[waived("a")])], 0, 1, 0, None, None, id="waived"),
        pytest.param(
            [at(1, "a"), at(3, outcome="allow", findings=[waived("a")]), at(9, "a")], 0, 0, 1, None, 31 * DAY,
            id="the waiver ended: open since it was first seen",
        ),
        pytest.param(
            [at(1, "a"), at(3, outcome="allow", findings=[waived("a")]), at(9)], 1, 0, 0, 8 * DAY, None,
            id="fixed under a waiver",
        ),
        pytest.param([at(2, outcome="allow", findings=[waived("a")]), at(9)], 1, 0, 0, 7 * DAY, None, id="waived first"),
        pytest.param([at(1, findings=[waived("a"), finding("a")], outcome="deny")], 0, 0, 1, None, 31 * DAY, id="in part"),
        pytest.param(
            [at(1, outcome="allow", findings=[waived("a")]), at(2), at(3, "a")], 1, 0, 1, DAY, 29 * DAY, id="again"
        ),
    ],
)  # fmt: skip
def test_what_is_waived_is_neither_open_nor_fixed(
    tmp_path: Path,
    events: list[Any],
    fixed: int,
    waived_: int,
    open_: int,
    median: float | None,
    oldest: float | None,
) -> None:
    found = metrics_of(tmp_path, events)
    ((row),) = found.remediation
    assert [row[key] for key in ("fixed", "waived", "open", "median", "oldest")] == [
        fixed,
        waived_,
        open_,
        median,
        oldest,
    ]
    assert len(found.stuck) == open_


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
    ruling = {"waiver": "w-1", "waiver_expires": "2026-06-01T00:00:00Z", "because": "waived: vendor image"}
    waived = finding("a", "waived", ruling=ruling)
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
    assert (waiver["expires"], waiver["because"]) == (
        datetime(2026, 6, 1, tzinfo=UTC),
        "waived: vendor image",
    )
    assert found.breakglass == 1


@pytest.mark.parametrize(
    "ruling",
    [
        {"waiver": "w-1"},
        {"waiver": "w-1", "waiver_expires": "soon"},
        {"waiver": "w-1", "waiver_expires": None},
    ],
)
def test_a_waiver_without_an_end(tmp_path: Path, ruling: dict[str, Any]) -> None:
    found = metrics_of(tmp_path, [at(10, outcome="allow", findings=[finding("a", "waived", ruling=ruling)])])
    assert [(each["waiver"], each["expires"]) for each in found.waivers] == [("w-1", None)]


def test_the_newest_decision_says_when_a_waiver_ends(tmp_path: Path) -> None:
    events = [
        at(
            day,
            outcome="allow",
            findings=[finding("a", "waived", ruling={"waiver": "w", "waiver_expires": end})],
        )
        for day, end in ((4, "2026-04-01"), (9, "2026-05-01"), (6, "2026-03-20"))
    ]
    assert metrics_of(tmp_path, events).waivers[0]["expires"] == datetime(2026, 5, 1, tzinfo=UTC)


def test_latencies(tmp_path: Path) -> None:
    events = [at(1, latency_ns=ns) for ns in (50_000, 1_000_000, 1_000_001, 20_000_000_000)]
    found = metrics_of(tmp_path, events).latency
    assert dict(zip(BOUNDS, found.counts, strict=False))[0.001] == 2
    assert list(found.counts) == [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]
    assert found.seconds == pytest.approx(20.002050001)


def test_latencies_by_path_and_policy_sets(tmp_path: Path) -> None:
    gate = [at(1, latency_ns=ms * 1_000_000) for ms in range(1, 102)]
    others = [at(2, path="k8s/admission", bundles={"b": "1", "a": "1"}, latency_ns=9_000_000)]
    found = metrics_of(tmp_path, [*gate, *others]).latencies
    assert [(each.path, each.policy_sets, each.counts[-1]) for each in found] == [
        ("solon/check", "base", 101),
        ("k8s/admission", "a, b", 1),
    ]
    assert [found[0].p50, found[0].p95, found[0].p99] == pytest.approx([0.051, 0.096, 0.1])


def test_no_decisions(tmp_path: Path) -> None:
    found = metrics_of(tmp_path, [])
    assert metrics_report.render("table", found) == "No decisions.\n"
    text = metrics_report.render("prometheus", found)
    assert "solon_breakglass_decisions_total 0\n" in text
    assert "solon_last_decision" not in text


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
    labels = 'path="solon/check",policy_sets="base"'
    assert f'solon_decision_duration_seconds_bucket{{{labels},le="0.005"}} 3\n' in text
    assert f'solon_decision_duration_seconds_bucket{{{labels},le="+Inf"}} 4\n' in text
    assert f"solon_decision_duration_seconds_sum{{{labels}}} 0.047\n" in text
    assert "solon_last_decision_timestamp_seconds 1772928000\n" in text
    assert 'solon_violations_waived{policy="b",team="payments"} 1\n' in text
    assert 'solon_violations_open{policy="a",team="ml"} 1\n' in text
    assert 'solon_violations_oldest_seconds{policy="a",team="ml"} 2160000\n' in text
    assert (
        'solon_remediation_median_seconds{policy="odd\\"policy\\\\name\\nx",team="payments"} 345600\n' in text
    )
    assert 'solon_waiver_age_seconds{waiver="w-1"} 2073600\n' in text
    assert "solon_waivers_used 1\n" in text
    families = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(families) == len(set(families))


def test_the_state_of_the_log(tmp_path: Path) -> None:
    ns = 1_000_000_000
    state = Health(
        entries=12,
        signed=9,
        damaged=0,
        committed_ns=1_772_928_000 * ns,
        witnesses=[Witnessed('file "w"', 2, 1_772_900_000 * ns, 3)],
        sinks=[Lag("siem", "https://siem.example", 5, 100 * ns, 7, 1, "", "")],
    )
    text = metrics_report.render("prometheus", metrics_of(tmp_path, EVENTS), state, now_ns=160 * ns)
    for line in (
        "solon_log_entries_total 12",
        "solon_log_unsigned_entries 3",
        "solon_log_last_commit_timestamp_seconds 1772928000",
        'solon_witness_behind_checkpoints{witness="file \\"w\\""} 2',
        'solon_witness_last_sent_timestamp_seconds{witness="file \\"w\\""} 1772900000',
        'solon_sink_behind_entries{sink="siem"} 5',
        'solon_sink_oldest_seconds{sink="siem"} 60',
        'solon_sink_refused_total{sink="siem"} 1',
    ):
        assert f"{line}\n" in text


def test_promtool_takes_it(tmp_path: Path) -> None:
    state = Health(1, 1, 0, 1, [Witnessed("w", 0, 1, 0)], [Lag("s", "", 0, None, 0, 0, "", "")])
    text = metrics_report.render("prometheus", metrics_of(tmp_path, EVENTS), state)
    run = subprocess.run(
        [promtool(), "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
