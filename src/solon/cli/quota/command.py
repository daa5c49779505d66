"""solon quota: reserve, list, confirm and release."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.cli import check
from solon.cli.errors import Failure, UsageError
from solon.cli.quota import job
from solon.cli.quota.reserving import Answer, Options, ledger_of, reserve
from solon.cli.writing import replaced
from solon.governance.quota.ledger import LedgerError
from solon.governance.quota.reservation import State, held
from solon.report import quota_report
from solon.subjects import discover, kubernetes


def ask(options: Options, format: str, output: str | None) -> int:
    """The exit status. Raises UsageError, Failure."""
    wanted = job.read(options.job, max_bytes=options.max_bytes, cluster=options.cluster)
    if output and wanted.backend is not None:
        raise UsageError(
            "--output writes a manifest; a job of MLflow has two files: `solon quota run` writes both"
        )
    answer = reserve(wanted, options)
    if output and answer.granted:
        replaced(output, answer.job.text)
    sys.stdout.write(quota_report.answer(format, answer.report, answer.reservation))
    return status(answer)


def status(answer: Answer) -> int:
    if answer.granted:
        return 0
    return 2 if any(decision.errors for decision in answer.report.decisions) else 1


@dataclass(frozen=True, slots=True)
class Listing:
    ledger: str | None
    every: bool
    inventory: list[str]
    format: str


def show(options: Listing) -> int:
    """The exit status. Raises UsageError, Failure."""
    ledger = ledger_of(options.ledger)
    try:
        found = ledger.all()
    except LedgerError as error:
        raise UsageError(str(error)) from None
    running = _running(options.inventory)
    rows = [
        quota_report.Row(each, each.state is State.RESERVED and not held([each], running))
        for each in found
        if options.every or each.state is State.RESERVED
    ]
    sys.stdout.write(quota_report.listing(options.format, rows))
    return 0


def end(id: str, state: State, ledger: str | None) -> int:
    """The exit status. Raises UsageError."""
    try:
        found = ledger_of(ledger).end(id, state)
    except LedgerError as error:
        raise UsageError(str(error)) from None
    sys.stdout.write(quota_report.ended(found))
    return 0


def _running(paths: Sequence[str]) -> list[dict[str, Any]]:
    """Raises Failure."""
    objects: list[dict[str, Any]] = []
    problems: list[str] = []
    for source in discover.find(paths):
        if not isinstance(source, discover.Input):
            problems.append(str(source))
            continue
        subjects, unreadable = check.split(discover.read(source, stdin=sys.stdin.buffer.read))
        problems += map(str, unreadable)
        objects += [each.document for each in subjects if each.kind == kubernetes.OBJECT]
    if problems:
        raise Failure("\n".join(problems))
    return objects
