"""Time per decision: the Gatekeeper library's policies on its own samples, Solon beside OPA, in one run.

    python benchmarks/rego/gatekeeper_library.py LIBRARY [--opa opa] [--all] [--json FILE]

LIBRARY holds suites (`*/*/suite.yaml`, as in the open-policy-agent/gatekeeper-library repository under
`library/`). Every case is one decision: a constraint's parameters and an object, already decoded, against
the compiled template. OPA is asked through `opa bench` with the same Rego, input and query; where there is
no `opa`, Solon is timed alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from solon.frameworks.gatekeeper.constraint import make_constraint
from solon.frameworks.gatekeeper.inventory import inventory_of
from solon.frameworks.gatekeeper.load import GATOR
from solon.frameworks.gatekeeper.review import review_of
from solon.frameworks.gatekeeper.template import compile_template
from solon.lang import rego
from solon.subjects.documents import decode
from solon.subjects.subject import Location


@dataclass(frozen=True, slots=True)
class Case:
    """One decision."""

    template: str
    name: str
    query: rego.Query
    input: dict
    data: dict
    modules: dict[str, str]
    question: str
    v0: bool


def cases(library: Path) -> list[Case]:
    found: list[Case] = []
    for file in sorted(library.glob("*/*/suite.yaml")):
        suite = _one(file)
        for test in suite["tests"]:
            template = _one(file.parent / test["template"])
            place = Location(str(file))
            constraint = make_constraint(
                _one(file.parent / test["constraint"]), compile_template(template, place), place, GATOR
            )
            modules, question, v0 = _source(template)
            for case in test["cases"]:
                document = _one(file.parent / case["object"])
                others = [
                    each.value
                    for path in case.get("inventory") or []
                    for each in decode((file.parent / path).read_text())
                ]
                review = review_of(document, {})
                if not constraint.concerns(review):
                    continue
                found.append(
                    Case(
                        template=constraint.kind,
                        name=f"{test['name']}/{case['name']}",
                        query=constraint.template.violations,
                        input={"review": review.document, "parameters": constraint.parameters},
                        data={"inventory": inventory_of(others)},
                        modules=modules,
                        question=question,
                        v0=v0,
                    )
                )
    return found


def _one(file: Path) -> dict:
    return next(iter(decode(file.read_text()))).value


def _source(template: dict) -> tuple[dict[str, str], str, bool]:
    target = template["spec"]["targets"][0]
    version = "v0"
    for code in target.get("code", []):
        if code["engine"] == "Rego":
            target, version = code["source"], code["source"].get("version", "v0")
    modules = {"template.rego": target["rego"]}
    modules |= {f"lib{n}.rego": text for n, text in enumerate(target.get("libs") or [])}
    return modules, f"{rego.package_of(target['rego'], version)}.violation", version == "v0"


def solon_ns(case: Case, repeat: int) -> float:
    """Nanoseconds of one evaluation: the best of several rounds' means."""
    run = case.query.evaluate
    rounds = []
    for _ in range(5):
        started = time.perf_counter_ns()
        for _ in range(repeat):
            run(case.input, data=case.data, now_ns=0)
        rounds.append((time.perf_counter_ns() - started) / repeat)
    return min(rounds)


def opa_ns(opa: str, case: Case) -> float:
    """Nanoseconds of one evaluation of a prepared query, as `opa bench` measures it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in case.modules.items():
            Path(folder, name).write_text(text)
        Path(folder, "input.json").write_text(json.dumps(case.input))
        Path(folder, "data.json").write_text(json.dumps(case.data))
        command = [opa, "bench", "--format", "json", "--metrics=false", "--benchmem=false"]
        command += ["--v0-compatible"] if case.v0 else []
        for name in [*case.modules, "data.json"]:
            command += ["--data", str(Path(folder, name))]
        command += ["--input", str(Path(folder, "input.json")), "--count", "1", case.question]
        environment = {**os.environ, "GOMAXPROCS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            raise SystemExit(f"opa bench failed on {case.name}: {done.stderr or done.stdout}")
        found = json.loads(done.stdout)
        return found["T"] / found["N"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", type=Path)
    parser.add_argument("--opa", default="opa")
    parser.add_argument("--all", action="store_true", help="every case, rather than two of each template")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    opa = shutil.which(options.opa)
    chosen = cases(options.library)
    if not options.all:
        by_template: dict[str, list[Case]] = {}
        for case in chosen:
            by_template.setdefault(case.template, []).append(case)
        chosen = [case for group in by_template.values() for case in (group[0], group[-1])[: len(group)]]
    rows = []
    for case in chosen:
        ours = solon_ns(case, 300)
        theirs = opa_ns(opa, case) if opa else math.nan
        rows.append((case.template, case.name, ours / 1000, theirs / 1000, theirs / ours))
        print(
            f"{case.template:35} {case.name[:45]:45} {ours / 1000:9.1f} us {theirs / 1000:9.1f} us {theirs / ours:7.2f}x",
            flush=True,
        )
    ours = [row[2] for row in rows]
    print(f"\n{len(rows)} decisions. Solon median {statistics.median(ours):.1f} us")
    if opa:
        ratios = [row[4] for row in rows]
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f"OPA median {statistics.median(row[3] for row in rows):.1f} us")
        print(f"OPA / Solon: geometric mean {mean:.2f}, lowest {min(ratios):.2f}, highest {max(ratios):.2f}")
        print(f"slower than OPA: {sum(ratio < 1 for ratio in ratios)} of {len(ratios)}")
    if options.json:
        options.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
