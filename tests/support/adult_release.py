"""A release of a model that was trained on UCI Adult: whether somebody earns more than 50,000 dollars, from five numbers.

``write`` makes one that the library lets pass; what a test makes of it is the test's.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import signing
from onnx import TensorProto, helper, numpy_helper
from public_data import public_data
from sklearn.linear_model import LogisticRegression

FEATURES = ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
COLUMNS = [*FEATURES, "sex", "income"]
ROWS = 6_000
CARD = """---
model_name: adult-segments
model_version: "2"
use: {use}
risk: limited
date: {today}
reviewed_at: {today}
reviewer: Ben Vale, model risk
---

# Adult segments 2

## Intended use

Sorts people into two segments by what they probably earn, for the plan of a campaign. Nobody is refused anything by it.

## Limitations

It knows the United States of 1994, five numbers of each person, and nothing of what people spend.

## Training data

The first six thousand people of the training half of UCI Adult, described by the column dictionary.

## Evaluation

Measured on the first six thousand people of the official test half, which were never seen in training.
"""
COLUMN_DICTIONARY = [
    {"name": "age", "type": "integer", "category": "protected", "minimum": 0, "maximum": 120},
    {"name": "education_num", "type": "integer", "category": "personal", "minimum": 1, "maximum": 16},
    {"name": "capital_gain", "type": "integer", "category": "financial", "minimum": 0},
    {"name": "capital_loss", "type": "integer", "category": "financial", "minimum": 0},
    {"name": "hours_per_week", "type": "integer", "category": "personal", "minimum": 1, "maximum": 99},
    {"name": "sex", "type": "text", "category": "protected", "values": ["Female", "Male"]},
    {"name": "income", "type": "integer", "category": "financial", "values": [0, 1]},
]


@dataclass(frozen=True, slots=True)
class People:
    """Rows as dictionaries of numbers, but for ``sex``."""

    train: list[dict[str, Any]]
    test: list[dict[str, Any]]


@functools.cache
def people() -> People:
    data = public_data()
    return People(_rows(data.adult_train), _rows(data.adult_test))


def _rows(path: Path) -> list[dict[str, Any]]:
    with open(path, newline="") as file:
        return [
            {
                **{name: int(row[name]) for name in FEATURES},
                "sex": row["sex"],
                "income": int(row["income"] == ">50K"),
            }
            for row, _ in zip(csv.DictReader(file), range(ROWS), strict=False)
        ]


def features(rows: Sequence[dict[str, Any]], names: Sequence[str] = FEATURES) -> np.ndarray[Any, Any]:
    return np.array([[row[name] for name in names] for row in rows], np.float32)


def trained(rows: Sequence[dict[str, Any]]) -> LogisticRegression:
    return LogisticRegression(max_iter=2000).fit(features(rows), [row["income"] for row in rows])


def write_onnx(model: LogisticRegression, path: Path) -> None:
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "weights"], ["weighted"]),
            helper.make_node("Add", ["weighted", "bias"], ["log_odds"]),
            helper.make_node("Sigmoid", ["log_odds"], ["high"]),
            helper.make_node("Sub", ["one", "high"], ["low"]),
            helper.make_node("Concat", ["low", "high"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
        ],
        "adult",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(FEATURES)])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [
            numpy_helper.from_array(model.coef_.astype(np.float32).T, "weights"),
            numpy_helper.from_array(model.intercept_.astype(np.float32), "bias"),
            numpy_helper.from_array(np.array([1.0], np.float32), "one"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    made.ir_version = 9
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())


def write_table(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str] = COLUMNS) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write(directory: Path, today: str) -> Path:
    """The release, and beside it the key that it is signed with (``signer.pem``, ``signer.pub.pem``)."""
    (directory / "model").mkdir(parents=True)
    (directory / "data").mkdir()
    found = people()
    write_onnx(trained(found.train), directory / "model/adult.onnx")
    write_table(directory / "data/train.csv", found.train)
    write_table(directory / "data/test.csv", found.test)
    write_table(directory / "data/serving.csv", found.test, FEATURES)
    (directory / "columns.yaml").write_text(yaml.safe_dump(COLUMN_DICTIONARY))
    (directory / "requirements.txt").write_text("numpy==2.4.6\nonnxruntime==1.31.1\n")
    measured = {"data": "data/test.csv", "label": "income", "positive": 1, "onnx": "model/adult.onnx"}
    declare(
        directory,
        {
            "kind": "solon.release/v1",
            "name": "adult-segments",
            "version": "2",
            "model": ["model"],
            "task": "classification",
            "use": "income-segments",
            "risk": "limited",
            "environment": "production",
            "owner": "ana@acme.example",
            "team": "marketing",
            "trained_at": today,
            "performance": {
                **measured,
                "features": FEATURES,
                "metrics": ["roc_auc", "balanced_accuracy"],
                "minimums": {"roc_auc": 0.75},
            },
            "data": {"training": "data/train.csv", "columns": "columns.yaml"},
            "supply": {"signature": "model.sig", "lock": "requirements.txt"},
            "documentation": {"model_card": "card.md"},
        },
    )
    write_card(directory, today)
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (directory.parent / "signer.pem").write_bytes(private)
    (directory.parent / "signer.pub.pem").write_bytes(public)
    sign(directory)
    return directory


def sign(directory: Path) -> None:
    private = directory.parent / "signer.pem"
    config = signing.Config().use_elliptic_key_signer(private_key=private)
    config.sign(str(directory / "model"), str(directory / "model.sig"))


def write_card(directory: Path, today: str, use: str = "income-segments") -> None:
    (directory / "card.md").write_text(CARD.format(today=today, use=use))


def declare(directory: Path, said: dict[str, Any]) -> None:
    (directory / "release.yaml").write_text(yaml.safe_dump(said, sort_keys=False))


def declared(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((directory / "release.yaml").read_text())
    return found


def write_vulnerabilities(directory: Path, today: str) -> None:
    """One record, published today, so that the database is not old."""
    directory.mkdir()
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}]
    record = {
        "id": "PYSEC-2019-217",
        "modified": f"{today}T00:00:00Z",
        "summary": "The sandbox can be escaped",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": "jinja2"}, "ranges": ranges}],
    }
    (directory / "PYSEC-2019-217.json").write_text(json.dumps(record))
