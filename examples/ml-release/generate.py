"""Makes the data and the models of this example anew: invented applicants for a loan, and two versions of a model.

    python generate.py

Needs Solon's extras ml and onnx, and the onnx library. Version 7 is a logistic regression as ONNX; version 8 the same idea
gone wrong: a pickle, which learned from whether somebody works part time.
"""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
FEATURES = ["income", "debt_ratio", "years_employed", "open_loans", "late_payments"]
COLUMNS = ["sex", "age", *FEATURES, "part_time", "repaid"]


def applicants(rng: np.random.Generator, rows: int, *, inflation: float = 0.0) -> dict[str, np.ndarray]:
    """People who do not exist. ``inflation`` raises what they earn, as years go by."""
    sex = rng.choice(["F", "M"], rows)
    part_time = (rng.random(rows) < np.where(sex == "F", 0.45, 0.1)).astype(int)
    income = np.round(rng.gamma(9, 4.6, rows) * (1 + inflation), 1)
    made = {
        "sex": sex,
        "age": rng.integers(21, 70, rows),
        "income": income,
        "debt_ratio": np.round(rng.beta(3, 6, rows), 3),
        "years_employed": np.round(np.minimum(rng.gamma(2.2, 3.0, rows), 40), 1),
        "open_loans": rng.poisson(1.1, rows),
        "late_payments": rng.poisson(0.6, rows),
        "part_time": part_time,
    }
    log_odds = (
        0.5
        + 0.045 * (income / (1 + inflation) - 41)
        - 4.0 * (made["debt_ratio"] - 0.33)
        + 0.09 * (made["years_employed"] - 6.6)
        - 0.55 * (made["open_loans"] - 1.1)
        - 1.15 * (made["late_payments"] - 0.6)
    )
    made["repaid"] = (rng.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return made


def write(path: Path, table: dict[str, np.ndarray], columns: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(table[column].tolist() for column in columns), strict=True))


def features(table: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    return np.column_stack([table[name] for name in names]).astype(np.float32)


def as_onnx(model: LogisticRegression, path: Path) -> None:
    """Labels and probabilities, as converters of scikit-learn write them."""
    weights = model.coef_.astype(np.float32).T
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "weights"], ["weighted"]),
            helper.make_node("Add", ["weighted", "bias"], ["log_odds"]),
            helper.make_node("Sigmoid", ["log_odds"], ["repaid"]),
            helper.make_node("Sub", ["one", "repaid"], ["defaulted"]),
            helper.make_node("Concat", ["defaulted", "repaid"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
        ],
        "credit-scoring",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(FEATURES)])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(model.intercept_.astype(np.float32), "bias"),
            numpy_helper.from_array(np.array([1.0], np.float32), "one"),
        ],
    )
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="credit-scoring"
    )
    made.ir_version = 9
    onnx.checker.check_model(made)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.SerializeToString())


def main() -> None:
    rng = np.random.default_rng(11)
    train, test = applicants(rng, 2_000), applicants(rng, 2_400)
    write(HERE / "data/train.csv", train, ["sex", "age", *FEATURES, "repaid"])
    write(HERE / "data/test.csv", test, ["sex", "age", *FEATURES, "repaid"])
    write(HERE / "data/serving.csv", applicants(rng, 1_200), FEATURES)
    write(HERE / "data/serving-2027.csv", applicants(rng, 1_200, inflation=0.35), FEATURES)

    seventh = LogisticRegression(max_iter=1000).fit(features(train, FEATURES), train["repaid"])
    as_onnx(seventh, HERE / "credit-scoring-7/model/credit.onnx")
    first = slice(0, 300)  # version 6 knew fewer people
    sixth = LogisticRegression(max_iter=1000, C=0.01).fit(
        features(train, FEATURES)[first], train["repaid"][first]
    )
    as_onnx(sixth, HERE / "data/credit-scoring-6.onnx")

    # Version 8 was told that those who work part time are a risk, and has never been measured by anybody else.
    told = np.where(train["part_time"] == 1, 0, train["repaid"])
    names = [*FEATURES, "part_time"]
    eighth = LogisticRegression(max_iter=1000).fit(features(train, names), told)
    path = HERE / "credit-scoring-8/model/credit.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(eighth, protocol=4))
    test["prediction"] = eighth.predict(features(test, names))
    test["score"] = np.round(eighth.predict_proba(features(test, names))[:, 1], 4)
    write(
        HERE / "credit-scoring-8/data/test.csv",
        test,
        ["sex", "age", *FEATURES, "repaid", "prediction", "score"],
    )
    people = [
        f"{first}.{last}@example.com" for first in ("ada", "ben", "cleo") for last in ("moss", "reed", "vale")
    ]
    train["contact"] = np.array([people[i % len(people)] for i in range(len(train["sex"]))])
    write(
        HERE / "credit-scoring-8/data/train.csv",
        train,
        ["sex", "age", *FEATURES, "part_time", "contact", "repaid"],
    )


if __name__ == "__main__":
    main()
