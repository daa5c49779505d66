"""The log as a whole: shards, each with one writer, and the meta-log, whose entries are the shards' checkpoints.

    log.json, log.key, shards/0001/…, meta/…, erase.lock

A process that appends takes the first shard that no other process writes. Each shard is a tree of its own; the
meta-log makes them one: its checkpoint says what all of them held.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from solon.decisions.log import merkle, reading, settings
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.errors import Busy, Damaged, LogError
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.note import SigningKey
from solon.decisions.log.proof import Proof
from solon.decisions.log.shard import Place, Shard
from solon.decisions.log.writer import Limits, Surroundings

_SHARD: Final = re.compile(r"\d{4}", re.ASCII)
_MAX_SHARDS: Final = 9_999
_WAIT: Final = 30.0  # for the meta-log, which processes write one after the other
_META_LIMITS: Final = Limits(segment_bytes=1 << 20, segment_age_ns=1 << 62)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where entries came to stand: ``count`` of them from ``first`` on."""

    shard: str
    first: int
    count: int


class Log:
    """A log that exists. Nothing is locked, or written, before the first ``append``, ``integrate`` or ``erase``.

    ``notices`` are what a person should know of how shards were found.
    """

    def __init__(self, directory: str, around: Surroundings | None = None) -> None:
        self.directory = directory
        self.settings = settings.read(directory)
        self.key = self.settings.verifier
        self.around = around or Surroundings(time.time_ns, os.urandom)
        self._own: Shard | None = None
        self._notices: list[str] = []
        self._damaged: dict[str, str] = {}  # by shard
        self._signed: dict[str, tuple[str, int]] = {}  # shards of others, as they were when all was signed
        self._taking = threading.Lock()
        self._signing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def notices(self) -> list[str]:
        return [*self._notices, *(self._own.notices if self._own else ()), *self._damaged.values()]

    @property
    def damaged(self) -> bool:
        """Whether a shard was seen that is not as it was written: neither written nor signed; others are meanwhile."""
        return bool(self._damaged)

    # --- where things are

    def shards(self) -> list[Place]:
        """Every shard there is, in order."""
        try:
            names = sorted(os.listdir(os.path.join(self.directory, "shards")))
        except FileNotFoundError:
            return []
        return [self.shard(name) for name in names if _SHARD.fullmatch(name)]

    def shard(self, name: str) -> Place:
        return Place(os.path.join(self.directory, "shards", name), f"{self.settings.name}/decisions/{name}")

    @property
    def meta(self) -> Place:
        return Place(os.path.join(self.directory, "meta"), f"{self.settings.name}/meta")

    def places(self) -> list[Place]:
        return [*self.shards(), *([self.meta] if os.path.isdir(self.meta.directory) else [])]

    def signing_key(self) -> SigningKey:
        """Raises LogError where it cannot be read, or is that of another log."""
        path = os.path.join(self.directory, self.settings.signing_key)
        key = settings.read_key(path)
        if key.verifier != self.key:
            raise LogError(f"{path}: is not the key that {settings.NAME} has the public half of")
        return key

    def can_sign(self) -> bool:
        return os.access(os.path.join(self.directory, self.settings.signing_key), os.R_OK)

    # --- writing

    def append(self, entries: Sequence[Entry]) -> Placed:
        """Returns when all are durable. From any thread. Raises LogError: then none is acknowledged."""
        own = self.writer()
        return Placed(own.name, own.append(entries), len(entries)) if entries else Placed(own.name, 0, 0)

    def writer(self) -> Shard:
        """The shard that this process writes; the first that is free is taken. Raises LogError."""
        with self._taking:
            if self._own is None:
                self._own = self._take()
            return self._own

    def writes(self, place: Place) -> bool:
        """Whether it is this process that writes a shard."""
        return self._own is not None and self._own.name == place.name

    def _take(self) -> Shard:
        for number in range(1, _MAX_SHARDS + 1):
            place = self.shard(f"{number:04}")
            try:
                return self.opened(place)
            except Busy:
                continue
            except Damaged as error:
                self._damaged[place.name] = str(error)
        raise LogError(f"{self.directory}: all {_MAX_SHARDS:,} shards are taken")

    def opened(self, place: Place) -> Shard:
        """A shard, to write it. Raises Busy, LogError."""
        said = self.settings
        limits = Limits(said.segment_mib << 20, said.segment_minutes * 60_000_000_000, said.rows)
        return Shard(
            place.directory, place.origin, self.key, self.around, limits, delay=said.delay_ms / 1_000
        )

    def _meta(self) -> Shard:
        meta = self.meta
        return Shard(meta.directory, meta.origin, self.key, self.around, _META_LIMITS, wait=_WAIT)

    def integrate(self, *, rebuild: bool = False) -> list[Checkpoint]:
        """Sign what is durable: in the shard of this process, and in those that nobody writes.

        A shard's checkpoint is in the meta-log before it is published, so that none was ever seen that the meta-log
        does not know. ``rebuild`` writes every tile anew. Raises LogError.
        """
        with self._signing:
            return self._integrate(self.signing_key(), rebuild)

    def _integrate(self, key: SigningKey, rebuild: bool) -> list[Checkpoint]:
        signed: list[tuple[Shard, Checkpoint]] = []
        taken: list[Shard] = []
        states: dict[str, tuple[str, int]] = {}
        try:
            for place in self.shards():
                if self._own is not None and self.writes(place):
                    shard = self._own
                elif self._signed.get(place.name) == place.state() and not rebuild:
                    continue
                else:
                    try:
                        shard = self.opened(place)
                    except Busy:
                        continue
                    except Damaged as error:
                        self._damaged[place.name] = str(error)
                        continue
                    taken.append(shard)
                    states[place.name] = place.state()
                checkpoint = shard.integrate(key, rebuild=rebuild)
                if checkpoint is not None:
                    signed.append((shard, checkpoint))
            new = self._record([checkpoint for _, checkpoint in signed], key, rebuild=rebuild)
            for shard, checkpoint in signed:
                shard.publish(checkpoint)
            self._signed.update(states)
        finally:
            for shard in taken:
                self._notices += shard.notices
                shard.close()
        return [*(checkpoint for _, checkpoint in signed), *new]

    def _record(
        self, checkpoints: Sequence[Checkpoint], key: SigningKey, *, rebuild: bool
    ) -> list[Checkpoint]:
        """Enter checkpoints of shards in the meta-log, and sign that, with what a crash left there unsigned."""
        if not checkpoints and not os.path.isdir(self.meta.directory):
            return []
        meta = self._meta()
        try:
            now = self.around.clock()
            meta.append(
                [
                    Entry(Kind.CHECKPOINT, f"{each.origin}@{each.size}", now, each.text.encode())
                    for each in checkpoints
                ]
            )
            signed = meta.integrate(key, rebuild=rebuild)
            if signed is None:
                return []
            meta.publish(signed)
        finally:
            self._notices += meta.notices
            meta.close()
        return [signed]

    def close(self) -> None:
        """Let go of the shard. What is not integrated yet stays durable, and is integrated later."""
        if self._own is not None:
            self._notices += self._own.notices
            self._own.close()
            self._own = None

    # --- reading

    def entries(self, shard: str, start: int = 0, stop: int | None = None) -> Iterator[reading.Stored]:
        """The entries of a shard, in order, up to what is durable now. Raises Damaged, OSError."""
        return reading.entries(self.shard(shard).segments, start, stop)

    def find(self, name: str) -> list[tuple[Place, reading.Stored]]:
        """The entries of an id. Raises Damaged, OSError."""
        return [(place, found) for place in self.shards() for found in reading.find(place.segments, name)]

    def prove(self, place: Place, stored: reading.Stored, *, event: bool = True) -> Proof:
        """That an entry is under the newest checkpoint of its shard. Raises LogError."""
        signed = place.checkpoint(self.key)
        if signed is None or stored.index >= signed.size:
            raise LogError(
                f"{stored.says.id}: is durable, and in no checkpoint yet: `solon log checkpoint` first"
            )
        path = merkle.inclusion(stored.index, signed.size, place.tiles(signed.size).node)
        if not merkle.included(stored.index, signed.size, merkle.leaf_hash(stored.leaf), path, signed.root):
            raise Damaged(
                f"{stored.path}:{stored.offset}: entry {stored.index} of shard {place.name} is not the one that was "
                "signed: `solon log verify` says more"
            )
        payload = stored.payload if event else None
        return Proof(stored.index, path, stored.leaf, stored.salt if event else b"", payload, signed.text)

    def prove_checkpoint(self, signed: Checkpoint) -> Proof:
        """That a checkpoint of a shard is in the meta-log. Raises LogError."""
        found = list(reading.find(self.meta.segments, f"{signed.origin}@{signed.size}"))
        if not found:
            raise Damaged(
                f"{self.meta.directory}: does not have the checkpoint of {signed.origin} at {signed.size}"
            )
        return self.prove(self.meta, found[-1])

    def consistency(self, place: Place, old: int, new: int | None = None) -> tuple[Checkpoint, list[bytes]]:
        """That the tree of an old size is the beginning of the newest, or of a later one. Raises LogError.

        The checkpoint given back has a text only where it is the newest.
        """
        signed = place.checkpoint(self.key)
        if signed is None:
            raise LogError(f"{place.origin}: has no checkpoint yet")
        size = signed.size if new is None else new
        if not 0 <= old <= size <= signed.size:
            raise LogError(
                f"{place.origin}: there are {signed.size:,} signed entries: no way from {old} to {size}"
            )
        tiles = place.tiles(signed.size)
        if tiles.root() != signed.root:
            raise Damaged(
                f"{place.directory}: the tiles are not those that were signed: `solon log verify` says more"
            )
        if size != signed.size:
            signed = Checkpoint(place.origin, size, merkle.root(size, tiles.node))
        return signed, merkle.consistency(old, size, tiles.node)
