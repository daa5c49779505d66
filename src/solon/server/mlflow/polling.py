"""Detects: what is live in the registry, held against what was let pass, and what would put it right. Pure functions.

MLflow tells of a change when it is made, may lose what it tells, and does not tell of stages. So Solon looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import msgspec

from solon.decisions.releases import Answer
from solon.server.mlflow.governed import Going, Way

NO_STAGE: Final = "None"


class Seen(msgspec.Struct, frozen=True):
    """What was live at a look, and whether it was let pass."""

    name: str
    version: str
    way: Way
    by: str
    passed: bool

    @property
    def going(self) -> Going:
        return Going(self.name, self.version, self.way, self.by)


class Memory(msgspec.Struct, frozen=True):
    """The last look. ``last`` is the version that was last live by an alias, and let pass; its keys are JSON."""

    schema: Literal["solon.mlflow.watch/v1"]
    live: list[Seen]
    last: dict[str, str] = {}


class Departure(StrEnum):
    """``new``: it went live and was not let pass. ``lapsed``: it was let pass once. ``known``: so it was at the last look."""

    NEW = "new"
    LAPSED = "lapsed"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Violation:
    """A version that is live and may not be."""

    going: Going
    departure: Departure
    because: str
    decision_id: str = ""
    owner: str = ""


class Step(StrEnum):
    SET_ALIAS = "set alias"
    DELETE_ALIAS = "delete alias"
    MOVE = "move"
    DELETE_VERSION = "delete version"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change of the registry. ``by`` is the alias or the stage it is about; ``version`` what it is set for."""

    step: Step
    name: str
    version: str
    by: str = ""

    def __str__(self) -> str:
        match self.step:
            case Step.SET_ALIAS:
                return f"the alias {self.by} of {self.name} is set back to version {self.version}"
            case Step.DELETE_ALIAS:
                return f"the alias {self.by} of {self.name} is taken away: no version that was let pass had it before"
            case Step.MOVE:
                return f"version {self.version} of {self.name} is moved to the stage {self.by}"
            case Step.DELETE_VERSION:
                return f"version {self.version} of {self.name} is taken out of the registry; its files stay"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found, and what to remember of it."""

    violations: Sequence[Violation]
    memory: Memory


def compare(answers: Mapping[Going, Answer], untold: Iterable[Going], before: Memory | None) -> Look:
    """What is live, with whether it may be, against the last look; None for the first, at which nothing is new.

    ``untold`` is live, and nobody can tell whether it may be: that stays as it was remembered.
    """
    seen = before.live if before is not None else []
    known = {each.going: each.passed for each in seen}
    last = dict(before.last) if before is not None else {}
    unsure = frozenset(untold)
    violations, live = [], [each for each in seen if each.going in unsure]
    for going, answer in sorted(answers.items()):
        live.append(Seen(going.name, going.version, going.way, going.by, answer.passed))
        if answer.passed:
            if going.way is Way.ALIAS:
                last[key(going)] = going.version
            continue
        passed = known.get(going)
        if before is None or passed is False:
            departure = Departure.KNOWN
        else:
            departure = Departure.NEW if passed is None else Departure.LAPSED
        said = answer.attestation
        decision, owner = (said.decision_id, said.source.get("owner", "")) if said is not None else ("", "")
        violations.append(Violation(going, departure, answer.because, decision, owner))
    return Look(violations, Memory("solon.mlflow.watch/v1", live, last))


def remedies(
    violation: Violation, before: Memory | None, now: Iterable[Going], passes: Callable[[str, str], bool]
) -> list[Remedy]:
    """What undoes a change: nothing where there was none since the last look.

    ``passes`` says whether a version may go live under a name now.
    """
    if violation.departure is not Departure.NEW or before is None:
        return []
    going = violation.going
    if going.way is Way.NAME:
        return [Remedy(Step.DELETE_VERSION, going.name, going.version)]
    if going.way is Way.ALIAS:
        last = before.last.get(key(going), "")
        if last and last != going.version and passes(going.name, last):
            return [Remedy(Step.SET_ALIAS, going.name, last, going.by)]
        return [Remedy(Step.DELETE_ALIAS, going.name, going.version, going.by)]
    left = {(each.name, each.version, each.by) for each in now}
    back = [
        Remedy(Step.MOVE, seen.name, seen.version, seen.by)
        for seen in before.live
        if seen.way is Way.STAGE
        and (seen.name, seen.by) == (going.name, going.by)
        and seen.passed
        and (seen.name, seen.version, seen.by) not in left
        and passes(seen.name, seen.version)
    ]
    return [Remedy(Step.MOVE, going.name, going.version, NO_STAGE), *back]


def key(going: Going) -> str:
    """An alias of a registered model, as a key of JSON."""
    return msgspec.json.encode([going.name, going.by]).decode()
