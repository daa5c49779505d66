"""The starter library: every policy says what it is, and its tests catch the bad and pass the good."""

from __future__ import annotations

import json
import re
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


@pytest.mark.parametrize("policy", load(), ids=lambda policy: policy.id)
def test_a_policy_has_tests_of_both_kinds(policy: Policy) -> None:
    """What is caught has a count or a message to compare with; what passes has none."""
    text = Path(policy.source.file).with_name(Path(policy.source.file).stem + "_test.rego").read_text()
    bodies = re.split(r"^test_", text, flags=re.MULTILINE)[1:]
    passes = [body for body in bodies if re.search(r"count\(\S+\) == 0|== set\(\)", body)]
    assert passes
    assert len(passes) < len(bodies)


def test_its_tests_pass_and_reach_every_line(solon: Callable[..., Any]) -> None:
    ran = solon("test", str(LIBRARY), "--coverage", "--format", "json")
    assert ran.status == 0, ran.out
    assert (
        {each["status"] for suite in json.loads(ran.out)["suites"] for each in suite["tests"]} == {"passed"}
        if ("suites" in json.loads(ran.out))
        else True
    )
    assert json.loads(ran.err)["coverage"] >= 95


@pytest.mark.parametrize("policy", load(), ids=lambda policy: policy.id)
def test_a_policy_that_says_nothing_fails_its_tests(
    solon: Callable[..., Any], tmp_path: Path, policy: Policy
) -> None:
    """The tests have teeth: with the policy emptied, some of them fail."""
    package = policy.id.rpartition(".")[0]
    for file in LIBRARY.rglob("*"):
        if file.is_file():
            copy = tmp_path / "library" / file.relative_to(LIBRARY)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    emptied = tmp_path / "library" / Path(policy.source.file).relative_to(LIBRARY)
    emptied.write_text(f"package {package}\n\ndeny contains msg if {{\n\tmsg := input.never\n}}\n")
    ran = solon("test", "library", "--run", package.rpartition(".")[2])
    assert ran.status == 1
