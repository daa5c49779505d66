"""What commands about the programme have in common: the repository, its policies, and what is judged by them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import chain

from solon.cli import check, config, policies, programme
from solon.cli.errors import Failure, UsageError
from solon.decisions.decision import Decision
from solon.frameworks.policy import PolicySet
from solon.governance import times
from solon.governance.programme import Programme
from solon.governance.rollouts import observations
from solon.governance.rollouts.observations import History, Observation, Tally
from solon.subjects.subject import Unreadable

HISTORY = ".solon/history.jsonl"


def clock() -> int:
    """Nanoseconds since 1970; tests replace it."""
    return time.time_ns()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command that judges is given. ``as_of`` is a date, or nothing for now."""

    paths: list[str] = field(default_factory=list)
    inventory: list[str] = field(default_factory=list)
    cluster: str = ""
    environment: str = ""
    as_of: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    timeout: float = 10.0
    max_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Governed:
    """A repository, its programme at one time, and the decisions on what was given, if anything was."""

    found: config.Found
    sets: Sequence[PolicySet]
    programme: Programme
    decisions: Sequence[Decision] = ()
    unreadable: Sequence[Unreadable] = ()

    @property
    def now(self) -> datetime:
        return self.programme.now

    @property
    def local(self) -> tzinfo:
        return self.programme.inputs.local

    @property
    def history(self) -> str:
        return self.found.paths([self.found.config.history or HISTORY])[0]

    def observation(self) -> Observation:
        """What the decisions come to."""
        tally = Tally(self.programme)
        for decision in self.decisions:
            tally.add(decision.subject, decision.findings)
        return tally.observation({each.name: each.revision for each in self.sets}, self.found.directory)


def judged(asked: Asked) -> Governed:
    """The decisions on the subjects behind paths, as `solon check` has them. Raises UsageError, Failure."""
    found, now_ns = repository(), clock()
    options = check.configured(_options(asked))
    sets = policies.load(check.wanted(options))
    subjects, around, unreadable = check.gathered(options)
    context = check.context_of(subjects, around, options, now_ns)
    plan = check.programme_of(found, sets, around, context, options)
    assert plan is not None
    decisions = list(check.judged(sets, subjects, context, plan))
    return Governed(found, sets, plan, decisions, unreadable)


def read(as_of: str | None) -> Governed:
    """The programme alone. Raises UsageError, Failure."""
    found = repository()
    options = check.configured(_options(Asked(as_of=as_of)))
    sets = policies.load(check.wanted(options))
    now = check.time_of(options, found, clock())
    return Governed(found, sets, programme.read(found, sets, programme.Run(now)))


def repository() -> config.Found:
    """Raises UsageError where there is none."""
    found = config.find(os.getcwd())
    if found is None:
        raise UsageError("no solon.yaml here or above: `solon init` writes one")
    return found


def _options(asked: Asked) -> check.Options:
    return check.Options(
        paths=asked.paths,
        inventory=asked.inventory,
        allowed_hosts=asked.allowed_hosts,
        timeout=asked.timeout,
        max_bytes=asked.max_bytes,
        quiet=True,
        as_of=asked.as_of,
        cluster=asked.cluster,
        environment=asked.environment,
    )


def sound(governed: Governed, doing: str) -> None:
    """Raises Failure where something could not be read: what is made of the rest would be wrong, and look right."""
    problems = [*governed.programme.problems, *governed.unreadable]
    if problems:
        lines = [*map(str, problems), f"solon: {doing}: put this right first"]
        raise Failure("\n".join(lines))


def history_of(governed: Governed, extra: Sequence[Observation] = ()) -> tuple[History, list[Unreadable]]:
    """What was observed until now, the last of each day, and the lines that are wrong. Raises UsageError."""
    problems: list[Unreadable] = []

    def sound_ones() -> Iterator[Observation]:
        for each in observations.read(governed.history):
            if isinstance(each, Unreadable):
                problems.append(each)
            else:
                yield each

    try:
        days = observations.by_day(chain(sound_ones(), extra), governed.local, governed.now)
    except OSError as error:
        raise UsageError(f"{governed.history}: {(error.strerror or str(error)).lower()}") from None
    return History(days, governed.found.directory), problems


def told(text: str, local: tzinfo) -> datetime:
    """A time that a user gave. Raises UsageError."""
    try:
        return times.moment(text, local)
    except ValueError as error:
        raise UsageError(str(error)) from None
