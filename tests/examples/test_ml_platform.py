"""What the demo's platform comes to: which subject is denied, by which policy, at which line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLATFORM = ROOT / "examples" / "ml-platform"

# The lines are those of the field at fault, looked up in the files by hand.
DENIED = {
    ("aws_s3_bucket.model_artifacts", "terraform.regions.deny", "plan.json", 268),
    ("aws_instance.gpu_workstation", "terraform.instance_types.deny", "plan.json", 289),
    ("aws_sagemaker_notebook_instance.exploration", "terraform.cost_tags.deny", "plan.json", 348),
    ("InferenceService/chargeback-scorer", "kubernetes.model_registry.deny", "chargeback-scorer.yaml", 4),
    ("InferenceService/chargeback-scorer", "kubernetes.model_registry.deny", "chargeback-scorer.yaml", 22),
    ("PyTorchJob/fraud-graph-training", "kubernetes.gpu_quota.deny", "fraud-graph-training.yaml", 24),
}
ALLOWED = {
    "aws_eks_cluster.ml",
    "aws_eks_node_group.gpu",
    "aws_s3_bucket.features",
    "aws_s3_bucket.scratch",
    "InferenceService/fraud-scorer",
}


def judge(solon: Callable[..., Any], *arguments: str) -> tuple[int, Any]:
    ran = solon("check", "-p", str(ROOT / "library"), "--format", "json", *arguments)
    return ran.status, json.loads(ran.out)


def test_what_is_denied_and_where(solon: Callable[..., Any]) -> None:
    status, report = judge(
        solon,
        "--inventory",
        str(PLATFORM / "running"),
        str(PLATFORM / "plan.json"),
        str(PLATFORM / "manifests"),
    )
    assert status == 1
    found = {
        (d["subject"]["name"], f["policy"], Path(f["location"]["file"]).name, f["location"]["line"])
        for d in report["decisions"]
        for f in d["findings"]
        if f["outcome"] == "deny"
    }
    assert found == DENIED
    assert {
        d["subject"]["name"] for d in report["decisions"] if d["outcome"] == "allow" and d["policies"]
    } == ALLOWED


@pytest.mark.parametrize(
    ("file", "line", "text"),
    [
        ("plan.json", 289, '"instance_type": "p3.8xlarge"'),
        ("manifests/chargeback-scorer.yaml", 22, "storageUri: s3://acme-fraud-scratch/"),
        ("manifests/fraud-graph-training.yaml", 24, "nvidia.com/gpu"),
    ],
)
def test_the_lines_hold_what_is_at_fault(file: str, line: int, text: str) -> None:
    assert text in (PLATFORM / file).read_text().splitlines()[line - 1]


def test_the_quota_counts_what_runs(solon: Callable[..., Any]) -> None:
    """Without what runs already, the job's 10 GPUs are within the team's 16."""
    status, _ = judge(solon, str(PLATFORM / "manifests" / "fraud-graph-training.yaml"))
    assert status == 0
    status, report = judge(
        solon,
        "--inventory",
        str(PLATFORM / "running"),
        str(PLATFORM / "manifests" / "fraud-graph-training.yaml"),
    )
    assert status == 1
    ((finding,),) = [d["findings"] for d in report["decisions"]]
    assert finding["message"].startswith("asks for 10 GPUs; team fraud may hold 16 and holds 10")


def test_the_demo_ends_with_what_was_denied_and_how_to_fix_it(
    solon: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    ran = solon("demo")
    assert (ran.status, ran.err) == (0, "")
    _, _, end = ran.out.partition("\nIn short:\n")
    short, _, releases = end.partition("\nTwo versions of a model ")
    for name in {name for name, *_ in DENIED}:
        assert f"\n  {name}: " in f"\n{short}"
    assert short.count("fix: ") == len(DENIED)
    assert "10 subjects: 5 denied, 5 allowed · " in ran.out
    _, _, after = releases.partition("\nTry next:\n")
    assert [line.split("  #")[0].split()[1] for line in after.splitlines()] == [
        "test",
        "init",
        "check",
        "model",
    ]
    assert max(map(len, short.splitlines())) <= 100
