"""The rows of the warehouse as a Delta table: which Parquet files count, in the open protocol of the transaction log.

    cold/rows/_delta_log/00000000000000000007.json                 a commit: files added and removed
    cold/rows/_delta_log/00000000000000000020.checkpoint.parquet   all of it up to there
    cold/rows/_delta_log/_last_checkpoint

A commit is what a manifest has and the table has not, and the other way round. So it is made once, however often the
run is begun anew. The log's name and the number of its entries are the application transaction of each.
"""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solon import __version__
from solon.decisions.log.errors import Damaged, LogError
from solon.decisions.mirror import contents
from solon.decisions.mirror.objects import Objects, Taken
from solon.decisions.mirror.state import Table
from solon.decisions.warehouse.columns import COLUMNS
from solon.decisions.warehouse.database import connect
from solon.decisions.warehouse.manifest import Manifest, RowFile

LOG: Final = f"{contents.ROWS}/_delta_log"
_EVERY: Final = 20  # commits between checkpoints
_COMMIT: Final = re.compile(r"(\d{20})\.json")
_ANY: Final = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")
_PROTOCOL: Final = {
    "minReaderVersion": 3,
    "minWriterVersion": 7,
    "readerFeatures": ["timestampNtz"],
    "writerFeatures": ["timestampNtz"],
}
_STRUCT: Final = re.compile(r"STRUCT\((.*)\)", re.ASCII)
_PLAIN: Final = {"VARCHAR": "string", "BIGINT": "long", "BOOLEAN": "boolean", "TIMESTAMP": "timestamp_ntz"}
_CHECKPOINT: Final = """{
    txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
    add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT,
                 dataChange BOOLEAN, stats VARCHAR)',
    remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN)',
    metaData: 'STRUCT(id VARCHAR, name VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)),
                      schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR),
                      createdTime BIGINT)',
    protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[],
                      writerFeatures VARCHAR[])'}"""

_Action = dict[str, Any]


class _File(msgspec.Struct):
    path: str
    modificationTime: int = 0  # noqa: N815


class _Txn(msgspec.Struct):
    appId: str  # noqa: N815


class _Meta(msgspec.Struct):
    schemaString: str  # noqa: N815
    createdTime: int = 0  # noqa: N815


class _Said(msgspec.Struct):
    """What of an action is looked at."""

    add: _File | None = None
    remove: _File | None = None
    txn: _Txn | None = None
    metaData: _Meta | None = None  # noqa: N815


def commit(objects: Objects, old: Table | None, manifest: Manifest, name: str, now_ms: int) -> Table:
    """The table as the manifest has it, in one more commit where it differs. Raises LogError."""
    found = _settled(objects, old, name)
    rows = {file.path.removeprefix("rows/"): file for file in manifest.rows}
    columns = schema()
    if found is not None and found.files.keys() == rows.keys() and found.columns == columns:
        return found
    version = found.version + 1 if found else 0
    known: Mapping[str, int] = found.files if found else {}
    created = found.created if found else now_ms
    table = Table(version, created, columns, {path: known.get(path, now_ms) for path in rows})
    entries = sum(reach.next for reach in manifest.shards.values())
    actions: list[_Action] = [_info(now_ms, found is None)]
    if found is None or found.columns != columns:
        actions += [{"protocol": _PROTOCOL}, {"metaData": _meta(table, name)}]
    actions.append({"txn": {"appId": name, "version": entries, "lastUpdated": now_ms}})
    for path in sorted(known.keys() - rows.keys()):
        actions.append({"remove": {"path": path, "deletionTimestamp": now_ms, "dataChange": True}})
    for path in sorted(rows.keys() - known.keys()):
        actions.append({"add": _added(rows[path], path, now_ms)})
    _write(objects, version, b"".join(msgspec.json.encode(action) + b"\n" for action in actions))
    if version and version % _EVERY == 0:
        _checkpoint(objects, table, rows, name, entries, now_ms)
    return table


def _write(objects: Objects, version: int, data: bytes) -> None:
    path = f"{LOG}/{version:020}.json"
    try:
        objects.put(path, data, once=True)
    except Taken:
        if objects.get(path) != data:  # it is there where an answer got lost, and it was sent again
            raise


# --- what is there


def _settled(objects: Objects, old: Table | None, name: str) -> Table | None:
    """The table with commits that a run made which was killed before it could note them."""
    versions = sorted(
        int(match[1])
        for each in objects.listed(f"{LOG}/")
        if each.latest and not each.deleted and (match := _COMMIT.fullmatch(os.path.basename(each.path)))
    )
    table = old
    for version in versions:
        if table is not None and version <= table.version:
            continue
        expected = table.version + 1 if table else 0
        if version != expected:
            raise Damaged(
                f"{LOG}: commit {expected} is missing: remove {LOG}, and the table is registered anew"
            )
        table = _applied(objects, table, version, name)
    return table


def _applied(objects: Objects, table: Table | None, version: int, name: str) -> Table:
    path = f"{LOG}/{version:020}.json"
    try:
        actions = [msgspec.json.decode(line, type=_Said) for line in (objects.get(path) or b"").splitlines()]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged(f"{path}: is no commit of Delta ({error})") from None
    if not any(action.txn is not None and action.txn.appId == name for action in actions):
        raise LogError(f"{path}: was written by somebody else: nothing but this log may write that table")
    files = dict(table.files) if table else {}
    created, columns = (table.created, table.columns) if table else (0, "")
    for action in actions:
        if action.metaData is not None:
            created, columns = action.metaData.createdTime, action.metaData.schemaString
        if action.remove is not None:
            files.pop(action.remove.path, None)
        if action.add is not None:
            files[action.add.path] = action.add.modificationTime
    return Table(version, created, columns, files)


# --- actions


def _info(now_ms: int, first: bool) -> _Action:
    return {
        "commitInfo": {
            "timestamp": now_ms,
            "operation": "CREATE TABLE" if first else "WRITE",
            "operationParameters": {},
            "engineInfo": f"solon/{__version__}",
        }
    }


def _meta(table: Table, name: str) -> _Action:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{table.created}")),
        "name": "decisions",
        "format": {"provider": "parquet", "options": {}},
        "schemaString": table.columns,
        "partitionColumns": [],
        "configuration": {},
        "createdTime": table.created,
    }


def _added(file: RowFile, path: str, at_ms: int) -> _Action:
    stats = {
        "numRecords": file.rows,
        "minValues": {"time": _time(file.first_us)},
        "maxValues": {"time": _time(file.last_us)},
        "nullCount": {"time": 0},
    }
    return {
        "path": path,
        "partitionValues": {},
        "size": file.bytes,
        "modificationTime": at_ms,
        "dataChange": True,
        "stats": msgspec.json.encode(stats).decode(),
    }


def _time(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06}"


def schema() -> str:
    """The columns as Delta writes them."""
    fields = [_field(name, kind) for name, (kind, _) in COLUMNS.items()]
    return msgspec.json.encode({"type": "struct", "fields": fields}).decode()


def _field(name: str, kind: str) -> _Action:
    return {"name": name, "type": _type(kind), "nullable": True, "metadata": {}}


def _type(kind: str) -> str | _Action:
    """Of a type as DuckDB has it."""
    if kind.endswith("[]"):
        return {"type": "array", "elementType": _type(kind[:-2]), "containsNull": True}
    if kind == "MAP(VARCHAR, VARCHAR)":
        return {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True}
    if match := _STRUCT.fullmatch(kind):
        fields = [_field(*each.split(" ")) for each in match[1].split(", ")]
        return {"type": "struct", "fields": fields}
    return _PLAIN[kind]


# --- checkpoints, so that a reader need not read every commit


def _checkpoint(
    objects: Objects, table: Table, rows: Mapping[str, RowFile], name: str, entries: int, now_ms: int
) -> None:
    actions: list[_Action] = [
        {"protocol": _PROTOCOL},
        {"metaData": _meta(table, name)},
        {"txn": {"appId": name, "version": entries, "lastUpdated": now_ms}},
        *[{"add": _added(rows[path], path, at)} for path, at in table.files.items()],
    ]
    objects.put(f"{LOG}/{table.version:020}.checkpoint.parquet", _parquet(actions))
    last = {"version": table.version, "size": len(actions)}
    objects.put(f"{LOG}/_last_checkpoint", msgspec.json.encode(last))
    for each in list(objects.listed(f"{LOG}/")):
        match = _ANY.fullmatch(os.path.basename(each.path))
        if match and int(match[1]) < table.version - _EVERY:
            objects.remove(each)


def _parquet(actions: Sequence[_Action]) -> bytes:
    import duckdb

    with tempfile.TemporaryDirectory() as work, connect() as database:
        source, target = os.path.join(work, "actions.ndjson"), os.path.join(work, "checkpoint.parquet")
        with open(source, "wb") as file:
            file.writelines(msgspec.json.encode(action) + b"\n" for action in actions)
        try:
            database.execute(
                f"COPY (FROM read_json($1, format='newline_delimited', columns={_CHECKPOINT})) TO '{target}' (FORMAT parquet)",
                [source],
            )
        except duckdb.Error as error:
            raise LogError(f"{LOG}: no checkpoint: {str(error).splitlines()[0]}") from None
        with open(target, "rb") as file:
            return file.read()
