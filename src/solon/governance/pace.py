"""How fast we may go: so many steps a minute, whoever else would allow more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time since 1970 in seconds, and a way to let it pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Pace:
    """Waits before a step where as many as allowed were taken within the last minute."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._clock = clock
        self._taken: deque[float] = deque(maxlen=per_minute)

    def step(self) -> None:
        now = self._clock.now()
        if len(self._taken) == self._taken.maxlen:
            # A clock that was set back must not make us wait for longer than a minute.
            wait = min(self._taken[0] + _MINUTE - now, _MINUTE)
            if wait > 0:
                self._clock.sleep(wait)
                now = self._clock.now()
        self._taken.append(now)
