"""solon tickets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_trackers import TOKEN, USER, FakeGitHub, FakeJira
from local_http import LocalServer, Response

POLICY = """package main

# METADATA
# title: Workloads have a team
# custom:
#   severity: high
#   remediation: Add the label team.
deny contains msg if {
	input.kind == "Deployment"
	not input.metadata.labels.tier
	msg := sprintf("%s has no label tier", [input.metadata.name])
}
"""


def deployment(name: str, team: str, *, good: bool = False, namespace: str = "shop") -> str:
    labels = {"team": team} | ({"tier": "web"} if good else {})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def server(running: LocalServer) -> LocalServer:
    running.faults.clear()
    running.requests.clear()
    return running


@pytest.fixture
def github(server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    fake = server.application = FakeGitHub(url=server.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/tier.rego").write_text(POLICY)
    (tmp_path / "k8s").mkdir()
    configure(tmp_path, server)
    return fake


def configure(tmp_path: Path, server: LocalServer, more: str = "") -> None:
    (tmp_path / "solon.yaml").write_text(
        f"policies: [policy]\ntickets: {{per_minute: 600, github: {{repository: org/policies, api: '{server.url}'}}}}\n"
        + more
    )


def manifest(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "k8s" / name).write_text(text)


Solon = Callable[..., Any]


def test_tickets_follow_the_findings(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    manifest(tmp_path, "a.json", deployment("a", "red"))
    manifest(tmp_path, "b.json", deployment("b", "red"))
    manifest(tmp_path, "c.json", deployment("c", "blue"))
    ran = solon("tickets", "sync", "k8s")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "GitHub org/policies\n"
        "  ✓ create           #1        Workloads have a team (blue) · 1 subject\n"
        "  ✓ create           #2        Workloads have a team (red) · 2 subjects\n"
        "\n"
        "2 tickets for 3 subjects: 2 created\n"
    )
    assert "- `Deployment/a` at `k8s/a.json:1`" in github.issues[1]["body"]
    assert "It blocks changes now." in github.issues[1]["body"]

    assert solon("tickets", "sync", "k8s").out == "2 tickets for 3 subjects: 2 unchanged\n"

    manifest(tmp_path, "b.json", deployment("b", "red", good=True))
    manifest(tmp_path, "c.json", deployment("c", "blue", good=True))
    manifest(tmp_path, "d.json", deployment("d", "red"))
    manifest(tmp_path, "e.json", deployment("e", "red"))
    assert solon("tickets", "sync", "k8s").out == (
        "GitHub org/policies\n"
        "  ✓ update           #2        Workloads have a team (red) · 3 subjects\n"
        "                               More subjects are concerned: 3, before 2.\n"
        "  ✓ close            #1        Workloads have a team (blue)\n"
        "                               No finding of this policy is left for this owner.\n"
        "\n"
        "1 ticket for 3 subjects: 1 updated, 1 closed\n"
    )


def test_a_dry_run_changes_nothing(
    solon: Solon, github: FakeGitHub, server: LocalServer, tmp_path: Path
) -> None:
    manifest(tmp_path, "a.json", deployment("a", "red"))
    ran = solon("tickets", "sync", "k8s", "--dry-run")
    assert ran.status == 0
    assert ran.out == (
        "GitHub org/policies (dry run: nothing is changed)\n"
        "  · create                     Workloads have a team (red) · 1 subject\n"
        "\n"
        "1 ticket for 1 subject: 1 to create\n"
    )
    assert server.writes() == []
    assert github.issues == []


def test_json(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    manifest(tmp_path, "a.json", deployment("a", ""))
    said = json.loads(solon("tickets", "sync", "k8s", "--format", "json").out)
    assert said == {
        "schema": "solon.tickets/v1",
        "tracker": "GitHub org/policies",
        "dry_run": False,
        "operations": [
            {
                "action": "create",
                "policy": "main.deny",
                "owner": "",
                "title": "Workloads have a team (no owner)",
                "subjects": 1,
                "reference": "#1",
                "url": "https://github.example/org/policies/issues/1",
                "comment": None,
                "problem": None,
            }
        ],
        "unjudged": [],
        "summary": {"tickets": 1, "subjects": 1, "unchanged": 0, "failed": 0},
    }
    assert github.issues


def test_jira(solon: Solon, server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = server.application = FakeJira()
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    monkeypatch.setenv("JIRA_USER", USER)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/tier.rego").write_text(POLICY)
    (tmp_path / "solon.yaml").write_text(
        f"tickets: {{jira: {{url: '{server.url}', project: GOV, token_env: MY_TOKEN}}}}\n"
    )
    (tmp_path / "k8s").mkdir()
    manifest(tmp_path, "a.json", deployment("a", "red"))
    assert solon("tickets", "sync", "k8s").out == (
        "Jira GOV\n"
        "  ✓ create           GOV-1     Workloads have a team (red) · 1 subject\n"
        "\n"
        "1 ticket for 1 subject: 1 created\n"
    )
    assert [issue["fields"]["summary"] for issue in fake.issues] == ["Workloads have a team (red)"]


NOW = datetime.now(UTC).date()
SOON, AGO = NOW + timedelta(days=30), NOW - timedelta(days=30)


def test_the_programme_counts(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    """No ticket for what is at dryrun or waived; the date on which it blocks for what is at warn or audit."""
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "rollouts/tier.yaml").write_text(
        f"""policy: main.deny
scopes:
  - name: warned
    where: {{namespace: warned}}
    stages: [{{stage: warn, from: {AGO}}}, {{stage: enforce, from: {SOON}}}]
  - name: audited
    where: {{namespace: audited}}
    stages: [{{stage: audit, from: {AGO}}}]
  - name: enforced
    where: {{namespace: enforced}}
    stages: [{{stage: warn, from: {AGO - timedelta(days=9)}}}, {{stage: enforce, from: {AGO}}}]
"""
    )
    (tmp_path / "waivers").mkdir()
    (tmp_path / "waivers/x.yaml").write_text(
        f"- {{policy: main.deny, scope: {{resource: Deployment/waived}}, owner: red, reason: late, approved_by: sec, "
        f"created: {AGO}, expires: {SOON}}}\n"
    )
    for namespace in ("warned", "audited", "enforced", "silent"):
        manifest(tmp_path, f"{namespace}.json", deployment("web", namespace, namespace=namespace))
    manifest(tmp_path, "waived.json", deployment("waived", "red", namespace="enforced"))
    ran = solon("tickets", "sync", "k8s")
    assert ran.status == 0, ran.err
    assert {issue["title"]: issue["body"].split("\n")[2] for issue in github.issues} == {
        "Workloads have a team (audited)": "1 subject violates it. It blocks nothing so far, and no date is set.",
        "Workloads have a team (enforced)": "1 subject violates it. It blocks changes now.",
        "Workloads have a team (warned)": f"1 subject violates it. It will block changes from {SOON} on.",
    }


def test_a_broken_waiver_opens_no_ticket(
    solon: Solon, github: FakeGitHub, server: LocalServer, tmp_path: Path
) -> None:
    """What it was meant to cover would be among them."""
    (tmp_path / "waivers").mkdir()
    (tmp_path / "waivers/x.yaml").write_text("- {policy: main.deny, owner: red}\n")
    manifest(tmp_path, "a.json", deployment("a", "red"))
    ran = solon("tickets", "sync", "k8s")
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("waivers/x.yaml:1:3: ")
    assert server.requests == []
    assert github.issues == []


def test_what_was_not_judged_closes_nothing(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    manifest(tmp_path, "a.json", deployment("a", "red"))
    solon("tickets", "sync", "k8s")
    manifest(tmp_path, "a.json", "{")
    ran = solon("tickets", "sync", "k8s")
    assert ran.status == 2
    assert ran.out.startswith(
        "Not everything was judged, so nothing is closed for want of findings:\n  ✗ k8s/a.json:1:"
    )
    assert ran.out.endswith("\n0 tickets for 0 subjects: nothing to do\n")
    assert github.issues[0]["state"] == "open"


def test_a_policy_that_fails_closes_nothing(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    manifest(tmp_path, "a.json", deployment("a", "red"))
    solon("tickets", "sync", "k8s")
    (tmp_path / "policy/tier.rego").write_text(
        'package main\n\nf(x) := 1\nf(x) := 2\ndeny contains "no" if f(input.kind) == 3\n'
    )
    ran = solon("tickets", "sync", "k8s")
    assert ran.status == 2
    assert "main.deny failed: " in ran.out
    assert github.issues[0]["state"] == "open"


def test_secrets_do_not_leave(solon: Solon, github: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "policy/tier.rego").write_text(
        'package main\n\ndeny contains msg if { input.kind == "Secret"; msg := sprintf("bad %v", [input.stringData]) }\n'
    )
    manifest(
        tmp_path,
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter22}\n",
    )
    assert solon("tickets", "sync", "k8s").status == 0
    assert "hunter22" not in json.dumps(github.issues)
    assert 'bad {"password": "***"}' in github.issues[0]["body"]


NO_TRACKER = (
    "solon: no tracker: write in solon.yaml where tickets are kept, such as "
    "`tickets: {github: {repository: org/policies}}`\n"
)
NO_SERVICE = (
    "solon: solon.yaml:1:1: notify: channel 1 of 'a': a URL begins with its service, such as slack:// or mailto://, "
    "or is a variable: ${NAME}\n"
)


@pytest.mark.parametrize(
    "settings, problem",
    [
        ("", NO_TRACKER),
        ("tickets: {}", "solon: solon.yaml:1:1: tickets: tickets go to one tracker: write either github or jira\n"),
        ("tickets:\n  github: {repository: x}", "solon: solon.yaml:2:3: tickets.github: repository 'x': write it as owner/name\n"),
        ("tickets:\n  github: {repository: a/b, token_env: NOT_SET}",
         "solon: NOT_SET is not set in the environment (see tickets: in solon.yaml)\n"),
        ("notify:\n  channels: {a: [hook]}",
         NO_SERVICE),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(solon: Solon, tmp_path: Path, settings: str, problem: str) -> None:
    (tmp_path / "solon.yaml").write_text(settings + "\nformat: table\n")
    ran = solon("tickets", "sync", "k8s")
    assert (ran.status, ran.out, ran.err) == (2, "", problem)


def test_without_solon_yaml(solon: Solon) -> None:
    ran = solon("tickets", "sync", "k8s")
    assert (ran.status, ran.err[:18]) == (2, "solon: no tracker:")


def test_a_tracker_that_refuses(
    solon: Solon, github: FakeGitHub, server: LocalServer, tmp_path: Path
) -> None:
    manifest(tmp_path, "a.json", deployment("a", "red"))
    manifest(tmp_path, "b.json", deployment("b", "blue"))
    server.faults.extend([None, Response(422, {"message": "Validation Failed"})])
    ran = solon("tickets", "sync", "k8s")
    assert ran.status == 2
    host = server.url.removeprefix("http://")
    assert ran.out == (
        "GitHub org/policies\n"
        "  ✗ create                     Workloads have a team (blue) · 1 subject\n"
        f"                               {host}: status 422: Validation Failed\n"
        "  ✓ create           #1        Workloads have a team (red) · 1 subject\n"
        "\n"
        "2 tickets for 2 subjects: 1 created, 1 failed\n"
    )
    server.faults.append(Response(404, {"message": "Not Found"}))
    ran = solon("tickets", "sync", "k8s")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"solon: {host}: status 404: Not Found\n"
    assert len(github.issues) == 1
