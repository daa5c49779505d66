"""The evidence of performance, from release.yaml to the result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx_models
import pytest
from measured_releases import Files
from public_data import public_data

from solon.evidence import tables
from solon.evidence.collector import CannotCollect, Collected, Given, Operator
from solon.evidence.gathering import gather
from solon.evidence.performance import collect as collecting
from solon.evidence.performance.collect import collect
from solon.evidence.performance.result import Performance

ROWS = "age,sex,y,prediction,score\n" + "".join(
    f"{20 + number},{'mf'[number % 3 == 0]},{number % 2},{number % 2 if number % 5 else 0},{0.7 * (number % 2) + 0.01 * (number % 7)}\n"
    for number in range(60)
)


def given(tmp_path: Path, rows: str = ROWS, files: Any = None, **said: Any) -> Given:
    task, operator = said.pop("task", "classification"), said.pop("operator", None)
    part = {"data": "d.csv", "label": "y", **said}
    return Files(tmp_path).given({"d.csv": rows, **(files or {})}, operator, performance=part, task=task)


def result(release: Given) -> Performance:
    found = collect(release)
    assert isinstance(found, Collected)
    assert isinstance(found.result, Performance)
    # What would be null in JSON passes limits in Rego.
    assert b"null" not in msgspec.json.encode(found.result)
    return found.result


def problem(release: Given) -> str:
    with pytest.raises(CannotCollect) as error:
        collect(release)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nothing_is_declared(tmp_path: Path) -> None:
    assert collect(Files(tmp_path).given({})) is None


def test_the_usual_metrics_where_none_is_named(tmp_path: Path) -> None:
    found = result(given(tmp_path))
    assert list(found.metrics) == ["accuracy", "balanced_accuracy", "f1"]
    # 30 rows are 1, of which the six that 5 divides were predicted as 0
    assert found.metrics["accuracy"].value == 54 / 60
    assert found.metrics["balanced_accuracy"].value == pytest.approx((1 + 24 / 30) / 2)
    assert (found.task, found.n, found.predictions, found.positive) == ("classification", 60, "recorded", "")


def test_what_is_promised_is_measured(tmp_path: Path) -> None:
    found = result(given(tmp_path, metrics=["accuracy"], minimums={"recall": 0.7}, positive=1))
    assert list(found.metrics) == ["accuracy", "recall"]
    assert found.minimums == {"recall": 0.7}
    assert found.metrics["recall"].value == 24 / 30


def test_which_way_is_better_is_written_of_every_metric(tmp_path: Path) -> None:
    found = msgspec.to_builtins(
        result(given(tmp_path, metrics=["accuracy", "brier"], positive=1, score="score"))
    )
    ways = {name: metric["higher_is_better"] for name, metric in found["metrics"].items()}
    assert ways == {"accuracy": True, "brier": False}


def test_files_that_were_measured_are_bound(tmp_path: Path) -> None:
    found = collect(given(tmp_path, files={"p.csv": "prediction\n" + "1\n" * 60}, predictions="p.csv"))
    assert found is not None
    assert [(each.what, each.path) for each in found.measured] == [
        ("data", "d.csv"),
        ("predictions", "p.csv"),
    ]
    assert found.source == "d.csv, p.csv"


def test_slices(tmp_path: Path) -> None:
    """Of the 20 women ten are positive, of whom 15 and 45 were missed; of the 40 men, 5, 25, 35 and 55."""
    found = result(given(tmp_path, metrics=["accuracy", "recall"], positive=1, slices=["sex"]))
    slices = {each.value: each.metrics for each in found.slices}
    assert set(slices) == {"f", "m"}
    assert (slices["f"]["accuracy"].n, slices["m"]["accuracy"].n) == (20, 40)
    assert slices["f"]["recall"].value == 8 / 10
    assert slices["m"]["recall"].value == 16 / 20


def test_a_small_slice_is_unsure_and_one_of_a_single_label_unknown(tmp_path: Path) -> None:
    rows = ROWS + "30,x,1,1,0.9\n31,x,1,1,0.9\n32,,0,0,0.1\n"
    found = result(given(tmp_path, rows, metrics=["accuracy", "roc_auc"], positive=1, score="score", slices=["sex"]))  # fmt: skip
    slices = {each.value: each.metrics for each in found.slices}
    assert set(slices) == {"f", "m", "x", "(missing)"}
    small = slices["x"]["accuracy"]
    assert (small.n, small.value) == (2, 1.0)
    assert small.interval is not None
    assert small.interval.low < 0.4
    assert slices["x"]["roc_auc"].value is None
    assert slices["x"]["roc_auc"].unknown == "only one label occurs"


def test_a_baseline_that_is_recorded(tmp_path: Path) -> None:
    old = "prediction,score\n" + "".join(f"{number % 2},{number % 2}\n" for number in range(60))
    found = result(
        given(
            tmp_path,
            files={"old.csv": old},
            metrics=["accuracy", "brier"],
            positive=1,
            score="score",
            baseline={"version": "1", "predictions": "old.csv"},
        )
    )
    assert (found.baseline_version, found.baseline_predictions) == ("1", "recorded")
    accuracy = found.baseline["accuracy"]
    assert (accuracy.candidate, accuracy.baseline) == (0.9, 1.0)
    assert accuracy.change == pytest.approx(-0.1)
    assert accuracy.interval is not None
    assert accuracy.interval.high < 0
    brier = found.baseline["brier"]
    assert brier.baseline == 0
    assert brier.change is not None
    assert brier.change < 0


def test_a_baseline_without_a_score_is_compared_in_the_rest(tmp_path: Path) -> None:
    code = "import sys; print('prediction'); [print(0) for line in list(sys.stdin)[1:]]"
    release = given(
        tmp_path,
        metrics=["accuracy", "roc_auc"],
        positive=1,
        score="score",
        baseline={"version": "1"},
        operator=Operator(baseline_predictor=[sys.executable, "-S", "-c", code]),
    )
    found = result(release)
    assert found.baseline["accuracy"].baseline == 0.5
    assert found.baseline["roc_auc"].unknown == "the baseline has no score"
    assert found.baseline["roc_auc"].change is None


@pytest.mark.parametrize(
    "said, wrong",
    [
        ({"metrics": ["acc"]}, "no metric of a classification is called 'acc'; there are accuracy"),
        ({"minimums": {"auc": 0.9}}, "no metric of a classification is called 'auc'"),
        ({"minimums": {"accuracy": float("nan")}}, "`minimums` has nan for accuracy"),
        ({"minimums": {"accuracy": float("-inf")}}, "`minimums` has -inf for accuracy"),
        ({"metrics": ["roc_auc"]}, "roc_auc needs `positive`"),
        ({"metrics": ["roc_auc"], "positive": 1}, "roc_auc needs `score`"),
        (
            {"metrics": ["log_loss"], "positive": 1, "score": "age"},
            "outside of 0 and 1 in 60 rows, first in row 1",
        ),
        ({"slices": ["race"]}, "d.csv: has no column 'race'"),
        ({"baseline": {"version": "1"}}, "a baseline is declared, and nothing to compare with"),
        ({"baseline": {"version": "1", "predictions": "x.csv"}}, "x.csv: no such file"),
        ({"task": "ranking", "label": "age"}, "a ranking needs `group`"),
        ({"task": "ranking", "label": "age", "group": "query"}, "has no column 'query'"),
        ({"task": "generation"}, "nothing is known to measure"),
    ],
)
def test_what_is_declared_wrong(tmp_path: Path, said: dict[str, Any], wrong: str) -> None:
    assert wrong in problem(given(tmp_path, **said))


def test_too_many_slices_and_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_SLICES", 50)
    assert "`age` has 60 values, more than 50 slices" in problem(given(tmp_path, slices=["age"]))
    monkeypatch.setattr(collecting, "MAX_LABELS", 50)
    rows = "y,prediction\n" + "".join(f"{number},{number}\n" for number in range(51))
    assert "51 labels, more than 50: is `task: regression` meant?" in problem(given(tmp_path, rows))


def test_a_regression(tmp_path: Path) -> None:
    rows = "y,prediction\n1,2\n2,2\n4,1\n"
    found = result(given(tmp_path, rows, task="regression", metrics=["mae", "rmse", "median_ae"]))
    values = {name: metric.value for name, metric in found.metrics.items()}
    assert values == {"mae": pytest.approx(4 / 3), "rmse": pytest.approx((10 / 3) ** 0.5), "median_ae": 1.0}


def test_a_ranking(tmp_path: Path) -> None:
    rows = "q,y,s\na,1,0.2\na,0,0.9\nb,1,0.9\nb,0,0.1\n"
    found = result(given(tmp_path, rows, task="ranking", metrics=["mrr"], score="s", group="q"))
    assert (found.metrics["mrr"].value, found.metrics["mrr"].n) == (0.75, 2)


def test_a_relevance_below_zero(tmp_path: Path) -> None:
    rows = "q,y,s\na,-1,0.2\na,0,0.9\n"
    assert "is less than 0" in problem(given(tmp_path, rows, task="ranking", score="s", group="q"))


def test_what_goes_wrong_is_an_error_of_the_part(tmp_path: Path) -> None:
    item = gather(given(tmp_path, metrics=["acc"]), ["performance"]).evidence.performance
    assert item is not None
    assert (item.status, item.result) == ("error", None)
    assert item.problem.startswith("no metric of a classification")


@pytest.fixture(scope="module")
def adult(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official split of Adult, a logistic regression on four columns as an ONNX model, and a worse one as deployed."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    data = public_data()
    columns = ["age", "education_num", "capital_gain", "hours_per_week"]

    def read(path: Path) -> tuple[Any, Any, Any]:
        table = tables.read(str(path))
        features = np.column_stack([table.measurements(column) for column in columns])
        return table, features, table.labels("income") == ">50K"

    _, x, y = read(data.adult_train)
    table, held_out, truth = read(data.adult_test)
    directory = tmp_path_factory.mktemp("adult")
    (directory / "model").mkdir()
    for name, kept in (("model/model.onnx", 4), ("old.onnx", 2)):
        scaler = StandardScaler().fit(x[:, :kept])
        found = LogisticRegression().fit(scaler.transform(x[:, :kept]), y)
        weights = np.zeros(4)
        weights[:kept] = found.coef_[0] / scaler.scale_
        bias = float(found.intercept_[0] - (found.coef_[0] * scaler.mean_ / scaler.scale_).sum())
        (directory / name).write_bytes(
            onnx_models.logistic(weights.tolist(), bias, ("<=50K", ">50K"), zipmap=True)
        )
        score = 1 / (1 + np.exp(-(held_out @ weights + bias)))
        np.save(directory / name.replace("/", "-"), np.column_stack([truth, score]))
    (directory / "adult-test.csv").write_bytes(data.adult_test.read_bytes())
    assert table.rows == 16281
    return directory


def test_adult_by_onnx_as_scikit_learn_measures_it(adult: Path) -> None:
    from sklearn import metrics as sk

    columns = ["age", "education_num", "capital_gain", "hours_per_week"]
    part = {
        "data": "adult-test.csv",
        "label": "income",
        "onnx": "model/model.onnx",
        "features": columns,
        "positive": ">50K",
        "metrics": ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "brier"],
        "slices": ["sex", "race"],
        "baseline": {"version": "1", "onnx": "old.onnx"},
    }  # fmt: skip
    found = result(Files(adult).given({}, performance=part))
    truth, score = np.load(adult / "model-model.onnx.npy").T
    predicted = score >= 0.5
    expected = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "precision": sk.precision_score(truth, predicted),
        "recall": sk.recall_score(truth, predicted),
        "f1": sk.f1_score(truth, predicted),
        "roc_auc": sk.roc_auc_score(truth, score),
        "average_precision": sk.average_precision_score(truth, score),
        "brier": sk.brier_score_loss(truth, score),
    }
    for name, value in expected.items():
        assert found.metrics[name].value == pytest.approx(value, abs=1e-3), name
    assert found.metrics["accuracy"].value == pytest.approx(0.82, abs=0.02)
    assert {(each.column, each.value): each.metrics["accuracy"].n for each in found.slices}[("sex", "Female")] == 5421  # fmt: skip
    change = found.baseline["roc_auc"]
    assert change.change is not None
    assert change.interval is not None
    assert change.change > 0.02
    assert change.interval.low > 0
    assert found.baseline_predictions == "onnx"
