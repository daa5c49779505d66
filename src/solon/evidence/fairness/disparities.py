"""Differences and ratios between groups, as fairlearn defines them, with intervals.

The largest of many noisy differences is too large: groups that are treated alike always differ in a sample, small groups
most. Percentiles of resampled differences repeat that error, and would show a disparity where there is none. So the
intervals here are simultaneous: the bootstrap says how far all differences between two groups may be off at once, each in
terms of its own standard error (Tukey's method, by the bootstrap; Westfall and Young, "Resampling-based multiple
testing", 1993), and an interval of the largest follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solon.evidence.fairness.rates import Calibration, Share
from solon.evidence.fairness.result import Disparity
from solon.evidence.performance.intervals import CONFIDENCE
from solon.evidence.performance.result import Interval

RESAMPLES: Final = 1000


@dataclass(frozen=True, slots=True)
class Resampled:
    """Values of groups, and what they are in each resample (a row each).

    A value may be too large by as much as its ``excess``, because chance adds to it and never takes away.
    """

    values: NDArray[np.float64]
    draws: NDArray[np.float64]
    excess: NDArray[np.float64] | float = 0.0

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """By how much each resample is off, and the standard error."""
        off = self.draws - self.draws.mean(axis=0)
        return off, off.std(axis=0)


def difference(
    rates: dict[str, Share], names: Sequence[str], smallest: int, random: np.random.Generator
) -> Disparity:
    """Between the highest and the lowest value; of several rates the largest of these, which equalized odds asks for."""
    left_out = _left_out([share.judged(smallest) for share in rates.values()], names)
    found: list[tuple[float, str, str]] = []
    resampled: list[Resampled] = []
    for name, share in rates.items():
        judged = share.judged(smallest)
        if judged.sum() < 2:
            prefix = f"{name}: " if len(rates) > 1 else ""
            return Disparity(left_out=left_out, unknown=prefix + _too_few_groups(judged))
        values, low, high = _ends(share.values, judged, names)
        found.append((float(values.max() - values.min()), low, high))
        hits, of = share.hits[judged], share.of[judged]
        resampled.append(Resampled(values, _draws(hits, of, random)))
    value, low, high = max(found, key=lambda each: each[0])
    return Disparity(value, _interval(value, *_largest(resampled)), low, high, left_out)


def ratio(share: Share, names: Sequence[str], smallest: int, random: np.random.Generator) -> Disparity:
    """Of the lowest value to the highest."""
    judged = share.judged(smallest)
    left_out = _left_out([judged], names)
    if judged.sum() < 2:
        return Disparity(left_out=left_out, unknown=_too_few_groups(judged))
    values, low, high = _ends(share.values, judged, names)
    if values.max() == 0:
        return Disparity(
            left_out=left_out, unknown="no row of any group is predicted positive: 0 to 0 is no ratio"
        )
    value = float(values.min() / values.max())
    hits, of = share.hits[judged], share.of[judged]
    logs = Resampled(np.log(_smoothed(hits, of)), np.log(_draws(hits, of, random)))
    apart, most = _largest([logs])
    return Disparity(
        value, _interval(value, float(np.exp(-most)), float(np.exp(-apart))), low, high, left_out
    )


def calibration_difference(
    calibration: Calibration, names: Sequence[str], smallest: int, random: np.random.Generator
) -> tuple[Disparity, dict[int, Interval]]:
    """Between the errors of two groups, and the interval of each group's error.

    Chance alone makes an error, the larger the fewer the rows: the intervals reach down to where all of it were that.
    """
    judged = calibration.judged(smallest)
    left_out = _left_out([judged], names)
    numbers = np.flatnonzero(judged)
    values = calibration.values[judged]
    draws, excess = _calibration_draws(calibration, numbers, random)
    errors = Resampled(values, draws, excess)
    off, _ = errors.errors()
    tail = (1 - CONFIDENCE) / 2
    intervals = {}
    for at, number in enumerate(numbers):
        below, above = np.quantile(off[:, at], [tail, 1 - tail])
        low, high = values[at] - excess[at] - above, values[at] - below
        intervals[int(number)] = _interval(float(values[at]), float(low), float(high))
    if len(numbers) < 2:
        return Disparity(left_out=left_out, unknown=_too_few_groups(judged)), intervals
    _, low, high = _ends(calibration.values, judged, names)
    value = float(values.max() - values.min())
    return Disparity(value, _interval(value, *_largest([errors])), low, high, left_out), intervals


def _left_out(judged: Sequence[NDArray[np.bool_]], names: Sequence[str]) -> list[str]:
    whole = np.logical_and.reduce(judged)
    return [name for name, known in zip(names, whole, strict=True) if not known]


def _too_few_groups(judged: NDArray[np.bool_]) -> str:
    if len(judged) == 1:
        return "all rows are in one group, which can be compared with none"
    return f"{int(judged.sum())} of {len(judged)} groups can be judged, and a comparison needs two"


def _ends(
    values: NDArray[np.float64], judged: NDArray[np.bool_], names: Sequence[str]
) -> tuple[NDArray[np.float64], str, str]:
    """The values of the groups that are judged, and the names of the lowest and the highest."""
    known = np.flatnonzero(judged)
    return values[known], names[known[values[known].argmin()]], names[known[values[known].argmax()]]


def _smoothed(hits: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares a little away from 0 and 1: none of 30 is no proof of none at all."""
    smooth: NDArray[np.float64] = (hits + 0.5) / (of + 1)
    return smooth


def _draws(
    hits: NDArray[np.int64], of: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    drawn = random.binomial(of, _smoothed(hits, of), size=(RESAMPLES, len(of)))
    return _smoothed(drawn, of)


def _calibration_draws(
    calibration: Calibration, numbers: NDArray[np.intp], random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The errors of the groups in each resample, and what they would be on average were the scores calibrated.

    All scores of a bin are taken for their mean.
    """
    draws = np.empty((RESAMPLES, len(numbers)))
    chance = np.empty(len(numbers))
    for at, number in enumerate(numbers):
        n, total = calibration.n[number], int(calibration.n[number].sum())
        some = np.maximum(n, 1)
        mean = np.minimum(calibration.scores[number] / some, 1.0)
        counts = random.multinomial(total, n / total, size=RESAMPLES)
        positive = random.binomial(counts, calibration.positive[number] / some)
        draws[:, at] = np.abs(positive - counts * mean).sum(axis=1) / total
        calibrated = random.binomial(n, mean, size=(RESAMPLES, len(n)))
        chance[at] = np.abs(calibrated - n * mean).sum(axis=1).mean() / total
    return draws, chance


def _largest(families: Sequence[Resampled]) -> tuple[float, float]:
    """Between what the largest difference of two groups lies, over all families at once."""
    worst = np.zeros(RESAMPLES)
    pairs: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    for family in families:
        off, errors = family.errors()
        values, excess = family.values, np.broadcast_to(family.excess, family.values.shape)
        for one in range(len(values) - 1):
            others = slice(one + 1, None)
            error = np.hypot(errors[one], errors[others])
            apart = np.abs(off[:, one, None] - off[:, others])
            scaled = np.divide(apart, error, out=np.zeros_like(apart), where=error > 0)
            worst = np.maximum(worst, scaled.max(axis=1))
            more = values[one] - values[others]
            least = np.maximum(more - excess[one], -more - excess[others])
            most = np.maximum(more + excess[others], -more + excess[one])
            pairs.append((least, most, error))
    far = float(np.quantile(worst, CONFIDENCE))
    low = max(float((least - far * error).max()) for least, _, error in pairs)
    high = max(float((most + far * error).max()) for _, most, error in pairs)
    return max(0.0, low), high


def _interval(value: float, low: float, high: float) -> Interval:
    """Within 0 and 1, and never without the value itself."""
    return Interval(max(0.0, min(low, value)), min(1.0, max(high, value)), CONFIDENCE, "bootstrap")
