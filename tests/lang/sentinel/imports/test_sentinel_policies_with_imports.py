"""Policies that use the standard imports: members, methods, predicates, errors with their places, budgets."""

from __future__ import annotations

import pytest
from sentinel_imports import NOW_NS

from solon.lang.budget import Budget
from solon.lang.sentinel import Result, Source, compile
from solon.lang.sentinel.imports import STANDARD


def evaluate(
    text: str, *, budget: Budget | None = None, configs: dict[str, dict[str, str]] | None = None
) -> Result:
    program = compile(Source(text, "policy.sentinel"), imports=STANDARD)
    return program.evaluate(imports=STANDARD, configs=configs, budget=budget, now_ns=NOW_NS)


# what the policy imports, expressions that are all true
TRUE = [
    ("strings", 'strings.split("a/b", "/")[1] is "b"'),
    ("strings", 'strings.join(map [1, 2] as n { n * 2 }, "-") is "2-4"'),
    ("strings", 'strings.split({}.a, "/")[0] is not defined'),
    ("strings", 'strings.split({}.a, "/")[0] else "none" is "none"'),
    ("types", 'types.type_of(types.type_of) is "func"'),
    ("types", 'types.type_of({}.a) is "undefined"'),
    ("units", "2 * units.gigabyte is 2147483648"),
    ("base64", 'base64.decode(base64.encode("gpu")) is "gpu"'),
    ("json", 'json.unmarshal("{\\"a\\": [1, 2.5]}").a[1] is 2.5'),
    ("json", 'json.marshal({"b": 1, "a": {}.x}) is "{\\"b\\":1}"'),
    ("json", 'keys(json.unmarshal("{\\"a\\": 1}")) is ["a"]'),
    ("sockaddr", 'sockaddr.is_contained("10.0.0.0/8", "10.1.2.3")'),
    ("decimal", 'decimal.new("0.1").add("0.2").is("0.3")'),
    ("decimal", "decimal.new(10).power(2).int is 100"),
    ("decimal", 'decimal.new("812.50").lte(decimal.new(1000))'),
    ("version", 'version.new("1.9.5").satisfies("~> 1.9, != 1.9.4")'),
    ("version", 'version.new("1.10.0").gt("1.9.0") and version.new("2").major is 2'),
    ("time", 'time.now.weekday_name is "Saturday" and time.now.hour is 1'),
    ("time", 'time.now.add(time.hour * 24).after("2019-11-17T00:00:00Z")'),
    ("time", 'time.load("2019-11-16T04:20:30Z").sub("2019-11-16T01:20:30Z") / time.hour is 3'),
    ("runtime", 'runtime.version matches "^0\\\\.[0-9]+\\\\."'),
    ("collection", "collection.filter([1, 2, 3], func(n) { return n > 1 }) is [2, 3]"),
    ("collection", 'collection.filter({"a": 1, "b": 2}, func(v, k) { return k is "b" }) is [2]'),
    ("collection", "collection.reduce([1, 2, 3], func(sum, n) { return sum + n }, 0) is 6"),
    ("collection", "collection.find([1, 2], func(n) { return n is 3 }) is not defined"),
    ("collection", 'collection.matches([{"t": {"x": 1}, "u": 2}], {"t": {"x": 1}}) is [{"t": {"x": 1}, "u": 2}]'),
    ("collection/lists", 'lib.sort(["b", "a"], func(x, y) { return compare(x, y) }) is ["a", "b"]'),
    ("collection/lists", "lib.union([1, 1.0, true], [2]) is [1, true, 2]"),
    ("collection/lists", "lib.sum([1, 2]) is 3"),
    ("collection/maps", 'lib.get({"a": [{"b": 1}, {"b": 2}]}, "a.*.b") is [1, 2]'),
    ("collection/maps", 'lib.get({"tags": null}, "tags.team", "none") is "none"'),
    ("http", "http.with_timeout(5).with_retries(0).timeout is 5"),
    ("http", 'http.request("http://h/").with_header("A", "b").headers["A"] is "b"'),
]  # fmt: skip


@pytest.mark.parametrize(("path", "expression"), TRUE)
def test_expressions(path: str, expression: str) -> None:
    alias = " as lib" if "/" in path else ""
    result = evaluate(f'import "{path}"{alias}\nmain = rule {{ {expression} }}\n')
    assert result.failure is None, result.failure
    assert (result.outcome, result.main) == ("pass", True)


@pytest.mark.parametrize(
    ("path", "expression", "column", "message"),
    [
        ("strings", 'strings.has_prefix(1, "a")', 15, "strings.has_prefix: the argument must be a string, not int"),
        ("strings", 'strings.to_lower("a", "b")', 15, "strings.to_lower takes 1 argument, not 2"),
        ("json", 'json.unmarshal("{") is null', 15, "json.unmarshal: line 1, column 2: "),
        ("decimal", 'decimal.new("x").int is 1', 15, "decimal: this is not a number: 'x'"),
        ("version", 'version.new("1.0").gt("?")', 15, "version: this is not a version: '?'"),
        ("http", 'http.get("http://a.example/").body is ""', 15, "http: the host a.example is not allowed"),
    ],
)  # fmt: skip
def test_errors_say_where_the_call_stands(path: str, expression: str, column: int, message: str) -> None:
    result = evaluate(f'import "{path}"\nmain = rule {{ {expression} }}\n')
    assert result.outcome == "error"
    assert result.failure is not None
    assert result.failure.message.startswith(message)
    assert result.failure.at is not None
    assert (result.failure.at.row, result.failure.at.column) == (2, column)


def test_what_is_undefined_says_why() -> None:
    result = evaluate('import "strings"\nplan = {}\nmain = rule { strings.has_prefix(plan.name, "a") }\n')
    assert result.outcome == "undefined"
    assert result.undefined is not None
    assert result.undefined.why == 'no key "name"'
    assert result.undefined.at is not None
    assert result.undefined.at.row == 3


def test_the_configuration_of_an_import() -> None:
    text = 'import "time"\nmain = rule { time.now.zone_string is "+10:00" }\n'
    assert evaluate(text, configs={"time": {"timezone": "Australia/Brisbane"}}).main is True
    assert evaluate(text).main is False
    assert evaluate(text, configs={"time": {"timezone": "Nowhere"}}).outcome == "error"


def test_printing() -> None:
    result = evaluate(
        'import "decimal"\nimport "time"\nimport "version"\n'
        'main = rule { print(decimal.new("1.50"), version.new("1.2"), time.now, [decimal.nan]) }\n'
    )
    assert result.output == ("1.50 1.2.0 2019-11-16T01:20:30.123456789Z [NaN]",)


BUDGET = Budget(seconds=30, steps=400_000, memory=64 << 20)
# Under this budget a list of so many can be made.
MANY = "xs = range(100000)\n"
RUNAWAY = [
    ("strings", 'strings.replace(strings.join(xs, ""), "", strings.join(xs, "")) is ""'),
    ("collection", 'collection.matches(map xs as n { {"a": n} }, {"a": 1}) is []'),
    ("collection/lists", "lib.union(xs, xs, xs, xs, xs) is []"),
    ("collection/maps", 'lib.get({"a": [xs, xs, xs, xs, xs]}, "a") is []'),
    ("decimal", "all xs as n { decimal.new(n).power(decimal.new(n)).is(n) or true }"),
    ("json", "json.unmarshal(json.marshal([xs, xs, xs])) is []"),
]


def test_the_budget_is_enough_for_what_the_next_test_begins_with() -> None:
    assert evaluate(f"{MANY}main = rule {{ length(xs) is 100000 }}\n", budget=BUDGET).main is True


@pytest.mark.parametrize(("path", "expression"), RUNAWAY)
def test_what_runs_away_is_stopped(path: str, expression: str) -> None:
    alias = " as lib" if "/" in path else ""
    result = evaluate(f'import "{path}"{alias}\n{MANY}main = rule {{ {expression} }}\n', budget=BUDGET)
    assert result.outcome == "error"
    assert result.failure is not None
    assert "evaluation" in result.failure.message
