"""Values: their keys, equality, order and JSON. Expected orders and equalities are OPA's."""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.values import (
    UNDEFINED,
    Key,
    Set,
    compare,
    equal,
    items_of,
    json_text,
    key,
    lookup,
    member,
    member_at,
    number_text,
    rank,
    sorted_items,
    sorted_keys,
    sorted_members,
    sorted_values,
    to_json,
    type_name,
    unkey,
)


def obj(*pairs: tuple[Any, Any]) -> dict[Any, Any]:
    return {key(k): v for k, v in pairs}


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, -1.5, 2.5, 10**30, -(10**30)])
    | st.sampled_from(["", "a", "b", "B", "10", "9", "é", "\U0001d11e", "\ue000"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(Set.of)
        | st.lists(st.tuples(inner, inner), max_size=3).map(lambda pairs: obj(*pairs))
    ),
    max_leaves=8,
)

# --- order

IN_ORDER: list[Any] = [
    None, False, True, -1, 0, 1.5, 9, 10, 1000.0,
    "", "10", "9", "B", "a", "b", "é", "\ue000", "\U0001d11e",
    [], [None], [1], [1, 2], [2], ["a"],
    {}, {"a": 1}, {"a": 1, "b": 0}, {"a": 2}, {"a": {}}, {"b": 1},
    Set(), Set.of([0]), Set.of([0, 5]), Set.of([1]), Set.of([2]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    list(itertools.pairwise(IN_ORDER)),
    ids=lambda value: f"{type_name(value)} {to_json(value)!r}",
)
def test_each_value_sorts_before_the_next(first: Any, second: Any) -> None:
    assert compare(first, second) == -1
    assert compare(second, first) == 1
    assert not equal(first, second)


def test_sorting_orders_a_mix_of_all_types() -> None:
    mixed = IN_ORDER[::-3] + IN_ORDER[::3]
    for start in (IN_ORDER[::-1], IN_ORDER[::2] + IN_ORDER[1::2], mixed[::1]):
        wanted = [value for value in IN_ORDER for _ in range(sum(value is other for other in start))]
        assert [repr(value) for value in sorted_values(start)] == [repr(value) for value in wanted]


@given(values, values, values)
@settings(max_examples=300)
def test_compare_is_a_total_order(a: Any, b: Any, c: Any) -> None:
    assert compare(a, a) == 0
    assert compare(a, b) == -compare(b, a)
    assert (compare(a, b) == 0) == equal(a, b)
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0
    if rank(a) < rank(b):
        assert compare(a, b) == -1


@given(st.lists(values, max_size=6))
def test_sorting_agrees_with_compare(items: list[Any]) -> None:
    found = sorted_values(items)
    assert all(compare(a, b) <= 0 for a, b in itertools.pairwise(found))
    by_comparison = sorted(items, key=functools.cmp_to_key(compare))
    assert list(map(id, found)) == list(map(id, by_comparison)), "equal values keep their places"


@given(st.lists(st.tuples(values, values), max_size=4))
def test_the_items_of_an_object_come_in_order_of_its_keys(pairs: list[tuple[Any, Any]]) -> None:
    built = obj(*pairs)
    found = sorted_items(built)
    assert [k for k, _ in found] == sorted_keys(built)
    assert all(compare(a, b) < 0 for (a, _), (b, _) in itertools.pairwise(found))
    assert obj(*found) == built


@pytest.mark.parametrize(
    "objects",
    [
        [obj(([1], "a")), obj((True, "b"))],
        [obj(([1], "a")), obj((True, "b")), obj(("x", "a"))],
        [obj((1, "a")), obj(("x", "b"))],
        [obj((None, "a")), obj((None, "b"))],
        [obj(([1], 1)), {"a": 1}],
    ],
    ids=repr,
)
def test_objects_whose_keys_are_not_strings_can_be_sorted(objects: list[Any]) -> None:
    for arrangement in itertools.permutations(objects):
        found = sorted_values(arrangement)
        assert all(compare(a, b) == -1 for a, b in itertools.pairwise(found))


# --- equality and keys

EQUAL: list[tuple[Any, Any, bool]] = [
    (1, 1.0, True),
    (True, 1, False),
    (0, False, False),
    (None, False, False),
    ("", None, False),
    ([1], [1.0], True),
    ({"a": 1}, {"a": 1.0}, True),
    (Set.of([1]), Set.of([1.0]), True),
    (Set.of([1]), [1], False),
    ({"a": 1}, {"a": 1, "b": 1}, False),
    ("1", 1, False),
    ([1, [True]], [1, [1]], False),
    (obj((1, 2)), obj((1.0, 2)), True),
    (obj((True, 2)), obj((1, 2)), False),
    ({"a": True}, {"a": 1}, False),
    (Set.of([True]), Set.of([1]), False),
    (-0.0, 0, True),
    (9007199254740993, 9007199254740992.0, False),
    ({}, Set(), False),
    ([], {}, False),
]


@pytest.mark.parametrize(("a", "b", "same"), EQUAL, ids=repr)
def test_equality(a: Any, b: Any, same: bool) -> None:
    assert equal(a, b) is same
    assert equal(b, a) is same
    assert (key(a) == key(b)) is same
    assert len(Set.of([a, b])) == (1 if same else 2)
    assert member(a, [b]) is same
    assert member(a, Set.of([b])) is same
    assert member(a, {"x": b}) is same


@given(values, values)
@settings(max_examples=300)
def test_keys_are_equal_where_values_are(a: Any, b: Any) -> None:
    assert equal(unkey(key(a)), a)
    assert (key(a) == key(b)) == equal(a, b)
    if equal(a, b):
        assert hash(key(a)) == hash(key(b))


@pytest.mark.parametrize("value", [True, False, [], [1], {}, {"a": 1}, Set(), Set.of([1])], ids=repr)
def test_a_value_python_could_not_hash_or_would_confuse_gets_a_key(value: Any) -> None:
    assert type(key(value)) is Key
    assert key(value) == key(value)
    assert key(value) != value


@pytest.mark.parametrize("value", ["a", 1, 1.5, None])
def test_other_scalars_are_their_own_keys(value: Any) -> None:
    assert key(value) is value


# --- reading

LOOKUPS: list[tuple[Any, Any, Any]] = [
    ([5, 6], 0, 5),
    ([5, 6], 1, 6),
    ([5, 6], 1.0, 6),
    ([5, 6], 2, UNDEFINED),
    ([5, 6], -1, UNDEFINED),
    ([5, 6], 0.5, UNDEFINED),
    ([5, 6], True, UNDEFINED),
    ([5, 6], "0", UNDEFINED),
    ({"a": 1}, "a", 1),
    ({"a": 1}, "b", UNDEFINED),
    ({"a": None}, "a", None),
    ({"1": 1}, 1, UNDEFINED),
    (obj((1, "n"), (True, "t")), 1, "n"),
    (obj((1, "n"), (True, "t")), True, "t"),
    (obj(([1], "x")), [1.0], "x"),
    (Set.of(["a", True]), "a", "a"),
    (Set.of(["a", True]), True, True),
    (Set.of(["a", True]), 1, UNDEFINED),
    ("text", 0, UNDEFINED),
    (None, "a", UNDEFINED),
    (7, 0, UNDEFINED),
    (UNDEFINED, "a", UNDEFINED),
]


@pytest.mark.parametrize(("container", "index", "wanted"), LOOKUPS, ids=repr)
def test_lookup(container: Any, index: Any, wanted: Any) -> None:
    assert lookup(container, index) is wanted or lookup(container, index) == wanted
    assert type(lookup(container, index)) is type(wanted)


def test_membership_at_an_index() -> None:
    assert member_at(1, "b", ["a", "b"])
    assert not member_at(0, "b", ["a", "b"])
    assert not member_at(True, "b", ["a", "b"])
    assert member_at("k", 1.0, {"k": 1})
    assert not member_at("k", True, {"k": 1})


@pytest.mark.parametrize("scalar", [None, True, 1, 1.5, "text"])
def test_a_scalar_has_no_members(scalar: Any) -> None:
    assert not member("t", scalar)
    assert items_of(scalar) == []


def test_what_iteration_gives_as_index() -> None:
    assert items_of(["a", "b"]) == [(0, "a"), (1, "b")]
    assert items_of(obj(([1], "a"), ("k", "b"))) == [([1], "a"), ("k", "b")]
    assert items_of(Set.of([[1], "a"])) == [([1], [1]), ("a", "a")]


def test_undefined_lets_a_path_through_and_is_not_true() -> None:
    assert UNDEFINED.get("a", UNDEFINED).get("b", UNDEFINED) is UNDEFINED
    assert not UNDEFINED
    assert repr(UNDEFINED) == "UNDEFINED"


# --- names and text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"), (True, "boolean"), (1, "number"), (1.5, "number"), ("", "string"),
        ([], "array"), ({}, "object"), (Set(), "set"),
    ],
)  # fmt: skip
def test_type_names(value: Any, name: str) -> None:
    assert type_name(value) == name


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (-7, "-7"), (1.5, "1.5"), (2.0, "2"), (0.1, "0.1"), (1e20, "100000000000000000000"),
        (1e21, "1e+21"), (1e-7, "1e-07"), (2.5e30, "2.5e+30"), (10**30, "1" + "0" * 30),
    ],
)  # fmt: skip
def test_number_text(number: float, text: str) -> None:
    assert number_text(number) == text
    assert json.loads(text) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([1, [True, "é"]], '[1,[true,"é"]]'),
        ({"b": 1, "a": Set.of([2, 1])}, '{"a":[1,2],"b":1}'),
        (obj((1, 2), ("x", 3)), '{"1":2,"x":3}'),
        (obj(([1], Set.of(["a"]))), '{"[1]":["a"]}'),
        ('a"b\\\n\t\x01', '"a\\"b\\\\\\n\\t\\u0001"'),
        (Set(), "[]"),
    ],
    ids=repr,
)
def test_json_text(value: Any, text: str) -> None:
    assert json_text(value) == text


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (Set.of([3, 1, 2]), [1, 2, 3]),
        ({"a": [Set.of(["b", "a"])]}, {"a": [["a", "b"]]}),
        (obj((True, 1), (None, 2), ([1], 3), (2, 4)), {"true": 1, "null": 2, "[1]": 3, "2": 4}),
        (obj((obj((Set.of([1]), 2)), 3)), {'{"[1]":2}': 3}),
        ("text", "text"),
    ],
    ids=repr,
)
def test_to_json(value: Any, document: Any) -> None:
    assert to_json(value) == document


@given(values)
def test_what_to_json_gives_is_json(value: Any) -> None:
    document = to_json(value)
    assert json.loads(json.dumps(document)) == document


def test_sets_keep_one_of_equal_members() -> None:
    built = Set()
    for added in (1, 1.0, True, "1", [1], [1.0], {"a": 1}):
        built.add(added)
    assert [to_json(value) for value in sorted_members(built)] == [True, 1, "1", [1], {"a": 1}]
