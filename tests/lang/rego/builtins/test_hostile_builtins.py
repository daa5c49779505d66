"""Calls that would take all memory or all time: a budget stops them, or they are undefined."""

import pytest

from solon.lang.budget import Budget
from solon.lang.rego import UNDEFINED, EvalError

SMALL = Budget(seconds=None, steps=1_000_000)

STOPPED = [
    ("numbers.range(1, 1000000000)", None),
    ("numbers.range_step(1, 1000000000000, 2)", None),
    ('net.cidr_expand("10.0.0.0/8")', None),
    ('net.cidr_expand("::/0")', None),
    ('replace(replace(input, "a", input), "a", input)', "a" * 2000),
    ('strings.replace_n({"a": input}, input)', "a" * 20_000),
    ('concat(input, ["", "", "", "", "", ""])', "a" * 5_000_000),
    ('regex.replace(input, "a", "bb")', "a" * 100_000),
    ('regex.find_n("a", input, -1)', "a" * 100_000),
    ('regex.split("a", input)', "a" * 100_000),
    ('[sprintf("%999999d", [i]) | some i in numbers.range(1, 1000)]', None),
    ('[sprintf("%*d", [999999, i]) | some i in numbers.range(1, 1000)]', None),
]


@pytest.mark.parametrize(("call", "given"), STOPPED, ids=[call for call, _ in STOPPED])
def test_a_call_that_makes_too_much_is_stopped(answer, call, given):
    with pytest.raises(EvalError) as caught:
        answer(call, budget=SMALL, given=given or {})
    assert caught.value.code == "eval_cancel_error"


REFUSED = [
    ("bits.lsh(1, 1000000000)", None),
    ("product(input)", [10**3000, 10**3000]),
    ('to_number("1e9999")', None),
    ('json.unmarshal("1e999999")', None),
    ("json.unmarshal(input)", "[" * 100_000),
    ("yaml.unmarshal(input)", "[" * 100_000),
    ("yaml.unmarshal(input)", "- " * 5_000),
    ("graphql.parse_query(input)", "{a" * 50_000),
    ('graphql.parse(input, "type Query {a: Int}")', "{" + "a " * 5_000 + "}"),
    ("io.jwt.decode(input)", "." * 100_000),
    ('rego.parse_module("x", input)', "package a\np := " + "[" * 10_000),
    ("semver.compare(input, input)", "9" * 10_000 + ".0.0"),
    ("time.parse_duration_ns(input)", "9" * 100_000 + "h"),
]


@pytest.mark.parametrize(("call", "given"), REFUSED, ids=[f"{n}-{case[0]}" for n, case in enumerate(REFUSED)])
def test_a_call_with_absurd_operands_is_undefined(answer, call, given):
    assert answer(call, given=given or {}) is UNDEFINED


QUICK = [  # what a backtracking matcher would not finish
    ('regex.match("(a+)+$b", input)', "a" * 1_000_000, False),
    ('json.match_schema(input, {"properties": {"a": {"pattern": "^(a+)+$"}}})[0]', {"a": "a" * 60 + "!"}, False),
    ("count(crypto.parse_private_keys(input))", "-----BEGIN RSA PRIVATE KEY-----\n" * 50_000, 0),
]  # fmt: skip


@pytest.mark.parametrize(("call", "given", "expected"), QUICK, ids=[call for call, _, _ in QUICK])
def test_an_expression_cannot_take_forever(answer, call, given, expected):
    assert answer(call, given=given) == expected
