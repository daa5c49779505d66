"""Sentinel over a plan of 5,000 resources, and over growing ones, beside OPA with the same rules in Rego.

    python benchmarks/sentinel/plan.py [--opa opa] [--opa-most 5000]

Sentinel's own runtime is not public, so the peer is OPA. Solon is timed in process, on a decoded plan; OPA as it reports its
evaluation, parsing left out. Both say what is wrong: Solon judges a second time to name the resources.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from solon.frameworks.policy import Context, PolicySet
from solon.frameworks.sentinel.load import load
from solon.lang.budget import Budget
from solon.subjects.subject import Location, Subject
from solon.subjects.terraform import PLAN

SENTINEL = {
    "tags": """import "tfplan/v2" as tfplan

required = ["Team", "CostCenter", "Environment"]

instances = filter tfplan.resource_changes as _, rc {
	rc.mode is "managed" and
	rc.type is "aws_instance" and
	(rc.change.actions contains "create" or rc.change.actions contains "update")
}

main = rule {
	all instances as _, rc {
		all required as tag {
			(rc.change.after.tags[tag] else "") is not ""
		}
	}
}
""",
    "gpus": """import "tfplan/v2" as tfplan
import "strings"

allowed = ["g5.xlarge", "g5.2xlarge", "p4d.24xlarge"]
families = ["p2.", "p3.", "p4", "p5", "g4", "g5", "g6"]

main = rule {
	all tfplan.resource_changes as _, rc {
		rc.type is not "aws_instance" or
		rc.change.after.instance_type in allowed or
		all families as family {
			not strings.has_prefix(rc.change.after.instance_type, family)
		}
	}
}
""",
    "growth": """import "tfplan/v2" as tfplan

groups = filter tfplan.resource_changes as _, rc { rc.type is "aws_security_group" }
instances = filter tfplan.resource_changes as _, rc { rc.type is "aws_instance" }

main = rule {
	all groups as _, group {
		all instances as _, instance {
			instance.change.after.security_group is not group.address or
			instance.change.after.encrypted
		}
	}
}
""",
}
REGO = {
    "tags": """package tags

import rego.v1

required := ["Team", "CostCenter", "Environment"]

deny contains msg if {
	some rc in input.resource_changes
	rc.mode == "managed"
	rc.type == "aws_instance"
	some action in rc.change.actions
	action in {"create", "update"}
	some tag in required
	object.get(rc.change.after.tags, tag, "") == ""
	msg := sprintf("%s lacks %s", [rc.address, tag])
}
""",
    "gpus": """package gpus

import rego.v1

allowed := {"g5.xlarge", "g5.2xlarge", "p4d.24xlarge"}
families := ["p2.", "p3.", "p4", "p5", "g4", "g5", "g6"]

deny contains msg if {
	some rc in input.resource_changes
	rc.type == "aws_instance"
	not rc.change.after.instance_type in allowed
	some family in families
	startswith(rc.change.after.instance_type, family)
	msg := sprintf("%s is of type %s", [rc.address, rc.change.after.instance_type])
}
""",
    "growth": """package growth

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
""",
}


def plan(resources: int, wrong: int) -> dict:
    """Half of the resources are security groups, half instances that each use one; ``wrong`` of those break all rules."""
    changes = []
    for number in range(resources):
        if number % 2:
            after = {"name": f"group-{number}", "tags": {"Team": "ml"}}
            kind = "aws_security_group"
        else:
            good = number >= 2 * wrong
            after = {
                "instance_type": "m5.large" if good else "p3.8xlarge",
                "security_group": f"aws_security_group.r{number + 1}",
                "encrypted": good,
                "tags": {"Team": "ml", "CostCenter": "cc-1"} | ({"Environment": "dev"} if good else {}),
            }
            kind = "aws_instance"
        changes.append(
            {
                "address": f"{kind}.r{number}",
                "mode": "managed",
                "type": kind,
                "name": f"r{number}",
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": after,
                    "after_unknown": {"id": True},
                },
            }
        )
    return {"format_version": "1.2", "terraform_version": "1.9.8", "resource_changes": changes}


class Nowhere:
    """The locator of a plan that is in no file."""

    def locate(self, path: object) -> Location:
        del path
        return Location("plan.json", 1)


def solon(policies: PolicySet, name: str, document: dict) -> Callable[[], int]:
    """Judges once: how many findings."""
    (policy,) = [each for each in policies.policies if each.id == name]
    context = Context(now_ns=0, budget=Budget(seconds=600.0))

    def judge() -> int:
        subject = Subject(PLAN, "tf://plan", "plan", document, Location("plan.json", 1), Nowhere())
        return len(list(policy.judge(subject, context)))

    return judge


def best(judge: Callable[[], int], seconds: float = 2.0) -> float:
    """The shortest of as many runs as fit."""
    times, until = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < until:
        started = time.perf_counter()
        judge()
        times.append(time.perf_counter() - started)
    return min(times)


def opa_s(opa: str, folder: Path, name: str, document: dict) -> float:
    (folder / "plan.json").write_text(json.dumps(document))
    (folder / f"{name}.rego").write_text(REGO[name])
    command = [
        opa,
        "eval",
        "--metrics",
        "-d",
        str(folder / f"{name}.rego"),
        "-i",
        str(folder / "plan.json"),
        f"data.{name}.deny",
    ]
    times = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        times.append(json.loads(done.stdout)["metrics"]["timer_rego_query_eval_ns"] / 1e9)
    return min(times)


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
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in SENTINEL.items():
            (folder / f"{name}.sentinel").write_text(text)
        policies, problems = load(place)
        assert policies is not None, problems
        for name, size, wrong in (
            ("tags", 5_000, 0), ("tags", 5_000, 50), ("gpus", 5_000, 0), ("gpus", 5_000, 50),
            ("growth", 500, 0), ("growth", 5_000, 0), ("growth", 50_000, 0), ("growth", 5_000, 50),
        ):  # fmt: skip
            document = plan(size, wrong)
            judge = solon(policies, name, document)
            found = judge()
            ours = best(judge)
            line = f"{name:7} {size:7,} resources, {found:3} findings   Solon {ours * 1000:8.2f} ms, {1 / ours:7,.0f}/s"
            if opa and size <= options.opa_most:
                theirs = opa_s(opa, folder, name, document)
                line += f"   OPA {theirs * 1000:9.2f} ms   {theirs / ours:7.1f}x"
            print(line, flush=True)


if __name__ == "__main__":
    main()
