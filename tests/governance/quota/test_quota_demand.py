"""How many GPUs a workload may hold: by hand, and as the library's policy counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solon.governance.quota.demand import gpus, mentions
from solon.lang import rego

LIBRARY = Path(__file__).parents[3] / "library"


def spec(*counts: Any, resource: str = "nvidia.com/gpu", **more: Any) -> dict[str, Any]:
    containers = [{"name": "c", "resources": {"limits": {resource: count}}} for count in counts]
    return {"containers": containers, **more}


def template(pods: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": pods}}


def ray(**groups: Any) -> dict[str, Any]:
    return {
        "headGroupSpec": template(spec(1)),
        "workerGroupSpecs": [{**template(spec(2)), "replicas": 3, "maxReplicas": 5}],
        **groups,
    }


CASES = {
    "a pod": ({"kind": "Pod", "spec": spec(1, "2")}, 3),
    "without GPUs": ({"kind": "Pod", "spec": {"containers": [{"name": "c"}]}}, 0),
    "another maker": ({"kind": "Pod", "spec": spec(2, resource="amd.com/gpu")}, 2),
    "requests alone": (
        {"kind": "Pod", "spec": {"containers": [{"resources": {"requests": {"nvidia.com/gpu": 2}}}]}},
        2,
    ),
    "limits before requests": (
        {
            "kind": "Pod",
            "spec": {
                "containers": [
                    {"resources": {"requests": {"nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 2}}}
                ]
            },
        },
        2,
    ),
    "init containers run before": (
        {"kind": "Pod", "spec": spec(1, 1, initContainers=spec(4, 3)["containers"])},
        4,
    ),
    "a job": ({"kind": "Job", "spec": {"parallelism": 4, **template(spec(2))}}, 8),
    "one is the default": ({"kind": "Job", "spec": template(spec(2))}, 2),
    "a number that is none": ({"kind": "Job", "spec": {"parallelism": "4", **template(spec(2))}}, 2),
    "none run": ({"kind": "Deployment", "spec": {"replicas": 0, **template(spec(2))}}, 0),
    "a cron job": ({"kind": "CronJob", "spec": {"jobTemplate": {"spec": template(spec(2))}}}, 2),
    "KServe": (
        {
            "kind": "InferenceService",
            "spec": {"predictor": {"maxReplicas": 3, "model": spec(2)["containers"][0]}},
        },
        6,
    ),
    "Kubeflow": (
        {
            "kind": "PyTorchJob",
            "spec": {
                "pytorchReplicaSpecs": {
                    "Master": template(spec(1)),
                    "Worker": {"replicas": 3, **template(spec(2))},
                }
            },
        },
        7,
    ),
    "Ray": ({"kind": "RayJob", "spec": {"rayClusterSpec": ray()}}, 7),
    "Ray that grows": ({"kind": "RayCluster", "spec": ray(enableInTreeAutoscaling=True)}, 11),
    "Kueue": (
        {
            "kind": "Workload",
            "spec": {"podSets": [{"count": 1, **template(spec(1))}, {"count": 4, **template(spec(3))}]},
        },
        13,
    ),
    "another kind": ({"kind": "DaemonSet", "spec": template(spec(2))}, 0),
    "malformed": ({"kind": "Job", "spec": {"template": ["spec"]}}, 0),
    "negative": ({"kind": "Pod", "spec": spec(-1)}, 0),
    "fewer pods than none": (
        {
            "kind": "RayCluster",
            "spec": ray(
                workerGroupSpecs=[{**template(spec(2)), "replicas": -9}, {**template(spec(2)), "replicas": 3}]
            ),
        },
        7,
    ),
    "a text that is no number": ({"kind": "Pod", "spec": spec("2k", "1")}, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_gpus_of_a_workload(name: str) -> None:
    workload, count = CASES[name]
    assert gpus(workload) == count


def test_the_policy_counts_the_same() -> None:
    files = [LIBRARY / "kubernetes/gpu_quota.rego", LIBRARY / "lib/kubernetes.rego"]
    data = {"gpu_quota": {"resources": ["nvidia.com/gpu", "amd.com/gpu"], "teams": {}}}
    program = rego.compile({str(path): path.read_text() for path in files}, data=data)
    query = "data.kubernetes.gpu_quota._demand(input)"
    counted = {name: program.evaluate(query, workload) for name, (workload, _) in CASES.items()}
    assert counted == {name: count for name, (_, count) in CASES.items()}


def test_gpus_are_mentioned_wherever_they_stand() -> None:
    assert mentions(CASES["another kind"][0])
    assert not mentions({"kind": "Pod", "spec": spec(0)})
    assert not mentions({"kind": "Pod", "spec": spec(1, resource="cpu")})
