"""strings: the documentation's examples, Go's notion of characters, and growth that is bounded."""

from __future__ import annotations

import pytest
from sentinel_imports import call, opened

from solon.lang.budget import Budget, BudgetExceeded, Meter, running
from solon.lang.sentinel.values import Failure, Undefined

NOWHERE = Undefined("no key")

CALLS = [
    ("has_prefix", ("billing-id", "billing-"), True),
    ("has_prefix", ("bill-id", "billing-"), False),
    ("has_suffix", ("billing-id", "id"), True),
    ("has_suffix", ("billing-name", "id"), False),
    ("join", (["foo", "bar", "baz"], "."), "foo.bar.baz"),
    ("join", ([["foo", "bar"], "baz"], "."), "foo.bar.baz"),
    ("join", (["a", 1, 1.01, True], ","), "a,1,1.01,true"),
    ("join", ([], ","), ""),
    ("join", ([[], [["a"]]], ","), "a"),
    ("join", ([-1, 2.0, 1e21, 1e-7, False], " "), "-1 2 1e+21 1e-07 false"),
    ("replace", ("foobar", "foo", "bar"), "barbar"),
    ("replace", ("foofoofoobar", "foo", "bar", 1), "barfoofoobar"),
    ("replace", ("foofoofoobar", "foo", "bar", 2), "barbarfoobar"),
    ("replace", ("foobar", "test", "bar"), "foobar"),
    ("replace", ("foobar", "foo", "bar", 0), "foobar"),
    ("replace", ("aaa", "a", "b", -1), "bbb"),
    ("replace", ("aaa", "a", "b", 9_000_000_000_000_000_000), "bbb"),
    ("replace", ("ab", "", "-"), "-a-b-"),
    ("trim", ("iiifoobariii", "i"), "foobar"),
    ("trim", ("!1!bar foo!!1", "!1"), "bar foo"),
    ("trim", ("foo", ""), "foo"),
    ("trim_left", ("aaaaaaaafoo", "a"), "foo"),
    ("trim_left", ("!!!bar!!!", "!"), "bar!!!"),
    ("trim_right", ("foo_bar...", "."), "foo_bar"),
    ("trim_right", ("billing---", "-"), "billing"),
    ("trim_space", ("      foo    ",), "foo"),
    ("trim_space", (" bar foo ",), "bar foo"),
    ("trim_space", ("\t\n\u00a0foo\u3000\r",), "foo"),
    ("trim_space", ("\x1cfoo\x1f",), "\x1cfoo\x1f"),
    ("trim_prefix", ("billing-id", "billing-"), "id"),
    ("trim_prefix", ("bill-id", "billing-"), "bill-id"),
    ("trim_suffix", ("billing-id", "-id"), "billing"),
    ("trim_suffix", ("bill-id", "-foo"), "bill-id"),
    ("to_lower", ("FoO",), "foo"),
    ("to_upper", ("FoO",), "FOO"),
    # A character stays one character.
    ("to_lower", ("ÀΣİ",), "àσi"),
    ("to_upper", ("straße ŉ",), "STRAßE ŉ"),
    ("split", ("foo,bar,baz", ","), ["foo", "bar", "baz"]),
    ("split", (["foo", "bar", "baz"], ","), ["foo", "bar", "baz"]),
    ("split", ("foo", ","), ["foo"]),
    ("split", ("", ","), [""]),
    ("split", ("a,,b,", ","), ["a", "", "b", ""]),
    ("split", ("日本!", ""), ["日", "本", "!"]),
    ("split", ("", ""), []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "result"), CALLS)
def test_calls(name: str, arguments: tuple[object, ...], result: object) -> None:
    found = call(opened("strings"), name, *arguments)
    assert (type(found), found) == (type(result), result)


def test_a_list_passes_through_split_as_it_is() -> None:
    items = ["a"]
    assert call(opened("strings"), "split", items, ",") is items


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("has_prefix", (1, "a"), "strings.has_prefix: the argument must be a string, not int"),
        ("has_prefix", ("a", None), "strings.has_prefix: the second argument must be a string, not null"),
        ("has_prefix", ("a",), "strings.has_prefix takes 2 arguments, not 1"),
        ("join", ("a", ","), "strings.join: the argument must be a list, not string"),
        ("join", ([{}], ","), "strings.join: a list to join has strings, numbers and booleans, not map"),
        ("join", ([None], ","), "strings.join: a list to join has strings, numbers and booleans, not null"),
        ("split", ({}, ","), "strings.split: the argument must be a string or a list, not map"),
        ("replace", ("a", "b", "c", "1"), "strings.replace: the fourth argument must be an int, not string"),
        ("replace", ("a", "b"), "strings.replace takes 3 to 4 arguments, not 2"),
        ("trim_space", (True,), "strings.trim_space: the argument must be a string, not bool"),
    ],
)
def test_failures(name: str, arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(opened("strings"), name, *arguments)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("has_prefix", (NOWHERE, "a")),
        ("split", (NOWHERE, "/")),
        ("split", ("a", NOWHERE)),
        ("join", (["a", [NOWHERE]], ",")),
        ("to_lower", (NOWHERE,)),
    ],
)
def test_what_is_undefined_stays_so(name: str, arguments: tuple[object, ...]) -> None:
    assert call(opened("strings"), name, *arguments) is NOWHERE


def test_a_list_in_itself_is_not_joined_for_ever() -> None:
    items: list[object] = ["a"]
    items.append(items)
    with pytest.raises(Failure, match=r"strings\.join: a list holds itself"):
        call(opened("strings"), "join", items, ",")


BIG = "a" * 2_000_000


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("replace", (BIG, "", "b" * 1000)),
        ("replace", (BIG, "a", "b" * 1000)),
        ("join", (["a"] * 10_000, BIG)),
        ("split", (BIG * 4, "")),
        ("split", (BIG * 4, "a")),
    ],
)
def test_what_grows_too_large_is_refused_before_it_is_made(name: str, arguments: tuple[object, ...]) -> None:
    meter = Meter(Budget(seconds=None, steps=None, memory=200 << 20))
    running[_thread()] = meter
    try:
        with pytest.raises(BudgetExceeded, match="more than 200 MB"):
            call(opened("strings"), name, *arguments)
    finally:
        del running[_thread()]


def _thread() -> int:
    import threading

    return threading.get_ident()
