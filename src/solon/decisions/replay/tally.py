"""What a replay comes to: how many decisions change, of which policies and teams, and some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from solon.decisions.replay.comparison import Cause, Comparison, Kind, Shift, compared
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Recorded

_SOME: Final = 3
STOPS: Final = frozenset({Kind.DENIED, Kind.FAILS})


@dataclass(frozen=True, slots=True)
class Changed:
    """A decision that would come out differently.

    ``depends`` is what that may hang on, and the log does not have: ``masked values``, ``data.inventory``. Where the
    revisions are those of then, and there is nothing of the kind, it is ``unexplained``.
    """

    id: str
    time_ns: int
    kind: Kind
    was: str
    now: str
    uri: str
    name: str
    namespace: str
    team: str
    depends: Sequence[str]
    unexplained: bool
    shifts: Sequence[Shift]

    @property
    def telling(self) -> list[Shift]:
        """What the policies do differently that have to do with the change."""
        stops = {"deny", "error"}
        if self.kind in STOPS:
            return [shift for shift in self.shifts if shift.now in stops and shift.was not in stops]
        if self.kind is Kind.ALLOWED:
            return [shift for shift in self.shifts if shift.was in stops | {"overridden"}]
        return list(self.shifts)


@dataclass(slots=True)
class Counts:
    """Decisions by what becomes of them, and the subjects of those that are newly stopped or allowed."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    stopped: set[str] = field(default_factory=set)
    allowed: set[str] = field(default_factory=set)
    doubtful: int = 0  # changes that depend on something that the log does not have

    def add(self, kind: Kind, uri: str, *, doubtful: bool) -> None:
        self.kinds[kind] += 1
        self.doubtful += doubtful
        if kind in STOPS:
            self.stopped.add(uri)
        elif kind is Kind.ALLOWED:
            self.allowed.add(uri)


@dataclass(slots=True)
class PolicyCounts:
    """What becomes of the decisions that a policy has a part in.

    ``found`` and ``gone`` count the decisions in which it newly finds something, or no longer does, whatever is done
    about that. ``causes`` are those of the decisions that it newly stops or no longer does.
    """

    denied: int = 0
    allowed: int = 0
    fails: int = 0
    found: int = 0
    gone: int = 0
    subjects: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    causes: Counter[Cause] = field(default_factory=Counter)

    def add(self, shift: Shift, uri: str, team: str) -> None:
        stopped = shift.was in {"deny", "error"}
        self.found += not shift.was and shift.now != "error"
        self.gone += not shift.now and shift.was != "error"
        if shift.now == "error" and shift.was != "error":
            self.fails += 1
        elif shift.now == "deny" and not stopped and shift.was != "overridden":
            self.denied += 1
        elif stopped and shift.now not in {"deny", "error"}:
            self.allowed += 1
        else:
            return
        self.subjects.add(uri)
        self.teams.add(team)
        self.causes[shift.cause] += 1


@dataclass(slots=True)
class Tally:
    """``revisions`` are those of the candidate; ``surroundings`` what its policies read that the log does not have.

    ``examples`` of each kind are kept, the newest, and of each subject one; with 0, of all subjects.
    """

    revisions: frozenset[str]
    examples: int
    surroundings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    decisions: int = 0
    compared: int = 0
    first_ns: int = 0
    last_ns: int = 0
    total: Counts = field(default_factory=Counts)
    teams: dict[str, Counts] = field(default_factory=dict)
    policies: dict[str, PolicyCounts] = field(default_factory=dict)
    masked: int = 0  # decisions with something masked in their input
    on_masked: int = 0  # changes that depend on that
    undone: Counter[str] = field(default_factory=Counter)  # why decisions could not be judged
    undone_ids: dict[str, list[str]] = field(default_factory=dict)  # some of these decisions
    same_revision: int = 0
    unexplained: int = 0
    _kept: dict[Kind, dict[str, Changed]] = field(default_factory=dict)

    def add(self, then: Recorded, now: Verdict | None) -> Changed | None:
        """What changes, where something does."""
        self.decisions += 1
        if now is not None and now.answer and now.answer == then.answer and not then.outcome:
            now = replace(now, problem="")  # there was no answer then either
        problem = now.problem if now is not None else then.problem
        if now is None or problem:
            self.undone[problem] += 1
            some = self.undone_ids.setdefault(problem, [])
            if len(some) < _SOME:
                some.append(then.id)
            return None
        self.compared += 1
        self.first_ns = min(self.first_ns or then.time_ns, then.time_ns)
        self.last_ns = max(self.last_ns, then.time_ns)
        self.masked += bool(then.hidden)
        found = compared(then, now, self.revisions)
        self.same_revision += found.same_revision
        team = now.team or then.team
        changed = None if found.kind is Kind.SAME else self._changed(then, now, found, team)
        doubtful = changed is not None and bool(changed.depends)
        for counts in (self.total, self.teams.setdefault(team, Counts())):
            counts.add(found.kind, then.uri, doubtful=doubtful)
        if changed is None:
            return None
        for shift in found.shifts:
            self.policies.setdefault(shift.policy, PolicyCounts()).add(shift, then.uri, team)
        self.unexplained += changed.unexplained
        self.on_masked += now.doubtful
        self._keep(changed)
        return changed

    def _changed(self, then: Recorded, now: Verdict, found: Comparison, team: str) -> Changed:
        depends = {
            f"data.{name}" for shift in found.shifts for name in self.surroundings.get(shift.policy, ())
        }
        return Changed(
            id=then.id,
            time_ns=then.time_ns,
            kind=found.kind,
            was=then.outcome,
            now=now.outcome,
            uri=then.uri,
            name=then.name,
            namespace=then.namespace,
            team=team,
            depends=(*(["masked values"] if now.doubtful else []), *sorted(depends)),
            unexplained=found.unexplained and not now.doubtful and not depends,
            shifts=found.shifts,
        )

    def _keep(self, changed: Changed) -> None:
        kept = self._kept.setdefault(changed.kind, {})
        known = kept.get(changed.uri)
        if known is not None:
            kept[changed.uri] = max(known, changed, key=_age)
            return
        kept[changed.uri] = changed
        if 0 < 2 * self.examples < len(kept):  # not each time: it takes as long as there are many
            newest = sorted(kept.values(), key=_age, reverse=True)[: self.examples]
            self._kept[changed.kind] = {each.uri: each for each in newest}

    def kept(self, kinds: Iterable[Kind] = Kind) -> list[Changed]:
        """The newest of each kind, the gravest kind first."""
        return [
            each
            for kind in kinds
            for each in sorted(self._kept.get(kind, {}).values(), key=_age, reverse=True)[
                : self.examples or None
            ]
        ]

    def of_kind(self, kind: Kind) -> int:
        return self.total.kinds[kind]

    @property
    def changed(self) -> int:
        return self.compared - self.of_kind(Kind.SAME)

    @property
    def stopped(self) -> int:
        return sum(self.of_kind(kind) for kind in STOPS)


def _age(changed: Changed) -> tuple[int, str]:
    return changed.time_ns, changed.id
