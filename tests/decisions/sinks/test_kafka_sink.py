"""Kafka: against the brokers that librdkafka has for tests, and read back by a consumer."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
import msgspec
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from decision_logs import KEY, around, entries

from solon.decisions.log import settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import Entry, Kind, encode
from solon.decisions.log.reading import Stored
from solon.decisions.log.store import Log
from solon.decisions.sinks import kafka
from solon.decisions.sinks.deliver import Down, deliver
from solon.decisions.sinks.kafka import KafkaSink, key
from solon.decisions.sinks.lag import lag
from solon.decisions.sinks.settings import KafkaSettings, SinkSettings
from solon.decisions.sinks.ship import Shipper, opened


class Cluster:
    """One broker in this process."""

    def __init__(self) -> None:
        self._holder = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        (broker,) = self._holder.list_topics(timeout=10).brokers.values()
        self.server = f"{broker.host}:{broker.port}"

    def messages(self, topic: str, count: int) -> list[Any]:
        consumer = Consumer({"bootstrap.servers": self.server, "group.id": "g", "log_level": 0})
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        found: list[Any] = []
        until = time.monotonic() + 20
        while len(found) < count and time.monotonic() < until:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                found.append(message)
        consumer.close()
        return found


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


def said(server: str, topic: str = "decisions", **changes: Any) -> SinkSettings:
    return SinkSettings(name="bus", kafka=KafkaSettings((server,), topic, tls=False), **changes)


def sink_of(found: SinkSettings) -> KafkaSink:
    assert found.kafka is not None
    return KafkaSink(found, found.kafka, "log.example/test", "")


def stored(number: int, outcome: str = "", text: str = "", **event: Any) -> Stored:
    payload = json.dumps({"decision_id": f"id-{number}"} | event).encode() + text.encode()
    leaf = encode(Entry(Kind.DECISION, f"id-{number}", 1_772_357_400_000_000_000, payload, outcome), b"")
    return Stored(number, leaf, b"", payload, "log/shards/0003/segments/0.seg", 0, 0)


# --- with a broker


def test_a_message_has_the_event_its_key_and_where_it_stands(cluster: Cluster) -> None:
    sink = sink_of(said(cluster.server, "one"))
    event = stored(7, "deny", solon={"subject": {"uri": "k8s://c/n/Pod/p"}})
    assert sink.send([event]) is None
    sink.close()
    (message,) = cluster.messages("one", 1)
    assert message.value() == event.payload
    assert message.key() == b"k8s://c/n/Pod/p"
    assert message.headers() == [
        ("solon-log", b"log.example/test"),
        ("solon-shard", b"0003"),
        ("solon-index", b"7"),
        ("solon-id", b"id-7"),
        ("solon-kind", b"decision"),
        ("solon-outcome", b"deny"),
    ]


def test_what_is_about_one_subject_keeps_its_order(cluster: Cluster) -> None:
    batch = [stored(n, solon={"subject": {"uri": f"model://m/{n % 3}"}}) for n in range(300)]
    sink = sink_of(said(cluster.server, "order"))
    assert deliver(batch, sink.send).accepted == 300
    sink.close()
    found = cluster.messages("order", 300)
    assert len(found) == 300
    for subject in range(3):
        mine = [message for message in found if message.key() == f"model://m/{subject}".encode()]
        assert len({message.partition() for message in mine}) == 1
        assert [int(dict(message.headers())["solon-index"]) for message in mine] == list(
            range(subject, 300, 3)
        )


def test_an_event_that_is_too_large_is_refused_and_the_others_are_there_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "_MOST", 2_000)
    sink = sink_of(said(cluster.server, "large", limit_kib=1))
    done = deliver([stored(n, text=" " * 3_000 if n == 5 else "") for n in range(20)], sink.send)
    sink.close()
    assert done.down is None
    assert [(each.first.index, each.count) for each in done.refused] == [(5, 1)]
    assert "too large" in done.refused[0].problem
    found = cluster.messages("large", 19)
    assert sorted(int(dict(message.headers())["solon-index"]) for message in found) == [
        n for n in range(20) if n != 5
    ]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    settings.create(str(tmp_path / "log"), KEY)
    with Log(str(tmp_path / "log"), around()) as found:
        yield found


def test_a_log_is_shipped_and_goes_on_from_where_it_was(cluster: Cluster, log: Log) -> None:
    log.append(entries(0, 2_500))
    for appended in (0, 1):
        log.append(entries(2_500, 2_500 + appended))
        sink = opened(said(cluster.server, "log"), log, {})
        ships = Shipper(log, said(cluster.server, "log"), sink, lambda: 0)
        assert ships.once().accepted == (appended or 2_500)
        sink.close()
    found = cluster.messages("log", 2_501)
    assert sorted(dict(message.headers())["solon-id"].decode() for message in found) == sorted(
        f"id-{number}" for number in range(2_501)
    )


def test_a_broker_that_is_away_loses_nothing_and_is_said(log: Log) -> None:
    log.append(entries(0, 3))
    found = said("127.0.0.1:1", timeout_seconds=0.5)
    sink = opened(found, log, {})
    done = Shipper(log, found, sink, lambda: 0).once()
    sink.close()
    assert "Connection refused" in str(done.down)
    (late,) = lag(log)
    assert (late.behind, late.shipped) == (3, 0)
    assert late.to == "kafka://127.0.0.1:1/decisions"
    assert "Connection refused" in late.problem


# --- with answers as a broker may give them

_Answer = Callable[[Sequence[int]], list[KafkaError | None]]


class FakeProducer:
    """Answers at ``poll`` what ``answer`` says of the indexes; None leaves them without an answer."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.said = config["error_cb"]
        self.waiting: list[tuple[int, Any]] = []
        self.sent: list[int] = []
        self.full = False
        made.append(self)

    def produce(self, _topic: str, _value: bytes, *, key: bytes, headers: Any, on_delivery: Any) -> None:
        assert key
        if self.full:
            raise BufferError("queue full")
        index = int(dict(headers)["solon-index"])
        self.sent.append(index)
        self.waiting.append((index, on_delivery))

    def poll(self, _seconds: float) -> None:
        waiting, self.waiting = self.waiting, []
        for index, answered in waiting:
            error = answers.get(index)
            if isinstance(error, str):
                self.waiting.append((index, answered))
            else:
                answered(error, None)

    def purge(self, **_how: bool) -> None:
        for _, answered in self.waiting:
            answered(KafkaError(KafkaError._PURGE_QUEUE), None)

    def flush(self, _seconds: float) -> None:
        pass


made: list[FakeProducer] = []
answers: dict[int, Any] = {}


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> KafkaSink:
    made.clear()
    answers.clear()
    monkeypatch.setattr(confluent_kafka, "Producer", FakeProducer)
    return sink_of(said("127.0.0.1:1", timeout_seconds=0.2))


BATCH = [stored(number) for number in range(8)]


def test_what_was_taken_is_not_sent_again_when_another_was_not(sink: KafkaSink) -> None:
    answers[3] = answers[5] = KafkaError(KafkaError.NOT_ENOUGH_REPLICAS)
    done = deliver(BATCH, sink.send)
    assert "not enough in-sync replicas" in str(done.down).lower()
    assert (done.accepted, done.left) == (0, BATCH[0])
    answers.clear()
    assert deliver(BATCH, sink.send).accepted == 8
    assert made[0].sent == [*range(8), 3, 5]


def test_what_has_no_answer_yet_is_waited_for_and_not_sent_again(sink: KafkaSink) -> None:
    answers[3] = "nothing"
    assert str(deliver(BATCH, sink.send).down) == "decisions: no acknowledgement within 0.2 s"
    made[0].said(KafkaError(KafkaError._TRANSPORT, "k:9092: connection refused"))
    made[0].said(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
    assert str(deliver(BATCH, sink.send).down) == "k:9092: connection refused"
    answers.clear()
    assert deliver(BATCH, sink.send).accepted == 8
    assert made[0].sent == list(range(8))


@pytest.mark.parametrize(
    "code", [KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION]
)
def test_one_that_a_broker_never_takes_is_named_and_the_others_are_sent_once(
    sink: KafkaSink, code: int
) -> None:
    answers[3] = KafkaError(code)
    done = deliver(BATCH, sink.send)
    assert (done.accepted, done.down, [each.first.index for each in done.refused]) == (7, None, [3])
    assert made[0].sent == [*range(8), 3]  # once with the others, and once alone


def test_a_producer_that_cannot_go_on_is_followed_by_another(sink: KafkaSink) -> None:
    answers[3] = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "broken", fatal=True)
    answers[5] = "nothing"
    assert str(deliver(BATCH, sink.send).down) == "decisions: broken"
    answers.clear()
    assert deliver(BATCH, sink.send).accepted == 8
    assert [each.sent for each in made] == [list(range(8)), [3, 5]]


def test_a_full_queue_is_waited_for(sink: KafkaSink) -> None:
    made[0].full = True
    with pytest.raises(Down, match="no acknowledgement"):
        sink.send(BATCH)
    made[0].full = False
    assert deliver(BATCH, sink.send).accepted == 8


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    monkeypatch.setattr(confluent_kafka, "Producer", FakeProducer)
    auth = KafkaSettings(("k.example:9093",), "t", sasl="PLAIN", username="u")
    found = KafkaSink(
        SinkSettings(name="bus", kafka=auth, token_env="P", timeout_seconds=0.2), auth, "n", "s3cret"
    )
    answers[0] = KafkaError(KafkaError._AUTHENTICATION, "no user u\nwith s3cret")
    with pytest.raises(Down, match=r"^t: no user u with \*\*\*$"):
        found.send(BATCH[:1])


# --- keys and settings


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"solon": {"subject": {"uri": "model://m/1"}}}, "model://m/1"),
        ({"solon": {"subject": {"uri": ""}}}, "id-1"),
        ({"solon": {}}, "id-1"),
        ({"solon": 7}, "id-1"),
        ({}, "id-1"),
    ],
)
def test_keys(event: Any, expected: str) -> None:
    assert key(stored(1, **event)) == expected


SERVER = {"servers": ["k.example:9093"], "topic": "t"}


@pytest.mark.parametrize(
    ("kafka_said", "more", "problem"),
    [
        ({"servers": [], "topic": "t"}, {}, "servers are HOST:PORT"),
        ({"servers": ["k.example"], "topic": "t"}, {}, "servers are HOST:PORT"),
        ({"servers": ["u:p@k.example:9092"], "topic": "t"}, {}, "servers are HOST:PORT"),
        ({"servers": ["k:1"], "topic": "a b"}, {}, "a topic has up to 249"),
        ({"servers": ["k:1"], "topic": ".."}, {}, "a topic has up to 249"),
        (SERVER | {"sasl": "GSSAPI", "username": "u"}, {"token_env": "P"}, "sasl is one of PLAIN, SCRAM-SHA-256"),
        (SERVER | {"sasl": "PLAIN"}, {"token_env": "P"}, "sasl and username belong together"),
        (SERVER | {"sasl": "PLAIN", "username": "u"}, {}, "a password (token_env or token_file) belongs to kafka.sasl"),
        (SERVER, {"token_env": "P"}, "a password (token_env or token_file) belongs to kafka.sasl"),
        (SERVER | {"sasl": "PLAIN", "username": "u", "tls": False}, {"token_env": "P"}, "only sent over TLS"),
        (SERVER | {"certificate": "c.pem"}, {}, "certificate and certificate_key belong together"),
        (SERVER | {"certificate": "c", "certificate_key": "k", "tls": False}, {}, "only shown over TLS"),
        (SERVER | {"acks": 0}, {}, "unknown field `acks`"),
    ],
)  # fmt: skip
def test_settings_of_kafka_that_make_no_sense_are_refused(kafka_said: Any, more: Any, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.convert({"name": "bus", "kafka": kafka_said} | more, SinkSettings)
    assert problem in str(error.value)


def test_what_librdkafka_is_told(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\n")
    found = msgspec.convert(
        {
            "name": "bus",
            "kafka": SERVER | {"sasl": "SCRAM-SHA-512", "username": "u", "certificate": "c", "certificate_key": "k"},
            "token_file": str(password),
            "ca": "ca.pem",
            "limit_kib": 64,
        },
        SinkSettings,
    )  # fmt: skip
    assert found.kafka is not None
    config = kafka._config(found, found.kafka, "s3cret")
    assert {name: config[name] for name in config if name.startswith(("s", "enable", "batch"))} == {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "u",
        "sasl.password": "s3cret",
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": "c",
        "ssl.key.location": "k",
        "enable.idempotence": True,
        "batch.size": 65_536,
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "its token_file cannot be read: no such file"), (b"\n", "is empty"), (b"\xff", "is no text")],
)
def test_a_password_that_cannot_be_read_is_said(
    log: Log, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    auth = KafkaSettings(("k.example:9093",), "t", sasl="PLAIN", username="u")
    with pytest.raises(LogError, match=problem):
        opened(SinkSettings(name="bus", kafka=auth, token_file=str(tmp_path / "password")), log, {})


def test_certificates_that_cannot_be_read_are_one_line(log: Log) -> None:
    found = SinkSettings(name="bus", kafka=KafkaSettings(("k.example:9093",), "t"), ca="missing.pem")
    with pytest.raises(LogError, match=r"^missing\.pem: the sink bus: cannot be read: no such file"):
        opened(found, log, {})


def test_without_the_extra_it_is_said_how_to_get_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(
        LogError, match=r"^the sink bus: needs confluent-kafka: pip install 'solon\[kafka\]'$"
    ):
        opened(said("127.0.0.1:1"), log, {})


def test_errors_of_producing_are_answers(sink: KafkaSink, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._STATE, "is closing"))

    monkeypatch.setattr(FakeProducer, "produce", refuse)
    with pytest.raises(Down, match="is closing"):
        sink.send(BATCH)
