"""Which field a violation is about, where the policy tells."""

from __future__ import annotations

import re
from typing import Any, Final

from solon.subjects.subject import Path

_KEYS: Final = ("path", "field", "fieldPath", "jsonPath")
# such as spec.containers[0].image or metadata.labels["team"]
_DOTTED: Final = re.compile(
    r"""(?<![\w-])[A-Za-z_][\w-]*(?:\[(?:[0-9]{1,9}|"[^"\]]+"|'[^'\]]+')\]|\.[A-Za-z_][\w/-]*)+"""
)
_PART: Final = re.compile(r"""([A-Za-z_][\w/-]*)|\[([0-9]{1,9})\]|\[["']([^"'\]]+)["']\]""")
_INDEX: Final = re.compile(r"[0-9]{1,9}")
_NAMED: Final = re.compile(
    r"""\b(?:container|initContainer|volume|port)\b\W{0,3}[<"'`]([\w./-]+)[>"'`]""", re.IGNORECASE
)
_LISTS: Final = ("containers", "initContainers", "ephemeralContainers", "volumes")


def field_path(message: str, details: Any, document: Any) -> Path | None:
    """The path that ``details`` names, or one in the message that exists in the document; None for neither.

    Details name it under ``path`` or ``field``: a list, a JSON pointer or dotted text.
    """
    if isinstance(details, dict):
        for name in _KEYS:
            path = _path(details.get(name))
            if path:
                return path
    for found in _DOTTED.finditer(message):
        path = _path(found.group())
        if path and _exists(document, path):
            return path
    for name in _NAMED.findall(message):
        found_path = _named_item(document, name)
        if found_path is not None:
            return found_path
    return None


def _path(value: Any) -> Path | None:
    if isinstance(value, list) and all(isinstance(p, str) or type(p) is int for p in value):
        return tuple(value)
    if not isinstance(value, str) or not value:
        return None
    if value.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in value[1:].split("/")]
        return tuple(int(part) if _INDEX.fullmatch(part) else part for part in parts)
    found = [name or quoted or int(index) for name, index, quoted in _PART.findall(value.removeprefix("$."))]
    return tuple(found) or None


def _exists(document: Any, path: Path) -> bool:
    for part in path:
        if (isinstance(document, dict) and part in document) or (
            isinstance(document, list) and isinstance(part, int) and 0 <= part < len(document)
        ):
            document = document[part]  # type: ignore[index]
        else:
            return False
    return True


def _named_item(document: Any, name: str) -> Path | None:
    """The container or volume of that name in a Pod, or in the Pod template of a workload."""
    for base in (
        ("spec",),
        ("spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "template", "spec"),
    ):
        spec = document
        for part in base:
            spec = spec.get(part) if isinstance(spec, dict) else None
        if not isinstance(spec, dict):
            continue
        for kind in _LISTS:
            items = spec.get(kind)
            for index, item in enumerate(items if isinstance(items, list) else []):
                if isinstance(item, dict) and item.get("name") == name:
                    return (*base, kind, index)
    return None
