"""Terraform plans as subjects: the plan, and each resource change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.subjects import discover
from solon.subjects.subject import Subject, Unreadable

Read = Callable[[Any], list[Any]]


def change(address: str, actions: list[str], **more: Any) -> dict[str, Any]:
    kind, _, name = address.rpartition("module.")[2].partition(".")
    return {
        "address": address, "mode": "managed", "type": kind, "name": name,
        "change": {"actions": actions, "before": None, "after": {}, "after_unknown": {}}, **more,
    }  # fmt: skip


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)

    def run(plan: Any) -> list[Subject | Unreadable]:
        Path("prod.tfplan.json").write_text(json.dumps(plan))
        return list(discover.read(discover.Input("prod.tfplan.json", True), stdin=lambda _: b""))

    return run


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": list(changes), **more}


def test_a_plan_and_its_resources(read: Read) -> None:
    document = plan(
        change("aws_instance.gpu[0]", ["create"]),
        change('module.eu["a.b"].aws_s3_bucket.data', ["update"]),
    )
    whole, *resources = read(document)
    assert (whole.kind, whole.uri, whole.name) == ("terraform.plan", "tf://prod.tfplan", "prod.tfplan")
    assert whole.document == document
    assert [(r.kind, r.uri, r.name) for r in resources] == [
        ("terraform.resource", "tf://prod.tfplan/aws_instance.gpu[0]", "aws_instance.gpu[0]"),
        (
            "terraform.resource",
            'tf://prod.tfplan/module.eu["a.b"].aws_s3_bucket.data',
            'module.eu["a.b"].aws_s3_bucket.data',
        ),
    ]
    assert [r.document for r in resources] == document["resource_changes"]
    assert all(r.parent is whole.document for r in resources)


@pytest.mark.parametrize(
    "actions",
    [
        ["no-op"],
        ["create"],
        ["read"],
        ["update"],
        ["delete"],
        ["delete", "create"],
        ["create", "delete"],
        ["forget"],
    ],
)
def test_every_action_is_judged(read: Read, actions: list[str]) -> None:
    """Which actions matter is the policy's to say: it sees them in change.actions."""
    (resource,) = [s for s in read(plan(change("a.b", actions))) if s.kind == "terraform.resource"]
    assert resource.document["change"]["actions"] == actions


def test_data_sources_are_no_change(read: Read) -> None:
    found = read(plan(change("data.aws_ami.x", ["read"], mode="data"), change("a.b", ["create"])))
    assert [s.name for s in found] == ["prod.tfplan", "a.b"]


@pytest.mark.parametrize(
    ("after", "labels"),
    [
        ({"tags": {"team": "a", "n": 1}}, {"team": "a"}),
        ({"tags_all": {"team": "all", "x": "y"}, "tags": {"team": "own"}}, {"team": "own", "x": "y"}),
        ({"labels": {"env": "prod"}}, {"env": "prod"}),
        ({"tags": ["a"]}, {}),
        ({"tags": None}, {}),
        ({}, {}),
        (None, {}),  # a delete
    ],
)
def test_tags_are_labels(read: Read, after: Any, labels: dict[str, str]) -> None:
    resource = change("a.b", ["create"])
    resource["change"]["after"] = after
    assert read(plan(resource))[1].labels == labels


def test_what_is_unknown_or_sensitive_stays_as_terraform_says(read: Read) -> None:
    resource = change("a.b", ["create"])
    resource["change"] |= {
        "after": {"password": "s3cret"}, "after_unknown": {"id": True}, "after_sensitive": {"password": True}
    }  # fmt: skip
    assert read(plan(resource))[1].document == resource


@pytest.mark.parametrize(
    "document",
    [
        {"format_version": "0.1", "planned_values": {}},
        {"format_version": "1.99", "resource_changes": []},
        {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {}}},
    ],
)
def test_a_plan_without_changes(read: Read, document: Any) -> None:
    assert [s.kind for s in read(document)] == ["terraform.plan"]


@pytest.mark.parametrize(
    "document", [{"format_version": "1.0"}, {"resource_changes": []}, {"version": 4}, []]
)
def test_what_is_no_plan_is_a_document(read: Read, document: Any) -> None:
    assert [s.kind for s in read(document)] == ["document"]


@pytest.mark.parametrize("version", ["2.0", "10.1", "", 1, None, ["1.0"]])
def test_an_unknown_version_is_refused(read: Read, version: Any) -> None:
    (problem,) = read({"format_version": version, "resource_changes": []})
    assert problem.problem == f"unknown plan format version {version!r}"


def test_half_a_plan_is_not_judged(read: Read) -> None:
    (problem,) = read(plan(change("a.b", ["create"]), {"type": "x"}))
    assert problem.problem == "not a plan: resource_changes[1] has no address"
