"""examples/rollout, the small version: what each day does to each workload, on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "rollout"
Solon = Callable[..., Any]
WORKLOADS = ("Deployment/gateway", "StatefulSet/ledger", "CronJob/reindex", "DaemonSet/log-shipper")


@pytest.fixture
def repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    del solon  # it changes to an empty directory; this one is to be changed to after that
    place = tmp_path / "repository"
    shutil.copytree(EXAMPLE, place)
    monkeypatch.chdir(place)
    return place


def judged(solon: Solon, *arguments: str) -> tuple[int, dict[str, Any]]:
    ran = solon("check", "--format", "json", *arguments, "manifests")
    return ran.status, {each["subject"]["name"]: each for each in json.loads(ran.out)["decisions"]}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("at", "status", "outcomes"),
    [
        # what was there, what has a waiver, what is new, what has the label
        ("2026-09-07", 0, "allow allow allow allow"),
        ("2026-10-04T23:59:59+02:00", 0, "allow allow allow allow"),
        ("2026-10-05", 0, "warn warn warn allow"),
        ("2026-11-02", 0, "warn warn warn allow"),
        ("2026-11-30", 0, "warn allow warn allow"),
        ("2026-12-07", 0, "warn allow warn allow"),
        ("2026-12-13T23:59:59+01:00", 0, "warn allow warn allow"),
        ("2026-12-14T00:00:00+01:00", 1, "warn allow deny allow"),
        ("2027-01-31T23:59:59+01:00", 1, "warn allow deny allow"),
        ("2027-02-01T00:00:00+01:00", 1, "warn deny deny allow"),
        ("2027-02-28T22:59:59Z", 1, "warn deny deny allow"),
        ("2027-02-28T23:00:00Z", 1, "deny deny deny allow"),
    ],
)
def test_each_day(solon: Solon, at: str, status: int, outcomes: str) -> None:
    found = judged(solon, "--as-of", at)
    assert found[0] == status
    assert [found[1][name]["outcome"] for name in WORKLOADS] == outcomes.split()


@pytest.mark.usefixtures("repository")
def test_a_warning_says_from_when_it_denies(solon: Solon) -> None:
    ran = solon("check", "--as-of", "2026-10-05", "manifests")
    assert "why: scope fleet of rollouts/labels.yaml: denied from 2026-12-14" in ran.out
    assert "why: scope fleet of rollouts/labels.yaml: denied from 2027-03-01" in ran.out


@pytest.mark.usefixtures("repository")
def test_the_policy_passes_its_tests_and_the_repository_its_lint(solon: Solon) -> None:
    assert solon("test", "policy").status == 0
    ran = solon("lint")
    assert (ran.status, ran.err) == (0, ""), ran.out


def test_break_glass_lets_one_through_and_leaves_a_review(
    solon: Solon, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the clock of today, so with dates that are over."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "SOLON_BREAKGLASS_KEY", "SOLON_BREAKGLASS", "GIT_DIR"):
        monkeypatch.delenv(name, raising=False)
    (repository / "rollouts" / "labels.yaml").write_text(
        "policy: kubernetes.team_label.deny\n"
        "scopes: [{name: all, stages: [{stage: warn, from: 2020-01-01}, {stage: enforce, from: 2020-02-01}]}]\n"
    )
    for command in (
        ["init", "--quiet"],
        ["config", "user.email", "ana@example.com"],
        ["config", "user.name", "A"],
    ):
        subprocess.run(["git", "-C", str(repository), *command], check=True, capture_output=True)
    assert solon("breakglass", "keygen").status == 0
    opened = solon(
        "breakglass", "open", "--reason", "search is down", "--ticket", "SEA-1", "--scope", "namespace=search",
        "--minutes", "30",
    )  # fmt: skip
    assert opened.status == 0, opened.err
    before = judged(solon)[1]
    status, after = judged(solon, "--break-glass", opened.out.strip())
    assert before["CronJob/reindex"]["outcome"] == "deny"
    assert after["CronJob/reindex"]["outcome"] == "warn"
    # It is for one namespace, and no waiver: everything else stays as it was.
    assert status == 1
    assert {name: each["outcome"] for name, each in before.items() if name != "CronJob/reindex"} == {
        name: each["outcome"] for name, each in after.items() if name != "CronJob/reindex"
    }
    assert solon("breakglass", "check").status == 1
    (token,) = json.loads(solon("breakglass", "check", "--format", "json").out)["tokens"]
    outcome = ("--outcome", "the label was missing; it has one now", "--by", "ben@example.com")
    assert solon("breakglass", "close", token["id"], *outcome).status == 0
    assert solon("breakglass", "check").status == 0


def test_the_generator_writes_a_repository_that_can_be_judged(
    solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [tmp_path / "one", tmp_path / "other"]
    for place in made:
        command = [
            sys.executable,
            str(EXAMPLE / "generate.py"),
            str(place),
            "--teams",
            "12",
            "--namespaces",
            "40",
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("12 teams, 40 namespaces; ")
    files = [
        {path.relative_to(place): path.read_text() for path in place.rglob("*") if path.is_file()}
        for place in made
    ]
    assert files[0] == files[1]
    assert len([path for path in files[0] if path.suffix == ".json" and path.parts[0] == "manifests"]) == 40
    monkeypatch.chdir(made[0])
    ran = solon("check", "--as-of", "2026-10-20", "manifests")
    assert (ran.status, ran.err) == (0, "")
    assert "40 subjects: " in ran.out
