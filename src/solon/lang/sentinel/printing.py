"""How ``print`` and traces show values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from solon.lang.budget import spend
from solon.lang.sentinel.values import BoolKey, Undefined, Value, type_of

_DEEPEST: Final = 100


def printed(value: Value) -> str:
    """A value as ``print`` shows it: strings bare, but not inside of others; maps in order of their keys."""
    return value if type(value) is str else shown(value)


def shown(value: Value) -> str:
    return "".join(_parts(value, 0))


def _parts(value: Value, depth: int) -> Iterator[str]:
    kind = type(value)
    if kind is str:
        spend(len(value) // 16)
        yield json.dumps(value, ensure_ascii=False)
    elif value is None:
        yield "null"
    elif kind is bool:
        yield "true" if value else "false"
    elif kind is int:
        yield str(value)
    elif kind is float:
        yield f"{value:g}" if abs(value) < 1e21 and value == round(value, 6) else repr(value)
    elif kind is Undefined:
        yield "undefined"
    elif depth > _DEEPEST:
        yield "…"
    elif kind is list:
        spend(len(value))
        yield "["
        for position, item in enumerate(value):
            if position:
                yield " "
            yield from _parts(item, depth + 1)
        yield "]"
    elif kind is dict:
        spend(2 * len(value))
        yield "{"
        fields = sorted(((_key_text(each), item) for each, item in value.items()), key=lambda field: field[0])
        for position, (name, item) in enumerate(fields):
            if position:
                yield ", "
            yield f"{name}: "
            yield from _parts(item, depth + 1)
        yield "}"
    else:
        yield str(getattr(value, "shown", None) or type_of(value))


def _key_text(key: Value) -> str:
    if type(key) is str:
        return json.dumps(key, ensure_ascii=False)
    return repr(key) if type(key) is BoolKey else shown(key)
