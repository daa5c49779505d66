"""Loops in loops that compare fields: the same results as without an index, in linear time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.budget import Budget
from solon.lang.sentinel import Result, Source, Undefined, compile

MANY = 2_000
FIND = "find = func(id) { return filter plan.xs as y { y.of is id } }\n"
FEW_STEPS = Budget(steps=60 * MANY)  # going over all for each would take MANY * MANY


def evaluate(text: str, data: object, budget: Budget | None = None, explain: bool = False) -> Result:
    program = compile(Source(f'import "plan"\n{text}', "x.sentinel"))
    return program.evaluate(imports={"plan": {"xs": data}}, budget=budget, explain=explain)


def things(count: int) -> list[dict[str, object]]:
    return [
        {"id": f"i{n}", "of": f"i{(n * 7) % count}", "kind": "ab"[n % 2], "tags": ["t"]} for n in range(count)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main = all plan.xs as x { any plan.xs as y { y.of is x.id } }", True),
        ("main = all plan.xs as x { any plan.xs as y { x.id is y.of } }", True),
        ("main = all plan.xs as x { all plan.xs as y { y.of is not x.id or y.tags contains `t` } }", True),
        ("main = all plan.xs as x { length(filter plan.xs as y { y.of is x.id }) is 1 }", True),
        (
            "main = all plan.xs as x { length(filter plan.xs as _, y { y.of is x.id and y.tags contains `u` }) is 0 }",
            True,
        ),
        (
            'main = all plan.xs as x { length(filter plan.xs as y { y.kind is "a" and y["of"] == x.id }) < 2 }',
            True,
        ),
        (
            'main = all plan.xs as x { length(filter plan.xs as y { y.tags contains "t" and y.of is x.id }) is 1 }',
            True,
        ),
        ("n = 0\nfor plan.xs as x { for plan.xs as y { if y.of is x.id { n += 1 } } }\nmain = n", MANY),
        (
            "v = []\nfor plan.xs as x { for plan.xs as y { if y.of is x.id { append(v, y.id) } } }\nmain = length(v)",
            MANY,
        ),
        (
            f"{FIND}n = 0\nfor plan.xs as x {{ n += length(find(x.id)) }}\nmain = n",
            MANY,
        ),
        ("own = filter plan.xs as x { true }\nmain = all own as x { any own as y { y.of is x.id } }", True),
        ("id = `i5`\nmain = all plan.xs as x { length(filter plan.xs as y { y.of is id }) is 1 }", True),
        ("main = all plan.xs as x { length(filter plan.xs as y { y.of is `i5` }) is 1 }", True),
    ],
)
def test_time_does_not_grow_with_the_square(text: str, expected: object) -> None:
    result = evaluate(text, things(MANY), FEW_STEPS)
    assert (result.reason, result.main) == ("", expected)


def test_elements_that_fail_are_named_in_linear_time_too() -> None:
    data = [*things(MANY), {"id": "alone", "of": "alone too", "kind": "a", "tags": []}]
    result = evaluate(
        "main = all plan.xs as x { any plan.xs as y { y.of is x.id } }", data, FEW_STEPS, explain=True
    )
    assert [each.key for each in result.failed] == [MANY]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('append(xs, {"id": 9, "of": "i3"})', 2),
        ('xs[0] = {"id": 9, "of": "i3"}', 2),
        ('xs[0]["of"] = "i3"', 2),
        ('xs += [{"id": 9, "of": "i3"}]', 2),
        ('xs = [{"id": 9, "of": "i3"}]', 1),
        ("y = 1", 1),
    ],
)
def test_changes_of_the_collection_are_seen(change: str, expected: int) -> None:
    text = f"""
        xs = filter plan.xs as x {{ true }}
        count = func(of) {{ return length(filter xs as x {{ x.of is of }}) }}
        count("i0")
        count("i1")
        count("i2")
        {change}
        main = count("i3")
        """
    assert evaluate(text, things(20)).main == expected


def test_changes_of_a_map_are_seen() -> None:
    text = """
        m = {}
        for plan.xs as x { m[x.id] = x }
        count = func(of) { return length(filter m as _, x { x.of is of }) }
        first = [count("i3"), count("i3"), count("i3")]
        gone = ""
        for m as id, x { if x.of is "i3" { gone = id } }
        delete(m, gone)
        m["new"] = {"of": "i4"}
        main = [first, count("i3"), count("i4")]
        """
    assert evaluate(text, things(20)).main == [[1, 1, 1], 0, 2]


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        ({"id": "x"}, "undefined"),  # no `of`: the body is undefined
        ({"id": "x", "of": None}, "pass"),
        ({"id": "x", "of": 1}, "pass"),
        ({"id": "x", "of": True}, "pass"),
        ({"id": "x", "of": ["i1"]}, "pass"),
        (None, "undefined"),
        ("text", "error"),
        (5, "error"),
        ([], "error"),
    ],
)
def test_elements_that_are_otherwise_are_visited(odd: object, outcome: str) -> None:
    text = "main = all range(3) as n { length(filter plan.xs as y { y.of is `i3` }) is 1 }"
    data = [*things(20)[:10], odd, *things(20)[10:]]
    assert evaluate(text, data).outcome == outcome


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        ({"of": "i3"}, "undefined"),
        ({"of": "zz"}, "undefined"),
        ({"of": "zz", "tags": None}, "error"),
        ({"of": "zz", "tags": {"t": 1}}, "pass"),
        ({"of": "zz", "tags": "t"}, "pass"),
    ],
)
def test_what_stands_before_the_comparison_counts(odd: object, outcome: str) -> None:
    text = "main = all range(3) as n { length(filter plan.xs as y { y.tags contains `t` and y.of is `i3` }) is 1 }"
    assert evaluate(text, [*things(20), odd]).outcome == outcome


_VALUES = st.sampled_from(["a", "b", 1, 1.0, True, None, 2, "1", ["a"]])
_ELEMENTS = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"k": _VALUES, "t": _VALUES, "d": st.fixed_dictionaries({"k": _VALUES})}
    ),
    st.none(),
)
_BODIES = [
    "y.k is w", "w is y.k", "y.d.k is w", 'y.t is "a" and y.k is w', "y.t is not 1 and y.k is w and y.t is 2",
    "y.k is w and y.zzz is 1", 'y.k is "a"', "y.k is w.x",
]  # fmt: skip


PROGRAM = """
found = func(w) { return QUANTIFIER plan.xs as y { FIRST BODY } }
results = []
for wanted as w { append(results, found(w)) }
main = results
"""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_ELEMENTS, min_size=16, max_size=30),
    st.lists(_VALUES, min_size=3, max_size=5),
    st.sampled_from(["filter", "any"]),
    st.sampled_from(_BODIES),
)
def test_an_index_changes_no_result(
    elements: list[object], wanted: list[object], kind: str, body: str
) -> None:
    """Behind something else, the comparison is not indexed: that this is true for every element changes nothing."""
    found = []
    for first in ("", "y is not 77 and"):
        text = PROGRAM.replace("QUANTIFIER", kind).replace("FIRST", first).replace("BODY", body)
        program = compile(Source(f'import "plan"\n{text}', "x.sentinel"))
        result = program.evaluate(
            imports={"plan": {"xs": elements}}, globals={"wanted": wanted}, explain=False
        )
        found.append((result.outcome, _plain(result.main)))
    assert found[0] == found[1]


def _plain(value: object) -> str:
    """What can be compared: everything undefined is alike."""
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return "undefined" if isinstance(value, Undefined) else repr(value)
