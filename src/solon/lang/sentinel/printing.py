"""How ``print`` and traces show values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from solon.lang.budget import spend
from solon.lang.sentinel import choices
from solon.lang.sentinel.values import BoolKey, Undefined, Value, type_of

_DEEPEST: Final = 100


def printed(value: Value) -> str:
    """A value as ``print`` shows it: strings bare, but not inside of others; maps in order of their keys."""
    return value if type(value) is str else shown(value)


def shown(value: Value) -> str:
    parts: list[str] = []
    _show(value, parts.append, 0)
    return "".join(parts)


def _show(value: Value, add: Callable[[str], None], depth: int) -> None:
    kind = type(value)
    if kind is list and depth < _DEEPEST:
        spend(len(value))
        add("[")
        for position, item in enumerate(value):
            if position:
                add(choices.LIST_SEPARATOR)
            _show(item, add, depth + 1)
        add("]")
    elif kind is dict and depth < _DEEPEST:
        spend(2 * len(value))
        add("{")
        fields = sorted(((_key_text(each), item) for each, item in value.items()), key=lambda field: field[0])
        for position, (name, item) in enumerate(fields):
            add(f", {name}: " if position else f"{name}: ")
            _show(item, add, depth + 1)
        add("}")
    else:
        add(_scalar(value))


def _scalar(value: Value) -> str:
    kind = type(value)
    if kind is str:
        spend(len(value) // 16)
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return f"{value:g}" if value == round(value, 6) and abs(value) < 1e6 else repr(value)
    if kind is Undefined:
        return "undefined"
    if kind is list or kind is dict:
        return "…"
    return str(getattr(value, "shown", None) or type_of(value))


def _key_text(key: Value) -> str:
    if type(key) is str:
        return json.dumps(key, ensure_ascii=False)
    return repr(key) if type(key) is BoolKey else shown(key)
