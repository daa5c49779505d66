"""version: the documentation's examples, the constraints of go-version, and an order that is total."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentinel_imports import MISSING, call, opened

from solon.lang.sentinel.values import Failure, Undefined

NOWHERE = Undefined("no key")
ALPHA = "1.0.0-alpha.1+001"


def version(text: object) -> Any:
    return call(opened("version"), "new", text)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (ALPHA, (1, 0, 0, "alpha.1", "001", ALPHA)),
        ("1.2", (1, 2, 0, "", "", "1.2.0")),
        ("v3", (3, 0, 0, "", "", "3.0.0")),
        ("1.2.3.4", (1, 2, 3, "", "", "1.2.3.4")),
        ("1.2.3beta", (1, 2, 3, "beta", "", "1.2.3-beta")),
        ("1.2.3+build.5", (1, 2, 3, "", "build.5", "1.2.3+build.5")),
        ("01.002.0-01", (1, 2, 0, "01", "", "1.2.0-01")),
    ],
)
def test_members(text: str, members: tuple[object, ...]) -> None:
    names = ("major", "minor", "patch", "prerelease", "metadata", "version")
    assert tuple(version(text).get(name, MISSING) for name in names) == members


@pytest.mark.parametrize(
    ("one", "name", "other", "result"),
    [
        (ALPHA, "greater_than", "0.12.0-alpha.1+001", True),
        (ALPHA, "gt", "1.0.1-alpha.1+001", False),
        (ALPHA, "greater_than_or_equals", ALPHA, True),
        (ALPHA, "gte", "1.0.1-alpha.1+001", False),
        (ALPHA, "less_than", "1.0.1-alpha.1+001", True),
        (ALPHA, "lt", "0.12.0-alpha.1+001", False),
        (ALPHA, "less_than_or_equals", ALPHA, True),
        (ALPHA, "lte", "0.12.0-alpha.1+001", False),
        (ALPHA, "equals", ALPHA, True),
        (ALPHA, "eq", "0.12.0-alpha.1+001", False),
        # The page's examples of `compare` have -1 and 1 the wrong way round; its sentence is what holds.
        (ALPHA, "compare", "0.12.0-alpha.1+001", 1),
        (ALPHA, "compare", ALPHA, 0),
        ("0.12.0-alpha.1+001", "cmp", ALPHA, -1),
        ("1.0", "eq", "1.0.0.0", True),
        ("1.0.0", "eq", "1.0.0+other", True),
        ("1.10.0", "gt", "1.9.0", True),
        ("1.0.0-beta", "lt", "1.0.0", True),
        ("1.0.0-beta.11", "gt", "1.0.0-beta.2", True),
        ("1.0.0-alpha.1", "lt", "1.0.0-alpha.beta", True),
        ("1.0.0-alpha", "lt", "1.0.0-alpha.1", True),
        ("1.0.0-rc.1", "gt", "1.0.0-beta.11", True),
    ],
)
def test_comparison(one: str, name: str, other: str, result: object) -> None:
    assert call(version(one), name, other) == result
    assert call(version(one), name, version(other)) == result


@pytest.mark.parametrize(
    ("text", "constraint", "result"),
    [
        (ALPHA, "> 1.0.0-alpha.1+001", False),
        (ALPHA, ">= 1.0.0-alpha.1+001", True),
        (ALPHA, ">= 1.0.0-alpha.1+001, < 1.0.0-beta+001", True),
        ("1.0.0", "= 1.0.0", True),
        ("0.12.7", "~> 0.12.0", True),
        ("0.13.0", "~> 0.12.0", False),
        ("0.12.7", "~> 0.12", True),
        ("0.13.0", "~> 0.12", True),
        ("1.0.0", "~> 0.12", False),
        ("1.9.9", "~> 1", True),
        ("2.0.0", "~> 1", True),
        ("0.9.0", "~> 1", False),
        ("1.2.3.5", "~> 1.2.3.4", True),
        ("1.2.4", "~> 1.2.3.4", False),
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "1.2", False),
        ("1.2.3", ">1.0,<2.0", True),
        ("2.0.0", ">1.0,<2.0", False),
        ("1.2.3", "!= 1.2.3", False),
        ("1.2.4", "!= 1.2.3", True),
        # A pre-release is no answer to a constraint that does not name one of the same release.
        ("1.1.0-beta", ">= 1.0.0", False),
        ("1.1.0-beta", ">= 1.0.0-alpha", False),
        ("1.0.0-beta", ">= 1.0.0-alpha", True),
        ("1.1.0-beta", "~> 1.0", False),
        ("1.1.0", ">= 1.0.0-alpha", True),
        ("1.1.0", "~> 1.0-alpha", False),
    ],
)
def test_satisfies(text: str, constraint: str, result: bool) -> None:
    assert call(version(text), "satisfies", constraint) is result
    assert call(version(text), "sat", constraint) is result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "version: this is not a version: ''"),
        ("latest", "version: this is not a version: 'latest'"),
        ("1..2", "version: this is not a version: '1..2'"),
        (" 1.0", "version: this is not a version: ' 1.0'"),
        ("1.٣", "version: this is not a version: '1.٣'"),
        ("1." * 100_000, f"version: this is not a version: '{'1.' * 30}'"),
        ("1.9999999999999999999", "version: a number is too large: '1.9999999999999999999'"),
        (1.2, "version.new: the argument must be a version or a string, not float"),
    ],
)
def test_what_is_no_version(text: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        version(text)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("", "version: this is not a constraint: ''"),
        (">= 1.0,", "version: this is not a constraint: ''"),
        ("=> 1.0", "version: this is not a constraint: '=> 1.0'"),
        (">= 1.0 < 2.0", "version: this is not a constraint: '>= 1.0 < 2.0'"),
        (1, "version.satisfies: the argument must be a string, not int"),
    ],
)
def test_what_is_no_constraint(constraint: object, message: str) -> None:
    with pytest.raises(Failure) as raised:
        call(version("1.0.0"), "satisfies", constraint)
    assert raised.value.message == message


def test_undefined() -> None:
    assert version(NOWHERE) is NOWHERE
    assert call(version("1.0"), "gt", NOWHERE) is NOWHERE
    assert version("1.0").get("none", MISSING) is MISSING


part = st.sampled_from(["0", "1", "02", "10", "a", "b", "alpha", "beta", "A-1"])
texts = st.builds(
    lambda numbers, pre: ".".join(map(str, numbers)) + ("-" + ".".join(pre) if pre else ""),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.lists(part, max_size=3),
)


@given(texts, texts, texts)
def test_the_order_is_total(one: str, two: str, three: str) -> None:
    def compare(left: str, right: str) -> Any:
        return call(version(left), "compare", right)

    assert compare(one, two) == -compare(two, one)
    assert compare(one, one) == 0
    if compare(one, two) <= 0 and compare(two, three) <= 0:
        assert compare(one, three) <= 0
    assert call(version(one), "lt", two) is (compare(one, two) == -1)
    assert compare(version(one).get("version", MISSING), one) == 0


@given(texts, texts)
def test_a_version_satisfies_itself_and_what_it_compares_to(one: str, other: str) -> None:
    assert call(version(one), "sat", f"= {one}") is True
    assert call(version(one), "sat", f">= {one}, <= {one}, ~> {one}") is True
    if call(version(one), "sat", f"> {other}"):
        assert call(version(one), "gt", other) is True
