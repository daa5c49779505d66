"""DuckDB over the warehouse and what is not in it yet, locked so that SQL can do nothing but ask.

There are two relations: ``decisions``, each once, and ``entries``, all that the log has; where it is wanted a third,
``records``: all but the decisions, of any time. When the SQL of a person runs, files
other than those of the warehouse, the network, extensions, settings and the variables of this program are out of reach, and
only a single SELECT is run at all: a COPY could write over a file that may be read.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from solon.decisions.log import reading
from solon.decisions.log.claims import Erasure
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.leaf import Kind
from solon.decisions.log.store import Log
from solon.decisions.warehouse import erasures
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.columns import COLUMNS, schema
from solon.decisions.warehouse.compaction import reader
from solon.decisions.warehouse.database import connect
from solon.decisions.warehouse.manifest import Manifest, RowFile
from solon.decisions.warehouse.rows import line, row

if TYPE_CHECKING:
    import duckdb

_MIN_OBJECT: Final = 16 << 20
_CHUNK: Final = 1_000
_NAMES: Final = ", ".join(f'"{name}"' for name in COLUMNS)
_CONFIG: Final = {
    "temp_directory": "",  # what does not fit into the memory is refused, and not spilled
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}


@dataclass(frozen=True, slots=True)
class Window:
    """Microseconds since 1970: from the first, to before the second."""

    since_us: int | None = None
    until_us: int | None = None

    def has(self, first_us: int, last_us: int) -> bool:
        """Whether any time from the first to the last is in it."""
        return (self.since_us is None or last_us >= self.since_us) and (
            self.until_us is None or first_us < self.until_us
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a question may use."""

    memory_mib: int = 4_096
    seconds: float = 60.0


EVER: Final = Window()
USUAL: Final = Limits()


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns, and rows as they come: read them before the session ends."""

    columns: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


class Session:
    """``hot`` is how many entries came from segments, since they are not in the warehouse yet."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, window: Window, limits: Limits, hot: int, written: str
    ) -> None:
        self._database = database
        self._limits = limits
        self._written = written
        self.window = window
        self.hot = hot

    def ask(self, sql: str, parameters: Sequence[Any] = (), *, ahead: int = _CHUNK) -> Answer:
        """The answer to a SELECT of Solon's own, ``ahead`` rows of it at a time. Raises LogError."""
        until = time.monotonic() + self._limits.seconds
        with self._limited(until):
            cursor = self._database.execute(sql, list(parameters))
            names = [each[0] for each in cursor.description or ()]
            first = cursor.fetchmany(ahead)
        return Answer(names, self._rest(first, until, ahead))

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self.ask(sql, parameters).rows)

    def dictionaries(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        answer = self.ask(sql, parameters)
        return [dict(zip(answer.columns, values, strict=True)) for values in answer.rows]

    def execute(self, sql: str) -> None:
        """A statement of Solon's own that gives nothing back. Raises LogError."""
        with self._limited():
            self._database.execute(sql)

    def sql(self, text: str) -> Answer:
        """The answer to what a person wrote. Raises LogError."""
        return self.ask(select_only(text))

    def write_parquet(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """The answer to a SELECT as Parquet, in the file that the session was opened to write."""
        escaped = self._written.replace("'", "''")
        copy = f"COPY ({sql}\n) TO '{escaped}' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        with self._limited():
            self._database.execute(copy, list(parameters))

    def _rest(self, rows: list[tuple[Any, ...]], until: float, ahead: int) -> Iterator[tuple[Any, ...]]:
        while rows:
            yield from rows
            with self._limited(until):
                rows = self._database.fetchmany(ahead)

    @contextmanager
    def _limited(self, until: float | None = None) -> Iterator[None]:
        import duckdb

        left = self._limits.seconds if until is None else max(until - time.monotonic(), 0.001)
        timer = threading.Timer(left, self._database.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise LogError(
                f"the question took longer than {self._limits.seconds:g} s: narrow it with --since, or give it more "
                "with --timeout"
            ) from None
        except duckdb.OutOfMemoryException:
            raise LogError(
                f"the question needs more than {self._limits.memory_mib:,} MiB of memory: narrow it with --since or "
                "--limit"
            ) from None
        except duckdb.Error as error:
            raise LogError(_one_line(error)) from None
        finally:
            timer.cancel()
            timer.join()


def select_only(text: str) -> str:
    """The one SELECT that the text is. Raises LogError for anything else."""
    import duckdb

    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise LogError(_one_line(error)) from None
    if len(statements) != 1:
        raise LogError(f"--sql takes one SELECT, and these are {len(statements)} statements")
    (statement,) = statements
    if statement.type != duckdb.StatementType.SELECT:
        word = str(statement.type).rpartition(".")[2]
        raise LogError(f"--sql only reads: it takes a SELECT over decisions, and this is {word}")
    return str(statement.query).strip().rstrip(";")


def _one_line(error: Exception) -> str:
    """DuckDB's error, with its hint and without its picture."""
    lines = [part.strip() for part in str(error).splitlines()]
    kept = [part for part in lines if part and not part.startswith(("LINE ", "^"))]
    text = " ".join(kept)
    for prefix in ("Parser Error: ", "Binder Error: ", "Catalog Error: ", "Permission Error: "):
        text = text.removeprefix(prefix)
    return text[:1].lower() + text[1:]


@contextmanager
def opened(
    log: Log,
    *,
    window: Window = EVER,
    limits: Limits = USUAL,
    output: str = "",
    records: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Session]:
    """A session over what the log has in a window of time. ``output`` is a file that it may write. Raises LogError.

    ``records``: with the relation of that name, which knows no window.
    """
    import duckdb

    with reader(log.directory):
        current = manifests.read(log.directory)
        where = manifests.directory(log.directory)
        files = [file for file in current.rows if window.has(file.first_us, file.last_us)]
        database = connect(_CONFIG)
        try:
            erased = [*current.pending, *_load_hot(database, log, current, window, tell)]
            (hot,) = database.execute("SELECT count(*) FROM hot").fetchone() or (0,)
            if hot:
                _mark_repeated(database, where, files)
            _views(database, where, files, window, erased)
            if records:
                rest = _everything(
                    where, [file for file in current.rows if not file.decisions], erased=bool(erased)
                )
                database.execute(f"CREATE TEMP VIEW records AS FROM ({rest}) WHERE kind <> 'decision'")
            paths = [os.path.join(where, file.path) for file in current.rows]
            _lock(database, [*paths, *([output] if output else [])], limits)
            yield Session(database, window, limits, hot, output)
        except duckdb.Error as error:
            raise LogError(f"{where}: {_one_line(error)}") from None
        except OSError as error:
            raise os_error(error, "the log cannot be read") from None
        finally:
            database.close()


def _lock(database: duckdb.DuckDBPyConnection, paths: Sequence[str], limits: Limits) -> None:
    names = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    database.execute(f"SET allowed_paths = [{names}]")
    database.execute(f"SET memory_limit = '{limits.memory_mib}MiB'")
    database.execute(
        "SET parquet_metadata_cache = true"
    )  # a session may ask many questions of the same files
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")  # behind it no setting can be changed


def _load_hot(
    database: duckdb.DuckDBPyConnection,
    log: Log,
    current: Manifest,
    window: Window,
    tell: Callable[[int], None],
) -> list[Erasure]:
    """The table hot: entries that are not in the warehouse. Returns the erasures among them."""
    erased: list[Erasure] = []
    seen = longest = 0
    with tempfile.NamedTemporaryFile(prefix="solon-", suffix=".ndjson") as file:
        for place in log.shards():
            for stored in reading.entries(place.segments, current.next(place.name)):
                seen += 1
                if seen % 1_000 == 0:
                    tell(1_000)
                leaf = stored.says
                erased += erasures.said(stored)
                time_us = leaf.time_ns // 1_000
                if leaf.kind is Kind.DECISION and not window.has(time_us, time_us):
                    continue
                found = row(stored, place.name)
                if found is not None:
                    longest = max(longest, file.write(line(found)))
        file.flush()
        database.execute(
            "CREATE TEMP TABLE hot AS SELECT * REPLACE (make_timestamp(time) AS time), make_timestamp(time)::DATE AS dt "
            f"FROM read_json($1, format='newline_delimited', columns={_raw_schema()}, "
            f"maximum_object_size={max(_MIN_OBJECT, longest + 1)})",
            [file.name],
        )
    return erased


def _raw_schema() -> str:
    return schema().replace("'time': 'TIMESTAMP'", "'time': 'BIGINT'")


def _mark_repeated(database: duckdb.DuckDBPyConnection, where: str, files: Sequence[RowFile]) -> None:
    """Uploads that came twice: they have the same id and the same time."""
    first, last = database.execute("SELECT epoch_us(min(time)), epoch_us(max(time)) FROM hot").fetchone() or (
        0,
        0,
    )
    known = [
        os.path.join(where, file.path) for file in files if file.decisions and file.overlaps(first, last)
    ]
    database.execute(
        """UPDATE hot SET repeated = true FROM (
             SELECT shard, "index", row_number() OVER (
               PARTITION BY decision_id, time ORDER BY shard, "index") AS copy
             FROM hot WHERE kind = 'decision') AS copies
           WHERE copies.copy > 1 AND hot.shard = copies.shard AND hot."index" = copies."index" """
    )
    if known:
        database.execute(
            """UPDATE hot SET repeated = true FROM (
                 SELECT decision_id, time FROM read_parquet($1, hive_partitioning=false)
                 WHERE time >= make_timestamp($2) AND time <= make_timestamp($3)) AS known
               WHERE hot.kind = 'decision' AND hot.decision_id = known.decision_id AND hot.time = known.time""",
            [known, first, last],
        )


def _views(
    database: duckdb.DuckDBPyConnection,
    where: str,
    files: Sequence[RowFile],
    window: Window,
    erased: Sequence[Erasure],
) -> None:
    if erased:
        erasures.load(database, erased)
    database.execute(f"CREATE TEMP VIEW entries AS {_everything(where, files, erased=bool(erased))}")
    conditions = []
    if window.since_us is not None:
        conditions.append(f"time >= make_timestamp({window.since_us})")
    if window.until_us is not None:
        conditions.append(f"time < make_timestamp({window.until_us})")
    ours = _everything(
        where,
        [file for file in files if file.decisions],
        erased=bool(erased),
        hot="kind = 'decision' AND NOT repeated",
    )
    database.execute(
        f"CREATE TEMP VIEW decisions AS SELECT * FROM ({ours}) WHERE {' AND '.join(conditions) or 'true'}"
    )


def _everything(where: str, files: Sequence[RowFile], *, erased: bool, hot: str = "true") -> str:
    """The rows of files, and those that are in no file yet, but for those that were erased meanwhile.

    ``hot`` is what must hold of those that are in no file.
    """
    there = 'NOT EXISTS (FROM gone g WHERE g.shard = x.shard AND g.n = x."index")' if erased else "true"
    parts = [f"SELECT {_NAMES}, dt FROM hot x WHERE {hot} AND {there}"]
    if files:
        paths = (os.path.join(where, file.path).replace("'", "''") for file in files)
        names = ", ".join(f"'{path}'" for path in paths)
        cold = f"read_parquet([{names}], hive_partitioning=false)"
        parts.insert(0, f"SELECT {_NAMES}, time::DATE AS dt FROM {cold} x WHERE {there}")
    return " UNION ALL ".join(parts)
