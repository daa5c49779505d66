"""The log as a whole: shards, the meta-log, tiles, proofs; and what verification finds."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from decision_logs import KEY, START_NS, entries, entry
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from solon.decisions.log import checkpoint, erasure, merkle, proof, reading, segment, settings
from solon.decisions.log.errors import Damaged, LogError
from solon.decisions.log.note import SigningKey
from solon.decisions.log.segment import BODY, CRC, FRAME, GROUP_SIZE
from solon.decisions.log.store import Log
from solon.decisions.log.tiles import path_of, unbundled
from solon.decisions.log.verify import verify
from solon.decisions.log.writer import Surroundings

MakeLog = Callable[..., Log]


def filled(log: Log, count: int = 600, group: int = 100) -> Log:
    """Signed in two steps, so that there are two checkpoints of the shard."""
    for first in range(0, count, group):
        log.append(entries(first, min(first + group, count)))
        if first == 0:
            log.integrate()
    log.integrate()
    log.close()
    return log


def problems(log: Log, **options: object) -> list[str]:
    return [str(each) for each in verify(log, **options).problems]  # type: ignore[arg-type]


def segments(log: Log, shard: str = "0001") -> list[Path]:
    return sorted(Path(log.shard(shard).segments).glob("*.seg"))


# --- making one


def test_a_new_log(tmp_path: Path) -> None:
    settings.create(str(tmp_path / "log"), KEY)
    said = json.loads((tmp_path / "log" / "log.json").read_text())
    assert said == {
        "schema": "solon.log/v1",
        "name": "log.example/test",
        "key": str(KEY.verifier),
    }
    assert (tmp_path / "log" / "log.key").stat().st_mode & 0o777 == 0o600
    assert Log(str(tmp_path / "log")).signing_key() == KEY


def test_a_log_is_not_made_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="is not empty"):
        settings.create(str(tmp_path), KEY)
    settings.create(str(tmp_path / "log"), KEY)
    with pytest.raises(LogError, match="is a log already"):
        settings.create(str(tmp_path / "log"), KEY)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "input data was truncated"),
        ("[]", "expected `object`"),
        ('{"schema":"solon.log/v1","name":"a","key":"b","colour":1}', "unknown field `colour`"),
        ('{"schema":"solon.log/v2","name":"a","key":"b"}', "this Solon knows solon.log/v1"),
        ('{"schema":"solon.log/v1","name":"a","key":"b"}', "'b' is no public key"),
        (f'{{"schema":"solon.log/v1","name":"a","key":"{KEY.verifier}"}}', "the log is a"),
        ('{"schema":"solon.log/v1","name":"a","key":"b","rows":0}', "rows are 1 or more"),
        ('{"schema":"solon.log/v1","name":"a","key":"b","witnesses":[{}]}', "one of file, directory and url"),
        ('{"schema":"solon.log/v1","name":"a","key":"b","witnesses":[{"url":"https://w"}]}', "needs its key"),
        (
            '{"schema":"solon.log/v1","name":"a","key":"b","witnesses":[{"url":"file:///w","key":"k"}]}',
            "https://",
        ),
    ],
)
def test_log_json_that_is_wrong(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "log.json").write_text(text)
    with pytest.raises(LogError, match=r"log\.json: ") as raised:
        Log(str(tmp_path))
    assert wrong in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_directory_that_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"is no log: it has no log\.json"):
        Log(str(tmp_path))


def test_a_key_that_others_may_read(make_log: MakeLog) -> None:
    log = make_log()
    path = Path(log.directory) / "log.key"
    path.chmod(0o640)
    with pytest.raises(LogError, match="may be read by others: chmod 600"):
        log.signing_key()


def test_the_key_of_another_log(make_log: MakeLog) -> None:
    log = make_log()
    (Path(log.directory) / "log.key").write_text(SigningKey("log.example/test", bytes(32)).secret())
    with pytest.raises(LogError, match="is not the key"):
        log.integrate()


# --- trees


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=8), st.integers(1, 9))
@hypothesis_settings(max_examples=40)
def test_any_sequence_gives_the_tree_of_its_leaves(steps: list[tuple[int, bool, bool]], rows: int) -> None:
    """Appending, signing, and crashing in between: the tree is that of the leaves, at every checkpoint."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        directory = os.path.join(name, "log")
        settings.create(directory, KEY)
        ticks = iter(range(1 << 30))
        outside = Surroundings(lambda: START_NS + next(ticks), os.urandom)
        log, count = Log(directory, outside), 0
        signed: list[checkpoint.Checkpoint] = []
        for size, sign, crash in steps:
            log.append(entries(count, count + size * rows))
            count += size * rows
            if sign:
                signed += [each for each in log.integrate() if each.origin.endswith("/0001")]
            if crash:  # whoever held the lock is gone, and half a group is there
                log.close()
                file = segments(log)[-1]
                file.write_bytes(file.read_bytes() + segment.encoded([entry(9)], bytes(16), count, 1)[:-1])
                log = Log(directory, outside)
        log.append([entry(count)])
        signed += [each for each in log.integrate() if each.origin.endswith("/0001")]
        leaves = [each.leaf for each in log.entries("0001")]
        assert [each.says.id for each in log.entries("0001")] == [f"id-{n}" for n in range(count + 1)]
        assert signed[-1].size == count + 1
        for each in signed:
            frontier = merkle.Frontier()
            frontier.extend([merkle.leaf_hash(leaf) for leaf in leaves[: each.size]])
            assert each.root == frontier.root()
        report = verify(log)
        assert (report.problems, report.notes, report.entries) == ([], [], count + 1)
        log.close()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_the_files_of_a_tree(make_log: MakeLog, size: int) -> None:
    log = filled(make_log(), size)
    shard = Path(log.shard("0001").directory)
    expected = {path_of(level, n) for n in range(size // 256) for level in (0, -1)}
    if size % 256:
        expected |= {path_of(level, size // 256, size % 256) for level in (0, -1)}
    if size >= 256:
        expected.add(path_of(1, 0, size // 256))
    found = {str(path.relative_to(shard)) for path in (shard / "tile").rglob("*") if path.is_file()}
    first = {path_of(level, 0, 100) for level in (0, -1)} if size == 255 else set()
    assert (
        found == expected | first
    )  # the partial tiles of an earlier checkpoint stay until full ones are there
    leaves = [each.leaf for each in log.entries("0001")]
    bundled: list[bytes] = []
    for path in sorted(path for path in expected if path.startswith("tile/entries")):
        bundled += unbundled((shard / path).read_bytes())
    assert bundled == leaves


def test_the_path_of_a_tile() -> None:
    assert path_of(0, 1234067) == "tile/0/x001/x234/067"
    assert path_of(-1, 0, 5) == "tile/entries/000.p/5"
    assert path_of(2, 1000, 255) == "tile/2/x001/000.p/255"


def test_every_entry_can_be_proven(make_log: MakeLog) -> None:
    log = filled(make_log(), 300)
    for number in (0, 99, 100, 255, 256, 299):
        ((place, stored),) = log.find(f"id-{number}")
        text = str(log.prove(place, stored))
        proven = proof.verify(proof.parse(text), log.key)
        assert (proven.index, proven.leaf.id, proven.payload) == (
            number,
            f"id-{number}",
            entry(number).payload,
        )
        bare = log.prove(place, stored, event=False)
        assert proof.verify(proof.parse(str(bare)), log.key).payload is None
        recorded = proof.verify(log.prove_checkpoint(proven.checkpoint), log.key)
        assert recorded.payload == proven.checkpoint.text.encode()


def test_a_proof_that_was_changed(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    ((place, stored),) = log.find("id-3")
    good = str(log.prove(place, stored))
    other = str(log.prove(*log.find("id-2")[0]))
    wrong = [
        good.replace("index 3", "index 2"),
        good.replace(good.split("\n")[1], other.split("\n")[1]),
        good.replace(good.split("\n")[3], other.split("\n")[4]),
        good.replace("\n5\n", "\n6\n"),
    ]
    for text in wrong:
        assert text != good
        with pytest.raises(LogError):
            proof.verify(proof.parse(text), log.key)
    with pytest.raises(LogError, match="is not signed by"):
        proof.verify(proof.parse(good), SigningKey("log.example/test", bytes(32)).verifier)
    changed = proof.Proof(
        3, log.prove(place, stored).path, stored.leaf, stored.salt, b"{}", log.prove(place, stored).checkpoint
    )
    with pytest.raises(LogError, match="not the one that was logged"):
        proof.verify(proof.parse(str(changed)), log.key)


def test_what_is_in_no_checkpoint_cannot_be_proven(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    log.append([entry(5)])
    with pytest.raises(LogError, match="in no checkpoint yet: `solon log checkpoint"):
        log.prove(*log.find("id-5")[0])
    log.close()


def test_consistency_from_any_size(make_log: MakeLog) -> None:
    log = filled(make_log(), 300)
    place = log.shard("0001")
    for old in (0, 1, 100, 255, 256, 299, 300):
        before, _ = log.consistency(place, 0, old)
        new, path = log.consistency(place, old)
        assert new.size == 300
        assert merkle.consistent(old, 300, before.root if old else merkle.EMPTY, new.root, path)
    with pytest.raises(LogError, match="no way from 301 to 300"):
        log.consistency(place, 301)


# --- shards


def test_each_writer_has_a_shard(make_log: MakeLog) -> None:
    one, two = make_log(seed=1), make_log(seed=2)
    assert one.append(entries(0, 2)).shard == "0001"
    assert two.append(entries(2, 5)).shard == "0002"
    # Who signs does so for itself and for those that nobody writes.
    assert [(each.origin, each.size) for each in one.integrate()] == [
        ("log.example/test/decisions/0001", 2),
        ("log.example/test/meta", 1),
    ]
    two.close()
    assert [(each.origin, each.size) for each in one.integrate()] == [
        ("log.example/test/decisions/0002", 3),
        ("log.example/test/meta", 2),
    ]
    assert one.integrate() == []
    one.close()
    assert make_log(seed=3).append([entry(9)]).shard == "0001"
    assert verify(make_log()).entries == 6


def test_a_damaged_shard_is_not_written(make_log: MakeLog) -> None:
    """The others go on: a gate must not stand still since some old file is broken. It is said each time."""
    log = filled(make_log(), 5)
    os.truncate(segments(log)[0], 100)
    again = make_log()
    assert again.append([entry(5)]).shard == "0002"
    assert "has 0 whole entries, and 5 are signed" in again.notices[0]
    assert again.damaged
    assert [each.origin for each in again.integrate()] == [
        "log.example/test/decisions/0002",
        "log.example/test/meta",
    ]
    again.close()


def test_tiles_are_made_again(make_log: MakeLog) -> None:
    log = filled(make_log(), 600)
    shard = Path(log.shard("0001").directory)
    before = {path: path.read_bytes() for path in (shard / "tile").rglob("*") if path.is_file()}
    shutil.rmtree(shard / "tile")
    again = make_log()
    again.append([entry(600)])
    again.integrate()
    assert "made again from the segments" in again.notices[0]
    for path, data in before.items():
        if ".p" not in str(path):
            assert path.read_bytes() == data
    assert problems(again) == []
    again.close()


def test_nothing_is_signed_over_entries_that_were_changed(make_log: MakeLog) -> None:
    log = filled(make_log(), 10)
    path = segments(log)[0]
    other = make_log("other", seed=5)
    filled(other, 11)
    path.write_bytes(segments(other)[0].read_bytes())
    shutil.rmtree(Path(log.shard("0001").directory) / "tile")
    again = make_log()
    again.append([entry(11)])
    with pytest.raises(Damaged, match="are not those that were signed: nothing more is signed"):
        again.integrate()
    again.close()


# --- verification


def test_a_sound_log(make_log: MakeLog) -> None:
    log = filled(make_log(), 600)
    report = verify(log)
    assert report.problems == []
    assert report.notes == []
    (shard,) = report.shards
    assert (shard.origin, shard.entries, shard.signed, shard.erased) == (
        "log.example/test/decisions/0001",
        600,
        600,
        0,
    )


def test_entries_in_no_checkpoint_yet(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    log.append(entries(5, 8))
    assert verify(log).notes == [
        "log.example/test/decisions/0001: 3 of 8 entries are durable, and in no checkpoint yet"
    ]
    log.close()


@given(st.data())
@hypothesis_settings(max_examples=150)
def test_any_byte_that_is_changed_is_found_and_named(data: st.DataObject) -> None:
    original, bounds = _original()
    at = data.draw(st.integers(0, len(original) - 1))
    broken = bytearray(original)
    broken[at] ^= data.draw(st.integers(1, 255))
    found = _judged(bytes(broken))
    assert found
    assert all(each.path.endswith(".seg") for each in found)
    inside = [n for n, (start, end) in bounds.items() if start <= at < end]
    if inside:  # of an entry: it is that one alone
        assert [(each.index, each.id, each.offset) for each in found] == [
            (inside[0], f"id-{inside[0]}", bounds[inside[0]][0])
        ]
    else:  # of a header: it is said where it stands
        assert all(each.offset is not None and each.offset <= at for each in found)


def test_a_payload_with_a_fitting_checksum(make_log: MakeLog) -> None:
    """Whoever can compute a CRC cannot compute a digest."""
    log = filled(make_log(), 30)
    frame = _frames(log)[7]
    _rewrite(log, {7: _frame(frame.leaf, frame.salt, (frame.payload or b"").replace(b"id-7", b"id-8"))})
    (problem,) = verify(log).problems
    assert (problem.index, problem.id) == (7, "id-7")
    assert "its payload is not the one that was logged" in str(problem)


def test_an_entry_that_was_replaced(make_log: MakeLog) -> None:
    """Another entry in its place, with everything in it as it should be: the tree is another one."""
    log = filled(make_log(), 30)
    other = _frames(filled(make_log("other", seed=5), 30))[7]
    _rewrite(log, {7: _frame(other.leaf, other.salt, other.payload or b"")})
    (problem,) = verify(log).problems
    assert (problem.index, problem.id, problem.text) == (7, "id-7", "is not the one that was signed")


@pytest.mark.parametrize("gone", [0, 7, 28])
def test_an_entry_that_was_removed(make_log: MakeLog, gone: int) -> None:
    log = filled(make_log(), 30)
    _rewrite(log, {gone: b""})
    (problem,) = verify(log).problems
    assert (problem.index, problem.id, problem.text) == (gone, f"id-{gone}", "was signed, and is missing")


def test_entries_that_changed_places(make_log: MakeLog) -> None:
    log = filled(make_log(), 30)
    frames = _frames(log)
    swapped = {
        a: _frame(frames[b].leaf, frames[b].salt, frames[b].payload or b"") for a, b in ((4, 9), (9, 4))
    }
    _rewrite(log, swapped)
    assert [(each.index, each.id, each.text) for each in verify(log).problems] == [
        (4, "id-9", "stands in another place: it was signed as entry 9"),
        (9, "id-4", "stands in another place: it was signed as entry 4"),
    ]


def test_an_entry_that_was_slipped_in(make_log: MakeLog) -> None:
    log = filled(make_log(), 30)
    frame, other = _frames(log)[5], _frames(filled(make_log("other", seed=5), 30))[7]
    both = _frame(other.leaf, other.salt, other.payload or b"") + _frame(
        frame.leaf, frame.salt, frame.payload or b""
    )
    _rewrite(log, {5: both})
    found = verify(log).problems
    assert [(each.index, each.id) for each in found] == [(5, "id-7")]
    assert "was never signed" in found[0].text


@pytest.mark.parametrize("kept", [0, 1, 250, 599])
def test_entries_that_were_cut_off(make_log: MakeLog, kept: int) -> None:
    log = filled(make_log(), 600)
    _rewrite(log, dict.fromkeys(range(kept, 600), b""))
    found = verify(log).problems
    assert (found[0].index, found[-1].last or found[-1].index) == (kept, 599)
    assert "missing" in found[0].text
    assert f"id-{kept}" in str(found[0])


def test_a_segment_that_was_removed(make_log: MakeLog) -> None:
    log = filled(make_log(segment_minutes=1, segment_mib=1), 600)  # a look at the clock is a second
    names = [each.name for each in segments(log)]
    assert len(names) == 1
    one = make_log("many", rows=10)
    one.writer().writer._limits = type(one.writer().writer._limits)(segment_bytes=1_000)
    filled(one, 60, 10)
    files = segments(one)
    assert len(files) > 3
    files[2].unlink()
    first, behind = int(files[2].stem), int(files[3].stem)
    found = verify(one).problems
    assert (found[0].index, found[0].last) == (first, behind - 1)
    named = {each.id for each in found if each.index is not None} | {str(each) for each in found}
    assert any(f"id-{first}" in text for text in named)


def test_everything_below_was_rewritten(make_log: MakeLog) -> None:
    """With the tiles changed as well, the checkpoints in the meta-log say between which entries it is."""
    log = filled(make_log(), 300)
    other = filled(make_log("other", seed=9), 300)
    shard, forged = Path(log.shard("0001").directory), Path(other.shard("0001").directory)
    for name in ("segments", "tile"):
        shutil.rmtree(shard / name)
        shutil.copytree(forged / name, shard / name)
    (problem,) = verify(log).problems
    assert (problem.index, problem.last) == (0, 99)
    assert "these are not the entries that the meta-log signed" in problem.text


def test_history_that_was_rewritten_with_the_key(make_log: MakeLog) -> None:
    """The operator can make another log. Who kept a checkpoint sees it."""
    log = filled(make_log(), 300)
    kept = log.shard("0001").checkpoint(log.key), log.meta.checkpoint(log.key)
    forged = filled(make_log("other", seed=9), 400)
    assert problems(forged) == []
    for each in kept:
        assert each is not None
        assert verify(log, trusted=[each.text]).outside == [each]
        assert verify(forged, trusted=[each.text]).outside == []
        assert problems(forged, trusted=[each.text])
    assert "entries 0 to 299: these are not the entries that a checkpoint from outside signed" in "\n".join(
        problems(forged, trusted=[kept[0].text])  # type: ignore[union-attr]
    )


def test_a_log_that_was_put_back(make_log: MakeLog) -> None:
    log = filled(make_log(), 300)
    old = Path(log.directory).with_name("old")
    shutil.copytree(log.directory, old)
    again = make_log()
    again.append(entries(300, 310))
    again.integrate()
    again.close()
    newest = again.shard("0001").checkpoint(again.key)
    assert newest is not None
    assert "a checkpoint from outside has 310" in "\n".join(problems(Log(str(old)), trusted=[newest.text]))


def test_a_checkpoint_of_someone_else(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    forged = checkpoint.Checkpoint("log.example/test/decisions/0001", 5, bytes(32)).signed(
        SigningKey("log.example/test", bytes(32))
    )
    assert "is not signed by" in problems(log, trusted=[forged.text])[0]
    (Path(log.shard("0001").directory) / "checkpoint").write_text(forged.text)
    assert "is not signed by" in problems(log)[0]
    with pytest.raises(Damaged):
        log.prove(*log.find("id-1")[0])


def test_a_shard_that_is_gone(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    shutil.rmtree(log.shard("0001").directory)
    assert "the shard log.example/test/decisions/0001 is missing" in problems(log)[0]


def test_a_meta_log_that_is_gone(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    shutil.rmtree(log.meta.directory)
    assert problems(log) == [
        f"{log.shard('0001').directory}/checkpoint: the checkpoint at 5 is not in the meta-log"
    ]


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/001", "tile/1/000.p/2", "tile/0/002.p/88"])
def test_a_tile_that_was_changed(make_log: MakeLog, name: str) -> None:
    log = filled(make_log(), 600)
    path = Path(log.shard("0001").directory) / name
    broken = bytearray(path.read_bytes())
    broken[5] ^= 1
    path.write_bytes(broken)
    (problem,) = verify(log).problems
    assert problem.path == str(path)
    assert "does not follow from the entries" in problem.text


# --- erasing


def test_an_erased_payload(make_log: MakeLog) -> None:
    log = filled(make_log(), 300)
    ((place, stored),) = log.find("id-7")
    before = log.prove(place, stored)
    name = erasure.erase(log, [(place, stored)], reason="right to erasure", by="dpo@example.com")
    log.integrate()
    ((place, stored),) = log.find("id-7")
    assert stored.payload is None
    raw = b"".join(path.read_bytes() for path in Path(log.directory).rglob("*") if path.is_file())
    assert entry(7).payload not in raw
    assert before.salt not in raw
    after = proof.verify(log.prove(place, stored), log.key)
    assert (after.index, after.leaf.id, after.payload) == (7, "id-7", None)
    assert proof.verify(before, log.key).payload == entry(7).payload  # who kept it can still show it
    ((_, said),) = log.find(name)
    event = json.loads(said.payload or b"")
    assert (event["reason"], event["by"], event["entries"][0]["index"]) == (
        "right to erasure",
        "dpo@example.com",
        7,
    )
    report = verify(log)
    assert (report.problems, report.notes, report.shards[0].erased) == ([], [], 1)
    assert [each.payload for each in log.entries("0001", 8, 300)] == [entry(n).payload for n in range(8, 300)]
    log.close()


def test_a_payload_that_is_gone_without_an_erasure(make_log: MakeLog) -> None:
    log = filled(make_log(), 30)
    path = segments(log)[0]
    path.write_bytes(segment.without(path.read_bytes(), frozenset({7})))
    (problem,) = verify(log).problems
    assert (problem.index, problem.id, problem.text) == (
        7,
        "id-7",
        "its payload is gone, and no erasure says so",
    )


def test_a_crash_between_the_record_and_the_removal(
    make_log: MakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(make_log(), 30)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solon.decisions.log.shard.durable.replace", crash)
    with pytest.raises(KeyboardInterrupt):
        erasure.erase(log, log.find("id-7"), reason="r", by="b")
    monkeypatch.undo()
    log.close()
    again = make_log()
    report = verify(again)
    assert report.problems == []
    assert any("its payload is still there: `solon log erase` once more" in note for note in report.notes)
    erasure.erase(again, again.find("id-7"), reason="r", by="b")
    again.integrate()
    again.close()
    assert (verify(again).problems, verify(again).notes) == ([], [])


def test_what_another_process_writes_is_not_erased(
    make_log: MakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "PATIENCE", 0.0)
    log = make_log(seed=1)
    log.append(entries(0, 3))
    other = make_log(seed=2)
    with pytest.raises(LogError, match="erase once it has begun the next one"):
        erasure.erase(other, other.find("id-1"), reason="r", by="b")
    assert verify(other).shards[0].entries == 3
    log.append(entries(9, 10))  # it was asked to begin a new segment, and what it has done with is erased
    erasure.erase(other, other.find("id-1"), reason="r", by="b")
    log.append(entries(3, 5))
    log.close()
    other.close()
    log.integrate()
    assert verify(log).problems == []
    assert log.find("id-1")[0][1].payload is None


def test_who_writes_is_asked_to_begin_a_new_segment(make_log: MakeLog) -> None:
    log, other = make_log(seed=1), make_log(seed=2)
    log.append(entries(0, 3))
    stop = threading.Event()

    def go_on() -> None:
        number = 10
        while not stop.wait(0.02):
            log.append(entries(number, number + 1))
            number += 1

    writing = threading.Thread(target=go_on)
    writing.start()
    try:
        erasure.erase(other, other.find("id-1"), reason="r", by="b")
    finally:
        stop.set()
        writing.join()
    log.integrate()
    other.close()
    log.close()
    log.integrate()
    report = verify(log)
    assert (report.problems, report.notes) == ([], [])
    assert log.find("id-1")[0][1].payload is None
    assert len(segments(log)) == 2
    assert not Path(log.directory, "shards/0001/segments/seal").exists()


def test_an_erasure_is_not_erased(make_log: MakeLog) -> None:
    log = filled(make_log(), 3)
    name = erasure.erase(log, log.find("id-1"), reason="r", by="b")
    with pytest.raises(LogError, match="is the record of an erasure, and stays"):
        erasure.erase(log, log.find(name), reason="r", by="b")
    with pytest.raises(LogError, match="needs a reason"):
        erasure.erase(log, log.find("id-2"), reason=" ", by="b")
    log.close()


# --- what an attacker does


def _frames(log: Log) -> list[segment.Frame]:
    data = segments(log)[0].read_bytes()
    head = segment.read_header(data)
    return [frame for group in segment.groups(data, 0, head.end) for frame in segment.frames(data, group)]


def _frame(leaf: bytes, salt: bytes, payload: bytes) -> bytes:
    import zlib

    body = BODY.pack(1, len(leaf)) + leaf + salt + payload
    return FRAME.pack(len(body), zlib.crc32(body)) + body


def _rewrite(log: Log, changes: dict[int, bytes]) -> None:
    """Put other frames in the place of some, with all headers and checksums as they should be."""
    path = segments(log)[0]
    frames = _frames(log)
    raw = [
        changes.get(frame.number, _frame(frame.leaf, frame.salt, frame.payload or b"")) for frame in frames
    ]
    count = sum(_count(each) for each in raw)
    data = path.read_bytes()
    head = data[: segment.read_header(data).end]
    content = b"".join(raw)
    path.write_bytes(head + (segment.group_header(len(content), count, 0, 1) + content if count else b""))


def _count(raw: bytes) -> int:
    at = count = 0
    while at < len(raw):
        at += FRAME.size + FRAME.unpack_from(raw, at)[0]
        count += 1
    return count


_cache: list[tuple[str, bytes, dict[int, tuple[int, int]]]] = []


def _original() -> tuple[bytes, dict[int, tuple[int, int]]]:
    """A signed log of thirty entries, made once: its segment, and where each entry stands in it."""
    import tempfile

    if not _cache:
        directory = os.path.join(tempfile.mkdtemp(), "log")
        settings.create(directory, KEY)
        log = filled(Log(directory), 30, 10)
        data = segments(log)[0].read_bytes()
        bounds = {}
        for group in segment.groups(data, 0, segment.read_header(data).end):
            at = group.offset + GROUP_SIZE
            for number in range(group.first, group.first + group.rows):
                end = at + FRAME.size + FRAME.unpack_from(data, at)[0]
                bounds[number] = (at, end)
                at = end
        assert len(bounds) == 30
        assert CRC.size == 4
        _cache.append((directory, data, bounds))
    return _cache[0][1:]


def _judged(data: bytes) -> list:  # type: ignore[type-arg]
    log = Log(_cache[0][0])
    path = segments(log)[0]
    original = path.read_bytes()
    path.write_bytes(data)
    try:
        return verify(log).problems
    finally:
        path.write_bytes(original)


def test_reading_ends_where_writing_is_under_way(make_log: MakeLog) -> None:
    log = filled(make_log(), 5)
    path = segments(log)[0]
    path.write_bytes(path.read_bytes() + segment.encoded([entry(9)], bytes(16), 5, 1)[:-3])
    assert [each.index for each in reading.entries(log.shard("0001").segments)] == list(range(5))
    report = verify(log)
    assert report.problems == []
    assert "was not acknowledged" in report.notes[0]
