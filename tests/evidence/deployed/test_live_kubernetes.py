"""Live models of Kubernetes' own workloads."""

from __future__ import annotations

from typing import Any

import pytest
from deployed_models import brief, live

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: scorer
  namespace: fraud
  labels: {team: fraud, owner: anna, environment: production}
  annotations:
    ml-platform/registered-model: fraud-scorer
    ml-platform/model-version: "7"
    solon.dev/model-digest: sha256:00ff
spec:
  replicas: 2
  template:
    metadata:
      labels: {app: scorer}
    spec:
      containers:
        - name: proxy
          image: envoy:1
        - name: server
          image: registry.acme.example/serving:3
          env:
            - {name: PORT, value: "80"}
            - name: MODEL_URI
              value: models:/fraud-scorer/7
"""


def workload(kind: str, name: str, uri: str, owner: str = "", **status: Any) -> dict[str, Any]:
    """A workload as kubectl prints it, which loads a model."""
    container = {"name": "server", "env": [{"name": "MODEL_URI", "value": uri}]}
    pods = {"containers": [container]}
    metadata: dict[str, Any] = {"name": name, "namespace": "fraud"}
    if owner:
        metadata["ownerReferences"] = [{"kind": "Any", "name": owner}]
    if kind == "Pod":
        spec: dict[str, Any] = pods
    elif kind == "CronJob":
        spec = {"jobTemplate": {"spec": {"template": {"spec": pods}}}}
    else:
        spec = {"template": {"spec": pods}}
    spec |= status.pop("spec", {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def test_a_deployment_and_all_that_is_known_of_it() -> None:
    (found,) = live(DEPLOYMENT)
    assert (found.name, found.version, found.problem) == ("fraud-scorer", "7", "")
    assert (found.where, found.serves) == ("k8s://prod/fraud/Deployment/scorer", "Deployment/scorer")
    assert str(found.location) == "file-0:25:15"
    assert (found.team, found.owner, found.environment) == ("fraud", "anna", "production")
    assert (found.uri, found.digest, found.source) == ("models:/fraud-scorer/7", "sha256:00ff", "kubernetes")
    assert found.traffic is None


def test_annotations_alone_are_enough() -> None:
    text = DEPLOYMENT.replace("MODEL_URI", "OTHER")
    assert brief(live(text)) == [("fraud-scorer", "7", "Deployment/scorer", "file-0:7:3")]
    within = text.replace("ml-platform/", "other/").replace(
        "      labels: {app: scorer}",
        "      annotations: {ml-platform/registered-model: within, ml-platform/model-version: '2'}",
    )
    assert [each[:2] for each in brief(live(within))] == [("within", "2")]


def test_each_model_that_is_loaded() -> None:
    text = DEPLOYMENT.replace(
        '            - {name: PORT, value: "80"}\n',
        "            - {name: STORAGE_URI, value: 's3://acme-model-registry/embedder/3'}\n",
    ).replace("ml-platform/", "other/")
    assert [each[:2] for each in brief(live(text))] == [("embedder", "3"), ("fraud-scorer", "7")]


@pytest.mark.parametrize(
    "kind, name, version",
    [
        ("StatefulSet", "a", "1"),
        ("DaemonSet", "a", "1"),
        ("CronJob", "a", "1"),
        ("Pod", "a", "1"),
        ("Rollout", "a", "1"),
    ],
)
def test_workloads_of_every_kind(kind: str, name: str, version: str) -> None:
    assert [each[:2] for each in brief(live(workload(kind, "x", "models:/a/1")))] == [(name, version)]


@pytest.mark.parametrize(
    "document",
    [
        workload("Deployment", "x", "models:/a/1", spec={"replicas": 0}),
        workload("Pod", "x", "models:/a/1", phase="Succeeded"),
        workload("Pod", "x", "models:/a/1", phase="Failed"),
        workload("Job", "x", "models:/a/1", conditions=[{"type": "Complete", "status": "True"}]),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x"},
            "data": {"MODEL_URI": "models:/a/1"},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": None, "spec": {"containers": "none"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": ["x"]}, "spec": [], "status": "x"},
    ],
)
def test_what_is_not_live(document: dict[str, Any]) -> None:
    assert live(document) == []


def test_pods_are_told_of_with_their_deployment() -> None:
    """While a new version is rolled out, pods of the one before it are live, too."""
    found = live(
        workload("Pod", "web-1", "models:/a/1", owner="web-rs-1", phase="Running"),
        workload("Pod", "web-2", "models:/a/1", owner="web-rs-1", phase="Running"),
        workload("Pod", "web-3", "models:/a/2", owner="web-rs-2", phase="Running"),
        workload("ReplicaSet", "web-rs-1", "models:/a/1", owner="web"),
        workload("ReplicaSet", "web-rs-0", "models:/a/0", owner="web", spec={"replicas": 0}),
        workload("Deployment", "web", "models:/a/2"),
    )
    assert [each[:3] for each in brief(found)] == [("a", "2", "Deployment/web"), ("a", "1", "Pod/web-1")]


def test_a_server_that_says_nothing_of_its_model() -> None:
    text = DEPLOYMENT.replace("ml-platform/", "other/").replace("MODEL_URI", "OTHER")
    assert live(text) == []
    (found,) = live(text.replace("team: fraud", "app.kubernetes.io/component: model-server"))
    assert (found.name, found.version) == ("", "")
    assert found.problem == "nothing says which registered model this is"


def test_an_alias_has_the_version_that_it_stands_for() -> None:
    deployed = workload("Deployment", "x", "models:/fraud-scorer@champion")
    (unknown,) = live(deployed)
    assert (unknown.version, unknown.problem) == ("", "'champion' is no exact version")
    registry = {
        "registered_models": [{"name": "fraud-scorer", "aliases": [{"alias": "champion", "version": "9"}]}]
    }
    known, _ = live(deployed, registry)
    assert (known.name, known.version, known.problem) == ("fraud-scorer", "9", "")
