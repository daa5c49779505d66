"""Which files of the warehouse count, and how far into each shard they reach.

cold/manifest.json   written last, with one rename: a file that it does not name is rubbish
cold/rows/dt=2026-11-21/000007-0001.parquet   a day
cold/rows/month=2026-10/000009-0001.parquet   days of a month that are over
cold/ids/000007-0002.parquet                  decision id -> shard, index, day: sorted by id
cold/lock            held by the one who compacts
cold/reading         shared by those who read; files are removed only when nobody does
"""

from __future__ import annotations

import calendar
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.claims import Erasure
from solon.decisions.log.errors import Damaged, os_error
from solon.decisions.warehouse.columns import DAY

SCHEMA: Final = "solon.warehouse/v3"
DIRECTORY: Final = "cold"
_FAN: Final = 8  # so many files of a size become one
_MONTH: Final = 7  # letters of 2026-10
_SETTLED: Final = 2  # so many days after a day, or a month, few of its decisions are still to come
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


class RowFile(msgspec.Struct, frozen=True):
    """Rows of a day, or of days of one month. Times are microseconds since 1970.

    Those of ``decisions`` are decisions, each once, so that questions about these need not ask; all else is in other files.
    """

    path: str
    period: str  # 2026-10-21, or 2026-10
    rows: int
    bytes: int
    first_us: int
    last_us: int
    decisions: bool = True

    @property
    def month(self) -> str:
        return self.period[:_MONTH]

    def overlaps(self, first_us: int, last_us: int) -> bool:
        """Whether it may have rows from the first of these times to the last."""
        return self.last_us >= first_us and self.first_us <= last_us


class IdFile(msgspec.Struct, frozen=True):
    path: str
    rows: int


class Reach(msgspec.Struct, frozen=True):
    """Entries before ``next`` are in the warehouse; ``leaf`` is the hash of the last of them, in hex."""

    next: int
    leaf: str


class Manifest(msgspec.Struct, frozen=True):
    """``pending`` are erasures of entries that are not in the warehouse yet: a crash came before they were removed."""

    schema: str = SCHEMA
    generation: int = 0  # of the newest files; the names of files begin with theirs
    shards: dict[str, Reach] = {}
    rows: list[RowFile] = []
    ids: list[IdFile] = []
    pending: list[Erasure] = []

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


@dataclass(frozen=True, slots=True)
class Full:
    """What a file has that is not merged with others any more."""

    rows: int
    bytes: int

    def holds(self, files: Sequence[RowFile]) -> bool:
        return (
            sum(file.rows for file in files) <= self.rows and sum(file.bytes for file in files) <= self.bytes
        )


def mergeable(files: Sequence[RowFile], full: Full) -> tuple[str, list[RowFile]] | None:
    """Files that are to become one, and the period of that; None where it is not worth it.

    Opening a file costs a question a millisecond, so that a year of days costs more than what is in them. Days that
    are over become files of their month, until those are full; what is still being added to has files of a day.
    """
    newest = newest_day(files)
    for decisions in (True, False):
        found = _mergeable([file for file in files if file.decisions is decisions], full, newest)
        if found is not None:
            return found
    return None


def _mergeable(files: Sequence[RowFile], full: Full, newest: int) -> tuple[str, list[RowFile]] | None:
    by_period: dict[str, list[RowFile]] = {}
    by_month: dict[str, list[RowFile]] = {}
    for file in files:
        if file.rows < full.rows and file.bytes < full.bytes:
            by_period.setdefault(file.period, []).append(file)
            if file.period == file.month or is_over(file.period, newest):
                by_month.setdefault(file.month, []).append(file)
    for month, found in sorted(by_month.items()):
        few = _of_a_size(found)
        if not few and is_over(month, newest):
            few = _packed(found, full)
        if few:
            return month, few
    for period, found in sorted(by_period.items()):
        if few := _of_a_size(found):
            return period, few
    return None


def newest_day(files: Sequence[RowFile]) -> int:
    """In days since 1970."""
    return max((file.last_us for file in files), default=0) // _DAY_US


def is_over(period: str, newest: int) -> bool:
    """Whether few decisions of it are still to come, when there are some of the newest day."""
    return _end(period) + _SETTLED <= newest


def period_of(day: str, newest: int) -> str:
    """Where a row of that day goes: to its month once the day is over."""
    return day[:_MONTH] if is_over(day, newest) else day


def partition(period: str) -> str:
    """What its directory is called after."""
    return DAY if len(period) > _MONTH else "month"


def _end(period: str) -> int:
    """The first day after it, in days since 1970."""
    year, month, *day = map(int, period.split("-"))
    last = day[0] if day else calendar.monthrange(year, month)[1]
    return date(year, month, last).toordinal() + 1 - _EPOCH


def _of_a_size(files: Sequence[RowFile]) -> list[RowFile]:
    return [files[at] for at in crowded([file.rows for file in files])]


def _packed(files: Sequence[RowFile], full: Full) -> list[RowFile]:
    """The smallest that make a full one; none where too little would be added to what is large already."""
    few: list[RowFile] = []
    for file in sorted(files, key=lambda file: (file.rows, file.path)):
        if not full.holds([*few, file]):
            break
        few.append(file)
    added = sum(file.rows for file in few[:-1])
    return few if len(few) > 1 and added * _FAN >= few[-1].rows else []


def crowded(sizes: Sequence[int]) -> list[int]:
    """Which of so many rows each are to become one file: the positions; none where it is not worth it.

    A row is rewritten once for each eightfold growth.
    """
    classes: dict[int, list[int]] = {}
    for position, rows in enumerate(sizes):
        classes.setdefault(rows.bit_length() // 3, []).append(position)
    for _, found in sorted(classes.items()):
        if len(found) >= _FAN:
            return found
    return []
