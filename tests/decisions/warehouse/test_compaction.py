"""From segments to Parquet: all of it, once, whatever happens."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest
from decision_events import event, finding, later, log_of

from solon.decisions.log import erasure
from solon.decisions.log.errors import Busy, Damaged
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction, lookup, manifest, session

START = "2026-03-01T00:00:00Z"
SRC = Path(__file__).parents[3] / "src"


def decisions(first: int, end: int, **step: float) -> list[dict[str, object]]:
    return [
        event(n, later(START, **{name: n * by for name, by in (step or {"hours": 1}).items()}))
        for n in range(first, end)
    ]


def cold(log: Log) -> list[tuple[str, int, str, bool]]:
    """Every row in the files that count."""
    found = manifest.read(log.directory)
    paths = [os.path.join(manifest.directory(log.directory), file.path) for file in found.rows]
    if not paths:
        return []
    return duckdb.execute(
        'SELECT shard, "index", decision_id, repeated FROM read_parquet($1) ORDER BY ALL', [paths]
    ).fetchall()


def asked(log: Log, sql: str = "SELECT decision_id FROM decisions ORDER BY 1") -> list[object]:
    with session.opened(log) as found:
        rows = found.all(sql)
    return [row[0] if len(row) == 1 else row for row in rows]


def test_sealed_segments_go_to_a_file_a_day_sorted(tmp_path: Path) -> None:
    events = [
        event(0, "2026-03-01T10:00:00Z", "warn", namespace="search"),
        event(1, "2026-03-02T11:00:00Z", "deny", namespace="payments"),
        event(2, "2026-03-01T12:00:00Z", "deny", namespace="payments"),
        event(3, "2026-03-01T09:00:00Z", "deny", namespace="payments"),
        event(4, "2026-03-01T08:00:00Z", "allow", namespace="payments"),
    ]
    log = log_of(tmp_path / "log", events, seal=True)
    log_of(tmp_path / "log", [event(5, "2026-03-01T07:00:00Z")])
    assert compaction.compact(log) == 5
    files = manifest.read(log.directory).rows
    assert [(file.period, file.rows) for file in files] == [("2026-03-01", 4), ("2026-03-02", 1)]
    path = os.path.join(manifest.directory(log.directory), files[0].path)
    assert "/dt=2026-03-01/" in path
    assert duckdb.execute("SELECT decision_id FROM read_parquet($1)", [path]).fetchall() == [
        ("d-4",),
        ("d-3",),
        ("d-2",),
        ("d-0",),
    ]
    names = [
        name
        for name, *_ in duckdb.execute(
            "DESCRIBE FROM read_parquet($1, hive_partitioning=false)", [path]
        ).fetchall()
    ]
    assert names[-1] == "event"
    assert compaction.waiting(log) == 1


def test_the_open_segment_is_taken_on_demand_and_nothing_twice(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 30))
    assert compaction.compact(log) == 0
    assert compaction.compact(log, open_segments=True) == 30
    assert compaction.compact(log, open_segments=True) == 0
    log_of(tmp_path / "log", decisions(30, 40))
    assert compaction.compact(log, open_segments=True) == 10
    assert [index for _, index, *_ in cold(log)] == list(range(40))


def test_the_event_is_kept_to_the_byte(tmp_path: Path) -> None:
    texts = [
        {"float": 1.0, "large": 12345678901234567890123, "exponent": 1e22},
        {"quotes": 'a"b\\c', "newline": "x\ny", "nul": "\u0000", "emoji": "😀", "rtl": "\u202e"},
    ]
    events = [event(n, START, note=each) for n, each in enumerate(texts)]
    log = log_of(tmp_path / "log", events, seal=True)
    before = asked(log, "SELECT event FROM decisions ORDER BY decision_id")
    compaction.compact(log)
    after = asked(log, "SELECT event FROM decisions ORDER BY decision_id")
    expected = [json.dumps(each, separators=(",", ":")) for each in events]
    assert before == after == expected


def test_questions_see_what_is_compacted_and_what_is_not(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 5), seal=True)
    compaction.compact(log)
    log_of(tmp_path / "log", decisions(5, 8))
    assert asked(log) == [f"d-{n}" for n in range(8)]
    assert asked(log, "SELECT count(*), count(dt) FROM decisions") == [(8, 8)]


@pytest.mark.parametrize("compacted", ["never", "between", "after", "each"])
def test_an_upload_that_came_again_counts_once(tmp_path: Path, compacted: str) -> None:
    log = log_of(tmp_path / "log", decisions(0, 4), seal=True)
    if compacted in {"between", "each"}:
        compaction.compact(log, open_segments=True)
    log_of(tmp_path / "log", [*decisions(2, 6), *decisions(5, 6)], seal=True)
    if compacted in {"after", "each"}:
        compaction.compact(log, open_segments=True)
    assert asked(log) == [f"d-{n}" for n in range(6)]
    assert asked(log, "SELECT count(*) FROM entries") == [9]


def test_the_same_id_at_another_time_is_another_decision(tmp_path: Path) -> None:
    """Who sends an id again cannot hide what was decided under it."""
    log = log_of(tmp_path / "log", [event(1, START), event(1, later(START, hours=1), "deny")], seal=True)
    assert asked(log, "SELECT outcome FROM decisions ORDER BY time") == ["allow", "deny"]
    compaction.compact(log)
    assert asked(log, "SELECT outcome FROM decisions ORDER BY time") == ["allow", "deny"]


def test_small_files_of_a_day_become_one(tmp_path: Path) -> None:
    for number in range(10):
        log = log_of(tmp_path / "log", decisions(number * 3, number * 3 + 3, minutes=5))
        compaction.compact(log, open_segments=True)
    found = manifest.read(log.directory)
    assert len(found.rows) == 3
    assert len(found.ids) == 3
    assert [index for _, index, *_ in cold(log)] == list(range(30))
    on_disk = {
        str(path.relative_to(tmp_path / "log/cold")) for path in (tmp_path / "log/cold").rglob("*.parquet")
    }
    assert on_disk == {file.path for file in (*found.rows, *found.ids)}


@pytest.mark.parametrize(
    ("sizes", "positions"),
    [
        ([], []),
        ([1] * 7, []),
        ([1] * 8, list(range(8))),
        ([1] * 7 + [100], []),
        ([5_000] * 9, list(range(9))),
    ],
)
def test_which_files_are_crowded(sizes: list[int], positions: list[int]) -> None:
    assert manifest.crowded(sizes) == positions


def row_files(*said: tuple[str, int]) -> list[manifest.RowFile]:
    """Files of these periods and rows, with 1,000 bytes a row; a month's reach to its 20th."""
    out = []
    for number, (period, rows) in enumerate(said):
        day = datetime.fromisoformat(period if len(period) == 10 else f"{period}-20").replace(tzinfo=UTC)
        first = int(day.timestamp()) * 1_000_000
        out.append(manifest.RowFile(f"{number}", period, rows, rows * 1_000, first, first + 86_399_999_999))
    return out


DAYS = [f"2026-10-{day:02}" for day in range(1, 32)]


@pytest.mark.parametrize(
    ("files", "period", "taken"),
    [
        ([], "", []),
        ([(day, 10) for day in DAYS[:10]], "", []),  # seven of them are over since two days
        ([(day, 10) for day in DAYS[:11]], "2026-10", list(range(8))),
        ([("2026-10-09", 10)] * 8, "2026-10-09", list(range(8))),
        ([("2026-10", 300), ("2026-10-30", 10), ("2026-11-03", 10)], "", []),  # too little to write it anew
        ([("2026-10", 80), ("2026-10-30", 10), ("2026-11-02", 10)], "", []),  # October may still go on
        ([("2026-10", 80), ("2026-10-30", 10), ("2026-11-03", 10)], "2026-10", [0, 1]),
        ([("2026-10", 1_000), ("2026-10-30", 900), ("2026-11-03", 10)], "", []),  # full
        ([("2026-10-29", 600), ("2026-10-30", 900), ("2026-11-03", 10)], "", []),  # more than full
        ([("9999-12-31", 10), ("2026-10-01", 10), ("2026-10-02", 10)], "2026-10", [1, 2]),
    ],
)
def test_which_files_become_one(files: list[tuple[str, int]], period: str, taken: list[int]) -> None:
    found = manifest.mergeable(row_files(*files), manifest.Full(rows=1_000, bytes=1 << 30))
    few = found[1] if found else []
    assert (found[0] if found else "", sorted(int(file.path) for file in few)) == (period, taken)


def test_files_of_decisions_and_of_all_else_are_not_merged() -> None:
    files = row_files(*[("2026-10-09", 10)] * 12)
    mixed = [msgspec.structs.replace(file, decisions=number % 2 == 0) for number, file in enumerate(files)]
    assert manifest.mergeable(mixed, manifest.Full(rows=1_000, bytes=1 << 30)) is None


def test_full_is_also_said_in_bytes() -> None:
    files = row_files(*[(day, 10) for day in DAYS[:11]])
    assert manifest.mergeable(files, manifest.Full(rows=1_000, bytes=10_000)) is None


def test_days_that_are_over_become_a_month(tmp_path: Path) -> None:
    """In one step, and in many; an upload that comes again after that is known."""
    for at in range(0, 70, 10):
        log = log_of(tmp_path / "log", decisions(at, at + 10, days=1), seal=True)
        compaction.compact(log)
    found = manifest.read(log.directory)
    assert sorted((file.period, file.rows) for file in found.rows if len(file.period) == 7) == [
        ("2026-03", 31),
        ("2026-04", 30),
        ("2026-05", 6),
    ]
    assert sorted(file.period for file in found.rows if len(file.period) == 10) == [
        f"2026-05-{day:02}" for day in range(7, 10)
    ]
    assert {file.path.split("/")[1] for file in found.rows if len(file.period) == 7} == {
        "month=2026-03",
        "month=2026-04",
        "month=2026-05",
    }
    assert not (tmp_path / "log/cold/rows/dt=2026-03-01").exists()
    log_of(tmp_path / "log", decisions(40, 42, days=1), seal=True)
    compaction.compact(log)
    assert asked(log, "SELECT count(*), count(DISTINCT dt) FROM decisions") == [(70, 70)]
    assert asked(log, "SELECT count(*) FROM entries WHERE repeated") == [2]
    others = [file for file in manifest.read(log.directory).rows if not file.decisions]
    assert sum(file.rows for file in others) == 2


def test_what_is_no_decision_is_in_files_of_its_own(tmp_path: Path) -> None:
    """So that questions about decisions need not look at what a row is, and those about the others read little."""
    waiver = {**event(9, START), "solon": {"event": "waiver"}}
    log = log_of(tmp_path / "log", [*decisions(0, 4), waiver, *decisions(2, 3)], seal=True)
    compaction.compact(log)
    found = {file.decisions: file.rows for file in manifest.read(log.directory).rows}
    assert found == {True: 4, False: 2}
    assert asked(
        log, "SELECT kind, repeated FROM entries WHERE kind <> 'decision' OR repeated ORDER BY 1"
    ) == [
        ("decision", True),
        ("waiver", False),
    ]
    assert asked(log) == [f"d-{n}" for n in range(4)]


def test_many_shards(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 3))
    with Log(log.directory) as one, Log(log.directory) as two:
        one.append([])
        from solon.decisions.log.events import entry_of

        two.append([entry_of(json.dumps(each).encode()) for each in decisions(3, 6)])
    assert len(log.shards()) == 2
    assert asked(log) == [f"d-{n}" for n in range(6)]
    assert compaction.compact(log, open_segments=True) == 6
    assert {(shard, index) for shard, index, *_ in cold(log)} == {
        (s, n) for s in ("0001", "0002") for n in range(3)
    }
    assert asked(log) == [f"d-{n}" for n in range(6)]


def test_steps_are_small_and_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "STEP_ROWS", 7)
    log = log_of(tmp_path / "log", decisions(0, 40))
    told: list[int] = []
    assert compaction.compact(log, open_segments=True, tell=told.append) == 40
    assert told == [7, 7, 7, 7, 7, 5]
    assert [index for _, index, *_ in cold(log)] == list(range(40))


# --- what can go wrong

_KILLED = """
import sys, os, random
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction
compaction.STEP_ROWS = 40
log = Log(sys.argv[1])
print("ready", flush=True)
compaction.compact(log, open_segments=True)
"""


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 800, minutes=20), seal=True)
    dice = random.Random(3)
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    interrupted = 0
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, log.directory], env=environment, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.35))
        interrupted += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        rows = [index for _, index, *_ in cold(log)]
        assert rows == list(range(len(rows)))
        assert len(asked(log)) == 800
    assert interrupted
    compaction.compact(log, open_segments=True)
    assert [index for _, index, *_ in cold(log)] == list(range(800))
    left = {path.name for path in (tmp_path / "log/cold").iterdir()}
    assert left == {"manifest.json", "rows", "ids", "lock", "reading"}


@pytest.mark.parametrize("step", ["_copy", "merge_rows", "merge_ids"])
def test_a_failure_in_the_middle_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    log = log_of(tmp_path / "log", decisions(0, 50), seal=True)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(compaction._Writer, step, fail)
        with pytest.raises(Exception, match="no space left on device"):
            compaction.compact(log)
    assert cold(log) == []
    assert len(asked(log)) == 50
    assert compaction.compact(log) == 50
    assert len(asked(log)) == 50


def test_two_do_not_compact_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(tmp_path / "log", decisions(0, 3))
    monkeypatch.setattr(compaction, "_WAIT", 0.01)
    with compaction._alone(log.directory), pytest.raises(Busy, match="compacts the log"):
        compaction.compact(log)


def test_who_reads_keeps_the_files(tmp_path: Path) -> None:
    for number in range(7):
        log = log_of(tmp_path / "log", decisions(number, number + 1, minutes=5))
        compaction.compact(log, open_segments=True)
    with session.opened(log) as found:
        log_of(tmp_path / "log", decisions(7, 8, minutes=5))
        compaction.compact(log, open_segments=True)  # the eighth file: all become one
        assert found.all("SELECT count(*) FROM decisions") == [(7,)]
    old = set((tmp_path / "log/cold/rows").rglob("*.parquet"))
    compaction.compact(log)
    assert set((tmp_path / "log/cold/rows").rglob("*.parquet")) < old
    assert len(asked(log)) == 8


def test_a_log_that_was_rewritten_is_not_compacted_further(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 5), seal=True)
    compaction.compact(log)
    other = log_of(tmp_path / "other", decisions(10, 15), seal=True)
    segment = next((Path(log.directory) / "shards/0001/segments").glob("*0.seg"))
    segment.write_bytes(next((Path(other.directory) / "shards/0001/segments").glob("*0.seg")).read_bytes())
    with pytest.raises(Damaged, match="entry 4 is not the one that was compacted"):
        compaction.compact(log)
    compaction.rebuild(log)
    compaction.compact(log, open_segments=True)
    assert asked(log) == [f"d-{n}" for n in range(10, 15)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"schema": "other"}',
        '{"rows": [{"path": "/etc/passwd", "day": "", "rows": 1, "first_us": 0, "last_us": 0}]}',
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    log = log_of(tmp_path / "log", decisions(0, 5), seal=True)
    compaction.compact(log)
    (tmp_path / "log/cold/manifest.json").write_text(text)
    with pytest.raises(Damaged, match="--rebuild"):
        asked(log)


def test_an_erased_event_is_in_the_parquet_files_no_more(tmp_path: Path) -> None:
    secret = "Erika Mustermann"
    events = [*decisions(0, 4), event(4, START, "deny", name=secret, findings=[finding("a.deny")])]
    log = log_of(tmp_path / "log", events, seal=True)
    compaction.compact(log)
    erasure.erase(log, log.find("d-4"), reason="asked for", by="ann")
    log.close()
    assert asked(log) == [f"d-{n}" for n in range(4)]  # hidden at once
    compaction.compact(log, open_segments=True)
    assert asked(log) == [f"d-{n}" for n in range(4)]
    for path in (tmp_path / "log/cold").rglob("*.parquet"):
        assert duckdb.execute(
            "SELECT count(*) FROM read_parquet($1) t WHERE contains(t::VARCHAR, $2)", [str(path), secret]
        ).fetchone() == (0,)
    assert [(place.name, stored.index, stored.payload) for place, stored in lookup.find(log, "d-4")] == [
        ("0001", 4, None)
    ]


def test_events_of_far_times(tmp_path: Path) -> None:
    events = [event(0, "1970-01-01T00:00:00Z"), event(1, "2400-01-01T00:00:00Z")]
    log = log_of(tmp_path / "log", events, seal=True)
    compaction.compact(log)
    assert asked(log, "SELECT dt::VARCHAR FROM decisions ORDER BY 1") == ["1970-01-01", "2400-01-01"]


def test_one_decision_by_its_id(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", decisions(0, 50), seal=True)
    compaction.compact(log)
    log_of(tmp_path / "log", decisions(48, 55))
    assert [(place.name, stored.index) for place, stored in lookup.find(log, "d-3")] == [("0001", 3)]
    assert [stored.index for _, stored in lookup.find(log, "d-49")] == [49, 51]
    assert [stored.index for _, stored in lookup.find(log, "d-54")] == [56]
    assert lookup.find(log, "d-99") == []
