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


def warm(ask: Callable[[], int], times: int = 5) -> tuple[float, int]:
    """Seconds, the median of some runs after the first, and how many rows it gave."""
    ask()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        rows = ask()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent), rows


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
    since_us = int(QUARTER.timestamp() * 1e6)
    deny = Filters(outcomes=["deny"], namespaces=["payments"])
    trend = (
        "SELECT date_trunc('week', time) AS week, outcome, count(*) FROM decisions GROUP BY ALL ORDER BY ALL"
    )
    top = "SELECT p, count(*) FROM (SELECT unnest(policies) AS p FROM decisions) GROUP BY p ORDER BY 2 DESC, 1 LIMIT 10"
    opened = time.perf_counter()
    with session.opened(log) as asked:
        opened = time.perf_counter() - opened
        results: dict[str, tuple[float, int]] = {}

        def rows(question: query.Query) -> int:
            return sum(1 for _ in query.ask(asked, question).rows)

        results["trend"] = warm(lambda: len(asked.all(trend)), 3)
        results["top"] = warm(lambda: len(asked.all(top)), 3)
        results["p99"] = warm(
            lambda: len(
                asked.all("SELECT team, quantile_cont(latency_ns, 0.99) FROM decisions GROUP BY ALL")
            ),
            3,
        )
    with session.opened(log, window=Window(since_us=since_us)) as asked:
        flagship = query.built(deny, ["time", "decision_id", "subject", "policies"])
        whole = query.built(deny, ["event"])
        newest = query.built(deny, ["event"], limit=100)
        results["deny"] = warm(lambda: rows(flagship))
        results["deny, events"] = warm(lambda: rows(whole))
        results["deny, newest 100"] = warm(lambda: rows(newest))
    results["by id"] = warm(lambda: len(lookup.find(log, some)))
    print(f"opening the log: {opened * 1e3:,.0f} ms")
    for name, (seconds, found) in results.items():
        print(f"Solon   {name:<18} {seconds * 1e3:>10,.1f} ms  {found:,} rows")
    if not options.no_jq and (peer := jq(where)) is not None:
        print(
            f"jq      {'deny, events':<18} {peer[0] * 1e3:>10,.1f} ms  {peer[1]:,} rows: {peer[0] / results['deny, events'][0]:,.0f}x"
        )
    if not options.no_sqlite:
        whole = count <= 2_000_000
        against_sqlite(database(where, whole=whole), some, results, whole=whole)
        size = os.path.getsize(where / "events.sqlite")
        print(f"SQLite  {size / count:,.0f} bytes each")


def against_sqlite(
    connection: sqlite3.Connection, some: str, results: dict[str, tuple[float, int]], *, whole: bool
) -> None:
    since = f"{QUARTER:%Y-%m-%dT%H:%M:%S}"
    condition = f"outcome = 'deny' AND namespace = 'payments' AND time >= '{since}'"
    for name, sql in (
        ("trend", "SELECT strftime('%Y-%W', time), outcome, count(*) FROM decisions GROUP BY 1, 2"),
        (
            "top",
            "SELECT value, count(*) FROM decisions, json_each(policies) GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
        ),
        ("deny", f"SELECT time, id, subject, policies FROM decisions WHERE {condition} ORDER BY time DESC"),
        ("deny, events", f"SELECT event FROM decisions WHERE {condition} ORDER BY time DESC"),
        ("by id", f"SELECT event FROM decisions WHERE id = '{some}'"),
    ):
        if name in {"deny, events", "by id"} and not whole:
            continue
        seconds, found = warm(lambda sql=sql: len(connection.execute(sql).fetchall()), 2)
        ratio = seconds / results[name][0]
        print(f"SQLite  {name:<18} {seconds * 1e3:>10,.1f} ms  {found:,} rows: {ratio:,.2f}x")


if __name__ == "__main__":
    main()
