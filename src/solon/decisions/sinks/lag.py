"""How far sinks are behind the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.decisions.log import reading
from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.sinks import position
from solon.decisions.sinks.position import Mark
from solon.decisions.sinks.settings import SinkSettings


@dataclass(frozen=True, slots=True)
class Lag:
    """``behind`` entries are durable and not shipped, the oldest committed at ``oldest_ns``.

    ``problem`` is why nothing goes on, since ``since``; ``refused`` counts what the receiver would not take.
    """

    sink: str
    to: str
    behind: int
    oldest_ns: int | None
    shipped: int
    refused: int
    problem: str
    since: str


def lag(log: Log, sinks: Sequence[SinkSettings] = ()) -> list[Lag]:
    """Of every sink that was shipped to, and of those given, in the order of their names."""
    given = {sink.name: str(sink) for sink in sinks}
    out = []
    for name in sorted({*given, *position.names(log.directory)}):
        try:
            at = position.read(log.directory, name)
            behind, oldest = _behind(log, at)
        except (LogError, OSError) as error:
            out.append(Lag(name, given.get(name, ""), 0, None, 0, 0, str(error), ""))
            continue
        to = given.get(name, at.to)
        out.append(Lag(name, to, behind, oldest, at.shipped, at.refused, at.problem, at.since))
    return out


def _behind(log: Log, at: position.Position) -> tuple[int, int | None]:
    """Raises LogError, OSError."""
    behind = 0
    times = []
    for place in log.shards():
        mark = at.shards.get(place.name, Mark(0))
        size = reading.size(place.segments)
        if size > mark.next:
            behind += size - mark.next
            times += [each.time_ns for each in reading.entries(place.segments, mark.next, mark.next + 1)]
    return behind, min(times, default=None)
