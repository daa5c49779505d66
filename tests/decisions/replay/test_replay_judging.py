"""A recorded input, judged by other policies; and whether the result hangs on what was masked."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from solon.cli.log.replay_candidate import Asked, load_of
from solon.decisions.replay.judging import Judge, cluster_of, document_of
from solon.decisions.replay.recorded import Found

NOW = 1_772_352_000_000_000_000  # 2026-03-01T08:00:00Z


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def candidate(rego: str, **more: Any) -> Judge:
    Path("policy").mkdir(exist_ok=True)
    Path("policy/main.rego").write_text(rego)
    asked = {
        "policies": ["policy"], "data": [], "namespaces": [], "all_namespaces": False, "dialect": "auto",
        "inventory": [], "allowed_hosts": frozenset(), "timeout": 10.0, "as_of": "now", "programme": True, **more,
    }  # fmt: skip
    return load_of(Asked(**asked), NOW)()


def solon_event(document: Any, **more: Any) -> bytes:
    subject = {"uri": "k8s://c/n/Secret/s", "kind": "kubernetes.object", "name": "Secret/s", "namespace": "n"}
    value = {
        "decision_id": "d", "timestamp": "2026-02-01T00:00:00Z", "path": "solon/check", "input": document,
        "solon": {"outcome": "allow", "subject": subject}, **more,
    }  # fmt: skip
    return json.dumps(value).encode()


def opa_event(path: str, document: Any, result: Any = None, **more: Any) -> bytes:
    value = {"decision_id": "d", "timestamp": "2026-02-01T00:00:00Z", "path": path, "input": document}
    return json.dumps({**value, "result": result, **more}).encode()


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s", "labels": {"team": "a"}},
    "data": {"password": "***", "user": "***"},
    "sizes": ["***", 3],
}
HIDDEN = {"masked": ["/input/data/password", "/input/data/user", "/input/sizes/0"]}


@pytest.mark.parametrize(
    ("condition", "outcome", "doubtful"),
    [
        ('input.metadata.labels.team == "a"', "deny", False),
        ('input.metadata.labels.team == "b"', "allow", False),
        ("input.data.password", "deny", False),  # that it is there was not masked
        ("not input.data.token", "deny", False),
        ("count(input.data) > 1", "deny", False),
        ('input.data.password == "hunter2"', "allow", True),
        ('input.data.password != "hunter2"', "deny", True),
        ('startswith(input.data.password, "a")', "allow", True),
        ("count(input.data.password) < 8", "deny", True),
        ('some value in input.data; contains(value, "x")', "allow", True),
        ("is_string(input.data.user)", "deny", True),
        ("is_number(input.data.user)", "allow", False),  # a masked value is a text as far as anyone can tell
        ("input.sizes[_] == 3", "deny", True),
        ("input.sizes[1] == 3", "deny", False),
        ('input.data[name]; name == "user"', "deny", False),
        ('json.marshal(input) == "x"', "allow", True),
        ("base64.decode(input.data.user)", "allow", True),
        ('input.kind == "Pod"; input.data.password == "x"', "allow", False),  # it is not looked at
    ],
)
def test_whether_a_result_hangs_on_what_was_masked(condition: str, outcome: str, doubtful: bool) -> None:
    judge = candidate(f'package main\nimport rego.v1\ndeny contains "no" if {{ {condition} }}')
    verdict = judge(solon_event(SECRET, **HIDDEN))
    assert (verdict.outcome, verdict.doubtful, verdict.problem) == (outcome, doubtful, "")
    assert judge(solon_event(SECRET)).doubtful is False


def test_what_was_erased_may_have_been_there() -> None:
    judge = candidate('package main\nimport rego.v1\ndeny contains "no" if not input.data.token')
    assert judge(solon_event(SECRET, erased=["/input/data/token"])).doubtful
    assert not judge(solon_event(SECRET, erased=["/input/data/other"])).doubtful


def test_the_findings_and_their_words() -> None:
    judge = candidate(
        'package main\nimport rego.v1\ndeny contains {"msg": "no  way"} if true\nwarn contains "careful" if true'
    )
    verdict = judge(solon_event(SECRET))
    assert (verdict.outcome, list(verdict.findings)) == (
        "deny",
        [Found("main.deny", "deny", "no way"), Found("main.warn", "warn", "careful")],
    )


def test_a_policy_that_fails() -> None:
    verdict = candidate(
        "package main\nimport rego.v1\ndeny contains x if { x := p }\np := 1 if true\np := 2 if input.kind"
    )(solon_event(SECRET))
    assert verdict.outcome == "error"
    assert [(each.policy, each.word) for each in verdict.findings] == [("main.deny", "error")]


def test_a_policy_that_runs_away() -> None:
    judge = candidate(
        "package main\nimport rego.v1\n"
        'deny contains "x" if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0 }',
        timeout=0.05,
    )
    verdict = judge(solon_event(SECRET))
    assert verdict.outcome == "error"
    assert "longer than 0.05 s" in verdict.findings[0].message


RULES = """package http.authz
import rego.v1
default allow := false
allow if input.user == "ann"
deny contains "no shoes" if not input.shoes
roles := ["admin"] if input.user == "ann"
limit := data.limits.most
"""


@pytest.mark.parametrize(
    ("path", "document", "outcome", "found"),
    [
        ("http/authz/allow", {"user": "ann"}, "allow", []),
        ("http/authz/allow", {"user": "bob"}, "deny", [("data.http.authz.allow", "deny", "")]),
        ("/http/authz/deny", {"user": "bob"}, "deny", [("data.http.authz.deny", "deny", "no shoes")]),
        ("http/authz/deny", {"shoes": 2}, "allow", []),
        ("http/authz", {"user": "ann", "shoes": 2}, "allow", []),
        ("http/authz/roles", {"user": "ann"}, "", []),
        ("http/authz/roles", {"user": "bob"}, "", []),
    ],
)
def test_what_an_opa_was_asked(path: str, document: Any, outcome: str, found: list[Any]) -> None:
    verdict = candidate(RULES)(opa_event(path, document))
    assert (verdict.outcome, [(f.policy, f.word, f.message) for f in verdict.findings]) == (outcome, found)
    assert verdict.problem == ""


@pytest.mark.parametrize(
    ("result", "same"), [(["admin"], True), (["user"], False), (None, False), ({"admin": 1}, False)]
)
def test_answers_that_are_no_outcome_are_compared_as_a_whole(result: Any, same: bool) -> None:
    from solon.decisions.replay.recorded import recorded

    event = opa_event("http/authz/roles", {"user": "ann"}, result)
    assert (candidate(RULES)(event).answer == recorded(event).answer) is same


@pytest.mark.parametrize("path", ["http/authz/other", "http/other", "other", "http/authz/allow/x/y"])
def test_what_the_candidate_does_not_have(path: str) -> None:
    verdict = candidate(RULES)(opa_event(path, {}))
    assert verdict.problem == f"the candidate has no data.{path.replace('/', '.')}"


def test_policies_without_any_for_what_solon_judges() -> None:
    judge = candidate("package roles\nimport rego.v1\nallow := true")
    assert judge(solon_event(SECRET)).problem == "the candidate has no policies for what Solon judges"
    assert judge(opa_event("roles/allow", {})).outcome == "allow"


def test_an_answer_that_hangs_on_what_was_masked() -> None:
    judge = candidate(RULES)
    assert judge(opa_event("http/authz/allow", {"user": "***"}, masked=["/input/user"])).doubtful
    assert not judge(opa_event("http/authz/deny", {"user": "***"}, masked=["/input/user"])).doubtful


OWNERS = "ownership: {owner: [{label: owner}], team: [{label: team}]}\n"


@pytest.mark.parametrize(
    ("labels", "team", "owner"),
    [({}, "then", "ann"), ({"team": "now", "owner": "bob"}, "now", "bob"), ({"owner": "bob"}, "then", "bob")],
)
def test_whose_it_is_now_and_else_whose_it_was(labels: dict[str, str], team: str, owner: str) -> None:
    Path("solon.yaml").write_text(OWNERS)
    event = json.loads(solon_event(SECRET))
    event["solon"]["subject"] |= {"team": "then", "owner": "ann"}
    event["input"] = {**SECRET, "metadata": {"labels": labels}}
    event["solon"]["subject"]["labels"] = labels
    verdict = candidate("package main\nimport rego.v1\ndeny contains 1 if false")(json.dumps(event).encode())
    assert (verdict.team, verdict.owner) == (team, owner)


ROLLOUT = "policy_set: 'conftest:rules'\nscopes: [{name: all, where: {cluster: prod}, stages: [{stage: warn, from: 2020-01-01}]}]\ndefault: dryrun\n"


@pytest.mark.parametrize(
    ("uri", "word"), [("k8s://prod/n/Secret/s", "warn"), ("k8s://test/n/Secret/s", "recorded")]
)
def test_a_candidate_stands_in_for_the_policies_that_rollouts_name(uri: str, word: str) -> None:
    """Their set is called after the path in solon.yaml; the cluster is that of the decision."""
    Path("solon.yaml").write_text("policies: [rules]\n")
    Path("rollouts").mkdir()
    Path("rollouts/all.yaml").write_text(ROLLOUT)
    event = json.loads(solon_event(SECRET))
    event["solon"]["subject"]["uri"] = uri
    verdict = candidate('package main\nimport rego.v1\ndeny contains "no"')(json.dumps(event).encode())
    assert [each.word for each in verdict.findings] == [word]


CLOCK = 'package main\nimport rego.v1\ndeny contains "late" if time.now_ns() > time.parse_rfc3339_ns("2026-02-15T00:00:00Z")'


@pytest.mark.parametrize(
    ("as_of", "outcome"),
    [("now", "deny"), ("then", "allow"), ("2026-02-10", "allow"), ("2026-02-20", "deny")],
)
def test_the_time_that_policies_see(as_of: str, outcome: str) -> None:
    assert candidate(CLOCK, as_of=as_of)(solon_event(SECRET)).outcome == outcome


@pytest.mark.parametrize(
    ("uri", "cluster"),
    [
        ("k8s://prod/n/Pod/x", "prod"),
        ("k8s:///n/Pod/x", ""),
        ("k8s://manifests/n/Pod/x", ""),
        ("tf://plan/a.b", ""),
        ("", ""),
        ("k8s://prod", "prod"),
    ],
)
def test_the_cluster_of_a_uri(uri: str, cluster: str) -> None:
    assert cluster_of(uri) == cluster


@pytest.mark.parametrize(
    ("path", "name"),
    [("main/allow", "data.main.allow"), ("/a/b-c", 'data.a["b-c"]'), ("a//b", "data.a.b")],
)
def test_the_document_of_a_path(path: str, name: str) -> None:
    assert document_of(path) == name


@pytest.mark.parametrize("odd", [None, 7, "x", [1], {"kind": 7}])
def test_any_input_is_judged(odd: Any) -> None:
    judge = candidate('package main\nimport rego.v1\ndeny contains "no" if input.kind == 7')
    verdict = judge(solon_event(odd, masked=["/input/a/b", "/input/0/x"]))
    assert (verdict.outcome, verdict.problem) == ("deny" if odd == {"kind": 7} else "allow", "")


TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: shortsecret}
spec:
  crd: {spec: {names: {kind: ShortSecret}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package shortsecret
        violation[{"msg": msg}] {
          count(input.review.object.data.password) < 8
          msg := "short"
        }
---
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: unique}
spec:
  crd: {spec: {names: {kind: Unique}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package unique
        violation[{"msg": msg}] {
          data.inventory.namespace[_][_][_][input.review.object.metadata.name]
          msg := "is there already"
        }
---
{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: ShortSecret, metadata: {name: all}}
---
{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: Unique, metadata: {name: all}}
"""


def test_policies_of_gatekeeper() -> None:
    Path("policy").mkdir()
    Path("policy/all.yaml").write_text(TEMPLATE)
    Path("policy/main.rego").write_text("package other")
    asked = Asked(["policy"], [], [], False, "auto", [], frozenset(), 10.0, "now", True)
    load = load_of(asked, NOW)
    verdict = load()(solon_event(SECRET, **HIDDEN))
    assert [(each.policy, each.word) for each in verdict.findings] == [("ShortSecret/all", "deny")]
    assert verdict.doubtful
    assert [each.surroundings() for each in load.sets() if each.policies] == [{"Unique/all": {"inventory"}}]
    Path("there.yaml").write_text(json.dumps(SECRET | {"metadata": {"name": "s", "namespace": "n"}}))
    beside = load_of(dataclasses.replace(asked, inventory=["there.yaml"]), NOW)
    found = beside()(solon_event(SECRET, **HIDDEN)).findings
    assert [each.policy for each in found] == ["ShortSecret/all", "Unique/all"]
