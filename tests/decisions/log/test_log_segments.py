"""Leaves, segments, the writer, and what it makes of what a crash left."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import threading
from pathlib import Path

import pytest
from decision_logs import START_NS, around, entries, entry
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.decisions.log import leaf, reading, segment
from solon.decisions.log.commit import GroupCommit
from solon.decisions.log.errors import Damaged, LogError
from solon.decisions.log.events import entry_of, nanoseconds
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.salvage import Gap, salvaged
from solon.decisions.log.writer import Limits, Surroundings, Writer

ORIGIN = "log.example/test/decisions/0001"


def writer(path: Path, *, signed: int = 0, around_: Surroundings | None = None, **limits: int) -> Writer:
    return Writer(str(path), ORIGIN, around_ or around(), Limits(**limits), signed=signed)


def ids(path: Path) -> list[str]:
    return [each.says.id for each in reading.entries(str(path))]


def files(path: Path) -> list[Path]:
    return sorted(path.glob("*.seg"))


# --- the leaf


def test_the_bytes_of_a_leaf() -> None:
    salt = bytes(range(16))
    one = Entry(Kind.DECISION, "d-1", 0x0102030405060708, b"{}", "deny", b"\x11" * 32)
    digest = hashlib.sha256(salt + b"{}").digest()
    expected = bytes([1, 1, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8]) + b"\x11" * 32 + digest + b"d-1"
    assert leaf.encode(one, salt) == expected
    assert leaf.decode(expected) == leaf.Leaf(
        Kind.DECISION, "d-1", 0x0102030405060708, "deny", b"\x11" * 32, digest
    )


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda data: data[:76], "too short"),
        (lambda data: b"\2" + data[1:], "version 2"),
        (lambda data: data[:1] + b"\0" + data[2:], "0 is not a valid Kind"),
        (lambda data: data[:2] + b"\5" + data[3:], "outcome 5"),
        (lambda data: data + b"x", "not as long"),
        (lambda data: data[:-1] + b"\xff", "not UTF-8"),
    ],
)
def test_a_leaf_has_one_form(change: object, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        leaf.decode(change(leaf.encode(entry(1), bytes(16))))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (Entry(Kind.DECISION, "", 1, b""), "needs an id"),
        (Entry(Kind.DECISION, "é" * 128, 1, b""), "at most 255 bytes"),
        (Entry(Kind.DECISION, "a", -1, b""), "outside of 1970"),
        (Entry(Kind.DECISION, "a", 1 << 64, b""), "outside of 1970"),
        (Entry(Kind.DECISION, "a", 1, b"", "maybe"), "unknown outcome 'maybe'"),
    ],
)
def test_an_entry_that_has_no_leaf(one: Entry, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=wrong):
        leaf.encode(one, bytes(16))
    with pytest.raises(LogError, match=wrong):
        writer(tmp_path).write([one])


def test_the_digest_of_policies() -> None:
    """Names and revisions behind their lengths, in the order of the names: no two sets of them are the same bytes."""
    said = b"\0\0\0\1a\0\0\0\2r1\0\0\0\1b\0\0\0\0"
    assert leaf.policies_digest({"b": "", "a": "r1"}) == hashlib.sha256(said).digest()
    assert leaf.policies_digest({}) == bytes(32)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b'{"decision_id":"a","timestamp":"1970-01-01T00:00:01.5Z","result":true}\n',
            ("a", 1_500_000_000, "allow", Kind.DECISION),
        ),
        (
            b'{"decision_id":"a","timestamp":"1970-01-01T01:00:01+01:00","result":{"allow":false}}',
            ("a", 1_000_000_000, "deny", Kind.DECISION),
        ),
        (
            b'{"decision_id":"a","timestamp":"1970-01-01T00:00:00.000000001Z","result":{"allowed":true},"solon":{"outcome":"warn"}}',
            ("a", 1, "warn", Kind.DECISION),
        ),
        (
            b'{"decision_id":"a","timestamp":"1970-01-01T00:00:00Z","error":{"code":"x"},"result":true}',
            ("a", 0, "error", Kind.DECISION),
        ),
        (
            b'{"decision_id":"a","timestamp":"1970-01-01T00:00:00Z","result":["x"],"solon":{"event":"rollout"}}',
            ("a", 0, "", Kind.ROLLOUT),
        ),
    ],
)
def test_events(line: bytes, expected: tuple[object, ...]) -> None:
    one = entry_of(line)
    assert (one.id, one.time_ns, one.outcome, one.kind) == expected
    assert one.payload == line.rstrip(b"\n")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"timestamp":"1970-01-01T00:00:00Z"}',
        b'{"decision_id":"a"}',
        b'{"decision_id":"a","timestamp":"yesterday"}',
        b'{"decision_id":"a","timestamp":"1970-13-01T00:00:00Z"}',
        b'{"decision_id":"a","timestamp":"1970-01-01T00:00:00Z","solon":{"event":"lunch"}}',
        b'{"decision_id":"\xff","timestamp":"1970-01-01T00:00:00Z"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has words of its own)
        entry_of(line)


@given(st.integers(0, (1 << 63) - 1))
@settings(max_examples=100)
def test_times_keep_their_nanoseconds(time_ns: int) -> None:
    from solon.decisions.record import rfc3339

    assert nanoseconds(rfc3339(time_ns)) == time_ns


# --- writing and reading


def test_what_is_written_is_read(tmp_path: Path) -> None:
    log = writer(tmp_path, rows=3)
    assert log.write(entries(0, 7)) == 0
    assert log.write(entries(7, 8)) == 7
    assert ids(tmp_path) == [f"id-{n}" for n in range(8)]
    found = list(reading.entries(str(tmp_path), 3, 5))
    assert [each.index for each in found] == [3, 4]
    assert [each.payload for each in found] == [entry(3).payload, entry(4).payload]
    assert reading.size(str(tmp_path)) == 8
    assert [each.index for each in reading.find(str(tmp_path), "id-5")] == [5]
    assert not list(reading.find(str(tmp_path), "id-"))


def test_segments_follow_one_another(tmp_path: Path) -> None:
    log = writer(tmp_path, segment_bytes=600, rows=2)
    for number in range(6):
        log.write(entries(number * 2, number * 2 + 2))
    assert [each.name for each in files(tmp_path)] == [segment.name_of(n) for n in (0, 4, 8)]
    assert ids(tmp_path) == [f"id-{n}" for n in range(12)]
    assert [each.index for each in reading.entries(str(tmp_path), 5, 9)] == [5, 6, 7, 8]


def test_a_segment_ends_with_its_age(tmp_path: Path) -> None:
    now = [START_NS]
    log = writer(tmp_path, around_=Surroundings(lambda: now[0], bytes), segment_age_ns=10)
    log.write(entries(0, 1))
    now[0] += 9
    log.write(entries(1, 2))
    now[0] += 1
    log.write(entries(2, 3))
    assert [each.name for each in files(tmp_path)] == [segment.name_of(0), segment.name_of(2)]


def test_a_segment_that_is_missing(tmp_path: Path) -> None:
    log = writer(tmp_path, segment_bytes=1)
    for number in range(3):
        log.write(entries(number, number + 1))
    files(tmp_path)[1].unlink()
    with pytest.raises(Damaged, match=r"entries 1 to 1 are missing"):
        ids(tmp_path)


def test_the_clock_goes_back(tmp_path: Path) -> None:
    now = [START_NS]
    log = writer(tmp_path, around_=Surroundings(lambda: now[0], bytes))
    log.write(entries(0, 1))
    now[0] -= 3_600_000_000_000
    log.write(entries(1, 2))
    assert [each.time_ns for each in reading.entries(str(tmp_path))] == [START_NS, START_NS]
    assert log.notices == [
        "the clock went back by 3,600 s: entries keep their order, and the time of commits stands still"
    ]


# --- what a crash leaves


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.floats(0, 1))
@settings(max_examples=150)
def test_a_torn_tail_is_cut_off(groups: list[int], where: float) -> None:
    """Whatever part of the last group had come to the disk: all before it is there, and writing goes on behind it."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        log, count = writer(path), 0
        for size in groups:
            before = files(path)[0].stat().st_size
            log.write(entries(count, count + size))
            count += size
        log.close()
        kept = count - groups[-1]
        file = files(path)[0]
        cut = before + int(where * (file.stat().st_size - 1 - before))
        os.truncate(file, cut)
        again = writer(path)
        assert again.size == kept
        assert len(again.notices) == (1 if cut > before else 0)
        assert again.write(entries(kept, kept + 2)) == kept
        assert ids(path) == [f"id-{n}" for n in range(kept + 2)]


def test_a_torn_tail_of_other_bytes(tmp_path: Path) -> None:
    """A disk may have the length of a write and not its bytes."""
    log = writer(tmp_path)
    log.write(entries(0, 2))
    whole = files(tmp_path)[0].read_bytes()
    for tail in (bytes(5_000), b"\xff" * 10, segment.GROUP_MAGIC * 20, whole[-100:]):
        files(tmp_path)[0].write_bytes(whole + tail)
        again = writer(tmp_path)
        assert again.size == 2
        assert f"its last {len(tail):,} bytes were cut off" in again.notices[0]
        assert files(tmp_path)[0].read_bytes() == whole


def test_a_crash_before_the_header(tmp_path: Path) -> None:
    log = writer(tmp_path, segment_bytes=1)
    log.write(entries(0, 1))
    log.seal()
    files(tmp_path)[1].write_bytes(files(tmp_path)[1].read_bytes()[:20])
    again = writer(tmp_path)
    assert again.size == 1
    assert "was removed" in again.notices[0]
    again.write(entries(1, 2))
    assert ids(tmp_path) == ["id-0", "id-1"]


def test_damage_in_the_middle_is_never_cut_off(tmp_path: Path) -> None:
    log = writer(tmp_path)
    ends = [log._end]
    for number in range(3):
        log.write(entries(number * 3, number * 3 + 3))
        ends.append(log._end)
    whole = files(tmp_path)[0].read_bytes()
    for at in range(ends[0], ends[2], 7):
        broken = bytearray(whole)
        broken[at] ^= 1
        files(tmp_path)[0].write_bytes(broken)
        with pytest.raises(Damaged, match="no crash; nothing is cut off"):
            writer(tmp_path)
        assert files(tmp_path)[0].read_bytes() == broken


def test_what_was_signed_is_never_cut_off(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.write(entries(0, 3))
    whole = files(tmp_path)[0].read_bytes()
    os.truncate(files(tmp_path)[0], len(whole) - 1)
    with pytest.raises(Damaged, match="has 0 whole entries, and 3 are signed"):
        writer(tmp_path, signed=3)
    assert files(tmp_path)[0].stat().st_size == len(whole) - 1
    files(tmp_path)[0].unlink()
    with pytest.raises(Damaged, match="has 0 whole entries, and 3 are signed"):
        writer(tmp_path, signed=3)


def test_a_segment_of_another_shard(tmp_path: Path) -> None:
    writer(tmp_path).write(entries(0, 3))
    with pytest.raises(Damaged, match="put it back there"):
        Writer(str(tmp_path), "log.example/other", around(), Limits())


# --- disks that refuse


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """What did not fit is not acknowledged, and not there; what was, is; and when there is room, writing goes on."""
    log = writer(tmp_path)
    log.write(entries(0, 3))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (files(tmp_path)[0].stat().st_size + 100, hard))
    try:
        with pytest.raises(LogError, match=r"file too large: these entries are not in the log"):
            log.write(entries(3, 6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert ids(tmp_path) == ["id-0", "id-1", "id-2"]
    assert log.write(entries(3, 4)) == 3
    log.close()
    assert writer(tmp_path).notices == []
    assert ids(tmp_path) == ["id-0", "id-1", "id-2", "id-3"]


def test_a_disk_that_fails_to_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync nobody knows what the disk has: this writer writes no more."""
    log = writer(tmp_path)
    log.write(entries(0, 1))

    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", failing)
    for _ in range(2):
        with pytest.raises(LogError, match=r"the disk failed \(input/output error\): open the log anew"):
            log.write(entries(1, 2))
    monkeypatch.undo()
    with pytest.raises(LogError, match="the disk failed"):
        log.write(entries(1, 2))
    assert writer(tmp_path).write(entries(1, 2)) == 1
    assert ids(tmp_path) == ["id-0", "id-1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LogError, match="cannot be opened for writing: permission denied"):
            writer(tmp_path / "segments")
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def read_only(path: str, flags: int, *rest: int) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system", path)
        return opened(path, flags, *rest)

    writer(tmp_path).close()
    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(LogError, match=r"\.seg: the log cannot be opened for writing: read-only file system"):
        writer(tmp_path)


def test_an_entry_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "MAX_PAYLOAD", 10)
    with pytest.raises(LogError, match="an entry at most 10"):
        writer(tmp_path).write([entry(1)])


# --- group commit


def test_threads_share_commits() -> None:
    """Each caller's entries stay together, each gets its own index, and no commit has more rows than allowed."""
    commits: list[list[str]] = []
    gate = threading.Event()

    def write(batch: object) -> int:
        gate.wait(5)
        first = sum(map(len, commits))
        commits.append([one.id for one in batch])  # type: ignore[attr-defined]
        return first

    group = GroupCommit(write, rows=10)
    got: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda n=n: got.__setitem__(n, group.append(entries(n * 3, n * 3 + 3))))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    order = [name for commit in commits for name in commit]
    assert len(order) == 60
    for number, first in got.items():
        assert order[first : first + 3] == [f"id-{number * 3 + n}" for n in range(3)]
    assert max(map(len, commits)) <= 10
    assert len(commits) < 20


def test_a_commit_waits_for_company() -> None:
    commits: list[int] = []

    def write(batch: object) -> int:
        commits.append(len(batch))  # type: ignore[arg-type]
        return 0

    group = GroupCommit(write, rows=2, delay=30)
    threads = [threading.Thread(target=group.append, args=[entries(n, n + 1)]) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert commits == [2]


def test_everyone_hears_of_a_failure() -> None:
    def write(_batch: object) -> int:
        raise LogError("no room")

    group = GroupCommit(write)
    for _ in range(2):
        with pytest.raises(LogError, match="no room"):
            group.append(entries(0, 1))


# --- erasing, and salvaging


def test_a_segment_without_some_payloads(tmp_path: Path) -> None:
    log = writer(tmp_path, rows=2)
    log.write(entries(0, 5))
    path = files(tmp_path)[0]
    before = list(reading.entries(str(tmp_path)))
    path.write_bytes(segment.without(path.read_bytes(), frozenset({1, 4})))
    after = list(reading.entries(str(tmp_path)))
    assert [each.leaf for each in after] == [each.leaf for each in before]
    assert [each.payload is None for each in after] == [False, True, False, False, True]
    assert [each.salt == b"" for each in after] == [False, True, False, False, True]
    assert entry(1).payload not in path.read_bytes()
    again = segment.without(path.read_bytes(), frozenset({1}))
    assert again == path.read_bytes()


@given(st.data())
@settings(max_examples=200)
def test_salvage_finds_all_but_what_is_broken(data: st.DataObject) -> None:
    """One byte is wrong: no more than one entry is lost, and the gap stands where the byte is."""
    salts = bytes(range(256)) * 2
    whole = segment.header(ORIGIN, 0, 1)
    bounds = [len(whole)]
    for first in (0, 4, 8):
        whole += segment.encoded(entries(first, first + 4), salts, first, 1)
        bounds.append(len(whole))
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = bytearray(whole)
    broken[at] ^= data.draw(st.integers(1, 255))
    parts = list(salvaged(bytes(broken), 0))
    gaps = [part for part in parts if isinstance(part, Gap)]
    found = {
        frame.number: leaf.decode(frame.leaf).id
        for part in parts
        if not isinstance(part, Gap)
        for frame in part[1]
    }
    assert gaps
    assert all(name == f"id-{number}" for number, name in found.items())
    assert len(found) >= 11
    begun = max((start for start in (0, *bounds[:-1]) if start <= at), default=0)
    assert any(begun <= gap.offset <= at for gap in gaps)
    lost = set(range(12)) - found.keys()
    assert {number for gap in gaps for number in range(gap.first, gap.end)} == lost
