"""A file of the programme that is wrong: named with its place, status 2, grants nothing, and the rest is judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Solon = Callable[..., Any]
POLICY = """package main

deny contains "denied" if input.kind == "Deployment"

deny_more contains "denied more" if input.kind == "Deployment"
"""
OBJECTS = "".join(
    f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {name}}}\n"
    for name in ("pay", "ml")
)
ROLLOUT = """policy: main.deny
scopes: [{name: all, stages: [{stage: warn, from: 2026-01-01}]}]
"""
ENFORCED = ROLLOUT.replace("stage: warn", "stage: enforce").replace("main.deny", "main.*")
WAIVER = """- policy: main.*
  scope: {namespace: pay}
  owner: somebody
  reason: moves to the new platform
  approved_by: governance
  created: 2026-09-01
  expires: 2026-12-01
"""
DAY = "2026-10-01"


@pytest.fixture
def repository(solon: Solon, tmp_path: Path) -> Path:
    del solon
    for name in ("policy", "rollouts", "waivers"):
        (tmp_path / name).mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    (tmp_path / "objects.yaml").write_text(OBJECTS)
    return tmp_path


def check(solon: Solon) -> tuple[int, list[str], dict[str, str]]:
    """The status, the problems of the programme, and the outcome of each subject."""
    ran = solon("check", "--format", "json", "--as-of", DAY, "objects.yaml")
    report = json.loads(ran.out)
    problems = [
        ":".join(str(n) for key in ("file", "line", "column") if (n := each["location"].get(key)))
        + f": {each['problem']}"
        for each in report["programme_problems"]
    ]
    return ran.status, problems, {d["subject"]["namespace"]: d["outcome"] for d in report["decisions"]}


def bomb() -> str:
    text = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    return text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WAIVER.replace("  expires: 2026-12-01\n", ""), "waivers/bad.yaml:1:3: expires is missing"),
        (
            WAIVER.replace("2026-12-01", "2026-12-32"),
            "waivers/bad.yaml:7:3: expires: '2026-12-32' is no date",
        ),
        (WAIVER.replace("2026-12-01", "2036-12-01"), "waivers/bad.yaml:7:3: "),
        (WAIVER.replace("governance", "somebody"), "waivers/bad.yaml:5:3: somebody owns the waiver"),
        (WAIVER.replace("  expires", "  expiry"), "waivers/bad.yaml:7:3: unknown key expiry"),
        (WAIVER.replace("namespace", "namespaces", 1), "waivers/bad.yaml:2:11: unknown key scope.namespaces"),
        (WAIVER.replace("somebody", "[a"), "waivers/bad.yaml:"),
        ("waivers: all\n", "waivers/bad.yaml:1:1: unknown key waivers"),
        ("- everything\n", "waivers/bad.yaml:1:3: a waiver must hold keys"),
        ("policy: " + "[" * 100_000, "waivers/bad.yaml:1: nested too deeply"),
        (bomb(), "waivers/bad.yaml:1: an alias bomb"),
        ("- &x\n  policy: main.deny\n  scope: *x\n", "waivers/bad.yaml:1: an alias stands for a document"),
        ("\x01", "waivers/bad.yaml:1"),
    ],
)
def test_a_waiver_that_is_wrong_covers_nothing(solon, repository, text, problem):
    (repository / "rollouts" / "all.yaml").write_text(ENFORCED)
    (repository / "waivers" / "bad.yaml").write_text(text)
    (repository / "waivers" / "good.yaml").write_text(WAIVER.replace("pay", "ml"))
    status, problems, outcomes = check(solon)
    assert status == 2
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert outcomes == {"pay": "deny", "ml": "allow"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policy: main.deny_more\nscopes: [{name: a}]", "rollouts/bad.yaml:2:10: stages is missing"),
        (ROLLOUT.replace("2026-01-01", "tomorrow"), "rollouts/bad.yaml:2:45: from: 'tomorrow' is no date"),
        (ROLLOUT.replace("stage: warn", "stage: block"), "rollouts/bad.yaml:2:"),
        ("policy: main.deny_more\ndefault: off\n", "rollouts/bad.yaml:2:1: default must be "),
        ("policy: [main.deny_more\n", "rollouts/bad.yaml:"),
        ("existing: {until: never, created_before: 2026-01-01}\npolicy: x\n", "rollouts/bad.yaml:1:12: until: 'never'"),
        ("policy: x\nexisting: {until: 2027-01-01, baseline: gone.json}\n", "rollouts/bad.yaml:1:1: baseline gone.json: no such file"),
        ("policy: " + "{a: " * 100_000, "rollouts/bad.yaml:1: nested too deeply"),
        (bomb(), "rollouts/bad.yaml:1: an alias bomb"),
    ],
)  # fmt: skip
def test_a_rollout_that_is_wrong_is_not_dryrun(solon, repository, text, problem):
    (repository / "rollouts" / "bad.yaml").write_text(text)
    status, problems, outcomes = check(solon)
    assert status == 2
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert outcomes == {"pay": "deny", "ml": "deny"}


def test_two_rollouts_of_one_policy(solon, repository):
    for name in ("a", "b"):
        (repository / "rollouts" / f"{name}.yaml").write_text(ENFORCED)
    status, problems, outcomes = check(solon)
    assert status == 2
    assert problems[0] == "rollouts/b.yaml:1:1: main.deny is in two rollouts: this, and rollouts/a.yaml:1:1"
    assert outcomes == {"pay": "deny", "ml": "deny"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe\x00", b"[" * 1_000_000, b'{"schema": "x"}'])
def test_a_baseline_that_is_wrong_spares_nothing(solon, repository, content):
    (repository / "rollouts" / "a.yaml").write_text(
        ENFORCED + "existing: {until: 2027-01-01, baseline: baseline.json}\n"
    )
    (repository / "baseline.json").write_bytes(content)
    status, problems, outcomes = check(solon)
    assert status == 2
    assert len(problems) == 1
    assert problems[0].startswith("baseline.json: not a baseline: ")
    assert outcomes == {"pay": "deny", "ml": "deny"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("pay-*: [payments]\n", "solon: owners.yaml: must hold names and what they stand for"),
        ("- pay\n", "solon: owners.yaml: must hold names and what they stand for"),
        ("", "solon: owners.yaml: must hold names and what they stand for"),
        ("pay: x\npay: y\n", "solon: owners.yaml:2:1: duplicate key 'pay'"),
        ("a: {\n", "solon: owners.yaml:"),
        (
            "pay: x\n000123456701: ml\n",
            "solon: owners.yaml:2:1: write 000123456701 in quotes, as it begins with 0",
        ),
        (None, "solon: owners.yaml: no such file or directory"),
    ],
)
def test_a_map_of_owners_that_is_wrong(solon, repository, content, problem):
    """Nothing is judged then: which team a scope is about would be a guess."""
    (repository / "solon.yaml").write_text(
        "policies: [policy]\nownership: {team: [{namespaces: owners.yaml}]}\n"
    )
    if content is not None:
        (repository / "owners.yaml").write_text(content)
    ran = solon("check", "--as-of", DAY, "objects.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(problem)
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("folder", ["rollouts", "waivers"])
def test_a_file_that_is_too_large_is_not_read(solon, repository, folder):
    (repository / "rollouts" / "a.yaml").write_text(ENFORCED)
    with (repository / folder / "large.yaml").open("wb") as file:
        file.truncate(50 << 20)
    ran = solon("check", "--as-of", DAY, "objects.yaml")
    assert ran.status == 2
    assert f"{folder}/large.yaml" in ran.out
    assert "50 MiB is larger than the limit of 16 MiB" in ran.out
    assert "--max-size" not in ran.out


def test_a_hundred_thousand_waivers_need_bounded_memory(repository):
    """10,000 of them here, so that the test stays short, and a tenth of the memory that is allowed for all."""
    (repository / "rollouts" / "all.yaml").write_text(ENFORCED)
    for file in range(10):
        text = "".join(WAIVER.replace("pay", f"team-{number}") for number in range(1_000))
        (repository / "waivers" / f"{file}.yaml").write_text(
            text + WAIVER.replace("pay", "pay" if file else "ml")
        )
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        f"sys.argv = ['solon', 'check', '--as-of', '{DAY}', 'objects.yaml']\n"
        "from solon.cli.main import run\n"
        "run()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "4 findings waived" in ran.stdout
