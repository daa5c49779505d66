"""Reading a segment that is not as it was written: everything in it that still is, and where it is not."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from solon.decisions.log import segment
from solon.decisions.log.leaf import FIXED, SALT, VERSION
from solon.decisions.log.segment import BODY, FRAME, GROUP_MAGIC, GROUP_SIZE, Frame, Group

# State, length of the leaf (76 to 331), version of the leaf: what a frame's body begins with. Matches may overlap.
_BODY_BEGINS: Final = re.compile(rb"(?=[\x01\x02][\x00\x01].\x01)", re.DOTALL)


Read = TypeVar("Read")


class Gap(NamedTuple):
    """Entries from ``first`` up to ``end`` cannot be read, from this offset on; or, where none is, something else."""

    first: int
    end: int
    offset: int
    problem: str


def salvaged(data: bytes, first: int) -> Iterator[tuple[Group, list[Frame]] | Gap]:
    """The groups of a segment, and what is wrong between them. ``first`` is the entry that it begins with."""
    return parts(data, first, lambda group: list(segment.frames(data, group)))


def parts(
    data: bytes, first: int, read: Callable[[Group], Read]
) -> Iterator[tuple[Group, Read | list[Frame]] | Gap]:
    """The same, with a way to read a group that is whole, which raises Damage where it is not."""
    try:
        at = segment.read_header(data).end
    except segment.Damage as damage:
        yield Gap(first, first, 0, damage.problem)
        at = _next(data, 0, first)
    while at < len(data):
        group = segment.read_group(data, at)
        if group is None or group.end > len(data):
            following = _next(data, at, first)
            behind = segment.read_group(data, following)
            count = behind.first - first if behind is not None else 0
            problem = "the header of its group is damaged" if group is None else "its group is cut off"
            found = _frames(data, Group(at, following, count, first, 0), count or None)
            frames = [each for each in found if isinstance(each, Frame)]
            gaps = [each for each in found if isinstance(each, Gap)]
            if not gaps:
                yield Gap(first, first, at, problem)
            for gap in gaps:
                yield gap._replace(problem=problem)
            yield Group(at, following, len(frames), first, 0), frames
            first = behind.first if behind is not None else first + len(frames)
            at = following
            continue
        if group.first > first:
            yield Gap(first, group.first, at, "is missing")
        elif group.first < first:
            yield Gap(first, first, at, f"stands where entry {group.first} is said to stand")
        try:
            yield group, read(group)
        except segment.Damage:
            found = _frames(data, group, group.rows)
            yield from (each for each in found if isinstance(each, Gap))
            yield group, [each for each in found if isinstance(each, Frame)]
        first, at = group.first + group.rows, group.end


def _next(data: bytes, at: int, first: int) -> int:
    """Where the next group stands that may follow, or the end."""
    while (at := data.find(GROUP_MAGIC, at + 1)) >= 0:
        group = segment.read_group(data, at)
        if group is not None and group.first >= first:
            return at
    return len(data)


def _frames(data: bytes, group: Group, count: int | None) -> list[Frame | Gap]:
    """The frames of a group, whose number may not be known, with the gaps between them."""
    runs: list[list[Frame]] = [[]]
    broken: list[int] = []
    at = group.offset + GROUP_SIZE
    while at < group.end:
        frame = _frame(data, at, group.end)
        if frame is None:
            broken.append(at)
            at = _resumed(data, at, group.end)
            runs.append([])
            continue
        runs[-1].append(frame)
        at += FRAME.size + FRAME.unpack_from(data, at)[0]
    read = sum(map(len, runs))
    missing = max(count - read, 0) if count is not None else len(broken)
    if missing and not broken:
        broken.append(group.end)
        runs.append([])
    out: list[Frame | Gap] = []
    index = group.first
    for number, run in enumerate(runs):
        if number:
            # One entry for each gap; what more is missing is taken to be missing in the first.
            lost = (missing - len(broken) + 1 if number == 1 else 1) if missing >= len(broken) else 0
            out.append(Gap(index, index + lost, broken[number - 1], "is damaged"))
            index += lost
        out += [frame._replace(number=index + place) for place, frame in enumerate(run)]
        index += len(run)
    return out


def _frame(data: bytes, at: int, end: int) -> Frame | None:
    try:
        length, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        state, leaf_length = BODY.unpack_from(data, start)
    except struct.error:
        return None
    leaf_start, stop = start + BODY.size, start + length
    leaf = data[leaf_start : leaf_start + leaf_length]
    if (
        stop > end
        or len(leaf) <= FIXED.size
        or leaf[0] != VERSION
        or leaf[3] != leaf_length - FIXED.size
        or zlib.crc32(data[start:stop]) != checksum
    ):
        return None
    if state == segment.ERASED and stop == leaf_start + leaf_length:
        return Frame(-1, at, leaf, b"", None)
    salt_end = leaf_start + leaf_length + SALT
    if state != segment.WHOLE or stop < salt_end:
        return None
    return Frame(-1, at, leaf, data[salt_end - SALT : salt_end], data[salt_end:stop])


def _resumed(data: bytes, at: int, end: int) -> int:
    """Where the next whole frame stands, or the end."""
    for match in _BODY_BEGINS.finditer(data, at + 1 + FRAME.size, end):
        position = match.start() - FRAME.size
        if _frame(data, position, end) is not None:
            return position
    return end
