"""Which files of the warehouse count, and how far into each shard they reach.

cold/manifest.json   written last, with one rename: a file that it does not name is rubbish
cold/rows/dt=2026-11-21/000007-0001.parquet
cold/ids/000007.parquet      decision id -> shard, index, day: sorted by id
cold/lock            held by the one who compacts
cold/reading         shared by those who read; files are removed only when nobody does
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import Damaged, os_error

SCHEMA: Final = "solon.warehouse/v1"
DIRECTORY: Final = "cold"
_FAN: Final = 8  # so many files of a size become one


class RowFile(msgspec.Struct, frozen=True):
    """Rows of one day. Times are microseconds since 1970."""

    path: str
    day: str
    rows: int
    first_us: int
    last_us: int


class IdFile(msgspec.Struct, frozen=True):
    path: str
    rows: int


class Reach(msgspec.Struct, frozen=True):
    """Entries before ``next`` are in the warehouse; ``leaf`` is the hash of the last of them, in hex."""

    next: int
    leaf: str


class Manifest(msgspec.Struct, frozen=True):
    schema: str = SCHEMA
    generation: int = 0  # of the newest files; the names of files begin with theirs
    shards: dict[str, Reach] = {}
    rows: list[RowFile] = []
    ids: list[IdFile] = []

    def next(self, shard: str) -> int:
        """The first entry of a shard that is not in the warehouse."""
        reach = self.shards.get(shard)
        return reach.next if reach else 0

    @property
    def files(self) -> list[str]:
        return [*(file.path for file in self.rows), *(file.path for file in self.ids)]


def directory(log: str) -> str:
    return os.path.join(log, DIRECTORY)


def read(log: str) -> Manifest:
    """The manifest of a log's warehouse; an empty one before the first compaction. Raises LogError."""
    path = os.path.join(directory(log), "manifest.json")
    again = f"`solon log compact --rebuild {log}` makes the warehouse again"
    try:
        found = msgspec.json.decode(durable.read(path), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise os_error(error, "cannot be read") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged(f"{path}: is no manifest of a warehouse ({error}); {again}") from None
    if found.schema != SCHEMA:
        raise Damaged(f"{path}: has the schema {found.schema!r}, and this Solon knows {SCHEMA}; {again}")
    if any(os.path.isabs(path) or ".." in path.split("/") for path in found.files):
        raise Damaged(f"{path}: names files outside of the warehouse; {again}")
    return found


def write(log: str, manifest: Manifest) -> None:
    """Let these files count. Raises OSError."""
    where = directory(log)
    durable.replace(os.path.join(where, "manifest.json"), msgspec.json.encode(manifest))
    durable.sync_directory(where)


def crowded(sizes: Sequence[int], full: int) -> list[int]:
    """Which of so many rows each are to become one file: the positions; none where it is not worth it.

    A row is rewritten once for each eightfold growth; what has ``full`` rows is left as it is.
    """
    classes: dict[int, list[int]] = {}
    for position, rows in enumerate(sizes):
        if rows < full:
            classes.setdefault(rows.bit_length() // 3, []).append(position)
    for _, found in sorted(classes.items()):
        if len(found) >= _FAN:
            return found
    return []
