"""Which subjects a release directory has, what they are called, and where their fields stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ml_releases import write_evidence, write_release

from solon.subjects import discover, ml_release
from solon.subjects.subject import Subject, Unreadable


def found(path: Path) -> list[Subject | Unreadable]:
    return [
        each
        for source in discover.find([str(path)])
        for each in (
            [source] if isinstance(source, Unreadable) else discover.read(source, stdin=lambda _size: b"")
        )
    ]


def test_a_release_is_one_subject_whatever_it_has(tmp_path: Path) -> None:
    release = write_release(tmp_path / "release")
    (release / "docs/columns.yaml").write_text("- {name: age, type: integer}\n- {name: sex, type: text}\n")
    (release / "sbom.json").write_text('{"bomFormat": "CycloneDX"}')
    (release / "model/tokenizer.json").write_text("[1, 2]")
    (only,) = found(release)
    assert isinstance(only, Subject)
    assert (only.kind, only.uri, only.name) == (
        "ml.release",
        "model://local/adult-income/3",
        "adult-income 3",
    )
    assert (only.team, only.owner) == ("credit", "ann@acme.example")
    write_evidence(release)
    (again,) = found(release)
    assert isinstance(again, Subject)
    assert (again.uri, again.location.file) == (only.uri, str(release / "evidence.json"))


def test_what_else_is_to_be_judged_in_it_is_judged(tmp_path: Path) -> None:
    release = write_release(tmp_path / "release")
    (release / "serve.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n---\njust: a document\n"
    )
    (release / "plan.json").write_text('{"format_version": "1.2", "resource_changes": []}')
    (release / "broken.json").write_text("{")
    kinds = [each.kind if isinstance(each, Subject) else "unreadable" for each in found(release)]
    assert sorted(kinds) == ["kubernetes.object", "ml.release", "terraform.plan", "unreadable"]


def test_a_document_that_somebody_names_is_judged(tmp_path: Path) -> None:
    release = write_release(tmp_path / "release")
    (release / "columns.yaml").write_text("- {name: age}\n")
    (only,) = found(release / "columns.yaml")
    assert isinstance(only, Subject)
    assert only.kind == "document"


@pytest.mark.parametrize(
    ("registry", "name", "version", "uri"),
    [
        ("local", "credit", "7", "model://local/credit/7"),
        ("eu/1", "a b", "1.0+x", "model://eu%2F1/a%20b/1.0%2Bx"),
        ("r", "../x", "..", "model://r/..%2Fx/.."),
    ],
)
def test_a_uri_has_three_parts(registry: str, name: str, version: str, uri: str) -> None:
    assert ml_release.uri(registry, name, version) == uri


def test_a_field_of_the_declaration_stands_in_release_yaml(tmp_path: Path) -> None:
    release = write_release(tmp_path / "release")
    write_evidence(release)
    (only,) = found(release)
    assert isinstance(only, Subject)
    place = only.locator.locate(("release", "risk"))
    assert place.file == str(release / "release.yaml")
    assert yaml.safe_load((release / "release.yaml").read_text().splitlines()[place.line - 1]) == {
        "risk": "high"
    }
    part = only.locator.locate(("evidence", "artifacts"))
    assert part.file == str(release / "evidence.json")
    assert '"artifacts"' in (release / "evidence.json").read_text().splitlines()[part.line - 1]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"kind": "solon.release/v1", "version": "1"}, "a release must have a `name` that is a text"),
        (
            {"kind": "solon.release/v1", "name": "a", "version": 1},
            "a release must have a `version` that is a text",
        ),
        ({"kind": "solon.evidence/v1"}, "not evidence about a release: `release` is missing"),
        ({"kind": "solon.evidence/v1", "release": []}, "not evidence about a release: `release` is missing"),
    ],
)
def test_what_cannot_be_named_is_told(tmp_path: Path, document: object, problem: str) -> None:
    (tmp_path / "release.yaml").write_text(json.dumps(document))
    (only,) = found(tmp_path)
    assert isinstance(only, Unreadable)
    assert only.problem == problem


def test_a_declaration_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "credit.yaml").write_text("kind: solon.release/v1\nname: a\nversion: '1'\n")
    (only,) = found(tmp_path)
    assert str(only) == f"{tmp_path}/credit.yaml:1: declares a release, and is not named release.yaml"


def test_an_object_of_that_kind_is_kubernetes_own(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: solon.release/v1\nmetadata: {name: x}\n")
    (only,) = found(tmp_path)
    assert isinstance(only, Subject)
    assert only.kind == "kubernetes.object"
