"""The transaction log of Delta: idempotent, read by deltalake, and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable, QueryBuilder
from memory_objects import MemoryObjects

from solon.decisions.log.errors import Damaged, LogError
from solon.decisions.mirror import delta
from solon.decisions.mirror.state import Table
from solon.decisions.warehouse import columns
from solon.decisions.warehouse.manifest import Manifest, Reach, RowFile

NOW = 1_772_357_400_000
LOG = "cold/rows/_delta_log"


def file(name: str, rows: int = 3) -> RowFile:
    return RowFile(
        f"rows/dt=2026-03-01/{name}.parquet",
        "2026-03-01",
        rows,
        1_000,
        1_772_357_400_000_001,
        1_772_357_400_999_999,
    )


def manifest(*names: str) -> Manifest:
    return Manifest(
        shards={"0001": Reach(7 * len(names), ""), "0002": Reach(1, "")}, rows=[file(name) for name in names]
    )


def commit(objects: MemoryObjects, old: Table | None, *names: str, name: str = "log.example/test") -> Table:
    return delta.commit(objects, old, manifest(*names), name, NOW)


def actions(objects: MemoryObjects, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in objects.latest[f"{LOG}/{version:020}.json"].splitlines()]


def versions(objects: MemoryObjects) -> list[str]:
    return [Path(path).name for path in sorted(objects.latest)]


def test_a_commit_adds_and_removes_what_changed() -> None:
    objects = MemoryObjects()
    first = commit(objects, None, "a", "b")
    second = commit(objects, first, "b", "c")
    assert [next(iter(action)) for action in actions(objects, 0)] == [
        "commitInfo", "protocol", "metaData", "txn", "add", "add"
    ]  # fmt: skip
    said = actions(objects, 1)
    assert said[1:] == [
        {"txn": {"appId": "log.example/test", "version": 15, "lastUpdated": NOW}},
        {"remove": {"path": "dt=2026-03-01/a.parquet", "deletionTimestamp": NOW, "dataChange": True}},
        {
            "add": {
                "path": "dt=2026-03-01/c.parquet",
                "partitionValues": {},
                "size": 1_000,
                "modificationTime": NOW,
                "dataChange": True,
                "stats": said[3]["add"]["stats"],
            }
        },
    ]
    assert json.loads(said[3]["add"]["stats"]) == {
        "numRecords": 3,
        "minValues": {"time": "2026-03-01T09:30:00.000001"},
        "maxValues": {"time": "2026-03-01T09:30:00.999999"},
        "nullCount": {"time": 0},
    }
    assert (second.version, set(second.files)) == (1, {"dt=2026-03-01/b.parquet", "dt=2026-03-01/c.parquet"})


def test_what_was_committed_is_not_committed_again() -> None:
    objects = MemoryObjects()
    first = commit(objects, None, "a")
    assert commit(objects, first, "a") == first
    second = commit(objects, first, "a", "b")
    assert commit(objects, first, "a", "b") == second  # a run that was killed before it could note it
    assert commit(objects, None, "a", "b") == second  # a mirror.json that is gone
    assert versions(objects) == [f"{number:020}.json" for number in (0, 1)]


def test_an_answer_that_got_lost_is_no_conflict() -> None:
    class Lossy(MemoryObjects):
        def put(self, path: str, data: bytes, *, once: bool = False, until: Any = None) -> None:
            super().put(path, data, once=False, until=until)
            super().put(path, data, once=once, until=until)  # boto3 sends it again

    assert commit(Lossy(), None, "a").version == 0


def test_a_table_that_somebody_else_writes_is_left_alone() -> None:
    objects = MemoryObjects()
    first = commit(objects, None, "a")
    commit(objects, first, "b", name="another")
    with pytest.raises(
        LogError, match=r"1\.json: was written by somebody else: nothing but this log may write"
    ):
        commit(objects, first, "a", "c")


@pytest.mark.parametrize(
    ("path", "data", "problem"),
    [
        (f"{LOG}/{3:020}.json", b"{}", "commit 1 is missing: remove cold/rows/_delta_log"),
        (f"{LOG}/{1:020}.json", b"{", r"1\.json: is no commit of Delta"),
    ],
)
def test_a_damaged_table_is_said(path: str, data: bytes, problem: str) -> None:
    objects = MemoryObjects()
    first = commit(objects, None, "a")
    objects.put(path, data)
    with pytest.raises(Damaged, match=problem):
        commit(objects, first, "b")


def test_new_columns_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = MemoryObjects()
    first = commit(objects, None, "a")
    monkeypatch.setitem(columns.COLUMNS, "ticket", ("VARCHAR", "of a waiver"))
    second = commit(objects, first, "a")
    (meta,) = (action["metaData"] for action in actions(objects, 1) if "metaData" in action)
    assert json.loads(meta["schemaString"])["fields"][-1] == {
        "name": "ticket",
        "type": "string",
        "nullable": True,
        "metadata": {},
    }
    assert meta["id"] == actions(objects, 0)[2]["metaData"]["id"]
    assert second.version == 1


def test_a_reader_begins_at_a_checkpoint(tmp_path: Path) -> None:
    import duckdb

    kinds = ", ".join(f'NULL::{kind} AS "{name}"' for name, (kind, _) in columns.COLUMNS.items())
    objects, table = MemoryObjects(), None
    names: list[str] = []
    for number in range(43):
        names = [*names[number % 7 == 0 :], f"f{number}"]
        table = commit(objects, table, *names)
    assert [name for name in versions(objects) if "checkpoint" in name] == [
        f"{20:020}.checkpoint.parquet",
        f"{40:020}.checkpoint.parquet",
        "_last_checkpoint",
    ]
    assert versions(objects)[0] == f"{20:020}.checkpoint.parquet"
    root = objects.written_to(tmp_path)
    (root / "cold/rows/dt=2026-03-01").mkdir()
    for name in names:
        path = root / f"cold/rows/dt=2026-03-01/{name}.parquet"
        duckdb.execute(f"COPY (SELECT {kinds} FROM range(3)) TO '{path}' (FORMAT parquet)")
    for number in range(20, 40):
        (root / LOG / f"{number:020}.json").unlink()
    found = DeltaTable(str(root / "cold/rows"))
    assert found.version() == 42
    assert sorted(Path(uri).stem for uri in found.file_uris()) == sorted(names)
    assert found.transaction_version("log.example/test") == 7 * len(names) + 1
    (count,) = QueryBuilder().register("t", found).execute("select count(*) from t").read_all().columns
    assert count.to_pylist() == [3 * len(names)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("VARCHAR", "string"),
        ("BIGINT", "long"),
        ("BOOLEAN", "boolean"),
        ("TIMESTAMP", "timestamp_ntz"),
        ("VARCHAR[]", {"type": "array", "elementType": "string", "containsNull": True}),
        ("MAP(VARCHAR, VARCHAR)",
         {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True}),
        ("STRUCT(a VARCHAR, b BIGINT)",
         {"type": "struct", "fields": [{"name": "a", "type": "string", "nullable": True, "metadata": {}},
                                       {"name": "b", "type": "long", "nullable": True, "metadata": {}}]}),
    ],
)  # fmt: skip
def test_types(kind: str, expected: Any) -> None:
    assert delta._type(kind) == expected


def test_every_column_has_a_type_in_delta() -> None:
    assert [each["name"] for each in json.loads(delta.schema())["fields"]] == list(columns.COLUMNS)
