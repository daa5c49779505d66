"""Judging on all cores: processes that load the candidate once, and are given events in chunks.

A process that dies, or stands still for too long, is replaced. The event that it was at is not judged, which is said; the others
of its chunk are judged again. Not many more chunks are read than there are processes to be given them.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from solon.decisions.replay.judging import Verdict
from solon.subjects.documents import collector_spared

EVENTS: Final = 64  # in a chunk
BYTES: Final = 1 << 20
_AHEAD: Final = 2  # chunks read for each process that are not given to it yet
_LOOK: Final = 1.0  # seconds between two looks at who stands still
_STARTS: Final = 3  # of processes in a row that die before they judge anything
_GOING: Final = 5.0  # seconds until a process that has hung up has ended
_LOADING: Final = -1
LOST: Final = "the process that judged it"

# Loads the candidate, in the process that judges. It is sent there: a function of a module, or an object of a class.
Loader = Callable[[], Callable[[bytes], Verdict]]


class PoolError(Exception):
    """Nothing can be judged: why, in one line."""


@dataclass(slots=True)
class Chunk:
    """Events that are judged one after the other. ``lost``: those that a process died of, and what became of it."""

    number: int
    events: list[bytes]
    size: int = 0
    lost: dict[int, str] = field(default_factory=dict)

    def left(self) -> list[bytes]:
        return [event for at, event in enumerate(self.events) if at not in self.lost]

    def whole(self, verdicts: list[Verdict]) -> list[Verdict]:
        """The verdicts, with those of the lost in their places."""
        rest = iter(verdicts)
        return [
            Verdict(problem=self.lost[at]) if at in self.lost else next(rest)
            for at in range(len(self.events))
        ]

    def lose(self, position: int, why: str) -> None:
        """Give up the event that is at a position among those that are left."""
        at = [each for each in range(len(self.events)) if each not in self.lost][position]
        self.lost[at] = why


def chunks(events: Iterable[bytes | None]) -> Iterator[Chunk | None]:
    """The events in chunks; None where whoever gives them waits for what is under way."""
    number = 0
    chunk = Chunk(0, [])
    for event in events:
        if event is not None:
            chunk.events.append(event)
            chunk.size += len(event)
        if chunk.events and (event is None or len(chunk.events) >= EVENTS or chunk.size >= BYTES):
            yield chunk
            number += 1
            chunk = Chunk(number, [])
        if event is None:
            yield None
    if chunk.events:
        yield chunk


class Reading:
    """Chunks, read ahead as far as they may be."""

    def __init__(self, events: Iterable[bytes | None]) -> None:
        self._source = chunks(events)
        self._read: deque[Chunk] = deque()
        self.ended = False

    def ahead(self, count: int) -> None:
        """Read until there are so many, unless the source waits."""
        while not self.ended and len(self._read) < count:
            try:
                chunk = next(self._source)
            except StopIteration:
                self.ended = True
                return
            if chunk is None:
                return
            self._read.append(chunk)

    def take(self) -> Chunk | None:
        return self._read.popleft() if self._read else None

    def give_back(self, chunk: Chunk) -> None:
        self._read.appendleft(chunk)

    def __len__(self) -> int:
        return len(self._read)


class InOrder:
    """Chunks of verdicts as they come, given on in the order of the events."""

    def __init__(self) -> None:
        self._done: dict[int, list[Verdict]] = {}
        self._next = 0

    def add(self, number: int, verdicts: list[Verdict]) -> Iterator[Verdict]:
        self._done[number] = verdicts
        while self._next in self._done:
            yield from self._done.pop(self._next)
            self._next += 1


class Pool:
    """``stall`` is how many seconds an event may take before its process is given up."""

    def __init__(self, load: Loader, jobs: int, *, stall: float) -> None:
        self._load = load
        self._jobs = jobs
        self._stall = stall
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def __call__(self, events: Iterable[bytes | None]) -> Iterator[Verdict]:
        """Raises PoolError."""
        source, done = Reading(events), InOrder()
        try:
            self._workers = [_Worker(self._load) for _ in range(self._jobs)]
            while True:
                source.ahead(self._jobs * _AHEAD)
                self._give(source)
                if not any(worker.chunk for worker in self._workers) and not len(source):
                    if source.ended:
                        return
                    continue  # it waited; what it waited for has been told
                for worker in self._heard():
                    answer = self._answer(worker, source)
                    if answer is not None:
                        yield from done.add(*answer)
        finally:
            for worker in self._workers:
                worker.end()

    def _give(self, source: Reading) -> None:
        for worker in self._workers:
            if worker.chunk is None and worker.started and (chunk := source.take()) is not None:
                try:
                    worker.give(chunk)
                except OSError:
                    source.give_back(chunk)

    def _heard(self) -> list[_Worker]:
        """The workers that have said something, died, or stand still."""
        by_connection = {worker.connection: worker for worker in self._workers}
        heard = [
            by_connection[each]
            for each in wait(list(by_connection), timeout=_LOOK)
            if isinstance(each, Connection)
        ]
        still = [worker for worker in self._workers if worker.still_for() > self._stall]
        return [*heard, *(worker for worker in still if worker not in heard)]

    def _answer(self, worker: _Worker, source: Reading) -> tuple[int, list[Verdict]] | None:
        """Verdicts, where the worker has some. One that is gone is replaced."""
        died = False
        said = None
        try:
            if worker.connection.poll():
                said = worker.connection.recv()
        except (EOFError, OSError):
            died = True
        if isinstance(said, str):
            raise PoolError(said)
        if said == []:
            worker.started = True
            self._failed_starts = 0
            return None
        chunk = worker.chunk
        if said is not None and chunk is not None:
            worker.chunk = None
            return chunk.number, chunk.whole(said)
        why = worker.end(died=died)
        self._workers[self._workers.index(worker)] = _Worker(self._load)
        if chunk is None:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise PoolError(f"a process that was to judge {why} while it loaded the policies")
            return None
        chunk.lose(max(worker.at, 0), f"{LOST} {why}")
        if not chunk.left():
            return chunk.number, chunk.whole([])
        source.give_back(chunk)
        return None


class _Worker:
    """A process, and the chunk that it has."""

    def __init__(self, load: Loader) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._at = context.RawValue("q", _LOADING)
        self._process = context.Process(target=_work, args=(theirs, self._at, load), daemon=True)
        self._process.start()
        theirs.close()
        self.chunk: Chunk | None = None
        self.started = False
        self._seen: tuple[int, int] = (0, _LOADING)
        self._since = time.monotonic()

    @property
    def at(self) -> int:
        """Which of the events it judges."""
        return int(self._at.value)

    def give(self, chunk: Chunk) -> None:
        self._at.value = 0
        self._since = time.monotonic()
        self.connection.send(chunk.left())
        self.chunk = chunk

    def still_for(self) -> float:
        """Seconds for which it has been at the same event; of one that has nothing to do, none."""
        if self.chunk is None and self.started:
            return 0.0
        seen = (self.chunk.number if self.chunk else -1, self.at)
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since

    def end(self, *, died: bool = False) -> str:
        """What became of it."""
        self.connection.close()
        self._process.join(_GOING if died else 0)
        stood_still = self._process.is_alive()
        if stood_still:
            self._process.kill()
            self._process.join()
        status = self._process.exitcode or 0
        if stood_still:
            return "took too long"
        if status >= 0:
            return f"ended with status {status}"
        known = -status in set(signal.Signals)
        return f"was killed by {signal.Signals(-status).name if known else f'signal {-status}'}"


def _work(connection: Any, at: Any, load: Loader) -> None:
    """What a process does until nobody gives it anything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it is interrupted, too, and ends it
    with suppress(EOFError, OSError):
        try:
            judge = load()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and nothing is judged
            connection.send(str(error) or type(error).__name__)
            return
        connection.send([])
        with collector_spared():
            while True:
                out = []
                for number, event in enumerate(connection.recv()):
                    at.value = number
                    out.append(judge(event))
                connection.send(out)
