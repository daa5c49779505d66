"""JSON Schemas in annotations: what `opa check` refuses, with its lines and messages."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError
from solon.lang.rego.schemas import type_of
from solon.lang.rego.types import shown

POD = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "ports": {"type": "array", "items": {"type": "number"}}},
}


def problems(source: str, schemas: dict[tuple[str, ...], Any] | None = None) -> list[tuple[int, str]]:
    try:
        rego.compile({"a.rego": source}, schemas=schemas)
    except RegoError as error:
        return [(e.span.row, e.message) for e in error.errors if e.code == "rego_type_error"]
    return []


def test_a_schema_of_the_package_holds_for_its_rules_and_one_of_a_rule_for_that_rule() -> None:
    source = """# METADATA
# schemas:
#  - input: {type: object, properties: {a: {type: string}, b: {type: array, items: {type: number}}}}
package t
p if input.c
q if input.a == 1
r if input.b[0] == "x"
s if input.b[0] == 1
# METADATA
# schemas:
#  - input.d: {type: string}
u if input.d == 1
v if input.d
"""
    assert problems(source) == [
        (5, "undefined ref: input.c"),
        (6, "match error"),
        (7, "match error"),
        (12, "match error"),
        (13, "undefined ref: input.d"),
    ]


NAMED = """package t
# METADATA
# schemas:
#  - input: schema["k8s"]["pod"]
p if input.nam
"""


def test_a_schema_is_found_by_its_name() -> None:
    assert problems(NAMED, {("k8s", "pod"): POD}) == [(5, "undefined ref: input.nam")]
    assert problems(NAMED, {("k8s", "other"): POD}) == [(5, 'undefined schema: schema["k8s"]["pod"]')]
    assert problems(NAMED) == []


def test_one_schema_alone_is_that_of_the_input() -> None:
    assert problems("package t\np if input.nam", {(): POD}) == [(2, "undefined ref: input.nam")]


def test_data_has_schemas_too() -> None:
    source = """package t
# METADATA
# schemas:
#  - data.acl: {type: object, properties: {alice: {type: array, items: {type: string}}}}
p if data.acl.alice[_] == 1
q if data.acl.bob
"""
    assert problems(source) == [(5, "match error")]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, "any"),
        ({}, "any"),
        ({"type": "integer"}, "number"),
        ({"type": "object"}, "object[any: any]"),
        ({"type": "array"}, "array[any]"),
        ({"type": "array", "items": [{"type": "string"}, {"type": "number"}]}, "array<string, number>"),
        ({"properties": {"b": {}, "a": {"type": "boolean"}}}, "object<a: boolean, b: any>"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "any<number, string>"),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "number"}}}]},
            "object<a: string, b: number>",
        ),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}}, "string"),
        ({"$ref": "https://example.org/x.json"}, "any"),
        (
            {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"next": {"$ref": "#/$defs/x"}}}}},
            "object<next: any>",
        ),
    ],
)
def test_a_schema_is_a_type(schema: Any, expected: str) -> None:
    assert shown(type_of(schema)) == expected
