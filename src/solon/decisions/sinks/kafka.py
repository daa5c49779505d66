"""Kafka: a message an event, through librdkafka (the extra ``kafka``).

The key is the URI of the subject, or the id of the decision where there is none: what is about one subject is in one
partition, in the order of its shard. The producer is idempotent and never gives a message up by itself: what it was
given stays with it until a broker has answered, and ``send`` asks again for the same answers. So a broker that was away
makes no duplicates, and a process that was killed makes them for what it had not noted yet.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Down, Refusal, TooLarge, Unwanted
from solon.decisions.sinks.settings import KafkaSettings, SinkSettings
from solon.governance.inert import visible

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

_POLL: Final = 0.1  # seconds
_AGAIN: Final = 5.0  # seconds for a broker that was away to come back
_MOST: Final = 64 << 20  # bytes of a message before compression; a broker hangs up on a request of 100 MiB
_BATCH: Final = 1_000_000  # bytes before compression; brokers take 1,048,588 unless they are told otherwise
_LARGE: Final = "MSG_SIZE_TOO_LARGE"
_REFUSALS: Final = (_LARGE, "INVALID_MSG", "INVALID_RECORD", "INVALID_TIMESTAMP", "POLICY_VIOLATION")

_Place = tuple[str, int]  # shard, index


class _Subject(msgspec.Struct):
    uri: str = ""


class _Solon(msgspec.Struct):
    subject: _Subject | None = None


class _Event(msgspec.Struct):
    solon: _Solon | None = None


class KafkaSink:
    """``log`` is the name of the log, which the headers have."""

    def __init__(self, said: SinkSettings, kafka: KafkaSettings, log: str, secret: str) -> None:
        """Raises LogError."""
        try:
            import confluent_kafka
        except ImportError:
            raise LogError(
                f"the sink {said.name}: needs confluent-kafka: pip install 'solon[kafka]'"
            ) from None
        self._kafka = confluent_kafka
        self._name = said.name
        self._topic = kafka.topic
        self._log = log
        self._secret = secret
        self._timeout = said.timeout_seconds
        _readable(said.name, (said.ca, kafka.certificate, kafka.certificate_key))
        self._config = _config(said, kafka, secret)
        self._flying: set[_Place] = set()
        self._answers: dict[_Place, KafkaError | None] = {}  # None: a broker has it
        self._alone: set[_Place] = set()  # those whose answer is about nothing else
        self._reason = ""
        self._nobody = False
        self._producer: Producer | None = self._new()

    def send(self, batch: Sequence[Stored]) -> Refusal | None:
        """Raises Down, TooLarge, Unwanted. What was answered in an earlier call is not sent again."""
        producer = self._producer = self._producer or self._new()
        producer.poll(0)
        # What was said meanwhile may be over, or not.
        until = time.monotonic() + min(self._timeout, _AGAIN if self._nobody else self._timeout)
        self._nobody = False
        self._ask(producer, batch, until)
        for each in batch if len(batch) > 1 else ():
            place = _place(each)
            if place not in self._alone and _is_refusal(self._answers.get(place)):
                del self._answers[place]  # brokers refuse what was bundled with it as well
                self._ask(producer, [each], until)
                self._alone.add(place)
        self._judge([_place(each) for each in batch])
        return None

    def _ask(self, producer: Producer, batch: Sequence[Stored], until: float) -> None:
        """Give the producer what it does not have, and wait for the answers."""
        asked = {_place(each) for each in batch}
        for each in batch:
            place = _place(each)
            if place not in self._flying and place not in self._answers:
                self._produce(producer, place, each, until)
        while not self._flying.isdisjoint(asked) and time.monotonic() < until and not self._nobody:
            producer.poll(_POLL)

    def _produce(self, producer: Producer, place: _Place, stored: Stored, until: float) -> None:
        leaf = stored.says
        headers: list[tuple[str, str | bytes | None]] = [
            ("solon-log", self._log.encode()),
            ("solon-shard", place[0].encode()),
            ("solon-index", str(place[1]).encode()),
            ("solon-id", leaf.id.encode()),
            ("solon-kind", leaf.kind.name.lower().encode()),
            ("solon-outcome", leaf.outcome.encode()),
        ]
        self._flying.add(place)
        while True:
            try:
                producer.produce(
                    self._topic,
                    stored.payload or b"",
                    key=key(stored).encode("utf-8", "replace"),
                    headers=headers,
                    on_delivery=partial(self._answered, place),
                )
            except BufferError:  # what waits is too much already
                if time.monotonic() < until:
                    producer.poll(_POLL)
                    continue
                self._flying.discard(place)
                raise Down(self._said()) from None
            except self._kafka.KafkaException as error:
                self._answer(place, error.args[0])
            return

    def _answered(self, place: _Place, error: KafkaError | None, _message: Message) -> None:
        self._answer(place, error)

    def _answer(self, place: _Place, error: KafkaError | None) -> None:
        if place in self._flying:
            self._flying.discard(place)
            self._answers[place] = error
            if error is None:
                self._reason = ""

    def _judge(self, places: Sequence[_Place]) -> None:
        """Forget what need not be asked for again, and raise what is wrong with the rest."""
        errors = {place: error for place in places if (error := self._answers.get(place)) is not None}
        down = {place: error for place, error in errors.items() if not _is_refusal(error)}
        for place in down:
            del self._answers[place]
        if any(error.fatal() for error in down.values()):
            self._abandon()
        for error in down.values():
            raise Down(f"{self._topic}: {self._clean(error.str())}")
        if not self._flying.isdisjoint(places):
            raise Down(self._said())
        if len(places) == 1 or not errors:
            for place in places:
                del self._answers[place]
                self._alone.discard(place)
        for error in errors.values():
            problem = self._clean(error.str())
            raise TooLarge(problem) if error.name() == _LARGE else Unwanted(problem)

    def _said(self) -> str:
        return self._reason or f"{self._topic}: no acknowledgement within {self._timeout:g} s"

    def _failed(self, error: KafkaError) -> None:
        """What librdkafka says of its connections."""
        if error.name() == "_ALL_BROKERS_DOWN":
            self._nobody = True
            self._reason = self._reason or self._clean(error.str())
        else:
            self._reason = self._clean(error.str())

    def _clean(self, text: str) -> str:
        shown = text.replace(self._secret, "***") if self._secret else text
        return visible(" ".join(shown.split()), 200)

    def _new(self) -> Producer:
        try:
            return self._kafka.Producer({**self._config, "error_cb": self._failed})
        except self._kafka.KafkaException as error:
            raise LogError(f"the sink {self._name}: {self._clean(error.args[0].str())}") from None

    def _abandon(self) -> None:
        """A producer that cannot go on; what it had is sent by another."""
        self._flying.clear()
        self.close()

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(in_queue=True, in_flight=True, blocking=False)
            producer.flush(1)


def _place(stored: Stored) -> _Place:
    return stored.shard, stored.index


def _is_refusal(error: KafkaError | None) -> bool:
    """Whether it is about the message, and not the broker."""
    return error is not None and error.name() in _REFUSALS


def key(stored: Stored) -> str:
    """The subject's URI, or the decision's id."""
    try:
        event = msgspec.json.decode(stored.payload or b"{}", type=_Event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = _Event()
    subject = event.solon.subject if event.solon else None
    return (subject.uri if subject else "") or stored.says.id


def _readable(sink: str, paths: Sequence[str]) -> None:
    """Raises LogError: librdkafka would not say which file it is."""
    for path in filter(None, paths):
        try:
            durable.read(path)
        except OSError as error:
            raise os_error(error, f"the sink {sink}: cannot be read") from None


def _config(said: SinkSettings, kafka: KafkaSettings, secret: str) -> dict[str, Any]:
    """Settings of librdkafka."""
    config: dict[str, Any] = {
        "bootstrap.servers": ",".join(kafka.servers),
        "client.id": "solon",
        "security.protocol": ("sasl_" if kafka.sasl else "") + ("ssl" if kafka.tls else "plaintext"),
        "enable.idempotence": True,  # and with it acks=all
        "message.timeout.ms": 0,  # none is given up: see above
        "topic.metadata.propagation.max.ms": 10_000,  # until a topic that is not there is said
        "message.max.bytes": _MOST,  # of what is smaller, the broker says whether it is too large
        "batch.size": min(said.limit_kib << 10, _BATCH),
        "compression.type": "zstd",
        "partitioner": "murmur2_random",  # that of the Java clients
        "log_level": 0,  # errors come through error_cb
    }
    if kafka.sasl:
        config |= {"sasl.mechanism": kafka.sasl, "sasl.username": kafka.username, "sasl.password": secret}
    if kafka.tls and said.ca:
        config["ssl.ca.location"] = said.ca
    if kafka.certificate:
        config |= {"ssl.certificate.location": kafka.certificate, "ssl.key.location": kafka.certificate_key}
    return config
