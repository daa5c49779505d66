"""How sure a value is: intervals from formulas where they are good, and otherwise from resampling the rows.

Sources: Wilson (1927) for a share; Bonett and Price, "Adjusted Wald interval for a difference of binomial proportions based on
paired data" (2012); DeLong, DeLong and Clarke-Pearson (1988) for areas under ROC curves; Efron's percentile bootstrap (1979).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from solon.evidence.performance.result import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 1000
_Z: Final = 1.959963984540054  # of 95 %
_BLOCKS: Final = 2048
_CELLS: Final = 20_000_000  # numbers held at once
_DRAWN: Final = 1_000_000  # of rows, at once


def wilson(share: float, n: float) -> Interval | None:
    """Of a share of ``n`` rows. Not of width zero where the share is 0 or 1."""
    if n <= 0:
        return None
    share, z2 = float(share), _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(max(0.0, share * (1 - share) / n + z2 / (4 * n * n)))
    return Interval(max(0.0, middle - half), min(1.0, middle + half), CONFIDENCE, "wilson")


def bonett_price(better: int, worse: int, n: int) -> Interval | None:
    """Of the difference of two shares of the same ``n`` rows, where one had more in ``better`` rows and less in ``worse``."""
    if n <= 0:
        return None
    up, down = (better + 1) / (n + 2), (worse + 1) / (n + 2)
    half = _Z * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Interval(max(-1.0, up - down - half), min(1.0, up - down + half), CONFIDENCE, "bonett-price")


def delong(
    positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas under the ROC curves of models, and the covariance of these.

    Scores are given as (models, rows), of the rows that are positive and of the others. A tie counts half.
    """
    import numpy as np

    n, m = positive.shape[1], negative.shape[1]
    of_positive, of_negative = np.empty((len(positive), n)), np.empty((len(positive), m))
    for number, (above, below) in enumerate(zip(positive, negative, strict=True)):
        ranks = midranks(np.concatenate([above, below]))
        of_positive[number] = (ranks[:n] - midranks(above)) / m
        of_negative[number] = 1 - (ranks[n:] - midranks(below)) / n
    if min(n, m) < 2:
        return of_positive.mean(axis=1), np.full((len(positive), len(positive)), np.nan)
    spread = np.atleast_2d(np.cov(of_positive)) / n + np.atleast_2d(np.cov(of_negative)) / m
    return of_positive.mean(axis=1), spread


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal values share the mean of theirs."""
    import numpy as np

    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    found: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return found


def of_area(area: float, variance: float) -> Interval | None:
    """Symmetric in the logit, which keeps it between 0 and 1."""
    if not variance > 0 or not 0 < area < 1:
        return None
    logit, half = math.log(area / (1 - area)), _Z * math.sqrt(variance) / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-min(700.0, max(-700.0, each)))) for each in (logit - half, logit + half))
    return Interval(low, high, CONFIDENCE, "delong")


def of_change(change: float, variance: float) -> Interval | None:
    if not variance > 0:
        return None
    half = _Z * math.sqrt(variance)
    return Interval(change - half, change + half, CONFIDENCE, "delong")


def percentile(samples: NDArray[np.float64]) -> Interval | None:
    """The middle of what resampling gave; None where it gave a value less than half the time, or one value always."""
    import numpy as np

    kept = samples[np.isfinite(samples)]
    if kept.size * 2 < samples.size or not kept.size:
        return None
    low, high = np.quantile(kept, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # What differs in the last bits alone is one value.
    if high - low <= 1e-12 * max(1.0, abs(float(low))):
        return None
    return Interval(float(low), float(high), CONFIDENCE, "bootstrap")


def resampled_counts(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of several kinds of row is drawn: (resamples, kinds), fewer resamples where there are many kinds."""
    n = int(counts.sum())
    size = max(100, min(RESAMPLES, _CELLS // len(counts)))
    return rng.multinomial(n, counts / n, size=size)


def resampled_sums(columns: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Sums over resampled rows: (resamples, columns).

    Many rows are put into blocks at random, and blocks are drawn: a sum varies as much.
    """
    import numpy as np

    n = len(columns)
    if n > _BLOCKS:
        starts = np.linspace(0, n, _BLOCKS, endpoint=False).astype(np.intp)
        columns = np.add.reduceat(columns[rng.permutation(n)], starts, axis=0)
        n = _BLOCKS
    drawn = resampled_weights(n, RESAMPLES, rng)
    return drawn.astype(np.float64) @ columns


def resampled_weights(n: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of ``n`` rows is drawn: (size, n)."""
    import numpy as np

    at_once = max(1, _DRAWN // n)
    parts = []
    for start in range(0, size, at_once):
        some = min(at_once, size - start)
        drawn = rng.integers(0, n, (some, n)) + n * np.arange(some)[:, None]
        parts.append(np.bincount(drawn.ravel(), minlength=some * n).reshape(some, n))
    return np.concatenate(parts)
