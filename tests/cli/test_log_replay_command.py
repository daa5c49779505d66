"""solon log replay, as a person calls it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decision_events import KEY, event, finding, log_of

from solon.cli import main
from solon.decisions.log import erasure, settings
from solon.decisions.log.store import Log

Solon = Callable[..., Any]

OLD = 'package main\nimport rego.v1\ndeny contains "has no owner" if not input.metadata.labels.owner\n'
NEW = (
    OLD.replace("input.metadata.labels.owner", "input.metadata.labels.team")
    + 'deny_root contains "runs as root" if input.spec.root\n'
)


def manifest(name: str, *, root: bool = False, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"root": root},
    }


MANIFESTS = [
    manifest("both", owner="ann", team="a"),
    manifest("unowned", team="a"),
    manifest("rootless", owner="ann", team="b"),
    manifest("rooted", owner="ann", team="b", root=True),
    manifest("nobody"),
]


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose policies were asked about five manifests, twice, and a candidate beside it."""
    place = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        write("solon.yaml", "log: decisions\n")
        write("policy/main.rego", OLD)
        write("candidate/main.rego", NEW)
        write("m/all.yaml", "---\n".join(json.dumps(each) + "\n" for each in MANIFESTS))
        settings.create("decisions", KEY)
        for _ in range(2):
            patch.setattr("sys.argv", ["solon", "check", "m", "--quiet"])
            with pytest.raises(SystemExit, match="1"):
                main.run()
    return place


@pytest.fixture
def repository(made: Path, tmp_path: Path, solon: Solon) -> Solon:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return solon


def replay(solon: Solon, *arguments: str) -> Any:
    ran = solon("log", "replay", "-p", "candidate", "--format", "json", *arguments)
    assert ran.err == ""
    return json.loads(ran.out)


def test_the_table(repository: Solon) -> None:
    ran = repository("log", "replay", "-p", "candidate")
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("10 decisions of ")
    assert lines[0].endswith(", 5 different inputs, judged as of now by candidate")
    assert [line.strip() for line in lines[3:6]] == [
        "2 newly denied, 1 subject",
        "2 newly allowed, 1 subject",
        "6 as before",
    ]
    assert "POLICY" in lines[8]
    assert lines[9].split() == ["main.deny_root", "2", "0", "1", "1", "2", "0", "policy", "2"]
    assert lines[10].split() == ["main.deny", "0", "2", "1", "1", "0", "2", "policy", "2"]
    assert any(line.startswith("  ✗ Deployment/rooted in shop · b · allow on ") for line in lines)
    assert "      main.deny_root  nothing → deny: runs as root" in lines


def test_the_json(repository: Solon) -> None:
    found = replay(repository)
    assert found["schema"] == "solon.log-replay/v1"
    assert {kind: count for kind, count in found["changes"].items() if count} == {
        "newly_denied": 2,
        "newly_allowed": 2,
        "as_before": 6,
    }
    assert (found["decisions"], found["inputs"], found["judged"], found["same_revision"]) == (10, 5, 10, 0)
    assert [(each["team"], each["newly_denied"], each["newly_allowed"]) for each in found["teams"]] == [
        ("b", 2, 0),
        ("a", 0, 2),
    ]
    assert [(each["name"], each["was"], each["now"], each["depends_on"]) for each in found["examples"]] == [
        ("Deployment/rooted", "allow", "deny", []),
        ("Deployment/unowned", "deny", "allow", []),
    ]
    assert found["examples"][0]["policies"] == [
        {"policy": "main.deny_root", "was": "", "now": "deny", "cause": "policy", "message": "runs as root"}
    ]


def test_csv_has_every_decision_that_changes(repository: Solon) -> None:
    ran = repository("log", "replay", "-p", "candidate", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert ran.status == 1
    assert sorted((row["change"], row["subject"], row["policies"]) for row in rows) == [
        ("newly allowed", "k8s://manifests/shop/Deployment/unowned", '["main.deny"]'),
        ("newly allowed", "k8s://manifests/shop/Deployment/unowned", '["main.deny"]'),
        ("newly denied", "k8s://manifests/shop/Deployment/rooted", '["main.deny_root"]'),
        ("newly denied", "k8s://manifests/shop/Deployment/rooted", '["main.deny_root"]'),
    ]


def test_markdown(repository: Solon) -> None:
    ran = repository("log", "replay", "-p", "candidate", "--format", "markdown")
    assert "- 2 newly denied, 1 subject\n" in ran.out
    assert "| main.deny&#95;root | 2 | 0 | 1 | 1 | 2 | 0 | policy 2 |" in ran.out
    assert "- Deployment/rooted (b): main.deny&#95;root: runs as root\n" in ran.out


def test_to_a_file(repository: Solon) -> None:
    ran = repository("log", "replay", "-p", "candidate", "--format", "json", "--output", "out.json")
    assert (ran.status, ran.out) == (1, "")
    assert json.loads(Path("out.json").read_text())["changes"]["newly_denied"] == 2
    assert not list(Path().glob("out.json.tmp*"))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-p", "candidate"], 1),
        (["-p", "candidate", "--fail-on", "never"], 0),
        (["-p", "candidate", "--team", "a"], 0),
        (["-p", "candidate", "--team", "a", "--fail-on", "any"], 1),
        (["-p", "policy", "--fail-on", "any"], 0),
        ([], 0),
        (["-p", "nowhere"], 2),
        (["-p", "broken"], 2),
        (["-p", "candidate", "--since", "yesterday"], 2),
        (["-p", "candidate", "--as-of", "soon"], 2),
        (["-p", "candidate", "--deployed", "--latest"], 2),
        (["-p", "candidate", "--log", "nowhere"], 2),
        (["-p", "candidate", "--inventory", "nowhere"], 2),
        (["-p", "candidate", "--decision", "maybe"], 2),
    ],
)
def test_exit_status(repository: Solon, arguments: list[str], status: int) -> None:
    write("broken/main.rego", "package main\ndeny {")
    ran = repository("log", "replay", *arguments)
    assert ran.status == status, ran.err
    assert (ran.err == "") is (status != 2)
    assert "Traceback" not in ran.err


def test_the_same_policies_change_nothing(repository: Solon) -> None:
    found = json.loads(repository("log", "replay", "--format", "json").out)
    assert (found["same_revision"], found["unexplained"], found["changes"]["as_before"]) == (10, 0, 10)


def test_what_the_log_does_not_explain_is_told(repository: Solon) -> None:
    """A decision that says something else than the very policies that made it."""
    (then,) = json.loads(
        repository(
            "log", "query", "--subject", "*both", "--limit", "1", "-o", "json", "--columns", "event"
        ).out
    )
    lie = then["event"]
    lie["decision_id"] = "lie"
    lie["input"]["metadata"]["labels"].pop("owner")
    log_with(Log("decisions"), lie)
    ran = repository("log", "replay")
    assert ran.status == 1
    assert "· lie · unexplained" in ran.out
    assert "11 decisions had these very revisions: 1 of them came out differently" in ran.out


def log_with(log: Log, *events: dict[str, Any]) -> None:
    from solon.decisions.log.events import entry_of

    with log:
        log.append([entry_of(json.dumps(each).encode()) for each in events])


def test_what_is_deployed(repository: Solon) -> None:
    """The newest decision of each subject that let it pass: neither unowned nor nobody ever passed."""
    found = replay(repository, "--deployed")
    assert (found["decisions"], found["changes"]["newly_denied"], found["changes"]["newly_allowed"]) == (
        3,
        1,
        0,
    )
    assert replay(repository, "--latest")["decisions"] == 5


def test_what_cannot_be_judged_is_counted(repository: Solon) -> None:
    without = event(1, "2026-03-01T08:00:00Z")
    del without["input"]
    opa = {
        "decision_id": "o-1",
        "timestamp": "2026-03-01T08:00:00Z",
        "path": "other/allow",
        "input": {},
        "result": True,
    }
    log = Log("decisions")
    log_with(log, without, opa)
    (first,) = log.find("o-1")
    log_with(log, {**opa, "decision_id": "o-2"})
    with Log("decisions") as writer:
        erasure.erase(writer, writer.find("o-2"), reason="GDPR request", by="dpo")
    assert first[1].payload is not None
    found = replay(repository)
    assert found["not_judged"] == {
        "its input is not in the log": 1,
        "the candidate has no data.other.allow": 1,
    }
    assert (found["decisions"], found["judged"], found["erased"]) == (12, 10, 1)
    text = repository("log", "replay", "-p", "candidate").out
    assert " 2 not judged\n" in text
    assert "1 decision not judged: the candidate has no data.other.allow (o-1)\n" in text
    assert "1 decision of that time is erased, and cannot be judged again" in text


def test_events_of_an_opa(repository: Solon) -> None:
    write(
        "candidate/authz.rego",
        'package authz\nimport rego.v1\ndefault allow := false\nallow if input.user == "ann"\n',
    )
    log_with(
        Log("decisions"),
        *(
            {
                "decision_id": f"o-{user}-{result}", "timestamp": "2026-03-01T08:00:00Z", "path": "authz/allow",
                "input": {"user": user}, "result": result,
            }
            for user, result in (("ann", True), ("ann", False), ("bob", True), ("bob", False))
        ),
    )  # fmt: skip
    found = replay(repository, "--path", "authz/*", "--package", "main")
    assert found["changes"]["newly_denied"] == 1
    assert found["changes"]["newly_allowed"] == 1
    assert found["changes"]["as_before"] == 2
    assert [each["decision_id"] for each in found["examples"]] == ["o-bob-True", "o-ann-False"]
    assert found["policies"][0]["policy"] == "data.authz.allow"


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "labels": {"owner": "ann", "team": "c"}},
}


def test_what_depends_on_a_masked_value_is_marked(repository: Solon) -> None:
    write("m/secret.yaml", json.dumps({**SECRET, "stringData": {"password": "hunter2-hunter2"}}))
    assert repository("check", "m/secret.yaml", "--quiet").status == 0
    write(
        "candidate/main.rego",
        'package main\nimport rego.v1\ndeny contains "short" if count(input.stringData.password) < 8\n',
    )
    found = replay(repository, "--team", "c")
    assert (found["masked"], found["depends_on_masked"]) == (1, 1)
    (example,) = found["examples"]
    assert (example["change"], example["depends_on"]) == ("newly_denied", ["masked values"])


def test_what_depends_on_the_inventory_is_marked(repository: Solon) -> None:
    write(
        "candidate/main.rego",
        'package main\nimport rego.v1\ndeny contains "one too many" if count(data.inventory.namespace.shop) > 0\n'
        'deny_root contains "runs as root" if input.spec.root\n',
    )
    found = replay(repository)
    assert found["reads_what_is_not_in_the_log"] == {"main.deny": ["inventory"]}
    by_name = {each["name"]: each["depends_on"] for each in found["examples"]}
    assert by_name["Deployment/rooted"] == []
    assert by_name["Deployment/unowned"] == ["data.inventory"]
    with_inventory = replay(repository, "--inventory", "m")
    assert with_inventory["changes"]["newly_denied"] == 6


ROLLOUT = """policy: main.deny_root
default: dryrun
scopes:
  - name: all
    where: {namespace: shop}
    stages:
      - {stage: warn, from: 2020-01-01}
      - {stage: enforce, from: 2090-01-01}
"""


def test_stages_are_those_of_now_or_of_another_time(repository: Solon) -> None:
    write("rollouts/root.yaml", ROLLOUT)
    write("rollouts/main.yaml", "policy: main.deny\ndefault: enforce\n")
    now = replay(repository)
    assert (now["changes"]["newly_denied"], now["changes"]["newly_warned"]) == (0, 2)
    assert (now["as_of"], now["in_no_rollout"]) == ("as of now", [])
    later = replay(repository, "--as-of", "2091-01-01")
    assert (later["changes"]["newly_denied"], later["changes"]["newly_warned"]) == (2, 0)
    asked = replay(repository, "--no-programme")
    assert asked["changes"]["newly_denied"] == 2
    then = replay(repository, "--as-of", "then")
    assert (then["changes"]["newly_warned"], then["inputs"], then["as_of"]) == (2, 10, "each as of its time")


def test_each_at_its_time(repository: Solon) -> None:
    """Before and after a turning point, in one run."""
    write("rollouts/root.yaml", ROLLOUT.replace("2090-01-01", "2026-03-01T12:00:00Z"))
    write("rollouts/main.yaml", "policy: main.deny\ndefault: enforce\n")
    (then,) = json.loads(
        repository(
            "log", "query", "--subject", "*rooted", "--limit", "1", "-o", "json", "--columns", "event"
        ).out
    )
    log_with(
        Log("decisions"),
        *(
            {**then["event"], "decision_id": at, "timestamp": at, "requested_by": "test"}
            for at in ("2026-03-01T11:59:59Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z")
        ),
    )
    found = replay(repository, "--as-of", "then", "--requested-by", "test", "--examples", "0")
    assert found["changes"]["newly_denied"] == 2
    assert found["changes"]["newly_warned"] == 1


def test_a_policy_in_no_rollout_is_only_recorded_and_that_is_told(repository: Solon) -> None:
    write("rollouts/main.yaml", "policy: main.deny\ndefault: enforce\n")
    ran = repository("log", "replay", "-p", "candidate")
    assert ran.status == 0
    assert (
        "in no rollout, so only recorded (--no-programme judges by what they ask for): main.deny_root"
        in ran.out
    )
    assert ["main.deny_root", "0", "0", "0", "0", "2", "0"] in [line.split() for line in ran.out.splitlines()]


def test_a_waiver_that_has_ended_is_told_apart(repository: Solon) -> None:
    (then,) = json.loads(
        repository(
            "log", "query", "--subject", "*nobody", "--limit", "1", "-o", "json", "--columns", "event"
        ).out
    )
    waived = then["event"]
    waived["decision_id"] = "waived"
    waived["solon"]["outcome"] = "allow"
    waived["solon"]["findings"] = [finding("main.deny", "waived")]
    log_with(Log("decisions"), waived)
    found = json.loads(repository("log", "replay", "--format", "json").out)
    assert found["unexplained"] == 0
    assert found["policies"][0]["causes"] == {"waiver": 1}


def test_a_broken_programme_ends_it(repository: Solon) -> None:
    write("rollouts/root.yaml", "policy: main.deny_root\nscopes: [{name: a, stages: []}]\n")
    ran = repository("log", "replay", "-p", "candidate")
    assert ran.status == 2
    assert ran.err.endswith("solon: nothing was judged: put this right first\n")


def test_a_checkout_of_a_policy_repository_is_a_candidate(repository: Solon) -> None:
    """Its policies, its data and its programme; not those of the repository it is run in."""
    write("other/solon.yaml", "policies: [rules]\ndata: [facts]\n")
    write("other/rules/main.rego", NEW)
    write("other/facts/x.yaml", "x: 1\n")
    write("other/rollouts/root.yaml", ROLLOUT)
    write("other/rollouts/main.yaml", "policy: main.deny\ndefault: enforce\n")
    ran = repository("log", "replay", "-p", "other", "--format", "json")
    found = json.loads(ran.out)
    assert (found["changes"]["newly_warned"], found["changes"]["newly_allowed"]) == (2, 2)


def test_however_many_processes_the_result_is_the_same(
    repository: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solon.cli.log import replay as command

    one = replay(repository, "--jobs", "1", "--as-of", "then")
    monkeypatch.setattr(command, "_FEW", 0)
    assert replay(repository, "--jobs", "2", "--as-of", "then") == one


def test_an_empty_log(solon: Solon, tmp_path: Path) -> None:
    log_of(tmp_path / "log", [])
    write("policy/main.rego", OLD)
    ran = solon("log", "replay", "--log", "log")
    assert ran.status == 0
    assert ran.out.startswith("0 decisions, 0 different inputs, judged as of now by policy\n")


def test_without_policies(solon: Solon, tmp_path: Path) -> None:
    log_of(tmp_path / "log", [])
    ran = solon("log", "replay", "--log", "log")
    assert (ran.status, ran.out) == (2, "")
    assert (
        ran.err
        == "solon: no policies: name the candidate with -p DIR, or list them under `policies:` in solon.yaml\n"
    )
