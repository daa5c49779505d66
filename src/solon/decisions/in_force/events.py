"""Entries about the programme, in the shape of OPA's decision log events.

What changed since the last entries of a place: one entry for each part, with the part as it is from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from solon.decisions.in_force.parts import (
    ActiveRollout,
    ActiveSet,
    ActiveSettings,
    ActiveWaiver,
    Part,
    Parts,
    TokenEvent,
    field_of,
    token_keys,
)
from solon.decisions.log.events import nanoseconds
from solon.decisions.log.leaf import PROGRAMME
from solon.decisions.log.reading import Stored
from solon.decisions.record import LABELS, rfc3339
from solon.governance.waivers.waiver import State as WaiverState
from solon.subjects.subject import Location

# What became of the part: a rollout `stepped` when a date of it came; a waiver `began` or `expired` when one did.
Change = Literal["added", "changed", "removed", "stepped", "began", "expired", "opened", "used", "closed"]
PATH: Final = "solon/programme"


class Place(msgspec.Struct, frozen=True):
    """Where a part is written."""

    file: str
    line: int


class StageStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scope that is at another stage than when the place was last looked at; ``at`` is the date that came."""

    scope: str
    stage: str
    was: str
    at: str = ""


class Differences(msgspec.Struct, frozen=True, omit_defaults=True):
    """From the last entry to this. Of a policy set: ids of policies, and the revision that it had."""

    was: str = ""
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    steps: list[StageStep] = []


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands under ``solon``: one of the parts, or an event of the ledger.

    ``programme`` is the digest of all parts of the place, with this one and those that were written with it.
    """

    event: str
    place: str
    change: Change
    key: str
    programme: str
    commit: str = ""
    at: Place | None = None
    policy_set: ActiveSet | None = None
    rollout: ActiveRollout | None = None
    waiver: ActiveWaiver | None = None
    settings: ActiveSettings | None = None
    breakglass: TokenEvent | None = None
    differences: Differences | None = None

    @property
    def part(self) -> Part | None:
        return self.policy_set or self.rollout or self.waiver or self.settings


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry about the programme, and where it stands."""

    id: str
    time_ns: int
    shard: str
    index: int
    said: Said
    by: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """``part`` is None for an event of the ledger."""

    key: str
    change: Change
    part: Part | None = None
    token: TokenEvent | None = None
    differences: Differences | None = None

    @property
    def event(self) -> str:
        match self.part:
            case ActiveSet() | ActiveSettings():
                return "activation"
            case ActiveRollout():
                return "rollout"
            case ActiveWaiver():
                return "waiver"
            case None:
                return "breakglass"


# --- what changed


def changes(before: Parts, after: Parts) -> Iterator[Changed]:
    """From one programme to another, a part after the other."""
    for key, part in after.items():
        old = before.get(key)
        if old is None:
            yield Changed(key, "added", part, differences=_differences(None, part))
        elif old != part:
            yield Changed(key, _word(old, part), part, differences=_differences(old, part))
    for key, part in before.items():
        if key not in after:
            yield Changed(key, "removed", part)


def new_tokens(known: frozenset[str], events: Sequence[TokenEvent]) -> Iterator[Changed]:
    """The events of the ledger that are no entries yet."""
    for key, event in token_keys(events).items():
        if key not in known:
            word = type(event).__name__.lower()
            yield Changed(key, word, token=event)  # type: ignore[arg-type]  # opened, used, closed


def _word(old: Part, new: Part) -> Change:
    if isinstance(old, ActiveRollout) and isinstance(new, ActiveRollout):
        return "stepped" if _dated(old) == _dated(new) else "changed"
    if isinstance(new, ActiveWaiver) and msgspec.structs.replace(old, state=new.state) == new:
        return "expired" if new.state is WaiverState.EXPIRED else "began"
    return "changed"


def _dated(rollout: ActiveRollout) -> ActiveRollout:
    """The rollout without the stage that its scopes are at."""
    scopes = [msgspec.structs.replace(each, stage="dryrun", since="") for each in rollout.scopes]
    return msgspec.structs.replace(rollout, scopes=scopes)


def _differences(old: Part | None, new: Part) -> Differences | None:
    if isinstance(new, ActiveSet):
        before = {each.id: each for each in old.policies} if isinstance(old, ActiveSet) else {}
        after = {each.id: each for each in new.policies}
        rewritten = _rewritten(old, new) if isinstance(old, ActiveSet) else frozenset()
        return Differences(
            was=old.revision if isinstance(old, ActiveSet) else "",
            added=[name for name in after if name not in before],
            changed=[
                name
                for name, each in after.items()
                if name in before and (each != before[name] or {each.file, each.code} & rewritten)
            ],
            removed=[name for name in before if name not in after],
        )
    if isinstance(new, ActiveRollout) and isinstance(old, ActiveRollout):
        stages = {each.name: each.stage for each in old.scopes}
        steps = [
            StageStep(each.name, each.stage, stages.get(each.name, ""), each.since)
            for each in new.scopes
            if stages.get(each.name) != each.stage
        ]
        return Differences(steps=steps)
    if isinstance(new, ActiveWaiver) and isinstance(old, ActiveWaiver):
        return Differences(was=old.state if old.state != new.state else old.expires)
    return None


def _rewritten(old: ActiveSet, new: ActiveSet) -> frozenset[str]:
    """The files whose text is another one."""
    before = {each.file: each for each in old.texts}
    return frozenset(each.file for each in new.texts if before.get(each.file) != each)


# --- as entries


@dataclass(frozen=True, slots=True)
class Author:
    """Who brought the programme to the place, and the commit of its repository."""

    by: str = ""
    commit: str = ""


def encoded(
    changed: Changed,
    place: str,
    programme: str,
    *,
    name: str,
    time_ns: int,
    author: Author = Author(),
    location: Location | None = None,
) -> bytes:
    """The event of a change; ``programme`` is the digest of all parts."""
    part = changed.part
    body: dict[str, Any] = {} if part is None else {field_of(part): part}
    said = Said(
        event=changed.event,
        place=place,
        change=changed.change,
        key=changed.key,
        programme=programme,
        commit=author.commit,
        at=None if location is None else Place(location.file, location.line),
        breakglass=changed.token,
        differences=changed.differences,
        **body,
    )
    event: dict[str, Any] = {"labels": dict(LABELS), "decision_id": name, "timestamp": rfc3339(time_ns)}
    if isinstance(part, ActiveSet) and changed.change != "removed":
        event["bundles"] = {part.name: {"revision": part.revision}}
    event["path"] = PATH
    if author.by:
        event["requested_by"] = author.by
    event["solon"] = said
    return msgspec.json.encode(event)


class _Event(msgspec.Struct):
    timestamp: str
    solon: Said
    requested_by: str = ""


_decode: Final = msgspec.json.Decoder(_Event).decode


def decoded(stored: Stored, shard: str) -> Recorded | None:
    """What an entry says of the programme; None where it is none that Solon wrote, or is erased. Raises Damaged."""
    leaf = stored.says
    if leaf.kind not in PROGRAMME or stored.payload is None:
        return None
    return parsed(stored.payload, leaf.id, shard, stored.index)


def parsed(payload: bytes | str, name: str, shard: str, index: int) -> Recorded | None:
    try:
        event = _decode(payload)
        time_ns = nanoseconds(event.timestamp)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    said = event.solon
    if said.part is None and said.breakglass is None:
        return None
    return Recorded(name, time_ns, shard, index, said, event.requested_by)
