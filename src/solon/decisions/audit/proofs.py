"""Proofs of many entries, each segment read once."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from solon.decisions.log import reading, segment
from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log


def proofs(log: Log, keys: Iterable[tuple[str, int]], *, events: bool) -> Iterator[str]:
    """Of entries by shard and index, as far as they are signed; without ``events``, of their leaves alone. Raises LogError."""
    by_shard: dict[str, set[int]] = defaultdict(set)
    for shard, index in keys:
        by_shard[shard].add(index)
    for shard, wanted in sorted(by_shard.items()):
        place = log.shard(shard)
        signed = place.checkpoint(log.key)
        for first, last in _runs(
            place.segments, sorted(each for each in wanted if signed and each < signed.size)
        ):
            for stored in reading.entries(place.segments, first, last + 1):
                if stored.index in wanted:
                    yield str(log.prove(place, stored, event=events))


def _runs(directory: str, indexes: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of the indexes in each segment."""
    starts = [first for first, _ in segment.listed(directory)]
    runs: dict[int, list[int]] = defaultdict(list)
    for index in indexes:
        runs[bisect_right(starts, index)].append(index)
    if runs.get(0):
        raise LogError(f"{directory}: the segment of entry {runs[0][0]} is missing")
    for _, inside in sorted(runs.items()):
        yield inside[0], inside[-1]
