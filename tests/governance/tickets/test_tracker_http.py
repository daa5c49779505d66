"""Requests to a tracker: what is tried again, what is waited for, what is refused, and what is never shown."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from local_http import LocalServer, Response

from solon.governance.pace import Clock, Pace
from solon.governance.tickets.http import Connection, secret
from solon.governance.tickets.tracker import TrackerError, TrackerUnavailable

NOW = 1_800_000_000.0
TOKEN = "s3cr3t-t0k3n"


class Time:
    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def server(running: LocalServer) -> LocalServer:
    running.faults.clear()
    running.requests.clear()
    running.application = lambda _request: Response(200, {"ok": True})
    return running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def connection(server: LocalServer, time: Time) -> Iterator[Connection]:
    clock = Clock(lambda: time.now, time.sleep)
    made = Connection(
        server.url,
        {"Authorization": f"Bearer {TOKEN}"},
        clock=clock,
        pace=Pace(600, clock),
        secrets=(TOKEN,),
        max_bytes=1 << 20,
    )
    yield made
    made.close()


def limited(status: int, message: str = "slow down", **headers: str) -> Response:
    return Response(status, {"message": message}, {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    "fault, waits",
    [
        (limited(429, retry_after="7"), [7.0]),
        (limited(403, retry_after="7"), [7.0]),
        (limited(429, retry_after="Fri, 15 Jan 2027 08:00:30 GMT"), [30.0]),
        (limited(403, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 99)), [100.0]),
        (limited(429, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) - 5)), [1.0]),
        # Without a header: at least a minute, as GitHub asks for.
        (limited(403, "You have exceeded a secondary rate limit."), [60.0]),
        (limited(429), [60.0]),
        (limited(429, retry_after="soon"), [60.0]),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_limit_is_waited_for(
    server: LocalServer, time: Time, connection: Connection, method: str, fault: Response, waits: list[float]
) -> None:
    server.faults.append(fault)
    assert connection.send(method, "/x").value == {"ok": True}
    assert time.slept == waits
    assert len(server.requests) == 2


def test_a_second_limit_is_waited_for_longer(server: LocalServer, time: Time, connection: Connection) -> None:
    server.faults.extend([limited(429)] * 3)
    connection.get("/x")
    assert time.slept == [60.0, 120.0, 240.0]


@pytest.mark.parametrize(
    "fault",
    [
        limited(429, retry_after="3600"),
        limited(403, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 3599)),
    ],
)
def test_a_limit_that_lasts_ends_the_run(
    server: LocalServer, time: Time, connection: Connection, fault: Response
) -> None:
    server.faults.append(fault)
    with pytest.raises(TrackerUnavailable) as caught:
        connection.get("/x")
    assert str(caught.value) == (
        f"{server.url[7:]}: it limits our rate for 3,600 s; run again later, it goes on from here"
    )
    assert time.slept == []


def test_a_limit_without_end_ends_the_run(server: LocalServer, connection: Connection) -> None:
    server.faults.extend([limited(429, retry_after="1")] * 10)
    with pytest.raises(TrackerUnavailable):
        connection.get("/x")
    assert len(server.requests) == 5


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_what_changes_nothing_twice_is_tried_again(
    server: LocalServer, time: Time, connection: Connection, method: str
) -> None:
    server.faults.extend([Response(502), Response(503, None, {"Retry-After": "9"}), Response(500)])
    assert connection.send(method, "/x").status == 200
    assert time.slept == [1.0, 9.0, 4.0]


def test_what_may_have_been_done_is_not_done_twice(
    server: LocalServer, time: Time, connection: Connection
) -> None:
    server.faults.append(Response(502))
    with pytest.raises(TrackerError, match="status 502: no reason given"):
        connection.send("POST", "/x", {})
    assert len(server.requests) == 1
    assert time.slept == []


def test_a_server_that_is_down(time: Time) -> None:
    clock = Clock(lambda: time.now, time.sleep)
    pace = Pace(600, clock)
    dead = Connection("http://127.0.0.1:9", {}, clock=clock, pace=pace, secrets=())
    with pytest.raises(TrackerUnavailable, match=r"^127\.0\.0\.1:9: .*refused.*; run again later"):
        dead.send("POST", "/x", {})
    dead.close()
    assert time.slept == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    "answer, problem",
    [
        (Response(422, {"message": "Validation Failed", "errors": [{"field": "title", "code": "missing"}]}),
         "status 422: Validation Failed; title missing"),
        (Response(400, {"errorMessages": ["bad"], "errors": {"summary": "too long"}}),
         "status 400: bad; summary: too long"),
        (Response(404, {"message": "Not Found"}), "status 404: Not Found"),
        (Response(403, {"message": "Resource not accessible by integration"}),
         "status 403: Resource not accessible by integration"),
        (Response(400, raw=b"<html>"), "status 400: no reason given"),
        (Response(400, [1]), "status 400: no reason given"),
        (Response(400, {"message": "\x1b[31m@all\n" + "x" * 5000}), "status 400: \ufffd[31m@\u200ball xx"),
        (Response(400, {"message": f"you sent {TOKEN}"}), "status 400: you sent ***"),
        (Response(401, {"message": "Bad credentials"}), "status 401: Bad credentials"),
        (Response(301, {"message": "Moved"}, {"Location": "/elsewhere"}),
         "status 301: it has moved; redirects are not followed, change the address"),
        (Response(200, raw=b"no json"), "answers with something that is not JSON"),
        (Response(200, raw=b"[" * 100_000), "answers with something that is not JSON"),
        (Response(200, raw=b"[" + b" " * (1 << 20) + b"]"), "answers with more than 1 MiB"),
    ],
)  # fmt: skip
def test_what_is_refused(server: LocalServer, connection: Connection, answer: Response, problem: str) -> None:
    server.faults.append(answer)
    with pytest.raises(TrackerError) as caught:
        connection.get("/x")
    assert str(caught.value).removeprefix(server.url[7:]).lstrip(": ").startswith(problem)
    assert len(str(caught.value)) < 400
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert len(server.requests) == 1


def test_a_token_that_is_not_accepted_ends_the_run(server: LocalServer, connection: Connection) -> None:
    server.faults.append(Response(401))
    with pytest.raises(TrackerUnavailable):
        connection.send("POST", "/x", {})


def test_the_token_goes_to_one_address_alone(server: LocalServer, connection: Connection) -> None:
    with LocalServer() as other:
        server.faults.append(Response(302, None, {"Location": f"{other.url}/steal"}))
        with pytest.raises(TrackerUnavailable):
            connection.get("/x")
        with pytest.raises(TrackerUnavailable, match="sends us to another host: not followed"):
            connection.get(f"{other.url}/x?page=2")
        with pytest.raises(TrackerUnavailable):
            connection.get(server.url.replace("http", "https") + "/x")
        assert other.requests == []
    assert connection.get(f"{server.url}/x?page=2").value == {"ok": True}


def test_an_answer_that_never_ends(
    time: Time, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_response: Any) -> Iterator[bytes]:
        while True:
            time.now += 50.0
            yield b" "

    monkeypatch.setattr(httpx.Response, "iter_bytes", slow)
    with pytest.raises(TrackerError, match="the answer takes too long"):
        connection.send("POST", "/x", {})


def test_what_is_sent(server: LocalServer, connection: Connection) -> None:
    connection.send("POST", "/x", {"a": 1})
    (request,) = server.requests
    assert request.body == {"a": 1}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept-encoding"] == "identity"  # what comes is as large as it seems


@pytest.mark.parametrize(
    "environ, problem",
    [
        ({}, "T is not set in the environment (see tickets: in solon.yaml)"),
        ({"T": " \n"}, "T is not set in the environment (see tickets: in solon.yaml)"),
        ({"T": "a b"}, "T holds blanks or characters beyond ASCII"),
        ({"T": "a\r\nX: y"}, "T holds blanks or characters beyond ASCII"),
        ({"T": "tökén"}, "T holds blanks or characters beyond ASCII"),
    ],
)
def test_a_token_that_is_none(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(TrackerUnavailable) as caught:
        secret(environ, "T")
    assert str(caught.value) == problem


def test_a_token_with_a_line_end() -> None:
    assert secret({"T": "abc\n"}, "T") == "abc"
