"""solon model watch: looks at MLflow's registry, and says and undoes what was not let pass."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from solon.cli import config, key_files
from solon.cli.errors import Failure, UsageError
from solon.cli.listening import listening
from solon.cli.log.rules import ruled, say
from solon.cli.model import mlflow
from solon.cli.notify import notifier_of
from solon.decisions.releases import CannotTell
from solon.evidence.registry.mlflow import CannotFetch, contents
from solon.governance.notify import Kind, Message
from solon.server.mlflow.governance import Governance
from solon.server.mlflow.polling import Departure
from solon.server.mlflow.registry import Registry
from solon.server.mlflow.watch import Acted, Looked, Unreadable, Watch, event
from solon.server.mlflow.webhook import Told

MEMORY = "watch.json"
_TOLD = (Departure.NEW, Departure.LAPSED)


@dataclass(frozen=True, slots=True)
class Options:
    tracking_uri: str
    every: int
    once: bool
    revert: bool
    listen: str
    key_env: str
    contents: int
    memory: str | None
    log: str | None
    format: str


def run(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    governance = mlflow.governed()
    if governance is None:
        raise UsageError("solon.yaml says nothing under `mlflow:`, such as `mlflow: {aliases: [champion]}`")
    if options.once and options.listen:
        raise UsageError("--once looks once, and --listen waits: say one of them")
    secret = os.environ.get(options.key_env, "").encode()
    if options.listen and not secret:
        raise UsageError(f"{options.key_env} is not set: it holds the secret that MLflow signs webhooks with")
    client = mlflow.connected(options.tracking_uri)
    memory = options.memory or os.path.join(os.path.dirname(governance.store.directory), MEMORY)
    looking = _Looking(_watch(client, governance, memory, options), governance, options)
    if options.once:
        looked = looking.look()
        sys.stdout.write(_json(looked) if options.format == "json" else _table(looked))
        return 2 if looked.untold else 1 if looked.acted else 0
    return _serve(looking, options, secret)


def _watch(client: Any, governance: Governance, memory: str, options: Options) -> Watch:
    return Watch(Registry(client), governance, memory, _Contents(client, options.contents), options.revert)


@dataclass
class _Contents:
    """Digests of files, every so often: they may be large."""

    client: Any
    every: int
    _looked: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __call__(self, location: str) -> str:
        if not self.every:
            return ""
        at, digest = self._looked.get(location, (float("-inf"), ""))
        if time.monotonic() - at >= self.every:
            try:
                digest = contents(self.client, location).digest
            except CannotFetch as error:
                raise CannotTell(str(error)) from None
            self._looked[location] = (time.monotonic(), digest)
        return digest


@dataclass
class _Looking:
    """Looks, one look at a time, and tells what it found."""

    watch: Watch
    governance: Governance
    options: Options
    wake: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    problem: str = "has not looked yet"
    _said: set[str] = field(default_factory=set)

    def look(self) -> Looked:
        """Raises Failure."""
        from mlflow.exceptions import MlflowException

        try:
            looked = self.watch.look()
        except (MlflowException, Unreadable) as error:
            raise Failure(f"solon: {' '.join(str(error).split())}") from None
        except OSError as error:
            raise Failure(str(key_files.unusable(self.watch.memory, error))) from None
        told = [
            each for each in looked.acted if each.violation.departure in _TOLD and str(each) not in self._said
        ]
        self._record(told)
        self._notify(told)
        self._said.update(map(str, told))
        return looked

    def _record(self, told: list[Acted]) -> None:
        """Raises Failure."""
        from solon.cli.log import command as log
        from solon.decisions import record

        found = config.find(os.getcwd())
        where = self.options.log or (found.log().directory if found is not None else "")
        if not where or not told:
            return
        registry = self.governance.settings.registry
        now = time.time_ns()
        lines = ruled(event(each, registry, f"watch-{secrets.token_hex(8)}", now) for each in told)
        try:
            if os.path.isdir(where):
                log.record(where, lines)
            else:
                record.append(where, lines)
        except OSError as error:
            raise Failure(str(key_files.unusable(where, error))) from None

    def _notify(self, told: list[Acted]) -> None:
        found = config.find(os.getcwd()) if told else None
        notifier = notifier_of(found) if found is not None else None
        if notifier is None:
            return
        for each in told:
            message = Message(f"{each.violation.going} was not let pass", str(each), Kind.FAILURE)
            for failure in notifier.send(each.violation.owner, message).failures:
                say(failure)

    def loop(self) -> None:
        """Until it is told to stop: every so often, and whenever it is woken."""
        before, shown = "", False
        while True:
            try:
                looked = self.look()
            except (Failure, UsageError) as error:
                self.problem = str(error).removeprefix("solon: ")
            except Exception as error:  # noqa: BLE001 - whatever it was, it is said, and the next look goes on
                self.problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
            else:
                self.problem = ""
                # What was there before is said once, when the watch starts.
                lines = [str(e) for e in looked.acted if not shown or e.violation.departure in _TOLD]
                shown = True
                for line in [*lines, *looked.untold]:
                    say(line)
            if self.problem and self.problem != before:
                say(self.problem)
            before = self.problem
            self.wake.wait(self.options.every)
            self.wake.clear()
            if self.stopping.is_set():
                return

    def told(self, said: Told) -> None:
        say(f"MLflow tells of {said.entity[:50]!r}: looking")
        self.wake.set()

    def health(self) -> Mapping[str, object]:
        return {"status": "failing", "problem": self.problem} if self.problem else {"status": "ok"}

    def stop(self) -> None:
        self.stopping.set()
        self.wake.set()


def _serve(looking: _Looking, options: Options, secret: bytes) -> int:
    from solon.server import run as running
    from solon.server.mlflow.webhook import application

    worker = threading.Thread(target=looking.loop, name="solon-watch")
    if not options.listen:
        ends = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # for the worker, too: they are waited for here
        say(f"looking every {options.every} s")
        worker.start()
        signal.sigwait(ends)
        looking.stop()
        worker.join()
        return 0
    with listening(options.listen) as at:
        say(f"webhooks at {running.address(at)}, looking every {options.every} s")
        worker.start()
        try:
            running.run(
                application(secret, clock=time.time, look=looking.told, health=looking.health, say=say), at
            )
        finally:
            looking.stop()
            worker.join()
    return 0


def _table(looked: Looked) -> str:
    lines = []
    for each in looked.acted:
        first, *rest = str(each).splitlines()
        lines += [f"✗ {first}", *(f"    {line}" for line in rest)]
    lines += [f"? {line}" for line in looked.untold]
    count = len(looked.acted)
    verdict = (
        f"{count} not let pass" if count else "all let pass" if not looked.untold else "not all is known"
    )
    return "\n".join([*lines, f"{looked.live} live: {verdict}"]) + "\n"


def _json(looked: Looked) -> str:
    said = {
        "schema": "solon.model.watch/v1",
        "live": looked.live,
        "violations": [
            {
                "name": each.violation.going.name,
                "version": each.violation.going.version,
                "way": each.violation.going.way.value,
                "by": each.violation.going.by,
                "departure": each.violation.departure.value,
                "because": each.violation.because,
                "decision_id": each.violation.decision_id,
                "reverted": [str(done) for done in each.done],
                "problem": each.problem,
            }
            for each in looked.acted
        ],
        "unknown": list(looked.untold),
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode() + "\n"
