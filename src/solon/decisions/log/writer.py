"""The one writer of a shard's segments: whole groups, durable when ``write`` returns.

What a crash left is put in order when the writer is opened: a group that was not written to its end is cut off, which
is said; anything else that is not as it was written is refused, and nothing is cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from solon.decisions.log import durable, segment
from solon.decisions.log.errors import Damaged, LogError, os_error
from solon.decisions.log.leaf import SALT, Entry

GROUP_BYTES: Final = 8 << 20  # an entry begins a new group behind this many bytes
_HOUR: Final = 3_600_000_000_000
_HEADER_MAX: Final = segment.HEADER.size + 65_535 + segment.CRC.size
_VERIFY: Final = "`solon log verify` says what is lost"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a segment is followed by a new one, and how many entries a group has at most."""

    segment_bytes: int = 64 << 20
    segment_age_ns: int = _HOUR
    rows: int = 1_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The clock, in nanoseconds since 1970, and the source of random bytes."""

    clock: Callable[[], int]
    random: Callable[[int], bytes]


class Writer:
    """Appends to the segments of a directory. Whoever makes one holds the lock of the shard.

    ``signed`` is the size of the newest checkpoint: that many entries were durable once. ``notices`` are what a
    person should know of how the writer found the log.
    """

    def __init__(
        self, directory: str, origin: str, around: Surroundings, limits: Limits, *, signed: int = 0
    ) -> None:
        self.notices: list[str] = []
        self.size = 0
        self._directory = directory
        self._origin = origin
        self._around = around
        self._limits = limits
        self._descriptor = -1
        self._path = ""
        self._end = self._first = self._created_ns = self._time_ns = 0
        self._failed = ""
        try:
            self._open(signed)
        except OSError as error:
            self.close()
            raise os_error(error, "the log cannot be opened for writing") from None
        except LogError:
            self.close()
            raise

    # --- opening

    def _open(self, signed: int) -> None:
        durable.make_directory(self._directory)
        for name in os.listdir(self._directory):
            if durable.TEMPORARY in name:  # left by a rewriting that did not come to its rename
                os.unlink(os.path.join(self._directory, name))
        files = segment.listed(self._directory)
        if files and self._never_begun(*files[-1]):
            files.pop()
            if files:
                self._resume(*files[-1], signed, last=False)
        elif files:
            self._resume(*files[-1], signed, last=True)
        if self.size < signed:
            raise self._too_few(self.size, signed)
        if self._descriptor < 0:
            self._begin()

    def _too_few(self, size: int, signed: int) -> Damaged:
        return Damaged(
            f"{self._directory}: has {size:,} whole entries, and {signed:,} are signed: put the segments back as "
            f"they were; nothing is cut off, nor written here; {_VERIFY}"
        )

    def _never_begun(self, first: int, path: str) -> bool:
        """Remove a last segment that has not even its header: a crash came while it was made."""
        data = durable.read(path)
        try:
            segment.read_header(data)
        except segment.Damage as damage:
            if len(data) > _HEADER_MAX or segment.followed(data, 0, first):
                raise Damaged(f"{path}: {damage.problem}; nothing is written here; {_VERIFY}") from None
        else:
            return False
        os.unlink(path)
        durable.sync_directory(self._directory)
        self.notices.append(f"{path}: was removed: a crash came before its header was written")
        return True

    def _resume(self, first: int, path: str, signed: int, *, last: bool) -> None:
        """Go on at the end of a segment; a group that a crash cut short is removed."""
        data = durable.read(path)
        try:
            head = segment.read_header(data)
        except segment.Damage as damage:
            raise Damaged(f"{path}: {damage.problem}; {_VERIFY}") from None
        if (head.origin, head.first) != (self._origin, first):
            raise Damaged(
                f"{path}: is the segment of {head.origin} from entry {head.first} on: put it back there"
            )
        end, size = head.end, first
        try:
            for group in segment.groups(data, first, head.end):
                if group.first != size:
                    raise segment.Damage(size, group.offset, f"entry {group.first} stands in its place")
                for _ in segment.frames(data, group):
                    pass
                end, size, self._time_ns = group.end, group.first + group.rows, group.time_ns
        except segment.Damage as damage:
            if not last or segment.followed(data, end, damage.index):
                raise Damaged(
                    f"{path}:{damage.offset}: entry {damage.index}: {damage.problem}, and whole ones follow, so that "
                    f"it was no crash; nothing is cut off, nor written here; {_VERIFY}"
                ) from None
            if size < signed:
                raise self._too_few(size, signed) from None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        if end < len(data):
            os.ftruncate(self._descriptor, end)
            self.notices.append(
                f"{path}: its last {len(data) - end:,} bytes were cut off: a crash came while entries from "
                f"{size} on were written, and they were not acknowledged"
            )
        os.fsync(self._descriptor)  # who wrote it may have been killed between writing and syncing
        self.size, self._path, self._end = size, path, end
        self._first, self._created_ns = first, head.time_ns
        self._time_ns = max(self._time_ns, head.time_ns)

    # --- writing

    def write(self, entries: Sequence[Entry]) -> int:
        """The index of the first, when all are on the disk. Raises LogError: then none of them is acknowledged."""
        first = self.size
        for group in self._groups(entries):
            self._write(group)
        return first

    def _groups(self, entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        begun = size = 0
        for at, entry in enumerate(entries):
            if len(entry.payload) > segment.MAX_PAYLOAD:
                raise LogError(
                    f"{entry.id}: has {len(entry.payload):,} bytes, and an entry at most {segment.MAX_PAYLOAD:,}"
                )
            if at > begun and (at - begun >= self._limits.rows or size >= GROUP_BYTES):
                yield entries[begun:at]
                begun, size = at, 0
            size += len(entry.payload)
        if begun < len(entries):
            yield entries[begun:]

    def _write(self, entries: Sequence[Entry]) -> None:
        if self._failed:
            raise LogError(self._failed)
        try:
            if self._is_full():
                self._begin()
            salts = self._around.random(SALT * len(entries))
            data = segment.encoded(entries, salts, self.size, self._now())
        except ValueError as error:
            raise LogError(f"the entry cannot be logged: {error}") from None
        except OSError as error:
            raise os_error(error, "no segment can be begun") from None
        try:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            durable.write_all(self._descriptor, data)
        except OSError as error:
            self._take_back()
            raise LogError(f"{self._path}: {_reason(error)}: these entries are not in the log") from None
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            # What of it the disk has cannot be known any more, and a further sync would not tell.
            self._failed = f"{self._path}: the disk failed ({_reason(error)}): open the log anew"
            self._take_back()
            raise LogError(self._failed) from None
        self._end += len(data)
        self.size += len(entries)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._end)
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._failed = f"{self._path}: the disk failed ({_reason(error)}): open the log anew"

    def _now(self) -> int:
        now = self._around.clock()
        if now < self._time_ns:
            back = (self._time_ns - now) / 1e9
            if back > 1 and not any("clock" in notice for notice in self.notices):
                self.notices.append(
                    f"the clock went back by {back:,.0f} s: entries keep their order, and the time of commits stands still"
                )
            return self._time_ns
        self._time_ns = now
        return now

    def _is_full(self) -> bool:
        if self.size == self._first:
            return False
        age = self._around.clock() - self._created_ns
        return (
            os.path.exists(segment.asked(self._directory))
            or self._end >= self._limits.segment_bytes
            or age >= self._limits.segment_age_ns
        )

    def _begin(self) -> None:
        """A new segment from here on. Raises OSError, and goes on with the old one."""
        path = os.path.join(self._directory, segment.name_of(self.size))
        now = self._now()
        data = segment.header(self._origin, self.size, now)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            durable.write_all(descriptor, data)
            os.fsync(descriptor)
            durable.sync_directory(self._directory)
        except OSError:
            os.close(descriptor)
            os.unlink(path)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._path, self._end = descriptor, path, len(data)
        self._first, self._created_ns = self.size, now
        with suppress(FileNotFoundError):
            os.unlink(segment.asked(self._directory))

    def seal(self) -> None:
        """End the segment, so that all that were written can be rewritten. Raises LogError."""
        if self.size > self._first:
            try:
                self._begin()
            except OSError as error:
                raise os_error(error, "no segment can be begun") from None

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
