"""Intervals: published values, scipy and simulation; how often they hold what they should is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from solon.evidence.performance import intervals, measure, metrics
from solon.evidence.performance.measure import Model, Rows
from solon.evidence.performance.result import Comparison, Interval


@pytest.mark.parametrize("right, n", [(0, 10), (10, 10), (7, 10), (81, 263), (1, 1), (9_000, 10_000)])
def test_wilson_as_scipy(right: int, n: int) -> None:
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    found = intervals.wilson(right / n, n)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(expected.low, abs=1e-12), pytest.approx(expected.high))
    assert (found.confidence, found.method) == (0.95, "wilson")


def test_bonett_and_price_by_hand() -> None:
    """n = 100, 15 against 5: (16 - 6)/102 ± z·sqrt((22/102 - (10/102)²)/102)."""
    found = intervals.bonett_price(15, 5, 100)
    assert found is not None
    half = 1.959964 * ((22 / 102 - (10 / 102) ** 2) / 102) ** 0.5
    assert (found.low, found.high) == (pytest.approx(10 / 102 - half), pytest.approx(10 / 102 + half))


def test_delong_by_hand() -> None:
    """Positives 3 and 5 against 1, 4 and 5: pairs won 1 + 0 + 0 and 1 + 1 + ½."""
    areas, spread = intervals.delong(np.array([[3.0, 5.0]]), np.array([[1.0, 4.0, 5.0]]))
    assert areas.tolist() == [pytest.approx(3.5 / 6)]
    # of the positives: 1/3 and 5/6, of the negatives: 1, 1/2 and 1/4
    assert spread[0, 0] == pytest.approx(
        np.var([1 / 3, 5 / 6], ddof=1) / 2 + np.var([1, 0.5, 0.25], ddof=1) / 3
    )


@pytest.mark.parametrize("n", [0, -1])
def test_no_rows_no_interval(n: int) -> None:
    assert intervals.wilson(0.5, n) is None
    assert intervals.bonett_price(0, 0, n) is None


def test_the_same_rows_give_the_same_interval() -> None:
    found = [_accuracy_like(np.random.default_rng(5), 200, "f1") for _ in range(2)]
    assert found[0] == found[1]


def _rows(rng: np.random.Generator, n: int) -> Rows:
    truth = (rng.random(n) < 0.4).astype(int)
    score = 1 / (1 + np.exp(-rng.normal(1.5 * truth - 0.75, 1.0)))
    return Rows(truth, (Model((score > 0.5).astype(int), score),), 2, 1)


def _accuracy_like(rng: np.random.Generator, n: int, name: str) -> Interval:
    found = measure.measured(_rows(rng, n), metrics.wanted("classification", [name]), rng)[name].interval
    assert found is not None
    return found


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "mcc",
        "roc_auc",
        "average_precision",
        "brier",
        "log_loss",
    ],  # fmt: skip
)
def test_intervals_of_a_classification_hold_the_truth_nineteen_times_of_twenty(name: str) -> None:
    """60 samples of 250 rows; the truth is that of 200,000. Of 60, 57 are due; fewer than 51 come once in 10,000 runs."""
    rng = np.random.default_rng(11)
    wanted = metrics.wanted("classification", [name])
    true = measure.measured(_rows(rng, 200_000), wanted, rng)[name].value
    assert true is not None
    found = [_accuracy_like(rng, 250, name) for _ in range(60)]
    assert sum(each.low <= true <= each.high for each in found) >= 51


@pytest.mark.parametrize("name, true", [("mae", 0.79788), ("rmse", 1.0), ("r2", 0.8), ("median_ae", 0.67449)])
def test_intervals_of_a_regression_likewise(name: str, true: float) -> None:
    """Errors are normal with variance 1, the truth has variance 5."""
    rng = np.random.default_rng(12)
    wanted = metrics.wanted("regression", [name])
    held = 0
    for _ in range(60):
        truth = rng.normal(0, 5**0.5, 200)
        rows = Rows(truth, (Model(truth + rng.normal(size=200)),))
        found = measure.measured(rows, wanted, rng)[name].interval
        assert found is not None
        held += found.low <= true <= found.high
    assert held >= 51


def test_many_rows_have_the_interval_of_all_of_them() -> None:
    """Blocks and samples of rows are for speed: the width is what theory says of the whole, 2 · 1.96 · sd / √n."""
    rng = np.random.default_rng(13)
    n = 60_000
    truth = np.zeros(n) + rng.normal(size=n)
    error = rng.exponential(1.0, n)  # sd 1; the median is ln 2, and its density there 1/2
    rows = Rows(truth, (Model(truth + error),))
    found = measure.measured(rows, metrics.wanted("regression", ["mae", "median_ae"]), rng)
    for name, sd in (("mae", 1.0), ("median_ae", 1.0)):
        interval = found[name].interval
        assert interval is not None
        assert interval.high - interval.low == pytest.approx(2 * 1.96 * sd / n**0.5, rel=0.15)


class TestPairs:
    """The candidate beside the baseline, on the same rows."""

    def compared(self, rows: Rows, *names: str, task: Any = "classification") -> dict[str, Comparison]:
        return measure.compared(rows, metrics.wanted(task, names), np.random.default_rng(0))

    def two(self, shift: float, n: int = 2_000, seed: int = 1) -> Rows:
        """Two models that see the same signal with noise of their own; ``shift`` makes the candidate better."""
        rng = np.random.default_rng(seed)
        truth = (rng.random(n) < 0.5).astype(int)
        signal = rng.normal(size=n)
        models = []
        for gain in (1.0 + shift, 1.0):
            margin = gain * (2 * truth - 1) + signal + 0.3 * rng.normal(size=n)
            score = 1 / (1 + np.exp(-margin))
            models.append(Model((margin > 0).astype(int), score))
        return Rows(truth, tuple(models), 2, 1)

    NAMES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "roc_auc", "average_precision", "brier", "log_loss")  # fmt: skip

    @pytest.mark.parametrize("name", NAMES)
    def test_better_is_positive_whichever_way_the_metric_goes(self, name: str) -> None:
        better, worse = self.compared(self.two(0.5), name)[name], self.compared(self.two(-0.5), name)[name]
        for found, sign in ((better, 1), (worse, -1)):
            assert found.change is not None
            assert found.interval is not None
            assert sign * found.change > 0
            assert min(sign * found.interval.low, sign * found.interval.high) > 0
            assert found.interval.low <= found.change <= found.interval.high

    @pytest.mark.parametrize("name", NAMES)
    def test_noise_is_no_change(self, name: str) -> None:
        found = self.compared(self.two(0.0), name)[name].interval
        assert found is not None
        assert found.low < 0 < found.high

    @pytest.mark.parametrize("name", NAMES)
    def test_pairs_are_surer_than_two_samples(self, name: str) -> None:
        """What both find hard is no difference between them."""
        rows = self.two(0.1)
        paired = self.compared(rows, name)[name].interval
        alone = measure.measured(rows, metrics.wanted("classification", [name]), np.random.default_rng(0))[name].interval  # fmt: skip
        assert paired is not None
        assert alone is not None
        assert paired.high - paired.low < 0.9 * (alone.high - alone.low) * 2**0.5

    def test_a_small_loss_on_few_rows_may_be_noise_and_on_many_is_none(self) -> None:
        few, many = self.two(-0.05, 200), self.two(-0.05, 100_000)
        small = self.compared(few, "roc_auc")["roc_auc"].interval
        large = self.compared(many, "roc_auc")["roc_auc"].interval
        assert small is not None
        assert large is not None
        assert small.high > 0 > large.high

    @pytest.mark.parametrize("name", NAMES[:8])
    def test_two_that_say_the_same_of_few_rows_may_differ(self, name: str) -> None:
        rows = self.two(0.0, 20)
        rows = Rows(rows.truth, (rows.models[0], rows.models[0]), 2, 1)
        found = self.compared(rows, name)[name]
        assert found.change == 0
        assert found.interval is not None
        assert found.interval.low < -0.05
        assert found.interval.high > 0.05

    def test_errors_of_a_regression(self) -> None:
        rng = np.random.default_rng(2)
        truth = rng.normal(size=500)
        noise = rng.normal(size=500)
        rows = Rows(truth, (Model(truth + 2 * noise), Model(truth + noise)))
        for name, found in self.compared(rows, "mae", "rmse", "r2", "median_ae", task="regression").items():
            assert found.interval is not None, name
            assert found.interval.high < 0, name

    def test_what_one_of_them_has_not_cannot_be_compared(self) -> None:
        rows = Rows(np.array([0, 1, 1]), (Model(np.array([0, 1, 1])), Model(np.array([0, 0, 0]))), 2, 1)
        found = self.compared(rows, "precision")["precision"]
        assert (found.candidate, found.baseline, found.change, found.interval) == (1.0, None, None, None)
        assert found.unknown.endswith("(the baseline)")


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "mcc", "roc_auc", "average_precision"])
@pytest.mark.parametrize("n", [4, 40])
def test_no_mistake_on_few_rows_is_not_certainty(name: str, n: int) -> None:
    truth = np.tile([0, 1], n // 2)
    rows = Rows(truth, (Model(truth, truth * 0.8 + 0.1),), 2, 1)
    found = measure.measured(rows, metrics.wanted("classification", [name]), np.random.default_rng(0))[name]
    assert found.value == 1.0
    assert found.interval is not None
    assert found.interval.high == pytest.approx(1.0)
    assert found.interval.low < (0.7 if n == 4 else 0.9)
