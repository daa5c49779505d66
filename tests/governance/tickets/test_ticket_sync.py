"""Tickets in a tracker follow the findings, whatever stops a run in between."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from fake_trackers import TOKEN, USER, FakeGitHub, FakeJira
from hypothesis import example, given, settings
from hypothesis import strategies as st
from local_http import LocalServer

from solon.governance.pace import Clock
from solon.governance.tickets import adf, markdown
from solon.governance.tickets.http import Connection
from solon.governance.tickets.plan import Action, Existing, Note, Operation, plan
from solon.governance.tickets.settings import GitHubSettings, JiraSettings, TicketSettings
from solon.governance.tickets.sync import carry_out, tracker_of
from solon.governance.tickets.ticket import Offence, Ticket, wanted
from solon.governance.tickets.tracker import Result, TrackerError, TrackerUnavailable

Subjects = frozenset[tuple[str, str, str]]  # policy, owner, name


class Crash(Exception):
    """The run ends here."""


class Crashing:
    """Ends the run at one of its writes, before the tracker has seen it or after."""

    def __init__(self, at: int, after: bool) -> None:
        self.left, self.after = at, after

    def __enter__(self) -> None:
        self.send = send = Connection.send

        def crash(connection: Connection, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
            if method == "GET" or "search" in path:
                return send(connection, method, path, *args, **kwargs)
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Crash
            answer = send(connection, method, path, *args, **kwargs)
            if self.left == 0:
                raise Crash
            return answer

        Connection.send = crash  # type: ignore[method-assign]

    def __exit__(self, *_error: object) -> None:
        Connection.send = self.send  # type: ignore[method-assign]


class World:
    """A tracker, its server, and runs against it."""

    def __init__(self, server: LocalServer, kind: str) -> None:
        self.server = server
        server.requests.clear()
        self.fake: Any = FakeGitHub(url=server.url) if kind == "github" else FakeJira(page=2)
        server.application = self.fake
        self.settings = TicketSettings(
            github=GitHubSettings("org/policies", api=server.url) if kind == "github" else None,
            jira=JiraSettings(server.url, "GOV") if kind == "jira" else None,
            per_minute=600,
        )

    def run(self, subjects: Subjects) -> list[Result]:
        environ = {"GITHUB_TOKEN": TOKEN, "JIRA_TOKEN": TOKEN, "JIRA_USER": USER}
        tracker = tracker_of(self.settings, environ, clock=Clock(lambda: 0.0, lambda _seconds: None))
        try:
            return list(carry_out(tracker, plan(tickets(subjects), tracker.existing())))
        finally:
            tracker.close_connection()

    def seen(self) -> list[dict[str, Any]]:
        """What people see of the tickets, and what they say of themselves."""
        if isinstance(self.fake, FakeGitHub):
            return [
                {
                    "key": markdown.state_in(
                        issue["body"], issue["labels"][1]["name"].removeprefix("solon-")
                    ),
                    "open": issue["state"] == "open",
                    "text": issue["body"],
                    "comments": [
                        c["body"].partition("\n")[0] for c in self.fake.comments.get(issue["number"], [])
                    ],
                }
                for issue in self.fake.issues
            ]
        return [
            {
                "key": copy.deepcopy(issue["properties"].get("solon")),
                "open": issue["fields"]["status"]["name"] != "Done",
                "text": json.dumps(issue["fields"]["description"]),
                "comments": [adf.text_in(c["body"]) for c in issue["comments"]],
            }
            for issue in self.fake.issues
        ]

    def person(self, what: str, number: int) -> None:
        """Somebody closes, opens or rewrites a ticket."""
        if number >= len(self.fake.issues):
            return
        issue = self.fake.issues[number]
        if isinstance(self.fake, FakeGitHub):
            if what == "rewrites":
                issue["body"] = "mine"
            else:
                issue["state"] = what
        elif what == "rewrites":
            issue["properties"].pop("solon", None)
        else:
            self.fake.set_status(issue, "Done" if what == "closed" else "In Progress")


def tickets(subjects: Subjects) -> list[Ticket]:
    return wanted(
        Offence(policy, "", "low", owner, f"k8s://{name}", name, "f.yaml", 1, "bad")
        for policy, owner, name in subjects
    )


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture(params=["github", "jira"])
def world(request: pytest.FixtureRequest, server: LocalServer) -> World:
    return World(server, request.param)


A, B, C = ("p", "team", "a"), ("p", "team", "b"), ("p", "other", "c")


CLOSED_TOO_EARLY = (
    "This was closed while 1 subject still violated the policy, so it is open again. It is closed by itself when "
    "nothing is left. What has to stay as it is needs a waiver."
)


def test_a_life(world: World) -> None:
    def done(*subjects: tuple[str, str, str]) -> list[str]:
        results = world.run(frozenset(subjects))
        assert not [r.problem for r in results if r.problem]
        return [r.operation.action.value for r in results]

    assert done(A, C) == ["create", "create"]
    assert done(A, C) == []
    assert done(A, B, C) == ["update"]
    assert done(B, C) == ["update"]
    assert done(B) == ["close"]
    assert done(B) == []
    assert done(B, C) == ["reopen"]
    world.person("closed", 1)
    assert done(B, C) == ["reopen"]
    assert done() == ["close", "close"]
    assert done() == []
    assert [(t["open"], t["comments"]) for t in world.seen()] == [
        (
            False,
            [
                "No finding of this policy is left for this owner.",
                "There are findings again: 1 subject.",
                "No finding of this policy is left for this owner.",
            ],
        ),
        (
            False,
            [
                "More subjects are concerned: 2, before 1.",
                CLOSED_TOO_EARLY,
                "No finding of this policy is left for this owner.",
            ],
        ),
    ]


SUBJECTS = st.frozensets(
    st.tuples(st.sampled_from("pq"), st.sampled_from(["", "team"]), st.sampled_from("abc")), max_size=6
)
PEOPLE = st.lists(st.tuples(st.sampled_from(["open", "closed", "rewrites"]), st.integers(0, 3)), max_size=2)
CRASHES = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=2)
STEPS = st.lists(st.tuples(SUBJECTS, PEOPLE, CRASHES), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", ["github", "jira"])
@given(steps=STEPS)
@example(
    steps=[
        (frozenset({("p", "", "a")}), [], []),
        (frozenset({("p", "", "a"), ("p", "", "b")}), [("closed", 0)], [(3, False)]),
    ]
)
@settings(max_examples=40, deadline=None)
def test_a_run_that_was_stopped_is_finished_by_the_next(server: LocalServer, kind: str, steps: Any) -> None:
    """The same tickets and comments as without any crash, one for each policy and owner; twice changes nothing."""
    stopped = World(server, kind)
    for subjects, people, crashes in steps:
        for what, number in people:
            stopped.person(what, number)
        for at, after in crashes:
            with Crashing(at, after), suppress(Crash):
                stopped.run(subjects)
        stopped.run(subjects)
        writes = len(server.writes())
        assert stopped.run(subjects) == []
        assert len(server.writes()) == writes
    after_crashes = stopped.seen()
    assert sum(t["open"] for t in after_crashes) == len(tickets(steps[-1][0]))

    straight = World(server, kind)
    for subjects, people, _ in steps:
        for what, number in people:
            straight.person(what, number)
        straight.run(subjects)
    assert after_crashes == straight.seen()


def test_two_runs_at_once_leave_one_ticket(world: World) -> None:
    world.run(frozenset({A}))
    world.fake.issues.append(copy.deepcopy(world.fake.issues[0]))
    world.fake.issues[1].update({"number": 2, "id": "10001", "key": "GOV-2"})
    assert [r.operation.action for r in world.run(frozenset({A}))] == [Action.CLOSE_DUPLICATE]
    first, second = world.seen()
    assert (first["open"], second["open"]) == (True, False)
    assert second["comments"][0].startswith("A duplicate of ")
    assert world.run(frozenset({A})) == []
    world.run(frozenset())
    world.run(frozenset({A}))
    assert [t["open"] for t in world.seen()] == [True, False]


def test_requests_are_paced(server: LocalServer) -> None:
    world = World(server, "github")
    slept: list[float] = []
    now = [1000.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    settings_ = TicketSettings(github=GitHubSettings("org/policies", api=server.url), per_minute=3)
    tracker = tracker_of(settings_, {"GITHUB_TOKEN": TOKEN}, clock=Clock(lambda: now[0], sleep))
    subjects = frozenset(("p", f"team-{n}", "a") for n in range(8))
    results = list(carry_out(tracker, plan(tickets(subjects), tracker.existing())))
    tracker.close_connection()
    assert not [r for r in results if r.problem]
    assert slept == [60.0, 60.0]
    assert len(world.fake.issues) == 8


class Refusing:
    """A tracker that refuses what it is told to."""

    name = "it"

    def __init__(self, errors: list[TrackerError | None]) -> None:
        self.errors = errors

    def create(self, ticket: Ticket) -> Existing:
        error = self.errors.pop(0)
        if error:
            raise error
        return Existing("1", "#1", "", 1, ticket.key, "", True, None)

    def existing(self) -> list[Existing]:
        raise NotImplementedError

    def update(self, existing: Existing, ticket: Ticket) -> None:
        raise NotImplementedError

    reopen = update

    def close(self, existing: Existing, *, duplicate: bool) -> None:
        raise NotImplementedError

    def said(self, existing: Existing, note: Note) -> bool:
        raise NotImplementedError

    def comment(self, existing: Existing, note: Note) -> None:
        raise NotImplementedError

    def close_connection(self) -> None:
        raise NotImplementedError


NO = TrackerError("no")


@pytest.mark.parametrize(
    "errors, problems",
    [
        ([None, NO, None], ["", "no", ""]),
        ([None, TrackerUnavailable("down")], ["", "down", "not tried: down", "not tried: down"]),
        ([NO] * 5, ["no"] * 5 + ["not tried, after 5 refusals: no"] * 2),
        ([NO] * 4 + [None] + [NO] * 4, ["no"] * 4 + [""] + ["no"] * 4),
    ],
)
def test_what_is_refused_does_not_stop_the_rest(
    errors: list[TrackerError | None], problems: list[str]
) -> None:
    operations = [
        Operation(Action.CREATE, *tickets(frozenset({("p", str(n), "a")}))) for n in range(len(problems))
    ]
    assert [r.problem for r in carry_out(Refusing(errors), operations)] == problems
