"""Fairness of predictions by protected attribute: groups, their rates, and the disparities between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solon.evidence.fairness import disparities, rates
from solon.evidence.fairness.groups import Groups
from solon.evidence.fairness.result import Attribute, Disparity, Group, Rate

CALIBRATION: Final = "calibration_error"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Of each row whether it is positive, and whether it was predicted so; ``score`` is the probability, if there is one."""

    label: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    score: NDArray[np.float64] | None = None


def attribute(
    groups: Groups, predictions: Predictions, smallest: int, random: np.random.Generator
) -> Attribute:
    """The groups of one attribute, or of several together. A rate of fewer than ``smallest`` rows is unknown."""
    names = groups.names
    shares = rates.shares(groups, predictions.label, predictions.predicted)
    of_group = [
        {name: share.rate(number, smallest) for name, share in shares.items()} for number in range(len(names))
    ]
    selection = shares["selection_rate"]
    true_positive, false_positive = "true_positive_rate", "false_positive_rate"
    found = {
        "demographic_parity_difference": disparities.difference(
            {"selection_rate": selection}, names, smallest, random
        ),
        "demographic_parity_ratio": disparities.ratio(selection, names, smallest, random),
        "equalized_odds_difference": disparities.difference(
            {name: shares[name] for name in (true_positive, false_positive)}, names, smallest, random
        ),
        "equal_opportunity_difference": disparities.difference(
            {true_positive: shares[true_positive]}, names, smallest, random
        ),
    }
    if predictions.score is not None:
        errors, found["calibration_difference"] = _calibration(groups, predictions, smallest, random)
        for each, error in zip(of_group, errors, strict=True):
            each[CALIBRATION] = error
    n, positive = groups.count(), groups.count(predictions.label)
    return Attribute(
        list(groups.columns),
        [
            Group(
                dict(zip(groups.columns, values, strict=True)),
                int(n[number]),
                int(positive[number]),
                int(n[number] - positive[number]),
                of_group[number],
            )
            for number, values in enumerate(groups.values)
        ],
        found,
    )


def _calibration(
    groups: Groups, predictions: Predictions, smallest: int, random: np.random.Generator
) -> tuple[list[Rate], Disparity]:
    """The error of each group, and the difference between them."""
    score = predictions.score
    assert score is not None
    n = groups.count()
    if len(score) and not ((score >= 0) & (score <= 1)).all():  # written so that NaN is none, either
        reason = f"scores are no probabilities: they lie between {score.min():g} and {score.max():g}"
        nothing = Disparity(left_out=groups.names, unknown=reason)
        return [Rate(int(count), unknown=reason) for count in n], nothing
    found = rates.calibration(groups, predictions.label, score)
    disparity, intervals = disparities.calibration_difference(found, groups.names, smallest, random)
    errors = [
        Rate(int(count), float(found.values[number]), intervals[number])
        if number in intervals
        else Rate(int(count), unknown=rates.too_few(int(count), "rows", smallest))
        for number, count in enumerate(n)
    ]
    return errors, disparity
