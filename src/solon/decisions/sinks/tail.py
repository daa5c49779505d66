"""What of a shard is new to a sink."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from solon.decisions.log import reading
from solon.decisions.log.errors import Damaged, os_error
from solon.decisions.log.leaf import Kind
from solon.decisions.log.shard import Place
from solon.decisions.sinks.position import Mark, digest

ROWS: Final = 1_000
_BYTES: Final = 32 << 20


def batches(place: Place, mark: Mark, rows: int = ROWS) -> Iterator[list[reading.Stored]]:
    """The entries behind the mark, as far as they are durable now. Raises LogError.

    What is written and not yet synced is synced first: a receiver must never have what the log may lose.
    """
    try:
        _sync(place.segments)
        size = reading.size(place.segments)
        if size < mark.next:
            raise Damaged(
                f"{place.directory}: has {size:,} entries, and {mark.next:,} were shipped; `solon log verify` says more"
            )
        if size == mark.next:
            return
        found = reading.entries(place.segments, max(mark.next - 1, 0), size)
        if mark.next:
            before = next(found)
            if mark.leaf and digest(before.leaf) != mark.leaf:
                raise Damaged(
                    f"{place.directory}: entry {before.index} is not the one that was shipped; `solon log verify` "
                    "says more"
                )
        yield from _parts(found, rows)
    except OSError as error:
        raise os_error(error, "cannot be read") from None


def _parts(found: Iterable[reading.Stored], rows: int) -> Iterator[list[reading.Stored]]:
    """Of so many entries, or fewer that are large: they are in memory together."""
    part: list[reading.Stored] = []
    size = 0
    for stored in found:
        part.append(stored)
        size += len(stored.payload or b"")
        if len(part) >= rows or size >= _BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def wanted(batch: Sequence[reading.Stored], kinds: frozenset[Kind]) -> list[reading.Stored]:
    """Those that a sink gets. What was erased is not there to be sent."""
    return [each for each in batch if each.payload is not None and each.says.kind in kinds]


def grown(place: Place) -> tuple[str, int] | None:
    """Something that changes when entries are appended; None where there are none."""
    files = reading.files(place.segments)
    try:
        return (files[-1], os.path.getsize(files[-1])) if files else None
    except OSError:
        return None


def _sync(directory: str) -> None:
    files = reading.files(directory)
    if files:
        descriptor = os.open(files[-1], os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
