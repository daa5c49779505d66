"""Entries as they stand in the segments of a shard. Reading needs no lock."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from solon.decisions.log import durable, segment
from solon.decisions.log.errors import Damaged
from solon.decisions.log.leaf import FIXED, Leaf, decode
from solon.decisions.log.segment import Frame, Group


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry, where it stands, and when it was committed. ``payload`` is None where it is erased."""

    index: int
    leaf: bytes
    salt: bytes
    payload: bytes | None
    path: str
    offset: int
    time_ns: int

    @property
    def shard(self) -> str:
        """The shard that its segment is of."""
        return os.path.basename(os.path.dirname(os.path.dirname(self.path)))

    @property
    def says(self) -> Leaf:
        """Raises Damaged."""
        try:
            return decode(self.leaf)
        except ValueError as error:
            raise Damaged(f"{self.path}:{self.offset}: entry {self.index}: its leaf {error}") from None


def entries(directory: str, start: int = 0, stop: int | None = None) -> Iterator[Stored]:
    """The entries from ``start`` on, up to ``stop`` or to what is written by now. Raises Damaged, OSError."""
    for path, group, frames in _groups(directory, start, stop):
        for number, offset, leaf, salt, payload in frames:
            yield Stored(number, leaf, salt, payload, path, offset, group.time_ns)


def leaves(directory: str, start: int, stop: int) -> Iterator[list[bytes]]:
    """The leaves from ``start`` to ``stop``, a group at a time. Raises Damaged, OSError."""
    for _, _, frames in _groups(directory, start, stop):
        yield [frame.leaf for frame in frames]


def _groups(directory: str, start: int, stop: int | None) -> Iterator[tuple[str, Group, list[Frame]]]:
    """Each group with its entries, as far as they are asked for."""
    found = segment.listed(directory)
    at = max(bisect_right([first for first, _ in found], start) - 1, 0)
    if found and start < found[at][0]:
        raise Damaged(f"{directory}: entries {start} to {found[at][0] - 1} are missing")
    expected = start
    for number, (first, path) in enumerate(found[at:], at):
        if stop is not None and first >= stop:
            break
        if number > at and first != expected:
            raise Damaged(f"{path}: entries {expected} to {first - 1} are missing before it")
        data = durable.read(path)
        last = number == len(found) - 1
        try:
            expected = first
            for group in segment.groups(data, first, segment.read_header(data).end):
                if stop is not None and group.first >= stop:
                    return
                if group.first != expected:
                    raise segment.Damage(expected, group.offset, f"entry {group.first} stands in its place")
                expected = group.first + group.rows
                if expected > start:
                    frames = list(segment.frames(data, group))
                    yield (
                        path,
                        group,
                        frames[max(start - group.first, 0) : None if stop is None else stop - group.first],
                    )
        except segment.Damage as damage:
            if last and stop is None and not segment.followed(data, damage.offset, damage.index):
                return  # it is being written, or a crash came while it was
            raise Damaged(f"{path}:{damage.offset}: entry {damage.index}: {damage.problem}") from None
    if stop is not None and expected < stop:
        raise Damaged(f"{directory}: entries {expected} to {stop - 1} are missing")


def files(directory: str) -> list[str]:
    """The segments, in order."""
    return [path for _, path in segment.listed(directory)]


def size(directory: str) -> int:
    """How many entries there are by now. Raises Damaged, OSError."""
    found = segment.listed(directory)
    if not found:
        return 0
    first, path = found[-1]
    data = durable.read(path)
    at = first
    try:
        for group in segment.groups(data, first, segment.read_header(data).end):
            at = group.first + group.rows
    except segment.Damage:
        pass
    return at


def find(directory: str, name: str) -> Iterator[Stored]:
    """The entries of that id. Segments without it are only searched, not read. Raises Damaged, OSError."""
    encoded = name.encode()
    needle = bytes([len(encoded)]) if len(encoded) < 256 else b""
    if not encoded or not needle:
        return
    for first, path in segment.listed(directory):
        data = durable.read(path)
        at = data.find(encoded)
        if at < 0:
            continue
        try:
            for group in segment.groups(data, first, segment.read_header(data).end):
                if at >= group.end:
                    continue
                for frame in segment.frames(data, group):
                    if frame.leaf[3:4] == needle and frame.leaf[FIXED.size :] == encoded:
                        yield Stored(
                            frame.number,
                            frame.leaf,
                            frame.salt,
                            frame.payload,
                            path,
                            frame.offset,
                            group.time_ns,
                        )
                at = data.find(encoded, group.end)
                if at < 0:
                    break
        except segment.Damage as damage:
            if segment.followed(data, damage.offset, damage.index):
                raise Damaged(f"{path}:{damage.offset}: entry {damage.index}: {damage.problem}") from None


def segment_of(directory: str, index: int) -> str:
    """The file that an entry stands in. Raises Damaged."""
    found = segment.listed(directory)
    at = bisect_right([first for first, _ in found], index) - 1
    if at < 0:
        raise Damaged(f"{directory}: the segment of entry {index} is missing")
    return found[at][1]


def is_active(directory: str, path: str) -> bool:
    """Whether a segment is the one that is written to."""
    found = segment.listed(directory)
    return bool(found) and found[-1][1] == path
