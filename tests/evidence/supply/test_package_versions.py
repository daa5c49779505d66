"""The order of versions: PEP 440 is that of `packaging`, SemVer that of its specification."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence.supply import versions
from solon.evidence.supply.versions import semver

# Section 11 of SemVer 2.0.0, and what precedes it.
ASCENDING = ["0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0", "2"]  # fmt: skip


def test_precedence_is_that_of_the_specification() -> None:
    for lower, higher in itertools.combinations(ASCENDING, 2):
        assert semver(lower) < semver(higher)


@pytest.mark.parametrize(("one", "other"), [("v1.2", "1.2.0"), ("1.0.0+build.5", "1.0.0"), ("1", "1.0.0")])
def test_versions_that_are_the_same(one: str, other: str) -> None:
    assert semver(one) == semver(other)


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4", "1..2", "１.0.0", "1." + "9" * 300, "-1.0.0"])
def test_what_is_no_semantic_version(text: str) -> None:
    assert semver(text) is None


@pytest.mark.parametrize("text", ["", "latest", "2004d", "1.0-", "9" * 5000, "1." * 500])
def test_what_is_no_version_of_a_python_package(text: str) -> None:
    assert versions.pep440(text) is None


def test_a_local_build_is_of_a_public_version() -> None:
    assert versions.without_local(versions.pep440("2.1.0+cu118")) == versions.pep440("2.1.0")
    assert versions.without_local(versions.pep440("2.1.0")) == versions.pep440("2.1.0")


TEXT = st.text(alphabet="0123456789.-+abrcv", max_size=30)


@given(TEXT, TEXT)
@settings(max_examples=100)
def test_whatever_is_read_can_be_compared(one: str, other: str) -> None:
    for parse in (semver, versions.pep440):
        a, b = parse(one), parse(other)
        if a is not None and b is not None:
            assert (a < b) + (a == b) + (a > b) == 1
