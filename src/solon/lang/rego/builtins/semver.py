"""semver.*: Semantic Versioning 2.0.0, with a `v` in front or without."""

from __future__ import annotations

import re
from typing import Final

from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

_VERSION: Final = re.compile(
    r"v?(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)


Version = tuple[tuple[int, ...], str]


def _version(text: str) -> Version | None:
    """The three numbers, which have 64 bits, and the pre-release."""
    found = _VERSION.fullmatch(text)
    numbers = tuple(int(found[n]) for n in (1, 2, 3)) if found else ()
    return (numbers, found[4] or "") if found and max(numbers) < 2**63 else None


def is_valid(value: Value) -> bool:
    return type(value) is str and _version(value) is not None


def _parse(value: Value, position: int) -> Version:
    found = _version(string(value, position))
    if found is None:
        raise BuiltinError(f'operand {position}: string "{value}" is not a valid SemVer')
    return found


def compare(a: Value, b: Value) -> int:
    (left, left_pre), (right, right_pre) = _parse(a, 1), _parse(b, 2)
    if left != right:
        return -1 if left < right else 1
    if left_pre == right_pre:
        return 0
    if not left_pre or not right_pre:
        return 1 if not left_pre else -1
    return -1 if _precedence(left_pre) < _precedence(right_pre) else 1


def _precedence(prerelease: str) -> list[tuple[int, int, str]]:
    """Numbers sort before words; a longer list after its prefix (section 11)."""
    # Numbers have no zeros before them, so that the longer one is the larger.
    return [(0, len(part), part) if part.isdigit() else (1, 0, part) for part in prerelease.split(".")]


BUILTINS = (
    Builtin("semver.compare", "(string, string) -> number", compare),
    Builtin("semver.is_valid", "(any) -> boolean", is_valid),
)
