"""The result of a policy test, whatever format the test is written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from solon.subjects.subject import Location


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"  # the test could not be run


@dataclass(frozen=True, slots=True)
class Check:
    """One of the things that a test expects: such as a rule, and what it came to."""

    name: str
    expected: str
    got: str
    passed: bool
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test. ``suite`` is the file; ``message`` says why it did not pass; ``printed`` is its output.

    ``checks`` are what it expects, where that is more than one thing by name.
    """

    suite: str
    name: str
    status: Status
    seconds: float
    location: Location
    message: str = ""
    printed: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    __test__ = False  # not a pytest class
