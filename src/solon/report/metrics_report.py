"""Metrics of the decision log: for people, as JSON, and in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from solon.decisions.health import Health
from solon.decisions.warehouse.metrics import BOUNDS, Metrics
from solon.decisions.warehouse.query import OUTCOMES
from solon.governance.times import period
from solon.report import query_report
from solon.report.json import text
from solon.report.text import printable

SCHEMA: Final = "solon.log-metrics/v1"
_BARS: Final = " ▁▂▃▄▅▆▇█"


def render(
    name: str, metrics: Metrics, health: Health | None = None, *, now_ns: int = 0, width: int = 100
) -> str:
    """``health`` is for the formats of machines: people have `solon log status`."""
    if name == "json":
        log = {"log": asdict(health)} if health is not None else {}
        return text({"schema": SCHEMA, **query_report.value(asdict(metrics)), **log})
    if name == "prometheus":
        lines = _prometheus(metrics)
        return "".join(f"{line}\n" for line in (*lines, *(_health(health, now_ns) if health else ())))
    return "".join(_people(metrics, width))


# --- for people


def _people(metrics: Metrics, width: int) -> Iterator[str]:
    total = sum(metrics.decisions.values())
    if not total:
        yield "No decisions.\n"
        return
    parts = ", ".join(f"{count:,} {word}" for word, count in metrics.decisions.items())
    yield f"{total:,} decision{'s' * (total != 1)}: {parts} · {metrics.first:%Y-%m-%d} to {metrics.last:%Y-%m-%d}\n"
    if metrics.breakglass:
        yield f"Break-glass: {metrics.breakglass:,} decision{'s' * (metrics.breakglass != 1)}\n"
    if metrics.incident_count:
        rate = 1_000 * metrics.incident_count / total
        yield f"Incidents: {metrics.incident_count:,}, {rate:,.3g} per 1,000 decisions\n"
    yield from _section("Violations", _violations(metrics), width)
    remediation = [
        (
            each["policy"],
            each["team"],
            each["fixed"],
            _period(each["median"]),
            _period(each["p90"]),
            each["waived"],
            each["open"],
            _period(each["oldest"]),
        )
        for each in metrics.remediation
    ]
    columns: Sequence[str] = ("policy", "team", "fixed", "median", "p90", "waived", "open", "oldest")
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
            each["expires"].date() if each["expires"] else "",
        )
        for each in metrics.waivers
    ]
    columns = ("waiver", "policies", "teams", "decisions", "subjects", "in_use_for", "last_used", "expires")
    yield from _section("Waivers", (columns, waivers), width)
    yield from _section("Incidents that policies caused", _incidents(metrics), width)
    latencies = [
        (each.path, each.policy_sets, each.counts[-1], *map(_seconds, (each.p50, each.p95, each.p99)))
        for each in metrics.latencies
    ]
    columns = ("path", "policy_sets", "decisions", "p50", "p95", "p99")
    yield from _section("Latency", (columns, latencies), width)


def _incidents(metrics: Metrics) -> tuple[Sequence[str], list[Sequence[Any]]]:
    rows: list[Sequence[Any]] = [
        (
            each["policy"],
            each["team"],
            each["incidents"],
            each["open"],
            ", ".join(f"{count:,} {kind}" for kind, count in each["kinds"].items() if count),
            each["denials"],
            each["per_thousand"],
        )
        for each in metrics.incidents
    ]
    return ("policy", "team", "incidents", "open", "kinds", "denials", "per_1000_decisions"), rows


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


def _seconds(seconds: float | None) -> str:
    return (
        ""
        if seconds is None
        else f"{seconds * 1e6:,.3g} µs"
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
    # All of them, also those that never were: an increase from nothing is none.
    for word, count in {**dict.fromkeys(OUTCOMES, 0), **metrics.decisions}.items():
        yield _sample("solon_decisions_total", {"outcome": word}, count)
    yield from _family("solon_breakglass_decisions_total", "counter", "Decisions that break-glass let pass.")
    yield _sample("solon_breakglass_decisions_total", {}, metrics.breakglass)
    yield from _family("solon_findings_total", "counter", "Decisions with a finding, by what became of it.")
    for each in metrics.totals:
        labels = {"policy": each["policy"], "team": each["team"], "outcome": each["outcome"]}
        yield _sample("solon_findings_total", labels, each["decisions"])
    if metrics.last is not None:
        yield from _one(
            "solon_last_decision_timestamp_seconds", "When the newest decision was made.", _unix(metrics.last)
        )
    yield from _family("solon_decision_duration_seconds", "histogram", "How long decisions took.")
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    for latency in metrics.latencies:
        labels = {"path": latency.path, "policy_sets": latency.policy_sets}
        for bound, count in zip(bounds, latency.counts, strict=True):
            yield _sample("solon_decision_duration_seconds_bucket", {**labels, "le": bound}, count)
        yield _sample("solon_decision_duration_seconds_sum", labels, latency.seconds)
        yield _sample("solon_decision_duration_seconds_count", labels, latency.counts[-1])
    for name, key, says in (
        ("solon_violations_open", "open", "Violations that are neither fixed nor waived."),
        ("solon_violations_waived", "waived", "Violations that a waiver covers."),
        ("solon_violations_oldest_seconds", "oldest", "Age of the oldest violation that is open."),
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
    yield from _family("solon_waiver_expires_timestamp_seconds", "gauge", "When a waiver that was used ends.")
    for each in metrics.waivers:
        if each["expires"] is not None:
            yield _sample(
                "solon_waiver_expires_timestamp_seconds", {"waiver": each["waiver"]}, _unix(each["expires"])
            )
    yield from _one("solon_waivers_used", "Waivers that decisions used.", len(metrics.waivers))
    yield from _family(
        "solon_incidents", "gauge", "Incidents that policies caused: denials that should not have been."
    )
    for each in metrics.incidents:
        for kind, count in each["kinds"].items():
            labels = {"policy": each["policy"], "team": each["team"], "kind": kind}
            yield _sample("solon_incidents", labels, count)
    for name, key, says in (
        ("solon_incidents_open", "open", "Incidents that are not closed."),
        (
            "solon_incidents_per_1000_decisions",
            "per_thousand",
            "Incidents in 1,000 decisions about subjects of the team.",
        ),
    ):
        yield from _family(name, "gauge", says)
        for each in metrics.incidents:
            if each[key] is not None:
                yield _sample(name, {"policy": each["policy"], "team": each["team"]}, each[key])


def _health(log: Health, now_ns: int) -> Iterator[str]:
    yield from _one("solon_metrics_timestamp_seconds", "When these were counted.", now_ns // 1_000_000_000)
    yield from _family("solon_log_entries_total", "counter", "Entries that are durable.")
    yield _sample("solon_log_entries_total", {}, log.entries)
    unsigned = max(log.entries - log.signed, 0)
    yield from _one("solon_log_unsigned_entries", "Entries that are in no checkpoint yet.", unsigned)
    yield from _one("solon_log_damaged_shards", "Shards whose checkpoint cannot be read.", log.damaged)
    if log.committed_ns:
        last = log.committed_ns / 1e9
        yield from _one(
            "solon_log_last_commit_timestamp_seconds", "When the newest entry became durable.", last
        )
    for name, says, key in (
        ("solon_witness_behind_checkpoints", "Checkpoints that a witness does not have.", "behind"),
        ("solon_witness_last_sent_timestamp_seconds", "When a witness took a checkpoint.", "sent_ns"),
        ("solon_witness_failures", "Attempts in a row that a witness did not take.", "failures"),
    ):
        yield from _family(name, "gauge", says)
        for witness in log.witnesses:
            found = getattr(witness, key)
            yield _sample(name, {"witness": witness.witness}, found / 1e9 if key == "sent_ns" else found)
    yield from _family("solon_sink_refused_total", "counter", "Entries that a sink would not take.")
    for sink in log.sinks:
        yield _sample("solon_sink_refused_total", {"sink": sink.sink}, sink.refused)
    yield from _family("solon_sink_behind_entries", "gauge", "Entries that are not shipped to a sink yet.")
    for sink in log.sinks:
        yield _sample("solon_sink_behind_entries", {"sink": sink.sink}, sink.behind)
    yield from _family(
        "solon_sink_oldest_seconds", "gauge", "Age of the oldest entry that is not shipped yet."
    )
    for sink in log.sinks:
        age = max(now_ns - sink.oldest_ns, 0) / 1e9 if sink.oldest_ns is not None else 0
        yield _sample("solon_sink_oldest_seconds", {"sink": sink.sink}, age)


def _one(name: str, says: str, value: float) -> Iterator[str]:
    yield from _family(name, "gauge", says)
    yield _sample(name, {}, value)


def _unix(at: datetime) -> int:
    """DuckDB's times are in UTC, and do not say so."""
    return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp())


def _family(name: str, kind: str, says: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    number = f"{value}" if isinstance(value, int) else f"{float(value):.12g}"
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(value: str) -> str:
    return printable(value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
