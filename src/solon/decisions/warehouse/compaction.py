"""Compaction: entries go from the segments to Parquet, by day, sorted so that questions read little.

A step takes some entries, writes new files, syncs them, and names them in a new manifest with one rename. Before that
rename nothing has happened, and after it everything has; what a crash leaves besides is removed by the next step.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from solon.decisions.log import durable, merkle, reading, segment
from solon.decisions.log.claims import Erasure
from solon.decisions.log.errors import Busy, Damaged, LogError, os_error
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.warehouse import erasures
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.columns import ORDER, schema
from solon.decisions.warehouse.database import connect
from solon.decisions.warehouse.manifest import Full, IdFile, Manifest, Reach, RowFile
from solon.decisions.warehouse.rows import line, row

if TYPE_CHECKING:
    import duckdb

STEP_ROWS: Final = 200_000
STEP_BYTES: Final = 256 << 20
FULL: Final = Full(rows=1 << 20, bytes=256 << 20)
_MEMORY: Final = "3GiB"  # what does not fit is spilled beside the files
_WAIT: Final = 30.0
_MIN_OBJECT: Final = 16 << 20  # what DuckDB gives a line of JSON without being asked
_DAY_US: Final = 86_400_000_000
_ONCE: Final = "kind = 'decision' AND NOT repeated"
_PARQUET: Final = (
    "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 8192"
)


@dataclass(slots=True)
class _Batch:
    """What one step takes: lines of rows on the disk, and where that leads."""

    path: str
    rows: int = 0
    size: int = 0
    longest: int = 0
    reach: dict[str, Reach] = field(default_factory=dict)
    erased: list[Erasure] = field(default_factory=list)


def compact(log: Log, *, open_segments: bool = False, tell: Callable[[int], None] = lambda _: None) -> int:
    """Take all sealed segments into the warehouse; with ``open_segments``, all that is durable.

    How many entries that were; ``tell`` is told of them as they go. Raises LogError.
    """
    try:
        with _alone(log.directory):
            old = manifests.read(log.directory)
            _fits(log, old)
            _sweep(log.directory, old)
            ends = {place.name: _end(place, open_segments) for place in log.shards()}
            total = sum(max(end - old.next(name), 0) for name, end in ends.items())
            done = 0
            while done < total:
                took = _step(log, ends)
                if not took:
                    break
                done += took
                tell(took)
            return done
    except OSError as error:
        raise os_error(error, "the log cannot be compacted") from None


def exists(log: Log) -> bool:
    """Whether a log was ever compacted."""
    return os.path.exists(os.path.join(manifests.directory(log.directory), "manifest.json"))


def waiting(log: Log) -> int:
    """How many entries are durable and not in the warehouse. Raises LogError."""
    current = manifests.read(log.directory)
    return sum(max(reading.size(place.segments) - current.next(place.name), 0) for place in log.shards())


def rebuild(log: Log) -> None:
    """Remove the warehouse, to be made again from the segments. Raises LogError."""
    try:
        where = manifests.directory(log.directory)
        with _alone(log.directory), _unread(where, _WAIT) as nobody:
            if not nobody:
                raise Busy(f"{where}: somebody reads it: try again later")
            for name in ("manifest.json", "rows", "ids"):
                path = os.path.join(where, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                else:
                    with suppress(FileNotFoundError):
                        os.unlink(path)
                durable.sync_directory(where)
    except OSError as error:
        raise os_error(error, "the warehouse cannot be removed") from None


# --- which entries


def _end(place: Place, open_segments: bool) -> int:
    """Where to stop in a shard."""
    files = segment.listed(place.segments)
    if not files:
        return 0
    if not open_segments:
        return files[-1][0]
    size = reading.size(place.segments)
    descriptor = os.open(files[-1][1], os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # what was counted is durable now, whoever wrote it
    finally:
        os.close(descriptor)
    return size


def _fits(log: Log, old: Manifest) -> None:
    """Raises Damaged where the segments do not go on where the warehouse ends."""
    for name, reach in old.shards.items():
        place = log.shard(name)
        try:
            last = next(iter(reading.entries(place.segments, reach.next - 1, reach.next)), None)
        except Damaged:
            if segment.listed(place.segments) and segment.listed(place.segments)[0][0] >= reach.next:
                continue  # those segments are gone on purpose
            last = None
        if last is None or merkle.leaf_hash(last.leaf).hex() != reach.leaf:
            raise Damaged(
                f"{place.segments}: entry {reach.next - 1} is not the one that was compacted: `solon log verify` says "
                f"whether the log is whole; then `solon log compact --rebuild {log.directory}`"
            )


def _taken(log: Log, old: Manifest, ends: dict[str, int], path: str) -> _Batch:
    """The next entries, as lines of rows in a file."""
    batch = _Batch(path, reach=dict(old.shards))
    with open(path, "wb") as file:
        for name, end in ends.items():
            at = batch.reach[name].next if name in batch.reach else 0
            if at >= end:
                continue
            stored = None
            for stored in reading.entries(log.shard(name).segments, at, end):
                batch.erased += erasures.said(stored)
                found = row(stored, name)
                if found is not None:
                    text = line(found)
                    batch.longest = max(batch.longest, len(text))
                    batch.size += file.write(text)
                batch.rows += 1
                if batch.rows >= STEP_ROWS or batch.size >= STEP_BYTES:
                    break
            if stored is not None:
                batch.reach[name] = Reach(stored.index + 1, merkle.leaf_hash(stored.leaf).hex())
            if batch.rows >= STEP_ROWS or batch.size >= STEP_BYTES:
                break
    return batch


# --- one step


def _step(log: Log, ends: dict[str, int]) -> int:
    """Take the next entries. How many there were."""
    where = manifests.directory(log.directory)
    old = manifests.read(log.directory)
    work = os.path.join(where, "work")
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    try:
        batch = _taken(log, old, ends, os.path.join(work, "rows.ndjson"))
        if not batch.rows:
            return 0
        with _database(work) as database:
            writer = _Writer(database, where, old.generation + 1)
            rows, ids = list(old.rows), list(old.ids)
            if batch.size:
                new, index = writer.take(batch, rows)
                rows += new
                ids.append(index)
            erased = [*old.pending, *batch.erased]
            if erased:
                rows = writer.erase(rows, erased)
            rows = writer.merge_rows(rows)
            ids = writer.merge_ids(ids)
        pending = erasures.beyond(erased, {name: each.next for name, each in batch.reach.items()})
        fresh = Manifest(
            generation=writer.generation, shards=batch.reach, rows=rows, ids=ids, pending=pending
        )
        for directory in sorted(writer.touched):
            durable.sync_directory(directory)
        manifests.write(log.directory, fresh)
        _sweep(log.directory, fresh, wait=_WAIT if batch.erased else 0.0)
        return batch.rows
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Writer:
    """Writes the files of one generation."""

    def __init__(self, database: duckdb.DuckDBPyConnection, where: str, generation: int) -> None:
        self._database = database
        self._where = where
        self._count = 0
        self.generation = generation
        self.touched = {where}

    def take(self, batch: _Batch, old: Sequence[RowFile]) -> tuple[list[RowFile], IdFile]:
        """Files of the rows of a batch, a period each, and of their ids."""
        run = self._database.execute
        size = max(_MIN_OBJECT, batch.longest + 1)
        run(
            f"CREATE TABLE taken AS SELECT * REPLACE (make_timestamp(time) AS time), make_timestamp(time)::DATE AS dt "
            f"FROM read_json($1, format='newline_delimited', columns={_raw_schema()}, maximum_object_size={size})",
            [batch.path],
        )
        self._mark_repeated(old)
        days = [day for (day,) in run("SELECT DISTINCT dt::VARCHAR FROM taken ORDER BY 1").fetchall()]
        ((last,),) = run("SELECT epoch_us(max(time)) // $1 FROM taken", [_DAY_US]).fetchall()
        newest = max(manifests.newest_day(old), last)
        periods: dict[str, list[str]] = {}
        for day in days:
            periods.setdefault(manifests.period_of(day, newest), []).append(day)
        files = []
        for decisions in (True, False):
            ours = f"({_ONCE}) = {decisions}"
            there = {day for (day,) in run(f"SELECT DISTINCT dt::VARCHAR FROM taken WHERE {ours}").fetchall()}
            for period, these in periods.items():
                if not there.isdisjoint(these):
                    query = (
                        f"SELECT * EXCLUDE (dt) FROM taken WHERE {ours} AND dt IN (SELECT unnest($days)::DATE) "
                        f"ORDER BY {ORDER}"
                    )
                    files.append(self._rows(query, {"days": these}, period, decisions=decisions))
        index = self._ids('SELECT decision_id, shard, "index", dt FROM taken ORDER BY decision_id', [])
        run("DROP TABLE taken")
        return files, index

    def _mark_repeated(self, old: Sequence[RowFile]) -> None:
        """An upload that came twice: it has the same id and the same time, and so the same day."""
        run = self._database.execute
        run(
            """UPDATE taken SET repeated = true FROM (
                 SELECT shard, "index", row_number() OVER (
                   PARTITION BY decision_id, time ORDER BY shard, "index") AS copy
                 FROM taken WHERE kind = 'decision') AS copies
               WHERE copies.copy > 1 AND taken.shard = copies.shard AND taken."index" = copies."index" """
        )
        days = [
            day * _DAY_US
            for (day,) in run("SELECT DISTINCT epoch_us(time) // $1 FROM taken", [_DAY_US]).fetchall()
        ]
        known = [
            file
            for file in old
            if file.decisions and any(file.overlaps(day, day + _DAY_US - 1) for day in days)
        ]
        if known:
            run(
                """UPDATE taken SET repeated = true FROM (
                     SELECT decision_id, time FROM read_parquet($1, hive_partitioning=false)
                     WHERE time >= (SELECT min(time) FROM taken)
                       AND time <= (SELECT max(time) FROM taken)) AS known
                   WHERE taken.kind = 'decision' AND taken.decision_id = known.decision_id AND taken.time = known.time""",
                [[os.path.join(self._where, file.path) for file in known]],
            )

    def erase(self, rows: Sequence[RowFile], erased: Sequence[Erasure]) -> list[RowFile]:
        """The files without the rows whose payload is erased."""
        erasures.load(self._database, erased)
        out = []
        for file in rows:
            path = os.path.join(self._where, file.path)
            hit = self._database.execute(
                'SELECT 1 FROM read_parquet($1, hive_partitioning=false) r SEMI JOIN gone g ON r.shard = g.shard AND r."index" = g.n LIMIT 1',
                [path],
            ).fetchone()
            if hit is None:
                out.append(file)
                continue
            kept = self._rows(
                "SELECT r.* FROM read_parquet($path, hive_partitioning=false) r ANTI JOIN gone g "
                f'ON r.shard = g.shard AND r."index" = g.n ORDER BY {ORDER}',
                {"path": path},
                file.period,
                decisions=file.decisions,
            )
            if kept.rows:
                out.append(kept)
        self._database.execute("DROP TABLE gone")
        return out

    def merge_rows(self, rows: Sequence[RowFile]) -> list[RowFile]:
        """Small files become large ones, and days that are over become months."""
        out = list(rows)
        while found := manifests.mergeable(out, FULL):
            period, few = found
            paths = [os.path.join(self._where, file.path) for file in few]
            query = f"SELECT * FROM read_parquet($paths, hive_partitioning=false) ORDER BY {ORDER}"
            out = [file for file in out if file not in few]
            out.append(self._rows(query, {"paths": paths}, period, decisions=few[0].decisions))
        return out

    def merge_ids(self, ids: Sequence[IdFile]) -> list[IdFile]:
        few = [ids[at] for at in manifests.crowded([file.rows for file in ids])]
        if not few:
            return list(ids)
        paths = [os.path.join(self._where, file.path) for file in few]
        merged = self._ids("SELECT * FROM read_parquet($1) ORDER BY decision_id", [paths])
        return [*(file for file in ids if file not in few), merged]

    def _rows(self, query: str, parameters: dict[str, Any], period: str, *, decisions: bool) -> RowFile:
        directory = os.path.join("rows", f"{manifests.partition(period)}={period}")
        path = self._file(directory)
        self._copy(query, parameters, path)
        target = os.path.join(self._where, path)
        count, first, last = self._one(
            "SELECT count(*), coalesce(epoch_us(min(time)), 0), coalesce(epoch_us(max(time)), 0) "
            "FROM read_parquet($1, hive_partitioning=false)",
            [target],
        )
        return RowFile(path, period, count, os.path.getsize(target), first, last, decisions)

    def _ids(self, query: str, parameters: list[Any]) -> IdFile:
        path = self._file("ids")
        self._copy(query, parameters, path)
        (count,) = self._one("SELECT count(*) FROM read_parquet($1)", [os.path.join(self._where, path)])
        return IdFile(path, count)

    def _one(self, query: str, parameters: list[Any]) -> tuple[Any, ...]:
        found = self._database.execute(query, parameters).fetchone()
        assert found is not None
        return found

    def _file(self, directory: str) -> str:
        durable.make_directory(os.path.join(self._where, directory))
        self.touched.add(os.path.join(self._where, directory))
        self._count += 1
        return os.path.join(directory, f"{self.generation:06}-{self._count:04}.parquet")

    def _copy(self, query: str, parameters: Any, path: str) -> None:
        """The result as a file that is on the disk. Its name may yet be lost: directories are synced at the end."""
        target = os.path.join(self._where, path)
        escaped = target.replace("'", "''")
        self._database.execute(f"COPY ({query}) TO '{escaped}' ({_PARQUET})", parameters)
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, 0o600)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _raw_schema() -> str:
    return schema().replace("'time': 'TIMESTAMP'", "'time': 'BIGINT'")


@contextmanager
def _database(work: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB for one step; its errors are those of the log."""
    import duckdb

    database = connect(
        {
            "temp_directory": work,
            "memory_limit": _MEMORY,
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
        }
    )
    try:
        yield database
    except duckdb.Error as error:
        raise LogError(f"the log cannot be compacted: {str(error).splitlines()[0]}") from None
    finally:
        database.close()


# --- who may do what at the same time


@contextmanager
def _alone(log: str) -> Iterator[None]:
    """One process compacts at a time. Raises Busy."""
    where = manifests.directory(log)
    durable.make_directory(where)
    path = os.path.join(where, "lock")
    with durable.locked(path, _WAIT) as had:
        if not had:
            raise Busy(f"{path}: {durable.holder(path)} compacts the log: try again later")
        with suppress(FileExistsError):
            os.close(os.open(os.path.join(where, "reading"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        yield


@contextmanager
def reader(log: str) -> Iterator[None]:
    """For as long as the block lasts, files that the manifest names stay. Needs no right to write."""
    try:
        descriptor = os.open(os.path.join(manifests.directory(log), "reading"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _unread(where: str, wait: float) -> Iterator[bool]:
    """Whether nobody reads."""
    descriptor = os.open(os.path.join(where, "reading"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        with durable.held(descriptor, wait):
            yield True
    except BlockingIOError:
        yield False


def _sweep(log: str, current: Manifest, *, wait: float = 0.0) -> None:
    """Remove files that the manifest does not name, unless somebody reads: then the next step does."""
    where = manifests.directory(log)
    named = set(current.files)
    with _unread(where, wait) as nobody:
        if not nobody:
            return
        for directory, _, names in os.walk(where, topdown=False):
            for name in names:
                path = os.path.join(directory, name)
                if (
                    name.endswith(".parquet") and os.path.relpath(path, where) not in named
                ) or durable.TEMPORARY in name:
                    os.unlink(path)
            if os.path.dirname(directory) == os.path.join(where, "rows"):
                with suppress(OSError):
                    os.rmdir(directory)  # where nothing is left
