"""solon test: Rego unit tests, Gatekeeper suites and the cases of Sentinel policies, together."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from solon.cli import cache, config
from solon.cli.errors import Failure, UsageError
from solon.cli.progress import track
from solon.frameworks import rego_files
from solon.frameworks.gatekeeper.suite import Filter, SuiteRunner, is_suite
from solon.frameworks.policy import Context
from solon.frameworks.rego_files import Dialect
from solon.frameworks.rego_tests import Benchmark, FileCoverage, RegoTests
from solon.frameworks.sentinel.cases import find as sentinel_cases
from solon.frameworks.testing import Status, TestResult
from solon.lang.budget import Budget
from solon.lang.rego import RegoError
from solon.report import bench_report
from solon.report import coverage as coverage_report
from solon.report.test_report import SuiteReport, render
from solon.subjects import discover
from solon.subjects.documents import Problem
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class Options:
    paths: list[str]
    verbose: bool
    run: str
    coverage: bool
    threshold: float
    format: str
    data: list[str]
    dialect: Dialect
    timeout: float
    allowed_hosts: frozenset[str] = frozenset()
    count: int = 1
    bench: bool = False
    bench_time: float = 1.0


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    started_ns, started = time.time_ns(), time.perf_counter_ns()
    wanted = _pattern(options.run)
    unreadable = [str(source) for source in discover.find(options.paths) if _is_missing(source)]
    if unreadable:
        raise UsageError("; ".join(unreadable))
    if options.bench:
        return _benchmark(options, wanted)
    coverage: dict[str, FileCoverage] = {}
    results = [
        result
        for _ in range(options.count)
        for result in (
            *_rego(options, wanted, coverage),
            *_suites(options),
            *_sentinel(options, wanted, coverage),
        )
    ]
    if not results:
        raise _nothing(
            options,
            "test_ rules in .rego files, Gatekeeper suites (kind: Suite), and test/<policy>/ beside .sentinel files",
        )
    report = SuiteReport(results, [], time.perf_counter_ns() - started, started_ns)
    _write(report, coverage, options)
    if any(result.status is Status.ERROR for result in results):
        return 2
    failed = any(result.status is Status.FAILED for result in results)
    return 1 if failed or (options.threshold and coverage_report.percent(coverage) < options.threshold) else 0


def _nothing(options: Options, looked_for: str) -> UsageError:
    shown = ", ".join(options.paths)
    if options.run:
        return UsageError(f"{shown}: no test matches --run {options.run!r}")
    return UsageError(f"{shown}: no tests found. Looked for {looked_for}")


def _benchmark(options: Options, wanted: re.Pattern[str] | None) -> int:
    if options.coverage:
        raise UsageError("--bench with --coverage would measure the coverage: ask for one at a time")
    if options.format == "junit":
        raise UsageError("--bench has no JUnit output: use --format table or json")
    tests = _compiled(options)
    if tests is None or not tests.tests:
        raise _nothing(options, "test_ rules in .rego files")
    budget = Budget(seconds=options.timeout)
    found: list[Benchmark | TestResult] = []
    for _ in range(options.count):
        for each in tests.benchmark(time.perf_counter, options.bench_time, wanted, budget):
            found.append(each)
            if options.format == "table":
                print(bench_report.line(each), flush=True)
    if not found:
        raise _nothing(options, "test_ rules in .rego files")
    sys.stdout.write(
        bench_report.summary(found) if options.format == "table" else bench_report.as_json(found)
    )
    statuses = {each.status for each in found if isinstance(each, TestResult)}
    return 2 if Status.ERROR in statuses else int(Status.FAILED in statuses)


def _is_missing(source: object) -> bool:
    return isinstance(source, Unreadable) and source.problem.startswith("no such")


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UsageError(f"--run {text!r} is not a regular expression: {error}") from None


def _rego(
    options: Options, wanted: re.Pattern[str] | None, coverage: dict[str, FileCoverage]
) -> Iterator[TestResult]:
    tests = _compiled(options)
    if tests is None or not tests.tests:
        return
    yield from tests.run(time.perf_counter, wanted, Budget(seconds=options.timeout))
    if options.coverage:
        coverage.update(tests.coverage())


def _compiled(options: Options) -> RegoTests | None:
    """The Rego of the paths; None where there is none. Raises Failure."""
    data = [
        path
        for path in options.paths
        if os.path.isfile(path) and not _holds_tests(path) and not sentinel_cases([path])
    ]
    files = rego_files.read(options.paths, [*options.data, *data], options.dialect, tests=True)
    if files.problems:
        raise Failure("\n".join(map(str, files.problems)))
    if not files.modules:
        return None
    try:
        return RegoTests(files, coverage=options.coverage, cache=cache.of_user())
    except RegoError as error:
        count = len(error.errors)
        raise Failure(
            f"{error.render()}\nsolon: {count} error{'s' * (count != 1)} in Rego; no test was run"
        ) from None


def _suites(options: Options) -> Iterator[TestResult]:
    runner = SuiteRunner(
        _read_file, Context(now_ns=time.time_ns(), budget=Budget(seconds=options.timeout)), time.perf_counter
    )
    wanted = Filter.parse(options.run)
    for source in discover.find(options.paths):
        if isinstance(source, Unreadable) or not _mentions_suite(source.path):
            continue
        for subject in discover.read(source, stdin=lambda _size: b""):
            if isinstance(subject, Unreadable):
                yield TestResult(source.path, "suite", Status.ERROR, 0.0, subject.location, str(subject))
            elif is_suite(subject.document):
                yield from runner.run(source.path, subject.document, wanted)


def _sentinel(
    options: Options, wanted: re.Pattern[str] | None, coverage: dict[str, FileCoverage]
) -> Iterator[TestResult]:
    cases = [case for case in sentinel_cases(options.paths) if wanted is None or wanted.search(case.name)]
    if not cases:
        return
    from solon.decisions.cores import cores
    from solon.frameworks.sentinel import parallel
    from solon.frameworks.sentinel.coverage import Reached
    from solon.frameworks.sentinel.suite import Setting, SuiteRunner

    found = config.find(os.getcwd())
    copies = {} if found is None else found.copies()
    setting = Setting(Budget(seconds=options.timeout), time.time_ns(), copies, options.allowed_hosts)
    if not options.coverage:
        yield from track(parallel.run(cases, setting, cores()), len(cases), "testing")
        return
    runner = SuiteRunner(setting, time.perf_counter, Reached())
    yield from track(runner.run(cases), len(cases), "testing")
    coverage.update(runner.coverage())


def _holds_tests(path: str) -> bool:
    """Whether a file is Rego or a suite; YAML and JSON that is neither is data for the tests."""
    return not path.endswith(discover.EXTENSIONS) or _mentions_suite(path)


def _mentions_suite(path: str) -> bool:
    try:
        return path.endswith(discover.EXTENSIONS) and b"test.gatekeeper.sh/" in _read_file(path)
    except Problem:
        return False  # what a suite needs of it, the suite will miss


def _read_file(path: str) -> bytes:
    return discover.read_bytes(path, lambda _size: b"")


def _write(report: SuiteReport, coverage: Mapping[str, FileCoverage], options: Options) -> None:
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    sys.stdout.write(render(options.format, report, color=color, verbose=options.verbose))
    if coverage and options.format == "json":
        sys.stderr.write(json.dumps(coverage_report.as_json(coverage)) + "\n")
    elif coverage and options.format == "table":
        sys.stdout.write(coverage_report.render(coverage))
