"""How much an evaluation may cost, and the error that ends one that costs more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SLICE: Final = 20_000  # steps between two looks at the clock


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

    Compiled loops take the length of what they are about to visit from ``left``, and call :meth:`renew`
    where that leaves less than nothing; everything else calls :meth:`charge`.
    """

    __slots__ = ("_budget", "_clock", "_granted", "_started", "left")

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._started = clock()
        limit = budget.steps
        self._granted = self.left = SLICE if limit is None or limit > SLICE else limit

    def charge(self, steps: int) -> None:
        """Account for ``steps`` more. Raises BudgetExceeded."""
        self.left -= steps
        if self.left < 0:
            self.renew()

    @property
    def steps(self) -> int:
        return self._granted - self.left

    @property
    def seconds(self) -> float:
        return self._clock() - self._started

    def renew(self) -> None:
        """Grant the steps up to the next look at the clock. Raises BudgetExceeded."""
        used, seconds = self.steps, self.seconds
        limit, longest = self._budget.steps, self._budget.seconds
        if limit is not None and used > limit:
            raise BudgetExceeded(f"evaluation took more than {limit:,} steps", used, seconds)
        if longest is not None and seconds > longest:
            raise BudgetExceeded(f"evaluation took longer than {longest:g} s ({used:,} steps)", used, seconds)
        self.left = SLICE if limit is None else min(SLICE, limit - used)
        self._granted = used + self.left
