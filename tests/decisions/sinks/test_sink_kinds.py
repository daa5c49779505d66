"""Files, OPA's protocol and OTLP: what is sent, and what is made of the answers."""

from __future__ import annotations

import errno
import gzip
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from log_receiver import LogReceiver, Reply, Uploaded

from solon import __version__
from solon.decisions.log import durable
from solon.decisions.log.leaf import Entry, Kind, encode
from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Down, TooLarge, Unwanted, deliver
from solon.decisions.sinks.file import FileSink
from solon.decisions.sinks.http import HttpSink, Upload
from solon.decisions.sinks.otlp import OtlpSink, request
from solon.decisions.sinks.settings import SinkSettings


def stored(number: int, outcome: str = "", **event: Any) -> Stored:
    payload = json.dumps({"decision_id": f"id-{number}"} | event).encode()
    entry = Entry(Kind.DECISION, f"id-{number}", 1_772_357_400_000_000_000 + number, payload, outcome)
    return Stored(number, encode(entry, b""), b"", payload, "file", 0, 1_772_357_401_000_000_000)


BATCH = [stored(0), stored(1)]


@pytest.fixture
def receiver() -> Iterator[LogReceiver]:
    with LogReceiver() as found:
        yield found


def upload(url: str, **changes: Any) -> Upload:
    said: dict[str, Any] = {"headers": {}, "timeout": 10.0, "ca": "", "limit": 1 << 20} | changes
    return Upload(url, **said)


# --- HTTP


def test_uploads_are_those_of_opa(receiver: LogReceiver) -> None:
    sink = HttpSink(upload(f"{receiver.url}/logs/eu", secret="s3cret"))
    assert sink.send(BATCH) is None
    sink.close()
    ((uploaded, _),) = receiver.uploads
    assert uploaded.path == "/logs/eu"
    assert uploaded.value == [{"decision_id": "id-0"}, {"decision_id": "id-1"}]
    assert {
        name: uploaded.headers[name] for name in ("content-type", "content-encoding", "authorization")
    } == {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "authorization": "Bearer s3cret",
    }


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(500, b"oops"), Down, "status 500: oops"),
        (Reply(502), Down, "status 502"),
        (Reply(401, b"bad token s3cret"), Down, r"status 401: bad token \*\*\*"),
        (Reply(404), Down, "status 404"),
        (Reply(308, headers=(("Location", "http://127.0.0.1:1/"),)), Down, "status 308: it has moved"),
        (Reply(400, b"\x1b[31mno"), Unwanted, r"status 400: [^\x1b]*no"),
        (Reply(422), Unwanted, "status 422"),
        (Reply(413), TooLarge, "status 413"),
    ],
)
def test_answers_that_are_no_success(
    receiver: LogReceiver, reply: Reply, error: type[Exception], said: str
) -> None:
    receiver.faults.append(reply)
    sink = HttpSink(upload(receiver.url, secret="s3cret"))
    with pytest.raises(error, match=said):
        sink.send(BATCH)
    sink.close()
    assert len(receiver.uploads) == 1


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ((("Retry-After", "7"),), 7.0),
        ((("Retry-After", "soon"),), None),
        ((("Retry-After", "Wed, 21 Oct 2015 07:28:30 GMT"),), 0.0),
        ((), None),
    ],
)
def test_retry_after_is_heard(receiver: LogReceiver, headers: Any, after: float | None) -> None:
    receiver.faults.append(Reply(503, headers=headers))
    sink = HttpSink(upload(receiver.url))
    with pytest.raises(Down) as down:
        sink.send(BATCH)
    sink.close()
    assert down.value.after == after


def test_a_receiver_that_is_not_there_or_too_slow_is_down(receiver: LogReceiver) -> None:
    with pytest.raises(Down, match=r"127\.0\.0\.1:1: .*refused"):
        HttpSink(upload("http://127.0.0.1:1/logs")).send(BATCH)

    def never(_uploaded: Uploaded) -> Reply:
        assert not ended.wait(20)
        return Reply()

    ended = threading.Event()
    receiver.answer = never
    with pytest.raises(Down, match="timed out"):
        HttpSink(upload(receiver.url, timeout=0.2)).send(BATCH)
    ended.set()


def test_a_receiver_that_takes_little_gets_little_and_that_is_learned(receiver: LogReceiver) -> None:
    receiver.answer = lambda uploaded: Reply(413 if len(gzip.decompress(uploaded.packed)) > 2_000 else 200)
    sink = HttpSink(upload(receiver.url))
    batch = [stored(number, text="x" * 100) for number in range(100)]
    assert deliver(batch, sink.send).accepted == 100
    first = sum(reply.status == 413 for _, reply in receiver.uploads)
    assert 0 < first < 12
    deliver(batch, sink.send)
    sink.close()
    again = sum(reply.status == 413 for _, reply in receiver.uploads) - first
    assert again < first
    assert [event["decision_id"] for event in receiver.events] == [f"id-{n}" for n in range(100)] * 2


def test_requests_stay_below_the_limit_but_for_one_event_that_is_larger(receiver: LogReceiver) -> None:
    sink = HttpSink(upload(receiver.url, limit=1_024))
    batch = [stored(number, text=os.urandom(200).hex()) for number in range(20)]
    batch.insert(7, stored(99, text=os.urandom(2_000).hex()))
    assert deliver(batch, sink.send).accepted == 21
    sink.close()
    large = [uploaded for uploaded, _ in receiver.uploads if len(uploaded.packed) > 1_024]
    assert [uploaded.value[0]["decision_id"] for uploaded in large] == ["id-99"]
    assert [len(uploaded.value) for uploaded in large] == [1]


# --- OTLP


def test_log_records_are_those_of_the_specification() -> None:
    labels = {"id": "opa-1"}
    solon = {"subject": {"uri": "k8s://c/n/Pod/p", "namespace": "n"}}
    event = stored(
        5, "deny", path="main/deny", labels=labels, solon=solon,
        trace_id="5b8efff798038103d269b633813fc60c", span_id="eee19b7ec3c1b174",
    )  # fmt: skip
    assert json.loads(request([event], "log.example/test")) == {
        "resourceLogs": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "solon"}},
                        {"key": "service.instance.id", "value": {"stringValue": "log.example/test"}},
                        {"key": "service.version", "value": {"stringValue": __version__}},
                    ]
                },
                "scopeLogs": [
                    {
                        "scope": {"name": "solon.decisions", "version": __version__},
                        "logRecords": [
                            {
                                "timeUnixNano": "1772357400000000005",
                                "observedTimeUnixNano": "1772357401000000000",
                                "severityNumber": 13,
                                "severityText": "WARN",
                                "eventName": "solon.decision",
                                "body": {"stringValue": (event.payload or b"").decode()},
                                "traceId": "5b8efff798038103d269b633813fc60c",
                                "spanId": "eee19b7ec3c1b174",
                                "attributes": [
                                    {"key": "solon.decision_id", "value": {"stringValue": "id-5"}},
                                    {"key": "solon.kind", "value": {"stringValue": "decision"}},
                                    {"key": "solon.outcome", "value": {"stringValue": "deny"}},
                                    {"key": "solon.path", "value": {"stringValue": "main/deny"}},
                                    {"key": "solon.subject.uri", "value": {"stringValue": "k8s://c/n/Pod/p"}},
                                    {"key": "k8s.namespace.name", "value": {"stringValue": "n"}},
                                    {"key": "solon.label.id", "value": {"stringValue": "opa-1"}},
                                ],
                            }
                        ],
                    }
                ],
            }
        ]
    }


@pytest.mark.parametrize(
    ("outcome", "number", "word"),
    [
        ("allow", 9, "INFO"),
        ("", 9, "INFO"),
        ("warn", 13, "WARN"),
        ("deny", 13, "WARN"),
        ("error", 17, "ERROR"),
    ],
)
def test_severities(outcome: str, number: int, word: str) -> None:
    said = json.loads(request([stored(0, outcome)], "n"))
    record = said["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert (record["severityNumber"], record["severityText"]) == (number, word)


@pytest.mark.parametrize(
    "event",
    [
        {"trace_id": "0" * 32},
        {"trace_id": "xyz", "span_id": "eee19b7ec3c1b174"},
        {"path": 7},
        {"labels": {"a": 1}},
    ],
)
def test_events_of_another_shape_are_sent_all_the_same(event: Any) -> None:
    said = json.loads(request([stored(0, **event)], "n"))
    record = said["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert json.loads(record["body"]["stringValue"])["decision_id"] == "id-0"
    assert "traceId" not in record
    assert "spanId" not in record


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"", 0),
        (b"{}", 0),
        (b'{"partialSuccess":{}}', 0),
        (b'{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}', 1),
        (b'{"partialSuccess":{"rejectedLogRecords":2}}', 2),
        (b'{"partialSuccess":{"rejectedLogRecords":99}}', 2),
        (b'{"partialSuccess":{"errorMessage":"a hint"}}', 0),
        (b"<html>", 0),
        (b'{"partialSuccess":{"rejectedLogRecords":"many"}}', 0),
    ],
)
def test_what_a_collector_rejects_is_counted(receiver: LogReceiver, body: bytes, count: int) -> None:
    receiver.faults.append(Reply(200, body))
    sink = OtlpSink(upload(f"{receiver.url}/v1/logs"), "n")
    refusal = sink.send(BATCH)
    sink.close()
    assert (refusal.count if refusal else 0) == count


# --- files


def test_lines_are_added_and_an_unfinished_one_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"
    sink = FileSink(str(path), 1 << 20, 2)
    sink.send(BATCH)
    with path.open("ab") as file:
        file.write(b'{"decision_id":"torn')
    sink.send([stored(2)])
    assert path.read_text().splitlines() == [
        '{"decision_id": "id-0"}',
        '{"decision_id": "id-1"}',
        '{"decision_id":"torn',
        '{"decision_id": "id-2"}',
    ]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("keep", "files"),
    [
        (0, {"out.jsonl": [4]}),
        (2, {"out.jsonl": [4], "out.jsonl.1": [3], "out.jsonl.2": [2]}),
        (
            9,
            {
                "out.jsonl": [4],
                "out.jsonl.1": [3],
                "out.jsonl.2": [2],
                "out.jsonl.3": [1],
                "out.jsonl.4": [0],
            },
        ),
    ],
)
def test_files_are_rotated(tmp_path: Path, keep: int, files: dict[str, list[int]]) -> None:
    sink = FileSink(str(tmp_path / "out.jsonl"), 30, keep)
    for number in range(5):
        sink.send([stored(number)])
    found = {
        path.name: [json.loads(line)["decision_id"] for line in path.read_text().splitlines()]
        for path in tmp_path.iterdir()
    }
    assert found == {name: [f"id-{number}" for number in numbers] for name, numbers in files.items()}


def test_a_full_disk_leaves_the_lines_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.jsonl"
    sink = FileSink(str(path), 1 << 20, 2)
    sink.send(BATCH)
    before = path.read_bytes()

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_all", full)
        with pytest.raises(Down, match="no space left on device"):
            sink.send([stored(2)])
    assert path.read_bytes() == before
    sink.send([stored(2)])
    assert path.read_bytes() == before + b'{"decision_id": "id-2"}\n'


# --- settings


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"name": "a"}, "needs one of file, http, otlp and kafka"),
        ({"name": "a", "file": "x", "http": "https://h"}, "needs one of file, http, otlp and kafka"),
        ({"name": "A b", "file": "x"}, "a sink has the name 'A b'"),
        ({"name": "../a", "file": "x"}, "a sink has the name"),
        ({"name": "a", "http": "ftp://h"}, "begins with https:// or http://"),
        ({"name": "a", "http": "https://u:p@h"}, "the address holds a password"),
        ({"name": "a", "http": "http://h", "token_env": "T"}, "a token is only sent over https"),
        ({"name": "a", "file": "x", "kinds": ["checkpoint"]}, "has unknown kinds"),
        ({"name": "a", "file": "x", "kinds": []}, "has unknown kinds"),
        ({"name": "a", "file": "x", "rotate_mib": 0}, "rotate_mib are 1 or more"),
        ({"name": "a", "file": "x", "redis": "b"}, "unknown field `redis`"),
        (
            {"name": "a", "http": "https://h", "token_env": "T", "token_file": "t"},
            "token_env or token_file, not both",
        ),
        ({"name": "a", "http": "http://h", "token_file": "t"}, "a token is only sent over https"),
    ],
)
def test_settings_that_make_no_sense_are_refused(said: Any, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem.replace("[", r"\[").replace("?", r"\?")):
        msgspec.convert(said, SinkSettings)


def test_a_token_may_go_to_this_machine() -> None:
    assert msgspec.convert({"name": "a", "http": "http://127.0.0.1:1/", "token_env": "T"}, SinkSettings)
