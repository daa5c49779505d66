"""What an evaluation came to, for people: values, where what is undefined comes from, which elements failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from solon.lang.sentinel import Element, Result, Undefined
from solon.lang.sentinel.values import text
from solon.lang.source import Span
from solon.subjects.subject import Location

_MOST: Final = 10


def place(span: Span) -> Location:
    return Location(span.file, span.row, span.column)


def shown(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, Undefined):
        return "undefined"
    return shortened(_written(value, 3), 80)


def shortened(words: str, longest: int = 160) -> str:
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _written(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        inside = [_written(each, depth - 1) for each in value[:_MOST]] if depth else ["…"] * bool(value)
        return "[" + ", ".join(inside + ["…"] * (len(value) > _MOST)) + "]"
    if isinstance(value, dict):
        pairs = list(value.items())[:_MOST] if depth else []
        inside = [f"{_written(key, 0)}: {_written(each, depth - 1)}" for key, each in pairs]
        return "{" + ", ".join(inside + ["…"] * (len(value) > len(pairs))) + "}"
    if value is None:
        return "null"
    return text(value) or str(getattr(value, "type_name", type(value).__name__.lower()))


def told(result: Result) -> Iterator[str]:
    """Why a policy came to what it did: the error or where undefined comes from, its rules, the elements that failed."""
    if result.reason:
        yield result.reason
    for call in result.calls:
        yield f"  in {call.function}, called at {call.span}"
    for rule in result.rules.values():
        yield f"{rule.span}: rule {rule.name} is {shown(rule.value)}"
    yield from elements(result.failed)


def elements(failed: tuple[Element, ...]) -> Iterator[str]:
    for element in failed[:_MOST]:
        yield f"{element.span}: {element.kind} {element.collection}: {shown(element.key)}"
    if len(failed) > _MOST:
        yield f"and {len(failed) - _MOST} more"
