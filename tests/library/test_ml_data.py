"""The data of the policies on models names what there is: a limit of what is misspelt limits nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml

from solon.evidence.data.dictionary import CATEGORIES
from solon.evidence.document import NAMES
from solon.evidence.performance.metrics import CLASSIFICATION, RANKING, REGRESSION
from solon.evidence.release import Risk, Task
from solon.evidence.supply.result import Severity

DATA = Path(__file__).parents[2] / "library" / "data"
METRICS = {each.name for each in (*CLASSIFICATION, *RANKING, *REGRESSION)}
# Hardt, Price and Srebro (2016), as solon.evidence.fairness measures them.
DISPARITIES = {
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equal_opportunity_difference",
    "calibration_difference",
}


def data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DATA / f"{name}.yaml").read_text())[name.replace("-", "_")]
    return found


TIERS = data("ml-risk")["tiers"]
USES = set(data("ml-risk")["uses"])


def test_tiers() -> None:
    assert set(TIERS) <= set(get_args(Risk))
    for use in data("ml-risk")["uses"].values():
        assert use["tier"] in TIERS
        assert set(use.get("without", [])) <= set(NAMES)
    assert set(data("ml-risk")["environments"].values()) <= set(TIERS)
    tiers = data("ml-tiers")
    assert list(tiers) == TIERS
    for tier in tiers.values():
        assert set(tier["requires"]) <= set(NAMES)
        assert set(tier["predictions"]) <= {"recorded", "command", "onnx"}
        assert tier["judged_by"] in ("value", "interval")
        assert tier["severity"] in get_args(Severity)
        assert set(tier["documents"]) <= {"model_card", "data_sheet", "risk_assessment"}
    assert list(tiers["high"]["requires"]) == list(NAMES)


def test_a_stricter_tier_asks_for_no_less() -> None:
    severities = data("ml-dependencies")["severities"]
    tiers = list(data("ml-tiers").values())
    for milder, stricter in pairwise(tiers):
        assert set(milder["requires"]) <= set(stricter["requires"])
        assert set(milder["documents"]) <= set(stricter["documents"])
        assert set(milder["predictions"]) >= set(stricter["predictions"])
        assert milder["evidence_days"] >= stricter["evidence_days"]
        assert milder["reviewed_days"] >= stricter["reviewed_days"]
        assert severities.index(milder["severity"]) >= severities.index(stricter["severity"])


def test_lists_of_tiers() -> None:
    for name, field in (
        ("ml-performance", "may_declare_none"),
        ("ml-latency", "may_promise_none"),
        ("ml-regression", "spared_tiers"),
        ("ml-drift", "may_choose_columns"),
        ("ml-documentation", "digest"),
    ):
        assert set(data(name)[field]) <= set(TIERS), name


def test_uses() -> None:
    categories = data("ml-data")["prohibited"]
    for name, uses in (
        ("prohibited", [*categories["uses"], *categories["permitted"]]),
        ("steps", set(data("ml-data")["steps"]) - {"any_use"}),
        ("latency", data("ml-latency")["uses"]),
        ("fairness", data("ml-fairness")["uses"]),
        ("documentation", data("ml-documentation")["fields_of_uses"]),
        ("slices", data("ml-performance")["slices"]["columns"]),
        ("performance", [each["use"] for each in data("ml-performance")["limits"] if "use" in each]),
    ):
        assert set(uses) <= USES, name


def test_metrics() -> None:
    limits = data("ml-performance")["limits"]
    assert {each["metric"] for each in limits} <= METRICS
    assert {each["task"] for each in limits if "task" in each} <= set(get_args(Task))
    assert set(data("ml-regression")["tolerance"]) - {"any"} <= METRICS
    for limited in data("ml-latency")["uses"].values():
        assert set(limited) <= {"p50_ms", "p95_ms", "p99_ms", "throughput"}


def test_disparities_and_columns() -> None:
    fairness = data("ml-fairness")
    assert set(fairness["limits"]) == DISPARITIES
    asked = {concept for concepts in fairness["uses"].values() for concept in concepts}
    assert asked | set(fairness["any_use"]) == set(fairness["columns"])
    assert all(name == name.lower() for names in fairness["columns"].values() for name in names)


def test_categories() -> None:
    settings = data("ml-data")
    prohibited = settings["prohibited"]
    said = [prohibited["any_use"], *prohibited["uses"].values(), *prohibited["permitted"].values()]
    for categories in (*said, settings["personal"]):
        assert set(categories) <= set(CATEGORIES)
    assert set(settings["personal"]) == set(CATEGORIES) - {"none", "free_text"}


def test_environments() -> None:
    production = yaml.safe_load((DATA / "production.yaml").read_text())["production"]
    assert set(production["environments"]) <= set(data("ml-risk")["environments"])
