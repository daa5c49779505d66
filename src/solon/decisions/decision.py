"""From findings to a decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from solon.frameworks.policy import Evaluation, Finding, Stage
from solon.subjects.subject import Subject


class Outcome(StrEnum):
    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one subject, and everything that led to it.

    ``enforced`` findings deny; ``overridden`` ones would, but for a break-glass token; ``warned`` (warn, audit) are
    shown; ``waived`` are covered by a waiver; ``recorded`` (dryrun, excepted) are kept. ``errors`` are policies that
    failed on this subject: those that the programme does not enforce on it only warn. ``policies`` counts the
    policies that applied: with none, the outcome is allow and ``unmatched`` is true.
    """

    decision_id: str
    subject: Subject
    outcome: Outcome
    enforced: Sequence[Finding]
    overridden: Sequence[Finding]
    warned: Sequence[Finding]
    waived: Sequence[Finding]
    recorded: Sequence[Finding]
    errors: Sequence[Finding]
    policies: int
    revisions: Mapping[str, str]  # policy set -> revision
    timestamp_ns: int
    elapsed_ns: int

    @property
    def unmatched(self) -> bool:
        return self.policies == 0

    def worded(self) -> Iterator[tuple[str, Finding]]:
        """The findings, the gravest first, each with the word for what became of it."""
        for word, findings in (
            ("error", self.errors),
            ("deny", self.enforced),
            ("overridden", self.overridden),
            ("warn", self.warned),
            ("waived", self.waived),
            ("recorded", self.recorded),
        ):
            for finding in findings:
                yield word, finding

    @property
    def findings(self) -> list[Finding]:
        return [*self.errors, *self.enforced, *self.overridden, *self.warned, *self.waived, *self.recorded]


def decide(
    evaluation: Evaluation, *, decision_id: str, revisions: Mapping[str, str], timestamp_ns: int
) -> Decision:
    """Sort the findings by what their stage asks for; the gravest gives the outcome."""
    enforced: list[Finding] = []
    overridden: list[Finding] = []
    warned: list[Finding] = []
    waived: list[Finding] = []
    recorded: list[Finding] = []
    errors: list[Finding] = []
    for finding in evaluation.findings:
        ruling = finding.ruling
        if ruling is not None and ruling.breakglass:
            overridden.append(finding)
        elif finding.error:
            # A policy that nobody has to obey yet stops nobody by failing.
            lowered = finding.stage is not Stage.ENFORCE and finding.policy.stage is Stage.ENFORCE
            (warned if lowered else errors).append(finding)
        elif finding.excepted:
            recorded.append(finding)
        elif ruling is not None and ruling.waiver:
            waived.append(finding)
        elif finding.stage is Stage.ENFORCE:
            enforced.append(finding)
        elif finding.stage is Stage.DRYRUN:
            recorded.append(finding)
        else:
            warned.append(finding)
    if enforced:
        outcome = Outcome.DENY
    elif errors:
        outcome = Outcome.ERROR
    else:
        outcome = Outcome.WARN if warned or overridden else Outcome.ALLOW
    return Decision(
        decision_id=decision_id,
        subject=evaluation.subject,
        outcome=outcome,
        enforced=enforced,
        overridden=overridden,
        warned=warned,
        waived=waived,
        recorded=recorded,
        errors=errors,
        policies=evaluation.policies,
        revisions=revisions,
        timestamp_ns=timestamp_ns,
        elapsed_ns=evaluation.elapsed_ns,
    )
