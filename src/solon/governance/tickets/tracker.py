"""Where tickets are kept, whichever it is, and what may go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solon.governance.tickets.plan import Existing, Note, Operation
from solon.governance.tickets.ticket import Ticket


class TrackerError(Exception):
    """The tracker refused one thing: what, in one line."""


class TrackerUnavailable(TrackerError):
    """Nothing more can be done with the tracker now."""


class Tracker(Protocol):
    """Where tickets are kept. Every method raises TrackerError."""

    @property
    def name(self) -> str: ...
    def existing(self) -> list[Existing]: ...
    def create(self, ticket: Ticket) -> Existing: ...
    def update(self, existing: Existing, ticket: Ticket) -> None: ...
    def reopen(self, existing: Existing, ticket: Ticket) -> None: ...
    def close(self, existing: Existing, *, duplicate: bool) -> None: ...
    def said(self, existing: Existing, note: Note) -> bool: ...
    def comment(self, existing: Existing, note: Note) -> None: ...
    def close_connection(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an operation; ``problem`` says why it was not done."""

    operation: Operation
    existing: Existing | None = None
    problem: str = ""
