"""The starter library: every policy says what it is, and its tests catch the bad and pass the good."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.cli import policies
from solon.frameworks.policy import Policy, Stage

LIBRARY = Path(__file__).parents[2] / "library"


def load() -> list[Policy]:
    sets = policies.load(policies.Wanted([str(LIBRARY)], [], [], True, "v1"))
    return [policy for policy_set in sets for policy in policy_set.policies]


def test_the_policies() -> None:
    assert sorted((policy.id, policy.severity, policy.stage) for policy in load()) == [
        ("kubernetes.gpu_quota.deny", "high", Stage.ENFORCE),
        ("kubernetes.model_region.deny", "high", Stage.ENFORCE),
        ("kubernetes.model_registry.deny", "high", Stage.ENFORCE),
        ("kubernetes.required_labels.deny", "medium", Stage.ENFORCE),
        ("ml.artifacts.deny", "critical", Stage.ENFORCE),
        ("ml.data_quality.deny", "high", Stage.ENFORCE),
        ("ml.dependencies.deny", "high", Stage.ENFORCE),
        ("ml.documentation.deny", "high", Stage.ENFORCE),
        ("ml.drift.deny", "medium", Stage.ENFORCE),
        ("ml.evidence.deny", "critical", Stage.ENFORCE),
        ("ml.fairness.deny", "high", Stage.ENFORCE),
        ("ml.latency.deny", "medium", Stage.ENFORCE),
        ("ml.ownership.deny", "medium", Stage.ENFORCE),
        ("ml.performance.deny", "high", Stage.ENFORCE),
        ("ml.regression.deny", "high", Stage.ENFORCE),
        ("ml.risk_level.deny", "critical", Stage.ENFORCE),
        ("ml.signature.deny", "critical", Stage.ENFORCE),
        ("terraform.cost_tags.deny", "medium", Stage.ENFORCE),
        ("terraform.instance_types.deny", "high", Stage.ENFORCE),
        ("terraform.regions.deny", "high", Stage.ENFORCE),
    ]


@pytest.mark.parametrize("policy", load(), ids=lambda policy: policy.id)
def test_a_policy_says_what_it_is(policy: Policy) -> None:
    assert policy.title
    assert policy.description
    assert policy.remediation
    assert policy.owner
    assert policy.controls
    for control in policy.controls:  # a framework, and a place in it
        assert re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9.()-]+", control), control
    assert policy.id.split(".")[1] in (LIBRARY / "README.md").read_text()


def test_its_tests_pass_and_reach_every_line(solon: Callable[..., Any]) -> None:
    ran = solon("test", str(LIBRARY), "--coverage", "--format", "json")
    assert ran.status == 0, ran.out
    summary = json.loads(ran.out)["summary"]
    assert (summary["failed"], summary["skipped"], summary["error"]) == (0, 0, 0)
    assert json.loads(ran.err)["coverage"] >= 95


@pytest.mark.parametrize("policy", load(), ids=lambda policy: policy.id)
@pytest.mark.parametrize(
    "rule", ["deny contains msg if msg := input.never", 'deny contains json.unmarshal(`"always"`)']
)
def test_its_tests_catch_the_bad_and_pass_the_good(
    solon: Callable[..., Any], tmp_path: Path, policy: Policy, rule: str
) -> None:
    """They have teeth: a policy that says nothing fails some of them, and so does one that denies everything."""
    package = policy.id.rpartition(".")[0]
    for file in LIBRARY.rglob("*"):
        if file.is_file():
            copy = tmp_path / "library" / file.relative_to(LIBRARY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    changed = tmp_path / "library" / Path(policy.source.file).relative_to(LIBRARY)
    changed.write_text(f"package {package}\n\n{rule}\n")
    ran = solon("test", "library", "--run", package.rpartition(".")[2])
    assert ran.status == 1


OPA = shutil.which("opa") or os.path.expanduser("~/go/bin/opa")


@pytest.mark.skipif(not os.path.exists(OPA), reason="needs opa")
@pytest.mark.parametrize("command", [["test"], ["check", "--strict"]], ids=" ".join)
def test_it_means_the_same_to_opa(command: list[str]) -> None:
    ran = subprocess.run([OPA, *command, str(LIBRARY)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
