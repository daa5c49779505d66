"""The population stability index and its company: by hand, and beside scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from solon.evidence.data import stability
from solon.evidence.data.stability import Binned


def test_the_index_by_hand() -> None:
    """Shares 0.5, 0.3, 0.2 against 0.4, 0.3, 0.3: 0.1 ln(5/4) + 0.1 ln(3/2)."""
    assert stability.index(Binned([50, 30, 20], [400, 300, 300])) == pytest.approx(
        0.1 * math.log(5 / 4) + 0.1 * math.log(3 / 2)
    )


def test_an_empty_bin_has_a_millionth() -> None:
    """0.5 against 10^-6, and 0.5 against 1."""
    expected = (0.5 - 1e-6) * math.log(0.5 / 1e-6) + 0.5 * math.log(2)
    assert stability.index(Binned([50, 50], [0, 80])) == pytest.approx(expected)
    assert stability.index(Binned([0, 80], [50, 50])) == pytest.approx(expected)


def test_a_bin_that_is_empty_on_both_sides_counts_nothing() -> None:
    assert stability.index(Binned([50, 0, 50], [30, 0, 20])) == stability.index(Binned([50, 50], [30, 20]))


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 1000)), min_size=1, max_size=20))
def test_the_index_is_symmetric_and_never_below_zero(counts: list[tuple[int, int]]) -> None:
    training, serving = ([*side] for side in zip(*counts, strict=True))
    there, back = stability.index(Binned(training, serving)), stability.index(Binned(serving, training))
    assert there == pytest.approx(back)
    assert there >= 0
    assert stability.index(Binned(training, training)) == 0


def test_noise_by_the_table_of_chi_square() -> None:
    """The 95th percentile with nine degrees of freedom is 16.919."""
    assert stability.noise(Binned([100] * 10, [50] * 10)) == pytest.approx(
        (1 / 1000 + 1 / 500) * 16.919, rel=1e-4
    )


def test_noise_is_what_a_twentieth_of_samples_exceeds() -> None:
    generator = np.random.default_rng(7)
    shares = np.full(10, 0.1)
    above = 0
    for _ in range(2000):
        binned = Binned(
            generator.multinomial(2000, shares).tolist(), generator.multinomial(1000, shares).tolist()
        )
        above += stability.index(binned) > stability.noise(binned)
    assert 60 <= above <= 140


@pytest.mark.parametrize(
    "training, edges",
    [
        (list(range(1, 101)), [10, 20, 30, 40, 50, 60, 70, 80, 90]),
        ([0] * 95 + [1, 2, 3, 4, 5], [0, np.nextafter(0, 1)]),  # a value so frequent has a bin of its own
        ([1, 2, 3, 4, 5] + [9] * 95, [9, np.nextafter(9, 10)]),
        ([1] * 45 + [2] * 55, [1, np.nextafter(1, 2), 2, np.nextafter(2, 3)]),
    ],
)
def test_quantile_bins(training: list[float], edges: list[float]) -> None:
    assert stability.edges(np.array(training, float)).tolist() == edges


def test_values_in_their_bins() -> None:
    """An edge belongs to the bin above it; what is beyond all of training is in the outer bins."""
    binned = stability.numbers(np.arange(1.0, 101), np.array([-5.0, 9.9, 10, 10, 95, 1e9]), (0, 4))
    assert binned.training == [9, 10, 10, 10, 10, 10, 10, 10, 10, 11, 0]
    assert binned.serving == [2, 2, 0, 0, 0, 0, 0, 0, 0, 2, 4]


def test_what_leaves_the_bulk_is_seen_whichever_way_it_goes() -> None:
    """Nine of ten rows have one value: quantiles alone would put the rest into its bin."""
    for bulk in (0.0, 100.0):
        training = np.array([bulk] * 900 + list(np.linspace(1, 99, 100)))
        moved = np.array([bulk] * 500 + list(np.linspace(1, 99, 500)))
        assert stability.index(stability.numbers(training, moved)) > 0.5


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60),
    st.lists(st.floats(-1e300, 1e300), max_size=60),
)
def test_every_value_is_in_one_bin(training: list[float], serving: list[float]) -> None:
    binned = stability.numbers(np.array(training), np.array(serving))
    assert (sum(binned.training), sum(binned.serving)) == (len(training), len(serving))


def test_rare_and_unseen_categories_stand_together() -> None:
    training = {"a": 900, "b": 91, "c": 5, "d": 4}
    binned = stability.categories(training, {"a": 500, "c": 3, "d": 100, "x": 7, "y": 1})
    assert binned == Binned([900, 91, 9, 0], [500, 0, 103, 8], 0.009)


def test_a_category_of_which_five_are_not_to_be_expected_is_rare() -> None:
    """4% of training, of which there would be four among a hundred rows."""
    binned = stability.categories({"a": 960, "b": 40}, {"a": 100})
    assert binned == Binned([960, 40, 0], [100, 0, 0], 0.04)


@given(
    st.dictionaries(st.text(max_size=2), st.integers(1, 99), min_size=1),
    st.dictionaries(st.text(max_size=2), st.integers(1, 99), min_size=1),
)
def test_every_row_is_in_one_category(training: dict[str, int], serving: dict[str, int]) -> None:
    binned = stability.categories(training, serving)
    assert (sum(binned.training), sum(binned.serving)) == (sum(training.values()), sum(serving.values()))


def test_kolmogorov_and_smirnov_beside_scipy() -> None:
    generator = np.random.default_rng(3)
    training, serving = generator.normal(0, 1, 800), generator.normal(0.2, 1, 500)
    found = stability.kolmogorov_smirnov(training, serving)
    ordered = np.sort(np.concatenate([training, serving]))
    distance = np.abs(
        np.searchsorted(np.sort(training), ordered, "right") / 800
        - np.searchsorted(np.sort(serving), ordered, "right") / 500
    ).max()
    assert found[0] == pytest.approx(distance)
    assert found[1] == pytest.approx(stats.kstwo.sf(distance, round(800 * 500 / 1300)), rel=1e-6)


def test_chi_square_by_hand() -> None:
    """Expected 45 and 55 of a hundred on both sides: 2 x 25/45 + 2 x 25/55."""
    statistic, p = stability.chi_square(Binned([50, 50, 0], [40, 60, 0]))
    assert statistic == pytest.approx(2 * 25 / 45 + 2 * 25 / 55)
    assert p == pytest.approx(stats.chi2.sf(statistic, 1))
