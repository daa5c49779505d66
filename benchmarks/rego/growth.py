"""Time over the size of a plan: two nested loops over `resource_changes`, joined on a field.

    python benchmarks/rego/growth.py [--opa opa] [--opa-most 5000]

Every security group is asked for the instances that use it, which reads as a loop in a loop. Solon is timed in
process, OPA as `opa eval --profile` reports its evaluation (parsing left out).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from solon.lang import rego
from solon.lang.budget import Budget

POLICY = """package network

import rego.v1

deny contains msg if {
	some group in input.resource_changes
	group.type == "aws_security_group"
	some instance in input.resource_changes
	instance.type == "aws_instance"
	instance.change.after.security_group == group.address
	not instance.change.after.encrypted
	msg := sprintf("%s holds %s", [group.address, instance.address])
}
"""


def plan(resources: int) -> dict:
    """Half of the resources are security groups, half are instances that each use one; some are not encrypted."""
    return {
        "resource_changes": [
            {
                "address": f"r{number}",
                "type": "aws_security_group" if number % 2 else "aws_instance",
                "change": {"after": {"security_group": f"r{number + 1}", "encrypted": number % 7 != 0}},
            }
            for number in range(resources)
        ]
    }


def solon_s(document: dict) -> float:
    query = rego.compile({"network.rego": POLICY}).prepare("data.network.deny")
    started = time.perf_counter()
    query.evaluate(document, budget=Budget(seconds=600.0))
    return time.perf_counter() - started


def opa_s(opa: str, document: dict) -> float:
    with tempfile.TemporaryDirectory() as folder:
        policy, plan_file = Path(folder, "network.rego"), Path(folder, "plan.json")
        policy.write_text(POLICY)
        plan_file.write_text(json.dumps(document))
        command = [opa, "eval", "--metrics", "-d", str(policy), "-i", str(plan_file), "data.network.deny"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["metrics"]["timer_rego_query_eval_ns"] / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--opa", default="opa")
    parser.add_argument(
        "--opa-most", type=int, default=5_000, help="resources of the largest plan OPA is given"
    )
    options = parser.parse_args()
    opa = shutil.which(options.opa)
    for size in (500, 5_000, 50_000):
        document = plan(size)
        ours = min(solon_s(document) for _ in range(3))
        line = f"{size:7,} resources   Solon {ours * 1000:9.1f} ms"
        if opa and size <= options.opa_most:
            theirs = opa_s(opa, document)
            line += f"   OPA {theirs * 1000:10.1f} ms   {theirs / ours:8.0f}x"
        print(line, flush=True)


if __name__ == "__main__":
    main()
