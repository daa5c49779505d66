"""Then and now."""

from __future__ import annotations

import pytest

from solon.decisions.replay.comparison import Cause, Kind, compared
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Found, Recorded


def found(words: str) -> tuple[Found, ...]:
    """``a:deny b:warn`` are findings of two policies."""
    return tuple(Found(*each.split(":"), "says so") for each in words.split())


def both(was: str, then: str, outcome: str, now: str, **more: object):
    recorded = Recorded("d", 1, was, "solon/check", findings=found(then), revisions=frozenset({"r1"}), **more)
    return compared(recorded, Verdict(outcome, found(now)), frozenset({"r2"}))


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("allow", "deny", "newly denied"),
        ("warn", "deny", "newly denied"),
        ("error", "deny", "newly denied"),
        ("", "deny", "newly denied"),
        ("allow", "error", "newly fails"),
        ("deny", "error", "newly fails"),
        ("deny", "allow", "newly allowed"),
        ("deny", "warn", "newly allowed"),
        ("error", "allow", "newly allowed"),
        ("error", "warn", "newly allowed"),
        ("allow", "warn", "newly warned"),
        ("warn", "allow", "no longer warned"),
        ("", "allow", "other findings"),
        ("allow", "", "other findings"),
        *((each, each, "as before") for each in ("allow", "warn", "deny", "error", "")),
    ],
)
def test_what_becomes_of_an_outcome(was: str, now: str, kind: str) -> None:
    assert both(was, "", now, "").kind.value == kind


@pytest.mark.parametrize(
    ("then", "now", "shifts"),
    [
        ("", "a:deny", [("a", "", "deny", Cause.POLICY)]),
        ("a:deny", "", [("a", "deny", "", Cause.POLICY)]),
        ("a:warn", "a:deny", [("a", "warn", "deny", Cause.STAGE)]),
        ("a:recorded", "a:warn", [("a", "recorded", "warn", Cause.STAGE)]),
        ("a:waived", "a:deny", [("a", "waived", "deny", Cause.WAIVER)]),
        ("a:deny", "a:waived", [("a", "deny", "waived", Cause.WAIVER)]),
        ("a:overridden", "a:deny", [("a", "overridden", "deny", Cause.BREAKGLASS)]),
        ("a:deny", "a:error", [("a", "deny", "error", Cause.POLICY)]),
        ("a:deny b:warn", "b:warn a:deny", []),
        ("a:deny", "a:deny a:deny", [("a", "deny", "deny", Cause.POLICY)]),  # one more of it
        ("a:deny a:warn", "a:warn a:deny", []),
        ("a:deny", "b:deny", [("a", "deny", "", Cause.POLICY), ("b", "", "deny", Cause.POLICY)]),
    ],
)
def test_what_policies_do_differently(then: str, now: str, shifts: list[object]) -> None:
    found = both("deny", then, "deny", now)
    assert [(s.policy, s.was, s.now, s.cause) for s in found.shifts] == shifts
    assert found.kind is (Kind.OTHER if shifts else Kind.SAME)


def test_what_break_glass_let_through_is_not_newly_denied() -> None:
    assert both("warn", "a:overridden", "deny", "a:deny").kind is Kind.OTHER
    assert both("warn", "a:overridden", "allow", "").kind is Kind.ALLOWED


def test_another_answer_of_opa_that_is_no_outcome() -> None:
    then = Recorded("d", 1, "", "roles/of", answer=b"x")
    assert compared(then, Verdict("", answer=b"x"), frozenset()).kind is Kind.SAME
    assert compared(then, Verdict("", answer=b"y"), frozenset()).kind is Kind.OTHER


@pytest.mark.parametrize(
    ("revisions", "was", "then", "now", "outcome", "unexplained"),
    [
        ({"r1"}, "allow", "", "a:deny", "deny", True),
        ({"r2"}, "allow", "", "a:deny", "deny", False),  # another revision
        (set(), "allow", "", "a:deny", "deny", False),  # the event has none
        ({"r1"}, "warn", "a:warn", "a:deny", "deny", False),  # a rollout went on
        ({"r1"}, "allow", "a:waived", "a:deny", "deny", False),  # a waiver ended
        ({"r1"}, "allow", "", "", "allow", False),
        ({"r1"}, "allow", "", "", "deny", True),
    ],
)
def test_the_same_policies_that_say_something_else_are_unexplained(
    revisions: set[str], was: str, then: str, now: str, outcome: str, unexplained: bool
) -> None:
    recorded = Recorded("d", 1, was, "p", findings=found(then), revisions=frozenset(revisions))
    assert compared(recorded, Verdict(outcome, found(now)), frozenset({"r1"})).unexplained is unexplained
