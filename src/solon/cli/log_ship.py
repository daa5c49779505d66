"""solon log ship: sends the log to its sinks."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from solon.cli import log
from solon.cli.errors import UsageError
from solon.cli.log_rules import say, settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.store import Log
from solon.decisions.sinks import position
from solon.decisions.sinks.settings import SinkSettings
from solon.decisions.sinks.ship import Backoff, Shipper, follow, opened
from solon.report.check_report import plural


def ship(directory: str | None, names: Sequence[str], *, follow: bool) -> int:
    sinks = _chosen(settings().sinks, names)
    with log.worded(), log.opened(directory) as found, ExitStack() as stack:
        shippers = []
        for said in sinks:
            stack.enter_context(position.taken(found.directory, said.name))
            sink = opened(said, found, os.environ)
            stack.callback(sink.close)
            shippers.append(Shipper(found, said, sink, found.around.clock))
        return _follow(shippers) if follow else _once(found, shippers)


def _chosen(sinks: Sequence[SinkSettings], names: Sequence[str]) -> list[SinkSettings]:
    if not sinks:
        raise UsageError("no sinks: list them in solon.yaml, under log: (see docs/how-to/ship-decisions.md)")
    unknown = [name for name in names if name not in {sink.name for sink in sinks}]
    if unknown:
        known = ", ".join(sink.name for sink in sinks)
        raise UsageError(f"--sink {unknown[0]}: is not in solon.yaml, which has {known}")
    return [sink for sink in sinks if not names or sink.name in names]


def _once(found: Log, shippers: Sequence[Shipper]) -> int:
    """A sink that fails does not keep the others from theirs."""
    status = 0
    for shipper in shippers:
        name = shipper.settings.name
        try:
            done = shipper.once()
        except LogError as error:
            say(f"{name}: {error}")
            status = 2
            continue
        refused = f", {done.refused:,} refused" if done.refused else ""
        print(f"{name}: {plural(done.accepted, 'event')} shipped to {shipper.settings}{refused}")
        if done.refused:
            say(
                f"{name}: what was refused is named in {position.path_of(found.directory, name)[:-5]}.refused.jsonl"
            )
            status = 2
        if done.down is not None:
            say(f"{name}: {done.down}; nothing is lost: run again, and it goes on from here")
            status = 2
    return status


def _follow(shippers: Sequence[Shipper]) -> int:
    """Until SIGTERM or SIGINT; what is under way is ended first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [
        threading.Thread(target=follow, args=(shipper, stop, Backoff(random.random), say), daemon=True)
        for shipper in shippers
    ]
    for thread in threads:
        thread.start()
    say(f"shipping to {', '.join(shipper.settings.name for shipper in shippers)}")
    while not stop.wait(0.5):
        pass
    for thread in threads:
        thread.join()
    return 0
