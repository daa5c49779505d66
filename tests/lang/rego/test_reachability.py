"""Rules that can never hold."""

from __future__ import annotations

import pytest

from solon.lang import rego
from solon.lang.rego.lint import lint


def said(text: str) -> list[tuple[str, int, str]]:
    program = rego.compile({"p.rego": f"package p\n\n{text}\n"})
    found = [r.diagnostic for r in lint(program)]
    return [
        (d.code.removeprefix("rego/"), d.span.row, d.message)
        for d in found
        if d.code != "rego/unused-argument"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "q",
        'q == "v"',
        "count(q) > 0",
        "data.p.q",
        "f(input.x)",
        "f(input.x) == true",
        "s[input.x]",
        "some x in s",
        "s[_] == 3",
        "o.name",
        'input[q] == "a"',
    ],
)
def test_what_needs_a_rule_that_never_holds(body: str) -> None:
    rules = (
        'q := "v" if false\n\n'
        "f(x) if {\n\tx == 1\n\tx == 2\n}\n\n"
        "s contains x if {\n\tx := input.a\n\tq\n}\n\no[x] := 1 if {\n\tx := input.a\n\tq\n}\n\n"
    )
    found = said(f"{rules}deny if {{\n\t{body}\n}}")
    assert [(code, row) for code, row, _ in found if row > 18] == [("unreachable-rule", 21)]


@pytest.mark.parametrize(
    "body",
    [
        "not q",
        "count(s) == 0",
        "s == set()",
        "xs := [x | x := q]\n\tcount(xs) == 0",
        "r",
        "d == 1",
        "q with data.p.q as 1",
        "not s[1]",
        "e",
    ],
)
def test_what_does_not(body: str) -> None:
    rules = (
        "q if false\n\ns contains 1 if {\n\tinput.a\n\tq\n}\n\nr if input.r\n\nr if false\n\n"
        "default d := 1\n\nd := 2 if false\n\ne := 1 if {\n\tinput.x == 1\n\tinput.x == 2\n} else := 2\n"
    )
    assert [found for found in said(f"{rules}deny if {{\n\t{body}\n}}") if found[1] > 20] == []


def test_it_goes_on_from_rule_to_rule() -> None:
    text = "a if false\n\nb if a\n\nc if b\n\ndeny contains 1 if c"
    assert [(code, row) for code, row, _ in said(text)] == [("unreachable-rule", row) for row in (5, 7, 9)]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("count(input.x) < 0", "never-holds", "count(…) is never < 0: the body never holds"),
        ("0 > count(input.x)", "never-holds", "count(…) is never < 0: the body never holds"),
        ("n := count(input.x)\n\tn <= -1", "never-holds", "n is never <= -1: the body never holds"),
        ("not count(input.x) >= 0", "never-holds", "count(…) is never < 0: the body never holds"),
        ("count(input.x) == -1", "never-holds", "count(…) is never == -1: the body never holds"),
        ('indexof(input.x, "a") < -1', "never-holds", "indexof(…) is never < -1: the body never holds"),
        ("abs(input.x) < 0", "never-holds", "abs(…) is never < 0: the body never holds"),
        ("input.x in []", "never-holds", "this is always false: the body never holds"),
        ("input.x in {}", "never-holds", "this is always false: the body never holds"),
        (
            'count(input.x) > "3"',
            "mismatched-types",
            "count(…) is a number, compared with a string: that never holds",
        ),
        (
            'count(input.x) < "3"',
            "mismatched-types",
            "count(…) is a number, compared with a string: that always holds",
        ),
        (
            "lower(input.x) != 3",
            "mismatched-types",
            "lower(…) is a string, compared with a number: that always holds",
        ),
        (
            "not lower(input.x) != 3",
            "mismatched-types",
            "lower(…) is a string, compared with a number: that never holds",
        ),
    ],
)
def test_results_of_builtins(body: str, code: str, message: str) -> None:
    row = 4 + body.count("\n")
    assert said(f"deny if {{\n\t{body}\n}}") == [(code, row, message)]


@pytest.mark.parametrize(
    "body",
    [
        "count(input.x) == 0",
        "count(input.x) <= 0",
        "count(input.x) > -1",
        'indexof(input.x, "a") == -1',
        "not count(input.x) == 0",
        "not input.x in []",
        'lower(input.x) != "a"',
        "input.x < 0",
        "to_number(input.x) < 0",
        "n := input.n\n\tn < 0",
    ],
)
def test_results_that_may_be(body: str) -> None:
    assert said(f"deny if {{\n\t{body}\n}}") == []
