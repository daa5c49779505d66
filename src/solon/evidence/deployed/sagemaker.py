"""Live models of SageMaker, from what ``aws sagemaker describe-…`` prints.

An endpoint names its configuration, that its variants and their models, and a model the package of the registry that it was
made of. Each is a description of its own; where one is missing, the model is live and not known. (Amazon SageMaker API
Reference: DescribeEndpoint, DescribeEndpointConfig, DescribeModel, DescribeModelPackage.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.evidence.deployed.live import (
    DIGEST,
    UNTRACKED,
    Claim,
    Live,
    Named,
    Settings,
    Whose,
    identified,
    labelled,
)
from solon.subjects.fields import get, mapping, mappings, text
from solon.subjects.subject import Subject

# What else there is serves nothing: Creating, OutOfService, Deleting, Failed.
_SERVES: Final = frozenset(["InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"])
_ARNS: Final = ("EndpointArn", "EndpointConfigArn", "ModelArn", "ModelPackageArn")


def is_description(document: Any) -> bool:
    return isinstance(document, dict) and any(isinstance(document.get(arn), str) for arn in _ARNS)


@dataclass(slots=True)
class _Known:
    """Descriptions by region, account and name: names are unique in an account's region alone."""

    endpoints: list[Subject] = field(default_factory=list)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: dict[str, dict[str, Any]] = field(default_factory=dict)


def live(subjects: Sequence[Subject], settings: Settings) -> Iterator[Live]:
    known = _Known()
    for subject in subjects:
        document = subject.document
        if "EndpointArn" in document:
            known.endpoints.append(subject)
        elif "EndpointConfigArn" in document:
            known.configs[_key(document["EndpointConfigArn"], document.get("EndpointConfigName"))] = document
        elif "ModelPackageArn" in document:
            known.packages[str(document["ModelPackageArn"])] = document
        else:
            known.models[_key(document["ModelArn"], document.get("ModelName"))] = document
    for endpoint in known.endpoints:
        if text(endpoint.document.get("EndpointStatus")) in _SERVES:
            yield from _of(endpoint, known, settings)


def _of(endpoint: Subject, known: _Known, settings: Settings) -> Iterator[Live]:
    document = endpoint.document
    arn, name = str(document["EndpointArn"]), text(document.get("EndpointName"))
    config = known.configs.get(_key(arn, document.get("EndpointConfigName")))
    configured = {
        text(variant.get("VariantName")): variant
        for key in ("ProductionVariants", "ShadowProductionVariants")
        for variant in mappings((config or {}).get(key))
    }
    variants = mappings(document.get("ProductionVariants")) or [{}]  # it serves, whatever it does not say
    total = sum(_weight(variant) for variant in variants)
    shown = [("ProductionVariants", i, variant) for i, variant in enumerate(variants)]
    shown += [
        ("ShadowProductionVariants", i, variant)
        for i, variant in enumerate(mappings(document.get("ShadowProductionVariants")))
    ]
    for key, index, variant in shown:
        called = text(variant.get("VariantName"))
        share = 100.0 * _weight(variant) / total if key == "ProductionVariants" and total else 0.0
        for found in _models(configured.get(called), config, arn, document, known, settings):
            yield Live(
                name=found.named.name,
                version=found.named.version,
                where=f"sagemaker://{_region(arn)}/{name}/{called}",
                serves=f"Endpoint/{name} {called}".rstrip(),
                location=endpoint.locator.locate((key, index)),
                source="sagemaker",
                uri=found.uri,
                digest=found.digest,
                environment=found.said.environment,
                team=found.said.team,
                owner=found.said.owner,
                traffic=share,
                problem=found.problem,
            )


@dataclass(frozen=True, slots=True)
class _Model:
    named: Named = field(default_factory=Named)
    uri: str = ""
    digest: str = ""
    said: Whose = field(default_factory=Whose)
    problem: str = ""


def _models(
    variant: Mapping[str, Any] | None,
    config: Mapping[str, Any] | None,
    arn: str,
    endpoint: Mapping[str, Any],
    known: _Known,
    settings: Settings,
) -> Iterator[_Model]:
    """The models of a variant: one for each container that loads any."""
    if config is None:
        yield _Model(problem=_missing("describe-endpoint-config", endpoint.get("EndpointConfigName")))
        return
    name = (variant or {}).get("ModelName")
    if not isinstance(name, str):
        yield _Model(problem="its configuration names no model for this variant")
        return
    model = known.models.get(_key(arn, name))
    if model is None:
        yield _Model(problem=_missing("describe-model", name))
        return
    containers = mappings([model.get("PrimaryContainer")]) or mappings(model.get("Containers"))
    loading = [each for each in containers if "ModelPackageName" in each or _uri(each)]
    if not loading:
        yield _Model(problem=UNTRACKED)
    for container in loading:
        yield _container(container, known, settings)


def _container(container: Mapping[str, Any], known: _Known, settings: Settings) -> _Model:
    uri = _uri(container)
    arn = container.get("ModelPackageName")
    if not isinstance(arn, str):
        found, problem = identified(Claim(), uri, settings.registry)
        return _Model(found, uri, problem=problem)
    package = known.packages.get(arn)
    if package is None:
        found = _of_arn(arn)
        return _Model(
            found, uri or arn, problem="" if found.version else _missing("describe-model-package", arn)
        )
    properties = mapping(package.get("CustomerMetadataProperties"))
    version = package.get("ModelPackageVersion")
    group = package.get("ModelPackageGroupName")
    found = (
        Named(group, str(version)) if isinstance(group, str) and isinstance(version, int) else _of_arn(arn)
    )
    approval = package.get("ModelApprovalStatus")
    problem = "" if found.version else "its package has no version: it is in no group of the registry"
    if approval in ("Rejected", "PendingManualApproval"):
        problem = problem or f"its package in the registry is {approval}"
    return _Model(found, uri or arn, text(properties.get(DIGEST)), labelled(properties), problem)


def _of_arn(arn: str) -> Named:
    """``arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION``; one without a group has no version."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    group, _, version = rest.partition("/")
    return Named(group, version) if kind == "model-package" and version.isdigit() else Named()


def _uri(container: Mapping[str, Any]) -> str:
    in_s3 = get(container, ("ModelDataSource", "S3DataSource", "S3Uri"))
    return text(container.get("ModelDataUrl")) or text(in_s3)


def _missing(command: str, name: Any) -> str:
    return f"{name} is not among what was given: add `aws sagemaker {command}`"


def _key(arn: Any, name: Any) -> str:
    return f"{_region(str(arn))}/{name}"


def _region(arn: str) -> str:
    """Region and account."""
    parts = arn.split(":")
    return "/".join(parts[3:5]) if len(parts) > 5 else "-"


def _weight(variant: Mapping[str, Any]) -> float:
    """Of now; while an endpoint is updated, another is desired."""
    for name in ("CurrentWeight", "DesiredWeight"):
        value = variant.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return float(value)
    return 0.0
