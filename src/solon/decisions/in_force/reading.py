"""The entries about the programme, from the warehouse and from the segments that it does not have yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from solon.decisions.in_force.events import Recorded, decoded, parsed
from solon.decisions.in_force.state import ordered
from solon.decisions.log import reading
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import PROGRAMME
from solon.decisions.log.store import Log
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.compaction import reader
from solon.decisions.warehouse.database import connect

_WORDS: Final = tuple(sorted(kind.name.lower() for kind in PROGRAMME))


def entries(log: Log) -> list[Recorded]:
    """All of them, in the order of their times. Raises LogError, OSError."""
    with reader(log.directory):
        current = manifests.read(log.directory)
        found = list(_cold(log, current))
    for place in log.shards():
        hot = reading.entries(place.segments, current.next(place.name))
        told = (decoded(stored, place.name) for stored in hot if stored.leaf[1] in PROGRAMME)
        found += [each for each in told if each is not None]
    return ordered(found)


def _cold(log: Log, current: manifests.Manifest) -> Iterator[Recorded]:
    files = [file for file in current.rows if not file.decisions]
    if not files:
        return
    import duckdb

    where = manifests.directory(log.directory)
    paths = [os.path.join(where, file.path) for file in files]
    try:
        with connect() as database:
            rows = database.execute(
                'SELECT decision_id, shard, "index", event FROM '
                "read_parquet($1, hive_partitioning=false) WHERE kind IN $2",
                [paths, list(_WORDS)],
            ).fetchall()
    except duckdb.Error as error:
        raise LogError(f"{where}: {str(error).splitlines()[0]}") from None
    for name, shard, index, event in rows:
        each = parsed(event, name, shard, index)
        if each is not None:
            yield each
