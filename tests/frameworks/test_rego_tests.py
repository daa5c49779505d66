"""Unit tests in Rego: which rules are tests, and when they pass. Statuses are those of ``opa test``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from solon.frameworks import rego_files
from solon.frameworks.rego_tests import RegoTests
from solon.frameworks.testing import Status, TestResult
from solon.lang.budget import Budget
from solon.lang.rego import RegoError

PASSED, FAILED, SKIPPED, ERROR = Status.PASSED, Status.FAILED, Status.SKIPPED, Status.ERROR


def ticking() -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += 1.0


def suite_of(directory: Path, *, coverage: bool = False, **modules: str) -> RegoTests:
    for name, text in modules.items():
        (directory / f"{name}.rego").write_text(text)
    return RegoTests(rego_files.read([str(directory)], tests=True), coverage=coverage)


def run(
    directory: Path, rules: str, wanted: str = "", budget: Budget = Budget(), **modules: str
) -> list[TestResult]:
    tests = suite_of(directory, a_test=f"package a_test\n{rules}\n", **modules)
    clock = ticking()
    return list(tests.run(lambda: next(clock), re.compile(wanted) if wanted else None, budget))


def named(results: list[TestResult]) -> list[tuple[str, Status]]:
    return [(r.name.removeprefix("data.a_test."), r.status) for r in results]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("test_x if true", [("test_x", PASSED)]),
        ("test_x := true", [("test_x", PASSED)]),
        ("test_x if false", [("test_x", FAILED)]),
        ("test_x if input.missing", [("test_x", FAILED)]),
        ("test_x := false", [("test_x", FAILED)]),
        # Only true is true.
        ("test_x := 1", [("test_x", FAILED)]),
        ('test_x := "x"', [("test_x", FAILED)]),
        ("test_x := null", [("test_x", FAILED)]),
        ("test_x := [true]", [("test_x", FAILED)]),
        ("test_x := {}", [("test_x", FAILED)]),
        ('test_x := {"a": true}', [("test_x", FAILED)]),
        ('test_x contains "a"', [("test_x", FAILED)]),
        ('test_x contains "a" if false', [("test_x", FAILED)]),
        # Errors
        ("test_x := v if some v in [1, 2]", [("test_x", ERROR)]),
        ("test_x(y) if y", [("test_x", ERROR)]),
        ("test_x if 1 / 0 == 1", [("test_x", FAILED)]),
        ("test_x if not 1 / 0 == 1", [("test_x", FAILED)]),
        ('test_x if not to_number("x")', [("test_x", PASSED)]),
        # todo
        ("todo_test_x if false", [("todo_test_x", SKIPPED)]),
        ("todo_test_x if true", [("todo_test_x", SKIPPED)]),
        # which are tests
        ("test if false\ntestx if false\nTest_x if false\nx_test if false\ntodo_x if false", []),
        ("test_a if true\ntest_b if false", [("test_a", PASSED), ("test_b", FAILED)]),
        # Tests of one name are each a test.
        ("test_x if false\ntest_x if true", [("test_x", FAILED), ("test_x#01", PASSED)]),
        ("test_x if true\ntest_x if false", [("test_x", PASSED), ("test_x#01", FAILED)]),
        # A rule below a test's name is a test, too.
        ("test_x.a if true\ntest_x.b if false", [("test_x.a", PASSED), ("test_x.b", FAILED)]),
    ],
)
def test_statuses(tmp_path: Path, rules: str, expected: list[tuple[str, Status]]) -> None:
    assert named(run(tmp_path, rules)) == expected


CASES = 'cases := {"one": 1, "two": 2, "three": 3}\n'


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            "test_x[case] if { some case, n in cases; n < 3 }",
            {"test_x[one]": PASSED, "test_x[two]": PASSED, "test_x[three]": FAILED},
        ),
        (
            "test_x[case] if { some case; n := cases[case]; n != 2 }",
            {"test_x[one]": PASSED, "test_x[two]": FAILED, "test_x[three]": PASSED},
        ),
        (
            "test_x[case] := n == 1 if some case, n in cases",
            {"test_x[one]": PASSED, "test_x[two]": FAILED, "test_x[three]": FAILED},
        ),
        (
            'test_x[case] if { some case, n in cases; input.n == 2 with input as {"n": n} }',
            {"test_x[one]": FAILED, "test_x[two]": PASSED, "test_x[three]": FAILED},
        ),
        (
            'test_x[i] if { some i, n in ["a", "b"]; n == "b" }',
            {"test_x[0]": FAILED, "test_x[1]": PASSED},
        ),
        (
            'test_x[case] if { some case in [[1, 2], {"k": 3}]; count(case) == 2 }',
            {"test_x[[1,2]]": PASSED, 'test_x[{"k":3}]': FAILED},
        ),
        (
            'test_x[a][b] if { some a, bs in {"p": ["q", "r"]}; some b in bs; b == "q" }',
            {"test_x[p][q]": PASSED, "test_x[p][r]": FAILED},
        ),
        # No case is reached: nothing was tested.
        ("test_x[case] if { some case, n in input.cases; n }", {"test_x": FAILED}),
        # The same case twice is one, which holds where one does.
        (
            'test_x[case] if { some t in [{"c": "a", "n": 1}, {"c": "a", "n": 2}]; case := t.c; t.n == 2 }',
            {"test_x[a]": PASSED},
        ),
    ],
)
def test_cases(tmp_path: Path, rules: str, expected: dict[str, Status]) -> None:
    results = run(tmp_path, CASES + rules)
    assert dict(named(results)) == expected
    assert len(results) == len(expected)
    assert all(r.printed == () for r in results)


def test_cases_share_the_time_and_the_output(tmp_path: Path) -> None:
    results = run(tmp_path, CASES + 'test_x[case] if { some case, n in cases; print("n is", n); n > 0 }')
    assert [r.seconds for r in results] == [pytest.approx(1 / 3)] * 3
    assert [sorted(r.printed) for r in results] == [["n is 1", "n is 2", "n is 3"]] * 3


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("test_x if false", "undefined: an expression of its body does not hold"),
        ("test_x := false", "its value is false, not true"),
        ('test_x contains "a"', 'its value is ["a"], not true'),
        (
            'test_x if to_number("x") == 1',
            "undefined: an expression of its body does not hold\na built-in failed on the way: ",
        ),
        ("test_x(y) if y", "a test takes no arguments"),
        ("test_x := v if some v in [1, 2]", "a_test.rego:2:1: eval_conflict_error: "),
        ("todo_test_x if true", "todo"),
        ("test_x if true", ""),
    ],
)
def test_messages(tmp_path: Path, rules: str, message: str) -> None:
    (result,) = run(tmp_path, rules)
    assert message in result.message
    assert bool(result.message) is bool(message)


def test_result_has_its_place_and_time(tmp_path: Path) -> None:
    first, second = run(tmp_path, "\ntest_a if true\n\n\ntest_b if true")
    file = str(tmp_path / "a_test.rego")
    assert (first.suite, first.location.file, first.location.line) == (file, file, 3)
    assert (second.location.line, second.seconds) == (6, 1.0)


def test_output(tmp_path: Path) -> None:
    rules = 'test_a if { print("one", 1, ["x"]); print("two") }\ntest_b if { print("before"); false; print("after") }'
    first, second = run(tmp_path, rules)
    assert first.printed == ('one 1 ["x"]', "two")
    assert second.printed == ("before",)


def test_output_before_an_error(tmp_path: Path) -> None:
    (result,) = run(tmp_path, 'v := x if some x in [1, 2]\ntest_a if { print("before"); v }')
    assert (result.status, result.printed) == (ERROR, ("before",))


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ["test_one", "test_two", "todo_test_one"]),
        ("one", ["test_one", "todo_test_one"]),
        ("test_t", ["test_two"]),
        (r"^data\.a_test\.test_one$", ["test_one"]),
        ("three", []),
    ],
)
def test_wanted(tmp_path: Path, wanted: str, names: list[str]) -> None:
    rules = "test_one if true\ntest_two if true\ntodo_test_one if true"
    assert [name for name, _ in named(run(tmp_path, rules, wanted))] == names


def test_budget_ends_a_test_that_runs_away(tmp_path: Path) -> None:
    rules = "test_a if { some i in numbers.range(1, 1000000); i < 0 }\ntest_b if true"
    runaway, other = run(tmp_path, rules, budget=Budget(steps=1000))
    assert (runaway.status, other.status) == (ERROR, PASSED)
    assert "evaluation took more than 1,000 steps" in runaway.message


def test_policies_and_data_are_there(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("limit: 3\n")
    policy = 'package main\ndeny contains "no" if input.n > data.limit'
    rules = """import data.main
test_denied if count(main.deny) == 1 with input as {"n": 4}
test_allowed if count(main.deny) == 0 with input as {"n": 3}
test_limit if count(main.deny) == 0 with input as {"n": 4} with data.limit as 9"""
    assert [s for _, s in named(run(tmp_path, rules, main=policy))] == [PASSED] * 3


def test_version_0(tmp_path: Path) -> None:
    tests = suite_of(
        tmp_path, old_test='package old_test\ntest_a { 1 == 1 }\ntest_b { 1 == 2 }\ntest_c["x"] { true }'
    )
    assert [r.status for r in tests.run(lambda: 0.0)] == [PASSED, FAILED, FAILED]


def test_policy_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(RegoError, match="rego_unsafe_var_error"):
        suite_of(
            tmp_path, main="package main\ndeny contains x if true", a_test="package a_test\ntest_a if true"
        )


# --- coverage

POLICY = """package main

deny contains "big" if {
	input.n > 3
	input.strict
}

deny contains "odd" if {
	input.n % 2 == 1
}
"""


def test_coverage(tmp_path: Path) -> None:
    tests = suite_of(
        tmp_path,
        coverage=True,
        main=POLICY,
        main_test='package main_test\n\ntest_small if count(data.main.deny) == 0 with input as {"n": 2}\n',
    )
    assert [r.status for r in tests.run(lambda: 0.0)] == [PASSED]
    found = tests.coverage()[str(tmp_path / "main.rego")]
    # A rule's head is reached where its body holds; what follows an expression that does not is not reached.
    assert set(found.covered) == {4, 9}
    assert set(found.not_covered) == {3, 5, 8}
    assert found.percent == pytest.approx(40.0)


def test_coverage_adds_up_over_tests(tmp_path: Path) -> None:
    tests = suite_of(
        tmp_path,
        coverage=True,
        main=POLICY,
        main_test=(
            'package main_test\ntest_a if data.main.deny with input as {"n": 5, "strict": true}\n'
            'test_b if data.main.deny with input as {"n": 4, "strict": true}\n'
        ),
    )
    list(tests.run(lambda: 0.0))
    found = tests.coverage()[str(tmp_path / "main.rego")]
    assert (set(found.covered), found.not_covered) == ({3, 4, 5, 8, 9}, ())
    assert found.percent == 100.0
