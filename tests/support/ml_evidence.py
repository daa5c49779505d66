"""Results as collectors give them, made up, for what shows or judges evidence."""

from __future__ import annotations

from solon.evidence.artifacts.result import Artifact, Artifacts
from solon.evidence.data.result import Drift, DriftColumn
from solon.evidence.fairness.result import Attribute, Disparity, Fairness, Group, Rate
from solon.evidence.performance.result import Comparison, Interval, Metric, Performance, Slice


def between(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "bootstrap")


PERFORMANCE = Performance(
    task="classification",
    n=16_281,
    predictions="recorded",
    metrics={
        "accuracy": Metric(16_281, 0.852, between(0.847, 0.857)),
        "roc_auc": Metric(16_281, 0.905, between(0.9, 0.91)),
        "log_loss": Metric(16_281, 1.32, between(1.3, 1.34), higher_is_better=False),
        "f1": Metric(16_281, unknown="one class only"),
    },
    minimums={"accuracy": 0.85},
    slices=[
        Slice("sex", "Female", {"accuracy": Metric(5_421, 0.921, between(0.914, 0.928))}),
        Slice("sex", "Male", {"accuracy": Metric(10_860, 0.818, between(0.81, 0.825))}),
    ],
    baseline_version="2",
    baseline={
        "accuracy": Comparison(16_281, 0.852, 0.861, -0.009, between(-0.013, -0.005)),
        "roc_auc": Comparison(16_281, 0.905, 0.9, 0.005, between(-0.001, 0.011)),
    },
)
FAIRNESS = Fairness(
    n=16_281,
    predictions="recorded",
    positive=">50K",
    smallest=30,
    attributes={
        "sex": Attribute(
            columns=["sex"],
            groups=[
                Group({"sex": "Female"}, 5_421, 590, 4_831, {"selection_rate": Rate(5_421, 0.075, between(0.068, 0.082))}),
                Group({"sex": "Male"}, 10_860, 3_256, 7_604, {"selection_rate": Rate(10_860, 0.252, between(0.244, 0.26))}),
                Group({"sex": "<b>X</b>"}, 12, 3, 9, {"selection_rate": Rate(12, unknown="12 rows, fewer than 30")}),
            ],
            disparities={
                "demographic_parity_difference": Disparity(0.1766, between(0.166, 0.187), "Female", "Male", ["<b>X</b>"])
            },
        )
    },
)  # fmt: skip
DRIFT = Drift(
    columns={
        "age": DriftColumn("number", 32_561, 16_281, psi=2.48, test="ks", statistic=0.4, p_value=0.0),
        "hours": DriftColumn("number", 32_561, 16_281, psi=0.0006, test="ks", statistic=0.01, p_value=0.4),
        "region": DriftColumn("category", 32_561, 16_281, unknown="one value only"),
    },
    absent=[],
    largest="age",
)
ARTIFACTS = Artifacts(
    [
        Artifact("model/config.json", "json", 14, "safe"),
        Artifact("model/weights.safetensors", "safetensors", 10, "safe"),
        Artifact(
            "model/pipeline.pkl",
            "pickle",
            812,
            "unsafe",
            ["would call os.system"],
            ["os.system"],
            {"REDUCE": 1},
        ),
    ]
)
