"""solon quota run: a command that runs while its GPUs are reserved."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from solon.cli.errors import UsageError
from solon.cli.quota import job
from solon.cli.quota.command import status
from solon.cli.quota.reserving import Answer, Options, length_of, released, reserve
from solon.governance.quota.ledger import LedgerError
from solon.report import quota_report

ID: Final = "SOLON_RESERVATION"
JOB: Final = "SOLON_RESERVED_JOB"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
# A terminal sends these to the command as well.
_OF_TERMINALS: Final = (signal.SIGINT, signal.SIGQUIT)


def run(options: Options, command: Sequence[str], *, keep: bool) -> int:
    """The exit status: that of the command, or 1 where nothing was reserved. Raises UsageError, Failure."""
    wanted = job.read(options.job, max_bytes=options.max_bytes, cluster=options.cluster)
    if wanted.path == "-":
        raise UsageError(
            "a file must be named: the command is given a copy of it, with the reservation's label"
        )
    with _forwarding() as child:
        answer = reserve(wanted, options)
        if not answer.granted:
            sys.stderr.write(quota_report.answer("table", answer.report, None))
            return status(answer)
        code = 1
        try:
            code = _ran(answer, command, options, child)
        finally:
            problem = "" if keep and not code else released(answer)
            if problem:
                print(f"solon: {problem}", file=sys.stderr)
        return code


def _ran(answer: Answer, command: Sequence[str], options: Options, child: _Child) -> int:
    """Where the job asks for no GPUs there is no reservation, and the command runs as it is."""
    if answer.reservation is None:
        return _started(command, dict(os.environ), answer, options, child)
    directory = tempfile.mkdtemp(prefix="solon-quota-")
    try:
        path = answer.job.save(directory)
        given = [_in_its_place(word, options.job, path) for word in command]
        if given == list(command):
            print(
                f"solon: the command does not name {options.job}: submit {path} (it is in ${JOB}), or what runs is "
                "counted besides its reservation",
                file=sys.stderr,
            )
        environment = {**os.environ, JOB: path, ID: answer.reservation.id}
        return _started(given, environment, answer, options, child)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _started(
    command: Sequence[str], environment: dict[str, str], answer: Answer, options: Options, child: _Child
) -> int:
    if child.received:
        return 128 + child.received
    try:
        child.start(command, environment)
    except OSError as error:
        print(f"solon: {command[0]}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    return _waited(answer, options, child)


def _waited(answer: Answer, options: Options, child: _Child) -> int:
    """Wait for the command, and renew the reservation while it runs."""
    pause = length_of(options.length).total_seconds() / 3
    lost = answer.reservation is None
    while (code := child.wait(pause)) is None:
        if lost or answer.reservation is None:
            continue
        try:
            lost = not answer.ledger.renew(answer.reservation.id)
        except LedgerError as error:
            print(f"solon: {error}", file=sys.stderr)  # it may be had the next time
            continue
        if lost:
            print(
                f"solon: {answer.reservation.id} does not hold any more: others may have its GPUs",
                file=sys.stderr,
            )
    return code


def _in_its_place(word: str, path: str, copy: str) -> str:
    """An argument that is the path, or ``--filename=`` with it, names the copy instead."""
    option, equals, value = word.partition("=")
    if word == path or _same(word, path):
        return copy
    return f"{option}={copy}" if equals and option.startswith("-") and _same(value, path) else word


def _same(word: str, path: str) -> bool:
    try:
        return os.path.samefile(word, path)
    except (OSError, ValueError):
        return False


@dataclass(slots=True)
class _Child:
    """The command, and the last signal that was meant for it."""

    process: subprocess.Popen[bytes] | None = None
    received: int = 0
    _pending: list[int] = field(default_factory=list)

    def start(self, command: Sequence[str], environment: dict[str, str]) -> None:
        """Raises OSError."""
        self.process = subprocess.Popen(command, env=environment)  # noqa: S603 - it is what the user asked to run
        while self._pending:
            self.process.send_signal(self._pending.pop())

    def wait(self, seconds: float) -> int | None:
        """Its exit status as a shell has it, or None where it runs on."""
        assert self.process is not None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return 128 - code if code < 0 else code

    def signalled(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        if self.process is None:
            self._pending.append(number)
        elif number not in _OF_TERMINALS or not sys.stdin.isatty():
            self.process.send_signal(number)


@contextmanager
def _forwarding() -> Iterator[_Child]:
    """Signals go to the command, which ends by them or not; Solon ends after it, and frees what was reserved."""
    child = _Child()
    before = {number: signal.signal(number, child.signalled) for number in _SIGNALS}
    try:
        yield child
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
