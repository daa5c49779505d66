"""Judging a job with what runs and what is reserved, and reserving what it asks for, as one step."""

from __future__ import annotations

import base64
import getpass
import os
import secrets
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from solon.cli import check, config, governed, policies
from solon.cli.errors import Failure, UsageError
from solon.cli.quota.job import Job
from solon.decisions.decision import Decision, Outcome
from solon.decisions.masking import mask
from solon.frameworks.gatekeeper.inventory import inventory_of
from solon.frameworks.policy import Context, PolicySet
from solon.governance import times
from solon.governance.quota.demand import mentions
from solon.governance.quota.ledger import Judge, Ledger, LedgerError
from solon.governance.quota.reservation import Reservation, State, held
from solon.report.check_report import CheckReport
from solon.subjects import kubernetes
from solon.subjects.subject import Subject

LONGEST: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Options:
    job: str
    team: str
    length: str
    owner: str
    ledger: str | None
    policies: list[str]
    data: list[str]
    inventory: list[str]
    log: str | None
    cluster: str
    environment: str
    allowed_hosts: frozenset[str]
    timeout: float
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """``reservation`` is there where it was granted; a job that asks for no GPUs needs none."""

    job: Job
    report: CheckReport
    reservation: Reservation | None
    ledger: Ledger

    @property
    def granted(self) -> bool:
        return all(_passes(decision) for decision in self.report.decisions)


def ledger_of(named: str | None) -> Ledger:
    """The ledger that is named, or that of the repository. Raises UsageError.

    There is none by default: one in each checkout would know nothing of the others.
    """
    found = None if named else config.find(os.getcwd())
    path = named or (found.path(found.config.quota.ledger) if found is not None else "")
    if not path:
        raise UsageError(
            "no ledger: name a file that all who submit jobs share, with --ledger, or in solon.yaml, such as "
            "`quota: {ledger: /var/lib/solon/quota.db}`"
        )
    return Ledger(path, lambda: times.instant(governed.clock()))


def length_of(text: str) -> timedelta:
    """Raises UsageError."""
    try:
        length = times.duration(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if not timedelta() < length <= LONGEST:
        raise UsageError(f"--for {text}: must be more than nothing, and at most {times.period(LONGEST)}")
    return length


def reserve(job: Job, options: Options) -> Answer:
    """Raises UsageError, Failure."""
    started_ns, started = governed.clock(), time.perf_counter_ns()
    length, ledger = length_of(options.length), ledger_of(options.ledger)
    id = "r-" + base64.b32encode(secrets.token_bytes(5)).decode().lower()
    job = job.of(id, options.team)
    asked = check.configured(_check_options(options))
    found = check.governing(_check_options(options))
    if not asked.inventory:
        raise UsageError(
            "what runs is not known: give it with --inventory (`kubectl get … -A -o json`; an empty List where "
            "nothing does)"
        )
    sets = policies.load(check.wanted(asked))
    if asked.log:
        check.append(asked.log, [])  # what cannot be recorded is not reserved
    around, unreadable = check.existing(asked)
    if unreadable:
        raise Failure("\n".join([*map(str, unreadable), "solon: nothing was reserved"]))
    running = [each.document for each in around if each.kind == kubernetes.OBJECT]
    context = check.context_of(job.subjects, around, asked, started_ns)
    plan = check.programme_of(found, sets, around, context, asked)
    if plan is not None and plan.problems:
        raise Failure("\n".join([*map(str, plan.problems), "solon: nothing was reserved"]))
    if job.gpus:
        _counted(sets, job.subjects, context)
    decisions: list[Decision] = []

    def judge(others: Sequence[Reservation], now: datetime) -> Reservation | None:
        exists = [*running, *held(others, running), *(each.document for each in job.subjects)]
        decisions[:] = check.judged(
            sets, job.subjects, replace(context, inventory=inventory_of(exists)), plan
        )
        if not job.gpus or not all(map(_passes, decisions)):
            return None
        return Reservation(
            id=id,
            team=job.team,
            owner=options.owner or _whoever(),
            job=job.name,
            gpus=job.gpus,
            documents=[mask(each.document)[0] for each in job.subjects],
            made=now,
            expires=now + length,
            length=length,
        )

    reservation = _locked(ledger, judge)
    answer = Answer(
        job,
        CheckReport(
            decisions=decisions,
            unreadable=[],
            policy_sets=sets,
            programme_problems=[],
            elapsed_ns=time.perf_counter_ns() - started,
            started_ns=started_ns,
        ),
        reservation,
        ledger,
    )
    try:
        if asked.log:
            check.append(asked.log, decisions, check.recorded(found, sets, plan, asked))
        if not job.gpus:
            _unknown(job)
    except BaseException:
        released(answer)
        raise
    return answer


def released(answer: Answer) -> str:
    """Free what was reserved, if it still is; what keeps it from being freed."""
    if answer.reservation is None:
        return ""
    try:
        answer.ledger.end(answer.reservation.id, State.RELEASED)
    except LedgerError as error:
        return str(error)
    return ""


def _locked(ledger: Ledger, judge: Judge) -> Reservation | None:
    try:
        found = ledger.reserve(judge)
    except LedgerError as error:
        raise UsageError(str(error)) from None
    if ledger.created:
        print(f"solon: {ledger.path}: a new ledger of reservations", file=sys.stderr)
    return found


def _passes(decision: Decision) -> bool:
    return decision.outcome in (Outcome.ALLOW, Outcome.WARN) and not decision.errors


def _counted(sets: Sequence[PolicySet], subjects: Sequence[Subject], context: Context) -> None:
    """Raises UsageError where nothing that judges the job looks at what else there is: all would be granted."""
    reads = {id for each in sets for id, read in each.surroundings().items() if "inventory" in read}
    for subject in subjects:
        for each in sets:
            for policy in each.candidates(subject):
                if policy.id in reads and policy.applies(subject, context):
                    return
    raise UsageError(
        "no policy that judges this job reads data.inventory, so nothing counts what runs and what is reserved "
        "(library/kubernetes/gpu_quota.rego does)"
    )


def _unknown(job: Job) -> None:
    """Raises UsageError for GPUs that nothing counts."""
    for subject in job.subjects:
        if mentions(subject.document):
            raise UsageError(
                f"{subject.location}: {subject.name} mentions GPUs where they are not counted: a {subject.document['kind']} "
                "is no workload that is known here (reserve for one that is)"
            )


def _whoever() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # no name for this user
        return f"{os.getuid()}@{socket.gethostname()}"


def _check_options(options: Options) -> check.Options:
    return check.Options(
        paths=[],
        policies=options.policies,
        data=options.data,
        inventory=options.inventory,
        format="table",
        log=options.log,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
        max_bytes=options.max_bytes,
        cluster=options.cluster,
        environment=options.environment,
    )
