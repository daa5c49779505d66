"""From the tickets that are wanted and those that exist to what has to be done. Nothing here does I/O.

A ticket is found again by the label that holds its key, so that no state is kept anywhere else:

==============  =======================  =========================================================
in the tracker  wanted                   what is done
==============  =======================  =========================================================
nothing         yes                      create
open            yes, the same            nothing
open            yes, another             update; a comment where more is concerned or the date changed
closed          yes                      reopen, with a comment: who closed it did not end the findings
open            no                       close, with a comment; not where something was not judged
closed          no                       nothing
twice           either                   close the younger as a duplicate: two runs made one each
==============  =======================  =========================================================

An operation is one comment and one change. The change comes last and carries the digest, so that an operation that
was interrupted is planned again; a comment that was the last thing said is not said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from solon.governance.tickets.ticket import Ticket


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REOPEN = "reopen"
    CLOSE = "close"
    CLOSE_DUPLICATE = "close duplicate"


@dataclass(frozen=True, slots=True)
class State:
    """What a ticket in the tracker says of itself, unseen. ``settled``: Solon closed it, since nothing was left."""

    digest: str = ""
    total: int = 0
    blocks: str = ""
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Existing:
    """A ticket in the tracker.

    ``reference`` is what people write for it (``#12``, ``GOV-12``); ``age`` sorts the older before the younger;
    ``state`` is missing where somebody has removed it.
    """

    id: str
    reference: str
    url: str
    age: int
    key: str
    title: str
    open: bool
    state: State | None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A comment. ``id`` is the same when the same is to be said again."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    action: Action
    ticket: Ticket | None = None
    existing: Existing | None = None
    note: Note | None = None


def plan(
    tickets: Sequence[Ticket], existing: Iterable[Existing], *, complete: bool = True
) -> list[Operation]:
    """What has to be done. With ``complete`` false nothing is closed for want of findings."""
    by_key: dict[str, list[Existing]] = {}
    for found in sorted(existing, key=lambda e: e.age):
        by_key.setdefault(found.key, []).append(found)
    operations: list[Operation] = []
    kept: dict[str, Existing] = {}
    for key, several in by_key.items():
        kept[key] = next((e for e in several if e.open), several[0])
        operations += _duplicates(several, kept[key])
    for ticket in tickets:
        operations += _towards(ticket, kept.pop(ticket.key, None))
    if complete:
        operations += [_close(found) for found in kept.values() if found.open]
    return operations


def _duplicates(several: Sequence[Existing], kept: Existing) -> Iterator[Operation]:
    for found in several:
        if found.open and found is not kept:
            note = Note("duplicate", f"A duplicate of {kept.reference}, which is kept up to date instead.")
            yield Operation(Action.CLOSE_DUPLICATE, existing=found, note=note)


def _towards(ticket: Ticket, found: Existing | None) -> Iterator[Operation]:
    if found is None:
        yield Operation(Action.CREATE, ticket)
    elif not found.open:
        yield Operation(Action.REOPEN, ticket, found, _reopened(ticket, found))
    elif found.state is None or found.state.settled or found.state.digest != ticket.digest:
        yield Operation(Action.UPDATE, ticket, found, _changed(ticket, found.state))


def _reopened(ticket: Ticket, found: Existing) -> Note:
    count = f"{ticket.total:,} subject{'s' * (ticket.total != 1)}"
    if found.state is not None and found.state.settled:
        text = f"There are findings again: {count}."
    else:
        text = (
            f"This was closed while {count} still violated the policy, so it is open again. It is closed by itself "
            "when nothing is left. What has to stay as it is needs a waiver."
        )
    return Note(f"reopen {ticket.digest}", text)


def _changed(ticket: Ticket, before: State | None) -> Note | None:
    """What the owner has to hear about; that less is left can be read in the ticket."""
    if before is None or before.settled:
        return None
    said = []
    if ticket.total > before.total:
        said.append(f"More subjects are concerned: {ticket.total:,}, before {before.total:,}.")
    if ticket.blocks != before.blocks:
        said.append(f"{_blocks(ticket.blocks)} (before: {_before(before.blocks)}).")
    return Note(f"update {ticket.digest}", " ".join(said)) if said else None


def _blocks(blocks: str) -> str:
    if blocks == "now":
        return "Changes are blocked now"
    return f"Changes will be blocked from {blocks} on" if blocks else "Nothing is blocked, and no date is set"


def _before(blocks: str) -> str:
    return blocks or "no date"


def _close(found: Existing) -> Operation:
    digest = found.state.digest if found.state else ""
    note = Note(f"close {digest}".rstrip(), "No finding of this policy is left for this owner.")
    return Operation(Action.CLOSE, existing=found, note=note)
