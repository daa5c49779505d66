"""The candidate of a replay: policies and programme, loaded wherever something is judged."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

from solon.cli import cache, config, policies, programme
from solon.cli.config import Found
from solon.cli.errors import Failure, UsageError
from solon.decisions.replay.judging import Answer, Candidate, Judge
from solon.decisions.replay.recorded import document_of
from solon.frameworks import rego_files
from solon.frameworks.gatekeeper.inventory import inventory_of, namespaces_of
from solon.frameworks.policy import Context, PolicySet
from solon.frameworks.rego_files import Dialect
from solon.governance.programme import Inputs, Programme
from solon.governance.times import instant
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import RegoError
from solon.subjects import discover
from solon.subjects.subject import Subject, Unreadable

THEN: Final = "then"
_BUDGET: Final = Budget()


@dataclass(frozen=True, slots=True)
class Load:
    """Loads the candidate; it can be sent to other processes, and finds the same there. Paths are relative to where it runs.

    ``names`` are what the paths of the policies are called in solon.yaml, which rollouts may speak of.
    ``at_ns`` is the time that everything is judged at; None: each decision at its own. ``repository`` is the directory
    of the solon.yaml whose programme holds; empty where none does.
    """

    policies: Sequence[str]
    data: Sequence[str]
    namespaces: Sequence[str]
    all_namespaces: bool
    dialect: Dialect
    inventory: Sequence[str]
    allowed_hosts: frozenset[str]
    timeout: float
    at_ns: int | None
    now_ns: int
    names: Sequence[str] = ()
    repository: str = ""
    for_log: bool = False

    def __call__(self) -> Judge:
        """Raises UsageError, Failure."""
        return Judge(self.candidate())

    def candidate(self) -> Candidate:
        """Raises UsageError, Failure."""
        sets = self.sets()
        around = self._around()
        return Candidate(
            sets,
            self._programme(sets, around),
            self._context(around),
            self._at,
            self._answers(),
            self.for_log,
        )

    def sets(self) -> list[PolicySet]:
        """Raises UsageError, Failure."""
        wanted = policies.Wanted(
            self.policies,
            self.data,
            self.namespaces,
            self.all_namespaces,
            self.dialect,
            names=self.names,
            may_be_none=True,
        )
        return policies.load(wanted)

    def _programme(
        self, sets: Sequence[PolicySet], around: Sequence[Any]
    ) -> Callable[[int, str], Programme | None]:
        """That of a time and a cluster. Raises UsageError, and Failure where something in it is wrong."""
        if not self.repository:
            return lambda _time_ns, _cluster: None
        found = config.find(self.repository)
        assert found is not None
        return _Programmes(found, sets, around, self.now_ns if self.at_ns is None else self.at_ns)

    def _at(self, time_ns: int) -> int:
        return time_ns if self.at_ns is None else self.at_ns

    def _around(self) -> list[Any]:
        """What else exists. Raises Failure where that cannot be read."""
        around: list[Any] = []
        problems = []
        for each in chain.from_iterable(map(_read, discover.find(self.inventory))):
            if isinstance(each, Unreadable):
                problems.append(str(each))
            elif each.kind == "kubernetes.object":
                around.append(each.document)
        if problems:
            raise Failure("\n".join([*problems, "solon: nothing was judged: put the inventory right first"]))
        return around

    def _context(self, around: Sequence[Any]) -> Callable[[int], Context]:
        budget = replace(_BUDGET, seconds=self.timeout)
        held = Context(0, inventory_of(around), namespaces_of(around), budget, self.allowed_hosts)

        def context(now_ns: int) -> Context:
            nonlocal held
            if held.now_ns != now_ns:
                held = replace(held, now_ns=now_ns)
            return held

        return context

    def _answers(self) -> Callable[[str], Answer | None]:
        """What answers the paths of OPA, made when the first is asked about."""
        known: dict[str, Answer | None] = {}
        program: rego.Program | None = None

        def answers(path: str) -> Answer | None:
            nonlocal program
            if path not in known:
                if program is None:
                    files = rego_files.read(self.policies, self.data, self.dialect)
                    program = rego.compile(
                        files.modules, data=files.data, version=files.dialect, cache=cache.of_user()
                    )
                known[path] = self._answer(program, path)
            return known[path]

        return answers

    def _answer(self, program: rego.Program, path: str) -> Answer | None:
        name = document_of(path)
        if not _defines(program, name, [part for part in path.split("/") if part]):
            return None
        try:
            query = program.prepare(name)
        except RegoError:
            return None
        budget = replace(_BUDGET, seconds=self.timeout)
        return lambda document, now_ns: query.evaluate(
            document, budget=budget, now_ns=now_ns, allowed_hosts=self.allowed_hosts
        )


def _read(source: discover.Input | Unreadable) -> Iterable[Subject | Unreadable]:
    return [source] if isinstance(source, Unreadable) else discover.read(source, stdin=lambda _size: b"")


def _defines(program: rego.Program, name: str, parts: Sequence[str]) -> bool:
    """Whether rules or data say something at a path, above or below it."""
    for group in program.groups:
        if group.kind != "function" and (
            group.name == name
            or group.name.startswith((f"{name}.", f"{name}["))
            or name.startswith((f"{group.name}.", f"{group.name}["))
        ):
            return True
    value: Any = program.data
    for part in parts:
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return bool(parts)


class _Programmes:
    """The programme at a time, and in a cluster: the same one from each turning point to the next."""

    def __init__(self, found: Found, sets: Sequence[PolicySet], around: Sequence[Any], now_ns: int) -> None:
        self._found = found
        self._sets = sets
        self._around = programme.Run(
            instant(now_ns),
            exists=around,
            namespaces=dict(namespaces_of(around)),
            cluster=found.config.cluster,
        )
        self._inputs: dict[str, Inputs] = {}
        self._held: dict[tuple[int, str], Programme] = {}
        self.first = programme.read(found, sets, self._around)
        if self.first.problems:
            lines = [*map(str, self.first.problems), "solon: nothing was judged: put this right first"]
            raise Failure("\n".join(lines))
        self._turns = sorted(set(turning_points(self.first)))

    def __call__(self, time_ns: int, cluster: str) -> Programme:
        now = instant(time_ns)
        key = bisect_right(self._turns, now), cluster
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Programme(self._inputs_of(cluster), self._sets, now)
        return held

    def _inputs_of(self, cluster: str) -> Inputs:
        if cluster not in self._inputs:
            around = replace(self._around, cluster=cluster or self._found.config.cluster)
            self._inputs[cluster] = replace(
                self.first.inputs, ownership=programme.ownership(self._found, around)
            )
        return self._inputs[cluster]


def turning_points(plan: Programme) -> Iterator[datetime]:
    """The times at which a programme becomes another one."""
    for waiver in plan.waivers.exemptions:
        yield from (waiver.created, waiver.expires)
    for each in plan.plans:
        for track in (*each.tracks, each.rest):
            yield from (period.start for period in track.periods)
            if track.existing is not None:
                yield track.existing.until


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user said of the candidate."""

    policies: Sequence[str]
    data: Sequence[str]
    namespaces: Sequence[str]
    all_namespaces: bool
    dialect: Dialect
    inventory: Sequence[str]
    allowed_hosts: frozenset[str]
    timeout: float
    as_of: str
    programme: bool


def load_of(asked: Asked, now_ns: int, *, for_log: bool = False) -> Load:
    """Raises UsageError."""
    found = _repository(asked.policies)
    named = [] if found is not None and _is_repository(asked.policies) else list(asked.policies)
    settings = found.config if found is not None else config.Config()
    if found is None and not named and not os.path.isdir("policy"):
        raise UsageError(
            "no policies: name the candidate with -p DIR, or list them under `policies:` in solon.yaml"
        )
    paths = found.paths if found is not None else list
    return Load(
        policies=named or paths(settings.policies or ["policy"]),
        data=asked.data or paths(settings.data),
        namespaces=asked.namespaces or settings.namespaces,
        all_namespaces=asked.all_namespaces,
        dialect=asked.dialect,
        inventory=asked.inventory or paths(settings.inventory),
        allowed_hosts=asked.allowed_hosts,
        timeout=asked.timeout,
        at_ns=_time(asked.as_of, found, now_ns),
        now_ns=now_ns,
        names=(settings.policies or ["policy"]) if found is not None else (),
        repository=os.path.relpath(found.directory) if found is not None and asked.programme else "",
        for_log=for_log,
    )


def _is_repository(named: Sequence[str]) -> bool:
    """Whether the candidate is a policy repository of its own: another checkout."""
    return len(named) == 1 and os.path.isfile(os.path.join(named[0], config.NAME))


def _repository(named: Sequence[str]) -> Found | None:
    return config.find(named[0] if _is_repository(named) else os.getcwd())


def _time(as_of: str, found: Found | None, now_ns: int) -> int | None:
    if as_of == THEN:
        return None
    if as_of == "now":
        return now_ns
    return int(programme.moment_of(as_of, found).timestamp()) * 1_000_000_000
