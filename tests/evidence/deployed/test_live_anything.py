"""Whatever is in a dump, it is read: documents of the right kind with anything anywhere."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
import yaml
from deployed_models import live
from hypothesis import given
from hypothesis import strategies as st

WHOLE: dict[str, Any] = {
    "Deployment": yaml.safe_load(
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: n, labels: {team: t}, annotations: {ml-platform/registered-model: m}, ownerReferences: []}
spec:
  replicas: 1
  template:
    metadata: {labels: {a: b}, annotations: {c: d}}
    spec: {containers: [{name: c, env: [{name: MODEL_URI, value: models:/a/1}]}]}
status: {phase: Running, conditions: [{type: Ready, status: "True"}]}
"""
    ),
    "InferenceService": yaml.safe_load(
        """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: a, namespace: n, annotations: {ml-platform/registered-model: m}}
spec:
  predictor:
    canaryTrafficPercent: 10
    model: {storageUri: models:/a/1, storageUris: [{uri: models:/b/1}], env: [{name: MODEL_URI, value: x}]}
  explainer: {containers: [{env: [{name: STORAGE_URI, value: y}]}]}
status:
  components:
    predictor:
      latestCreatedRevision: a-2
      traffic: [{latestRevision: true, percent: 10, revisionName: a-2}, {percent: 90, revisionName: a-1}]
"""
    ),
    "LLMInferenceService": yaml.safe_load(
        """
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: a}
spec: {replicas: 1, model: {uri: hf://a/b, lora: {adapters: [{uri: models:/a/1, name: x}]}}}
"""
    ),
    "endpoint": {
        "EndpointName": "e",
        "EndpointArn": "arn:aws:sagemaker:r:1:endpoint/e",
        "EndpointConfigName": "c",
        "EndpointStatus": "InService",
        "ProductionVariants": [{"VariantName": "v", "CurrentWeight": 1.0}],
        "ShadowProductionVariants": [{"VariantName": "s"}],
    },
    "config": {
        "EndpointConfigName": "c",
        "EndpointConfigArn": "arn:aws:sagemaker:r:1:endpoint-config/c",
        "ProductionVariants": [{"VariantName": "v", "ModelName": "m"}],
    },
    "model": {
        "ModelName": "m",
        "ModelArn": "arn:aws:sagemaker:r:1:model/m",
        "PrimaryContainer": {
            "ModelPackageName": "arn:aws:sagemaker:r:1:model-package/g/1",
            "ModelDataUrl": "s3://x",
        },
        "Containers": [{"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://y"}}}],
    },
    "package": {
        "ModelPackageArn": "arn:aws:sagemaker:r:1:model-package/g/1",
        "ModelPackageGroupName": "g",
        "ModelPackageVersion": 1,
        "ModelApprovalStatus": "Approved",
        "CustomerMetadataProperties": {"team": "t"},
    },
    "registry": {
        "registered_models": [
            {
                "name": "a",
                "aliases": [{"alias": "x", "version": "1"}],
                "latest_versions": [{"version": "1", "current_stage": "Production", "tags": []}],
                "tags": [{"key": "team", "value": "t"}],
            }
        ],
        "model_versions": [{"name": "a", "version": "2", "aliases": ["y"], "current_stage": "Staging"}],
    },
}


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document but the document itself."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    found = [(*at, key) for key, _ in children]
    return found + [place for key, item in children for place in paths(item, (*at, key))]


PLACES = [(name, path) for name, document in WHOLE.items() for path in paths(document)]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 1 << 70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def with_odd(name: str, path: tuple[Any, ...], odd: Any) -> list[Any]:
    documents = copy.deepcopy(WHOLE)
    at = documents[name]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = odd
    return list(documents.values())


@pytest.mark.parametrize("odd", [None, [], {}, [[]], [{}], 7, "x", {"a": []}], ids=repr)
def test_each_place_with_something_odd(odd: Any) -> None:
    """In JSON a value may be of any type; most must not be a key, and many have no length."""
    for name, path in PLACES:
        live(*with_odd(name, path, odd))


@given(st.sampled_from(PLACES), ODD)
def test_any_place_with_anything(place: tuple[str, tuple[Any, ...]], odd: Any) -> None:
    live(*with_odd(*place, odd))


def test_what_is_whole_is_read() -> None:
    sources = Counter(each.source for each in live(*WHOLE.values()))
    # KServe: three of the predictor, the version before it, the explainer, an LLM and its adapter.
    assert sources == {"kubernetes": 1, "kserve": 7, "sagemaker": 2, "mlflow": 3}
