"""solon rollout report: what each team is told."""

from __future__ import annotations

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

POLICY = """# METADATA
# title: Deployments have a cost centre
# custom:
#   severity: high
#   remediation: Add the label cost-centre.
package main

deny contains msg if {
	input.kind == "Deployment"
	not input.metadata.labels["cost-centre"]
	msg := sprintf("%s has no cost centre", [input.metadata.name])
}

warn contains "replicas are not said" if {
	input.kind == "Deployment"
	not input.spec.replicas
}
"""
ROLLOUT = """policy: main.deny
scopes:
  - name: canary
    where: {namespace: canary}
    stages: [{stage: warn, from: 2026-11-02}, {stage: enforce, from: 2026-11-16}]
  - name: shops
    where: {namespace: shop-*}
    existing: {until: 2027-03-01, baseline: base.json}
    stages: [{stage: warn, from: 2026-11-16}, {stage: enforce, from: 2026-12-01, grace: 7d}]
  - name: fleet
    stages: [{stage: warn, from: 2026-11-16}, {stage: enforce, from: 2027-01-11}]
"""
WAIVERS = """- policy: main.deny
  scope: {namespace: lab}
  owner: red
  reason: r
  approved_by: sec
  created: 2026-11-01
  expires: 2027-01-20
- policy: main.deny
  scope: {namespace: shop-waived}
  owner: red
  reason: r
  approved_by: sec
  created: 2026-11-01
  expires: 2026-11-30
"""
HOSTILE = '<script>alert("x")</script> | [a](javascript:b) @all #1 `c`\x1b[31m'


def deployment(name: str, namespace: str, team: str = "red", **labels: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace, "labels": {"team": team, **labels}}
    if not team:
        del metadata["labels"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at = int(datetime.fromisoformat("2026-11-20T12:00:00Z").timestamp()) * 1_000_000_000
    monkeypatch.setattr("solon.cli.governed.clock", lambda: at)
    for name in ("policy", "rollouts", "waivers", "k8s"):
        (tmp_path / name).mkdir()
    (tmp_path / "policy/cost.rego").write_text(POLICY)
    (tmp_path / "rollouts/cost.yaml").write_text(ROLLOUT)
    (tmp_path / "waivers/w.yaml").write_text(WAIVERS)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    known = {"main.deny": ["k8s://manifests/shop-a/Deployment/old"]}
    (tmp_path / "base.json").write_text(
        json.dumps({"schema": "solon.baseline/v1", "recorded": "2026-11-01T00:00:00Z", "findings": known})
    )
    objects = [
        deployment("c", "canary"),
        deployment("new", "shop-a"),
        deployment("old", "shop-a"),
        deployment("waived", "shop-waived"),
        deployment("lab", "lab"),
        deployment("good", "fleet", "green", **{"cost-centre": "7"}),
        deployment("slow", "fleet"),
        deployment("nobody", "fleet", ""),
        {**deployment("single", "fleet", **{"cost-centre": "7"}), "spec": {}},
    ]
    (tmp_path / "k8s/all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return tmp_path


@pytest.mark.usefixtures("repo")
def test_the_report_of_a_team(solon, golden):
    golden("rollout_team.md", solon("rollout", "report", "k8s", "--team", "red").out)


@pytest.mark.usefixtures("repo")
def test_when_each_violation_is_denied(solon):
    report = json.loads(solon("rollout", "report", "k8s", "--team", "red", "--format", "json").out)
    assert report["schema"] == "solon.team-report/v1"

    def said(part: str) -> list[tuple[str, str | None, str | None]]:
        return [(each["resource"], each["denied_from"], each["waived_until"]) for each in report[part]]

    day = "{}T00:00:00Z".format
    assert said("denied") == [("Deployment/c", "2026-11-20T12:00:00Z", None)]
    assert said("coming") == [
        # Not in the grace period; and what was there before is spared for longer.
        ("Deployment/new", day("2026-12-08"), None),
        ("Deployment/slow", day("2027-01-11"), None),
        ("Deployment/old", day("2027-03-01"), None),
    ]
    assert said("waived") == [
        # A waiver that ends before the stage comes, and one that ends after.
        ("Deployment/waived", day("2026-12-08"), day("2026-11-30")),
        ("Deployment/lab", day("2027-01-20"), day("2027-01-20")),
    ]
    # No rollout names it; and a warning is never denied.
    assert said("undated") == [("Deployment/single", None, None)]
    first = report["denied"][0]
    assert first["fix"] == "Add the label cost-centre."
    assert (first["location"]["file"], first["severity"]) == ("k8s/all.json", "high")


@pytest.mark.usefixtures("repo")
def test_what_is_denied_on_another_day(solon):
    report = json.loads(
        solon("rollout", "report", "k8s", "--team", "red", "--format", "json", "--as-of", "2026-12-08").out
    )
    assert [each["resource"] for each in report["denied"]] == [
        "Deployment/c",
        "Deployment/new",
        "Deployment/waived",
    ]


@pytest.mark.usefixtures("repo")
def test_what_has_no_owner(solon):
    report = json.loads(solon("rollout", "report", "k8s", "--unowned", "--format", "json").out)
    assert [each["resource"] for each in report["coming"]] == ["Deployment/nobody"]
    assert [each["resource"] for each in report["unowned_subjects"]] == ["Deployment/nobody"]
    assert "Nobody answers for these" in solon("rollout", "report", "k8s", "--unowned").out


@pytest.mark.usefixtures("repo")
def test_the_index(solon):
    out = solon("rollout", "report", "k8s").out
    assert out == (
        "# Violations by team\n\nAs of 2026-11-20 12:00 UTC.\n\n"
        "| Team | Denied now | To be denied | First on | Waived | No date |\n|---|--:|--:|---|--:|--:|\n"
        "| green | 0 | 0 |  | 0 | 0 |\n"
        "| red | 1 | 3 | 2026-12-08 | 2 | 1 |\n"
        "| Without an owner | 0 | 1 | 2027-01-11 | 0 | 0 |\n"
        "\n1 resource has no owner.\n"
    )


def test_a_file_for_each_team(solon, repo):
    ran = solon("rollout", "report", "k8s", "--output", "out/teams")
    assert (ran.status, ran.out, ran.err) == (0, "", "solon: 4 files in out/teams\n")
    assert sorted(p.name for p in (repo / "out/teams").iterdir()) == [
        "green.md",
        "index.md",
        "red.md",
        "unowned.md",
    ]
    assert "| [red](red.md) | 1 |" in (repo / "out/teams/index.md").read_text()
    assert (repo / "out/teams/red.md").read_text() == solon("rollout", "report", "k8s", "--team", "red").out
    assert "nothing to put right" in (repo / "out/teams/green.md").read_text()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "index", "unowned", "RED", "a b", "日本", "/", "x" * 300]
)
def test_no_name_of_a_team_leads_elsewhere(solon, repo, name):
    objects = [deployment("a", "fleet", name), deployment("b", "fleet", "red"), deployment("c", "fleet", "")]
    (repo / "k8s/all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    assert solon("rollout", "report", "k8s", "--output", "out", "--format", "json").status == 0
    found = {p.name: json.loads(p.read_text()) for p in (repo / "out").iterdir()}
    listed = found.pop("index.json")["teams"]
    assert [(each["team"], found[each["file"]]["team"]) for each in listed] == [
        (team, team) for team in [*sorted([name, "red"]), ""]
    ]
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}\.json", file) for file in found)
    assert sorted(p.name for p in repo.iterdir()) == sorted(
        ["policy", "rollouts", "waivers", "k8s", "solon.yaml", "base.json", "out"]
    )


class Page(HTMLParser):
    """The tags of a page, its text, and whether all that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.shown = ""
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.shown += data


def test_pages_show_hostile_texts_as_they_are(solon, repo):
    hostile = deployment(HOSTILE, HOSTILE, HOSTILE)
    objects = [hostile, *({**deployment(f"d{n}", "fleet", HOSTILE)} for n in range(40))]
    (repo / "k8s/all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    (repo / "policy/cost.rego").write_text(POLICY.replace("Deployments have", "<b>Deployments</b> have"))
    assert solon("rollout", "report", "k8s", "--output", "out", "--format", "html").status == 0
    shown = HOSTILE.replace("\x1b", "\\x1b")
    for path in (repo / "out").iterdir():
        text = path.read_text()
        page = Page(text)
        assert page.open == []
        assert shown in page.shown
        assert page.tags <= {
            *(
                "html",
                "head",
                "meta",
                "title",
                "style",
                "body",
                "p",
                "a",
                "h1",
                "h2",
                "h3",
                "div",
                "ul",
                "li",
            ),
            *("strong", "code", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
        }
        assert all(re.fullmatch(r"[a-z0-9-]+\.html", link) for link in page.links)
        assert "\x1b" not in text
        assert "<b>" not in text
    team = next(path for path in (repo / "out").iterdir() if path.stem.startswith("script"))
    assert "<summary>11 more</summary>" in team.read_text()


def test_markdown_shows_hostile_texts_as_they_are(solon, repo):
    objects = [deployment(HOSTILE, HOSTILE, HOSTILE)]
    (repo / "k8s/all.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    solon("rollout", "report", "k8s", "--output", "out")
    for path in (repo / "out").iterdir():
        text = path.read_text()
        assert "<script>" not in text
        assert "[a](" not in text
        assert "\x1b" not in text


def test_secrets_do_not_go_into_reports(solon, repo):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "canary", "labels": {"team": "red"}},
        "stringData": {"password": "hunter2-hunter2"},
    }
    (repo / "policy/cost.rego").write_text(
        'package main\n\ndeny contains msg if {\n\tmsg := sprintf("%v", [input.stringData.password])\n}\n'
    )
    (repo / "k8s/all.json").write_text(json.dumps(secret))
    out = solon("rollout", "report", "k8s", "--team", "red").out
    assert "Secret/s" in out
    assert "hunter2" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--team", "blue"], "--team: nothing there is of 'blue'; there are: green, red"),
        (["--team", "red", "--unowned"], "--team and --unowned are two reports"),
        (["--team", "red", "--output", "out"], "--output writes the reports of all teams"),
        (["--output", "solon.yaml"], "solon.yaml: file exists"),
    ],
)
@pytest.mark.usefixtures("repo")
def test_what_cannot_be_reported(solon, arguments, said):
    ran = solon("rollout", "report", "k8s", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: {said}")


def test_nothing_is_reported_of_what_was_not_all_read(solon, repo):
    (repo / "waivers/w.yaml").write_text(WAIVERS.replace("2026-11-30", "never"))
    ran = solon("rollout", "report", "k8s", "--output", "out")
    assert ran.status == 2
    assert "'never' is no date" in ran.err
    assert not (repo / "out").exists()
