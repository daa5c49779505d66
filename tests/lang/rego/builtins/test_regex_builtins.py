"""Built-ins: regex.* and glob.*. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('regex.match("^a.c$","abc")', True),
    ('regex.match("\\\\p{L}+","é")', True),
    ('regex.match("(?i)ABC","abc")', True),
    ('regex.is_valid("[")', False),
    ("regex.is_valid(input.n)", False),
    ('regex.split(",+","a,,b,")', ["a", "b", ""]),
    ('regex.split("","abc")', ["a", "b", "c"]),
    ('regex.split("$","ab")', ["ab"]),
    ('regex.split("a*","baac")', ["b", "c"]),
    ('regex.split("x","")', [""]),
    ('regex.find_n("a.","abacad",2)', ["ab", "ac"]),
    ('regex.find_n("a.","abacad",-1)', ["ab", "ac", "ad"]),
    ('regex.find_n("a","abc",0)', []),
    ('regex.find_n("","ab",-1)', ["", "", ""]),
    ('regex.find_all_string_submatch_n("(a)(x)?","aax",-1)', [["a", "a", ""], ["ax", "a", "x"]]),
    ('regex.find_all_string_submatch_n("(\\\\w+)@(\\\\w+)","a@b c@d",1)', [["a@b", "a", "b"]]),
    ('regex.replace("foo bar","(\\\\w+) (\\\\w+)","$2 $1")', "bar foo"),
    ('regex.replace("abc","b","$$")', "a$c"),
    ('regex.replace("abc","(?P<x>b)","[${x}]")', "a[b]c"),
    ('regex.replace("abc","b","$1x")', "ac"),
    ('regex.replace("aaa","a*","x")', "x"),
    ('regex.template_match("urn:foo:{.*}","urn:foo:bar","{","}")', True),
    ('regex.template_match("urn:<[a-z]+>:x","urn:abc:x","<",">")', True),
    ('regex.globs_match("a.*","ab.*")', True),
    ('regex.globs_match("a[0-9]+","ab")', False),
    ('glob.match("*.github.com",[],"api.github.com")', True),
    ('glob.match("*",[],"a.b")', False),
    ('glob.match("*",null,"a.b")', True),
    ('glob.match("**",["."],"a.b.c")', True),
    ('glob.match("a:*:c",[":"],"a:b:c")', True),
    ('glob.match("{a,b}.c",["."],"b.c")', True),
    ('glob.match("[a-c]?",[],"bz")', True),
    ('glob.match("[-a]",[],"-")', True),
    ('glob.match("[ab-]",[],"-")', True),
    ('glob.match("[!a]",[],"a")', False),
    ('glob.match("\\\\*",[],"*")', True),
    ('glob.match("",[],"")', True),
    ('glob.match("*.*",["/"],"a/b.c")', False),
    ('glob.quote_meta("*.a[b]?{c}\\\\")', "\\*.a\\[b\\]\\?\\{c\\}\\\\"),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('regex.match("(","a")', "eval_builtin_error"),
    ('regex.match("a(?=b)","ab")', "eval_builtin_error"),
    ('regex.replace("abc","[","x")', "eval_builtin_error"),
    ('regex.template_match("a{b","ab","{","}")', "eval_builtin_error"),
    ('regex.template_match("a","a","é","}")', "eval_builtin_error"),
    ('regex.globs_match("*","a")', "eval_builtin_error"),
    ('regex.globs_match("[a-]","a")', "eval_builtin_error"),
    ('regex.globs_match("[--a]","a")', "eval_builtin_error"),
    ('regex.globs_match("[b-a]","a")', "eval_builtin_error"),
    ('regex.globs_match("[ab-d-f]","a")', "eval_builtin_error"),
    ('glob.match("[a-]",[],"a")', "eval_builtin_error"),
    ('glob.match("[!a-]",[],"b")', "eval_builtin_error"),
    ('glob.match("[a-bc]",[],"c")', "eval_builtin_error"),
    ('glob.match("[a",[],"a")', "eval_builtin_error"),
    ('regex.match(input.n,"a")', "eval_type_error"),
    ('glob.match(input.s,input.s,"a")', "eval_type_error"),
    ('regex.replace(input.s,input.n,"a")', "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_regex_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_regex_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
