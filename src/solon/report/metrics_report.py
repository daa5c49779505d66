"""Metrics of the decision log: for people, as JSON, and in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from solon.decisions.warehouse.metrics import BOUNDS, Metrics
from solon.governance.times import period
from solon.report import query_report
from solon.report.json import text
from solon.report.text import printable

SCHEMA: Final = "solon.log-metrics/v1"
_BARS: Final = " ▁▂▃▄▅▆▇█"


def render(name: str, metrics: Metrics, *, width: int = 100) -> str:
    if name == "json":
        return text({"schema": SCHEMA, **query_report.value(asdict(metrics))})
    if name == "prometheus":
        return "".join(f"{line}\n" for line in _prometheus(metrics))
    return "".join(_people(metrics, width))


# --- for people


def _people(metrics: Metrics, width: int) -> Iterator[str]:
    total = sum(metrics.decisions.values())
    if not total:
        yield "No decisions.\n"
        return
    parts = ", ".join(f"{count:,} {word}" for word, count in metrics.decisions.items())
    yield f"{total:,} decision{'s' * (total != 1)}: {parts} · {metrics.first:%Y-%m-%d} to {metrics.last:%Y-%m-%d}\n"
    latency = metrics.latency
    if latency.p50 is not None and latency.p99 is not None:
        yield f"Latency: half within {_seconds(latency.p50)}, 99% within {_seconds(latency.p99)}\n"
    if metrics.breakglass:
        yield f"Break-glass: {metrics.breakglass:,} decision{'s' * (metrics.breakglass != 1)}\n"
    yield from _section("Violations", _violations(metrics), width)
    remediation = [
        (
            each["policy"],
            each["team"],
            each["fixed"],
            _period(each["median"]),
            _period(each["p90"]),
            each["open"],
            _period(each["oldest"]),
        )
        for each in metrics.remediation
    ]
    columns: Sequence[str] = ("policy", "team", "fixed", "median", "p90", "open", "oldest")
    yield from _section("Time to remediate, from first seen to fixed", (columns, remediation), width)
    stuck = [
        (each["policy"], each["subject"], each["team"], _period(each["age"]), each["last_seen"])
        for each in metrics.stuck
    ]
    columns = ("policy", "subject", "team", "open_for", "last_seen")
    yield from _section("Longest open", (columns, stuck), width)
    waivers = [
        (
            each["waiver"],
            each["policies"],
            each["teams"],
            each["decisions"],
            each["subjects"],
            _period(each["age"]),
            each["last_used"],
        )
        for each in metrics.waivers
    ]
    columns = ("waiver", "policies", "teams", "decisions", "subjects", "in_use_for", "last_used")
    yield from _section("Waivers", (columns, waivers), width)


def _section(title: str, found: tuple[Sequence[str], Sequence[Sequence[Any]]], width: int) -> Iterator[str]:
    columns, rows = found
    if rows:
        yield f"\n{title}\n"
        for line in query_report.render("table", columns, rows, width=width - 2):
            yield f"  {line}"


def _violations(metrics: Metrics) -> tuple[Sequence[str], list[Sequence[Any]]]:
    buckets = sorted({each["bucket"] for each in metrics.violations})
    trend: dict[tuple[str, str, str], dict[Any, int]] = {}
    for each in metrics.violations:
        trend.setdefault((each["policy"], each["team"], each["outcome"]), {})[each["bucket"]] = each[
            "decisions"
        ]
    rows: list[Sequence[Any]] = []
    for each in sorted(metrics.totals, key=lambda each: -each["decisions"]):
        key = (each["policy"], each["team"], each["outcome"])
        counts = [trend[key].get(bucket, 0) for bucket in buckets]
        rows.append((*key, each["decisions"], each["subjects"], _bars(counts)))
    return ("policy", "team", "outcome", "decisions", "subjects", "trend"), rows


def _bars(counts: Sequence[int]) -> str:
    """The last buckets as bars: the tallest is the largest count."""
    last = counts[-26:]
    largest = max(last) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // largest)] for count in last)


def _seconds(seconds: float) -> str:
    return (
        f"{seconds * 1e6:,.3g} µs"
        if seconds < 0.001
        else f"{seconds * 1e3:,.3g} ms"
        if seconds < 1
        else f"{seconds:,.3g} s"
    )


def _period(seconds: float | None) -> str:
    return "" if seconds is None else period(timedelta(seconds=seconds))


# --- Prometheus: "Exposition formats", text format 0.0.4


def _prometheus(metrics: Metrics) -> Iterator[str]:
    yield from _family("solon_decisions_total", "counter", "Decisions by outcome.")
    for word, count in metrics.decisions.items():
        yield _sample("solon_decisions_total", {"outcome": word}, count)
    yield from _family("solon_breakglass_decisions_total", "counter", "Decisions that break-glass let pass.")
    yield _sample("solon_breakglass_decisions_total", {}, metrics.breakglass)
    yield from _family("solon_findings_total", "counter", "Decisions with a finding, by what became of it.")
    for each in metrics.totals:
        labels = {"policy": each["policy"], "team": each["team"], "outcome": each["outcome"]}
        yield _sample("solon_findings_total", labels, each["decisions"])
    yield from _family("solon_decision_duration_seconds", "histogram", "How long decisions took.")
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    for bound, count in zip(bounds, metrics.latency.counts, strict=True):
        yield _sample("solon_decision_duration_seconds_bucket", {"le": bound}, count)
    yield _sample("solon_decision_duration_seconds_sum", {}, metrics.latency.seconds)
    yield _sample("solon_decision_duration_seconds_count", {}, metrics.latency.counts[-1])
    for name, key, says in (
        ("solon_violations_open", "open", "Violations that are not fixed."),
        ("solon_violations_oldest_seconds", "oldest", "Age of the oldest violation that is not fixed."),
        ("solon_violations_fixed", "fixed", "Violations that were fixed."),
        ("solon_remediation_median_seconds", "median", "From first seen to fixed."),
        ("solon_remediation_p90_seconds", "p90", "From first seen to fixed, 9 of 10."),
    ):
        yield from _family(name, "gauge", says)
        for each in metrics.remediation:
            if each[key] is not None:
                yield _sample(name, {"policy": each["policy"], "team": each["team"]}, each[key])
    for name, key, says in (
        ("solon_waiver_age_seconds", "age", "Since a waiver was first used."),
        ("solon_waiver_decisions", "decisions", "Decisions that a waiver covered findings of."),
        ("solon_waiver_subjects", "subjects", "Subjects that a waiver covered findings of."),
    ):
        yield from _family(name, "gauge", says)
        for each in metrics.waivers:
            yield _sample(name, {"waiver": each["waiver"]}, each[key])
    yield from _family("solon_waivers_used", "gauge", "Waivers that decisions used.")
    yield _sample("solon_waivers_used", {}, len(metrics.waivers))


def _family(name: str, kind: str, says: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    number = f"{value}" if isinstance(value, int) else f"{float(value):.9g}"
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(value: str) -> str:
    return printable(value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
