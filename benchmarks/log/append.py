"""Durable appends: the decision log beside SQLite and beside a file that is only written and synced.

    python benchmarks/log/append.py [--rows 500000] [--batch 1000] [--directory DIR]

Decisions of 1.2 KB with random digests and ids. Every batch is on the disk before the next. The contestants take turns, a
batch each, so that what else the machine does hits all alike. SQLite has the indexes that answer an auditor: by id, by time,
by namespace, outcome and time, and by subject and time. Its rate is also shown for the last tenth: random ids make an index
slower as it grows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple

from solon.decisions.cores import cores
from solon.decisions.log import settings
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Entry
from solon.decisions.log.note import SigningKey
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify


class Row(NamedTuple):
    """An entry, and what SQLite has columns for besides."""

    entry: Entry
    namespace: str
    subject: str


Batch = Sequence[Row]
SQLITE = "SQLite, WAL, 4 indexes"
SIGNED = "decision log, signed at the end"


def decisions(count: int, numbers: random.Random) -> list[Row]:
    out = []
    for number in range(count):
        space, subject = f"team-{numbers.randrange(40)}", numbers.randbytes(30).hex()
        event = {
            "labels": {"id": "solon", "version": "0.1"},
            "decision_id": str(uuid.UUID(int=numbers.getrandbits(128))),
            "timestamp": f"2026-03-01T09:30:00.{number % 1_000_000_000:09}Z",
            "bundles": {"platform": {"revision": numbers.randbytes(32).hex()}},
            "path": "solon/check",
            "input": {
                "image": f"registry.example/app@sha256:{numbers.randbytes(32).hex()}",
                "blob": numbers.randbytes(330).hex(),
            },
            "result": {"allow": number % 3 > 0},
            "solon": {"outcome": "allow", "subject": {"namespace": space, "uri": subject}},
        }
        out.append(Row(entry_of(json.dumps(event).encode()), space, subject))
    return out


def sqlite(directory: str) -> Callable[[Batch], None]:
    base = sqlite3.connect(os.path.join(directory, "decisions.db"), isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute(
        "CREATE TABLE decisions (id TEXT, time INTEGER, outcome TEXT, namespace TEXT, subject TEXT, event BLOB)"
    )
    for number, columns in enumerate(("id", "time", "namespace, outcome, time", "subject, time")):
        base.execute(f"CREATE INDEX by_{number} ON decisions ({columns})")

    def write(batch: Batch) -> None:
        base.execute("BEGIN")
        base.executemany(
            "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?)",
            [(e.id, e.time_ns, e.outcome, namespace, subject, e.payload) for e, namespace, subject in batch],
        )
        base.execute("COMMIT")

    return write


def bare(directory: str) -> Callable[[Batch], None]:
    file = os.open(os.path.join(directory, "decisions.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(batch: Batch) -> None:
        os.write(file, b"\n".join([each.entry.payload for each in batch]))
        os.fdatasync(file)

    return write


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--directory", default=None)
    said = parser.parse_args()
    directory = tempfile.mkdtemp(dir=said.directory)
    try:
        measure(directory, said.rows, said.batch)
    finally:
        shutil.rmtree(directory)


def measure(directory: str, rows: int, batch: int) -> None:
    print(f"{rows:,} decisions, {batch:,} a batch")
    settings.create(os.path.join(directory, "log"), SigningKey("example.com/benchmark", bytes(32)))
    log = Log(os.path.join(directory, "log"))
    contestants: dict[str, Callable[[Batch], object]] = {
        SQLITE: sqlite(directory),
        "file, fdatasync": bare(directory),
        "decision log": lambda some: log.append([each.entry for each in some]),
    }
    took: dict[str, list[float]] = {name: [] for name in contestants}
    cpu = dict.fromkeys([*contestants, SIGNED], 0.0)
    log.writer()
    numbers = random.Random(2)  # the order changes: who syncs behind another one has less to wait for
    for _ in range(0, rows, batch):
        part = decisions(batch, numbers)
        for name, write in numbers.sample(list(contestants.items()), len(contestants)):
            started, used = time.perf_counter(), time.process_time()
            write(part)
            took[name].append(time.perf_counter() - started)
            cpu[name] += time.process_time() - used
    started, used = time.perf_counter(), time.process_time()
    log.integrate()
    signing = time.perf_counter() - started
    cpu[SIGNED] = cpu["decision log"] + time.process_time() - used
    log.close()
    tenth = max(len(took["decision log"]) // 10, 1)
    of = {name: sum(times) for name, times in took.items()}
    of[SIGNED] = of["decision log"] + signing
    for name, seconds in of.items():
        times = sorted(took.get(name, []))
        p99 = f"{times[int(len(times) * 0.99)] * 1e3:8.1f} ms" if times else ""
        ratio = of[SQLITE] / seconds
        print(
            f"{name:<32} {rows / seconds:>10,.0f}/s  {ratio:5.1f} x SQLite  {of['file, fdatasync'] / seconds:5.2f} x file"
            f"  {cpu[name] / rows * 1e6:5.1f} us CPU  {p99}"
        )
    print(
        "batches, median: "
        + ", ".join(f"{name} {statistics.median(times) * 1e3:.2f} ms" for name, times in took.items())
    )
    last = {name: sum(times[-tenth:]) for name, times in took.items()}
    print(
        f"the last tenth: SQLite {tenth * batch / last[SQLITE]:,.0f}/s, decision log {tenth * batch / last['decision log']:,.0f}/s: "
        f"{last[SQLITE] / last['decision log']:.1f} x"
    )
    for jobs in (1, cores()):
        started = time.perf_counter()
        report = verify(log, jobs=jobs)
        seconds = time.perf_counter() - started
        assert not report.problems
        print(f"{f'verify, {jobs} processes':<32} {report.entries / seconds:>10,.0f}/s")


if __name__ == "__main__":
    main()
