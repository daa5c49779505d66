"""Constraint parameters against the template's OpenAPI v3 schema, as the API server checks a custom resource."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.lang.rego import BuiltinError
from solon.lang.rego.builtins.regex import compiled
from solon.lang.values import json_text

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

ROOT: Final = "spec.parameters"
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")


def prepare(schema: Any, parameters: Any, *, keeps_unknown: bool = False) -> Any:
    """The parameters with defaults filled in.

    Raises SchemaError naming the field that does not fit, GatekeeperError naming one that the schema has not.
    """
    if not isinstance(schema, dict):
        schema = {}
    filled = with_defaults(schema, parameters)
    check(schema, filled)
    if not keeps_unknown:
        unknown = unknown_field(schema, parameters, ROOT)
        if unknown:
            raise GatekeeperError(f"{unknown}: unknown field, the template's schema has no such parameter")
    return filled


def check_structural(schema: Any, place: str) -> None:
    """Every field must say its type, as the API server asks of custom resources. Raises GatekeeperError."""
    if not isinstance(schema, dict):
        raise GatekeeperError(f"{place} must be a schema")
    free = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
    if "type" not in schema and not any(schema.get(name) is True for name in free):
        raise GatekeeperError(f"{place}.type is missing")
    if "type" in schema and schema["type"] not in _TYPES:
        raise GatekeeperError(
            f"{place}.type {schema['type']!r} is unknown: must be one of {', '.join(_TYPES)}"
        )
    properties = schema.get("properties")
    if isinstance(properties, dict):
        for name, field in properties.items():
            check_structural(field, f"{place}.properties.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            check_structural(schema[name], f"{place}.{name}")


def unknown_field(schema: dict[str, Any], value: Any, place: str) -> str:
    """The first field that the schema does not have (Gatekeeper refuses it); nothing where there is none."""
    if isinstance(value, list):
        items = schema.get("items")
        inner = items if isinstance(items, dict) else {}
        found = (unknown_field(inner, item, f"{place}[{index}]") for index, item in enumerate(value))
        return next(filter(None, found), "")
    if not isinstance(value, dict):
        return ""
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") is True
    properties, extra = schema.get("properties"), schema.get("additionalProperties")
    for name, field in value.items():
        known = properties.get(name) if isinstance(properties, dict) else None
        if isinstance(known, dict):
            unknown = unknown_field(known, field, f"{place}.{name}")
        elif isinstance(extra, dict):
            unknown = unknown_field(extra, field, f"{place}.{name}")
        else:
            unknown = "" if keeps or extra is True else f"{place}.{name}"
        if unknown:
            return unknown
    return ""


def with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """A copy of the value in which missing properties have the schema's defaults."""
    properties = schema.get("properties")
    if isinstance(value, dict) and isinstance(properties, dict):
        out = dict(value)
        for name, field in properties.items():
            if not isinstance(field, dict):
                continue
            if name not in out and "default" in field:
                out[name] = field["default"]
            if name in out:
                out[name] = with_defaults(field, out[name])
        return out
    extra = schema.get("additionalProperties")
    if isinstance(value, dict) and isinstance(extra, dict):
        return {name: with_defaults(extra, item) for name, item in value.items()}
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        return [with_defaults(items, item) for item in value]
    return value


def check(schema: dict[str, Any], value: Any) -> None:
    """Raises SchemaError for the first field that does not fit."""
    from jsonschema.exceptions import UnknownType

    try:
        errors = sorted(
            _validator()(json_schema(schema)).iter_errors(value),
            key=lambda error: list(map(str, error.absolute_path)),
        )
    except (BuiltinError, UnknownType, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise GatekeeperError(f"the template's parameter schema is not usable: {reason}") from None
    if errors:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in errors[0].absolute_path)
        raise SchemaError(f"{ROOT}{path}: {_said(errors[0])}")


@cache
def _validator() -> Any:
    """JSON Schema draft 4 as the API server has it: patterns are RE2, and 1.0 is an integer."""
    from jsonschema import Draft4Validator, Draft6Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and compiled(wanted).search(value) is None:
            yield ValidationError(f"must match {wanted!r}, not {json_text(value)[:80]}")

    return extend(  # type: ignore[no-untyped-call]
        Draft4Validator, {"pattern": pattern}, type_checker=Draft6Validator.TYPE_CHECKER
    )


def _said(error: ValidationError) -> str:
    """What is wrong, in the words of JSON rather than Python's."""
    shown = json_text(error.instance)[:80]
    match error.validator, error.validator_value:
        case "type", str() as wanted:
            return f"must be of type {wanted}, not {shown}"
        case "type", [*wanted]:
            return f"must be of type {' or '.join(wanted)}, not {shown}"
        case "enum", [*wanted]:
            return f"must be one of {', '.join(map(json_text, wanted))}, not {shown}"
        case _:
            return error.message


def json_schema(schema: Any) -> Any:
    """The JSON Schema (draft 4) that means what the OpenAPI v3 schema does."""
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for name, value in schema.items():
        if name.startswith("x-kubernetes-") or name in (
            "nullable",
            "default",
            "example",
            "description",
            "title",
        ):
            continue
        if name in ("properties", "patternProperties") and isinstance(value, dict):
            out[name] = {field: json_schema(inner) for field, inner in value.items()}
        elif name in ("allOf", "anyOf", "oneOf") and isinstance(value, list):
            out[name] = [json_schema(inner) for inner in value]
        elif name in ("items", "additionalProperties", "not"):
            out[name] = json_schema(value)
        else:
            out[name] = value
    if schema.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if schema.get("nullable") and "type" in out:
        kinds = out["type"] if isinstance(out["type"], list) else [out["type"]]
        out["type"] = [*kinds, "null"]
    return out
