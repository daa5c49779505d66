"""Rego laid out. The expected texts are what ``opa fmt`` 1.22 gives, but where a test says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.rego.ast import Version
from solon.lang.rego.errors import RegoError
from solon.lang.rego.format import format_text
from solon.lang.rego.format.compare import same
from solon.lang.rego.lexer import tokenize
from solon.lang.rego.parser import parse_module

ROOT = Path(__file__).parents[3]

LAID_OUT: list[tuple[str, Version, str, str]] = [
    (
        "package, imports in order, comments stay with them",
        "v1",
        """\
package   a.b["c-d"]
import data.x   # tail
import data.b as c
# about w
import data.w
""",
        """\
package a.b["c-d"]

import data.b as c
import data.x # tail

# about w
import data.w
""",
    ),
    (
        "one expression stays on its line, several get lines",
        "v1",
        """\
package a
allow if { input.x }
deny contains msg if { some x in input.xs; msg := x }
count_of(xs)=count(xs)
""",
        """\
package a

allow if input.x

deny contains msg if {
	some x in input.xs
	msg := x
}

count_of(xs) := count(xs)
""",
    ),
    (
        "lines of the source group items",
        "v1",
        """\
package a
x := {"a": 1, "b": [1,
2], "c": 3}
y := f(
  1, 2)
z := [
  {"a": 1}]
""",
        """\
package a

x := {
	"a": 1, "b": [
		1,
		2,
	],
	"c": 3,
}

y := f(1, 2)

z := [
	{"a": 1},
]
""",
    ),
    (
        "blank lines between expressions: one, as many as there were none",
        "v1",
        """\
package a
p if {
  input.a


  input.b
  # about c
  input.c
}
""",
        """\
package a

p if {
	input.a

	input.b

	# about c
	input.c
}
""",
    ),
    (
        "comments at the end of lines and of bodies",
        "v1",
        """\
package a
p := 1 # one
q if { # opens
  input.x #tail
  not input.y

  # last
}
x := [1, # one
  2]
""",
        """\
package a

p := 1 # one

q if { # opens
	input.x #tail
	not input.y
	# last
}

x := [
	1, # one
	2,
]
""",
    ),
    (
        "else",
        "v1",
        """\
package a
p if { input.x } else := 2 if { input.y } else := 3
q := 1 if {
  input.x
  input.y
} else := 2 if {
  input.z
  input.w
}
r := 1 if {
  input.x
  input.y
}
# otherwise
else := 2
""",
        """\
package a

p if input.x

else := 2 if input.y

else := 3

q := 1 if {
	input.x
	input.y
} else := 2 if {
	input.z
	input.w
}

r := 1 if {
	input.x
	input.y
}

# otherwise
else := 2
""",
    ),
    (
        "with",
        "v1",
        """\
package a
test_p if { p with input as {"a":1}   with data.x as 2 }
test_q if {
  q with input as 1
    with data.y as 2
  r with input as {
    "a": 1
  }
}
""",
        """\
package a

test_p if p with input as {"a": 1} with data.x as 2

test_q if {
	q with input as 1
		with data.y as 2
	r with input as {
		"a": 1,
	}
}
""",
    ),
    (
        "operators",
        "v1",
        """\
package a
t := (1+2)*3 - -4 / 2
u if input.a+1 > count(input.b)-1
v if not 1 in [1,2]
w := {1}|{2}
y := [ ({1}|{2}) , 3]
z if (input.a | input.b) == {1}
""",
        """\
package a

t := ((1 + 2) * 3) - (-4 / 2)
u if input.a + 1 > count(input.b) - 1
v if not 1 in [1, 2]
w := {1} | {2}
y := [({1} | {2}), 3]
z if input.a | input.b == {1}
""",
    ),
    (
        "comprehensions",
        "v1",
        """\
package a
p := [ x | some x in input.xs ; x>1 ]
q := { x:y |
  some x,y in input.xs
}
r := {x | x := input.xs[_]
  x > 1 }
s := [ (x+1) | some x in input.xs]
""",
        """\
package a

p := [x | some x in input.xs; x > 1]
q := {x: y |
	some x, y in input.xs
}

r := {x |
	x := input.xs[_]
	x > 1
}

s := [(x + 1) | some x in input.xs]
""",
    ),
    (
        "every, some",
        "v1",
        """\
package a
p if every x in input.xs { x>1 }
q if every k,v in input.xs {
  k>1
  v>2 }
r if { some i,j; input.xs[i] == input.ys[j] }
""",
        """\
package a

p if every x in input.xs { x > 1 }
q if every k, v in input.xs {
	k > 1
	v > 2
}

r if {
	some i, j
	input.xs[i] == input.ys[j]
}
""",
    ),
    (
        "names in paths",
        "v1",
        """\
package a
p := input["a"]["b-c"]["if"].else[0][input.x]
a.b.c := 1
q[x] := 1 if x := input.y
""",
        """\
package a

p := input.a["b-c"]["if"].else[0][input.x]
a.b.c := 1
q[x] := 1 if x := input.y
""",
    ),
    (
        "strings and numbers stay as they are",
        "v1",
        r"""package a
p := ["\u0041", `raw "x"`, 1.50, 1e3, $"a {input.x} b"]
""",
        r"""package a

p := ["\u0041", `raw "x"`, 1.50, 1e3, $"a {input.x} b"]
""",
    ),
    (
        "constants, defaults and true",
        "v1",
        """\
package a
default p=false
p = 1 if true
q := true if input.x
r if true
""",
        """\
package a

default p := false

p := 1
q if input.x
r := true
""",
    ),
    (
        "what cannot be laid out stays",
        "v1",
        """\
package a
x := {
     # nothing yet
  }
""",
        """\
package a

x := {
     # nothing yet
  }
""",
    ),
    (
        "metadata apart",
        "v1",
        """\
package a

# METADATA
# title: one
# METADATA
# title: two
p := 1
# end
""",
        """\
package a

# METADATA
# title: one

# METADATA
# title: two
p := 1

# end
""",
    ),
    (
        "v0",
        "v0",
        """\
package a
import future.keywords.in
deny[msg]{msg:="x"}
p[x]
{ x := 1 }
{ x := 2 }
q = 1 { true }
f(x) = y { y = x } else = 3 { x }
default k = {"a": [
 1]}
m[k] = v { v := input[k] }
""",
        """\
package a

import future.keywords.in

deny[msg] {
	msg := "x"
}

p[x] {
	x := 1
}

p[x] {
	x := 2
}

q = 1

f(x) = y {
	y = x
}

else = 3 {
	x
}

default k = {"a": [
	1,
]}

m[k] = v {
	v := input[k]
}
""",
    ),
    (
        "v0 with keywords imported",
        "v0",
        """\
package a
import future.keywords.contains
import future.keywords.if
deny[msg]{msg:="x"}
p=1 if { input.x }
""",
        """\
package a

import future.keywords.contains
import future.keywords.if

deny contains msg if msg := "x"
p = 1 if input.x
""",
    ),
    (
        "not, and, or",
        "v1",
        """\
package a
import future.keywords
p if { not {input.x; input.y} }
q if { (input.x or input.y) and {input.z} }
r if { input.x or
  input.y }
s if { not (input.x and input.y) }
""",
        """\
package a

import future.keywords

p if not { input.x; input.y }
q if (input.x or input.y) and { input.z }
r if input.x or
	input.y

s if not (input.x and input.y)
""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "text", "expected"), [c[1:] for c in LAID_OUT], ids=[c[0] for c in LAID_OUT]
)
def test_laid_out(version: Version, text: str, expected: str) -> None:
    assert format_text("a.rego", text, version) == expected
    assert format_text("a.rego", expected, version) == expected


# Where opa fmt 1.22 changes what a policy means, writes what it cannot read, or moves or loses a comment.
KEPT: list[tuple[str, str, str]] = [
    ("`in` as an operand keeps its parentheses", "p if (1 in [1]) == true", "p if (1 in [1]) == true\n"),
    ("as the right one, too", "p if 1 in ([2] in [3])", "p if 1 in ([2] in [3])\n"),
    (
        "a rule whose path has a variable keeps its value",
        "p[x] if true",
        "p[x] := true\n",
    ),
    (
        "a comment at the end of a body stays in it",
        "p contains x if {\n x := 1\n # last\n}",
        "p contains x if {\n\tx := 1\n\t# last\n}\n",
    ),
    (
        "`with` behind a term that cannot be laid out",
        'p if {\n f({{\n # c\n "a": 1,\n }}) with input as 1\n  with data.x as 2\n}',
        'p if {\n\tf({{\n # c\n "a": 1,\n }}) with input as 1\n\t\twith data.x as 2\n}\n',
    ),
    (
        "a comment between two `with`",
        "p if {\n q with input as 1\n # c\n with data.x as 2\n}",
        "p if {\n\tq with input as 1\n\t\t# c\n\t\twith data.x as 2\n}\n",
    ),
    (
        "two comments before a value",
        "p := # c\n# d\n(1+2)*3",
        "p := # c\n# d\n(1+2)*3\n",
    ),
    (
        "a comment on a line that the head and the value share",
        'f(\nx) := {"a": { # c\n# d\n1}}',
        'f(\nx) := {"a": { # c\n# d\n1}}\n',
    ),
    ("a member of a set that is there twice", "p := {1, 1}", "p := {1, 1}\n"),
]


@pytest.mark.parametrize(("text", "expected"), [c[1:] for c in KEPT], ids=[c[0] for c in KEPT])
def test_what_is_kept(text: str, expected: str) -> None:
    assert format_text("a.rego", "package a\n" + text) == "package a\n\n" + expected


def test_v0_becomes_v1_as_well() -> None:
    text = """package a

import future.keywords.in

import data.b

deny[msg] { msg := "x" }

p = 1 { 1 in input.xs } else = 2
"""
    assert (
        format_text("a.rego", text, "v0", rego_v1=True)
        == """package a

import data.b
import rego.v1

deny contains msg if msg := "x"

p := 1 if 1 in input.xs

else := 2
"""
    )


def test_what_v1_has_no_room_for_is_refused() -> None:
    with pytest.raises(RegoError, match=r"a\.rego:1:1: rego_parse_error: cannot be laid out: "):
        format_text("a.rego", "package a\nif = 1\np { if == 1 }", "v0", rego_v1=True)


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("library/**/*.rego"), *ROOT.glob("src/**/*.rego")]), ids=lambda p: p.name
)
def test_our_own_policies_are_laid_out(path: Path) -> None:
    """`opa fmt` has no change for them either."""
    assert format_text(str(path), path.read_text()) == path.read_text()


@pytest.mark.parametrize("depth", [10, 149])
def test_deep_nesting(depth: int) -> None:
    text = f"package a\n\nx := {'[' * depth}1{']' * depth}\n"
    assert format_text("a.rego", text) == text


def test_nested_too_deeply() -> None:
    rule = "x if  " + "1 == [1 | " * 1300 + "true" + "]" * 1300
    with pytest.raises(RegoError, match="nested"):
        format_text("a.rego", f"package a\n{rule}\n")


def test_what_does_not_parse_is_refused_with_its_place() -> None:
    with pytest.raises(RegoError, match=r"a\.rego:2:8: rego_parse_error: unexpected end of file"):
        format_text("a.rego", "package a\nx := [1")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_laying_out_never_changes_what_is_meant(data: st.DataObject) -> None:
    """Line breaks and comments wherever they may stand: the same tree, all comments, and nothing more to do."""
    _, version, messy, neat = data.draw(st.sampled_from(LAID_OUT))
    text = data.draw(st.sampled_from([messy, neat]))
    tokens, _ = tokenize("a.rego", text)
    drawn = data.draw(st.lists(st.sampled_from(["", "", "", "\n", " # c\n", "\n# d\n", "  "]), min_size=8))
    out, at = [], 0
    for index, token in enumerate(tokens):
        gap = text[at : token.at]
        before = tokens[index - 1].kind if index else ""
        if (before in ("{", "[", "(", ",") and gap != " ") or token.kind in ("}", "]", ")") or "\n" in gap:
            gap += drawn[index % len(drawn)]
        out += [gap, text[token.at : token.end]]
        at = token.end
    mangled = "".join(out)
    try:
        module = parse_module("a.rego", mangled, version)
    except RegoError:
        return  # a comment ran over what followed
    laid_out = format_text("a.rego", mangled, version)
    assert same(parse_module("a.rego", laid_out, version), module)
    assert format_text("a.rego", laid_out, version) == laid_out
