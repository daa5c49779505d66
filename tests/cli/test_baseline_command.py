"""solon baseline: what violates now, written down, spared, and taken out as it is put right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

POLICY = """package main

deny contains "no cost centre" if {
	input.kind == "Deployment"
	not input.metadata.labels["cost-centre"]
}

deny_replicas contains "replicas are not said" if {
	input.kind == "Deployment"
	not input.spec.replicas
}
"""
ROLLOUT = """policy: main.*
existing: {until: 9000-01-01, baseline: base.json}
scopes:
  - name: all
    stages: [{stage: enforce, from: 2026-11-02}]
"""


FAILING = """package main

deny contains "x" if {
	input.kind == "Deployment"
	http.send({"method": "get", "url": "http://localhost:1"}).body
}
"""


def write(repo: Path, *names: str, good: tuple[str, ...] = ()) -> None:
    objects = []
    for name in names:
        labels = {"cost-centre": "7"} if name in good else {}
        metadata = {"name": name, "namespace": "n", "labels": labels}
        objects.append(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}}
        )
    (repo / "k8s/all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("solon.cli.governed.clock", lambda: 1_795_000_000_123_456_789)
    for name in ("policy", "rollouts", "k8s"):
        (tmp_path / name).mkdir()
    (tmp_path / "policy/cost.rego").write_text(POLICY)
    (tmp_path / "rollouts/all.yaml").write_text(ROLLOUT)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    write(tmp_path, "a", "b")
    return tmp_path


def found(repo: Path) -> dict[str, list[str]]:
    value: dict[str, list[str]] = json.loads((repo / "base.json").read_text())["findings"]
    return value


URI = "k8s://manifests/n/Deployment/{}".format


def test_what_violates_is_written_and_spared(solon, repo):
    # The rollout names the file that is to be written; that it is not there yet is no problem.
    ran = solon("baseline", "k8s", "-o", "base.json")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        f"+ main.deny  {URI('a')}\n+ main.deny  {URI('b')}\nbase.json holds 2 violations: 2 added, 0 taken out\n"
    )
    assert json.loads((repo / "base.json").read_text()) == {
        "schema": "solon.baseline/v1",
        "recorded": "2026-11-18T11:06:40.000000000Z",
        "findings": {"main.deny": [URI("a"), URI("b")]},
    }
    assert solon("check", "k8s").status == 0
    write(repo, "a", "b", "c")
    ran = solon("check", "k8s")
    assert ran.status == 1
    assert "1 denied" in ran.out


def test_an_update_takes_out_what_is_put_right_and_adds_nothing(solon, repo):
    solon("baseline", "k8s", "-o", "base.json")
    write(repo, "a", "b", "c", good=("a",))
    ran = solon("baseline", "k8s", "-o", "base.json", "--update")
    assert ran.out == f"- main.deny  {URI('a')}\nbase.json holds 1 violation: 0 added, 1 taken out\n"
    assert found(repo) == {"main.deny": [URI("b")]}


def test_what_is_new_is_added_when_asked_for(solon, repo):
    solon("baseline", "k8s", "-o", "base.json")
    write(repo, "a", "b", "c", good=("a",))
    ran = solon("baseline", "k8s", "-o", "base.json", "--add", "--dry-run", "--format", "json")
    assert json.loads(ran.out) == {
        "schema": "solon.baseline-change/v1",
        "file": "base.json",
        "total": 3,
        "added": [{"policy": "main.deny", "subject": URI("c")}],
        "removed": [],
        "written": False,
    }
    assert found(repo) == {"main.deny": [URI("a"), URI("b")]}
    solon("baseline", "k8s", "-o", "base.json", "--add")
    assert found(repo) == {"main.deny": [URI("a"), URI("b"), URI("c")]}
    solon("baseline", "k8s", "-o", "base.json", "--add", "--update")
    assert found(repo) == {"main.deny": [URI("b"), URI("c")]}


def test_a_file_is_not_overwritten(solon, repo):
    (repo / "base.json").write_text("mine")
    ran = solon("baseline", "k8s", "-o", "base.json")
    assert ran.status == 2
    assert ran.err.startswith("solon: base.json exists: --update takes out what is put right")
    ran = solon("baseline", "k8s", "-o", "base.json", "--update")
    assert ran.status == 2
    assert ran.err.startswith("solon: base.json: not a baseline")
    assert (repo / "base.json").read_text() == "mine"
    assert "no such file" in solon("baseline", "k8s", "-o", "other.json", "--update").err


def test_nothing_changes_where_nothing_changed(solon, repo, monkeypatch):
    solon("baseline", "k8s", "-o", "base.json")
    before = (repo / "base.json").read_bytes()
    monkeypatch.setattr("solon.cli.governed.clock", lambda: 1_800_000_000_000_000_000)
    assert solon("baseline", "k8s", "-o", "base.json", "--update").status == 0
    assert (repo / "base.json").read_bytes() == before


def test_other_policies_are_left_alone(solon, repo):
    data = json.loads((repo / "k8s/all.json").read_text())
    for each in data["items"]:
        del each["spec"]["replicas"]
    (repo / "k8s/all.json").write_text(json.dumps(data))
    solon("baseline", "k8s", "-o", "base.json", "--policy", "main.deny")
    assert list(found(repo)) == ["main.deny"]
    solon("baseline", "k8s", "-o", "base.json", "--add")
    assert list(found(repo)) == ["main.deny", "main.deny_replicas"]
    write(repo, "a", "b", good=("a", "b"))
    solon("baseline", "k8s", "-o", "base.json", "--update", "--policy", "*_replicas")
    assert list(found(repo)) == ["main.deny"]


def test_what_is_waived_is_left_out_but_not_taken_out(solon, repo):
    solon("baseline", "k8s", "-o", "base.json")
    (repo / "waivers").mkdir()
    (repo / "waivers/w.yaml").write_text(
        f"policy: main.deny\nscope: {{subject: '{URI('*')}'}}\nowner: a\nreason: r\napproved_by: sec\n"
        "created: 2026-11-01\nexpires: 2026-12-01\n"
    )
    assert solon("baseline", "k8s", "-o", "base.json", "--update").out == (
        "base.json holds 2 violations: 0 added, 0 taken out\nLeft out: 2 violations that waivers cover\n"
    )
    (repo / "base.json").unlink()
    solon("baseline", "k8s", "-o", "base.json")
    assert found(repo) == {}


def test_violations_of_a_plan_are_those_of_its_resources(solon, repo):
    (repo / "policy/cost.rego").write_text(
        "package main\n\ndeny contains result if {\n\tsome change in input.resource_changes\n"
        '\tnot change.change.after.tags\n\tresult := {"msg": "no tags", "resource": change.address}\n}\n'
    )
    change = {"actions": ["create"], "before": None, "after": {}}
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "resource_changes": [
            {
                "address": f"aws_instance.{name}",
                "mode": "managed",
                "type": "aws_instance",
                "name": name,
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": change,
            }
            for name in ("a", "b")
        ],
    }
    (repo / "k8s/all.json").write_text(json.dumps(plan))
    solon("baseline", "k8s", "-o", "base.json")
    ran = solon("check", "k8s", "--format", "json")
    uris = {d["subject"]["uri"] for d in json.loads(ran.out)["decisions"]}
    assert len(found(repo)["main.deny"]) == 2
    assert set(found(repo)["main.deny"]) < uris


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("k8s/broken.yaml", "a: [", "k8s/broken.yaml:"),
        ("rollouts/broken.yaml", "policy: x\nscopes: 1\n", "rollouts/broken.yaml:2:1: scopes must be a list"),
        (
            "policy/cost.rego",
            FAILING,
            "main.deny failed",
        ),
    ],
)
def test_nothing_is_written_of_what_was_not_all_judged(solon, repo, file, content, said):
    (repo / file).write_text(content)
    ran = solon("baseline", "k8s", "-o", "base.json")
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert not (repo / "base.json").exists()
