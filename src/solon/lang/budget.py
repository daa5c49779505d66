"""How much an evaluation may cost, and the error that ends one that costs more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation.

    ``seconds`` is wall-clock time; ``steps`` counts elements that loops visit and built-ins produce.
    """

    seconds: float | None = 10.0
    steps: int | None = 100_000_000


class BudgetExceeded(Exception):
    """An evaluation went past its budget; ``steps`` and ``seconds`` say how far it got."""

    def __init__(self, message: str, steps: int, seconds: float) -> None:
        super().__init__(message)
        self.steps = steps
        self.seconds = seconds


class Meter:
    """Counts the steps of one evaluation; looks at the clock every few thousand steps.

    Compiled loops call :meth:`charge` with the length of what they are about to visit.
    """

    __slots__ = ("_clock", "_deadline", "_granted", "_left", "_limit", "_slice", "_started")

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._deadline = None if budget.seconds is None else self._started + budget.seconds
        self._limit = budget.steps
        self._slice = 20_000
        self._granted = self._left = 0

    def charge(self, steps: int) -> None:
        """Account for ``steps`` more. Raises BudgetExceeded."""
        self._left -= steps
        if self._left < 0:
            self._renew()

    @property
    def steps(self) -> int:
        return self._granted - self._left

    @property
    def seconds(self) -> float:
        return self._clock() - self._started

    def _renew(self) -> None:
        used = self.steps
        if self._limit is not None and used > self._limit:
            raise BudgetExceeded(f"evaluation took more than {self._limit:,} steps", used, self.seconds)
        if self._deadline is not None and self._clock() > self._deadline:
            limit = self._deadline - self._started
            raise BudgetExceeded(
                f"evaluation took longer than {limit:g} s ({used:,} steps)", used, self.seconds
            )
        self._granted = used + self._slice
        self._left = self._slice
