"""Types: is_*, type_name, and the deprecated cast_*."""

from __future__ import annotations

from collections.abc import Callable

from solon.lang.rego.builtins.registry import Builtin, wrong_type
from solon.lang.values import Set, Value, type_name


def _is(*kinds: type) -> Callable[[Value], bool]:
    return lambda value: type(value) in kinds


def _cast(wanted: str, *kinds: type) -> Callable[[Value], Value]:
    def cast(value: Value) -> Value:
        if type(value) not in kinds:
            raise wrong_type(value, 1, wanted)
        return value

    return cast


def cast_array(value: Value) -> list[Value]:
    if type(value) is Set:
        return list(value.values())
    if type(value) is list:
        return value
    raise wrong_type(value, 1, "one of {array, set}")


def cast_set(value: Value) -> Set:
    if type(value) is list:
        return Set.of(value)
    if type(value) is Set:
        return value
    raise wrong_type(value, 1, "one of {array, set}")


BUILTINS = (
    Builtin("is_array", "(any) -> boolean", _is(list)),
    Builtin("is_boolean", "(any) -> boolean", _is(bool)),
    Builtin("is_null", "(any) -> boolean", _is(type(None))),
    Builtin("is_number", "(any) -> boolean", _is(int, float)),
    Builtin("is_object", "(any) -> boolean", _is(dict)),
    Builtin("is_set", "(any) -> boolean", _is(Set)),
    Builtin("is_string", "(any) -> boolean", _is(str)),
    Builtin("type_name", "(any) -> string", type_name),
    Builtin("cast_array", "(any) -> array[any]", cast_array, deprecated=True),
    Builtin("cast_set", "(any) -> set[any]", cast_set, deprecated=True),
    Builtin("cast_boolean", "(any) -> boolean", _cast("boolean", bool), deprecated=True),
    Builtin("cast_null", "(any) -> null", _cast("null", type(None)), deprecated=True),
    Builtin("cast_object", "(any) -> object[any: any]", _cast("object", dict), deprecated=True),
    Builtin("cast_string", "(any) -> string", _cast("string", str), deprecated=True),
)
