"""What rules evaluate to. Every expected value is what `opa eval data.a.p` gives for the same module."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.rego import RegoError

INPUT: dict[str, Any] = {
    "n": 2,
    "s": "a",
    "t": True,
    "f": False,
    "z": None,
    "xs": [1, 2, 3, 2],
    "ys": ["b", "a", "c"],
    "o": {"a": 1, "b": 2, "c": {"d": [1, {"e": "x"}]}},
    "users": [
        {"name": "ann", "roles": ["admin", "dev"], "age": 40},
        {"name": "bob", "roles": ["dev"], "age": 17},
        {"name": "cid", "roles": []},
    ],
    "1": "one",
    "é": "ü",
}
DATA: dict[str, Any] = {
    "base": {
        "k": "a",
        "list": [10, 20],
        "nested": {"x": {"y": 1}},
        "roles": {"admin": ["read", "write"], "dev": ["read"]},
    }
}


class Undefined:
    def __repr__(self) -> str:
        return "U"


class Error(str):
    __slots__ = ()


U = Undefined()

SOME_AND_IN = [
    ("p contains x if some x in input.xs", [1, 2, 3]),
    ("p contains [i, x] if some i, x in input.ys", [[0, "b"], [1, "a"], [2, "c"]]),
    ("p contains k if some k, 2 in input.o", ["b"]),
    ('p contains n if some {"name": n, "age": _} in [{"name": "x", "age": 1}, {"name": "y"}]', ["x"]),
    ("p contains x if { some [x, 1] in [[5, 1], [6, 2], [7, 1]] }", [5, 7]),
    ("p if { some i; input.xs[i] == 3 }", True),
    ("p := [i | some i; input.xs[i] == 2]", [1, 3]),
    ("p := [x | some x in {3, 1, 2}]", [1, 2, 3]),
    ("p if 2 in input.xs", True),
    ("p if not 9 in input.xs", True),
    ('p := 1 in {"k": 1}', True),
    ('p if "o", 1 in {"o": 1}', True),
    ('p if 1, "a" in input.ys', True),
    ("p := [1 in [1], 2 in [1]]", [True, False]),
    ("p contains r if { some u in input.users; some r in u.roles }", ["admin", "dev"]),
]

EVERY = [
    ("p if every x in input.xs { x > 0 }", True),
    ("p if every x in input.xs { x > 1 }", U),
    ("p if every i, x in [0, 1] { i == x }", True),
    ("p if every x in [] { x == 1 }", True),
    ("p if every x in input.missing { x }", U),
    ('p if every x in "abc" { x }', U),
    ('p if every k, v in {"a": 1} { k == "a"; v == 1 }', True),
    ("p if every x in {1, 2} { some y in input.xs; y == x }", True),
    ('p if { every u in input.users { u.name; every r in u.roles { r != "root" } } }', True),
    ("p if not every_small\nevery_small if every x in input.xs { x < 3 }", True),
    ("p if every x in [1] { x == input.missing }", U),
]

NOT = [
    ("p if not input.missing", True),
    ("p if not input.f", True),
    ("p if not input.t", U),
    ("p if not input.z", U),
    ("p if not input.missing == 1", True),
    ("p if not input.n == 3", True),
    ("p if not q\nq if false", True),
    ("p if not q\nq := false", True),
    ("p if not q\nq := 0", U),
    ("p if not count(input.missing) == 1", U),
    ("p if not [input.missing] == [1]", U),
    ("p if not input.o[input.missing]", U),
    ("p if not data.nope", True),
    ("p if not 1 in input.missing", U),
    ("p if { x := 1; not x == 2; not x != 1 }", True),
    ('p if not startswith(input.n, "a")', True),
    ("p if not f(3)\nf(x) if x < 3", True),
]

UNDEFINED_AND_FALSE = [
    ("p := input.f", False),
    ("p := input.missing", U),
    ("p := [input.f, 1]", [False, 1]),
    ("p := [input.missing, 1]", U),
    ('p := {"a": input.missing}', U),
    ("p := {input.f}", [False]),
    ("p if input.f", U),
    ("p if input.z", True),
    ("p if input.n == input.missing", U),
    ("p := x if { x := input.f }", False),
    ("p if { x := input.f; x }", U),
    ("p := count(input.missing)", U),
    ("p := null", None),
    ("p := [x | x := input.missing]", []),
    ("p := input.o.c.d[1].e", "x"),
    ("p := input.o.c.d[7].e", U),
    ("p := input.s.a.b", U),
    ('p := input.xs["0"]', U),
    ('p := input["1"]', "one"),
    ("p := input.xs[1.0]", 2),
    ("p := input.xs[-1]", U),
    ("p := input.é", Error("rego_parse_error")),
    ("p contains input.missing", []),
    ("p[input.missing] := 1", {}),
    ("p.a := input.missing", {}),
    ('default p := "d"\np := input.missing', "d"),
    ('default p := "d"\np := false', False),
    ("p if false == false", True),
    ("p := 1 if input.f\np := 2 if not input.f", 2),
]

ELSE = [
    ("p := 1 if false else := 2", 2),
    ("p := 1 if input.n == 1 else := 2 if input.n == 2 else := 3", 2),
    ("p := 1 if false else := 2 if false", U),
    ("p if { false } else := input.n if { true }", 2),
    ('f(x) := "a" if x == 1\nelse := "b" if x == 2\nelse := "c"\np := [f(1), f(2), f(3)]', ["a", "b", "c"]),
    ("p := x if { x := input.missing } else := x if { x := 7 }", 7),
    ("p := false if true else := 2", False),
    ("p if { input.missing } else if { input.f } else := [x | some x in input.xs]", [1, 2, 3, 2]),
    ("default p := 9\np := 1 if false else := 2 if false", 9),
]

PARTIAL_RULES = [
    ('p contains 1\np contains "a"\np contains 1.0', [1, "a"]),
    ("p contains x if { x := input.xs[_]; x > 1 }", [2, 3]),
    ("p[x] := y if some x, y in input.o", {"a": 1, "b": 2, "c": {"d": [1, {"e": "x"}]}}),
    ("p[x] := 1 if some x in input.ys", {"a": 1, "b": 1, "c": 1}),
    ('p["a"] := 1\np.b := 2', {"a": 1, "b": 2}),
    ('p[x][y] := 1 if { some x in ["a", "b"]; some y in ["c"] }', {"a": {"c": 1}, "b": {"c": 1}}),
    ("p.a[x] := x if some x in input.xs", {"a": {"1": 1, "2": 2, "3": 3}}),
    (
        "p[x].k contains y if { some x in input.ys; some y in [1, 2] }",
        {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": {"k": [1, 2]}},
    ),
    (
        "p[x] contains y if { some x in input.ys; some y in input.xs }",
        {"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]},
    ),
    ("p.q.r := 1\np.q.s := 2", {"q": {"r": 1, "s": 2}}),
    ('p.q := 1\np[x] := 2 if x := "r"', {"q": 1, "r": 2}),
    (
        'p[1] := "n"\np[true] := "b"\np[null] := "z"\np[[1, "a"]] := "arr"\np[{"k": 1}] := "obj"',
        {"1": "n", '[1,"a"]': "arr", "null": "z", "true": "b", '{"k":1}': "obj"},
    ),
    ('p := q["a"]\nq[x] := 1 if some x in input.ys', 1),
    ("p if q.a\nq contains x if some x in input.ys", True),
    ("p := [x | q[x]]\nq contains x if some x in [3, 1, 2]", [1, 2, 3]),
    ('p := q[k] if { k := "b" }\nq := {"a": 1, "b": 2}', 2),
    ("p contains q if q := 1", [1]),
    ('p contains {"msg": m} if m := "x"', [{"msg": "x"}]),
    ("p.a contains 1 if false\np.b contains 2", {"a": [], "b": [2]}),
    ('p := q["x"]\nq[x] := y if { some x, y in {"x": 5} }', 5),
]

FUNCTIONS = [
    ("f(x) := x + 1\np := f(1)", 2),
    ("f(x, y) := x * y\np := f(2, 3)", 6),
    ('f(1) := "one"\nf(2) := "two"\np := [f(1), f(2)]', ["one", "two"]),
    ('f(1) := "one"\np := f(3)', U),
    ("f([x, y]) := x + y\np := f([1, 2])", 3),
    ('f({"a": x}) := x\np := f({"a": 7})', 7),
    ("f(x) if x > 1\np := [f(2)]\nq := [f(1)]", [True]),
    ('default f(_) := "none"\nf(1) := "one"\np := [f(1), f(2)]', ["one", "none"]),
    ('f(x, x) := "same"\np := [y | some z in [1, 2]; y := f(z, 1)]', ["same"]),
    ("f(_, y) := y\np := f(1, 2)", 2),
    ("f(x) := g(x) + 1\ng(x) := x * 10\np := f(2)", 21),
    ("f(x) := y if { y := x; y > 1 }\nf(x) := 0 if x <= 1\np := [f(0), f(5)]", [0, 5]),
    ("f() := 7\np := f", 7),
    ("f(x) := {x, x + 1}\np := f(1)", [1, 2]),
    ("p := f(input.missing)\nf(x) := 1", U),
    ("f(x) := input.n + x\np := f(1)", 3),
    ("f(true) := 1\nf(1) := 2\np := [f(1), f(true)]", [2, 1]),
    ("p := data.a.f(3)\nf(x) := x", 3),
    ("p if { f(3, x); x == 4 }\nf(x) := x + 1", True),
    ('f("a", x) := x\np := f(input.s, 5)', 5),
    ("f(x) := x.name\np := [n | n := f(input.users[_])]", ["ann", "bob", "cid"]),
    ("lib.f(x) := x\np := lib.f(2)", 2),
]

COMPREHENSIONS = [
    ("p := [x * 2 | some x in input.xs]", Error("rego_parse_error")),
    ("p := {x * 2 | some x in input.xs}", Error("rego_parse_error")),
    ("p := {k: v | some k, v in input.ys}", {"0": "b", "1": "a", "2": "c"}),
    ("p := {x: y | some x in input.ys; y := upper(x)}", {"a": "A", "b": "B", "c": "C"}),
    ('p := [[x, y] | some x in [1, 2]; some y in ["a", "b"]]', [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]),
    ("p := [y | some x in [[1], [2, 3]]; y := [z | some z in x; z > 1]]", [[], [2, 3]]),
    ("p := [x | x := [y | y := [z | z := 1]]]", [[[1]]]),
    ("p := {{x} | some x in [1, 2, 1]}", [[1], [2]]),
    ("p := [1 | false]", []),
    ("p := {1 | input.missing}", []),
    ('p := {"k": 1 | true}', {"k": 1}),
    ("p := count([x | input.xs[x]])", 4),
    ("p := {x: {y | some y in input.xs; y > x} | some x in [1, 2]}", {"1": [2, 3], "2": [3]}),
    ("p := [i | input.users[i].age < 18]", [1]),
    ("p := sum([u.age | some u in input.users])", 57),
    (
        'p := {r: names | some r in ["admin", "dev"]; names := {u.name | some u in input.users; r in u.roles}}',
        {"admin": ["ann"], "dev": ["ann", "bob"]},
    ),
    ("p := [x | some x in input.xs; not x == 2]", [1, 3]),
    ("p := {[x, true]: 1 | some x in [1, 2]}", {"[1,true]": 1, "[2,true]": 1}),
    ("p := [x | x = input.xs[_]; x > 1]", [2, 3, 2]),
]

REFERENCES = [
    ('p := input.users[_].name == "bob"', Error("eval_conflict_error")),
    ("p contains input.users[_].name", ["ann", "bob", "cid"]),
    ("p contains input.users[i].roles[j]", ["admin", "dev"]),
    ('p contains i if input.users[i].roles[_] == "dev"', [0, 1]),
    ('p contains [i, j] if input.users[i].roles[j] == "dev"', [[0, 1], [1, 0]]),
    ('p := input.o[k] if k := "a"', 1),
    ('p := input.o["c"]["d"][0]', 1),
    ("p contains k if input.o[k] == 1", ["a"]),
    ('p := input[x][y] if { x := "o"; y := "b" }', 2),
    ("p := data.base.roles[input.users[0].roles[0]]", ["read", "write"]),
    ("p := data.base.list[1]", 20),
    ('p := data.base[x].x.y if x := "nested"', 1),
    ("p contains x if data.base[x]", ["k", "list", "nested", "roles"]),
    ('p := {"a": [1, 2]}.a[1]', 2),
    ("p := [10, 20][input.n - 1]", 20),
    ("p := f(1)[0]\nf(x) := [x]", 1),
    ("p := {1, 2}[2]", 2),
    ("p := {1, 2}[3]", U),
    ('p := q.r\nq := {"r": 5}', 5),
    ('p := data.a.q[1]\nq := ["x", "y"]', "y"),
    ("p := data.base[input.s2]", U),
    ('p := {[1, 2]: "v"}[[1, 2]]', "v"),
    ('p := {1: "n", "1": "s"}[1]', "n"),
    ('p := {{"a": 1}, 3}[{"a": 1}]', {"a": 1}),
    ("p contains x if [x] = input.users[_].roles", ["dev"]),
    ('p contains [k, v] if { q[k] = v }\nq := {"x": 1, "y": 2}', [["x", 1], ["y", 2]]),
    (
        "p := [x | [_, x] := walk(input.o)]",
        [
            {"a": 1, "b": 2, "c": {"d": [1, {"e": "x"}]}},
            1,
            2,
            {"d": [1, {"e": "x"}]},
            [1, {"e": "x"}],
            1,
            {"e": "x"},
            "x",
        ],
    ),
    ('p contains path if { walk(input.o, [path, "x"]) }', [["c", "d", 1, "e"]]),
]

UNIFICATION = [
    ("p := x if [x, 2] = [1, 2]", 1),
    ("p := [x, y] if [x, y] = [1, 2]", [1, 2]),
    ('p := x if {"a": x} = {"a": 1}', 1),
    ('p := x if {"a": {"b": x}} = {"a": {"b": [1]}}', [1]),
    ("p if [1, 2] = [1, 3]", U),
    ("p := [x, y] if { x = y; y = 3 }", [3, 3]),
    ("p := y if { [x, x] = [y, 4] }", 4),
    ('p := x if { input.users[_] = {"name": x, "roles": []} }', "cid"),
    ("p if 1 = 1.0", True),
    ("p := x if { x = [1, 2][_]; x > 1 }", 2),
    ('p := z if { [x, {"k": [y, z]}] = [1, {"k": [2, 3]}] }', 3),
    ("p := [a, b] if { [a, b] := [1, 2] }", [1, 2]),
    ('p := b if { {"a": b} := {"a": 2} }', 2),
    ("p := [x, y] if { x := 1; y := x + 1 }", [1, 2]),
    ("p if { {1, 2} = {2, 1} }", True),
    ("p := x if { y := 1; x = [y, 2] }", [1, 2]),
    ("p if { x := 1; x == 1.0 }", True),
    ('p := x if { y = {"k": x}; y = {"k": 9} }', 9),
]

WITH = [
    ('p := q with input as {"n": 5}\nq := input.n', Error("rego_parse_error")),
    ("p := q with input.n as 5\nq := [input.n, input.s]", Error("rego_parse_error")),
    ("p := q with input.o.c.d as 5\nq := input.o", Error("rego_parse_error")),
    ("p := q with input.new.path as 1\nq := input.new", Error("rego_parse_error")),
    ("p := q with input.s.deep as 1\nq := input.s", Error("rego_parse_error")),
    ('p := q with data.base.k as "z"\nq := data.base.k', Error("rego_parse_error")),
    ('p := q with data.base as {"k": "y"}\nq := data.base', Error("rego_parse_error")),
    ("p := q with data.r as 9\nr := 1\nq := data.a.r", Error("rego_parse_error")),
    ("p := q with data.a.r as 9\nr := 1\nq := r + 1", Error("rego_parse_error")),
    ("p := q with data.a.r as {3}\nr contains 1\nq := r", Error("rego_parse_error")),
    ("p := f(1) with f as 8\nf(x) := x", Error("rego_parse_error")),
    ("p := q with f as g\nf(x) := x\ng(x) := x * 100\nq := f(2)", Error("rego_parse_error")),
    ("p := q with count as 42\nq := count([1])", Error("rego_parse_error")),
    ('p := q with count as f\nf(x) := "mock"\nq := count([1])', Error("rego_parse_error")),
    ("p := q with time.now_ns as 0\nq := time.now_ns()", Error("rego_parse_error")),
    ('p := q with upper as lower\nq := upper("Ab")', Error("rego_parse_error")),
    ("p := [q, r] if { q := input.n with input.n as 3; r := input.n }", [3, 2]),
    ("p if { not q with input.t as false }\nq if input.t", True),
    ("p if { some x in [1, 2]; q with input.n as x }\nq if input.n == 1", True),
    (
        'p := q with input as {"n": 1} with data.base.k as "w"\nq := [input.n, data.base.k]',
        Error("rego_parse_error"),
    ),
    ("p := q with input.n as 1 with input.s as 2\nq := [input.n, input.s]", Error("rego_parse_error")),
    ("p := a with input.n as 1\na := b\nb := input.n", Error("rego_parse_error")),
    ("p := [a, c] if { a := b with input.n as 1; c := b }\nb := input.n", [1, 2]),
    ("p := [x | some y in [1, 2]; x := q with input.n as y]\nq := input.n * 10", [10, 20]),
    ("p := q with f as g\nf(x) := x\ng(x) := f(x) + 1\nq := f(1)", Error("rego_parse_error")),
    ("p := q with input.xs as []\nq if every x in input.xs { x > 5 }", Error("rego_parse_error")),
    ("p := q with data.base.list as [1]\nq := data.base", Error("rego_parse_error")),
    ("p := data.base with data.base.k as 1", Error("rego_parse_error")),
    (
        "p := input with input.n as 7 with input.users as 1 with input.xs as 2 with input.ys as 3 with input.o as 4",
        Error("rego_parse_error"),
    ),
    ("p := count(q) with data.a.q as {1, 2, 3}\nq := {1}", Error("rego_parse_error")),
    ("p := q with input as null\nq := input", Error("rego_parse_error")),
    ("p := q.x with data.a.q.x as 5\nq.x := 1\nq.y := 2", Error("rego_parse_error")),
    ("p := q with data.a.q.x as 5\nq.x := 1\nq.y := 2", Error("rego_parse_error")),
]

IMPORTS = [
    ("import data.base\np := base.k", "a"),
    ("import data.base as b\np := b.k", "a"),
    ("import data.base.nested.x\np := x.y", 1),
    ("import input.o as obj\np := obj.b", 2),
    ("import data.base.roles\np := roles.dev", ["read"]),
    ("import input\np := input.n", 2),
    ("import data.base.list as l\np := [x | some x in l]", [10, 20]),
    ('import data["base"]["k"] as kk\np := kk', "a"),
    ("import rego.v1\np := 1", 1),
    ("import future.keywords.every\np := 2", 2),
    ("import data.nope\np := nope", U),
    ("import data.base as b\np contains k if b.roles[k]", ["admin", "dev"]),
]

NAMES_AND_KEYWORDS = [
    ('p := input["if"]', U),
    ("p := data.a.in\nin.x := 1", {"x": 1}),
    ('p := {"not": 1}.not', 1),
    ('p := q.with.as\nq := {"with": {"as": 2}}', 2),
    ("every.x := 1\np := data.a.every.x", 1),
    ('p := data.a["q-r"]\n', U),
    ('p := contains("ab", "b")', True),
    ("p_1 := 2\np := p_1", 2),
    ("P := 3\np := P", 3),
    ("_p := 4\np := _p", 4),
    ("p := __builtins__\n__builtins__ := 1", 1),
    ("p := None\nNone := 5", 5),
    ("p := print_\nprint_ := 6", 6),
    ("lambda := 1\np := lambda", 1),
    ("def(x) := x\np := def(1)", 1),
    ("s := 1\nU := 2\nout := 3\np := [s, U, out]", [1, 2, 3]),
    ("v0 := 1\nK0 := 2\ng0 := 3\nr0(x) := x\np := [v0, K0, g0, r0(4)]", [1, 2, 3, 4]),
    ("p := type\ntype := 1", 1),
    ("count.x := 1\np := data.a.count.x", 1),
    ("data_ := 1\np := data_", 1),
]

STRINGS_AND_NUMBERS = [
    ('p := "a\\u00e9\\n\\t\\"\\\\\\/"', 'aé\n\t"\\/'),
    ('p := `a\\n"b"`', 'a\\n"b"'),
    ('p := "\\ud834\\udd1e"', "𝄞"),
    ('p := "日本語"', "日本語"),
    ('p := count("日本語")', 3),
    ("p := 0.1 + 0.2", 0.3),
    ("p := 1 / 4", 0.25),
    ("p := 10 / 5", 2),
    ("p := 7 % 3", 1),
    ("p := -7 % 3", -1),
    ("p := 1 / 0", U),
    ("p := 2 - 3", -1),
    ("p := 1e3", 1000.0),
    ("p := 1.0", 1.0),
    ("p := 3 * 1.5", 4.5),
    ("p := 9007199254740993", 9007199254740993),
    ("p := 9007199254740993 + 1", 9007199254740994),
    ("p := 123456789012345678901234567890", 123456789012345678901234567890),
    ("p := 123456789012345678901234567890 * 10", 1234567890123456789012345678900),
    ("p := -0", 0),
    ("p := 1 == 1.0", True),
    (
        'p := [1 < 2, 2 <= 2, 3 > 4, "a" < "b", [1] < [1, 0], null < false]',
        [True, True, False, True, True, True],
    ),
    ('p := 1 < "a"', True),
    ("p := true < 1", True),
    ("p := {1} < [1]", False),
    ('p := "" < "a"', True),
    ('p := {"a": 1} == {"a": 1.0}', True),
    ("p := {1, 2} & {2, 3}", [2]),
    ("p := {1, 2} | {2, 3}", [1, 2, 3]),
    ("p := {1, 2} - {2}", [1]),
    ("p := abs(-1)", 1),
    ("p := round(2.5)", 3),
    ("p := 1 + 2 * 3 - 4 / 2", 5),
    ("p := (1 + 2) * 3", 9),
    ("p := 2 - 1 - 1", 0),
    ("p := -1 * -1", 1),
    ("p := [-1, - 1]", [-1, -1]),
]

SETS_AND_ORDER = [
    ("p := {3, 1, 2, 1}", [1, 2, 3]),
    ('p := {"b", "a", 1, true, null, [1], {"x": 1}, {1}}', [None, True, 1, "a", "b", [1], {"x": 1}, [1]]),
    ('p := [x | some x in {"b", "a", "c"}]', ["a", "b", "c"]),
    ("p := {1, 1.0, true}", [True, 1]),
    ("p := set()", []),
    ("p := {[1, 2], [1]}", [[1], [1, 2]]),
    ('p := {{"a": 1}, {"a": 0}}', [{"a": 0}, {"a": 1}]),
    ("p := count({1, 1, 2})", 2),
    ("p := sort({3, 1})", [1, 3]),
    (
        'p := {1: "a", "1": "b", true: "c", null: "d", [1]: "e", {1}: "f"}',
        {"1": "b", "[1]": "f", "null": "d", "true": "c"},
    ),
    ('p := {"b": 1, "a": 2}', {"a": 2, "b": 1}),
    ('p := object.keys({1: 2, "a": 3})', [1, "a"]),
    ('p := {x | x := {"k": input.ys[_]}}', [{"k": "a"}, {"k": "b"}, {"k": "c"}]),
    ('p := [k | {"z": 1, "a": 2, "m": 3}[k]]', ["a", "m", "z"]),
    ('p := [x | x := {true, 1, "a"}[_]]', [True, 1, "a"]),
    ('p := max({1, "a", true})', "a"),
    ("p := {[]} == {[]}", True),
    ("p := {{}} | {set()}", [{}, []]),
]

TEMPLATES = [
    ('p := $"n is {input.n}"', "n is 2"),
    ('p := $"{input.s}{input.n}{input.t}{input.z}"', "a2truenull"),
    ('p := $"{input.xs} {input.o.a}"', "[1, 2, 3, 2] 1"),
    ('p := $"{input.missing}!"', "<undefined>!"),
    ('p := $"{{1, 2}}"', "{1, 2}"),
    ('p := $"{1 + 2}"', "3"),
    ('p := $"{upper(input.s)}"', "A"),
    ('p := $"a\\{b"', "a{b"),
    ("p := $`raw\\n{input.n}`", "raw\\n2"),
    ('p := $"{x}" if x := {3, 1}', "{1, 3}"),
    ('p := $"{$"{input.n}"}"', "2"),
    ('p := $"{"quoted"}"', "quoted"),
    ('p := $"{q}"\nq contains 1\nq contains 2', "{1, 2}"),
]

CHAINED_BODIES = [
    ("p if { false } { true }", True),
    ("p if { false }\n{ true }", True),
    ("p if input.missing { true }", True),
    ("p contains x if { x := 1 } { x := 2 }\n{ x := 3 }", [1, 2, 3]),
    ("f(x) := 1 if { x == 1 } { x == 2 }\np := [f(1), f(2)]", [1, 1]),
    ("p if { false } else := 2 if { true } { true }", Error("rego_parse_error")),
    ("p if { true } if { true }", Error("rego_parse_error")),
    ("p contains 1 if { true } else := 2", Error("rego_parse_error")),
    ("p[x] := 1 if { x := 1 } else := 2", Error("rego_parse_error")),
    ("p := 1 q := 2", 1),
    ("default p", True),
]

OBJECTS_WRITTEN_TWICE = [
    ('p := {"b": input.missing, "b": 1}', {"b": 1}),
    ('p := {"a": 2, "a": 1}', {"a": 1}),
    ("p := {x: input.missing, x: 1} if x := `k`", {"k": 1}),
    ('p if {"a": x, "a": y} = {"a": 1}', True),
    ('p := {1: "a", 1.0: "b"}', {"1": "b"}),
]

UNARY_MINUS = [
    ("p := -input.n", -2),
    ("p := - input.n", -2),
    ("p := 3 - -input.n * 2", 7),
    ("p := -count([1, 2])", -2),
    ("p := x if { y := 1; x := -y }", -1),
    ("p := -input.s", U),
    ("p := -(1)", Error("rego_parse_error")),
    ('p := -"a"', Error("rego_parse_error")),
    ("p := - - 1", Error("rego_parse_error")),
]

MEMBERSHIP_WITH_A_KEY = [
    ("p := 0, 1 in [1]", True),
    ("p := 1 if false else := 0, 1 in [2]", False),
    ("p contains 0, 1 in [1]", [True]),
    ("p := x if { x := input with input as 0, 1 in [1] }", True),
    ("default p := 0, 1 in [1]", Error("rego_parse_error")),
]

VARIABLES_OF_A_DOMAIN = [
    ("p := v if { v := 3; some v in [x | x := v; v == 3] }", 3),
    ("p contains v if some v in {v | some v in [1, 2]}", [1, 2]),
    ("p if { v := [1]; some v in {x | x := v} }", True),
]

ERRORS_OF_BUILT_INS = [
    ('p := to_number("x")', U),
    ('p if not to_number("x")', True),
    ('p := [x | x := to_number(["1", "x"][_])]', [1]),
    ('p := x if { x := 1 / 0 } else := "caught"', "caught"),
    ('default p := "d"\np := to_number("x")', "d"),
    ('p := {"a": to_number("x")}', U),
    ('p := json.unmarshal("{")', U),
]

V0 = [
    ("p { input.n == 2 }", True),
    ("p[x] { x := input.xs[_] }", [1, 2, 3]),
    ("p[x] = y { y := input.o[x] }", {"a": 1, "b": 2, "c": {"d": [1, {"e": "x"}]}}),
    ("p = x { x := input.n }", 2),
    ("p = 1 { false } else = 2 { true }", 2),
    ("f(x) = y { y := x + 1 }\np = f(1)", 2),
    ("default p = 7\np = 1 { false }", 7),
    ("p { true } { false }", True),
    ("p { not input.f }", True),
    (
        'deny[msg] { u := input.users[_]; u.age < 18; msg := sprintf("%s is %d", [u.name, u.age]) }\np = deny',
        ["bob is 17"],
    ),
    ('violation[{"msg": msg}] { msg := "x" }\np = violation', [{"msg": "x"}]),
    ("p[x] { some i; x := input.ys[i] }", ["a", "b", "c"]),
    ("p = [x | x := input.xs[_]; x > 2]", [3]),
    ("p = {x | x := input.xs[_]}", [1, 2, 3]),
    ("p { any([false, true]) }", True),
    ("p { all([true]) }", True),
    ("import data.base as b\np = b.k", "a"),
    ("p.q { true }", ["q"]),
    ('p = q.r\nq = {"r": 1}', 1),
    ('p { input.users[i].name == "bob"; i == 1 }', True),
    ("x = 3\np = x", 3),
    ("p { x = 1; y = x; y == 1 }", True),
    ('p["a"] = 1 { true }\np["b"] = 2 { true }', {"a": 1, "b": 2}),
    ("import future.keywords\np contains x if { some x in input.ys }", ["a", "b", "c"]),
    ("import future.keywords.in\np { 2 in input.xs }", True),
    ("import rego.v1\np contains 1 if true", [1]),
    ("in = 1\np = in", 1),
    ("if = 1\np = if", 1),
    ('p { re_match("^a", input.s) }', True),
    ("f(x) { x > 1 }\np { f(2); not f(1) }", True),
    ('p = 1 { input.n == 2 }\np = 1 { input.s == "a" }', 1),
    ("contains_ = 2\np = contains_", 2),
    ("contains_ = 2\np = contains_", 2),
    ("p = -input.n", -2),
    ("import rego.v1\np if { false } { true }", True),
    ("p[1] { true } else { true }", Error("rego_parse_error")),
    ("f(input) = 1\np = 1", Error("rego_compile_error")),
    ("f() = 1\np = f", 1),
    ("f() = 1\np = f()", Error("rego_type_error")),
]


V1_TABLES = {
    "some and in": SOME_AND_IN,
    "every": EVERY,
    "not": NOT,
    "undefined and false": UNDEFINED_AND_FALSE,
    "else": ELSE,
    "partial rules": PARTIAL_RULES,
    "functions": FUNCTIONS,
    "comprehensions": COMPREHENSIONS,
    "references": REFERENCES,
    "unification": UNIFICATION,
    "with": WITH,
    "imports": IMPORTS,
    "names and keywords": NAMES_AND_KEYWORDS,
    "strings and numbers": STRINGS_AND_NUMBERS,
    "sets and order": SETS_AND_ORDER,
    "templates": TEMPLATES,
    "chained bodies": CHAINED_BODIES,
    "objects written twice": OBJECTS_WRITTEN_TWICE,
    "unary minus": UNARY_MINUS,
    "membership with a key": MEMBERSHIP_WITH_A_KEY,
    "variables of a domain": VARIABLES_OF_A_DOMAIN,
    "errors of built-ins": ERRORS_OF_BUILT_INS,
}


def canonical(value: Any) -> Any:
    """A form in which 1 is 1.0 and true is not 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | list | dict):
        return (type(value).__name__, value)
    if isinstance(value, int | float):
        return ("number", value)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return {name: canonical(item) for name, item in value.items()}


def check(rules: str, wanted: Any, version: Any) -> None:
    modules = {"a.rego": f"package a\n{rules}\n"}
    if isinstance(wanted, Error):
        with pytest.raises(RegoError) as raised:
            rego.compile(modules, data=DATA, version=version).evaluate("data.a.p", input=INPUT)
        assert raised.value.code == wanted
        return
    found = rego.compile(modules, data=DATA, version=version).evaluate("data.a.p", input=INPUT)
    if wanted is U:
        assert found is rego.UNDEFINED
    else:
        assert canonical(found) == canonical(wanted)


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [pytest.param(*case, id=f"{name}: {case[0]}") for name, table in V1_TABLES.items() for case in table],
)
def test_v1(rules: str, wanted: Any) -> None:
    check(rules, wanted, "v1")


@pytest.mark.parametrize(("rules", "wanted"), V0)
def test_v0(rules: str, wanted: Any) -> None:
    check(rules, wanted, "v0")


def test_undefined_input_is_not_null() -> None:
    program = rego.compile({"a.rego": "package a\np := input\nq if not input\nr if not input.x"})
    assert program.evaluate("data.a") == {"q": True, "r": True}
    assert program.evaluate("data.a", input=None) == {"p": None, "r": True}
    assert program.evaluate("data.a", input=False) == {"p": False, "q": True, "r": True}


def test_packages_with_odd_names() -> None:
    program = rego.compile(
        {
            "a.rego": 'package a["b c"].if.d\n\np := 1',
            "b.rego": 'package x\n\nimport data.a["b c"]["if"].d as q\n\np := [q.p, data.a["b c"].if.d.p]',
        }
    )
    assert program.evaluate("data") == {"a": {"b c": {"if": {"d": {"p": 1}}}}, "x": {"p": [1, 1]}}


def test_rules_and_data_make_one_document() -> None:
    program = rego.compile({"a.rego": "package a.b\np := 1"}, data={"a": {"b": {"q": 2}, "c": 3}})
    assert program.evaluate("data.a") == {"b": {"p": 1, "q": 2}, "c": 3}
    assert program.evaluate("data.a.b[x]; x == `q`") is True
    assert program.query("data.a.b[x]") == [{"x": "p"}, {"x": "q"}]


def test_metadata_has_the_fields_that_opa_knows() -> None:
    text = """package t

# METADATA
# title: 1.5
# description: true
# mood: good
# schemas:
# - input: schema["pod"].x
# - input.x: {type: string}
# organizations: [1, b]
# entrypoint: false
# custom: {}
p := rego.metadata.rule()

# METADATA
# title: way in
# entrypoint: true
q := rego.metadata.chain()
"""
    assert rego.compile({"t.rego": text}).evaluate("data.t") == {
        "p": {
            "scope": "rule",
            "title": "1.5",
            "description": "true",
            "organizations": ["1", "b"],
            "schemas": [
                {"path": ["input"], "schema": ["schema", "pod", "x"]},
                {"path": ["input", "x"], "definition": {"type": "string"}},
            ],
        },
        "q": [
            {"path": ["t", "q"]},
            {
                "path": ["t", "q"],
                "annotations": {"scope": "document", "title": "way in", "entrypoint": True},
            },
        ],
    }


STRICT = [
    ('p := to_number("x")', "eval_builtin_error"),
    ("p := 1 / 0", "eval_builtin_error"),
    ('p := json.unmarshal("{")', "eval_builtin_error"),
    ("p := count(input.n)", "eval_type_error"),
    ("p := upper(input.n)", "eval_type_error"),
]


@pytest.mark.parametrize(("rules", "code"), STRICT)
def test_errors_of_built_ins(rules: str, code: str) -> None:
    program = rego.compile({"a.rego": f"package a\n\n{rules}\n"})
    assert program.evaluate("data.a.p", input=INPUT) is rego.UNDEFINED
    with pytest.raises(RegoError) as raised:
        program.evaluate("data.a.p", input=INPUT, strict_builtin_errors=True)
    assert raised.value.code == code
    assert raised.value.errors[0].span.row == 3


def test_an_object_as_the_name_of_a_package() -> None:
    program = rego.compile(
        {"a.rego": "package a\np.b[x] := 1 if some x in [1]\nq := [x | x := data.a.p[{}]]"}
    )
    assert program.evaluate("data.a.q") == []


def test_a_pattern_may_use_what_another_part_of_it_binds() -> None:
    rules = 'p := v if { {"a": {input[x].d[0]}, "b": x} = v }'
    program = rego.compile({"a.rego": f"package a\n{rules}"})
    assert program.evaluate("data.a.p", input={"k": {"d": [7]}}) == {"a": [7], "b": "k"}


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("p if {1 | true}", True),
        ("p if {x | x := input.missing} == set()", True),
        ("p if { input.missing }", U),
        ("p if { input.missing | true }", True),
        ("p if {1, 2} == {2, 1}", True),
    ],
)
def test_braces_behind_if_hold_an_expression_where_they_can(rules: str, wanted: Any) -> None:
    check(rules, wanted, "v1")
