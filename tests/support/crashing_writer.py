"""Kills a process that writes a log, again and again, and counts what is there afterwards.

    python crashing_writer.py LOG ROUNDS SEED

Each round forks a writer, which appends, begins new segments, signs and erases, and says what was acknowledged; then it
is killed at a random moment. Prints what was acknowledged, found, lost, and found twice, and what verification says.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter

from decision_logs import KEY

from solon.decisions.log import erasure, settings
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify


def entry(name: str) -> Entry:
    return Entry(
        Kind.DECISION, name, time.time_ns(), json.dumps({"decision_id": name, "x": "y" * 300}).encode()
    )


def write(directory: str, number: int, numbers: random.Random, pipe: int) -> None:
    """Until it is killed. An id is said when the append of it has returned."""
    log = Log(directory)
    writer = log.writer().writer
    writer._limits = type(writer._limits)(segment_bytes=numbers.choice((2_000, 20_000, 1 << 30)))
    count = 0
    while True:
        names = [f"{number}-{count + n}" for n in range(numbers.choice((1, 1, 3, 40)))]
        log.append([entry(name) for name in names])
        os.write(pipe, "".join(f"{name}\n" for name in names).encode())
        count += len(names)
        act = numbers.random()
        if act < 0.15:
            log.integrate()
        elif act < 0.2:
            erasure.erase(log, log.find(names[0]), reason="test", by="test")


def killed(directory: str, number: int, numbers: random.Random) -> list[str]:
    """What a writer acknowledged before it was killed."""
    read, pipe = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            write(directory, number, numbers, pipe)
        finally:
            os._exit(1)
    os.close(pipe)
    said = os.read(read, 65_536)  # it has begun
    time.sleep(numbers.random() ** 2 * 0.08)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while part := os.read(read, 65_536):
        said += part
    os.close(read)
    assert os.WIFSIGNALED(status), "the writer failed by itself"
    return [name for name in said.decode().split("\n")[:-1] if name]


def main(directory: str, rounds: int, seed: int) -> None:
    numbers = random.Random(seed)
    settings.create(directory, KEY)
    acknowledged: set[str] = set()
    problems: list[str] = []
    kept: list[str] = []  # checkpoints that somebody outside has
    for number in range(rounds):
        acknowledged.update(killed(directory, number, random.Random(numbers.random())))
        log = Log(directory)
        problems += [str(problem) for problem in verify(log, trusted=kept).problems]
        kept = [each.text for place in log.places() if (each := place.checkpoint(log.key)) is not None]
    log = Log(directory)
    log.integrate()
    log.close()
    report = verify(log, trusted=kept)
    problems += [str(problem) for problem in report.problems]
    found = Counter(
        stored.says.id
        for place in log.shards()
        for stored in log.entries(place.name)
        if stored.says.kind is Kind.DECISION
    )
    sys.stdout.write(
        json.dumps(
            {
                "acknowledged": len(acknowledged),
                "lost": sorted(acknowledged - found.keys()),
                "twice": [name for name, count in found.items() if count > 1],
                "problems": problems,
                "shards": len(log.shards()),
                "unsigned": [note for note in report.notes if "no checkpoint" in note],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
