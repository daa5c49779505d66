"""``collection/maps``: values deep in a map, by paths such as ``a.0.b`` and ``a.*.b``.

A part of a path is the key of a map, the index of a list, or ``*`` for every element of a list. Nothing that is
passed in is changed, and what comes out shares nothing with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.sentinel.imports.declare import ANY, LIST, MAP, STRING, Namespace, function, named, wrong
from solon.lang.sentinel.imports.unsettled import OMIT_PRUNES, UNSET_PRUNES
from solon.lang.sentinel.values import Failure, Surroundings, Undefined, Value, type_of

MAX_PARTS: Final = 200
_SPLAT: Final = "*"

Paths = dict[str, Any]
"""Paths by their parts: each leads to the paths beyond it, or to nothing (an empty dict) where a path ends."""


def _parts(path: str, name: str) -> list[str]:
    parts = path.split(".")
    if len(parts) > MAX_PARTS:
        raise Failure(f"{name}: a path has at most {MAX_PARTS} parts, not {len(parts)}")
    return parts


def _index(part: str, length: int) -> int | None:
    """The element that a part of a path means, where the list has it."""
    if not part.isdecimal() or not part.isascii() or len(part) > 18:
        return None
    index = int(part)
    return index if index < length else None


def _copied(value: Value, depth: int = 0) -> Value:
    if type(value) not in (list, dict):
        return value
    if depth > MAX_PARTS * 2:
        raise Failure("collection/maps: nested too deeply")
    spend(len(value))
    if type(value) is list:
        return [_copied(element, depth + 1) for element in value]
    return {key: _copied(element, depth + 1) for key, element in value.items()}


def get(source: Value, path: str, *default: Value) -> Value:
    missing = default[0] if default else Undefined(f'no value at "{path}"')
    return _copied(_got(source, _parts(path, "collection/maps.get"), 0, missing))


def _got(value: Value, parts: list[str], at: int, missing: Value) -> Value:
    while at < len(parts):
        part = parts[at]
        at += 1
        if type(value) is dict:
            if part not in value:
                return missing
            value = value[part]
        elif type(value) is list:
            if part == _SPLAT:
                spend(len(value))
                return [_got(element, parts, at, missing) for element in value]
            index = _index(part, len(value))
            if index is None:
                return missing
            value = value[index]
        else:
            return missing
    return missing if type(value) is Undefined else value


def has(source: Value, path: str) -> bool:
    return _has(source, _parts(path, "collection/maps.has"), 0)


def _has(value: Value, parts: list[str], at: int) -> bool:
    """With a splat: whether every element has it."""
    while at < len(parts):
        part = parts[at]
        at += 1
        if type(value) is dict:
            if part not in value:
                return False
            value = value[part]
        elif type(value) is list:
            if part == _SPLAT:
                spend(len(value))
                return all(_has(element, parts, at) for element in value)
            index = _index(part, len(value))
            if index is None:
                return False
            value = value[index]
        else:
            return False
    return type(value) is not Undefined


def set_(source: Value, path: str, value: Value) -> Value:
    return _set(_copied(source), _parts(path, "collection/maps.set"), 0, value)


def _set(target: Value, parts: list[str], at: int, value: Value) -> Value:
    """The target with the value in it: changed in place, or a new map where there is none."""
    if at == len(parts):
        return _copied(value)
    part = parts[at]
    if target is None or type(target) is Undefined:
        target = {}
    if type(target) is dict:
        target[part] = _set(target.get(part), parts, at + 1, value)
        return target
    if type(target) is not list:
        raise Failure(
            f'collection/maps.set: "{".".join(parts[:at])}" is {type_of(target)}, not a map or a list'
        )
    if part == _SPLAT:
        spend(len(target))
        target[:] = [_set(element, parts, at + 1, value) for element in target]
        return target
    index = _index(part, len(target))
    if index is None:
        raise Failure(f'collection/maps.set: "{".".join(parts[:at])}" has no element {part}')
    target[index] = _set(target[index], parts, at + 1, value)
    return target


def _tree(paths: list[Value], name: str) -> Paths:
    tree: Paths = {}
    for path in paths:
        if type(path) is not str:
            wrong(name, 1, "a list of strings", path)
        branch = tree
        *before, last = _parts(path, name)
        for part in before:
            beyond = branch.get(part)
            if beyond == {}:
                break  # a shorter path takes this one in
            if beyond is None:
                beyond = branch[part] = {}
            branch = beyond
        else:
            branch[last] = {}
    return tree


def _branch(paths: Paths, part: str) -> Paths | None:
    """The paths beyond an element of a list; None where there are none."""
    own, every = paths.get(part), paths.get(_SPLAT)
    if own is None or every is None:
        return own if every is None else every
    return _merged(own, every)


def _merged(one: Paths, other: Paths) -> Paths:
    if not one or not other:
        return {}
    merged = dict(one)
    for part, beyond in other.items():
        merged[part] = _merged(merged[part], beyond) if part in merged else beyond
    return merged


def _entries(value: Value, paths: Paths) -> list[tuple[Value, Value, Paths | None]]:
    """(key or index, element, paths beyond it)."""
    spend(len(value))
    if type(value) is list:
        return [(index, element, _branch(paths, str(index))) for index, element in enumerate(value)]
    return [(key, element, paths.get(key)) for key, element in value.items()]


def _rebuilt(value: Value, kept: list[tuple[Value, Value]]) -> Value:
    return [element for _, element in kept] if type(value) is list else dict(kept)


def _without(value: Value, paths: Paths, *, prune: bool) -> Value:
    kept = []
    for key, element, beyond in _entries(value, paths):
        if beyond == {}:
            continue
        if beyond is None or type(element) not in (list, dict):
            kept.append((key, _copied(element)))
            continue
        left = _without(element, beyond, prune=prune)
        if left or not prune or not element:
            kept.append((key, left))
    return _rebuilt(value, kept)


def _only(value: Value, paths: Paths) -> Value:
    kept = []
    for key, element, beyond in _entries(value, paths):
        if beyond == {}:
            kept.append((key, _copied(element)))
        elif beyond and type(element) in (list, dict):
            picked = _only(element, beyond)
            if picked:
                kept.append((key, picked))
    return _rebuilt(value, kept)


def _with_paths(name: str, run: Callable[[Value, Paths], Value]) -> Callable[..., Value]:
    def called(source: Value, paths: list[Value]) -> Value:
        for path in paths:
            if type(path) is Undefined:
                return path
        return run(source, _tree(paths, name))

    return called


def unset(source: Value, path: str, _ignored: Value = None) -> Value:
    return _without(source, _tree([path], "collection/maps.unset"), prune=UNSET_PRUNES)


_omit: Final = _with_paths(
    "collection/maps.omit", lambda source, paths: _without(source, paths, prune=OMIT_PRUNES)
)
_pick: Final = _with_paths("collection/maps.pick", _only)

_NAMESPACE: Final = Namespace(
    named(
        "collection/maps",
        function("collection/maps.get", get, MAP, STRING, ANY, least=2),
        function("collection/maps.has", has, MAP, STRING),
        function("collection/maps.omit", _omit, MAP, LIST),
        function("collection/maps.pick", _pick, MAP, LIST),
        function("collection/maps.set", set_, MAP, STRING, ANY),
        # An example of the documentation passes a third argument.
        function("collection/maps.unset", unset, MAP, STRING, ANY, least=2),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
