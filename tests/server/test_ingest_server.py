"""The upload protocol over HTTP, with a real OPA too, and through crashes."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from decision_logs import KEY
from log_receiver import LogReceiver, Reply, needs_opa, uploading_opa

from solon.decisions.event_rules import EventRules
from solon.decisions.ingest import Limits, Receiver
from solon.decisions.log import settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.server import run
from solon.server.ingest import Ingest
from solon.server.metrics import Metrics

JSON = {"Content-Type": "application/json"}
GZIP = JSON | {"Content-Encoding": "gzip"}
EVENT = {"decision_id": "a", "timestamp": "2026-03-01T09:30:00Z"}
BODY = json.dumps([EVENT]).encode()
LIMITS = Limits(body=2_000, plain=20_000)


@pytest.fixture
def place(tmp_path: Path) -> str:
    settings.create(str(tmp_path / "log"), KEY)
    return str(tmp_path / "log")


def ids(place: str) -> list[str]:
    log = Log(place)
    return [stored.says.id for shard in log.shards() for stored in log.entries(shard.name)]


# --- the application


class Asked:
    """Asks an application, with its start and its end."""

    def __init__(self, place: str, **options: Any) -> None:
        self.log = Log(place)
        self.receiver = Receiver(self.log, EventRules(), LIMITS, time.time_ns)
        self.said: list[str] = []
        self.ingest = Ingest(self.receiver, LIMITS, say=self.said.append, **options)

    def __call__(self, method: str, path: str, content: Any = b"", headers: Any = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            app = self.ingest.application()
            transport = httpx.ASGITransport(app=app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://t") as client,
            ):
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def asked(place: str) -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def make(**options: Any) -> Asked:
        made.append(Asked(place, **options))
        return made[-1]

    yield make
    for each in made:
        each.log.close()


@pytest.mark.parametrize("path", ["/logs", "/logs/eu", "/logs/eu/west"])
def test_uploads_are_kept(asked: Callable[..., Asked], place: str, path: str) -> None:
    answer = asked()("POST", path, gzip.compress(BODY), GZIP)
    assert (answer.status_code, answer.json()) == (200, {"kept": 1, "duplicates": 0, "dropped": 0})
    assert ids(place) == ["a"]


def test_a_bad_event_is_named_in_an_answer_that_opa_takes_for_a_success(asked: Callable[..., Asked]) -> None:
    asks = asked()
    answer = asks("POST", "/logs", json.dumps([EVENT, 7]).encode(), JSON)
    assert answer.status_code == 207
    assert answer.json()["refused"] == [{"index": 1, "problem": "is no JSON object"}]
    assert "event 1 is no JSON object" in asks.said[0]


@pytest.mark.parametrize(
    ("content", "headers", "status", "error"),
    [
        (b"{}", JSON, 400, "the body is no array of events"),
        (b"", JSON, 400, "the body is no array of events"),
        (BODY, GZIP, 400, "the body is not a whole gzip file"),
        (BODY, JSON | {"Content-Encoding": "zstd"}, 415, "the encoding 'zstd' is not known"),
        (BODY, {"Content-Type": "text/plain"}, 415, "send Content-Type: application/json"),
        (BODY, {}, 415, "send Content-Type: application/json"),
        (BODY, JSON | {"Origin": "https://evil.example"}, 403, "a web page may not send decisions"),
        (b"[" + b" " * 2_000 + b"]", JSON, 413, "a body has at most 2,000 bytes as it is sent"),
        (gzip.compress(b"[" + b" " * 20_000 + b"]", mtime=0), GZIP, 413, "more than 20,000 bytes unpacked"),
    ],
)
def test_what_is_no_upload_is_refused(
    asked: Callable[..., Asked], place: str, content: bytes, headers: Any, status: int, error: str
) -> None:
    answer = asked()("POST", "/logs", content, headers)
    assert answer.status_code == status
    assert error in answer.json()["error"]
    assert ids(place) == []


def test_a_body_without_a_length_is_cut_off_at_the_limit(asked: Callable[..., Asked]) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_000
            yield b" " * 1_000

    assert asked()("POST", "/logs", endless(), JSON).status_code == 413
    assert sent <= 4_000


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Bearer s3cret", 200),
        ("bearer  s3cret", 200),
        ("Bearer s3cre", 401),
        ("Bearer s3cret2", 401),
        ("Bearer ", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("Bearer caf\u00e9".encode("latin-1"), 401),
        (None, 401),
    ],
)
def test_uploads_need_the_token_where_there_is_one(
    asked: Callable[..., Asked], given: Any, status: int
) -> None:
    headers = JSON | ({"Authorization": given} if given is not None else {})
    asks = asked(token="s3cret")
    answer = asks("POST", "/logs", BODY, headers)
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert asks("GET", "/healthz").status_code == 200


def test_what_is_not_durable_is_not_acknowledged(
    asked: Callable[..., Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = asked()

    def full(_entries: Any) -> Any:
        raise LogError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(asks.log, "append", full)
        answer = asks("POST", "/logs", BODY, JSON)
        assert answer.status_code == 503
        assert "no space left on device" in answer.json()["error"]
        assert answer.headers["retry-after"] == "5"
        health = asks("GET", "/healthz")
        assert (health.status_code, health.json()["status"]) == (503, "failing")
    assert asks("POST", "/logs", BODY, JSON).json()["kept"] == 1
    assert asks("GET", "/healthz").json() == {"status": "ok", "shard": "0001", "entries": 1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/logs", 405), ("POST", "/healthz", 405), ("POST", "/", 404), ("GET", "/nothing", 404)],
)
def test_there_is_nothing_else(asked: Callable[..., Asked], method: str, path: str, status: int) -> None:
    assert asked()(method, path).status_code == status


class Counted:
    """Counts how often it was asked to count; at the time that it is told."""

    def __init__(self) -> None:
        self.times = 0
        self.time = 0.0
        self.error: Exception | None = None

    def __call__(self) -> str:
        self.times += 1
        if self.error is not None:
            raise self.error
        return f"solon_decisions_total {self.times}\n"

    @property
    def metrics(self) -> Metrics:
        return Metrics(self, lambda: self.time, every=60.0)


def test_metrics_are_counted_once_a_minute(asked: Callable[..., Asked]) -> None:
    counted = Counted()
    asks = asked(metrics=counted.metrics)
    answer = asks("GET", "/metrics")
    assert (answer.status_code, answer.text) == (200, "solon_decisions_total 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    counted.time = 59.0
    assert asks("GET", "/metrics").text == "solon_decisions_total 1\n"
    counted.time = 60.0
    assert asks("GET", "/metrics").text == "solon_decisions_total 2\n"


def test_metrics_that_cannot_be_counted_are_tried_again(asked: Callable[..., Asked]) -> None:
    counted = Counted()
    counted.error = LogError("the question took longer than 60 s")
    asks = asked(metrics=counted.metrics)
    answer = asks("GET", "/metrics")
    assert (answer.status_code, answer.text) == (503, "the question took longer than 60 s\n")
    counted.error = None
    assert asks("GET", "/metrics").status_code == 200


def test_metrics_need_the_token_where_there_is_one(asked: Callable[..., Asked]) -> None:
    asks = asked(token="s3cret", metrics=Counted().metrics)
    assert asks("GET", "/metrics").status_code == 401
    assert asks("GET", "/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_without_metrics_there_is_no_such_page(asked: Callable[..., Asked]) -> None:
    assert asked()("GET", "/metrics").status_code == 404


@pytest.mark.parametrize("said", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", ""])
def test_an_address_needs_its_port(said: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        run.listen(said)


# --- the command


class Server:
    """`solon log serve`, at a port that stays the same when it is started again."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.said = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *options: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "solon", "log", "serve", "--log", self.place,
                "--listen", f"127.0.0.1:{self.port}", *options,
            ],
            stderr=subprocess.PIPE, text=True, env=os.environ | environ,
        )  # fmt: skip
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            found = re.search(r"receiving at http://127\.0\.0\.1:(\d+)/logs", line)
            if found:
                self.port = int(found[1])
                return
        raise AssertionError(self.said)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.send_signal(number)
        self.said += self.process.stderr.read()
        self.process.stderr.close()
        return self.process.wait(30)


@pytest.fixture
def server(place: str) -> Iterator[Server]:
    found = Server(place)
    yield found
    if found.process is not None and found.process.poll() is None:
        found.end(signal.SIGKILL)


def events(first: int, end: int) -> bytes:
    return json.dumps([EVENT | {"decision_id": f"id-{number}"} for number in range(first, end)]).encode()


def accepts(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=20)
    except httpx.TransportError:
        return False
    return True


def test_a_signal_ends_it_and_leaves_a_signed_log(server: Server, place: str) -> None:
    server.start()
    httpx.post(f"{server.url}/logs", content=events(0, 3), headers=JSON).raise_for_status()
    assert server.end() == 0
    assert "all that was acknowledged is durable" in server.said
    checkpoint = Log(place).shard("0001").checkpoint(Log(place).key)
    assert checkpoint is not None
    assert checkpoint.size == 3


def test_an_upload_that_is_under_way_is_answered_before_the_end(server: Server, place: str) -> None:
    server.start()
    arrived = threading.Event()

    begun = threading.Event()

    def slowly() -> Iterator[bytes]:
        body = events(0, 3)
        yield body[:20]
        begun.set()  # the first part is sent
        arrived.wait(20)
        yield body[20:]

    answers: list[httpx.Response] = []
    thread = threading.Thread(
        target=lambda: answers.append(httpx.post(f"{server.url}/logs", content=slowly(), headers=JSON))
    )
    thread.start()
    assert begun.wait(20)
    assert httpx.get(f"{server.url}/healthz").status_code == 200  # what came before it is accepted
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    while accepts(server.url):
        time.sleep(0.01)
    arrived.set()
    thread.join(20)
    assert answers[0].json()["kept"] == 3
    assert server.end() == 0
    assert len(ids(place)) == 3


def test_what_was_acknowledged_survives_a_kill_and_is_kept_once(server: Server, place: str) -> None:
    server.start("--checkpoint-every", "0")
    acknowledged: set[str] = set()
    uploads = [(first, events(first, first + 20)) for first in range(0, 2_000, 20)]
    stop = threading.Event()

    def upload(mine: list[tuple[int, bytes]]) -> None:
        with httpx.Client() as client:
            for first, body in mine:
                while not stop.is_set():
                    try:
                        answer = client.post(f"{server.url}/logs", content=body, headers=JSON, timeout=10)
                    except httpx.HTTPError:
                        time.sleep(0.02)
                        continue
                    if answer.status_code == 200:
                        acknowledged.update(f"id-{n}" for n in range(first, first + 20))
                        break

    threads = [threading.Thread(target=upload, args=(uploads[part::4],)) for part in range(4)]
    for thread in threads:
        thread.start()
    try:
        for kill in range(2):
            while len(acknowledged) < 400 * (kill + 1) and any(thread.is_alive() for thread in threads):
                time.sleep(0.001)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            assert acknowledged <= set(ids(place))
            server.start("--checkpoint-every", "0")
        for thread in threads:
            thread.join(60)
    finally:
        stop.set()
    assert server.end() == 0
    found = ids(place)
    assert len(found) == len(set(found)) == 2_000
    assert verify(Log(place)).problems == []


@needs_opa
def test_every_decision_of_a_real_opa_arrives_once_through_kills(server: Server, place: str) -> None:
    server.start()
    policies = {"p.rego": 'package p\nallow if input.user == "ana"\n'}
    made = []
    with uploading_opa(server.url, policies) as opa:
        for number in range(300):
            made.append(
                opa.ask("p/allow", {"user": "ana" if number % 2 else "ben", "n": number})["decision_id"]
            )
            if number in (100, 200):
                server.end(signal.SIGKILL)
                made.append(opa.ask("p/allow", {"user": "while it is down"})["decision_id"])
                server.start()
        until = time.monotonic() + 30
        while set(ids(place)) != set(made) and time.monotonic() < until:
            time.sleep(0.1)
    assert server.end() == 0
    found = ids(place)
    assert sorted(found) == sorted(made)
    log = Log(place)
    kept = {stored.says.id: stored for shard in log.shards() for stored in log.entries(shard.name)}
    event = json.loads(kept[made[1]].payload or b"")
    assert (event["path"], event["input"], event["result"]) == ("p/allow", {"user": "ana", "n": 1}, True)
    assert kept[made[1]].says.outcome == "allow"
    assert verify(log).problems == []


@needs_opa
@pytest.mark.parametrize(("status", "times"), [(200, 1), (207, 1), (400, 2), (503, 2)])
def test_opa_sends_again_what_was_no_success(status: int, times: int) -> None:
    with LogReceiver() as receiver, uploading_opa(receiver.url, {"p.rego": "package p\nv := 1\n"}) as opa:
        receiver.faults.append(Reply(status))
        first = opa.ask("p/v", 1)["decision_id"]
        with receiver.changed:
            assert receiver.changed.wait_for(lambda: len(receiver.uploads) >= 1, 20)
        last = opa.ask("p/v", 2)["decision_id"]
        receiver.wait(
            lambda events: {each["decision_id"] for each in events} >= {first, last} or status < 300
        )
        uploads = [event["decision_id"] for uploaded, _ in receiver.uploads for event in uploaded.value]
    assert uploads.count(first) == times


@needs_opa
def test_events_that_opa_masked_or_erased_fit(server: Server, place: str) -> None:
    server.start()
    policies = {
        "p.rego": "package p\nvalue := input\n",
        "mask.rego": 'package system.log\nmask contains "/input/password"\n'
        'mask contains {"op": "upsert", "path": "/result/password", "value": "***"}\n',
    }
    with uploading_opa(server.url, policies, partition_name="eu") as opa:
        name = opa.ask("p/value", {"user": "ana", "password": "hunter2"})["decision_id"]
        until = time.monotonic() + 30
        while not ids(place) and time.monotonic() < until:
            time.sleep(0.1)
    server.end()
    (_, stored), *_ = Log(place).find(name)
    event = json.loads(stored.payload or b"")
    assert event["erased"] == ["/input/password"]
    assert event["masked"] == ["/result/password"]
    assert event["input"] == {"user": "ana"}
    assert event["result"] == {"user": "ana", "password": "***"}
    assert event["solon"] == {"partition": "eu"}


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["--listen", "nowhere"], 2, "is no address such as 127.0.0.1:8282"),
        (["--listen", "0.0.0.0:0"], 2, "others reach this: set SOLON_INGEST_TOKEN to a token"),
        (["--mask", "missing"], 2, "missing"),
        (["--log", "nowhere"], 2, "is no log"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    place: str, solon: Callable[..., Any], options: list[str], status: int, problem: str
) -> None:
    found = solon("log", "serve", "--log", place, *options)
    assert (found.status, found.out) == (status, "")
    assert problem in found.err
    assert len(found.err.splitlines()) == 1


def test_a_token_in_the_environment_is_asked_for(server: Server) -> None:
    server.start(SOLON_INGEST_TOKEN="s3cret")
    assert httpx.post(f"{server.url}/logs", content=BODY, headers=JSON).status_code == 401
    allowed = JSON | {"Authorization": "Bearer s3cret"}
    assert httpx.post(f"{server.url}/logs", content=BODY, headers=allowed).status_code == 200
    metrics = httpx.get(f"{server.url}/metrics", headers=allowed, timeout=30)
    assert metrics.status_code == 200
    assert "solon_log_entries_total 1\n" in metrics.text
