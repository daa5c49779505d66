"""SQL over the log reads, and does nothing else. The attacks are those that DuckDB's documentation lets one think of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from decision_events import event, later, log_of

from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction, session
from solon.decisions.warehouse.session import Limits, Session, Window, select_only

START = "2026-03-01T00:00:00Z"
SECRET = ["a variable of this program"]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Half of it is compacted."""
    log = log_of(tmp_path / "log", [event(n, later(START, days=n)) for n in range(5)], seal=True)
    compaction.compact(log)
    log_of(tmp_path / "log", [event(n, later(START, days=n), "deny") for n in range(5, 10)])
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    return log


@pytest.fixture
def asked(log: Log) -> Iterator[Session]:
    with session.opened(log) as found:
        yield found


def test_a_select_is_answered(asked: Session) -> None:
    answer = asked.sql("SELECT outcome, count(*) AS n FROM decisions GROUP BY outcome ORDER BY outcome;")
    assert (answer.columns, list(answer.rows)) == (["outcome", "n"], [("allow", 5), ("deny", 5)])


@pytest.mark.parametrize(
    "sql",
    [
        "WITH d AS (FROM decisions) SELECT count(*) FROM d",
        "FROM decisions SELECT count(*)",
        "SELECT count(*) FROM decisions -- a comment",
        "(SELECT count(*) FROM decisions)",
    ],
)
def test_other_forms_of_a_select(asked: Session, sql: str) -> None:
    assert list(asked.sql(sql).rows) == [(10,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{etc}')",
        "SELECT * FROM read_text('{etc}')",
        "SELECT * FROM read_blob('{etc}')",
        "SELECT * FROM read_json('{etc}')",
        "SELECT * FROM read_parquet('{etc}')",
        "SELECT * FROM '{secret}'",
        "FROM '{secret}'",
        "SELECT * FROM sniff_csv('{secret}')",
        "SELECT * FROM read_csv('{cold}/../../secret.csv')",
        "SELECT * FROM read_text('{cold}/manifest.json')",
        "SELECT * FROM glob('{cold}/*')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM parquet_metadata('{secret}')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "SELECT (SELECT content FROM read_text('{etc}'))",
        "SELECT * FROM decisions UNION ALL BY NAME SELECT content AS outcome FROM read_text('{etc}')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{out}''')",
        "SELECT * FROM query('SELECT * FROM read_text(''{etc}'')')",
        "SELECT * FROM query_table('{secret}')",
        "SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='{out}')",
        "SELECT * FROM SECRET",
        "SELECT * FROM log",
        "SELECT getenv('HOME')",
        "COPY decisions TO '{out}'",
        "COPY decisions TO '{parquet}' (FORMAT parquet, USE_TMP_FILE false)",
        "COPY (SELECT 1) TO '{parquet}' (FORMAT parquet)",
        "EXPORT DATABASE '{out}'",
        "ATTACH '{out}' AS other",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{out}'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "RESET lock_configuration",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "PRAGMA memory_limit='100GB'",
        "CALL pragma_version()",
        "CHECKPOINT",
        "CREATE TABLE x AS SELECT 1",
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "CREATE MACRO m() AS 1",
        "DROP VIEW decisions",
        "INSERT INTO hot SELECT * FROM hot",
        "DELETE FROM hot",
        "UPDATE hot SET outcome = 'allow'",
        "EXPLAIN ANALYZE DELETE FROM hot",
        "PREPARE p AS DELETE FROM hot",
        "EXECUTE p",
        "BEGIN",
        "USE memory",
        "VACUUM",
        "SET VARIABLE x = 1",
        "SELECT 1; COPY (SELECT 1) TO '{out}'",
        "SELECT 1) TO '{out}' --",
        "",
        ";",
        "-- nothing",
        "SELEC 1",
        "SELECT nothing FROM decisions",
        "SELECT * FROM nowhere",
        "SELECT $1",
        "SELECT ?",
    ],
)
def test_everything_else_is_refused(log: Log, tmp_path: Path, sql: str) -> None:
    parquet = next((tmp_path / "log/cold/rows").rglob("*.parquet"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places = {
        "etc": "/etc/passwd",
        "secret": tmp_path / "secret.csv",
        "cold": tmp_path / "log/cold",
        "parquet": parquet,
        "out": tmp_path / "out",
    }
    with session.opened(log) as asked, pytest.raises(LogError) as raised:
        list(asked.sql(sql.format(**places)).rows)
    assert "\n" not in str(raised.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_parquet_is_written_to_the_file_that_was_named_alone(log: Log, tmp_path: Path) -> None:
    out = tmp_path / "o'ut.parquet"
    with session.opened(log, output=str(out)) as asked:
        asked.write_parquet(select_only("SELECT decision_id FROM decisions ORDER BY 1 -- all"))
        with pytest.raises(LogError):
            asked.sql(f"COPY (SELECT 1) TO '{tmp_path}/other'")
    import duckdb

    assert duckdb.execute("SELECT count(*) FROM read_parquet($1)", [str(out)]).fetchall() == [(10,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000000000) a WHERE sqrt(range) < 0",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    ],
)
def test_a_question_without_end_is_stopped(log: Log, sql: str) -> None:
    limited = session.opened(log, limits=Limits(seconds=0.3))
    with limited as asked, pytest.raises(LogError, match=r"longer than 0\.3 s"):
        list(asked.sql(sql).rows)


def test_a_question_that_needs_too_much_memory_is_stopped(log: Log) -> None:
    asked_with = session.opened(log, limits=Limits(memory_mib=64))
    with asked_with as asked, pytest.raises(LogError, match="more than 64 MiB"):
        list(asked.sql("SELECT list(range) FROM range(100000000)").rows)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, range(10)),
        ("2026-03-03T00:00:00", None, range(2, 10)),
        (None, "2026-03-03T00:00:00", range(2)),
        ("2026-03-05T00:00:00", "2026-03-07T00:00:00", range(4, 6)),
        ("2027-01-01T00:00:00", None, range(0)),
    ],
)
def test_a_window_holds_for_sql_too(log: Log, since: str | None, until: str | None, expected: range) -> None:
    from datetime import UTC, datetime

    def micros(text: str | None) -> int | None:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6) if text else None

    with session.opened(log, window=Window(micros(since), micros(until))) as asked:
        rows = asked.all("SELECT decision_id FROM decisions ORDER BY time")
    assert rows == [(f"d-{n}",) for n in expected]


def test_a_log_without_entries(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", [])
    with session.opened(log) as asked:
        assert asked.all("SELECT count(*) FROM decisions") == [(0,)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_reading_needs_no_right_to_write(log: Log, tmp_path: Path) -> None:
    paths = [tmp_path / "log", *(tmp_path / "log").rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & 0o555)
    try:
        with session.opened(log) as asked:
            assert asked.all("SELECT count(*) FROM decisions") == [(10,)]
    finally:
        for path in paths:
            path.chmod(path.stat().st_mode | 0o200)


def test_nothing_is_drawn_on_standard_output(tmp_path: Path) -> None:
    with session.opened(log_of(tmp_path / "log", [])) as found:
        assert found.all("SELECT current_setting('enable_progress_bar')") == [(False,)]
