from __future__ import annotations

import msgspec
import numpy as np
import pytest

from solon.evidence.fairness import disparities, measure
from solon.evidence.fairness.groups import Groups, by_value
from solon.evidence.fairness.measure import Predictions
from solon.evidence.fairness.rates import Share

DIFFERENCES = [
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equal_opportunity_difference",
]


def random():
    return np.random.default_rng(0)


def share(*pairs: tuple[int, int]) -> Share:
    hits, of = zip(*pairs, strict=True)
    return Share(np.array(hits), np.array(of), "rows")


def sample(seed: int, groups: int = 4, rows: int = 600):
    """Groups that are treated differently, each with positive and negative labels."""
    rng = np.random.default_rng(seed)
    of = np.concatenate([np.arange(groups).repeat(2), rng.integers(0, groups, rows)])
    label = np.concatenate([np.tile([True, False], groups), rng.random(rows) < 0.4])
    predicted = rng.random(len(of)) < 0.2 + 0.1 * of + 0.3 * label
    return of, label, predicted


@pytest.mark.parametrize("seed", range(4))
def test_disparities_are_those_of_fairlearn(seed):
    from fairlearn import metrics

    of, label, predicted = sample(seed)
    found = measure.attribute(
        by_value("group", [str(number) for number in of]), Predictions(label, predicted), 1, random()
    )
    for name in DIFFERENCES:
        theirs = getattr(metrics, name)(label, predicted, sensitive_features=of)
        assert found.disparities[name].value == pytest.approx(theirs, abs=1e-12)
        assert found.disparities[name].left_out == []
    frame = metrics.MetricFrame(
        metrics={
            name: getattr(metrics, name)
            for name in ("selection_rate", "true_positive_rate", "false_positive_rate")
        },
        y_true=label,
        y_pred=predicted,
        sensitive_features=of,
    )
    for number, group in enumerate(found.groups):
        for name, value in frame.by_group.loc[number].items():
            assert group.rates[name].value == pytest.approx(value, abs=1e-12)
    extremes = frame.by_group["selection_rate"]
    parity = found.disparities["demographic_parity_difference"]
    assert (parity.low, parity.high) == (str(extremes.idxmin()), str(extremes.idxmax()))


def test_equalized_odds_is_the_worse_of_two():
    true_positive, false_positive = share((90, 100), (80, 100)), share((50, 100), (20, 100))
    odds = disparities.difference(
        {"true_positive_rate": true_positive, "false_positive_rate": false_positive}, ["a", "b"], 30, random()
    )
    assert odds.value == pytest.approx(0.3)
    assert (odds.low, odds.high) == ("b", "a")
    assert odds.interval.low < 0.3 < odds.interval.high


def test_who_is_too_few_is_named_and_not_judged():
    found = disparities.difference(
        {"selection_rate": share((50, 100), (40, 100), (0, 29))}, ["a", "b", "tiny"], 30, random()
    )
    assert found.value == pytest.approx(0.1)
    assert found.left_out == ["tiny"]


@pytest.mark.parametrize(
    "shares, unknown",
    [
        ([(50, 100), (1, 29)], "1 of 2 groups can be judged, and a comparison needs two"),
        ([(1, 29), (1, 29), (1, 29)], "0 of 3 groups can be judged, and a comparison needs two"),
        ([(50, 100)], "all rows are in one group, which can be compared with none"),
    ],
)
def test_fewer_than_two_groups_have_no_disparity(shares, unknown):
    for found in (
        disparities.difference({"selection_rate": share(*shares)}, list("abc")[: len(shares)], 30, random()),
        disparities.ratio(share(*shares), list("abc")[: len(shares)], 30, random()),
    ):
        assert (found.value, found.interval) == (None, None)
        assert found.unknown == unknown
        assert "value" not in msgspec.to_builtins(found)  # in Rego null would be below every limit


def test_odds_of_which_one_rate_is_unknown_are_unknown():
    """That the false positives are alike says nothing of the true ones."""
    rates = {
        "true_positive_rate": share((5, 40), (3, 5)),
        "false_positive_rate": share((5, 100), (5, 100)),
    }
    found = disparities.difference(rates, ["a", "b"], 30, random())
    assert found.value is None
    assert found.left_out == ["b"]
    assert found.unknown.startswith("true_positive_rate: 1 of 2 groups")


@pytest.mark.parametrize(
    "shares, value",
    [([(10, 100), (40, 100)], 0.25), ([(0, 100), (40, 100)], 0.0), ([(100, 100), (100, 100)], 1.0)],
)
def test_ratios_by_hand(shares, value):
    found = disparities.ratio(share(*shares), ["a", "b"], 30, random())
    assert found.value == pytest.approx(value)
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_no_ratio_where_nobody_is_selected():
    """fairlearn gives NaN; a limit must not pass on it."""
    found = disparities.ratio(share((0, 100), (0, 100)), ["a", "b"], 30, random())
    assert found.value is None
    assert "0 to 0 is no ratio" in found.unknown


def test_none_of_few_is_no_proof_of_none():
    found = disparities.difference({"selection_rate": share((0, 30), (0, 30))}, ["a", "b"], 30, random())
    assert found.value == 0
    assert found.interval.high > 0.05


@pytest.mark.parametrize("true", [[0.2] * 2, [0.2] * 5, [0.3, 0.1, 0.12, 0.06, 0.3]])
def test_intervals_hold_the_true_difference(true):
    """Of 100 samples the interval of 95 % misses a few; percentiles of resamples miss all where groups are alike."""
    rng = np.random.default_rng(1)
    of = np.array([9500, 780, 300, 180, 60][: len(true)])
    truth = max(true) - min(true)
    held = 0
    for _ in range(100):
        hits = rng.binomial(of, true)
        found = disparities.difference(
            {"selection_rate": Share(hits, of, "rows")}, [str(n) for n in range(len(of))], 30, rng
        )
        held += found.interval.low <= truth <= found.interval.high
        assert found.interval.low <= found.value <= found.interval.high
    assert held >= 88


def test_two_large_groups_apart_have_the_interval_of_the_normal_distribution():
    found = disparities.difference(
        {"selection_rate": share((3000, 10000), (1000, 10000))}, ["a", "b"], 30, random()
    )
    half = 1.96 * (0.3 * 0.7 / 10000 + 0.1 * 0.9 / 10000) ** 0.5
    assert found.interval.low == pytest.approx(0.2 - half, abs=0.001)
    assert found.interval.high == pytest.approx(0.2 + half, abs=0.001)
    assert (found.interval.confidence, found.interval.method) == (0.95, "bootstrap")


def calibrated(seed: int, sizes: list[int], shift: float):
    rng = np.random.default_rng(seed)
    of = np.arange(len(sizes)).repeat(sizes)
    score = rng.uniform(0.2, 0.8, len(of))
    label = rng.random(len(of)) < score + np.where(of == 1, shift, 0)
    groups = Groups(("group",), of, [(str(number),) for number in range(len(sizes))])
    return measure.attribute(groups, Predictions(label, score > 0.5, score), 30, rng)


def test_calibrated_scores_of_few_rows_are_not_held_against_them():
    """The error of 60 rows is 0.1 by chance alone, that of 5,000 is 0.01."""
    for seed in range(20):
        found = calibrated(seed, [5000, 300, 60], 0.0)
        assert found.disparities["calibration_difference"].interval.low == 0
        assert found.groups[2].rates["calibration_error"].interval.low == 0


def test_scores_that_are_too_low_for_one_group_are_seen():
    for seed in range(20):
        found = calibrated(seed, [5000, 600, 300], 0.15)
        disparity = found.disparities["calibration_difference"]
        assert disparity.high == "1"
        assert 0 < disparity.interval.low < 0.15 < disparity.interval.high


def test_the_same_numbers_give_the_same_intervals():
    assert calibrated(3, [100, 100], 0.1) == calibrated(3, [100, 100], 0.1)
