"""solon tickets: what owners have to put right, in the tracker that they work with."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from solon.cli import config, governed
from solon.cli.errors import Failure, UsageError
from solon.cli.governed import Governed
from solon.cli.progress import track
from solon.decisions.decision import Decision
from solon.decisions.masking import Scrubber, mask
from solon.frameworks.policy import Finding, Stage
from solon.governance.pace import Clock
from solon.governance.tickets.plan import plan
from solon.governance.tickets.sync import carry_out, tracker_of
from solon.governance.tickets.ticket import Offence, wanted
from solon.governance.tickets.tracker import Result, Tracker, TrackerError
from solon.report.tickets_report import TicketsReport, render
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    inventory: list[str]
    cluster: str
    environment: str
    allowed_hosts: frozenset[str]
    timeout: float
    max_bytes: int
    dry_run: bool
    format: str


def sync(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    found = config.find(os.getcwd())
    settings = found.config.tickets if found is not None else None
    if found is None or settings is None:
        raise UsageError(
            "no tracker: write in solon.yaml where tickets are kept, such as "
            "`tickets: {github: {repository: org/policies}}`"
        )
    try:
        tracker = tracker_of(settings, os.environ, clock=Clock(time.time, time.sleep))
        try:
            report = _synced(tracker, options)
        finally:
            tracker.close_connection()
    except TrackerError as error:
        raise UsageError(str(error)) from None
    sys.stdout.write(render(options.format, report))
    return 2 if report.failed or report.unjudged else 0


def _synced(tracker: Tracker, options: Options) -> TicketsReport:
    judged = _judged(options)
    offences = list(offences_of(judged.decisions, judged.local))
    unjudged = [*judged.unreadable, *_failures(judged.decisions)]
    tickets = wanted(offences)
    operations = plan(tickets, tracker.existing(), complete=not unjudged)
    if options.dry_run:
        results = [Result(operation, operation.existing) for operation in operations]
    else:
        results = list(track(carry_out(tracker, operations), len(operations), "tickets"))
    return TicketsReport(
        tracker=tracker.name,
        results=results,
        wanted=len(tickets),
        subjects=len({offence.uri for offence in offences}),
        unjudged=unjudged,
        dry_run=options.dry_run,
    )


def _judged(options: Options) -> Governed:
    """As `solon check` judges. A broken programme ends it: what it would have waived must not become a ticket."""
    asked = governed.Asked(
        paths=options.paths,
        inventory=options.inventory,
        cluster=options.cluster,
        environment=options.environment,
        allowed_hosts=options.allowed_hosts,
        timeout=options.timeout,
        max_bytes=options.max_bytes,
    )
    judged = governed.judged(asked)
    if judged.programme.problems:
        raise Failure("\n".join(map(str, judged.programme.problems)))
    return judged


def offences_of(decisions: Iterable[Decision], local: tzinfo) -> Iterator[Offence]:
    """What owners have to put right: what is denied or warned of, not what is waived or only recorded.

    The secrets of a subject are taken out of its messages.
    """
    parent: Any = None
    parent_secrets: frozenset[str] = frozenset()
    for decision in decisions:
        findings = [
            finding
            for finding in (*decision.enforced, *decision.overridden, *decision.warned)
            if not finding.error
        ]
        if not findings:
            continue
        if decision.subject.parent is not parent:
            parent = decision.subject.parent
            parent_secrets = mask(parent)[2]
        clean = Scrubber(mask(decision.subject.document)[2] | parent_secrets)
        for finding in findings:
            yield _offence(finding, clean, local)


def _offence(finding: Finding, clean: Scrubber, local: tzinfo) -> Offence:
    subject, ruling = finding.subject, finding.ruling
    blocks = finding.stage is Stage.ENFORCE
    blocks_on = None
    owner = subject.team or subject.owner
    if ruling is not None:
        owner = ruling.team or ruling.owner or owner
        if not blocks and ruling.enforced_from is not None:
            blocks_on = ruling.enforced_from.astimezone(local).date()
    return Offence(
        policy=finding.policy.id,
        title=finding.policy.title,
        severity=finding.severity,
        owner=owner,
        uri=subject.uri,
        name=subject.name,
        file=finding.location.file,
        line=finding.location.line,
        message=clean(finding.message, ""),
        remediation=clean(finding.remediation, ""),
        blocks=blocks,
        blocks_on=blocks_on,
    )


def _failures(decisions: Iterable[Decision]) -> Iterator[Unreadable]:
    """Policies that failed: whether there is a finding is not known."""
    for decision in decisions:
        for finding in (*decision.errors, *decision.warned):
            if finding.error:
                yield Unreadable(finding.location, f"{finding.policy.id} failed: {finding.message}")
