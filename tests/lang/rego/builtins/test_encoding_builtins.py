"""Built-ins: base64, base64url, hex, urlquery, json and yaml. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('base64.encode("é")', "w6k="),
    ('base64.encode("")', ""),
    ('base64.decode("w6k=")', "é"),
    ('base64.is_valid("YQ==")', True),
    ('base64.is_valid("YQ")', False),
    ("base64.is_valid(input.n)", False),
    ('base64url.encode("??>")', "Pz8-"),
    ('base64url.encode_no_pad("a")', "YQ"),
    ('base64url.decode("Pz8-")', "??>"),
    ('base64url.decode("YQ")', "a"),
    ('base64url.decode("YQ==")', "a"),
    ('hex.encode("é")', "c3a9"),
    ('hex.decode("C3a9")', "é"),
    ('urlquery.encode("a b&é/?")', "a+b%26%C3%A9%2F%3F"),
    ('urlquery.decode("a+b%26")', "a b&"),
    ('urlquery.encode_object({"a":["1","2"],"b":"x y"})', "a=1&a=2&b=x+y"),
    ('urlquery.encode_object({"a":{"2","1"}})', "a=1&a=2"),
    ('urlquery.decode_object("a=1&b=&a=2&c")', {"a": ["1", "2"], "b": [""], "c": [""]}),
    ('urlquery.decode_object("")', {}),
    ('json.marshal({"b":1,"a":[null,true,"<é>"]})', '{"a":[null,true,"\\u003cé\\u003e"],"b":1}'),
    ('json.marshal({1,"a"})', '[1,"a"]'),
    ("json.marshal({1:2})", '{"1":2}'),
    ('json.marshal("\\u2028")', '"\\u2028"'),
    ('json.unmarshal("{\\"a\\":1,\\"a\\":2}")', {"a": 2}),
    ('json.unmarshal(" 1 ")', 1),
    ('json.is_valid("{}")', True),
    ("json.is_valid(\"{'a':1}\")", False),
    ("json.is_valid(input.n)", False),
    ('json.marshal_with_options([1,{"a":2}],{"pretty":true})', '[\n\t1,\n\t{\n\t\t"a": 2\n\t}\n]'),
    ('json.marshal_with_options([1],{"indent":"  ","prefix":"> "})', "> [\n>   1\n> ]"),
    ('json.marshal_with_options({"a":1},{})', '{"a":1}'),
    ('yaml.marshal({"a":"true","b":1})', 'a: "true"\nb: 1\n'),
    ('yaml.marshal("on")', '"on"\n'),
    ('yaml.marshal("a: b")', "'a: b'\n"),
    ("yaml.marshal([])", "[]\n"),
    ('yaml.marshal("x\\ny\\n")', "|\n  x\n  y\n"),
    ('yaml.marshal("")', '""\n'),
    ('yaml.marshal({"a":[1,{"b":[2]}]})', "a:\n  - 1\n  - b:\n      - 2\n"),
    (
        'yaml.marshal(["y","N","08","0o14","1e3","1:30","0x1","2001-12-14","~"])',
        '- "y"\n- "N"\n- "08"\n- "0o14"\n- "1e3"\n- "1:30"\n- "0x1"\n- "2001-12-14"\n- "~"\n',
    ),
    (
        'yaml.marshal(["=","<<","08x","10e","0o9","1.0.0","2001-13-45","é"])',
        "- =\n- <<\n- 08x\n- 10e\n- 0o9\n- 1.0.0\n- 2001-13-45\n- é\n",
    ),
    ('yaml.marshal("\\ud83d\\ude00")', '"\\U0001F600"\n'),
    (
        "yaml.marshal([100000000000000000000,18446744073709551615,0.00001,123456789.5,1.5,true,null])",
        "- 1e+20\n- 18446744073709551615\n- 1e-05\n- 1.234567895e+08\n- 1.5\n- true\n- null\n",
    ),
    ('yaml.unmarshal("a: !!binary aGk=")', {"a": "hi"}),
    ('json.unmarshal("[\\"\\\\ud800x\\",\\"\\\\ud83d\\\\ude00\\"]")', ["\ufffdx", "\U0001f600"]),
    ('yaml.unmarshal("a: [1, 2]\\nb: ~")', {"a": [1, 2], "b": None}),
    ('yaml.unmarshal("- 1\\n- x: y")', [1, {"x": "y"}]),
    ('yaml.unmarshal("1: a")', {"1": "a"}),
    ('yaml.is_valid("a: [")', False),
    ('yaml.is_valid("a: 1")', True),
    ("yaml.is_valid(input.n)", False),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('base64.decode("w6k")', "eval_builtin_error"),
    ('base64.decode("a")', "eval_builtin_error"),
    ('base64.decode("_w==")', "eval_builtin_error"),
    ('yaml.unmarshal("null: 2")', "eval_builtin_error"),
    ('base64url.decode("+/")', "eval_builtin_error"),
    ('hex.decode("abc")', "eval_builtin_error"),
    ('hex.decode("zz")', "eval_builtin_error"),
    ('urlquery.decode("%zz")', "eval_builtin_error"),
    ('urlquery.decode_object("%")', "eval_builtin_error"),
    ('urlquery.decode_object("a=1;b=2")', "eval_builtin_error"),
    ('json.unmarshal("[1,")', "eval_builtin_error"),
    ('json.unmarshal("NaN")', "eval_builtin_error"),
    ('json.unmarshal("")', "eval_builtin_error"),
    ('yaml.unmarshal("a: b: c")', "eval_builtin_error"),
    ("base64.encode(input.n)", "eval_type_error"),
    ("json.unmarshal(input.n)", "eval_type_error"),
    ("hex.decode(input.null)", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_encoding_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_encoding_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
