"""Where an evaluation spends its time and steps, expression by expression; the same for every language."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from solon.lang.budget import Meter
from solon.lang.source import Span


@dataclass(frozen=True, slots=True)
class Site:
    """An expression of a rule. ``rule`` is empty for one of a query."""

    rule: str
    span: Span
    text: str


def place_of(site: Site) -> tuple[str, int, int]:
    """What sites are sorted by."""
    return site.span.file, site.span.row, site.span.column


@dataclass(slots=True)
class Cost:
    """What an expression cost by itself, without the rules it calls, over all evaluations.

    ``steps`` are what a budget counts: elements that its loops visit and its built-in functions produce.
    """

    site: Site
    time_ns: int = 0
    evaluations: int = 0
    steps: int = 0
    most: int = 0  # evaluations of it, in the one evaluation of a query that had most


_TIME: Final = 0
_EVALUATIONS: Final = 1
_STEPS: Final = 2


@dataclass(slots=True)
class Profile:
    """Counts for every expression. Not for several threads at once.

    Compiled code calls ``begin`` before each expression; the functions it consists of are ``framed``, so that
    what a caller does behind a call is counted as the caller's.
    """

    clock: Callable[[], int] = time.perf_counter_ns
    costs: list[Cost] = field(default_factory=list)
    notes: list[Any] = field(default_factory=list)  # what a compiler knows that advice needs
    reached: frozenset[int] = frozenset()  # the expressions of the last evaluation
    last_ns: int = 0  # and its time
    _numbers: dict[Site, int] = field(default_factory=dict)
    _current: list[int] = field(default_factory=lambda: [0, 0, 0])
    _counts: dict[int, list[int]] | None = None  # of the evaluation under way
    _since: int = 0
    _steps: int = 0

    def site(self, site: Site) -> int:
        """The number by which compiled code names an expression."""
        number = self._numbers.get(site)
        if number is None:
            number = self._numbers[site] = len(self.costs)
            self.costs.append(Cost(site))
        return number

    def begin(self, meter: Meter, number: int) -> None:
        self._settle(meter)
        assert self._counts is not None
        counts = self._counts.get(number)
        if counts is None:
            counts = self._counts[number] = [0, 0, 0]
        counts[_EVALUATIONS] += 1
        self._current = counts
        self._since = self.clock()

    def _settle(self, meter: Meter) -> None:
        """What was spent since is the current expression's."""
        current, steps = self._current, meter.steps
        current[_TIME] += self.clock() - self._since
        current[_STEPS] += steps - self._steps
        self._steps = steps

    def framed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A compiled function that leaves the expression that called it the current one."""

        def run(state: Any, *arguments: Any) -> Any:
            meter = state.run
            outer = self._current
            outermost = self._counts is None
            if outermost:
                self._counts = {}
                outer = self._current = [0, 0, 0]
                self._steps, self._since = meter.steps, self.clock()
            try:
                return function(state, *arguments)
            finally:
                self._settle(meter)
                self._current = outer
                if outermost:
                    self._add()
                self._since = self.clock()

        return run

    def _add(self) -> None:
        assert self._counts is not None
        for number, (time_ns, evaluations, steps) in self._counts.items():
            cost = self.costs[number]
            cost.time_ns += time_ns
            cost.evaluations += evaluations
            cost.steps += steps
            cost.most = max(cost.most, evaluations)
        self.reached = frozenset(self._counts)
        self.last_ns = sum(counts[_TIME] for counts in self._counts.values())
        self._counts = None

    @property
    def total_ns(self) -> int:
        return sum(cost.time_ns for cost in self.costs)

    @property
    def total_steps(self) -> int:
        return sum(cost.steps for cost in self.costs)

    def evaluated(self) -> list[Cost]:
        """The expressions that were reached, the dearest first."""
        return sorted((c for c in self.costs if c.evaluations), key=lambda c: (-c.time_ns, place_of(c.site)))


@dataclass(frozen=True, slots=True)
class Line:
    """What the expressions of one line cost together, as OPA's profiler reports it."""

    file: str
    row: int
    column: int
    time_ns: int
    evaluations: int
    steps: int
    expressions: int


def by_line(costs: Iterable[Cost]) -> list[Line]:
    """The costs, those of a line added up."""
    found: dict[tuple[str, int], list[Cost]] = {}
    for cost in costs:
        span = cost.site.span
        found.setdefault((span.file, span.row), []).append(cost)
    return [
        Line(
            file,
            row,
            min(cost.site.span.column for cost in group),
            sum(cost.time_ns for cost in group),
            max(cost.evaluations for cost in group),
            sum(cost.steps for cost in group),
            len(group),
        )
        for (file, row), group in found.items()
    ]
