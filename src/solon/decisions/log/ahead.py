"""Segments that are looked through by other processes, ahead of the one that needs them, in order.

What those find whole is handed over as leaves and hashes. Whatever is odd is handed over as nothing, and looked at once more
by whoever has to say what is wrong with it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, NamedTuple, TypeAlias

from solon.decisions.log import durable, segment
from solon.decisions.log.salvage import Gap, parts
from solon.decisions.log.segment import Frame, Group, Header

Found: TypeAlias = (
    tuple[list[bytes], list[bytes]] | list[Frame]
)  # leaves and their hashes; frames where one is not ordinary
WORTH: Final = 512 << 20  # bytes of segments, below which starting processes takes longer than it saves


class Looked(NamedTuple):
    """A segment that is whole, group by group."""

    head: Header
    groups: list[tuple[Group, Found]]


def read_group(data: bytes, group: Group) -> Found:
    """Raises Damage."""
    return segment.sound(data, group) or list(segment.frames(data, group))


def looked(path: str, first: int) -> Looked | None:
    """None where something is not as it was written, or cannot be read."""
    try:
        data = durable.read(path)
        head = segment.read_header(data)
    except (OSError, segment.Damage):
        return None
    groups = []
    for part in parts(data, first, lambda group: read_group(data, group)):
        if isinstance(part, Gap):
            return None
        groups.append(part)
    return Looked(head, groups)


def ahead(files: Sequence[tuple[int, str]], jobs: int) -> Iterator[Looked | None]:
    """One for each of these segments; None where it is for the caller to look."""
    jobs = min(jobs, len(files))
    if jobs < 2 or sum(os.path.getsize(path) for _, path in files) < WORTH:
        yield from (None for _ in files)
        return
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    waiting: deque[Future[Looked | None]] = deque()
    rest = iter(files)
    try:
        for first, path in rest:
            waiting.append(pool.submit(looked, path, first))
            if len(waiting) > jobs:
                break
        while waiting:
            found = _result(waiting.popleft())
            for first, path in rest:
                try:
                    waiting.append(pool.submit(looked, path, first))
                except BrokenProcessPool:
                    waiting.append(Future())
                    waiting[-1].set_result(None)
                break
            yield found
    finally:
        pool.shutdown(cancel_futures=True)


def _result(future: Future[Looked | None]) -> Looked | None:
    try:
        return future.result()
    except BrokenProcessPool:  # it was killed: then it is done here
        return None
