"""solon log replay: what was decided, decided again by a candidate, and what would change."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from solon.cli.errors import UsageError
from solon.cli.log.command import noted, opened, worded
from solon.cli.log.query import window
from solon.cli.log.replay_candidate import THEN, Asked, Load, load_of
from solon.cli.progress import counting
from solon.decisions.cores import cores
from solon.decisions.log.store import Log
from solon.decisions.replay import source
from solon.decisions.replay.judging import DEFECT, Candidate, Judge, Verdict
from solon.decisions.replay.pool import LOST, Pool, PoolError
from solon.decisions.replay.recorded import Recorded
from solon.decisions.replay.run import Judging, Replay, here
from solon.decisions.replay.source import Selection, Which
from solon.decisions.replay.tally import Tally
from solon.decisions.warehouse import session
from solon.decisions.warehouse.query import Filters
from solon.decisions.warehouse.session import Limits, Window
from solon.report import replay_report
from solon.report.replay_report import ReplayReport

_FEW: Final = 500  # events that are judged before other processes would have started
_FEW_BYTES: Final = 1 << 20
_DAY: Final = 86_400.0
_LONGEST_STALL: Final = 60.0  # seconds, or twenty evaluations
_KEPT: Final = {"json": 100}  # examples, unless told otherwise


@dataclass(frozen=True, slots=True)
class Options:
    directory: str | None
    since: str | None
    until: str | None
    filters: Filters
    which: Which
    candidate: Asked
    format: str
    output: str | None
    examples: int | None
    fail_on: str
    jobs: int | None
    on: str
    query_timeout: float
    memory: int


def replay(options: Options) -> int:
    """The exit status. Raises UsageError, Failure."""
    now = datetime.now(UTC)
    now_ns = time.time_ns()
    load = load_of(options.candidate, now_ns)
    candidate = load.candidate()  # what is wrong with it is told before the log is read
    when = window(options.since, options.until, now)
    selection = Selection(options.filters, options.which, load.at_ns is None)
    kept = options.examples if options.examples is not None else _KEPT.get(options.format, 5)
    around = {name: read for each in candidate.sets for name, read in each.surroundings().items()}
    tally = Tally(frozenset(each.revision for each in candidate.sets), kept, around)
    with worded(), opened(options.directory) as log, _written(options.output) as write:
        if options.format == "csv":
            write(replay_report.csv_text([replay_report.CSV_COLUMNS]))

        def seen(then: Recorded, verdict: Verdict | None) -> None:
            changed = tally.add(then, verdict)
            if changed is not None and options.format == "csv":
                write(replay_report.csv_text([replay_report.csv_row(changed)]))

        judged, erased = replayed(log, when, selection, load, candidate, Workers.of(options), seen)
        noted(log)
        report = ReplayReport(
            tally=tally,
            candidate=load.policies,
            revisions={each.name: each.revision for each in candidate.sets},
            as_of=_as_of(options.candidate.as_of),
            judged=judged,
            erased=erased,
            which=_WHICH[options.which],
            shown=kept,
            surroundings=around,
            has_inventory=bool(load.inventory),
            unnamed=_unnamed(candidate, now_ns if load.at_ns is None else load.at_ns),
        )
        if options.format == "table":
            write(replay_report.table(report, width=_width(options.output)))
        elif options.format != "csv":
            write(replay_report.RENDERERS[options.format](report))
    return _status(tally, options.fail_on)


_WHICH: Final = {
    Which.ALL: "",
    Which.LATEST: " (the newest of each subject)",
    Which.DEPLOYED: " (the newest of each subject that let it pass)",
}


def _as_of(said: str) -> str:
    return {"now": "as of now", THEN: "each as of its time"}.get(said, f"as of {said}")


def _unnamed(candidate: Candidate, now_ns: int) -> list[str]:
    plan = candidate.programme(now_ns, "")
    return [policy.id for policy in plan.unnamed] if plan is not None else []


def _status(tally: Tally, fail_on: str) -> int:
    if any(map(is_lost, tally.undone)):
        return 2
    counted = {"newly-denied": tally.stopped, "any": tally.changed, "never": 0}[fail_on]
    return 1 if counted else 0


def is_lost(why: str) -> bool:
    """Whether an input that could have been judged was not."""
    return why.startswith((DEFECT, LOST))


# --- where it is judged


@dataclass(frozen=True, slots=True)
class Workers:
    """``on`` is ``local`` or ``ray``; ``jobs`` 0 is as many as there are cores."""

    jobs: int = 0
    on: str = "local"
    timeout: float = 10.0
    query: Limits = Limits(seconds=_DAY)  # noqa: RUF009 - it is frozen

    @staticmethod
    def of(options: Options) -> Workers:
        return Workers(
            options.jobs or 0,
            options.on,
            options.candidate.timeout,
            Limits(options.memory, options.query_timeout),
        )


def replayed(
    log: Log,
    when: Window,
    selection: Selection,
    load: Load,
    candidate: Candidate,
    workers: Workers,
    seen: Callable[[Recorded, Verdict | None], None],
) -> tuple[int, int]:
    """How many inputs were judged, and how many decisions are erased. Raises UsageError, LogError, OSError."""
    with counting("reading entries") as tell:
        opening = session.opened(log, window=when, limits=workers.query, records=True, tell=tell)
        with opening as found, counting("replayed") as progress:

            def told(then: Recorded, verdict: Verdict | None) -> None:
                seen(then, verdict)
                progress(1)

            replay = Replay(told)
            events = source.events(found, selection)
            first, few = _begun(events)
            try:
                replay.run(chain(first, events), _judging(log, load, candidate, workers, few=few))
            except PoolError as error:
                raise UsageError(str(error)) from None
            return replay.judged, source.erased(log, found)


def _begun(events: Iterator[tuple[Recorded, bytes]]) -> tuple[list[tuple[Recorded, bytes]], bool]:
    """The first events, and whether there are no others."""
    first: list[tuple[Recorded, bytes]] = []
    size = 0
    for each in events:
        first.append(each)
        size += len(each[1])
        if len(first) > _FEW or size > _FEW_BYTES:
            return first, False
    return first, True


def _judging(log: Log, load: Load, candidate: Candidate, workers: Workers, *, few: bool) -> Judging:
    if workers.on == "ray":
        from solon.decisions.replay.cluster import Cluster

        paths = [*load.policies, *load.data, *load.inventory]
        directory = load.repository or os.curdir
        return Cluster(load, workers.jobs, directory=directory, paths=paths, log=log.directory)
    jobs = workers.jobs or cores()
    if jobs == 1 or few:
        return here(Judge(candidate))
    return Pool(load, jobs, stall=max(_LONGEST_STALL, 20 * workers.timeout))


# --- where it goes


@contextmanager
def _written(output: str | None) -> Iterator[Callable[[str], Any]]:
    """A function that writes; a file appears when it is whole."""
    if output is None:
        yield sys.stdout.write
        return
    temporary = f"{os.path.abspath(output)}.tmp{os.getpid()}"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            yield file.write
        os.replace(temporary, output)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _width(output: str | None) -> int:
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() and not output else 140
