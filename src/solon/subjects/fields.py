"""Fields of documents that others wrote: nothing where a value is of another kind than it should be."""

from __future__ import annotations

from typing import Any

from solon.subjects.subject import Path


def get(value: Any, path: Path) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """Those of a list."""
    return [each for each in items(value) if isinstance(each, dict)]


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
