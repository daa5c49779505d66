"""From nothing to an answer: whole processes, and the memory of a large data document.

    python benchmarks/rego/startup.py [--opa opa] [--megabytes 100]

`solon eval` beside `opa eval`, on a policy of three lines and on a data document of many megabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POLICY = """package main

import rego.v1

deny contains "runs once" if input.spec.replicas < 2
"""
ROUNDS = 10


def run(command: list[str]) -> tuple[float, int]:
    """Seconds and the most memory (KiB) of a process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - started, usage.ru_maxrss


def compare(title: str, solon: list[str], opa: list[str] | None, rounds: int) -> None:
    ours = [run(solon) for _ in range(rounds)]
    line = f"{title:24} Solon {min(s for s, _ in ours) * 1000:7.0f} ms {ours[0][1] / 1024:6.0f} MiB"
    if opa:
        theirs = [run(opa) for _ in range(rounds)]
        line += f"   OPA {min(s for s, _ in theirs) * 1000:7.0f} ms {theirs[0][1] / 1024:6.0f} MiB"
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--opa", default="opa")
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    found = shutil.which(options.opa)
    with tempfile.TemporaryDirectory() as folder:
        policy, document, data = (Path(folder, name) for name in ("policy.rego", "input.json", "data.json"))
        policy.write_text(POLICY)
        document.write_text('{"spec": {"replicas": 1}}')
        row = {
            "id": 1,
            "name": "user",
            "roles": ["reader", "writer"],
            "attributes": {"team": "a", "level": 3},
        }
        with data.open("w") as out:  # written row by row: a process inherits the memory mark of who starts it
            out.write('{"users": [')
            for number in range(options.megabytes * 9_000):
                out.write("," * (number > 0) + json.dumps({**row, "id": number, "name": f"user{number}"}))
            out.write("]}")
        print(f"data.json has {data.stat().st_size / 1e6:.0f} MB")
        solon = [sys.executable, "-m", "solon", "eval"]
        small = ["-d", str(policy), "-i", str(document), "data.main.deny"]
        large = ["-d", str(data), "count(data.users)"]
        opa = [found, "eval"] if found else None
        run([*solon, *small])  # Python writes its own cache of compiled modules once
        compare("a policy of three lines", [*solon, *small], opa and [*opa, *small], ROUNDS)
        compare(f"{options.megabytes} MB of data", [*solon, *large], opa and [*opa, *large], 2)


if __name__ == "__main__":
    main()
