from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.collector import CannotCollect
from solon.evidence.fairness.groups import MOST, Groups, by_bins, by_value, together


def sizes(groups: Groups) -> dict[str, int]:
    return dict(zip(groups.names, groups.count().tolist(), strict=True))


@pytest.mark.parametrize(
    "cells, expected",
    [
        (["b", "a", "b"], {"a": 1, "b": 2}),
        (["a", None, "", "  ", "a"], {"a": 2, "(missing)": 3}),
        ([" a", "a "], {"a": 2}),
        (["?", "a"], {"?": 1, "a": 1}),  # what a data set writes for unknown is what it says
        ([None], {"(missing)": 1}),
    ],
)
def test_each_value_is_a_group_and_so_are_rows_without(cells, expected):
    groups = by_value("sex", cells)
    assert sizes(groups) == expected
    assert sum(expected.values()) == len(cells)


CELLS = st.lists(
    st.one_of(st.none(), st.sampled_from(["a", "b", " a", "", "(missing)"])), min_size=1, max_size=40
)


@given(CELLS, st.integers(0, 10**6))
def test_each_row_is_in_one_group(cells, seed):
    """Also of those that are judged together: nobody is lost, and none is empty."""
    one = by_value("one", cells)
    other = by_value(
        "other", [str(number) for number in np.random.default_rng(seed).integers(0, 3, len(cells))]
    )
    for groups in (one, together([one, other])):
        assert groups.count().sum() == len(cells)
        assert groups.count().min() > 0
        assert len(set(groups.values)) == len(groups.values)


def test_too_many_values_are_refused_with_advice():
    cells = [str(number) for number in range(MOST + 1)]
    assert len(by_value("age", cells[1:]).values) == MOST
    with pytest.raises(
        CannotCollect, match=r"age: 51 values are too many groups.*`bins: \{age: \[25, 45, 65\]\}`"
    ):
        by_value("age", cells)


def test_a_bin_begins_with_its_cut():
    ages = np.array([17, 24.999, 25, 44, 45, 90, np.nan])
    assert sizes(by_bins("age", ages, [25, 45])) == {
        "<25": 2,
        "25 to <45": 2,
        ">=45": 2,
        "(missing)": 1,
    }


def test_a_bin_without_rows_is_no_group():
    assert sizes(by_bins("age", np.array([1.0, 2.0]), [10, 20])) == {"<10": 2}


@pytest.mark.parametrize("cuts", [[], [45, 25], [25, 25], [25, float("nan")], [float("inf")]])
def test_bins_that_are_none_are_refused(cuts):
    with pytest.raises(CannotCollect, match="ascending order"):
        by_bins("age", np.array([1.0]), cuts)


def test_an_intersection_has_the_combinations_that_there_are():
    sex = by_value("sex", ["f", "m", "f", "m"])
    race = by_value("race", ["x", "x", "y", None])
    born = by_value("born", ["1", "1", "2", "2"])
    both = together([race, sex])
    assert both.name == "race x sex"
    assert sizes(both) == {"x x f": 1, "x x m": 1, "y x f": 1, "(missing) x m": 1}
    three = together([race, sex, born])
    assert three.columns == ("race", "sex", "born")
    assert [three.values[number] for number in three.of] == [
        ("x", "f", "1"),
        ("x", "m", "1"),
        ("y", "f", "2"),
        ("(missing)", "m", "2"),
    ]


def test_too_many_combinations_are_refused_with_advice():
    first = by_value("a", [str(number // 21) for number in range(441)])
    second = by_value("b", [str(number % 21) for number in range(441)])
    with pytest.raises(CannotCollect, match=r"a x b: 441 groups together.*name under `intersections`"):
        together([first, second])
