"""solon test --bench and --count."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.frameworks import rego_files
from solon.frameworks.rego_tests import Benchmark, RegoTests

TESTS = """package p_test

test_quick if 1 < 2

test_wrong if 1 > 2

todo_test_later if 1 < 2
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Path:
    (tmp_path / "p_test.rego").write_text(TESTS)
    return tmp_path


def test_how_long_each_test_takes(solon: Callable[..., Any]) -> None:
    ran = solon("test", "--bench", "--bench-time", "0.01")
    assert ran.status == 1
    quick, wrong, later, *summary = ran.out.splitlines()
    assert re.fullmatch(r"data\.p_test\.test_quick\t +\d+\t +[\d,]+ ns/op", quick)
    assert wrong == "data.p_test.test_wrong\tFAIL  undefined: an expression of its body does not hold"
    assert later == "data.p_test.todo_test_later\tSKIPPED"
    assert summary == ["-" * 80, "PASS: 1/2", "FAIL: 1/2", "SKIPPED: 1/3"]


def test_as_json_with_the_fields_of_opa(solon: Callable[..., Any]) -> None:
    ran = solon("test", "--bench", "--bench-time", "0.01", "-o", "json", "--run", "quick", "--count", "2")
    first, second = json.loads(ran.out)
    assert ran.status == 0
    assert (first["package"], first["name"], second["name"]) == ("data.p_test", "test_quick", "test_quick")
    assert first["location"] == {"file": "./p_test.rego", "row": 3, "col": 1}
    assert first["duration"] == first["benchmark_result"]["T"] >= 10_000_000
    result = first["benchmark_result"]
    assert result["Extra"]["ns/op"] == pytest.approx(result["T"] / result["N"])


def test_tests_are_repeated_until_the_time_is_over(directory: Path) -> None:
    """A clock that goes on by a tenth of a second with each look: a round of any size takes that long."""
    ticks = iter(range(10_000))
    tests = RegoTests(rego_files.read([str(directory)], tests=True))
    found = [each for each in tests.benchmark(lambda: next(ticks) / 10, 1.0) if isinstance(each, Benchmark)]
    (quick,) = found
    assert quick.seconds == pytest.approx(1.0, abs=0.11)
    assert quick.times > 10
    assert quick.ns_each == pytest.approx(1e9 * quick.seconds / quick.times)


def test_count_runs_each_test_again(solon: Callable[..., Any]) -> None:
    out = solon("test", "--count", "3", "--run", "quick|later").out
    assert re.search(r"^3 passed, 3 skipped · ", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--coverage",), "solon: --bench with --coverage would measure the coverage"),
        (("-o", "junit"), "solon: --bench has no JUnit output"),
        (("--run", "nothing"), "solon: .: no test matches --run 'nothing'"),
    ],
)
def test_what_cannot_be_measured(solon: Callable[..., Any], options: tuple[str, ...], problem: str) -> None:
    ran = solon("test", "--bench", *options)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(problem)
