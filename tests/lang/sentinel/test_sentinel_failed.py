"""Which elements made ``main`` what it is: those that a person would name."""

import pytest

from solon.lang.sentinel import Element, Program, Result, Source, Undefined, compile

PLAN = {
    "resources": {
        f"r{n}": {"n": n, "type": "odd" if n % 2 else "even", "tags": {"a": "1"} if n < 4 else {"b": "2"}}
        for n in range(6)
    }
}


def evaluate(text: str, **imports: object) -> Result:
    program = compile(Source(f'import "plan"\n{text}', "x.sentinel"))
    return program.evaluate(imports={"plan": PLAN, **imports})


def path(element: Element) -> str:
    """The keys of an element and those around it."""
    return f"{path(element.within)}/{element.key}" if element.within else str(element.key)


def failed(text: str, **imports: object) -> list[str]:
    return [path(each) for each in evaluate(text, **imports).failed]


FILTERED = "v = filter plan.resources as a, r { r.n > 3 }\n"
APPENDED = "v = []\nfor plan.resources as a, r { if r.n > 3 { append(v, a) } }\n"


LOOP = "for plan.resources as a, r { if r.n > 3 { return false } }"
GOOD = "good = func(r) { if r.n > 3 { return false }\n return true }\n"
NOTING = """f = func() {
    ok = true
    for plan.resources as a, r { if r.n > 3 { ok = false } }
    return ok
}
"""
COLLECTING = """f = func(rs) {
    v = {}
    for rs as a, r { if r.n > 3 { v[a] = r } }
    return {"violators": v}
}
found = f(plan.resources)
"""
BY_TYPE = """f = func(t) { return all filter plan.resources as a, r { r.type is t } as a, r { r.n < 4 } }
odd = f("odd")
even = f("even")
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # quantifiers: all that fail, not the first alone
        ("main = rule { all plan.resources as a, r { r.n < 3 } }", ["r3", "r4", "r5"]),
        ("main = all plan.resources as a, r { r.n < 3 }", ["r3", "r4", "r5"]),
        ("main = rule { not any plan.resources as a, r { r.n > 3 } }", ["r4", "r5"]),
        ("main = rule { all plan.resources as a, r { all keys(r.tags) as k { k is not `b` } } }", ["r4/0", "r5/0"]),
        ("main = rule { all plan.resources as a, r { any [1, 2] as x { x is r.n } } }", ["r0", "r3", "r4", "r5"]),
        # filters and what is asked of them
        (f"{FILTERED}main = rule {{ length(v) is 0 }}", ["r4", "r5"]),
        (f"{FILTERED}main = length(v) is 0", ["r4", "r5"]),
        (f"{FILTERED}main = rule {{ v is empty }}", ["r4", "r5"]),
        (f"{FILTERED}main = rule {{ v is {{}} }}", ["r4", "r5"]),
        (f"{FILTERED}main = v", ["r4", "r5"]),
        (f"{FILTERED}main = rule {{ length(keys(v)) < 1 }}", ["r4", "r5"]),
        (f"{FILTERED}w = map v as a, r {{ a }}\nmain = rule {{ w is [] }}", ["r4", "r5"]),
        (f"{FILTERED}n = length(v)\nok = n is 0\nmain = rule {{ ok }}", ["r4", "r5"]),
        (f"{FILTERED}if length(v) > 0 {{ ok = false }} else {{ ok = true }}\nmain = ok", ["r4", "r5"]),
        (f"{FILTERED}case length(v) {{ when 0: ok = true\n else: ok = false }}\nmain = ok", ["r4", "r5"]),
        (f"{FILTERED}f = func() {{ if length(v) > 0 {{ return false }}\n return true }}\nmain = f()", ["r4", "r5"]),
        (f"{FILTERED}f = func() {{ if v is empty {{ return true }}\n return false }}\nmain = f()", ["r4", "r5"]),
        # loops that collect, count or note
        (f"{APPENDED}main = rule {{ v is empty }}", ["r4", "r5"]),
        ("v = {}\nfor plan.resources as a, r { if r.n > 3 { v[a] = r } }\nmain = length(v) is 0", ["r4", "r5"]),
        ("v = []\nfor plan.resources as a, r { if r.n > 3 { v += [a] } }\nmain = length(v) is 0", ["r4", "r5"]),
        ("v = []\nfor plan.resources as a, r { if r.n > 3 { v = v + [a] } }\nmain = length(v) is 0", ["r4", "r5"]),
        ("n = 0\nfor plan.resources as a, r { if r.n > 3 { n += 1 } }\nmain = n is 0", ["r4", "r5"]),
        ("n = 0\nfor plan.resources as a, r { if r.n > 3 { n = n + 1 } }\nmain = n is 0", ["r4", "r5"]),
        ("ok = true\nfor plan.resources as a, r { if r.n > 3 { ok = false } }\nmain = rule { ok }", ["r4", "r5"]),
        ("x = 0\nfor plan.resources as a, r { for r.tags as k, v { if k is `b` { x = 9 } } }\nmain = x", ["r4/b", "r5/b"]),
        # functions and rules
        ("good = func(r) { return r.n < 4 }\nmain = rule { all plan.resources as a, r { good(r) } }", ["r4", "r5"]),
        (f"{GOOD}r = rule {{ all plan.resources as a, r {{ good(r) }} }}\nmain = rule {{ r and true }}", ["r4", "r5"]),
        (f"{NOTING}main = rule {{ f() }}", ["r4", "r5"]),
        (f"f = func() {{ {LOOP}\n return true }}\nmain = f()", ["r4"]),
        (f"{COLLECTING}main = rule {{ length(found.violators) is 0 }}", ["r4", "r5"]),
        (f"{BY_TYPE}main = rule {{ odd and even }}", ["r5"]),
        # logic: what made it false, and not what did not
        ("main = rule { length(plan.resources) is 6 and all plan.resources as a, r { r.n < 5 } }", ["r5"]),
        (f"{FILTERED}main = rule {{ length(v) is 0 or all v as a, r {{ r.n > 4 }} }}", ["r4"]),
        ("main = rule { all plan.resources as a, r { r.n >= 0 } and false }", []),
        ("main = rule { false }", []),
        ("main = 1 is 2", []),
    ],
)  # fmt: skip
def test_the_elements_that_made_main_false(text: str, expected: list[str]) -> None:
    assert failed(text) == expected


def test_the_elements_that_made_main_undefined() -> None:
    result = evaluate('main = rule { all plan.resources as a, r { r.tags.a is "1" } }')
    assert result.outcome == "undefined"
    assert [each.key for each in result.failed] == ["r4", "r5"]
    result = evaluate("main = rule { length(filter plan.resources as a, r { r.none > 3 }) is 0 }")
    assert (result.outcome, [each.key for each in result.failed]) == ("undefined", ["r0"])


def test_an_element_says_what_it_is_of() -> None:
    result = evaluate(
        'main = rule {\n\tall plan.resources as a, r {\n\t\tall r.tags as k, v { k is "a" }\n\t}\n}\n'
    )
    element = result.failed[0]
    assert (element.key, element.value, element.kind, element.collection) == ("b", "2", "all", "r.tags")
    assert str(element.span) == "x.sentinel:4:3"
    around = element.within
    assert around is not None
    assert (around.key, around.value, around.collection) == ("r4", PLAN["resources"]["r4"], "plan.resources")
    assert (str(around.span), around.within) == ("x.sentinel:3:2", None)


def module(text: str) -> Program:
    return compile(Source(text, "m.sentinel"))


def test_the_elements_of_loops_in_modules() -> None:
    functions = module(
        'import "plan"\n'
        "find = func() { v = {}\n for plan.resources as a, r { if r.n > 3 { v[a] = r } }\n"
        ' return {"resources": v, "messages": []} }\n'
    )
    text = 'import "functions"\nx = functions.find()\nmain = rule { length(x["resources"]) is 0 }'
    assert failed(text, functions=functions) == ["r4", "r5"]


def test_nothing_is_printed_twice_and_nothing_is_counted_twice() -> None:
    result = evaluate(
        "n = 0\nseen = func(r) { n += 1\n print(n)\n return r.n < 1 }\n"
        "main = rule { all plan.resources as a, r { seen(r) } }"
    )
    assert (result.output, [each.key for each in result.failed]) == (
        ("1", "2"),
        ["r1", "r2", "r3", "r4", "r5"],
    )


def test_elements_behind_the_one_that_decides_may_be_in_error() -> None:
    text = 'main = rule { all [1, "a", 3] as x { x - 1 is 0 and x - 3 is 0 } }'
    result = evaluate(text)
    assert (result.outcome, result.failure, [each.value for each in result.failed]) == ("fail", None, [1])


def test_a_policy_that_passes_is_not_explained() -> None:
    assert evaluate("main = rule { any plan.resources as a, r { r.n is 1 } }").failed == ()


def test_it_is_not_explained_where_nobody_asks() -> None:
    program = compile(Source("main = rule { all [1] as x { x is 2 } }", "x.sentinel"))
    assert program.evaluate(explain=False).failed == ()
    assert [each.value for each in program.evaluate().failed] == [1]


def test_loops_that_nest_as_deep_as_they_may_are_explained_or_not() -> None:
    loops = "all [1] as a { " * 16 + "a is 2" + "}" * 16
    result = evaluate(f"main = rule {{ {loops} }}")
    assert result.outcome == "fail"
    assert [path(each) for each in evaluate("main = all [1] as a { all [1] as b { b is 2 } }").failed] == [
        "0/0"
    ]


def test_what_is_undefined_in_a_document_has_the_place_where_it_is_read() -> None:
    text = 'import "plan"\nid = func(x) { return x["id"] }\nmain = id(plan.a) is "x"'
    document = {"a": {"id": Undefined("it is known after the apply")}}
    program = compile(Source(text, "x.sentinel"))
    result = program.evaluate(imports={"plan": lambda _surroundings, _config: Held(document)})
    assert result.reason == "main is undefined: it is known after the apply at x.sentinel:2:24"


class Held:
    """An import of the tests."""

    type_name = "plan"

    def __init__(self, values: dict[str, object]) -> None:
        self.get = values.get
