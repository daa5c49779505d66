"""Policies, what they say about a subject, and the one function that asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from solon.lang.budget import Budget
from solon.subjects.subject import Location, Path, Subject


class Stage(StrEnum):
    """How far a policy bites, from record-only to deny."""

    DRYRUN = "dryrun"
    WARN = "warn"
    AUDIT = "audit"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Violation:
    """What a policy says of a subject, before anything around it is known.

    ``path`` points into the subject's document where the policy tells which field it is about.
    """

    message: str
    details: Any = None
    path: Path | None = None
    severity: str = ""
    remediation: str = ""
    error: bool = False
    excepted: str = ""  # the rule that excepts it (Conftest's `exception`); such a violation is recorded only


@dataclass(frozen=True, slots=True)
class Context:
    """What a policy may know besides its subject. The clock is passed in; nothing here does I/O."""

    now_ns: int
    inventory: Any = None  # what else exists: Gatekeeper's data.inventory
    namespaces: Mapping[str, Any] = field(default_factory=dict)  # name -> Namespace object
    budget: Budget = Budget()
    allowed_hosts: frozenset[str] = frozenset()
    enforcement_point: str = "gator.gatekeeper.sh"
    environment: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] | None = None  # the run that a Terraform plan belongs to: Sentinel's tfrun


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule that can be violated.

    ``applies`` says whether the policy has anything to say about a subject (its kind, its match section);
    ``judge`` gives the violations, and raises RegoError where the policy fails.
    ``stage`` is the native enforcement: what the policy itself asks for. ``code`` is where its rules are written, where
    that is not ``source``: the template of a constraint.
    """

    id: str
    language: str
    framework: str
    source: Location
    stage: Stage
    applies: Callable[[Subject, Context], bool]
    judge: Callable[[Subject, Context], Iterable[Violation]]
    title: str = ""
    description: str = ""
    severity: str = "medium"  # low | medium | high | critical
    owner: str = ""
    controls: tuple[str, ...] = ()
    remediation: str = ""
    parameters: Any = None
    overridable: bool = True  # whether break-glass may let through what it denies
    code: Location | None = None


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file that policies were made of, as it was read. ``place``: it is data, for below there.

    ``data`` is None where it is longer than MAX_TEXT.
    """

    file: str
    size: int
    data: bytes | None
    place: tuple[str, ...] | None = None


MAX_TEXT: Final = 4 << 20


def source_text(file: str, data: bytes, place: tuple[str, ...] | None = None) -> SourceText:
    return SourceText(file, len(data), data if len(data) <= MAX_TEXT else None, place)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies from one source. ``revision`` is a digest of everything that was read, ``texts`` are those files.

    ``candidates`` narrows the policies that could apply, so that a thousand constraints cost little. ``surroundings``
    says what policies read besides their subject, by their ids: ``inventory``, or the ``plan`` around a resource.
    """

    name: str
    revision: str
    policies: Sequence[Policy]
    candidates: Callable[[Subject], Sequence[Policy]]
    texts: Sequence[SourceText] = ()
    surroundings: Callable[[], Mapping[str, frozenset[str]]] = dict


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the programme makes of a finding, and why.

    ``rollout`` is the file that gives the stage and ``scope`` the one of its scopes that holds, empty for the rest;
    without a rollout both are empty. ``enforced_from`` is when it begins to deny, where that is to come.
    ``existing_until``: what is there already is spared until then. ``waiver`` and ``breakglass`` name what lets
    it pass. ``because`` says it in words.
    """

    team: str = ""
    owner: str = ""
    rollout: str = ""
    scope: str = ""
    enforced_from: datetime | None = None
    existing_until: datetime | None = None
    waiver: str = ""
    waiver_expires: datetime | None = None
    waiver_location: Location | None = None
    breakglass: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """policy x subject x message. ``error``: the policy failed on this subject.

    ``stage`` is what is done about it: what the policy asks for, or less where a programme says so.
    """

    policy: Policy
    subject: Subject
    message: str
    stage: Stage
    severity: str
    location: Location
    path: Path | None = None
    remediation: str = ""
    details: Any = None
    error: bool = False
    excepted: str = ""
    ruling: Ruling | None = None

    def ruled(self, subject: Subject, stage: Stage, ruling: Ruling) -> Finding:
        """The same, with what the programme makes of it."""
        return Finding(
            self.policy,
            subject,
            self.message,
            stage,
            self.severity,
            self.location,
            self.path,
            self.remediation,
            self.details,
            self.error,
            self.excepted,
            ruling,
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What all policies say of one subject. ``policies`` counts those that applied."""

    subject: Subject
    findings: list[Finding]
    policies: int
    elapsed_ns: int = 0


def evaluate(sets: Iterable[PolicySet], subject: Subject, context: Context) -> Evaluation:
    """Ask every policy that applies to the subject.

    A policy that fails becomes a finding with ``error`` set; the others go on.
    """
    findings: list[Finding] = []
    placed: Subject | None = None
    asked = 0
    for policy_set in sets:
        for policy in policy_set.candidates(subject):
            try:
                if not policy.applies(subject, context):
                    continue
                asked += 1
                violations = list(policy.judge(subject, context))
            except PolicyFailure as failure:
                violations = [Violation(str(failure), error=True)]
            if violations and placed is None:
                # Only now is it worth finding out where in the file the subject stands.
                start = subject.locator.locate(())
                placed = replace(subject, location=Location(start.file, start.line))
            findings.extend(_findings(policy, placed or subject, violations))
    return Evaluation(placed or subject, findings, asked)


class PolicyFailure(Exception):
    """A policy could not judge a subject: what happened, in one line, with the place in the policy."""


def _findings(policy: Policy, subject: Subject, violations: Iterable[Violation]) -> Iterator[Finding]:
    for violation in violations:
        yield Finding(
            policy=policy,
            subject=subject,
            message=violation.message,
            stage=policy.stage,
            severity=violation.severity or policy.severity,
            location=subject.locator.locate(violation.path or ()),
            path=violation.path,
            remediation=violation.remediation or policy.remediation,
            details=violation.details,
            error=violation.error,
            excepted=violation.excepted,
        )
