"""Whether payloads that are gone were erased: what the erasures of a log say, beside its segments.

The second way through a log, and only through segments that something was erased from: one of them is in memory at a time.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from solon.decisions.log import durable, merkle, segment
from solon.decisions.log.claims import Block, Erasure
from solon.decisions.log.salvage import Gap, salvaged
from solon.decisions.log.segment import Frame
from solon.decisions.log.shard import Place

_AGAIN: Final = "its payload is still there: `solon log erase` once more"


class Fault(NamedTuple):
    """``frame`` is the entry that it is about, in the file of that path; without, it is about an erasure."""

    text: str
    path: str
    frame: Frame | None = None


@dataclass(slots=True)
class _Claimed:
    """A block, as it is compared with what is there."""

    block: Block
    bits: str
    by: str
    left: int = 0  # payloads that should be gone
    leaves: Any = field(default_factory=hashlib.sha256)

    @property
    def end(self) -> int:
        return self.block.first + self.block.count


class Claims:
    """What the erasures of a log say, all together. ``notes`` are of payloads that should be gone, and are not."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._items: dict[str, dict[int, dict[str, str]]] = defaultdict(
            dict
        )  # shard, index, leaf: by which erasure
        self._blocks: dict[str, list[_Claimed]] = defaultdict(list)

    def add(self, said: Erasure, by: str) -> None:
        for item in said.entries:
            self._items[item.shard].setdefault(item.index, {}).setdefault(item.leaf, by)
        for block in said.blocks:
            self._blocks[block.shard].append(_Claimed(block, block.bits(), by))

    def faults(self, place: Place, rewritten: set[str], *, whole: bool) -> Iterator[Fault]:
        """In the segments of a shard, of which these have erased entries. ``whole``: every entry could be read."""
        items, blocks = self._items[place.name], self._blocks[place.name]
        numbers = sorted(items)
        files = segment.listed(place.segments)
        for at, (first, path) in enumerate(files):
            end = files[at + 1][0] if at + 1 < len(files) else 1 << 64
            here = [each for each in blocks if each.block.first < end and each.end > first]
            if path in rewritten or here or bisect_left(numbers, first) < bisect_left(numbers, end):
                for part in salvaged(durable.read(path), first):
                    if not isinstance(part, Gap):
                        yield from self._frames(place, part[1], path, items, here)
        for each in blocks:
            if each.left:
                self.notes.append(
                    f"{each.left:,} of entries {each.block.first} to {each.end - 1} of shard {place.name} are erased by "
                    f"{each.by}, and their payloads are still there: `solon log retain --apply` once more"
                )
            if whole and each.leaves.hexdigest() != each.block.leaves:
                yield Fault(
                    f"{each.by} erased other entries than those that are there, from {each.block.first} to {each.end - 1}",
                    place.segments,
                )

    def _frames(
        self,
        place: Place,
        frames: list[Frame],
        path: str,
        items: dict[int, dict[str, str]],
        blocks: list[_Claimed],
    ) -> Iterator[Fault]:
        for frame in frames:
            index = frame.number
            said = False
            for each in blocks:
                if each.block.first <= index < each.end and each.bits[index - each.block.first] == "1":
                    said = True
                    each.leaves.update(merkle.leaf_hash(frame.leaf))
                    each.left += frame.payload is not None
            if index in items:
                by = items[index].get(merkle.leaf_hash(frame.leaf).hex())
                said = said or by is not None
                if by is not None and frame.payload is not None:
                    self.notes.append(f"entry {index} of shard {place.name} is erased by {by}, and {_AGAIN}")
            if frame.payload is None and not said:
                yield Fault("its payload is gone, and no erasure says so", path, frame)
