"""What others upload, in OPA's protocol: split, checked, masked, and appended once.

OPA sends a chunk again until it is accepted. So a chunk is accepted when each of its events is where it belongs: in the
log, dropped by policy, or, where it cannot be an entry, set aside in a file with what is wrong with it.
"""

from __future__ import annotations

import base64
import os
import re
import threading
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.decisions.event_rules import EventRules, decode
from solon.decisions.in_force import recording
from solon.decisions.log import leaf, reading
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.store import Log
from solon.decisions.record import rfc3339
from solon.decisions.sinks.jsonl import append_durably
from solon.governance.inert import inert_line

SET_ASIDE: Final = os.path.join("ingest", "refused.jsonl")
_GROUP: Final = 4 << 20  # bytes appended at once: less than what the log writes in one piece
_PIECE: Final = 1 << 20
_PARTITION: Final = re.compile(r"[\w.:/@=+-]{1,255}", re.ASCII)
_GZIP: Final = 31  # zlib's number for a gzip header


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body as it comes and unpacked, its events, and how many entries are remembered of each shard."""

    body: int = 16 << 20
    plain: int = 64 << 20
    events: int = 100_000
    window: int = 100_000


class Refused(Exception):
    """A body that is no upload; ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Received:
    """What became of an upload's events. ``refused`` has index and problem."""

    kept: int = 0
    duplicates: int = 0
    dropped: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def unpacked(body: bytes, encoding: str, limits: Limits) -> bytes:
    """The body as it was before it was compressed. Raises Refused."""
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise Refused(415, f"the encoding {encoding[:40]!r} is not known: send gzip, or none")
    parts: list[bytes] = []
    size = 0
    rest = body
    try:
        while rest:  # a gzip file has one member or several
            unpacker = zlib.decompressobj(_GZIP)
            while not unpacker.eof:
                part = unpacker.decompress(rest, _PIECE)
                rest = unpacker.unconsumed_tail
                size += len(part)
                if size > limits.plain:
                    raise Refused(413, f"the body is more than {limits.plain:,} bytes unpacked")
                if not part and not rest and not unpacker.eof:
                    raise Refused(400, "the body is not a whole gzip file")
                parts.append(part)
            rest = unpacker.unused_data
    except zlib.error:
        raise Refused(400, "the body is not a whole gzip file") from None
    return b"".join(parts)


def split(data: bytes, limits: Limits) -> list[bytes]:
    """The events of an array, as they are written. Raises Refused."""
    if len(data) > limits.plain:
        raise Refused(413, f"the body is more than {limits.plain:,} bytes")
    try:
        events = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, f"the body is no array of events: {error}") from None
    if len(events) > limits.events:
        raise Refused(413, f"the body has {len(events):,} events, and may have {limits.events:,}")
    return [bytes(event) for event in events]


class _Seen:
    """The newest so many keys."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._order: deque[bytes] = deque()
        self._keys: set[bytes] = set()

    def add(self, key: bytes) -> None:
        if key not in self._keys:
            self._keys.add(key)
            self._order.append(key)
            if len(self._order) > self._limit:
                self._keys.discard(self._order.popleft())

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys


class Receiver:
    """Appends uploads to a log. From any thread.

    An entry is the same as another where kind, id and time are: that is what a retry has. ``relay`` also takes what
    only other Solons send: waivers, activations and the like. ``notices`` are what a person should know of the log.
    """

    def __init__(
        self, log: Log, rules: EventRules, limits: Limits, clock: Callable[[], int], *, relay: bool = False
    ) -> None:
        """Takes a shard, and reads what was appended last. Raises LogError."""
        self._log = log
        self._rules = rules
        self._limits = limits
        self._clock = clock
        self._relay = relay
        self._changed = threading.Condition()
        self._aside = threading.Lock()
        self._pending: set[bytes] = set()
        self.notices: list[str] = []
        self.problem = ""  # why the newest append failed, where it did
        self.shard = log.writer().name
        places = log.shards()
        self._seen = _Seen(limits.window * max(len(places), 1))
        for place in places:
            try:
                size = reading.size(place.segments)
                for stored in reading.entries(place.segments, max(size - limits.window, 0)):
                    self._seen.add(_key_of(stored.leaf))
            except (LogError, OSError) as error:
                self.notices.append(f"{error}: what is in it is not known, and may be kept twice")

    def receive(self, body: bytes, encoding: str = "", partition: str = "") -> Received:
        """Returns when every event is durable, or set aside. Raises Refused, LogError."""
        if partition and not _PARTITION.fullmatch(partition):
            raise Refused(400, "a partition has letters, digits and ._:/@=+- in its name")
        received = Received()
        entries: dict[bytes, Entry] = {}
        problems: list[tuple[int, bytes, str]] = []
        events = split(unpacked(body, encoding, self._limits), self._limits)
        for index, event in enumerate(events):
            try:
                entry = self._entry(event, partition)
            except ValueError as error:
                problems.append((index, event, inert_line(str(error), 300)))
                continue
            if entry is None:
                received.dropped += 1
            else:
                entries.setdefault(_key(entry), entry)
        received.kept = self._append(entries)
        received.duplicates = len(events) - received.kept - received.dropped - len(problems)
        if problems:
            self._set_aside(problems, partition)
            received.refused = [(index, problem) for index, _, problem in problems]
        return received

    def _entry(self, event: bytes, partition: str) -> Entry | None:
        """None where it is dropped. Raises ValueError."""
        said = decode(event)
        kind = entry_of(event).kind
        if kind is not Kind.DECISION and not self._relay:
            raise ValueError(
                f"is of the kind {kind.name.lower()}, and only decisions are taken (--relay takes it)"
            )
        kept = self._rules.rewrite(event)
        if kept is None:
            return None
        if partition and "solon" not in said and kept is event:
            mark = msgspec.json.encode({"solon": {"partition": partition}})
            kept = event.rstrip()[:-1] + b"," + mark[1:]
        elif partition:
            changed = decode(kept)
            solon = changed.setdefault("solon", {})
            if isinstance(solon, dict):
                solon.setdefault("partition", partition)
            kept = msgspec.json.encode(changed)
        entry = entry_of(kept)
        leaf.encode(entry, b"")  # what has no leaf must not fail the others with it
        return entry

    def _append(self, entries: dict[bytes, Entry]) -> int:
        """How many were not there yet. An upload that is under way twice is waited for."""
        kept = 0
        left = entries
        while left:
            with self._changed:
                left = {key: entry for key, entry in left.items() if key not in self._seen}
                mine = {key: entry for key, entry in left.items() if key not in self._pending}
                if left and not mine:
                    self._changed.wait()
                    continue
                self._pending |= mine.keys()
            try:
                self._write(mine)
            finally:
                with self._changed:
                    self._pending -= mine.keys()
                    self._changed.notify_all()
            kept += len(mine)
            left = {key: entry for key, entry in left.items() if key not in mine}
        return kept

    def _write(self, entries: dict[bytes, Entry]) -> None:
        own = self._log.writer()
        before = own.writer.size
        try:
            for keys in _groups(entries, self._log.settings.rows):
                group = [entries[key] for key in keys]
                self._log.append(group)
                recording.forget(self._log, group)
                with self._changed:
                    for key in keys:
                        self._seen.add(key)
        except LogError as error:
            self.problem = str(error)
            with self._changed, suppress(LogError, OSError):  # some of it may be in the log all the same
                for stored in reading.entries(own.segments, before):
                    self._seen.add(_key_of(stored.leaf))
            raise
        self.problem = ""

    def _set_aside(self, problems: Sequence[tuple[int, bytes, str]], partition: str) -> None:
        """Keep what cannot be an entry where a person finds it. Raises LogError."""
        at = rfc3339(self._clock())
        lines = []
        for index, event, problem in problems:
            said: dict[str, Any] = {
                "received": at,
                "partition": partition,
                "index": index,
                "problem": problem,
            }
            try:
                said["event"] = event.decode()
            except UnicodeDecodeError:
                said["event_base64"] = base64.b64encode(event).decode()
            lines.append(msgspec.json.encode(said) + b"\n")
        path = os.path.join(self._log.directory, SET_ASIDE)
        try:
            with self._aside:
                append_durably(path, b"".join(lines))
        except OSError as error:
            raise os_error(error, "what cannot be logged cannot be set aside") from None

    def integrate(self) -> None:
        """Sign what is durable. Raises LogError."""
        self._log.integrate()

    def entries(self) -> int:
        """How many the shard has."""
        return self._log.writer().writer.size


def _key(entry: Entry) -> bytes:
    return entry.kind.to_bytes(1) + entry.time_ns.to_bytes(8) + entry.id.encode()


def _key_of(data: bytes) -> bytes:
    """The same key, of a leaf."""
    return data[1:2] + data[4:12] + data[leaf.FIXED.size :]


def _groups(entries: dict[bytes, Entry], rows: int) -> list[list[bytes]]:
    groups: list[list[bytes]] = []
    size = 0
    for key, entry in entries.items():
        if not groups or len(groups[-1]) >= rows or size + len(entry.payload) > _GROUP:
            groups.append([])
            size = 0
        groups[-1].append(key)
        size += len(entry.payload)
    return groups
