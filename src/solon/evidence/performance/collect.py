"""The evidence of performance: metrics with intervals, whole and by slice, and beside what is deployed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.document import Measured
from solon.evidence.performance import measure, predictions
from solon.evidence.performance.measure import Model, Rows
from solon.evidence.performance.metrics import Definition, wanted
from solon.evidence.performance.predictions import Kind, Made, Predictions
from solon.evidence.performance.result import Comparison, Metric, Performance, Slice
from solon.evidence.release import PerformancePart, Task
from solon.evidence.tables import MISSING, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_LABELS: Final = 1000
MAX_SLICES: Final = 100  # of one column
_SEED: Final = 20260101  # the same rows give the same intervals


def collect(given: Given) -> Collected | None:
    """Raises CannotCollect; see ``collector.Collect``."""
    part = given.release.performance
    if part is None:
        return None
    task = given.release.task
    metrics = _metrics(part, task)
    kind: Kind = "labels" if task == "classification" else "numbers"
    given.progress("predictions", 0, 0)
    found = predictions.of(given, part, kind)
    made = [Made(found.y_pred, found.score, found.source)]
    _enough(metrics, part, made[0], found)
    files: list[Measured] = [*found.measured]
    if part.baseline is not None:
        given.progress("predictions of the baseline", 0, 0)
        deployed = predictions.baseline(
            given, part, found, kind, predictions=part.baseline.predictions, onnx=part.baseline.onnx
        )
        made.append(deployed)
        files += deployed.measured
    found.table.need(part.slices)
    rows = _rows(found, made, part, task)

    import numpy as np

    rng = np.random.default_rng(_SEED)
    given.progress("metrics", 0, 0)
    result = Performance(
        task=task,
        n=found.table.rows,
        predictions=found.source,
        metrics=measure.measured(rows, metrics, rng),
        minimums=part.minimums,
        slices=_slices(given, rows, found.table, part.slices, metrics, rng),
        positive=found.positive,
        baseline_version=part.baseline.version if part.baseline else "",
        baseline_predictions=made[1].source if part.baseline else "",
        baseline=_beside(rows, made, metrics, rng) if part.baseline else {},
    )
    return Collected(result, _source(found, given), files)


def _metrics(part: PerformancePart, task: Task) -> list[Definition]:
    """Those that are asked for, and those that something is promised of."""
    for name, least in part.minimums.items():
        if not math.isfinite(least):
            raise CannotCollect(f"`minimums` has {least} for {name}, which is no number that could be missed")
    asked = [*part.metrics, *part.minimums] if part.metrics else [each.name for each in wanted(task, ())]
    return wanted(task, [*asked, *part.minimums])


def _enough(metrics: Sequence[Definition], part: PerformancePart, made: Made, found: Predictions) -> None:
    """Raises CannotCollect where a metric needs what is not declared."""
    for metric in metrics:
        if metric.needs and not found.positive:
            raise CannotCollect(
                f"{metric.name} needs `positive`: the label that `score` is the probability of"
            )
        if metric.needs and made.score is None:
            raise CannotCollect(
                f"{metric.name} needs `score`: a column with the probability of {part.positive}"
            )
        if metric.needs == "probability":
            _probability(made, metric.name)


def _probability(made: Made, name: str) -> None:
    assert made.score is not None
    outside = (made.score < 0) | (made.score > 1)
    if outside.any():
        raise CannotCollect(
            f"{name} needs probabilities, and the score is outside of 0 and 1 in {int(outside.sum())} rows, first in row {int(outside.argmax()) + 1}"
        )


def _rows(found: Predictions, made: Sequence[Made], part: PerformancePart, task: Task) -> Rows:
    import numpy as np

    if task == "classification":
        labels, codes = np.unique(
            np.concatenate([found.y_true, *(each.prediction for each in made)]).astype(str),
            return_inverse=True,
        )
        if len(labels) > MAX_LABELS:
            raise CannotCollect(
                f"{len(labels):,} labels, more than {MAX_LABELS:,}: is `task: regression` meant?"
            )
        truth, *predicted = np.split(codes, 1 + len(made))
        models = tuple(Model(code, each.score) for code, each in zip(predicted, made, strict=True))
        positive = int(np.searchsorted(labels, found.positive)) if found.positive else None
        return Rows(truth, models, len(labels), positive)
    if task == "regression":
        return Rows(found.y_true, tuple(Model(each.prediction) for each in made))
    scores = (each.prediction if each.score is None else each.score for each in made)
    if (found.y_true < 0).any():
        raise CannotCollect(f"{part.data}: `{part.label}` is less than 0 in a row; relevance begins there")
    models = tuple(Model(score, score) for score in scores)
    return Rows(found.y_true, models, query=_queries(found.table, part.group))


def _queries(table: Table, group: str) -> NDArray[np.intp]:
    import numpy as np

    if not group:
        raise CannotCollect("a ranking needs `group`: the column that says which query a row belongs to")
    texts = table.texts(group)
    missing = np.array([each is None for each in texts.tolist()])
    if missing.any():
        raise CannotCollect(f"{table.name}: `{group}` is missing, first in row {int(missing.argmax()) + 1}")
    return np.unique(texts.astype(str), return_inverse=True)[1].astype(np.intp)


def _beside(
    rows: Rows, made: Sequence[Made], metrics: Sequence[Definition], rng: np.random.Generator
) -> dict[str, Comparison]:
    """What needs a score is compared where both have one."""
    both = all(each.score is not None for each in made)
    if both:
        for metric in metrics:
            if metric.needs == "probability":
                _probability(made[1], f"{metric.name} of the baseline")
    judged = [metric for metric in metrics if both or not metric.needs]
    found = measure.compared(rows, judged, rng)
    for metric in metrics:
        if metric.name not in found:
            found[metric.name] = Comparison(len(rows.truth), unknown="the baseline has no score")
    return found


def _slices(
    given: Given,
    rows: Rows,
    table: Table,
    columns: Sequence[str],
    metrics: Sequence[Definition],
    rng: np.random.Generator,
) -> list[Slice]:
    import numpy as np

    found = []
    for done, column in enumerate(columns):
        given.progress(f"slices by {column}", done, len(columns))
        texts = np.array([MISSING if each is None else each for each in table.texts(column).tolist()])
        values = np.unique(texts)
        if len(values) > MAX_SLICES:
            raise CannotCollect(
                f"{table.name}: `{column}` has {len(values):,} values, more than {MAX_SLICES} slices; cut it into few"
            )
        for value in values.tolist():
            some: dict[str, Metric] = measure.measured(rows.where(texts == value), metrics, rng)
            found.append(Slice(column, value, some))
    return found


def _source(found: Predictions, given: Given) -> str:
    if found.source == "command":
        return f"predictor {given.operator.predictor[0]}"
    return ", ".join(measured.path for measured in found.measured)
