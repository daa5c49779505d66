"""What `solon check` found, as data; the other files of this folder each show it in one format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from solon.decisions.decision import Decision, Outcome
from solon.frameworks.policy import Finding, Policy, PolicySet
from solon.subjects.subject import Unreadable


class Shown(StrEnum):
    """What became of a finding: the word every format uses for it, the gravest first."""

    ERROR = "error"
    DENY = "deny"
    OVERRIDDEN = "overridden"
    WARN = "warn"
    WAIVED = "waived"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Counts:
    """Subjects by outcome. ``subjects`` counts those that were judged; ``unmatched`` ones stand apart."""

    subjects: int
    denied: int
    warned: int
    errors: int
    allowed: int
    unmatched: int
    policies: int
    overridden: int  # findings, not subjects; so the next two
    waived: int
    recorded: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One run of `solon check`.

    ``programme_problems`` are what is wrong with rollouts, waivers and the like; ``notes`` are sentences about the
    programme that a reader should know. Times are in nanoseconds, ``started_ns`` since 1970.
    """

    decisions: Sequence[Decision]
    unreadable: Sequence[Unreadable]
    policy_sets: Sequence[PolicySet]
    programme_problems: Sequence[Unreadable]
    elapsed_ns: int
    started_ns: int
    notes: Sequence[str] = ()

    @property
    def policies(self) -> list[Policy]:
        return [policy for policy_set in self.policy_sets for policy in policy_set.policies]

    @property
    def judged(self) -> list[Decision]:
        return [decision for decision in self.decisions if not decision.unmatched]

    @property
    def unmatched(self) -> list[Decision]:
        """Decisions on subjects that no policy had anything to say about.

        A resource is judged with its plan, and a plan with its resources: neither is unmatched then.
        """
        judged = self.judged
        wholes = {id(decision.subject.document) for decision in judged}
        wholes.update(id(d.subject.parent) for d in judged if d.subject.parent is not None)
        return [
            decision
            for decision in self.decisions
            if decision.unmatched
            and id(decision.subject.document) not in wholes
            and id(decision.subject.parent) not in wholes
        ]

    @property
    def counts(self) -> Counts:
        judged = self.judged
        by_outcome = dict.fromkeys(Outcome, 0)
        for decision in judged:
            by_outcome[decision.outcome] += 1
        return Counts(
            subjects=len(judged),
            denied=by_outcome[Outcome.DENY],
            warned=by_outcome[Outcome.WARN],
            errors=by_outcome[Outcome.ERROR],
            allowed=by_outcome[Outcome.ALLOW],
            unmatched=len(self.unmatched),
            policies=len(self.policies),
            overridden=sum(len(decision.overridden) for decision in judged),
            waived=sum(len(decision.waived) for decision in judged),
            recorded=sum(len(decision.recorded) for decision in judged),
            unreadable=len(self.unreadable),
        )


def shown(decision: Decision) -> Iterator[tuple[Shown, Finding]]:
    """The findings of a decision and what became of each, the gravest first."""
    for word, finding in decision.worded():
        yield Shown(word), finding


def why(finding: Finding) -> str:
    """Why no more is done about a finding than is, where there is a reason."""
    if finding.excepted:
        return f"excepted by {finding.excepted}"
    return finding.ruling.because if finding.ruling is not None else ""


def by_gravity(decisions: Sequence[Decision]) -> list[Decision]:
    """Denied subjects first, then errors, warnings and the rest; otherwise in the order they came."""
    order = (Outcome.DENY, Outcome.ERROR, Outcome.WARN, Outcome.ALLOW)
    return sorted(decisions, key=lambda decision: order.index(decision.outcome))


def summary(report: CheckReport) -> str:
    """The one line that says how it went: ``12 subjects: 3 denied, 9 allowed · 4 policies · 0.8 s``."""
    return " · ".join(summary_parts(report))


def summary_parts(report: CheckReport) -> list[str]:
    counts = report.counts
    outcomes = [
        text
        for count, text in (
            (counts.denied, f"{counts.denied} denied"),
            (counts.warned, f"{counts.warned} warned"),
            (counts.errors, plural(counts.errors, "error")),
            (counts.allowed, f"{counts.allowed} allowed"),
        )
        if count
    ]
    parts = [plural(counts.subjects, "subject") + (": " + ", ".join(outcomes) if outcomes else " judged")]
    if counts.unmatched:
        parts.append(f"{counts.unmatched} matched no policy")
    if counts.overridden:
        parts.append(plural(counts.overridden, "finding") + " overridden by break-glass")
    if counts.waived:
        parts.append(plural(counts.waived, "finding") + " waived")
    if counts.recorded:
        parts.append(plural(counts.recorded, "finding") + " recorded only")
    if counts.unreadable:
        parts.append(f"{counts.unreadable} unreadable")
    return [*parts, plural(counts.policies, "policy", "policies"), duration(report.elapsed_ns)]


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def duration(elapsed_ns: int) -> str:
    """A duration as people say it: ``12 ms``, ``0.8 s``, ``2 min 5 s``."""
    if elapsed_ns < 100_000_000:
        return f"{elapsed_ns / 1e6:.0f} ms"
    if elapsed_ns < 59_950_000_000:
        return f"{elapsed_ns / 1e9:.1f} s"
    minutes, seconds = divmod(round(elapsed_ns / 1e9), 60)
    return f"{minutes} min {seconds} s"
