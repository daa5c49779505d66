"""solon rollout observe, status, promote and demote."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

POLICY = """package main

# METADATA
# title: Deployments have a cost centre
# custom:
#   severity: high
#   remediation: Add the label cost-centre.
deny contains msg if {
	input.kind == "Deployment"
	not input.metadata.labels["cost-centre"]
	msg := sprintf("%s has no cost centre", [input.metadata.name])
}

# METADATA
# title: Deployments say how many replicas they have
warn contains "no replicas" if {
	input.kind == "Deployment"
	not input.spec.replicas
}
"""
ROLLOUT = """# cost centres
policy: main.deny
exit: {days: 3, violations: 1, green: 50%, trend: falling}
scopes:
  - name: canary
    where: {namespace: canary}
    stages:
      - {stage: warn, from: 2026-11-02}   # announced
      - {stage: enforce, from: 2026-11-16}
  - name: canary-too
    where: {namespace: canary, team: a}
    stages: [{stage: warn, from: 2026-11-02}]
  - name: fleet
    stages:
      - stage: warn
        from: 2026-11-10
"""


def deployment(name: str, namespace: str, team: str, *, good: bool = False) -> str:
    labels = ({"team": team} if team else {}) | ({"cost-centre": "7"} if good else {})
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def at(text: str) -> None:
        time_ns = int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000
        monkeypatch.setattr("solon.cli.governed.clock", lambda: time_ns)

    return at


@pytest.fixture
def repo(tmp_path: Path, clock: Callable[[str], None]) -> Path:
    clock("2026-11-20T12:00:00Z")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/cost.rego").write_text(POLICY)
    (tmp_path / "rollouts").mkdir()
    (tmp_path / "rollouts/cost.yaml").write_text(ROLLOUT)
    (tmp_path / "solon.yaml").write_text("policies: [policy]\n")
    (tmp_path / "k8s").mkdir()
    write(tmp_path, bad=3)
    return tmp_path


def write(repo: Path, *, bad: int) -> None:
    """A canary that is good, and four deployments of teams a to d of which so many are bad."""
    (repo / "k8s/canary.json").write_text(deployment("c", "canary", "a", good=True))
    for number, team in enumerate("abcd"):
        (repo / f"k8s/{team}.json").write_text(deployment(team, "shop", team, good=number >= bad))


def observe(solon, clock, repo: Path, counts: list[int], until: int = 20) -> None:
    """One day after the other, the last one on that day of November."""
    for day, bad in enumerate(counts, until - len(counts) + 1):
        clock(f"2026-11-{day:02}T09:00:00Z")
        write(repo, bad=bad)
        assert solon("rollout", "observe", "k8s").status == 0
    clock(f"2026-11-{until:02}T12:00:00Z")


def text(repo: Path) -> str:
    return (repo / "rollouts/cost.yaml").read_text()


# --- observe


def test_an_observation_is_a_line(solon, repo):
    (repo / "k8s/nobody.json").write_text(deployment("n", "alone", ""))
    ran = solon("rollout", "observe", "k8s")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (
        "Observed 6 subjects in 4 scopes; 4 violations of 1 policy; 1 subject without an owner. "
        "Added to .solon/history.jsonl\n"
    )
    (line,) = (repo / ".solon/history.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["time"], found["subjects"], found["unowned"]) == ("2026-11-20T12:00:00Z", 6, 1)
    (rollout,) = found["rollouts"]
    assert (rollout["file"], rollout["policies"]) == ("rollouts/cost.yaml", ["main.deny"])
    assert [
        (s["name"], s["stage"], s.get("subjects", 0), s.get("units", 0), s.get("found"))
        for s in rollout["scopes"]
    ] == [
        ("canary", "enforce", 1, 1, None),
        ("canary-too", "warn", 0, 0, None),
        # Four teams, and the namespace of the one without.
        ("fleet", "warn", 5, 5, {"main.deny": {"violations": 4, "subjects": 4, "units": 4}}),
        ("", "dryrun", 0, 0, None),
    ]


def test_an_observation_as_json(solon, repo):
    ran = solon("rollout", "observe", "k8s", "--format", "json")
    assert json.loads(ran.out) == json.loads((repo / ".solon/history.jsonl").read_text())


def test_the_history_is_where_solon_yaml_says(solon, repo, monkeypatch):
    (repo / "solon.yaml").write_text("policies: [policy]\nhistory: kept/seen.jsonl\n")
    monkeypatch.chdir(repo / "k8s")
    # From a directory inside, it is the same history, and the same rollout.
    assert solon("rollout", "observe", ".").status == 0
    (line,) = (repo / "kept/seen.jsonl").read_text().splitlines()
    assert json.loads(line)["rollouts"][0]["file"] == "rollouts/cost.yaml"


def test_waived_and_existing_violations_are_counted_apart(solon, repo):
    (repo / "waivers").mkdir()
    (repo / "waivers/a.yaml").write_text(
        "policy: main.deny\nscope: {team: a}\nowner: a\nreason: r\napproved_by: sec\n"
        "created: 2026-11-01\nexpires: 2026-12-01\n"
    )
    (repo / "rollouts/cost.yaml").write_text(
        ROLLOUT.replace("exit:", "existing: {until: 2027-01-01, baseline: base.json}\nexit:")
    )
    recorded = {"main.deny": ["k8s:///shop/Deployment/b"]}
    (repo / "base.json").write_text(
        json.dumps({"schema": "solon.baseline/v1", "recorded": "2026-11-01T00:00:00Z", "findings": recorded})
    )
    ran = solon("check", "k8s", "--format", "json")
    uris = {d["subject"]["name"]: d["subject"]["uri"] for d in json.loads(ran.out)["decisions"]}
    recorded["main.deny"] = [uris["Deployment/b"]]
    (repo / "base.json").write_text(
        json.dumps({"schema": "solon.baseline/v1", "recorded": "2026-11-01T00:00:00Z", "findings": recorded})
    )
    assert solon("rollout", "observe", "k8s").out == (
        "Observed 5 subjects in 4 scopes; 1 violation of 1 policy; 1 waived; 1 of what was there before. "
        "Added to .solon/history.jsonl\n"
    )
    found = json.loads((repo / ".solon/history.jsonl").read_text())
    assert found["waivers"] == {"a": 1}
    assert found["rollouts"][0]["scopes"][2]["found"]["main.deny"] == {
        "violations": 1,
        "subjects": 1,
        "units": 1,
        "waived": 1,
        "existing": 1,
    }


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("k8s/broken.yaml", "a: [", "k8s/broken.yaml:"),
        ("rollouts/broken.yaml", "policy: x\nscopes: 1\n", "rollouts/broken.yaml:2:1: scopes must be a list"),
    ],
)
def test_nothing_is_written_of_what_was_not_all_read(solon, repo, file, content, said):
    (repo / file).write_text(content)
    ran = solon("rollout", "observe", "k8s")
    assert ran.status == 2
    assert said in ran.err
    assert ran.err.endswith("solon: nothing was written down: put this right first\n")
    assert not (repo / ".solon").exists()


def test_a_torn_line_is_told(solon, repo):
    (repo / ".solon").mkdir()
    (repo / ".solon/history.jsonl").write_text('{"schema": "solon.obs')
    ran = solon("rollout", "observe", "k8s")
    assert ran.status == 0
    assert ran.err.startswith("solon: .solon/history.jsonl: its last line ended in the middle")
    ran = solon("rollout", "status")
    assert ran.err.startswith(
        "solon: .solon/history.jsonl:1: no observation, and left out: JSON is malformed"
    )
    assert ran.err.count("\n") == 1


def test_without_rollouts_there_is_nothing_to_observe(solon, repo):
    (repo / "rollouts/cost.yaml").unlink()
    (repo / "rollouts").rmdir()
    for command in (["observe", "k8s"], ["status"]):
        ran = solon("rollout", *command)
        assert (ran.status, ran.out) == (2, "")
        assert "this repository has no rollouts" in ran.err


def test_without_a_repository(solon):
    ran = solon("rollout", "status")
    assert (ran.status, ran.err) == (2, "solon: no solon.yaml here or above: `solon init` writes one\n")


# --- status


def test_status(solon, clock, repo, golden):
    observe(solon, clock, repo, [4, 4, 3, 3, 2, 1])
    (repo / "rollouts/old.yaml").write_text("policy: gone.*\n")
    golden("rollout_status.txt", solon("rollout", "status").out)


def test_status_of_another_day(solon, clock, repo):
    observe(solon, clock, repo, [4, 3, 2])
    out = solon("rollout", "status", "--as-of", "2026-11-19").out
    # What was observed later is not known that day.
    assert "  fleet       warn     2026-11-10       3  ▆█" not in out
    assert json.loads(solon("rollout", "status", "--as-of", "2026-11-18T10:00:00Z", "--format", "json").out)[
        "standings"
    ][2]["observations"] == [
        {
            "time": "2026-11-18T09:00:00Z",
            "stage": "warn",
            "subjects": 4,
            "units": 4,
            "violations": 4,
            "violating_subjects": 4,
            "violating_units": 4,
            "waived": 0,
            "existing": 0,
            "errors": 0,
        }
    ]
    stale = solon("rollout", "status", "--as-of", "2026-12-20").out
    assert "violations: last observed 29 days ago (wanted: at most 1)" in stale


def test_status_judged_on_the_spot(solon, clock, repo):
    observe(solon, clock, repo, [4, 3, 3])
    write(repo, bad=0)
    shown = json.loads(solon("rollout", "status", "--path", "k8s", "--format", "json").out)
    fleet = shown["standings"][2]
    # The last of a day counts: the one of now, in place of that of this morning. Nothing of it is written down.
    assert [each["violations"] for each in fleet["observations"]] == [4, 3, 0]
    assert len((repo / ".solon/history.jsonl").read_text().splitlines()) == 3


@pytest.mark.usefixtures("repo")
def test_status_of_some(solon):
    shown = json.loads(solon("rollout", "status", "main.*", "--scope", "canary*", "--format", "json").out)
    assert [each["scope"] for each in shown["standings"]] == ["canary", "canary-too"]
    assert shown["standings"][1]["covered_by"] == "canary"
    ran = solon("rollout", "status", "nope")
    assert (ran.status, ran.err) == (2, "solon: no rollout has a policy 'nope'; there are: main.deny\n")


@pytest.mark.parametrize(
    ("coming", "counts", "early"),
    [
        # Eleven days are left for the two that are missing.
        ("2026-12-01", [0], "audit comes in 10 days, and trend does not hold"),
        ("2026-11-21", [0], "audit comes in 12 hours, and 2 more days are to be observed"),
        ("2026-12-04", [4, 4, 4], "audit comes in 13 days, and violations, green and trend do not hold"),
        # There is time.
        ("2026-12-30", [4, 4, 4], ""),
        ("2026-12-01", [3, 2, 1], ""),
    ],
)
def test_a_date_that_comes_before_its_criteria_hold(solon, clock, repo, coming, counts, early):
    (repo / "rollouts/cost.yaml").write_text(f"{ROLLOUT}      - {{stage: audit, from: {coming}}}\n")
    observe(solon, clock, repo, counts)
    shown = json.loads(solon("rollout", "status", "--scope", "fleet", "--format", "json").out)
    assert shown["standings"][0]["early"] == early


def test_a_table_for_streams_that_cannot_show_everything(solon, clock, repo, monkeypatch):
    observe(solon, clock, repo, [4, 2, 1])
    import io
    import sys

    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    solon("rollout", "status", "--scope", "fleet")
    out.flush()
    assert b"  fleet  warn     2026-11-10       1  #=:" in out.buffer.getvalue()  # type: ignore[attr-defined]


def many(repo: Path, scopes: int) -> None:
    body = "".join(
        f"  - name: s{n:03}\n    where: {{namespace: n{n:03}}}\n    stages: [{{stage: warn, from: 2026-11-02}}, "
        f"{{stage: enforce, from: {'2026-11-25' if n == 7 else '2027-05-01'}}}]\n"
        for n in range(scopes)
    )
    (repo / "rollouts/cost.yaml").write_text(f"policy: main.deny\nscopes:\n{body}")


def test_of_many_scopes_those_that_matter_are_shown(solon, repo):
    many(repo, 200)
    out = solon("rollout", "status").out
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  s")] == ["s007"]
    assert "  199 more scopes: 199 at warn; 0 violations; --all shows them\n" in out
    everything = solon("rollout", "status", "--all").out
    assert sum(line.startswith("  s") for line in everything.splitlines()) == 200


# --- promote and demote


def test_promote(solon, clock, repo):
    observe(solon, clock, repo, [4, 2, 1])
    ran = solon("rollout", "promote", "main.deny", "--scope", "fleet", "--from", "2026-12-01")
    assert (ran.status, ran.err) == (0, "")
    assert text(repo) == ROLLOUT + "      - stage: audit\n        from: 2026-12-01\n"
    assert ran.out == (
        "--- rollouts/cost.yaml\n+++ rollouts/cost.yaml\n@@ -15,2 +15,4 @@\n       - stage: warn\n"
        "         from: 2026-11-10\n+      - stage: audit\n+        from: 2026-12-01\n\n"
        "Wrote: main.deny in fleet from warn to audit, from 2026-12-01.\n"
        "It counts once this file is where checks read it: commit and merge it.\n"
    )
    # And so it does.
    shown = json.loads(solon("rollout", "status", "--scope", "fleet", "--format", "json").out)
    assert shown["standings"][0]["next"] == {"stage": "audit", "from": "2026-12-01T00:00:00Z"}


def test_a_dry_run_changes_nothing(solon, clock, repo):
    observe(solon, clock, repo, [4, 2, 1])
    ran = solon("rollout", "promote", "main.deny", "--scope", "fleet", "--dry-run")
    assert ran.status == 0
    assert "+        from: 2026-11-21\n" in ran.out
    assert "Would write: main.deny in fleet from warn to audit, from 2026-11-21.\n" in ran.out
    assert text(repo) == ROLLOUT


def test_what_is_missing_is_said(solon, clock, repo):
    observe(solon, clock, repo, [1, 2])
    ran = solon("rollout", "promote", "main.deny", "--scope", "fleet")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "solon: the exit criteria of warn in fleet do not hold:\n"
        "  main.deny: days: 2 (wanted: at least 3)\n"
        "  main.deny: violations: 2 (wanted: at most 1)\n"
        "  main.deny: trend: 2 of the 3 days that show one (wanted: falling)\n"
    )
    assert text(repo) == ROLLOUT


def test_an_emergency_is_written_down(solon, repo):
    ran = solon(
        *("rollout", "promote", "main.deny", "--scope", "fleet", "--stage", "enforce"),
        *("--emergency", 'worm: "x"', "--approved-by", "ciso"),
    )
    assert ran.status == 0, ran.err
    assert text(repo) == ROLLOUT + (
        "      - stage: enforce\n        from: 2026-11-20T12:00:00Z\n"
        '        emergency: "worm: \\"x\\""\n        approved_by: ciso\n'
    )
    (repo / "k8s/a.json").write_text(deployment("a", "shop", "a"))
    assert "denied" in solon("check", "k8s", "--as-of", "2026-11-20T12:00:00Z").out


def test_demote_takes_effect_at_once(solon, repo):
    (repo / "k8s/canary.json").write_text(deployment("c", "canary", "a"))
    now = "2026-11-20T12:00:00Z"
    assert solon("check", "k8s", "--as-of", now).status == 1
    ran = solon("rollout", "demote", "main.deny", "--scope", "canary", "--reason", "nightly jobs, OPS-311")
    assert (ran.status, ran.err) == (0, "")
    assert "Wrote: main.deny in canary from enforce to warn, from 2026-11-20T12:00:00Z.\n" in ran.out
    assert text(repo) == ROLLOUT.replace(
        "      - {stage: enforce, from: 2026-11-16}\n",
        "      - {stage: enforce, from: 2026-11-16}\n      # demoted from enforce: nightly jobs, OPS-311\n"
        "      - {stage: warn, from: 2026-11-20T12:00:00Z}\n",
    )
    assert solon("check", "k8s", "--as-of", now).status == 0


def test_demote_takes_out_what_is_to_come(solon, repo, clock):
    clock("2026-11-12T00:00:00Z")
    ran = solon(
        "rollout", "demote", "main.deny", "--scope", "canary", "--reason", "not yet", "--format", "json"
    )
    said = json.loads(ran.out)
    assert said["taken_out"] == [{"stage": "enforce", "from": "2026-11-16"}]
    assert (said["was"], said["step"]) == ("warn", {"stage": "dryrun", "from": "2026-11-12T00:00:00Z"})
    assert "enforce" not in text(repo)


def test_another_file_that_is_wrong_does_not_hinder_demoting(solon, repo):
    (repo / "waivers").mkdir()
    (repo / "waivers/w.yaml").write_text("policy: main.deny\n")
    assert solon("rollout", "demote", "main.deny", "--scope", "canary", "--reason", "x").status == 0
    ran = solon("rollout", "promote", "main.deny", "--scope", "fleet")
    assert ran.status == 2
    assert "waivers/w.yaml:1:1: expires is missing" in ran.err


def test_json_has_no_comments(solon, repo):
    (repo / "rollouts/cost.yaml").unlink()
    scope = {"name": "all", "stages": [{"stage": "enforce", "from": "2026-11-02"}]}
    (repo / "rollouts/cost.json").write_text(json.dumps({"policy": "main.deny", "scopes": [scope]}))
    ran = solon("rollout", "demote", "main.deny", "--to", "warn", "--reason", "slow")
    assert ran.status == 0
    assert (
        ran.err
        == "solon: rollouts/cost.json is JSON, which has no comments: put the reason into the commit\n"
    )
    scope["stages"].append({"stage": "warn", "from": "2026-11-20T12:00:00Z"})
    assert json.loads((repo / "rollouts/cost.json").read_text())["scopes"] == [scope]


def test_what_cannot_be_edited_is_to_be_written_by_hand(solon, repo):
    shared = (
        "policy: main.deny\nscopes:\n  - name: a\n    where: {team: a}\n    stages: &s\n"
        "      - {stage: warn, from: 2026-11-02}\n  - name: b\n    stages: *s\n"
    )
    (repo / "rollouts/cost.yaml").write_text(shared)
    ran = solon("rollout", "promote", "main.deny", "--scope", "b", "--from", "2026-12-01")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("solon: rollouts/cost.yaml: its steps begin in a line with something else. ")
    assert ran.err.endswith(
        " Write it by hand into scope b, behind the steps that have begun:\n"
        "      - {stage: audit, from: 2026-12-01}\n"
    )
    assert text(repo) == shared


def test_the_file_stays_what_it_is(solon, repo):
    path = repo / "rollouts/cost.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + ROLLOUT.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    real = repo / "real.yaml"
    path.rename(real)
    path.symlink_to(real)
    assert solon("rollout", "demote", "main.deny", "--scope", "canary", "--reason", "ä").status == 0
    data = real.read_bytes()
    assert path.is_symlink()
    assert os.stat(real).st_mode & 0o777 == 0o640
    assert data.startswith(b"\xef\xbb\xbf# cost centres\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == ROLLOUT.count("\n") + 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote", "main.deny"], "--scope: say which: rollouts/cost.yaml has canary, canary-too, fleet"),
        (["promote", "main.deny", "--scope", "x"], "--scope: no scope 'x': rollouts/cost.yaml has canary"),
        (["promote", "main.warn"], "no rollout names main.warn: write one into rollouts/"),
        (["promote", "nope"], "no policy is called 'nope'; in rollouts are: main.deny"),
        (
            ["promote", "main.deny", "--scope", "fleet", "--as-of", "2026-12-01"],
            "--as-of shows what would be",
        ),
        (["promote", "main.deny", "--scope", "canary"], "canary enforces from 2026-11-16: no stage comes"),
        (
            ["promote", "main.deny", "--scope", "fleet", "--emergency", "a\nb"],
            "--emergency: must be one line",
        ),
        (["demote", "main.deny", "--scope", "fleet", "--reason", "a\nb: 1"], "--reason: must be one line"),
        (["demote", "main.deny", "--scope", "fleet", "--reason", " "], "--reason: say why"),
        (["demote", "main.deny", "--scope", "fleet", "--to", "enforce", "--reason", "x"], "fleet is at warn"),
    ],
)
def test_what_cannot_be_done(solon, repo, arguments, said):
    ran = solon("rollout", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: {said}")
    assert text(repo) == ROLLOUT
