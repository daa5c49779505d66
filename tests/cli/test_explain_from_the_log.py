"""solon explain, with what the log has behind each finding."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Solon = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("repository")
TODAY = datetime.now(UTC).date()
REGO = """package main

# METADATA
# title: Images are ours
# custom:
#   severity: high
deny contains msg if {
	some container in input.spec.containers
	not startswith(container.image, data.registry)
	msg := sprintf("%s is from elsewhere", [container.name])
}
"""
ROLLOUT = "policy: main.deny\nscopes: [{name: all, stages: [{stage: enforce, from: 2026-01-01}]}]\n"
WAIVER = f"""- {{id: vendor, policy: main.deny, scope: {{namespace: vendor}}, owner: payments, reason: vendor image,
   ticket: PAY-1, approved_by: security, created: {TODAY - timedelta(days=2)}, expires: {TODAY + timedelta(days=60)}}}
"""


def pod(namespace: str, image: str = "nginx") -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: {namespace}, labels: {{team: payments}}}}\n"
        f"spec: {{containers: [{{name: ok, image: registry.example/ok}}, {{name: web, image: {image}}}]}}\n"
    )


@pytest.fixture
def repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SOLON_PLACE", "SOLON_BREAKGLASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_ACTOR", "ana")
    files = {
        "policy/main.rego": REGO,
        "policy/data/registry.yaml": "registry: registry.example/\n",
        "rollouts/all.yaml": ROLLOUT,
        "waivers/vendor.yaml": WAIVER,
        "pods/pay.yaml": pod("payments"),
        "pods/vendor.yaml": pod("vendor"),
        "solon.yaml": "policies: [policy]\nlog: decisions\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert solon("log", "init", "decisions", "--name", "example.com/p").status == 0
    return tmp_path


def decisions(solon: Solon) -> dict[str, str]:
    """The newest decision on each namespace."""
    ran = solon("log", "query", "--columns", "namespace,decision_id", "--order", "time", "--format", "json")
    return {row["namespace"]: row["decision_id"] for row in json.loads(ran.out)}


def explained(solon: Solon, id: str, *more: str) -> dict[str, Any]:
    ran = solon("explain", id, "--format", "json", *more)
    assert (ran.status, ran.err) == (0, "")
    return json.loads(ran.out)


def behind(solon: Solon, namespace: str = "payments", *more: str) -> dict[str, Any]:
    (finding,) = explained(solon, decisions(solon)[namespace], *more)["findings"]
    return finding["behind"]


def test_the_text_is_that_of_the_revision(repository: Path, solon: Solon) -> None:
    assert solon("check", "pods").status == 1
    (repository / "policy/main.rego").write_text("package main\n\ndeny contains 1 if input.other\n")
    found = behind(solon)
    assert found["policy"]["title"] == "Images are ours"
    (text,) = found["text"]
    assert text["file"] == "policy/main.rego"
    assert [(line["number"], line["text"]) for line in text["lines"]] == list(
        enumerate(REGO.splitlines()[6:], start=7)
    )
    assert found["dates"] == [{"stage": "enforce", "from": "2026-01-01T00:00:00Z"}]


def test_the_trace_says_how_it_came_to_that(repository: Path, solon: Solon) -> None:
    assert solon("check", "pods").status == 1
    (repository / "policy/main.rego").unlink()
    found = behind(solon)
    assert found["trace_problem"] == ""
    rows = [(step["location"]["file"], step["location"]["row"]) for step in found["trace"]]
    assert rows == [("policy/main.rego", 8), ("policy/main.rego", 9), ("policy/main.rego", 10)]
    values = {each["text"]: each["values"] for each in found["trace"][1]["readings"]}
    assert values["container.image"] == ["nginx"]
    assert values["data.registry"] == ["registry.example/"]
    assert behind(solon, "payments", "--no-trace")["trace"] is None


def test_what_people_read(solon: Solon) -> None:
    assert solon("check", "pods").status == 1
    text = solon("explain", decisions(solon)["payments"]).out
    assert "  in force  in default, since the change of " in text
    for line in (
        "    dates: enforce from 2026-01-01\n",
        "      policy/main.rego\n",
        "       9 |     not startswith(container.image, data.registry)\n",
        "    trace: asked again with what was recorded, it says the same, since\n",
        "      policy/main.rego:9  not startswith(container.image, data.registry)\n",
        '        container.image is "nginx"\n',
    ):
        assert line in text


def test_a_waiver_with_its_reason(repository: Path, solon: Solon) -> None:
    assert solon("check", "pods").status == 1
    (repository / "waivers/vendor.yaml").unlink()
    found = behind(solon, "vendor")
    assert (found["waiver"]["id"], found["waiver"]["reason"], found["waiver"]["state"]) == (
        "vendor",
        "vendor image",
        "active",
    )
    text = solon("explain", decisions(solon)["vendor"]).out
    assert "waived for: vendor image (payments, approved by security, PAY-1; for namespace vendor)" in text


def test_break_glass_with_its_reason(repository: Path, solon: Solon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(repository / "home"))
    for command in (("init", "-q"), ("config", "user.email", "ana@example.com")):
        subprocess.run(["git", *command], cwd=repository, check=True)
    assert solon("breakglass", "keygen").status == 0
    asked = ("--reason", "gateway down", "--ticket", "T-1", "--scope", "namespace=payments", "--minutes", "5")
    token = solon("breakglass", "open", *asked).out.strip()
    assert solon("check", "pods", "--break-glass", token).status == 0
    found = behind(solon)
    assert (found["break_glass"]["reason"], found["break_glass"]["usable"]) == ("gateway down", True)
    assert (
        "opened for: gateway down (ana@example.com, T-1; until "
        in solon("explain", decisions(solon)["payments"]).out
    )
    ran = solon("log", "in-force", "--subject", "k8s://manifests/payments/Pod/web")
    assert "Break-glass that let it pass\n" in ran.out


def test_masked_values_may_change_what_it_says(repository: Path, solon: Solon) -> None:
    (repository / "policy/main.rego").write_text(
        'package main\ndeny contains "short" if { input.kind == "Secret"; count(input.data.key) < 10; input.data.key != "***" }\n'
    )
    (repository / "pods/secret.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: secret}\ndata: {key: YWJj}\n"
    )
    assert solon("check", "pods/secret.yaml").status == 1
    found = behind(solon, "secret")
    assert found["trace"] is None
    assert found["trace_problem"] == (
        "asked again with what was recorded, it does not say this (values of the input were masked)"
    )
    assert found["text"]


def test_what_else_was_there_may_be_why(repository: Path, solon: Solon) -> None:
    text = 'package main\ndeny contains "twice" if count(data.inventory.namespace.payments.v1.Pod) == 2\n'
    (repository / "policy/main.rego").write_text(text)
    (repository / "pods/other.yaml").write_text(pod("payments").replace("name: web, n", "name: other, n"))
    assert solon("check", "pods/pay.yaml", "--inventory", "pods/other.yaml").status == 1
    assert behind(solon)["trace_problem"] == (
        "asked again with what was recorded, it does not say this "
        "(it reads what else was in the cluster, which is not recorded)"
    )


@pytest.mark.parametrize(
    ("harm", "text_problem", "trace_problem"),
    [
        ("missing", "is missing, the text of a policy that an entry names", "is missing"),
        ("changed", "is not the text of a policy that an entry names: it was changed", "it was changed"),
    ],
)
def test_a_text_that_is_not_there(
    repository: Path, solon: Solon, harm: str, text_problem: str, trace_problem: str
) -> None:
    assert solon("check", "pods").status == 1
    for path in (repository / "decisions/policies").iterdir():
        path.unlink() if harm == "missing" else path.write_text("package main\n")
    found = behind(solon)
    assert found["text"] == []
    assert text_problem in found["text_problem"]
    assert trace_problem in found["trace_problem"]


def test_a_text_that_was_too_long(repository: Path, solon: Solon) -> None:
    (repository / "policy/data/big.yaml").write_text("big: '" + "x" * (4 << 20) + "'\n")
    assert solon("check", "pods").status == 1
    found = behind(solon)
    assert found["text"]
    assert found["trace_problem"].startswith(
        "policy/data/big.yaml is too long to have been kept, so that the policies cannot be asked again"
    )


def test_constraints_of_gatekeeper(repository: Path, solon: Solon) -> None:
    (repository / "policy/main.rego").unlink()
    (repository / "rollouts/all.yaml").write_text(ROLLOUT.replace("main.deny", "'*'"))
    (repository / "waivers/vendor.yaml").unlink()
    (repository / "policy/all.yaml").write_text(
        "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Ours\nmetadata: {name: pods}\n---\n"
        "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\nmetadata: {name: ours}\nspec:\n"
        "  crd: {spec: {names: {kind: Ours}}}\n  targets:\n    - target: admission.k8s.gatekeeper.sh\n      rego: |\n"
        '        package ours\n        violation[{"msg": msg}] {\n          c := input.review.object.spec.containers[_]\n'
        '          not startswith(c.image, "registry.example/")\n          msg := sprintf("%v is from elsewhere", [c.name])\n        }\n'
    )
    assert solon("check", "pods/pay.yaml").status == 1
    found = behind(solon)
    assert [(each["file"], each["lines"][0]["number"]) for each in found["text"]] == [
        ("policy/all.yaml", 1),
        ("policy/all.yaml", 5),
    ]
    assert found["trace_problem"] == ""
    values = {each["text"]: each["values"] for step in found["trace"] for each in step["readings"]}
    assert values["c.image"] == ["nginx"]


def test_a_decision_from_before_says_so(solon: Solon) -> None:
    event = {
        "decision_id": "old",
        "timestamp": "2026-03-01T09:30:00Z",
        "input": {},
        "result": {"allow": False},
        "solon": {
            "outcome": "deny",
            "findings": [{"outcome": "deny", "policy": "main.deny", "message": "m"}],
        },
    }
    assert solon("log", "append", stdin=json.dumps(event).encode()).status == 0
    found = explained(solon, "old")
    assert found["in_force"] is None
    assert found["in_force_problem"] == "the decision does not say under what it was taken"
    assert "behind" not in found["findings"][0]


def test_an_entry_about_the_programme_is_no_decision(solon: Solon) -> None:
    solon("log", "record")
    ran = solon(
        "log", "query", "--sql", "SELECT decision_id FROM entries WHERE kind = 'waiver'", "--format", "json"
    )
    (row,) = json.loads(ran.out)
    ran = solon("explain", row["decision_id"])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(
        f"solon: {row['decision_id']}: is no decision, and says what became of the waiver: "
    )
    assert solon("log", "show", row["decision_id"]).status == 0


def test_a_decision_whose_programme_is_lost(solon: Solon) -> None:
    event = {
        "decision_id": "lost",
        "timestamp": "2026-03-01T09:30:00Z",
        "solon": {"outcome": "allow", "findings": [], "programme": {"place": "default", "digest": "0" * 64}},
    }
    assert solon("log", "append", stdin=json.dumps(event).encode()).status == 0
    assert solon("check", "pods").status == 1
    assert explained(solon, "lost")["in_force_problem"] == (
        "what was in force in default then is not in the log as a whole"
    )


@pytest.mark.parametrize("name", ["../../evil.rego", "/etc/evil.rego", "a/../../evil.rego", "\0.rego"])
def test_names_of_texts_lead_nowhere(repository: Path, solon: Solon, name: str, tmp_path: Path) -> None:
    """An entry may come from elsewhere, with any names in it."""
    assert solon("check", "pods").status == 1
    ran = solon("log", "query", "--sql", "SELECT event FROM entries", "--format", "json")
    other = [
        json.dumps(row["event"]).replace('"policy/main.rego"', json.dumps(name))
        for row in json.loads(ran.out)
    ]
    assert solon("log", "init", "other", "--name", "example.com/other").status == 0
    assert solon("log", "append", "--log", "other", stdin="\n".join(other).encode()).status == 0
    (repository / "decisions/policies").rename(repository / "other/policies")
    before = sorted(path for path in tmp_path.rglob("*.rego"))
    ran = solon("explain", decisions_in(solon, "other")["payments"], "--log", "other")
    assert ran.status == 0
    assert sorted(path for path in tmp_path.rglob("*.rego")) == before
    assert not Path("/etc/evil.rego").exists()


def decisions_in(solon: Solon, log: str) -> dict[str, str]:
    ran = solon("log", "query", "--log", log, "--columns", "namespace,decision_id", "--format", "json")
    return {row["namespace"]: row["decision_id"] for row in json.loads(ran.out)}
