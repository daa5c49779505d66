"""Evidence for people: a line for each part, with what it comes to, or why it is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from solon.evidence.artifacts.result import Artifacts
from solon.evidence.data.result import Column, Data, Drift
from solon.evidence.document import NAMES, Evidence, Item
from solon.evidence.documentation.result import Documentation
from solon.evidence.fairness.result import Fairness
from solon.evidence.performance.result import Comparison, Interval, Latency, Metric, Performance
from solon.evidence.release import Release
from solon.evidence.supply.result import Dependencies, Signature
from solon.report.check_report import plural
from solon.report.table import wrap
from solon.report.text import printable

WIDEST: Final = 110
_NAME: Final = max(map(len, NAMES))
# What was measured is not judged: a filled mark says that it is there, not that it is good.
_MARKS: Final = {"measured": "●", "error": "✗", "refused": "✗"}


def table(
    evidence: Evidence, *, width: int = WIDEST, written: Sequence[str] = (), notes: Sequence[str] = ()
) -> str:
    """The parts in the order of the document, in lines of ``width``; ``written`` are files that were made."""
    declared, model = evidence.release, evidence.model
    size = sum(file.bytes for file in model.files)
    title = f"{printable(declared.name)} {printable(declared.version)}"
    lines = [f"{title} · {plural(len(model.files), 'file')}, {_bytes(size)} · {model.digest[:19]}…"]
    for name in NAMES:
        lines += _part(name, getattr(evidence.evidence, name), declared, width)
    lines += ["", *notes] if notes else []
    if written:
        lines += ["", f"Wrote {', '.join(written)}. Whether it may go, `solon model gate` says."]
    return "\n".join(lines) + "\n"


def not_gathered(name: str, release: Release) -> str:
    """Why a part is not there."""
    if release.declares(name):
        return f"`solon model collect --only {name}` gathers it"
    return "release.yaml declares nothing for it"


def lines_of(name: str, item: Item[Any]) -> list[str]:
    """What a part comes to, in lines; why it is not there, where it is not."""
    return _SAYS[name](item.result) if item.status == "measured" else [item.problem]


def _part(name: str, item: Item[Any] | None, release: Release, width: int) -> list[str]:
    if item is None:
        mark, said = "○", [f"not gathered: {not_gathered(name, release)}"]
    else:
        mark, said = _MARKS[item.status], lines_of(name, item)
        if item.status != "measured":
            said[0] = f"{item.status}: {said[0]}"
    indent = " " * (_NAME + 6)
    wrapped = [line for each in said for line in wrap(printable(each), min(width, WIDEST) - len(indent))]
    first, *rest = wrapped or [""]
    return [f"  {mark} {name:<{_NAME}}  {first}", *(indent + line for line in rest)]


def _artifacts(found: Artifacts) -> list[str]:
    verdicts = Counter(each.verdict for each in found.artifacts)
    counts = ", ".join(f"{verdicts[v]} {v}" for v in ("safe", "unsafe", "unknown") if verdicts[v])
    bad = [
        f"{a.path}: {a.format}, {a.verdict}: {'; '.join(a.reasons)}"
        for a in found.artifacts
        if a.verdict != "safe"
    ]
    return [f"{plural(len(found.artifacts), 'file')}: {counts}", *_first(bad)]


def _signature(found: Signature) -> list[str]:
    if not found.verified:
        return [f"not verified: {found.problem}"]
    outside = [f"not covered: {', '.join(found.outside[:5])}"] if found.outside else []
    return [f"verified, {plural(found.files, 'file')}, by key {found.key[:19]}…", *outside]


def _dependencies(found: Dependencies) -> list[str]:
    packages = plural(len(found.packages), "package")
    if found.database is None:
        return [
            f"{packages}; matched with nothing, because no vulnerabilities were given (--vulnerabilities)"
        ]
    unknown = [package.name for package in found.packages if package.unknown]
    said = f"{packages}: {_counted(len(found.vulnerabilities), 'vulnerability', 'vulnerabilities')}"
    said += f", {len(unknown)} unknown ({', '.join(unknown[:5])})" if unknown else ""
    return [said, *_first([f"{v.package} {v.version}: {v.id} ({v.severity})" for v in found.vulnerabilities])]


def _documentation(found: Documentation) -> list[str]:
    out = []
    for name, each in found.documents.items():
        empty = [field for field, said in each.fields.items() if not said.says_something]
        said = f"{name.replace('_', ' ')}: {_counted(len(each.fields), 'field', 'fields')}"
        said += f", {len(empty)} that say nothing ({', '.join(empty[:5])})" if empty else ""
        out.append(said + (f"; {each.problems[0]}" if each.problems else ""))
    return out


def _data(found: Data) -> list[str]:
    looked_at = "all" if found.looked_at == found.rows else f"{found.looked_at:,} rows"
    said = (
        f"{found.rows:,} rows, {plural(len(found.columns), 'column')}; {looked_at} searched for personal data"
    )
    lines = [
        f"{name}: {'; '.join(about)}" for name, each in found.columns.items() if (about := _column(each))
    ]
    lines += [f"{name}: is missing" for name in found.absent]
    steps = found.steps_unknown if found.steps_recorded is None else ", ".join(found.steps_recorded) or "none"
    return [said, *_first(lines), f"preparations: {steps}"]


def _column(found: Column) -> list[str]:
    """What of a column is not as it should be."""
    about = [] if found.declared else ["not in the dictionary"]
    if found.suspected and found.category in ("", "none"):
        about.append(f"its name says {found.suspected}")
    about += found.problems[:2]
    about += [f"{each.kind} in {each.rows:,} of {each.looked_at:,} rows" for each in found.detected]
    return [*about, f"not searched: {found.unsearched}"] if found.unsearched else about


def _drift(found: Drift) -> list[str]:
    known = [(each.psi, name) for name, each in found.columns.items() if each.psi is not None]
    most = ", ".join(f"{name} {value:.3f}" for value, name in sorted(known, reverse=True)[:3])
    said = f"stability index: {most or 'none'}"
    said += f"; overall {found.overall:.3f}" if found.overall is not None else "; overall unknown"
    unknown = [f"{name}: unknown, {each.unknown}" for name, each in found.columns.items() if each.unknown]
    absent = [f"in one table only: {', '.join(_first(found.absent))}"] if found.absent else []
    return [said, *_first(unknown), *absent]


def _performance(found: Performance) -> list[str]:
    metrics = ", ".join(f"{name} {_metric(each)}" for name, each in found.metrics.items())
    lines = [f"{metrics} · {found.n:,} rows, predictions {found.predictions}"]
    for name, each in found.baseline.items():
        change = _change(each) if each.change is not None else each.unknown
        lines.append(f"{name} beside version {found.baseline_version}: {change}")
    return lines


def _change(beside: Comparison) -> str:
    """In words, as of an error less is better."""
    change, interval = beside.change or 0.0, beside.interval
    if change < 0 and interval is not None:
        interval = msgspec.structs.replace(interval, low=-interval.high, high=-interval.low)
    return f"{'worse' if change < 0 else 'better'} by {abs(change):.4g}{_interval(interval)}"


def _latency(found: Latency) -> list[str]:
    timed = found.candidate
    said = (
        f"p50 {timed.p50_ms:.3g} ms, p95 {timed.p95_ms:.3g} ms, p99 {timed.p99_ms:.3g} ms, "
        f"{timed.throughput:,.0f} rows/s"
    )
    if found.baseline is not None and found.slower is not None:
        said += f"; version {found.baseline_version}: p50 {found.baseline.p50_ms:.3g} ms"
    return [said]


def _fairness(found: Fairness) -> list[str]:
    lines = []
    for name, each in found.attributes.items():
        said = [
            f"{measure.replace('_', ' ')} {d.value:.3f}"
            if d.value is not None
            else f"{measure.replace('_', ' ')} unknown"
            for measure, d in each.disparities.items()
        ]
        small = sorted({left for d in each.disparities.values() for left in d.left_out})
        lines.append(f"{name}: {', '.join(said)}" + (f"; too small: {', '.join(small[:5])}" if small else ""))
    return lines


_SAYS: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "artifacts": _artifacts,
    "signature": _signature,
    "dependencies": _dependencies,
    "documentation": _documentation,
    "data": _data,
    "drift": _drift,
    "performance": _performance,
    "latency": _latency,
    "fairness": _fairness,
}


def _metric(metric: Metric) -> str:
    return f"{metric.value:.4g}{_interval(metric.interval)}" if metric.value is not None else "unknown"


def _interval(interval: Interval | None) -> str:
    return f" ({interval.low:.4g} to {interval.high:.4g})" if interval is not None else ""


def _first(lines: Sequence[str], most: int = 5) -> list[str]:
    return [*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else f"no {many}"


def _bytes(size: int) -> str:
    units = ("B", "KiB", "MiB", "GiB")
    step = 0
    value = float(size)
    while value >= 1024 and step < len(units) - 1:
        value, step = value / 1024, step + 1
    return f"{value:,.0f} {units[step]}" if step == 0 else f"{value:,.1f} {units[step]}"
