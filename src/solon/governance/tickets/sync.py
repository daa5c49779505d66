"""Carries out what was planned, one operation after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from solon.governance.pace import Clock, Pace
from solon.governance.tickets.plan import Action, Existing, Operation
from solon.governance.tickets.settings import TicketSettings
from solon.governance.tickets.tracker import Result, Tracker, TrackerError, TrackerUnavailable

# So many refusals one after the other, and the rest would be refused as well.
_REFUSALS: Final = 5


def tracker_of(settings: TicketSettings, environ: Mapping[str, str], *, clock: Clock) -> Tracker:
    """The tracker that is configured. Raises TrackerError where its token is missing."""
    pace = Pace(settings.per_minute, clock)
    if settings.github is not None:
        from solon.governance.tickets.github import GitHub

        return GitHub(settings.github, settings.label, environ, clock=clock, pace=pace)
    from solon.governance.tickets.jira import Jira

    assert settings.jira is not None
    return Jira(settings.jira, settings.label, environ, clock=clock, pace=pace)


def carry_out(tracker: Tracker, operations: Sequence[Operation]) -> Iterator[Result]:
    """A result for each operation. What fails does not stop the others, unless they would fail as well."""
    refused = 0
    stopped = ""
    for operation in operations:
        if stopped:
            yield Result(operation, operation.existing, stopped)
            continue
        try:
            yield Result(operation, _carry_out(tracker, operation))
            refused = 0
        except TrackerUnavailable as error:
            stopped = f"not tried: {error}"
            yield Result(operation, operation.existing, str(error))
        except TrackerError as error:
            refused += 1
            if refused == _REFUSALS:
                stopped = f"not tried, after {_REFUSALS} refusals: {error}"
            yield Result(operation, operation.existing, str(error))


def _carry_out(tracker: Tracker, operation: Operation) -> Existing:
    ticket, existing = operation.ticket, operation.existing
    if existing is None:
        assert ticket is not None
        return tracker.create(ticket)
    if operation.note is not None and not tracker.said(existing, operation.note):
        tracker.comment(existing, operation.note)
    if ticket is None:
        tracker.close(existing, duplicate=operation.action is Action.CLOSE_DUPLICATE)
    elif operation.action is Action.REOPEN:
        tracker.reopen(existing, ticket)
    else:
        tracker.update(existing, ticket)
    return existing
