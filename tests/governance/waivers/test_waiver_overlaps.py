"""Which waivers exempt something in common."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiver_strategies import NAMES, START, TRAITS, exemption, exemptions

from solon.governance.scope import Scope, compiled, has_wildcard, overlap
from solon.governance.waivers.overlaps import overlaps
from solon.governance.waivers.waiver import Exemption, State, Waiver

POLICIES = ["a", "b", "ab", "abc"]


def pairs(several: list[Exemption], now: datetime = START) -> list[tuple[str, str]]:
    return sorted((found.one.id, found.other.id) for found in overlaps(several, POLICIES, now))


def one(name: str, policy: str | list[str], first: int = 0, days: int = 10, **scope: object) -> Exemption:
    created = START + timedelta(days=first)
    return exemption(
        name, Waiver(policy=policy, scope=Scope(**scope)), created, created + timedelta(days=days)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "first, second, meet",
    [
        (one("1", "a", namespace="x"), one("2", "a", namespace="x"), True),
        (one("1", "a", namespace="x"), one("2", "a", namespace="y"), False),
        (one("1", "a", namespace="x"), one("2", "b", namespace="x"), False),
        (one("1", "a", namespace="x"), one("2", "*", namespace="x"), True),
        (one("1", "z*", namespace="x"), one("2", "z*", namespace="x"), False),  # no policy is called so
        (one("1", "new", namespace="x"), one("2", ["b", "new"], namespace="x"), True),
        (one("1", "a", namespace="x*"), one("2", "a", namespace="xy"), True),
        (one("1", "a", namespace="x*"), one("2", "a", namespace="*y"), True),
        (one("1", "a", namespace="x*a"), one("2", "a", namespace="x*b"), False),
        (one("1", "a", namespace=["x", "y"]), one("2", "a", namespace=["y", "z"]), True),
        (one("1", "a", namespace="x"), one("2", "a", team="t"), True),
        (one("1", "a", namespace="x", team="s"), one("2", "a", namespace="x", team="t"), False),
        (one("1", "a", resource="deployment/web"), one("2", "a", resource="Deployment/web"), True),
        (one("1", "a", resource="Deployment/web"), one("2", "a", resource="Deployment/Web"), False),
        (one("1", "a", labels={"app": "x"}), one("2", "a", labels={"app": "y"}), False),
        (one("1", "a", labels={"app": "x"}), one("2", "a", labels={"env": "y"}), True),
        # One begins when the other has ended.
        (one("1", "a", namespace="x"), one("2", "a", first=10, namespace="x"), False),
        (one("1", "a", namespace="x"), one("2", "a", first=9, namespace="x"), True),
    ],
)
def test_two_that_may_meet(first, second, meet):
    assert pairs([first, second]) == ([("1", "2")] if meet else [])
    assert len(pairs([second, first])) == meet


def test_what_has_expired_overlaps_nothing():
    several = [one("1", "a", namespace="x"), one("2", "a", namespace="x")]
    assert pairs(several, START + timedelta(days=9, hours=23))
    assert not pairs(several, START + timedelta(days=10))


def brute_force(several: list[Exemption], now: datetime) -> list[tuple[str, str]]:
    def names(each: Exemption) -> set[str]:
        return {p for p in POLICIES if each.names(p)} | {g for g in each.policies if not has_wildcard(g)}

    return sorted(
        (first.id, second.id)
        for first, second in combinations(several, 2)
        if State.EXPIRED not in (first.state(now), second.state(now))
        and max(first.created, second.created) < min(first.expires, second.expires)
        and names(first) & names(second)
        and overlap(first.waiver.scope, second.waiver.scope)
    )


@settings(max_examples=200, deadline=None)
@given(exemptions(), st.integers(0, 30))
def test_as_asking_each_pair_would_give(several, day):
    now = START + timedelta(days=day)
    assert pairs(several, now) == brute_force(several, now)


@settings(max_examples=200, deadline=None)
@given(exemptions(), NAMES, TRAITS, st.integers(0, 30))
def test_two_that_cover_one_thing_overlap(several, policy, traits, day):
    """Whatever ``overlap`` makes of globs: who exempts the same subject at the same time is a pair."""
    now = START + timedelta(days=day)
    covering = [
        each.id
        for each in several
        if each.state(now) is State.ACTIVE and each.names(policy) and compiled(each.waiver.scope)(traits)
    ]
    found = {(o.one.id, o.other.id) for o in overlaps(several, [*POLICIES, policy], now)}
    assert set(combinations(covering, 2)) <= found


@pytest.mark.parametrize(
    "scope",
    [
        lambda n: {"namespace": f"team-{n}"},
        lambda n: {"namespace": f"team-{n}-*", "environment": "prod"},
        lambda n: {"resource": f"deployment/web-{n}", "namespace": "shared"},
        lambda n: {"labels": {"app": f"web-{n}", "tier": "front"}},
        lambda n: {"namespace": "shared", "subject": [f"k8s://a/{n}/*", f"k8s://b/{n}/*"]},
    ],
)
def test_ten_thousand_are_not_compared_in_pairs(scope, monkeypatch):
    """Fifty million pairs would take minutes; what is asked is about as many as there are."""
    asked = 0

    def counted(one: Scope, other: Scope) -> bool:
        nonlocal asked
        asked += 1
        return overlap(one, other)

    monkeypatch.setattr("solon.governance.waivers.overlaps.overlap", counted)
    several = [one(str(n), "a", **scope(n)) for n in range(10_000)]
    several.append(one("more", "a", **scope(4_321)))
    assert pairs(several) == [("4321", "more")]
    assert asked < 50_000


def test_they_are_told_as_they_are_found():
    """Ten thousand of one scope are fifty million pairs: who wants some does not wait for all."""
    several = [one(str(n), "a", namespace="x") for n in range(10_000)]
    found = overlaps(several, POLICIES, START)
    assert [next(found).one.id for _ in range(3)]
