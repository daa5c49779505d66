"""Time per decision: the Gatekeeper library's policies on its own samples, Solon beside OPA, in one run.

    python benchmarks/rego/gatekeeper_library.py LIBRARY [--opa opa] [--all] [--json FILE]

LIBRARY holds suites (`*/*/suite.yaml`, as in the open-policy-agent/gatekeeper-library repository under
`library/`). Every case is one decision: a constraint's parameters and an object, already decoded, against
the compiled template. The peers get the same Rego, input and query: OPA through `opa bench` (a prepared
query, one core), regorus through its Python binding. A peer that is not there is left out.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

try:
    import regorus
except ImportError:
    regorus = None
try:
    import regopy
except ImportError:
    regopy = None

from solon.frameworks.gatekeeper.constraint import make_constraint
from solon.frameworks.gatekeeper.inventory import inventory_of
from solon.frameworks.gatekeeper.load import GATOR
from solon.frameworks.gatekeeper.review import review_of
from solon.frameworks.gatekeeper.template import compile_template
from solon.lang import rego
from solon.lang.rego.format import format_text
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
    """Nanoseconds of one evaluation of a prepared query."""
    return best(lambda: case.query.evaluate(case.input, data=case.data, now_ns=0), repeat)


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


def regorus_ns(case: Case, repeat: int) -> float:
    """Nanoseconds of one evaluation through regorus's binding, the input handed over as Python objects."""
    engine = regorus.Engine()
    engine.set_rego_v0(case.v0)
    for name, text in case.modules.items():
        engine.add_policy(name, text)
    engine.add_data(case.data)

    def once() -> None:
        engine.set_input(case.input)
        engine.eval_rule_as_json(case.question)

    once()
    return best(once, repeat)


def regocpp_ns(case: Case, repeat: int) -> float | None:
    """Nanoseconds of one evaluation through rego-cpp's binding, of a bundle built once; None where it fails.

    It reads Rego v1 alone, so v0 is written as v1 for it.
    """
    interpreter = regopy.Interpreter()
    try:
        for name, text in case.modules.items():
            interpreter.add_module(name, format_text(name, text, "v0", rego_v1=True) if case.v0 else text)
        interpreter.add_data(case.data)
        bundle = interpreter.build(case.question, [])

        def once() -> None:
            interpreter.set_input(case.input)
            interpreter.query_bundle(bundle)

        once()
        return best(once, repeat)
    except (regopy.RegoError, RuntimeError, ValueError):  # its binding reads what it printed as JSON
        return None


def best(call: Callable[[], object], repeat: int) -> float:
    """The best of several rounds' means: what it takes where nothing else runs."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter_ns()
        for _ in range(repeat):
            call()
        rounds.append((time.perf_counter_ns() - started) / repeat)
    return min(rounds)


PEERS = ("opa", "regorus", "rego-cpp")


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
        row = {"template": case.template, "case": case.name, "solon": solon_ns(case, 300)}
        if opa:
            row["opa"] = opa_ns(opa, case)
        if regorus:
            row["regorus"] = regorus_ns(case, 50)
        if regopy and (taken := regocpp_ns(case, 10)) is not None:
            row["rego-cpp"] = taken
        rows.append(row)
        peers = "".join(f"{name} {row[name] / row['solon']:7.2f}x   " for name in PEERS if name in row)
        print(f"{case.template:40} {case.name[:50]:50} {row['solon'] / 1000:8.1f} us   {peers}", flush=True)
    summarise(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def summarise(rows: list[dict]) -> None:
    print(
        f"\n{len(rows)} decisions; Solon's median {statistics.median(row['solon'] for row in rows) / 1000:.1f} us"
    )
    for name in PEERS:
        ratios = [row[name] / row["solon"] for row in rows if name in row]
        if ratios:
            mean = math.exp(statistics.fmean(map(math.log, ratios)))
            slower = sum(ratio < 1 for ratio in ratios)
            print(
                f"{name}: takes {mean:.2f} times as long in the geometric mean (from {min(ratios):.2f} to "
                f"{max(ratios):.2f}); Solon is slower in {slower} of {len(ratios)}"
            )


if __name__ == "__main__":
    main()
