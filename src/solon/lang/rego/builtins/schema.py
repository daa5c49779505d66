"""json.match_schema and json.verify_schema: JSON Schema up to draft 7. Remote references are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.rego.builtins import time
from solon.lang.rego.builtins.json import parsing
from solon.lang.rego.builtins.regex import compiled, is_valid
from solon.lang.rego.builtins.registry import Builtin, remembered, string, wrong_type
from solon.lang.rego.builtins.schema_errors import described, is_additional
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value, json_text, key, to_json

_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")


def _document(value: Value, position: int) -> Any:
    if type(value) is str:
        try:
            parsing(string(value, position))
            return json.loads(value)
        except RecursionError:
            raise BuiltinError("jsonschema: nested too deeply") from None
        except ValueError:
            raise BuiltinError("jsonschema: invalid JSON string") from None
    if type(value) is not dict and position == 2:
        raise wrong_type(value, position, "one of {string, object}")
    return to_json(value)


@remembered(64)
def _problem(text: str) -> str:
    """What is wrong with a schema, or nothing; kept, as checking a schema takes longer than using it."""
    from jsonschema import Draft7Validator, FormatChecker
    from jsonschema.exceptions import best_match

    schema = json.loads(text)
    if not isinstance(schema, dict):
        return "jsonschema: schema is invalid"
    wrong = _unknown_type(schema)
    if wrong is not None:
        valid = " ".join(_TYPES)
        return (
            f"jsonschema: has a primitive type that is NOT VALID -- given: /{wrong}/ "
            f"Expected valid values are:[{valid}]"
        )
    checker = FormatChecker(())
    checker.checks("regex")(lambda pattern: type(pattern) is not str or is_valid(pattern))
    rules = _charging(Draft7Validator)(Draft7Validator.META_SCHEMA, format_checker=checker)
    error = best_match(rules.iter_errors(schema))
    if error is None:
        return ""
    is_regex = error.validator == "format"
    return f"jsonschema: {'pattern must be a valid regex' if is_regex else error.message}"


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
        problem = _problem(json_text(_document(schema, 1)))
    except BuiltinError as error:
        problem = str(error)
    return [not problem, problem or None]


@remembered(64)
def _validator(text: str) -> Any:
    """The validator of a schema, kept as well. Raises BuiltinError."""
    from jsonschema import Draft7Validator, FormatChecker
    from referencing import Registry

    problem = _problem(text)
    if problem:
        raise BuiltinError(problem)
    rules = json.loads(text)
    checker = FormatChecker(["date", "email", "ipv4", "ipv6", "regex"])
    checker.checks("date-time")(_is_time)
    # An empty registry: a reference that the schema does not contain cannot be fetched.
    return _charging(Draft7Validator)(rules, registry=Registry(), format_checker=checker)


def _charging(validator: Any) -> Any:
    """A validator whose every keyword charges the evaluation: references may say little and mean a lot."""
    from jsonschema import validators

    extend: Any = validators.extend
    own = {
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique_items,
    }
    return extend(
        validator, {name: _charged(keyword) for name, keyword in {**validator.VALIDATORS, **own}.items()}
    )


_KEYWORD_STEPS: Final = 20


def _charged(keyword: Any) -> Any:
    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        spend(_KEYWORD_STEPS + (len(instance) if isinstance(instance, dict | list) else 0))
        return keyword(validator, wanted, instance, schema) or ()

    return check


def _unique_items(_validator: Any, unique: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if unique is True and isinstance(instance, list) and len(set(map(key, instance))) < len(instance):
        yield ValidationError("has non-unique elements")


# jsonschema matches with Python's expressions, which can take forever; RE2's cannot.


def _found(pattern: str, text: str) -> bool:
    return compiled(pattern).search(text) is not None


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, rules in patterns.items():
        for name, value in instance.items():
            if _found(pattern, name):
                yield from validator.descend(value, rules, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rules: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if not isinstance(instance, dict):
        return
    extras = [name for name in instance if is_additional(name, schema)]
    if isinstance(rules, dict):
        for name in extras:
            yield from validator.descend(instance[name], rules, path=name)
    elif not rules and extras:
        yield ValidationError(f"{extras[0]!r} is not expected")


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        time.parse_rfc3339_ns(value)
    except BuiltinError:
        return False
    return True


def match_schema(document: Value, schema: Value) -> list[Value]:
    from referencing.exceptions import Unresolvable

    if type(document) is not str and type(document) is not dict:
        raise wrong_type(document, 1, "one of {string, object}")
    validator = _validator(json_text(_document(schema, 2)))
    try:
        instance = _document(document, 1)
    except BuiltinError:
        raise BuiltinError("invalid JSON string") from None
    try:
        errors = list(validator.iter_errors(instance))
    except RecursionError:
        raise BuiltinError("jsonschema: nested too deeply") from None
    except Unresolvable as error:
        raise BuiltinError(
            f"jsonschema: cannot resolve {error.ref}: remote references are not followed"
        ) from None
    return [not errors, described(errors)]


BUILTINS = (
    Builtin("json.verify_schema", "(string|object[any: any]) -> array<boolean, null|string>", verify_schema),
    Builtin(
        "json.match_schema",
        "(string|object[any: any], string|object[any: any]) -> array<boolean, array[object<desc: string, error: string, field: string, type: string>]>",
        match_schema,
    ),
)
