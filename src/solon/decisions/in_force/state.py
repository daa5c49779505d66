"""From entries to what was in force at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TypeVar

from solon.decisions.in_force.events import Recorded
from solon.decisions.in_force.parts import (
    SETTINGS,
    ActiveRollout,
    ActiveSet,
    ActiveSettings,
    ActiveWaiver,
    Part,
    TokenEvent,
    digest,
)
from solon.governance.breakglass.cases import Case, fold
from solon.governance.times import instant

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class State:
    """What was in force at a place. ``entries`` are those that say so, by the name of the part; ``last`` is the newest.

    ``events`` are those of the break-glass ledger until then.
    """

    place: str
    entries: Mapping[str, Recorded]
    last: Recorded
    events: tuple[TokenEvent, ...] = ()

    @property
    def parts(self) -> dict[str, Part]:
        return {key: each.said.part for key, each in self.entries.items() if each.said.part is not None}

    @property
    def digest(self) -> str:
        return digest(self.parts)

    @property
    def complete(self) -> bool:
        """Whether all is there that was written with the newest entry."""
        return self.digest == self.last.said.programme

    @property
    def sets(self) -> list[ActiveSet]:
        return list(self._all(ActiveSet))

    @property
    def rollouts(self) -> list[ActiveRollout]:
        return list(self._all(ActiveRollout))

    @property
    def waivers(self) -> list[ActiveWaiver]:
        return list(self._all(ActiveWaiver))

    @property
    def settings(self) -> ActiveSettings:
        return next(self._all(ActiveSettings), ActiveSettings())

    def _all(self, kind: type[P]) -> Iterator[P]:
        return (part for _, part in sorted(self.parts.items()) if isinstance(part, kind))

    @property
    def cases(self) -> list[Case]:
        """The tokens, each with what had happened to it."""
        cases, _ = fold(enumerate(self.events))
        return list(cases.values())

    def entry(self, key: str) -> Recorded:
        return self.entries[key]

    @property
    def settings_entry(self) -> Recorded | None:
        return self.entries.get(SETTINGS)


@dataclass(slots=True)
class _Folding:
    entries: dict[str, Recorded] = field(default_factory=dict)
    last: Recorded | None = None

    def add(self, each: Recorded) -> None:
        if each.said.part is None:
            return
        self.last = each
        if each.said.change == "removed":
            self.entries.pop(each.said.key, None)
        else:
            self.entries[each.said.key] = each

    def state(self, place: str, events: Iterable[TokenEvent]) -> State | None:
        return None if self.last is None else State(place, dict(self.entries), self.last, tuple(events))


def ordered(entries: Iterable[Recorded]) -> list[Recorded]:
    return sorted(entries, key=lambda each: (each.time_ns, each.shard, each.index))


def places(entries: Iterable[Recorded]) -> list[str]:
    """Where something was ever recorded, in order."""
    return sorted({each.said.place for each in entries})


def as_of(entries: Iterable[Recorded], time_ns: int, place: str) -> State | None:
    """What was in force at a place at that time; None where nothing was recorded by then.

    Of the break-glass ledger, what had happened by then, also where it was recorded later.
    """
    own = [each for each in entries if each.said.place == place]
    folding = _Folding()
    for each in ordered(own):
        if each.time_ns > time_ns:
            break
        folding.add(each)
    return folding.state(place, _events(own, instant(time_ns)))


def with_digest(entries: Iterable[Recorded], wanted: str, place: str, time_ns: int) -> State | None:
    """The newest state that has this digest, of those until that time: the one that a decision names.

    Where there is none until then, the first behind it: a clock may have gone back.
    """
    own = [each for each in entries if each.said.place == place]
    folding, found = _Folding(), None
    for when, written in groupby(ordered(own), key=lambda each: each.time_ns):
        if when > time_ns and found is not None:
            break
        for each in written:
            folding.add(each)
        if folding.last is not None and folding.last.said.programme == wanted:
            state = folding.state(place, ())
            found = state if state is not None and state.digest == wanted else found
    if found is None:
        return None
    return State(place, found.entries, found.last, tuple(_events(own, instant(time_ns))))


def _events(entries: Iterable[Recorded], at: datetime) -> Iterator[TokenEvent]:
    """The events of the ledger by then, each once, in the order in which they happened."""
    known: dict[str, TokenEvent] = {}
    for each in entries:
        event = each.said.breakglass
        if event is not None and event.at <= at:
            known.setdefault(each.said.key, event)
    order = {"Opened": 0, "Used": 1, "Closed": 2}
    yield from sorted(known.values(), key=lambda event: (event.at, order[type(event).__name__]))
