"""solon profile, as someone uses it whose policy is slow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SLOW = """package main

deny contains msg if {
	some group in input.resource_changes
	group.type == "aws_security_group"
	some instance in input.resource_changes
	lower(instance.change.after.security_group) == lower(group.address)
	not instance.change.after.encrypted
	msg := sprintf("%s holds %s", [group.address, instance.address])
}
"""
# What the advice says to write: a rule of its own, and a line in place of the loop.
FAST = """package main

deny contains msg if {
	some group in input.resource_changes
	group.type == "aws_security_group"
	some instance in by_security_group[lower(group.address)]
	not instance.change.after.encrypted
	msg := sprintf("%s holds %s", [group.address, instance.address])
}

by_security_group[key] contains instance if {
	some instance in input.resource_changes
	key := lower(instance.change.after.security_group)
}
"""
SIZE = 100


def change(kind: str, number: int, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{kind}.n{number}",
        "type": kind,
        "name": f"n{number}",
        "mode": "managed",
        "change": {"actions": ["create"], "before": None, "after": after},
    }


PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.9.0",
    "planned_values": {},
    "resource_changes": [
        *(change("aws_security_group", n, {}) for n in range(SIZE)),
        *(
            change("aws_instance", n, {"security_group": f"AWS_security_group.n{n}", "encrypted": n > 0})
            for n in range(SIZE)
        ),
    ],
}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "network.rego").write_text(SLOW)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


@pytest.fixture
def measure(solon: Callable[..., Any]) -> Callable[..., Any]:
    def run(*options: str) -> Any:
        ran = solon("profile", "-p", "policy", "plan.json", "--format", "json", *options)
        assert (ran.status, ran.err) == (0, "")
        return json.loads(ran.out)

    return run


def test_the_advice_names_line_and_rewrite_and_the_rewrite_is_fast(
    plan: Path, measure: Callable[..., Any], solon: Callable[..., Any]
) -> None:
    slow = measure()
    (advice,) = slow["advice"]
    assert advice["rule"] == "main.deny"
    assert advice["location"] == {"file": "policy/network.rego", "row": 6, "col": 2}
    assert advice["text"] == "some instance in input.resource_changes"
    assert (
        advice["problem"]
        == "visits input.resource_changes 100 times over, 200 elements each time: 20,000 steps"
    )
    assert (
        "`lower(instance.change.after.security_group) == lower(group.address)` computes" in advice["because"]
    )
    written = "\n".join(advice["instead"])
    for line in (*FAST.splitlines()[10:14], FAST.splitlines()[5].strip()):
        assert line in written
    before = json.loads(solon("check", "-p", "policy", "plan.json", "--format", "json").out)

    (plan / "policy" / "network.rego").write_text(FAST)
    fast = measure()
    after = json.loads(solon("check", "-p", "policy", "plan.json", "--format", "json").out)
    assert [f["message"] for d in after["decisions"] for f in d["findings"]] == [
        f["message"] for d in before["decisions"] for f in d["findings"]
    ] == ["aws_security_group.n0 holds aws_instance.n0"]  # fmt: skip
    assert slow["steps"] > SIZE * 2 * SIZE
    assert fast["steps"] < 16 * SIZE
    assert fast["advice"] == []


@pytest.mark.usefixtures("plan")
def test_expressions_with_their_counts(measure: Callable[..., Any]) -> None:
    found = measure("--sort", "evaluations", "--limit", "0")
    assert {(e["location"]["row"], e["evaluations"], e["steps"]) for e in found["expressions"]} == {
        (4, 1, 200),
        (5, 200, 0),
        (6, 100, 20_000),
        (7, 20_000, 0),
        (8, 100, 0),
        (9, 1, 0),
    }
    counts = [e["evaluations"] for e in found["expressions"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(e["share"] for e in found["expressions"]) == pytest.approx(100, abs=0.1)
    assert found["rules"] == [{"rule": "main.deny", "time_ns": found["time_ns"], "steps": found["steps"]}]


@pytest.mark.parametrize(("sort", "row"), [("steps", 6), ("evaluations", 7)])
@pytest.mark.usefixtures("plan")
def test_what_comes_first(measure: Callable[..., Any], sort: str, row: int) -> None:
    (first,) = measure("--sort", sort, "--limit", "1")["expressions"]
    assert first["location"]["row"] == row


@pytest.mark.usefixtures("plan")
def test_as_a_table(solon: Callable[..., Any]) -> None:
    out = solon("profile", "-p", "policy", "plan.json", "--limit", "3").out
    assert re.search(
        r"^ +[\d.]+ (us|ms|s) +\d+ % +20,000 +0  policy/network.rego:7  main.deny$", out, re.MULTILINE
    )
    assert "  … 3 more; --limit 0 shows all\n" in out
    assert (
        "Advice\n"
        "1. policy/network.rego:6  main.deny\n"
        "     some instance in input.resource_changes\n"
        "   visits input.resource_changes 100 times over, 200 elements each time: 20,000 steps\n"
    ) in out
    assert "         key := lower(instance.change.after.security_group)\n" in out
    assert re.search(
        r"^201 subjects · 1 policy · 20,\d{3} steps · [\d.]+ (us|ms|s) in expressions", out, re.MULTILINE
    )
    assert max(map(len, out.splitlines())) <= 100


def test_a_policy_that_is_stopped_still_has_its_profile(plan: Path, solon: Callable[..., Any]) -> None:
    many = {**PLAN, "resource_changes": PLAN["resource_changes"] * 20}  # type: ignore[operator]
    (plan / "plan.json").write_text(json.dumps(many))
    ran = solon("profile", "-p", "policy", "plan.json", "--timeout", "0.05")
    assert ran.status == 0
    assert re.search(
        r"✗ stopped: policy/network\.rego:6:2: eval_cancel_error: evaluation (took|would take) longer than 0\.05 s",
        ran.out,
    )
    assert "1. policy/network.rego:6  main.deny" in ran.out


def test_a_policy_asked_about_what_it_says_nothing_of(tmp_path: Path, solon: Callable[..., Any]) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(
        'package main\n\ndeny contains "old" if {\n\tinput.resource_changes[_].type == "x"\n\tinput.format_version != "2"\n}\n'
    )
    (tmp_path / "plan.json").write_text(json.dumps({**PLAN, "resource_changes": [change("x", 1, {})]}))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    (tmp_path / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod] * 50}))
    found = json.loads(solon("profile", "-p", "policy", "plan.json", "pods.json", "-o", "json").out)
    (idle,) = found["idle"]
    assert (idle["policy"], idle["kind"], idle["asked"]) == ("main.deny", "kubernetes.object", 50)
    out = solon("profile", "-p", "policy", "plan.json", "pods.json").out
    assert "main.deny was asked about 50 subjects of kind kubernetes.object" in out


TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: portsdiffer}
spec:
  crd: {spec: {names: {kind: PortsDiffer}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package portsdiffer
        violation[{"msg": msg}] {
          a := input.review.object.spec.ports[_]
          b := input.review.object.spec.ports[_]
          lower(a.name) == lower(b.name)
          a.port != b.port
          msg := sprintf("%v", [a.name])
        }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: PortsDiffer
metadata: {name: all}
"""


def test_gatekeeper_templates(tmp_path: Path, solon: Callable[..., Any]) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "template.yaml").write_text(TEMPLATE)
    ports = [{"name": f"P{n}", "port": n} for n in range(40)]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}
    (tmp_path / "service.json").write_text(json.dumps(service))
    ran = solon("profile", "-p", "policy", "service.json", "-o", "json")
    assert ran.status == 0, ran.err
    (advice,) = json.loads(ran.out)["advice"]
    assert (advice["location"]["file"], advice["location"]["row"]) == ("PortsDiffer.rego", 4)
    assert advice["instead"][0] == "# in Rego v0, with: import future.keywords"


@pytest.mark.usefixtures("plan")
def test_what_cannot_be_read_is_told(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    ran = solon("profile", "-p", "policy", "plan.json", "broken.json")
    assert ran.status == 2
    assert "✗ could not be read: broken.json" in ran.out
    assert "201 subjects" in ran.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("-p", "none", "plan.json"), "solon: none: no such file or directory\n"),
        (("plan.json",), "solon: no policies: name them with -p DIR"),
        (("-p", "policy/bad.rego", "plan.json"), "policy/bad.rego:1:1: rego_parse_error"),
    ],
)
def test_what_cannot_be_done(
    solon: Callable[..., Any], tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    if "policy/bad.rego" in arguments:
        (tmp_path / "policy").mkdir()
        (tmp_path / "policy" / "bad.rego").write_text("deny")
    ran = solon("profile", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert problem in ran.err
    assert "Traceback" not in ran.err
