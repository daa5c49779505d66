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


@pytest.mark.parametrize(
    ("required", "missing"),
    [
        ([], None),
        (["title", "severity"], None),
        (["owner"], "no owner"),
        (["controls", "description", "remediation", "owner"], "no description and no owner and no controls"),
    ],
)
def test_what_is_required_can_be_chosen(required: list[str], missing: str | None) -> None:
    program = rego.compile({"main.rego": NOTED})
    found = [r.diagnostic.message for r in lint(program, required) if "missing" in r.diagnostic.code]
    assert found == ([f"main.deny has {missing}"] if missing else [])


def test_metadata_that_other_metadata_hides() -> None:
    other = NOTED.replace("No x", "No y").replace("high", "low").replace("input.x", "input.y")
    assert said(a=NOTED, b=other)[1] == (
        "conftest/shadowed-metadata",
        "main.deny is one policy: title and severity given here are hidden by what stands at b.rego:3",
    )


def test_rules_that_put_their_own_metadata_into_results_hide_nothing() -> None:
    rule = "# METADATA\n# title: {}\ndeny contains rego.metadata.rule().title if input.{}\n"
    text = "package main\n\n" + rule.format("A", "a") + rule.format("B", "b")
    assert "conftest/shadowed-metadata" not in [code for code, _ in said(main=text)]


def test_the_same_metadata_twice_hides_nothing() -> None:
    assert "conftest/shadowed-metadata" not in [code for code, _ in said(a=NOTED, b=NOTED)]
