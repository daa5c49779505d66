"""What `solon tickets sync` did, or would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.governance.tickets.plan import Action
from solon.governance.tickets.tracker import Result
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.text import printable
from solon.subjects.subject import Unreadable

_DONE: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REOPEN: "reopened",
    Action.CLOSE: "closed",
    Action.CLOSE_DUPLICATE: "closed as duplicate",
}


@dataclass(frozen=True, slots=True)
class TicketsReport:
    """``results`` are of a dry run what would be done. ``unjudged`` are why nothing was closed for want of findings."""

    tracker: str
    results: Sequence[Result]
    wanted: int
    subjects: int
    unjudged: Sequence[Unreadable]
    dry_run: bool

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if result.problem]

    @property
    def unchanged(self) -> int:
        touched = sum(result.operation.ticket is not None for result in self.results)
        return self.wanted - touched


def render(name: str, report: TicketsReport) -> str:
    return _json(report) if name == "json" else "".join(f"{line.rstrip()}\n" for line in _table(report))


def _table(report: TicketsReport) -> Iterator[str]:
    if report.results:
        yield f"{printable(report.tracker)}{' (dry run: nothing is changed)' if report.dry_run else ''}"
    for result in report.results:
        operation = result.operation
        existing = result.existing or operation.existing
        mark = "✗" if result.problem else "·" if report.dry_run else "✓"
        reference = existing.reference if existing is not None else ""
        count = plural(operation.ticket.total, "subject") if operation.ticket is not None else ""
        lead = f"  {mark} {operation.action.value:<15}  {reference:<8}  "
        yield printable(f"{lead}{_title(result)}{f' · {count}' if count else ''}")
        if operation.note is not None and not result.problem:
            yield f"{' ' * len(lead)}{operation.note.text}"
        if result.problem:
            yield printable(f"{' ' * len(lead)}{result.problem}")
    if report.results:
        yield ""
    if report.unjudged:
        yield "Not everything was judged, so nothing is closed for want of findings:"
        yield from (printable(f"  ✗ {problem}") for problem in report.unjudged)
        yield ""
    yield _summary(report)


def _title(result: Result) -> str:
    operation = result.operation
    if operation.ticket is not None:
        return operation.ticket.title
    return operation.existing.title if operation.existing is not None else ""


def _summary(report: TicketsReport) -> str:
    done = Counter(result.operation.action for result in report.results if not result.problem)
    said = [
        f"{count} {f'to {action.value}' if report.dry_run else _DONE[action]}"
        for action in Action
        if (count := done[action])
    ]
    if report.unchanged:
        said.append(f"{report.unchanged} unchanged")
    if report.failed:
        said.append(f"{len(report.failed)} failed")
    tickets = plural(report.wanted, "ticket")
    return f"{tickets} for {plural(report.subjects, 'subject')}: {', '.join(said) or 'nothing to do'}"


def _json(report: TicketsReport) -> str:
    return text(
        {
            "schema": "solon.tickets/v1",
            "tracker": report.tracker,
            "dry_run": report.dry_run,
            "operations": [_operation(result) for result in report.results],
            "unjudged": [str(problem) for problem in report.unjudged],
            "summary": {
                "tickets": report.wanted,
                "subjects": report.subjects,
                "unchanged": report.unchanged,
                "failed": len(report.failed),
            },
        }
    )


def _operation(result: Result) -> dict[str, Any]:
    operation = result.operation
    ticket, existing = operation.ticket, result.existing or operation.existing
    return {
        "action": operation.action.value,
        "policy": ticket.policy if ticket else None,
        "owner": ticket.owner if ticket else None,
        "title": _title(result),
        "subjects": ticket.total if ticket else 0,
        "reference": existing.reference if existing else None,
        "url": existing.url if existing else None,
        "comment": operation.note.text if operation.note else None,
        "problem": result.problem or None,
    }
