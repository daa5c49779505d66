"""collection, collection/lists and collection/maps: the documentation's examples and the corners between them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import call, host_function, opened

from solon.lang.sentinel.values import BOOL_KEYS, Failure, Function, Undefined, equals

NOWHERE = Undefined("no key")
EVEN = host_function("even", lambda element: element % 2 == 0, 1)


def two(run: Any) -> Function:
    return host_function("f", run, 2)


def three(run: Any) -> Function:
    return host_function("f", run, 3)


CALLS = [
    ("filter", ([2, 3, 4, 5, 6, 7, 8], EVEN), [2, 4, 6, 8]),
    ("reject", ([2, 3, 4, 5, 6, 7, 8], EVEN), [3, 5, 7]),
    ("filter", ([], EVEN), []),
    ("filter", ({"a": 1, "b": 2}, EVEN), [2]),
    ("reject", ({"a": 1, "b": 2}, EVEN), [1]),
    ("filter", (["x", "y", "z"], two(lambda _element, index: index > 0)), ["y", "z"]),
    ("filter", ({"a": 1, "b": 2}, two(lambda _value, key: key == "a")), [1]),
    ("find", (["foo", "bar", "qux"], host_function("f", lambda element: element == "bar", 1)), "bar"),
    ("find", ({"foo": 2, "bar": 4}, two(lambda _value, key: key == "bar")), 4),
    ("matches", (
        [{"foo": {"bar": "wip"}, "baz": "qux"}, {"foo": "bar", "baz": "bar"}], {"foo": {"bar": "wip"}},
    ), [{"foo": {"bar": "wip"}, "baz": "qux"}]),
    ("matches", ({"a": {"x": 1, "y": 2}, "b": {"x": 2}}, {"x": 1}), [{"x": 1, "y": 2}]),
    ("matches", ([{"x": [1, 2]}, {"x": [1]}], {"x": [1, 2]}), [{"x": [1, 2]}]),
    ("matches", ([1, "x"], {"x": 1}), []),
    ("matches", ([{"x": None}, {}], {"x": None}), [{"x": None}]),
    ("matches", ([{"x": 1}, {}], {}), [{"x": 1}, {}]),
    ("reduce", ([1, 2, 3, 4, 5], two(lambda total, element: total + element), 0), 15),
    ("reduce", ([1, 2, 3], two(lambda total, element: total + element)), 6),
    ("reduce", ([], two(lambda total, element: total + element), 7), 7),
    ("reduce", (["a", "b"], three(lambda text, element, index: f"{text}{index}{element}"), ""), "0a1b"),
    ("reduce", ({"a": 1, "b": 2}, three(lambda text, value, key: f"{text}{key}{value}"), ""), "a1b2"),
    ("reduce", ({"a": 1, "b": 2}, three(lambda text, value, key: f"{text}{key}{value}")), "1b2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "result"), CALLS)
def test_collection(name: str, arguments: tuple[object, ...], result: object) -> None:
    assert call(opened("collection"), name, *arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("find", ([1, 3], EVEN)),
        ("reduce", ([], two(lambda total, element: total + element))),
        ("filter", ([1, 2], host_function("f", lambda _element: NOWHERE, 1))),
        ("reject", ([1, 2], host_function("f", lambda _element: NOWHERE, 1))),
        ("filter", (NOWHERE, EVEN)),
    ],
)
def test_collection_gives_undefined(name: str, arguments: tuple[object, ...]) -> None:
    assert type(call(opened("collection"), name, *arguments)) is Undefined


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("filter", ("abc", EVEN), "collection.filter: the argument must be a list or a map, not string"),
        ("filter", ([1], 2), "collection.filter: the second argument must be a function, not int"),
        ("filter", ([1], host_function("f", lambda _element: 1, 1)), "collection.filter: the function must give a boolean, not int"),
        ("filter", ([1], three(lambda *_: True)), "f takes 3 arguments, not 2"),
        ("matches", ([1], [1]), "collection.matches: the second argument must be a map, not list"),
        ("reduce", ([1],), "collection.reduce takes 2 to 3 arguments, not 1"),
    ],
)  # fmt: skip
def test_collection_failures(name: str, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("collection"), name, *arguments)
    assert raised.value.message == message


COMPARE = two(lambda one, other: (one > other) - (one < other))

LISTS = [
    ("concat", ([1], [2, 3]), [1, 2, 3]),
    ("concat", ([1, 2], [10, 20], [100, 200]), [1, 2, 10, 20, 100, 200]),
    ("difference", ([1, 2], [2, 3]), [1]),
    ("difference", ([1, 2, 3, 4, 5], [2, 5], [1]), [3, 4]),
    ("diff", ([1, 2], [2, 3]), [1]),
    ("difference", ([1, 1],), [1, 1]),
    ("difference", ([{"a": [1]}, {"a": [2]}], [{"a": [1.0]}]), [{"a": [2]}]),
    ("difference", ([True, 1, "1"], [1]), [True, "1"]),
    ("intersection", ([1, 2], [2, 3], [3, 2]), [2]),
    ("intersection", ([2, 1, 2],), [2, 1]),
    ("intersection", ([None, True], [1, None]), [None]),
    ("union", ([1, 3], [2, 3, 5], [6, 2, 1]), [1, 3, 2, 5, 6]),
    ("union", ([[1], [1]], [[1.0], [True]]), [[1], [True]]),
    ("sort", (["zebra", "bat", "horse"], COMPARE), ["bat", "horse", "zebra"]),
    ("sort", (
        [{"foo": 8}, {"foo": 4}, {"foo": 100}], two(lambda x, y: (x["foo"] > y["foo"]) - (x["foo"] < y["foo"])),
    ), [{"foo": 4}, {"foo": 8}, {"foo": 100}]),
    ("sum", ([2, 5, 10, 500],), 517.0),
    ("sum", ([0.5, 1],), 1.5),
    ("sum", ([],), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "result"), LISTS)
def test_lists(name: str, arguments: tuple[Any, ...], result: object) -> None:
    before = [list(argument) for argument in arguments if type(argument) is list]
    found = call(opened("collection/lists"), name, *arguments)
    assert (type(found), repr(found)) == (type(result), repr(result))
    assert [argument for argument in arguments if type(argument) is list] == before


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("union", ([1], [NOWHERE])),
        ("difference", ([[NOWHERE]], [1])),
        ("intersection", (NOWHERE,)),
        ("sum", ([1, NOWHERE],)),
        ("sort", ([2, 1], two(lambda _one, _other: NOWHERE))),
    ],
)
def test_lists_of_what_is_undefined(name: str, arguments: tuple[object, ...]) -> None:
    assert call(opened("collection/lists"), name, *arguments) is NOWHERE


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("concat", ([1],), "collection/lists.concat takes at least 2 arguments, not 1"),
        ("concat", ([1], [2], 3), "collection/lists.concat: the third argument must be a list, not int"),
        ("sum", ([1, "2"],), "collection/lists.sum: a list to sum has numbers, not string"),
        ("sum", ([True],), "collection/lists.sum: a list to sum has numbers, not bool"),
        ("sort", ([2, 1], two(lambda _one, _other: True)), "collection/lists.sort: the function must give -1, 0 or 1, not bool"),
        ("sort", ([2, 1],), "collection/lists.sort takes 2 arguments, not 1"),
    ],
)  # fmt: skip
def test_lists_failures(name: str, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("collection/lists"), name, *arguments)
    assert raised.value.message == message


def test_large_lists_are_no_square() -> None:
    one, other = list(range(50_000)), list(range(25_000, 75_000))
    members = opened("collection/lists")
    assert call(members, "intersection", one, other) == list(range(25_000, 50_000))
    assert call(members, "difference", one, other) == list(range(25_000))
    assert call(members, "union", one, other) == list(range(75_000))


elements = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from([0.0, 1.0, 0.5, "0", "", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(elements, max_size=6), st.lists(elements, max_size=6))
def test_sets_are_those_of_the_language_s_equality(one: list[Any], other: list[Any]) -> None:
    def among(element: Any, items: list[Any]) -> bool:
        return any(equals(element, item) for item in items)

    members = opened("collection/lists")
    assert call(members, "difference", one, other) == [e for e in one if not among(e, other)]
    both: list[Any] = []
    for element in [*one, *other]:
        if not among(element, both):
            both.append(element)
    assert call(members, "union", one, other) == both
    shared = call(members, "intersection", one, other)
    assert all(among(e, one) and among(e, other) for e in shared)
    assert all(among(e, shared) for e in one if among(e, other))


NESTED = {"foo": "bar", "baz": [{"qux": 4}, {"qux": 10}], "nit": {"nat": "pak"}}
BARS = {"foo": [{"bar": 4}, {"bar": 8}, {"bar": 45}]}

MAPS = [
    ("get", ({"foo": "bar"}, "foo"), "bar"),
    ("get", ({"foo": [{"bar": {"baz": 4}}]}, "foo.0.bar.baz"), 4),
    ("get", (BARS, "foo.*.bar"), [4, 8, 45]),
    ("get", (BARS, "foo.*"), [{"bar": 4}, {"bar": 8}, {"bar": 45}]),
    ("get", ({}, "foo", "bar"), "bar"),
    ("get", ({"foo": None}, "foo", "bar"), None),
    ("get", ({"foo": NOWHERE}, "foo", "bar"), "bar"),
    ("get", ({"foo": [1]}, "foo.1", "none"), "none"),
    ("get", ({"foo": [1]}, "foo.-1", "none"), "none"),
    ("get", ({"foo": "abc"}, "foo.0", "none"), "none"),
    ("get", ({"foo": [{"bar": 4}, {}]}, "foo.*.bar", 0), [4, 0]),
    ("get", ({"foo": []}, "foo.*.bar", 0), []),
    ("get", ({"*": 1}, "*"), 1),
    ("has", ({"foo": "bar"}, "foo"), True),
    ("has", ({}, "foo"), False),
    ("has", ({"foo": None}, "foo"), True),
    ("has", (BARS, "foo.2.bar"), True),
    ("has", (BARS, "foo.3.bar"), False),
    ("has", (BARS, "foo.*.bar"), True),
    ("has", ({"foo": [{"bar": 1}, {}]}, "foo.*.bar"), False),
    ("omit", ({"foo": "bar"}, ["foo"]), {}),
    ("omit", ({"foo": "bar", "baz": "qux", "nit": "nat"}, ["foo", "baz"]), {"nit": "nat"}),
    ("omit", (NESTED, ["baz.1.qux", "nit.nat"]), {"foo": "bar", "baz": [{"qux": 4}]}),
    ("omit", (NESTED, ["baz.0", "baz.1", "baz.1.qux"]), {"foo": "bar", "nit": {"nat": "pak"}}),
    ("omit", (NESTED, ["baz.*.qux", "baz.0.none"]), {"foo": "bar", "nit": {"nat": "pak"}}),
    ("omit", (NESTED, ["none", "foo.x", "baz.9"]), NESTED),
    ("omit", ({"a": {}, "b": []}, ["a.x", "b.0"]), {"a": {}, "b": []}),
    ("pick", ({"foo": "bar"}, ["foo"]), {"foo": "bar"}),
    ("pick", ({"foo": "bar", "baz": "qux", "nit": "nat"}, ["foo", "baz"]), {"foo": "bar", "baz": "qux"}),
    ("pick", (NESTED, ["baz.1.qux", "nit.nat"]), {"baz": [{"qux": 10}], "nit": {"nat": "pak"}}),
    ("pick", (NESTED, ["baz.*.qux"]), {"baz": [{"qux": 4}, {"qux": 10}]}),
    ("pick", (NESTED, ["nit.nat", "nit"]), {"nit": {"nat": "pak"}}),
    ("pick", (NESTED, ["none", "foo.x", "nit.none"]), {}),
    ("set", ({"foo": "bar"}, "foo", "qux"), {"foo": "qux"}),
    ("set", ({}, "foo.bar.baz", 10), {"foo": {"bar": {"baz": 10}}}),
    ("set", ({"foo": [2, 5]}, "foo.0", 10), {"foo": [10, 5]}),
    ("set", ({"foo": [{"bar": True}, {"bar": False}]}, "foo.*.bar", True), {"foo": [{"bar": True}, {"bar": True}]}),
    ("set", ({"foo": [1, 2]}, "foo.*", 0), {"foo": [0, 0]}),
    ("set", ({"foo": None}, "foo.bar", 1), {"foo": {"bar": 1}}),
    ("unset", ({"foo": "bar"}, "foo"), {}),
    ("unset", ({"foo": {"bar": {"baz": 10, "qux": 15}}}, "foo.bar.baz"), {"foo": {"bar": {"qux": 15}}}),
    ("unset", ({"foo": [2, 5]}, "foo.0"), {"foo": [5]}),
    ("unset", ({"foo": [{"bar": True}, {"bar": False}]}, "foo.*", True), {"foo": []}),
    ("unset", ({"foo": {"bar": 1}}, "foo.bar"), {"foo": {}}),
    ("unset", ({"foo": 1}, "bar.baz"), {"foo": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "result"), MAPS)
def test_maps(name: str, arguments: tuple[Any, ...], result: object) -> None:
    before = deepcopy(
        [argument for argument in arguments if type(argument) is dict and NOWHERE not in argument.values()]
    )
    assert call(opened("collection/maps"), name, *arguments) == result
    assert [a for a in arguments if type(a) is dict and NOWHERE not in a.values()] == before


def test_maps_get_is_undefined_and_says_where() -> None:
    found = call(opened("collection/maps"), "get", {}, "foo.bar")
    assert type(found) is Undefined
    assert found.why == 'no value at "foo.bar"'
    assert call(opened("collection/maps"), "get", NOWHERE, "foo") is NOWHERE
    assert call(opened("collection/maps"), "pick", {"a": 1}, [NOWHERE]) is NOWHERE


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("set", ({"a": {"b": [1]}}, "x", 1)),
        ("unset", ({"a": {"b": [1]}, "x": 1}, "x")),
        ("omit", ({"a": {"b": [1]}, "x": 1}, ["x"])),
        ("pick", ({"a": {"b": [1]}, "x": 1}, ["a"])),
    ],
)
def test_what_maps_give_shares_nothing_with_what_they_took(name: str, arguments: tuple[Any, ...]) -> None:
    found = call(opened("collection/maps"), name, *arguments)
    found["a"]["b"].append(2)
    assert arguments[0]["a"]["b"] == [1]


def test_a_value_that_is_set_is_a_copy() -> None:
    value = [1]
    found = call(opened("collection/maps"), "set", {"a": [{}, {}]}, "a.*.b", value)
    found["a"][0]["b"].append(2)
    assert (value, found) == ([1], {"a": [{"b": [1, 2]}, {"b": [1]}]})


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("get", ([], "a"), "collection/maps.get: the argument must be a map, not list"),
        ("get", ({}, 1), "collection/maps.get: the second argument must be a string, not int"),
        ("get", ({}, ".".join("a" * 201)), "collection/maps.get: a path has at most 200 parts, not 201"),
        ("set", ({"a": 1}, "a.b", 1), 'collection/maps.set: "a" is int, not a map or a list'),
        ("set", ({"a": [1]}, "a.1", 1), 'collection/maps.set: "a" has no element 1'),
        ("set", ({"a": [1]}, "a.b", 1), 'collection/maps.set: "a" has no element b'),
        ("pick", ({}, "a"), "collection/maps.pick: the second argument must be a list, not string"),
        ("pick", ({}, [1]), "collection/maps.pick: the second argument must be a list of strings, not int"),
    ],
)
def test_maps_failures(name: str, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("collection/maps"), name, *arguments)
    assert raised.value.message == message


def test_keys_that_are_no_strings_are_kept() -> None:
    source = {1: "a", BOOL_KEYS[True]: "b", "c": "d"}
    assert call(opened("collection/maps"), "unset", source, "c") == {1: "a", BOOL_KEYS[True]: "b"}


def test_a_map_in_itself_is_not_copied_for_ever() -> None:
    source: dict[str, object] = {}
    source["a"] = source
    with pytest.raises(Failure, match="nested too deeply"):
        call(opened("collection/maps"), "set", source, "b", 1)
