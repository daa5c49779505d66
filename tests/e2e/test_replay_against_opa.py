"""What a replay says would change is what a real OPA answers differently, with the old policies and with the new."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decision_events import log_of
from opa_oracle import OPA

pytestmark = pytest.mark.skipif(
    OPA is None, reason="there is no opa binary: put it on PATH, or name it in OPA"
)

OLD = """package authz
import rego.v1
default allow := false
allow if input.user.level > data.limits.level
deny contains sprintf("%v may not %v", [input.user.name, input.action]) if input.action in data.limits.forbidden
roles := {role | some role in input.user.roles; not startswith(role, "x-")}
first := input.user.roles[0]
"""
NEW = OLD.replace("level > data", "level >= data").replace("x-", "y-") + (
    'deny contains "no roles" if count(input.user.roles) == 0\n'
)
LIMITS = {"limits": {"level": 2, "forbidden": ["delete", "sudo"]}}
INPUTS = [
    {"user": {"name": name, "level": level, "roles": roles}, "action": action}
    for name, level, roles in (("ann", 3, ["admin"]), ("bob", 2, ["x-tmp", "dev"]), ("eve", 1, []))
    for action in ("read", "delete")
]
PATHS = ("authz/allow", "authz/deny", "authz/roles", "authz/first", "authz")


def answers(directory: Path) -> list[tuple[str, dict[str, Any], Any]]:
    """Path, input and the answer, which is None where there is none."""
    (directory / "inputs.json").write_text(json.dumps({"inputs": INPUTS}))
    found = []
    for path in PATHS:
        document = f"data.{path.replace('/', '.')}"
        query = f"[[i, x] | some i, value in data.inputs; x := {document} with input as value]"
        run = subprocess.run(
            [str(OPA), "eval", "--format", "raw", "-d", str(directory), query],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        by_input = dict(json.loads(run.stdout))
        found += [(path, value, by_input.get(index)) for index, value in enumerate(INPUTS)]
    return found


def test_the_changes_are_those_of_opa(solon: Callable[..., Any], tmp_path: Path) -> None:
    for name, text in (("old", OLD), ("new", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "authz.rego").write_text(text)
        (tmp_path / name / "data.json").write_text(json.dumps(LIMITS))
    before, after = answers(tmp_path / "old"), answers(tmp_path / "new")
    events = []
    for number, (path, value, result) in enumerate(before):
        event = {
            "decision_id": f"o{number}",
            "timestamp": "2026-03-01T08:00:00Z",
            "path": path,
            "input": value,
        }
        events.append(event if result is None else {**event, "result": result})
    log_of(tmp_path / "log", events)
    for place in ("old", "new"):
        (tmp_path / place / "inputs.json").unlink()
    ran = solon("log", "replay", "-p", "new", "--log", "log", "--format", "json", "--examples", "0")
    found = json.loads(ran.out)
    changed = {f"o{n}" for n, (one, other) in enumerate(zip(before, after, strict=True)) if one != other}
    assert 5 < len(changed) < len(events)
    assert found["changes"]["as_before"] == len(events) - len(changed)
    ran = solon("log", "replay", "-p", "new", "--log", "log", "--format", "csv")
    assert {line.split(",")[2] for line in ran.out.splitlines()[1:]} == changed
    by_path = {path: [n for n, each in enumerate(before) if each[0] == path] for path in PATHS}
    allows = [(before[n][2], after[n][2]) for n in by_path["authz/allow"]]
    denies = [(bool(before[n][2]), bool(after[n][2])) for n in by_path["authz/deny"]]
    whole = [(before[n][2]["allow"], after[n][2]["allow"]) for n in by_path["authz"]]
    assert found["changes"]["newly_allowed"] == (allows + whole).count((False, True))
    assert found["changes"]["newly_denied"] == (allows + whole).count((True, False)) + denies.count(
        (False, True)
    )
    same = solon("log", "replay", "-p", "old", "--log", "log", "--fail-on", "any")
    assert same.status == 0
