"""Constraint parameters against the template's OpenAPI v3 schema, as the API server checks a custom resource."""

from __future__ import annotations

from typing import Any

from solon.frameworks.gatekeeper.errors import SchemaError


def prepare(schema: Any, parameters: Any) -> Any:
    """The parameters with defaults filled in. Raises SchemaError naming the field."""
    if not isinstance(schema, dict):
        return parameters
    filled = with_defaults(schema, parameters)
    check(schema, filled)
    return filled


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


def check(schema: dict[str, Any], value: Any, root: str = "spec.parameters") -> None:
    """Raises SchemaError for the first field that does not fit."""
    from jsonschema import Draft4Validator
    from jsonschema.exceptions import SchemaError as BadSchema

    try:
        validator = Draft4Validator(json_schema(schema))
        errors = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path)))
    except (BadSchema, TypeError, ValueError) as error:
        raise SchemaError(f"the template's parameter schema is not usable: {error}") from None
    if errors:
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in errors[0].absolute_path)
        raise SchemaError(f"{root}{path}: {errors[0].message}")


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
