"""The bill of materials of a release: CycloneDX 1.6 in JSON, with the model card that the evidence makes.

(https://cyclonedx.org/docs/1.6/json/; ECMA-424.) The model is the component that the document is about, its files are in it,
and what it needs are components beside. Only what was measured is in it; of each part of the evidence it says whether that
was. Names that begin with ``solon:`` are of properties that CycloneDX has no place for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from solon.evidence.document import NAMES, Evidence, found_in, stamp
from solon.evidence.fairness.result import Attribute, Disparity, Fairness
from solon.evidence.performance.result import Interval, Latency, Metric, Performance
from solon.evidence.supply.osv import name_of
from solon.evidence.supply.result import Dependencies, Package, Vulnerability
from solon.evidence.supply.sbom import PURL_TYPES
from solon.subjects import ml_release


def document(evidence: Evidence, now: datetime, serial: UUID) -> dict[str, Any]:
    """Of one release. ``serial`` is to be another one for each document."""
    release = evidence.release
    ref = ml_release.uri(release.registry, release.name, release.version)
    needs = found_in(evidence.evidence.dependencies)
    packages = {_ref(package): package for package in needs.packages} if needs else {}
    made: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": stamp(now),
            "tools": {
                "components": [
                    {
                        "type": "application",
                        "name": evidence.collector.name,
                        "version": evidence.collector.version,
                    }
                ]
            },
            "component": _model(evidence, ref),
        },
        "components": [_component(each, package) for each, package in packages.items()],
        "dependencies": [{"ref": ref, "dependsOn": list(packages)}],
        "compositions": list(_compositions(needs, ref)),
        "vulnerabilities": [_vulnerability(each, needs) for each in needs.vulnerabilities] if needs else [],
    }
    return _without_empty(made)


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if each not in ("", [], {})}


def _properties(said: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"solon:{name}", "value": value} for name, value in said.items() if value]


# --- The model


def _model(evidence: Evidence, ref: str) -> dict[str, Any]:
    release = evidence.release
    said = {"model:digest": evidence.model.digest, "signature": _signature(evidence)}
    said |= {field: getattr(release, field) or "" for field in ("owner", "team", "environment", "risk")}
    for name in NAMES:
        item = getattr(evidence.evidence, name)
        said[f"evidence:{name}"] = item.status if item is not None else "missing"
    return _without_empty(
        {
            "type": "machine-learning-model",
            "bom-ref": ref,
            "name": release.name,
            "version": release.version,
            "externalReferences": list(_documents(evidence)),
            "components": [
                {
                    "type": "file",
                    "bom-ref": f"{ref}#{quote(file.path)}",
                    "name": file.path,
                    "hashes": [{"alg": "SHA-256", "content": file.digest.removeprefix("sha256:")}],
                }
                for file in evidence.model.files
            ],
            "modelCard": _card(evidence),
            "properties": _properties(said),
        }
    )


def _signature(evidence: Evidence) -> str:
    found = found_in(evidence.evidence.signature)
    if found is None:
        return ""
    return f"verified with the key {found.key}" if found.verified else f"not verified: {found.problem}"


def _documents(evidence: Evidence) -> Iterator[dict[str, str]]:
    declared = evidence.release.documentation
    if declared is not None:
        for kind, path in (
            ("model-card", declared.model_card),
            ("risk-assessment", declared.risk_assessment),
        ):
            if path:
                yield {"type": kind, "url": quote(path)}


def _card(evidence: Evidence) -> dict[str, Any]:
    release, parts = evidence.release, evidence.evidence
    data = parts.data
    datasets = [
        {
            "type": "dataset",
            "name": each.path,
            "contents": {"properties": _properties({"digest": each.digest})},
        }
        for each in (data.measured if data is not None and data.status == "measured" else ())
        if each.what == "training"
    ]
    metrics = [*_performance(found_in(parts.performance)), *_latency(found_in(parts.latency))]
    assessments = list(_fairness(found_in(parts.fairness)))
    return _without_empty(
        {
            "modelParameters": _without_empty({"task": release.task, "datasets": datasets}),
            "quantitativeAnalysis": _without_empty({"performanceMetrics": metrics}),
            "considerations": _without_empty(
                {"useCases": [release.use] if release.use else [], "fairnessAssessments": assessments}
            ),
        }
    )


def _performance(found: Performance | None) -> Iterator[dict[str, Any]]:
    """What could not be had is left out."""
    if found is None:
        return
    slices: list[tuple[str, Mapping[str, Metric]]] = [("", found.metrics)]
    slices += [(f"{each.column}={each.value}", each.metrics) for each in found.slices]
    for of, metrics in slices:
        for name, metric in metrics.items():
            if metric.value is not None:
                yield _metric(name, metric.value, metric.interval, of)


def _latency(found: Latency | None) -> Iterator[dict[str, Any]]:
    if found is not None:
        for name in ("p50_ms", "p95_ms", "p99_ms", "throughput"):
            yield _metric(f"latency:{name}", getattr(found.candidate, name))


def _metric(name: str, value: float, interval: Interval | None = None, of: str = "") -> dict[str, Any]:
    bounds = {"lowerBound": str(interval.low), "upperBound": str(interval.high)} if interval else {}
    return _without_empty({"type": name, "value": str(value), "slice": of, "confidenceInterval": bounds})


def _fairness(found: Fairness | None) -> Iterator[dict[str, str]]:
    """What was found between which groups, and where that cannot be told, that it cannot."""
    for name, attribute in found.attributes.items() if found else ():
        for measure, disparity in attribute.disparities.items():
            yield {"groupAtRisk": _at_risk(name, attribute, disparity), "harms": _harm(measure, disparity)}


def _at_risk(name: str, attribute: Attribute, disparity: Disparity) -> str:
    return f"{name}: {disparity.low}" if disparity.low else f"{name}: {len(attribute.groups)} groups"


def _harm(measure: str, disparity: Disparity) -> str:
    if disparity.value is None:
        said = f"{measure} cannot be told: {disparity.unknown}"
    else:
        between = f" between {disparity.low} and {disparity.high}" if disparity.low else ""
        interval = disparity.interval
        bounds = f" ({interval.low} to {interval.high}, {interval.confidence:.0%})" if interval else ""
        said = f"{measure} {disparity.value}{between}{bounds}"
    return said + (f"; too small to judge: {', '.join(disparity.left_out)}" if disparity.left_out else "")


# --- What it needs


def purl(package: Package) -> str:
    """Nothing where its ecosystem has no type of package URL."""
    kind = PURL_TYPES.get(package.ecosystem)
    if kind is None:
        return ""
    name = name_of(package.ecosystem, package.name)[1]
    at = f"@{quote(package.version, safe=':')}" if package.version else ""
    return f"pkg:{kind}/{quote(name.replace(':', '/') if kind == 'maven' else name)}{at}"


def _ref(package: Package) -> str:
    return purl(package) or f"{package.ecosystem}:{package.name}@{package.version}"


def _component(ref: str, package: Package) -> dict[str, Any]:
    return _without_empty(
        {
            "type": "library",
            "bom-ref": ref,
            "name": package.name,
            "version": package.version,
            "purl": purl(package),
            "properties": _properties({"unknown": package.unknown}),
        }
    )


def _compositions(needs: Dependencies | None, ref: str) -> Iterator[dict[str, Any]]:
    """Whether all that the model needs is there: a lock file says so, where each of its packages has a version."""
    if needs is None:
        yield {"aggregate": "unknown", "dependencies": [ref]}
    elif not all(package.version for package in needs.packages):
        yield {"aggregate": "incomplete", "dependencies": [ref]}


def _vulnerability(found: Vulnerability, needs: Dependencies) -> dict[str, Any]:
    rating: dict[str, Any] = {"severity": found.severity}
    if found.score is not None:
        rating["score"] = found.score
    affected = [
        _ref(each) for each in needs.packages if (each.name, each.version) == (found.package, found.version)
    ]
    return _without_empty(
        {
            "id": found.id,
            "references": [
                {"id": alias, "source": {"name": alias.partition("-")[0]}} for alias in found.aliases
            ],
            "ratings": [rating],
            "description": found.summary,
            "recommendation": f"Update {found.package} to {' or '.join(found.fixed)}" if found.fixed else "",
            "affects": [{"ref": ref} for ref in dict.fromkeys(affected)],
        }
    )
