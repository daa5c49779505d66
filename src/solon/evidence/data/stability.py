"""How far two samples of a column are from one distribution: pure functions over arrays and counts.

The population stability index is the sum over bins of (s - t) ln(s / t), where t and s are the shares of training and of
serving: the divergence of Jeffreys. Below 0.1 is customarily called stable, above 0.2 or 0.25 shifted (Siddiqi, "Credit Risk
Scorecards", 2006).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS: Final = 10
RARE: Final = 0.01  # values with a smaller share of training stand together,
_FEW: Final = 5  # as do those of which fewer rows are to be expected (Cochran's rule)
_LEAST: Final = 1e-6  # the share of an empty bin, so that the logarithm has a value
_CERTAIN: Final = 0.95


@dataclass(frozen=True, slots=True)
class Binned:
    """How many values are in each bin, in training and in serving. ``rare`` is the share of training in one bin for many."""

    training: Sequence[int]
    serving: Sequence[int]
    rare: float = 0.0


def index(binned: Binned) -> float:
    """The population stability index. A bin that is empty on one side has a share of a millionth there."""
    n, m = sum(binned.training), sum(binned.serving)
    shares = ((max(t / n, _LEAST), max(s / m, _LEAST)) for t, s in _pairs(binned))
    return math.fsum((s - t) * math.log(s / t) for t, s in shares)


def noise(binned: Binned) -> float:
    """The index that samples of these sizes exceed in one of twenty cases where both are of one distribution.

    (1/n + 1/m) times the 95th percentile of chi-square with one degree of freedom less than there are bins: Yurdakul and
    Naranjo, "Statistical properties of the population stability index", Journal of Risk Model Validation 14 (2020).
    """
    from scipy.stats import chi2

    bins = len(_pairs(binned))
    return (1 / sum(binned.training) + 1 / sum(binned.serving)) * float(chi2.ppf(_CERTAIN, max(1, bins - 1)))


def edges(training: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower ends of all bins but the first, which has none: quantiles, each with what lies above it.

    A value so frequent that several quantiles fall on it has a bin of its own.
    """
    import numpy as np

    found, often = np.unique(
        np.quantile(training, np.arange(1, BINS) / BINS, method="inverted_cdf"), return_counts=True
    )
    return np.union1d(found, np.nextafter(found[often > 1], np.inf))


def numbers(
    training: NDArray[np.float64], serving: NDArray[np.float64], wrong: tuple[int, int] = (0, 0)
) -> Binned:
    """Counts in the quantile bins of training; ``wrong`` are values that are no numbers, which make one more bin."""
    import numpy as np

    ends = edges(training)

    def counted(values: NDArray[np.float64]) -> list[int]:
        counts = np.bincount(np.searchsorted(ends, values, side="right"), minlength=len(ends) + 1)
        return [int(count) for count in counts]

    return Binned([*counted(training), wrong[0]], [*counted(serving), wrong[1]])


def categories(training: Mapping[str, int], serving: Mapping[str, int]) -> Binned:
    """Counts of each value; those that are rare in training stand together, as do those that it never had."""
    n, m = sum(training.values()), sum(serving.values())
    least = max(RARE, _FEW / min(n, m))
    often = [value for value, count in training.items() if count >= least * n]
    kept = set(often)
    rare = sum(count for value, count in training.items() if value not in kept)
    return Binned(
        [*(training[value] for value in often), rare, 0],
        [
            *(serving.get(value, 0) for value in often),
            sum(count for value, count in serving.items() if value in training and value not in kept),
            sum(count for value, count in serving.items() if value not in training),
        ],
        rare / n,
    )


def kolmogorov_smirnov(training: NDArray[np.float64], serving: NDArray[np.float64]) -> tuple[float, float]:
    """The largest distance of the two distribution functions, and its asymptotic p-value, two-sided."""
    from scipy.stats import ks_2samp

    found = ks_2samp(training, serving, method="asymp")
    return float(found.statistic), float(found.pvalue)


def chi_square(binned: Binned) -> tuple[float, float]:
    """Pearson's statistic of the table of counts, without correction, and its p-value."""
    from scipy.stats import chi2_contingency

    found = chi2_contingency([list(side) for side in zip(*_pairs(binned), strict=True)], correction=False)
    return float(found.statistic), float(found.pvalue)


def _pairs(binned: Binned) -> list[tuple[int, int]]:
    """The bins with something in them."""
    return [pair for pair in zip(binned.training, binned.serving, strict=True) if any(pair)]
