"""The bill of materials of a release: valid CycloneDX, with what was measured and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from solon.evidence.data.result import Data
from solon.evidence.document import Collector, Evidence, File, Item, Measured, Model, Parts
from solon.evidence.fairness.result import Attribute, Disparity, Fairness, Group
from solon.evidence.performance.result import Host, Interval, Latency, Metric, Performance, Slice, Timing
from solon.evidence.release import DocumentationPart, Release
from solon.evidence.supply import bom
from solon.evidence.supply.result import Database, Dependencies, Package, Signature, Vulnerability

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SERIAL = UUID("3e671687-395b-41f5-a30f-a58921a69b79")
REF = "model://local/credit/3"


def item(result: Any, *measured: Measured, status: Any = "measured") -> Item[Any]:
    return Item(status, "x", "solon", "0.1", "2026-11-21T12:00:00Z", list(measured), result)


PERFORMANCE = Performance(
    task="classification",
    n=100,
    predictions="recorded",
    metrics={
        "accuracy": Metric(100, 0.875, Interval(0.8, 0.9, 0.95, "wilson")),
        "roc_auc": Metric(100, unknown="no scores"),
    },
    minimums={},
    slices=[Slice("region", "north", {"accuracy": Metric(40, 0.5)})],
)
LATENCY = Latency(
    predictor="onnx",
    batch=1,
    warm_up=5,
    candidate=Timing(calls=200, p50_ms=1.5, p95_ms=2.5, p99_ms=4.0, throughput=600.0),
    maximums={},
    host=Host("x", "y", 2, "Linux", "3.11"),
)
FAIRNESS = Fairness(
    n=100,
    predictions="recorded",
    positive="1",
    smallest=30,
    attributes={
        "sex": Attribute(
            ["sex"],
            [Group({"sex": "F"}, 50, 20, 30, {}), Group({"sex": "M"}, 50, 30, 20, {})],
            {
                "demographic_parity_difference": Disparity(0.25, Interval(0.125, 0.375, 0.95, "bootstrap"), "F", "M", ["X"]),
                "equalized_odds_difference": Disparity(unknown="fewer than two groups can be judged"),
            },
        )
    },
)  # fmt: skip
DEPENDENCIES = Dependencies(
    sources=["requirements.txt"],
    packages=[
        Package("Jinja2", "2.10"),
        Package("torch", "2.1.0+cu118"),
        Package("numpy", "", unknown="no exact version: >=1"),
        Package("@angular/core", "16.0.0", "npm"),
        Package("org.apache.spark:spark-core", "3.5.0", "Maven"),
        Package("bash", "5.2-1", "Debian"),
        Package("thing", "1", "", "no package URL says which ecosystem it is of"),
    ],
    vulnerabilities=[
        Vulnerability("GHSA-462w-v97r-4m45", "Jinja2", "2.10", "high", 8.6, "Sandbox escape", ["CVE-2019-10906"], ["2.10.1"]),
        Vulnerability("PYSEC-1", "gone", "1", "unknown"),
    ],
    database=Database("sha256:00", 1, "2026-01-01T00:00:00Z", ["PyPI"]),
)  # fmt: skip


def evidence(**parts: Any) -> Evidence:
    release = Release(
        "solon.release/v1",
        "credit",
        "3",
        ["model"],
        task="classification",
        use="credit-scoring",
        risk="high",
        owner="ada@example.com",
        documentation=DocumentationPart(model_card="docs/model card.md", risk_assessment="docs/risk.md"),
    )
    model = Model("sha256:" + "ab" * 32, [File("model/weights.bin", 5, "sha256:" + "cd" * 32)])
    return Evidence(
        "solon.evidence/v1",
        release,
        model,
        "2026-11-21T12:00:00Z",
        Collector("solon", "0.1.0"),
        Parts(**parts),
    )


WHOLE = evidence(
    performance=item(PERFORMANCE),
    latency=item(LATENCY),
    fairness=item(FAIRNESS),
    dependencies=item(DEPENDENCIES),
    signature=item(Signature(verified=True, key="sha256:" + "ef" * 32)),
    data=item(
        Data(rows=9, columns={}, absent=[], steps_declared=[], looked_at=9),
        Measured("model", "sha256:00"),
        Measured("training", "sha256:11", "data/train.csv"),
    ),
)


def document(of: Evidence) -> dict[str, Any]:
    return bom.document(of, NOW, SERIAL)


@pytest.mark.parametrize("of", [WHOLE, evidence()], ids=["whole", "bare"])
def test_it_is_valid_cyclonedx(of: Evidence) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document(of)))
    assert problem is None


def test_every_reference_is_to_something_in_it() -> None:
    made = document(WHOLE)
    model = made["metadata"]["component"]
    refs = [model["bom-ref"], *(each["bom-ref"] for each in [*made["components"], *model["components"]])]
    assert len(set(refs)) == len(refs)
    used = [ref for each in made["dependencies"] for ref in [each["ref"], *each["dependsOn"]]]
    used += [each["ref"] for of in made["vulnerabilities"] for each in of.get("affects", [])]
    assert set(used) <= set(refs)


def test_the_same_inputs_make_the_same_document() -> None:
    assert json.dumps(document(WHOLE)) == json.dumps(document(WHOLE))
    made = document(WHOLE)
    assert made["serialNumber"] == "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"
    assert made["metadata"]["timestamp"] == "2026-11-21T12:00:00Z"


def test_the_model_and_its_files_are_the_component_that_it_is_about() -> None:
    model = document(WHOLE)["metadata"]["component"]
    assert (model["type"], model["name"], model["version"]) == ("machine-learning-model", "credit", "3")
    assert model["bom-ref"] == REF
    assert model["components"] == [
        {
            "type": "file",
            "bom-ref": f"{REF}#model/weights.bin",
            "name": "model/weights.bin",
            "hashes": [{"alg": "SHA-256", "content": "cd" * 32}],
        }
    ]
    assert model["externalReferences"] == [
        {"type": "model-card", "url": "docs/model%20card.md"},
        {"type": "risk-assessment", "url": "docs/risk.md"},
    ]


def properties(of: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in of["properties"]}


def test_of_each_part_it_says_whether_it_was_measured() -> None:
    failed = evidence(performance=item(None, status="error"), fairness=item(FAIRNESS, status="refused"))
    model = document(failed)["metadata"]["component"]
    said = properties(model)
    assert said["solon:evidence:performance"] == "error"
    assert said["solon:evidence:fairness"] == "refused"
    assert said["solon:evidence:latency"] == "missing"
    # What was refused is about something else, and no part of the card.
    assert model["modelCard"] == {
        "modelParameters": {"task": "classification"},
        "considerations": {"useCases": ["credit-scoring"]},
    }


def test_metrics_are_those_that_were_measured() -> None:
    card = document(WHOLE)["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "accuracy",
            "value": "0.875",
            "confidenceInterval": {"lowerBound": "0.8", "upperBound": "0.9"},
        },
        {"type": "accuracy", "value": "0.5", "slice": "region=north"},
        {"type": "latency:p50_ms", "value": "1.5"},
        {"type": "latency:p95_ms", "value": "2.5"},
        {"type": "latency:p99_ms", "value": "4.0"},
        {"type": "latency:throughput", "value": "600.0"},
    ]
    assert card["modelParameters"]["datasets"] == [
        {
            "type": "dataset",
            "name": "data/train.csv",
            "contents": {"properties": [{"name": "solon:digest", "value": "sha256:11"}]},
        }
    ]


def test_fairness_names_the_group_and_what_cannot_be_told() -> None:
    card = document(WHOLE)["metadata"]["component"]["modelCard"]
    assert card["considerations"]["fairnessAssessments"] == [
        {
            "groupAtRisk": "sex: F",
            "harms": "demographic_parity_difference 0.25 between F and M (0.125 to 0.375, 95%); too small to judge: X",
        },
        {
            "groupAtRisk": "sex: 2 groups",
            "harms": "equalized_odds_difference cannot be told: fewer than two groups can be judged",
        },
    ]


def test_what_it_needs_are_components_with_their_package_urls() -> None:
    made = document(WHOLE)
    assert [each.get("purl") for each in made["components"]] == [
        "pkg:pypi/jinja2@2.10",
        "pkg:pypi/torch@2.1.0%2Bcu118",
        "pkg:pypi/numpy",
        "pkg:npm/%40angular/core@16.0.0",
        "pkg:maven/org.apache.spark/spark-core@3.5.0",
        "pkg:deb/debian/bash@5.2-1",
        None,
    ]
    assert properties(made["components"][2]) == {"solon:unknown": "no exact version: >=1"}
    assert made["dependencies"] == [
        {"ref": REF, "dependsOn": [each["bom-ref"] for each in made["components"]]}
    ]


def test_vulnerabilities_affect_components() -> None:
    first, second = document(WHOLE)["vulnerabilities"]
    assert first == {
        "id": "GHSA-462w-v97r-4m45",
        "references": [{"id": "CVE-2019-10906", "source": {"name": "CVE"}}],
        "ratings": [{"severity": "high", "score": 8.6}],
        "description": "Sandbox escape",
        "recommendation": "Update Jinja2 to 2.10.1",
        "affects": [{"ref": "pkg:pypi/jinja2@2.10"}],
    }
    assert second == {"id": "PYSEC-1", "ratings": [{"severity": "unknown"}]}


@pytest.mark.parametrize(
    ("packages", "aggregate"),
    [(None, "unknown"), ([Package("a", "1"), Package("b", "")], "incomplete"), ([Package("a", "1")], None)],
)
def test_a_list_that_may_lack_something_says_so(packages: Any, aggregate: str | None) -> None:
    needs = msgspec.structs.replace(DEPENDENCIES, packages=packages) if packages else None
    made = document(evidence(dependencies=item(needs)) if needs else evidence())
    expected = [{"aggregate": aggregate, "dependencies": [REF]}] if aggregate else None
    assert made.get("compositions") == expected


def test_a_signature_that_does_not_verify_is_told() -> None:
    bad = evidence(signature=item(Signature(verified=False, problem="not signed: a")))
    assert (
        properties(document(bad)["metadata"]["component"])["solon:signature"] == "not verified: not signed: a"
    )


def test_what_it_lists_is_read_again() -> None:
    from solon.evidence.supply import sbom

    read = {(each.ecosystem, each.name.lower(), each.version) for each in sbom.packages(document(WHOLE))}
    assert read == {(each.ecosystem, each.name.lower(), each.version) for each in DEPENDENCIES.packages}
