"""Rollouts: from when a policy bites, and whom.

A rollout names policies and scopes; a scope has dated steps through the stages. The scope that a subject is in is
the first that holds, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

import msgspec

from solon.frameworks.policy import Policy, PolicySet, Stage
from solon.governance.scope import Globs, Index, Scope, Traits, has_wildcard, matches
from solon.governance.times import duration, moment
from solon.subjects.files import Part
from solon.subjects.subject import Location, Unreadable

ORDER: Final = (Stage.DRYRUN, Stage.WARN, Stage.AUDIT, Stage.ENFORCE)
RANK: Final = {stage: rank for rank, stage in enumerate(ORDER)}
TRENDS: Final = ("falling", "not-rising")


class Exit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must hold before the next stage.

    ``days`` with an observation in this stage; at most so many ``violations``; a share of the scope's teams without
    any (``green: 95%``); a ``trend``: falling, or not-rising, over those days.
    """

    days: int | None = None
    violations: int | None = None
    green: str | float | None = None
    trend: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__struct_fields__)

    @property
    def share(self) -> float | None:
        """``green`` as a number from 0 to 1. Raises ValueError."""
        if self.green is None:
            return None
        text = str(self.green).strip()
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if not 0 <= number <= 1:
            raise ValueError
        return number


class Step(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}
):
    """A stage and when it begins. ``grace``: for so long after that, what would be denied is warned of."""

    stage: Stage
    from_: str
    grace: str | None = None
    exit: Exit | None = None
    emergency: str | None = None
    approved_by: str | None = None


class Existing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is there already is not denied ``until`` a date: what was created before another, or is in the baseline."""

    until: str
    created_before: str | None = None
    baseline: str | None = None


class RolloutScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some subjects and their steps."""

    name: str
    stages: list[Step]
    where: Scope = Scope()
    exit: Exit | None = None
    existing: Existing | None = None


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file of ``rollouts/``. ``policy`` are globs of policy ids, ``policy_set`` of the names of sets."""

    scopes: list[RolloutScope] = []
    policy: Globs | None = None
    policy_set: Globs | None = None
    default: Stage = Stage.DRYRUN
    exit: Exit | None = None
    existing: Existing | None = None
    owner: str = ""
    description: str = ""
    emergency: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A stage from an instant on. ``step`` is where it comes from; none is the default, before all steps."""

    start: datetime
    stage: Stage
    step: Step | None = None
    index: int = -1


@dataclass(frozen=True, slots=True)
class Grandfathering:
    """``Existing``, read."""

    until: datetime
    created_before: datetime | None
    baseline: str | None


@dataclass(frozen=True, slots=True)
class Track:
    """The way of a policy in one scope: periods in order of time, the first without beginning."""

    rollout: str  # the file it stands in
    name: str
    scope: Scope
    periods: Sequence[Period]
    location: Location
    existing: Grandfathering | None = None
    default_exit: Exit | None = None

    def at(self, now: datetime) -> Period:
        """The period that an instant is in."""
        current = self.periods[0]
        for period in self.periods[1:]:
            if period.start > now:
                break
            current = period
        return current

    def next(self, now: datetime) -> Period | None:
        """The first change of stage that is still to come."""
        stage = self.at(now).stage
        return next((p for p in self.periods if p.start > now and p.stage is not stage), None)

    def bites(self, now: datetime) -> datetime | None:
        """From when it denies, if it does not yet and is going to."""
        if self.at(now).stage is Stage.ENFORCE:
            return None
        return next((p.start for p in self.periods if p.start > now and p.stage is Stage.ENFORCE), None)

    def denies_from(self, now: datetime) -> datetime | None:
        """The first instant, that one or later, at which it denies."""
        return now if self.at(now).stage is Stage.ENFORCE else self.bites(now)

    def since(self, now: datetime) -> datetime:
        """When the stage of that instant began."""
        began, stage = self.periods[0].start, self.periods[0].stage
        for period in self.periods[1:]:
            if period.start > now:
                break
            if period.stage is not stage:
                began, stage = period.start, period.stage
        return began

    def exit(self, now: datetime) -> Exit | None:
        """What must hold before the stage of that instant is left."""
        step = self.at(now).step
        return step.exit if step is not None and step.exit is not None else self.default_exit


BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """A rollout, read: its tracks, and the track of subjects that are in no scope of it."""

    part: Part[Rollout]
    tracks: Sequence[Track]
    rest: Track
    index: Index[Track]

    def track(self, traits: Traits) -> Track:
        found = self.index.of(traits)
        return found[0] if found else self.rest

    @property
    def file(self) -> str:
        return self.part.location.file


def plan(part: Part[Rollout], local: tzinfo) -> tuple[Plan | None, list[Unreadable]]:
    """The rollout with its dates read, or what is wrong with it."""
    rollout = part.value
    problems: list[Unreadable] = []
    if not rollout.policy and not rollout.policy_set:
        problems.append(part.problem("policy is missing: name the policies that this is about"))
    tracks: list[Track] = []
    seen: dict[str, int] = {}
    for index, scope in enumerate(rollout.scopes):
        at = ("scopes", index)
        if not scope.name:
            problems.append(part.problem("name is empty", *at, "name"))
        if scope.name in seen:
            problems.append(part.problem(f"a second scope is called {scope.name!r}", *at, "name"))
        seen[scope.name] = index
        wrong = scope.where.problem()
        if wrong:
            problems.append(part.problem(wrong[1], *at, "where", *wrong[0].split(".")))
        if not scope.stages:
            problems.append(part.problem("stages is empty: a scope has one step or more", *at, "stages"))
        existing = scope.existing or rollout.existing
        tracks.append(
            Track(
                part.location.file,
                scope.name,
                scope.where,
                _periods(part, scope, at, rollout.default, local, problems),
                part.place(at),
                _existing(
                    part, existing, (*at, "existing") if scope.existing else ("existing",), local, problems
                ),
                scope.exit or rollout.exit,
            )
        )
        _check_exit(part, scope.exit, (*at, "exit"), problems)
    _check_exit(part, rollout.exit, ("exit",), problems)
    existing_of_rest = _existing(part, rollout.existing, ("existing",), local, problems)
    if problems:
        return None, list(dict.fromkeys(problems))
    rest = Track(
        part.location.file,
        "",
        Scope(),
        [Period(BEGINNING, rollout.default)],
        part.location,
        existing_of_rest,
        rollout.exit,
    )
    return Plan(part, tracks, rest, Index((track.scope, track) for track in tracks)), []


def _periods(
    part: Part[Rollout],
    scope: RolloutScope,
    at: tuple[str | int, ...],
    default: Stage,
    local: tzinfo,
    problems: list[Unreadable],
) -> list[Period]:
    periods = [Period(BEGINNING, default)]
    before: datetime | None = None
    for index, step in enumerate(scope.stages):
        place = (*at, "stages", index)
        _check_exit(part, step.exit, (*place, "exit"), problems)
        start = _moment(part, step.from_, (*place, "from"), local, problems)
        grace = timedelta()
        if step.grace is not None:
            try:
                grace = duration(step.grace)
            except ValueError as error:
                problems.append(part.problem(f"grace: {error}", *place, "grace"))
            if step.stage is not Stage.ENFORCE:
                problems.append(part.problem("only enforce has a grace period", *place, "grace"))
        if start is None:
            continue
        if before is not None and start <= before:
            problems.append(
                part.problem(f"from {step.from_} is not after the step before it", *place, "from")
            )
        before = start
        if grace:
            # Nothing is denied yet, and everybody sees it.
            stage = max(periods[-1].stage, Stage.WARN, key=RANK.__getitem__)
            if stage is not Stage.ENFORCE:
                periods.append(Period(start, stage, step, index))
                try:
                    start += grace
                except OverflowError:
                    problems.append(part.problem("grace ends after the year 9999", *place, "grace"))
        periods.append(Period(start, step.stage, step, index))
    for one, other in pairwise(periods):
        if other.start < one.start and one.step is not None:
            problems.append(
                part.problem(
                    f"the grace period ends after the next step begins ({scope.name})", *at, "stages"
                )
            )
    return periods


def _existing(
    part: Part[Rollout],
    existing: Existing | None,
    at: tuple[str | int, ...],
    local: tzinfo,
    problems: list[Unreadable],
) -> Grandfathering | None:
    if existing is None:
        return None
    until = _moment(part, existing.until, (*at, "until"), local, problems)
    before = None
    if existing.created_before is not None:
        before = _moment(part, existing.created_before, (*at, "created_before"), local, problems)
    if existing.created_before is None and existing.baseline is None:
        problems.append(part.problem("say what exists already: created_before: DATE, or baseline: FILE", *at))
    return Grandfathering(until, before, existing.baseline) if until is not None else None


def _moment(
    part: Part[Rollout], text: str, at: tuple[str | int, ...], local: tzinfo, problems: list[Unreadable]
) -> datetime | None:
    try:
        return moment(text, local)
    except ValueError as error:
        problems.append(part.problem(f"{at[-1]}: {error}", *at))
        return None


def _check_exit(
    part: Part[Rollout], exit_: Exit | None, at: tuple[str | int, ...], problems: list[Unreadable]
) -> None:
    if exit_ is None:
        return
    for name in ("days", "violations"):
        number = getattr(exit_, name)
        if number is not None and number < 0:
            problems.append(part.problem(f"{name} must not be negative", *at, name))
    try:
        exit_.share  # noqa: B018 - reading it checks it
    except ValueError:
        problems.append(
            part.problem(f"green must be a share such as 95%, and is {exit_.green!r}", *at, "green")
        )
    if exit_.trend is not None and exit_.trend not in TRENDS:
        problems.append(
            part.problem(f"trend must be {' or '.join(TRENDS)}, and is {exit_.trend!r}", *at, "trend")
        )


def assigned(plans: Iterable[Plan], sets: Iterable[PolicySet]) -> tuple[dict[str, Plan], list[Unreadable]]:
    """The plan of each policy that has one, by its id; two that name a policy equally well are a problem.

    A plan that names a policy as it is counts before one with a glob, and that before one by the policy set.
    """
    known = list(plans)
    found: dict[str, Plan] = {}
    problems: list[Unreadable] = []
    for policy_set in sets:
        for policy in policy_set.policies:
            ranked = [(rank, each) for each in known if (rank := _rank(each, policy, policy_set)) is not None]
            if not ranked:
                continue
            best = min(rank for rank, _ in ranked)
            chosen = [each for rank, each in ranked if rank == best]
            found[policy.id] = chosen[0]
            problems += [
                other.part.problem(
                    f"{policy.id} is in two rollouts: this, and {chosen[0].part.location}", "policy"
                )
                for other in chosen[1:]
            ]
    return found, list(dict.fromkeys(problems))


def _rank(plan: Plan, policy: Policy, policy_set: PolicySet) -> int | None:
    rollout = plan.part.value
    globs = globs_of(rollout.policy)
    if policy.id in globs:
        return 0
    if any(has_wildcard(glob) and matches(glob, policy.id) for glob in globs):
        return 1
    return 2 if any(matches(glob, policy_set.name) for glob in globs_of(rollout.policy_set)) else None


def globs_of(globs: Globs | None) -> list[str]:
    """One or several, as a list."""
    return [] if globs is None else [globs] if isinstance(globs, str) else globs


def unmatched(plans: Iterable[Plan], policies: Mapping[str, Plan]) -> list[Plan]:
    """Plans that no policy is in: a name that is written wrong, or a policy that is gone."""
    used = {id(each) for each in policies.values()}
    return [each for each in plans if id(each) not in used]
