"""Authorization models with data of their own: role-based access, a drive of folders, code hosting.

    python benchmarks/rego/models.py [--opa opa] [--size 1000]

The documents are loaded once, as a policy server has them; a decision is one query with a small input. OPA is
asked through `opa bench` with the same policy, data, input and query, on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from solon.lang import rego

RBAC = """package rbac

import rego.v1

default allow := false

# Bindings and grants are lists, as they come from an export.
allow if {
	some binding in data.bindings
	binding.user == input.user
	some grant in data.grants
	grant.role == binding.role
	grant.action == input.action
	grant.resource == input.resource
}
"""

DRIVE = """package drive

import rego.v1

default allow := false

groups := graph.reachable(data.member_of, {input.user})

folders := graph.reachable(data.parent_of, {input.document})

allow if data.documents[input.document].owner == input.user

allow if data.documents[input.document].public

allow if {
	some folder in folders
	some viewer in data.viewers[folder]
	viewer in groups
}
"""

HOSTING = """package hosting

import rego.v1

default allow := false

# A stronger role may do what a weaker one may.
levels := {"reader": 1, "triager": 2, "writer": 3, "maintainer": 4, "admin": 5}

needs := {"pull": 1, "triage": 2, "push": 3, "edit": 4, "delete": 5}

teams := graph.reachable(data.team_of, {input.user})

repository := data.repositories[input.repository]

held contains levels[role] if {
	some role, holders in repository.roles
	some holder in holders
	holder in teams
}

held contains levels.admin if repository.organization in data.administrators[input.user]

allow if max(held) >= needs[input.action]
"""


def rbac(size: int, pick: random.Random) -> tuple[dict, list[dict]]:
    roles = [f"role{n}" for n in range(size // 10)]
    bindings = [{"user": f"user{n}", "role": pick.choice(roles)} for n in range(size) for _ in range(2)]
    grants = [
        {
            "role": role,
            "action": pick.choice(["read", "write"]),
            "resource": f"resource{pick.randrange(size)}",
        }
        for role in roles
        for _ in range(10)
    ]
    held = pick.choice(grants)
    user = next((b["user"] for b in bindings if b["role"] == held["role"]), "user0")
    inputs = [{"user": user, "action": held["action"], "resource": held["resource"]}]
    inputs.append({"user": "user1", "action": "read", "resource": "resource-that-nobody-has"})
    return {"bindings": bindings, "grants": grants}, inputs


def drive(size: int, pick: random.Random) -> tuple[dict, list[dict]]:
    groups = [f"group{n}" for n in range(size // 20)]
    member_of = {f"user{n}": pick.sample(groups, 2) for n in range(size)}
    member_of |= {group: groups[n + 1 : n + 2] if n % 3 else [] for n, group in enumerate(groups)}
    folders = [f"folder{n}" for n in range(size // 5)]
    parent_of = {folder: [folders[n // 2]] if n else [] for n, folder in enumerate(folders)}
    documents = {
        f"doc{n}": {"owner": f"user{pick.randrange(size)}", "public": n % 50 == 0} for n in range(size)
    }
    parent_of |= {name: [pick.choice(folders)] for name in documents}
    viewers = {folder: [pick.choice(groups)] for folder in folders if pick.random() < 0.2}
    inputs = [
        {"user": f"user{pick.randrange(size)}", "document": f"doc{pick.randrange(size)}"} for _ in range(2)
    ]
    return {
        "member_of": member_of,
        "parent_of": parent_of,
        "documents": documents,
        "viewers": viewers,
    }, inputs


def hosting(size: int, pick: random.Random) -> tuple[dict, list[dict]]:
    teams = [f"team{n}" for n in range(size // 20)]
    team_of = {f"user{n}": pick.sample(teams, 2) for n in range(size)}
    team_of |= {team: [teams[n // 2]] if n else [] for n, team in enumerate(teams)}
    roles = ["reader", "triager", "writer", "maintainer", "admin"]
    repositories = {
        f"repo{n}": {"organization": f"org{n % 10}", "roles": {role: pick.sample(teams, 3) for role in roles}}
        for n in range(size)
    }
    administrators = {f"user{n}": [f"org{n % 10}"] for n in range(0, size, 100)}
    inputs = [
        {"user": f"user{pick.randrange(size)}", "repository": f"repo{pick.randrange(size)}", "action": "push"}
        for _ in range(2)
    ]
    return {"team_of": team_of, "repositories": repositories, "administrators": administrators}, inputs


MODELS = {"rbac": (RBAC, rbac), "drive": (DRIVE, drive), "hosting": (HOSTING, hosting)}


def solon_ns(query: rego.Query, document: dict, repeat: int = 300) -> float:
    rounds = []
    for _ in range(5):
        started = time.perf_counter_ns()
        for _ in range(repeat):
            query.evaluate(document)
        rounds.append((time.perf_counter_ns() - started) / repeat)
    return min(rounds)


def opa_ns(opa: str, policy: str, data: dict, document: dict, question: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "policy.rego").write_text(policy)
        Path(folder, "data.json").write_text(json.dumps(data))
        Path(folder, "input.json").write_text(json.dumps(document))
        command = [opa, "bench", "--format", "json", "--metrics=false", "--benchmem=false", "-d", folder + "/policy.rego",
                   "-d", folder + "/data.json", "-i", folder + "/input.json", question]  # fmt: skip
        environment = {**os.environ, "GOMAXPROCS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found = json.loads(done.stdout)
        return found["T"] / found["N"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--opa", default="opa")
    parser.add_argument("--size", type=int, default=1_000, help="users in each model")
    options = parser.parse_args()
    opa = shutil.which(options.opa)
    for name, (policy, make) in MODELS.items():
        data, inputs = make(options.size, random.Random(7))
        query = rego.compile({f"{name}.rego": policy}, data=data).prepare(f"data.{name}.allow")
        for document in inputs:
            ours = solon_ns(query, document)
            line = f"{name:8} {query.evaluate(document)!s:6} Solon {ours / 1000:8.1f} us"
            if opa:
                theirs = opa_ns(opa, policy, data, document, f"data.{name}.allow")
                line += f"   OPA {theirs / 1000:8.1f} us   {theirs / ours:6.2f}x"
            print(line, flush=True)


if __name__ == "__main__":
    main()
