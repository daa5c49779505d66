"""Replay: how many decisions a second, with one process and with more.

    python benchmarks/log/replay.py --decisions 40000 --jobs 1 2

A log of Deployments that are all different is replayed by the starter library: whole commands, in turns, from the start of the
process to the report. The last column is a log in which each input came twenty times.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from solon.decisions.log import settings
from solon.decisions.log.events import entry_of
from solon.decisions.log.note import SigningKey
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction

ROOT = Path(__file__).parents[2]
START_NS = 1_772_323_200_000_000_000  # 2026-03-01


def event(number: int, distinct: int, chance: random.Random) -> bytes:
    name = f"service-{number % distinct}"
    at = time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime((START_NS + number * 7_000_000_000) // 1_000_000_000)
    )
    labels = {"team": f"team-{number % 40}", "cost-center": "cc-7"}
    if number % distinct % 3:
        labels["owner"] = "ann"
    containers = [
        {
            "name": f"c{index}",
            "image": f"registry.example.com/{name}/{index}@sha256:{'ab' * 32}",
            "resources": {
                "limits": {"cpu": "2", "memory": "4Gi", "nvidia.com/gpu": str(number % distinct % 5)}
            },
            "env": [{"name": f"VARIABLE_{each}", "value": name} for each in range(6)],
        }
        for index in range(2)
    ]
    document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": f"ns-{number % distinct % 50}", "labels": labels},
        "spec": {
            "replicas": number % distinct % 4,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }
    return json.dumps(
        {
            "labels": {"id": "solon"},
            "decision_id": f"{chance.getrandbits(128):032x}",
            "timestamp": at,
            "bundles": {"conftest:library": {"revision": "sha256:0"}},
            "path": "solon/check",
            "input": document,
            "result": {"allow": True},
            "solon": {
                "outcome": "allow",
                "subject": {
                    "uri": f"k8s://prod/{document['metadata']['namespace']}/Deployment/{name}",
                    "kind": "kubernetes.object",
                    "name": f"Deployment/{name}",
                    "namespace": document["metadata"]["namespace"],
                    "team": labels["team"],
                    "labels": labels,
                },
                "findings": [],
            },
        },
        separators=(",", ":"),
    ).encode()


def made(directory: Path, decisions: int, distinct: int) -> Path:
    chance = random.Random(7)
    settings.create(str(directory), SigningKey("benchmark/replay", bytes(32)))
    with Log(str(directory)) as log:
        for first in range(0, decisions, 1_000):
            log.append(
                [entry_of(event(n, distinct, chance)) for n in range(first, min(first + 1_000, decisions))]
            )
        log.writer().writer.seal()
    compaction.compact(Log(str(directory)), open_segments=True)
    return directory


def replayed(log: Path, jobs: int) -> float:
    command = [sys.executable, "-m", "solon", "log", "replay", "-p", str(ROOT / "library"), "--log", str(log)]
    started = time.perf_counter()
    run = subprocess.run(
        [*command, "--jobs", str(jobs), "--format", "json", "--fail-on", "never"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=True,
    )
    took = time.perf_counter() - started
    assert json.loads(run.stdout)["judged"]
    return took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=40_000)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    count = arguments.decisions
    with tempfile.TemporaryDirectory(prefix="solon-replay-") as place:
        logs = {
            "all different": made(Path(place, "different"), count, count),
            "each twenty times": made(Path(place, "repeated"), count, max(count // 20, 1)),
        }
        times: dict[tuple[str, int], list[float]] = {}
        for _ in range(arguments.runs):
            for name, log in logs.items():
                for jobs in arguments.jobs:
                    times.setdefault((name, jobs), []).append(replayed(log, jobs))
        base = {name: min(times[name, arguments.jobs[0]]) for name in logs}
        print(f"{count:,} decisions, best of {arguments.runs}; load {os.getloadavg()[0]:.1f}")
        for (name, jobs), found in times.items():
            best = min(found)
            print(
                f"{name:20} {jobs:3} process{'es' * (jobs > 1):2}  {count / best:9,.0f}/s  {base[name] / best:5.2f}x  "
                f"({', '.join(f'{each:.2f}' for each in found)} s)"
            )


if __name__ == "__main__":
    main()
