"""A mirror is a log again, whatever happens in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from decision_logs import KEY, around, entries
from memory_objects import Killed, MemoryObjects
from programmes import REGO, programme

from solon.decisions.in_force import reading, recording, texts
from solon.decisions.in_force.state import as_of
from solon.decisions.log import durable, erasure, settings
from solon.decisions.log.errors import Busy, Damaged, LogError
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.note import SigningKey
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.mirror import contents
from solon.decisions.mirror.run import Mirrored, Wanted, mirror
from solon.decisions.mirror.state import State
from solon.decisions.warehouse import compaction
from solon.decisions.warehouse import manifest as manifests

TO = "s3://bucket/log"
FULL = Wanted(delta=True)


@pytest.fixture
def place(tmp_path: Path) -> str:
    settings.create(str(tmp_path / "log"), KEY)
    return str(tmp_path / "log")


@pytest.fixture
def log(place: str) -> Iterator[Log]:
    with Log(place, around()) as found:
        yield found


def decided(first: int, end: int) -> list[Entry]:
    """Decisions of several days, each with a text of its own."""
    return [
        Entry(
            Kind.DECISION,
            f"id-{n}",
            1_772_357_400_000_000_000 + n % 5 * 86_400_000_000_000,
            json.dumps(
                {
                    "decision_id": f"id-{n}",
                    "timestamp": f"2026-03-0{1 + n % 5}T09:30:00Z",
                    "result": False,
                    "input": f"secret-{n}-",
                }
            ).encode(),
            "deny",
        )
        for n in range(first, end)
    ]


def grown(log: Log, first: int, end: int) -> None:
    """Appended, signed and compacted."""
    log.append(decided(first, end))
    log.integrate()
    compaction.compact(log, open_segments=True)


def erased(log: Log, name: str) -> None:
    erasure.erase(log, log.find(name), reason="asked for", by="ana")
    log.integrate()
    compaction.compact(log, open_segments=True)


def run(log: Log, objects: MemoryObjects, wanted: Wanted = FULL) -> Mirrored:
    return mirror(log, objects, TO, wanted)


def expected(log: Log) -> dict[str, bytes]:
    """The log's own files that a mirror has; of tiles that are not full, it has those of the sizes it was at."""
    root = Path(log.directory)
    kept = [*root.glob("cold/rows/**/*.parquet"), *root.glob("cold/ids/*"), root / "cold/manifest.json"]
    for place in log.places():
        where = Path(place.directory)
        kept += [
            *where.glob("segments/*"),
            *(each for each in where.glob("tile/**/*") if each.is_file() and ".p/" not in str(each)),
            where / "checkpoint",
        ]
    return {str(path.relative_to(root)): path.read_bytes() for path in kept}


def there(objects: MemoryObjects) -> dict[str, bytes]:
    return {
        path: data
        for path, data in objects.latest.items()
        if path not in {"log.json", "mirror.json"}
        and not path.startswith(("cold/rows/_delta_log", "checkpoints"))
        and ".p/" not in path
    }


def table(objects: MemoryObjects) -> set[str]:
    """The files of the Delta table, as its protocol has them."""
    files: set[str] = set()
    for path in sorted(path for path in objects.latest if path.startswith("cold/rows/_delta_log/0")):
        for line in objects.latest[path].splitlines():
            action = json.loads(line)
            files -= {action["remove"]["path"]} if "remove" in action else set()
            files |= {action["add"]["path"]} if "add" in action else set()
    return {f"cold/rows/{path}" for path in files}


def rows(log: Log) -> set[str]:
    return {f"cold/{file.path}" for file in manifests.read(log.directory).rows}


# --- what is there


def test_a_mirror_has_the_files_of_the_log_and_no_key(log: Log) -> None:
    grown(log, 0, 700)
    objects = MemoryObjects()
    done = run(log, objects)
    assert there(objects) == expected(log)
    assert json.loads(objects.latest["log.json"]) == {
        "schema": "solon.log/v1",
        "name": "log.example/test",
        "key": str(KEY.verifier),
    }
    assert (done.entries, done.removed, done.held) == (700, 0, [])
    assert KEY.secret().encode() not in b"".join(objects.latest.values())


def test_what_comes_back_is_a_log_that_verifies(log: Log, tmp_path: Path) -> None:
    grown(log, 0, 700)
    erased(log, "id-5")
    objects = MemoryObjects()
    run(log, objects)
    with Log(str(objects.written_to(tmp_path / "back"))) as back:
        report = verify(back)
        assert (report.entries, report.problems) == (701, [])
        assert [stored.says.id for stored in back.entries("0001", 698, 700)] == ["id-698", "id-699"]


def test_the_texts_of_policies_come_along(log: Log, tmp_path: Path) -> None:
    recording.record(log, programme("2026-03-01"))
    grown(log, 0, 10)
    objects = MemoryObjects()
    run(log, objects)
    with Log(str(objects.written_to(tmp_path / "back"))) as back:
        assert verify(back).problems == []
        state = as_of(reading.entries(back), 1 << 61, "default")
        assert state is not None
        assert texts.get(back.directory, state.sets[0].texts[0].sha256) == REGO.encode()


def test_a_second_run_only_says_when(log: Log) -> None:
    grown(log, 0, 300)
    objects = MemoryObjects()
    run(log, objects)
    objects.put_paths.clear()
    run(log, objects)
    assert objects.put_paths == ["mirror.json"]


def test_what_is_new_is_sent_and_what_was_replaced_is_gone(log: Log) -> None:
    objects = MemoryObjects()
    for first, end in ((0, 100), (100, 300), (300, 1_000), (1_000, 18_000), (18_000, 18_001)):
        grown(log, first, end)
        run(log, objects)
        assert there(objects) == expected(log)
        assert table(objects) == rows(log)
    assert all(len(versions) == 1 for path, versions in objects.kept.items() if path.startswith("cold/ids"))


def test_a_log_that_was_never_signed_nor_compacted_is_mirrored(log: Log) -> None:
    objects = MemoryObjects()
    run(log, objects)
    log.append(entries(0, 3))
    done = run(log, objects)
    assert done.entries == 0
    assert list(there(objects)) == ["shards/0001/segments/00000000000000000000.seg"]


def test_segments_may_be_left_out(log: Log) -> None:
    grown(log, 0, 300)
    objects = MemoryObjects()
    run(log, objects)
    run(log, objects, Wanted(segments=False))
    assert there(objects) == {path: data for path, data in expected(log).items() if "/segments/" not in path}


def test_every_shard_is_there(log: Log, place: str) -> None:
    grown(log, 0, 10)
    with Log(place, around(1)) as other:
        other.append(decided(10, 20))
        log.integrate()
        other.integrate()
        objects = MemoryObjects()
        assert run(log, objects).entries == 20
    assert there(objects) == expected(log)


def test_others_verify_a_mirror_without_payloads(log: Log, tmp_path: Path) -> None:
    from tlog_scales.backend import LocalBackend
    from tlog_scales.reader import TilesReader
    from tlog_scales.signing import Vkey

    objects = MemoryObjects()
    for first, end in ((0, 3), (3, 300), (300, 700)):
        grown(log, first, end)
        run(log, objects, Wanted(segments=False))
    back = objects.written_to(tmp_path / "back")
    for name, place, size in (("meta", log.meta, 3), ("shards/0001", log.shard("0001"), 700)):
        reader = TilesReader(LocalBackend(back / name))
        signed = reader.get_checkpoint()
        signed.verify(Vkey.from_string(str(log.key.named(place.origin))))
        assert signed.size == size
        assert reader.calculate_root_hash() == signed.root_hash
    for number in (0, 299, 699):
        assert reader.get_entry(number) == next(log.entries("0001", number)).leaf


# --- erasing


def test_an_erased_payload_is_gone_in_every_version(log: Log) -> None:
    grown(log, 0, 300)
    objects = MemoryObjects()
    run(log, objects)
    assert objects.holding(b"secret-7-")
    erased(log, "id-7")
    run(log, objects)
    assert objects.holding(b"secret-7-") == []
    assert objects.holding(b"secret-8-")
    assert there(objects) == expected(log)
    assert table(objects) == rows(log)


def test_what_object_lock_holds_is_said_until_it_is_gone(log: Log) -> None:
    grown(log, 0, 300)
    objects = MemoryObjects()
    run(log, objects)
    segment = "shards/0001/segments/00000000000000000000.seg"
    objects.kept[segment][0].until = datetime(2027, 3, 1, tzinfo=UTC)
    erased(log, "id-7")
    for _ in range(2):
        assert run(log, objects).held == [(segment, "2027-03-01")]
    objects.kept[segment][0].until = None
    assert run(log, objects).held == []
    assert objects.holding(b"secret-7-") == []


def test_checkpoints_are_locked_once(log: Log) -> None:
    grown(log, 0, 3)
    objects = MemoryObjects()
    wanted = Wanted(lock_days=30)
    assert [run(log, objects, wanted).locked for _ in range(2)] == [2, 0]
    grown(log, 3, 4)
    assert run(log, objects, wanted).locked == 2
    held = {
        path: [each.until for each in kept] for path, kept in objects.kept.items() if "checkpoints/" in path
    }
    assert sorted(held) == [
        "checkpoints/0001/00000000000000000003",
        "checkpoints/0001/00000000000000000004",
        "checkpoints/meta/00000000000000000001",
        "checkpoints/meta/00000000000000000002",
    ]
    for (until,) in held.values():
        assert until is not None
        assert f"{until:%Y-%m-%d}" == "2026-03-31"
    assert objects.latest["checkpoints/meta/00000000000000000002"] == objects.latest["meta/checkpoint"]


# --- killed anywhere


def _at_rest(objects: MemoryObjects, directory: Path) -> None:
    """What a reader finds, at whatever moment, belongs together."""
    shutil.rmtree(directory, ignore_errors=True)
    latest = objects.latest
    assert table(objects) <= latest.keys()
    if "cold/manifest.json" in latest:
        found = msgspec.json.decode(latest["cold/manifest.json"], type=manifests.Manifest)
        assert {f"cold/{path}" for path in found.files} <= latest.keys()
    if "log.json" in latest:
        with Log(str(objects.written_to(directory))) as back:
            assert verify(back).problems == []


def test_a_run_may_be_killed_anywhere(log: Log, tmp_path: Path) -> None:
    grown(log, 0, 200)
    first = MemoryObjects()
    run(log, first)
    grown(log, 200, 300)
    erased(log, "id-7")
    whole = first.clone(-1, late=False)
    run(log, whole)
    assert whole.calls > 30
    for kill in range(1, whole.calls + 1):
        objects = first.clone(kill, late=bool(kill % 2))
        try:
            run(log, objects)
        except Killed:
            _at_rest(objects, tmp_path / "back")
        objects.kill = -1
        run(log, objects)
        assert there(objects) == expected(log), kill
        assert table(objects) == rows(log)
        assert objects.holding(b"secret-7-") == []


def test_a_first_run_may_be_killed_anywhere_and_goes_on(log: Log, tmp_path: Path) -> None:
    grown(log, 0, 400)
    whole = MemoryObjects()
    run(log, whole)
    for kill in range(1, whole.calls + 1):
        objects = MemoryObjects(kill=kill)
        with pytest.raises(Killed):
            run(log, objects)
        _at_rest(objects, tmp_path / "back")
        large = [path for path in objects.latest if path.endswith((".seg", ".parquet"))]
        objects.kill = -1
        objects.put_paths.clear()
        run(log, objects)
        assert there(objects) == expected(log), kill
        assert not set(large) & set(objects.put_paths)  # what was there is not sent again


# --- what is never written over


def test_another_history_is_not_mirrored(log: Log, tmp_path: Path) -> None:
    grown(log, 0, 300)
    objects = MemoryObjects()
    run(log, objects)
    before = objects.latest
    for name, first in (("shorter", 0), ("other", 5)):
        settings.create(str(tmp_path / name), KEY)
        with Log(str(tmp_path / name), around()) as other:
            grown(other, first, first + (200 if name == "shorter" else 400))
            with pytest.raises(
                Damaged, match=r"has 300 signed entries of 0001, and they are not the beginning"
            ):
                run(other, objects)
    assert objects.latest == before


def test_tiles_that_are_not_those_that_were_signed_are_not_mirrored(log: Log) -> None:
    grown(log, 0, 300)
    path = Path(log.directory) / "shards/0001/tile/1/000.p/1"
    path.write_bytes(bytes(32))
    objects = MemoryObjects()
    with pytest.raises(Damaged, match="the tiles are not those that were signed"):
        run(log, objects)
    assert objects.latest == {}


def test_the_mirror_of_another_log_is_left_alone(log: Log, tmp_path: Path) -> None:
    objects = MemoryObjects()
    run(log, objects)
    settings.create(str(tmp_path / "other"), SigningKey("log.example/other", bytes(32)))
    with Log(str(tmp_path / "other"), around()) as other:
        with pytest.raises(LogError, match=r"has the mirror of log\.example/test: choose another prefix"):
            run(other, objects)
        del objects.kept["mirror.json"]
        with pytest.raises(LogError, match=r"has the mirror of another log"):
            run(other, objects)


@pytest.mark.parametrize(
    ("path", "data", "problem"),
    [
        ("photos/cat.jpg", b"", "is not empty, and no mirror of a log: choose another prefix"),
        ("mirror.json", b"{", r"mirror\.json: is no mirror\.json of this Solon"),
        ("mirror.json", b'{"schema":"x/v9","log":"a","key":"b"}', "has the schema 'x/v9'"),
    ],
)
def test_a_place_with_something_else_is_left_alone(log: Log, path: str, data: bytes, problem: str) -> None:
    objects = MemoryObjects()
    objects.put(path, data)
    with pytest.raises(LogError, match=problem):
        run(log, objects)
    assert objects.latest == {path: data}


def test_one_process_writes_a_mirror(log: Log) -> None:
    objects = MemoryObjects()
    run(log, objects)
    (lock,) = (Path(log.directory) / "mirrors").glob("*.lock")
    with durable.locked(str(lock), 0.0), pytest.raises(Busy, match="mirrors to s3://bucket/log"):
        run(log, objects)


@pytest.mark.parametrize("data", [b"", b"{", b'{"cold/x": 7}'])
def test_digests_that_cannot_be_read_are_computed_anew(log: Log, data: bytes) -> None:
    grown(log, 0, 30)
    objects = MemoryObjects()
    run(log, objects)
    (known,) = (Path(log.directory) / "mirrors").glob("*.json")
    known.write_bytes(data)
    objects.put_paths.clear()
    run(log, objects)
    assert objects.put_paths == ["mirror.json"]


# --- tiles


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (0, 1, ["tile/entries/000.p/1", "tile/0/000.p/1"]),
        (255, 256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (256, 257, ["tile/entries/001.p/1", "tile/0/001.p/1"]),
        (600, 700, ["tile/entries/002.p/188", "tile/0/002.p/188"]),
        (700, 800, ["tile/entries/002", "tile/entries/003.p/32", "tile/0/002", "tile/0/003.p/32", "tile/1/000.p/3"]),
    ],
)  # fmt: skip
def test_the_tiles_that_a_tree_gets_as_it_grows(log: Log, old: int, new: int, paths: list[str]) -> None:
    for first, end in ((0, old), (old, new), (new, 1_000)):
        log.append(entries(first, end))
        log.integrate()
    assert [path for path, _, _ in contents.tiles(log.shard("0001"), old, new)] == paths


def test_tiles_of_an_earlier_size_are_cut_from_the_full_ones_of_now(log: Log) -> None:
    log.append(entries(0, 700))
    log.integrate()
    before = dict.fromkeys(contents.tiles(log.shard("0001"), 0, 700))
    log.append(entries(700, 2_000))
    log.integrate()
    assert not (Path(log.directory) / "shards/0001/tile/0/002.p").exists()
    assert dict.fromkeys(contents.tiles(log.shard("0001"), 0, 700)) == before


def test_state_is_small(log: Log) -> None:
    """Tiles are known by the size of the tree, so that a large log has a small mirror.json."""
    grown(log, 0, 18_000)
    objects = MemoryObjects()
    run(log, objects)
    state: Any = msgspec.json.decode(objects.latest["mirror.json"], type=State)
    assert sum(path.count("/tile/") for path in objects.latest) > 140
    assert not [path for path in state.files if "/tile/" in path]
