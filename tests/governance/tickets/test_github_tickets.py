"""GitHub issues, against a server that behaves as its documented API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fake_trackers import TOKEN, FakeGitHub
from local_http import LocalServer, Response

from solon.governance.pace import Clock
from solon.governance.tickets.plan import Note, State
from solon.governance.tickets.settings import GitHubSettings, TicketSettings
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
def github(server: LocalServer) -> FakeGitHub:
    fake = FakeGitHub(url=server.url)
    server.application = fake
    return fake


Connect = Callable[..., Tracker]


@pytest.fixture
def tracker(server: LocalServer, github: FakeGitHub) -> Iterator[Connect]:  # noqa: ARG001 - it answers
    """Each is a new run."""
    opened: list[Tracker] = []

    def connect(label: str = "solon", token: str = TOKEN) -> Tracker:
        where = GitHubSettings("org/policies", token_env="GH", api=server.url + "/", labels=["governance"])
        settings = TicketSettings(github=where, label=label, per_minute=600)
        opened.append(tracker_of(settings, {"GH": token}, clock=Clock(lambda: 0.0, lambda _seconds: None)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close_connection()


def ticket(policy: str = "p", message: str = "bad") -> Ticket:
    return wanted([Offence(policy, "", "low", "team", "k8s://a", "a", "f.yaml", 1, message)])[0]


def test_create(github: FakeGitHub, tracker: Connect) -> None:
    made = tracker().create(ticket())
    assert (made.id, made.reference, made.url) == ("1", "#1", "https://github.example/org/policies/issues/1")
    (issue,) = github.issues
    assert issue["title"] == "p (team)"
    assert [label["name"] for label in issue["labels"]] == ["solon", f"solon-{ticket().key}", "governance"]


def test_what_is_created_is_found(tracker: Connect) -> None:
    made = tracker().create(ticket())
    (found,) = tracker().existing()
    assert found == made
    assert found.state == State(ticket().digest, 1, "")
    assert found.open


def test_all_pages_are_read(server: LocalServer, github: FakeGitHub, tracker: Connect) -> None:
    one = tracker()
    for n in range(120):
        one.create(ticket(f"p{n:03}"))
    github.issues[7]["state"] = "closed"
    found = one.existing()
    assert [e.age for e in found] == list(range(1, 121))
    assert [e.age for e in found if not e.open] == [8]
    assert len([r for r in server.requests if r.method == "GET"]) == 3


def test_only_our_issues_are_ours(github: FakeGitHub, tracker: Connect) -> None:
    """Not pull requests, not issues without both labels, not those of another repository of policies."""
    one = tracker()
    for n in range(5):
        one.create(ticket(f"p{n}"))
    github.issues[0]["pull_request"] = {}
    github.issues[1]["labels"] = [{"name": "solon"}]
    github.issues[2]["labels"] = github.issues[2]["labels"][1:]
    tracker(label="platform").create(ticket("p5"))
    assert [e.age for e in one.existing()] == [4, 5]
    assert [e.age for e in tracker(label="platform").existing()] == [6]


def test_a_label_in_another_case_is_the_label(github: FakeGitHub, tracker: Connect) -> None:
    tracker().create(ticket())
    github.issues[0]["labels"][0]["name"] = "Solon"
    assert [e.age for e in tracker().existing()] == [1]


def test_an_issue_without_text_is_still_ours(github: FakeGitHub, tracker: Connect) -> None:
    tracker().create(ticket())
    github.issues[0]["body"] = None
    (found,) = tracker().existing()
    assert found.state is None
    tracker().close(found, duplicate=False)
    assert github.issues[0]["state"] == "closed"


def test_update_close_and_reopen(github: FakeGitHub, tracker: Connect) -> None:
    one = tracker()
    made = one.create(ticket())
    one.update(made, ticket(message="worse"))
    (issue,) = github.issues
    assert "worse" in issue["body"]
    (found,) = one.existing()
    one.close(found, duplicate=False)
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    (found,) = one.existing()
    assert found.state == State(ticket(message="worse").digest, 1, "", settled=True)
    assert "worse" in issue["body"]
    one.reopen(found, ticket())
    assert (issue["state"], issue["state_reason"]) == ("open", "reopened")
    assert one.existing()[0].state == State(ticket().digest, 1, "")
    one.close(found, duplicate=True)
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")


def test_labels_and_comments_of_people_stay(github: FakeGitHub, tracker: Connect) -> None:
    one = tracker()
    made = one.create(ticket())
    github.issues[0]["labels"].append({"name": "sprint-7"})
    github.comments[1] = [{"body": "on it"}]
    one.update(made, ticket(message="worse"))
    one.comment(made, Note("close", "Done."))
    assert github.issues[0]["labels"][-1] == {"name": "sprint-7"}
    assert github.comments[1][0] == {"body": "on it"}
    assert github.comments[1][1]["body"] == "Done.\n\n<!-- solon:note close -->"


def test_the_last_thing_said(github: FakeGitHub, tracker: Connect) -> None:
    one = tracker()
    made = one.create(ticket())
    close, update = Note("close", "Done."), Note("update 0123456789abcdef", "More.")
    assert not one.said(made, close)
    one.comment(made, close)
    assert one.said(made, close)
    github.comments[1] += [{"body": "thanks"} for _ in range(230)]
    assert not one.said(made, update)
    one.comment(made, update)
    assert one.said(made, update)
    assert not one.said(made, close)


def test_a_token_that_may_not_set_labels(github: FakeGitHub, tracker: Connect) -> None:
    """GitHub drops them silently; the issue would not be found again."""
    github.push = False
    with pytest.raises(TrackerUnavailable, match="the token may not set labels; it needs write access"):
        tracker().create(ticket())
    assert [issue["state"] for issue in github.issues] == ["closed"]


@pytest.mark.parametrize(
    "fault, problem",
    [
        (Response(410, {"message": "Issues has been disabled in this repository."}), "status 410: Issues has been disabled"),
        (Response(404, {"message": "Not Found"}), "status 404: Not Found"),
        (Response(301, {"message": "Moved Permanently"}, {"Location": "x"}), "status 301: it has moved"),
        (Response(200, {"message": "?"}), "something else than a list"),
    ],
)  # fmt: skip
def test_what_github_refuses(server: LocalServer, tracker: Connect, fault: Response, problem: str) -> None:
    server.faults.append(fault)
    with pytest.raises(TrackerError, match=problem):
        tracker().existing()


def test_an_issue_that_is_refused(tracker: Connect) -> None:
    with pytest.raises(TrackerError, match="status 422: Validation Failed; title invalid"):
        tracker().create(replace(ticket(), title="x" * 300))


def test_a_wrong_token(tracker: Connect) -> None:
    with pytest.raises(TrackerUnavailable, match="status 401: Bad credentials") as caught:
        tracker(token="0ther").existing()
    assert "0ther" not in str(caught.value)


def test_an_odd_answer_is_not_a_ticket(server: LocalServer, tracker: Connect) -> None:
    odd = [{}, {"number": "1"}, "x", {"number": 1, "labels": [{"name": None}]}]
    server.faults.append(Response(200, odd))
    assert tracker().existing() == []
