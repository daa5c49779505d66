"""Nested loops over collections joined on a field: the same answers as without an index, in linear time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import RegoError
from solon.lang.values import equal

RULES = {
    "assignment": """
        a := input.left[_]
        b := input.right[_]
        a.k == b.k
        pair := [a.id, b.id]""",
    "some in": """
        some a in input.left
        some b in input.right
        b.k == a.k
        pair := [a.id, b.id]""",
    "index": """
        some i, j
        input.left[i].k == input.right[j].k
        pair := [input.left[i].id, input.right[j].id]""",
    "unification": """
        b := input.right[_]
        a := input.left[_]
        a.k = b.k
        pair := [a.id, b.id]""",
    "a field of the element": """
        a := input.left[_]
        k := input.right[j].k
        k == a.k
        pair := [a.id, input.right[j].id]""",
    "two fields": """
        a := input.left[_]
        b := input.right[_]
        b.k == a.k
        b.kind == a.kind
        pair := [a.id, b.id]""",
    "a condition before": """
        a := input.left[_]
        b := input.right[_]
        a.id != b.id
        b.k == a.k
        pair := [a.id, b.id]""",
    "in a function": """
        a := input.left[_]
        some id in same(a.k)
        pair := [a.id, id]""",
}
FUNCTION = "same(k) := {b.id | b := input.right[_]; b.k == k}"


def program(body: str) -> rego.Program:
    return rego.compile({"p.rego": f"package p\n\npairs contains pair if {{{body}\n}}\n\n{FUNCTION}\n"})


PROGRAMS = {name: program(body) for name, body in RULES.items()}

scalars = st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 2.5, "", "a", "b", "1", "true"])
keys = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("xy"), scalars, max_size=2)
elements = st.one_of(
    st.fixed_dictionaries({"k": keys, "kind": st.sampled_from(["m", "n"])}),
    st.fixed_dictionaries({"kind": st.just("m")}),
    st.sampled_from([None, 3, "text", []]),
)


def documents(found):
    return [{**e, "id": i} if isinstance(e, dict) else e for i, e in enumerate(found)]


def expected(name, left, right):
    for a in left:
        for b in right:
            if not (isinstance(a, dict) and isinstance(b, dict) and "k" in a and "k" in b):
                continue
            if not equal(a["k"], b["k"]):
                continue
            if name == "two fields" and a["kind"] != b["kind"]:
                continue
            if name == "a condition before" and a["id"] == b["id"]:
                continue
            yield [a["id"], b["id"]]


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=30, deadline=None)
@given(left=st.lists(elements, max_size=30), right=st.lists(elements, min_size=14, max_size=40))
def test_a_join_finds_what_the_loops_say(name, left, right):
    left, right = documents(left), documents(right)
    found = PROGRAMS[name].evaluate("data.p.pairs", {"left": left, "right": right})
    assert found == sorted(expected(name, left, right))


@pytest.mark.parametrize("name", RULES)
def test_the_steps_of_a_join_grow_with_the_documents(name):
    size = 5_000
    left = [{"k": f"k{i}", "kind": "m", "id": i} for i in range(size)]
    right = [{"k": f"k{i}", "kind": "m", "id": size + i} for i in range(size)]
    budget = Budget(seconds=None, steps=20 * size)
    found = PROGRAMS[name].evaluate("data.p.pairs", {"left": left, "right": right}, budget=budget)
    assert len(found) == size


def test_objects_and_sets_are_joined_by_their_values():
    text = """package p
pairs contains [name, other] if {
	some name, a in input.left
	some other, b in {x | some x in input.right}
	b.k == a.k
}"""
    left = {f"n{i}": {"k": i} for i in range(40)}
    right = [{"k": i} for i in range(30, 60)]
    found = rego.compile({"p.rego": text}).evaluate("data.p.pairs", {"left": left, "right": right})
    assert found == [[f"n{i}", {"k": i}] for i in range(30, 40)]


def test_arrays_keep_the_order_of_the_document():
    text = """package p
ids := [[a.id, b.id] | a := input.all[_]; b := input.all[_]; b.k == a.k]"""
    everything = [{"id": i, "k": i % 3} for i in range(20)]
    found = rego.compile({"p.rego": text}).evaluate("data.p.ids", {"all": everything})
    assert found == [[a["id"], b["id"]] for a in everything for b in everything if a["k"] == b["k"]]


def test_an_error_before_the_comparison_is_not_skipped():
    text = """package p
p contains b.id if {
	a := input.all[_]
	b := input.all[_]
	to_number(b.text) > 0
	b.k == a.k
}"""
    everything = [{"id": i, "k": i, "text": "1"} for i in range(20)]
    everything.append({"id": 99, "k": "none other", "text": "not a number"})
    program = rego.compile({"p.rego": text})
    assert len(program.evaluate("data.p.p", {"all": everything})) == 20
    with pytest.raises(RegoError, match="to_number"):
        program.evaluate("data.p.p", {"all": everything}, strict_builtin_errors=True)


def test_documents_replaced_by_with_are_joined_anew():
    text = """package p
same contains a.id if {
	a := input.all[_]
	b := input.all[_]
	a.k == b.k
	a.id != b.id
}
both := [same, other] if other := same with input as {"all": [{"id": i, "k": 1} | some i in numbers.range(1, 20)]}
"""
    everything = [{"id": i, "k": i} for i in range(20)]
    found = rego.compile({"p.rego": text}).evaluate("data.p.both", {"all": everything})
    assert found == [[], list(range(1, 21))]


def test_base_documents_are_joined_without_looking_at_them_again():
    text = """package p
roles contains role if {
	some binding in data.bindings
	binding.user == input.user
	role := binding.role
}
other := found if found := roles with data.bindings as [{"user": input.user, "role": "guest"}]
"""
    bindings = [{"user": f"u{i % 500}", "role": f"r{i}"} for i in range(1_000)]
    query = rego.compile({"p.rego": text}, data={"bindings": bindings}).prepare("data.p.roles")
    for i in range(2):  # all are looked at, and the index is made
        assert query.evaluate({"user": f"u{i}"}) == sorted([f"r{i}", f"r{i + 500}"])
    few = Budget(seconds=None, steps=50)
    for i in range(2, 100):
        assert query.evaluate({"user": f"u{i}"}, budget=few) == sorted([f"r{i}", f"r{i + 500}"])
    assert query.program.evaluate("data.p.other", {"user": "u3"}) == ["guest"]
    beside = {"bindings": bindings, "inventory": {}}  # the program's own, and more
    assert query.evaluate({"user": "u3"}, data=beside, budget=few) == ["r3", "r503"]
    fewer = {"bindings": bindings[:600]}
    assert query.evaluate({"user": "u300"}, data=fewer) == ["r300"]
    assert query.evaluate({"user": "u300"}) == ["r300", "r800"]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("p := [b | b := (input[_] == 3)]", [False] * 3 + [True] + [False] * 16),
        (
            "p contains [x, b] if { some x in [1, 20]; b := (input[_] == x) }",
            [[1, False], [1, True], [20, False]],
        ),
        (
            "p contains b if { some x in [1, 2]; b := [(input[_] == x), x] }",
            [[False, 1], [False, 2], [True, 1], [True, 2]],
        ),
        ("p := [x | some x in input; (x == 3) == false; x > 17]", [18, 19]),
        ("p := {b | b := f(input[_] == 3)}\nf(x) := x", [False, True]),
    ],
)
def test_a_comparison_that_may_be_false_leaves_nothing_out(rules, wanted):
    compiled = rego.compile({"a.rego": f"package a\n{rules}"})
    assert compiled.evaluate("data.a.p", input=list(range(20))) == wanted
