"""Live models of SageMaker, from descriptions as `aws sagemaker describe-…` prints them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from deployed_models import brief, live

REGION = "arn:aws:sagemaker:eu-central-1:111122223333"
PACKAGE = f"{REGION}:model-package/fraud-scorer/7"


def endpoint(**changes: Any) -> dict[str, Any]:
    return {
        "EndpointName": "fraud",
        "EndpointArn": f"{REGION}:endpoint/fraud",
        "EndpointConfigName": "fraud-2026-11",
        "ProductionVariants": [
            {
                "VariantName": "blue",
                "DeployedImages": [
                    {
                        "SpecifiedImage": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/serving:3",
                        "ResolvedImage": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/serving@sha256:0a1b",
                        "ResolutionTime": "2026-11-01T09:00:00.123000+00:00",
                    }
                ],
                "CurrentWeight": 3.0,
                "DesiredWeight": 1.0,
                "CurrentInstanceCount": 2,
                "DesiredInstanceCount": 2,
            },
            {"VariantName": "green", "CurrentWeight": 1.0, "DesiredWeight": 1.0},
        ],
        "EndpointStatus": "InService",
        "CreationTime": "2026-11-01T09:00:00.123000+00:00",
        "LastModifiedTime": "2026-11-01T09:10:00.123000+00:00",
    } | changes


CONFIG = {
    "EndpointConfigName": "fraud-2026-11",
    "EndpointConfigArn": f"{REGION}:endpoint-config/fraud-2026-11",
    "ProductionVariants": [
        {
            "VariantName": "blue",
            "ModelName": "fraud-7",
            "InitialInstanceCount": 2,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 1.0,
        },
        {"VariantName": "green", "ModelName": "fraud-8", "InitialVariantWeight": 1.0},
    ],
    "CreationTime": "2026-11-01T08:59:00.123000+00:00",
}
MODEL_7 = {
    "ModelName": "fraud-7",
    "PrimaryContainer": {
        "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/serving:3",
        "Mode": "SingleModel",
        "ModelDataUrl": "s3://acme-artifacts/fraud-7/model.tar.gz",
        "ModelPackageName": PACKAGE,
    },
    "ExecutionRoleArn": "arn:aws:iam::111122223333:role/serving",
    "CreationTime": "2026-11-01T08:58:00.123000+00:00",
    "ModelArn": f"{REGION}:model/fraud-7",
    "EnableNetworkIsolation": True,
}
MODEL_8 = {
    "ModelName": "fraud-8",
    "Containers": [
        {
            "ContainerHostname": "prepare",
            "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/prepare:1",
        },
        {
            "ContainerHostname": "score",
            "ModelDataSource": {
                "S3DataSource": {
                    "S3Uri": "s3://acme-model-registry/fraud-scorer/8/",
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                }
            },
        },
    ],
    "ModelArn": f"{REGION}:model/fraud-8",
}
PACKAGE_7 = {
    "ModelPackageGroupName": "fraud-scorer",
    "ModelPackageVersion": 7,
    "ModelPackageArn": PACKAGE,
    "CreationTime": "2026-10-30T12:00:00.123000+00:00",
    "InferenceSpecification": {
        "Containers": [
            {
                "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/serving:3",
                "ImageDigest": "sha256:0a1b",
                "ModelDataUrl": "s3://acme-artifacts/fraud-7/model.tar.gz",
            }
        ],
        "SupportedContentTypes": ["application/json"],
    },
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "Approved",
    "CustomerMetadataProperties": {
        "team": "fraud",
        "owner": "anna",
        "environment": "production",
        "solon.dev/model-digest": "sha256:00ff",
    },
}
ALL = [CONFIG, MODEL_7, MODEL_8, PACKAGE_7]


def known_fields(value: Any, shape: Any, at: str) -> None:
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), at
        for name, item in value.items():
            known_fields(item, shape.members[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for item in value:
            known_fields(item, shape.member, f"{at}[]")


@pytest.mark.parametrize(
    "operation, document",
    [
        ("DescribeEndpoint", endpoint()),
        ("DescribeEndpointConfig", CONFIG),
        ("DescribeModel", MODEL_7),
        ("DescribeModel", MODEL_8),
        ("DescribeModelPackage", PACKAGE_7),
    ],
)
def test_these_documents_are_of_the_form_that_aws_describes(operation: str, document: dict[str, Any]) -> None:
    service = ServiceModel(Loader().load_service_model("sagemaker", "service-2"))
    known_fields(document, service.operation_model(operation).output_shape, operation)


def test_each_variant_with_its_share() -> None:
    blue, green = live(endpoint(), *ALL)
    assert (blue.name, blue.version, blue.traffic, blue.problem) == ("fraud-scorer", "7", 75.0, "")
    assert (blue.where, blue.serves) == (
        "sagemaker://eu-central-1/111122223333/fraud/blue",
        "Endpoint/fraud blue",
    )
    assert (blue.team, blue.owner, blue.environment) == ("fraud", "anna", "production")
    assert (blue.uri, blue.digest) == ("s3://acme-artifacts/fraud-7/model.tar.gz", "sha256:00ff")
    assert (green.name, green.version, green.traffic, green.problem) == ("fraud-scorer", "8", 25.0, "")
    assert (blue.location.line, green.location.line) == (6, 20)


def test_a_package_that_is_not_there_is_known_by_its_arn() -> None:
    blue, _ = live(endpoint(), CONFIG, MODEL_7, MODEL_8)
    assert (blue.name, blue.version, blue.problem) == ("fraud-scorer", "7", "")


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_a_package_that_is_not_approved(status: str) -> None:
    blue, _ = live(endpoint(), CONFIG, MODEL_7, MODEL_8, {**PACKAGE_7, "ModelApprovalStatus": status})
    assert (blue.version, blue.problem) == ("7", f"its package in the registry is {status}")


@pytest.mark.parametrize(
    "status, is_live",
    [
        ("InService", True),
        ("Updating", True),
        ("SystemUpdating", True),
        ("RollingBack", True),
        ("UpdateRollbackFailed", True),
        ("Creating", False),
        ("OutOfService", False),
        ("Deleting", False),
        ("Failed", False),
    ],
)
def test_an_endpoint_that_serves(status: str, is_live: bool) -> None:
    assert bool(live(endpoint(EndpointStatus=status), *ALL)) is is_live


def test_a_shadow_has_copies_of_the_traffic_and_no_share() -> None:
    config = {**CONFIG, "ShadowProductionVariants": [{"VariantName": "shadow", "ModelName": "fraud-8"}]}
    found = live(
        endpoint(ShadowProductionVariants=[{"VariantName": "shadow", "CurrentWeight": 1.0}]), config, *ALL[1:]
    )
    assert [(each.serves, each.version, each.traffic) for each in found] == [
        ("Endpoint/fraud blue", "7", 75.0),
        ("Endpoint/fraud green", "8", 25.0),
        ("Endpoint/fraud shadow", "8", 0.0),
    ]


OTHER_REGION = {
    **CONFIG,
    "EndpointConfigArn": CONFIG["EndpointConfigArn"].replace("eu-central-1", "us-east-1"),
}


@pytest.mark.parametrize(
    "others, problem",
    [
        ([], "fraud-2026-11 is not among what was given: add `aws sagemaker describe-endpoint-config`"),
        (
            [OTHER_REGION],
            "fraud-2026-11 is not among what was given: add `aws sagemaker describe-endpoint-config`",
        ),
        ([CONFIG], "fraud-7 is not among what was given: add `aws sagemaker describe-model`"),
        (
            [{**CONFIG, "ProductionVariants": [{"VariantName": "blue"}]}],
            "its configuration names no model for this variant",
        ),
        (
            [CONFIG, {**MODEL_7, "PrimaryContainer": {"Image": "x"}}],
            "nothing says which registered model this is",
        ),
        (
            [CONFIG, {**MODEL_7, "PrimaryContainer": {"ModelDataUrl": "s3://scratch/x"}}],
            "nothing says which registered model this is: s3://scratch/x is under no approved registry",
        ),
        (
            [CONFIG, {**MODEL_7, "PrimaryContainer": {"ModelPackageName": f"{REGION}:model-package/alone"}}],
            f"{REGION}:model-package/alone is not among what was given: add `aws sagemaker describe-model-package`",
        ),
    ],
)
def test_what_is_missing_is_said(others: list[dict[str, Any]], problem: str) -> None:
    blue = live(endpoint(), *others)[0]
    assert (blue.name, blue.version, blue.problem) == ("", "", problem)


def test_an_endpoint_that_tells_of_no_variants_serves_all_the_same() -> None:
    (found,) = live(endpoint(ProductionVariants=[]), *ALL)
    assert (found.serves, found.problem) == (
        "Endpoint/fraud",
        "its configuration names no model for this variant",
    )


def test_models_without_an_endpoint_are_not_live() -> None:
    assert live(*ALL) == []


def test_descriptions_in_one_file() -> None:
    assert [each[:2] for each in brief(live([endpoint(), *ALL]))] == [
        ("fraud-scorer", "7"),
        ("fraud-scorer", "8"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"ProductionVariants": None},
        {"ProductionVariants": ["blue"]},
        {"ProductionVariants": [{"VariantName": None, "CurrentWeight": "much"}]},
        {"EndpointArn": "no arn", "EndpointConfigName": None},
        {"EndpointName": 1},
    ],
)
def test_what_is_malformed_is_survived(changes: dict[str, Any]) -> None:
    live(endpoint(**changes), *ALL)
