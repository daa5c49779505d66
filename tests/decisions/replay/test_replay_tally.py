"""What a replay comes to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.replay.comparison import Kind
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Found, Recorded, digest_of, recorded
from solon.decisions.replay.tally import Tally

DENIED = Verdict("deny", (Found("p", "deny", "no"),))


def then(number: int, uri: str = "", **more: object) -> Recorded:
    return Recorded(f"d{number:04}", number, "allow", "solon/check", uri=uri or f"u{number}", **more)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 1000)), max_size=80), st.integers(1, 4))
def test_the_newest_of_each_subject_are_kept(decisions: list[tuple[int, int]], examples: int) -> None:
    tally = Tally(frozenset(), examples)
    newest: dict[str, tuple[int, str]] = {}
    for subject, time_ns in decisions:
        uri = f"u{subject}"
        tally.add(then(time_ns, uri), DENIED)
        newest[uri] = max(newest.get(uri, (0, "")), (time_ns, f"d{time_ns:04}"))
    found = [(each.time_ns, each.id) for each in tally.kept([Kind.DENIED])]
    assert found == sorted(newest.values(), reverse=True)[:examples]
    assert tally.of_kind(Kind.DENIED) == len(decisions)
    assert len(tally.total.stopped) == len(newest)


def test_all_are_kept_where_that_is_asked() -> None:
    tally = Tally(frozenset(), 0)
    for number in range(50):
        tally.add(then(number), DENIED)
    assert len(tally.kept()) == 50


def test_teams_and_policies() -> None:
    tally = Tally(frozenset(), 5, {"q": frozenset({"inventory"})})
    tally.add(then(1, team="a"), DENIED)
    tally.add(then(2, team="a"), Verdict("deny", (Found("q", "deny", "no"),), team="b", doubtful=True))
    tally.add(then(3, team="a"), Verdict("allow"))
    tally.add(then(4, problem="its input is not in the log"), None)
    assert {team: dict(counts.kinds) for team, counts in tally.teams.items()} == {
        "a": {Kind.DENIED: 1, Kind.SAME: 1},
        "b": {Kind.DENIED: 1},
    }
    assert {name: (p.denied, p.found, p.teams) for name, p in tally.policies.items()} == {
        "p": (1, 1, {"a"}),
        "q": (1, 1, {"b"}),
    }
    assert [each.depends for each in tally.kept()] == [("masked values", "data.inventory"), ()]
    assert (tally.decisions, tally.compared, dict(tally.undone)) == (4, 3, {"its input is not in the log": 1})
    assert (tally.total.doubtful, tally.on_masked) == (1, 1)


@pytest.mark.parametrize(
    ("event", "undone", "same"),
    [({}, 0, 1), ({"result": None}, 0, 1), ({"result": True}, 1, 0), ({"error": {"code": "x"}}, 1, 0)],
)
def test_a_document_that_gave_nothing_then_and_is_not_there_now(
    event: dict[str, Any], undone: int, same: int
) -> None:
    said = {"decision_id": "o", "timestamp": "2026-03-01T08:00:00Z", "path": "a/b", "input": {}, **event}
    tally = Tally(frozenset(), 5)
    tally.add(
        recorded(json.dumps(said)), Verdict(answer=digest_of(None), problem="the candidate has no data.a.b")
    )
    assert (sum(tally.undone.values()), tally.of_kind(Kind.SAME)) == (undone, same)
