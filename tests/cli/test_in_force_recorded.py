"""What solon check records of the programme that it judges with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Solon = Callable[..., Any]
REGO = 'package main\n\ndeny contains "is bad" if input.metadata.labels.bad\n'
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: payments, labels: {bad: 'yes', team: payments}}\n"


@pytest.fixture
def repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SOLON_PLACE", "SOLON_BREAKGLASS", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(REGO)
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\nlog: decisions\n")
    assert solon("log", "init", "decisions", "--name", "example.com/p").status == 0
    return tmp_path


def events(root: Path, solon: Solon, kind: str = "") -> list[dict[str, Any]]:
    """All entries in order, or those of a kind."""
    ran = solon("log", "query", "--log", str(root / "decisions"), "--sql", 'SELECT * FROM entries ORDER BY "index"',
                "--format", "json")  # fmt: skip
    rows = (
        [json.loads(line) for line in ran.out.splitlines()]
        if not ran.out.startswith("[")
        else json.loads(ran.out)
    )
    found = [row["event"] if isinstance(row["event"], dict) else json.loads(row["event"]) for row in rows]
    return [each for each in found if not kind or each["solon"].get("event", "decision") == kind]


def test_a_decision_names_what_it_was_judged_under(repository: Path, solon: Solon) -> None:
    assert solon("check", "pod.yaml").status == 1
    assert solon("check", "pod.yaml").status == 1
    activations = events(repository, solon, "activation")
    assert [each["solon"]["key"] for each in activations] == ["policies conftest:policy", "settings"]
    decisions = events(repository, solon, "decision")
    stamp = {"place": "default", "digest": activations[-1]["solon"]["programme"]}
    assert [each["solon"]["programme"] for each in decisions] == [stamp, stamp]
    assert decisions[0]["bundles"] == activations[0]["bundles"]


def test_a_run_from_below_is_the_same_programme(
    repository: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert solon("check", "pod.yaml").status == 1
    (repository / "teams").mkdir()
    monkeypatch.chdir(repository / "teams")
    assert solon("check", "../pod.yaml").status == 1
    assert len(events(repository, solon, "activation")) == 2


@pytest.mark.parametrize(
    ("arguments", "variable", "said", "place"),
    [
        ((), "", "", "default"),
        (("--environment", "prod"), "", "", "prod"),
        (("--environment", "prod", "--cluster", "eu1"), "", "", "prod/eu1"),
        (("--environment", "prod"), "", "ci", "ci"),
        (("--environment", "prod"), "stage-2", "ci", "stage-2"),
        (("--place", "gate"), "stage-2", "ci", "gate"),
    ],
)
def test_places(
    repository: Path,
    solon: Solon,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    variable: str,
    said: str,
    place: str,
) -> None:
    monkeypatch.setenv("SOLON_PLACE", variable)
    log = f"{{directory: decisions, place: {said}}}" if said else "decisions"
    (repository / "solon.yaml").write_text(f"policies: [policy]\nlog: {log}\n")
    assert solon("check", "pod.yaml", *arguments).status == 1
    assert {each["solon"]["place"] for each in events(repository, solon, "activation")} == {place}
    (decision,) = events(repository, solon, "decision")
    assert decision["solon"]["programme"]["place"] == place


def test_a_place_with_an_impossible_name(repository: Path, solon: Solon) -> None:
    ran = solon("check", "pod.yaml", "--place", "/x")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("solon: --place '/x' cannot name a place: ")
    assert events(repository, solon) == []


def test_a_file_of_lines_has_decisions_alone(repository: Path, solon: Solon) -> None:
    assert solon("check", "pod.yaml", "--log", "lines.jsonl").status == 1
    (only,) = [json.loads(line) for line in (repository / "lines.jsonl").read_text().splitlines()]
    assert "event" not in only["solon"]
    assert "programme" not in only["solon"]


def test_break_glass_stands_with_the_decision_that_it_let_pass(
    repository: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(repository / "home"))
    for command in (("init", "-q"), ("config", "user.email", "ana@example.com")):
        subprocess.run(["git", *command], cwd=repository, check=True)
    assert solon("breakglass", "keygen").status == 0
    asked = ("--reason", "down", "--ticket", "T-1", "--scope", "team=payments", "--minutes", "5")
    token = solon("breakglass", "open", *asked).out.strip()
    assert solon("check", "pod.yaml").status == 1
    assert solon("check", "pod.yaml", "--break-glass", token).status == 0
    assert solon("check", "pod.yaml").status == 1
    tokens = events(repository, solon, "breakglass")
    assert [each["solon"]["change"] for each in tokens] == ["opened", "used"]
    assert tokens[1]["solon"]["breakglass"]["uris"] == ["k8s://manifests/payments/Pod/web"]
    order = [each["solon"].get("event", "decision") for each in events(repository, solon)]
    assert order[:3] == ["activation", "activation", "breakglass"]
    assert order[3:6] == ["decision", "breakglass", "decision"]


def test_gatekeeper_policies_have_their_template(repository: Path, solon: Solon) -> None:
    (repository / "policy" / "main.rego").unlink()
    (repository / "policy" / "template.yaml").write_text(
        "apiVersion: templates.gatekeeper.sh/v1beta1\nkind: ConstraintTemplate\nmetadata: {name: bad}\nspec:\n"
        "  crd: {spec: {names: {kind: Bad}}}\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n"
        '        package bad\n        violation[{"msg": "is bad"}] { input.review.object.metadata.labels.bad }\n'
    )
    (repository / "policy" / "constraint.yaml").write_text(
        "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Bad\nmetadata: {name: none}\n"
        "spec: {parameters: {most: 123456789012345678901234567890}}\n"
    )
    assert solon("check", "pod.yaml").status == 1
    first = events(repository, solon, "activation")[0]["solon"]["policy_set"]
    assert first["name"] == "gatekeeper:policy"
    assert sorted(each["file"] for each in first["texts"]) == [
        "policy/constraint.yaml",
        "policy/template.yaml",
    ]
    (policy,) = first["policies"]
    assert (policy["id"], policy["file"], policy["code"]) == (
        "Bad/none",
        "policy/constraint.yaml",
        "policy/template.yaml",
    )
