"""solon log record and solon log in-force."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Solon = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("repository")
TODAY = datetime.now(UTC).date()
EXPIRES = TODAY + timedelta(days=60)  # longer is not allowed
REGO = """package main

# METADATA
# title: Nothing bad
# custom:
#   severity: high
deny contains msg if {
	input.metadata.labels.bad == "yes"
	msg := sprintf("%s is bad", [input.metadata.name])
}
"""
ROLLOUT = """policy: main.deny
scopes:
  - name: canary
    where: {namespace: canary}
    stages: [{stage: enforce, from: 2026-01-01}]
  - name: fleet
    stages: [{stage: warn, from: 2026-01-01}, {stage: enforce, from: 2199-01-01}]
"""
WAIVER = f"""- {{id: legacy, policy: main.deny, scope: {{namespace: canary}}, owner: payments, reason: vendor image,
   approved_by: security, created: {TODAY - timedelta(days=2)}, expires: {EXPIRES}}}
"""


def pod(namespace: str, name: str = "web") -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{bad: 'yes'}}}}\n"


@pytest.fixture
def repository(solon: Solon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SOLON_PLACE", "SOLON_BREAKGLASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_ACTOR", "ana")
    for folder in ("policy", "rollouts", "waivers", "pods"):
        os.mkdir(folder)
    Path("policy/main.rego").write_text(REGO)
    Path("rollouts/bad.yaml").write_text(ROLLOUT)
    Path("pods/canary.yaml").write_text(pod("canary"))
    Path("pods/fleet.yaml").write_text(pod("fleet"))
    Path("solon.yaml").write_text("policies: [policy]\nlog: decisions\n")
    assert solon("log", "init", "decisions", "--name", "example.com/p").status == 0
    return tmp_path


def answer(solon: Solon, *arguments: str) -> dict[str, Any]:
    ran = solon("log", "in-force", *arguments, "--format", "json")
    assert ran.err == ""
    found = json.loads(ran.out)
    assert found["schema"] == "solon.in-force/v1"
    return found


def stages(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["scope"], each["stage"]) for each in found["places"][0]["policies"]]


def test_record_says_what_changed(repository: Path, solon: Solon) -> None:
    ran = solon("log", "record")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "default: 3 entries\n"
        "  activation  added     policies conftest:policy: 1 policy added\n"
        "  rollout     added     rollout rollouts/bad.yaml\n"
        "  activation  added     settings\n"
    )
    assert solon("log", "record").out == "default: nothing changed since the log last heard of it\n"
    (repository / "policy/main.rego").write_text(REGO + "\ndeny_more contains 1 if input.more\n")
    assert solon("log", "record", "--format", "json").out.count('"change": "changed"') == 1
    assert solon("log", "record", "--place", "prod").out.startswith("prod: 3 entries\n")
    assert solon("log", "verify").status == 0


def test_a_programme_that_is_broken_is_recorded_as_such(repository: Path, solon: Solon) -> None:
    (repository / "rollouts/bad.yaml").write_text(ROLLOUT.replace("stage: warn", "stage: wrn"))
    ran = solon("log", "record")
    assert ran.status == 2
    assert ran.err.startswith("solon: rollouts/bad.yaml:7:")
    assert stages(answer(solon)) == [("", "enforce")]  # as the policy itself asks: broken is never dryrun


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        ((), "the log has no entry about what was in force"),
        (("--place", "prod"), "the log has no entry about what was in force"),
    ],
)
def test_an_empty_log_knows_nothing(solon: Solon, ask: tuple[str, ...], problem: str) -> None:
    ran = solon("log", "in-force", *ask)
    assert ran.status == 1
    assert problem in ran.out


def test_a_log_of_decisions_alone_knows_nothing(solon: Solon) -> None:
    """It would be easy to guess from the revisions that they name."""
    event = {
        "decision_id": "a",
        "timestamp": "2026-03-01T09:30:00Z",
        "bundles": {"main": {"revision": "r41"}},
        "result": {"allow": True},
        "solon": {"outcome": "allow", "subject": {"uri": "k8s://c/n/Pod/web", "name": "Pod/web"}},
    }
    assert solon("log", "append", stdin=json.dumps(event).encode()).status == 0
    assert solon("log", "in-force", "--at", "2026-04-01").status == 1
    ran = solon("log", "in-force", "--subject", "Pod/web")
    assert ran.status == 1
    assert "the decision does not say under what it was taken" in ran.out
    ran = solon("log", "in-force", "--subject", "Pod/web", "--at", "2026-04-01")
    assert (ran.status, "say which --place: the decision does not" in ran.out) == (1, True)


def test_before_the_first_entry(solon: Solon) -> None:
    solon("log", "record")
    ran = solon("log", "in-force", "--at", "2020-01-01")
    assert ran.status == 1
    assert ran.out.startswith(
        "default at 2020-01-01T00:00:00Z: nothing was recorded of it by then: the first entry is"
    )
    ran = solon("log", "in-force", "--place", "prod")
    assert (ran.status, ran.out.strip().endswith("the log knows default")) == (1, True)


@pytest.mark.parametrize("compacted", [False, True])
def test_stages_are_those_of_the_moment(repository: Path, solon: Solon, compacted: bool) -> None:
    (repository / "waivers/w.yaml").write_text(WAIVER)
    solon("log", "record")
    if compacted:
        assert solon("log", "compact", "--all").status == 0
    now = answer(solon)
    assert stages(now) == [("canary", "enforce"), ("fleet", "warn"), ("", "dryrun")]
    assert now["places"][0]["policies"][1]["next"] == {"stage": "enforce", "from": "2199-01-01T00:00:00Z"}
    assert [(each["id"], each["state"]) for each in now["places"][0]["waivers"]] == [("legacy", "active")]
    later = answer(solon, "--at", "2199-01-02")
    assert stages(later) == [("canary", "enforce"), ("fleet", "enforce"), ("", "dryrun")]
    assert [(each["id"], each["state"]) for each in later["places"][0]["waivers"]] == [("legacy", "expired")]
    assert stages(answer(solon, "--policy", "main.*"))
    assert stages(answer(solon, "--policy", "other.*")) == []
    text = solon("log", "in-force", "--at", "2199-01-02").out
    assert "which is yet to come: as it is recorded by now" in text


def test_what_a_subject_was_let_pass_under(repository: Path, solon: Solon) -> None:
    """The revision that judged it, and not the one that came later."""
    (repository / "waivers/w.yaml").write_text(WAIVER)
    assert solon("check", "pods").status == 0
    (repository / "waivers/w.yaml").unlink()
    (repository / "policy/main.rego").write_text(REGO.replace("severity: high", "severity: low"))
    assert solon("check", "pods").status == 1
    uri = "k8s://manifests/canary/Pod/web"
    found = answer(solon, "--subject", uri)
    assert found["decision"]["subject"] == uri
    assert (found["decision"]["outcome"], found["decision"]["waivers"]) == ("allow", ["legacy"])
    (policy,) = found["places"][0]["policies"]
    assert (policy["stage"], policy["scope"], policy["waiver"]) == ("enforce", "canary", "legacy")
    assert policy["policy"]["severity"] == "high"
    (other,) = answer(solon, "--subject", "k8s://manifests/fleet/Pod/web")["places"][0]["policies"]
    assert (other["stage"], other["scope"], other["waiver"]) == ("warn", "fleet", None)
    assert other["policy"]["severity"] == "low"
    later = answer(solon, "--subject", uri, "--at", "2199-01-02")
    assert (later["decision"]["outcome"], later["decision"]["let_pass"]) == ("deny", False)
    assert later["places"][0]["policies"][0]["waiver"] is None


def test_a_subject_that_never_passed(solon: Solon) -> None:
    assert solon("check", "pods/canary.yaml").status == 1
    ran = solon("log", "in-force", "--subject", "k8s://manifests/canary/Pod/web")
    assert (ran.status, ran.out) == (2, "")
    assert "no decision let it pass; the last one is" in ran.err
    ran = solon("log", "in-force", "--subject", "Pod/none")
    assert ran.err == "solon: Pod/none: no decision about it is in decisions\n"


def test_what_existed_is_spared_as_it_was(repository: Path, solon: Solon) -> None:
    """By the baseline beside the log: the file may say something else by now."""
    solon("check", "pods")
    assert solon("baseline", "pods", "--output", "base.json").status == 0
    (repository / "rollouts/bad.yaml").write_text(
        ROLLOUT + "existing: {until: 2199-01-01, baseline: base.json}\n"
    )
    assert solon("check", "pods/canary.yaml").status == 0
    (repository / "base.json").unlink()
    (policy,) = answer(solon, "--subject", "k8s://manifests/canary/Pod/web")["places"][0]["policies"]
    assert (policy["stage"], policy["scope"]) == ("audit", "canary")
    assert policy["because"].startswith("was there before; denied from 2199-01-01")


def test_scopes_of_clusters(repository: Path, solon: Solon) -> None:
    (repository / "rollouts/bad.yaml").write_text(ROLLOUT.replace("namespace: canary", "cluster: eu1"))
    assert solon("check", "pods/fleet.yaml", "--cluster", "eu2").status == 0
    assert solon("check", "pods/fleet.yaml", "--cluster", "eu1").status == 1
    (policy,) = answer(solon, "--subject", "k8s://eu2/fleet/Pod/web")["places"][0]["policies"]
    assert (policy["stage"], policy["scope"]) == ("warn", "fleet")
    (policy,) = answer(solon, "--subject", "k8s://eu1/fleet/Pod/web", "--at", "2199-01-02")["places"][0][
        "policies"
    ]
    assert (policy["stage"], policy["scope"]) == ("enforce", "canary")


def test_without_rollouts_policies_do_what_they_ask_for(repository: Path, solon: Solon) -> None:
    (repository / "rollouts/bad.yaml").unlink()
    os.rmdir("rollouts")
    solon("log", "record")
    assert stages(answer(solon)) == [("", "enforce")]
    assert "no rollouts: each policy does what it asks for" in solon("log", "in-force").out


def test_a_table_does_not_go_on_for_ever(repository: Path, solon: Solon) -> None:
    rules = "".join(f"deny_{number} contains 1 if input.x{number}\n" for number in range(100))
    (repository / "policy/main.rego").write_text(f"package main\n{rules}")
    (repository / "rollouts/bad.yaml").write_text(ROLLOUT.replace("main.deny", "main.*"))
    solon("log", "record")
    text = solon("log", "in-force").out
    assert text.count("main.deny_") == 200
    assert "\nand 100 more: --policy GLOB shows some, --format json all\n" in text
    assert len(answer(solon)["places"][0]["policies"]) == 300


def test_every_place_is_shown(solon: Solon) -> None:
    solon("log", "record", "--place", "a")
    solon("log", "record", "--place", "b")
    assert [each["place"] for each in answer(solon)["places"]] == ["a", "b"]
    assert [each["place"] for each in answer(solon, "--place", "b")["places"]] == ["b"]


def test_a_baseline_that_was_changed_beside_the_log(repository: Path, solon: Solon) -> None:
    solon("check", "pods")
    solon("baseline", "pods", "--output", "base.json")
    (repository / "rollouts/bad.yaml").write_text(
        ROLLOUT + "existing: {until: 2199-01-01, baseline: base.json}\n"
    )
    solon("log", "record")
    for path in (repository / "decisions/policies").iterdir():
        path.write_text("{}")
    ran = solon("log", "in-force")
    assert ran.status == 2
    assert "is not the text of a policy that an entry names: it was changed" in ran.err


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", ""])
def test_a_time_that_is_none(solon: Solon, at: str) -> None:
    ran = solon("log", "in-force", "--at", at)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: --at {at}: write a time")


def test_what_people_read(repository: Path, solon: Solon) -> None:
    (repository / "waivers/w.yaml").write_text(WAIVER)
    solon("check", "pods")
    text = solon("log", "in-force").out
    lines = text.splitlines()
    assert lines[0].startswith("In force in default at 20")
    assert " by ana " in lines[1]
    assert lines[5].split() == ["POLICY", "STAGE", "SCOPE", "SINCE", "NEXT", "SEVERITY", "AT"]
    assert lines[6].split()[:4] == ["main.deny", "enforce", "canary", "(namespace"]
    assert f"legacy  main.deny  namespace canary  {EXPIRES}  payments  security     vendor image" in text
    assert lines[-1] == "Break-glass: none could be used"
    text = solon("log", "in-force", "--subject", "k8s://manifests/canary/Pod/web").out
    assert text.startswith("k8s://manifests/canary/Pod/web was let pass: allow at ")
    assert "Waivers that covered a finding of it\n" in text
