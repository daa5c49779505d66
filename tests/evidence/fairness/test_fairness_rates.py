from __future__ import annotations

import numpy as np
import pytest

from solon.evidence.fairness import measure
from solon.evidence.fairness.groups import by_value
from solon.evidence.fairness.measure import Predictions


def measured(groups, label, predicted, score=None, smallest=1):
    predictions = Predictions(
        np.array(label, dtype=bool),
        np.array(predicted, dtype=bool),
        None if score is None else np.array(score, dtype=float),
    )
    return measure.attribute(by_value("group", groups), predictions, smallest, np.random.default_rng(0))


def test_a_share_has_the_interval_of_wilson():
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3: 81 of 263."""
    found = (
        measured(["a"] * 263, [1] * 263, [1] * 81 + [0] * 182).groups[0].rates["true_positive_rate"].interval
    )
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert (found.confidence, found.method) == (0.95, "wilson")


def test_the_rates_of_a_group_by_hand():
    #          a: 2 of 3 found, 1 of 2 wrongly    b: 0 of 1 found, 0 of 1 wrongly
    group = ["a", "a", "a", "a", "a", "b", "b"]
    label = [1, 1, 1, 0, 0, 1, 0]
    predicted = [1, 1, 0, 1, 0, 0, 0]
    first, second = measured(group, label, predicted).groups
    assert (first.values, first.n, first.n_positive, first.n_negative) == ({"group": "a"}, 5, 3, 2)
    assert (second.values, second.n, second.n_positive, second.n_negative) == ({"group": "b"}, 2, 1, 1)
    assert {name: (rate.value, rate.n) for name, rate in first.rates.items()} == {
        "selection_rate": (3 / 5, 5),
        "true_positive_rate": (2 / 3, 3),
        "false_positive_rate": (1 / 2, 2),
        "accuracy": (3 / 5, 5),
    }
    assert {name: rate.value for name, rate in second.rates.items()} == {
        "selection_rate": 0,
        "true_positive_rate": 0,
        "false_positive_rate": 0,
        "accuracy": 1 / 2,
    }


def test_a_group_without_positives_has_no_true_positive_rate():
    """fairlearn gives 0.0 for it, which makes a gap where nothing is known, or hides one."""
    from fairlearn.metrics import MetricFrame, true_positive_rate

    group, label, predicted = ["a", "a", "b", "b"], [0, 0, 1, 1], [0, 1, 1, 1]
    theirs = MetricFrame(
        metrics=true_positive_rate, y_true=label, y_pred=predicted, sensitive_features=group
    ).by_group
    assert theirs["a"] == 0.0
    found = measured(group, label, predicted)
    rate = found.groups[0].rates["true_positive_rate"]
    assert (rate.n, rate.value, rate.interval) == (0, None, None)
    assert rate.unknown == "0 rows with a positive label, fewer than 1"
    for name in ("equal_opportunity_difference", "equalized_odds_difference"):
        disparity = found.disparities[name]
        assert disparity.value is None
        assert disparity.left_out[0] == "a"
        assert disparity.unknown


def test_a_rate_counts_its_own_rows():
    """A large group with few positives is judged for its false positives, and not for the true ones."""
    label = [1] * 3 + [0] * 40
    rate = measured(["a"] * 43, label, [0] * 43, smallest=30).groups[0].rates
    assert rate["true_positive_rate"].unknown == "3 rows with a positive label, fewer than 30"
    assert rate["false_positive_rate"].value == 0
    assert rate["selection_rate"].value == 0


def test_one_row_is_singular():
    rate = measured(["a"], [1], [1], smallest=5).groups[0].rates
    assert rate["accuracy"].unknown == "1 row, fewer than 5"
    assert rate["true_positive_rate"].unknown == "1 row with a positive label, fewer than 5"


def test_calibration_error_by_hand():
    # Two bins: 0.2 three times, of which one is positive (gap 1 - 0.6), and 1.0 once, positive (no gap).
    found = measured(["a"] * 4, [1, 0, 0, 1], [0, 0, 0, 1], score=[0.2, 0.2, 0.2, 1.0])
    error = found.groups[0].rates["calibration_error"]
    assert error.value == pytest.approx(0.4 / 4)
    assert error.n == 4


@pytest.mark.parametrize("score", [[1, 5], [-0.1, 0.5], [0.5, 1.0001], [0.5, float("nan")]])
def test_scores_that_are_no_probabilities_have_no_calibration(score):
    found = measured(["a", "b"], [1, 0], [1, 0], score=score)
    assert "no probabilities" in found.groups[0].rates["calibration_error"].unknown
    disparity = found.disparities["calibration_difference"]
    assert disparity.value is None
    assert disparity.left_out == ["a", "b"]
    assert found.groups[0].rates["accuracy"].value == 1


def test_calibration_of_too_few_rows_is_unknown():
    found = measured(["a", "b"], [1, 0], [1, 0], score=[0.5, 0.5], smallest=30)
    assert found.groups[0].rates["calibration_error"].unknown == "1 row, fewer than 30"
    disparity = found.disparities["calibration_difference"]
    assert (disparity.value, disparity.left_out) == (None, ["a", "b"])


def test_without_a_score_there_is_no_calibration():
    found = measured(["a", "b"], [1, 0], [1, 0])
    assert "calibration_error" not in found.groups[0].rates
    assert "calibration_difference" not in found.disparities
