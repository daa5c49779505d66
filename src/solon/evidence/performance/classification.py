"""Metrics of a classification, on counts of labels or on scores, each for many resamples at once.

They agree with scikit-learn's where both have a value. Where scikit-learn warns and gives 0, or a metric needs two labels
and there is one, it is NaN here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of each label were predicted right, were predicted, and are true: (…, labels) each.

    ``positive`` is the number of a label, or None where the metrics are means over all.
    """

    right: NDArray[np.int64]
    predicted: NDArray[np.int64]
    true: NDArray[np.int64]
    positive: int | None


def accuracy(tally: Tally) -> Numbers:
    return _share(tally.right.sum(axis=-1), tally.true.sum(axis=-1))


def balanced_accuracy(tally: Tally) -> Numbers:
    """The mean over the labels that occur of the share of their rows that were predicted right."""
    import numpy as np

    recalls = np.nan_to_num(_share(tally.right, tally.true))
    return _of_several(tally, _share(recalls.sum(axis=-1), (tally.true > 0).sum(axis=-1)))


def precision(tally: Tally) -> Numbers:
    return _averaged(tally, tally.right, tally.predicted)


def recall(tally: Tally) -> Numbers:
    return _averaged(tally, tally.right, tally.true)


def f1(tally: Tally) -> Numbers:
    return _averaged(tally, 2 * tally.right, tally.predicted + tally.true)


def mcc(tally: Tally) -> Numbers:
    """Matthews' correlation, in Gorodkin's form for any number of labels."""
    import numpy as np

    right, predicted, true = (each.astype(np.float64) for each in (tally.right, tally.predicted, tally.true))
    n = true.sum(axis=-1)
    covariance = right.sum(axis=-1) * n - (predicted * true).sum(axis=-1)
    squares = (n * n - (predicted**2).sum(axis=-1)) * (n * n - (true**2).sum(axis=-1))
    return _share(covariance, np.sqrt(squares))


def log_loss(positive: NDArray[np.bool_], score: Numbers) -> Numbers:
    """Of each row; probabilities are kept off 0 and 1 by the smallest step, as scikit-learn does."""
    import numpy as np

    step = np.finfo(np.float64).eps
    score = np.clip(score, step, 1 - step)
    found: Numbers = -np.log(np.where(positive, score, 1 - score))
    return found


def brier(positive: NDArray[np.bool_], score: Numbers) -> Numbers:
    """Of each row."""
    found: Numbers = (positive - score) ** 2
    return found


def average_precision(positive: NDArray[np.bool_], score: Numbers, weights: NDArray[np.int64]) -> Numbers:
    """The mean of the precision at each threshold, by how much the recall grows there; of each row of ``weights``."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    drawn = weights[:, order]
    hits = np.cumsum(drawn * positive[order], axis=1)[:, ends]
    all_ = np.cumsum(drawn, axis=1)[:, ends]
    grown = np.diff(hits, axis=1, prepend=0)
    total = (grown * np.nan_to_num(_share(hits, all_))).sum(axis=1)
    return _share(total, hits[:, -1])


Of = Callable[[Tally], "Numbers"]
TALLIED: Final[dict[str, Of]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "mcc": mcc,
}


def _averaged(tally: Tally, part: NDArray[np.int64], whole: NDArray[np.int64]) -> Numbers:
    """That of the positive label; or the mean over the labels that occur or are predicted, where an empty share is 0."""
    import numpy as np

    if tally.positive is not None:
        return _share(part[..., tally.positive], whole[..., tally.positive])
    labels = ((tally.true + tally.predicted) > 0).sum(axis=-1)
    return _of_several(tally, _share(np.nan_to_num(_share(part, whole)).sum(axis=-1), labels))


def _of_several(tally: Tally, values: Numbers) -> Numbers:
    """NaN where fewer than two labels occur: a mean over one says nothing of the others."""
    import numpy as np

    return np.where((tally.true > 0).sum(axis=-1) < 2, np.nan, values)


def _share(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Numbers:
    """NaN where the whole is 0."""
    import numpy as np

    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    none = np.full(np.broadcast(part, whole).shape, np.nan)
    found: Numbers = np.divide(part, whole, out=none, where=whole != 0)
    return found
