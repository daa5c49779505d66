"""What is measured of fairness.

Rates follow Hardt, Price and Srebro, "Equality of Opportunity in Supervised Learning" (2016), and fairlearn's definitions of
the differences and ratios between groups.
"""

from __future__ import annotations

import msgspec

from solon.evidence.performance.result import Interval


class Rate(msgspec.Struct, frozen=True, omit_defaults=True):
    """``value`` is None where ``n``, the rows that it is a share of, are too few; ``unknown`` says so."""

    n: int
    value: float | None = None
    interval: Interval | None = None
    unknown: str = ""


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows with these ``values`` of the attributes.

    ``rates``: selection_rate, true_positive_rate, false_positive_rate, accuracy, and with
    a score calibration_error (expected, ten bins).
    """

    values: dict[str, str]
    n: int
    n_positive: int
    n_negative: int
    rates: dict[str, Rate]


class Disparity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Between the groups ``low`` and ``high``.

    ``value`` is None, and ``unknown`` says why, where too few groups can be
    judged; ``left_out`` names those that could not be, which keeps a value from telling of all.
    """

    value: float | None = None
    interval: Interval | None = None
    low: str = ""
    high: str = ""
    left_out: list[str] = []
    unknown: str = ""


class Attribute(msgspec.Struct, frozen=True):
    """One column, or several judged together.

    ``disparities``: demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference,
    equal_opportunity_difference, and with a score calibration_difference.
    """

    columns: list[str]
    groups: list[Group]
    disparities: dict[str, Disparity]


class Fairness(msgspec.Struct, frozen=True):
    """``attributes`` by name; of an intersection the name is that of its columns with `` x `` between (``race x sex``)."""

    n: int
    predictions: str
    positive: str
    smallest: int
    attributes: dict[str, Attribute]
