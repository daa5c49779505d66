"""What is to be done about the waivers of a repository: expired, about to, unused, overlapping, naming nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Protocol

from solon.governance.scope import matches
from solon.governance.waivers.overlaps import Overlap, overlaps
from solon.governance.waivers.waiver import Checked, Exemption, Rules, State, person
from solon.subjects.subject import Unreadable

MOST_OVERLAPS = 1_000


class Look(Protocol):
    """An observation: how many findings each waiver covered; one that covered none may be left out."""

    @property
    def time(self) -> datetime: ...

    @property
    def waivers(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Unused:
    """A waiver that matched nothing, for so long; ``last`` is when it last did, where that is known."""

    exemption: Exemption
    since: datetime
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """Waivers as numbers. Ages are of those in force, and count from when they were first granted."""

    active: int = 0
    pending: int = 0
    expired: int = 0
    expiring: int = 0  # within the time of reminders
    renewed: int = 0
    median_age: timedelta = timedelta()
    oldest: timedelta = timedelta()
    by_owner: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Review:
    """The waivers of a repository at one time. ``overlapping`` ends at MOST_OVERLAPS."""

    now: datetime
    exemptions: Sequence[Exemption]
    problems: Sequence[Unreadable]
    expired: Sequence[Exemption]
    expiring: Sequence[Exemption]
    unknown: Sequence[tuple[Exemption, str]]
    unused: Sequence[Unused]
    overlapping: Sequence[Overlap]
    health: Health

    @property
    def warned(self) -> bool:
        return bool(self.expiring or self.unknown or self.unused or self.overlapping)


def review(
    checked: Checked, policies: Sequence[str], looks: Iterable[Look], rules: Rules, now: datetime
) -> Review:
    """``policies`` are the ids of those there are; ``problems`` of files that cannot be read belong to ``checked``."""
    exemptions = sorted(checked.exemptions, key=lambda each: each.expires)
    return Review(
        now=now,
        exemptions=exemptions,
        problems=checked.problems,
        expired=[each for each in exemptions if each.state(now) is State.EXPIRED],
        expiring=[each for each in exemptions if is_expiring(each, now, rules.remind_before)],
        unknown=list(unknown_policies(exemptions, policies)),
        unused=unused(exemptions, looks, now, rules.unused_after),
        overlapping=list(islice(overlaps(exemptions, policies, now), MOST_OVERLAPS)),
        health=health(exemptions, now, rules.remind_before),
    )


def is_expiring(exemption: Exemption, now: datetime, within: timedelta) -> bool:
    return exemption.state(now) is State.ACTIVE and exemption.expires - now <= within


def unknown_policies(
    exemptions: Iterable[Exemption], policies: Sequence[str]
) -> Iterable[tuple[Exemption, str]]:
    """The names and globs that no policy has: a slip of the pen exempts nothing, and nobody would notice."""
    known = set(policies)
    asked: dict[str, bool] = {}
    for each in exemptions:
        for glob in each.policies:
            if glob not in asked:
                asked[glob] = glob in known or any(matches(glob, policy) for policy in policies)
            if not asked[glob]:
                yield each, glob


def by_owner(exemptions: Iterable[Exemption]) -> dict[str, list[Exemption]]:
    """The waivers of each owner, under the first spelling of the name."""
    spelt: dict[str, str] = {}
    owned: dict[str, list[Exemption]] = {}
    for each in exemptions:
        owner = spelt.setdefault(person(each.waiver.owner), each.waiver.owner)
        owned.setdefault(owner, []).append(each)
    return dict(sorted(owned.items(), key=lambda item: person(item[0])))


def health(exemptions: Sequence[Exemption], now: datetime, remind_before: timedelta) -> Health:
    active = [each for each in exemptions if each.state(now) is State.ACTIVE]
    ages = sorted(now - each.since for each in active)
    middle = len(ages) // 2
    median = ages[middle] if len(ages) % 2 else sum(ages[middle - 1 : middle + 1], timedelta()) / 2
    return Health(
        active=len(active),
        pending=sum(each.state(now) is State.PENDING for each in exemptions),
        expired=sum(each.state(now) is State.EXPIRED for each in exemptions),
        expiring=sum(is_expiring(each, now, remind_before) for each in active),
        renewed=sum(bool(each.waiver.history) for each in active),
        median_age=median,
        oldest=ages[-1] if ages else timedelta(),
        by_owner={owner: len(several) for owner, several in by_owner(active).items()},
    )


def unused(
    exemptions: Iterable[Exemption], looks: Iterable[Look], now: datetime, after: timedelta
) -> list[Unused]:
    """The waivers in force that matched nothing for so long, as far as that was observed.

    Said only of one that was in force all that time, and where nobody looked away for longer than a quarter of it.
    """
    start = now - after
    times: list[datetime] = []
    last: dict[str, datetime] = {}
    for look in looks:
        if look.time > now:
            continue
        times.append(look.time)
        for name, count in look.waivers.items():
            if count and (name not in last or last[name] < look.time):
                last[name] = look.time
    within = sorted(time for time in times if time >= start)
    if not within or any(late - early > after / 4 for early, late in pairwise([start, *within, now])):
        return []
    return [
        Unused(each, last.get(each.id, max(_in_force_since(each, now), min(times))), last.get(each.id))
        for each in exemptions
        if each.state(now) is State.ACTIVE
        and _in_force_since(each, now) <= start
        and (each.id not in last or last[each.id] < start)
    ]


def _in_force_since(exemption: Exemption, now: datetime) -> datetime:
    """From when on it has been in force without a gap."""
    since = exemption.created
    for start, end in sorted(exemption.periods, reverse=True):
        if start <= now and end >= since:
            since = min(since, start)
    return since
