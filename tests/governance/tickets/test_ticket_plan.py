"""From wanted and existing tickets to operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from solon.governance.tickets.plan import Action, Existing, Operation, State, plan
from solon.governance.tickets.ticket import Offence, Ticket, wanted


def ticket(*subjects: str, blocks: bool = False) -> Ticket:
    offence = Offence("p", "P", "low", "team", "", "", "f.yaml", 1, "bad", blocks=blocks)
    (only,) = wanted(replace(offence, uri=f"k8s://{name}", name=name) for name in subjects)
    return only


T = ticket("a", "b")
SAME = State(T.digest, 2, "")


def existing(number: int = 1, *, open: bool = True, state: State | None = SAME, key: str = T.key) -> Existing:
    return Existing(str(number), f"#{number}", "https://…", number, key, T.title, open, state)


def told(operations: list[Operation]) -> list[tuple[str, str, str]]:
    return [
        (o.action.value, o.existing.reference if o.existing else "", o.note.text if o.note else "")
        for o in operations
    ]


REOPENED = (
    "This was closed while 2 subjects still violated the policy, so it is open again. It is closed by itself when "
    "nothing is left. What has to stay as it is needs a waiver."
)
LEFT = "No finding of this policy is left for this owner."


@pytest.mark.parametrize(
    "tickets, found, done",
    [
        ([], [], []),
        ([T], [], [("create", "", "")]),
        ([T], [existing()], []),
        ([T], [existing(state=replace(SAME, digest="old"))], [("update", "#1", "")]),
        ([T], [existing(state=None)], [("update", "#1", "")]),
        ([T], [existing(state=replace(SAME, settled=True))], [("update", "#1", "")]),
        ([T], [existing(state=State("old", 5, ""))], [("update", "#1", "")]),
        (
            [T],
            [existing(state=State("old", 1, ""))],
            [("update", "#1", "More subjects are concerned: 2, before 1.")],
        ),
        (
            [T],
            [existing(state=State("old", 2, "2026-12-01"))],
            [("update", "#1", "Nothing is blocked, and no date is set (before: 2026-12-01).")],
        ),
        (
            [ticket("a", blocks=True)],
            [existing(state=State("old", 0, "2026-12-01"))],
            [
                (
                    "update",
                    "#1",
                    "More subjects are concerned: 1, before 0. Changes are blocked now (before: 2026-12-01).",
                )
            ],
        ),
        ([T], [existing(open=False)], [("reopen", "#1", REOPENED)]),
        ([T], [existing(open=False, state=None)], [("reopen", "#1", REOPENED)]),
        (
            [T],
            [existing(open=False, state=replace(SAME, settled=True))],
            [("reopen", "#1", "There are findings again: 2 subjects.")],
        ),
        ([], [existing()], [("close", "#1", LEFT)]),
        ([], [existing(state=None)], [("close", "#1", LEFT)]),
        ([], [existing(open=False)], []),
        # Two runs made one each: the older stays.
        (
            [T],
            [existing(2), existing(1)],
            [("close duplicate", "#2", "A duplicate of #1, which is kept up to date instead.")],
        ),
        (
            [],
            [existing(1), existing(2)],
            [
                ("close duplicate", "#2", "A duplicate of #1, which is kept up to date instead."),
                ("close", "#1", LEFT),
            ],
        ),
        ([T], [existing(1), existing(2, open=False)], []),
        ([T], [existing(1, open=False), existing(2)], []),
        ([T], [existing(1, open=False), existing(2, open=False)], [("reopen", "#1", REOPENED)]),
        # Another policy's ticket does not stand in the way.
        ([T], [existing(key="0" * 16)], [("create", "", ""), ("close", "#1", LEFT)]),
    ],
)
def test_what_is_done(tickets: list[Ticket], found: list[Existing], done: list[tuple[str, str, str]]) -> None:
    assert told(plan(tickets, found)) == done


def test_nothing_is_closed_where_something_was_not_judged() -> None:
    found = [existing(), existing(2), existing(3, key="0" * 16)]
    assert [o.action for o in plan([], found, complete=False)] == [Action.CLOSE_DUPLICATE]


def test_what_carries_the_words_of_a_note_has_another_id() -> None:
    """A comment is left out where it was the last thing said: the next round must be another one."""
    ids = [
        plan([T], [existing(open=False)])[0].note,
        plan([ticket("a", "b", "c")], [existing(open=False)])[0].note,
        plan([ticket("a", "b", "c")], [existing()])[0].note,
        plan([], [existing()])[0].note,
        plan([], [existing(state=State("old", 2, ""))])[0].note,
    ]
    assert len({note.id for note in ids if note}) == 5
