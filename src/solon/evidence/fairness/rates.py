"""The rates of each group: shares of its rows with Wilson's interval, and how well its scores are calibrated.

The expected calibration error is that of Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using
Bayesian binning", AAAI 2015, over ten bins of equal width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solon.evidence.fairness.groups import Groups
from solon.evidence.fairness.result import Rate
from solon.evidence.performance.intervals import wilson

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``of`` rows, for each group; ``rows`` says which rows are counted."""

    hits: NDArray[np.int64]
    of: NDArray[np.int64]
    rows: str

    @property
    def values(self) -> NDArray[np.float64]:
        """NaN where there are no rows."""
        with np.errstate(invalid="ignore"):
            return self.hits / self.of

    def judged(self, smallest: int) -> NDArray[np.bool_]:
        return self.of >= smallest

    def rate(self, group: int, smallest: int) -> Rate:
        hits, of = int(self.hits[group]), int(self.of[group])
        if of < smallest:
            return Rate(of, unknown=too_few(of, self.rows, smallest))
        return Rate(of, hits / of, wilson(hits / of, of))


@dataclass(frozen=True, slots=True)
class Calibration:
    """For each group and bin of scores: rows, positive ones among them, and the sum of their scores."""

    n: NDArray[np.int64]
    positive: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def of(self) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = self.n.sum(axis=1)
        return counts

    @property
    def values(self) -> NDArray[np.float64]:
        """The expected calibration error of each group."""
        apart: NDArray[np.float64] = np.abs(self.positive - self.scores).sum(axis=1)
        return apart / self.of

    def judged(self, smallest: int) -> NDArray[np.bool_]:
        return self.of >= smallest


def shares(groups: Groups, label: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> dict[str, Share]:
    """The rates that count rows, by name. ``label`` and ``predicted`` say of each row whether it is positive."""
    n, positive = groups.count(), groups.count(label)
    return {
        "selection_rate": Share(groups.count(predicted), n, "rows"),
        "true_positive_rate": Share(groups.count(label & predicted), positive, "rows with a positive label"),
        "false_positive_rate": Share(
            groups.count(~label & predicted), n - positive, "rows with a negative label"
        ),
        "accuracy": Share(groups.count(label == predicted), n, "rows"),
    }


def calibration(groups: Groups, label: NDArray[np.bool_], score: NDArray[np.float64]) -> Calibration:
    """``score`` are probabilities of the positive label, from 0 to 1."""
    bins = np.minimum((score * BINS).astype(np.intp), BINS - 1)
    cell = groups.of * BINS + bins
    shape = (len(groups.values), BINS)
    size = shape[0] * shape[1]
    return Calibration(
        np.bincount(cell, minlength=size).reshape(shape).astype(np.int64),
        np.bincount(cell[label], minlength=size).reshape(shape).astype(np.int64),
        np.bincount(cell, weights=score, minlength=size).reshape(shape).astype(np.float64),
    )


def too_few(n: int, rows: str, smallest: int) -> str:
    return f"{n} {rows.replace('rows', 'row', 1) if n == 1 else rows}, fewer than {smallest}"
