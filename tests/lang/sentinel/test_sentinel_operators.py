"""What expressions of Sentinel are worth, row by row of the reference."""

import math

import pytest

from solon.lang.sentinel import Result, Source, Undefined, compile

U = "undefined"
ERROR = "error"


def evaluate(text: str) -> Result:
    return compile(Source(text, "x.sentinel")).evaluate()


def value(expression: str) -> object:
    """The value of an expression; ``U`` and ``ERROR`` stand for what has none."""
    result = evaluate(f"u = undefined\nn = null\nmain = [{expression}]\n")
    if result.failure is not None:
        return ERROR
    return U if isinstance(result.main[0], Undefined) else result.main[0]


def same(found: object, expected: object) -> bool:
    if type(found) is not type(expected):
        return False
    if isinstance(found, float) and math.isnan(found):
        return math.isnan(expected)  # type: ignore[arg-type]
    return found == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # or
        ("true or 1/0 is 1", True),
        ("true or u", True),
        ("u or true", True),
        ("u or false", U),
        ("u or u", U),
        ("false or u", U),
        ("false or true", True),
        ("false or false", False),
        # and
        ("false and 1/0 is 1", False),
        ("false and u", False),
        ("true and u", U),
        ("u and true", U),
        ("u and false", U),
        ("u and u", U),
        ("true and true", True),
        # xor
        ("true xor false", True),
        ("true xor true", False),
        ("u xor true", U),
        ("u xor false", U),
        ("true xor u", U),
        # not, and other operators
        ("not true", False),
        ("!false", True),
        ("not u", U),
        ("-u", U),
        ("+u", U),
        ("u + 1", U),
        ("1 + u", U),
        ("u is u", U),
        ("u is not u", U),
        ("u is null", U),
        ("u < 1", U),
        ("u contains 1", U),
        ("[1] contains u", U),
        ("u in [1]", U),
        ('u matches "a"', U),
        ('"a" matches u', U),
        ("u is empty", U),
        ("u is not empty", U),
        ("u is defined", False),
        ("u is not defined", True),
        ("1 is defined", True),
        ("null is defined", True),
        # else
        ("u else 1", 1),
        ("null else 1", None),
        ("u else u", U),
        ("u else u else 3", 3),
        ("false else true", False),
        ("{}.a.b.c else 5", 5),
        ('(length(u) else u) else "a"', "a"),
        ('(string(u) else {1: 2}[1] else "a") is 2', True),
        ('(string(u) else {1: 2}[1] else "a") + 1', 3),
        ('(length(u) else {1: "x"}[1] else 5) is "x"', True),
        ('(length(u) else {1: "x"}[1] else 5) < 7', U),
        # a left operand that is undefined: the right one is not evaluated
        ("u + 1/0", U),
        ("u is 1/0", U),
        ("u < 1/0", U),
        ("u in 1/0", U),
        ("{}.a - Team else 1", 1),
        ("u[1/0]", U),
        ("u[1/0:2]", U),
        ("u(1/0)", U),
        # a name that nothing declares is an error, which `else` does not rescue
        ("Team else 1", ERROR),
        ("1 - Team else 1", ERROR),
        # operands of logic are booleans
        ("1 and true", ERROR),
        ("true and 1", ERROR),
        ("true or 1", True),
        ("false or 1", ERROR),
        ("null or true", ERROR),
        ("true xor 1", ERROR),
        ("not 1", ERROR),
        ('"" and true', ERROR),
    ],
)
def test_logic_has_three_values(expression: str, expected: object) -> None:
    assert same(value(expression), expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("all [] as x { x }", True),
        ("any [] as x { x }", False),
        ("filter [] as x { x }", []),
        ("map [] as x { x }", []),
        ("all {} as k, v { v }", True),
        ("filter {} as k, v { v }", {}),
        ("map {} as k, v { v }", []),
        ("all [true, true] as x { x }", True),
        ("all [u, false] as x { x }", U),
        ("all [false, u] as x { x }", False),
        ("all [true, u] as x { x }", U),
        ("all [false, 1] as x { x }", False),
        ("any [u, true] as x { x }", True),
        ("any [true, u] as x { x }", True),
        ("any [u, false] as x { x }", U),
        ("any [false, false] as x { x }", False),
        ("filter [true, u] as x { x }", U),
        ("filter [1, 2, 3] as x { x > 1 }", [2, 3]),
        ("filter [1, 2, 3] as i, x { i > 0 }", [2, 3]),
        ('filter {"a": 1, "b": 2} as k { k is "a" }', {"a": 1}),
        ('filter {"a": 1, "b": 2} as k, v { v > 1 }', {"b": 2}),
        ("filter {true: 1, false: 2} as k { k } is {true: 1}", True),
        ("map [1, 2] as x { x * 2 }", [2, 4]),
        ("map [5, 6] as i, x { i }", [0, 1]),
        ('map {"a": 1} as k { k }', ["a"]),
        ('map {"a": 1} as k, v { v }', [1]),
        ("map {true: 1} as k, v { k }", [True]),
        ("map {false: 1} as k { k }", [False]),
        ("all u as x { x }", U),
        ("any u as x { x }", U),
        ("filter u as x { x }", U),
        ("map u as x { x }", U),
        ("all [1] as x { x }", ERROR),
        ("any [1] as x { x }", ERROR),
        ("filter [1] as x { x }", ERROR),
        ("all null as x { true }", ERROR),
        ('all "abc" as x { true }', ERROR),
        ("all 1 as x { true }", ERROR),
        ("all [[1], []] as x { all x as y { y is 1 } }", True),
        ("all [1, 2] as _, _ { true }", True),
    ],
)
def test_quantifiers(expression: str, expected: object) -> None:
    assert same(value(expression), expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # equality
        ("1 is 1", True),
        ("1 is 1.0", True),
        ("1 == 2", False),
        ("1 != 2", True),
        ('"a" is "a"', True),
        ('"a" is 1', False),
        ('"a" is not 1', True),
        ("{} is true", False),
        ("true is 1", False),
        ("1 is true", False),
        ("true is true", True),
        ("n is null", True),
        ("n is not null", False),
        ("1 is null", False),
        ("1 is not null", True),
        ("false is null", False),
        ('[1, "a", [2]] is [1, "a", [2]]', True),
        ("[1] is [2]", False),
        ("[1] is [1, 2]", False),
        ("[true] is [1]", False),
        ('{"a": {"b": 1}} is {"a": {"b": 1}}', True),
        ('{"a": 1} is {"b": 1}', False),
        ('{1: "a"} is {1.0: "a"}', True),
        ('{1: "a"} is {true: "a"}', False),
        # order
        ("1 < 2", True),
        ("2.5 >= 2", True),
        ('"a" < "b"', True),
        ('"b" <= "a"', False),
        ('"12.5" < 10', U),
        ("null < 1", U),
        ("true < false", U),
        ("[1] < [2]", U),
        # membership
        ("1 in [1, 2]", True),
        ("3 not in [1, 2]", True),
        ('"a" in ["a"]', True),
        ("true in [1]", False),
        ("[1] in [[1]]", True),
        ("[1, 2] contains 2", True),
        ("[1, 2] not contains 2", False),
        ('{"a": 1} contains "a"', True),
        ('1 in {"a": 1}', False),
        ("{true: 1} contains true", True),
        ("{1: 1} contains true", False),
        ('"abc" contains "bc"', True),
        ('"b" in "abc"', True),
        ('1 in "abc"', ERROR),
        ("1 in null", ERROR),
        ("1 in 2", ERROR),
        ("null contains 1", ERROR),
        # regular expressions
        ('"abc" matches "b"', True),
        ('"abc" matches "^b"', False),
        ('"abc" not matches "^b"', True),
        ('"a1" matches `^[a-z]\\d$`', True),
        ('1 matches "a"', ERROR),
        ('"a" matches null', ERROR),
        ('"a" matches "(?=a)"', ERROR),
        ('"日本" matches "^..$"', True),
        # emptiness
        ("[] is empty", True),
        ("{} is empty", True),
        ('"" is empty', True),
        ("[1] is empty", False),
        ('"a" is not empty', True),
        ("null is empty", ERROR),
        ("1 is not empty", ERROR),
        # indexes and selectors
        ("[1, 2][0]", 1),
        ("[1, 2][-1]", 2),
        ("[1, 2][2]", U),
        ("[1, 2][-3]", U),
        ('{"a": 1}.a', 1),
        ('{"a": 1}["a"]', 1),
        ('{"a": 1}.b', U),
        ("{1: 2}[1.0]", 2),
        ("{true: 2}[true]", 2),
        ("{1: 2}[true]", U),
        ("n.a", U),
        ('n["a"]', U),
        ("n[0]", U),
        ("n.a.b.c", U),
        ("[1].a", ERROR),
        ('[1]["a"]', ERROR),
        ("[1][0.0]", ERROR),
        ("1 .a", ERROR),
        ('"a".b', ERROR),
        ('"abc"[0]', ERROR),
        ("true[0]", ERROR),
        ("{}[[]]", ERROR),
        ('{"a": n}.a.b', U),
        # slices
        ("[1, 2, 3][1:]", [2, 3]),
        ("[1, 2, 3][:2]", [1, 2]),
        ("[1, 2, 3][:]", [1, 2, 3]),
        ("[1, 2, 3][1:1]", []),
        ("[1, 2, 3][2:5]", U),
        ('"abc"[1:2]', "b"),
        ('"日本"[0:3]', "日"),
        ("n[1:2]", U),
        ("1[0:1]", ERROR),
        # arithmetic
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("1 / 0", ERROR),
        ("1 % 0", ERROR),
        ("7.0 / 2", 3.5),
        ("1 + 2.5", 3.5),
        ("2 * 2.5", 5.0),
        ("5.5 % 2", 1.5),
        ("1 - 2", -1),
        ('"a" + "b"', "ab"),
        ("[1] + [2]", [1, 2]),
        ('"a" + 1', ERROR),
        ("1 + null", ERROR),
        ("[1] + 1", ERROR),
        ("{} + {}", ERROR),
        ("true + true", ERROR),
        ('"a" * 2', ERROR),
        ('-"a"', ERROR),
        ("9223372036854775807 + 1", -9223372036854775808),
        ("-9223372036854775808 - 1", 9223372036854775807),
        ("9223372036854775807 * 2", -2),
        ("-9223372036854775808 / -1", -9223372036854775808),
        ("-9223372036854775808", -9223372036854775808),
        ("-(-5)", 5),
        ("1 + 2 * 3 - 4 / 2", 5),
    ],
)
def test_operators(expression: str, expected: object) -> None:
    assert same(value(expression), expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('length("abc")', 3),
        ('length("日本語")', 9),
        ("length([1, 2])", 2),
        ('length({"a": 1})', 1),
        ("length(u)", U),
        ("length(null)", ERROR),
        ("length(1)", ERROR),
        ("length()", ERROR),
        ("length([], [])", ERROR),
        ('keys({"b": 1, "a": 2})', ["b", "a"]),
        ("keys({true: 1})", [True]),
        ('values({"b": 1, "a": 2})', [1, 2]),
        ("keys(u)", U),
        ("values(u)", U),
        ("keys([1])", ERROR),
        ("values(null)", ERROR),
        ("range(3)", [0, 1, 2]),
        ("range(1, 3)", [1, 2]),
        ("range(0, 10, 5)", [0, 5]),
        ("range(3, 0, -1)", [3, 2, 1]),
        ("range(5, 1)", []),
        ("range(0)", []),
        ("range(1, 5, 0)", ERROR),
        ("range(1.5)", ERROR),
        ("compare(1, 2)", -1),
        ("compare(2.0, 2)", 0),
        ('compare("b", "a")', 1),
        ('compare("b", 1)', ERROR),
        ("int(1.9)", 1),
        ("int(-1.5)", -2),
        ('int("42")', 42),
        ('int("-42")', -42),
        ('int("010")', 8),
        ('int("0x1F")', 31),
        ('int("1.5")', U),
        ('int("abc")', U),
        ('int("")', U),
        ("int(true)", 1),
        ("int(false)", 0),
        ("int(null)", U),
        ("int([])", U),
        ("int(u)", U),
        ("float(1)", 1.0),
        ('float("1.5")', 1.5),
        ('float("a")', U),
        ("float(null)", U),
        ("string(1)", "1"),
        ("string(1.5)", "1.500000"),
        ("string(true)", "true"),
        ('string("a")', "a"),
        ("string(null)", U),
        ("string([])", U),
        ("string({})", U),
        ("string(u)", U),
        ('bool("t")', True),
        ('bool("TRUE")', True),
        ('bool("1")', True),
        ('bool("F")', False),
        ('bool("yes")', U),
        ("bool(2)", True),
        ("bool(0.0)", False),
        ("bool(null)", U),
        ("print(1)", True),
        ('error("stop")', ERROR),
    ],
)
def test_built_in_functions(expression: str, expected: object) -> None:
    assert same(value(expression), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = [1]\nappend(x, 2)\nmain = x", [1, 2]),
        ("x = [1]\nappend(x, undefined)\nmain = length(x)", 2),
        ('x = {"a": 1, "b": 2}\ndelete(x, "a")\nmain = x', {"b": 2}),
        ('x = {"a": 1}\ndelete(x, "z")\nmain = x', {"a": 1}),
        ("x = [1]\ny = x\nappend(y, 2)\nmain = x", [1, 2]),
        ("x = [1]\ny = x\ny += [2]\nmain = x", [1, 2]),
        ("x = [1]\ny = x\ny = y + [2]\nmain = x", [1]),
        ("x = [1, 2]\nx[0] = 5\nx[-1] += 5\nmain = x", [5, 7]),
        ('x = {}\nx["a"] = {}\nx["a"]["b"] = 1\nmain = x', {"a": {"b": 1}}),
        ("x = {}\nx[true] = 1\nmain = x is {true: 1}", True),
        ("x = 7\nx -= 2\nx *= 3\nx /= 2\nx %= 4\nmain = x", 3),
        ('x = "a"\nx += "b"\nmain = x', "ab"),
        ("append(1, 2)\nmain = true", ERROR),
        ("append(undefined, 2)\nmain = true", ERROR),
        ("delete([], 2)\nmain = true", ERROR),
        ("x = [1]\nx[1] = 2\nmain = true", ERROR),
        ("x = 1\nx[1] = 2\nmain = true", ERROR),
        ("x = null\nx[1] = 2\nmain = true", ERROR),
        ("x += 1\nmain = true", ERROR),
    ],
)
def test_collections_are_changed_in_place(text: str, expected: object) -> None:
    result = evaluate(text)
    assert same(ERROR if result.failure else result.main, expected)


def test_print_shows_values() -> None:
    result = evaluate(
        'print("a", 1, 1.5, true, null, undefined)\n'
        'print(["a", 1], {"b": [], "a": "x"}, {true: 1, 2: 3})\n'
        "print()\nmain = true"
    )
    assert result.output == (
        "a 1 1.5 true null undefined",
        '["a" 1] {"a": "x", "b": []} {2: 3, true: 1}',
        "",
    )


@pytest.mark.parametrize(
    ("main", "outcome"),
    [
        ("true", "pass"),
        ("false", "fail"),
        ('""', "pass"),
        ('"a"', "fail"),
        ("0", "pass"),
        ("1", "fail"),
        ("0.0", "pass"),
        ("0.5", "fail"),
        ("[]", "pass"),
        ("[1]", "fail"),
        ("{}", "pass"),
        ('{"a": 1}', "fail"),
        ("undefined", "undefined"),
        ("null", "error"),
        ("func() { return 1 }", "error"),
        ("rule { true }", "pass"),
        ("rule { [] }", "pass"),
        ("rule { undefined }", "undefined"),
        ("rule { null }", "error"),
        ("rule { func() { return 1 } }", "error"),
    ],
)
def test_what_main_may_be(main: str, outcome: str) -> None:
    assert evaluate(f"main = {main}").outcome == outcome


def test_a_policy_without_main_is_an_error() -> None:
    result = evaluate("x = 1")
    assert (result.outcome, result.reason) == ("error", "x.sentinel:1:1: the policy has no main")
