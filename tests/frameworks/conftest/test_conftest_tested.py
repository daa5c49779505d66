"""What the tests of Conftest's policies show, seen by running them."""

from __future__ import annotations

import pytest

from solon.frameworks.conftest.tested import lint, run_tests
from solon.frameworks.rego_files import RegoFiles
from solon.lang import rego
from solon.lang.budget import Budget

POLICY = """package main

deny contains "x" if input.x

deny contains "y" if {
	some y in input.ys
	y > 3
}

warn_z if input.z
"""
DENYING = ("policy/no-denying-test", "no test has main.deny find anything", 3)
X = ("policy/no-denying-test", "no test has this rule of main.deny find anything", 3)
Y = ("policy/no-denying-test", "no test has this rule of main.deny find anything", 5)
ALLOWING = ("policy/no-allowing-test", "no test has main.deny let anything pass", 3)


def said(test: str, policy: str = POLICY) -> list[tuple[str, str, int]]:
    modules = {"main.rego": policy, "main_test.rego": f"package main_test\n\nimport data.main\n\n{test}\n"}
    program = rego.compile(modules)
    tested = run_tests(RegoFiles(modules, "v1"), program, Budget())
    return [(r.diagnostic.code, r.diagnostic.message, r.diagnostic.span.row) for r in lint(program, tested)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('count(main.deny) == 1 with input as {"x": 1, "ys": [4]}', [ALLOWING]),
        ('main.deny == {"x", "y"} with input as {"x": 1, "ys": [4]}', [ALLOWING]),
        ('"x" in main.deny with input as {"x": 1}', [Y, ALLOWING]),
        ('main.deny["y"] with input as {"ys": [1, 5]}', [X, ALLOWING]),
        ("count(main.deny) == 0 with input as {}", [DENYING]),
        ("main.deny == set() with input as {}", [DENYING]),
        ('not main.deny["x"] with input as {"ys": [4]}', [X, ALLOWING]),
        # What a test says, however it says it: this one fails, and shows as much.
        ('count(main.deny) == 7 with input as {"x": 1, "ys": [9]}', [ALLOWING]),
    ],
)
def test_one_test(body: str, found: list[tuple[str, str, int]]) -> None:
    assert said(f"test_a if {body}") == found


def test_both_in_one_test() -> None:
    assert (
        said(
            'test_a if {\n\tcount(main.deny) == 2 with input as {"x": 1, "ys": [4]}\n'
            "\tcount(main.deny) == 0 with input as {}\n}"
        )
        == []
    )


def test_cases_and_helpers() -> None:
    assert (
        said(
            'results(doc) := r if r := main.deny with input as doc\ncases := {"a": {"x": 1, "ys": [4]}, "b": {}}\n'
            "test_a[name] if {\n\tsome name, doc in cases\n\tcount(results(doc)) >= 0\n}"
        )
        == []
    )


def test_a_policy_that_is_true() -> None:
    test = 'test_a if {\n\tmain.warn_z with input as {"z": 1}\n}\ntest_b if not main.warn_z with input as {}'
    assert said(test) == []
    assert said("test_b if not main.warn_z with input as {}") == [
        ("policy/no-denying-test", "no test has main.warn_z find anything", 10)
    ]


def test_a_policy_that_no_test_reads_is_told_elsewhere() -> None:
    assert said("test_a if true") == []


def test_else_and_defaults() -> None:
    policy = "package main\n\ndefault deny := false\n\ndeny if input.a\nelse := true if input.b\n"
    assert (
        said('test_a if main.deny with input as {"b": 1}\ntest_b if not main.deny with input as {}', policy)
        == []
    )


def test_an_error_in_a_test_ends_it_alone() -> None:
    test = 'test_a if count(main.deny) == 2 with input as {"x": 1, "ys": [4]}\ntest_b(x) if x\ntest_c if count(main.deny) == 0 with input as {}'
    assert said(test) == []


def test_inputs_are_kept_with_their_test() -> None:
    modules = {
        "main.rego": POLICY,
        "main_test.rego": 'package main_test\n\ntest_a if data.main.deny["x"] with input as {"x": 1}\n',
    }
    tested = run_tests(RegoFiles(modules, "v1"), rego.compile(modules), Budget())
    assert [(a.policy, a.test.name, a.input) for a in tested.asked] == [
        ("data.main.deny", "data.main_test.test_a", {"x": 1})
    ]
