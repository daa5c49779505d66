"""How the log itself is: what is durable, signed, witnessed and shipped, and how far each of them is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.decisions.log import reading, witness
from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.sinks import lag
from solon.decisions.sinks.lag import Lag
from solon.decisions.sinks.settings import SinkSettings


@dataclass(frozen=True, slots=True)
class Witnessed:
    """``behind`` checkpoints of the meta-log a witness does not have; ``sent_ns`` is when it took one, 0 for never."""

    witness: str
    behind: int
    sent_ns: int
    failures: int


@dataclass(frozen=True, slots=True)
class Health:
    """``damaged`` counts shards whose checkpoint cannot be read; ``committed_ns`` is 0 where there are no entries."""

    entries: int
    signed: int
    damaged: int
    committed_ns: int
    witnesses: Sequence[Witnessed]
    sinks: Sequence[Lag]


def health(log: Log, sinks: Sequence[SinkSettings] = ()) -> Health:
    """Raises LogError, OSError."""
    entries = signed = damaged = committed = 0
    for place in log.shards():
        size = reading.size(place.segments)
        entries += size
        try:
            checkpoint = place.checkpoint(log.key)
            signed += checkpoint.size if checkpoint is not None else 0
        except LogError:
            damaged += 1
        if size:
            last = next(iter(reading.entries(place.segments, size - 1)), None)
            committed = max(committed, last.time_ns if last is not None else 0)
    meta = log.meta.checkpoint(log.key)
    known = meta.size if meta is not None else 0
    witnesses = [
        Witnessed(each.witness, max(known - each.size, 0), each.sent_ns, each.failures)
        for each in witness.statuses(log)
    ]
    return Health(entries, signed, damaged, committed, witnesses, lag.lag(log, sinks))
