"""From findings to a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    ``enforced`` findings deny; ``warned`` are shown; ``recorded`` (dryrun, audit, excepted) are kept.
    ``errors`` are policies that failed on this subject. ``policies`` counts the policies that applied:
    with none, the outcome is allow and ``unmatched`` is true.
    """

    decision_id: str
    subject: Subject
    outcome: Outcome
    enforced: Sequence[Finding]
    warned: Sequence[Finding]
    recorded: Sequence[Finding]
    errors: Sequence[Finding]
    policies: int
    revisions: Mapping[str, str]  # policy set -> revision
    timestamp_ns: int
    elapsed_ns: int

    @property
    def unmatched(self) -> bool:
        return self.policies == 0

    @property
    def findings(self) -> list[Finding]:
        return [*self.errors, *self.enforced, *self.warned, *self.recorded]


def decide(
    evaluation: Evaluation, *, decision_id: str, revisions: Mapping[str, str], timestamp_ns: int
) -> Decision:
    """Sort the findings by what their stage asks for; the gravest gives the outcome."""
    enforced: list[Finding] = []
    warned: list[Finding] = []
    recorded: list[Finding] = []
    errors: list[Finding] = []
    for finding in evaluation.findings:
        if finding.error:
            errors.append(finding)
        elif finding.excepted:
            recorded.append(finding)
        elif finding.stage is Stage.ENFORCE:
            enforced.append(finding)
        elif finding.stage is Stage.WARN:
            warned.append(finding)
        else:
            recorded.append(finding)
    outcome = (
        Outcome.DENY if enforced else Outcome.ERROR if errors else Outcome.WARN if warned else Outcome.ALLOW
    )
    return Decision(
        decision_id=decision_id,
        subject=evaluation.subject,
        outcome=outcome,
        enforced=enforced,
        warned=warned,
        recorded=recorded,
        errors=errors,
        policies=evaluation.policies,
        revisions=revisions,
        timestamp_ns=timestamp_ns,
        elapsed_ns=evaluation.elapsed_ns,
    )
