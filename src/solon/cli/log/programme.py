"""What a command is about to judge with, for the log: recorded before anything is judged."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from solon.cli.breakglass.repository import actor, git, repository
from solon.cli.config import Found
from solon.cli.errors import UsageError
from solon.decisions.in_force import recording
from solon.decisions.in_force.events import Author, Changed
from solon.decisions.in_force.parts import PLACE, ActiveSettings, TokenEvent
from solon.decisions.in_force.present import Present, events_of, present
from solon.decisions.log.leaf import Entry
from solon.decisions.log.store import Log
from solon.frameworks.policy import PolicySet
from solon.governance.breakglass import ledger
from solon.governance.breakglass.cases import Used
from solon.governance.breakglass.token import Refused
from solon.governance.programme import Programme
from solon.governance.times import period

VARIABLE = "SOLON_PLACE"


@dataclass(frozen=True, slots=True)
class Where:
    """``named`` is the place that a command was given; ``environment`` and ``cluster`` are what it judges for.

    ``via`` is the way in, where it is not the command line: the same policies may mean something else there.
    """

    named: str = ""
    environment: str = ""
    cluster: str = ""
    via: str = ""
    posture: str = "closed"


def place_of(where: Where, found: Found | None) -> str:
    """The place that is judged at, for the log. Raises UsageError."""
    said = found.log().place if found is not None else ""
    derived = "/".join(part for part in (where.environment, where.cluster, where.via) if part)
    place = where.named or os.environ.get(VARIABLE, "") or said or derived or PLACE
    if problem := recording.place_problem(place):
        raise UsageError(f"--place {problem}")
    return place


@dataclass(frozen=True, slots=True)
class InForce:
    """What is judged with, as it was recorded."""

    present: Present
    root: str
    cluster: str = ""

    @property
    def stamp(self) -> dict[str, str]:
        """What each decision says of it."""
        stamp = {"place": self.present.place, "digest": self.present.digest}
        return {**stamp, "cluster": self.cluster} if self.cluster else stamp

    @property
    def problems(self) -> list[str]:
        """The files of the programme that could not be used."""
        return [
            problem
            for part in self.present.parts.values()
            if isinstance(part, ActiveSettings)
            for problem in part.problems
        ]

    def record(self, log: Log, entries: Sequence[Entry] = (), uses: Sequence[Used] = ()) -> list[Changed]:
        """Append what changed, then these entries. Raises LogError."""
        now = replace(self.present, tokens=[*self.present.tokens, *uses]) if uses else self.present
        return recording.record(log, now, author=lambda: author(self.root, os.environ), entries=entries)


def in_force(
    found: Found | None, sets: Sequence[PolicySet], programme: Programme | None, where: Where
) -> InForce:
    """What is about to be judged with. Raises UsageError."""
    place = place_of(where, found)
    if found is None:
        return InForce(present(place, sets, None, posture=where.posture), "", where.cluster)
    tokens, problems = _ledger(found)
    now = present(
        place,
        sets,
        programme,
        root=found.directory,
        timezone=found.config.timezone,
        posture=where.posture,
        longest_breakglass=period(found.config.breakglass.longest),
        tokens=tokens,
        problems=problems,
    )
    return InForce(now, found.directory, where.cluster)


def _ledger(found: Found) -> tuple[list[TokenEvent], list[str]]:
    """What happened to break-glass tokens; or why that is not known."""
    try:
        book = ledger.read(repository(found).ledger).sound
    except (OSError, Refused) as error:
        return [], [f"the break-glass ledger: {error}"]
    return events_of(book.cases.values()), []


def author(root: str, environ: Mapping[str, str]) -> Author:
    """Who runs this, and the commit that the policies are of, where they are in git."""
    commit = (git(root or ".", "rev-parse", "--verify", "--quiet", "HEAD") or b"").decode(errors="replace")
    return Author(actor(environ), commit.strip())
