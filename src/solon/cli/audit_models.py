"""The live versions of models, for solon audit: judged again by the evidence that was kept of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from solon.cli import governed, policies, programme
from solon.cli.config import Found
from solon.cli.errors import Failure, UsageError
from solon.cli.model import deployed
from solon.cli.model.key import public_keys
from solon.cli.progress import track
from solon.decisions.decision import Decision, decide
from solon.decisions.log.store import Log
from solon.decisions.replay import source
from solon.decisions.replay.recorded import Recorded, Unusable, input_of
from solon.decisions.replay.source import Selection, Which
from solon.decisions.warehouse import session
from solon.decisions.warehouse.query import Filters
from solon.evidence.deployed.releases import Gated, gated, releases
from solon.evidence.settings import ModelSettings
from solon.evidence.store import NotStored, Store, Stored
from solon.frameworks import live_models
from solon.frameworks.policy import Context, Evaluation, PolicySet, Ruling, Stage, evaluate
from solon.governance import times
from solon.governance.programme import Programme
from solon.lang.budget import Budget
from solon.signing.dsse import key_id
from solon.subjects.ml_release import KIND
from solon.subjects.subject import Subject

_PASSING = ("allow", "warn")


@dataclass(frozen=True, slots=True)
class Judged:
    """The decisions, what they were made under, and by uri the newest in the log that let a release pass."""

    sets: Sequence[PolicySet]
    programme: Programme
    decisions: Sequence[Decision]
    known: dict[str, Recorded]


def judged(
    log: Log, found: Found, models: deployed.Options, *, allowed_hosts: frozenset[str], timeout: float
) -> Judged:
    """Raises UsageError, Failure, LogError."""
    live, unreadable = deployed.deployed(models)
    if unreadable:
        raise Failure("\n".join([*map(str, unreadable), "solon: nothing was audited: put this right first"]))
    said = found.models()
    known, decided = _gated(log)
    trusted = [key_id(key) for key in public_keys(said.collectors)]
    subjects = list(releases(live, list(_stored(said)), decided, trusted))
    now_ns = governed.clock()
    sets = policies.load(replace(policies.of_repository(found), may_be_none=True))
    own = live_models.policies()
    run = programme.Run(now=times.instant(now_ns), cluster=models.cluster, environment=models.environment)
    plan = programme.read(found, [*sets, own], run)
    if plan.problems:
        raise Failure(
            "\n".join([*map(str, plan.problems), "solon: nothing was audited: put this right first"])
        )
    context = Context(now_ns, budget=Budget(seconds=timeout), allowed_hosts=allowed_hosts)
    decisions = [
        _decision(subject, sets, own, plan, context) for subject in track(subjects, len(subjects), "judging")
    ]
    return Judged([*sets, own], plan, decisions, known)


def _decision(
    subject: Subject, sets: Sequence[PolicySet], own: PolicySet, plan: Programme, context: Context
) -> Decision:
    """Without evidence that is about its files, policies are not asked: each would say so of its own part."""
    started = time.perf_counter_ns()
    asked = [*sets, own] if subject.document["model"]["verified"] else [own]
    evaluation = _kept(plan.apply(evaluate(asked, subject, context)))
    return decide(
        replace(evaluation, elapsed_ns=time.perf_counter_ns() - started),
        decision_id=str(uuid.uuid4()),
        revisions={each.name: each.revision for each in asked},
        timestamp_ns=time.time_ns(),
    )


def _kept(evaluation: Evaluation) -> Evaluation:
    """Solon's own policy is in no rollout, which would have it only recorded."""
    findings = [
        finding.ruled(finding.subject, Stage.ENFORCE, Ruling(finding.ruling.team, finding.ruling.owner))
        if finding.policy.id == live_models.ID and finding.ruling is not None and not finding.ruling.waiver
        else finding
        for finding in evaluation.findings
    ]
    return replace(evaluation, findings=findings)


def _gated(log: Log) -> tuple[dict[str, Recorded], dict[str, list[Gated]]]:
    """What the log has of releases: the newest that let each pass, and all decisions, the newest last. Raises LogError."""
    filters = Filters(subjects=["model://*"])
    found: dict[str, list[tuple[int, Gated]]] = {}
    with session.opened(log) as opened:
        for then, event in source.events(opened, Selection(filters, Which.ALL)):
            if then.kind != KIND or then.problem:
                continue
            try:
                document = input_of(event).document
            except Unusable:
                continue
            decision = gated(document, passed=then.outcome in _PASSING)
            found.setdefault(then.uri, []).append((then.time_ns, decision))
        known = {then.uri: then for then, _ in source.events(opened, Selection(filters, Which.DEPLOYED))}
    return known, {
        uri: [each for _, each in sorted(several, key=lambda pair: pair[0])] for uri, several in found.items()
    }


def _stored(said: ModelSettings) -> Iterator[Stored]:
    """Raises UsageError."""
    try:
        yield from Store(said.store).documents()
    except (OSError, NotStored) as error:
        raise UsageError(f"{said.store}: {error}") from None
