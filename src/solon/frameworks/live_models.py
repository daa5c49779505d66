"""The one policy that Solon itself brings: of what is live it is known what it is, and that it was let pass.

It is asked of live versions alone, whatever policies there are: a version of which there is no evidence is nothing that they
could judge. No rollout is about it; waivers are, by its id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon import __version__
from solon.frameworks.policy import Context, Policy, PolicySet, Stage, Violation
from solon.subjects.subject import Location, Subject

ID: Final = "solon.live_model"
SET: Final = "solon:live"


def policies() -> PolicySet:
    policy = Policy(
        id=ID,
        language="solon",
        framework="solon",
        source=Location("solon"),
        stage=Stage.ENFORCE,
        applies=lambda subject, context: _is_live(subject),
        judge=_judge,
        title="What is live is known, and was let pass",
        severity="high",
        controls=("EU-AI-Act:Art.12", "EU-AI-Act:Art.72", "NIST-AI-RMF:GOVERN-1.6", "ISO-42001:A.6.2.6"),
        remediation="Gather its evidence and gate it (solon model collect, solon model gate), or take it out of service",
        overridable=False,
    )
    return PolicySet(SET, __version__, [policy], lambda subject: [policy])


def _is_live(subject: Subject) -> bool:
    return isinstance(subject.document, dict) and "live" in subject.document


def _judge(subject: Subject, context: Context) -> Iterator[Violation]:  # noqa: ARG001 - it has a judge's form
    problems = subject.document["live"]["problems"]
    if problems:
        yield Violation(f"live, and {'; '.join(problems)}", path=("live",))
