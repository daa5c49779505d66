"""Constraints: their fields, what they ask for, and what they find."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.gatekeeper.constraint import Constraint, is_constraint, make_constraint, stage_at
from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.frameworks.gatekeeper.review import review_of
from solon.frameworks.gatekeeper.template import compile_template
from solon.frameworks.policy import Context, Stage, Violation
from solon.lang.rego import RegoError
from solon.subjects.subject import Location

GATOR = "gator.gatekeeper.sh"
SCHEMA = {
    "type": "object",
    "properties": {"level": {"type": "string", "default": "high"}, "names": {"type": "array", "items": {"type": "string"}}},
}  # fmt: skip
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "x"}]},
}


def constraint(
    spec: Any = None,
    *,
    rego: str = 'violation[{"msg": "m"}] { true }',
    name: Any = "a-thing",
    **metadata: Any,
) -> Constraint:
    template = compile_template(
        {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {"name": "thing"},
            "spec": {
                "crd": {"spec": {"names": {"kind": "Thing"}, "validation": {"openAPIV3Schema": SCHEMA}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": f"package thing\n{rego}"}],
            },
        },
        Location("template.yaml", 1),
    )
    document: dict[str, Any] = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Thing",
        "metadata": {"name": name, **metadata},
    }
    if spec is not None:
        document["spec"] = spec
    return make_constraint(document, template, Location("constraint.yaml", 1), GATOR)


def found(rego: str, spec: Any = None, **context: Any) -> list[Violation]:
    asked = Context(now_ns=0, **context)
    made, review = constraint(spec, rego=rego), review_of(POD, asked.namespaces)
    return made.violations(review, asked) if made.concerns(review) else []


# --- its fields


@pytest.mark.parametrize(
    ("spec", "parameters"),
    [
        (None, {}),
        ({}, {}),
        ({"match": {}}, {}),
        ({"parameters": None}, {}),
        ({"parameters": {}}, {"level": "high"}),
        ({"parameters": {"level": "low"}}, {"level": "low"}),
        ({"parameters": {"names": ["a"]}}, {"level": "high", "names": ["a"]}),
    ],
)
def test_parameters(spec: Any, parameters: Any) -> None:
    assert constraint(spec).parameters == parameters


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ([], SchemaError, "spec must be an object"),
        ("x", SchemaError, "spec must be an object"),
        (
            {"parameter": {}},
            GatekeeperError,
            "spec.parameter: unknown field; known are match, enforcementAction, scopedEnforcementActions, parameters",
        ),
        ({"parameters": {"level": 3}}, SchemaError, "spec.parameters.level: must be of type string, not 3"),
        ({"parameters": "x"}, SchemaError, 'spec.parameters: must be of type object, not "x"'),
        (
            {"parameters": {"levels": "x"}},
            GatekeeperError,
            "spec.parameters.levels: unknown field, the template's schema has no such parameter",
        ),
        ({"match": []}, SchemaError, "spec.match must be an object"),
        ({"match": {"kind": []}}, GatekeeperError, "spec.match.kind: unknown field"),
        ({"enforcementAction": 3}, SchemaError, "spec.enforcementAction must be a string"),
        (
            {"enforcementAction": "block"},
            GatekeeperError,
            "spec.enforcementAction 'block' is unknown: must be one of deny, warn, dryrun, scoped",
        ),
        (
            {"enforcementAction": "scoped"},
            GatekeeperError,
            "spec.enforcementAction is scoped, but spec.scopedEnforcementActions is empty",
        ),
        (
            {"enforcementAction": "scoped", "scopedEnforcementActions": [{"action": "block"}]},
            GatekeeperError,
            "spec.scopedEnforcementActions: unknown action 'block'",
        ),
        (
            {
                "enforcementAction": "scoped",
                "scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "webhook"}]}],
            },
            GatekeeperError,
            "spec.scopedEnforcementActions: unknown enforcement point 'webhook'",
        ),
    ],
)
def test_malformed_spec(spec: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        constraint(spec)
    assert type(caught.value) is error
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["a", "a-b.c", "0", "a" * 63])
def test_name(name: str) -> None:
    assert constraint(name=name).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (None, "metadata.name is missing"),
        ("", "metadata.name is missing"),
        (3, "metadata.name is missing"),
        ("A", "metadata.name 'A' must be at most 63 lower-case letters, digits, '-' and '.'"),
        ("a_b", "metadata.name 'a_b' must be"),
        ("-a", "metadata.name '-a' must be"),
        ("a.", "metadata.name 'a.' must be"),
        ("a" * 64, "must be at most 63"),
    ],
)
def test_malformed_name(name: Any, message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        constraint(name=name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Thing"}, True),
        ({"apiVersion": "constraints.gatekeeper.sh/v1alpha1", "kind": "Other"}, True),
        ({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "Thing"}, False),
        ({"kind": "Thing"}, False),
        ("x", False),
    ],
)
def test_which_documents_are_constraints(document: Any, expected: bool) -> None:
    assert is_constraint(document) is expected


@pytest.mark.parametrize("version", ["v1", "v2", "v1beta2"])
def test_unknown_version(version: str) -> None:
    document = {
        "apiVersion": f"constraints.gatekeeper.sh/{version}",
        "kind": "Thing",
        "metadata": {"name": "x"},
    }
    with pytest.raises(GatekeeperError) as caught:
        make_constraint(document, constraint().template, Location("constraint.yaml", 1), GATOR)
    assert str(caught.value) == (
        f"apiVersion constraints.gatekeeper.sh/{version} is unknown: versions are v1beta1, v1alpha1"
    )


# --- what it asks for


def scoped(*actions: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "enforcementAction": "scoped",
        "scopedEnforcementActions": [
            {"action": action, "enforcementPoints": [{"name": name} for name in names]} for action, names in actions
        ],
    }  # fmt: skip


WEBHOOK, AUDIT, VAP = "validation.gatekeeper.sh", "audit.gatekeeper.sh", "vap.k8s.io"


@pytest.mark.parametrize(
    ("spec", "point", "stage"),
    [
        ({}, GATOR, Stage.ENFORCE),
        ({"enforcementAction": None}, GATOR, Stage.ENFORCE),
        ({"enforcementAction": ""}, GATOR, Stage.ENFORCE),
        ({"enforcementAction": "deny"}, GATOR, Stage.ENFORCE),
        ({"enforcementAction": "warn"}, GATOR, Stage.WARN),
        ({"enforcementAction": "dryrun"}, GATOR, Stage.DRYRUN),
        (scoped(("deny", [GATOR])), GATOR, Stage.ENFORCE),
        (scoped(("deny", [GATOR])), WEBHOOK, None),
        (scoped(("warn", ["*"])), GATOR, Stage.WARN),
        (scoped(("warn", ["*"])), VAP, Stage.WARN),
        (scoped(("deny", [WEBHOOK]), ("warn", [AUDIT])), WEBHOOK, Stage.ENFORCE),
        (scoped(("deny", [WEBHOOK]), ("warn", [AUDIT])), AUDIT, Stage.WARN),
        (scoped(("deny", [WEBHOOK]), ("warn", [AUDIT])), GATOR, None),
        # Of several the gravest counts.
        (scoped(("dryrun", ["*"]), ("deny", [GATOR]), ("warn", [GATOR])), GATOR, Stage.ENFORCE),
        (scoped(("dryrun", ["*"]), ("warn", [GATOR])), GATOR, Stage.WARN),
        (scoped(("deny", [])), GATOR, None),
        # Scoped actions are read only where the action is scoped.
        ({**scoped(("warn", [AUDIT])), "enforcementAction": "deny"}, GATOR, Stage.ENFORCE),
    ],
)
def test_stage(spec: Any, point: str, stage: Stage | None) -> None:
    assert stage_at(spec, point) is stage


# --- what it finds


@pytest.mark.parametrize(
    ("rego", "messages"),
    [
        ('violation[{"msg": "m"}] { false }', []),
        ('violation[{"msg": "m"}] { true }', ["m"]),
        ('violation[{"msg": m}] { m := ["a", "b"][_] }', ["a", "b"]),
        ('violation[{"msg": m}] { m := input.parameters.level }', ["high"]),
        ('violation[{"msg": m}] { m := input.review.object.metadata.name }', ["web"]),
        ('violation = {{"msg": "m"}} { false }', []),
        # The same message and details are one violation.
        ('violation[{"msg": "m", "x": x}] { x := [1, 2][_] }', ["m"]),
        ('violation[{"msg": "m", "details": {}}] { true }\nviolation[{"msg": "m"}] { true }', ["m"]),
        ('violation[{"msg": "m", "details": {"x": x}}] { x := [1, 2][_] }', ["m", "m"]),
    ],
)
def test_violations(rego: str, messages: list[str]) -> None:
    violations = found(rego, {"parameters": {}})
    assert sorted(v.message for v in violations) == messages
    assert not any(v.error for v in violations)


@pytest.mark.parametrize(
    ("rego", "message"),
    [
        ('violation["m"] { true }', 'a violation must be an object with a string msg, not "m"'),
        ('violation[{"message": "m"}] { true }', 'a violation must be an object with a string msg, not {"message":"m"}'),
        ('violation[{"msg": 3}] { true }', 'a violation must be an object with a string msg, not {"msg":3}'),
        ("violation { true }", "violation must be a set of objects, not true"),
        ('violation = {"msg": "m"} { true }', 'violation must be a set of objects, not {"msg":"m"}'),
    ],
)  # fmt: skip
def test_violation_that_says_nothing_is_an_error(rego: str, message: str) -> None:
    (violation,) = found(rego)
    assert violation.error
    assert violation.message == message


def test_details_and_place() -> None:
    rego = """violation[{"msg": msg, "details": {"container": c.name}}] {
  c := input.review.object.spec.containers[_]
  msg := sprintf("container <%v> is bad", [c.name])
}"""
    (violation,) = found(rego)
    assert violation.details == {"container": "app"}
    assert violation.path == ("spec", "containers", 0)


def test_inventory() -> None:
    rego = 'violation[{"msg": n}] { data.inventory.namespace[_]["v1"].Pod[n] }'
    inventory = {"namespace": {"shop": {"v1": {"Pod": {"other": {}}}}}, "cluster": {}}
    assert [v.message for v in found(rego, inventory=inventory)] == ["other"]
    assert found(rego) == []


def test_unknown_namespace_is_a_violation() -> None:
    spec = {"match": {"namespaceSelector": {"matchLabels": {"team": "retail"}}}}
    rego = 'violation[{"msg": "m"}] { true }'
    (violation,) = found(rego, spec)
    assert violation.message == (
        "unable to match constraints: namespace selector for namespace-scoped object but missing Namespace"
    )
    assert not violation.error
    shop = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"team": "retail"}},
    }
    assert [v.message for v in found(rego, spec, namespaces={"shop": shop})] == ["m"]


def test_failing_rego_raises() -> None:
    with pytest.raises(RegoError, match="multiple outputs"):
        found('x = "a" { true }\nx = "b" { true }\nviolation[{"msg": x}] { true }')
