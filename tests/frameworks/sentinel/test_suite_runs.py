"""Running cases on several cores, and what they reach."""

import time

import pytest

from solon.frameworks.sentinel import parallel
from solon.frameworks.sentinel.cases import Case, find
from solon.frameworks.sentinel.coverage import Reached
from solon.frameworks.sentinel.suite import Setting, SuiteRunner
from solon.lang.budget import Budget

POLICY = """import "m"

param size default 1

small = func(n) {
	if n < 10 {
		return true
	}
	return m.large(n)
}

never = rule {
	size is 3
}

main = rule {
	small(size)
}
"""
MODULE = """large = func(n) {
	return n > 100
}

unused = func(n) {
	return n
}
"""
SETTING = Setting(Budget(), 0)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test" / "p").mkdir(parents=True)
    (tmp_path / "p.sentinel").write_text(POLICY)
    (tmp_path / "m.sentinel").write_text(MODULE)

    def case(name, **params):
        lines = ['module "m" { source = "../../m.sentinel" }']
        lines += [f'param "{key}" {{ value = {value} }}' for key, value in params.items()]
        (tmp_path / "test" / "p" / f"{name}.hcl").write_text("\n".join(lines))

    return case


def covered(*names):
    runner = SuiteRunner(SETTING, time.perf_counter, Reached())
    assert [result.status.value for result in runner.run(find(["."]))] == ["passed"] * len(names)
    return {file: (found.covered, found.not_covered) for file, found in runner.coverage().items()}


def test_lines_that_a_case_reaches(suite):
    suite("small")
    found = covered("small")
    assert set(found) == {"p.sentinel", "m.sentinel"}
    reached, missed = found["p.sentinel"]
    assert {6, 7, 17} <= set(reached)
    assert {9, 13} <= set(missed)
    assert 2 in found["m.sentinel"][1]


def test_lines_that_several_cases_reach(suite):
    suite("small")
    suite("large", size=101)
    found = covered("small", "large")
    assert {6, 7, 9, 17} <= set(found["p.sentinel"][0])
    assert 2 in found["m.sentinel"][0]
    assert 6 in found["m.sentinel"][1]


def test_without_being_asked_nothing_is_watched(suite):
    suite("small")
    runner = SuiteRunner(SETTING, time.perf_counter)
    assert [result.status.value for result in runner.run(find(["."]))] == ["passed"]
    assert runner.coverage() == {}


def test_results_come_in_order_from_several_processes(suite, monkeypatch):
    monkeypatch.setattr(parallel, "WORTH", 2)
    for number in range(6):
        suite(f"c{number}", size=50 if number == 3 else 5)
    results = list(parallel.run(find(["."]), SETTING, 2))
    assert [(r.name, r.status.value) for r in results] == [
        (f"p/c{number}.hcl", "failed" if number == 3 else "passed") for number in range(6)
    ]


def cases(*policies):
    return [Case(policy, f"{policy}/{number}") for policy, count in policies for number in range(count)]


@pytest.mark.parametrize(
    "policies, count, sizes",
    [
        ([("a/p", 2), ("a/q", 2), ("a/r", 2)], 2, [2, 2, 2]),
        ([("a/p", 2), ("a/q", 1), ("a/r", 3)], 2, [3, 3]),
        ([("a/p", 9), ("a/q", 1)], 5, [9, 1]),  # the cases of a policy stay together
        ([("a/p", 1), ("b/p", 1)], 1, [1, 1]),  # directories do not share modules
        ([("a/p", 1)], 8, [1]),
    ],
)
def test_chunks(policies, count, sizes):
    given = cases(*policies)
    found = parallel.chunks(given, count)
    assert [len(chunk) for chunk in found] == sizes
    assert [case for chunk in found for case in chunk] == given
