"""Unit tests written in Rego: rules whose names begin with ``test_``, as ``opa test`` runs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from solon.frameworks.rego_files import RegoFiles
from solon.frameworks.testing import Status, TestResult
from solon.lang import rego
from solon.lang.budget import Budget
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


class RegoTests:
    """The tests of some files. Compiling raises RegoError."""

    def __init__(self, files: RegoFiles, *, coverage: bool = False) -> None:
        self._program = rego.compile(
            files.modules, data=files.data, version=files.versions, coverage=coverage, prints=True
        )
        self._covered: set[tuple[str, int]] = set()

    @property
    def tests(self) -> list[rego.RuleInfo]:
        """Test rules, one for each name, in order of file and place."""
        found: dict[str, rego.RuleInfo] = {}
        for rule in self._program.rules:
            if rule.name.startswith(("test_", "todo_test_")) and rule.kind != "function":
                found.setdefault(rule.path, rule)
        return list(found.values())

    def run(
        self, clock: Callable[[], float], wanted: re.Pattern[str] | None = None, budget: Budget = Budget()
    ) -> Iterator[TestResult]:
        """Results, one test after the other."""
        for rule in self.tests:
            if wanted is None or wanted.search(rule.path):
                yield from self._run(rule, clock, budget)

    def _run(self, rule: rego.RuleInfo, clock: Callable[[], float], budget: Budget) -> Iterator[TestResult]:
        place = Location(rule.span.file, rule.span.row, rule.span.column)
        if rule.name.startswith("todo_"):
            yield TestResult(rule.span.file, rule.path, Status.SKIPPED, 0.0, place, "todo")
            return
        printed: list[str] = []
        started = clock()
        try:
            value = self._program.evaluate(rule.path, budget=budget, prints=printed, covered=self._covered)
        except rego.RegoError as error:
            seconds = clock() - started
            yield TestResult(
                rule.span.file, rule.path, Status.ERROR, seconds, place, str(error), tuple(printed)
            )
            return
        seconds = clock() - started
        if isinstance(value, dict) and value:  # test_name[case] if …: a test for each key
            for case, held in value.items():
                status, message = _judged(held)
                name = f"{rule.path}[{case}]"
                yield TestResult(
                    rule.span.file, name, status, seconds / len(value), place, message, tuple(printed)
                )
            return
        status, message = _judged(value)
        if status is Status.FAILED:
            message += self._swallowed(rule, budget)
        yield TestResult(rule.span.file, rule.path, status, seconds, place, message, tuple(printed))

    def _swallowed(self, rule: rego.RuleInfo, budget: Budget) -> str:
        """The built-in's error that may have made a test undefined: without strict errors it goes unseen."""
        try:
            self._program.evaluate(rule.path, strict_builtin_errors=True, budget=budget)
        except rego.RegoError as error:
            return f"\na built-in failed on the way: {error}"
        return ""

    def coverage(self) -> Mapping[str, FileCoverage]:
        """What the tests run so far have reached, by file; needs ``coverage=True``."""
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for file, row in sorted(self._program.coverable):
            covered, missed = rows.setdefault(file, ([], []))
            (covered if (file, row) in self._covered else missed).append(row)
        return {file: FileCoverage(tuple(c), tuple(m)) for file, (c, m) in rows.items()}


def _judged(value: object) -> tuple[Status, str]:
    if value is rego.UNDEFINED:
        return Status.FAILED, "undefined: an expression of its body does not hold"
    if value is False or value in ({}, []):
        return Status.FAILED, f"its value is {'false' if value is False else 'empty'}"
    return Status.PASSED, ""
