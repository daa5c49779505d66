"""Running test cases: a policy with mocks in the place of its imports, and what its rules should come to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from solon.frameworks.rego_tests import FileCoverage
from solon.frameworks.sentinel.cases import Case
from solon.frameworks.sentinel.configuration import Configuration, convert, read
from solon.frameworks.sentinel.coverage import Reached
from solon.frameworks.sentinel.explain import place, shown, told
from solon.frameworks.sentinel.library import Library, Linked, Unusable
from solon.frameworks.sentinel.sources import Refused, Sources
from solon.frameworks.testing import Check, Status, TestResult
from solon.lang.budget import Budget
from solon.lang.sentinel import Program, Result, Undefined
from solon.lang.sentinel.imports import STANDARD
from solon.lang.sentinel.values import equals
from solon.subjects.subject import Location


@dataclass(frozen=True, slots=True)
class Setting:
    """What every case is run with. ``copies`` are those of remote sources."""

    budget: Budget
    now_ns: int
    copies: Mapping[str, str] = field(default_factory=dict)
    allowed_hosts: frozenset[str] = frozenset()


class SuiteRunner:
    """Runs cases; what several of them use is read and compiled once."""

    def __init__(self, setting: Setting, clock: Callable[[], float], reached: Reached | None = None) -> None:
        """What tests reach of policies and modules is told to ``reached``."""
        self._setting = setting
        self._clock = clock
        self._library = Library(Sources(setting.copies))
        self._reached = reached
        self._tested: dict[str, Program] = {}

    def run(self, cases: Iterable[Case]) -> Iterator[TestResult]:
        """Results, one case after the other."""
        for case in cases:
            yield self.run_one(case)

    def run_one(self, case: Case) -> TestResult:
        started = self._clock()
        try:
            configuration, linked = self._linked(case)
        except Unusable as unusable:
            return self._result(
                case, Status.ERROR, started, Location(case.file), "\n".join(unusable.problems)
            )
        with self._reached.watching() if self._reached is not None else nullcontext():
            result = self._evaluated(linked, configuration, explain=False)
        mocks = {mock.name for mock in configuration.mocks}
        tested = (each for name, each in linked.imports.items() if name not in mocks)
        for program in (linked.program, *tested):
            if isinstance(program, Program):
                self._tested[program.name] = program
        expected = {"main": True} if configuration.rules is None else configuration.rules
        checks = tuple(_check(name, value, result) for name, value in expected.items())
        wrong = [check for check in checks if not check.passed]
        if wrong and result.outcome != "error":
            result = self._evaluated(linked, configuration, explain=True)
        if result.outcome == "error":
            status, lines = Status.ERROR, []
        elif wrong:
            status, lines = Status.FAILED, [f"{c.name} is {c.got}, expected {c.expected}" for c in wrong]
        else:
            return self._result(case, Status.PASSED, started, Location(case.file), "", result.output, checks)
        at = next((c.location for c in wrong if c.location), None) or Location(case.file)
        message = "\n".join([*lines, *told(result)])
        return self._result(case, status, started, at, message, result.output, checks)

    def _evaluated(self, linked: Linked, configuration: Configuration, *, explain: bool) -> Result:
        setting = self._setting
        return linked.program.evaluate(
            imports=linked.imports,
            configs=linked.configs,
            params=configuration.params,
            globals=configuration.globals,
            allowed_hosts=setting.allowed_hosts,
            budget=setting.budget,
            now_ns=setting.now_ns,
            explain=explain,
        )

    def coverage(self) -> Mapping[str, FileCoverage]:
        """What the cases run so far have reached of policies and modules, by file."""
        return {} if self._reached is None else self._reached.coverage(self._tested.values())

    def _linked(self, case: Case) -> tuple[Configuration, Linked]:
        """Raises Unusable."""
        try:
            body, problems = read(self._library.sources.configuration(case.file), case.file)
            configuration, more = convert(body)
            if problems or more:
                raise Unusable(map(str, [*problems, *more]))
            program = self._library.program(case.policy)
        except Refused as refused:
            raise Unusable([str(refused)]) from None
        directory = os.path.dirname(case.file)
        return configuration, self._library.link(program, configuration, directory, STANDARD)

    def _result(
        self,
        case: Case,
        status: Status,
        started: float,
        location: Location,
        message: str,
        printed: tuple[str, ...] = (),
        checks: tuple[Check, ...] = (),
    ) -> TestResult:
        return TestResult(
            case.policy, case.name, status, self._clock() - started, location, message, printed, checks
        )


def _check(name: str, expected: Any, result: Result) -> Check:
    """Whether a rule came to what was expected; one that was not evaluated came to nothing."""
    rule = result.rules.get(name)
    location = place(rule.span) if rule is not None else None
    if rule is None and name != "main":
        return Check(name, shown(expected), "not evaluated", False, location)
    value = result.main if rule is None else rule.value
    passed = not isinstance(value, Undefined) and result.outcome != "error" and equals(value, expected)
    return Check(name, shown(expected), shown(value), passed, location)
