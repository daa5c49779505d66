"""Each different input is judged once, and each decision is told of in the order in which the log gave it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Recorded

_REMEMBERED: Final = 200_000  # verdicts; an input that comes again much later is judged again
_WAITING: Final = 20_000  # decisions whose turn has not come


class Judging(Protocol):
    """Judges events, lazily, and gives the verdicts in their order. None among them: wait for what is under way."""

    def __call__(self, events: Iterable[bytes | None]) -> Iterator[Verdict]: ...


@dataclass(slots=True)
class _Slot:
    """A verdict that is there, or is to come."""

    verdict: Verdict | None = None


@dataclass(slots=True)
class Replay:
    """``seen`` is told of each decision, with its verdict; of one that cannot be judged, with None.

    ``judged`` counts the different inputs.
    """

    seen: Callable[[Recorded, Verdict | None], None]
    judged: int = 0
    _known: dict[bytes, _Slot] = field(default_factory=dict)
    _waiting: deque[tuple[Recorded, _Slot | None]] = field(default_factory=deque)
    _asked: deque[_Slot] = field(default_factory=deque)

    def run(self, events: Iterable[tuple[Recorded, bytes]], judge: Judging) -> None:
        for verdict in judge(self._different(events)):
            self.judged += 1
            self._asked.popleft().verdict = verdict
            self._tell()
        self._tell()

    def _different(self, events: Iterable[tuple[Recorded, bytes]]) -> Iterator[bytes | None]:
        """The events to judge."""
        for recorded, event in events:
            slot = None if recorded.problem else self._known.get(recorded.key)
            if recorded.problem or slot is not None:
                self._waiting.append((recorded, slot))
            else:
                slot = self._known[recorded.key] = _Slot()
                if len(self._known) > _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._waiting.append((recorded, slot))
                self._asked.append(slot)
                yield event
            self._tell()
            while len(self._waiting) > _WAITING:
                yield None
                self._tell()

    def _tell(self) -> None:
        """Of those at the front whose verdicts are there."""
        while self._waiting:
            recorded, slot = self._waiting[0]
            if slot is not None and slot.verdict is None:
                return
            self._waiting.popleft()
            self.seen(recorded, slot.verdict if slot is not None else None)


def here(judge: Callable[[bytes], Verdict]) -> Judging:
    """Judge in this process, one after the other."""

    def judged(events: Iterable[bytes | None]) -> Iterator[Verdict]:
        for event in events:
            if event is not None:
                yield judge(event)

    return judged
