"""Syntax: what parses, what does not, and what is said about it.

Codes, rows and columns of the errors are those of `opa check`; the wording is Solon's.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.rego import RegoError
from solon.lang.rego.parser import parse_either, parse_module, parse_query
from solon.lang.rego.terms import MAX_DEPTH

LIBRARY = Path(__file__).parents[3] / "library"
POLICIES = {str(path.relative_to(LIBRARY)): path.read_text() for path in sorted(LIBRARY.rglob("*.rego"))}


def errors(text: str, version: str = "v1") -> RegoError:
    with pytest.raises(RegoError) as raised:
        parse_module("a.rego", text, version)
    return raised.value


# --- what parses

V1 = [
    "p := 1", "p = 1", "p := -1", "p := - 1", "p := 1 - -1", "p contains -1 if -1 in [-1]", "p if -1 < 0",
    "p := 1.5e-3", "p := `raw\n\\q`", 'p := "\\u00e9\\n\\/"', "p := [1, 2,]", "p := {1, 2,}", 'p := {"a": 1,}',
    "p := set()", "p := {}", "p := [\n]", "p := [1 |\n\ttrue\n]", "p := {1 | true}", 'p := {"a": 1 | true}',
    "p if true", "p if { true }", "p if { true; true }", "p if {\n\ttrue\n\n\ttrue\n}", "p if {true;}",
    "p contains 1", "p contains x if some x in [1]", "p contains x if { some x in [1] }",
    "p[1] := 2", "p.q.r := 1", 'p["a b"].c := 1', "p[x][y] := 1 if { some x, y in [1] }", "p.q contains 1",
    "f(x) := x", "f(x) = x", 'f(x, [y, {"k": z}]) := x if { y == z }', "f(1)\n := 2", "f(_) if true", "f() := 1",
    "p := 1 if false else := 2", "p := 1 if { false } else := 2 if { true } else := 3",
    "p if {\n\tfalse\n}\n\nelse := 2", "default p := 1", "default f(_) := 1", "default p := {x | x := 1}",
    "p if not input.x", "p if { not input.x == 1 }", "p if input.x with input as 1", "p if input.x with input.y as 1 with data.z as 2",
    "p if { some x; input[x] }", "p if { some x, y; input[x][y] }", "p if { some x, y in input; x; y }",
    "p if { every x in [1] { x } }", "p if { every k, v in {} { k; v } }", "p if 1 in [1]", 'p if "a", 1 in {"a": 1}',
    "p := 1 in [1]", "p := (1, 2 in [2])", "p := {1 in [1]}", "p := [x | some x in [1]; x in [1]]",
    'p := x if { {"a": x} := {"a": 1} }', "p if {1, 2} == {2, 1}", "p if {1 | true} != set()", 'p if {"a": 1}.a == 1',
    "p := [1, 2][0]", 'p := input.a[0].b[_]["c"]', 'p := {"a": 1}["a"]', "p := data.a.b", "p := f(1)[0]\nf(x) := [x]",
    "p := 1 + 2 * 3 - 4 / 2 % 3", "p := {1} | {2} & {3}", "p if 1 < 2", "p := (1 + 2) * 3",
    'p := $"a {input.x} b"', 'p := $"{1}{{1}}"', 'p := $"\\{"', "p := $`a\n{1}`", 'p := $"{$"{1}"}"', 'p := $"}"',
    "import data.x", "import data.x as y", "import input.x", 'import data["x y"] as y', "import rego.v1", "import future.keywords",
    "import future.keywords.in", "p := 1 # comment", "# METADATA\n# title: x\np := 1",
    "p.if := 1", "p if input.in.with.not == 1", 'p if input["if"]', "if.x := 1", "p := 1\r\nq := 2\r\n",
    "x\t:=\t1", "p if {\n\tx := [\n\t\t1,\n\t]\n\tx\n}", "p if print(1)", "p :=\n1",
]  # fmt: skip

V0 = [
    "p { true }", "p[x]\n{ x := 1 }\n{ x := 2 }", "p[1] { true }", "p[x] { x := 1 }", "p[x] = y { x := 1; y := 2 }", "p = 1 { true }", "p = x { x := 1 }",
    "p := 1 { true }", "p { true } { false }", "f(x) = y { y := x }", "f(x) { x }", "p { false } else = 1 { true }",
    "p { false } else { true }", "default p = false", "p.q { true }", "p[1]", "p.x", "if := 1", "contains := 1", "in := 1",
    "every := 1", 'p { contains("ab", "a") }', "import future.keywords.if\np if true", "import rego.v1\np if true",
    "import future.keywords.contains\nimport future.keywords.if\np contains 1 if true",
    "import future.keywords.in\np { 1 in [1] }", "import future.keywords.every\np { every x in [1] { x } }",
    "import future.keywords\np contains x if { some x in [1] }", "p { some x; x = 1 }", "p = [1 | true]",
]  # fmt: skip


@pytest.mark.parametrize("rules", V1)
def test_v1_syntax(rules: str) -> None:
    rego.compile({"a.rego": f"package a\n{rules}\n"})


@pytest.mark.parametrize("rules", V0)
def test_v0_syntax(rules: str) -> None:
    rego.compile({"a.rego": f"package a\n{rules}\n"}, version="v0")


@pytest.mark.parametrize(
    "rules",
    [
        "p { true }", "p[1]", "p[x] { x := 1 }", "p.x", "if := 1", "contains := 1", "f(x) { x }", "p[x] = y { x := 1; y := 2 }",
        "p { false } else { true }", "p = 1 { true }",
    ],
)  # fmt: skip
def test_v0_syntax_that_v1_refuses(rules: str) -> None:
    parse_module("a.rego", f"package a\n{rules}\n", "v0")
    assert errors(f"package a\n{rules}\n").code == "rego_parse_error"
    assert errors(f"package a\nimport rego.v1\n{rules}\n", "v0").code == "rego_parse_error"


@pytest.mark.parametrize(
    "rules", ["p if true", "p contains 1 if true", "p { every x in [1] { x } }", "p { 1 in [1] }"]
)
def test_v1_keywords_that_v0_does_not_have(rules: str) -> None:
    assert errors(f"package a\n{rules}\n", "v0").code == "rego_parse_error"


def test_one_program_may_mix_versions() -> None:
    old = "package old\np[x] { x := 1 }"
    new = "package new\nimport rego.v1\nq contains x if some x in data.old.p"
    program = rego.compile({"old.rego": old, "new.rego": new}, version="v0")
    assert program.evaluate("data.new.q") == [1]


@pytest.mark.parametrize(
    ("rules", "version"),
    [("p if true", "v1"), ("p := 1", "v1"), ("p { true }", "v0"), ("import rego.v1\np if true", "v1")],
)
def test_a_file_is_v1_unless_it_only_parses_as_v0(rules: str, version: str) -> None:
    assert parse_either("a.rego", f"package a\n{rules}\n").version == version


# --- what does not

ERRORS = [
    ("x := 1", 1, 1, "unexpected 'x': expected package declaration"),
    ("package 1", 1, 9, "unexpected number: expected package name"),
    ("package a b", 1, 11, "unexpected 'b': expected a line break"),
    ("package a\nimport foo", 2, 8, "unexpected import path, must begin with one of: {data, future, input, rego}, got: foo"),
    ("package a\nimport future.nope", 2, 8, "invalid import, must be `future.keywords`"),
    ("package a\nimport data.x as 1", 2, 18, "unexpected number: expected an alias"),
    ("package a\np contains if { 1 }", 2, 12, "unexpected if keyword"),
    ('package a\np := {"a": 1, 2}', 2, 16, 'unexpected \'}\': expected ":"'),
    ("package a\np := {1, 2: 3}", 2, 11, 'unexpected \':\': expected "," or "}"'),
    ('package a\np := "abc', 2, 6, "non-terminated string"),
    ("package a\np := `abc", 2, 6, "non-terminated raw string"),
    ("package a\np if x y", 2, 8, "unexpected 'y': expected a line break"),
    ("package a\np if { x := 1 y := 2 }", 2, 15, 'unexpected \'y\': expected a line break, ";" or "}"'),
    ("package a\np := * 2", 2, 6, "unexpected '*': expected a term"),
    ("package a\np := 1 2", 2, 8, "unexpected number: expected a line break"),
    ("package a\n1 := 2", 2, 1, "number cannot be used for rule name"),
    ('package a\n"x" := 2', 2, 1, "string cannot be used for rule name"),
    ("package a\n[1] := 2", 2, 1, "array cannot be used for rule name"),
    ("package a\np if { not }", 2, 12, "unexpected '}': expected a term"),
    ("package a\np if { some }", 2, 13, "unexpected '}': expected a term"),
    ("package a\np if { some 1 }", 2, 13, "unexpected number: expected a variable name"),
    ("package a\np if { some x, in [1] }", 2, 16, "unexpected in keyword"),
    ("package a\np if { every }", 2, 14, "unexpected '}': expected a variable name"),
    ("package a\np if { every x }", 2, 16, 'unexpected \'}\': expected "in"'),
    ("package a\np if { every x in [1] }", 2, 23, 'unexpected \'}\': expected "{"'),
    ("package a\np if { input.x with }", 2, 21, "unexpected '}': expected a term"),
    ("package a\np if { input.x with input }", 2, 27, 'unexpected \'}\': expected "as"'),
    ("package a\np if { input.x with input as }", 2, 30, "unexpected '}': expected a term"),
    ("package a\np if { x.1 }", 2, 10, "unexpected number: expected a field name"),
    ("package a\np if { x[ }", 2, 11, "unexpected '}': expected a term"),
    ("package a\np if { x[1 }", 2, 12, 'unexpected \'}\': expected "]"'),
    ("package a\np if { 1.x }", 2, 8, "illegal ref (head cannot be a scalar)"),
    ('package a\np if { "a".x }', 2, 8, "illegal ref (head cannot be a scalar)"),
    ("package a\np if { !x }", 2, 8, "illegal ! character"),
    ("package a\np if { x = }", 2, 12, "unexpected '}': expected a term"),
    ("package a\nelse := 1", 2, 1, "unexpected keyword 'else': expected rule name"),
    ("package a\np if { x & }", 2, 12, "unexpected '}': expected a term"),
    ("package a\np ? 1", 2, 3, "illegal token '?'"),
    ("package a\np := @", 2, 6, "illegal token '@'"),
    ("package a\np := 01", 2, 6, "expected number without leading zero"),
    ("package a\np := 1e", 2, 6, "illegal number format"),
    ("package a\nif := 1", 2, 1, "unexpected if keyword: expected rule name"),
    ("package a\nin := 1", 2, 1, "unexpected in keyword: expected rule name"),
    ("package a\nevery := 1", 2, 1, "unexpected every keyword: expected rule name"),
    ("package a\ncontains := 1", 2, 1, "unexpected contains keyword: expected rule name"),
    ("package a\nnot := 1", 2, 1, "unexpected keyword 'not': expected rule name"),
    ("package a\nwith := 1", 2, 1, "unexpected keyword 'with': expected rule name"),
    ("package a\nnull := 1", 2, 1, "unexpected keyword 'null': expected rule name"),
    ("package a\nas := 1", 2, 1, "unexpected keyword 'as': expected rule name"),
    ("package a\np := if", 2, 6, "unexpected if keyword"),
    ("package a\np := not x", 2, 6, "unexpected not keyword"),
    ("package a\nf(x if true", 2, 5, 'unexpected \'if\': expected ")"'),
    ("package a\np := {1 | }", 2, 11, "unexpected '}': expected a body"),
    ("package a\np := [1 | ]", 2, 11, "unexpected ']': expected a body"),
    ("package a\np := [ | 1]", 2, 8, "unexpected '|': expected a term"),
    ("package a\np := {: 1}", 2, 7, "unexpected ':': expected a term"),
    ("package a\np := f(,)", 2, 8, "unexpected ',': expected a term"),
    ("package a\np := [1,,2]", 2, 9, "unexpected ',': expected a term"),
    ("package a\np := a..b", 2, 8, "unexpected '.': expected a field name"),
    ("package a\nimport data.a\npackage b", 3, 1, "unexpected keyword 'package': expected rule name"),
    ('package a\np := "a\nb"', 2, 6, "non-terminated string"),
    ("package a\np := 1 }", 2, 8, "unexpected '}': expected a line break"),
    ("package a\n}", 2, 1, "unexpected '}': expected rule name"),
    ("package a\np if { true }}", 2, 14, "unexpected '}': expected a line break"),
    ('package a\np := $"{', 2, 8, "non-terminated template string"),
    ('package a\np := $"{1', 2, 9, "non-terminated template string"),
    ("package a\np := 5[0]", 2, 6, "illegal ref (head cannot be a scalar)"),
    ("package a\np := data.f(1)(2)", 2, 15, "only a name can be called"),
    ("package a\nf := g(x) := 1", 2, 11, "unexpected ':=': expected a line break"),
    ("package a\np := x := 1", 2, 8, "unexpected ':=': expected a line break"),
    ("package a\np if x := y := 1", 2, 13, "unexpected ':=': expected a line break"),
    ("package a\np if 1 = 2 = 3", 2, 12, "unexpected '=': expected a line break"),
    ("package a[b]\np := 1", 1, 11, "unexpected 'b': expected a string"),
    ("package a\nimport data[x]", 2, 13, "unexpected 'x': expected a string"),
    ("package 'a'", 1, 9, 'illegal token "\'"'),
    ("package a\nvar x = 1", 2, 1, "var cannot be used for rule name"),
    ("package a\np := 1 // comment", 2, 9, "unexpected '/': expected a term"),
    ("package a\n\tp := ?", 2, 7, "illegal token '?'"),
    ('package a\np := "é" + ?', 2, 12, "illegal token '?'"),
    ("package a\r\np := ?\r\n", 2, 6, "illegal token '?'"),
    ("\ufeffpackage a\np := ?", 2, 6, "illegal token '?'"),
    ("package a\np := \xa01", 2, 6, "illegal token '\\xa0'"),
    ("package a\np if { x := [1, 2 }", 2, 19, 'unexpected \'}\': expected "," or "]"'),
    ('package a\np if {\n x := {\n  "a": 1\n  "b": 2\n }\n}', 5, 3, 'unexpected string: expected "," or "}"'),
    ("package a\np[1]", 2, 1, "`contains` keyword is required for partial set rules"),
    ("package a\np.x", 2, 1, "`contains` keyword is required for partial set rules"),
    ("package a\np", 2, 1, "var cannot be used for rule name"),
    ("package a\np[x]", 2, 1, "`contains` keyword is required for partial set rules"),
    ("package a\ndefault p := 1 if true", 2, 16, "unexpected 'if': expected a line break"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "row", "column", "message"), ERRORS)
def test_an_error_has_its_place(text: str, row: int, column: int, message: str) -> None:
    error = errors(text)
    (found,) = error.errors
    assert (found.code, found.span.file) == ("rego_parse_error", "a.rego")
    assert (found.span.row, found.span.column) == (row, column)
    assert found.message == message
    # Only a line feed ends a line of Rego.
    line = text.split("\n")[row - 1].rstrip("\r").replace("\t", " ")
    assert f"  {row} | {line}\n" in error.render()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty module"),
        ("# nothing\n", "empty module"),
        ("package", "unexpected end of file: expected package name"),
        ("package a\np :=", "unexpected end of file: expected a term"),
        ("package a\np if {", "unexpected end of file: expected a term"),
        ("package a\np := [1, 2", 'unexpected end of file: expected "," or "]"'),
        ('package a\np := {"a": 1', 'unexpected end of file: expected "," or "}"'),
        ("package a\np := (1", 'unexpected end of file: expected ")"'),
    ],
)
def test_an_unfinished_file_fails_at_its_end(text: str, message: str) -> None:
    (found,) = errors(text).errors
    assert found.message == message
    row = text.count("\n") + 1
    assert (found.span.row, found.span.column) == (row, len(text) - text.rfind("\n"))


@pytest.mark.parametrize(
    "rule",
    [
        "p := input.x", "p := data.x", "p := f(1)", "p := 1 + 2", "p := [1, x]", "p := {input.x: 1}", "f(1) := 1", "f([x]) := 1",
        "f(x, x) := 1", "f(x) := x",
    ],
)  # fmt: skip
def test_a_default_is_a_fixed_value(rule: str) -> None:
    (found,) = errors(f"package a\ndefault {rule}").errors
    assert found.message.startswith("illegal default rule (")
    assert (found.code, found.span.row, found.span.column) == ("rego_parse_error", 2, 1)


def test_errors_of_all_files_are_given() -> None:
    with pytest.raises(RegoError) as raised:
        rego.compile({"b.rego": "package b\np := ", "a.rego": "package a\n\np if {", "c.rego": "package c"})
    assert [(e.span.file, e.span.row) for e in raised.value.errors] == [("a.rego", 3), ("b.rego", 2)]


def test_how_an_error_is_shown() -> None:
    assert errors('package a\n\np if {\n\tx := "a\\q"\n}').render() == (
        "a.rego:4:9: rego_parse_error: illegal string escape sequence\n"
        '  4 |  x := "a\\q"\n'
        "    |         ~^\n"
        "  help: write a backslash as \\\\, or use a raw string in backticks"
    )
    assert errors('package a\n\np := $"ü {input.x} {y +} z"').render() == (
        "a.rego:3:24: rego_parse_error: unexpected end of file: expected a term\n"
        '  3 | p := $"ü {input.x} {y +} z"\n'
        "    |                        ^"
    )


def test_the_place_of_an_error_in_a_query() -> None:
    with pytest.raises(RegoError) as raised:
        parse_query("x := 1;\ny := ]")
    assert str(raised.value) == "query:2:6: rego_parse_error: unexpected ']': expected a term"
    with pytest.raises(RegoError, match="empty query"):
        parse_query(" ; ")


# --- depth

OPENINGS = [
    "[",
    "{",
    "(",
    '{"a":',
    "f(",
    "x[",
    '$"{',
    "[1 |",
    "{1 |",
    '{"a": 1 |',
    "every x in [1] {",
    "not ",
    "some x in ",
]


@pytest.mark.parametrize("opening", OPENINGS)
def test_ten_thousand_openings_are_an_error(opening: str) -> None:
    assert errors(f"package a\np if {opening * 10_000}").code == "rego_parse_error"
    with pytest.raises(RegoError):
        parse_query(opening * 10_000)


DEEP = {
    "arrays": ("[", "1", "]"),
    "objects": ('{"a":', "1", "}"),
    "sets": ("{", "1", "}"),
    "parentheses": ("(", "1", ")"),
    "calls": ("abs(", "1", ")"),
    "references": ("input[", "1", "]"),
    "comprehensions": ("[1 | ", "true", "]"),
    "unions that look like comprehensions": ("[1 | ", "1, 1", ", 1]"),
}


@pytest.mark.parametrize("depth", [40, 70, MAX_DEPTH + 1])
@pytest.mark.parametrize("kind", DEEP)
def test_nesting_takes_time_in_proportion(kind: str, depth: int) -> None:
    before, middle, after = DEEP[kind]
    text = f"package a\np := {before * depth}{middle}{after * depth}"
    if depth > MAX_DEPTH or (kind.startswith("unions") and depth > MAX_DEPTH // 2):
        assert errors(text).code == "rego_parse_error"
    else:
        parse_module("a.rego", text)


@pytest.mark.parametrize("operator", ["+", "|", "==", "in"])
def test_ten_thousand_operators_are_an_error(operator: str) -> None:
    assert "more than 150 operators in a row" in str(
        errors("package a\np if " + f" {operator} ".join(["1"] * 10_000))
    )
    rego.compile({"a.rego": "package a\np if " + f" {operator} ".join(["input.x"] * 140)})


def test_a_long_path_is_an_error() -> None:
    assert "reference longer than 150 names" in str(errors("package a\np := input" + ".a" * 10_000))


@pytest.mark.parametrize("operand", ["input.x", "1"])
def test_what_nests_too_deeply_for_a_later_stage_is_an_error(operand: str) -> None:
    with pytest.raises(RegoError, match=r"a\.rego:3:1: rego_compile_error: nested too deeply"):
        rego.compile({"a.rego": "package a\n\np := " + "(" * 20 + operand + f"{f' + {operand}' * 140})" * 20})


# --- whatever is given


def attempt(text: str) -> None:
    for version in ("v1", "v0"):
        try:
            rego.compile({"a.rego": text}, version=version)  # type: ignore[arg-type]
        except RegoError as error:
            found = error
        else:
            continue
        assert found.errors
        assert all(1 <= e.span.row <= text.count("\n") + 1 and e.span.column >= 1 for e in found.errors)
        assert found.render()


TOKENS = [
    "package", "a", "import", "data", "input", "rego", "v1", "future", "keywords", "default", "if", "contains", "else",
    "some", "every", "in", "not", "with", "as", "true", "null", "p", "x", "_", "count", "f", "1", "-", "1.5", '"s"', "`r`",
    '$"{', '}"', ":=", "==", "=", "!=", "<", "+", "|", "&", "*", "%", "(", ")", "[", "]", "{", "}", ".", ",", ";", ":", "\n",
    " ", "#", "# METADATA\n# scope: rule\n", "é", "\\", '"', "`", "$", "\x00", "\r",
]  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=40), st.sampled_from(["", " "]))
@settings(max_examples=300)
def test_any_tokens_are_a_module_or_an_error(tokens: list[str], between: str) -> None:
    attempt("package a\n" + between.join(tokens))


@given(st.text(max_size=60))
def test_any_text_is_a_module_or_an_error(text: str) -> None:
    attempt(text)
    attempt(f"package a\np := {text}")


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_policy_is_a_module_or_an_error(data: st.DataObject) -> None:
    text = POLICIES[data.draw(st.sampled_from(sorted(POLICIES)))]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        end = min(len(text), at + data.draw(st.integers(0, 6)))
        how = data.draw(st.sampled_from(["delete", "double", "replace", "swap", "cut"]))
        if how == "delete":
            text = text[:at] + text[end:]
        elif how == "double":
            text = text[:end] + text[at:]
        elif how == "replace":
            text = text[:at] + data.draw(st.sampled_from(TOKENS)) + text[end:]
        elif how == "swap":
            text = text[:at] + text[end : end + 5] + text[at:end] + text[end + 5 :]
        else:
            text = text[: max(at, 1)]
        text = text or " "
    attempt(text)


def test_there_are_policies_to_damage() -> None:
    assert len(POLICIES) > 5
    for name, text in POLICIES.items():
        parse_module(name, text)


@pytest.mark.parametrize("word", ["not", "some", "in", "contains", "package", "null"])
def test_a_package_may_be_called_by_a_keyword(word: str) -> None:
    assert parse_module("p.rego", f"package {word}.b").package == [word, "b"]
    assert parse_module("p.rego", f"package p\nimport data.{word}.b").imports[0].path == ["data", word, "b"]
    with pytest.raises(RegoError, match=f"must not end with a keyword, got: {word}"):
        parse_module("p.rego", f"package p\nimport data.{word}")
    assert parse_module("p.rego", f"package p\nimport data.{word} as b").imports[0].alias == "b"


def test_contains_is_no_keyword_in_v0() -> None:
    assert parse_module("p.rego", "package p\nimport data.contains", "v0").imports[0].path[-1] == "contains"
