"""What is refused before anything is evaluated: codes and lines are those of `opa check`.

Columns are those of the variable or name that is at fault, where OPA gives the expression it stands in.
"""

from __future__ import annotations

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError


def errors(rules: str, **settings: object) -> RegoError:
    with pytest.raises(RegoError) as raised:
        rego.compile({"a.rego": f"package a\n{rules}\n"}, **settings)  # type: ignore[arg-type]
    return raised.value


UNSAFE = [
    ("q := 1\np if { some q; q == 2 }", 3, 16, "var q is unsafe"),
    ("p := count", 2, 6, "var count is unsafe"),
    ("p if { x := count; x }", 2, 13, "var count is unsafe"),
    ("p if { x == 1 }", 2, 8, "var x is unsafe"),
    ("p := x if { x == 1 }", 2, 13, "var x is unsafe"),
    ("p := x if { some x; x == 1 }", 2, 21, "var x is unsafe"),
    ("p := x if { [x] == [1] }", 2, 14, "var x is unsafe"),
    ("p := x if { x == input.a }", 2, 13, "var x is unsafe"),
    ("p := x if { 1 == x }", 2, 18, "var x is unsafe"),
    ("p := x if { equal(x, 1) }", 2, 19, "var x is unsafe"),
    ("p if not x == 1", 2, 10, "var x is unsafe"),
    ("p := x if { input == x }", 2, 22, "var x is unsafe"),
    ("p if { every x in [1] { y == x } }", 2, 25, "var y is unsafe"),
    ("p := x if { x == y; y = 1}", 2, 13, "var x is unsafe"),
    ("p := y if { x == y; x = 1}", 2, 18, "var y is unsafe"),
    ("p := [x | x == 1]", 2, 11, "var x is unsafe"),
    ("p if { y := [1 | x == 1]; x := 1 }", 2, 18, "var x is unsafe"),
    ("p if { y := [1 | x]; x := 1 }", 2, 18, "var x is unsafe"),
    ("p if { x := y; y == 1}", 2, 13, "var y is unsafe"),
    ("p := x", 2, 6, "var x is unsafe"),
    ("p := y if x := 1", 2, 6, "var y is unsafe"),
    ("p contains x if true", 2, 12, "var x is unsafe"),
    ("p[x] := 1 if true", 2, 3, "var x is unsafe"),
    ("p if { x > 1 }", 2, 8, "var x is unsafe"),
    ("p if not x", 2, 10, "var x is unsafe"),
    ("p if { not input[x] }", 2, 18, "var x is unsafe"),
    ("p if { not input.a[x] == 1 }", 2, 20, "var x is unsafe"),
    ("p := [x | y := 1]", 2, 7, "var x is unsafe"),
    ("p := {x: y | x := 1}", 2, 10, "var y is unsafe"),
    ("p if { every x in y { x } }", 2, 19, "var y is unsafe"),
    ("p if { every x in [1] { x == y } }", 2, 30, "var y is unsafe"),
    ("p if count(x) == 1", 2, 12, "var x is unsafe"),
    ("p if { input.x with input as y }", 2, 30, "var y is unsafe"),
    ("f(x) := y", 2, 9, "var y is unsafe"),
    ("f(x) if { x == y }", 2, 16, "var y is unsafe"),
    ("f([x, y]) := z if { x == y }", 2, 14, "var z is unsafe"),
    ("p if { some v in {y | y := input[v]} }", 2, 34, "var v is unsafe"),
    ("p if { x = [y | y = z] }", 2, 17, "var y is unsafe"),
    ("p if { [x, y] = [1] }", 2, 9, "var x is unsafe"),
    ("p if { x = y }", 2, 8, "var x is unsafe"),
    ("p if input[x] > y", 2, 17, "var y is unsafe"),
    ('p contains msg if { msg := sprintf("%v", [x]) }', 2, 43, "var x is unsafe"),
    ("p if { walk(x, [a, b]); a; b }", 2, 13, "var x is unsafe"),
]  # fmt: skip

TYPES = [
    ("count := 3\np := count([1])", 3, 6, "undefined function count"),
    ("json := 1\np := json.marshal(1)", 3, 6, "undefined function json.marshal"),
    ("p if nope(1)", 2, 6, "undefined function nope"),
    ("p if input.nope(1)", 2, 6, "undefined function input.nope"),
    ("p if data.b.f(1)", 2, 6, "undefined function data.b.f"),
    ('p if regex.nope("a")', 2, 6, "undefined function regex.nope"),
    ("p if cuont([1])", 2, 6, "undefined function cuont"),
    ("p if count()", 2, 6, "count: arity mismatch: have 0 arguments, want 1"),
    ("p if count(1, 2, 3)", 2, 6, "count: arity mismatch: have 3 arguments, want 1"),
    ("p if f(1, 2, 3)\nf(x) := x", 2, 6, "f: arity mismatch: have 3 arguments, want 1"),
    ("p := f()\nf(x) := x", 2, 6, "f: arity mismatch: have 0 arguments, want 1"),
    ("p if q(1)\nq := 1", 2, 6, "undefined function q"),
    ("f() := 1\np := f()", 3, 6, "undefined function f"),
    ("p := [print(1)]", 2, 7, "print(…) used as value"),
    ("p if count(print(1)) == 1", 2, 12, "print(…) used as value"),
    ("p if { x := print(1); x }", 2, 13, "print(…) used as value"),
    ('p if concat(",")', 2, 6, "concat: arity mismatch: have 1 argument, want 2"),
    ("p := 1\np.q := 2", 2, 1, "rule data.a.p conflicts with ['data.a.p.q']"),
    ("p contains 1\np.q := 2", 2, 1, "rule data.a.p conflicts with ['data.a.p.q']"),
    ("p.q := 1\np.q.r := 2", 2, 1, "rule data.a.p.q conflicts with ['data.a.p.q.r']"),
    ("default p.q := 1\np.q.r := 2", 2, 9, "rule data.a.p.q conflicts with ['data.a.p.q.r']"),
    ("p if { any([true]) }", 2, 8, "deprecated built-in function calls in expression: any"),
    ("p if { all([true]) }", 2, 8, "deprecated built-in function calls in expression: all"),
    ('p if { re_match("a", "a") }', 2, 8, "deprecated built-in function calls in expression: re_match"),
    ("p if { cast_array(1) }", 2, 8, "deprecated built-in function calls in expression: cast_array"),
    ("p if { set_diff({1}, {1}) }", 2, 8, "deprecated built-in function calls in expression: set_diff"),
    ('p if { net.cidr_overlap("1.1.1.1/8", "1.1.1.1") }', 2, 8, "deprecated built-in function calls in expression: net.cidr_overlap"),
]  # fmt: skip

RECURSION = [
    ("p if q with data.a.p as 1\nq := 1", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p := [1 | q with data.a as 1]\nq := 1", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p := p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if q\nq if p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.q -> data.a.p"),
    ("p if not p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if q\nq if r\nr if p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.q -> data.a.r -> data.a.p"),
    ("p := [1 | p]", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("f(x) := f(x)", 2, 1, "rule data.a.f is recursive: data.a.f -> data.a.f"),
    ("f(x) := g(x)\ng(x) := f(x)", 2, 1, "rule data.a.f is recursive: data.a.f -> data.a.g -> data.a.f"),
    ("p if data.a.p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if data.a", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if data.a[x]", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p contains x if x := count(p)", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p[x] := 1 if x := p.y", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if { every x in [p] { x } }", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p if { input.x with input as p }", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ('p := data[x] if x := "a"', 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("default p := 1\np := 2 if p", 3, 1, "rule data.a.p is recursive: data.a.p -> data.a.p"),
    ("p := q.r\nq.r := p", 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.q.r -> data.a.p"),
    ("w.a := w[x] if x := input.k\nw.b := 3", 2, 1, "rule data.a.w.a is recursive: data.a.w.a -> data.a.w.a"),
    ('w.a if { w[x] == 3; x = "b" }\nw.b := 3', 2, 1, "rule data.a.w.a is recursive: data.a.w.a -> data.a.w.a"),
    ('w.a if w[x] with input as 1\nx := "b"\nw.b := 3', 2, 1, "rule data.a.w.a is recursive: data.a.w.a -> data.a.w.a"),
    ('p if q.x\nq[x] := 1 if { x := "x"; p }', 2, 1, "rule data.a.p is recursive: data.a.p -> data.a.q -> data.a.p"),
]  # fmt: skip

COMPILE = [
    ("f(x) := y if { x := 1; y := 2 }", 2, 16, "arg x redeclared"),
    ("f(x) := y if { some x in [1]; y := 2 }", 2, 21, "arg x redeclared"),
    ("f(x) := y if { some x; y := input[x] }", 2, 21, "arg x redeclared"),
    ("f(x) := 1 if { false } else := 2 if { x := 1 }", 2, 39, "arg x redeclared"),
    ("f(x) := x if { false } else := x if { some x in [1] }", 2, 44, "arg x redeclared"),
    ("f([x]) := 1 if { x := 1 }", 2, 18, "arg x redeclared"),
    ("f(x) := y if { [x, y] := [1,2] }", 2, 17, "arg x redeclared"),
    ("p if { some x in [1]; some x in [2] }", 2, 28, "var x assigned above"),
    ("p if { x := 1; some x in [2] }", 2, 21, "var x assigned above"),
    ("p if { some x; x := 1 }", 2, 13, "declared var x unused"),
    ("p if { some x in x }", 2, 13, "var x assigned before"),
    ("p if { x := 1; y := [1 | some x in x] }", 2, 31, "var x assigned before"),
    ("p if { x = 1; some x in [1] }", 2, 20, "var x referenced above"),
    ("p if { some x in [1]; x := 1 }", 2, 23, "var x assigned above"),
    ("p if { some x, x }", 2, 13, "declared var x unused"),
    ("p if { some x; some x; x = 1 }", 2, 13, "declared var x unused"),
    ("p if { x := x }", 2, 8, "var x referenced above"),
    ("p if { y := x; x := 1 }", 2, 16, "var x referenced above"),
    ("p if { some y in [x]; x := 1 }", 2, 23, "var x referenced above"),
    ("p if {every x in [1] { x := 1; x }}", 2, 13, "declared var x unused"),
    ("p if {every x in [1] { some x in [2] }}", 2, 13, "declared var x unused"),
    ('p if { {"a":x,"b":x} := {"a":1,"b":1}}', 2, 19, "var x assigned above"),
    ("p if {[x,x] := [1,1]}", 2, 10, "var x assigned above"),
    ("p := {x | some x in x} if x := [1]", 2, 16, "var x assigned before"),
    ("p if { x := 1; x := 2; x := 3 }", 2, 16, "var x assigned above"),
    ("p if { x == 1; x := 2 }", 2, 16, "var x referenced above"),
    ("p if { not x; x := 2 }", 2, 15, "var x referenced above"),
    ("p if { input := 1 }", 2, 8, "variables must not shadow input (use a different variable name)"),
    ("p if { data := 1}", 2, 8, "variables must not shadow data (use a different variable name)"),
    ("f(input) := 1", 2, 3, "args must not shadow input (use a different variable name)"),
    ("p if { count := 3; count([1]) == 1 }", 2, 20, "called function count shadowed"),
    ("p if { a.b := 1 }", 2, 8, "cannot assign to ref"),
    ("p if { 1 := 1 }", 2, 8, "cannot assign to scalar"),
    ('p if { "x" := 1 }', 2, 8, "cannot assign to scalar"),
    ("p if { f(1) := 1 }", 2, 8, "cannot assign to call"),
    ("p if { {x} := {1} }", 2, 8, "cannot assign to set"),
    ("p if { [y | y:=1] := 2}", 2, 8, "cannot assign to comprehension"),
    ("p if { input.x := 2 }", 2, 8, "cannot assign to ref"),
    ("p if { x + 1 := 2 }", 2, 10, "cannot assign to call"),
    ("p if { [1, x] := [1, 2]; x }", 2, 9, "cannot assign to number"),
    ('p if { {"a": "b", "c": x} := input; x }', 2, 14, "cannot assign to string"),
    ("p if { [[null], x] := input; x }", 2, 10, "cannot assign to null"),
    ("p if { [input.n, x] := [2, 2]; x }", 2, 9, "cannot assign to ref"),
    ("p if { [x, {1}] := input; x }", 2, 12, "cannot assign to set"),
    ("p if { [x, [y | y := 1]] := input; x }", 2, 12, "cannot assign to arraycomprehension"),
    ("p if { not x == y; y := 1 }", 2, 20, "var y referenced above"),
    ("p if { x := y; y := x }", 2, 16, "var y referenced above"),
    ("input := 1", 2, 1, "rules must not shadow input (use a different rule name)"),
    ("data.x := 1", 2, 1, "rules must not shadow data (use a different rule name)"),
    ('p := $"{input.x[_]}"', 2, 17, "var _ is undeclared"),
    ('p := $"{1 + input.x[i]}"', 2, 21, "var i is undeclared"),
    ('p if { some i; $"{input.x[i]}" == "1" }', 2, 27, "var i is undeclared"),
    ('p if { print("at", x) }', 2, 20, "var x is undeclared"),
    ("p if { v := 1; some v in {1, v} }", 2, 21, "var v assigned before"),
    ("import data.x\nimport data.x", 3, 1, "import must not shadow import data.x"),
    ("import data.x\nimport input.x", 3, 1, "import must not shadow import input.x"),
    ("import data.x as y\nimport data.y", 3, 1, "import must not shadow import data.y"),
    ("import data.x as y\nimport data.z as y", 3, 1, "import must not shadow import data.z"),
    ("p if { input.x with input[x] as 1; x := 1 }", 2, 16, "with keyword target must be a path of fixed names"),
    ("p if { walk(1, x) with walk as 1; x }", 2, 19, "with keyword replacing built-in function: replacement of walk is not allowed"),
    ("p if { 1 == 1 with eq as 2 }", 2, 15, "with keyword replacing built-in function: replacement of eq is not allowed"),
]  # fmt: skip

PARSE = [
    ("# METADATA\n# scope: nope\np := 1", 2, 1, "invalid annotation scope 'nope'"),
    ("# METADATA\n# scope: rule", 2, 1, "annotation is not followed by a rule"),
    ("# METADATA\np := 1", 2, 1, "expected METADATA block, found whitespace or no fields"),
]  # fmt: skip


CASES = [
    *((*case, "rego_unsafe_var_error") for case in UNSAFE),
    *((*case, "rego_type_error") for case in TYPES),
    *((*case, "rego_recursion_error") for case in RECURSION),
    *((*case, "rego_compile_error") for case in COMPILE),
    *((*case, "rego_parse_error") for case in PARSE),
]


@pytest.mark.parametrize(("rules", "row", "column", "message", "code"), CASES)
def test_what_is_refused(rules: str, row: int, column: int, message: str, code: str) -> None:
    error = errors(rules)
    first = error.errors[0]
    assert (first.code, first.message) == (code, message)
    assert (first.span.file, first.span.row, first.span.column) == ("a.rego", row, column)
    assert f"a.rego:{row}:{column}: {code}: {message}\n  {row} | " in error.render()


@pytest.mark.parametrize(
    "rules",
    [
        "p if { some x, x in [1] }",
        "p if { [1 | x = 1]; x := 2 }",
        "f(x) := y if { y := [x | some x in [1]] }",
        "f(x) := y if { y := 1; every x in [1] { x } }",
        "f(x, x) := 1",
        "p if { some x; input[x] == x }",
        "p if { x == input[x] }",
        "p if { not abs(input.xs[_]) == 5 }",
        "p := input.xs[i] if i > 0",
        "p contains input.xs[i] if not input.ys[i] == 1",
        "p := [input.xs[i] | i > 0]",
        "p if { every _, _ in [1] { true } }",
        "q := 1\np if { some q in [2]; q == 2 }",
        "p := 1\nq if { p := 2; p == 2 }",
        "p if { x := [x | x := 1]; x }",
        "p := x if { x := 1 } else := x if { x := 2 }",
        "p if { y = x; x = 1 }",
        "p := q.b\nq.a := p\nq.b := 1",
        "p.a := p.b\np.b := 1",
        "p if { count([1]) with count as f }\nf(x) := x",
        "p if { input.x with data.p.q as 1 }",
        "p if { f(1) with f as 2 }\nf(x) := x",
        "p := 1\np := 1",
        "p.q := 1\np.r := 2",
        'p.q := 1\np[x] := 2 if x := "r"',
        "p contains 1\np contains 2",
        "import data.x\nimport data.y as z\np := x",
        "p contains x if x := data[_].k",
        'w.a := w[x] if x := "b"\nw.b := 3',
        'w.a if { x = "b"; w[x] }\nw.b := 3',
        'w.a if { some x in ["b", "c"]; w[x] }\nw.b := 3\nw.c := 4',
        'w.a := w.b\nw.b := w[x] if x := "c"\nw.c := 1',
        'p := $"{[x | x := input.x[_]]}"',
        'p := $"{input.x[i]}" if i := 0',
    ],
)
def test_what_is_not_refused(rules: str) -> None:
    """`opa check` takes each of these."""
    rego.compile({"a.rego": f"package a\n{rules}\n"})


CONFLICTS = [
    ("p := 1\np contains 2", "conflicting rules data.a.p found"),
    ("p := 1\np(x) := x", "conflicting rules data.a.p found"),
    ("p contains 1\np[x] := 2 if x := 1", "conflicting rules data.a.p found"),
    ("f(x) := 1\nf(x, y) := 2", "conflicting rules data.a.f found"),
    ("default p := 1\ndefault p := 2", "multiple default rules data.a.p found"),
    ("default f(_) := 1\nf(x, y) := 2", "conflicting rules data.a.f found"),
    ("f.g(x) := 1\nf.g := 2", "conflicting rules data.a.f.g found"),
    ("p.q contains 1\np.q := 2", "conflicting rules data.a.p.q found"),
]


@pytest.mark.parametrize(("rules", "message"), CONFLICTS)
def test_rules_that_contradict_each_other_by_kind(rules: str, message: str) -> None:
    """The place is the second rule, where OPA gives the first."""
    (error,) = errors(rules).errors
    assert (error.code, error.message, error.span.row) == ("rego_type_error", message, 3)


def test_a_package_below_a_rule() -> None:
    with pytest.raises(RegoError) as raised:
        rego.compile({"a.rego": "package a\n\nb := 1", "b.rego": "package a.b\n\np := 2"})
    assert str(raised.value) == (
        "b.rego:1:1: rego_type_error: package a.b conflicts with rule data.a.b defined at a.rego:3:1"
    )


@pytest.mark.parametrize(
    ("rules", "row", "message"),
    [
        ("p := 1\np := 2", 3, "complete rules must not produce multiple outputs"),
        ("p := x if some x in [1, 2]", 2, "complete rules must not produce multiple outputs"),
        ("p if true\np := false", 3, "complete rules must not produce multiple outputs"),
        (
            "p := 1 if input.x == 1\np := 2 if input.x == 1",
            3,
            "complete rules must not produce multiple outputs",
        ),
        ("p := f(1)\nf(x) := 1\nf(x) := 2", 4, "functions must not produce multiple outputs for same inputs"),
        (
            "p := f(1)\nf(_) := x if some x in [1, 2]",
            3,
            "functions must not produce multiple outputs for same inputs",
        ),
        ("p[x] := y if { some x in [1]; some y in [2, 3] }", 2, "object keys must be unique"),
        ("p[1] := 2\np[1] := 3", 3, "object keys must be unique"),
        ("p := {1: x | some x in [1, 2]}", 2, "object keys must be unique"),
    ],
)
def test_conflicts_at_evaluation(rules: str, row: int, message: str) -> None:
    program = rego.compile({"a.rego": f"package a\n{rules}\n"})
    with pytest.raises(RegoError) as raised:
        program.evaluate("data.a.p", input={"x": 1})
    (error,) = raised.value.errors
    assert (error.code, error.message, error.span.row) == ("eval_conflict_error", message, row)


@pytest.mark.parametrize(
    "rules",
    [
        "p := 1\np := 1",
        "p := 1\np := 1.0",
        "p := x if some x in [1, 1.0]",
        "p := 1 if input.x == 1\np := 2 if input.x == 2",
        "p := {1: x | some x in [2, 2.0]}",
        "default p := 0\np := 1",
    ],
)
def test_rules_that_agree_do_not_conflict(rules: str) -> None:
    program = rego.compile({"a.rego": f"package a\n{rules}\n"})
    assert program.evaluate("data.a.p", input={"x": 1}) in (1, {"1": 2})


def test_all_errors_are_given_at_once() -> None:
    found = errors("p if nope(1)\n\nq if { not x }\n\nr if cuont([1])").errors
    assert [(e.span.row, e.code) for e in found] == [(2, "rego_type_error"), (6, "rego_type_error")]
    assert found[1].hint == "did you mean count?"


def test_v0_allows_what_v1_is_strict_about() -> None:
    for rules in ("import data.x\nimport input.x\np = 1", "p { any([true]) }", "p { re_match(`a`, `a`) }"):
        rego.compile({"a.rego": f"package a\n{rules}\n"}, version="v0")


def test_a_query_is_checked_like_a_rule() -> None:
    program = rego.compile({"a.rego": "package a\np := 1"})
    for query, code in (
        ("x == 1", "rego_unsafe_var_error"),
        ("nope(1)", "rego_type_error"),
        ("x := 1; x := 2", "rego_compile_error"),
        ("x :=", "rego_parse_error"),
    ):
        with pytest.raises(RegoError) as raised:
            program.evaluate(query)
        assert raised.value.code == code
        assert raised.value.errors[0].span.file == "query"
