"""Live models of KServe: in a rollout, both versions."""

from __future__ import annotations

import pytest
from deployed_models import brief, live

# As the documentation of KServe 0.16 has it, with a model of the registry.
PLAIN = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: scorer
  namespace: fraud
  labels: {team: fraud}
spec:
  predictor:
    model:
      modelFormat: {name: sklearn}
      protocolVersion: v2
      storageUri: s3://acme-model-registry/fraud-scorer/8
"""
CANARY = PLAIN.replace("  predictor:\n", "  predictor:\n    canaryTrafficPercent: 10\n")
# What `kubectl get isvc,revisions -o yaml` adds to it.
STATUS = """\
status:
  components:
    predictor:
      latestCreatedRevision: scorer-predictor-00002
      latestReadyRevision: scorer-predictor-00002
      latestRolledoutRevision: scorer-predictor-00001
      previousRolledoutRevision: scorer-predictor-00001
      traffic:
        - {latestRevision: true, percent: 10, revisionName: scorer-predictor-00002}
        - {latestRevision: false, percent: 90, revisionName: scorer-predictor-00001, tag: prev}
"""
REVISION = """\
apiVersion: serving.knative.dev/v1
kind: Revision
metadata:
  name: scorer-predictor-00001
  namespace: fraud
  annotations:
    internal.serving.kserve.io/storage-initializer-sourceuri: s3://acme-model-registry/fraud-scorer/7
  ownerReferences: [{apiVersion: serving.knative.dev/v1, kind: Configuration, name: scorer-predictor}]
spec:
  containers: [{name: kserve-container}]
"""


def shares(*texts: str) -> list[tuple[str, str, float | None]]:
    return [(each.name, each.version, each.traffic) for each in live(*texts)]


def test_an_inference_service() -> None:
    (found,) = live(PLAIN)
    assert (found.name, found.version, found.traffic) == ("fraud-scorer", "8", 100.0)
    assert (found.where, found.team) == ("k8s://prod/fraud/InferenceService/scorer", "fraud")
    assert str(found.location) == "file-0:12:7"


def test_in_a_canary_both_versions_are_live() -> None:
    assert shares(CANARY + STATUS, REVISION) == [("fraud-scorer", "8", 10.0), ("fraud-scorer", "7", 90.0)]


def test_where_the_version_before_is_not_known_that_is_said() -> None:
    for texts in ([CANARY], [CANARY + STATUS], [CANARY + STATUS, REVISION.replace("internal.", "x.")]):
        new, before = live(*texts)
        assert (new.version, new.traffic, new.problem) == ("8", 10.0, "")
        assert (before.name, before.version, before.traffic) == ("", "", 90.0)
        assert before.problem.startswith(
            "the version before the canary is not in what was given: add `kubectl"
        )
        assert str(before.location) == "file-0:9:5"


def test_a_new_version_that_is_not_ready_is_not_live_yet() -> None:
    starting = PLAIN + STATUS.replace(
        "latestCreatedRevision: scorer-predictor-00002", "latestCreatedRevision: new"
    )
    assert shares(starting, REVISION.replace("00001", "00002")) == [
        ("fraud-scorer", "7", 10.0),
        ("", "", 90.0),
    ]


@pytest.mark.parametrize(
    "percent, expected",
    [
        ("0", [("fraud-scorer", "8", 0.0), ("", "", 100.0)]),
        ("100", [("fraud-scorer", "8", 100.0)]),
        ("some", [("fraud-scorer", "8", 100.0)]),
    ],
)
def test_shares_of_a_manifest(percent: str, expected: list[tuple[str, str, float]]) -> None:
    assert shares(CANARY.replace("Percent: 10", f"Percent: {percent}")) == expected


def test_the_schema_before_and_what_else_loads_models() -> None:
    text = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: old, namespace: ml}
spec:
  predictor:
    sklearn: {storageUri: models:/a/1}
  transformer:
    containers:
      - {name: t, env: [{name: STORAGE_URI, value: models:/b/2}]}
  explainer:
    art: {storageUri: models:/c/3}
"""
    assert [(name, version) for name, version, *_ in brief(live(text))] == [
        ("a", "1"),
        ("b", "2"),
        ("c", "3"),
    ]


def test_storage_uris_are_each_a_model() -> None:
    uris = (
        "storageUris: [{uri: models:/base/1, mountPath: /mnt/a}, {uri: models:/adapter/4, mountPath: /mnt/b}]"
    )
    text = PLAIN.replace("storageUri: s3://acme-model-registry/fraud-scorer/8", uris)
    assert [(name, version) for name, version, *_ in brief(live(text))] == [("base", "1"), ("adapter", "4")]
    beside = PLAIN.replace("    model:\n", f"    {uris}\n    model:\n")
    assert len(live(beside)) == 3


def test_what_names_no_model_at_all() -> None:
    (found,) = live(PLAIN.replace("      storageUri: s3://acme-model-registry/fraud-scorer/8\n", ""))
    assert (found.name, found.problem) == ("", "nothing says which registered model this is")


LLM = """\
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: assistant, namespace: support, labels: {team: support}}
spec:
  replicas: 2
  model:
    uri: s3://acme-model-registry/llama-3/2
    name: llama
    lora:
      adapters:
        - {name: tone, uri: models:/support-tone/5}
        - {name: unknown, uri: hf://someone/adapter}
"""


def test_an_llm_and_its_adapters() -> None:
    assert brief(live(LLM)) == [
        ("llama-3", "2", "LLMInferenceService/assistant", "file-0:7:5"),
        ("support-tone", "5", "LLMInferenceService/assistant", "file-0:11:24"),
        ("", "", "LLMInferenceService/assistant", "file-0:12:27"),
    ]
    assert live(LLM.replace("replicas: 2", "replicas: 0")) == []


def test_a_trained_model() -> None:
    text = """\
apiVersion: serving.kserve.io/v1alpha1
kind: TrainedModel
metadata: {name: one, namespace: ml}
spec: {inferenceService: many, model: {framework: sklearn, memory: 1Gi, storageUri: models:/a/1}}
"""
    assert brief(live(text)) == [("a", "1", "TrainedModel/one", "file-0:4:73")]


@pytest.mark.parametrize(
    "spec", ["null", "[]", "{predictor: []}", "{predictor: {model: [], storageUris: 1}}"]
)
def test_what_is_malformed_is_live_and_not_known(spec: str) -> None:
    text = f"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{name: x}}\nspec: {spec}\n"
    assert [each.problem for each in live(text)] == ["nothing says which registered model this is"]
    assert (
        len(live(text.replace("InferenceService", "LLMInferenceService").replace("v1beta1", "v1alpha1"))) == 1
    )


def test_a_service_of_kserve_counts_once_with_its_pods() -> None:
    pod = REVISION.replace("serving.knative.dev/v1\nkind: Revision", "v1\nkind: Pod").replace(
        "scorer/7", "scorer/8"
    )
    assert len(live(PLAIN, pod)) == 1
