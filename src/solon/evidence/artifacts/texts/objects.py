"""The objects in a document of JSON or YAML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def objects_in(value: Any) -> Iterator[dict[Any, Any]]:
    """Every object in a document, however deep."""
    stack = [value]
    while stack:
        at = stack.pop()
        if isinstance(at, dict):
            yield at
            stack.extend(v for v in at.values() if isinstance(v, dict | list))
        elif isinstance(at, list):
            stack.extend(v for v in at if isinstance(v, dict | list))
