"""What `solon test` found, from test suites of any framework: as text, JSON and JUnit XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.testing import Check, Status, TestResult
from solon.report.check_report import duration
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """One run of `solon test`. ``problems`` are files that could not be read or compiled."""

    results: Sequence[TestResult]
    problems: Sequence[Unreadable]
    elapsed_ns: int
    started_ns: int

    @property
    def ok(self) -> bool:
        bad = (Status.FAILED, Status.ERROR)
        return not self.problems and not any(result.status in bad for result in self.results)

    @property
    def counts(self) -> dict[Status, int]:
        counted = Counter(result.status for result in self.results)
        return {status: counted[status] for status in Status}


FORMATS: Final = {
    "table": "for people, in the terminal",
    "json": "everything, for machines (schema solon.test/v1)",
    "junit": "JUnit XML, for CI systems",
}

_MARKS: Final = {
    Status.PASSED: ("✓ passed ", "\x1b[32m"),
    Status.FAILED: ("✗ failed ", "\x1b[1;31m"),
    Status.SKIPPED: ("- skipped", "\x1b[33m"),
    Status.ERROR: ("✗ error  ", "\x1b[1;35m"),
}
_RESET: Final = "\x1b[0m"


def render(name: str, report: SuiteReport, *, color: bool = False, verbose: bool = False) -> str:
    """The report in the format of that name, one of FORMATS. The options are for the table alone."""
    if name == "json":
        return _json(report)
    if name == "junit":
        return _junit(report)
    return "\n".join(_lines(report, color, verbose)) + "\n"


def summary(report: SuiteReport) -> str:
    counts = [f"{count:,} {status}" for status, count in report.counts.items() if count]
    if report.problems:
        counts.append(f"{len(report.problems)} unreadable")
    return f"{', '.join(counts) or 'no tests found'} · {duration(report.elapsed_ns)}"


def _lines(report: SuiteReport, color: bool, verbose: bool) -> Iterator[str]:
    """Suites with anything to tell, each case that did not pass in detail; ``verbose`` tells of all."""
    suites: dict[str, list[TestResult]] = {}
    for result in report.results:
        suites.setdefault(result.suite, []).append(result)
    for suite, results in suites.items():
        told = results if verbose else [r for r in results if r.status not in (Status.PASSED, Status.SKIPPED)]
        if not told:
            continue
        yield printable(suite)
        for result in told:
            yield from _case(result, color, verbose=verbose)
        yield ""
    if report.problems:
        yield "Could not be read"
        for problem in report.problems:
            yield f"  {_paint(Status.ERROR, '✗', color)} {printable(str(problem.location))}"
            yield from _indented(problem.problem + (f"\nfix: {problem.hint}" if problem.hint else ""))
        yield ""
    worst = Status.PASSED if report.ok else Status.FAILED
    yield _paint(worst, summary(report), color)


def _case(result: TestResult, color: bool, *, verbose: bool) -> Iterator[str]:
    line = f"  {_paint(result.status, _MARKS[result.status][0], color)} {printable(result.name)}"
    yield line if result.status is Status.SKIPPED else f"{line}  ({duration(_ns(result))})"
    if result.status in (Status.FAILED, Status.ERROR):
        yield f"      at {printable(str(result.location))}"
    if verbose:
        for check in result.checks:
            if check.passed:
                yield f"      {printable(check.name)} is {printable(check.got)}, as expected"
    if result.message:
        yield from _indented(result.message)
    if result.printed and (verbose or result.status is not Status.PASSED):
        yield "      printed:"
        yield from (f"        {printable(line)}" for line in result.printed)


def _ns(result: TestResult) -> int:
    return round(result.seconds * 1e9)


def _indented(text: str) -> Iterator[str]:
    for line in printable_lines(text).split("\n"):
        yield f"      {line}".rstrip()


def _paint(status: Status, text: str, color: bool) -> str:
    return f"{_MARKS[status][1]}{text}{_RESET}" if color else text


def _json(report: SuiteReport) -> str:
    from solon import __version__
    from solon.decisions.record import rfc3339
    from solon.report.json import location, text

    def problem(unread: Unreadable) -> dict[str, Any]:
        return {"problem": unread.problem, "hint": unread.hint, "location": location(unread.location)}

    def check(one: Check) -> dict[str, Any]:
        return {
            "name": one.name,
            "expected": one.expected,
            "got": one.got,
            "passed": one.passed,
            "location": None if one.location is None else location(one.location),
        }

    def case(result: TestResult) -> dict[str, Any]:
        return {
            "suite": result.suite,
            "name": result.name,
            "status": result.status.value,
            "duration_ns": _ns(result),
            "message": result.message,
            "printed": list(result.printed),
            "checks": [check(each) for each in result.checks],
            "location": location(result.location),
        }

    return text(
        {
            "schema": "solon.test/v1",
            "solon": __version__,
            "started": rfc3339(report.started_ns),
            "elapsed_ns": report.elapsed_ns,
            "ok": report.ok,
            "summary": {status.value: count for status, count in report.counts.items()},
            "results": [case(result) for result in report.results],
            "problems": [problem(unread) for unread in report.problems],
        }
    )


def _junit(report: SuiteReport) -> str:
    from solon.report import junit

    suites: dict[str, list[Any]] = {}
    for result in report.results:
        element = junit.case(result.name, result.suite, result.location, _ns(result))
        tag = {Status.FAILED: "failure", Status.ERROR: "error", Status.SKIPPED: "skipped"}.get(result.status)
        if tag:
            junit.add(element, tag, result.message.partition("\n")[0], result.message)
        suites.setdefault(result.suite, []).append(element)
    if report.problems:
        for problem in report.problems:
            element = junit.case(str(problem.location), "solon", problem.location)
            junit.add(element, "error", problem.problem, str(problem))
            suites.setdefault("unreadable files", []).append(element)
    elements = [junit.suite(name, cases, report.started_ns) for name, cases in suites.items()]
    return junit.document("solon test", elements, report.elapsed_ns)
