"""Evidence holds for what it was measured of, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ml_releases import write_evidence, write_release

from solon.evidence import digests
from solon.evidence.admission import SIGNATURE_TYPE, admitted
from solon.evidence.release import read
from solon.signing.dsse import sign, statement
from solon.subjects import discover
from solon.subjects.subject import Subject, Unreadable

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def release(tmp_path: Path) -> Path:
    directory = write_release(tmp_path / "release")
    write_evidence(directory)
    return directory


def seen(directory: Path, *keys: Any) -> Any:
    """The document that policies see."""
    found = [
        each
        for source in discover.find([str(directory)])
        if isinstance(source, discover.Input)
        for each in discover.read(source, stdin=lambda _size: b"")
        if isinstance(each, Subject) and each.kind == "ml.release"
    ]
    assert len(found) == 1, found
    subject = admitted(found[0], keys)
    assert isinstance(subject, Subject), subject
    return subject.document


def states(directory: Path) -> dict[str, str]:
    return {name: item["status"] for name, item in seen(directory)["evidence"].items()}


def test_a_declaration_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    """So many bytes, and not characters: what stands after them would be left out without a word."""
    path = write_release(tmp_path / "release", risk="minimal") / "release.yaml"
    path.write_text(path.read_text() + "#" + "ä" * (1 << 19) + "\nrisk: high\n")
    found = read(str(path))
    assert isinstance(found, list)
    assert [each.problem for each in found] == ["larger than 1 MiB"]


def test_evidence_about_what_lies_here_is_admitted(release: Path) -> None:
    document = seen(release)
    assert document["model"]["verified"] is True
    assert {file["path"] for file in document["model"]["files"]} == {
        "model/config.json",
        "model/weights.safetensors",
    }
    assert states(release) == {"artifacts": "measured", "documentation": "measured"}
    assert document["release"]["risk"] == "high"


def declare(release: Path, **said: Any) -> None:
    path = release / "release.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **said}))


REFUSED = "refused"
OTHER_MODEL = "measured of another model than the files that lie here now"


@pytest.mark.parametrize(
    ("change", "artifacts", "documentation", "problem"),
    [
        (lambda d: (d / "model/config.json").write_text("{}"), REFUSED, REFUSED, OTHER_MODEL),
        (lambda d: (d / "model/.hidden").write_text(""), REFUSED, REFUSED, OTHER_MODEL),
        (
            lambda d: (d / "model/.git").mkdir() or (d / "model/.git/x").write_text(""),
            REFUSED,
            REFUSED,
            OTHER_MODEL,
        ),
        (lambda d: (d / "model/config.json").unlink(), REFUSED, REFUSED, OTHER_MODEL),
        (lambda d: (d / "model/config.json").rename(d / "model/c.json"), REFUSED, REFUSED, OTHER_MODEL),
        (
            lambda d: (d / "docs/card.md").write_text("# Another\n"),
            "measured",
            REFUSED,
            "docs/card.md has changed since it was measured",
        ),
        (
            lambda d: declare(d, documentation={"model_card": "docs/other.md"}),
            "measured",
            REFUSED,
            "measured when release.yaml said otherwise under `documentation`",
        ),
        (
            lambda d: declare(d, task="regression"),
            REFUSED,
            REFUSED,
            "measured when release.yaml said otherwise under `model`",
        ),
    ],
)
def test_evidence_about_something_else_is_refused(
    release: Path, change: Callable[[Path], Any], artifacts: str, documentation: str, problem: str
) -> None:
    change(release)
    assert states(release) == {"artifacts": artifacts, "documentation": documentation}
    items = seen(release)["evidence"].values()
    assert problem in [item.get("problem") for item in items]
    assert not any("result" in item for item in items if item["status"] == REFUSED)


def test_the_declaration_that_counts_is_the_present_one(release: Path) -> None:
    declare(release, risk="minimal", environment="production")
    document = seen(release)
    assert (document["release"]["risk"], document["release"]["environment"]) == ("minimal", "production")


def test_evidence_far_from_its_model_is_refused(release: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (release / "evidence.json").rename(alone / "evidence.json")
    document = seen(alone)
    assert document["model"]["verified"] is False
    assert states(alone) == {"artifacts": REFUSED, "documentation": REFUSED}


def test_a_release_without_evidence_has_no_parts(release: Path) -> None:
    (release / "evidence.json").unlink()
    document = seen(release)
    assert document["evidence"] == {}
    assert document["model"]["verified"] is True
    assert "collected_by" not in document


# --- who collected it


def signed(release: Path, key: Ed25519PrivateKey = KEY, kind: str = SIGNATURE_TYPE) -> None:
    digest = digests.of_file(str(release / "evidence.json"))
    (release / "evidence.dsse.json").write_bytes(sign(statement({"evidence.json": digest}, kind, {}), key))


def test_a_signature_by_a_trusted_collector(release: Path) -> None:
    signed(release)
    assert seen(release, KEY.public_key())["collected_by"]["verified"] is True


def rewritten(release: Path) -> None:
    document = json.loads((release / "evidence.json").read_text())
    (release / "evidence.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda _: None, "nobody signed the evidence"),
        (lambda d: signed(d, Ed25519PrivateKey.generate()), "signed by none of the trusted keys"),
        (lambda d: (signed(d), rewritten(d)), "is signed, but for other evidence"),
        (
            lambda d: signed(d, kind="https://slsa.dev/verification_summary/v1"),
            "is signed, but for other evidence",
        ),
        (lambda d: (d / "evidence.dsse.json").write_text("{}"), "is no DSSE envelope"),
        (lambda d: (d / "evidence.dsse.json").mkdir(), "evidence.dsse.json: not a regular file"),
    ],
)
def test_a_signature_that_proves_nothing(release: Path, change: Callable[[Path], Any], problem: str) -> None:
    change(release)
    said = seen(release, KEY.public_key())["collected_by"]
    assert said["verified"] is False
    assert problem in said["problem"]


# --- what cannot be read


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        (
            "evidence.json",
            '{"kind": "solon.evidence/v1"}',
            "not evidence about a release: `release` is missing",
        ),
        ("evidence.json", '{"kind": "solon.evidence/v1", "release": {}}', "a release must have a `name`"),
        (
            "evidence.json",
            '{"kind": "solon.evidence/v1", "release": {"name": "a", "version": "1"}}',
            "is missing",
        ),
        ("release.yaml", "kind: solon.release/v1\nname: a\n", "release.yaml:1:1: version is missing"),
        ("release.yaml", "kind: solon.release/v1\nname: [\n", "release.yaml:"),
        (
            "release.yaml",
            "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: [model]\nrisk: none\n",
            "risk",
        ),
        (
            "release.yaml",
            "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: [../..]\n",
            "leads out of the release",
        ),
        (
            "release.yaml",
            "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: [/etc]\n",
            "must be a path inside",
        ),
        (
            "release.yaml",
            "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: [nope]\n",
            "nope: no such file",
        ),
        (
            "release.yaml",
            "kind: solon.release/v1\nname: a\nversion: '1'\nmodel: []\n",
            "no files are released",
        ),
    ],
)
def test_what_is_malformed_is_told(release: Path, file: str, text: str, problem: str) -> None:
    (release / file).write_text(text)
    found: list[Any] = []
    for each in discover.read(discover.Input(str(release / "evidence.json"), True), stdin=lambda _size: b""):
        if isinstance(each, Unreadable):
            found.append(each)
        else:
            after = admitted(each)
            found += after if isinstance(after, list) else []
    assert any(problem in str(each) for each in found), [str(each) for each in found]


def test_a_link_out_of_the_release_is_refused(release: Path) -> None:
    (release / "model/weights.safetensors").unlink()
    (release / "model/weights.safetensors").symlink_to("/etc/hostname")
    (source,) = discover.read(discover.Input(str(release / "evidence.json"), True), stdin=lambda _size: b"")
    assert isinstance(source, Subject)
    found = admitted(source)
    assert isinstance(found, list)
    assert "model/weights.safetensors: a symbolic link; release what it points to" in str(found[0])
