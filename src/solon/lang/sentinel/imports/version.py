"""``version``: versions such as ``1.0.0-alpha.1+001``, and constraints on them such as ``>= 1.0, < 2.0``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from solon.lang.budget import spend
from solon.lang.sentinel.imports.declare import STRING, Method, Namespace, function, kind, method, named
from solon.lang.sentinel.imports.unsettled import (
    CONSTRAINT_WITH_PRERELEASE_TAKES_RELEASE,
    EQUAL_AND_NOT_TAKE_PRERELEASES,
)
from solon.lang.sentinel.values import Failure, Surroundings, Value

SEGMENTS: Final = 3
LONGEST: Final = 1024
_WORD: Final = r"[0-9A-Za-z\-~]+"
_FORM: Final = re.compile(
    rf"v?(?P<segments>[0-9]+(?:\.[0-9]+)*)"
    rf"(?:-(?P<pre>{_WORD}(?:\.{_WORD})*)|(?P<joined>[A-Za-z~]{_WORD.replace('+', '*')}(?:\.{_WORD})*))?"
    rf"(?:\+(?P<metadata>{_WORD}(?:\.{_WORD})*))?",
    re.ASCII,
)
_CONSTRAINT: Final = re.compile(r"\s*(=|!=|>=|<=|~>|>|<|)\s*(\S+)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Version:
    segments: tuple[int, ...]  # three at least
    written: int  # how many of them are written
    prerelease: str
    metadata: str

    @property
    def type_name(self) -> str:
        return "map"

    @property
    def shown(self) -> str:
        return str(self)

    def get(self, name: str, default: Value) -> Value:
        component = _COMPONENTS.get(name)
        if component is not None:
            return component(self)
        found = _METHODS.get(name)
        return default if found is None else found.of(self)

    def __str__(self) -> str:
        text = ".".join(map(str, self.segments))
        return f"{text}{self.prerelease and '-'}{self.prerelease}{self.metadata and '+'}{self.metadata}"


_COMPONENTS: Final[dict[str, Callable[[Version], Value]]] = {
    "major": lambda version: version.segments[0],
    "minor": lambda version: version.segments[1],
    "patch": lambda version: version.segments[2],
    "prerelease": lambda version: version.prerelease,
    "metadata": lambda version: version.metadata,
    "version": str,
}


def _version(value: Value) -> Version:
    return value if type(value) is Version else parse(value)


@lru_cache(1024)
def parse(text: str) -> Version:
    found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise Failure(f"version: this is not a version: {text[:60]!r}")
    written = found["segments"].split(".")
    # A segment has 64 bits.
    if any(len(segment) > 18 for segment in written):
        raise Failure(f"version: a number is too large: {text[:60]!r}")
    segments = tuple(map(int, written)) + (0,) * (SEGMENTS - len(written))
    return Version(segments, len(written), found["pre"] or found["joined"] or "", found["metadata"] or "")


def compare(one: Version, other: Version) -> int:
    """-1, 0 or 1. Metadata does not count; a pre-release comes before its release."""
    for mine, theirs in zip_longest(one.segments, other.segments, fillvalue=0):
        if mine != theirs:
            return -1 if mine < theirs else 1
    if one.prerelease == other.prerelease:
        return 0
    if not one.prerelease or not other.prerelease:
        return 1 if not one.prerelease else -1
    left, right = _precedence(one.prerelease), _precedence(other.prerelease)
    return 0 if left == right else -1 if left < right else 1


def _precedence(prerelease: str) -> list[tuple[int, int, str]]:
    """Numbers sort before words; a longer list after its beginning."""
    return [
        (0, len(digits := part.lstrip("0")), digits) if part.isdecimal() else (1, 0, part)
        for part in prerelease.split(".")
    ]


@dataclass(frozen=True, slots=True)
class Constraint:
    operator: str
    version: Version

    def holds(self, version: Version) -> bool:
        order = compare(version, self.version)
        return self._comparable(version) and _OPERATORS[self.operator](order, version, self.version)

    def _comparable(self, version: Version) -> bool:
        """A pre-release is an answer only to a constraint that names one of the same release."""
        if self.operator in ("=", "!=") and EQUAL_AND_NOT_TAKE_PRERELEASES:
            return True
        if version.prerelease:
            return bool(self.version.prerelease) and version.segments == self.version.segments
        if self.version.prerelease:
            return CONSTRAINT_WITH_PRERELEASE_TAKES_RELEASE and self.operator != "~>"
        return True


def _pessimistic(order: int, version: Version, least: Version) -> bool:
    """At least this, and equal to it in all but the last segment that is written."""
    fixed = least.written - 1
    return order >= 0 and version.segments[:fixed] == least.segments[:fixed]


_OPERATORS: Final[dict[str, Callable[[int, Version, Version], bool]]] = {
    "=": lambda order, _one, _other: order == 0,
    "!=": lambda order, _one, _other: order != 0,
    ">": lambda order, _one, _other: order > 0,
    "<": lambda order, _one, _other: order < 0,
    ">=": lambda order, _one, _other: order >= 0,
    "<=": lambda order, _one, _other: order <= 0,
    "~>": _pessimistic,
}


@lru_cache(256)
def constraints(text: str) -> tuple[Constraint, ...]:
    """Those of a text that are separated by commas."""
    spend(len(text))
    found = []
    for part in text.split(","):
        matched = _CONSTRAINT.fullmatch(part) if len(part) <= LONGEST else None
        if matched is None:
            raise Failure(f"version: this is not a constraint: {part.strip()[:60]!r}")
        found.append(Constraint(matched[1] or "=", parse(matched[2])))
    return tuple(found)


_OTHER: Final = kind("a version or a string", Version, str)


def _comparison(name: str, test: Callable[[int], Value]) -> Method:
    return method(f"version.{name}", lambda one, other: test(compare(one, _version(other))), _OTHER)


_METHODS: Final[dict[str, Method]] = named(
    "version",
    _comparison("greater_than", lambda order: order > 0),
    _comparison("greater_than_or_equals", lambda order: order >= 0),
    _comparison("less_than", lambda order: order < 0),
    _comparison("less_than_or_equals", lambda order: order <= 0),
    _comparison("equals", lambda order: order == 0),
    _comparison("compare", lambda order: order),
    method(
        "version.satisfies",
        lambda version, text: all(constraint.holds(version) for constraint in constraints(text)),
        STRING,
    ),
    gt="greater_than",
    gte="greater_than_or_equals",
    lt="less_than",
    lte="less_than_or_equals",
    eq="equals",
    cmp="compare",
    sat="satisfies",
)
_NAMESPACE: Final = Namespace(named("version", function("version.new", _version, _OTHER)))


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
