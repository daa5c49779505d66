"""What lint says of Rego. The errors are those of ``opa check --strict`` 1.22, by line."""

from __future__ import annotations

import pytest

from solon.lang import rego
from solon.lang.rego.ast import Version
from solon.lang.rego.lint import RULES, lint


def said(text: str, version: Version = "v1") -> list[tuple[int, str]]:
    return [
        (remark.diagnostic.span.row, remark.diagnostic.code.removeprefix("rego/"))
        for remark in lint(rego.compile({"a.rego": text}, version=version))
    ]


def of_body(*expressions: str) -> list[str]:
    body = "\n\t".join(expressions)
    return [f"{code}:{row - 2}" for row, code in said(f"package a\np if {{\n\t{body}\n}}\n")]


STRICT = """package a

import data.b
import data.c as d
import data.used
import input.x
import data.e.f

p if {
	x := 1
	y := used.z
	[z, w] := [1, 2]
	z > 0
	not input.a
}

f(a, b, {"k": c}, [e1, _]) := a

g(a) if {
	q := [v | u := 1; v := 2]
	q
}

i contains msg if {
	some i1, v in input.xs
	msg := v
	arr := 1
	fx := {"f": arr}
}

k := x2 if { x2 := 1 } else := y2 if { y2 := 2; z2 := 3 }

ff(x) := 1 if input.n
else := x if true

l if { input.x = zz }

default nn(a, b) := false

oo(x) if { some x2 in [1]; x2 == 1 }

qq if { a1 := 1; a2 := a1 }
"""


def test_the_errors_of_strict_checking() -> None:
    assert said(STRICT) == [
        (3, "unused-import"),
        (4, "unused-import"),
        (6, "unused-import"),
        (7, "unused-import"),
        (10, "unused-variable"),
        (11, "unused-variable"),
        (12, "unused-variable"),
        (17, "unused-argument"),
        (17, "unused-argument"),
        (17, "unused-argument"),
        (19, "unused-argument"),
        (20, "unused-variable"),
        (28, "unused-variable"),
        (31, "unused-variable"),
        (38, "unused-argument"),
        (38, "unused-argument"),
        (40, "unused-argument"),
        (42, "unused-variable"),
    ]


def test_what_v0_permits_and_strict_checking_does_not() -> None:
    text = """package b
import data.x
import data.y as x
p { input := 1; input == 1 }
q { any([true]) }
f(x) { data := x; data == 1 }
r { x }
t { all([true]); re_match("a", "b") }
data = 1 { x }
"""
    assert said(text, "v0") == [
        (3, "duplicate-import"),
        (4, "shadowed-document"),
        (5, "deprecated-builtin"),
        (6, "shadowed-document"),
        (8, "deprecated-builtin"),
        (8, "deprecated-builtin"),
        (9, "shadowed-document"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "import data.b\np := b.x",
        "import data.b\np := 1 if b.f(1)\n",
        "import data.b.f\np if input.x with f as 1",
        "import rego.v1\np := 1",
        "f(_, b) := b",
        "f(x) := 1 if { x == 1 } else := 2",
        "p if every x in [1] { y := x; y > 0 }",
        "p contains x if { x := input.x }",
        "p[k] := v if some k, v in input",
        'p := $"{x}" if x := 1',
        "p if { x := 1; input.y with input.z as x }",
    ],
)
def test_what_is_used(text: str) -> None:
    modules = {"a.rego": f"package a\n{text}\n", "b.rego": "package b\nf(x) if x == 1\n"}
    assert lint(rego.compile(modules)) == []


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        (["input.a", "1 == 2"], ["never-holds:2"]),
        (["input.a", '"a" != "a"'], ["never-holds:2"]),
        (["input.a", "not true"], ["never-holds:2"]),
        (["input.a", "false"], ["never-holds:2"]),
        (["input.a", "1 > 2"], ["never-holds:2"]),
        (["input.a", "not 1 > 2"], []),
        (["false"], []),
        (["input.a", "null"], []),
        (["input.a", '1 < "a"'], []),
        (["count([1 | input.a; 1 == 2]) == 0"], ["never-holds:1"]),
    ],
)
def test_constants(expressions: list[str], expected: list[str]) -> None:
    assert of_body(*expressions) == expected


def test_what_never_holds_may_be_negated() -> None:
    assert said("package a\nimport future.keywords.not\np if not {input.a; 1 == 2}\n") == []


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ('input.k == "a"', 'input.k == "b"', True),
        ('input.k == "a"', '"b" == input["k"]', True),
        ('input.k == "a"', 'input.k == "a"', False),
        ('input.k == "a"', 'input.j == "b"', False),
        ('input.k == "a"', 'not input.k == "b"', False),
        ('input.k == "a"', 'input.k == "b" with input.k as "b"', False),
        ("input.k == 1", "input.k == 1.0", False),
        ("input.k == 1", "input.k == true", True),
        ("input.k == 1", "input.k != 1", True),
        ("input.k == 1", "input.k != 2", False),
        ("input.k > 5", "input.k < 3", True),
        ("input.k > 3", "input.k < 5", False),
        ("input.k > 3", "input.k <= 3", True),
        ("input.k >= 3", "input.k <= 3", False),
        ("3 >= input.k", "input.k > 3", True),
        ("input.k > 3", "input.k > 5", False),
        ("input.k == 4", "input.k > 4", True),
        ("input.k >= 4", "input.k == 4", False),
        ('input.k > "b"', 'input.k == "a"', True),
        ("input.xs[i].k == 1", "input.xs[i].k == 2", True),
        ("input.xs[_].k == 1", "input.xs[_].k == 2", False),
        ("x := input.k; x == 1", "x == 2", True),
    ],
)
def test_contradictions(one: str, other: str, clash: bool) -> None:
    assert of_body(one, other) == ["contradiction:2"] * clash


def test_a_contradiction_says_what_to_write() -> None:
    program = rego.compile({"a.rego": 'package a\np if {\n\tinput.kind == "A"\n\tinput.kind == "B"\n}\n'})
    (remark,) = lint(program)
    assert (remark.severity, remark.diagnostic.message, remark.diagnostic.hint) == (
        "warning",
        'input.kind cannot be both "A" and "B"',
        'if either will do, write `input.kind in {"A", "B"}`',
    )


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        (["some a in input.xs", "some b in input.xs", "a.id != b.id"], ["unjoined-loops:2"]),
        (["some a in input.xs", "some b in input.xs", "a.id == b.id"], []),
        (["some a in input.xs", "some b in input.xs", "a.id == lower(b.id)", "a != b"], []),
        (["some a in input.xs", "x := a.id", "some b in input.xs", "b.id == x"], []),
        (["a := input.xs[_]", "b := input.xs[_]", "a.n < b.n"], ["unjoined-loops:2"]),
        (["some i, j", "input.xs[i].n < input.xs[j].n"], ["unjoined-loops:2"]),
        (["some i, j", "input.xs[i].n == input.xs[j].n"], []),
        (["some i", "input.xs[i].a == 1", "input.xs[i].b == 2"], []),
        (["xs := input.xs", "some a in xs", "some b in xs", "a.n < b.n"], ["unjoined-loops:3"]),
        (["some a in input.xs", "some b in a.xs", "b.n > 1"], []),
        (["some a in input.xs", "some b in input.ys", "a.n < b.n"], []),
        (["input.xs[_].n == 1", "input.xs[_].n == 2"], []),
        (["some a in input.xs", "some b in input.xs", "a.id in b.ids"], []),
        (["some a in data.inventory.x", "some b in data.inventory.x", "a.n < b.n"], ["unjoined-loops:2"]),
        (["some a in data.small", "some b in data.small", "a.n < b.n"], []),
    ],
)
def test_loops(expressions: list[str], expected: list[str]) -> None:
    assert of_body(*expressions) == expected


def test_every_code_has_a_severity() -> None:
    assert {severity for severity, _ in RULES.values()} == {"error", "warning"}
