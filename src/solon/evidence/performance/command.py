"""The operator's predictor: a command, run without a shell, that is asked for predictions in one of two ways.

``csv``: it reads a table of features from standard input, CSV with a header, and writes as many predictions to standard
output, CSV with a header, in column ``prediction``, and ``score`` where it has one. Then it ends, with status 0.

``lines``: it is started once, and for each line on standard input writes one line to standard output, and flushes it. A
request is a JSON array of rows, each an object from column to value (number, text, null); the answer a JSON array with an
answer for each row. It ends when its input does.

The environment says which is wanted, in ``SOLON_PROTOCOL``, and where the release lies, in ``SOLON_RELEASE``.
"""

from __future__ import annotations

import contextlib
import csv
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import IO, Any, Final, Literal, Self

import msgspec

from solon.evidence import tables
from solon.evidence.collector import CannotCollect
from solon.evidence.tables import Table

Protocol = Literal["csv", "lines"]

# A prediction is a word and a number: what writes more than this, for each row, is not writing predictions.
_BYTES_A_ROW: Final = 4096
_BYTES_AT_LEAST: Final = 1 << 20
_LONGEST_ANSWER: Final = 16 << 20
_LAST_WORDS: Final = 4096  # of standard error
_CHUNK: Final = 1 << 16


def predicted(
    command: Sequence[str], table: Table, features: Sequence[str], *, release: str, timeout: float
) -> Table:
    """What a command answers for every row of a table. Raises CannotCollect."""
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryDirectory(prefix="solon-") as work:
        asked, answered = os.path.join(work, "features.csv"), os.path.join(work, "predictions.csv")
        with open(asked, "w", encoding="utf-8", newline="") as file:
            write_csv(file, table, features)
        with open(asked, "rb") as stdin, _started(command, "csv", release, stdin) as process:
            most = _BYTES_AT_LEAST + _BYTES_A_ROW * table.rows
            written = _Copy(_pipe(process.stdout), answered, most, process)
            said = _LastWords(_pipe(process.stderr))
            try:
                status = process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(process)
                raise CannotCollect(f"{_name(command)}: no predictions in {timeout:g} s") from None
            written.join(max(1.0, deadline - time.monotonic()))
            _kill(process)  # and what it started, that may hold the pipe
            written.join(5.0)
            if written.too_much:
                raise CannotCollect(f"{_name(command)}: wrote more than {most:,} bytes of predictions")
            if status:
                raise CannotCollect(f"{_name(command)}: ended with status {status}{said.shown()}")
        if not os.path.getsize(answered):
            raise CannotCollect(f"{_name(command)}: wrote nothing; predictions are CSV with a header")
        found = tables.read(answered, f"predictions of {_name(command)}")
    if found.rows != table.rows:
        raise CannotCollect(f"{_name(command)}: {found.rows} predictions for {table.rows} rows")
    return found


def write_csv(file: IO[str], table: Table, columns: Sequence[str]) -> None:
    """A table with these columns, as RFC 4180 has it; an empty field where there is no value."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(table.texts(column).tolist() for column in columns), strict=True))


class Lines:
    """A command that answers line by line; ``ask`` takes a request as ``encoded`` made it. A context manager."""

    def __init__(self, command: Sequence[str], *, release: str, timeout: float) -> None:
        self.name = _name(command)
        self._timeout = timeout
        self._read = b""
        self._stack = contextlib.ExitStack()
        process = self._stack.enter_context(_started(command, "lines", release, subprocess.PIPE))
        self._said = _LastWords(_pipe(process.stderr))
        self._stdin, self._stdout = _pipe(process.stdin), self._stack.enter_context(_pipe(process.stdout))
        self._ready = self._stack.enter_context(selectors.DefaultSelector())
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)
        self._ready.register(self._stdout, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, request: bytes, rows: int) -> None:
        """One call: returns when the answer for as many rows is there. Raises CannotCollect."""
        if self._ready.select(0):
            self._receive()
        if self._read:  # what was written before it was asked for would be no time at all
            raise CannotCollect(f"{self.name}: wrote more than one line for a line")
        deadline = time.monotonic() + self._timeout
        self._send(request, deadline)
        while b"\n" not in self._read:
            self._wait(deadline)
        answer, _, self._read = self._read.partition(b"\n")
        try:
            found = msgspec.json.decode(answer, type=list[Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise CannotCollect(f"{self.name}: answered with {_shown(answer)}, not a JSON array") from None
        if len(found) != rows:
            raise CannotCollect(f"{self.name}: {len(found)} answers for {rows} rows")

    def _send(self, request: bytes, deadline: float) -> None:
        """Most requests fit into the pipe; a long one goes as the command reads it."""
        rest = memoryview(request)
        while rest:
            try:
                rest = rest[os.write(self._stdin.fileno(), rest) :]
            except BlockingIOError:
                self._ready.register(self._stdin, selectors.EVENT_WRITE)
                try:
                    self._wait(deadline)
                finally:
                    self._ready.unregister(self._stdin)
            except OSError:
                raise self._ended() from None

    def _receive(self) -> None:
        try:
            chunk = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            raise self._ended()
        self._read += chunk
        if len(self._read) > _LONGEST_ANSWER:
            raise CannotCollect(f"{self.name}: an answer longer than {_LONGEST_ANSWER >> 20} MiB")

    def _wait(self, deadline: float) -> None:
        ready = self._ready.select(max(0.0, deadline - time.monotonic()))
        if not ready:
            raise CannotCollect(
                f"{self.name}: no answer to a line in {self._timeout:g} s; timed, a predictor answers each line of "
                "standard input with a line, flushed"
            )
        if any(key.fileobj is self._stdout for key, _ in ready):
            self._receive()

    def _ended(self) -> CannotCollect:
        return CannotCollect(f"{self.name}: ended before it had answered{self._said.shown()}")


def encoded(rows: Sequence[dict[str, Any]]) -> bytes:
    """A request of the protocol ``lines``."""
    return msgspec.json.encode(list(rows)) + b"\n"


class _Copy(threading.Thread):
    """Copies a pipe to a file, and kills the process that writes more than it may."""

    def __init__(self, pipe: IO[bytes], path: str, most: int, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.too_much = False
        self._pipe, self._path, self._most, self._process = pipe, path, most, process
        self.start()

    def run(self) -> None:
        written = 0
        with self._pipe, open(self._path, "wb") as file:
            while chunk := self._pipe.read1(_CHUNK):  # type: ignore[attr-defined]
                written += len(chunk)
                if written > self._most:
                    self.too_much = True
                    _kill(self._process)
                    return
                file.write(chunk)


class _LastWords(threading.Thread):
    """Keeps the end of what a process writes to standard error."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._kept = b""
        self.start()

    def run(self) -> None:
        with self._pipe:
            while chunk := self._pipe.read1(_CHUNK):  # type: ignore[attr-defined]
                self._kept = (self._kept + chunk)[-_LAST_WORDS:]

    def shown(self) -> str:
        """The last lines, in one."""
        self.join(1.0)
        lines = [line for line in self._kept.decode("utf-8", "replace").splitlines() if line.strip()]
        raised = _exception(lines)
        said = " | ".join(line.strip() for line in raised or lines[-3:])
        return (
            ": " + (said[:400] if raised else said[-400:]) if said else ", and said nothing on standard error"
        )


def _exception(lines: Sequence[str]) -> Sequence[str]:
    """What Python says after its last traceback, which can be many lines: the first ones. Empty without a traceback."""
    starts = [
        number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")
    ]
    after = lines[starts[-1] + 1 :] if starts else []
    return list(dropwhile(lambda line: line[0].isspace(), after))[:3]


@contextlib.contextmanager
def _started(
    command: Sequence[str], protocol: Protocol, release: str, stdin: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, which does not outlive the block."""
    environment = {**os.environ, "SOLON_PROTOCOL": protocol, "SOLON_RELEASE": os.path.abspath(release)}
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
            list(command),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CannotCollect(f"{_name(command)}: cannot be started: {why.lower()}") from None
    try:
        yield process
    finally:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
        _kill(process)
        process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _name(command: Sequence[str]) -> str:
    return f"predictor {os.path.basename(command[0])}"


def _shown(answer: bytes) -> str:
    text = answer.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 60 else text[:60] + "…")
