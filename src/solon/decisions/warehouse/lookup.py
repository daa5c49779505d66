"""One decision by its id: where it stands, found without reading the whole log."""

from __future__ import annotations

import os

from solon.decisions.log import reading
from solon.decisions.log.errors import LogError
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.compaction import reader
from solon.decisions.warehouse.database import connect


def find(log: Log, name: str) -> list[tuple[Place, reading.Stored]]:
    """Every entry of that id, in order. Raises LogError, OSError."""
    with reader(log.directory):
        current = manifests.read(log.directory)
        known = _known(log, current, name)
    places = {place.name: place for place in log.shards()}
    found = []
    for shard, index in known:
        place = places.get(shard)
        if place is not None:
            found += [(place, each) for each in reading.entries(place.segments, index, index + 1)]
    for place in places.values():
        found += [
            (place, each)
            for each in reading.entries(place.segments, current.next(place.name))
            if each.says.id == name
        ]
    return found


def _known(log: Log, current: manifests.Manifest, name: str) -> list[tuple[str, int]]:
    """Where the warehouse says that it stands."""
    if not current.ids:
        return []
    import duckdb

    where = manifests.directory(log.directory)
    paths = [os.path.join(where, file.path) for file in current.ids]
    try:
        with connect() as database:
            rows = database.execute(
                'SELECT shard, "index" FROM read_parquet($1) WHERE decision_id = $2 ORDER BY shard, "index"',
                [paths, name],
            ).fetchall()
    except duckdb.Error as error:
        raise LogError(f"{where}: {str(error).splitlines()[0]}") from None
    return [(str(shard), int(index)) for shard, index in rows]
