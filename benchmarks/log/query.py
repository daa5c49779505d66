"""Questions to the decision log: Solon's warehouse against jq over the same JSON lines and SQLite with indexes.

    python benchmarks/log/query.py --decisions 1000000 --directory /var/tmp/solon-benchmark

A year of decisions, about 1.3 KB each: 400 namespaces, 60 policies, high entropy (digests, random ids). jq reads the same
events from a pipe, as lines. SQLite has them as well, up to two million; beyond that only the columns, which is all that
its aggregates need, and kinder to it. 10 million need 21 GB of disk and an hour. What is in the directory already is used again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from solon.decisions.log import settings
from solon.decisions.log.events import entry_of
from solon.decisions.log.note import SigningKey
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction, lookup, query, session
from solon.decisions.warehouse.query import Filters
from solon.decisions.warehouse.session import Window

END = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 365
QUARTER = END - timedelta(days=91)
NAMESPACES = ["payments", "fraud", "search", "ads", *(f"team-{n:03}" for n in range(396))]
POLICIES = [
    f"{area}.{name}"
    for area in ("labels", "images", "gpu", "models", "regions", "network")
    for name in (
        "required",
        "pinned",
        "quota",
        "card",
        "owner",
        "limits",
        "signed",
        "probes",
        "tags",
        "egress",
    )
]
BATCH = 1_000
WEIGHTS = [60, 30, 20, 20, *([1] * 396)]


def events(count: int) -> Iterator[bytes]:
    """A year of decisions in order of time."""
    dice = random.Random(7)
    encode = msgspec.json.encode
    step = timedelta(days=DAYS) / count
    begin = END - timedelta(days=DAYS)
    spaces = dice.choices(NAMESPACES, WEIGHTS, k=100_000)
    for number in range(count):
        at = begin + step * number
        namespace = spaces[dice.randrange(100_000)]
        name = f"Deployment/service-{dice.randrange(40)}"
        word = dice.random()
        outcome = "deny" if word < 0.04 else "warn" if word < 0.15 else "allow"
        found = []
        if outcome != "allow":
            found = [
                {
                    "outcome": outcome,
                    "policy": policy,
                    "severity": "high",
                    "stage": "enforce" if outcome == "deny" else "warn",
                    "message": f"{name} in {namespace} does not meet {policy}: {dice.randrange(1 << 30)} is not allowed",
                    "file": "deploy.yaml",
                    "line": dice.randrange(200),
                    "path": "/spec/template/spec/containers/0",
                }
                for policy in dice.sample(POLICIES, dice.choice((1, 1, 1, 2)))
            ]
        digest = f"{dice.getrandbits(256):064x}"
        revision = hashlib.sha256(f"{at:%Y-%m-%d}".encode()).hexdigest()
        yield encode({
            "labels": {"id": f"gate-{dice.randrange(8)}", "version": "0.1.0", "region": dice.choice(("eu-1", "us-1"))},
            "decision_id": str(uuid.UUID(int=dice.getrandbits(128), version=4)),
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{dice.randrange(1_000_000_000):09}Z",
            "bundles": {"base": {"revision": revision[:40]}, "ml": {"revision": revision[24:]}},
            "path": "solon/admission",
            "requested_by": f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}:{dice.randrange(65536)}",
            "input": {
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.UUID(int=dice.getrandbits(128))),
                             "labels": {"app": name, "tier": dice.choice(("gold", "silver"))}},
                "spec": {"replicas": dice.randrange(20), "template": {"spec": {"containers": [
                    {"name": "main", "image": f"registry.example.com/{namespace}/{name}@sha256:{digest}",
                     "resources": {"limits": {"cpu": dice.randrange(16), "memory": f"{dice.randrange(64)}Gi"}}}]}}},
            },
            "result": {"allow": outcome != "deny", "deny": [f["message"] for f in found if outcome == "deny"], "warn": []},
            "metrics": {"timer_solon_evaluate_ns": int(dice.lognormvariate(14, 0.7))},
            "solon": {
                "outcome": outcome, "policies": 12, "posture": "closed",
                "subject": {"uri": f"k8s://prod/{namespace}/{name}", "kind": "kubernetes.object", "name": name,
                            "namespace": namespace, "environment": "prod", "owner": f"{namespace}-owner",
                            "team": namespace.split("-")[0], "labels": {}, "file": "deploy.yaml", "line": 1},
                "findings": found,
            },
        })  # fmt: skip


def fill(where: Path, count: int) -> None:
    """The log, and the warehouse."""
    log_directory = where / "log"
    if not settings.is_log(str(log_directory)):
        settings.create(str(log_directory), SigningKey("benchmark.example/log", bytes(range(32))))
        started = time.perf_counter()
        with Log(str(log_directory)) as log:
            batch = []
            for event in events(count):
                batch.append(entry_of(event))
                if len(batch) == BATCH:
                    log.append(batch)
                    batch = []
            log.append(batch)
        print(f"generated and appended: {time.perf_counter() - started:,.0f} s", file=sys.stderr)
    log = Log(str(log_directory))
    if compaction.waiting(log):
        started = time.perf_counter()
        done = compaction.compact(
            log, open_segments=True, tell=lambda n: print(f"compacted {n:,}", file=sys.stderr)
        )
        spent = time.perf_counter() - started
        print(f"compaction: {done / spent:,.0f} decisions/s ({done:,} in {spent:,.0f} s)")


def lines(where: Path) -> Iterator[bytes]:
    """The events as they were appended."""
    log = Log(str(where / "log"))
    for place in log.shards():
        for stored in log.entries(place.name):
            yield stored.payload or b""


def database(where: Path, *, whole: bool) -> sqlite3.Connection:
    path = where / "events.sqlite"
    ready = path.exists()
    connection = sqlite3.connect(path)
    if not ready:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE decisions (id TEXT, time TEXT, outcome TEXT, namespace TEXT, team TEXT, subject TEXT, "
            "policies TEXT, latency INTEGER, event TEXT)"
        )
        rows = (_sqlite_row(line, whole) for line in lines(where))
        connection.executemany("INSERT INTO decisions VALUES (?,?,?,?,?,?,?,?,?)", rows)
        connection.execute("CREATE INDEX by_id ON decisions (id)")
        connection.execute("CREATE INDEX by_time ON decisions (time)")
        connection.execute("CREATE INDEX by_namespace ON decisions (namespace, outcome, time)")
        connection.execute("CREATE INDEX by_subject ON decisions (subject, time)")
        connection.commit()
    return connection


def _sqlite_row(line: bytes, whole: bool) -> tuple[object, ...]:
    event = msgspec.json.decode(line)
    solon = event["solon"]
    subject = solon["subject"]
    policies = json.dumps([each["policy"] for each in solon["findings"]])
    return (event["decision_id"], event["timestamp"], solon["outcome"], subject["namespace"], subject["team"],
            subject["uri"], policies, event["metrics"]["timer_solon_evaluate_ns"], line.decode() if whole else None)  # fmt: skip


def alternating(contestants: dict[str, Callable[[], int]], times: int = 5) -> dict[str, tuple[float, int]]:
    """Seconds of each, the median of some runs after the first, and how many rows it gave; they take turns."""
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    rows = {name: ask() for name, ask in contestants.items()}
    for _ in range(times):
        for name, ask in contestants.items():
            started = time.perf_counter()
            ask()
            spent[name].append(time.perf_counter() - started)
    return {name: (statistics.median(taken), rows[name]) for name, taken in spent.items()}


def jq(where: Path) -> tuple[float, int] | None:
    if shutil.which("jq") is None:
        return None
    since = f"{QUARTER:%Y-%m-%dT%H:%M:%S}"
    program = f'select(.solon.outcome == "deny" and .solon.subject.namespace == "payments" and .timestamp >= "{since}")'
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, __file__, "--lines", str(where)], stdout=subprocess.PIPE
    ) as feeder:
        run = subprocess.run(["jq", "-c", program], stdin=feeder.stdout, capture_output=True, check=True)
    return time.perf_counter() - started, run.stdout.count(b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=200_000)
    parser.add_argument("--directory", default="/tmp/solon-log-query")
    parser.add_argument("--no-jq", action="store_true")
    parser.add_argument("--no-sqlite", action="store_true")
    parser.add_argument("--lines", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lines:
        for line in lines(options.lines):
            sys.stdout.buffer.write(line + b"\n")
        return
    where = Path(options.directory) / str(options.decisions)
    where.mkdir(parents=True, exist_ok=True)
    fill(where, options.decisions)
    measure(Log(str(where / "log")), where, options)


def measure(log: Log, where: Path, options: argparse.Namespace) -> None:
    count = options.decisions
    raw, some = 0, ""
    for number, line in enumerate(lines(where)):
        raw += len(line) + 1
        if number == count // 2:
            some = msgspec.json.decode(line)["decision_id"]
    cold = sum(path.stat().st_size for path in (where / "log/cold").rglob("*.parquet"))
    files = len(list((where / "log/cold/rows").rglob("*.parquet")))
    print(
        f"decisions: {count:,} in {files} files; JSON {raw / count:,.0f} bytes each, Parquet with ids {cold / count:,.0f}: "
        f"{raw / cold:.1f}x smaller"
    )
    whole = count <= 2_000_000
    lite = None if options.no_sqlite else database(where, whole=whole)
    since = f"{QUARTER:%Y-%m-%dT%H:%M:%S}"
    denied = f"FROM decisions WHERE outcome = 'deny' AND namespace = 'payments' AND time >= '{since}' ORDER BY time DESC"

    def compare(name: str, ask: Callable[[], int], sql: str = "", times: int = 5) -> float:
        contestants = {"Solon": ask}
        if lite is not None and sql:
            contestants["SQLite"] = lambda: len(lite.execute(sql).fetchall())
        found = alternating(contestants, times)
        for who, (seconds, rows) in found.items():
            ratio = f": {seconds / found['Solon'][0]:,.2f}x" if who != "Solon" else ""
            print(f"{who:<7} {name:<18} {seconds * 1e3:>10,.1f} ms  {rows:,} rows{ratio}", flush=True)
        return found["Solon"][0]

    started = time.perf_counter()
    with session.opened(log) as asked:
        print(f"opening the log: {(time.perf_counter() - started) * 1e3:,.0f} ms")
        compare(
            "trend",
            lambda: len(
                asked.all(
                    "SELECT date_trunc('week', time) AS week, outcome, count(*) FROM decisions GROUP BY ALL"
                )
            ),
            "SELECT strftime('%Y-%W', time), outcome, count(*) FROM decisions GROUP BY 1, 2",
            3,
        )
        compare(
            "top policies",
            lambda: len(
                asked.all(
                    "SELECT p, count(*) FROM (SELECT unnest(policies) AS p FROM decisions) GROUP BY p ORDER BY 2 DESC, 1 LIMIT 10"
                )
            ),
            "SELECT value, count(*) FROM decisions, json_each(policies) GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
            3,
        )
        compare(
            "mean latency",
            lambda: len(asked.all("SELECT team, avg(latency_ns) FROM decisions GROUP BY ALL")),
            "SELECT team, avg(latency) FROM decisions GROUP BY 1",
            3,
        )
        compare(
            "p99 latency",
            lambda: len(
                asked.all("SELECT team, quantile_cont(latency_ns, 0.99) FROM decisions GROUP BY ALL")
            ),
        )
    with session.opened(log, window=Window(since_us=int(QUARTER.timestamp() * 1e6))) as asked:

        def rows(columns: list[str], limit: int | None = None) -> int:
            deny = Filters(outcomes=["deny"], namespaces=["payments"])
            return sum(1 for _ in query.ask(asked, query.built(deny, columns, limit=limit)).rows)

        compare(
            "deny",
            lambda: rows(["time", "decision_id", "subject", "policies"]),
            f"SELECT time, id, subject, policies {denied}",
        )
        events = compare("deny, events", lambda: rows(["event"]), f"SELECT event {denied}" if whole else "")
        compare(
            "deny, newest 100",
            lambda: rows(["event"], 100),
            f"SELECT event {denied} LIMIT 100" if whole else "",
        )
    compare(
        "by id",
        lambda: len(lookup.find(log, some)),
        f"SELECT event FROM decisions WHERE id = '{some}'" if whole else "",
    )
    if lite is not None:
        print(
            f"SQLite  {os.path.getsize(where / 'events.sqlite') / count:,.0f} bytes each{'' if whole else ', without the events'}"
        )
    if not options.no_jq and (peer := jq(where)) is not None:
        print(
            f"jq      {'deny, events':<18} {peer[0] * 1e3:>10,.1f} ms  {peer[1]:,} rows: {peer[0] / events:,.0f}x"
        )


if __name__ == "__main__":
    main()
