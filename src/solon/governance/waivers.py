"""Waivers: planned, reviewed exemptions that end.

A waiver covers what it names from ``created`` until the second it expires. What is wrong with one is told with its
file and line, and covers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import combinations
from pathlib import PurePath
from typing import Final

import msgspec

from solon.frameworks.policy import Policy
from solon.governance.files import Part
from solon.governance.scope import Globs, Index, Scope, Traits, has_wildcard, matches, overlap
from solon.governance.times import duration, moment, period
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
    """A waiver that was checked: its dates read, what it names known."""

    id: str
    waiver: Waiver
    policies: Sequence[str]
    created: datetime
    expires: datetime
    since: datetime  # first granted, before any renewal
    location: Location

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
    longest = {**DEFAULT_LONGEST, **settings.longest}
    for severity in longest:
        if severity not in SEVERITIES:
            raise ValueError(f"longest: unknown severity {severity!r}; known are {', '.join(SEVERITIES)}")
    for approver in settings.approvers:
        for severity in approver.severities:
            if severity not in SEVERITIES:
                raise ValueError(
                    f"approvers: unknown severity {severity!r}; known are {', '.join(SEVERITIES)}"
                )
        if not approver.who or not approver.policies:
            raise ValueError("approvers: who and policies must not be empty")
    return Rules(
        {severity: duration(text) for severity, text in longest.items()},
        settings.approvers,
        duration(settings.remind_before),
        duration(settings.unused_after),
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """The waivers that stand, and what is wrong with the others."""

    exemptions: Sequence[Exemption] = ()
    problems: Sequence[Unreadable] = ()


def checked(
    parts: Iterable[Part[Waiver]], rules: Rules, policies: Sequence[Policy], local: tzinfo
) -> Checked:
    """Check each waiver by itself: one that is wrong does not spoil the others."""
    exemptions: list[Exemption] = []
    problems: list[Unreadable] = []
    known = [(policy.id, policy.severity) for policy in policies]
    numbers: dict[str, int] = {}
    places: dict[str, Location] = {}
    for part in parts:
        stem = PurePath(part.location.file).stem
        numbers[stem] = numbers.get(stem, 0) + 1
        name = part.value.id or (stem if numbers[stem] == 1 else f"{stem}/{numbers[stem]}")
        found = _checked(part, name, rules, known, local)
        if name in places:
            found = part.problem(f"a second waiver is called {name!r}; the first is at {places[name]}", "id")
        places.setdefault(name, part.location)
        (problems if isinstance(found, Unreadable) else exemptions).append(found)  # type: ignore[arg-type]
    return Checked(exemptions, problems)


def _checked(
    part: Part[Waiver], name: str, rules: Rules, policies: Sequence[tuple[str, str]], local: tzinfo
) -> Exemption | Unreadable:
    waiver = part.value
    globs = [waiver.policy] if isinstance(waiver.policy, str) else waiver.policy
    if not globs or not all(globs):
        return part.problem("policy is missing: name the policy that is waived", "policy")
    for key, why in (
        ("expires", "an exemption without an end is not one"),
        ("created", "say since when it holds"),
        ("owner", "somebody must be accountable"),
        ("reason", "say why"),
        ("approved_by", "somebody else must have agreed"),
    ):
        if not getattr(waiver, key).strip():
            return part.problem(f"{key} is missing: {why}", key)
    if not waiver.scope:
        return part.problem("scope is missing: name what is exempt; a waiver for everything is none", "scope")
    wrong = waiver.scope.problem()
    if wrong:
        return part.problem(wrong[1], "scope", *wrong[0].split("."))
    if person(waiver.approved_by) == person(waiver.owner):
        return part.problem(f"{waiver.approved_by} owns the waiver and cannot approve it", "approved_by")
    try:
        created = moment(waiver.created, local)
    except ValueError as error:
        return part.problem(f"created: {error}", "created")
    try:
        expires = moment(waiver.expires, local)
    except ValueError as error:
        return part.problem(f"expires: {error}", "expires")
    if expires <= created:
        return part.problem(f"it expires on {waiver.expires}, before it is created", "expires")
    named = [(policy, severity) for policy, severity in policies if any(matches(g, policy) for g in globs)]
    for policy, severity in named:
        longest = rules.longest.get(severity)
        if longest is not None and expires - created > longest:
            return part.problem(
                f"it lasts {period(expires - created)}; a waiver of {policy}, whose severity is {severity}, may last "
                f"{period(longest)}",
                "expires",
            )
        if not _may_approve(waiver.approved_by, policy, severity, rules.approvers):
            allowed = approvers_of(policy, severity, rules.approvers)
            return part.problem(
                f"{waiver.approved_by} may not approve waivers of {policy} ({severity}): "
                + (f"{', '.join(allowed)} may" if allowed else "nobody may"),
                "approved_by",
            )
    since = created
    for index, renewal in enumerate(waiver.history):
        try:
            since = min(since, moment(renewal.created, local))
        except ValueError as error:
            return part.problem(f"history: created: {error}", "history", index, "created")
    return Exemption(name, waiver, globs, created, expires, since, part.location)


def person(name: str) -> str:
    """A name as it is compared: in any case, with or without ``@``."""
    return name.strip().removeprefix("@").casefold()


def approvers_of(policy: str, severity: str, approvers: Sequence[Approver]) -> list[str]:
    """Who may approve a waiver of that policy."""
    return [
        who
        for each in approvers
        if severity in each.severities and any(matches(glob, policy) for glob in each.policies)
        for who in each.who
    ]


def _may_approve(name: str, policy: str, severity: str, approvers: Sequence[Approver]) -> bool:
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


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two waivers that exempt something in common."""

    one: Exemption
    other: Exemption


def overlaps(exemptions: Sequence[Exemption], policies: Sequence[str], now: datetime) -> Iterator[Overlap]:
    """Pairs that are in force at one time, name a policy in common, and may meet in a subject."""
    lasting = [each for each in exemptions if each.state(now) is not State.EXPIRED]
    named: dict[str, list[Exemption]] = {}
    for each in lasting:
        exact = [glob for glob in each.policies if not has_wildcard(glob)]
        for policy in {*exact, *(p for p in policies if each.names(p))}:
            named.setdefault(policy, []).append(each)
    seen: set[tuple[str, str]] = set()
    for several in named.values():
        for one, other in combinations(several, 2):
            if (
                (one.id, other.id) not in seen
                and one.created < other.expires
                and other.created < one.expires
                and overlap(one.waiver.scope, other.waiver.scope)
            ):
                seen.add((one.id, other.id))
                yield Overlap(one, other)


@dataclass(frozen=True, slots=True)
class Health:
    """Waivers as numbers. Ages are of those in force."""

    active: int = 0
    pending: int = 0
    expired: int = 0
    expiring: int = 0  # within the time of reminders
    median_age: timedelta = timedelta()
    oldest: timedelta = timedelta()
    by_owner: Mapping[str, int] = field(default_factory=dict)


def health(exemptions: Sequence[Exemption], now: datetime, remind_before: timedelta) -> Health:
    active = [each for each in exemptions if each.state(now) is State.ACTIVE]
    ages = sorted(now - each.since for each in active)
    middle = len(ages) // 2
    owners: dict[str, int] = {}
    for each in active:
        owners[each.waiver.owner] = owners.get(each.waiver.owner, 0) + 1
    return Health(
        active=len(active),
        pending=sum(each.state(now) is State.PENDING for each in exemptions),
        expired=sum(each.state(now) is State.EXPIRED for each in exemptions),
        expiring=sum(each.expires - now <= remind_before for each in active),
        median_age=(ages[middle] if len(ages) % 2 else (ages[middle - 1] + ages[middle]) / 2)
        if ages
        else timedelta(),
        oldest=ages[-1] if ages else timedelta(),
        by_owner=owners,
    )
