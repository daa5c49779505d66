"""What happened to each token: the events of the ledger, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from solon.governance.breakglass.token import check_reach, check_text
from solon.governance.scope import Scope

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=str.lower):
    at: Time

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str):
                check_text(name, value)
            elif isinstance(value, datetime) and not (value.tzinfo is UTC and value.year < 9999):
                raise ValueError(f"{name} is not a time in UTC")


class Opened(Event, frozen=True):
    """A token was signed; ``token`` is its digest."""

    id: str
    by: str
    reason: str
    ticket: str
    scope: Scope
    policies: list[str]
    issued: Time
    expires: Time
    token: str

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        check_reach(self.scope, self.policies)


class Used(Event, frozen=True):
    """It let subjects through. ``subjects`` counts them; ``uris`` are the first of them."""

    id: str
    by: str
    policies: list[str]
    findings: int
    subjects: int
    uris: list[str]


class Closed(Event, frozen=True):
    """Somebody else reviewed it. A token that is closed cannot be used any more."""

    id: str
    by: str
    outcome: str


class Torn(Event, frozen=True):
    """The line before was not written to its end: a crash, or a full disk. ``fragment`` is its digest."""

    fragment: str


AnyEvent = Opened | Used | Closed | Torn


class Status(StrEnum):
    ACTIVE = "active"  # may be used, and was not yet
    OPEN = "open"  # to be reviewed
    OVERDUE = "overdue"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Case:
    """One token, from its opening to the outcome of its review."""

    opened: Opened
    uses: Sequence[Used] = ()
    closed: Closed | None = None

    @property
    def id(self) -> str:
        return self.opened.id

    @property
    def review_from(self) -> datetime:
        """Its first use; or its end, as a use may be written down in a copy of the ledger that is lost."""
        return min([self.opened.expires, *(use.at for use in self.uses)])

    def due(self, review_time: timedelta) -> datetime:
        return self.review_from + review_time

    def status(self, now: datetime, review_time: timedelta) -> Status:
        if self.closed is not None:
            return Status.CLOSED
        if now < self.review_from:
            return Status.ACTIVE
        return Status.OPEN if now < self.due(review_time) else Status.OVERDUE


Cases = Mapping[str, Case]


def fold(events: Iterable[tuple[int, AnyEvent]]) -> tuple[dict[str, Case], list[tuple[int, str]]]:
    """The cases by identifier, in the order they were opened; and what cannot have happened, with its line."""
    opened: dict[str, Opened] = {}
    uses: dict[str, list[Used]] = {}
    closed: dict[str, Closed] = {}
    problems: list[tuple[int, str]] = []
    for line, event in events:
        if isinstance(event, Torn):
            continue
        if isinstance(event, Opened):
            if event.id in opened:
                problems.append((line, f"{event.id} is opened a second time"))
            else:
                opened[event.id] = event
        elif event.id not in opened:
            problems.append((line, f"{event.id} was never opened"))
        elif event.id in closed:
            problems.append((line, f"{event.id} was closed before"))
        elif isinstance(event, Used):
            uses.setdefault(event.id, []).append(event)
        else:
            closed[event.id] = event
    cases = {id: Case(event, tuple(uses.get(id, ())), closed.get(id)) for id, event in opened.items()}
    return cases, problems
