"""json: the documentation's examples, Go's way of writing JSON, and hostile texts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import call, host_function, opened

from solon.lang.sentinel.values import BOOL_KEYS, Failure, Undefined

NOWHERE = Undefined("no key")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{ "foo": 42 }', {"foo": 42}),
        ("[1, -1, 0]", [1, -1, 0]),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("9223372036854775807", 9223372036854775807),
        ("-9223372036854775808", -9223372036854775808),
        ("9223372036854775808", 9223372036854775808.0),
        ("null", None),
        (" true ", True),
        ('"\\u00e9\\n"', "é\n"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud800"', "\ufffd"),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("[" * 400 + "]" * 400, None),
    ],
)
def test_unmarshal(text: str, value: object) -> None:
    found = call(opened("json"), "unmarshal", text)
    if text.startswith("[["):
        value = []
        for _ in range(399):
            value = [value]
    assert (type(found), found) == (type(value), value)
    assert call(opened("json"), "valid", text) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "json.unmarshal: line 1, column 1: expecting value"),
        ('{"a":\n nope}', "json.unmarshal: line 2, column 2: expecting value"),
        ("[1] 2", "json.unmarshal: line 1, column 5: extra data"),
        ("NaN", "json.unmarshal: NaN is no JSON"),
        ("1e999999", "json.unmarshal: the number 1e999999 is too large"),
        ("1" * 500, f"json.unmarshal: the number {'1' * 40} is too large"),
        ("[" * 401 + "]" * 401, "json.unmarshal: nested more than 400 levels deep"),
        ("[" * 1_000_000, "json.unmarshal: nested more than 400 levels deep"),
        ('{"a":' * 1_000_000, "json.unmarshal: nested more than 400 levels deep"),
    ],
)
def test_what_is_no_json_is_an_error(text: str, message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("json"), "unmarshal", text)
    assert raised.value.message == message
    assert call(opened("json"), "valid", text) is False


def test_brackets_in_strings_are_no_depth() -> None:
    text = '["' + "[" * 1000 + '\\"' + "{" * 1000 + '"]'
    assert call(opened("json"), "unmarshal", text) == ["[" * 1000 + '"' + "{" * 1000]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        ("foo", '"foo"'),
        ([], "[]"),
        ({}, "{}"),
        ([{}, []], "[{},[]]"),
        ([1.5, 2.0, 1e21, 1e-7, -0.25, 100.0], "[1.5,2,1e+21,1e-7,-0.25,100]"),
        (9223372036854775807, "9223372036854775807"),
        ("<a&b>\u2028é\x01", '"\\u003ca\\u0026b\\u003e\\u2028é\\u0001"'),
        ({2: "b", 10: "a"}, '{"10":"a","2":"b"}'),
        ({BOOL_KEYS[True]: 1, 1.5: 2}, '{"1.5":2,"true":1}'),
        # What is undefined is left out (0.29.0).
        ([1, NOWHERE, 2], "[1,2]"),
        ({"a": NOWHERE, "b": [NOWHERE]}, '{"b":[]}'),
        ("\udcff", '"\ufffd"'),
    ],
)
def test_marshal(value: object, text: str) -> None:
    assert call(opened("json"), "marshal", value) == text


def test_marshal_of_undefined_is_undefined() -> None:
    assert call(opened("json"), "marshal", NOWHERE) is NOWHERE


def deep(levels: int) -> list[object]:
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("marshal", [host_function("f", lambda: 1, 0)], "json.marshal: func has no JSON"),
        ("marshal", math.inf, "json.marshal: +Inf has no JSON"),
        ("marshal", deep(401), "json.marshal: nested more than 400 levels deep"),
        ("unmarshal", {}, "json.unmarshal: the argument must be a string, not map"),
        ("valid", 1, "json.valid: the argument must be a string, not int"),
    ],
)
def test_failures(name: str, argument: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("json"), name, argument)
    assert raised.value.message == message


def test_a_list_in_itself_is_not_written_for_ever() -> None:
    items: list[object] = []
    items.append(items)
    with pytest.raises(Failure, match="nested more than 400 levels deep"):
        call(opened("json"), "marshal", items)


ints = st.integers(-(2**63), 2**63 - 1)
scalars = st.none() | st.booleans() | ints | st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(values)
def test_json_gives_back_what_it_took(value: object) -> None:
    text = call(opened("json"), "marshal", value)
    assert call(opened("json"), "unmarshal", text) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_gives_itself_back_as_a_number(number: float) -> None:
    text = call(opened("json"), "marshal", number)
    assert float(call(opened("json"), "unmarshal", text)) == number


@given(st.text(alphabet='[]{}",:0123456789truefalsn\\u \n-.eE', max_size=60))
def test_no_text_crashes(text: str) -> None:
    members = opened("json")
    if call(members, "valid", text):
        call(members, "unmarshal", text)
    else:
        with pytest.raises(Failure):
            call(members, "unmarshal", text)
