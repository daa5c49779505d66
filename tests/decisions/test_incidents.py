from __future__ import annotations

import json
from typing import Any

import pytest

from solon.decisions import incidents
from solon.decisions.incidents import Incident, folded
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Kind

NS = 1_772_357_400_000_000_000  # 2026-03-01T09:30:00Z
ONE = Incident(
    "inc-1", "d-1", "2026-02-28T10:00:00.000000000Z", "wrong", ("a", "b"), "payments", "k8s:///p/Pod/x", "it was not",
    "ann", "2026-03-01T09:30:00.000000000Z", ("d-2",),
)  # fmt: skip
ADDED = incidents.added(ONE, NS, {"uri": ONE.subject, "team": "payments", "namespace": "p", "secret": "x"})


def ended(resolution: str, at: int = NS + 1, note: str = "done") -> bytes:
    return incidents.ended(
        ONE, at, resolution=resolution, by="ben", note=note, entry=f"inc-1/closed-{resolution}"
    )


def test_a_mark_is_an_entry_of_the_log() -> None:
    entry = entry_of(ADDED)
    assert (entry.kind, entry.id, entry.time_ns, entry.outcome) == (Kind.INCIDENT, "inc-1", NS, "")
    assert entry_of(ended("fixed")).kind is Kind.INCIDENT
    assert json.loads(ADDED)["solon"]["subject"] == {
        "uri": "k8s:///p/Pod/x",
        "team": "payments",
        "namespace": "p",
    }


def test_what_was_marked_is_what_is_read() -> None:
    assert folded([ADDED]) == [ONE]
    assert (ONE.open, ONE.counts, ONE.state) == (True, True, "open")
    assert ONE.decided_us == 1_772_272_800_000_000


@pytest.mark.parametrize("resolution, counts", [("fixed", True), ("retracted", False)])
def test_closing(resolution: str, counts: bool) -> None:
    for order in ([ADDED, ended(resolution)], [ended(resolution), ADDED]):
        (found,) = folded(order)
        assert (found.open, found.counts, found.state) == (False, counts, resolution)
        assert (found.closed, found.closed_by, found.note) == (
            "2026-03-01T09:30:00.000000001Z",
            "ben",
            "done",
        )


def test_the_first_mark_and_the_last_end_hold() -> None:
    again = incidents.added(
        Incident(**{**{name: getattr(ONE, name) for name in ONE.__slots__}, "reason": "other"}), NS + 9, {}
    )
    (found,) = folded([ADDED, again, ended("fixed"), ended("retracted", NS + 5)])
    assert (found.reason, found.state) == ("it was not", "retracted")


def changed(**said: Any) -> bytes:
    event = json.loads(ADDED)
    event["solon"]["incident"].update(said)
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"timestamp":"x","solon":{}}',
        b"[" * 100_000,
        changed(kind="odd"),
        changed(action="reopen"),
        changed(policies="a"),
        changed(decided="yesterday"),
        changed(id=7),
        ended("fixed"),
    ],
)
def test_what_is_no_mark_is_passed_over(event: bytes) -> None:
    assert folded([event]) == []
