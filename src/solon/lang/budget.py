"""How much an evaluation may cost, and the error that ends one that costs more.

What is about to cost something says so before it does: compiled loops, built-in functions, and whatever walks a
value (comparing, printing, sorting). A step stands for an element visited or made, or for some dozens of bytes.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from threading import get_ident
from typing import Any, Final

FIRST_LOOK: Final = 1_000  # steps until the clock is looked at for the first time
NOTHING_YET: Final = 0.002  # seconds in which no memory worth a look is taken
SHORTEST: Final = 64  # steps between two looks, where they take long
LONGEST: Final = 20_000
PACE: Final = 0.004  # seconds that should pass between two looks
STEP_SECONDS: Final = 50e-9  # what a step takes at the least, on a fast machine
STEP_BYTES: Final = 64
LARGE: Final = 1 << 20  # bytes; before so much is made at once, memory is looked at
CHUNK: Final = 1_000
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation; None: no limit.

    ``seconds`` is wall-clock time; ``steps`` counts elements that are visited and made; ``memory`` is how many
    bytes the process may grow meanwhile.
    """

    seconds: float | None = 10.0
    steps: int | None = 100_000_000
    memory: int | None = 1 << 30


class BudgetExceeded(Exception):
    """An evaluation went past its budget; ``steps`` and ``seconds`` say how far it got."""

    def __init__(self, problem: str, steps: int, seconds: float) -> None:
        super().__init__(f"evaluation {problem} ({steps:,} steps in {seconds:.3g} s)")
        self.steps = steps
        self.seconds = seconds


def resident() -> int:
    """Bytes of memory the process holds; 0 where the system does not say."""
    try:
        file = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return 0
    try:
        return int(os.read(file, 64).split()[1]) * _PAGE
    finally:
        os.close(file)


_NO_LOOKS: Final[tuple[float, int, int]] = (0.0, FIRST_LOOK, -1)


class Meter:
    """Counts the steps of one evaluation; looks at the clock and at memory every few thousand steps.

    Compiled loops take the length of what they are about to visit from ``left``, and call :meth:`renew`
    where that leaves less than nothing; everything else calls :meth:`charge` or :meth:`claim`.
    """

    __slots__ = ("_budget", "_clock", "_granted", "_looks", "_started", "left")

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self._clock = clock
        self._started = clock()
        # Seconds at the last look, steps from there to the next, bytes the process held at first (-1: not looked).
        self._looks = _NO_LOOKS
        limit = budget.steps
        self._granted = self.left = FIRST_LOOK if limit is None or limit > FIRST_LOOK else limit

    def charge(self, steps: int) -> None:
        """Account for ``steps`` more. Raises BudgetExceeded."""
        self.left -= steps
        if self.left < 0:
            self.renew(steps)

    def claim(self, size: int) -> None:
        """Account for ``size`` bytes that are about to be made. Raises BudgetExceeded."""
        self.charge(size // STEP_BYTES)
        limit = self._budget.memory
        if size > LARGE and limit is not None and self._grown() + size > limit:
            raise self._exceeded("would take", limit)

    def foresee(self, seconds: float) -> None:
        """Refuse what may take so long, with no look at the clock meanwhile. Raises BudgetExceeded."""
        longest = self._budget.seconds
        if longest is not None and self.seconds + seconds > longest:
            raise BudgetExceeded(f"might take longer than {longest:g} s", self.steps, self.seconds)

    def text(self, length: int) -> None:
        """Account for a text that has been made. Raises BudgetExceeded.

        No text may take much of what there is: an expression may repeat it several times.
        """
        self.charge(length // STEP_BYTES)
        limit = self._budget.memory
        if limit is not None and length > limit // 32:
            raise self._exceeded("would take", limit)

    @property
    def steps(self) -> int:
        return self._granted - self.left

    @property
    def seconds(self) -> float:
        return self._clock() - self._started

    @property
    def remaining(self) -> float:
        """Seconds that are left."""
        longest = self._budget.seconds
        return math.inf if longest is None else longest - self.seconds

    def renew(self, ahead: int = 0) -> None:
        """Grant the steps up to the next look at the clock. Raises BudgetExceeded.

        ``ahead`` steps come at once, with no look at the clock while they are taken.
        """
        budget = self._budget
        used, seconds = self.steps, self.seconds
        limit, longest = budget.steps, budget.seconds
        if limit is not None and used > limit:
            raise BudgetExceeded(f"took more than {limit:,} steps", used, seconds)
        if longest is not None and seconds > longest:
            raise BudgetExceeded(f"took longer than {longest:g} s", used, seconds)
        if longest is not None and seconds + ahead * STEP_SECONDS > longest:
            raise BudgetExceeded(f"would take longer than {longest:g} s", used, seconds)
        if budget.memory is not None and seconds > NOTHING_YET and self._grown() > budget.memory:
            raise self._exceeded("took", budget.memory)
        looked, granted, before = self._looks
        passed = seconds - looked
        wanted = granted * PACE / passed if passed > 0 else LONGEST
        granted = max(SHORTEST, min(LONGEST, int(min(wanted, 8 * granted))))
        self._looks = seconds, granted, before
        self.left = granted if limit is None else min(granted, limit - used)
        self._granted = used + self.left

    def _grown(self) -> int:
        now = resident()
        looked, granted, before = self._looks
        if before < 0:
            self._looks = looked, granted, now
            return 0
        return now - before

    def _exceeded(self, verb: str, limit: int) -> BudgetExceeded:
        return BudgetExceeded(f"{verb} more than {limit / 2**20:,.4g} MB of memory", self.steps, self.seconds)


def paced(meter: Meter, elements: Iterable[Any]) -> Iterator[Any]:
    """The elements, charged as they are visited: there are too many for one look at the clock."""
    rest = iter(elements)
    while chunk := list(islice(rest, CHUNK)):
        meter.charge(len(chunk))
        yield from chunk


running: Final[dict[int, Meter]] = {}  # thread -> the evaluation that it is in


def spend(steps: int) -> None:
    """Charge the evaluation that is running; outside of one, nothing counts. Raises BudgetExceeded."""
    meter = running.get(get_ident())
    if meter is not None:
        meter.charge(steps)


def foresee(seconds: float) -> None:
    """Refuse what may take longer than the evaluation that is running has left. Raises BudgetExceeded."""
    meter = running.get(get_ident())
    if meter is not None:
        meter.foresee(seconds)


def claim(size: int) -> None:
    """Claim memory for the evaluation that is running. Raises BudgetExceeded."""
    meter = running.get(get_ident())
    if meter is not None:
        meter.claim(size)
