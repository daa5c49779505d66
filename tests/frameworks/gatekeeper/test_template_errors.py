"""ConstraintTemplates that cannot be used, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.template import Template, compile_template, is_template
from solon.subjects.subject import Location

TARGET = "admission.k8s.gatekeeper.sh"
V0 = 'package thing\nviolation[{"msg": "m"}] { input.review }'
V1 = 'package thing\nviolation contains {"msg": "m"} if input.review'
CEL = {"engine": "K8sNativeValidation", "source": {"validations": [{"expression": "false"}]}}


def template(
    rego: Any = V0, *, name: Any = "thing", kind: Any = "Thing", version: str = "v1", **fields: Any
) -> dict[str, Any]:
    """A template with the Rego given; ``targets``, ``validation`` and fields of the target may be given besides."""
    validation = fields.pop("validation", None)
    target = {"target": TARGET, "rego": rego, **fields}
    crd: dict[str, Any] = {"names": {"kind": kind}}
    if validation is not None:
        crd["validation"] = validation
    return {
        "apiVersion": f"templates.gatekeeper.sh/{version}",
        "kind": "ConstraintTemplate",
        "metadata": {"name": name},
        "spec": {"crd": {"spec": crd}, "targets": fields.pop("targets", [target])},
    }


def code(*entries: Any, **fields: Any) -> dict[str, Any]:
    return template(None, code=list(entries), **fields)


def rego(text: str, version: str | None = None, **source: Any) -> dict[str, Any]:
    said = {} if version is None else {"version": version}
    return {"engine": "Rego", "source": {"rego": text, **said, **source}}


def compiled(document: dict[str, Any]) -> Template:
    return compile_template(document, Location("template.yaml", 1))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (template(kind=None), "spec.crd.spec.names.kind is missing"),
        (template(kind=3), "spec.crd.spec.names.kind is missing"),
        ({"apiVersion": "templates.gatekeeper.sh/v1", "spec": []}, "spec.crd.spec.names.kind is missing"),
        ({"apiVersion": "templates.gatekeeper.sh/v1"}, "spec.crd.spec.names.kind is missing"),
        (
            template(version="v2"),
            "apiVersion templates.gatekeeper.sh/v2 is unknown: versions are v1, v1beta1, v1alpha1",
        ),
        (template(name="things"), "metadata.name 'things' must be the kind in lower case: 'thing'"),
        (template(name="Thing"), "metadata.name 'Thing' must be the kind in lower case: 'thing'"),
        (template(name=None), "metadata.name None must be the kind in lower case: 'thing'"),
        (
            template(target="validation.example.com"),
            "unknown target 'validation.example.com': must be admission.k8s.gatekeeper.sh",
        ),
        (template(target=None), "unknown target None: must be admission.k8s.gatekeeper.sh"),
        (template(""), "the target has no Rego"),
        (template("  \n"), "the target has no Rego"),
        (template(None), "the target has no Rego"),
        (template(3), "the target has no Rego"),
        (template(libs="package lib.x"), "libs must be a list of Rego texts"),
        (template(libs=[3]), "libs must be a list of Rego texts"),
        (
            code(CEL),
            "the template is written in CEL alone (K8sNativeValidation), which is not supported",
        ),
        (code({"engine": "Lua", "source": {}}), "unknown engine 'Lua': must be Rego"),
        (code({"engine": "Rego"}), "unknown engine 'Rego': must be Rego"),
        (code({"engine": "Rego", "source": {"version": "v1"}}), "the target has no Rego"),
        # Rego that is not Rego, or not of the version it says:
        (template("package thing\nviolation[ {"), "Thing.rego:2:"),
        (template(V1), "rego_parse_error"),
        (code(rego(V0, "v1")), "rego_parse_error"),
        (code(rego(V1)), "rego_parse_error"),
        (code(rego(V1, "v0")), "rego_parse_error"),
        (code(rego(V1, "v2")), "rego_parse_error"),
        (template('package thing\nviolation[{"msg": x}] { true }'), "Thing.rego:2:"),
        (template('package thing\nviolation[{"msg": x}] { true }'), "rego_unsafe_var_error: var x is unsafe"),
        (template('package thing\nviolation[{"msg": "m"}] { nothing(1) }'), "undefined function nothing"),
        (template(V0, libs=["package lib.x\na { b }"]), "Thing.lib0.rego:2:"),
        # What Gatekeeper asks besides:
        (template("package thing\nother { true }"), "the Rego has no rule named violation"),
        (template("package thing\ndeny[x] { x := 1 }"), "the Rego has no rule named violation"),
        (
            template("package thing\nviolation(x) { x }"),
            "violation must be a set of objects with a msg, not a function",
        ),
        (
            template(f"{V0}\nother {{ data.secrets.x }}"),
            "Thing.rego:3: data.secrets.x is not allowed: only data.lib and data.inventory are",
        ),
        (
            template(f"{V0}\nother = data.thing.third\nthird = 3"),
            "Thing.rego:3: data.thing.third is not allowed: only data.lib and data.inventory are",
        ),
        (
            template(f"{V0}\nother {{ data.thing.f(1) }}\nf(x) {{ x }}"),
            "Thing.rego:3: data.thing.f is not allowed: only data.lib and data.inventory are",
        ),
        (
            template(f"{V0}\nother[x] {{ x := {{y | y := data[_].z}} }}"),
            "Thing.rego:3: data is not allowed: only data.lib and data.inventory are",
        ),
        (
            template(libs=["package lib.a\nx {\n  1 == 2\n} else {\n  data.secrets\n}"]),
            "Thing.lib0.rego:5: data.secrets is not allowed: only data.lib and data.inventory are",
        ),
        (
            template("package thing\nimport rego.v1\n" + V1.partition("\n")[2]),
            "Thing.rego: import rego.v1 is not allowed: only data.lib and future.keywords are",
        ),
        (
            template("package thing\nimport input.review as r\n" + V0.partition("\n")[2]),
            "Thing.rego: import input.review is not allowed: only data.lib and future.keywords are",
        ),
        (
            template("package thing\nimport data.inventory\n" + V0.partition("\n")[2]),
            "Thing.rego: import data.inventory is not allowed: only data.lib and future.keywords are",
        ),
        (
            template(libs=["package other\nx = 1"]),
            "Thing.lib0.rego: package other of a lib must be below lib, such as lib.other",
        ),
        (
            template(libs=["package lib.a\nx = 1", "package lib\nx = 1"]),
            "Thing.lib1.rego: package lib of a lib must be below lib, such as lib.lib",
        ),
        (
            template(libs=["package thing\ny = 1"]),
            "Thing.lib0.rego: package thing of a lib must be below lib, such as lib.thing",
        ),
        # The schema of the parameters:
        (
            template(validation={"openAPIV3Schema": {"properties": {}}}),
            "spec.crd.spec.validation.openAPIV3Schema.type is missing",
        ),
        (
            template(validation={"legacySchema": False, "openAPIV3Schema": {}}, version="v1beta1"),
            "spec.crd.spec.validation.openAPIV3Schema.type is missing",
        ),
        (
            template(
                validation={"openAPIV3Schema": {"type": "object", "properties": {"a": {"type": "int"}}}}
            ),
            "spec.crd.spec.validation.openAPIV3Schema.properties.a.type 'int' is unknown",
        ),
    ],
)
def test_unusable(document: Any, message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        compiled(document)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "targets", [None, [], {}, "x", [{"target": TARGET, "rego": V0}] * 2, [TARGET], [None]]
)
def test_targets(targets: Any) -> None:
    document = template()
    document["spec"]["targets"] = targets
    with pytest.raises(GatekeeperError, match=f"spec.targets must have exactly one target, {TARGET}"):
        compiled(document)


@pytest.mark.parametrize(
    "document",
    [
        template(),
        template("package k8s.where.deep\n" + V0.partition("\n")[2]),
        template('package thing\nimport future.keywords\nviolation contains {"msg": "m"} if input.review'),
        template('package thing\nimport data.lib.x\nviolation[{"msg": x.m}] { true }', libs=['package lib.x\nm = "m"']),
        template('package thing\nviolation = {{"msg": "m"}} { true }'),
        template('package thing\nviolation[{"msg": "m"}] { not data.inventory.cluster }'),
        code(rego(V0)),
        code(rego(V0, "v0")),
        code(rego(V1, "v1")),
        code(rego('package thing\nimport data.lib.x\nviolation contains {"msg": x.m} if true', "v1", libs=['package lib.x\nm := "m" if true'])),
        # With both engines there is Rego to run; `rego` goes before `code`.
        code(CEL, rego(V1, "v1")),
        template(V0, code=[CEL]),
        template(V0, code=[rego("package thing", "v1")]),
    ],
)  # fmt: skip
def test_usable(document: Any) -> None:
    found = compiled(document)
    assert found.violations.evaluate({"review": {"kind": {}}}, data={"inventory": {}}) == [{"msg": "m"}]


@pytest.mark.parametrize(
    ("validation", "version", "keeps"),
    [
        (None, "v1", False),
        (None, "v1beta1", True),
        (None, "v1alpha1", True),
        ({}, "v1", False),
        ({"openAPIV3Schema": {"type": "object"}}, "v1beta1", True),
        ({"legacySchema": True}, "v1", True),
        ({"legacySchema": False}, "v1beta1", False),
    ],
)
def test_unknown_parameters_are_kept(validation: Any, version: str, keeps: bool) -> None:
    assert compiled(template(validation=validation, version=version)).keeps_unknown is keeps


@pytest.mark.parametrize(
    ("body", "uses"), [("data.inventory.cluster", True), ("input.review", False), ("data.lib.x.y", False)]
)
def test_whether_the_inventory_is_used(body: str, uses: bool) -> None:
    text = f'package thing\nviolation[{{"msg": "m"}}] {{ {body} }}'
    assert compiled(template(text, libs=["package lib.x\ny = 1"])).uses_inventory is uses


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (template(), True),
        (template(version="v1beta1"), True),
        ({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "Other"}, False),
        ({"apiVersion": "example.com/v1", "kind": "ConstraintTemplate"}, False),
        ({"kind": "ConstraintTemplate"}, False),
        ([], False),
        (None, False),
    ],
)
def test_which_documents_are_templates(document: Any, expected: bool) -> None:
    assert is_template(document) is expected
