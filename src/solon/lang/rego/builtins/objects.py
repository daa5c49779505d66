"""object.*"""

from __future__ import annotations

from typing import Any

from solon.lang.budget import spend
from solon.lang.rego.builtins.registry import Builtin, array, obj, wrong_type
from solon.lang.rego.errors import OperandError
from solon.lang.values import UNDEFINED, Set, Value, equal, key, lookup, type_name, unkey


def get(target: Value, path: Value, default: Value) -> Value:
    if type(target) is not dict:
        raise wrong_type(target, 1, "object")
    if type(path) is str:
        return target.get(path, default)
    if type(path) is not list:
        return target.get(key(path), default)
    at: Value = target
    for part in path:
        at = lookup(at, part)
        if at is UNDEFINED:
            return default
    return at


def _keys(value: Value, position: int) -> set[Any]:
    kind = type(value)
    if kind is list or kind is Set or kind is dict:
        spend(len(value))
    if kind is list:
        return {key(item) for item in value}
    if kind is Set or kind is dict:
        return set(value)
    raise wrong_type(value, position, "one of {object, set, array}")


def filter_(target: Value, keys: Value) -> dict[Any, Value]:
    kept = _keys(keys, 2) if type(target) is dict else obj(target, 1)
    return {k: v for k, v in target.items() if k in kept}


def remove(target: Value, keys: Value) -> dict[Any, Value]:
    dropped = _keys(keys, 2) if type(target) is dict else obj(target, 1)
    return {k: v for k, v in target.items() if k not in dropped}


def keys(target: Value) -> Set:
    return Set({k: unkey(k) for k in obj(target, 1)})


def union(left: Value, right: Value) -> dict[Any, Value]:
    return _merged(obj(left, 1), obj(right, 2))


def _merged(left: dict[Any, Value], right: dict[Any, Value]) -> dict[Any, Value]:
    spend(len(left) + len(right))
    out = dict(left)
    for k, value in right.items():
        present = out.get(k)
        out[k] = _merged(present, value) if type(present) is dict and type(value) is dict else value
    return out


def union_n(objects: Value) -> dict[Any, Value]:
    out: dict[Any, Value] = {}
    for item in array(objects, 1):
        if type(item) is not dict:
            raise OperandError(1, f"must be array of objects but got array containing {type_name(item)}")
        out = _merged(out, item)
    return out


def subset(whole: Value, part: Value) -> bool:
    kinds = (type(whole), type(part))
    if kinds == (dict, dict):
        return _object_subset(whole, part)
    if kinds == (Set, Set):
        spend(len(part))
        return all(k in whole for k in part)
    if kinds == (list, list):
        return _run_in(whole, part)
    if kinds == (list, Set):
        spend(len(whole) + len(part))
        have = {key(item) for item in whole}
        return all(k in have for k in part)
    raise OperandError(
        1, "both arguments object.subset must be of the same type or array and set"
    )  # fmt: skip


def _object_subset(whole: dict[Any, Value], part: dict[Any, Value]) -> bool:
    spend(len(part))
    for k, value in part.items():
        present = whole.get(k, UNDEFINED)
        if present is UNDEFINED:
            return False
        kinds = (type(present), type(value))
        if kinds == (dict, dict):
            if not _object_subset(present, value):
                return False
        elif kinds == (Set, Set):
            spend(len(value))
            if not all(member in present for member in value):
                return False
        elif kinds == (list, list):
            if not _run_in(present, value):
                return False
        elif not equal(present, value):
            return False
    return True


def _run_in(whole: list[Value], part: list[Value]) -> bool:
    for start in range(len(whole) - len(part) + 1):
        at = 0
        while at < len(part) and equal(whole[start + at], part[at]):
            at += 1
        spend(1 + at)
        if at == len(part):
            return True
    return False


BUILTINS = (
    Builtin("object.get", "(object[any: any], any, any) -> any", get),
    Builtin(
        "object.filter",
        "(object[any: any], array[any]|object[any: any]|set[any]) -> object[any: any]",
        filter_,
    ),
    Builtin(
        "object.remove",
        "(object[any: any], array[any]|object[any: any]|set[any]) -> object[any: any]",
        remove,
    ),
    Builtin("object.keys", "(object[any: any]) -> set[any]", keys),
    Builtin("object.union", "(object[any: any], object[any: any]) -> object[any: any]", union),
    Builtin("object.union_n", "(array[object[any: any]]) -> object[any: any]", union_n),
    Builtin(
        "object.subset",
        "(array[any]|object[any: any]|set[any], array[any]|object[any: any]|set[any]) -> boolean",
        subset,
    ),
)
