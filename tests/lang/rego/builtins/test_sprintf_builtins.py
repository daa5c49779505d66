"""Built-ins: sprintf: verbs, flags, widths, indexes and mistakes. Expected values are what OPA gives."""

import pytest

from solon.lang.rego import UNDEFINED, RegoError

# call -> value
VALUES = [
    ('sprintf("%d",[42])', "42"),
    ('sprintf("%5d|",[42])', "   42|"),
    ('sprintf("%-5d|",[42])', "42   |"),
    ('sprintf("%05d",[-42])', "-0042"),
    ('sprintf("%+d",[42])', "+42"),
    ('sprintf("% d",[42])', " 42"),
    ('sprintf("%x",[255])', "ff"),
    ('sprintf("%#X",[255])', "0XFF"),
    ('sprintf("%08b",[5])', "00000101"),
    ('sprintf("%o",[8])', "10"),
    ('sprintf("%#o",[8])', "010"),
    ('sprintf("%O",[8])', "0o10"),
    ('sprintf("%c",[128512])', "😀"),
    ('sprintf("%q",[65])', "'A'"),
    ('sprintf("%U",[128512])', "U+1F600"),
    ('sprintf("%#U",[128512])', "U+1F600 '😀'"),
    ('sprintf("%.3d",[5])', "005"),
    ('sprintf("%8.3d|",[-7])', "    -007|"),
    ('sprintf("%d",[123456789012345678901234567890])', "123456789012345678901234567890"),
    ('sprintf("%x",[123456789012345678901234567890])', "18ee90ff6c373e0ee4e3f0ad2"),
    ('sprintf("%c",[123456789012345678901234567890])', "%!c(big.Int=123456789012345678901234567890)"),
    ('sprintf("%d",[3.0])', "%!d(float64=3)"),
    ('sprintf("%d",[2.5])', "%!d(float64=2.5)"),
    ('sprintf("%v",[3.0])', "3"),
    ('sprintf("%v",[1e21])', "1e+21"),
    ('sprintf("%v",[0.000001])', "1e-06"),
    ('sprintf("%f",[2.5])', "2.500000"),
    ('sprintf("%.2f",[3.14159])', "3.14"),
    ('sprintf("%8.3f|",[-0.5])', "  -0.500|"),
    ('sprintf("%+.1e",[123456])', "%!e(int64=+123456)"),
    ('sprintf("%g",[1e20])', "1e+20"),
    ('sprintf("%G",[1e-10])', "1E-10"),
    ('sprintf("%.3g",[123456.0])', "1.23e+05"),
    ('sprintf("%#g",[2.5])', "2.50000"),
    ('sprintf("%08.3f",[-0.5])', "-000.500"),
    ('sprintf("%b",[0.5])', "4503599627370496p-53"),
    ('sprintf("%x",[2.5])', "0x1.4p+01"),
    ('sprintf("%s",["é😀"])', "é😀"),
    ('sprintf("%8s|",["é"])', "       é|"),
    ('sprintf("%-8s|",["é"])', "é       |"),
    ('sprintf("%.1s",["éa"])', "é"),
    ('sprintf("%q",["a\\"\\n\\u0000é"])', '"a\\"\\n\\x00é"'),
    ('sprintf("%+q",["é"])', '"\\u00e9"'),
    ('sprintf("%#q",["a"])', "`a`"),
    ('sprintf("%x",["hi"])', "6869"),
    ('sprintf("% X",["hi"])', "68 69"),
    ('sprintf("%#x",["hi"])', "0x6869"),
    ('sprintf("%d",["a"])', "%!d(string=a)"),
    ('sprintf("%s",[42])', "%!s(int64=42)"),
    ('sprintf("%t",[true])', "%!t(string=true)"),
    ('sprintf("%v",[true])', "true"),
    ('sprintf("%v",[null])', "null"),
    ('sprintf("%v",[[1,"a",2.5,{2,1}]])', '[1, "a", 2.5, {1, 2}]'),
    ('sprintf("%v",[{"b":1,"a":[null]}])', '{"a": [null], "b": 1}'),
    ('sprintf("%v",[set()])', "set()"),
    ('sprintf("%#v",["a"])', '"a"'),
    ('sprintf("%.2v",[[1,2]])', "[1"),
    ('sprintf("%T",[1])', "int64"),
    ('sprintf("%T",[1.5])', "float64"),
    ('sprintf("%T",[[1]])', "string"),
    ('sprintf("%z",[1])', "%!z(int64=1)"),
    ('sprintf("%",[1])', "%!(NOVERB)%!(EXTRA int64=1)"),
    ('sprintf("100%%",[1])', "100%%!(EXTRA int64=1)"),
    ('sprintf("%é",[1])', "%!é(int64=1)"),
    ('sprintf("%[1]d %[1]d",[7])', "7 7"),
    ('sprintf("%[2]d",[7])', "%!d(BADINDEX)"),
    ('sprintf("%[x]d",[7])', "%!d(BADINDEX)"),
    ('sprintf("%!",[1])', "%!!(int64=1)"),
    (
        'sprintf("%999d%5!",[1])',
        "                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      1%!!(MISSING)",
    ),
    ('sprintf("%d %d",[1])', "1 %!d(MISSING)"),
    ('sprintf("%d",[1,2])', "1%!(EXTRA int64=2)"),
    ('sprintf("%[2]d %[1]d",[1,2])', "2 1"),
    ('sprintf("%*d|",[5,42])', "   42|"),
    ('sprintf("%-*d|",[5,42])', "42   |"),
    ('sprintf("%*d|",[-5,42])', "42   |"),
    ('sprintf("%.*f",[2,3.14159])', "3.14"),
    ('sprintf("%*d",["a",3])', "%!(BADWIDTH)3"),
    ('sprintf("%*d",[99999999,3])', "%!(BADWIDTH)3"),
    ('sprintf("%[3]*.[2]*[1]f|",[12.0,2,6])', " 12.00|"),
    ('sprintf("",[])', ""),
    ('sprintf("x",[1])', "x%!(EXTRA int64=1)"),
    ('sprintf("%s",[])', "%!s(MISSING)"),
    ('sprintf("%s %v",["a",{"b":"c"}])', 'a {"b": "c"}'),
    ('sprintf("%5t|%-7t|",[true,false])', "%!t(string= true)|%!t(string=false  )|"),
]

# call -> what kind of error it is where errors of built-ins are strict; elsewhere it is undefined
ERRORS = [
    ('sprintf("%d",input.n)', "eval_type_error"),
    ("sprintf(input.n,[])", "eval_type_error"),
]


@pytest.mark.parametrize(("call", "expected"), VALUES, ids=[call for call, _ in VALUES])
def test_sprintf_values(answer, exact, call, expected):
    assert exact(answer(call)) == exact(expected)


@pytest.mark.parametrize(("call", "code"), ERRORS, ids=[call for call, _ in ERRORS])
def test_sprintf_errors(answer, call, code):
    assert answer(call) is UNDEFINED
    with pytest.raises(RegoError) as caught:
        answer(call, strict=True)
    assert caught.value.code == code
