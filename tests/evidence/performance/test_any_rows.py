"""Whatever the rows are: a value that is a number and an interval in order, or a reason; the same for a comparison."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.evidence.performance import measure, metrics
from solon.evidence.performance.measure import Model, Rows
from solon.evidence.performance.metrics import Definition

few = settings(max_examples=60)
label = st.integers(0, 3)
probability = st.floats(0, 1)
number = st.floats(allow_nan=False, allow_infinity=False)


def check(rows: Rows, wanted: list[Definition]) -> None:
    rng = np.random.default_rng(0)
    found: list[Any] = list(zip(wanted, measure.measured(rows, wanted, rng).values(), strict=True))
    for metric, one in found:
        assert (one.value is None) == bool(one.unknown), one
        assert one.interval is None or one.value is not None
        if one.value is not None and metric.range is not None:
            assert metric.range[0] - 1e-9 <= one.value <= metric.range[1] + 1e-9
    compared = measure.compared(rows, wanted, rng)
    for two in compared.values():
        assert (two.change is None) == bool(two.unknown), two
        assert two.interval is None or two.change is not None
    for each in [*(one for _, one in found), *compared.values()]:
        if each.interval is not None:
            assert math.isfinite(each.interval.low)
            assert math.isfinite(each.interval.high)
            assert each.interval.low <= each.interval.high
        assert b"null" not in msgspec.json.encode(each)


@few
@pytest.mark.filterwarnings("error")
@given(
    st.lists(st.tuples(label, label, label, probability, probability), min_size=1, max_size=30),
    st.booleans(),
)
def test_labels(rows: list[tuple[int, int, int, float, float]], positive: bool) -> None:
    truth, first, second, score, other = (np.array(column) for column in zip(*rows, strict=True))
    wanted = [each for each in metrics.CLASSIFICATION if positive or not each.needs]
    models = (Model(first, score), Model(second, other))
    check(Rows(truth, models, 4, int(truth[0]) if positive else None), wanted)


@few
@given(st.lists(st.tuples(number, number, number), min_size=1, max_size=20))
def test_numbers(rows: list[tuple[float, float, float]]) -> None:
    truth, first, second = (np.array(column) for column in zip(*rows, strict=True))
    check(Rows(truth, (Model(first), Model(second))), list(metrics.REGRESSION))


@few
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.0, 1.0, 2.5]), number, number),
        min_size=1,
        max_size=30,
    )
)
def test_queries(rows: list[tuple[int, float, float, float]]) -> None:
    query, relevance, first, second = (np.array(column) for column in zip(*rows, strict=True))
    query = np.unique(query, return_inverse=True)[1]
    models = (Model(first, first), Model(second, second))
    names = ["ndcg", "ndcg@2", "map", "map@2", "mrr", "mrr@1", "precision@1", "precision@3"]
    check(Rows(relevance, models, query=query), metrics.wanted("ranking", names))
