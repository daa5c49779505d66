"""Nothing of a policy's text becomes code: names, strings and keys are constants beside it.

`Program.dump` writes constants out for people; what the compiler sees is the text before that.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.rego.compile import namespace

HOSTILE = [
    "__import__('os').system('touch /tmp/owned')",
    '"); raise SystemExit(7) #',
    "'''\"\"\"",
    "\\",
    "\\\n",
    "\nimport os\n",
    "\r\n\tdef r0(s): return 1",
    "{0.__class__}{x!r}%s%(a)d${y}",
    "K0",
    "s.memo",
    "\x00\x1b[31m\u2028\u2029\x85",
    "é𝄞\ufeff\u202e",
    "f" * 300,
]
MARK = "hostile_7c1e"  # stands in every text, to be looked for


def generated(program: rego.Program) -> str:
    """The Python that was compiled."""
    return program.code.text


def assert_harmless(program: rego.Program) -> None:
    """The generated Python is numbered names, attributes of the runtime, and no constant of the policy."""
    text = generated(program)
    assert MARK not in text
    known = set(namespace()) | set(namespace()["__builtins__"])
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            assert node.id in known or re.fullmatch(r"[A-Za-z]\d+|s|d|v|w|out|memo|error", node.id), node.id
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, str | bytes), f"a string in the generated code: {node.value!r}"
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr


def quoted(text: str) -> str:
    return json.dumps(text)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_strings(text: str) -> None:
    hostile = text + MARK
    rules = [
        f"p := {quoted(hostile)}",
        f"q[{quoted(hostile)}] := {{{quoted(hostile)}: [{quoted(hostile)}]}}",
        f"r contains {quoted(hostile)}",
        f"s if input[{quoted(hostile)}] == {quoted(hostile)}",
        f"t := input.xs[{quoted(hostile)}]",
        f"f({quoted(hostile)}) := 1",
        f"u := f({quoted(hostile)})",
        f"v := sprintf({quoted('%v ' + MARK)}, [{quoted(hostile)}])",
        f"w := {{x | some x in [{quoted(hostile)}]}}",
        f"x := startswith({quoted(hostile)}, {quoted(hostile)})",
        f"y if {quoted(hostile)} in {{{quoted(hostile)}}}",
        f"z := x if {{ x := p with input[{quoted(hostile)}] as {quoted(hostile)} }}",
        f"m := {quoted(hostile)} if false\nelse := [{quoted(hostile)}]",
    ]
    program = rego.compile({f"{hostile}.rego": "package a\n" + "\n".join(rules) + "\n"})
    assert_harmless(program)
    given_input = {hostile: hostile, "xs": {hostile: 5}}
    assert program.evaluate("data.a", input=given_input) == {
        "p": hostile,
        "q": {hostile: {hostile: [hostile]}},
        "r": [hostile],
        "s": True,
        "t": 5,
        "u": 1,
        "v": f"{hostile} {MARK}",
        "w": [hostile],
        "x": True,
        "y": True,
        "z": hostile,
        "m": [hostile],
    }
    assert MARK in program.dump(), "for people, constants are written out"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_package_names_and_metadata(text: str) -> None:
    hostile = text + MARK
    comment = re.sub(r"[\r\n\U00010000-\U0010ffff]", " ", hostile)
    module = (
        f"# METADATA\n# title: {json.dumps(comment)}\npackage a[{quoted(hostile)}]\n\n# {comment}\n"
        f"# METADATA\n# description: {json.dumps(comment)}\np := rego.metadata.rule()\n"
    )
    program = rego.compile({hostile: module})
    assert_harmless(program)
    found = program.evaluate("data.a[x].p")
    assert found["description"] == comment
    assert program.query("data.a[x]") == [{"x": hostile}]


def test_names_that_mean_something_to_python_or_to_the_generated_code() -> None:
    names = [
        *dir(builtins), *namespace(), "None_", "def", "class", "lambda", "yield", "async", "await", "global", "exec",
        "s", "out", "memo", "v", "w", "v0", "g0", "r0", "K0", "B0", "c0", "n0", "e0", "a0", "d", "q", "error",
    ]  # fmt: skip
    taken = {
        "input",
        "data",
        "_",
        "any",
        "all",
        "sum",
        "max",
        "min",
        "abs",
        "round",
        "print",
        "sprintf",
        "concat",
    }
    names = [n for n in dict.fromkeys(names) if n not in taken and re.fullmatch(r"[A-Za-z_]\w*", n)]
    rules = [f"{name} := x_{at} if {{ x_{at} := {at} }}" for at, name in enumerate(names)]
    rules += [f"f_{at}({name}) := {name}" for at, name in enumerate(names)]
    rules += [f"g_{at} := [{name} | some {name} in [{at}]]" for at, name in enumerate(names)]
    program = rego.compile({"a.rego": "package a\n" + "\n".join(rules) + "\n"})
    found: dict[str, Any] = program.evaluate("data.a")
    for at, name in enumerate(names):
        assert found[name] == at
        assert found[f"g_{at}"] == [at]
    query = "; ".join(f"data.a.f_{at}({at}) == {at}" for at in range(len(names)))
    assert program.evaluate(query) is True


def test_compiled_code_has_no_built_ins_of_python_to_reach() -> None:
    space = namespace()
    assert set(space["__builtins__"]) <= {
        "AttributeError", "KeyError", "TypeError", "enumerate", "len", "type", "list", "dict", "str", "int", "float",
        "bool", "set", "zip", "range", "sorted", "isinstance", "min", "max", "any", "all", "sum", "abs", "map", "tuple",
    }  # fmt: skip
    for dangerous in (
        "eval",
        "exec",
        "open",
        "compile",
        "getattr",
        "setattr",
        "globals",
        "vars",
        "__import__",
        "input",
    ):
        assert dangerous not in space["__builtins__"]


@given(st.text(min_size=1, max_size=20))
def test_any_string_is_a_value_and_no_code(text: str) -> None:
    hostile = text + MARK
    if any(0xD800 <= ord(c) <= 0xDFFF for c in hostile):
        return
    program = rego.compile({hostile: f"package a\np := {{{quoted(hostile)}: input[{quoted(hostile)}]}}\n"})
    assert_harmless(program)
    assert program.evaluate("data.a.p", input={hostile: hostile}) == {hostile: hostile}
    raw = hostile.replace("`", "").replace("\r", "")
    assert rego.compile({}).evaluate(f"x := `{raw}`; x == {quoted(raw)}") is True
    assert rego.compile({}).query(f"x := {quoted(hostile)}") == [{"x": hostile}]
