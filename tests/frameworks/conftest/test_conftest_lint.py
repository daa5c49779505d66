"""What lint says of Conftest's policies."""

from __future__ import annotations

import pytest

from solon.frameworks.conftest.lint import lint
from solon.lang import rego

POLICY = """package main

deny contains msg if {
	input.x
	msg := "x"
}
"""
NOTED = """package main

# METADATA
# title: No x
# custom:
#   severity: high
#   remediation: Remove x
deny contains "x" if input.x
"""
TEST = "package main_test\n\nimport data.main\n\ntest_x if {test}\n"


def said(**modules: str) -> list[tuple[str, str]]:
    program = rego.compile({f"{name}.rego": text for name, text in modules.items()})
    return [(remark.diagnostic.code, remark.diagnostic.message) for remark in lint(program)]


def test_a_policy_by_itself() -> None:
    assert said(main=POLICY) == [
        ("conftest/untested-policy", "no test reads main.deny"),
        ("conftest/missing-metadata", "main.deny has no title and no severity and no remediation"),
    ]


@pytest.mark.parametrize(
    ("test", "tested"),
    [
        ('count(main.deny) == 0 with input as {"x": 1}', True),
        ('main == {} with input as {"x": 1}', True),
        ('main.deny["x"] with input as {"x": 1}', True),
        ('data.main["deny"] with input as {"x": 1}', True),
        ('count(main.warn) == 0 with input as {"x": 1}', False),
        ("input.y", False),
    ],
)
def test_tests_read_policies(test: str, tested: bool) -> None:
    found = said(main=NOTED + "warn_y := 1\n", main_test=TEST.replace("{test}", test))
    assert (("conftest/untested-policy", "no test reads main.deny") not in found) is tested


def test_a_helper_in_a_file_of_tests_reads_for_them() -> None:
    helper = "package main_test\n\nresults(x) := r if r := data.main.deny with input as x\n\ntest_x if results(1) == set()\n"
    assert said(main=NOTED, main_test=helper) == []


def test_other_rules_and_functions_are_no_policies() -> None:
    assert (
        said(main="package main\n\nallow if input.x\n\ndeny(x) := x\n\ndenied contains 1 if input.y\n") == []
    )


@pytest.mark.parametrize(
    ("result", "missing"),
    [
        ('{"msg": "x"}', "title and no severity and no remediation"),
        ('{"msg": "x", "severity": "low"}', "title and no remediation"),
        ('{"msg": "x", "severity": "low", "remediation": "y"}', "title"),
    ],
)
def test_results_may_say_severity_and_remediation(result: str, missing: str) -> None:
    found = said(main=f"package main\n\ndeny contains {result} if input.x\n")
    assert found[1] == ("conftest/missing-metadata", f"main.deny has no {missing}")


def test_metadata_of_the_package_counts() -> None:
    text = "# METADATA\n# title: All\n# custom:\n#   severity: low\n#   remediation: r\n" + POLICY
    assert said(main=text) == [("conftest/untested-policy", "no test reads main.deny")]


def test_several_definitions_are_one_policy() -> None:
    assert [code for code, _ in said(main=POLICY + 'deny contains "y" if input.y\n')] == [
        "conftest/untested-policy",
        "conftest/missing-metadata",
    ]
