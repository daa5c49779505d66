"""Values of metrics: scikit-learn's where it has them, and by hand; nothing where there is none."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from solon.evidence.collector import CannotCollect
from solon.evidence.performance import measure, metrics
from solon.evidence.performance.measure import Model, Rows
from solon.evidence.performance.result import Metric


def measured(rows: Rows, task: Any, *names: str) -> dict[str, Metric]:
    found = measure.measured(rows, metrics.wanted(task, names), np.random.default_rng(0))
    for metric in found.values():
        assert (metric.value is None) == bool(metric.unknown)
        for number in (metric.value, metric.interval and metric.interval.low, metric.interval and metric.interval.high):  # fmt: skip
            assert number is None or math.isfinite(number)
    return found


def labels(truth: Any, predicted: Any, score: Any = None, positive: int | None = None) -> Rows:
    truth, predicted = np.array(truth), np.array(predicted)
    model = Model(predicted, None if score is None else np.array(score, float))
    return Rows(truth, (model,), int(max(truth.max(), predicted.max())) + 1, positive)


def numbers(truth: Any, predicted: Any) -> Rows:
    return Rows(np.array(truth, float), (Model(np.array(predicted, float)),))


BY_SKLEARN: dict[str, Callable[..., float]] = {
    "accuracy": lambda t, p, s: sk.accuracy_score(t, p),
    "balanced_accuracy": lambda t, p, s: sk.balanced_accuracy_score(t, p),
    "precision": lambda t, p, s: sk.precision_score(t, p),
    "recall": lambda t, p, s: sk.recall_score(t, p),
    "f1": lambda t, p, s: sk.f1_score(t, p),
    "mcc": lambda t, p, s: sk.matthews_corrcoef(t, p),
    "roc_auc": lambda t, p, s: sk.roc_auc_score(t, s),
    "average_precision": lambda t, p, s: sk.average_precision_score(t, s),
    "log_loss": lambda t, p, s: sk.log_loss(t, s),
    "brier": lambda t, p, s: sk.brier_score_loss(t, s),
}


def test_every_metric_of_two_labels_is_held_against_scikit_learn() -> None:
    assert set(BY_SKLEARN) == {each.name for each in metrics.CLASSIFICATION}


@pytest.mark.parametrize("name", BY_SKLEARN)
@pytest.mark.parametrize("digits", [1, 8])
def test_two_labels_as_scikit_learn(name: str, digits: int) -> None:
    """With one digit most scores are tied."""
    rng = np.random.default_rng(3)
    truth = (rng.random(500) < 0.3).astype(int)
    score = np.round(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1), digits)
    predicted = (score > 0.45).astype(int)
    found = measured(labels(truth, predicted, score, 1), "classification", name)[name]
    assert found.value == pytest.approx(BY_SKLEARN[name](truth, predicted, score), rel=1e-12)
    assert found.n == 500
    assert found.higher_is_better == (name not in ("log_loss", "brier"))
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize(
    "name, by_sklearn",
    [
        ("accuracy", sk.accuracy_score),
        ("balanced_accuracy", sk.balanced_accuracy_score),
        ("precision", lambda t, p: sk.precision_score(t, p, average="macro", zero_division=0)),
        ("recall", lambda t, p: sk.recall_score(t, p, average="macro", zero_division=0)),
        ("f1", lambda t, p: sk.f1_score(t, p, average="macro", zero_division=0)),
        ("mcc", sk.matthews_corrcoef),
    ],
)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_several_labels_as_scikit_learn(name: str, by_sklearn: Any, pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs).T
    found = measured(labels(truth, predicted), "classification", name)[name]
    if len(set(truth.tolist())) < 2 and name != "accuracy":
        assert found.unknown
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = by_sklearn(truth, predicted)
    if found.value is None:
        assert name == "mcc"
        assert len(set(predicted.tolist())) == 1
        return
    assert found.value == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    """Three of four right; the positive label is predicted twice, once right, and is true once."""
    found = measured(labels([1, 0, 0, 0], [1, 1, 0, 0], positive=1), "classification", "accuracy", "precision", "recall", "f1")  # fmt: skip
    values = {name: metric.value for name, metric in found.items()}
    assert values == {"accuracy": 0.75, "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    "name, truth, predicted, positive, reason",
    [
        ("recall", [0, 0, 0], [0, 0, 1], 1, "the positive label does not occur"),
        ("f1", [0, 0, 0], [0, 0, 0], 1, "the positive label does not occur"),
        ("precision", [0, 0, 1], [0, 0, 0], 1, "nothing was predicted as the positive label"),
        ("balanced_accuracy", [1, 1, 1], [1, 1, 1], 1, "only one label occurs"),
        ("f1", [1, 1, 1], [1, 1, 1], None, "the positive label does not occur, or it is the only one"),
        ("roc_auc", [1, 1, 1], [1, 1, 1], 1, "only one label occurs"),
        ("average_precision", [1, 1, 1], [1, 1, 1], 1, "only one label occurs"),
        ("average_precision", [0, 0, 0], [1, 1, 1], 1, "only one label occurs"),
        ("mcc", [1, 1, 1], [1, 0, 1], 1, "only one label occurs, or is predicted"),
        ("mcc", [1, 0, 1], [1, 1, 1], 1, "only one label occurs, or is predicted"),
    ],
)
def test_what_has_no_value_is_unknown(
    name: str, truth: list[int], predicted: list[int], positive: int | None, reason: str
) -> None:
    """scikit-learn says 0 or 1 for some of these, which would be a value like any other."""
    rows = Rows(np.array(truth), (Model(np.array(predicted), np.array([0.5, 0.6, 0.7])),), 2, positive)
    found = measured(rows, "classification", name)[name]
    assert found.value is None
    assert found.interval is None
    assert found.unknown.startswith(reason)


REGRESSION: dict[str, Callable[..., float]] = {
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "r2": sk.r2_score,
    "mape": sk.mean_absolute_percentage_error,
    "median_ae": sk.median_absolute_error,
}


@pytest.mark.parametrize("name", REGRESSION)
@pytest.mark.parametrize("n", [2, 3, 400, 5_000])
def test_a_regression_as_scikit_learn(name: str, n: int) -> None:
    rng = np.random.default_rng(n)
    truth = rng.gamma(2.0, 50.0, n) + 1_000
    predicted = truth + rng.normal(0, 10, n)
    found = measured(numbers(truth, predicted), "regression", name)[name]
    assert found.value == pytest.approx(REGRESSION[name](truth, predicted), rel=1e-9)
    assert found.higher_is_better == (name == "r2")


@pytest.mark.parametrize(
    "name, truth, predicted, reason",
    [
        ("r2", [5, 5, 5], [5, 5, 6], "the truth is the same in every row"),
        ("r2", [5], [5], "the truth is the same in every row"),
        ("mape", [0, 1, 2], [0, 1, 2], "the truth is 0 in a row"),
        ("mae", [1e308, 1e308], [-1e308, -1e308], "too large to be computed"),
        ("rmse", [1e200, 0], [0, 0], "too large to be computed"),
        ("median_ae", [1e308, 1e308], [-1e308, -1e308], "too large to be computed"),
    ],
)
def test_a_regression_without_a_value(
    name: str, truth: list[float], predicted: list[float], reason: str
) -> None:
    found = measured(numbers(truth, predicted), "regression", name)[name]
    assert found.value is None
    assert found.unknown.startswith(reason)


def ranking(*queries: tuple[list[float], list[float]]) -> Rows:
    """Each query is relevances and scores."""
    truth = np.concatenate([relevance for relevance, _ in queries])
    score = np.concatenate([score for _, score in queries])
    number = np.repeat(np.arange(len(queries)), [len(relevance) for relevance, _ in queries])
    return Rows(truth, (Model(score, score),), query=number)


class TestRanking:
    def values(self, rows: Rows, *names: str) -> dict[str, float | None]:
        return {name: metric.value for name, metric in measured(rows, "ranking", *names).items()}

    def test_by_hand(self) -> None:
        """Relevant documents at ranks 1 and 3 of four."""
        rows = ranking(([3, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
        gain, best = 3 + 1 / math.log2(4), 3 + 1 / math.log2(3)
        assert self.values(rows, "ndcg", "ndcg@2", "map", "map@2", "mrr", "precision@2", "precision@10") == {
            "ndcg": pytest.approx(gain / best),
            "ndcg@2": pytest.approx(3 / best),
            "map": pytest.approx((1 + 2 / 3) / 2),
            "map@2": 0.5,
            "mrr": 1.0,
            "precision@2": 0.5,
            "precision@10": 0.2,
        }

    def test_the_mean_is_over_queries(self) -> None:
        rows = ranking(([0, 1], [0.9, 0.1]), ([1, 0, 0, 0, 0], [5, 4, 3, 2, 1]), ([0, 0, 1], [3, 2, 1]))
        assert self.values(rows, "mrr", "mrr@2", "precision@1") == {
            "mrr": pytest.approx((1 / 2 + 1 + 1 / 3) / 3),
            "mrr@2": pytest.approx((1 / 2 + 1 + 0) / 3),
            "precision@1": pytest.approx(1 / 3),
        }

    @pytest.mark.parametrize("k", [None, 1, 3, 10])
    @pytest.mark.parametrize("digits", [0, 6])
    def test_gain_as_scikit_learn_with_ties_too(self, k: int | None, digits: int) -> None:
        rng = np.random.default_rng(8)
        queries = []
        for _ in range(40):
            relevance = rng.integers(0, 4, rng.integers(2, 12)).astype(float)
            relevance[0] = 2.0
            queries.append((relevance.tolist(), np.round(rng.normal(relevance, 2), digits).tolist()))
        expected = np.mean([sk.ndcg_score([relevance], [score], k=k) for relevance, score in queries])
        name = f"ndcg@{k}" if k else "ndcg"
        assert self.values(ranking(*queries), name)[name] == pytest.approx(expected, rel=1e-12)

    def test_documents_that_nothing_tells_apart_are_not_in_the_order_of_the_file(self) -> None:
        """A model that says 0 of everything is not perfect because the file has the best first."""
        rows = ranking(([1, 0, 0, 0], [0, 0, 0, 0]))
        found = self.values(rows, "mrr", "map", "precision@1", "ndcg")
        assert (found["mrr"], found["map"], found["precision@1"]) == (0.25, 0.25, 0.0)
        assert found["ndcg"] == pytest.approx(
            (1 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)) / 4
        )

    def test_a_query_without_anything_relevant_is_not_counted(self) -> None:
        found = measured(ranking(([1, 0], [1, 0]), ([0, 0], [1, 0])), "ranking", "ndcg", "mrr", "precision@1")
        assert [(each.n, each.value) for each in found.values()] == [(1, 1.0), (1, 1.0), (2, 0.5)]
        nothing = measured(ranking(([0, 0], [1, 0])), "ranking", "ndcg")["ndcg"]
        assert nothing.unknown == "no query has a relevant document"


@pytest.mark.parametrize(
    "task, names, wrong",
    [
        (
            "classification",
            ["acc"],
            "no metric of a classification is called 'acc'; there are accuracy, balanced",
        ),
        ("classification", ["ndcg"], "no metric of a classification is called 'ndcg'"),
        (
            "regression",
            ["accuracy"],
            "no metric of a regression is called 'accuracy'; there are mae, rmse, r2",
        ),
        ("ranking", ["ndcg@0"], "'ndcg@0'; there are ndcg, ndcg@K"),
        ("ranking", ["precision"], "no metric of a ranking is called 'precision'"),
        ("ranking", ["mrr@9999999"], "'mrr@9999999'"),
        ("generation", [], "nothing is known to measure the performance of `task: generation`"),
        ("other", ["accuracy"], "nothing is known to measure the performance of `task: other`"),
    ],
)
def test_a_name_that_is_none(task: Any, names: list[str], wrong: str) -> None:
    with pytest.raises(CannotCollect) as error:
        metrics.wanted(task, names)
    assert wrong in str(error.value)
