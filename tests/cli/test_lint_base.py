"""solon lint --base: a change of policies in a git repository."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POLICY = 'package main\n\ndeny contains "too many" if input.spec.replicas > {}\n'
TEST = 'package main_test\n\ntest_a if count(data.main.deny) == 1 with input as {"spec": {"replicas": 9}}\n'
TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: most}
spec:
  crd: {spec: {names: {kind: Most}, validation: {openAPIV3Schema: {type: object, properties: {max: {type: integer}}}}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package most

        violation[{"msg": "too many"}] { input.review.object.spec.replicas > input.parameters.max }
"""
CONSTRAINT = """apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Most
metadata: {name: ten}
spec:
  enforcementAction: {action}
  parameters: {max: {max}}
"""
QUIET = [
    "--ignore",
    "conftest/missing-metadata",
    "--ignore",
    "conftest/untested-policy",
    "--ignore",
    "policy/no-codeowners",
]


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_rego", ".rego").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", root, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., None]:
    """Write files and commit them."""

    def commit(**files: str) -> None:
        write(tmp_path, **files)
        if not (tmp_path / ".git").exists():
            git(tmp_path, "init", "-q", "-b", "main")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "-m", "x")

    return commit


def deployment(name: str, replicas: int) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {replicas}}}\n"
    )


def changes(ran: Any) -> dict[str, Any]:
    assert ran.err == ""
    found: dict[str, Any] = json.loads(ran.out)["changes"]
    return found


def test_what_a_change_does(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego=POLICY.format(8), examples__a_yaml=deployment("web", 6))
    write(
        tmp_path,
        policy__main_rego=POLICY.format(5),
        policy__other_rego="package other\n\nwarn_x if input.x\n",
    )
    ran = solon("lint", "--base", "HEAD", "policy", *QUIET)
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0].startswith("Changes since HEAD (")
    assert lines[0].endswith("): 1 added, 1 tightened")
    assert lines[1:] == [
        "  tightened  main.deny  policy/main.rego:3:1",
        "    behaviour: 1 sample newly found to violate it (tighter)",
        "    violated by Deployment/web (examples/a.yaml:1): too many",
        "  added      other.warn_x  policy/other.rego:3:1",
        "    enforcement: warn",
        "  1 sample judged with both: 1 newly denied, 0 newly allowed",
        "    newly denied: Deployment/web (examples/a.yaml:1): too many",
        "",
        "2 files: nothing to say",
    ]


def test_inputs_of_tests_are_samples(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego=POLICY.format(8), policy__main_test_rego=TEST)
    write(tmp_path, policy__main_rego=POLICY.format(12))
    found = changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))
    (change,) = found["policies"]
    assert (change["id"], change["change"]) == ("main.deny", "loosened")
    assert change["no_longer_violated_by"] == [
        {
            "sample": "the input of main_test.test_a",
            "location": {"file": "policy/main_test.rego", "line": 3, "column": 0},
            "message": "too many",
        }
    ]


def test_layout_and_comments_change_nothing(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego=POLICY.format(8))
    write(tmp_path, policy__main_rego=POLICY.format(8).replace("if ", "if { # so\n\t").rstrip("\n") + "\n}\n")
    found = changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))
    # Braces are another text; spaces and comments alone are not.
    assert [c["change"] for c in found["policies"]] == ["changed"]
    write(tmp_path, policy__main_rego="# a\n" + POLICY.format(8).replace(" > ", "  >  "))
    assert changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))["policies"] == []


def test_data_and_helpers_count(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    policy = (
        "package main\n\ndeny contains 1 if big\n\nbig if input.n > data.limits.most\n\nother if input.q\n"
    )
    repository(policy__main_rego=policy, policy__data__limits_yaml="limits: {most: 3}\n")
    write(tmp_path, policy__main_rego=policy.replace("input.q", "input.r"))
    assert changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))["policies"] == []
    write(tmp_path, policy__data__limits_yaml="limits: {most: 4}\n")
    (change,) = changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))["policies"]
    assert change["reasons"] == [
        {
            "about": "text",
            "direction": None,
            "text": "its text or data changed, and no sample is there to tell",
        }
    ]


def test_gatekeeper(solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path) -> None:
    def constraint(action: str, most: int) -> str:
        return (
            CONSTRAINT.replace("{action}", action)
            .replace("{max}", str(most), 1)
            .replace("{max: {max}}", f"{{max: {most}}}")
        )

    first = constraint("dryrun", 10).replace("{10: ", "{max: ")
    repository(t_yaml=TEMPLATE, c_yaml=first, samples__a_yaml=deployment("web", 7))
    write(tmp_path, c_yaml=first.replace("dryrun", "deny").replace("10", "5"))
    ran = solon("lint", "--base", "HEAD", ".", "-o", "json")
    assert ran.status == 1
    (change,) = changes(ran)["policies"]
    assert (change["id"], change["change"], change["enforcement"]) == (
        "Most/ten",
        "tightened",
        {"before": "dryrun", "after": "enforce"},
    )
    assert [(r["about"], r["text"]) for r in change["reasons"]] == [
        ("enforcement", "dryrun → enforce"),
        ("parameters", "max: 10 → 5"),
        ("behaviour", "1 sample newly found to violate it"),
    ]
    skipped = [r for r in json.loads(ran.out)["remarks"] if r["code"] == "policy/skipped-stage"]
    assert [(r["message"], r["location"]) for r in skipped] == [
        ("Most/ten was at dryrun, and denies at once", {"file": "./c.yaml", "line": 5, "column": 3})
    ]


def test_sarif_and_github(solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path) -> None:
    repository(policy__main_rego=POLICY.format(8), policy__old_rego="package old\n\ndeny if input.x\n")
    write(tmp_path, policy__main_rego=POLICY.format(5))
    (tmp_path / "policy/old.rego").unlink()
    sample = tmp_path / "web.yaml"
    sample.write_text(deployment("web", 6))
    given = ["lint", "--base", "HEAD", "policy", "--sample", "web.yaml", *QUIET]
    run = json.loads(solon(*given, "-o", "sarif").out)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [(r["ruleId"], rules[r["ruleIndex"]]["id"], r["level"]) for r in run["results"]] == [
        ("change/tightened", "change/tightened", "note"),
        ("change/removed", "change/removed", "note"),
    ]
    assert [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]] == [
        "policy/main.rego",
        "policy/old.rego",
    ]
    lines = solon(*given, "-o", "github").out.splitlines()
    assert lines[0] == (
        "::notice file=policy/main.rego,line=3,col=1,title=change/tightened::main.deny: tightened%0A"
        "behaviour: 1 sample newly found to violate it (tighter)%0Aviolated by Deployment/web (web.yaml:1): too many"
    )
    assert lines[2].endswith(
        "1 removed, 1 tightened; 1 sample judged with both: 1 newly denied, 0 newly allowed"
    )


@pytest.mark.parametrize(
    ("before", "after", "config", "codes"),
    [
        ("", "deny", True, ["policy/skipped-stage"]),
        ("", "deny", False, []),
        ("", "warn", True, []),
        ("warn", "deny", True, ["policy/enforcement-raised"]),
        ("warn", "deny", False, []),
    ],
)
def test_stages(
    solon: Callable[..., Any],
    repository: Callable[..., None],
    tmp_path: Path,
    before: str,
    after: str,
    config: bool,
    codes: list[str],
) -> None:
    first = f"package main\n\n{before}_x if input.x\n" if before else "package main\n"
    repository(policy__main_rego=first, **({"solon_yaml": "policies: [policy]\n"} if config else {}))
    write(tmp_path, policy__main_rego=f"package main\n\n{after}_x if input.x\n")
    found = json.loads(solon("lint", "--base", "HEAD", "policy", *QUIET, "-o", "json").out)["remarks"]
    assert [r["code"] for r in found] == codes
    # Where rollouts say what is enforced, policies may ask for what they like.
    (tmp_path / "rollouts").mkdir()
    found = json.loads(solon("lint", "--base", "HEAD", "policy", *QUIET, "-o", "json").out)["remarks"]
    assert [r["code"] for r in found] == (codes if not config else [])


def test_a_stage_that_is_passed_over_with_a_reason(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego="package main\n", solon_yaml="policies: [policy]\n")
    comment = "# solon: ignore policy/skipped-stage -- an incident, agreed with the platform team\n"
    write(tmp_path, policy__main_rego=f"package main\n\n{comment}deny if input.x\n")
    assert "nothing to say" in solon("lint", "--base", "HEAD", "policy", *QUIET).out
    assert "nothing to say" in solon("lint", "policy", *QUIET).out


def test_what_others_did_since_does_not_count(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego=POLICY.format(8))
    git(tmp_path, "checkout", "-q", "-b", "mine")
    repository(policy__mine_rego="package mine\n\nwarn if input.x\n")
    git(tmp_path, "checkout", "-q", "main")
    repository(policy__theirs_rego="package theirs\n\nwarn if input.x\n")
    git(tmp_path, "checkout", "-q", "mine")
    found = changes(solon("lint", "--base", "main", "policy", "-o", "json"))
    assert [(c["id"], c["change"]) for c in found["policies"]] == [("mine.warn", "added")]


def test_from_inside_the_repository(
    solon: Callable[..., Any],
    repository: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository(deep__policy__old_rego="package old\n\ndeny if input.x\n", deep__policy__a_rego="package a\n")
    (tmp_path / "deep/policy/old.rego").unlink()
    monkeypatch.chdir(tmp_path / "deep")
    (change,) = changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))["policies"]
    assert (change["change"], change["location"]["file"]) == (
        "removed",
        os.path.join("..", "deep/policy/old.rego"),
    )


def test_data_from_elsewhere_are_the_same_for_both(
    solon: Callable[..., Any],
    repository: Callable[..., None],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "limits.yaml"
    elsewhere.write_text("limits: {most: 3}\n")
    policy = "package main\n\ndeny contains 1 if input.spec.replicas > data.limits.most\n"
    repository(policy__main_rego=policy, examples__a_yaml=deployment("web", 4))
    given = ["lint", "--base", "HEAD", "policy", "-d", str(elsewhere), "-o", "json"]
    assert changes(solon(*given))["policies"] == []
    write(tmp_path, policy__main_rego=policy.replace("most", "most + 2"))
    assert [c["change"] for c in changes(solon(*given))["policies"]] == ["loosened"]


def test_a_base_that_does_not_compile(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    repository(policy__main_rego="package main\n\ndeny if nofunc(1)\n")
    write(tmp_path, policy__main_rego=POLICY.format(8))
    ran = solon("lint", "--base", "HEAD", "policy", *QUIET)
    assert ran.status == 0
    assert (
        "  not compared: at HEAD: policy/main.rego:3:9: rego_type_error: undefined function nofunc" in ran.out
    )
    # That main.deny is new is not known.
    assert "added" not in ran.out


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        ("--output=x", "solon: --base '--output=x': not a revision"),
        ("", "solon: --base '': not a revision"),
        ("nowhere", "solon: --base nowhere: there is no such revision"),
        ("HEAD:policy", "solon: --base HEAD:policy: there is no such revision"),
    ],
)
def test_bases_that_are_none(
    solon: Callable[..., Any], repository: Callable[..., None], base: str, problem: str
) -> None:
    repository(policy__main_rego=POLICY.format(8))
    ran = solon("lint", f"--base={base}", "policy")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(problem)


def test_where_there_is_no_repository(
    solon: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, policy__main_rego=POLICY.format(8))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ran = solon("lint", "--base", "HEAD", "policy")
    assert (ran.status, ran.err) == (2, "solon: --base HEAD: policy is not in a git repository\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (
        "solon: --base needs git, which cannot be run: no such file or directory"
        in solon("lint", "--base", "HEAD", "policy").err
    )


def test_links_in_the_base_are_not_followed(
    solon: Callable[..., Any], repository: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/out.rego").symlink_to("/etc/passwd")
    repository(policy__main_rego=POLICY.format(8))
    (tmp_path / "policy/out.rego").unlink()
    assert changes(solon("lint", "--base", "HEAD", "policy", "-o", "json"))["policies"] == []
