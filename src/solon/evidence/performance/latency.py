"""The evidence of latency: a predictor is called again and again, and the deployed one in turns with it.

A call is one batch of rows, from when it is asked until the answer is there. What is timed of a command is the line protocol
(see ``command``), pipes included; of an ONNX model the call of ONNX Runtime in this process.
"""

from __future__ import annotations

import math
import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from solon.evidence import tables
from solon.evidence.collector import CannotCollect, Collected, Given, Progress, silent
from solon.evidence.document import Measured
from solon.evidence.performance import command, predictions
from solon.evidence.performance.intervals import CONFIDENCE, RESAMPLES
from solon.evidence.performance.onnx_model import Feeds, OnnxModel, loaded
from solon.evidence.performance.result import Host, Interval, Latency, Ratio, Timing
from solon.evidence.release import LatencyPart
from solon.evidence.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Clock = Callable[[], float]
Way = Literal["command", "onnx"]

MAX_CALLS: Final = 20_000
MAX_BATCH: Final = 10_000
_LIMITS: Final = ("p50_ms", "p95_ms", "p99_ms")
_SEED: Final = 20260101
_A_CODE: Final = re.compile(r"[+-]?0\d")  # 0123 is no number


class Caller(Protocol):
    """Something that can be called with a batch, which is made ready before the clock runs. Both raise CannotCollect."""

    def ready(self, rows: NDArray[np.intp]) -> Any: ...
    def call(self, batch: Any) -> None: ...


def collect(given: Given) -> Collected | None:
    """Raises CannotCollect; see ``collector.Collect``."""
    part = given.release.latency
    if part is None:
        return None
    _checked(part)
    table = tables.read(given.path(part.data), part.data)
    if not table.rows:
        raise CannotCollect(f"{part.data}: has no rows")
    columns = _columns(given, part, table)
    files = [given.measured("data", part.data)]
    with ExitStack() as stack:
        way, candidate = _candidate(given, part, table, columns, files, stack)
        callers = [candidate]
        if part.baseline is not None:
            other, deployed = _baseline(given, part, table, columns, files, stack)
            if other != way:
                raise CannotCollect(
                    f"the candidate is called as {way} and the baseline as {other}: give both in the same way, or their times do not compare"
                )
            callers.append(deployed)
        times = timed(
            callers,
            table.rows,
            part,
            time.perf_counter,
            deadline=time.perf_counter() + given.operator.timeout,
            progress=given.progress,
        )
    result = Latency(
        predictor=way,
        batch=part.batch,
        warm_up=part.warm_up,
        candidate=timing(times[0], part.batch),
        maximums=part.maximums,
        host=host(),
        throughput=part.throughput,
        baseline_version=part.baseline.version if part.baseline else "",
        baseline=timing(times[1], part.batch) if part.baseline else None,
        slower=ratio(times[0], times[1]) if part.baseline else None,
    )
    return Collected(
        result, part.onnx if way == "onnx" else f"predictor {given.operator.predictor[0]}", files
    )


def timed(
    callers: Sequence[Caller],
    rows: int,
    part: LatencyPart,
    clock: Clock,
    *,
    deadline: float = math.inf,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Seconds of each call, (callers, calls), without those to warm up.

    All get the same rows; who goes first changes with each call, so that what the machine does meanwhile is for both.
    ``rows`` are those of the table: batches go through them, and begin anew. Raises CannotCollect after the deadline.
    """
    import numpy as np

    whole = part.warm_up + part.calls
    found = np.empty((len(callers), whole))
    for call in range(whole):
        if call % 50 == 0:
            progress("calls", call, whole)
        at = (call * part.batch + np.arange(part.batch)) % rows
        order = range(len(callers)) if call % 2 == 0 else range(len(callers) - 1, -1, -1)
        ready = [caller.ready(at) for caller in callers]
        for number in order:
            start = clock()
            callers[number].call(ready[number])
            found[number, call] = clock() - start
        if clock() > deadline:
            raise CannotCollect(f"{call + 1} of {whole} calls when the time was up; ask for fewer `calls`")
    return found[:, part.warm_up :]


def timing(seconds: NDArray[np.float64], batch: int) -> Timing:
    """Percentiles by nearest rank: the smallest time that so many of 100 calls did not exceed."""
    import numpy as np

    p50, p95, p99 = (1000 * np.quantile(seconds, [0.5, 0.95, 0.99], method="inverted_cdf")).tolist()
    spent = float(seconds.sum())
    return Timing(len(seconds), p50, p95, p99, batch * len(seconds) / max(spent, 1e-9))


def ratio(candidate: NDArray[np.float64], baseline: NDArray[np.float64]) -> Ratio | None:
    """That of the medians, with an interval from resampled pairs of calls; None where a median is 0."""
    import numpy as np

    rng = np.random.default_rng(_SEED)
    calls = len(candidate)
    below = float(np.median(baseline))
    if not below > 0:
        return None
    samples = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        drawn = rng.integers(0, calls, calls)
        samples[number] = np.median(candidate[drawn]) / max(np.median(baseline[drawn]), 1e-12)
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Ratio(float(np.median(candidate)) / below, Interval(low, high, CONFIDENCE, "bootstrap"))


def host() -> Host:
    return Host(
        machine=platform.node(),
        processor=_processor(),
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _checked(part: LatencyPart) -> None:
    for name, value, least, most in (
        ("calls", part.calls, 1, MAX_CALLS),
        ("warm_up", part.warm_up, 0, MAX_CALLS),
        ("batch", part.batch, 1, MAX_BATCH),
    ):
        if not least <= value <= most:
            raise CannotCollect(f"latency: `{name}` is {value:,}; it must be from {least} to {most:,}")
    for name, limit in part.maximums.items():
        if name not in _LIMITS:
            raise CannotCollect(f"latency: `maximums` are of {', '.join(_LIMITS)}, and not of {name!r}")
        if not math.isfinite(limit):
            raise CannotCollect(f"latency: `maximums` has {limit} for {name}, which nothing exceeds")
    if part.throughput is not None and not math.isfinite(part.throughput):
        raise CannotCollect(f"latency: `throughput` is {part.throughput}, which is no rate")


def _columns(given: Given, part: LatencyPart, table: Table) -> list[str]:
    """Those that are named; or all but what the part for performance says is true or was predicted."""
    if part.features:
        table.need(part.features)
        return part.features
    judged = given.release.performance
    hidden = (judged.label, judged.prediction, judged.score) if judged is not None else ("prediction",)
    return [column for column in table.columns if column not in hidden]


def _candidate(
    given: Given,
    part: LatencyPart,
    table: Table,
    columns: Sequence[str],
    files: list[Measured],
    stack: ExitStack,
) -> tuple[Way, Caller]:
    if given.operator.predictor:
        return "command", _command(given, given.operator.predictor, table, columns, stack)
    if part.onnx:
        content, measured = predictions.released(given, part.onnx)
        files += measured
        return "onnx", _Onnx(_model(given, content, part.onnx, stack), part, table, columns)
    raise CannotCollect(
        "latency: nothing to call; name the model's `onnx`, or have the operator give a predictor"
    )


def _baseline(
    given: Given,
    part: LatencyPart,
    table: Table,
    columns: Sequence[str],
    files: list[Measured],
    stack: ExitStack,
) -> tuple[Way, Caller]:
    assert part.baseline is not None
    if given.operator.baseline_predictor:
        return "command", _command(given, given.operator.baseline_predictor, table, columns, stack)
    if part.baseline.onnx:
        content, measured = predictions.content_of(given, part.baseline.onnx, "baseline")
        files += measured
        return "onnx", _Onnx(_model(given, content, part.baseline.onnx, stack), part, table, columns)
    raise CannotCollect(
        "latency: a baseline is declared, and nothing to call; name its `onnx`, or have the operator give a command"
    )


def _model(given: Given, content: bytes, name: str, stack: ExitStack) -> OnnxModel:
    return stack.enter_context(loaded(content, name, given.operator.timeout))


def _command(
    given: Given, arguments: Sequence[str], table: Table, columns: Sequence[str], stack: ExitStack
) -> Caller:
    lines = stack.enter_context(command.Lines(arguments, release=given.root, timeout=given.operator.timeout))
    return _Command(lines, table, columns)


class _Command:
    def __init__(self, lines: command.Lines, table: Table, columns: Sequence[str]) -> None:
        self._lines = lines
        self._columns = {column: _values(table, column) for column in columns}

    def ready(self, rows: NDArray[np.intp]) -> tuple[bytes, int]:
        """The request, and how many rows are in it."""
        asked = [{column: values[row] for column, values in self._columns.items()} for row in rows.tolist()]
        return command.encoded(asked), len(asked)

    def call(self, batch: Any) -> None:
        self._lines.ask(*batch)


class _Onnx:
    def __init__(self, model: OnnxModel, part: LatencyPart, table: Table, columns: Sequence[str]) -> None:
        self._model = model
        self._feeds = model.feeds(table, part.features, columns)

    def ready(self, rows: NDArray[np.intp]) -> list[Feeds]:
        """One batch, or as many as there are rows where the model takes one at a time."""
        chosen = {name: values[rows] for name, values in self._feeds.items()}
        return list(self._model.batches(chosen, len(rows), len(rows)))

    def call(self, batch: Any) -> None:
        for feeds in batch:
            self._model.run(feeds)


def _values(table: Table, column: str) -> list[float | int | str | None]:
    """As JSON has them: numbers where all are, else texts."""
    texts: list[float | int | str | None] = table.texts(column).tolist()
    found = table.numbers(column)
    if found.wrong.any() or any(text is not None and _A_CODE.match(str(text)) for text in texts):
        return texts
    return [_number(value) for value in found.values.tolist()]


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
