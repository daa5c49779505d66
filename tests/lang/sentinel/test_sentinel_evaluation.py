"""Rules, functions, scopes, statements, imports and errors of Sentinel policies that are evaluated."""

import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from solon.lang.budget import Budget
from solon.lang.sentinel import Failure, Function, Program, Result, SentinelError, Source, Undefined, compile


def program(text: str, file: str = "x.sentinel") -> Program:
    return compile(Source(text, file))


def evaluate(text: str, **given: object) -> Result:
    return program(text).evaluate(**given)  # type: ignore[arg-type]


def main_of(text: str, **given: object) -> object:
    """``main``; for an error, its message with its place."""
    result = evaluate(text, **given)
    return str(result.failure) if result.failure else result.main


# --- rules


def test_rules_are_evaluated_when_they_are_asked_for_and_once() -> None:
    result = evaluate(
        """
        a = rule { print("a") and b }
        b = rule { print("b") }
        c = rule { print("c") }
        print("top")
        main = rule { a and a and b }
        """
    )
    assert result.output == ("top", "a", "b")
    assert {name: rule.value for name, rule in result.rules.items()} == {"a": True, "b": True, "main": True}


def test_a_rule_reads_variables_when_it_is_evaluated() -> None:
    assert main_of("x = 1\nr = rule { x }\nx = 2\nmain = rule { r is 2 }") is True
    assert main_of("x = 1\nr = rule { x }\ny = r\nx = 2\nmain = rule { r is 1 and y is 1 }") is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main = rule when false { 1/0 is 1 }", True),
        ("main = rule when true { false }", False),
        ("main = rule when 1 { true }", "x.sentinel:1:18: the condition of a rule must be a bool, not int"),
        ("r = rule { r }\nmain = r", "x.sentinel:1:12: the rule r depends on itself"),
        ("a = rule { b }\nb = rule { a }\nmain = a", "x.sentinel:2:12: the rule a depends on itself"),
        ("r = rule { 5 }\nmain = r + 1 is 6", True),
        ("f = func() { r = rule { 1 }\n return r }\nmain = f() is 1", True),
        ("f = func(x) { r = rule { x > 1 }\n return r }\nmain = f(2)", True),
        ("x = [rule { 1 }]\nmain = x is [1]", True),
        ("xs = [1]\nr = rule { length(xs) }\nappend(xs, 2)\nmain = r is 2", True),
    ],
)
def test_rules(text: str, expected: object) -> None:
    assert main_of(text) == expected


def test_rules_have_places_and_descriptions() -> None:
    result = evaluate("# It holds.\n# Always.\nr = rule { true }\n\nmain = rule { r }\n")
    rule = result.rules["r"]
    assert (str(rule.span), rule.description) == ("x.sentinel:3:5", "It holds.\nAlways.")
    assert result.rules["main"].description == ""
    assert program("a = rule { true }\nb = 1\nmain = rule { a }").rules == ("a", "main")


def test_rules_that_were_evaluated_are_known_after_an_error() -> None:
    result = evaluate("a = rule { true }\nmain = rule { a and 1/0 is 1 }")
    assert (result.outcome, list(result.rules)) == ("error", ["a"])


# --- scopes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # an assignment goes to the nearest declaration, globals included
        ("x = 1\nf = func() { x = 2\n return x }\nf()\nmain = x", 2),
        ("f = func() { x = 2\n return x }\nf()\nx = 1\nf()\nmain = x", 2),
        ("f = func() { x = 2\n return x }\nf()\nmain = x", "x.sentinel:4:8: unknown identifier accessed: x"),
        ("f = func() { x = 1\n g = func() { x = 2\n return 0 }\n g()\n return x }\nmain = f()", 2),
        ("f = func() { g = func() { x = 2\n return x }\n return g() }\nmain = f()", 2),
        ("f = func(n) { r = n\n if n > 0 { f(n - 1) }\n return r }\nmain = f(3)", 3),
        ("r = 0\nf = func(n) { r = n\n if n > 0 { f(n - 1) }\n return r }\nmain = f(3)", 0),
        # parameters and names of loops hide what is around
        ("x = 1\nf = func(x) { x = 2\n return x }\nf(3)\nmain = x", 1),
        ("x = 1\nfor [5] as x { x = 2 }\nmain = x", 1),
        ("x = 1\ny = all [5] as x { x is 5 }\nmain = x", 1),
        # `if` and `case` have no scope, `for` has
        ("if true { x = 1 }\nmain = x", 1),
        ("case 1 { when 1: x = 1 }\nmain = x", 1),
        ("if false { x = 1 }\nmain = x", "x.sentinel:2:8: unknown identifier accessed: x"),
        ("for [1] as v { x = 1 }\nmain = x", "x.sentinel:2:8: unknown identifier accessed: x"),
        ("x = 0\nfor [1, 2] as v { x = x + v }\nmain = x", 3),
        ("f = func() { for [1, 2] as v { x = v }\n x = 7\n return x }\nmain = f()", 7),
        ("f = func(b) { if b { x = 0 }\n for [1, 2] as v { x = v }\n return x }\nmain = f(true)", 2),
        (
            "f = func(b) { if b { x = 0 }\n for [1, 2] as v { x = v }\n return x }\nmain = f(false)",
            "x.sentinel:3:9: unknown identifier accessed: x",
        ),
        ("x = 0\nfor [1, 2] as v { for [3, 4] as w { x += v * w } }\nmain = x", 21),
        # functions keep what is around them
        ("f = func(x) { return func() { x = x + 1\n return x } }\ng = f(1)\ng()\nmain = g()", 3),
        (
            "l = []\nfor range(3) as i { append(l, func() { return i }) }\nmain = [l[0](), l[1](), l[2]()]",
            [0, 1, 2],
        ),
        ("f = func() { g = func() { return h() }\n h = func() { return 4 }\n return g() }\nmain = f()", 4),
        ("f = func(x) { return all [1, 2] as y { any [x] as z { z + y > 2 } } }\nmain = f(1)", False),
        ("f = func(xs) { return map xs as x { func() { return x } } }\nmain = f([8, 9])[0]()", 8),
        # predeclared names can be hidden
        ("length = 3\nmain = length", 3),
        ("keys = keys({1: 2})\nmain = keys", [1]),
        ("f = func(length) { return length }\nmain = f(5)", 5),
        ("true = false\nmain = true", False),
        ("null = [1]\nmain = null", [1]),
        ("main = nothing", "x.sentinel:1:8: unknown identifier accessed: nothing"),
    ],
)
def test_scopes(text: str, expected: object) -> None:
    assert main_of(text) == expected


# --- statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 0\nif undefined { x = 1 } else { x = 2 }\nmain = x", 2),
        ("x = 0\nif undefined { x = 1 }\nmain = x", 0),
        ("if 1 { x = 1 }\nmain = 0", "x.sentinel:1:4: a condition must be a bool, not int"),
        ("if null { x = 1 }\nmain = 0", "x.sentinel:1:4: a condition must be a bool, not null"),
        (
            "x = 3\nif x is 1 { y = 1 } else if x is 2 { y = 2 } else if x is 3 { y = 3 } else { y = 4 }\nmain = y",
            3,
        ),
        ("x = 9\nif x is 1 { y = 1 } else if x is 2 { y = 2 } else { y = 4 }\nmain = y", 4),
        ("case 3 { when 1, 2: y = 1\n when 3, 4: y = 2\n else: y = 3 }\nmain = y", 2),
        ("case 9 { when 1: y = 1\n else: y = 3 }\nmain = y", 3),
        ("case { when 1 > 2: y = 1\n when 2 > 1: y = 2 }\nmain = y", 2),
        ('case "a" { when 1: y = 1\n when "a": y = 2\n when "a": y = 3 }\nmain = y', 2),
        ("y = 0\ncase 9 { when 1: y = 1 }\nmain = y", 0),
        ("y = 0\ncase undefined { when 1: y = 1\n else: y = 2 }\nmain = y", 2),
        (
            "x = []\nfor [1, 2, 3, 4] as v { if v is 2 { continue }\n if v is 4 { break }\n append(x, v) }\nmain = x",
            [1, 3],
        ),
        (
            "x = []\nfor [1] as v { for [1, 2] as w { if w is 2 { break }\n append(x, w) }\n append(x, 9) }\nmain = x",
            [1, 9],
        ),
        ('x = []\nfor {"a": 1, "b": 2} as k, v { append(x, k)\n append(x, v) }\nmain = x', ["a", 1, "b", 2]),
        ('x = []\nfor {"a": 1, "b": 2} as k { append(x, k) }\nmain = x', ["a", "b"]),
        ('x = []\nfor ["a", "b"] as i, v { append(x, i) }\nmain = x', [0, 1]),
        ("x = []\nfor {true: 1} as k, v { append(x, k) }\nmain = x", [True]),
        ("x = [1]\nfor x as v { append(x, v) }\nmain = x", [1, 1]),
        ("f = func(xs) { for xs as x { if x > 1 { return x } }\n return 0 }\nmain = f([1, 2, 3])", 2),
        ("f = func(x) { case x { when 1: return 1\n else: return 2 } }\nmain = f(1)", 1),
        (
            "for undefined as x { print(x) }\nmain = true",
            "x.sentinel:1:5: the collection of `for` is undefined: undefined is written here at x.sentinel:1:5",
        ),
        (
            "for null as x { }\nmain = 0",
            "x.sentinel:1:5: there are no elements in null: it must be a list or map",
        ),
    ],
)
def test_statements(text: str, expected: object) -> None:
    assert main_of(text) == expected


# --- how functions are called

EVEN_AND_ODD = """
even = func(n) { if n is 0 { return true }
 return odd(n - 1) }
odd = func(n) { if n is 0 { return false }
 return even(n - 1) }
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f = func(n) { if n < 2 { return 1 } else { return n * f(n - 1) } }\nmain = f(10)", 3628800),
        ("func f(x) { return x }\nmain = f(1)", 1),
        ("f = func(l) { append(l, 2)\n return 0 }\nx = [1]\nf(x)\nmain = x", [1, 2]),
        ("f = func(l) { l = [5]\n return 0 }\nx = [1]\nf(x)\nmain = x", [1]),
        ('m = {"f": func(x) { return x + 1 }}\nmain = m.f(1)', 2),
        ('m = {"f": func(x) { return {"y": x} }}\nmain = m["f"](3).y', 3),
        ("f = func() { return undefined }\nmain = f() else 4", 4),
        (f"{EVEN_AND_ODD}main = even(400)", True),
        ("f = func(n) { if n is 0 { return 0 }\n return f(n - 1) }\nmain = f(499)", 0),
        ("main = f(1)\nf = func(x) { return x }", "x.sentinel:1:8: unknown identifier accessed: f"),
        ("f = func(x) { return x }\nmain = f()", "x.sentinel:2:8: f takes 1 argument, not 0"),
        ("f = func(x) { return x }\ng = f\nmain = g(1, 2)", "x.sentinel:3:8: f takes 1 argument, not 2"),
        ("x = 1\nmain = x()", "x.sentinel:2:8: int is no function"),
        ("main = {}.f()  else 2", 2),
        ("f = func(g) { return g(2) }\nmain = f(func(x) { return x * 3 })", 6),
        ("f = length\nmain = f([1])", 1),
        ("p = print\nmain = p(1)", True),
        ("i = int\nmain = i(1.5)", 1),
    ],
)  # fmt: skip
def test_functions(text: str, expected: object) -> None:
    assert main_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "f = func(x) { return f(x) }\nmain = f(1)",
        "f = func(x) { return g(x) }\ng = func(x) { return f(x) }\nmain = f(1)",
        "f = func(x) { h = func(y) { return f(y) }\n return h(x) }\nmain = f(1)",
        'm = {}\nm["f"] = func(x) { return m.f(x) }\nmain = m.f(1)',
        "f = func(g) { return g(g) }\nmain = f(f)",
    ],
)
def test_functions_that_call_themselves_for_ever_are_stopped(text: str) -> None:
    result = evaluate(text)
    assert result.outcome == "error"
    assert result.reason.split(": ", 1)[1].startswith("more than 500 functions")


# --- undefined and errors


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        ('{"a": {}}.a.tags.x', 'no key "tags" at x.sentinel:1:20'),
        ("[1][4]", "no index 4 in a list of 1 at x.sentinel:1:11"),
        ("[1, 2][1:9]", "the slice [1:9] is out of the range of 2 elements at x.sentinel:1:14"),
        ("null.a", 'no key "a", as what it is looked for in is null at x.sentinel:1:13'),
        ('null["a" + "b"]', 'no key "ab", as what it is looked for in is null at x.sentinel:1:12'),
        ('"12.5" < 10', "string and int have no order at x.sentinel:1:8"),
        ('int("x")', 'the string "x" is not convertible to an int at x.sentinel:1:8'),
        ("undefined", "undefined is written here at x.sentinel:1:8"),
        ("all {}.tags as t { true }", 'no key "tags" at x.sentinel:1:15'),
        ('rule { {}.a is "x" and true }', 'no key "a" at x.sentinel:1:18'),
        ("not {}.a", 'no key "a" at x.sentinel:1:15'),
        ("{}.a + 1", 'no key "a" at x.sentinel:1:11'),
        ('1 + length({}["k"])', 'no key "k" at x.sentinel:1:21'),
    ],
)
def test_what_is_undefined_says_where_it_comes_from(main: str, reason: str) -> None:
    result = evaluate(f"main = {main}")
    assert (result.outcome, result.reason) == ("undefined", f"main is undefined: {reason}")


def test_an_error_says_where_it_happened_and_through_which_calls() -> None:
    result = evaluate(
        "inner = func(x) {\n\treturn x / 0\n}\nouter = func(x) {\n\treturn inner(x) + 1\n}\n"
        "check = rule { outer(1) > 2 }\nmain = rule { check }\n"
    )
    assert str(result.failure) == "x.sentinel:2:9: division by zero"
    assert [(call.function, str(call.span)) for call in result.calls] == [
        ("inner", "x.sentinel:5:9"),
        ("outer", "x.sentinel:7:16"),
        ("rule check", "x.sentinel:8:15"),
    ]


def test_what_was_printed_before_an_error_is_kept() -> None:
    result = evaluate('print("a")\nerror("stop", 1)\nprint("b")\nmain = true')
    assert (result.outcome, result.output, result.reason) == ("error", ("a",), "x.sentinel:2:1: stop 1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a hyphen in a name is a subtraction: of undefined, whatever the right operand is
        ('main = rc.tags.ML-Team else ""', ""),
        ('main = rc.tags.Model-Type else ""', "x.sentinel:3:22: unknown identifier accessed: Type"),
        ('main = rc.tags["Model-Type"] else ""', "training"),
        ('main = filter [rc] as r { r.tags.ML-Team else "none" != "none" }', []),
        # costs are strings
        ("main = (rc.cost else 0 < 10000) is defined", False),
        ("main = rc.nothing else 0 < 10000", True),
        ("main = float(rc.cost) < 10000", True),
        # what is not known is not there
        ('main = (rc.type in ["t3.micro"]) is defined', False),
        ('main = rc.null_tags["Owner"] else "" != ""', False),
    ],
)
def test_what_surprises_people(text: str, expected: object) -> None:
    rc = '{"tags": {"Model": 1, "Model-Type": "training"}, "cost": "123.45", "null_tags": null}'
    assert main_of(f"rc = {rc}\n\n{text}") == expected


# --- imports and what else is given to a policy


class Greeter:
    """An import of the tests."""

    type_name = "greeter"

    def get(self, name: str, default: object) -> object:
        if name == "hello":
            return Function("hello", lambda who: f"hello {who}", 1, 1)
        if name == "fail":
            return Function("fail", fail, 0, 0)
        return default


def fail() -> object:
    raise Failure("no luck")


def test_imports_are_opened_once_with_their_configuration() -> None:
    calls = []

    def opening(_surroundings: object, config: object) -> Greeter:
        calls.append(config)
        return Greeter()

    text = 'import "greeter" as one\nimport "greeter" as two\nmain = one.hello("x") + two.hello("y") is "hello xhello y"'
    assert main_of(text, imports={"greeter": opening}, configs={"greeter": {"a": 1}}) is True
    assert calls == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main = g.nothing else 1", 1),
        ("main = g.nothing() else 2", 2),
        ('main = "g".nothing else 1', "x.sentinel:2:8: string has no keys: .nothing is asked for"),
        ("main = g", "x.sentinel:2:8: an import is not a value: greeter"),
        ("main = g.fail()", "x.sentinel:2:8: no luck"),
        ("main = g.hello()", "x.sentinel:2:8: hello takes 1 argument, not 0"),
        ('f = func(g) { return g }\nmain = f("v")', "v"),
        ("f = func() { g = 5\n return g }\nmain = f()", 5),
    ],
)
def test_imports(text: str, expected: object) -> None:
    given = {"greeter": lambda _surroundings, _config: Greeter()}
    assert main_of(f'import "greeter" as g\n{text}', imports=given) == expected


def test_an_import_that_is_not_there_is_an_error() -> None:
    assert main_of('import "foo"\nmain = true') == 'x.sentinel:1:1: there is no import "foo"'
    with pytest.raises(SentinelError, match='there is no import "foo"'):
        compile(Source('import "foo"\nmain = true', "x.sentinel"), imports=["strings"])


def test_static_data_is_a_value_and_is_gone_into() -> None:
    data = {"people": {"names": ["a", "b"], "deep": {"x": 1}}}
    assert main_of('import "people"\nmain = people.names[0]', imports=data) == "a"
    assert main_of('import "people"\nmain = length(people)', imports=data) == 2
    assert main_of('import "people/names" as names\nmain = names contains "b"', imports=data) is True
    assert main_of('import "people/deep/x" as x\nmain = x', imports=data) == 1
    assert main_of('import "people/none" as x\nmain = x', imports=data) == (
        'x.sentinel:1:1: there is no import "people/none"'
    )


MODULE = """
import "strings"
count = 0
names = ["a", "b"]
next = func() { count += 1
 return count }
all_names = func() { return names }
ready = rule { count > 0 }
missing = func() { return names[9] }
boom = func() { return nothing }
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main = m.names", ["a", "b"]),
        ("main = m.nothing else 1", 1),
        ("m.next()\nn.next()\nmain = m.count", 2),
        ("m.next()\nmain = m.ready", True),
        ("main = m.missing() else 3", 3),
        ('x = m.names\nappend(x, "c")\nmain = m.names', ["a", "b"]),
        ('x = m.all_names()\nappend(x, "c")\nmain = m.all_names()', ["a", "b"]),
        ("main = m.boom()", "m.sentinel:10:24: unknown identifier accessed: boom".replace("boom", "nothing")),
    ],
)
def test_modules_have_one_state_and_hand_out_copies(text: str, expected: object) -> None:
    given = {"m": program(MODULE, "m.sentinel"), "strings": {}}
    assert main_of(f'import "m"\nimport "m" as n\n{text}', imports=given) == expected


KEEPING = """
make = func() {
    l = [1]
    return {"l": func() { return l }, "add": func() { append(l, 2)
        return 0 }}
}
o = make()
get = func() { return o.l() }
add = func() { return o.add() }
"""


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        ("l = []\nadd = func(x) { append(l, x)\n return l }", "x = m.add(1)\nm.add(2)\nmain = x", [1]),
        (
            "l = []\nadd = func(x) { append(l, x)\n return {1: l} }",
            "x = m.add(1)\nm.add(2)\nmain = x[1]",
            [1],
        ),
        ("l = [1]\nadd = func(x) { l += [x]\n return 0 }", "x = m.l\nm.add(2)\nmain = x", [1]),
        ("f = func() { l = [1]\n append(l, 2)\n return l }", "main = m.f()", [1, 2]),
        ("f = func() { l = [1]\n append(l, 2)\n return l }", "x = m.f()\nappend(x, 3)\nmain = m.f()", [1, 2]),
        (
            KEEPING,
            "x = m.get()\nm.add()\nmain = x",
            [1],
        ),
        ("xs = {`a`: [1]}\nget = func() { return xs }", "x = m.get()\nx[`a`][0] = 5\nmain = m.get().a", [1]),
    ],
)
def test_what_a_module_hands_out_is_a_copy(module: str, text: str, expected: object) -> None:
    assert main_of(f'import "m"\n{text}', imports={"m": program(module, "m.sentinel")}) == expected


def test_modules_share_a_module() -> None:
    given = {
        "a": program('import "c"\nf = func() { return c.next() }', "a.sentinel"),
        "b": program('import "c"\nf = func() { return c.next() }', "b.sentinel"),
        "c": program(MODULE, "c.sentinel"),
        "strings": {},
    }
    assert main_of('import "a"\nimport "b"\nmain = [a.f(), b.f(), a.f()]', imports=given) == [1, 2, 3]


def test_modules_that_import_themselves_and_modules_with_params_are_errors() -> None:
    circle = {"a": program('import "b"', "a.sentinel"), "b": program('import "a"', "b.sentinel")}
    assert (
        main_of('import "a"\nmain = true', imports=circle) == 'b.sentinel:1:1: the import "a" imports itself'
    )
    params = {"a": program("param p default 1", "a.sentinel")}
    assert main_of('import "a"\nmain = true', imports=params) == "x.sentinel:1:1: a module has no params: p"


def test_documents_are_not_changed() -> None:
    document = {"resources": {"a": {"tags": ["x"]}}}
    text = """
        import "plan"
        change = func(r) { append(r.tags, "y")
         r["new"] = 1
         return r }
        for plan.resources as _, r { change(r) }
        main = plan.resources.a.tags
        """
    evaluate(text, imports={"plan": document})
    evaluate(
        'import "plan"\nx = plan\nappend(x.resources.a.tags, 1)\nmain = true', imports={"plan": document}
    )
    evaluate('import "plan"\nx = plan\nx["new"] = 1\nmain = true', imports={"plan": document})
    assert document == {"resources": {"a": {"tags": ["x"]}}}


def test_literals_are_new_in_every_evaluation() -> None:
    policy = program(
        'xs = ["a"]\nf = func() { return {"k": []} }\ny = f()\nappend(xs, 1)\nappend(y.k, 2)\nmain = [xs, f()]'
    )
    assert policy.evaluate().main == policy.evaluate().main == [["a", 1], {"k": []}]


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("param p\nmain = p", {"p": 3}, 3),
        ("param p default 4\nmain = p", {"p": 3}, 3),
        ("param p default 4\nmain = p", {}, 4),
        ("param p default -4.5\nmain = p", {}, -4.5),
        ('param p default {"a": [true, 1]}\nmain = p', {}, {"a": [True, 1]}),
        ("param p\nmain = p", {}, "x.sentinel:1:1: the param p is given no value, and has no default"),
        ("param p\nmain = p", {"p": False, "q": 1}, False),
        ("param p\nf = func() { return p }\nmain = f()", {"p": "x"}, "x"),
    ],
)
def test_params(text: str, given: dict[str, object], expected: object) -> None:
    assert main_of(text, params=given) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main = time", 5),
        ("f = func() { return time }\nmain = f()", 5),
        ("time = 6\nmain = time", 6),
        ("main = other", "x.sentinel:1:8: unknown identifier accessed: other"),
    ],
)
def test_globals_are_given_from_outside(text: str, expected: object) -> None:
    assert main_of(text, globals={"time": 5, "unused": 1}) == expected


def test_params_and_globals_are_not_changed() -> None:
    given = {"xs": [1], "ys": [1]}
    text = "param xs\nappend(xs, 2)\nappend(ys, 2)\nmain = [xs, ys]"
    assert main_of(text, params=given, globals=given) == [[1, 2], [1, 2]]
    assert given == {"xs": [1], "ys": [1]}


# --- limits


@pytest.mark.parametrize(
    "text",
    [
        "for range(1000000) as i { for range(1000000) as j { } }",
        "f = func(n) { return all range(100) as x { f(n) } }\nf(1)",
        's = "a"\nfor range(100) as i { s = s + s }',
        's = "a"\nfor range(100) as i { s += s }',
        "l = [1]\nfor range(100) as i { l = l + l }",
        "l = [1]\nfor range(100) as i { l += l }",
        "x = range(1000000000000)",
        "x = map range(100000) as i { range(100000) }",
        "l = [1]\nfor range(60) as i { l = [l, l] }\nprint(l)",
        "l = [1]\nfor range(60) as i { l = [l, l] }\nx = l is l",
    ],
)
def test_what_takes_too_much_is_stopped(text: str) -> None:
    result = evaluate(f"{text}\nmain = true", budget=Budget(seconds=5, steps=300_000, memory=1 << 28))
    assert result.outcome == "error"
    assert "evaluation t" in result.reason or "would take" in result.reason or "more than" in result.reason
    assert result.failure is not None
    assert result.failure.at is not None


def test_functions_that_call_others_twice_are_stopped() -> None:
    calls = "".join(f"f{n} = func() {{ f{n - 1}()\n return f{n - 1}() }}\n" for n in range(1, 60))
    result = evaluate(f"f0 = func() {{ return 1 }}\n{calls}main = f59()", budget=Budget(steps=10_000))
    assert "took more than 10,000 steps" in result.reason


def test_numbers_that_are_too_large_for_a_float_are_an_error() -> None:
    assert main_of("main = big * 1.5", globals={"big": 10**400}) == "x.sentinel:1:8: a number is too large"


def nested(depth: int, text: str) -> Program:
    """Compile from deep inside of other calls."""
    return nested(depth - 1, text) if depth else program(text)


def test_who_calls_may_be_nested_deeply_too() -> None:
    text = "main = " + "all [1] as a { (not (a is 1 or (" * 9 + "true" + ")))}" * 9
    assert isinstance(nested(300, text).evaluate().main, bool)
    room = sys.getrecursionlimit() - len(inspect.stack(0))
    with pytest.raises(SentinelError, match="nested too deeply"):
        nested(room - 60, text)


def test_the_stack_is_no_larger_afterwards() -> None:
    before = sys.getrecursionlimit()
    text = "f = func(n) { if n is 0 { return 0 }\n return f(n - 1) }\nmain = f(490)"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda policy: policy.evaluate().main, [program(text)] * 20)) == [0] * 20
    assert sys.getrecursionlimit() == before


def test_a_list_within_itself_is_an_error_where_it_is_walked() -> None:
    result = evaluate("x = []\nappend(x, x)\nmain = x is [x]")
    assert result.outcome == "error"


def test_a_program_of_many_branches_loops_and_terms_compiles() -> None:
    branches = "if x is 0 { y = 0 }" + "".join(f" else if x is {n} {{ y = {n} }}" for n in range(1, 500))
    assert main_of(f"x = 499\n{branches}\nmain = y") == 499
    assert main_of("x = 1\nmain = " + " + ".join(["x"] * 2_000)) == 2_000
    assert main_of("x = true\nmain = " + " and ".join(["x"] * 2_000)) is True
    assert main_of("x = false\nmain = " + " or ".join(["x"] * 2_000)) is False
    assert main_of("x = {}\nmain = (" + "x.a else " * 2_000 + "7)") == 7
    cases = "\n".join(f"when {n}: y = {n}" for n in range(500))
    assert main_of(f"case 499 {{ {cases} }}\nmain = y") == 499


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 0\n" + "for [1] as a {" * 17 + "x += 1" + "}" * 17, "more than 16 loops in one another"),
        ("x = 0\n" + "if true {\n" * 95 + "x = 1\n" + "}\n" * 95, "nested too deeply"),
    ],
)
def test_what_python_cannot_nest_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SentinelError) as raised:
        program(text)
    assert raised.value.errors[0].message == problem


def test_loops_in_loops() -> None:
    assert main_of("x = 0\n" + "for [1, 2] as a { " * 12 + "x += 1" + "}" * 12 + "\nmain = x") == 4096
    assert main_of("main = " + "all [1] as a { " * 16 + "a is 1" + "}" * 16) is True


def test_a_program_is_evaluated_any_number_of_times() -> None:
    policy = program("x = 0\nf = func() { x += 1\n return x }\nr = rule { f() }\nmain = r is 1")
    assert [policy.evaluate().main for _ in range(3)] == [True, True, True]


def test_the_result_of_an_undefined_value_is_told() -> None:
    result = evaluate("main = {}.a")
    assert isinstance(result.undefined, Undefined)
    assert result.main is result.undefined
