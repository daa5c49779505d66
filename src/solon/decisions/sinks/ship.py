"""One sink: reads on from its position, delivers, and moves the position."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import LogError, os_error
from solon.decisions.log.reading import Stored
from solon.decisions.log.store import Log
from solon.decisions.record import rfc3339
from solon.decisions.sinks import position, tail
from solon.decisions.sinks.deliver import Delivered, Down, Refusal, deliver
from solon.decisions.sinks.file import FileSink
from solon.decisions.sinks.jsonl import append_durably
from solon.decisions.sinks.position import SCHEMA, Mark, digest
from solon.decisions.sinks.settings import KINDS, SinkSettings

_FIRST: Final = 1.0  # seconds
_LONGEST: Final = 300.0


class Sink(Protocol):
    """Something that takes events. ``send`` raises Down, TooLarge, Unwanted; of a Refusal all else was taken."""

    def send(self, batch: Sequence[Stored]) -> Refusal | None: ...

    def close(self) -> None: ...


def opened(said: SinkSettings, log: Log, environ: Mapping[str, str]) -> Sink:
    """Raises LogError where the settings cannot be used."""
    if said.file:
        return FileSink(said.file, said.rotate_mib << 20, said.keep)
    secret = _secret(said, environ)
    if said.kafka:
        from solon.decisions.sinks.kafka import KafkaSink

        return KafkaSink(said, said.kafka, log.settings.name, secret)
    from solon.decisions.sinks.http import HttpSink, Upload
    from solon.decisions.sinks.otlp import OtlpSink

    try:
        upload = Upload(
            said.http or said.otlp,
            headers={},
            timeout=said.timeout_seconds,
            ca=said.ca,
            limit=said.limit_kib << 10,
            secret=secret,
        )
    except OSError as error:
        raise os_error(error, f"the sink {said.name}: its certificates cannot be read") from None
    return OtlpSink(upload, log.settings.name) if said.otlp else HttpSink(upload)


def _secret(said: SinkSettings, environ: Mapping[str, str]) -> str:
    """The bearer token, or password; "" where none is asked for. Raises LogError."""
    if said.token_file:
        try:
            secret = durable.read(said.token_file).decode().strip()
        except OSError as error:
            raise os_error(error, f"the sink {said.name}: its token_file cannot be read") from None
        except UnicodeDecodeError:
            raise LogError(f"{said.token_file}: the sink {said.name}: is no text") from None
        if not secret:
            raise LogError(f"{said.token_file}: the sink {said.name}: is empty")
        return secret
    secret = environ.get(said.token_env, "").strip() if said.token_env else ""
    if said.token_env and not secret:
        raise LogError(f"the sink {said.name}: {said.token_env} is not set in the environment")
    return secret


@dataclass(slots=True)
class Backoff:
    """Waits that double, each by chance between its half and its whole; ``random`` gives 0 to 1."""

    random: Callable[[], float]
    tries: int = 0

    def next(self, after: float | None = None) -> float:
        """``after`` is what the receiver asked for."""
        whole = min(_FIRST * 2.0 ** min(self.tries, 30), _LONGEST)
        self.tries += 1
        return max(whole * (0.5 + self.random() / 2), min(after or 0.0, _LONGEST))


@dataclass(slots=True)
class Shipped:
    accepted: int = 0
    refused: int = 0
    down: Down | None = None


@dataclass(slots=True)
class Shipper:
    """Whoever makes one has taken the sink (``position.taken``).

    The position is kept in memory as well: where it cannot be written, nothing is sent twice before a restart.
    """

    log: Log
    settings: SinkSettings
    sink: Sink
    clock: Callable[[], int]
    _position: position.Position = field(init=False)
    _written: bool = field(init=False, default=True)
    _seen: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._position = position.read(self.log.directory, self.settings.name)
        if self._position.to != str(self.settings):
            self._moved(to=str(self.settings))

    def once(self, stop: threading.Event | None = None) -> Shipped:
        """Everything that there is now, or until it is stopped. Raises LogError."""
        done = Shipped()
        if not self._written:
            self._write()
        for place in self.log.shards():
            size = tail.grown(place)
            if self._seen.get(place.name) == size:
                continue
            for batch in tail.batches(place, self._position.shards.get(place.name, Mark(0))):
                kinds = frozenset(KINDS[kind] for kind in self.settings.kinds)
                delivered = deliver(tail.wanted(batch, kinds), self.sink.send)
                done.accepted += delivered.accepted
                done.refused += sum(each.count for each in delivered.refused)
                self._settle(place.name, batch, delivered)
                done.down = delivered.down
                if done.down is not None or (stop is not None and stop.is_set()):
                    return done
            self._seen[place.name] = size
        if self._position.problem:
            self._moved(problem="", since="")
        return done

    def _settle(self, shard: str, batch: Sequence[Stored], delivered: Delivered) -> None:
        """Note what was refused, and only then move the position."""
        if delivered.refused:
            self._note(shard, delivered.refused)
        settled = [each for each in batch if delivered.left is None or each.index < delivered.left.index]
        changes: dict[str, Any] = {}
        if settled:
            mark = Mark(settled[-1].index + 1, digest(settled[-1].leaf))
            changes["shards"] = {**self._position.shards, shard: mark}
            changes["shipped"] = self._position.shipped + delivered.accepted
            changes["refused"] = self._position.refused + sum(each.count for each in delivered.refused)
        problem = str(delivered.down) if delivered.down else ""
        if problem != self._position.problem:
            changes |= {"problem": problem, "since": self._since(problem)}
        if changes:
            self._moved(**changes)

    def _since(self, problem: str) -> str:
        if not problem:
            return ""
        return self._position.since or rfc3339(self.clock())

    def _note(self, shard: str, refused: Sequence[Refusal]) -> None:
        path = os.path.join(self.log.directory, position.DIRECTORY, f"{self.settings.name}.refused.jsonl")
        at = rfc3339(self.clock())
        lines = [
            msgspec.json.encode(
                {
                    "time": at,
                    "shard": shard,
                    "first": each.first.index,
                    "last": each.last.index,
                    "count": each.count,
                    "id": each.first.says.id if each.first is each.last else None,
                    "problem": each.problem,
                }
            )
            + b"\n"
            for each in refused
        ]
        try:
            append_durably(path, b"".join(lines))
        except OSError as error:
            raise os_error(error, "what was refused cannot be noted; it is sent again") from None

    def _moved(self, **changes: Any) -> None:
        self._position = msgspec.structs.replace(self._position, schema=SCHEMA, **changes)
        self._write()

    def _write(self) -> None:
        self._written = False
        position.write(self.log.directory, self.settings.name, self._position)
        self._written = True


def follow(
    shipper: Shipper, stop: threading.Event, backoff: Backoff, say: Callable[[str], None], poll: float = 1.0
) -> None:
    """Ship what comes, until it is stopped. What is wrong is said when it changes, and tried again."""
    problem = ""
    while not stop.is_set():
        after: float | None = None
        try:
            done = shipper.once(stop)
            found = str(done.down or "")
            after = done.down.after if done.down else None
            if done.accepted:
                backoff.tries = 0
        except LogError as error:
            found = str(error)
        if found != problem:
            say(f"{shipper.settings.name}: {found or 'goes on'}")
            problem = found
        if not found:
            backoff.tries = 0
        stop.wait(backoff.next(after) if found else poll)
