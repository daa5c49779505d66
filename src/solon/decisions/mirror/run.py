"""One run: what is new goes to the mirror, in an order in which it may be killed anywhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from solon.decisions.log import merkle
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.errors import Damaged, LogError, os_error
from solon.decisions.log.settings import NAME as SETTINGS
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.mirror import contents, delta, known
from solon.decisions.mirror import state as states
from solon.decisions.mirror.known import Digests, Known
from solon.decisions.mirror.objects import Listed, Objects
from solon.decisions.mirror.state import File, State, Table, Tree
from solon.decisions.record import rfc3339
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.compaction import reader
from solon.decisions.warehouse.manifest import Manifest

_THREADS: Final = 16
_TOGETHER: Final = 512  # tiles in memory
_MANY: Final = (
    64 * 256
)  # entries since the last run from which on it is looked up which of their tiles are there


@dataclass(frozen=True, slots=True)
class Wanted:
    """``lock_days``: checkpoints are held so long by the store's object lock; 0: they are not put there a second time."""

    segments: bool = True
    delta: bool = False
    lock_days: int = 0


@dataclass(slots=True)
class Mirrored:
    """What a run did. ``held`` are objects that should be gone, and until when object lock holds them."""

    entries: int = 0
    uploaded: int = 0
    bytes: int = 0
    removed: int = 0
    locked: int = 0
    held: list[tuple[str, str]] = field(default_factory=list)
    table: int | None = None


def mirror(
    log: Log, objects: Objects, address: str, wanted: Wanted, tell: Callable[[int], None] = lambda _: None
) -> Mirrored:
    """Bring a mirror up to date; ``tell`` is told of the objects that were written. Raises LogError."""
    try:
        with known.taken(log, address) as path, reader(log.directory):
            before = known.read(path, address)
            run = _Run(log, objects, address, wanted, Digests(log, before), tell)
            now = rfc3339(log.around.clock())
            try:
                run.all()
            except LogError as error:
                changes = {"problem": str(error), "since": before.since or now}
                known.write(path, msgspec.structs.replace(before, **changes))
                raise
            digests = run.digests.among(run.files)
            known.write(path, Known(address, run.done.entries, now, digests=digests))
            return run.done
    except OSError as error:
        raise os_error(error, "the log cannot be mirrored") from None


@dataclass(slots=True)
class _Run:
    log: Log
    objects: Objects
    address: str
    wanted: Wanted
    digests: Digests
    tell: Callable[[int], None]
    done: Mirrored = field(default_factory=Mirrored)
    files: set[str] = field(default_factory=set)

    def all(self) -> None:
        old = self._old()
        signed = [(place, found) for place in self.log.shards() if (found := self._signed(place))]
        # That of the meta-log is read after those it knows.
        signed += [(meta, found) for meta in (self.log.meta,) if (found := self._signed(meta))]
        manifest = manifests.read(self.log.directory)
        self._continues(old, signed)
        if not old.at:
            self._put(SETTINGS, contents.settings(self.log))
        files = self._files(old, manifest)
        for place, checkpoint in signed:
            before = old.trees.get(place.name, Tree(0, "")).size
            self._tiles(place, before, checkpoint.size)
            self._locked(place, checkpoint)
        for place, checkpoint in signed:
            if old.trees.get(place.name) != _tree(checkpoint):
                self._put(f"{contents.directory(self.log, place)}/checkpoint", checkpoint.text.encode())
        self._manifest(manifest, old, files)
        new = msgspec.structs.replace(
            old,
            at=rfc3339(self.log.around.clock()),
            entries=sum(checkpoint.size for place, checkpoint in signed if place.name != self.log.meta.name),
            trees={place.name: _tree(checkpoint) for place, checkpoint in signed},
            files=files,
            delta=self._table(old.delta, manifest),
        )
        self._put(states.NAME, msgspec.json.encode(new))
        self._clear(new, old)
        self.done.entries = new.entries
        self.files = set(files)

    # --- what is there already

    def _old(self) -> State:
        """Raises LogError where something else is there."""
        said = self.log.settings
        data = self.objects.get(states.NAME)
        if data is None:
            settings = self.objects.get(SETTINGS)
            if settings is None and any(True for _ in islice(self.objects.listed(""), 1)):
                raise LogError(f"{self.address}: is not empty, and no mirror of a log: choose another prefix")
            if settings is not None and settings != contents.settings(self.log):
                raise LogError(f"{self.address}: has the mirror of another log: choose another prefix")
            return State(states.SCHEMA, said.name, said.key)
        found = states.decode(data, f"{self.address}/{states.NAME}")
        if (found.log, found.key) != (said.name, said.key):
            raise LogError(f"{self.address}: has the mirror of {found.log}: choose another prefix")
        return found

    def _signed(self, place: Place) -> Checkpoint | None:
        """The newest checkpoint, whose tiles give its root."""
        found = place.checkpoint(self.log.key) if os.path.isdir(place.directory) else None
        if found is not None and place.tiles(found.size).root() != found.root:
            raise Damaged(
                f"{place.directory}: the tiles are not those that were signed: `solon log verify` says more"
            )
        return found

    def _continues(self, old: State, signed: Iterable[tuple[Place, Checkpoint]]) -> None:
        """Raises Damaged where what the mirror has is not the beginning of this log."""
        now = {place.name: (place, checkpoint) for place, checkpoint in signed}
        for name, tree in old.trees.items():
            place, checkpoint = now.get(name, (None, None))
            if (
                place is None
                or checkpoint is None
                or checkpoint.size < tree.size
                or merkle.root(tree.size, place.tiles(checkpoint.size).node).hex() != tree.root
            ):
                raise Damaged(
                    f"{self.address}: has {tree.size:,} signed entries of {name}, and they are not the beginning of "
                    "those here: nothing is written over; `solon log verify` says more"
                )

    # --- what is new

    def _put(self, path: str, data: bytes) -> None:
        self.objects.put(path, data)
        self._count(len(data))

    def _count(self, size: int) -> None:
        self.done.uploaded += 1
        self.done.bytes += size
        self.tell(1)

    def _files(self, old: State, manifest: Manifest) -> dict[str, File]:
        """Parquet and segments; what an earlier run brought there and could not note is not sent again."""
        paths = contents.files(self.log, manifest, segments=self.wanted.segments)
        there = {each.path: each.size for each in self._listed() if each.latest and not each.deleted}
        out = {path: File(*self.digests.of(path)) for path in paths}
        # What was erased from goes last: that it was is said by an entry of another segment.
        for path in sorted(
            paths, key=lambda each: each in old.files and out[each].size < old.files[each].size
        ):
            size, digest = out[path].size, out[path].sha256
            if there.get(path) == size and (
                old.files.get(path) == out[path]
                or (path not in old.files and self.objects.digest(path) == digest)
            ):
                continue
            data = self.digests.read(path)
            out[path] = File(len(data), hashlib.sha256(data).hexdigest())
            self._put(path, data)
        return out

    def _tiles(self, place: Place, old: int, new: int) -> None:
        if old == new:
            return
        where = contents.directory(self.log, place)
        there: dict[str, int] = {}
        if new - old > _MANY:
            there = {each.path: each.size for each in self.objects.listed(f"{where}/tile/") if each.latest}
        found = (
            (f"{where}/{path}", data)
            for path, data, full in contents.tiles(place, old, new)
            if not full or there.get(f"{where}/{path}") != len(data)
        )
        with ThreadPoolExecutor(_THREADS) as pool:
            while few := list(islice(found, _TOGETHER)):
                for (_, data), _ in zip(
                    few, pool.map(lambda each: self.objects.put(*each), few), strict=True
                ):
                    self._count(len(data))

    def _locked(self, place: Place, checkpoint: Checkpoint) -> None:
        """A copy that nobody can write over or remove."""
        path = f"checkpoints/{place.name}/{checkpoint.size:020}"
        if self.wanted.lock_days and self.objects.get(path) is None:
            now = datetime.fromtimestamp(self.log.around.clock() // 1_000_000_000, UTC)
            data = checkpoint.text.encode()
            self.objects.put(path, data, until=now + timedelta(days=self.wanted.lock_days))
            self._count(len(data))
            self.done.locked += 1

    def _manifest(self, manifest: Manifest, old: State, files: dict[str, File]) -> None:
        """That of the warehouse, which names its files."""
        if manifest.files:
            path = f"{manifests.DIRECTORY}/manifest.json"
            data = msgspec.json.encode(manifest)
            files[path] = File(len(data), hashlib.sha256(data).hexdigest())
            if files[path] != old.files.get(path):
                self._put(path, data)

    def _table(self, old: Table | None, manifest: Manifest) -> Table | None:
        """A table that was registered once follows the log from then on."""
        if not manifest.files or not (self.wanted.delta or old):
            return old
        now_ms = self.log.around.clock() // 1_000_000
        found = delta.commit(self.objects, old, manifest, self.log.settings.name, now_ms)
        self.done.table = found.version
        return found

    # --- what is gone

    def _listed(self) -> list[Listed]:
        """The Parquet files and segments there, without the log of the Delta table."""
        places = [contents.directory(self.log, place) for place in self.log.places()]
        prefixes = [contents.ROWS, "cold/ids", *(f"{place}/segments" for place in places)]
        found = [each for prefix in prefixes for each in self.objects.listed(f"{prefix}/")]
        return [each for each in found if not each.path.startswith(delta.LOG)]

    def _clear(self, new: State, old: State) -> None:
        """Files that are replaced, and earlier versions of them, for an erased payload may be in there."""
        gone = [each for each in self._listed() if each.path not in new.files or not each.latest]
        for place in self.log.places():
            before = old.trees.get(place.name, Tree(0, "")).size
            where = contents.directory(self.log, place)
            for prefix in contents.outgrown(before, new.trees[place.name].size) if before else ():
                gone += self.objects.listed(f"{where}/{prefix}")
        for each in gone:
            until = self.objects.remove(each)
            if until:
                self.done.held.append((each.path, until))
            else:
                self.done.removed += 1


def _tree(checkpoint: Checkpoint) -> Tree:
    return Tree(checkpoint.size, checkpoint.root.hex())
