"""Observations: what each policy would have denied in each scope of its rollout, at one time.

They are kept as JSON lines, one an observation, and are what exit criteria and trends are read from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Final

import msgspec

from solon.frameworks.policy import Finding, Stage
from solon.governance.programme import Programme
from solon.governance.rollouts.rollout import Plan, Track
from solon.governance.scope import Scope, Traits
from solon.subjects import terraform
from solon.subjects.subject import Location, Subject, Unreadable

SCHEMA: Final = "solon.observation/v1"
MAX_LINE: Final = 16 << 20
MAX_DAYS: Final = 1_000  # as many are kept in memory


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one policy found in one scope.

    ``violations`` would be denied where the scope enforced; ``subjects`` and ``units`` have some. What a waiver
    covers or ``existing`` spares is counted apart; ``errors`` are failures of the policy.
    """

    violations: int = 0
    subjects: int = 0
    units: int = 0
    waived: int = 0
    existing: int = 0
    errors: int = 0


class ScopeSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One scope: an empty name is that of subjects in none. ``found`` leaves out policies that found nothing.

    ``digest`` is of the selector: under another one, the numbers are of something else. ``units`` are the teams,
    or the namespaces where the team is not known.
    """

    name: str
    digest: str
    stage: Stage
    subjects: int = 0
    units: int = 0
    found: dict[str, Found] = {}


class RolloutSeen(msgspec.Struct, frozen=True):
    """One rollout, its file relative to solon.yaml, and the policies that it names."""

    file: str
    policies: list[str]
    scopes: list[ScopeSeen]


class Observation(msgspec.Struct, frozen=True):
    """One look at everything. ``waivers`` are the findings that each one covered."""

    schema: str
    time: datetime
    revisions: dict[str, str]
    subjects: int
    unowned: int
    rollouts: list[RolloutSeen]
    waivers: dict[str, int]


def digest(scope: Scope) -> str:
    """What stays the same as long as the selector does."""
    return hashlib.sha256(msgspec.json.encode(scope, order="deterministic")).hexdigest()[:12]


def unit(traits: Traits) -> str:
    return traits.team or f"namespace {traits.namespace}"


# --- making one


@dataclass(slots=True)
class _Count:
    violations: int = 0
    waived: int = 0
    existing: int = 0
    errors: int = 0
    subjects: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)

    def add(self, finding: Finding, traits: Traits) -> None:
        ruling = finding.ruling
        if finding.error:
            self.errors += 1
        elif ruling is not None and ruling.waiver:
            self.waived += 1
        elif ruling is not None and ruling.existing_until is not None:
            self.existing += 1
        else:
            self.violations += 1
            self.subjects.add(traits.uri)
            self.units.add(unit(traits))

    def total(self) -> Found:
        return Found(
            self.violations, len(self.subjects), len(self.units), self.waived, self.existing, self.errors
        )


@dataclass(slots=True)
class _Tally:
    """``subjects`` and ``units`` are those of the scope; what was found is by policy."""

    subjects: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    found: dict[str, _Count] = field(default_factory=dict)


class Tally:
    """Counts while subjects go by."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self._named: dict[int, tuple[Plan, list[str]]] = {}
        for policy, plan in programme.by_policy.items():
            self._named.setdefault(id(plan), (plan, []))[1].append(policy)
        self._tallies: dict[int, _Tally] = {}
        self._waivers: dict[str, int] = {}
        self._subjects: set[str] = set()
        self._unowned: set[str] = set()

    def add(self, subject: Subject, findings: Iterable[Finding]) -> None:
        """``findings``: as the programme has ruled on them."""
        if subject.kind != terraform.PLAN:  # its resources are subjects of their own
            self._place(self._programme.traits(subject))
        for finding in findings:
            if finding.excepted:
                continue
            if finding.ruling is not None and finding.ruling.waiver:
                self._waivers[finding.ruling.waiver] = self._waivers.get(finding.ruling.waiver, 0) + 1
            traits = self._programme.traits(finding.subject, finding.path)
            self._place(traits)
            track = self._programme.track(finding.policy.id, traits)
            if track is not None:
                count = self._tally(track).found.setdefault(finding.policy.id, _Count())
                count.add(finding, traits)

    def _place(self, traits: Traits) -> None:
        if traits.uri in self._subjects:
            return
        self._subjects.add(traits.uri)
        if not traits.team and not traits.owner:
            self._unowned.add(traits.uri)
        for plan, _ in self._named.values():
            tally = self._tally(plan.track(traits))
            tally.subjects.add(traits.uri)
            tally.units.add(unit(traits))

    def _tally(self, track: Track) -> _Tally:
        found = self._tallies.get(id(track))
        if found is None:
            found = self._tallies[id(track)] = _Tally()
        return found

    def observation(self, revisions: Mapping[str, str], root: str) -> Observation:
        """``root`` is the directory of solon.yaml."""
        programme = self._programme
        return Observation(
            SCHEMA,
            programme.now.replace(microsecond=0),
            dict(revisions),
            len(self._subjects),
            len(self._unowned),
            [
                RolloutSeen(
                    relative(plan.file, root),
                    sorted(policies),
                    [self._seen(t) for t in (*plan.tracks, plan.rest)],
                )
                for plan, policies in self._named.values()
            ],
            dict(sorted(self._waivers.items())),
        )

    def _seen(self, track: Track) -> ScopeSeen:
        tally = self._tallies.get(id(track), _Tally())
        return ScopeSeen(
            track.name,
            digest(track.scope),
            track.at(self._programme.now).stage,
            len(tally.subjects),
            len(tally.units),
            {policy: count.total() for policy, count in sorted(tally.found.items())},
        )


def relative(file: str, root: str) -> str:
    return os.path.relpath(file, root or ".").replace(os.sep, "/")


# --- keeping them


def append(path: str, observation: Observation) -> bool:
    """Write one down for good: whole, one writer after the other. True where the last line was torn.

    Raises OSError. A line that a crash left unfinished is ended first, so that it spoils no other.
    """
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    line = msgspec.json.encode(observation) + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        rest = memoryview(b"\n" + line if torn else line)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return torn


def read(path: str) -> Iterator[Observation | Unreadable]:
    """The observations of a file, in its order; a line that is none is said, and passed over. Raises OSError.

    A file that is not there holds none.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below; only the opening may fail with FileNotFoundError
    except FileNotFoundError:
        return
    with file:
        number = 0
        while line := file.readline(MAX_LINE):
            number += 1
            whole = line.endswith(b"\n")
            if not whole and len(line) == MAX_LINE:
                while not line.endswith(b"\n") and (line := file.readline(MAX_LINE)):
                    pass
                yield Unreadable(Location(path, number), f"longer than {MAX_LINE >> 20} MiB, and left out")
            elif line.strip():
                yield _decoded(line, Location(path, number), whole)


def _decoded(line: bytes, place: Location, whole: bool) -> Observation | Unreadable:
    try:
        found = msgspec.json.decode(line, type=Observation)
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"no observation, and left out: {error}" if whole else "ends in the middle, and is left out"
        return Unreadable(place, problem)
    if found.schema != SCHEMA:
        return Unreadable(place, f"unknown schema {found.schema!r}, and left out", f"this is {SCHEMA}")
    if found.time.tzinfo is None:
        return Unreadable(place, "its time has no zone, and it is left out")
    return found


# --- reading them


@dataclass(frozen=True, slots=True)
class Seen:
    """What one policy found in one scope, and how large that was."""

    time: datetime
    stage: Stage
    subjects: int
    units: int
    found: Found

    @property
    def green(self) -> float:
        """The share of units without a violation; 1 where there are none."""
        return 1 - min(self.found.units, self.units) / self.units if self.units else 1.0


def by_day(found: Iterable[Observation], local: tzinfo, until: datetime) -> list[Observation]:
    """The last observation of each day of that time zone, in order of time; none from later than ``until``."""
    days: dict[date, Observation] = {}
    for each in found:
        if each.time > until:
            continue
        day = each.time.astimezone(local).date()
        if day not in days or days[day].time <= each.time:
            days[day] = each
        if len(days) > MAX_DAYS:
            del days[min(days)]
    return [days[day] for day in sorted(days)]


class History:
    """The observations of a repository, by policy and scope."""

    def __init__(self, observations: Sequence[Observation], root: str) -> None:
        self.observations = observations
        self._root = root
        self._seen: dict[tuple[str, str, str], list[tuple[Observation, RolloutSeen, ScopeSeen]]] = {}
        for observation in observations:
            for rollout in observation.rollouts:
                for scope in rollout.scopes:
                    key = (rollout.file, scope.name, scope.digest)
                    self._seen.setdefault(key, []).append((observation, rollout, scope))

    def of(self, policy: str, track: Track) -> list[Seen]:
        """What a policy found in a scope as it is selected now, in order of time."""
        key = (relative(track.rollout, self._root), track.name, digest(track.scope))
        return [
            Seen(
                observation.time.astimezone(UTC),
                scope.stage,
                scope.subjects,
                scope.units,
                scope.found.get(policy, Found()),
            )
            for observation, rollout, scope in self._seen.get(key, ())
            if policy in rollout.policies
        ]


def last_used(observations: Iterable[Observation]) -> dict[str, datetime]:
    """When each waiver last covered something."""
    used: dict[str, datetime] = {}
    for observation in observations:
        for waiver, count in observation.waivers.items():
            if count and (waiver not in used or used[waiver] < observation.time):
                used[waiver] = observation.time
    return used
