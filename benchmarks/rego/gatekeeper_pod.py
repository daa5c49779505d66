"""Time of a whole admission decision: a Pod against 50 constraints, from the decoded object to the findings.

    python benchmarks/rego/gatekeeper_pod.py LIBRARY [--constraints 50] [--gator gator]

LIBRARY is as for gatekeeper_library.py. Constraints that match Pods are taken in turn, again under other names
where there are too few; matching, review, evaluation and findings with their lines are all counted. Gatekeeper
itself is asked through `gator bench` with the same templates, constraints and Pod.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from solon.frameworks.gatekeeper.load import GATOR, load
from solon.frameworks.policy import Context, evaluate
from solon.subjects.discover import Input, read
from solon.subjects.subject import Subject


def subjects(file: Path) -> list[Subject]:
    return [s for s in read(Input(str(file), True), stdin=lambda _size: b"") if isinstance(s, Subject)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", type=Path)
    parser.add_argument("--constraints", type=int, default=50)
    parser.add_argument("--gator", default="gator")
    options = parser.parse_args()
    templates = [s for f in sorted(options.library.glob("*/*/template.yaml")) for s in subjects(f)]
    found = [s for f in sorted(options.library.glob("*/*/samples/*/constraint.yaml")) for s in subjects(f)]
    pod = next(s for f in sorted(options.library.glob("*/*/samples/*/example_allowed.yaml")) for s in subjects(f)
               if s.document["kind"] == "Pod")  # fmt: skip
    policies, _ = load("library", [*templates, *found], GATOR)
    matching = {policy.id for policy in policies.candidates(pod)}
    asked = [s for s in found if f"{s.document['kind']}/{s.document['metadata']['name']}" in matching]
    chosen = []
    for number, subject in zip(range(options.constraints), itertools.cycle(asked), strict=False):
        document = copy.deepcopy(subject.document)
        document["metadata"]["name"] += f"-{number}"
        chosen.append(Subject(**{f: getattr(subject, f) for f in subject.__dataclass_fields__ if f != "document"}, document=document))  # fmt: skip
    started = time.perf_counter()
    policies, problems = load("library", [*templates, *chosen], GATOR)
    print(f"compiled in {(time.perf_counter() - started) * 1000:.0f} ms, {len(problems)} problems")
    times = []
    for _ in range(2_000):
        started = time.perf_counter_ns()
        result = evaluate([policies], pod, Context(now_ns=0))
        times.append((time.perf_counter_ns() - started) / 1e6)
    cuts = statistics.quantiles(times, n=100)
    print(f"{result.policies} constraints, {len(result.findings)} findings")
    print(
        f"Solon: p50 {cuts[49]:.2f} ms   p99 {cuts[98]:.2f} ms   {cuts[49] / result.policies * 1000:.0f} us a constraint"
    )
    gator = shutil.which(options.gator)
    if gator:
        latency = gatekeeper_ms(gator, [*templates, *chosen, pod])
        print(f"Gatekeeper: p50 {latency['p50']:.2f} ms   p99 {latency['p99']:.2f} ms")
        print(f"Gatekeeper takes {latency['p50'] / cuts[49]:.1f} times as long (p50)")


def gatekeeper_ms(gator: str, objects: list[Subject]) -> dict[str, float]:
    """Percentiles of `gator bench`, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        for number, subject in enumerate(objects):
            Path(folder, f"{number:03}.json").write_text(json.dumps(subject.document))
        command = [
            gator,
            "bench",
            "--filename",
            folder,
            "--engine",
            "rego",
            "--iterations",
            "500",
            "--output",
            "json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        latencies = json.loads(done.stdout)[0]["latencies"]
        return {name: milliseconds(text) for name, text in latencies.items()}


def milliseconds(duration: str) -> float:
    """Of a Go duration of less than a minute: 7.8ms, 1.2s, 56µs."""
    number = duration.rstrip("µmns")
    return float(number) * {"s": 1e3, "ms": 1.0, "µs": 1e-3, "ns": 1e-6}[duration[len(number) :]]


if __name__ == "__main__":
    main()
