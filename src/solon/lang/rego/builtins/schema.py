"""json.match_schema and json.verify_schema: JSON Schema up to draft 7. Remote references are refused."""

from __future__ import annotations

import json
from typing import Any

from solon.lang.rego.builtins.registry import Builtin, wrong_type
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value, to_json

_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")


def _document(value: Value, position: int) -> Any:
    if type(value) is str:
        try:
            return json.loads(value)
        except ValueError as error:
            raise BuiltinError(f"jsonschema: {error}") from None
    if type(value) is not dict and position == 2:
        raise wrong_type(value, position, "one of {string, object}")
    return to_json(value)


def _problem(schema: Any) -> str:
    """What is wrong with a schema, or nothing."""
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    if not isinstance(schema, dict):
        return "jsonschema: schema is invalid"
    wrong = _unknown_type(schema)
    if wrong is not None:
        valid = " ".join(_TYPES)
        return (
            f"jsonschema: has a primitive type that is NOT VALID -- given: /{wrong}/ "
            f"Expected valid values are:[{valid}]"
        )
    error = best_match(Draft7Validator(Draft7Validator.META_SCHEMA).iter_errors(schema))
    return f"jsonschema: {error.message}" if error is not None else ""


def _unknown_type(schema: Any) -> str | None:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if isinstance(kind, str) and kind not in _TYPES:
            return kind
    return None


def verify_schema(schema: Value) -> list[Value]:
    if type(schema) is not str and type(schema) is not dict:
        raise wrong_type(schema, 1, "one of {string, object}")
    try:
        problem = _problem(_document(schema, 1))
    except BuiltinError as error:
        problem = str(error)
    return [not problem, problem or None]


def match_schema(document: Value, schema: Value) -> list[Value]:
    from jsonschema import Draft7Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if type(document) is not str and type(document) is not dict:
        raise wrong_type(document, 1, "one of {string, object}")
    rules = _document(schema, 2)
    problem = _problem(rules)
    if problem:
        raise BuiltinError(problem)
    instance = _document(document, 1)
    try:
        # An empty registry: a reference that the schema does not contain cannot be fetched.
        errors = list(Draft7Validator(rules, registry=Registry()).iter_errors(instance))
    except Unresolvable as error:
        raise BuiltinError(
            f"jsonschema: cannot resolve {error.ref}: remote references are not followed"
        ) from None
    found = [
        {
            "error": f"{_place(error)}: {_sentence(error)}",
            "type": _kind(error),
            "field": _place(error),
            "desc": _sentence(error),
        }
        for error in errors
    ]
    return [not found, found]


def _place(error: Any) -> str:
    return ".".join(map(str, error.absolute_path)) or "(root)"


def _kind(error: Any) -> str:
    return {"type": "invalid_type"}.get(error.validator, str(error.validator))


def _sentence(error: Any) -> str:
    if error.validator == "required":
        missing = next(iter(set(error.validator_value) - set(error.instance)), "")
        return f"{missing} is required"
    if error.validator == "type":
        given = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
        kind = given.get(type(error.instance), "integer" if isinstance(error.instance, int) else "number")
        wanted = (
            error.validator_value
            if isinstance(error.validator_value, str)
            else "/".join(error.validator_value)
        )
        return f"Invalid type. Expected: {wanted}, given: {kind}"
    return str(error.message)


BUILTINS = (
    Builtin("json.verify_schema", "(string|object[any: any]) -> array[any]", verify_schema),
    Builtin(
        "json.match_schema", "(string|object[any: any], string|object[any: any]) -> array[any]", match_schema
    ),
)
