"""What the views have in common: parts made when they are asked for, and documents that may be anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from solon.lang.budget import spend
from solon.lang.sentinel.values import Value

MISSING: Final = object()  # what a part gives where there is none

Part = Callable[[], Value]


class View:
    """An import over a document: its parts by name, each made once."""

    __slots__ = ("_made", "_parts")

    type_name = "import"

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts
        self._made: dict[str, Value] = {}

    def get(self, name: str, default: Value) -> Value:
        made = self._made
        if name not in made:
            part = self._parts.get(name)
            made[name] = MISSING if part is None else part()
        value = made[name]
        return default if value is MISSING else value


def map_of(value: Any) -> dict[str, Any]:
    """A map of a document; empty where there is none."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def maps_of(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The maps in a map, by their names."""
    found = map_of(value)
    spend(len(found))
    return ((name, each) for name, each in found.items() if isinstance(each, dict))


def present(document: Mapping[str, Any], name: str) -> Value:
    """A part that is as the document has it, if it has it."""
    return document.get(name, MISSING)
