"""What the report shows of a release, put together from the decision and the evidence that it was made on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.decisions.decision import Decision, Outcome
from solon.evidence.data.result import Drift
from solon.evidence.document import NAMES, Item, Parts, found_in
from solon.evidence.fairness.result import Fairness, Rate
from solon.evidence.performance.result import Metric, Performance
from solon.evidence.release import Release
from solon.frameworks.policy import Finding
from solon.governance.times import instant
from solon.report.check_report import Shown, plural, shown, why
from solon.report.evidence_report import lines_of, not_gathered
from solon.report.model import plots
from solon.report.model.plots import Mark, Row

_VERDICTS: Final = {
    Outcome.ALLOW: ("good", "May go"),
    Outcome.WARN: ("soon", "May go, with warnings"),
    Outcome.DENY: ("bad", "May not go"),
    Outcome.ERROR: ("bad", "Could not be judged"),
}
GUIDES: Final = (0.1, 0.2)  # of the stability index: how it is usually read
_RATES: Final = {
    "selection_rate": "Selected",
    "true_positive_rate": "True positives",
    "false_positive_rate": "False positives",
    "accuracy": "Accuracy",
    "calibration_error": "Calibration error",
}
_GRAVITY: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3}
_MOST_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class Said:
    """A finding: ``effect`` is what became of it."""

    effect: str
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remedied:
    """Findings that are put right by the same ``fix``."""

    said: Sequence[Said]
    fix: str


@dataclass(frozen=True, slots=True)
class OfPolicy:
    """What one policy found, by what to do about it."""

    policy: str
    title: str
    severity: str
    controls: Sequence[str]
    remedied: Sequence[Remedied]

    @property
    def effect(self) -> str:
        return self.remedied[0].said[0].effect

    @property
    def count(self) -> int:
        return sum(len(each.said) for each in self.remedied)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the evidence: ``lines`` tell what it comes to."""

    name: str
    status: str
    lines: Sequence[str]
    about: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything of the page, in the order of the page."""

    title: str
    uri: str
    tone: str
    verdict: str
    why: str
    facts: Sequence[tuple[str, str]]
    stops: Sequence[OfPolicy]
    others: Sequence[OfPolicy]
    parts: Sequence[Part]
    performance: Sequence[Plot] = ()
    fairness: Sequence[Plot] = ()
    drift: Sequence[Plot] = ()
    files: Sequence[tuple[str, str, str]] = field(default_factory=list)


def view(decision: Decision) -> View:
    """The view of a decision on an ``ml.release``."""
    document = decision.subject.document
    release = msgspec.convert(document["release"], Release)
    parts = msgspec.convert(document["evidence"], Parts)
    tone, verdict = _VERDICTS[decision.outcome]
    found = list(shown(decision))
    stops = [each for each in found if each[0] in (Shown.DENY, Shown.ERROR)]
    model = document["model"]
    performance, fairness = found_in(parts.performance), found_in(parts.fairness)
    drift = found_in(parts.drift)
    return View(
        title=decision.subject.name,
        uri=decision.subject.uri,
        tone=tone,
        verdict=verdict,
        why=_counted(decision),
        facts=list(_facts(decision, release, document)),
        stops=_by_policy(stops),
        others=_by_policy([each for each in found if each not in stops]),
        parts=[_part(name, getattr(parts, name), release) for name in NAMES],
        performance=list(_performance_plots(performance)) if performance else [],
        fairness=list(_fairness_plots(fairness)) if fairness else [],
        drift=list(_drift_plots(drift)) if drift else [],
        files=[(file["path"], f"{file['bytes']:,}", file["digest"]) for file in model.get("files", ())],
    )


def _by_policy(found: Sequence[tuple[Shown, Finding]]) -> list[OfPolicy]:
    """The gravest policy first."""
    groups: dict[str, list[tuple[Shown, Finding]]] = {}
    for effect, finding in found:
        groups.setdefault(finding.policy.id, []).append((effect, finding))
    made = [_of_policy(group) for group in groups.values()]
    return sorted(made, key=lambda each: _GRAVITY.get(each.severity, len(_GRAVITY)))


def _of_policy(group: Sequence[tuple[Shown, Finding]]) -> OfPolicy:
    policy = group[0][1].policy
    by_fix: dict[str, list[Said]] = {}
    for effect, finding in group:
        fix = "" if finding.excepted else finding.remediation
        by_fix.setdefault(fix, []).append(Said(effect, finding.message, why(finding)))
    remedied = [Remedied(said, fix) for fix, said in by_fix.items()]
    severity = min((finding.severity for _, finding in group), key=lambda s: _GRAVITY.get(s, len(_GRAVITY)))
    return OfPolicy(policy.id, policy.title or policy.id, severity, policy.controls, remedied)


def _counted(decision: Decision) -> str:
    counts = (
        (len(decision.errors), "failed"),
        (len(decision.enforced), "denied"),
        (len(decision.overridden), "let pass by break-glass"),
        (len(decision.warned), "warned"),
        (len(decision.waived), "waived"),
        (len(decision.recorded), "recorded"),
    )
    said = [f"{count} {word}" for count, word in counts if count]
    return (
        f"{plural(decision.policies, 'policy', 'policies')}: {', '.join(said) or 'none has anything to say'}"
    )


def _facts(decision: Decision, release: Release, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Release", decision.subject.uri
    for name, text in (
        ("Use", release.use),
        ("Risk", release.risk or "not declared"),
        ("Environment", decision.subject.environment or release.environment),
        ("Owner", decision.subject.owner or release.owner),
        ("Team", decision.subject.team or release.team),
        ("Trained", release.trained_at),
    ):
        if text:
            yield name, text
    if digest := document["model"].get("digest"):
        yield "Model", digest
    if at := document.get("collected_at"):
        by = document.get("collected_by", {})
        yield "Evidence", f"of {at}, {'signed by ' + by['key'] if by.get('verified') else 'not signed'}"
    yield "Decision", f"{decision.decision_id}, {instant(decision.timestamp_ns):%Y-%m-%d %H:%M:%S} UTC"
    for name, revision in decision.revisions.items():
        yield "Policies", f"{name} at {revision}"


def _part(name: str, item: Item[Any] | None, release: Release) -> Part:
    if item is None:
        return Part(name, "not gathered", [not_gathered(name, release)])
    about = [(measured.path or measured.what, measured.digest) for measured in item.measured]
    return Part(name, item.status, lines_of(name, item), about)


# --- plots


def _performance_plots(found: Performance) -> Iterator[Plot]:
    """Metrics between 0 and 1 share an axis; each of the others has its own."""
    rows = {name: _metric_row(name, metric, found) for name, metric in found.metrics.items()}
    shares = [name for name, row in rows.items() if all(0 <= mark.value <= 1 for mark in row.marks)]
    beside = f", beside version {found.baseline_version}" if found.baseline else ""
    caption = f"{found.n:,} rows; predictions {found.predictions}. Lines across are what was promised."
    for names in _axes(rows, shares):
        title = f"{names[0] if names[0] not in shares else 'Metrics'}{beside}"
        yield Plot(title, caption, plots.dots(title, [rows[name] for name in names]))
    if found.baseline:
        changed = {
            name: Row(
                name,
                [Mark(each.change, *_ends(each.interval))] if each.change is not None else [],
                f"{each.change:+.4g}" if each.change is not None else each.unknown,
                0.0,
            )
            for name, each in found.baseline.items()
        }
        for names in _axes(changed, shares):
            title = f"Change since version {found.baseline_version}"
            title = title if names[0] in shares else f"{title}, {names[0]}"
            yield Plot(
                title,
                "To the right of zero is better. Pairs on the same rows.",
                plots.dots(title, [changed[name] for name in names]),
            )
    yield from _slice_plots(found)


def _axes(rows: Mapping[str, Row], shares: Sequence[str]) -> Iterator[list[str]]:
    """The names of the rows that are plotted together: an error of 50 would make a dot of all shares."""
    if together := [name for name in rows if name in shares]:
        yield together
    yield from ([name] for name in rows if name not in shares)


def _metric_row(name: str, metric: Metric, found: Performance) -> Row:
    if metric.value is None:
        return Row(name, [], f"unknown: {metric.unknown}")
    marks = [Mark(metric.value, *_ends(metric.interval))]
    before = found.baseline.get(name)
    if before is not None and before.baseline is not None:
        marks.append(Mark(before.baseline, kind="before"))
    return Row(name, marks, f"{metric.value:.4g}", found.minimums.get(name))


def _slice_plots(found: Performance) -> Iterator[Plot]:
    for name in list(found.metrics)[:1]:
        rows = []
        for each in found.slices[:_MOST_ROWS]:
            metric = each.metrics.get(name)
            if metric is None:
                continue
            marks = [Mark(metric.value, *_ends(metric.interval))] if metric.value is not None else []
            note = f"n = {metric.n:,}" if marks else f"unknown: {metric.unknown}"
            rows.append(Row(f"{each.column} = {each.value}", marks, note))
        if rows:
            title = f"{name} by slice"
            yield Plot(title, "Where the interval is wide, there are few rows.", plots.dots(title, rows))


def _fairness_plots(found: Fairness) -> Iterator[Plot]:
    for name, attribute in found.attributes.items():
        for rate, said in _RATES.items():
            of_groups = [(group, group.rates[rate]) for group in attribute.groups if rate in group.rates]
            if not of_groups:
                continue
            rows = [
                _rate_row(", ".join(group.values.values()), each) for group, each in of_groups[:_MOST_ROWS]
            ]
            title = f"{said}, by {name}"
            scale = plots.axis([0.0, 1.0]) if rate != "calibration_error" else None
            yield Plot(title, _disparities(rate, attribute.disparities), plots.dots(title, rows, scale))


def _rate_row(label: str, rate: Rate) -> Row:
    if rate.value is None:
        return Row(label, [], f"n = {rate.n:,}: too few")
    return Row(label, [Mark(rate.value, *_ends(rate.interval))], f"{rate.value:.3f}, n = {rate.n:,}")


_OF_RATE: Final = {
    "selection_rate": ("demographic_parity_difference", "demographic_parity_ratio"),
    "true_positive_rate": ("equal_opportunity_difference", "equalized_odds_difference"),
    "false_positive_rate": ("equalized_odds_difference",),
    "calibration_error": ("calibration_difference",),
}


def _disparities(rate: str, found: Mapping[str, Any]) -> str:
    said = []
    for name in _OF_RATE.get(rate, ()):
        each = found.get(name)
        if each is None:
            continue
        words = name.replace("_", " ")
        said.append(
            f"{words} {each.value:.3f}" if each.value is not None else f"{words} unknown: {each.unknown}"
        )
    return "; ".join(said)


def _drift_plots(found: Drift) -> Iterator[Plot]:
    known = sorted(found.columns.items(), key=lambda each: -(each[1].psi or 0.0))
    rows = [
        Row(name, [Mark(each.psi)], f"{each.psi:.3f}")
        if each.psi is not None
        else Row(name, [], f"unknown: {each.unknown}")
        for name, each in known[:_MOST_ROWS]
    ]
    if rows:
        title = "Stability index by column, training against serving"
        caption = "Usually read as: below 0.1 the same, above 0.2 another distribution."
        yield Plot(title, caption, plots.bars(title, rows, GUIDES))


def _ends(interval: Any) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval is not None else (None, None)
