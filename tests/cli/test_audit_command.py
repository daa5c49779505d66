"""solon audit: a change of the policies, and the owners of what no longer complies with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Response

from solon.decisions.log import settings
from solon.decisions.log.note import SigningKey

# Of a module that apprise imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

Solon = Callable[..., Any]

OWNED = 'package main\nimport rego.v1\ndeny contains "has no owner" if not input.metadata.labels.owner\n'
TWICE = 'deny_single contains {"msg": "runs once", "remediation": "Set replicas to 2"} if input.spec.replicas < 2\n'
CAREFUL = 'warn_big contains "is large" if input.spec.replicas > 8\n'


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        running.application = lambda _request: Response(200)
        yield running


@pytest.fixture
def deployed(solon: Solon, server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solon:
    """Four deployments of three teams that were allowed, and one that was denied."""
    monkeypatch.setenv("HOOK", server.url.removeprefix("http://"))
    (tmp_path / "solon.yaml").write_text(
        "log: decisions\n"
        'notify: {channels: {shop: ["json://${HOOK}/shop"], "*": ["json://${HOOK}/rest"]}, per_minute: 600}\n'
    )
    (tmp_path / "policy").mkdir()
    policies(OWNED)
    settings.create("decisions", SigningKey("example.com/x", bytes(32)))
    (tmp_path / "m").mkdir()
    for name, team, replicas in (
        ("cart", "shop", 1),
        ("till", "shop", 3),
        ("pay", "money", 1),
        ("find", "search", 9),
    ):
        manifest(name, replicas, team=team, owner="ann")
    manifest("orphan", 1)
    assert solon("check", "m", "--quiet").status == 1
    return solon


def policies(*texts: str) -> None:
    Path("policy/main.rego").write_text("".join(texts))


def manifest(name: str, replicas: int, **labels: str) -> None:
    value = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "web", "labels": labels},
        "spec": {"replicas": replicas},
    }
    Path(f"m/{name}.yaml").write_text(json.dumps(value))


def told(server: LocalServer) -> list[tuple[str, str]]:
    """Where messages went since the last look, and their titles."""
    found = [(request.path, request.body["title"]) for request in server.requests]
    server.requests.clear()
    return sorted(found)


def audits(solon: Solon) -> list[dict[str, Any]]:
    ran = solon(
        "log", "query", "--path", "solon/audit", "-o", "json", "--order", "subject", "--columns", "event"
    )
    return [row["event"] for row in json.loads(ran.out)]


def test_while_policies_are_the_same_all_comply(deployed: Solon, server: LocalServer) -> None:
    ran = deployed("audit", "--notify")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("4 deployed subjects: all comply\n")
    assert told(server) == []


def test_owners_are_told_once_of_a_change(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    ran = deployed("audit", "--notify")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("4 deployed subjects: 2 no longer comply, 2 comply\n")
    assert "money · told on notify.channels.*[0] (json)\n  ✗ Deployment/pay in web\n" in ran.out
    assert "4 entries added to the log\n" in ran.out
    (body,) = [request.body for request in server.requests if request.path == "/shop"]
    assert (body["title"], body["type"]) == (
        "1 deployed subject no longer complies: 1 would be denied today",
        "failure",
    )
    assert body["message"] == (
        "Deployment/cart in web\n  would be denied: main.deny_single: runs once\n  fix: Set replicas to 2"
    )
    assert [path for path, _ in told(server)] == ["/rest", "/shop"]
    again = deployed("audit", "--notify")
    assert again.status == 1
    assert again.out.startswith("4 deployed subjects: 2 do not comply, as owners know, 2 comply\n")
    assert "added to the log" not in again.out
    assert told(server) == []


def test_the_next_change_tells_what_is_new_alone(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    deployed("audit", "--notify")
    told(server)
    policies(OWNED, TWICE, CAREFUL)
    ran = deployed("audit", "--notify")
    assert told(server) == [("/rest", "1 deployed subject no longer complies")]  # that of search
    assert "money · knows\n" in ran.out
    assert "  ! Deployment/find in web\n" in ran.out
    assert "  ✗ Deployment/pay in web · known\n" in ran.out
    assert "4 entries added to the log\n" in ran.out  # each was judged under this revision


def test_a_look_tells_nobody_and_leaves_no_trace(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    ran = deployed("audit")
    assert ran.status == 1
    assert "shop · would be told\n" in ran.out
    assert (told(server), audits(deployed)) == ([], [])


def test_what_the_log_has_of_it(deployed: Solon) -> None:
    policies(OWNED, TWICE)
    deployed("audit", "--notify")
    events = audits(deployed)
    assert [(e["solon"]["subject"]["name"], e["solon"]["outcome"]) for e in events] == [
        ("Deployment/cart", "deny"),
        ("Deployment/find", "allow"),
        ("Deployment/pay", "deny"),
        ("Deployment/till", "allow"),
    ]
    (cart, *_) = events
    assert cart["solon"]["audit"]["known"] == [["main.deny_single", "deny"]]
    before = deployed("log", "show", cart["solon"]["audit"]["of"], "--format", "json")
    assert json.loads(before.out)["solon"]["outcome"] == "allow"
    assert "input" not in cart
    assert set(cart["solon"]["programme"]) >= {"place", "digest"}
    assert deployed("log", "verify").status == 0


def test_an_audit_deploys_nothing(deployed: Solon) -> None:
    """What was in force when a subject was deployed is not what was in force when it was looked at again."""
    (before,) = json.loads(deployed("log", "query", "--subject", "*till", "-o", "json").out)
    policies(OWNED, TWICE)
    deployed("audit", "--notify")
    found = json.loads(deployed("log", "in-force", "--subject", "*till", "--format", "json").out)
    assert before["decision_id"] in json.dumps(found)
    again = json.loads(deployed("log", "replay", "--deployed", "--subject", "*till", "--format", "json").out)
    assert again["decisions"] == 1


def test_what_could_not_be_told_is_told_the_next_time(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    server.application = lambda request: Response(500 if request.path == "/shop" else 200)
    ran = deployed("audit", "--notify")
    assert ran.status == 2
    assert "shop · not told\n" in ran.out
    assert "solon.yaml:2:" in ran.err
    told(server)
    server.application = lambda _request: Response(200)
    assert deployed("audit", "--notify").status == 1
    assert [path for path, _ in told(server)] == ["/shop"]
    deployed("audit", "--notify")
    assert told(server) == []


def test_what_is_put_right_and_broken_again_is_told_again(deployed: Solon, server: LocalServer) -> None:
    for texts, expected in (
        ((OWNED, TWICE), ["/rest", "/shop"]),
        ((OWNED,), []),
        ((OWNED, TWICE), ["/rest", "/shop"]),
    ):
        policies(*texts)
        deployed("audit", "--notify")
        assert [path for path, _ in told(server)] == expected


def test_a_new_deployment_counts_from_then_on(deployed: Solon, server: LocalServer) -> None:
    """Its owner saw the warning when it was deployed; a denial of it is news."""
    policies(OWNED, CAREFUL)
    assert deployed("check", "m", "--quiet").status == 1
    deployed("audit", "--notify")
    assert told(server) == []
    policies(OWNED, CAREFUL.replace("warn_big", "deny_big"))
    deployed("audit", "--notify")
    assert [path for path, _ in told(server)] == ["/rest"]


def test_what_was_put_right_by_a_new_deployment(deployed: Solon) -> None:
    policies(OWNED, TWICE)
    deployed("audit", "--notify")
    manifest("cart", 2, team="shop", owner="ann")
    deployed("check", "m/cart.yaml", "--quiet")
    ran = deployed("audit", "--format", "json")
    found = json.loads(ran.out)
    assert [(each["owner"], [s["name"] for s in each["subjects"]]) for each in found["owners"]] == [
        ("money", ["Deployment/pay"])
    ]


def test_again_tells_everything(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    deployed("audit", "--notify")
    told(server)
    deployed("audit", "--notify", "--again")
    assert [path for path, _ in told(server)] == ["/rest", "/shop"]


def test_json(deployed: Solon) -> None:
    policies(OWNED, TWICE)
    found = json.loads(deployed("audit", "--format", "json").out)
    assert (found["schema"], found["judged"], found["recorded"]) == ("solon.audit/v1", 4, 0)
    (money, shop) = found["owners"]
    assert (money["owner"], shop["owner"], shop["delivered"]) == ("money", "shop", [])
    (subject,) = shop["subjects"]
    assert subject["violations"] == [
        {
            "policy": "main.deny_single",
            "outcome": "deny",
            "message": "runs once",
            "remediation": "Set replicas to 2",
            "denied_from": None,
            "new": True,
        }
    ]


def test_what_is_named_is_what_is_deployed(deployed: Solon, server: LocalServer) -> None:
    """A dump of the cluster: what is gone is not told of, and of what the log has never seen nobody knows."""
    policies(OWNED, TWICE)
    Path("m/pay.yaml").unlink()
    ran = deployed("audit", "m", "--notify")
    assert ran.status == 1
    assert told(server) == [
        ("/rest", "1 deployed subject no longer complies: 1 would be denied today"),  # the orphan
        ("/shop", "1 deployed subject no longer complies: 1 would be denied today"),
    ]
    assert ran.out.startswith("4 deployed subjects: 2 no longer comply, 2 comply\n")
    deployed("audit", "m", "--notify")
    assert told(server) == []
    assert [event["solon"]["audit"]["of"] == "" for event in audits(deployed)] == [False, False, True, False]


ROLLOUT = """policy: main.deny_single
default: dryrun
scopes:
  - name: shop
    where: {team: shop}
    stages:
      - {stage: audit, from: 2020-01-01}
      - {stage: enforce, from: 2090-01-01}
"""


def test_the_stage_audit_tells_owners_and_denies_nobody(deployed: Solon, server: LocalServer) -> None:
    policies(OWNED, TWICE)
    Path("rollouts").mkdir()
    Path("rollouts/single.yaml").write_text(ROLLOUT)
    ran = deployed("audit", "--notify")
    assert (ran.status, ran.err) == (0, "")
    ((path, title),) = [(r.path, r.body["message"]) for r in server.requests]
    assert path == "/shop"
    assert "  denied from 2090-01-01: main.deny_single: runs once\n" in title
    assert (
        "  ! Deployment/cart in web\n      main.deny_single  denied from 2090-01-01: runs once\n" in ran.out
    )


def test_a_policy_that_fails(deployed: Solon) -> None:
    policies(OWNED, "deny_odd contains x if { x := p }\np := 1 if true\np := 2 if input.kind\n")
    ran = deployed("audit")
    assert ran.status == 2
    assert "solon: main.deny_odd: cannot judge 4 deployed subjects\n" in ran.err


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("log: decisions\n", "solon: no channels: write them in solon.yaml"),
        ('notify: {channels: {"*": ["json://x/y"]}}\n', "solon: no log: name it with --log DIR"),
    ],
)
def test_what_is_missing(deployed: Solon, change: str, problem: str) -> None:
    Path("solon.yaml").write_text(change)
    ran = deployed("audit", "--notify")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(problem)


def test_without_a_repository(solon: Solon) -> None:
    ran = solon("audit")
    assert (ran.status, ran.err) == (2, "solon: no solon.yaml here or above: `solon init` writes one\n")


def test_an_audit_is_explained_with_the_input_of_the_decision_that_it_goes_by(deployed: Solon) -> None:
    policies(OWNED, TWICE)
    assert deployed("audit", "--notify").status == 1
    (event,) = [each for each in audits(deployed) if each["solon"]["subject"]["name"] == "Deployment/cart"]
    found = json.loads(deployed("explain", event["decision_id"], "--format", "json").out)
    (finding,) = found["findings"]
    assert finding["behind"]["trace_problem"] == ""
    readings = {
        each["text"]: each["values"] for step in finding["behind"]["trace"] for each in step["readings"]
    }
    assert readings["input.spec.replicas"] == [1]
