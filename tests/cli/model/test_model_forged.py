"""What whoever releases may leave in the directory, so that a gate says yes: none of it counts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_releases import write_evidence, write_release

Solon = Callable[..., Any]
POLICY = """# METADATA
# title: Only small risks
# custom:
#   subject: ml.release
package ml.risk

deny contains "the risk is high" if input.release.risk == "high"
"""
PODS = """# METADATA
# title: Nothing is wrong with any object
# custom:
#   subject: kubernetes
package pods

deny contains "bad" if input.metadata.name == "bad"
"""
OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "good", "namespace": "a"}}


@pytest.fixture(autouse=True)
def _repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/risk.rego").write_text(POLICY)
    (tmp_path / "policy/pods.rego").write_text(PODS)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\nmodels: {collectors: [gate.pub.pem]}\n")
    monkeypatch.setenv("SOLON_GATE_KEY", str(tmp_path / "keys/gate.pem"))
    assert solon("model", "keygen").status == 0


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """One that is denied."""
    directory = write_release(tmp_path / "release", risk="high", environment="staging")
    write_evidence(directory)
    return directory


FORGED = {**OBJECT, "model": {"digest": "sha256:00", "files": [{"path": "evil.pkl", "digest": "sha256:11"}]}}
TEXTS = {
    "an object": lambda _good: json.dumps(FORGED),
    "a plan": lambda _good: json.dumps(
        {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {}, "resource_changes": []}
    ),
    "a table": lambda _good: "[]",
    "nothing": lambda _good: "",
    "evidence twice": lambda good: f"{good}\n---\n{good}",
    "evidence and an object": lambda good: f"{good}\n---\n{json.dumps(OBJECT)}",
    "a release": lambda _good: "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: [model]\n",
}


@pytest.mark.parametrize("written", TEXTS)
def test_a_release_is_judged_whatever_lies_in_the_place_of_its_evidence(
    solon: Solon, release: Path, written: str
) -> None:
    path = release / "evidence.json"
    path.write_text(TEXTS[written](path.read_text()))
    ran = solon("model", "gate", "release")
    assert ran.status == 2
    assert "internal error" not in ran.err
    assert not (release / "decision.dsse.json").exists()
    assert solon("check", "release").status == 2


def test_evidence_that_is_a_directory_is_no_evidence(solon: Solon, release: Path) -> None:
    (release / "evidence.json").unlink()
    (release / "evidence.json").mkdir()
    assert solon("check", "release").status == 2


def test_a_release_in_a_list_is_told_of(solon: Solon, release: Path) -> None:
    (release / "evidence.json").unlink()
    text = (release / "release.yaml").read_text().replace("\n", "\n  ")
    (release / "release.yaml").write_text("- " + text.rstrip(" "))
    ran = solon("check", "release")
    assert ran.status == 2
    assert "✗ release/release.yaml:1\n    declares no release" in ran.out


def test_evidence_about_another_release_is_refused(solon: Solon, release: Path) -> None:
    path = release / "evidence.json"
    document = json.loads(path.read_text())
    document["release"]["name"] = "waived"
    path.write_text(json.dumps(document))
    ran = solon("check", "release")
    assert ran.status == 2
    assert "evidence is about waived 3, and release.yaml declares adult-income 3" in ran.out + ran.err


def test_a_signed_decision_does_not_go_where_a_link_leads(solon: Solon, tmp_path: Path) -> None:
    write_evidence(write_release(tmp_path / "small", risk="minimal"))
    (tmp_path / "treasure").write_text("gold")
    (tmp_path / "small/decision.dsse.json").symlink_to(tmp_path / "treasure")
    assert solon("model", "gate", "small").status == 0
    assert (tmp_path / "treasure").read_text() == "gold"
    assert solon("model", "verify", "small").status == 0


def test_what_was_judged_for_one_environment_does_not_go_to_another(solon: Solon, tmp_path: Path) -> None:
    write_evidence(write_release(tmp_path / "small", risk="minimal", environment="staging"))
    ran = solon("model", "gate", "small", "--environment", "production")
    assert ran.status == 2
    assert ran.err == (
        "solon: small/release.yaml: is for staging, which policies judge it by, and not for production\n"
    )
    assert solon("model", "gate", "small", "--environment", "staging").status == 0
    ran = solon("model", "verify", "small", "--environment", "staging")
    assert ran.out.startswith("✓ model://local/adult-income/3: allow for staging at ")
    ran = solon("model", "verify", "small", "--environment", "production")
    assert ran.status == 1
    assert "it was judged for staging, and not for production" in ran.out


# --- collect


def test_parts_that_nobody_signed_are_not_signed_with_a_new_one(solon: Solon, release: Path) -> None:
    ran = solon("model", "collect", "release", "--only", "drift")
    assert ran.status == 2
    assert (
        ran.err
        == "solon: release/evidence.json: nobody signed the evidence: to sign it, gather all of it anew, without --only\n"
    )
    assert not (release / "evidence.dsse.json").exists()
    assert solon("model", "collect", "release").status in (0, 2)
    assert solon("model", "collect", "release", "--only", "artifacts").status == 0


def test_evidence_that_was_there_does_not_outlive_a_collector_that_breaks(
    solon: Solon, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solon.cli.model.collect.gather", lambda *_: 1 / 0)
    assert solon("model", "collect", "release").status != 0
    assert not (release / "evidence.json").exists()


# --- names of files


@pytest.mark.parametrize("name", [b"a\n" + b"0" * 64 + b"  b", b"a\x1b[2J", b"\xff"])
def test_names_that_cannot_be_printed_are_refused(solon: Solon, release: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(release), b"model", name), "wb"):
        pass
    for command in (["model", "gate", "release"], ["check", "release"], ["model", "collect", "release"]):
        ran = solon(*command)
        assert ran.status == 2
        assert "a name that cannot be printed" in " ".join((ran.out + ran.err).split())
        assert "internal error" not in ran.err


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("gate", "release.yaml"),
        ("gate", "evidence.json"),
        ("gate", "evidence.dsse.json"),
        ("show", "release.yaml"),
        ("show", "evidence.dsse.json"),
        ("collect", "release.yaml"),
        ("verify", "decision.dsse.json"),
    ],
)
def test_a_pipe_is_not_waited_for(solon: Solon, tmp_path: Path, command: str, name: str) -> None:
    write_evidence(write_release(tmp_path / "piped", risk="minimal"))
    (tmp_path / "piped" / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / "piped" / name)
    ran = solon("model", command, "piped")
    assert ran.status in (0, 2)
    assert "not a regular file" in ran.out + ran.err or command in ("gate", "show")
