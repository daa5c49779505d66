"""not, and, or as `import future.keywords` has them (OPA's keyword reference, "and, or" and "not")."""

import pytest

from solon.lang import rego
from solon.lang.rego import UNDEFINED, RegoError

INPUT = {"xs": [1, 2, 3], "no": False, "yes": True}


def value(rule, imports="future.keywords"):
    text = f"package p\nimport {imports}\n{rule}"
    return rego.compile({"p.rego": text}).evaluate("data.p.t", INPUT)


@pytest.mark.parametrize(
    "rule, expected",
    [
        ("t if input.no or input.yes", True),
        ("t if input.no or input.nothing", UNDEFINED),
        ("t if input.yes and input.xs", True),
        ("t if input.yes and input.no", UNDEFINED),
        ("t if { input.no or input.yes\n}", True),
        ("t if { input.no\n or input.yes }", True),
        ("t if {input.yes} or {input.no}", True),
        ("t if { {input.no} or {input.yes} }", True),
        # a body in braces has variables of its own
        ("t if { { some x in input.xs; x > 2 } or input.no }", True),
        ("t if { { some x in input.xs; x > 3 } or input.no }", UNDEFINED),
        ("t if { y := 3; { x := y; x > 1 } or input.no }", True),
        # an operand reads what is bound around it, and adds no solutions
        ("t if { input.xs[i] == 2; input.xs[i] == 5 or input.yes }", True),
        ("t := [x | some x in input.xs; x > 0 or x < 9]", [1, 2, 3]),
        ("t := [x | some x in input.xs; x == 1 or x == 3]", [1, 3]),
        ("t if every x in input.xs { x > 2 or x < 3 }", True),
        # precedence: not, and, or, with
        ("t if not input.no and input.yes", True),
        ("t if not input.yes or input.yes", True),
        ("t if input.yes or input.no and input.no", True),
        ("t if { (input.yes or input.no) and input.no }", UNDEFINED),
        ("t if { (input.no or input.yes) and not input.no }", True),
        ("t if 1 + 1 == 2 and 2 in input.xs", True),
        ("t if (1 + 1) * 2 == 4 and (2 in input.xs)", True),
        ('t if input.a or input.b with input as {"b": true}', True),
        ('t if input.a or (input.b with input as {"b": true})', True),
        ('t if input.a or {input.b with input as {"b": true}}', True),
        # negation holds where a part of it is undefined
        ("f(x) := x\nt if not f(input.nothing)", True),
        ("t if not input.nothing.at.all == 3", True),
        ("t if not count(input.nothing) > 1", True),
        ("t if not (input.no or input.nothing)", True),
        ("t if not (input.no or input.yes)", UNDEFINED),
        ("t if not { x := 3; x > 4 }", True),
        ("t if not { x := 5; x > 4 }", UNDEFINED),
        ("t if { some x in input.xs; not { y := x; y < 3 } }", True),
        ("t if not (input.yes)", UNDEFINED),
        ("t if not false", True),
        ("t if not 1", UNDEFINED),
        # the words are still names of fields
        ("t if not input.or", True),
        ('t := {"and": 1}.and', 1),
    ],
)
def test_what_holds(rule, expected):
    assert value(rule) == expected


@pytest.mark.parametrize(
    "rule, code, message, column",
    [
        ("t if input.xs[_] == 2 or input.no", "rego_unsafe_var_error", "var _ is unsafe", 15),
        ("t if input.xs[i] == 2 or input.no", "rego_unsafe_var_error", "var i is unsafe", 15),
        ("t if x = 1 or input.no", "rego_unsafe_var_error", "var x is unsafe", 6),
        ("t if not x = 3", "rego_unsafe_var_error", "var x is unsafe", 10),
        ("t if { { x := 1 } and x == 1 }", "rego_unsafe_var_error", "var x is unsafe", 23),
        ("t if x := 1 or input.no", "rego_compile_error", "cannot assign vars inside implicit or operand", 6),
        ("t if not x := 1", "rego_compile_error", "cannot assign vars inside negated expression", 10),
        ('t if input.a with input as {"a": 1} or input.no', "rego_parse_error", "`with` modifier is not allowed on operand of `or`", 37),
        ("t := input.no or input.yes", "rego_parse_error", "unexpected 'or': expected a line break", 15),
        ("t if { some x in input.xs or input.no }", "rego_parse_error", "unexpected 'or': expected a line break, \";\" or \"}\"", 27),
        ("t if not not input.no", "rego_parse_error", "unexpected not keyword", 10),
        ("t if { not {} }", "rego_parse_error", "found empty body", 12),
        ("t if { input.xs or {} }", "rego_parse_error", "found empty body", 20),
        ('t if { print("x") or input.no }', "rego_parse_error", "operand of `or` cannot consist only of calls to `print`", 19),
        ("or := 3", "rego_parse_error", "unexpected or keyword: expected rule name", 1),
    ],
)  # fmt: skip
def test_what_is_refused(rule, code, message, column):
    with pytest.raises(RegoError) as caught:
        value(rule)
    first = caught.value.errors[0]
    assert (first.code, first.message, first.span.row, first.span.column) == (code, message, 3, column)


@pytest.mark.parametrize("word", ["and", "or"])
@pytest.mark.parametrize("version", ["rego.v1", "future.keywords.in", "future.keywords.not"])
def test_and_or_need_their_import(word, version):
    with pytest.raises(RegoError, match=f"unexpected '{word}'"):
        value(f"t if {{ input.no {word} input.yes }}", version)


def test_not_without_its_import_is_the_old_one():
    assert value("f(x) := x\nt if not f(input.nothing)", "rego.v1") is UNDEFINED


def test_the_right_side_is_not_evaluated_where_the_left_decides():
    text = """package p
import future.keywords
either if input.yes or 1 / 0 == 1
both if input.no and 1 / 0 == 1
"""
    program = rego.compile({"p.rego": text})
    assert program.evaluate("data.p", INPUT, strict_builtin_errors=True) == {"either": True}


def test_brackets_in_brackets_are_read_in_time():
    depth = 40
    rule = "t if " + "(" * depth + "input.no or input.yes" + ")" * depth
    assert value(rule) is True
