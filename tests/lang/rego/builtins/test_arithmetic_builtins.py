"""Built-ins: abs, ceil, floor, round, rem, bits.*, numbers.*, sum, product, max, min, sort, count. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ("abs(-5)", 5),
    ("abs(-0.5)", 0.5),
    ("ceil(1.2)", 2),
    ("ceil(-1.5)", -1),
    ("floor(-1.5)", -2),
    ("floor(2.9)", 2),
    ("round(0.5)", 1),
    ("round(-0.5)", -1),
    ("round(2.5)", 3),
    ("round(1e20)", 100000000000000000000),
    ("-7 % 3", -1),
    ("7 % -3", 1),
    ("0.1 + 0.2", 0.3),
    ("1 / 3", 0.3333333333333333),
    ("10 / 4", 2.5),
    ("9223372036854775807 + 1", 9223372036854775808),
    ("123456789012345678901234567890 * 10", 1234567890123456789012345678900),
    ("bits.and(12,10)", 8),
    ("bits.or(12,10)", 14),
    ("bits.xor(12,10)", 6),
    ("bits.negate(0)", -1),
    ("bits.lsh(1,70)", 1180591620717411303424),
    ("bits.rsh(-8,1)", -4),
    ("bits.and(-1,123456789012345678901234567890)", 123456789012345678901234567890),
    ("numbers.range(3,1)", [3, 2, 1]),
    ("numbers.range(-1,1)", [-1, 0, 1]),
    ("numbers.range_step(0,10,3)", [0, 3, 6, 9]),
    ("numbers.range_step(10,0,4)", [10, 6, 2]),
    ("sum([])", 0),
    ("sum({1,2.5})", 3.5),
    ("product([])", 1),
    ("product([2,-3,4])", -24),
    ("product([100000000000,100000000000])", 10000000000000000000000),
    ('max([1,"a",null])', "a"),
    ('max({[1],{"a":1}})', {"a": 1}),
    ("min([true,null])", None),
    ('sort([3,"a",null,true,[1],{"b":1}])', [None, True, 3, "a", [1], {"b": 1}]),
    ("sort({2,1})", [1, 2]),
    ('count("日本語")', 3),
    ("count({1,1.0,2})", 2),
    ("to_number(true)", 1),
    ("to_number(null)", 0),
    ('to_number("-0.5")', -0.5),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ("7 % 0", "eval_builtin_error"),
    ("5.5 % 2", "eval_builtin_error"),
    ("1 / 0", "eval_builtin_error"),
    ("bits.lsh(1,-1)", "eval_type_error"),
    ("bits.and(1.5,1)", "eval_type_error"),
    ("numbers.range(1.5,2)", "eval_type_error"),
    ("numbers.range_step(0,1,0)", "eval_builtin_error"),
    ("numbers.range_step(0,1,-1)", "eval_builtin_error"),
    ("sum(input.list)", "eval_type_error"),
    ("sort(input.n)", "eval_type_error"),
    ("count(input.n)", "eval_type_error"),
    ("count(input.null)", "eval_type_error"),
    ('to_number(" 1")', "eval_builtin_error"),
    ('to_number("1e400")', "eval_builtin_error"),
    ('to_number("0x10")', "eval_builtin_error"),
    ('to_number("")', "eval_builtin_error"),
    ("to_number(input.list)", "eval_type_error"),
    ("abs(input.s)", "eval_type_error"),
    ("round(input.null)", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_arithmetic_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_arithmetic_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
