"""Values of metrics with intervals, for one model, and for two on the same rows.

Every interval is of 95 %. How it is found is in ``Interval.method``: a formula where there is a good one (``wilson``,
``delong``, ``bonett-price``), else the percentiles of resampled rows (``bootstrap``). Where all resamples give the same
value, as of a model without a mistake, that is no certainty: the interval is then the one of a share of as many rows
as the rarest label has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from solon.evidence.performance import classification, intervals, ranking, regression
from solon.evidence.performance.classification import Tally
from solon.evidence.performance.metrics import Definition
from solon.evidence.performance.result import Comparison, Interval, Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

# Metrics that need the order of all rows are resampled on no more than these, and the spread is scaled.
_ORDERED: Final = 20_000
_FEW_RESAMPLES: Final = 200


@dataclass(frozen=True, slots=True)
class Model:
    """What one model says of the rows: a number of a label or a number, and a score of the positive label or relevance."""

    predicted: NDArray[Any]
    score: Numbers | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What is true of each row, and what one or two models say of it.

    Labels are numbers from 0 to ``labels``; ``positive`` is one, or None. ``query`` numbers the queries of a ranking.
    """

    truth: NDArray[Any]
    models: tuple[Model, ...]
    labels: int = 0
    positive: int | None = None
    query: NDArray[np.intp] | None = None

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        import numpy as np

        query = None
        if self.query is not None:
            query = np.unique(self.query[mask], return_inverse=True)[1].astype(np.intp)
        models = tuple(
            Model(model.predicted[mask], None if model.score is None else model.score[mask])
            for model in self.models
        )
        return replace(self, truth=self.truth[mask], models=models, query=query)

    @property
    def is_positive(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.truth == self.positive
        return found


@dataclass(frozen=True, slots=True)
class _Found:
    """Of one metric: ``values`` of each model, ``samples`` of these (models, resamples), and what formulas gave.

    ``n`` counts what was judged, ``rarest`` the rows or queries that the least is known from.
    """

    n: int
    rarest: int
    values: Numbers
    samples: Numbers | None = None
    formula: Interval | None = None  # of the first model
    of_change: Interval | None = None  # of the first less the second


def measured(rows: Rows, wanted: Sequence[Definition], rng: np.random.Generator) -> dict[str, Metric]:
    """The metrics of the first model."""
    first = replace(rows, models=rows.models[:1])
    found = _found(first, wanted, rng)
    return {metric.name: _metric(metric, found[metric.name]) for metric in wanted}


def compared(rows: Rows, wanted: Sequence[Definition], rng: np.random.Generator) -> dict[str, Comparison]:
    """The first model, the candidate, beside the second, the baseline."""
    import numpy as np

    found = _found(rows, wanted, rng)
    with np.errstate(over="ignore", invalid="ignore"):
        return {metric.name: _comparison(metric, found[metric.name]) for metric in wanted}


def _metric(metric: Definition, found: _Found) -> Metric:
    value = _finite(found.values[0])
    if value is None:
        return Metric(
            found.n, higher_is_better=metric.higher_is_better, unknown=metric.undefined or "no value"
        )
    interval = found.formula
    if interval is None and found.samples is not None:
        interval = intervals.percentile(found.samples[0])
    if interval is None and metric.range is not None:
        interval = _of_a_share(value, metric.range, found.rarest)
    return Metric(found.n, value, interval, metric.higher_is_better)


def _comparison(metric: Definition, found: _Found) -> Comparison:
    values = [_finite(value) for value in found.values]
    candidate, baseline = values
    if candidate is None or baseline is None:
        whose = "the candidate" if candidate is None else "the baseline"
        unknown = f"{metric.undefined or 'no value'} ({whose})"
        return Comparison(found.n, candidate, baseline, unknown=unknown)
    sign = 1 if metric.higher_is_better else -1
    change = _finite(sign * (candidate - baseline))
    if change is None:
        return Comparison(found.n, candidate, baseline, unknown="the change is too large to be computed")
    interval = _turned(found.of_change, sign)
    if interval is None and found.samples is not None:
        interval = intervals.percentile(sign * (found.samples[0] - found.samples[1]))
    if interval is None:
        interval = _around(change, metric.range, found.rarest)
    return Comparison(found.n, candidate, baseline, change, interval)


def _of_a_share(value: float, of: tuple[float, float], n: int) -> Interval | None:
    """Where resampling saw no spread: the interval of a share of ``n`` rows, stretched to the range of the metric."""
    low, high = of
    found = intervals.wilson((value - low) / (high - low), n)
    if found is None:
        return None
    low, high = low + found.low * (high - low), low + found.high * (high - low)
    return Interval(low, high, found.confidence, found.method)


def _around(change: float, of: tuple[float, float] | None, n: int) -> Interval | None:
    """Likewise of a change. Without bounds it is what resampling saw: two models that say the same of all rows."""
    even = intervals.bonett_price(0, 0, n)
    if even is None or n < 2:
        return None
    if of is None:
        return Interval(change, change, even.confidence, "bootstrap")
    half = even.high * (of[1] - of[0])
    return Interval(change - half, change + half, even.confidence, even.method)


def _turned(interval: Interval | None, sign: int) -> Interval | None:
    if interval is None or sign > 0:
        return interval
    return Interval(-interval.high, -interval.low, interval.confidence, interval.method)


def _found(rows: Rows, wanted: Sequence[Definition], rng: np.random.Generator) -> Mapping[str, _Found]:
    import numpy as np

    found: dict[str, _Found] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        tallied = [each for each in wanted if not each.base and each.name in classification.TALLIED]
        if tallied:
            found |= _tallied(rows, tallied, rng)
        for metric in wanted:
            if metric.name not in found:
                found[metric.name] = _one(rows, metric, rng)
    return found


def _one(rows: Rows, metric: Definition, rng: np.random.Generator) -> _Found:
    if metric.base:
        return _of_queries(rows, metric, rng)
    if metric.name == "roc_auc":
        return _area(rows)
    if metric.name == "average_precision":
        return _precision_at_thresholds(rows, rng)
    if metric.name == "median_ae":
        return _median(rows, rng)
    return _summed(rows, metric, rng)


def _tallied(rows: Rows, wanted: Sequence[Definition], rng: np.random.Generator) -> dict[str, _Found]:
    """Rows of the same labels are alike: what is resampled is how many there are of each kind."""
    import numpy as np

    columns = (rows.truth, *(model.predicted for model in rows.models))
    shape = (rows.labels,) * len(columns)
    numbered, counts = np.unique(np.ravel_multi_index(columns, shape), return_counts=True)
    kinds = np.column_stack(np.unravel_index(numbered, shape))
    once = [_tally(kinds, counts[None, :], number, rows) for number in range(len(rows.models))]
    drawn = intervals.resampled_counts(counts, rng)
    many = [_tally(kinds, drawn, number, rows) for number in range(len(rows.models))]
    occurring = np.bincount(rows.truth.astype(np.intp))
    found = {}
    for metric in wanted:
        of = classification.TALLIED[metric.name]
        found[metric.name] = _Found(
            len(rows.truth),
            int(occurring[occurring > 0].min()),
            np.array([of(tally)[0] for tally in once]),
            np.stack([of(tally) for tally in many]),
            _share_of(metric.name, once[0]),
            _difference(rows) if metric.name == "accuracy" and len(rows.models) == 2 else None,
        )
    return found


def _tally(kinds: NDArray[np.int64], counts: NDArray[np.int64], number: int, rows: Rows) -> Tally:
    """``counts`` are (resamples, kinds)."""
    truth, predicted = kinds[:, 0], kinds[:, 1 + number]
    return Tally(
        _summed_by(truth, counts * (truth == predicted), rows.labels),
        _summed_by(predicted, counts, rows.labels),
        _summed_by(truth, counts, rows.labels),
        rows.positive,
    )


def _summed_by(label: NDArray[np.int64], counts: NDArray[np.int64], labels: int) -> NDArray[np.int64]:
    import numpy as np

    order = np.argsort(label, kind="stable")
    present, starts = np.unique(label[order], return_index=True)
    found = np.zeros((len(counts), labels), np.int64)
    found[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return found


def _share_of(name: str, tally: Tally) -> Interval | None:
    """What is a share of rows has Wilson's interval."""
    right, predicted, true = (each[0] for each in (tally.right, tally.predicted, tally.true))
    if name == "accuracy":
        return intervals.wilson(right.sum() / true.sum(), int(true.sum()))
    whole = {"precision": predicted, "recall": true}.get(name)
    if tally.positive is None or whole is None or not whole[tally.positive]:
        return None
    return intervals.wilson(right[tally.positive] / whole[tally.positive], int(whole[tally.positive]))


def _difference(rows: Rows) -> Interval | None:
    first, second = (model.predicted == rows.truth for model in rows.models)
    return intervals.bonett_price(int((first & ~second).sum()), int((second & ~first).sum()), len(rows.truth))


def _summed(rows: Rows, metric: Definition, rng: np.random.Generator) -> _Found:
    import numpy as np

    if metric.name in regression.SUMMED:
        summed = regression.SUMMED[metric.name]
        columns = [summed.columns(rows.truth, model.predicted) for model in rows.models]
        of = summed.of
    else:
        loss = {"log_loss": classification.log_loss, "brier": classification.brier}[metric.name]
        columns = [loss(rows.is_positive, _score(model))[:, None] for model in rows.models]
        of = regression.mean
    return _of_sums(np.stack(columns), of, rng)


def _of_queries(rows: Rows, metric: Definition, rng: np.random.Generator) -> _Found:
    """Queries are resampled, whole."""
    import numpy as np

    per_query = {
        "ndcg": ranking.ndcg,
        "map": ranking.average_precision,
        "mrr": ranking.reciprocal_rank,
        "precision": ranking.precision,
    }[metric.base]
    assert rows.query is not None
    values = np.stack(
        [per_query(ranking.ranked(rows.query, rows.truth, _score(model)), metric.k) for model in rows.models]
    )
    judged = np.isfinite(values).all(axis=0)  # a query without a relevant document is none for either
    if not judged.any():
        return _Found(0, 0, np.full(len(values), np.nan))
    return _of_sums(values[:, judged, None], regression.mean, rng)


def _of_sums(columns: Numbers, of: Any, rng: np.random.Generator) -> _Found:
    """``columns`` are (models, rows, columns)."""
    import numpy as np

    models, n, width = columns.shape
    flat = np.concatenate([np.ones((n, 1)), *columns], axis=1)
    sums = flat.sum(axis=0)[None, :]
    values = _of_each(sums, models, width, of)[:, 0]
    if not np.isfinite(values).all():
        return _Found(n, n, values)
    return _Found(n, n, values, _of_each(intervals.resampled_sums(flat, rng), models, width, of))


def _of_each(sums: Numbers, models: int, width: int, of: Any) -> Numbers:
    import numpy as np

    return np.stack(
        [of(sums[:, 0], sums[:, 1 + model * width : 1 + (model + 1) * width]) for model in range(models)]
    )


def _area(rows: Rows) -> _Found:
    import numpy as np

    positive = rows.is_positive
    n, rarest = len(positive), int(min(positive.sum(), (~positive).sum()))
    if not rarest:
        return _Found(n, 0, np.full(len(rows.models), np.nan))
    scores = np.stack([_score(model) for model in rows.models])
    areas, spread = intervals.delong(scores[:, positive], scores[:, ~positive])
    change = None
    if len(areas) == 2:
        variance = spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]
        change = intervals.of_change(float(areas[0] - areas[1]), float(variance))
    return _Found(n, rarest, areas, None, intervals.of_area(float(areas[0]), float(spread[0, 0])), change)


def _precision_at_thresholds(rows: Rows, rng: np.random.Generator) -> _Found:
    import numpy as np

    positive = rows.is_positive
    rarest = int(min(positive.sum(), (~positive).sum()))
    if not rarest:
        return _Found(len(positive), 0, np.full(len(rows.models), np.nan))

    def of(some: Rows, model: Model, weights: NDArray[np.int64]) -> Numbers:
        return classification.average_precision(some.is_positive, _score(model), weights)

    return _ordered(rows, of, rarest, rng)


def _median(rows: Rows, rng: np.random.Generator) -> _Found:
    def of(some: Rows, model: Model, weights: NDArray[np.int64]) -> Numbers:
        return regression.median_absolute(some.truth, model.predicted, weights)

    return _ordered(rows, of, len(rows.truth), rng)


def _ordered(rows: Rows, of: Any, rarest: int, rng: np.random.Generator) -> _Found:
    """The spread is that of a sample of the rows where there are very many: it shrinks with the root of their number."""
    import numpy as np

    n = len(rows.truth)
    values = np.array([of(rows, model, np.ones((1, n), np.int64))[0] for model in rows.models])
    some, scale = rows, 1.0
    if n > _ORDERED:
        chosen = np.zeros(n, np.bool_)
        chosen[rng.choice(n, _ORDERED, replace=False)] = True
        some, scale = rows.where(chosen), (_ORDERED / n) ** 0.5
    size = len(some.truth)
    weights = intervals.resampled_weights(size, _FEW_RESAMPLES, rng)
    one = np.ones((1, size), np.int64)
    samples = np.stack([of(some, model, weights) - of(some, model, one)[0] for model in some.models])
    return _Found(n, rarest, values, values[:, None] + scale * samples)


def _score(model: Model) -> Numbers:
    assert model.score is not None
    return model.score


def _finite(value: float) -> float | None:
    import math

    return float(value) if math.isfinite(value) else None
