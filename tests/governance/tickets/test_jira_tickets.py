"""Jira issues, against a server that behaves as its documented API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fake_trackers import TOKEN, USER, WORKFLOW, FakeJira
from local_http import LocalServer, Response

from solon.governance.pace import Clock
from solon.governance.tickets.plan import Note, State
from solon.governance.tickets.settings import JiraSettings, TicketSettings
from solon.governance.tickets.sync import tracker_of
from solon.governance.tickets.ticket import Offence, Ticket, wanted
from solon.governance.tickets.tracker import Tracker, TrackerError, TrackerUnavailable


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def server(running: LocalServer) -> LocalServer:
    running.faults.clear()
    running.requests.clear()
    return running


@pytest.fixture
def jira(server: LocalServer) -> FakeJira:
    fake = FakeJira()
    server.application = fake
    return fake


Connect = Callable[..., Tracker]


@pytest.fixture
def tracker(server: LocalServer, jira: FakeJira) -> Iterator[Connect]:  # noqa: ARG001 - it answers
    """Each is a new run."""
    opened: list[Tracker] = []

    def connect(user_env: str = "JIRA_USER", token: str = TOKEN, issue_type: str = "Task") -> Tracker:
        where = JiraSettings(
            server.url + "/", "GOV", user_env=user_env, issue_type=issue_type, labels=["governance"]
        )
        environ = {"JIRA_USER": USER, "JIRA_TOKEN": token}
        settings = TicketSettings(jira=where, per_minute=600)
        opened.append(tracker_of(settings, environ, clock=Clock(lambda: 0.0, lambda _seconds: None)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close_connection()


def ticket(policy: str = "p", message: str = "bad") -> Ticket:
    return wanted([Offence(policy, "", "low", "team", "k8s://a", "a", "f.yaml", 1, message, "fix it")])[0]


def status(issue: dict[str, Any]) -> str:
    return str(issue["fields"]["status"]["name"])


@pytest.mark.parametrize("user_env", ["JIRA_USER", ""])
def test_create_and_find(server: LocalServer, jira: FakeJira, tracker: Connect, user_env: str) -> None:
    one = tracker(user_env)
    made = one.create(ticket())
    assert (made.id, made.reference, made.url) == ("10000", "GOV-1", f"{server.url}/browse/GOV-1")
    assert jira.issues[0]["fields"]["labels"] == ["solon", f"solon-{ticket().key}", "governance"]
    assert jira.issues[0]["fields"]["summary"] == "p (team)"
    (found,) = one.existing()
    assert found == replace(made, age=10000)
    assert found.state == State(ticket().digest, 1, "")


def test_all_pages_are_read(jira: FakeJira, tracker: Connect) -> None:
    jira.page = 3
    one = tracker()
    for n in range(8):
        one.create(ticket(f"p{n}"))
    jira.set_status(jira.issues[4], "Done")
    assert [e.reference for e in one.existing()] == [f"GOV-{n}" for n in range(1, 9)]
    assert [e.reference for e in one.existing() if not e.open] == ["GOV-5"]


def test_only_our_issues_are_ours(jira: FakeJira, tracker: Connect) -> None:
    one = tracker()
    for n in range(3):
        one.create(ticket(f"p{n}"))
    jira.issues[0]["fields"]["labels"] = ["solon"]
    jira.issues[1]["fields"]["labels"].remove("solon")
    assert [e.reference for e in one.existing()] == ["GOV-3"]


def test_update_close_and_reopen(jira: FakeJira, tracker: Connect) -> None:
    one = tracker()
    made = one.create(ticket())
    (issue,) = jira.issues
    one.update(made, ticket(message="worse"))
    (found,) = one.existing()
    assert found.state == State(ticket(message="worse").digest, 1, "")
    assert "worse" in str(issue["fields"]["description"])
    one.close(found, duplicate=False)
    assert status(issue) == "Done"
    (found,) = one.existing()
    assert not found.open
    assert found.state == State(ticket(message="worse").digest, 1, "", settled=True)
    one.reopen(found, ticket())
    assert status(issue) == "To Do"  # rather than In Progress, which comes first
    (found,) = one.existing()
    assert found.state == State(ticket().digest, 1, "")
    one.close(found, duplicate=True)
    assert one.existing()[0].state == State(ticket().digest, 1, "")


def test_a_transition_that_asks_for_something_is_not_taken(jira: FakeJira, tracker: Connect) -> None:
    jira.workflow = {**WORKFLOW, "To Do": WORKFLOW["To Do"][:2]}
    one = tracker()
    with pytest.raises(TrackerError) as caught:
        one.close(one.create(ticket()), duplicate=False)
    assert str(caught.value) == (
        "GOV-1: no transition to a status of category done that asks for no field and is allowed to us; change the "
        "workflow of the project"
    )
    assert status(jira.issues[0]) == "To Do"


def test_work_that_goes_on_is_open_as_well(jira: FakeJira, tracker: Connect) -> None:
    jira.workflow = {**WORKFLOW, "Done": WORKFLOW["Done"][:1]}
    one = tracker()
    made = one.create(ticket())
    one.close(made, duplicate=False)
    one.reopen(made, ticket())
    assert status(jira.issues[0]) == "In Progress"
    assert one.existing()[0].open


def test_the_last_thing_said(server: LocalServer, jira: FakeJira, tracker: Connect) -> None:
    one = tracker()
    made = one.create(ticket())
    close, update = Note("close", "Done."), Note("update", "More.")
    assert not one.said(made, close)
    one.comment(made, close)
    assert one.said(made, close)
    jira.issues[0]["comments"].append({"author": {"accountId": "ann"}, "body": "thanks"})
    assert one.said(made, close)
    one.comment(made, update)
    assert not one.said(made, close)
    jira.issues[0]["comments"].append(
        {"author": {"accountId": "ann"}, "body": jira.issues[0]["comments"][0]["body"]}
    )
    assert one.said(made, update)
    assert len([r for r in server.requests if r.path.endswith("/myself")]) == 1


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "x",
        {},
        {"digest": 1, "subjects": 1, "blocks": ""},
        {"digest": "a", "subjects": "1", "blocks": ""},
        {"digest": "a", "subjects": 1, "blocks": "@all"},
    ],
)
def test_a_state_that_is_none(jira: FakeJira, tracker: Connect, stored: Any) -> None:
    tracker().create(ticket())
    jira.issues[0]["properties"]["solon"] = stored
    assert tracker().existing()[0].state is None


def test_an_issue_that_is_refused(tracker: Connect) -> None:
    with pytest.raises(TrackerError, match="status 400: issuetype: Specify a valid issue type"):
        tracker(issue_type="Bug").create(ticket())
    with pytest.raises(TrackerError, match="status 400: summary: Summary must be one line"):
        tracker().create(replace(ticket(), title="x" * 300))


def test_a_wrong_token(tracker: Connect) -> None:
    with pytest.raises(TrackerUnavailable, match="status 401: Client must be authenticated") as caught:
        tracker(token="0ther").existing()
    assert "0ther" not in str(caught.value)


def test_an_odd_answer_is_not_a_ticket(server: LocalServer, tracker: Connect) -> None:
    server.faults.append(
        Response(200, {"issues": [1, {}, {"id": "x"}, {"id": "1", "fields": {"labels": None}}]})
    )
    assert tracker().existing() == []
    server.faults.append(Response(200, ["odd"]))
    assert tracker().existing() == []
