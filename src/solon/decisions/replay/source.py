"""Which events are replayed, and their bytes, from the warehouse and the segments that are not in it yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from solon.decisions.log import claims, reading, segment
from solon.decisions.log.leaf import Kind
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.replay.recorded import Recorded, recorded
from solon.decisions.warehouse.columns import AUDIT
from solon.decisions.warehouse.query import Filters, condition
from solon.decisions.warehouse.session import Session, Window


class Which(StrEnum):
    """``DEPLOYED``: of each subject the newest decision that let it pass. ``LATEST``: the newest of each."""

    ALL = "all"
    LATEST = "latest"
    DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class Selection:
    """What is replayed. ``at_their_time``: each is judged as of its own time, so that no two inputs are the same."""

    filters: Filters
    which: Which = Which.ALL
    at_their_time: bool = False


_COLUMNS: Final = "event, team, subject"
_AHEAD: Final = 200  # events may be large: a plan has megabytes


def events(session: Session, selection: Selection) -> Iterator[tuple[Recorded, bytes]]:
    """The decisions, as the session has them. Raises LogError."""
    sql, parameters = _selected(selection)
    for event, team, subject in session.ask(sql, parameters, ahead=_AHEAD).rows:
        yield (
            recorded(event, team=team or "", uri=subject or "", at_its_time=selection.at_their_time),
            event.encode("utf-8", "surrogatepass"),
        )


def count(session: Session, selection: Selection) -> int:
    """How many decisions there are. Raises LogError."""
    condition_, parameters = _condition(selection)
    if selection.which is Which.ALL:
        return int(session.all(f"SELECT count(*) FROM decisions WHERE {condition_}", parameters)[0][0])
    sql, parameters = _newest(selection)
    return int(session.all(f"SELECT count(*) FROM ({sql})", parameters)[0][0])


def _selected(selection: Selection) -> tuple[str, list[Any]]:
    if selection.which is Which.ALL:
        condition_, parameters = _condition(selection)
        return f"SELECT {_COLUMNS} FROM decisions WHERE {condition_}", parameters
    # The keys first: what is sorted is small, and events are read for what is wanted alone.
    keys, parameters = _newest(selection)
    wanted = f'(shard, "index") IN (SELECT (shard, "index") FROM ({keys}))'
    return f"SELECT {_COLUMNS} FROM decisions WHERE {wanted}", parameters


def _newest(selection: Selection) -> tuple[str, list[Any]]:
    """Shard and index of the newest of each subject; of what it was then, the filters must hold."""
    passing = "AND allow" if selection.which is Which.DEPLOYED else ""
    condition_, parameters = _condition(selection)
    order = 'PARTITION BY subject ORDER BY time DESC, shard DESC, "index" DESC'
    about = f"subject <> '' AND coalesce(path, '') <> '{AUDIT}' {passing}"
    ranked = f"SELECT *, row_number() OVER ({order}) AS place FROM decisions WHERE {about}"
    return f'SELECT shard, "index" FROM ({ranked}) WHERE place = 1 AND {condition_}', parameters


def _condition(selection: Selection) -> tuple[str, list[Any]]:
    """What must hold. Audits look once more at what is replayed already; they are left out unless they are asked for."""
    said, parameters = condition(selection.filters)
    audits = "" if selection.filters.paths else f" AND coalesce(path, '') <> '{AUDIT}'"
    return f"({said}){audits}", parameters


# --- what is gone


def erased(log: Log, session: Session) -> int:
    """How many decisions of the session's time were erased. What they were about cannot be known.

    The session is one with records. Raises LogError, OSError.
    """
    gone: dict[str, set[int]] = {}
    for (event,) in session.all("SELECT event FROM records WHERE kind = 'erasure'"):
        try:
            for shard, first, end in claims.runs(claims.read(event.encode())):
                gone.setdefault(shard, set()).update(range(first, end))
        except ValueError:
            continue
    places = {place.name: place for place in log.shards()}
    return sum(
        _within(places[shard], sorted(indexes), session.window)
        for shard, indexes in gone.items()
        if shard in places
    )


def _within(place: Place, indexes: Sequence[int], window: Window) -> int:
    """How many of these entries are decisions of that time; each segment is read once."""
    found = at = 0
    firsts = [first for first, _ in segment.listed(place.segments)]
    for following in [*firsts[1:], 1 << 63]:
        end = bisect_left(indexes, following, at)
        if end == at:
            continue
        wanted = set(indexes[at:end])
        for stored in reading.entries(place.segments, indexes[at], indexes[end - 1] + 1):
            time_us = stored.says.time_ns // 1_000
            found += (
                stored.index in wanted and stored.says.kind is Kind.DECISION and window.has(time_us, time_us)
            )
        at = end
    return found
