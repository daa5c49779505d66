"""Expressions run as soon as their variables have values; bodies nest as deeply as they like. The values are OPA's."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError

INPUT = {
    "xs": [1, 2, 3, 2],
    "ys": ["b", "a", "c"],
    "o": {"a": 1, "b": 2, "c": {"d": 1}},
    "users": [{"roles": ["admin", "dev"]}, {"roles": ["dev"]}, {"roles": []}],
}
DATA = {"base": {"roles": {"admin": ["read", "write"], "dev": ["read"]}}}


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("p contains v if [v, input.o[v]] != [1, 2]", ["a", "b", "c"]),
        ("p contains [i, j] if [input.xs[input.o[i]], input.o[i]] = [2, j]", [["a", 1]]),
        ("p := x if eq(x, 1)", 1),
        ("p := [x | eq(x, input.xs[_])]", [1, 2, 3, 2]),
        ("p if { eq(x, 1) with input as 3; x == 1 }", True),
        ('p := {v | [v, "a"] = [sort(input.xs), sprintf("%s", [v])]}', []),
        ('p contains v if ["[1, 2, 2, 3]", v] = [sprintf("%v", [v]), sort(input.xs)]', [[1, 2, 2, 3]]),
        ("p contains [a, b, c] if [a, b, c] = [1, a, {b}]", [[1, 1, [1]]]),
        ('p contains [k, x] if some x in data.base.roles[k][(k != "a")]', []),
        (
            "p contains [i, x] if { some i; every x in input.users[i].roles { x != i }; x := i }",
            [[0, 0], [1, 1], [2, 2]],
        ),
        ("p contains [a, b] if [a, b] = [input.ys[i], i]", [["a", 1], ["b", 0], ["c", 2]]),
        ("p contains [a, i] if [input.ys[i], i] = [a, i]", [["a", 1], ["b", 0], ["c", 2]]),
    ],
)
def test_what_binds_a_variable_may_stand_behind_its_use(rules: str, wanted: Any) -> None:
    program = rego.compile({"a.rego": f"package a\n{rules}"}, data=DATA)
    assert program.evaluate("data.a.p", input=INPUT) == wanted


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("p contains x if { some x in [y | y := input.ys[_]] }", ["a", "b", "c"]),
        ("p contains x if { x := [1 | true] }", [[1]]),
        ("p if { x := [1 | true]; x == [2] } or { [1 | true] }", True),
    ],
)
def test_a_bar_in_a_body_under_the_logic_keywords(rules: str, wanted: Any) -> None:
    program = rego.compile({"a.rego": f"package a\nimport future.keywords\n{rules}"})
    assert program.evaluate("data.a.p", input=INPUT) == wanted


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ('p := $"{1 == input.xs} {1 == 1} {input.n == 1}"', "false true <undefined>"),
        ('p := {x: 0, "b": 1} if x := "b"', {"b": 0}),
        ('p := {concat("", ["b"]): 0, "b": 1, input.ys[0]: 3}', {"b": 3}),
        ("p if not equal(input.xs, input.n)", True),
        ("p := x if { x := y; y = 1 }", 1),
    ],
)
def test_comparisons_and_keys(rules: str, wanted: Any) -> None:
    assert rego.compile({"a.rego": f"package a\n{rules}"}).evaluate("data.a.p", input=INPUT) == wanted


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("p if { [v1, v2] = [input.x, v1.a] }", "var v2 is unsafe"),
        ("p if { [v1, v2] = [1, v1 == 1] }", "var v2 is unsafe"),
        ("p if input.xs[i][j] == (j == 1)", "var j is unsafe"),
        ("p if { [_] = [{input.x[y]: 1}]; [z | z := w] = [w, 1] }", "var w is unsafe"),
        ('p if [x | x := 1] = {"a": y}', "var y is unsafe"),
        ("p if {x | x := 1} = [[y]]", "var y is unsafe"),
        ("p if v[_] == input.deep[_].k[v]", "var _ is unsafe"),
        ('p if {"a": x} = {y | y := 1}', "var x is unsafe"),
        ("p if { eq(x, 1) == true }", "var x is unsafe"),
        ("p if { x := y; input.xs[x] }", "var y is unsafe"),
        ('p contains [x, y] if [x, y] = [input.n, $"{x}"]', "var x is unsafe"),
    ],
)
def test_what_is_unsafe(rules: str, message: str) -> None:
    with pytest.raises(RegoError) as raised:
        rego.compile({"a.rego": f"package a\n{rules}"})
    assert message in [e.message for e in raised.value.errors]


@pytest.mark.parametrize(
    "query, bindings",
    [
        ('[v, input.o[v]] = ["a", 1]', [{"v": "a"}]),
        ('[input.ys[i], i] == ["a", 1]', [{"i": 1}]),
        ("1 == 2", [{}]),
        ("2 in input.xs", [{}]),
        ("input.xs[i] == 9", []),
    ],
)
def test_the_bindings_of_a_query(query: str, bindings: list[Any]) -> None:
    assert rego.compile({}).query(query, INPUT) == bindings


@pytest.mark.parametrize("loops", [15, 16, 17, 18, 20, 33, 64, 100])
def test_loops_in_loops(loops: int) -> None:
    body = "; ".join(f"some x{n} in input.x{n}" for n in range(loops))
    last = f"x{loops - 1}"
    program = rego.compile(
        {
            "a.rego": f"""package a
import future.keywords
pairs contains [x0, {last}] if {{ {body} }}
array := [[x0, {last}] | {body}]
object[x0] := {last} if {{ {body}; {last} == {loops} }}
value := {last} if {{ {body}; {last} == {loops} }}
holds if {{ {body}; {last} == {loops} }}
never if {{ {body}; {last} == -1 }}
refuted if not {{ {body}; {last} == -1 }}
f(x) := x0 + {last} if {{ {body}; {last} == x; x0 == 1 }}
calls := [f({loops - 1}), f({loops})]
two := {last} if {{ {body} }}
"""
        }
    )
    ends = (0, loops - 1)
    document = {f"x{n}": [n, n + 1] if n in ends else [n] for n in range(loops)}
    pairs = [[0, loops - 1], [0, loops], [1, loops - 1], [1, loops]]

    def value(name: str) -> Any:
        return program.evaluate(f"data.a.{name}", input=document)

    assert value("pairs") == value("array") == pairs
    assert value("object") == {"0": loops, "1": loops}
    assert value("value") == loops
    assert (value("holds"), value("refuted"), value("never")) == (True, True, rego.UNDEFINED)
    assert value("calls") == [loops, loops + 1]
    with pytest.raises(RegoError, match="eval_conflict_error"):
        value("two")
    assert len(program.query(f"{body}; {last} == {loops}", document)) == 2
