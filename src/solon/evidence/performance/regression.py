"""Metrics of a regression: functions of sums over the rows, so that resampling rows is resampling sums.

``columns`` gives what is summed, (rows, columns), and ``of`` the metric of n and the sums, (…,) each. They agree with
scikit-learn's, but for a mean percentage of a truth that is 0: there is none.
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
class Summed:
    columns: Callable[[Numbers, Numbers], Numbers]  # of the truth and the prediction
    of: Callable[[Numbers, Numbers], Numbers]  # of n and the sums


def _absolute(truth: Numbers, predicted: Numbers) -> Numbers:
    import numpy as np

    found: Numbers = np.abs(truth - predicted)[:, None]
    return found


def _squared(truth: Numbers, predicted: Numbers) -> Numbers:
    found: Numbers = ((truth - predicted) ** 2)[:, None]
    return found


def _percentage(truth: Numbers, predicted: Numbers) -> Numbers:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        found: Numbers = np.abs((truth - predicted) / np.where(truth == 0, np.nan, truth))[:, None]
    return found


def _squared_and_truth(truth: Numbers, predicted: Numbers) -> Numbers:
    """The truth is moved to its mean first, which keeps digits."""
    import numpy as np

    centred = truth - truth.mean()
    return np.column_stack([(truth - predicted) ** 2, centred, centred**2])


def mean(n: Numbers, sums: Numbers) -> Numbers:
    return sums[..., 0] / n


def _root_of_mean(n: Numbers, sums: Numbers) -> Numbers:
    import numpy as np

    return np.sqrt(mean(n, sums))


def _explained(n: Numbers, sums: Numbers) -> Numbers:
    import numpy as np

    spread = sums[..., 2] - sums[..., 1] ** 2 / n
    # What is left of equal numbers when they are subtracted is no spread.
    none = spread <= 1e-12 * sums[..., 2]
    return 1 - sums[..., 0] / np.where(none, np.nan, spread)


SUMMED: Final[dict[str, Summed]] = {
    "mae": Summed(_absolute, mean),
    "rmse": Summed(_squared, _root_of_mean),
    "r2": Summed(_squared_and_truth, _explained),
    "mape": Summed(_percentage, mean),
}


def median_absolute(truth: Numbers, predicted: Numbers, weights: NDArray[np.int64]) -> Numbers:
    """The median of the errors, of each row of ``weights``; the mean of the two in the middle."""
    import numpy as np

    errors = np.abs(truth - predicted)
    order = np.argsort(errors, kind="stable")
    errors = errors[order]
    found = np.empty(len(weights))
    for number, drawn in enumerate(weights):
        so_far = np.cumsum(drawn[order])
        n = so_far[-1]
        two = np.searchsorted(so_far, [(n - 1) // 2, n // 2], side="right")
        found[number] = errors[two].mean()
    return found
