"""Type errors: the lines and messages are those of `opa check`, and what it accepts is accepted."""

from __future__ import annotations

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError
from solon.lang.rego.builtins import TABLE
from solon.lang.rego.types import of_signature, shown


def errors(rules: str) -> RegoError:
    with pytest.raises(RegoError) as raised:
        rego.compile({"a.rego": f"package a\n{rules}\n"})
    return raised.value


REFUSED = [
    ('p if 1 == "a"', 2, "match error"),
    ('p if { x := 1; x == "a" }', 2, "match error"),
    ("p if { x := 1; y := x; y == true }", 2, "match error"),
    ("p if [1, 2] == [1, 2, 3]", 2, "match error"),
    ('p if [1, input.x] == ["a", 1]', 2, "match error"),
    ('p if {"a": 1} == {"b": 1}', 2, "match error"),
    ('p if {"a": 1} == {"a": "x"}', 2, "match error"),
    ('p if {1, 2} == {"a"}', 2, "match error"),
    ("p if [] == {}", 2, "match error"),
    ("p if null == false", 2, "match error"),
    ('p if { [x, y] := [1, "a"]; x == y }', 2, "match error"),
    ('p if { {"a": x} := {"a": 1}; x == "b" }', 2, "match error"),
    ('p if not 1 == "a"', 2, "match error"),
    ('p if 1 == "a" with input as 2', 2, "match error"),
    ('p := 1 + "a"', 2, "plus: invalid argument(s)"),
    ("p if count(1)", 2, "count: invalid argument(s)"),
    ('p if { x := "a"; x + 1 }', 2, "plus: invalid argument(s)"),
    ('p if { upper("a", x); x == 1 }', 2, "match error"),
    ('p if { x := upper("a"); x == 1 }', 2, "match error"),
    ('p if concat(1, ["a"])', 2, "concat: invalid argument(s)"),
    ('p if concat(",", [1])', 2, "concat: invalid argument(s)"),
    ('p if sprintf("%d", 1)', 2, "sprintf: invalid argument(s)"),
    ('p if { x := split("a.b", "."); x[0] == 1 }', 2, "match error"),
    ('p if { [_, payload, _] := io.jwt.decode("x"); payload == "a" }', 2, "match error"),
    ('p if { some x in time.clock(1); x == "a" }', 2, "match error"),
    ('p if sum(["a"])', 2, "sum: invalid argument(s)"),
    ('p if max({"a": 1})', 2, "max: invalid argument(s)"),
    ('p if { walk(input, [path, value]); path == "a"; value == 1 }', 2, "match error"),
    ('p if json.filter({}, ["a", 1])', 2, "json.filter: invalid argument(s)"),
    ("p if object.union({}, [])", 2, "object.union: invalid argument(s)"),
    ("p if regex.is_valid(1)", 2, "regex.is_valid: invalid argument(s)"),
    ("p if array.concat([1], {1})", 2, "array.concat: invalid argument(s)"),
    ("p if {1} - [1] == set()", 2, "minus: invalid argument(s)"),
    ('f(x) := x + 1\np := f("a")', 3, "data.a.f: invalid argument(s)"),
    ('f(x) := "a"\np := f(1) + 1', 3, "plus: invalid argument(s)"),
    ('f("a") := 1\nf(1) := 2\np := f(true)', 4, "data.a.f: invalid argument(s)"),
    ("f([x, 1]) := x\np := f([1])", 3, "data.a.f: invalid argument(s)"),
    ('f({"k": x}) := x\np := f({"k": 1, "l": 2})', 3, "data.a.f: invalid argument(s)"),
    ("f(x) := x\np := f", 3, "function data.a.f used as reference, not called"),
    ("f(x) := x\np := f.x", 3, "function data.a.f.x used as reference, not called"),
    ("q := 1\np := q.x", 3, "undefined ref: data.a.q.x"),
    ("q := [1, 2]\np := q[2]", 3, "undefined ref: data.a.q[2]"),
    ("q := [1, 2]\np := q.x", 3, "undefined ref: data.a.q.x"),
    ('q := {"a": {"b": 1}}\np := q.a.c', 3, "undefined ref: data.a.q.a.c"),
    ('q := {"a": {"b": 1}}\np := q.a.b.c', 3, "undefined ref: data.a.q.a.b.c"),
    ('q := {"a": 1, "b": 2}\np if { some k; q[k]; k == 1 }', 3, "match error"),
    ('q := {"a": 1, "b": 2}\np if { some k; q[k] == "x" }', 3, "match error"),
    ("q := {}\np := q.a", 3, "undefined ref: data.a.q.a"),
    ('q := {"a"}\np := q[1]', 3, "undefined ref: data.a.q[1]"),
    ('q contains 1\np if q["a"]', 3, "undefined ref: data.a.q.a"),
    ('q contains {"a": 1}\np if { some x in q; x.b }', 3, "undefined ref: x.b"),
    ('q[x] := 1 if { some x in ["a"] }\np if q.b == "c"', 3, "match error"),
    ('q[x] := 1 if { some x in ["a"] }\np if q[1]', 3, "undefined ref: data.a.q[1]"),
    ('q.a.b := 1\np if q.a.b == "x"', 3, "match error"),
    ('q := 1 if input.x\nq := "a" if input.y\np if q == true', 4, "match error"),
    ('q := 1 if input.x else := "a"\np if q == true', 3, "match error"),
    ('default q := 1\nq := "a" if input.x\np if q == true', 4, "match error"),
    ('p if [x | x := 1] == ["a"]', 2, "match error"),
    ('p if { xs := {x | x := 1}; xs == {"a"} }', 2, "match error"),
    ('p if { xs := {k: 1 | some k in ["a"]}; xs.b == "x" }', 2, "match error"),
    ('p if { xs := [x | x := 1 + "a"]; xs[0] == "b" }', 2, "plus: invalid argument(s)"),
    ('p if { some x in [1, 2]; x == "a" }', 2, "match error"),
    ('p if { some i, x in ["a"]; i == "a" }', 2, "match error"),
    ("p if { some x in 1 }", 2, "match error"),
    ("p if { some x in {} }", 2, "undefined ref: {}[_]"),
    ('p if { some [x, 1] in [["a", "b"]] }', 2, "match error"),
    ('p if { some x in "abc" }', 2, "match error"),
    ('p if 1 in ["a"]', 2, "match error"),
    ('p if "x", 1 in [1]', 2, "match error"),
    ("q := 1\np if { every x in [1] { q.foo == x } }", 3, "undefined ref: data.a.q.foo"),
    ("p if { every x in count(1) { x } }", 2, "count: invalid argument(s)"),
    ("p if { x := 1; x.foo }", 2, "undefined ref: x.foo"),
    ('p if { x := "a"; x[0] }', 2, "undefined ref: x[0]"),
    ('p if { x := {"a": 1}; x["b"] }', 2, "undefined ref: x.b"),
    ('p if { x := {"a": 1}; x[1] }', 2, "undefined ref: x[1]"),
    ("p if [1, 2][5]", 2, "undefined ref: [1, 2][5]"),
    ('p if {"a": 1}.b', 2, 'undefined ref: {"a": 1}.b'),
    ('p := {"a": [{"b": 1}]}.a[0].c', 2, 'undefined ref: {"a": [{"b": 1}]}.a[0].c'),
    ('p := $"{1 + "a"}"', 2, "plus: invalid argument(s)"),
    ('p if $"x" == 1', 2, "match error"),
    ('q := 1\nr := q\np if r == "a" with input as "a"', 4, "match error"),
    ("f(x) := x + 1\ng(x) := lower(x)\np if f(1) == 2 with f as g", 4, "data.a.f: arity mismatch"),
    ('p if { print(1 + "a") }', 2, "plus: invalid argument(s)"),
    ('p if { x = 1; x = "a" }', 2, "match error"),
    ('p if { x = [y, 1]; y = "a"; x = ["b", "c"] }', 2, "match error"),
    ("p if not count(1)", 2, "count: invalid argument(s)"),
    ('p if count([1]) == "a"', 2, "match error"),
    ('p if numbers.range("a", 2)', 2, "numbers.range: invalid argument(s)"),
    ("p if to_number([1])", 2, "to_number: invalid argument(s)"),
    ("p if { net.cidr_contains(input.x, 1) }", 2, "net.cidr_contains: invalid argument(s)"),
    ('p contains x if { x := 1 }\nq if "a" in p', 3, "match error"),
    ('p contains 1\np contains "a"\nq if { some x in p; x == true }', 4, "match error"),
    ('p.a contains 1\nq if p.a == {"x"}', 3, "match error"),
    ('p[x] contains 1 if { x := "a" }\nq if p.b == {"x"}', 3, "match error"),
]  # fmt: skip

ACCEPTED = [
    'p if 1 != "a"',
    'p if set() == {"a"}',
    'p if input.x == 1\nq if input.x == "a"',
    'p if { input.x == 1; input.x == "a" }',
    "p if { x := input.x; x + 1; upper(x) }",
    'p if concat(",", ["a", input.x])',
    "p if is_string(1)",
    'p if { walk(input, [path, value]); path[0] == "a"; value == 1 }',
    'f(x) := x\np := f("a") + 1',
    'f("a") := 1\nf(x) := 2\np := f(true)',
    "f(x) := x.a\np := f(1)",
    "q := [1, 2]\np := q[1]",
    'q := {"a"}\np := q.a',
    'q contains x if { x := input.x }\np if q["a"]',
    "q.a.b := 1\np := q.a.c",
    'q := 1 if input.x else := "a"\np if q == "a"',
    "q := input.x\np if q.a.b == 1",
    "q := data.base\np if q.a == 1",
    "p if data.other.x.y == 1",
    'p := [x | x := 1] == ["a"]',
    'p if 1 in "abc"',
    'p if { every x in [1] { x == "a" } }',
    "p if { every x in [1] { count(1) == x } }",
    'p if { x := {"a": 1}; y := "b"; x[y] }',
    'q := 1\np if q == "a" with q as "a"',
    'q := 1\nr := q\np if r == "a" with q as "a"',
    'f(x) := x + 1\ng(x) := "a"\np if f(1) == 2 with f as g',
    "p if count([1]) == 2 with count as lower",
    "p if count([1]) == 2 with count as 3",
    'p if input.a.b == 1 with input.a as {"b": "x"}',
    'p if { {"a": x} = input.y; x == 1; x == "a" }',
    'p if { x := object.get({"a": 1}, "b", 0); x == "x" }',
    'p if { x := json.unmarshal("1"); x == "x"; x.y == 1 }',
    'p if { x := max([1]); x == "a" }',
    "p.a contains 1\nq if p.b",
    "p if { some [a, b], c in input.x; split(input.s, b) < b.a; a; c }",
    'p if { some {"a": b}, _ in input.x; split(input.s, b) < b.a }',
    "p if { input.x[[_, b]]; split(input.s, b) < b.a }",
]  # fmt: skip


@pytest.mark.parametrize(("rules", "row", "message"), REFUSED)
def test_what_cannot_be_is_refused(rules: str, row: int, message: str) -> None:
    (error,) = errors(rules).errors
    assert (error.code, error.span.row, error.message) == ("rego_type_error", row, message)


@pytest.mark.parametrize("rules", ACCEPTED)
def test_what_could_be_is_accepted(rules: str) -> None:
    rego.compile({"a.rego": f"package a\n{rules}\n"})


# The types are those of the details that `opa check --format json` gives.
HINTS = [
    ('p if 1 == "a"', "left is number, right is string; they are never equal"),
    (
        'p if [1, input.x] == {"a": {1, true}}',
        "left is array<number, any>, right is object<a: set[any<boolean, number>]>; they are never equal",
    ),
    ("p if count(1)", "have (number), want (any<string, array[any], object[any: any], set[any]>)"),
    ('p if { x := "a"; x + 1 }', "have (string, number), want (number, number)"),
    ('q := {"a": {"b": 1, "d": 2}}\np := q.a.c', 'have "c", want one of b, d'),
    ("q := {}\np := q.a", 'have "a", want nothing: it is empty'),
    ("q := [1, 2]\np := q.x", 'have "x", want number'),
    ("q := 1\np := q.x", "a value of type number has no parts"),
    ("q := [1]\np if { x := true; q[x] }", "have boolean, want number"),
]


@pytest.mark.parametrize(("rules", "hint"), HINTS)
def test_the_types_are_named(rules: str, hint: str) -> None:
    assert errors(rules).errors[0].hint == hint


def test_ten_errors_are_enough() -> None:
    assert len(errors("\n".join(f'p if {n} == "a"' for n in range(30))).errors) == 10


def test_a_rule_with_an_error_may_be_anything_to_others() -> None:
    assert [e.message for e in errors('q := 1 + "a"\np if q == "x"\nr if q.y == 1').errors] == [
        "plus: invalid argument(s)"
    ]


def test_queries_are_checked_too() -> None:
    program = rego.compile({"a.rego": 'package a\np := {"q": 1}'})
    assert program.evaluate("data.a.p.q") == 1
    for query, message in [
        ('1 == "a"', "match error"),
        ('x := data.a.p.q; x == "a"', "match error"),
        ("data.a.p.r", "undefined ref: data.a.p.r"),
    ]:
        with pytest.raises(RegoError) as raised:
            program.evaluate(query)
        assert raised.value.errors[0].message == message


def test_rules_of_other_packages_are_known_whatever_their_order() -> None:
    modules = {
        "a.rego": 'package a\nimport data.b\np if b.f(1) == 1\nq if b.v.x == "a"',
        "b.rego": 'package b\nf(x) := concat(",", x)\nv := {"x": 1}',
    }
    for order in (["a.rego", "b.rego"], ["b.rego", "a.rego"]):
        with pytest.raises(RegoError) as raised:
            rego.compile({name: modules[name] for name in order})
        assert [(e.span.row, e.message) for e in raised.value.errors] == [
            (3, "data.b.f: invalid argument(s)"),
            (4, "match error"),
        ]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("count", "(any<string, array[any], object[any: any], set[any]>) => number"),
        ("io.jwt.decode", "(string) => array<object[any: any], object[any: any], string>"),
        (
            "json.marshal_with_options",
            "(any, object<indent: string, prefix: string, pretty: boolean>[string: any]) => string",
        ),
        ("json.verify_schema", "(any<string, object[any: any]>) => array<boolean, any<null, string>>"),
        ("net.cidr_merge", "(any<array[string], set[string]>) => set[string]"),
        ("time.now_ns", "() => number"),
        ("walk", "(any) => array<array[any], any>"),
    ],
)
def test_signatures_of_built_ins_are_types(name: str, function: str) -> None:
    assert shown(of_signature(TABLE[name].signature)) == function


def test_every_signature_can_be_read() -> None:
    for builtin in TABLE.values():
        assert len(of_signature(builtin.signature).args) == builtin.arity
