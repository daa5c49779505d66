"""Erasure: a payload and its salt are removed, and an entry of the log says so. The leaf stays, and so does every proof.

The entry is written first. A crash after it leaves payloads that verification names, and erasing once more removes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec

from solon.decisions.log import durable, merkle, reading, segment
from solon.decisions.log.claims import SCHEMA, Erasure, Item
from solon.decisions.log.errors import Busy, LogError
from solon.decisions.log.leaf import PROGRAMME, Entry, Kind
from solon.decisions.log.reading import Stored
from solon.decisions.log.shard import Place, Shard, erase_sealed
from solon.decisions.log.store import Log

_MAX: Final = 100_000  # entries in one erasure of single ones
_WAIT: Final = 60.0
_LOOK: Final = 0.05
PATIENCE: Final = 3.0  # seconds for another process to begin a new segment


def of_subject(log: Log, uri: str) -> list[tuple[Place, Stored]]:
    """The entries whose event is about a subject. Raises Damaged, OSError."""
    needle = uri.encode()
    return [
        (place, stored)
        for place in log.shards()
        for stored in reading.entries(place.segments)
        if stored.payload is not None and needle in stored.payload and _uri(stored.payload) == uri
    ]


class _Subject(msgspec.Struct, frozen=True):
    uri: str = ""


class _Solon(msgspec.Struct, frozen=True):
    subject: _Subject = _Subject()


class _Event(msgspec.Struct, frozen=True):
    solon: _Solon = _Solon()


def _uri(payload: bytes) -> str:
    try:
        return msgspec.json.decode(payload, type=_Event).solon.subject.uri
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def erase(log: Log, found: Sequence[tuple[Place, Stored]], *, reason: str, by: str) -> str:
    """Erase these entries' payloads; the id of the entry that says so. Raises LogError."""
    if not reason.strip():
        raise LogError("an erasure needs a reason")
    if len(found) > _MAX:
        raise LogError(f"{len(found):,} entries are more than one erasure has: at most {_MAX:,}")
    for _, stored in found:
        if stored.says.kind is Kind.ERASURE:
            raise LogError(f"{stored.says.id}: is the record of an erasure, and stays")
        if stored.says.kind in PROGRAMME:
            raise LogError(f"{stored.says.id}: says what was in force, which is read from it alone: it stays")
    with alone(log):
        return _erase(log, found, reason, by)


@contextmanager
def alone(log: Log) -> Iterator[None]:
    """One process erases at a time. Raises Busy, OSError."""
    path = os.path.join(log.directory, "erase.lock")
    with durable.locked(path, _WAIT) as had:
        if not had:
            raise Busy(f"{path}: {durable.holder(path)} erases")
        yield


def moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")


def _erase(log: Log, found: Sequence[tuple[Place, Stored]], reason: str, by: str) -> str:
    shards = {place.name: place for place, _ in found}
    indexes = {
        name: frozenset(stored.index for place, stored in found if place.name == name) for name in shards
    }
    # Who writes to a segment keeps it until the next one is begun; so that is found out before anything is said.
    held: list[Shard] = []
    try:
        removals = []
        for name, place in shards.items():
            shard = _writable(log, place, indexes[name], held)
            removals.append((shard, place, indexes[name]))
        now = log.around.clock()
        name = f"erasure-{log.around.random(16).hex()}"
        items = [
            Item(place.name, stored.index, merkle.leaf_hash(stored.leaf).hex()) for place, stored in found
        ]
        said = Erasure(SCHEMA, moment(now), by, reason, entries=items)
        writer = next((shard for shard, *_ in removals if shard is not None), None) or log.writer()
        writer.append([Entry(Kind.ERASURE, name, now, msgspec.json.encode(said))])
        for shard, place, these in removals:
            if shard is not None:
                shard.erase(these)
            else:
                erase_sealed(place, these)
    finally:
        for shard in held:
            shard.close()
    return name


def _writable(log: Log, place: Place, indexes: Iterable[int], held: list[Shard]) -> Shard | None:
    """The shard, when its newest segment has to be ended for this; None when all are in segments that are."""
    if not any(
        reading.is_active(place.segments, reading.segment_of(place.segments, index)) for index in indexes
    ):
        return None
    own = log.writer() if log.writes(place) else None
    if own is not None:
        return own
    try:
        shard = log.opened(place)
    except Busy as error:
        if ended_by_its_writer(place):
            return None
        raise LogError(
            f"{error}, and to the segment that the entry is in: erase once it has begun the next one, which it does "
            "with its next entry, or has ended"
        ) from None
    held.append(shard)
    return shard


def ended_by_its_writer(place: Place) -> bool:
    """Ask the process that writes a shard to begin a new segment; whether it has. It does with its next entry."""
    path = reading.files(place.segments)[-1]
    os.close(os.open(segment.asked(place.segments), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    until = time.monotonic() + PATIENCE
    while reading.is_active(place.segments, path):
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK)
    return True
