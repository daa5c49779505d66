"""Verification on several cores says what it says on one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from decision_logs import entries

from solon.decisions.log import ahead, erasure, segment
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify


def change(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def nothing(files: list[Path]) -> None:
    pass


def in_the_middle(files: list[Path]) -> None:
    change(files[1], files[1].stat().st_size // 2)


def a_header(files: list[Path]) -> None:
    change(files[2], 9)


def one_is_gone(files: list[Path]) -> None:
    files[1].unlink()


def two_changed_places(files: list[Path]) -> None:
    first, second = files[0].read_bytes(), files[1].read_bytes()
    files[0].write_bytes(second)
    files[1].write_bytes(first)


def a_torn_tail(files: list[Path]) -> None:
    files[-1].write_bytes(files[-1].read_bytes()[:-7])


def a_payload_is_gone(files: list[Path]) -> None:
    files[0].write_bytes(segment.without(files[0].read_bytes(), frozenset({2})))


@pytest.mark.parametrize(
    ("damage", "problems"),
    [
        (nothing, 0),
        (in_the_middle, 1),
        (a_header, 1),
        (one_is_gone, 1),
        (two_changed_places, 2),
        (a_torn_tail, 1),
        (a_payload_is_gone, 1),
    ],
)
def test_the_same_is_found(
    make_log: Callable[..., Log],
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[list[Path]], None],
    problems: int,
) -> None:
    log = make_log()
    for part in range(4):
        log.append(entries(part * 10, part * 10 + 10))
        log.writer().writer.seal()
    erasure.erase(log, log.find("id-25"), reason="r", by="b")
    log.integrate()
    log.close()
    damage(sorted(Path(log.directory).glob("shards/0001/segments/*.seg")))
    alone = verify(log)
    monkeypatch.setattr(ahead, "WORTH", 0)
    assert verify(log, jobs=2) == alone
    assert len(alone.problems) >= problems
    assert bool(alone.problems) == bool(problems)


def test_a_process_that_is_killed_is_done_without() -> None:
    future: Future[ahead.Looked | None] = Future()
    future.set_exception(BrokenProcessPool())
    assert ahead._result(future) is None
