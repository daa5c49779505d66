"""solon log query, compact, metrics, and solon explain."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from solon.cli.errors import UsageError
from solon.cli.log.command import noted, opened, sinks_of, worded
from solon.cli.progress import counting
from solon.decisions.health import health
from solon.decisions.log.store import Log
from solon.decisions.warehouse import compaction, session
from solon.decisions.warehouse import metrics as measures
from solon.decisions.warehouse import query as questions
from solon.decisions.warehouse.columns import SHOWN
from solon.decisions.warehouse.query import ASKED, Filters
from solon.decisions.warehouse.session import Answer, Limits, Session, Window
from solon.governance import times
from solon.report import metrics_report, query_report
from solon.report.check_report import plural

_TABLE_ROWS: Final = 100
_MANY: Final = 20_000  # entries that are not compacted, above which that is worth a word
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Options:
    directory: str | None
    since: str | None
    until: str | None
    filters: Filters
    sql: str | None
    columns: str | None
    order: str
    limit: int | None
    format: str
    output: str | None
    timeout: float
    memory: int


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    directory: str | None
    since: str | None
    until: str | None
    bucket: str
    stuck: int
    format: str
    output: str | None
    timeout: float
    memory: int


def window(
    since: str | None, until: str | None, now: datetime, first: str = "--since", last: str = "--until"
) -> Window:
    """``first`` and ``last`` are the options. Raises UsageError."""
    found = Window(_moment(first, since, now), _moment(last, until, now))
    if found.since_us is not None and found.until_us is not None and found.since_us >= found.until_us:
        raise UsageError(f"{first} {since} is not before {last} {until}")
    return found


def _moment(option: str, text: str | None, now: datetime) -> int | None:
    """Microseconds since 1970: of a date, or of so long ago."""
    if text is None:
        return None
    try:
        at = now - times.duration(text)
    except OverflowError:
        at = _EPOCH
    except ValueError:
        try:
            at = times.moment(text)
        except ValueError:
            raise UsageError(
                f"{option} {text}: write how long ago, such as 90d or 12h, or a date, such as 2026-09-01"
            ) from None
    return (at - _EPOCH) // timedelta(microseconds=1)


# --- query


def query(options: Options) -> int:
    if options.sql is not None and (options.filters != Filters() or options.columns is not None):
        raise UsageError(
            "--sql asks by itself: give no filters or columns beside it, but --since and --until"
        )
    if options.sql is not None and options.format == "events":
        raise UsageError("--format events is for filters: in SQL, select event")
    if options.format == "parquet" and options.output is None:
        raise UsageError("--format parquet needs a file: --output FILE")
    when = window(options.since, options.until, datetime.now(UTC))
    limits = Limits(options.memory, options.timeout)
    asked = _asked(options)
    with worded(), opened(options.directory) as log, counting("reading entries") as tell:
        temporary = f"{os.path.abspath(options.output)}.tmp{os.getpid()}" if options.output else ""
        written = temporary if options.format == "parquet" else ""
        try:
            with session.opened(log, window=when, limits=limits, output=written, tell=tell) as found:
                _hint(log, found)
                if options.format == "parquet":
                    found.write_parquet(asked.sql, asked.parameters)
                else:
                    answer = _shortened(questions.ask(found, asked), options)
                    pieces = query_report.render(
                        options.format, answer.columns, answer.rows, width=_width(options.output)
                    )
                    _write(pieces, temporary)
            if options.output:
                os.replace(temporary, options.output)
        finally:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
    return 0


def _shortened(answer: Answer, options: Options) -> Answer:
    """The first rows of a table, and a word when there are more than nobody asked to leave out."""
    if options.format != "table" or options.limit is not None:
        return answer

    def rows() -> Iterator[tuple[Any, ...]]:
        for number, row in enumerate(answer.rows):
            if number == _TABLE_ROWS:
                print(
                    f"solon: note: there are more than these {_TABLE_ROWS}: --limit 0 shows all",
                    file=sys.stderr,
                )
                return
            yield row

    return Answer(answer.columns, rows())


def _asked(options: Options) -> questions.Query:
    with worded():
        if options.sql is not None:
            return questions.Query(session.select_only(options.sql), ())
        limit = (
            options.limit if options.limit is not None else _TABLE_ROWS if options.format == "table" else 0
        )
        return questions.built(options.filters, _columns(options), order=options.order, limit=limit or None)


def _columns(options: Options) -> list[str]:
    if options.format == "events":
        if options.columns is not None:
            raise UsageError("--format events prints events alone: give no --columns")
        return ["event"]
    if options.columns == "all":
        return list(ASKED)
    if options.columns is not None:
        return [name.strip() for name in options.columns.split(",") if name.strip()] or list(SHOWN)
    return list(SHOWN) if options.format == "table" else [name for name in ASKED if name != "event"]


def _width(output: str | None) -> int:
    """Columns are cut short for a terminal alone."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() and not output else 10_000


def _write(pieces: Iterable[str], path: str) -> None:
    if not path:
        for piece in pieces:
            sys.stdout.write(piece)
        return
    with open(path, "w", encoding="utf-8") as file:
        for piece in pieces:
            file.write(piece)


def _hint(log: Log, found: Session) -> None:
    if found.hot > _MANY:
        print(
            f"solon: note: {found.hot:,} entries are not compacted: `solon log compact --log {log.directory}` makes "
            "questions faster",
            file=sys.stderr,
        )


# --- the others


def compact(directory: str | None, *, everything: bool, rebuild: bool) -> int:
    with worded(), opened(directory) as log, counting("compacting entries") as tell:
        if rebuild:
            compaction.rebuild(log)
        count = compaction.compact(log, open_segments=everything, tell=tell)
        left = compaction.waiting(log)
        noted(log)
    rest = (
        f"; {plural(left, 'entry is', 'entries are')} in a segment that is not sealed yet (--all)"
        if left
        else ""
    )
    print(f"compacted {plural(count, 'entry', 'entries')}{rest}")
    return 0


def metrics(options: MetricsOptions) -> int:
    if options.format == "prometheus" and (options.since or options.until):
        raise UsageError(
            "--format prometheus covers the whole log, since counters must not fall: no --since, no --until"
        )
    now = datetime.now(UTC)
    when = window(options.since, options.until, now)
    until_us = when.until_us if when.until_us is not None else (now - _EPOCH) // timedelta(microseconds=1)
    limits = Limits(options.memory, options.timeout)
    with worded(), opened(options.directory) as log, counting("reading entries") as tell:
        with session.opened(log, window=when, limits=limits, records=True, tell=tell) as found:
            _hint(log, found)
            measured = measures.measured(found, bucket=options.bucket, stuck=options.stuck, asof_us=until_us)
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 160
        state = health(log, sinks_of(log)) if options.format != "table" else None
        text = metrics_report.render(options.format, measured, state, now_ns=log.around.clock(), width=width)
        if options.output is None:
            sys.stdout.write(text)
        else:
            temporary = f"{os.path.abspath(options.output)}.tmp{os.getpid()}"
            _write([text], temporary)
            os.replace(temporary, options.output)  # the collector never sees half of it
    return 0


def prometheus(log: Log, limits: Limits) -> str:
    """The metrics of a whole log, for Prometheus. Raises LogError, OSError."""
    now_ns = log.around.clock()
    with session.opened(log, limits=limits, records=True) as found:
        measured = measures.measured(found, stuck=0, asof_us=now_ns // 1_000)
    return metrics_report.render("prometheus", measured, health(log, sinks_of(log)), now_ns=now_ns)
