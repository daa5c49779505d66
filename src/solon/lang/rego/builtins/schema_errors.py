"""What OPA says of a document that does not fit its JSON Schema: policies put these sentences into their messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from solon.lang.rego.builtins.regex import compiled
from solon.lang.values import json_text, key, number_text

# Keyword -> the type of its error, and the sentence; {} is what the schema asks for.
_SENTENCES: Final = {
    "anyOf": ("number_any_of", "Must validate at least one schema (anyOf)"),
    "oneOf": ("number_one_of", "Must validate one and only one schema (oneOf)"),
    "not": ("number_not", "Must not validate the schema (not)"),
    "additionalItems": ("array_no_additional_items", "No additional items allowed on array"),
    "minItems": ("array_min_items", "Array must have at least {} items"),
    "maxItems": ("array_max_items", "Array must have at most {} items"),
    "contains": ("contains", "At least one of the items must match"),
    "minProperties": ("array_min_properties", "Must have at least {} properties"),
    "maxProperties": ("array_max_properties", "Must have at most {} properties"),
    "minLength": ("string_gte", "String length must be greater than or equal to {}"),
    "maxLength": ("string_lte", "String length must be less than or equal to {}"),
    "pattern": ("pattern", "Does not match pattern '{}'"),
    "format": ("format", "Does not match format '{}'"),
    "multipleOf": ("multiple_of", "Must be a multiple of {}"),
    "minimum": ("number_gte", "Must be greater than or equal to {}"),
    "exclusiveMinimum": ("number_gt", "Must be greater than {}"),
    "maximum": ("number_lte", "Must be less than or equal to {}"),
    "exclusiveMaximum": ("number_lt", "Must be less than {}"),
}


def is_additional(name: str, schema: dict[str, Any]) -> bool:
    """Whether a schema says nothing of a property by name or pattern."""
    return name not in schema.get("properties", {}) and not any(
        compiled(pattern).search(name) for pattern in schema.get("patternProperties", {})
    )


def described(errors: Iterable[Any]) -> list[dict[str, str]]:
    """The errors of a jsonschema validator, as ``json.match_schema`` returns them."""
    found: dict[tuple[str, str], dict[str, str]] = {}  # jsonschema has an error for each missing property
    for error in errors:
        field = ".".join(map(str, error.absolute_path)) or "(Root)"
        for kind, sentence in _said(error, field):
            entry = {"error": f"{field}: {sentence}", "type": kind, "field": field, "desc": sentence}
            found.setdefault((kind, entry["error"]), entry)
        if error.validator in ("anyOf", "oneOf"):
            for entry in described(_closest(error.context)):
                found.setdefault((entry["type"], entry["error"]), entry)
    return list(found.values())


def _said(error: Any, field: str) -> Iterator[tuple[str, str]]:
    wanted, given = error.validator_value, error.instance
    match error.validator:
        case "required":
            for name in wanted:
                if name not in given:
                    yield "required", f"{name} is required"
        case "type":
            expected = wanted if isinstance(wanted, str) else f"[{','.join(wanted)}]"
            yield "invalid_type", f"Invalid type. Expected: {expected}, given: {_type(given)}"
        case "enum":
            allowed = ", ".join(map(json_text, wanted))
            yield "enum", f"{field} must be one of the following: {allowed}"
        case "const":
            yield "const", f"{field} does not match: {json_text(wanted)}"
        case "additionalProperties":
            for name in sorted(given):
                if is_additional(name, error.schema):
                    yield "additional_property_not_allowed", f"Additional property {name} is not allowed"
        case "uniqueItems":
            last: dict[Any, int] = {}
            for second, item in enumerate(given):
                first = last.get(key(item))
                last[key(item)] = second
                if first is not None:
                    yield "unique", f"array items[{first},{second}] must be unique"
        case "dependencies":
            for name, needs in wanted.items():
                for need in needs if name in given and isinstance(needs, list) else []:
                    if need not in given:
                        yield "missing_dependency", f"Has a dependency on {need}"
        case None:
            yield "false", "False always fails validation"
        case keyword:
            kind, sentence = _SENTENCES.get(keyword, (keyword, error.message))
            shown = number_text(wanted) if isinstance(wanted, int | float) else wanted
            yield kind, sentence.replace("{}", str(shown)) if keyword in _SENTENCES else sentence


def _type(value: Any) -> str:
    names = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "boolean",
        type(None): "null",
        int: "integer",
    }
    return "integer" if type(value) is float and value.is_integer() else names.get(type(value), "number")


def _closest(errors: Iterable[Any]) -> list[Any]:
    """The errors of the alternative that was nearest to fit: one of the right type, with the fewest errors."""
    branches: dict[Any, list[Any]] = {}
    for error in errors:
        branches.setdefault(error.schema_path[0], []).append(error)
    return min(
        branches.values(),
        key=lambda found: (any(e.validator == "type" and not e.path for e in found), len(found)),
        default=[],
    )
