"""A release from evidence to decision, as whoever releases runs it."""

from __future__ import annotations

import base64
import json
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
#   remediation: Lower the risk
package ml.risk

deny contains {"msg": sprintf("risk is %s", [input.release.risk]), "path": ["release", "risk"]} if {
	input.release.risk == "high"
}

deny contains {"msg": "the model is not here"} if not input.model.verified

deny contains {"msg": "nobody vouches for the evidence"} if {
	input.release.labels.sure == "yes"
	not input.collected_by.verified
}
"""


@pytest.fixture(autouse=True)
def _repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/risk.rego").write_text(POLICY)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\nmodels: {collectors: [gate.pub.pem]}\n")
    monkeypatch.setenv("SOLON_GATE_KEY", str(tmp_path / "keys/gate.pem"))
    assert solon("model", "keygen").status == 0


@pytest.fixture
def release(tmp_path: Path) -> Path:
    directory = write_release(tmp_path / "release", risk="minimal")
    write_evidence(directory)
    return directory


def test_from_the_gate_to_deployment(solon: Solon, release: Path, tmp_path: Path) -> None:
    ran = solon("model", "gate", "release")
    assert ran.status == 0
    assert "✓ adult-income 3 · ml.release · release/evidence.json:1 · 1 policy" in ran.out
    assert ran.err == "solon: wrote release/decision.dsse.json\n"
    assert len(list((tmp_path / ".solon/releases/evidence").iterdir())) == 1
    ran = solon("model", "verify", "release")
    assert ran.status == 0
    assert ran.out.startswith("✓ model://local/adult-income/3: allow at ")
    envelope = json.loads((release / "decision.dsse.json").read_text())
    said = json.loads(base64.b64decode(envelope["payload"]))
    assert said["predicate"]["verificationResult"] == "PASSED"
    assert [each["name"] for each in said["subject"]] == ["model/config.json", "model/weights.safetensors"]


def test_a_release_that_is_denied(solon: Solon, tmp_path: Path) -> None:
    write_evidence(write_release(tmp_path / "bad", risk="high"))
    ran = solon("model", "gate", "bad")
    assert ran.status == 1
    assert "risk is high\n    at bad/release.yaml:" in ran.out
    assert "fix: Lower the risk" in ran.out
    ran = solon("model", "verify", "bad")
    assert (ran.status, ran.out) == (
        1,
        "✗ model://local/adult-income/3 may not go:\n    the decision was deny: risk is high\n",
    )


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        (lambda d: (d / "model/config.json").write_text("{}"), 1, "model/config.json: has changed since"),
        (lambda d: (d / "model/more").write_text(""), 1, "model/more: was not there when it was judged"),
        (lambda d: (d / "model/config.json").unlink(), 1, "model/config.json: is missing"),
        (
            lambda d: (d / "release.yaml").write_text((d / "release.yaml").read_text().replace("'3'", "'4'")),
            1,
            "it is about model://local/adult-income/3",
        ),
        (lambda d: (d / "decision.dsse.json").unlink(), 2, "no decision lies beside the model"),
        (lambda d: (d / "decision.dsse.json").write_text("{}"), 2, "is no DSSE envelope"),
        (lambda d: (d.parent / "gate.pub.pem").unlink(), 2, "gate.pub.pem: no such key"),
    ],
)
def test_another_model_does_not_verify(
    solon: Solon, release: Path, change: Callable[[Path], Any], status: int, told: str
) -> None:
    solon("model", "gate", "release")
    change(release)
    ran = solon("model", "verify", "release")
    assert ran.status == status
    assert told in ran.out + ran.err


def test_what_nobody_asked_for_is_told_from_what_is_not_declared(solon: Solon, tmp_path: Path) -> None:
    write_release(tmp_path / "release", fairness={"data": "d.csv", "label": "income", "attributes": ["sex"]})
    ran = solon("model", "collect", "release", "--only", "documentation")
    said = {
        line.split()[1]: line.rsplit("  ", 1)[1] for line in ran.out.splitlines() if line.startswith("  ○")
    }
    assert said["artifacts"] == "not gathered: `solon model collect --only artifacts` gathers it"
    assert said["fairness"] == "not gathered: `solon model collect --only fairness` gathers it"
    assert said["drift"] == "not gathered: release.yaml declares nothing for it"


def test_a_directory_of_data_that_is_not_there(solon: Solon, tmp_path: Path) -> None:
    write_release(tmp_path / "release")
    ran = solon("model", "collect", "release", "--data", "gone")
    assert ran.status == 2
    assert ran.err == "solon: gone: no such directory (--data names where tables lie)\n"
    assert not (tmp_path / "release/evidence.json").exists()


@pytest.mark.usefixtures("release")
def test_without_a_key_nothing_is_signed(
    solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOLON_GATE_KEY")
    assert solon("model", "gate", "release").status == 0
    assert not (tmp_path / "release/decision.dsse.json").exists()


def test_a_gate_without_a_policy_on_releases_lets_nothing_pass(
    solon: Solon, release: Path, tmp_path: Path
) -> None:
    (tmp_path / "policy/risk.rego").write_text(POLICY.replace("ml.release", "terraform.plan"))
    ran = solon("model", "gate", "release")
    assert ran.status == 2
    assert ran.err == "solon: no policy judges releases: a Rego policy for them says `subject: ml.release`\n"
    assert not (release / "decision.dsse.json").exists()


def test_the_decision_is_logged(solon: Solon, release: Path, tmp_path: Path) -> None:
    solon("model", "gate", str(release), "--log", "decisions.jsonl", "--environment", "production")
    (line,) = (tmp_path / "decisions.jsonl").read_text().splitlines()
    event = json.loads(line)
    assert event["solon"]["subject"]["uri"] == "model://local/adult-income/3"
    assert event["input"]["model"]["verified"] is True


def test_check_judges_releases_too(solon: Solon, release: Path) -> None:
    (release / "evidence.json").unlink()
    ran = solon("check", "release", "--verbose")
    assert ran.status == 0
    assert "✓ adult-income 3 · ml.release · release/release.yaml:1" in ran.out


# --- collect


def test_signed_evidence_is_believed(solon: Solon, tmp_path: Path) -> None:
    write_release(tmp_path / "release", risk="minimal", labels={"sure": "yes"}, documentation=None)
    assert solon("model", "collect", "release", "--only", "drift").status == 0
    assert "Signed by " in solon("model", "show", "release").out
    assert solon("model", "gate", "release").status == 0
    document = tmp_path / "release/evidence.json"
    document.write_text(document.read_text().replace("minimal", "limited"))
    assert (
        "Not signed: evidence.dsse.json is signed, but for other evidence"
        in solon("model", "show", "release").out
    )
    assert solon("model", "gate", "release").status == 1


def test_a_signature_does_not_outlive_its_evidence(
    solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(tmp_path / "release", documentation=None)
    solon("model", "collect", "release", "--only", "drift")
    assert (tmp_path / "release/evidence.dsse.json").exists()
    monkeypatch.delenv("SOLON_GATE_KEY")
    solon("model", "collect", "release", "--only", "drift")
    assert not (tmp_path / "release/evidence.dsse.json").exists()


def test_one_part_alone(solon: Solon, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLON_GATE_KEY")
    before = json.loads((release / "evidence.json").read_text())
    ran = solon("model", "collect", "release", "--only", "drift", "--format", "json")
    after = json.loads(ran.out)
    assert ran.status == 0
    assert after["evidence"] == before["evidence"]


@pytest.mark.parametrize(
    "content", [b'{"kind": "\xff"}', b'{"kind": "solon.evidence/v1", "x": ' + b"[" * 100_000, b"{}"]
)
def test_what_is_no_evidence_is_not_added_to(solon: Solon, release: Path, content: bytes) -> None:
    (release / "evidence.json").write_bytes(content)
    ran = solon("model", "collect", "release", "--only", "drift")
    assert ran.status == 2
    assert ran.err.startswith("solon: release/evidence.json: is no evidence to add to: ")
    assert ran.err.endswith("Gather all of it anew, without --only\n")
    assert (release / "evidence.json").read_bytes() == content


@pytest.mark.parametrize(
    ("name", "command"),
    [("decision.dsse.json", "gate"), ("evidence.json", "collect"), ("ml-bom.cdx.json", "collect")],
)
def test_a_release_does_not_say_where_else_is_written(
    solon: Solon, tmp_path: Path, name: str, command: str
) -> None:
    directory = write_release(tmp_path / "release", risk="minimal")
    (tmp_path / "of-others").write_text("{}")
    (directory / name).symlink_to("../of-others")
    ran = solon("model", command, "release")
    assert ran.status == 0
    assert (tmp_path / "of-others").read_text() == "{}"
    assert not (directory / name).is_symlink()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["collect", "nope"], "solon: nope: no such directory"),
        (["collect", "policy"], "solon: policy/release.yaml: no such file. A release begins with one"),
        (["collect", "release", "--only", "beauty"], "beauty"),
        (
            ["collect", "release", "--predictor", "a 'b"],
            """solon: "a 'b": is no command: no closing quotation""",
        ),
        (["show", "empty"], "solon: empty/evidence.json: no evidence yet: solon model collect empty"),
        (["gate", "wrong"], "wrong/release.yaml:3:1: unknown key weights: known are kind, name"),
        (["verify", "release", "--key", "no.pem"], "no.pem: no such key (`solon model keygen` writes one)"),
        (["gate", "release", "--key", "nope.pem"], "nope.pem: no such key"),
    ],
)
def test_what_is_wrong_is_told(
    solon: Solon,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    release: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.delenv("SOLON_GATE_KEY")
    write_release(tmp_path / "empty")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong/release.yaml").write_text("kind: solon.release/v1\nname: a\nweights: 3\n")
    ran = solon("model", *arguments)
    assert ran.status == 2
    assert message in ran.err
    assert (release / "release.yaml").exists()


def test_keys_are_never_overwritten(solon: Solon, tmp_path: Path) -> None:
    assert (tmp_path / "keys/gate.pem").stat().st_mode & 0o777 == 0o600
    ran = solon("model", "keygen")
    assert ran.status == 2
    assert "exists already, and is left as it is" in ran.err
