"""Waivers: planned, reviewed exemptions that end.

A waiver covers what it names from ``created`` until the second it expires. What is wrong with one is told with its
file and line, and covers nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from pathlib import PurePath
from typing import Final

import msgspec

from solon.frameworks.policy import Policy
from solon.governance.scope import Globs, Index, Scope, Traits, has_wildcard, matches
from solon.governance.times import duration, moment, period, shown
from solon.subjects.files import Part
from solon.subjects.subject import Location, Unreadable

SEVERITIES: Final = ("low", "medium", "high", "critical")


class Renewal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a waiver said before it was renewed."""

    created: str
    expires: str
    reason: str = ""
    approved_by: str = ""
    ticket: str = ""


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of ``waivers/``. What must be there is checked in :func:`checked`, so that each gap has its line."""

    policy: Globs = ""
    scope: Scope = Scope()
    owner: str = ""
    reason: str = ""
    ticket: str = ""
    approved_by: str = ""
    created: str = ""
    expires: str = ""
    id: str = ""
    history: list[Renewal] = []

    @property
    def policies(self) -> Sequence[str]:
        return [self.policy] if isinstance(self.policy, str) else self.policy


class Approver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may approve waivers of these policies, of these severities."""

    who: list[str]
    policies: list[str] = msgspec.field(default_factory=lambda: ["*"])
    severities: list[str] = msgspec.field(default_factory=lambda: list(SEVERITIES))


class WaiverSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``waivers:`` of solon.yaml. ``longest`` is by severity of the policy; durations such as 90d."""

    paths: list[str] = []
    longest: dict[str, str] = {}
    approvers: list[Approver] = []
    remind_before: str = "30d"
    unused_after: str = "30d"


DEFAULT_LONGEST: Final = {"low": "365d", "medium": "180d", "high": "90d", "critical": "30d"}


class State(StrEnum):
    PENDING = "pending"  # created later than now
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A waiver that was checked: its dates read. ``periods`` are those of all its grants, in order of time."""

    id: str
    part: Part[Waiver]
    created: datetime
    expires: datetime
    periods: Sequence[tuple[datetime, datetime]]

    @property
    def waiver(self) -> Waiver:
        return self.part.value

    @property
    def policies(self) -> Sequence[str]:
        return self.part.value.policies

    @property
    def location(self) -> Location:
        return self.part.location

    @property
    def since(self) -> datetime:
        """First granted, before any renewal."""
        return self.periods[0][0]

    def state(self, now: datetime) -> State:
        if now >= self.expires:
            return State.EXPIRED
        return State.ACTIVE if now >= self.created else State.PENDING

    def names(self, policy: str) -> bool:
        return any(matches(glob, policy) for glob in self.policies)


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings, read."""

    longest: Mapping[str, timedelta]
    approvers: Sequence[Approver]
    remind_before: timedelta
    unused_after: timedelta


def rules(settings: WaiverSettings) -> Rules:
    """Raises ValueError with the key that is wrong."""
    for key, severities in (
        ("longest", list(settings.longest)),
        *(("approvers", approver.severities) for approver in settings.approvers),
    ):
        for severity in severities:
            if severity not in SEVERITIES:
                raise ValueError(f"{key}: unknown severity {severity!r}; known are {', '.join(SEVERITIES)}")
    for approver in settings.approvers:
        if not (approver.who and all(approver.who) and approver.policies and approver.severities):
            raise ValueError("approvers: who, policies and severities must not be empty")
    longest = {**DEFAULT_LONGEST, **settings.longest}
    return Rules(
        {severity: _length(f"longest: {severity}", text) for severity, text in longest.items()},
        settings.approvers,
        _length("remind_before", settings.remind_before),
        _length("unused_after", settings.unused_after),
    )


def _length(key: str, text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


@dataclass(frozen=True, slots=True)
class Checked:
    """The waivers that stand, and what is wrong with the others."""

    exemptions: Sequence[Exemption] = ()
    problems: Sequence[Unreadable] = ()


def named(parts: Iterable[Part[Waiver]]) -> Iterator[tuple[str, Part[Waiver]]]:
    """Each waiver with what it is called: its ``id``, else the name of its file and its number there."""
    numbers: dict[str, int] = {}
    for part in parts:
        stem = PurePath(part.file).stem
        numbers[stem] = numbers.get(stem, 0) + 1
        yield part.value.id or (stem if numbers[stem] == 1 else f"{stem}/{numbers[stem]}"), part


def checked(
    parts: Iterable[Part[Waiver]], rules: Rules, policies: Sequence[Policy], local: tzinfo
) -> Checked:
    """Check each waiver by itself: one that is wrong does not spoil the others."""
    check = _Check(rules, policies, local)
    exemptions: list[Exemption] = []
    problems: list[Unreadable] = []
    seen: dict[str, Part[Waiver]] = {}
    for name, part in named(parts):
        wrong = list(check.problems(part))
        if name in seen:
            wrong.append(
                part.problem(
                    f"a second waiver is called {name!r}; the first is at {seen[name].location}", "id"
                )
            )
        seen.setdefault(name, part)
        problems += wrong
        if not wrong:
            current = check.period(part.value.created, part.value.expires)
            before = [check.period(each.created, each.expires) for each in part.value.history]
            exemptions.append(Exemption(name, part, *current, sorted([*before, current])))
    return Checked(exemptions, problems)


def problems_of(
    part: Part[Waiver], rules: Rules, policies: Sequence[Policy], local: tzinfo
) -> list[Unreadable]:
    """All that is wrong with one waiver, by itself."""
    return list(_Check(rules, policies, local).problems(part))


_NEEDED: Final = (
    ("expires", "an exemption without an end is not one"),
    ("created", "say since when it holds"),
    ("owner", "somebody must be accountable"),
    ("reason", "say why"),
    ("approved_by", "somebody else must have agreed"),
)
_ID: Final = re.compile(r"[\w./-]+")


class _Check:
    """What must hold of each waiver of a repository."""

    def __init__(self, rules: Rules, policies: Sequence[Policy], local: tzinfo) -> None:
        self._rules = rules
        self._local = local
        self._policies = [(policy.id, graded(policy.severity)) for policy in policies]
        self._named: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    def period(self, created: str, expires: str) -> tuple[datetime, datetime]:
        return moment(created, self._local), moment(expires, self._local)

    def problems(self, part: Part[Waiver]) -> Iterator[Unreadable]:
        """All that is wrong with a waiver."""
        waiver = part.value
        if not waiver.policies or not all(glob.strip() for glob in waiver.policies):
            yield part.problem("policy is missing: name the policy that is waived", "policy")
        for key, why in _NEEDED:
            if not getattr(waiver, key).strip():
                yield part.problem(f"{key} is missing: {why}", key)
        if waiver.id and not _ID.fullmatch(waiver.id):
            yield part.problem("id may have letters, digits and - _ . / alone", "id")
        yield from self._of_scope(part)
        yield from self._of_time(part)
        yield from self._of_approval(part)
        yield from self._of_history(part)

    def _of_scope(self, part: Part[Waiver]) -> Iterator[Unreadable]:
        scope = part.value.scope
        if not scope:
            yield part.problem(
                "scope is missing: name what is exempt; a waiver for everything is none", "scope"
            )
        elif wrong := scope.problem():
            yield part.problem(wrong[1], "scope", *wrong[0].split(".", 1))
        elif not _telling(scope):
            yield part.problem(
                f"scope is {scope}, and so names nothing: a waiver for everything is none", "scope"
            )

    def _of_time(self, part: Part[Waiver]) -> Iterator[Unreadable]:
        waiver, local = part.value, self._local
        read: dict[str, datetime] = {}
        for key in ("created", "expires"):
            text = getattr(waiver, key)
            try:
                read |= {key: moment(text, local)} if text.strip() else {}
            except ValueError as error:
                yield part.problem(f"{key}: {error}", key)
        if len(read) < 2:
            return
        created, expires = read["created"], read["expires"]
        if expires <= created:
            said = "when" if expires == created else "before"
            yield part.problem(f"it expires on {waiver.expires}, {said} it is created", "expires")
        longest, of = self._longest(waiver)
        lasts = _lasts(created, expires, local)
        if lasts > longest:
            yield part.problem(
                f"it lasts {period(lasts)}; {period(longest)} is the most for {of}",
                "expires",
                hint=_latest(created, longest, local),
            )

    def _longest(self, waiver: Waiver) -> tuple[timedelta, str]:
        """How long it may last, and the policy that says so: of several the strictest."""
        limits = [(self._rules.longest[severity], policy, severity) for policy, severity in self._of(waiver)]
        if not limits:
            return max(self._rules.longest.values()), "any waiver"
        longest, policy, severity = min(limits)
        return longest, f"a waiver of {policy}, whose severity is {severity}"

    def _of_approval(self, part: Part[Waiver]) -> Iterator[Unreadable]:
        waiver, approvers = part.value, self._rules.approvers
        if not waiver.approved_by.strip():
            return
        if is_same(waiver.approved_by, waiver.owner):
            yield part.problem(f"{waiver.approved_by} owns the waiver and cannot approve it", "approved_by")
        refused = [
            (policy, severity)
            for policy, severity in self._of(waiver)
            if not may_approve(waiver.approved_by, policy, severity, approvers)
        ]
        if refused:
            policy, severity = refused[0]
            allowed = approvers_of(policy, severity, approvers)
            yield part.problem(
                f"{waiver.approved_by} may not approve waivers of {policy} ({severity})"
                + (f" and {len(refused) - 1} more" if len(refused) > 1 else "")
                + (f": {', '.join(allowed)} may" if allowed else ": nobody may"),
                "approved_by",
            )

    def _of_history(self, part: Part[Waiver]) -> Iterator[Unreadable]:
        reasons = {plain(each.reason) for each in part.value.history}
        if plain(part.value.reason) in reasons - {""}:
            yield part.problem("it was renewed for the reason it had before: say what is new", "reason")
        for index, renewal in enumerate(part.value.history):
            for key in ("created", "expires"):
                try:
                    moment(getattr(renewal, key), self._local)
                except ValueError as error:
                    yield part.problem(f"history: {key}: {error}", "history", index, key)

    def _of(self, waiver: Waiver) -> list[tuple[str, str]]:
        """The policies that it names, each with its severity."""
        globs = tuple(waiver.policies)
        if globs not in self._named:
            self._named[globs] = [each for each in self._policies if any(matches(g, each[0]) for g in globs)]
        return self._named[globs]


def graded(severity: str) -> str:
    """The severity; a word that is none of them counts as medium, as for a policy that states none."""
    return severity if severity in SEVERITIES else "medium"


def _lasts(created: datetime, expires: datetime, local: tzinfo) -> timedelta:
    """As a calendar has it, where that is less: thirty days in which clocks go back are thirty days."""
    wall = expires.astimezone(local).replace(tzinfo=None) - created.astimezone(local).replace(tzinfo=None)
    return min(wall, expires - created)


def _latest(created: datetime, longest: timedelta, local: tzinfo) -> str:
    try:
        end = created.astimezone(local).replace(tzinfo=None) + longest
        return f"expires: {shown(end.replace(tzinfo=local), local)} at the latest"
    except OverflowError:
        return ""


_SAYS: Final = re.compile(r"[^\W_]")


def _telling(scope: Scope) -> bool:
    """Whether some part of a scope names something: not what is only wildcards, or only what is left out."""
    fields = (scope.team, scope.namespace, scope.environment, scope.cluster, scope.resource, scope.subject)
    said = [globs for globs in (*fields, *(scope.labels or {}).values()) if globs is not None]
    if any(all(_SAYS.search(glob.split("://")[-1]) for glob in _listed(globs)) for globs in said):
        return True
    selector = scope.selector or {}
    return bool(selector.get("matchLabels")) or any(
        each.get("operator") == "In" for each in selector.get("matchExpressions") or ()
    )


def _listed(globs: Globs) -> Sequence[str]:
    return [globs] if isinstance(globs, str) else globs


@lru_cache(maxsize=4096)  # a few people approve and own many waivers
def plain(text: str) -> str:
    """A text as it is compared: in any case, however it is spaced, without what cannot be seen."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(seen.casefold().split())


def person(name: str) -> str:
    """A name as it is compared: in any case, with or without ``@``."""
    return plain(name).removeprefix("@").strip()


_ADDRESS: Final = re.compile(r".*<([^<>]+)>")


def is_same(one: str, other: str) -> bool:
    """Whether two names may be of one person or team: ``@org/payments`` is ``Payments``, and ``jo@example.com`` jo."""
    whole, bare = _spelt(one)
    others, other_bare = _spelt(other)
    return whole == others or (bare == other_bare and (whole == bare or others == other_bare))


def _spelt(name: str) -> tuple[str, str]:
    """A name, and without the organisation or host that it is of."""
    name = plain(name)
    if address := _ADDRESS.fullmatch(name):
        name = address[1]
    name = re.sub(r"[\s_.-]+", "-", person(name.removeprefix("mailto:")))
    return name, name.rpartition("/")[2].partition("@")[0]


def approvers_of(policy: str, severity: str, approvers: Sequence[Approver]) -> list[str]:
    """Who may approve a waiver of that policy."""
    return [
        who
        for each in approvers
        if severity in each.severities and any(matches(glob, policy) for glob in each.policies)
        for who in each.who
    ]


def may_approve(name: str, policy: str, severity: str, approvers: Sequence[Approver]) -> bool:
    if not approvers:
        return True
    return person(name) in map(person, approvers_of(policy, severity, approvers))


class Cover:
    """Finds the waiver that covers a finding."""

    def __init__(self, exemptions: Sequence[Exemption], now: datetime) -> None:
        active = [each for each in exemptions if each.state(now) is State.ACTIVE]
        self._by_policy: dict[str, Index[Exemption]] = {}
        exact: dict[str, list[Exemption]] = {}
        globs: list[Exemption] = []
        for each in active:
            if any(map(has_wildcard, each.policies)):
                globs.append(each)
            else:
                for policy in each.policies:
                    exact.setdefault(policy, []).append(each)
        for policy, several in exact.items():
            self._by_policy[policy] = _index(several)
        self._globs = _index(globs)

    def of(self, policy: str, traits: Traits) -> Exemption | None:
        """The waiver that covers it; of several the one that lasts longest."""
        named = self._by_policy.get(policy)
        found = named.of(traits) if named is not None else []
        found += [each for each in self._globs.of(traits) if each.names(policy)]
        return max(found, key=lambda each: each.expires) if found else None


def _index(exemptions: Sequence[Exemption]) -> Index[Exemption]:
    return Index((each.waiver.scope, each) for each in exemptions)
