"""Events of the log, as a replay reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from decision_events import event, finding

from solon.decisions.replay.recorded import Found, amounts_to, recorded


@pytest.mark.parametrize(
    ("path", "result", "outcome"),
    [
        ("main/allow", True, "allow"),
        ("main/allow", False, "deny"),
        ("main/deny", True, "deny"),
        ("main/deny", False, "allow"),
        ("main/deny", [], "allow"),
        ("main/deny", ["no"], "deny"),
        ("main/deny_root", ["no"], "deny"),
        ("main/violation", [{"msg": "no"}], "deny"),
        ("main/warn", ["careful"], "warn"),
        ("main", {"deny": [], "warn": []}, "allow"),
        ("main", {"deny": ["no"], "warn": ["careful"]}, "deny"),
        ("main", {"violation": [{"msg": "no"}]}, "deny"),
        ("main", {"deny": [], "warn": ["careful"]}, "warn"),
        ("http/authz", {"allow": True}, "allow"),
        ("http/authz", {"allowed": False}, "deny"),
        ("system/main", {"response": {"allowed": False}}, "deny"),
        ("system/main", {"response": {"allowed": True}}, "allow"),
        ("roles", ["admin"], ""),
        ("roles", {"admin": 1}, ""),
        ("roles", None, ""),
        ("main/deny", None, ""),
        ("count", 3, ""),
    ],
)
def test_what_an_answer_of_opa_amounts_to(path: str, result: Any, outcome: str) -> None:
    assert amounts_to(result, path) == outcome


def read(value: dict[str, Any], **more: Any):
    return recorded(json.dumps(value), **more)


def test_an_event_of_solon() -> None:
    then = read(event(1, "2026-03-01T08:00:00Z", "deny", findings=[finding("labels.required")]))
    assert (then.id, then.outcome, then.uri, then.team) == (
        "d-1",
        "deny",
        "k8s:///payments/Deployment/web",
        "payments",
    )
    assert then.findings == (Found("labels.required", "deny", "labels.required says no"),)
    assert (then.revisions, then.problem, then.time_ns) == (frozenset({"r1"}), "", 1_772_352_000_000_000_000)


SAME = event(1, "2026-03-01T08:00:00Z")
SUBJECT = SAME["solon"]["subject"]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"decision_id": "d-2", "timestamp": "2026-04-01T08:00:00Z", "result": {"allow": False}}, True),
        ({"solon": {**SAME["solon"], "outcome": "deny", "subject": {**SUBJECT, "line": 99}}}, True),
        ({"input": {"kind": "Pod"}}, False),
        ({"solon": {**SAME["solon"], "subject": {**SUBJECT, "team": "search"}}}, False),
        ({"solon": {**SAME["solon"], "subject": {**SUBJECT, "labels": {"tier": "1"}}}}, False),
        ({"masked": ["/input/kind"]}, False),
    ],
)
def test_which_inputs_are_the_same(change: dict[str, Any], same: bool) -> None:
    assert (read(SAME).key == read({**SAME, **change}).key) is same


def test_at_their_own_times_no_two_inputs_are_the_same() -> None:
    later = {**SAME, "timestamp": "2026-04-01T08:00:00Z"}
    assert read(SAME, at_its_time=True).key != read(later, at_its_time=True).key


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"input": None}, "its input is not in the log"),
        ({"erased": ["/input"]}, "its input was erased or masked as a whole"),
        ({"masked": ["/input"]}, "its input was erased or masked as a whole"),
        ({"solon": None, "path": None}, "the event does not say what was asked"),
        ({"timestamp": "yesterday"}, "the event cannot be read"),
    ],
)
def test_why_a_decision_cannot_be_judged_again(change: dict[str, Any], problem: str) -> None:
    changed = {name: value for name, value in {**SAME, **change}.items() if value is not None}
    assert read(changed).problem == problem


def test_an_input_that_is_null_is_one() -> None:
    assert recorded(json.dumps({**SAME, "input": None})).problem == ""


@pytest.mark.parametrize("text", ["", "[]", "{", '{"decision_id": 7, "timestamp": "x"}', "\x00"])
def test_what_is_no_event(text: str) -> None:
    assert recorded(text).problem == "the event cannot be read"


@pytest.mark.parametrize("odd", [7, "x", [], [7], {"a": 7}, None, True])
@pytest.mark.parametrize("field", ["solon", "bundles", "masked", "erased", "path", "result", "error"])
def test_anything_may_stand_anywhere(field: str, odd: Any) -> None:
    then = read({**SAME, field: odd})
    assert then.id == "d-1"


def test_what_was_hidden_in_the_input_alone_counts() -> None:
    then = read({**SAME, "masked": ["/input/a", "/result/x", "/input/a~1b/0"], "erased": ["/input/c", 7]})
    assert then.hidden == ("/a", "/a~1b/0", "/c")
