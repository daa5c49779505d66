"""Scopes: which subjects a stage, a waiver or a token is about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import msgspec

from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.match import selector

Globs = str | list[str]
T = TypeVar("T")


class Traits(msgspec.Struct, frozen=True, gc=False):
    """What a scope may ask about a subject. An empty text: not known."""

    uri: str = ""
    resource: str = ""  # what a person calls it: Deployment/web, aws_instance.gpu[0]
    namespace: str = ""
    team: str = ""
    owner: str = ""
    environment: str = ""
    cluster: str = ""
    labels: Mapping[str, str] = {}


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which subjects are meant: all that is given must hold, and of several globs one.

    ``*`` stands for any characters and ``?`` for one; nothing that is unknown of a subject matches, not even
    ``*``. ``labels`` are names with globs for their values; ``resource`` is ``kind/name`` (kinds in any case) or an
    address of Terraform; ``selector`` is a label selector of Kubernetes (matchLabels, matchExpressions). A scope
    that says nothing is all subjects.
    """

    team: Globs | None = None
    namespace: Globs | None = None
    environment: Globs | None = None
    cluster: Globs | None = None
    resource: Globs | None = None
    subject: Globs | None = None
    labels: dict[str, Globs] | None = None
    selector: dict[str, Any] | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__struct_fields__)

    def __str__(self) -> str:
        """``team payments, namespace a or b-*``."""
        said = [
            f"{name} {' or '.join(_all(globs))}"
            for name in _FIELDS
            if (globs := getattr(self, name)) is not None
        ]
        said += [f"label {name}={' or '.join(_all(globs))}" for name, globs in (self.labels or {}).items()]
        if self.selector is not None:
            said.append(f"selector {json.dumps(self.selector, sort_keys=True)}")
        return ", ".join(said) or "everything"

    def problem(self) -> tuple[str, str] | None:
        """The field that can match nothing, and why."""
        fields: list[tuple[str, Globs | None]] = [(name, getattr(self, name)) for name in _FIELDS]
        fields += [(f"labels.{name}", globs) for name, globs in (self.labels or {}).items()]
        for name, globs in fields:
            if globs is not None and (not _all(globs) or not all(_all(globs))):
                return name, f"{name} is empty, and matches nothing"
        if self.labels is not None and not self.labels:
            return "labels", "labels is empty: leave it out"
        if self.selector is not None:
            try:
                selector(self.selector, "selector")
            except GatekeeperError as error:
                return "selector", str(error).removeprefix("spec.match.")
        return None


# The field of a scope -> the trait it asks about; the most telling first.
_FIELDS: Final = {
    "subject": "uri",
    "resource": "resource",
    "namespace": "namespace",
    "team": "team",
    "environment": "environment",
    "cluster": "cluster",
}
_KIND: Final = re.compile(r"[A-Za-z0-9*?]+(?=/)")


def _all(globs: Globs) -> list[str]:
    return [globs] if isinstance(globs, str) else globs


def has_wildcard(glob: str) -> bool:
    return "*" in glob or "?" in glob


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.replace("[", "[[]")))


def matches(glob: str, text: str) -> bool:
    """Whether the whole text is what the glob says; an empty text is what none does."""
    if not text:
        return False
    if not has_wildcard(glob):
        return glob == text
    if glob.endswith("*") and not has_wildcard(glob[:-1]):
        return text.startswith(glob[:-1])
    return _pattern(glob).fullmatch(text) is not None


def _any(globs: Globs) -> Callable[[str], bool]:
    parts = _all(globs)
    literal = frozenset(part for part in parts if part and not has_wildcard(part))
    others = [part for part in parts if has_wildcard(part)]
    if not others:
        return literal.__contains__

    def test(text: str) -> bool:
        return bool(text) and (text in literal or any(matches(glob, text) for glob in others))

    return test


def lower_kind(name: str) -> str:
    """A resource as it is compared: its kind may be written in any case."""
    return _KIND.sub(lambda found: found[0].lower(), name, count=1)


Test = Callable[[Traits], bool]


def compiled(scope: Scope) -> Test:
    """A test of traits."""
    tests: list[tuple[Callable[[Traits], Any], Callable[[Any], bool]]] = []
    for name, trait in _FIELDS.items():
        globs = getattr(scope, name)
        if globs is None:
            continue
        if name == "resource":
            tests.append((lambda t: lower_kind(t.resource), _any([lower_kind(glob) for glob in _all(globs)])))
        else:
            tests.append((attrgetter(trait), _any(globs)))
    tests.extend((_label(name), _any(globs)) for name, globs in (scope.labels or {}).items())
    if scope.selector is not None:
        selects = selector(scope.selector, "selector")
        tests.append((lambda traits: traits, lambda traits: selects(traits.labels)))

    def test(traits: Traits) -> bool:
        for read, holds in tests:  # noqa: SIM110 - all() takes twice as long
            if not holds(read(traits)):
                return False
        return True

    return test


def _label(name: str) -> Callable[[Traits], str]:
    return lambda traits: traits.labels.get(name, "")


class Index(Generic[T]):
    """Finds what is about a subject among many scopes, without asking each.

    A scope is filed under a trait that it gives literally, the most telling there is; the others are asked.
    """

    def __init__(self, entries: Iterable[tuple[Scope, T]]) -> None:
        self._filed: dict[tuple[str, str], list[tuple[int, Test, T]]] = {}
        self._asked: list[tuple[int, Test, T]] = []
        self._traits: list[str] = []
        for position, (scope, item) in enumerate(entries):
            filed = _filed_under(scope)
            if filed is None:
                self._asked.append((position, compiled(scope), item))
                continue
            name, literals = filed
            trait = _FIELDS[name]
            entry = (position, compiled(msgspec.structs.replace(scope, **{name: None})), item)
            if trait not in self._traits:
                self._traits.append(trait)
            for literal in literals:
                self._filed.setdefault((trait, literal), []).append(entry)

    def of(self, traits: Traits) -> list[T]:
        """The items whose scopes hold, in the order they came."""
        candidates = self._asked
        for trait in self._traits:
            filed = self._filed.get((trait, getattr(traits, trait)))
            if filed is not None:
                candidates = candidates + filed
        found = [(position, item) for position, test, item in candidates if test(traits)]
        if len(found) > 1:
            found.sort(key=lambda entry: entry[0])
        return [item for _, item in found]


def _filed_under(scope: Scope) -> tuple[str, Sequence[str]] | None:
    """The field that a scope is found by, and what it may be there."""
    for name in _FIELDS:
        globs = getattr(scope, name)
        # A resource's kind may be written in any case, and an address twice.
        if globs is not None and name != "resource" and not any(map(has_wildcard, _all(globs))):
            return name, tuple(dict.fromkeys(filter(None, _all(globs))))
    return None


def overlap(one: Scope, other: Scope) -> bool:
    """Whether a subject may be in both, as far as literals and globs tell."""
    for name in _FIELDS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is None or theirs is None:
            continue
        some, others = _all(mine), _all(theirs)
        if name == "resource":
            some, others = list(map(lower_kind, some)), list(map(lower_kind, others))
        if not _may_meet(some, others):
            return False
    mine_labels, their_labels = one.labels or {}, other.labels or {}
    return all(
        _may_meet(_all(mine_labels[name]), _all(their_labels[name]))
        for name in mine_labels.keys() & their_labels
    )


def _may_meet(some: Sequence[str], others: Sequence[str]) -> bool:
    return any(
        matches(a, b) or matches(b, a) or (has_wildcard(a) and has_wildcard(b) and _ends_meet(a, b))
        for a in some
        for b in others
    )


_WILD: Final = re.compile(r"[*?]")


def _ends_meet(one: str, other: str) -> bool:
    """Two globs: neither their beginnings nor their ends contradict each other."""
    parts, others = _WILD.split(one), _WILD.split(other)
    head, heads, tail, tails = parts[0], others[0], parts[-1], others[-1]
    return (head.startswith(heads) or heads.startswith(head)) and (
        tail.endswith(tails) or tails.endswith(tail)
    )


def covers(one: Scope, other: Scope) -> bool:
    """Whether every subject in the other is in this one, as far as literals and globs tell."""
    for name in _FIELDS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is not None and (theirs is None or not _take_in(_all(mine), _all(theirs), name)):
            return False
    labels = other.labels or {}
    for name, globs in (one.labels or {}).items():
        if name not in labels or not _take_in(_all(globs), _all(labels[name]), name):
            return False
    return one.selector is None or one.selector == other.selector


def _take_in(mine: Sequence[str], theirs: Sequence[str], name: str) -> bool:
    if name == "resource":
        mine, theirs = [lower_kind(glob) for glob in mine], [lower_kind(glob) for glob in theirs]
    return all(any(a == b or _takes_in(a, b) for a in mine) for b in theirs)


def _takes_in(one: str, other: str) -> bool:
    # A star takes the place of any text, another glob's too; a question mark is one character only.
    return matches(one, other) and not ("?" in one and has_wildcard(other))
