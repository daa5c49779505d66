"""What was erased, as a table ``gone`` of DuckDB: shard, and n, the index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

from solon.decisions.log import claims
from solon.decisions.log.claims import Erasure
from solon.decisions.log.leaf import Kind
from solon.decisions.log.reading import Stored

if TYPE_CHECKING:
    import duckdb

_TOGETHER: Final = 20_000  # runs of entries


def said(stored: Stored) -> list[Erasure]:
    """The erasure that an entry is, if it is one."""
    if stored.leaf[1] == Kind.ERASURE and stored.payload is not None:
        with suppress(ValueError):
            return [claims.read(stored.payload)]
    return []


def load(database: duckdb.DuckDBPyConnection, erasures: Iterable[Erasure]) -> None:
    database.execute("CREATE TEMP TABLE gone (shard VARCHAR, n BIGINT)")
    runs = (run for each in erasures for run in claims.runs(each))
    while some := list(islice(runs, _TOGETHER)):
        shards, firsts, ends = zip(*some, strict=True)
        database.execute(
            "INSERT INTO gone SELECT shard, unnest(range(f, e)) FROM "
            "(SELECT unnest($1::VARCHAR[]) AS shard, unnest($2::BIGINT[]) AS f, unnest($3::BIGINT[]) AS e)",
            [list(shards), list(firsts), list(ends)],
        )


def beyond(erasures: Sequence[Erasure], reach: dict[str, int]) -> list[Erasure]:
    """Those with entries that are not in the warehouse yet; ``reach`` is the next one of each shard."""
    return [
        each
        for each in erasures
        if any(item.index >= reach.get(item.shard, 0) for item in each.entries)
        or any(block.first + block.count > reach.get(block.shard, 0) for block in each.blocks)
    ]
