"""Whatever a policy and its input are, an evaluation ends: with a value, or an error that says where it was stopped.

The cases run in a process of their own with little memory; what would take all of it would end that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import EvalError, RegoError

MEMORY = 1_500_000_000  # bytes of address space that the process may have


def doubled(expression: str, start: str = '"abcdefgh"', times: int = 45, name: str = "a") -> str:
    """Rules that each repeat the one before: ``a1 := f(a0, a0)`` and so on; @ is the one before."""
    rules = [f"{name}0 := {start}"]
    rules += [f"{name}{n} := {expression.replace('@', f'{name}{n - 1}')}" for n in range(1, times + 1)]
    return "\n".join(rules) + "\n"


SHARED = '{"l": @, "r": @}'  # small in memory, 2^60 parts to who walks it
ONE = doubled(SHARED, '{"k": 1}', 60)
TWO = ONE + doubled(SHARED, '{"k": 1}', 60, "b")
MILLION = "a" * 1_000_000


@dataclass(frozen=True)
class Case:
    name: str
    rules: str
    input: Any = None


def range_of(size: int) -> str:
    return f"numbers.range(1, {size})"


# Each is stopped by its budget.
STOPPED = [
    Case("concat", doubled('concat("", [@, @])') + "x := count(a45)"),
    Case("sprintf", doubled('sprintf("%s%s", [@, @])') + "x := count(a45)"),
    Case("a template string", doubled('$"{@}{@}"') + "x := count(a45)"),
    Case("replace", doubled('replace(@, "a", @)', '"aa"', 12) + "x := count(a12)"),
    Case("strings.replace_n", doubled('strings.replace_n({"a": @}, @)', '"aa"', 9) + "x := count(a9)"),
    Case("hex.encode", doubled("hex.encode(@)") + "x := count(a45)"),
    Case("base64.encode", doubled("base64.encode(@)", times=120) + "x := count(a120)"),
    Case("json.marshal of a text", doubled("json.marshal(@)", '"\\"\\""', 60) + "x := count(a60)"),
    Case("yaml.marshal of a text", doubled('yaml.marshal({"a": @, "b": @})') + "x := count(a45)"),
    Case("one text, many times in a template",
         f'x := count(sprintf(concat("", ["%[1]s" | some i in {range_of(10_000)}]), [input]))', MILLION),
    Case("one text, many times in a list", f'x := count(concat("", [input | some i in {range_of(10_000)}]))', MILLION),
    Case("one text, many times printed", f'x := count(sprintf("%v", [[input | some i in {range_of(10_000)}]]))', MILLION),
    Case("a wide indent", 'x := json.marshal_with_options(input.xs, {"indent": input.s})',
         {"xs": list(range(10_000)), "s": " " * 100_000}),
    Case("a query of one text, many times",
         f'x := urlquery.encode_object({{"a": [input | some i in {range_of(10_000)}]}})', MILLION),
    Case("split into characters", 'x := count(split(input, ""))', "é" * 20_000_000),
    Case("indexof_n of a long text", "x := count(indexof_n(input.s, input.p))",
         {"s": "a" * 1_000_000, "p": "a" * 500_000}),
    Case("contains in a loop",
         f'x := count([1 | some i in {range_of(10**6)}; contains(input, sprintf("b%d", [i]))])', MILLION),
    Case("any_prefix_match", "x := strings.any_prefix_match(input, input)", [f"x{i}" for i in range(30_000)]),
    Case("trim of many characters", "x := trim(input.s, input.c)",
         {"s": "a" * 3_000_000, "c": "".join(map(chr, range(256, 55_000)))}),
    Case("nested ranges of a template",
         'x := strings.render_template("{{range .x}}{{range $.x}}{{range $.x}}a{{end}}{{end}}{{end}}", '
         f'{{"x": {range_of(1000)}}})'),
    Case("array.concat", doubled("array.concat(@, @)", "[1]") + "x := count(a45)"),
    Case("array.flatten", doubled("array.flatten([@, @])", "[1]") + "x := count(a45)"),
    Case("a comprehension", doubled("[y | some i in [1, 2]; some y in @]", "[1]") + "x := count(a45)"),
    Case("pairs of pairs", doubled("{[x, y] | some x in @; some y in @}", "{1, 2, 3}", 6) + "x := count(a6)"),
    Case("a range", f"x := count({range_of(50_000_000)})"),
    Case("a range of 10^300", "x := count(numbers.range(1, 1e300))"),
    Case("sort", f"x := count(sort({range_of(30_000_000)}))"),
    Case("sum", f"x := sum({range_of(20_000_000)})"),
    Case("a shared value as the result", ONE + "x := a60"),
    Case("a shared value as text", ONE + "x := json.marshal(a60)"),
    Case("a shared value as YAML", ONE + "x := yaml.marshal(a60)"),
    Case("a shared value printed", ONE + 'x := sprintf("%v", [a60])'),
    Case("a shared value in a template string", ONE + 'x := $"{a60}"'),
    Case("shared values that are equal", TWO + "x := a60 == b60"),
    Case("shared values that are compared", TWO + "x := a60 < b60"),
    Case("shared values that are unified", TWO + "x if [a60, 1] = [b60, 1]"),
    Case("a shared value in a set", ONE + "x := {a60}"),
    Case("a shared value as a key", ONE + "x := {a60: 1}"),
    Case("a shared value in a list", TWO + "x := a60 in [b60]"),
    Case("a shared value walked", ONE + "x := count([1 | walk(a60)])"),
    Case("shared values united", TWO + "x := object.union(a60, b60)"),
    Case("a shared value in another", TWO + "x := object.subset(a60, b60)"),
    Case("shared values sorted", TWO + "x := sort([a60, b60])"),
    Case("the larger of shared values", TWO + "x := max([a60, b60])"),
    Case("a shared value tested by a patch", TWO + 'x := json.patch({"a": a60}, [{"op": "test", "path": "a", "value": b60}])'),
    Case("a shared value in json.filter", ONE + 'x := json.filter(a60, ["l/r"])'),
    Case("a shared value in json.remove", ONE + 'x := json.remove(a60, ["l/r"])'),
    Case("a shared value under a schema", ONE + "x := json.match_schema(a60, {})"),
    Case("a shared value as a schema", ONE + 'x := json.verify_schema({"properties": a60})'),
    Case("a shared value rendered", ONE + 'x := strings.render_template("{{.}}", a60)'),
    Case("two values of a rule", TWO + "c := a60\nc := b60\nx := c"),
    Case("two values of a key", TWO + 'c["k"] := a60\nc["k"] := b60\nx := c'),
    Case("sets of sets", doubled("{@, [@]}", "{1}", 60) + "x := a60"),
    Case("sets of sets that are equal",
         doubled("{@, [@]}", "{1}", 60) + doubled("{@, [@]}", "{1}", 60, "b") + "x := a60 == b60"),
    Case("aliases of aliases in YAML", "x := yaml.unmarshal(input)",
         "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
         + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))),
    Case("a long JSON text", "x := count(json.unmarshal(input))", f"[{'[],' * 5_000_000}1]"),
    Case("a patch of many steps",
         'x := json.patch(input, [{"op": "add", "path": sprintf("k%d", [i]), "value": 1} | some i in '
         f"{range_of(20_000)}])", {f"f{i}": 1 for i in range(20_000)}),
    Case("every address", 'x := count(net.cidr_expand("10.0.0.0/8"))'),
    Case("blocks in blocks",
         f'y := [sprintf("10.%d.%d.0/24", [i, j]) | some i in {range_of(100)}; some j in {range_of(100)}]\n'
         "x := count(net.cidr_contains_matches(y, y))"),
    Case("a schema of references", 'x := json.match_schema({"a": 1}, input)',
         {"$ref": "#/definitions/a0",
          "definitions": {f"a{n}": {"allOf": [{"$ref": f"#/definitions/a{n + 1}"}] * 2} for n in range(60)} | {"a60": {}}}),
    Case("a module to parse", 'x := rego.parse_module("x.rego", input)', "package a\n" + "p := 1\n" * 1_000_000),
    Case("a GraphQL query", "x := graphql.parse_query(input)", "{" + "abcdefgh " * 1_000_000 + "}"),
    Case("matches that each look at all of a text", 'x := count(regex.find_n("a*b|a", input, -1))', MILLION),
    Case("groups in groups",
         f'l := concat("", ["(" | some i in {range_of(900)}])\nr := concat("", [")" | some i in {range_of(900)}])\n'
         'x := count(regex.find_all_string_submatch_n(concat("", [l, "a*", r]), input, -1))', MILLION),
    Case("a match, many times in its replacement",
         f'x := count(regex.replace(input, ".*", concat("", ["$0" | some i in {range_of(3_000)}])))', MILLION),
    Case("a long expression", 'x := regex.match(input, "a")', "(a|b)" * 1_000_000),
    Case("a long glob", 'x := glob.match(input, [], "a")', "{a,b}*" * 1_000_000),
    Case("an expression of many states", 'x := regex.match("(a|b)*a(a|b){400}c", input)', "ab" * 2_000_000),
    Case("a long layout", 'x := time.format([1, "UTC", input])', "2006" * 1_000_000),
    Case("a long duration", "x := time.parse_duration_ns(input)", "1h" * 5_000_000),
    Case("loops in loops in loops in loops in loops",
         "x := count([1 | " + "; ".join(f"some v{n} in {range_of(1000)}" for n in range(5)) + "])"),
    Case("values made in a loop", f'x := count([[i, [i], {{"a": i}}] | some i in {range_of(10_000_000)}])'),
    Case("paths through a graph",
         'x := count(graph.reachable_paths(input, {"0"}))', {str(i): [str(i + 1)] for i in range(20_000)}),
    Case("with in a loop", f"q := input.a\nx := count([1 | some i in {range_of(10**5)}; q with input.a as i])",
         {f"k{i}": i for i in range(100_000)}),
]  # fmt: skip

# Each comes to its end; what is undefined is null.
ENDS = [
    (Case("a schema that is itself", 'x := json.match_schema({"a": 1}, {"$ref": "#"})'), None),
    (Case("a property name that matches slowly",
          'x := json.match_schema({input: 1}, {"patternProperties": {"^(a+)+$": {}}, '
          '"additionalProperties": false})[0]', "a" * 60 + "!"), False),
    (Case("items that are all different",
          'x := json.match_schema({"a": input}, {"properties": {"a": {"uniqueItems": true}}})[0]',
          [{"a": i} for i in range(3_000)]), True),
    (Case("repetitions of repetitions", 'x := regex.match("(((a{100}){100}){100}){100}", "a")'), None),
    (Case("openings without end in a template", "x := strings.render_template(input, {})", "{{" * 500_000), None),
    (Case("a layout of digits", "x := time.parse_ns(input.l, input.s)", {"l": "1" * 40 + "x", "s": "1" * 60 + "y"}), None),
    (Case("a layout of spaces", "x := time.parse_ns(input.l, input.s)", {"l": " " * 40 + "x", "s": " " * 60 + "y"}), None),
    (Case("a date far away", f"x := time.add_date(0, {10**300}, 1, 1)"), None),
    (Case("digits without end", "x := to_number(input)", "9" * 1_000_000 + "x"), None),
    (Case("a number of 5,000 digits", "x := to_number(input)", "9" * 5_000), None),
    (Case("products of products", doubled("@ * @", "99999999999", 40) + "x := a40"), None),
    (Case("a shift", "x := bits.lsh(1, 1000000000)"), None),
    (Case("shifts of shifts", "x := bits.lsh(bits.lsh(1, 10000), 10000)"), None),
    (Case("long numbers in a version", 'x := semver.compare(input, "1.0.0-1")', "1.0.0-" + "9" * 10_000), 1),
    (Case("a thousand functions", "\n".join(f"f{n}(x) := f{n + 1}(x)" for n in range(1000)) + "\nf1000(x) := x\nx := f0(1)"), 1),
    (Case("variables that double in a body", "x := count(v60) if {\n v0 := [1]\n"
          + "\n".join(f" v{n} := [v{n - 1}, v{n - 1}]" for n in range(1, 61)) + "\n}"), 2),
    (Case("a thousand rules", "\n".join(f"r{n} := r{n + 1}" for n in range(1000)) + "\nr1000 := 1\nx := r0"), 1),
    (Case("a list searched in a loop", "x := count([1 | some y in input; y == -1])", list(range(1_000_000))), 0),
]  # fmt: skip


WALKS = [
    "input", "json.marshal(input)", 'sprintf("%v", [input])', '$"{input}"', "yaml.marshal(input)",
    "count({input})", "count({input: 1})", "input == json.unmarshal(json.marshal(input))", "input < [input]",
    "sort([input, [input]])", 'object.union({"a": input}, {"a": {"b": input}})', "count([p | walk(input, [p, _])])",
    'json.filter({"a": input}, ["a/0/0"])', 'json.remove({"a": input}, ["a/0/0"])',
    'json.match_schema({"a": input}, {})', "array.flatten(input)", "input in [[1], input]", "max([input, [input]])",
    'json.patch(input, [{"op": "add", "path": "0/-", "value": input}])', 'object.subset({"a": input}, {"a": input})',
]  # fmt: skip

# name -> what is evaluated in one process, and its limits
RUNS: dict[str, tuple[list[Case], dict[str, Any]]] = {
    "stopped": (STOPPED, {"seconds": 0.4, "steps": 1_000_000}),
    "ends": ([case for case, _ in ENDS], {"seconds": 30.0}),
    **{
        f"depth {depth}": ([Case(walk, f"x := {walk}") for walk in WALKS], {"seconds": 30.0, "deep": depth})
        for depth in (980, 10_000, 100_000)
    },
}


@cache
def answers(run: str) -> dict[str, Any]:
    """name -> what a process of its own says of each case: its value, or its error."""
    cases, limits = RUNS[run]
    lines = [json.dumps({"rules": case.rules, "input": case.input, **limits}) for case in cases]
    command = [sys.executable, __file__, str(MEMORY)]
    ran = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, timeout=300, check=False
    )
    said = [json.loads(line) for line in ran.stdout.splitlines()]
    said += [{"crashed": ran.stderr[-500:] or ran.returncode}] * (len(cases) - len(said))
    return {case.name: answer for case, answer in zip(cases, said, strict=True)}


@pytest.mark.parametrize("case", STOPPED, ids=lambda case: case.name)
def test_what_would_not_end_is_stopped(case: Case) -> None:
    code, message = answers("stopped")[case.name]["error"]
    assert code == "eval_cancel_error", message
    assert message.startswith("bounded.rego:")
    assert " steps in " in message


@pytest.mark.parametrize(("case", "expected"), ENDS, ids=[case.name for case, _ in ENDS])
def test_what_looks_endless_may_have_an_end(case: Case, expected: Any) -> None:
    assert answers("ends")[case.name] == {"value": expected}


@pytest.mark.parametrize("walk", WALKS)
def test_documents_as_deep_as_parsers_allow_are_no_trouble(walk: str) -> None:
    assert answers("depth 980")[walk].get("value") is not None


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("depth", [10_000, 100_000])
def test_deeper_documents_are_an_error_at_the_most(walk: str, depth: int) -> None:
    answer = answers(f"depth {depth}")[walk]
    if answer.get("value") is None:
        code, message = answer["error"]
        assert message.startswith("bounded.rego:2:")
        assert code == "eval_cancel_error" or message.endswith("document or the policy is nested too deeply")


# --- built-ins on what built-ins made

TEXTS = [
    'concat(@, [#, @, "b"])', 'sprintf("%s-%v", [@, ~])', "upper(@)", 'replace(@, "a", #)', "base64.encode(@)",
    "json.marshal(~)", "hex.encode(#)", 'sprintf("%s%s%s", [@, #, @])', 'strings.replace_n({"a": @, "b": #}, @)',
    "urlquery.encode(@)", "strings.reverse(@)", "trim(@, #)", 'regex.replace(@, "[ab]+", #)', "yaml.marshal([~])",
    'strings.render_template("{{.a}}{{.a}}", {"a": @})', '$"{@}{~}"', 'json.marshal_with_options(~, {"indent": #})',
    "concat(#, [x | some v in [@, #, @]; x := v])", "lower(@)", "substring(@, 1, -1)",
]  # fmt: skip
VALUES = [
    "[~, ~]", '{"a": ~, "b": ~}', "{~, [~]}", 'split(@, "")', "[v | some v in ~]", "array.concat([~], [~, @])",
    "array.flatten([[~, ~], ~])", "{k: v | some k, v in [~, @]}", "[[a, b] | some a in [~, @]; some b in [~, #]]",
    'indexof_n(@, "a")', 'regex.find_n("a", @, -1)', "json.unmarshal(json.marshal(~))", "[p | walk(~, [p, _])]",
    'object.union({"a": ~}, {"a": {"b": ~}})', "sort([~, @, ~])", "numbers.range(1, count(@))", "{~: @}",
    'json.patch({"a": ~}, [{"op": "copy", "from": "a", "path": "b"}])', "[~ == [~], ~ < @, ~ in [~]]",
]  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> str:
    """Rules that make texts (t0, t1, …) and values (v0, v1, …) of the ones before."""
    rules = ['t0 := "aab"', 'v0 := [1, "a"]']
    texts, values = ["t0"], ["v0"]
    for n in range(1, draw(st.integers(4, 30))):
        is_text = draw(st.booleans())
        shape = draw(st.sampled_from(TEXTS if is_text else VALUES))
        # The latest are likely, so that what grows goes on growing.
        text, other = texts[-1], draw(st.sampled_from(texts))
        shape = shape.replace("@", text).replace("#", other).replace("~", values[-1])
        name = f"{'t' if is_text else 'v'}{n}"
        rules.append(f"{name} := {shape}")
        (texts if is_text else values).append(name)
    return "\n".join([*rules, f"x := [count({texts[-1]}), {values[-1]}]"])


@settings(max_examples=25, deadline=None)
@given(st.lists(chains(), min_size=1, max_size=3))
def test_built_ins_on_what_built_ins_made_stay_within_the_budget(modules: list[str]) -> None:
    import tracemalloc

    budget = Budget(seconds=None, steps=200_000, memory=64 << 20)
    for rules in modules:
        program = rego.compile({"chain.rego": f"package bounded\n{rules}\n"})
        stopped = None
        tracemalloc.start()
        try:
            program.evaluate("data.bounded.x", budget=budget)
        except EvalError as error:
            stopped = error
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 400_000_000
        assert stopped is None or stopped.code == "eval_cancel_error", str(stopped)
        assert stopped is None or stopped.errors[0].span.file == "chain.rego"


def _main() -> None:
    """Evaluate the cases on stdin with little memory; say what came of each on stdout."""
    import resource

    limit = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _answer(given: dict[str, Any]) -> dict[str, Any]:
    document, deep = given["input"], given.get("deep", 0)
    for _ in range(deep):
        document = [document]
    program = rego.compile({"bounded.rego": f"package bounded\n{given['rules']}\n"})
    budget = Budget(given["seconds"], given.get("steps", 100_000_000), 300_000_000)
    try:
        value = program.evaluate("data.bounded.x", input=document, budget=budget)
    except RegoError as error:
        return {"error": [error.code, str(error)]}
    if value is rego.UNDEFINED:
        return {"value": None}
    return {"value": "a document" if deep else value}


if __name__ == "__main__":
    _main()
