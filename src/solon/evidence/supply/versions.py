"""How versions of an ecosystem are ordered: PEP 440 for PyPI, SemVer 2.0.0 for those that use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

# A version as something that compares with others of its kind; None where the text is no version.
Parse = Callable[[str], Any]

_LONGEST: Final = 200


@lru_cache(maxsize=16384)
def pep440(text: str) -> Any:
    from packaging.version import InvalidVersion, Version

    if len(text) > _LONGEST:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None


_SEMVER: Final = re.compile(
    r"[vV]?(\d{1,20})(?:\.(\d{1,20}))?(?:\.(\d{1,20}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)


def semver(text: str) -> Any:
    """By precedence (SemVer 2.0.0, section 11): build metadata does not count, and a release is after what precedes it.

    ``v1.2`` is read as 1.2.0, as databases write it.
    """
    found = _SEMVER.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or not text.isascii():
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (numbers, 1, ())
    # Numbers come before names, and are compared as numbers.
    before = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return (numbers, 0, before)


_ORDERS: Final[Mapping[str, Parse]] = {
    "PyPI": pep440,
    "npm": semver,
    "crates.io": semver,
    "Go": semver,
    "Hex": semver,
    "Julia": semver,
    "Pub": semver,
    "SwiftURL": semver,
}


def order(ecosystem: str) -> Parse | None:
    """None where the order of its versions is not known here."""
    return _ORDERS.get(ecosystem)


def without_local(version: Any) -> Any:
    """The version that was built from: ``2.1.0`` of ``2.1.0+cu118``. Databases list no builds of one's own."""
    if getattr(version, "local", None):
        return pep440(version.public)
    return version
