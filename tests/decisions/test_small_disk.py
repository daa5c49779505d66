"""A disk that is full, and one that is read-only: a real one, where this machine lets the tests mount it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from decision_events import KEY, event, later

from solon.decisions import retention
from solon.decisions.log import settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.events import entry_of
from solon.decisions.log.settings import Rule
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.warehouse import compaction, session

START = "2026-03-01T00:00:00Z"
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Disk:
    """A small file system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = str(path / "log")

    def mount(self, options: str) -> bool:
        return not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path], capture_output=True, check=False
        ).returncode

    def fill(self, left: int) -> None:
        """Let so many bytes be free."""
        free = os.statvfs(self.path)
        with (self.path / "filler").open("ab") as file:
            file.write(bytes(max(free.f_bavail * free.f_frsize - left, 0)))

    def empty(self) -> None:
        (self.path / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    found = Disk(tmp_path / "disk")
    found.path.mkdir()
    if not found.mount("size=16m"):
        pytest.skip("nothing can be mounted here")
    try:
        settings.create(found.log, KEY)
        yield found
    finally:
        subprocess.run(["umount", "-l", found.path], check=True)


def append(log: Log, first: int, end: int) -> None:
    log.append([
        entry_of(json.dumps(event(n, later(START, minutes=n), note="x" * 1_000)).encode()) for n in range(first, end)
    ])  # fmt: skip


def ids(log: Log) -> list[str]:
    return [stored.says.id for stored in log.entries("0001") if stored.leaf[1] == 1]


def asked(log: Log) -> list[int]:
    with session.opened(log) as found:
        return [int(name[2:]) for (name,) in found.all("SELECT decision_id FROM decisions ORDER BY time")]


def sound(log: Log) -> None:
    report = verify(log)
    assert (report.problems, [note for note in report.notes if "no checkpoint" not in note]) == ([], [])


def test_appending_to_a_full_disk(disk: Disk) -> None:
    with Log(disk.log) as log:
        append(log, 0, 10)
        disk.fill(20_000)
        with pytest.raises(
            LogError, match=r"\.seg: no space left on device: these entries are not in the log"
        ):
            append(log, 10, 100)
        assert ids(log) == [f"d-{n}" for n in range(10)]
        append(log, 10, 12)  # what is small still fits
        disk.empty()
        append(log, 12, 100)
        log.integrate()
        assert ids(log) == [f"d-{n}" for n in range(100)]
        sound(log)


def test_a_segment_that_cannot_be_begun(disk: Disk) -> None:
    with Log(disk.log) as log:
        append(log, 0, 1)
        disk.fill(0)
        with pytest.raises(LogError, match="no segment can be begun: no space left on device"):
            log.writer().writer.seal()
        disk.empty()
        append(log, 1, 3)
        log.integrate()
        sound(log)


def test_signing_on_a_full_disk(disk: Disk) -> None:
    """What is durable stays; it is signed when there is room."""
    with Log(disk.log) as log:
        append(log, 0, 600)
        disk.fill(8_000)
        with pytest.raises(LogError, match="no space left on device"):
            log.integrate()
        disk.empty()
        append(log, 600, 601)
        log.integrate()
        sound(log)
        assert verify(log).shards[0].signed == 601


@pytest.mark.parametrize("left", [0, 50_000, 150_000, 400_000])
def test_compacting_on_a_full_disk(disk: Disk, left: int) -> None:
    with Log(disk.log) as log:
        append(log, 0, 1_000)
        disk.fill(left)
        with pytest.raises(LogError, match=r"(?i)^[^\n]*no space left on device[^\n]*$"):
            compaction.compact(log, open_segments=True)
        assert asked(log) == list(range(1_000))
        disk.empty()
        compaction.compact(log, open_segments=True)
        assert asked(log) == list(range(1_000))
        assert compaction.waiting(log) == 0


def test_retaining_on_a_full_disk(disk: Disk) -> None:
    settings.write(disk.log, msgspec.structs.replace(settings.read(disk.log), retention=[Rule("1d")]))
    with Log(disk.log) as log:
        append(log, 0, 500)
        log.writer().writer.seal()
        append(log, 500, 501)
        disk.fill(30_000)
        with pytest.raises(LogError, match="no space left on device"):
            retention.apply(log, LATER, by="test")
        assert verify(log).problems == []
        disk.empty()
        retention.apply(log, LATER, by="test")
        log.integrate()
        sound(log)
        assert asked(log) == []


@pytest.fixture
def read_only(disk: Disk) -> Disk:
    with Log(disk.log) as log:
        append(log, 0, 20)
        log.integrate()
        compaction.compact(log, open_segments=True)
        append(log, 20, 30)
    assert disk.mount("remount,ro")
    return disk


@pytest.mark.parametrize(
    "work",
    [
        lambda log: append(log, 30, 31),
        lambda log: log.integrate(),
        lambda log: compaction.compact(log, open_segments=True),
        lambda log: retention.apply(log, LATER, by="test"),
    ],
)
def test_writing_to_a_read_only_disk(read_only: Disk, work: Callable[[Log], Any]) -> None:
    with Log(read_only.log) as log, pytest.raises(LogError, match="read-only file system"):
        work(log)


def test_reading_a_read_only_disk(read_only: Disk) -> None:
    log = Log(read_only.log)
    assert asked(log) == list(range(30))
    sound(log)
    assert log.prove(*log.find("d-3")[0]).index == 3
