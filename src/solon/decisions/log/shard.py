"""A shard: what one writer appends to, with a lock, segments, tiles and a checkpoint of its own.

lock, segments/, tile/, checkpoint
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from solon.decisions.log import checkpoint as checkpoints
from solon.decisions.log import durable, merkle, reading, segment
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.commit import GroupCommit
from solon.decisions.log.errors import Busy, Damaged, LogError, os_error
from solon.decisions.log.leaf import Entry
from solon.decisions.log.note import SigningKey, VerifierKey
from solon.decisions.log.tiles import TileBuilder, TileFiles, TileReader
from solon.decisions.log.writer import Limits, Surroundings, Writer


class Place:
    """Where a shard is, for those who only read."""

    def __init__(self, directory: str, origin: str) -> None:
        self.directory = directory
        self.origin = origin
        self.name = os.path.basename(directory)
        self.segments = os.path.join(directory, "segments")
        self.lock = os.path.join(directory, "lock")

    def checkpoint(self, key: VerifierKey) -> Checkpoint | None:
        """The newest one; None before the first. Raises LogError where it is not the log's own."""
        path = os.path.join(self.directory, "checkpoint")
        try:
            found = checkpoints.verified(durable.read(path).decode(), key)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise Damaged(f"{path}: is no checkpoint") from None
        except OSError as error:
            raise os_error(error, "cannot be read") from None
        except LogError as error:
            raise Damaged(f"{path}: {error}") from None
        if found.origin != self.origin:
            raise Damaged(f"{path}: is the checkpoint of {found.origin}, put here")
        return found

    def state(self) -> tuple[str, int]:
        """What changes with every append: the newest segment, and its size."""
        paths = reading.files(self.segments)
        return (paths[-1], os.path.getsize(paths[-1])) if paths else ("", 0)

    def tiles(self, size: int) -> TileReader:
        return TileReader(self.directory, size)


class Shard(Place):
    """A shard that this process writes. Raises Busy where another one does, and LogError."""

    def __init__(
        self,
        directory: str,
        origin: str,
        key: VerifierKey,
        around: Surroundings,
        limits: Limits,
        *,
        delay: float = 0.0,
        wait: float = 0.0,
    ) -> None:
        super().__init__(directory, origin)
        self._descriptor = -1
        self._files = TileFiles(directory)
        try:
            durable.make_directory(directory)
            descriptor = durable.lock(self.lock, wait)
        except OSError as error:
            raise os_error(error, "the log cannot be opened for writing") from None
        if descriptor is None:
            raise Busy(f"{directory}: {durable.holder(self.lock)} writes there")
        self._descriptor = descriptor
        try:
            signed = self.checkpoint(key)
            self.writer = Writer(
                self.segments, origin, around, limits, signed=signed.size if signed is not None else 0
            )
        except BaseException:
            os.close(descriptor)
            raise
        self._commit = GroupCommit(self.writer.write, limits.rows, delay)

    @property
    def notices(self) -> list[str]:
        return self.writer.notices

    def append(self, entries: Sequence[Entry]) -> int:
        """The index of the first, when all are on the disk. From any thread. Raises LogError."""
        return self._commit.append(entries)

    def integrate(self, key: SigningKey, *, rebuild: bool = False) -> Checkpoint | None:
        """Tiles for all that is durable, and the checkpoint over them, which is yet to be published.

        None where the newest checkpoint has it all. What a checkpoint signed is signed again only when it is still
        the same. ``rebuild`` writes every tile anew. One thread at a time. Raises LogError.
        """
        size = self.writer.size
        old = self.checkpoint(key.verifier)
        signed = old.size if old is not None else 0
        if size == signed and not rebuild:
            return None
        try:
            builder, files = self._begun(old, rebuild), TileFiles(self.directory)
            for leaves in reading.leaves(self.segments, builder.size, size):
                self._extend(builder, files, leaves, old)
            for level, number, data in builder.partial():
                files.write(level, number, data, builder.width(level))
            files.finish()
        except OSError as error:
            raise os_error(error, "tiles cannot be written") from None
        self._files = files
        if size == signed:
            return None
        return Checkpoint(self.origin, size, builder.root()).signed(key)

    def _begun(self, old: Checkpoint | None, rebuild: bool) -> TileBuilder:
        """Where the tiles stand; from the beginning where they do not give what was signed."""
        if old is None or rebuild:
            return TileBuilder()
        try:
            tiles = self.tiles(old.size)
            if tiles.root() == old.root:
                return TileBuilder(tiles)
        except Damaged:
            pass
        self.notices.append(f"{self.directory}: tiles were missing or changed: made again from the segments")
        return TileBuilder()

    def _extend(
        self, builder: TileBuilder, files: TileFiles, leaves: Sequence[bytes], old: Checkpoint | None
    ) -> None:
        cut = old.size - builder.size if old is not None else 0
        for part in (leaves[:cut], leaves[cut:]) if 0 < cut <= len(leaves) else (leaves,):
            for level, number, data in builder.extend(part, [merkle.leaf_hash(leaf) for leaf in part]):
                files.write(level, number, data)
            if old is not None and builder.size == old.size and builder.root() != old.root:
                raise Damaged(
                    f"{self.segments}: its first {old.size:,} entries are not those that were signed: nothing more is "
                    "signed; `solon log verify` says which ones"
                )

    def publish(self, signed: Checkpoint) -> None:
        """Let the checkpoint be the newest. Raises LogError."""
        try:
            durable.replace(os.path.join(self.directory, "checkpoint"), signed.text.encode())
            durable.sync_directory(self.directory)
            self._files.clear()
        except OSError as error:
            raise os_error(error, "the checkpoint cannot be written") from None

    def erase(self, indexes: frozenset[int]) -> None:
        """Remove payloads and salts. A crash leaves each segment as it was, or rewritten. Raises LogError."""
        if any(reading.is_active(self.segments, reading.segment_of(self.segments, i)) for i in indexes):
            self.writer.seal()
        erase_sealed(self, indexes)

    def close(self) -> None:
        if self._descriptor >= 0:
            self.writer.close()
            os.close(self._descriptor)
            self._descriptor = -1


def erase_sealed(place: Place, indexes: frozenset[int]) -> None:
    """Rewrite the segments that these entries are in, none of which is written to. Raises LogError."""
    try:
        for path in sorted({reading.segment_of(place.segments, index) for index in indexes}):
            durable.replace(path, segment.without(durable.read(path), indexes), 0o600)
            durable.sync_directory(place.segments)
    except segment.Damage as damage:
        raise Damaged(
            f"{path}:{damage.offset}: entry {damage.index}: {damage.problem}; `solon log verify` says more"
        ) from None
    except OSError as error:
        raise os_error(error, "the segment cannot be rewritten") from None
