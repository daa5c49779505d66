"""Finds the secrets of a document and takes them out.

Secret are the values of a Kubernetes Secret (in ``data``, ``stringData`` and the copy that kubectl keeps in
an annotation) and what a Terraform plan marks: ``before_sensitive``, ``after_sensitive``, ``sensitive_values``,
outputs and variables with ``sensitive: true``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

MASK: Final = "***"
# Shorter secrets are masked where they stand, and not looked for elsewhere: "true" is in every other text.
MIN_LENGTH: Final = 5
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
# field of a plan -> the field beside it that marks which of its values are sensitive
_MARKS: Final = {
    "before": "before_sensitive",
    "after": "after_sensitive",
    "values": "sensitive_values",
}


def mask(document: Any, pointer: str = "") -> tuple[Any, list[str], frozenset[str]]:
    """The document without its secrets, JSON pointers to what was masked, and the secrets themselves.

    ``pointer`` is where the document itself stands. The document given is not changed.
    """
    masked: list[str] = []
    secrets: set[str] = set()
    copy = _mask(document, pointer, masked, secrets)
    return copy, masked, frozenset(s for s in secrets if len(s) >= MIN_LENGTH)


class Scrubber:
    """Replaces every occurrence of the secrets in texts, and keeps pointers to where that was.

    One pass over each text however many secrets there are: a plan may mark thousands.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._by_beginning: dict[str, list[str]] = {}
        for secret in sorted(secrets, key=len, reverse=True):  # a secret may be the beginning of another
            self._by_beginning.setdefault(secret[:MIN_LENGTH], []).append(secret)
        self.pointers: list[str] = []

    def __call__(self, value: Any, pointer: str) -> Any:
        """The value, which stands at ``pointer``, without the secrets; names of fields are kept."""
        return self._scrub(value, pointer) if self._by_beginning else value

    def _scrub(self, value: Any, at: str) -> Any:
        if isinstance(value, str):
            clean = self._clean(value)
            if clean != value:
                self.pointers.append(at)
            return clean
        if isinstance(value, dict):
            out = {}
            for name, item in value.items():
                out[name] = self._scrub(item, f"{at}/{escaped(name)}")
            return out
        if isinstance(value, list):
            items = []
            for index, item in enumerate(value):
                items.append(self._scrub(item, f"{at}/{index}"))
            return items
        if type(value) in (int, float) and self._clean(str(value)) == MASK:
            self.pointers.append(at)
            return MASK
        return value

    def _clean(self, text: str) -> str:
        out: list[str] = []
        copied = at = 0
        while at <= len(text) - MIN_LENGTH:
            for secret in self._by_beginning.get(text[at : at + MIN_LENGTH], ()):
                if text.startswith(secret, at):
                    out += (text[copied:at], MASK)
                    at = copied = at + len(secret)
                    break
            else:
                at += 1
        return "".join([*out, text[copied:]]) if out else text


def _mask(value: Any, at: str, masked: list[str], secrets: set[str]) -> Any:
    if type(value) is list:
        items = []
        for index, item in enumerate(value):  # no comprehension: it would double the depth of the stack
            items.append(_mask(item, f"{at}/{index}", masked, secrets))
        return items
    if type(value) is not dict:
        return value
    marks = dict(_marks(value))
    out = {}
    for name, item in value.items():
        place = f"{at}/{escaped(name)}"
        mark = marks.get(name)
        inner = item if mark is True else _mask(item, place, masked, secrets)
        out[name] = inner if mark is None else _hide(inner, mark, place, masked, secrets)
    return out


def _marks(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an object that hold secrets, each with the parts of it that do: True is all of it."""
    for field, beside in _MARKS.items():
        if value.get(beside):
            yield field, value[beside]
    if value.get("sensitive") is True:
        yield "value", True
        yield "default", True
    if value.get("kind") == "Secret":
        yield "data", True
        yield "stringData", True
        yield "metadata", {"annotations": {_APPLIED: True}}
    declared = _at(value, "configuration", "root_module", "variables")
    if isinstance(declared, dict):
        names = [name for name, item in declared.items() if _at(item, "sensitive") is True]
        yield "variables", {name: {"value": True} for name in names}


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _hide(value: Any, mark: Any, at: str, masked: list[str], secrets: set[str]) -> Any:
    """Mask what ``mark`` marks: True, or an object or list of marks that mirrors the value."""
    if mark is True:
        return _hide_all(value, at, masked, secrets)
    if isinstance(mark, dict) and isinstance(value, dict):
        return {
            name: _hide(item, mark[name], f"{at}/{escaped(name)}", masked, secrets) if name in mark else item
            for name, item in value.items()
        }
    if isinstance(mark, list) and isinstance(value, list):
        return [
            _hide(item, mark[index], f"{at}/{index}", masked, secrets) if index < len(mark) else item
            for index, item in enumerate(value)
        ]
    return value


def _hide_all(value: Any, at: str, masked: list[str], secrets: set[str]) -> Any:
    """Mask every scalar below; the names stay, since they help to read the record."""
    if isinstance(value, dict):
        return {n: _hide_all(v, f"{at}/{escaped(n)}", masked, secrets) for n, v in value.items()}
    if isinstance(value, list):
        return [_hide_all(item, f"{at}/{index}", masked, secrets) for index, item in enumerate(value)]
    if value is None:
        return None
    masked.append(at)
    if isinstance(value, str):
        secrets.add(value)
        secrets.update(_decoded(value))
    elif not isinstance(value, bool):
        secrets.add(str(value))
    return MASK


def _decoded(value: str) -> Iterator[str]:
    """What a policy may have made of a secret: its text without the base64 and the blanks around it."""
    yield value.strip()
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield plain
    yield plain.strip()


def escaped(name: str) -> str:
    """The name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
