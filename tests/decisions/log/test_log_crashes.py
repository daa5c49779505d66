"""Processes that are killed, and processes that write at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from decision_logs import entries

from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify

ROOT = Path(__file__).parents[3]
ROUNDS = int(int(os.environ.get("SOLON_KILLS", "30")) * 0.4)  # see test_killed_work
PATHS = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "support")])


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_that_is_killed(tmp_path: Path, seed: int) -> None:
    """No acknowledged decision is lost, none is there twice, and the log verifies after every kill."""
    run = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests/support/crashing_writer.py"),
            str(tmp_path / "log"),
            str(ROUNDS // 2),
            str(seed),
        ],
        env={**os.environ, "PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=60 + ROUNDS * 5,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found.pop("acknowledged") >= ROUNDS // 2
    assert found == {"lost": [], "twice": [], "problems": [], "shards": 1, "unsigned": []}


WRITER = """
import sys
from decision_logs import entry
from solon.decisions.log.store import Log
log, number = Log(sys.argv[1]), int(sys.argv[2])
log.writer()
print("ready", flush=True)
sys.stdin.readline()
for at in range(40):
    log.append([entry(number * 1_000 + at)])
    if at % 10 == 9:
        log.integrate()
log.close()
"""


def test_processes_that_write_at_once(make_log: Callable[..., Log]) -> None:
    """Each has a shard, they sign the meta-log in turn, and nothing is mixed."""
    log = make_log()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, log.directory, str(number)],
            env={**os.environ, "PYTHONPATH": PATHS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    log.integrate()
    report = verify(log)
    assert (report.problems, report.notes) == ([], [])
    assert [(shard.entries, shard.signed) for shard in report.shards] == [(40, 40)] * 3
    assert sorted(s.says.time_ns for place in log.shards() for s in log.entries(place.name)) == sorted(
        entry.time_ns for number in range(3) for entry in entries(number * 1_000, number * 1_000 + 40)
    )


def test_threads_that_write_and_sign_at_once(make_log: Callable[..., Log]) -> None:
    log = make_log()

    def work(number: int) -> None:
        for at in range(20):
            placed = log.append(entries(number * 100 + at, number * 100 + at + 1))
            ((_, stored),) = log.find(f"id-{number * 100 + at}")
            assert stored.index == placed.first
            if at % 5 == 0:
                log.integrate()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    log.integrate()
    report = verify(log)
    assert (report.problems, report.notes, report.entries) == ([], [], 80)
    log.close()


def test_shards_of_others_are_opened_when_they_have_grown(make_log: Callable[..., Log]) -> None:
    """A server that signs every second does not read every old segment each time."""
    log, other = make_log(seed=1), make_log(seed=2)
    log.append(entries(0, 1))
    for number in range(3):
        other.append(entries(10 + number, 11 + number))
        other.close()
        assert [each.size for each in log.integrate() if each.origin.endswith("/0002")] == [number + 1]
        assert log.integrate() == []
    log.close()
    assert verify(log).problems == []
