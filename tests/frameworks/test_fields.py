"""References to fields that subjects do not have."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.conftest.lint import lint as lint_conftest
from solon.frameworks.fields import nearest
from solon.frameworks.gatekeeper.lint import lint as lint_template
from solon.lang import rego
from solon.subjects import discover

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "labels": {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "names": {"type": "array", "items": {"type": "string"}},
    },
}


def in_template(
    body: str, tmp_path: Any, validation: Any = None, lib: str = "", version: str = "v1"
) -> list[str]:
    import yaml

    target: dict[str, Any] = {
        "target": "admission.k8s.gatekeeper.sh",
        "rego": f'package a\n\nviolation[{{"msg": "x"}}] {{\n  {body}\n}}\n',
    }
    if lib:
        target["libs"] = [f"package lib.a\n\n{lib}\n"]
    crd: dict[str, Any] = {"spec": {"names": {"kind": "A"}}}
    if validation is not None:
        crd["spec"]["validation"] = validation
    template = {
        "apiVersion": f"templates.gatekeeper.sh/{version}",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "a"},
        "spec": {"crd": crd, "targets": [target]},
    }
    path = tmp_path / "t.yaml"
    path.write_text(yaml.safe_dump(template))
    (subject,) = discover.read(discover.Input(str(path), True), stdin=lambda _size: b"")
    found = [r.diagnostic for r in lint_template(subject, path.read_text())]  # type: ignore[arg-type]
    return [f"{d.message} ({d.hint})" for d in found if d.code == "policy/unknown-field"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("input.review.object.metdata.name", "input.review.object has no field metdata (did you mean metadata?)"),
        ("input.review.objct.kind", "input.review has no field objct (did you mean object?)"),
        ("input.review.subresource", "input.review has no field subresource (did you mean subResource?)"),
        ("input.review.kind.knd", "input.review.kind has no field knd (did you mean kind?)"),
        ("input.review.userInfo.name", "input.review.userInfo has no field name (did you mean username?)"),
        ("input.review.object.metadata.label.a", "input.review.object.metadata has no field label (did you mean labels?)"),
        ("input.object.kind", "input has no field object (its fields are parameters, review)"),
        ("input.review.object.spec.contianers[_].image", "input.review.object.spec has no field contianers (did you mean containers?)"),
        ("c := input.review.object.spec.containers[_]\n  c.iamge", "c has no field iamge (did you mean image?)"),
        ("c := input.review.oldObject.spec.initContainers[_]\n  c.securityContext.priviliged", "c.securityContext has no field priviliged (did you mean privileged?)"),
        ("input.review.object.spec.template.spec.hostnetwork", "input.review.object.spec.template.spec has no field hostnetwork (did you mean hostNetwork?)"),
        ("input.parameters.label", "input.parameters has no field label (did you mean labels?)"),
        ("input.parameters.labels[_].kye", "input.parameters.labels[_] has no field kye (did you mean key?)"),
        ("input.parameters.other", "input.parameters has no field other (its fields are free, labels, map, names)"),
    ],
)  # fmt: skip
def test_templates(body: str, said: str, tmp_path: Any) -> None:
    assert in_template(body, tmp_path, {"openAPIV3Schema": SCHEMA}) == [said]


@pytest.mark.parametrize(
    "body",
    [
        "input.review.object.metadata.labels.anything",
        "input.review.object.spec.something.of.a.custom.resource",
        "input.review.object.spec.container.image",  # some custom resource has one
        "input.review.object.volumes",
        "input.review.namespaceObject.metadata.name",
        "input.review._unstable.namespace",
        "input.review.object.spec[input.parameters.names[_]]",
        "input.parameters.free.anything",
        "input.parameters.map.anything",
        'object.get(input.review, "objct", "")',
        "c := input.review.object.spec.containers[_]\n  c.resources.limits.cpu",
        "input.review.options.dryRun",
    ],
)
def test_templates_that_are_right(body: str, tmp_path: Any) -> None:
    assert in_template(body, tmp_path, {"openAPIV3Schema": SCHEMA}) == []


@pytest.mark.parametrize(
    ("validation", "version", "said"),
    [
        (None, "v1", ["input.parameters has no field x (the schema has no fields)"]),
        (None, "v1beta1", []),
        ({"legacySchema": True, "openAPIV3Schema": {"properties": {"y": {}}}}, "v1", []),
        ({"openAPIV3Schema": {"type": "object"}}, "v1", []),
        ({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}, "v1", []),
    ],
)
def test_parameters_without_a_schema(validation: Any, version: str, said: list[str], tmp_path: Any) -> None:
    assert in_template("input.parameters.x", tmp_path, validation, version=version) == said


def test_libraries_may_be_made_for_other_inputs(tmp_path: Any) -> None:
    assert in_template("data.lib.a.f", tmp_path, lib="f { input.metadata.name }") == []
    assert in_template("data.lib.a.f", tmp_path, lib="f { input.review.objct }") == [
        "input.review has no field objct (did you mean object?)"
    ]


def of_rego(body: str, subject: str = "") -> list[str]:
    note = f"# METADATA\n# custom:\n#   subject: {subject}\n" if subject else ""
    program = rego.compile({"a.rego": f"package a\n\n{note}deny contains 1 if {{\n\t{body}\n}}\n"})
    found = [r.diagnostic for r in lint_conftest(program)]
    return [f"{d.message} ({d.hint})" for d in found if d.code == "policy/unknown-field"]


@pytest.mark.parametrize(
    ("body", "subject", "said"),
    [
        ("input.resource_changes[_].chnage", "", "input.resource_changes[_] has no field chnage (did you mean change?)"),
        ("some r in input.resource_changes\n\tr.change.aftr.x", "", "r.change has no field aftr (did you mean after?)"),
        ("input.resource_changes.change", "", "input.resource_changes has no field change (it is an array: write [_], or `some … in` it)"),
        ("input.resource_change[_].type == 1", "terraform.plan", None),
        ("input.resouce_changes[_]", "", "input has no field resouce_changes (did you mean resource_changes?)"),
        ("input.after.tags", "terraform.resource", "input has no field after (its fields are action_reason, address, change, deposed, index, mode, module_address, name, previous_address, provider_name, type)"),
        ("input.change.after.anything", "terraform.resource", None),
        ("input.after.tags", "", None),
        ("input.metadata.lables.x", "kubernetes.object", "input.metadata has no field lables (did you mean labels?)"),
        ("input.metadata.team", "kubernetes.object", "input.metadata has no field team (its fields are annotations, clusterName, creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, finalizers, generateName, generation, initializers, labels, managedFields, name, namespace, ownerReferences, resourceVersion, selfLink, uid)"),
        ("input.metadata.team", "", None),
        ("input.Metadata.Team", "", None),
        ("input.version", "", None),
    ],
)  # fmt: skip
def test_rego(body: str, subject: str, said: str | None) -> None:
    assert of_rego(body, subject) == ([said] if said else [])


FUNCTIONS = """package a

deny contains 1 if {
	some c in input.spec.containers
	bad(c)
}

deny contains info({"msg": "x"}) if input.x

bad(c) if privileged(c.securityContext)

bad(c) if c.iamge == "x"

privileged(s) if s.priviliged

both(c) if c.iamge == "x"

info(result) := result.other
"""


def test_what_functions_are_given_is_known() -> None:
    both = "\ndeny contains 2 if both(input.spec.containers[_])\n\ndeny contains 3 if both(input.anything)\n"
    test = 'package a_test\n\ntest_a if data.a.bad({"iamge": "x"})\n'
    program = rego.compile({"a.rego": FUNCTIONS + both, "a_test.rego": test})
    found = [r.diagnostic for r in lint_conftest(program)]
    assert sorted((d.message, d.span.row) for d in found if d.code == "policy/unknown-field") == [
        ("c has no field iamge", 12),
        ("s has no field priviliged", 14),
    ]


def test_tests_may_refer_to_anything() -> None:
    program = rego.compile({"a_test.rego": "package a_test\n\ntest_a if input.resource_changes[_].chnage\n"})
    assert [r for r in lint_conftest(program) if r.diagnostic.code == "policy/unknown-field"] == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("contianers", "containers"),
        ("containers1", None),
        ("containerss", None),
        ("ccontainers", "containers"),
        ("contaners", "containers"),
        ("contaimers", "containers"),
        ("hostpid", "hostPID"),
        ("container", None),
        ("cantaimers", None),
        ("ost", None),
        ("Host", None),
        ("", None),
    ],
)
def test_nearest(name: str, near: str | None) -> None:
    assert nearest(name, ["containers", "hostPID", "host"]) == near
