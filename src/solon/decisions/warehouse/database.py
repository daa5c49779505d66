"""DuckDB in memory, which keeps standard output to those who asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

Config = Mapping[str, str | bool | int | float | list[str]]


def connect(config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """A database of its own. Left alone, DuckDB draws a bar on standard output for what takes longer than two seconds."""
    import duckdb

    found = duckdb.connect(":memory:", config=dict(config or {}))
    found.execute("SET enable_progress_bar = false")
    return found
