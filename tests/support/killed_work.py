"""Kills a process that works on a log, again and again, and says what is wrong with the log afterwards.

    python killed_work.py compaction|retention|upload LOG ROUNDS SEED

Each round forks a process that compacts the log, retains it, or receives uploads for it; it is killed at a random moment.
Prints how many were killed at work, how many decisions were acknowledged, and what is wrong: nothing, if all is well.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
from decision_events import KEY, event

from solon.decisions import retention
from solon.decisions.event_rules import EventRules
from solon.decisions.ingest import Limits, Receiver
from solon.decisions.log import settings
from solon.decisions.log.events import entry_of
from solon.decisions.log.settings import Hold, Rule
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.warehouse import compaction, manifest, session
from solon.server import run
from solon.server.ingest import Ingest

OLD_NS = int(datetime(2025, 1, 10, tzinfo=UTC).timestamp()) * 1_000_000_000
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # when all that is not kept is due


def encoded(number: int, **more: str) -> bytes:
    at = datetime.fromtimestamp(OLD_NS / 1e9 + number * 700, UTC)
    return json.dumps(event(number, f"{at:%Y-%m-%dT%H:%M:%SZ}", **more)).encode()


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def killed(child: int, after: float) -> bool:
    """Kill it after some time. Whether it was still at work."""
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed by itself"
    return os.WIFSIGNALED(status)


def asked(log: Log) -> Counter[str]:
    with session.opened(log) as found:
        return Counter(name for (name,) in found.all("SELECT decision_id FROM decisions"))


def in_parquet(log: Log) -> list[tuple[str, int]]:
    current = manifest.read(log.directory)
    paths = [os.path.join(manifest.directory(log.directory), file.path) for file in current.rows]
    if not paths:
        return []
    return duckdb.execute(
        'SELECT shard, "index" FROM read_parquet($1, hive_partitioning=false) ORDER BY ALL', [paths]
    ).fetchall()


def compacting(directory: str, rounds: int, dice: random.Random) -> tuple[int, int, list[str]]:
    compaction.STEP_ROWS = 60  # type: ignore[misc]
    interrupted = count = 0
    wrong: list[str] = []
    for _ in range(rounds):
        with Log(directory) as log:
            log.append([entry_of(encoded(count + n)) for n in range(150)])
        count += 150
        child = forked(lambda: compaction.compact(Log(directory), open_segments=True) and None)
        interrupted += killed(child, dice.uniform(0, 0.3))
        log = Log(directory)
        rows = in_parquet(log)
        if rows != [("0001", n) for n in range(len(rows))]:
            wrong.append(f"{len(rows)} rows are compacted, and they are not the first ones, each once")
        if asked(log) != Counter(f"d-{n}" for n in range(count)):
            wrong.append(f"a question does not find each of {count} decisions once")
        wrong += [str(problem) for problem in verify(log).problems]
    compaction.compact(log, open_segments=True)
    if in_parquet(log) != [("0001", n) for n in range(count)]:
        wrong.append("the end is not compacted")
    return interrupted, count, wrong


def retaining(directory: str, rounds: int, dice: random.Random) -> tuple[int, int, list[str]]:
    """Old decisions of two policy sets, of which one is kept, and some are held."""
    said = settings.read(directory)
    rules, holds = [Rule("1y", "short-*")], [Hold("case", "r", subjects=["*/held"])]
    settings.write(directory, type(said)(said.schema, said.name, said.key, retention=rules, holds=holds))
    interrupted = count = 0
    stay: list[str] = []
    wrong: list[str] = []
    for _ in range(rounds):
        with Log(directory) as log:
            for _ in range(4):
                entries = []
                for number in range(count, count + 40):
                    short, held = number % 3 > 0, number % 7 == 0
                    body = encoded(number, name="held" if held else "web")
                    text = json.loads(body)
                    text["bundles"] = {"short-a" if short else "long": {"revision": "1"}}
                    entries.append(entry_of(json.dumps(text).encode()))
                    if not short or held:
                        stay.append(f"d-{number}")
                log.append(entries)
                log.writer().writer.seal()
                count += 40
            log.integrate()
        if dice.random() < 0.5:
            compaction.compact(Log(directory))
        child = forked(lambda: retained(directory))
        interrupted += killed(child, dice.uniform(0, 0.15))
        log = Log(directory)
        wrong += [str(problem) for problem in verify(log).problems]
        found = asked(log)
        if not set(stay) <= found.keys() or max(found.values()) > 1:
            wrong.append("something was erased that is kept, or is there twice")
    retained(directory)
    with Log(directory) as log:
        compaction.compact(log, open_segments=True)
        log.integrate()
        there = {stored.says.id for stored in log.entries("0001") if stored.payload and stored.leaf[1] == 1}
        if not there == set(stay) == asked(log).keys():
            wrong.append("what is left at the end is not what is kept")
        report = verify(log)
        wrong += [*map(str, report.problems), *report.notes]
    return interrupted, count, wrong


def retained(directory: str) -> None:
    with Log(directory) as log:
        retention.apply(log, LATER, by="test")
        log.integrate()


def uploading(directory: str, rounds: int, dice: random.Random) -> tuple[int, int, list[str]]:
    """A sender as OPA is one: a chunk is sent again until it is answered."""
    listening = run.listen("127.0.0.1:0")
    port = listening.getsockname()[1]
    acknowledged: list[str] = []
    interrupted = at = 0
    wrong: list[str] = []
    for _ in range(rounds):
        child = forked(lambda here=listening: serve(directory, here))  # type: ignore[misc]
        listening.close()
        signal.signal(signal.SIGALRM, lambda *_, child=child: os.kill(child, signal.SIGKILL))
        begun = False
        while True:
            size = random.Random(at).choice((1, 3, 40))  # the same chunk when it is sent again
            body = b"[" + b",".join(encoded(n) for n in range(at, at + size)) + b"]"
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("POST", "/logs", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except OSError:
                break
            except http.client.HTTPException:
                break
            finally:
                connection.close()
            if answer.status == 200:
                acknowledged += [f"d-{n}" for n in range(at, at + size)]
                at += size
            if not begun:
                begun = True
                signal.setitimer(signal.ITIMER_REAL, dice.uniform(0.001, 0.12))
        _, status = os.waitpid(child, 0)
        interrupted += os.WIFSIGNALED(status)
        log = Log(directory)
        wrong += [str(problem) for problem in verify(log).problems]
        found = Counter(
            stored.says.id
            for place in log.shards()
            for stored in log.entries(place.name)
            if stored.leaf[1] == 1
        )
        wrong += [f"{name} is lost" for name in acknowledged if name not in found]
        wrong += [f"{name} is there twice" for name, times in found.items() if times > 1]
        listening = run.listen(f"127.0.0.1:{port}")
    listening.close()
    return interrupted, len(acknowledged), wrong


def serve(directory: str, listening: socket.socket) -> None:
    log = Log(directory)
    receiver = Receiver(log, EventRules(), Limits(), time.time_ns)
    writer = log.writer().writer
    writer._limits = type(writer._limits)(segment_bytes=random.Random().choice((2_000, 20_000, 1 << 30)))
    app = Ingest(receiver, Limits(), every=0.02, sign=lambda: log.integrate() and None)
    run.run(app.application(), listening)


WORK = {"compaction": compacting, "retention": retaining, "upload": uploading}


def main(what: str, directory: str, rounds: int, seed: int) -> None:
    settings.create(directory, KEY)
    interrupted, count, wrong = WORK[what](directory, rounds, random.Random(seed))
    sys.stdout.write(json.dumps({"killed": interrupted, "acknowledged": count, "wrong": wrong}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
