"""Tables that evidence is measured on: CSV and Parquet files, read by DuckDB into named columns.

A file is data of somebody else, and so read strictly: a row with a field too many or too few is an error with its line, and
never guessed at. CSV is UTF-8 with a header, its fields separated by a comma, semicolon, tab or bar, quoted as RFC 4180 has it.
An empty field has no value; space around a column's name does not count.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from solon.evidence.collector import CannotCollect

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES: Final = 2 << 30
MAX_ROWS: Final = 20_000_000
MAX_COLUMNS: Final = 5_000
MAX_LINE: Final = 16 << 20
MAX_TEXT: Final = 1 << 30  # of one column
MEMORY: Final = "2GiB"
_DELIMITERS: Final = ",;\t|"
_HEAD: Final = 1 << 20
_CHUNK: Final = 1 << 20
# DuckDB takes these for patterns of many files, and there is no way to escape them.
_PATTERN: Final = frozenset("*?[]{}")
_LINE: Final = re.compile(r"CSV Error on Line: (\d+)")
_FIELDS: Final = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_NUMBER: Final = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d{1,3})?")
# What people and their tools write where a number is missing.
NO_NUMBER: Final = ("", "na", "n/a", "nan", "null", "none")
NO_LABEL: Final = ("", "nan")
MISSING: Final = "(missing)"  # what rows without a value are called, where they are a group of their own


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column as numbers: NaN where ``missing`` or ``wrong``; the latter are texts that are no numbers."""

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    wrong: NDArray[np.bool_]


class Table:
    """The columns of one file, by name, in the order of its rows.

    ``name`` is what errors call the file, ``columns`` its header, ``rows`` how many there are below it.
    """

    def __init__(
        self, name: str, columns: Sequence[str], rows: int, database: duckdb.DuckDBPyConnection
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.rows = rows
        self._database = database
        self._place = {column: number for number, column in enumerate(columns)}
        self._types: Sequence[str] = ()  # asked once: a query of many columns takes milliseconds

    def __contains__(self, column: str) -> bool:
        return column in self._place

    def need(self, columns: Iterable[str]) -> None:
        """Raises CannotCollect, with the columns that there are, where one is not there."""
        for column in columns:
            self._number(column)

    def type(self, column: str) -> str:
        """The type in DuckDB's words (``VARCHAR``, ``BIGINT``, ``DOUBLE`` …); of CSV always ``VARCHAR``."""
        if not self._types:
            self._types = [str(found[1]) for found in self.ask("DESCRIBE cells")]
        return self._types[self._number(column)]

    def cell(self, column: str) -> str:
        """What the column is called in SQL. Raises CannotCollect where there is no such column."""
        return f"c{self._number(column)}"

    def ask(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query of ``cells``, whose columns are ``cell``s and whose rows count as ``rowid`` from 0.

        Raises CannotCollect where it needs more memory than there is.
        """
        import duckdb

        try:
            return self._database.execute(sql, list(parameters)).fetchall()
        except duckdb.Error as error:
            raise CannotCollect(f"{self.name}: {_why(error)}") from None

    def texts(self, column: str) -> NDArray[np.object_]:
        """The cells as texts, None where there is none. Raises CannotCollect where there is no such column."""
        import numpy as np

        cell = f"c{self._number(column)}::VARCHAR"
        # DuckDB keeps a text that repeats once, and Python each time.
        (long,) = self._database.execute(f"SELECT sum(strlen({cell})) FROM cells").fetchone() or (0,)
        if (long or 0) > MAX_TEXT:
            raise CannotCollect(
                f"{self.name}: `{column}` holds more than {MAX_TEXT >> 20} MiB of text; take a sample of its rows"
            )
        found = self._fetch(cell)
        texts = np.array(np.ma.getdata(found), dtype=object)
        texts[np.ma.getmaskarray(found)] = None
        return texts

    def numbers(self, column: str) -> Numbers:
        """The cells as numbers; true and false are 1 and 0. Raises CannotCollect where there is no such column."""
        import numpy as np

        cell = f"c{self._number(column)}"
        text = f"lower(trim({cell}::VARCHAR))"
        none = ", ".join(f"'{each}'" for each in NO_NUMBER)
        number = f"CASE {text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE TRY_CAST({text} AS DOUBLE) END"
        # no value where one is missing, and NaN where it is no number
        found = self._fetch(f"CASE WHEN {text} NOT IN ({none}) THEN coalesce({number}, 'nan'::DOUBLE) END")
        missing = np.array(np.ma.getmaskarray(found), dtype=np.bool_)
        values = np.ma.filled(found.astype(np.float64), np.nan)
        return Numbers(values, missing, np.isnan(values) & ~missing)

    def measurements(self, column: str) -> NDArray[np.float64]:
        """The cells as finite numbers, every one of them. Raises CannotCollect with the first row where one is not."""
        import numpy as np

        numbers = self.numbers(column)
        for wrong, what in (
            (numbers.wrong, "is not a number"),
            (numbers.missing, "is missing"),
            (np.isinf(numbers.values), "is infinite"),
        ):
            if wrong.any():
                raise CannotCollect(self._first(column, wrong, what))
        return numbers.values

    def labels(self, column: str) -> NDArray[np.object_]:
        """The cells as ``label`` has them, every one of them. Raises CannotCollect where one is missing."""
        import numpy as np

        texts = self.texts(column)
        known = {each: label(each) for each in set(texts.tolist()) if each is not None}
        missing = np.array(
            [known.get(each, "").lower() in NO_LABEL for each in texts.tolist()], dtype=np.bool_
        )
        if missing.any():
            raise CannotCollect(self._first(column, missing, "is missing"))
        return np.array([known[each] for each in texts.tolist()], dtype=object)

    def _first(self, column: str, wrong: NDArray[np.bool_], what: str) -> str:
        count = int(wrong.sum())
        return f"{self.name}: `{column}` {what} in {count} of {self.rows} rows, first in row {int(wrong.argmax()) + 1}"

    def _number(self, column: str) -> int:
        number = self._place.get(column)
        if number is None:
            raise CannotCollect(f"{self.name}: has no column {column!r}; it has {self._shown(column)}")
        return number

    def _shown(self, sought: str) -> str:
        """The columns, and of many the first and the last, where labels are, and the one most like what is sought."""
        names = self.columns
        shown = ", ".join(names if len(names) <= 12 else [*names[:6], "…", *names[-6:]])
        near = get_close_matches(sought, names, 1)
        return f"{shown}: is it {near[0]!r}?" if near else shown

    def _fetch(self, expression: str) -> Any:
        import duckdb

        try:
            found = self._database.execute(f"SELECT {expression} AS found FROM cells").fetchnumpy()
        except duckdb.Error as error:
            raise CannotCollect(f"{self.name}: {_why(error)}") from None
        return found["found"]


def read(path: str, name: str = "") -> Table:
    """The table in a file, told from its content to be Parquet or CSV; ``name`` is what errors call it.

    Raises CannotCollect, with the line where it is one line that is wrong.
    """
    name = name or path
    whole = os.path.abspath(path)
    if os.path.isdir(whole):
        raise CannotCollect(f"{name}: is a directory; name one CSV or Parquet file")
    if _PATTERN & set(whole):
        raise CannotCollect(f"{name}: a path with one of *?[]{{}} cannot be read; rename the file")
    try:
        size = os.path.getsize(whole)
        with open(whole, "rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CannotCollect(f"{name}: {(error.strerror or str(error)).lower()}") from None
    if not head:
        raise CannotCollect(f"{name}: is empty; a table has a header and rows")
    if size > MAX_BYTES:
        raise CannotCollect(f"{name}: larger than {MAX_BYTES >> 30} GiB; take a sample of its rows")
    database = _connect(whole)
    try:
        if head[:4] == b"PAR1":
            columns = _parquet_columns(database, whole, name)
            return _loaded(database, name, columns, "read_parquet($1, hive_partitioning=false)", whole)
        _no_nul(whole, name)
        delimiter, columns = _header(head, name)
        return _loaded(database, name, columns, _csv(delimiter, len(columns)), whole)
    except BaseException:
        database.close()
        raise


def label(value: Any) -> str:
    """How a label is compared, whether release.yaml, a CSV file, a Parquet file or a model wrote it.

    Space around it does not count, a whole number is one however it is written (``1``, ``1.0``), and true and false are 1
    and 0. Digits that begin with 0 are a code, and stay a text.
    """
    if isinstance(value, bool):
        return "1" if value else "0"
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return "1" if text.lower() == "true" else "0"
    if not _NUMBER.fullmatch(text):
        return text
    if text.lstrip("+-").isdecimal():
        return str(int(text)) if len(text) < 64 else text
    number = float(text)
    if not math.isfinite(number):
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _connect(path: str) -> duckdb.DuckDBPyConnection:
    """A database in memory that can reach this file, and nothing else."""
    import duckdb

    database = duckdb.connect(
        ":memory:",
        config={
            "threads": 2,
            "memory_limit": MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "max_temp_directory_size": "0B",
        },
    )
    database.execute("SET enable_progress_bar = false")
    database.execute("SET allowed_paths = ['" + path.replace("'", "''") + "']")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _loaded(
    database: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], source: str, path: str
) -> Table:
    import duckdb

    _named_once(columns, name)
    cells = ", ".join(f"c{number}" for number in range(len(columns)))
    try:
        database.execute(
            f"CREATE TABLE cells AS SELECT * FROM {source} AS t({cells}) LIMIT {MAX_ROWS + 1}", [path]
        )
        (rows,) = database.execute("SELECT count(*) FROM cells").fetchone() or (0,)
    except duckdb.OutOfMemoryException:
        raise CannotCollect(
            f"{name}: does not fit in {MEMORY} of memory; take a sample of its rows"
        ) from None
    except duckdb.Error as error:
        line = _LINE.search(str(error))
        raise CannotCollect(f"{name}:{line[1] + ':' if line else ''} {_why(error)}") from None
    if rows > MAX_ROWS:
        raise CannotCollect(f"{name}: more than {MAX_ROWS:,} rows; take a sample of them")
    return Table(name, columns, rows, database)


def _csv(delimiter: str, columns: int) -> str:
    """DuckDB reads it as said here: left to guess, it skips what it does not understand."""
    types = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(columns))
    return (
        f"read_csv($1, auto_detect=false, header=true, delim='{delimiter}', quote='\"', escape='\"', "
        f"columns={{{types}}}, strict_mode=true, null_padding=false, ignore_errors=false, "
        f"compression='none', hive_partitioning=false, max_line_size={MAX_LINE})"
    )


def _header(head: bytes, name: str) -> tuple[str, list[str]]:
    """The delimiter, which is the one that makes most fields of the header, and these fields."""
    text = head.decode("utf-8-sig", errors="replace")
    found = max((_record(text, delimiter) for delimiter in _DELIMITERS), key=lambda each: len(each[1]))
    if len(head) == _HEAD and "\n" not in text and "\r" not in text:
        raise CannotCollect(f"{name}:1: a header longer than {_HEAD >> 20} MiB")
    if not found[1]:
        raise CannotCollect(f"{name}:1: no header; the first line names the columns")
    return found


def _record(text: str, delimiter: str) -> tuple[str, list[str]]:
    try:
        record = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return delimiter, []
    return delimiter, [column.strip() for column in record]


def _named_once(columns: Sequence[str], name: str) -> None:
    if len(columns) > MAX_COLUMNS:
        raise CannotCollect(f"{name}: {len(columns)} columns, more than {MAX_COLUMNS:,}")
    seen: set[str] = set()
    for number, column in enumerate(columns, start=1):
        if not column:
            raise CannotCollect(f"{name}:1: column {number} has no name")
        if "\ufffd" in column:
            raise CannotCollect(f"{name}:1: not UTF-8")
        if column in seen:
            raise CannotCollect(f"{name}:1: two columns are named {column!r}")
        seen.add(column)


def _parquet_columns(database: duckdb.DuckDBPyConnection, path: str, name: str) -> list[str]:
    """As the file has them: DuckDB renames a column whose name is there twice."""
    import duckdb

    try:
        found = database.execute("SELECT name, num_children FROM parquet_schema($1)", [path]).fetchall()
    except duckdb.Error as error:
        raise CannotCollect(f"{name}: {_why(error)}") from None
    columns: list[str] = []
    within = [1]  # how many elements are still to come of each enclosing one
    for column, children in found:
        if len(within) == 2:
            columns.append(column)
        within[-1] -= 1
        if children:
            within.append(int(children))
        while within and within[-1] == 0:
            within.pop()
    return columns


def _no_nul(path: str, name: str) -> None:
    line = 1
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            at = chunk.find(b"\0")
            if at >= 0:
                line += chunk.count(b"\n", 0, at)
                raise CannotCollect(f"{name}:{line}: holds a NUL byte; a table is UTF-8 text, or Parquet")
            line += chunk.count(b"\n")


def _why(error: Exception) -> str:
    """What DuckDB says, in a line of ours."""
    text = str(error)
    fields = _FIELDS.search(text)
    if fields:
        return f"{fields[2]} fields where the header has {fields[1]}"
    if "unterminated quote" in text:
        return "a quote that does not end"
    if "Invalid unicode" in text or "not utf-8" in text:
        return "not UTF-8"
    if "Maximum line size" in text:
        return f"a line longer than {MAX_LINE >> 20} MiB"
    if "reached an invalid state" in text:
        return "not CSV as RFC 4180 has it: are its lines ended in two ways?"
    if "No magic bytes" in text:
        return "Parquet that was cut off: its end is missing"
    first = " ".join(text.splitlines()[0].split())[:200] if text else type(error).__name__
    return first.removeprefix("Invalid Input Error: ").removeprefix("IO Error: ")
