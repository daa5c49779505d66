"""Parameters against a template's schema, and the schema itself."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.frameworks.gatekeeper.schema import check_structural, prepare


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


STRING = {"type": "string"}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("schema", "given", "filled"),
    [
        (an_object(a={"type": "string", "default": "x"}), {}, {"a": "x"}),
        (an_object(a={"type": "string", "default": "x"}), {"a": "y"}, {"a": "y"}),
        (an_object(a={"type": "boolean", "default": False}), {}, {"a": False}),
        (an_object(a={"type": "boolean", "default": True}), {"a": False}, {"a": False}),
        (an_object(a={"type": "string", "nullable": True, "default": "x"}), {"a": None}, {"a": None}),
        # Defaults in an object only where the object is there, or comes by default itself.
        (an_object(o=an_object(a={"type": "integer", "default": 1})), {}, {}),
        (an_object(o=an_object(a={"type": "integer", "default": 1})), {"o": {}}, {"o": {"a": 1}}),
        (an_object(o={**an_object(a={"type": "integer", "default": 1}), "default": {}}), {}, {"o": {"a": 1}}),
        (
            an_object(l={"type": "array", "items": an_object(a={"type": "integer", "default": 1})}),
            {"l": [{}, {"a": 2}]},
            {"l": [{"a": 1}, {"a": 2}]},
        ),
        (
            an_object(l={"type": "array", "items": {"type": "array", "items": an_object(a={"type": "integer", "default": 1})}}),
            {"l": [[{}], []]},
            {"l": [[{"a": 1}], []]},
        ),
        (
            {"type": "object", "additionalProperties": an_object(a={"type": "integer", "default": 1})},
            {"x": {}, "y": {"a": 2}},
            {"x": {"a": 1}, "y": {"a": 2}},
        ),
        (an_object(a={"type": "array", "items": STRING, "default": ["x"]}), {}, {"a": ["x"]}),
    ],
)  # fmt: skip
def test_defaults(schema: Any, given: Any, filled: Any) -> None:
    before = repr(given)
    assert prepare(schema, given) == filled
    assert repr(given) == before


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (an_object(a=STRING), {"a": "x"}),
        (an_object(a={"type": "integer"}), {"a": 1.0}),
        (an_object(a={"type": "number"}), {"a": 1}),
        (an_object(a={"x-kubernetes-int-or-string": True}), {"a": 1}),
        (an_object(a={"x-kubernetes-int-or-string": True}), {"a": "50%"}),
        (an_object(a={"type": "string", "nullable": True}), {"a": None}),
        (an_object(a={"type": "string", "pattern": "b"}), {"a": "abc"}),
        (an_object(a={"type": "string", "pattern": "^(?i)b$"}), {"a": "B"}),
        (an_object(a={"type": "integer", "maximum": 3, "exclusiveMaximum": False}), {"a": 3}),
        (an_object(a=OPEN), {"a": {"b": {"c": [1]}}}),
        (an_object(a={"type": "object", "additionalProperties": True}), {"a": {"b": 1}}),
        (an_object(a={"type": "object", "additionalProperties": STRING}), {"a": {"b": "c"}}),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": 1}),
        ({**OPEN, "properties": {"a": STRING}}, {"a": "x", "b": 1}),
        (an_object(a={"oneOf": [{"required": ["b"]}, {"required": ["c"]}], **an_object(b=STRING, c=STRING)}), {"a": {"b": "x"}}),
        (an_object(a=STRING), {}),
        (an_object(), {}),
    ],
)  # fmt: skip
def test_fits(schema: Any, value: Any) -> None:
    assert prepare(schema, value) == value


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (an_object(a=STRING), {"a": 1}, "spec.parameters.a: must be of type string, not 1"),
        (an_object(a=STRING), {"a": True}, "spec.parameters.a: must be of type string, not true"),
        (an_object(a=STRING), {"a": None}, "spec.parameters.a: must be of type string, not null"),
        (
            an_object(a=STRING),
            {"a": {"b": None}},
            'spec.parameters.a: must be of type string, not {"b":null}',
        ),
        (an_object(a={"type": "integer"}), {"a": 1.5}, "spec.parameters.a: must be of type integer, not 1.5"),
        (
            an_object(a={"type": "integer"}),
            {"a": True},
            "spec.parameters.a: must be of type integer, not true",
        ),
        (an_object(a={"type": "boolean"}), {"a": 1}, "spec.parameters.a: must be of type boolean, not 1"),
        (an_object(a=STRING), [], "spec.parameters: must be of type object, not []"),
        (
            an_object(a={"x-kubernetes-int-or-string": True}),
            {"a": 1.5},
            "spec.parameters.a: must be of type integer or string, not 1.5",
        ),
        (
            an_object(a={"type": "array", "items": an_object(b={"type": "array", "items": STRING})}),
            {"a": [{"b": ["x"]}, {"b": ["x", 3]}]},
            "spec.parameters.a[1].b[1]: must be of type string, not 3",
        ),
        (
            {"type": "object", "additionalProperties": STRING},
            {"a": "x", "b": 2},
            "spec.parameters.b: must be of type string, not 2",
        ),
        (
            an_object(a={"type": "string", "enum": ["low", "high"]}),
            {"a": "mid"},
            'spec.parameters.a: must be one of "low", "high", not "mid"',
        ),
        (
            {**an_object(a=STRING), "required": ["a"]},
            {},
            "spec.parameters: 'a' is a required property",
        ),
        (
            an_object(a={"type": "string", "pattern": "^b+$"}),
            {"a": "abb"},
            "spec.parameters.a: must match '^b+$', not \"abb\"",
        ),
        (
            an_object(a={"type": "integer", "maximum": 3}),
            {"a": 4},
            "spec.parameters.a: 4 is greater than the maximum of 3",
        ),
        (
            an_object(a={"type": "integer", "minimum": 3, "exclusiveMinimum": True}),
            {"a": 3},
            "spec.parameters.a: 3 is less than or equal to the minimum of 3",
        ),
        # The first in the order of the fields is told.
        (an_object(a=STRING, b=STRING), {"b": 1, "a": 2}, "spec.parameters.a: must be of type string, not 2"),
        # A default that does not fit.
        (
            an_object(a={"type": "string", "default": 3}),
            {},
            "spec.parameters.a: must be of type string, not 3",
        ),
    ],
)
def test_does_not_fit(schema: Any, value: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        prepare(schema, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("schema", "value", "place"),
    [
        (None, {"a": 1}, "spec.parameters.a"),
        ({}, {"a": 1}, "spec.parameters.a"),
        (an_object(), {"a": 1}, "spec.parameters.a"),
        (an_object(a=STRING), {"a": "x", "b": "y"}, "spec.parameters.b"),
        (an_object(a=an_object(b=STRING)), {"a": {"b": "x", "c": "y"}}, "spec.parameters.a.c"),
        (
            an_object(a={"type": "array", "items": an_object(b=STRING)}),
            {"a": [{"b": "x"}, {"c": "y"}]},
            "spec.parameters.a[1].c",
        ),
        (
            {"type": "object", "additionalProperties": an_object(b=STRING)},
            {"x": {"b": "x", "c": "y"}},
            "spec.parameters.x.c",
        ),
        # Fields are preserved where the schema says so, and not below fields it knows.
        ({**OPEN, "properties": {"a": an_object(b=STRING)}}, {"z": 1, "a": {"c": 1}}, "spec.parameters.a.c"),
    ],
)
def test_unknown_parameter(schema: Any, value: Any, place: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        prepare(schema, value)
    assert str(caught.value) == f"{place}: unknown field, the template's schema has no such parameter"
    # It is not what `invalid: true` in a suite means.
    assert not isinstance(caught.value, SchemaError)
    assert prepare(schema, value, keeps_unknown=True) == value


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "object", "properties": {"a": {"type": "strin"}}}, "Unknown type 'strin'"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}}, "missing )"),
        (
            {"type": "object", "properties": {"a": {"type": "string", "pattern": "a(?!b)"}}},
            "invalid perl operator",
        ),
    ],
)
def test_schema_that_cannot_be_used(schema: Any, message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        prepare(schema, {"a": "x"})
    assert str(caught.value).startswith("the template's parameter schema is not usable: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, "schema.type is missing"),
        ({"properties": {"a": STRING}}, "schema.type is missing"),
        (an_object(a={}), "schema.properties.a.type is missing"),
        (an_object(a=an_object(b={"enum": ["x"]})), "schema.properties.a.properties.b.type is missing"),
        (an_object(a={"type": "array", "items": {}}), "schema.properties.a.items.type is missing"),
        (
            {"type": "object", "additionalProperties": {"description": "x"}},
            "schema.additionalProperties.type is missing",
        ),
        (an_object(a="string"), "schema.properties.a must be a schema"),
        ([], "schema must be a schema"),
        (
            an_object(a={"type": "int"}),
            "schema.properties.a.type 'int' is unknown: must be one of array, boolean, integer, number, object, string",
        ),
    ],
)
def test_schema_that_is_not_structural(schema: Any, message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        check_structural(schema, "schema")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "schema",
    [
        an_object(a=STRING, b={"type": "array", "items": STRING}),
        an_object(a={"x-kubernetes-int-or-string": True}),
        an_object(a={"x-kubernetes-preserve-unknown-fields": True}),
        {"x-kubernetes-preserve-unknown-fields": True},
        {"type": "object", "additionalProperties": True},
    ],
)
def test_structural_schema(schema: Any) -> None:
    check_structural(schema, "schema")
