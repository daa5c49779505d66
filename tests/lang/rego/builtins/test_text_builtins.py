"""Built-ins: strings: case, trimming, searching, splitting. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('upper("straße")', "STRAßE"),
    ('upper("ǆ")', "Ǆ"),
    ('lower("İSTANBUL")', "istanbul"),
    ('lower("ΑΣ")', "ασ"),
    ('concat(",",[])', ""),
    ('concat("",{"b","a"})', "ab"),
    ('contains("abc","")', True),
    ('startswith("é","é")', True),
    ('endswith("",  "a")', False),
    ('indexof("日本語","語")', 2),
    ('indexof("abc","z")', -1),
    ('indexof_n("aaaa","aa")', [0, 1, 2]),
    ('indexof_n("日a本a","a")', [1, 3]),
    ('substring("日本語",1,1)', "本"),
    ('substring("abc",1,-1)', "bc"),
    ('substring("abc",5,1)', ""),
    ('substring("abc",1,99)', "bc"),
    ('replace("aaa","a","b")', "bbb"),
    ('replace("abc","x","y")', "abc"),
    ('split("a,b,,c",",")', ["a", "b", "", "c"]),
    ('split("","")', []),
    ('split("日本","")', ["日", "本"]),
    ('split("abc","abc")', ["", ""]),
    ('strings.split_n("a,b,c",",",2)', ["a", "b"]),
    ('strings.split_n("a,b,c",",",-1)', ["c"]),
    ('strings.split_n("a,b,c",",",0)', []),
    ('strings.split_n("abc","",9)', ["a", "b", "c"]),
    ('trim("--a-b--","-")', "a-b"),
    ('trim("abc","")', "abc"),
    ('trim_left("aabc","ab")', "c"),
    ('trim_right("abcc","bc")', "a"),
    ('trim_prefix("aab","a")', "ab"),
    ('trim_suffix("baa","a")', "ba"),
    ('trim_suffix("a","aa")', "a"),
    ('trim_space(" \\t\\u00a0a b\\n")', "a b"),
    ('strings.reverse("a😀é")', "é😀a"),
    ('strings.count("aaaa","aa")', 2),
    ('strings.count("abc","")', 4),
    ('strings.replace_n({"<":"&lt;",">":"&gt;"},"<a>")', "&lt;a&gt;"),
    ('strings.replace_n({},"abc")', "abc"),
    ('strings.any_prefix_match(["abc","x"],["ab"])', True),
    ('strings.any_suffix_match("abc",{"bc","z"})', True),
    ('strings.any_prefix_match([],["a"])', False),
    ("format_int(255,16)", "ff"),
    ("format_int(-255,2)", "-11111111"),
    ("format_int(10,8)", "12"),
    ("format_int(1.9,10)", "1"),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('concat(",",input.list)', "eval_type_error"),
    ('indexof("abc","")', "eval_builtin_error"),
    ('substring("abc",-1,1)', "eval_builtin_error"),
    ("format_int(10,3)", "eval_type_error"),
    ("trim(input.s,input.n)", "eval_type_error"),
    ("upper(input.n)", "eval_type_error"),
    ("split(input.s,input.null)", "eval_type_error"),
    ("strings.reverse(input.yes)", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_text_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_text_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
