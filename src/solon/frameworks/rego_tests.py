"""Unit tests written in Rego: rules whose names begin with ``test_``, as ``opa test`` runs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from solon.frameworks import rego_cases
from solon.frameworks.rego_files import RegoFiles
from solon.frameworks.testing import Status, TestResult
from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import ast
from solon.lang.values import Value, json_text
from solon.subjects.subject import Location


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """Rows of a file that tests reached, and those they did not."""

    covered: tuple[int, ...]
    not_covered: tuple[int, ...]

    @property
    def percent(self) -> float:
        total = len(self.covered) + len(self.not_covered)
        return 100.0 * len(self.covered) / total if total else 100.0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A test that passed, evaluated ``times`` times in ``seconds``."""

    shown: str
    package: str
    name: str
    location: Location
    times: int
    seconds: float

    @property
    def ns_each(self) -> float:
        return 1e9 * self.seconds / self.times


class RegoTests:
    """The tests of some files. Compiling raises RegoError."""

    def __init__(
        self,
        files: RegoFiles,
        *,
        coverage: bool = False,
        cache: rego.Cache | None = None,
        rewrite: Callable[[list[ast.Module]], None] = rego_cases.rewrite,
    ) -> None:
        self._program = rego.compile(
            files.modules,
            data=files.data,
            version=files.dialect,
            coverage=coverage,
            prints=True,
            rewrite=rewrite,
            cache=cache,
        )
        self._covered: set[tuple[str, int]] = set()

    @property
    def tests(self) -> list[rego.RuleInfo]:
        """Test rules in order of file and place; of one with a default, either."""
        found: dict[str, rego.RuleInfo] = {}
        for rule in self._program.rules:
            if rule.name.startswith(rego_cases.PREFIXES):
                found.setdefault(rule.path, rule)
        return list(found.values())

    def observe(self, documents: Iterable[str], seen: Callable[[str, Value, Value], None]) -> None:
        """Have ``seen`` called with the name, the input and the value of documents that tests ask for."""
        self._program.observe(documents, seen)

    def run(
        self, clock: Callable[[], float], wanted: re.Pattern[str] | None = None, budget: Budget = Budget()
    ) -> Iterator[TestResult]:
        """Results, one test after the other."""
        for rule in self.tests:
            if wanted is None or wanted.search(_shown(rule)):
                yield from self._run(rule, clock, budget)

    def benchmark(
        self,
        clock: Callable[[], float],
        seconds: float,
        wanted: re.Pattern[str] | None = None,
        budget: Budget = Budget(),
    ) -> Iterator[Benchmark | TestResult]:
        """How long each test takes, evaluated again and again for ``seconds``; one that does not pass is told."""
        for rule in self.tests:
            if wanted is not None and not wanted.search(_shown(rule)):
                continue
            first = list(self._run(rule, clock, budget))
            bad = [result for result in first if result.status is not Status.PASSED]
            if bad:
                yield from bad
                continue
            try:
                times, taken = _repeated(self._program.prepare(rule.path), clock, seconds, budget)
            except rego.RegoError as error:
                yield replace(first[0], status=Status.ERROR, message=str(error))
            else:
                yield Benchmark(_shown(rule), rule.package, rule.name, first[0].location, times, taken)

    def _run(self, rule: rego.RuleInfo, clock: Callable[[], float], budget: Budget) -> Iterator[TestResult]:
        file, place = rule.span.file, Location(rule.span.file, rule.span.row, rule.span.column)
        if rule.name.startswith("todo_"):
            yield TestResult(file, _shown(rule), Status.SKIPPED, 0.0, place, "todo")
            return
        if rule.kind == "function":
            yield TestResult(file, _shown(rule), Status.ERROR, 0.0, place, "a test takes no arguments")
            return
        printed: list[str] = []
        started = clock()
        try:
            value = self._program.evaluate(rule.path, budget=budget, prints=printed, covered=self._covered)
        except rego.RegoError as error:
            lines = tuple(rego_cases.told_apart(printed)[1])
            yield TestResult(file, _shown(rule), Status.ERROR, clock() - started, place, str(error), lines)
            return
        seconds = clock() - started
        cases, own = rego_cases.told_apart(printed)
        for case in cases:
            status, message = _judged(_at(value, case))
            name = _shown(rule) + "".join(f"[{part}]" for part in case)
            yield TestResult(file, name, status, seconds / len(cases), place, message, tuple(own))
        if not cases:
            status, message = _judged(value)
            if status is Status.FAILED:
                message += self._swallowed(rule, budget)
            yield TestResult(file, _shown(rule), status, seconds, place, message, tuple(own))

    def _swallowed(self, rule: rego.RuleInfo, budget: Budget) -> str:
        """The built-in's error that may have made a test undefined: without strict errors it goes unseen."""
        try:
            self._program.evaluate(rule.path, strict_builtin_errors=True, budget=budget)
        except rego.RegoError as error:
            return f"\na built-in failed on the way: {error}"
        return ""

    def coverage(self) -> Mapping[str, FileCoverage]:
        """What the tests run so far have reached, by file; needs ``coverage=True``."""
        return coverage_of(self._program, self._covered)


def coverage_of(program: rego.Program, reached: AbstractSet[tuple[str, int]]) -> Mapping[str, FileCoverage]:
    """What was reached of a program compiled with ``coverage``, by file."""
    rows: dict[str, tuple[list[int], list[int]]] = {}
    for file, row in sorted(program.coverable):
        covered, missed = rows.setdefault(file, ([], []))
        (covered if (file, row) in reached else missed).append(row)
    return {file: FileCoverage(tuple(c), tuple(m)) for file, (c, m) in rows.items()}


def _repeated(
    query: rego.Query, clock: Callable[[], float], seconds: float, budget: Budget
) -> tuple[int, float]:
    """How often a query was evaluated, and the time that took: no less than ``seconds``."""
    times, taken, more = 0, 0.0, 1
    while taken < seconds:
        started = clock()
        for _ in range(more):
            query.evaluate(budget=budget)
        taken, times = taken + clock() - started, times + more
        # So many as there is time left for, but no leap into the dark.
        more = max(1, min(int((seconds - taken) * times / max(taken, 1e-9)), 100 * more))
    return times, taken


def _shown(rule: rego.RuleInfo) -> str:
    """The name of a test; the number of one of several of a name (``test_a#01``) is not quoted."""
    return f"{rule.package}.{rule.name}" if "#" in rule.name else rule.path


def _at(value: object, case: tuple[str, ...]) -> object:
    for name in case:
        value = value.get(name, rego.UNDEFINED) if isinstance(value, dict) else rego.UNDEFINED
    return value


def _judged(value: object) -> tuple[Status, str]:
    if value is rego.UNDEFINED:
        return Status.FAILED, "undefined: an expression of its body does not hold"
    if value is not True:
        return Status.FAILED, f"its value is {json_text(value)[:80]}, not true"
    return Status.PASSED, ""
