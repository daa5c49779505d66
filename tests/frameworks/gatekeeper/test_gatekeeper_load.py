"""Templates and constraints read from files, as one policy set."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.gatekeeper.inventory import inventory_of, namespaces_of
from solon.frameworks.gatekeeper.load import load
from solon.frameworks.policy import Context, PolicySet, Stage, evaluate
from solon.subjects.subject import Location, Path, Subject


class File:
    def __init__(self, name: str) -> None:
        self.name = name

    def locate(self, path: Path) -> Location:
        return Location(self.name, 1 + len(path))


def subject(document: dict[str, Any], file: str = "pod.yaml", kind: str = "kubernetes.object") -> Subject:
    name = f"{document.get('kind')}/{document.get('metadata', {}).get('name')}"
    return Subject(kind, f"k8s://{name}", name, document, Location(file, 1), File(file))


def template(kind: str, rego: str, **metadata: Any) -> Subject:
    document = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower(), **metadata},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": f"package {kind.lower()}\n{rego}"}],
        },
    }
    return subject(document, f"{kind.lower()}.yaml")


def constraint(kind: str, name: str, spec: Any = None, **metadata: Any) -> Subject:
    document = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": spec or {},
    }
    return subject(document, f"{name}.yaml")


ALWAYS = template("Always", 'violation[{"msg": "m"}] { true }')
BROKEN = template("Broken", 'x = "a" { true }\nx = "b" { true }\nviolation[{"msg": x}] { true }')
POD = subject({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}})
SERVICE = subject({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}, "service.yaml")


def only(*kinds: str) -> dict[str, Any]:
    return {"match": {"kinds": [{"apiGroups": [""], "kinds": [*kinds]}]}}


def loaded(*objects: Subject, point: str = "gator.gatekeeper.sh") -> PolicySet:
    policy_set, problems = load("g", objects, point)
    assert problems == []
    return policy_set


def found(policy_set: PolicySet, about: Subject, **context: Any) -> list[tuple[str, str]]:
    evaluation = evaluate([policy_set], about, Context(now_ns=0, **context))
    return [(f.policy.id, f.message) for f in evaluation.findings]


def test_order_of_files_does_not_matter() -> None:
    for objects in ([ALWAYS, constraint("Always", "all")], [constraint("Always", "all"), ALWAYS]):
        assert found(loaded(*objects), POD) == [("Always/all", "m")]


def test_other_objects_are_left_alone() -> None:
    assert loaded(POD, SERVICE).policies == []


def test_policy_of_a_constraint() -> None:
    noted = template(
        "Always",
        'violation[{"msg": "m"}] { true }',
        annotations={
            "metadata.gatekeeper.sh/title": "Always",
            "description": "Of all",
            "solon.dev/owner": "a",
        },
    )
    one = constraint(
        "Always",
        "all",
        {"enforcementAction": "warn", **only("Pod")},
        annotations={
            "solon.dev/severity": "high",
            "solon.dev/owner": "b",
            "solon.dev/controls": "SOC2:CC8.1, ISO-42001:A.6",
            "solon.dev/remediation": "Do not",
        },
    )
    (policy,) = loaded(noted, one).policies
    assert (policy.id, policy.framework, policy.language) == ("Always/all", "gatekeeper", "rego")
    assert (policy.title, policy.description, policy.severity) == ("Always", "Of all", "high")
    assert (policy.owner, policy.remediation) == ("b", "Do not")
    assert policy.controls == ("SOC2:CC8.1", "ISO-42001:A.6")
    assert (policy.stage, policy.source) == (Stage.WARN, Location("all.yaml", 1))


def test_constraints_narrow_by_kind() -> None:
    policies = loaded(
        ALWAYS,
        constraint("Always", "pods", only("Pod")),
        constraint("Always", "services", only("Service")),
        constraint("Always", "both", only("Pod", "Service")),
        constraint("Always", "labelled", {"match": {"labelSelector": {"matchLabels": {"a": "b"}}}}),
    )
    assert found(policies, POD) == [("Always/pods", "m"), ("Always/both", "m")]
    assert found(policies, SERVICE) == [("Always/services", "m"), ("Always/both", "m")]
    assert evaluate([policies], POD, Context(now_ns=0)).policies == 2


def test_only_kubernetes_objects_are_judged() -> None:
    policies = loaded(ALWAYS, constraint("Always", "all"))
    assert found(policies, subject({"kind": "Pod"}, kind="document")) == []


def test_point_of_enforcement() -> None:
    elsewhere = constraint(
        "Always",
        "webhook",
        {
            "enforcementAction": "scoped",
            "scopedEnforcementActions": [
                {"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}
            ],
        },
    )
    assert loaded(ALWAYS, elsewhere).policies == []
    (policy,) = loaded(ALWAYS, elsewhere, point="validation.gatekeeper.sh").policies
    assert policy.stage is Stage.ENFORCE


def test_admission_review_is_judged_by_its_objects() -> None:
    policies = loaded(ALWAYS, constraint("Always", "pods", only("Pod")))

    def review(**request: Any) -> Subject:
        return subject({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})

    assert found(policies, review(operation="CREATE", object=POD.document)) == [("Always/pods", "m")]
    assert found(policies, review(operation="DELETE", oldObject=POD.document)) == [("Always/pods", "m")]
    assert found(policies, review(operation="CREATE", object=SERVICE.document)) == []
    # Each policy is asked once, though both versions are of its kind.
    update = review(operation="UPDATE", object=POD.document, oldObject=POD.document)
    assert found(policies, update) == [("Always/pods", "m")]


def test_unknown_namespace_is_denied_and_a_known_one_is_asked() -> None:
    policies = loaded(
        ALWAYS, constraint("Always", "retail", {"match": {"namespaceSelector": {"matchLabels": {"t": "r"}}}})
    )
    ((_, message),) = found(policies, POD)
    assert "missing Namespace" in message
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    assert found(policies, POD, namespaces=namespaces_of([namespace])) == []


def test_failing_template_is_an_error_and_the_rest_goes_on() -> None:
    policies = loaded(BROKEN, ALWAYS, constraint("Broken", "broken"), constraint("Always", "all"))
    findings = evaluate([policies], POD, Context(now_ns=0)).findings
    error, other = sorted(findings, key=lambda f: f.policy.id, reverse=True)
    assert (error.policy.id, error.error) == ("Broken/broken", True)
    assert "Broken.rego:" in error.message
    assert "multiple outputs" in error.message
    assert (other.policy.id, other.error) == ("Always/all", False)


@pytest.mark.parametrize(
    ("objects", "problem"),
    [
        (
            [constraint("Nothing", "x")],
            "x.yaml:1: constraint Nothing/x: no ConstraintTemplate defines its kind",
        ),
        (
            [ALWAYS, constraint("Always", "x", {"enforcementAction": "block"})],
            "x.yaml:1: constraint Always/x: spec.enforcementAction 'block' is unknown",
        ),
        (
            [ALWAYS, constraint("Always", "x", {"parameters": {"a": 1}})],
            "x.yaml:1: constraint Always/x: spec.parameters.a: unknown field",
        ),
        (
            [template("Typo", "violations[x] { x := 1 }")],
            "typo.yaml:1: ConstraintTemplate ConstraintTemplate/typo: the Rego has no rule named violation",
        ),
    ],
)
def test_problems(objects: list[Subject], problem: str) -> None:
    policy_set, problems = load("g", objects)
    (told,) = problems
    assert str(told).startswith(problem)
    assert policy_set.policies == []


def test_template_that_is_broken_leaves_its_constraints_without_one() -> None:
    policy_set, problems = load(
        "g", [template("Typo", "x {"), constraint("Typo", "a"), ALWAYS, constraint("Always", "b")]
    )
    assert [str(p).partition(": ")[2][:24] for p in problems] == [
        "ConstraintTemplate Const",
        "constraint Typo/a: no Co",
    ]
    assert [p.id for p in policy_set.policies] == ["Always/b"]


def test_revision_is_of_the_content_in_any_order() -> None:
    one = constraint("Always", "a")
    assert loaded(ALWAYS, one).revision == loaded(one, ALWAYS, POD).revision
    assert loaded(ALWAYS, one).revision != loaded(ALWAYS, constraint("Always", "b")).revision


def test_inventory() -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "reader"},
    }
    nameless = {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x-"}}
    assert inventory_of([POD.document, SERVICE.document, role, nameless]) == {
        "namespace": {"shop": {"v1": {"Pod": {"web": POD.document}}}},
        "cluster": {
            "v1": {"Service": {"web": SERVICE.document}},
            "rbac.authorization.k8s.io/v1": {"ClusterRole": {"reader": role}},
        },
    }
    assert inventory_of([]) == {"namespace": {}, "cluster": {}}
