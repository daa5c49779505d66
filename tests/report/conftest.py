"""A report with one of everything, as `solon check` would build it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import solon.decisions.record
import solon.report.json
import solon.report.sarif
from solon.decisions.decision import decide
from solon.frameworks.policy import Evaluation, Finding, Policy, PolicySet, Ruling, Stage
from solon.report.check_report import CheckReport
from solon.subjects.subject import Location, Subject, Unreadable

STARTED = 1_772_357_400_000_000_007  # 2026-03-01T09:30:00Z
SECOND = 1_000_000_000


class Fixed:
    """A locator that knows the places it is given."""

    def __init__(self, start, places):
        self.start, self.places = start, places

    def locate(self, path):
        return self.places.get(path, self.start)


def make_policy(policy_id: str, stage: Stage = Stage.ENFORCE, **fields: Any) -> Policy:
    fields = {
        "language": "rego",
        "framework": "gatekeeper",
        "source": Location("policies/ml.yaml", 3),
    } | fields
    return Policy(policy_id, stage=stage, applies=lambda *_: True, judge=lambda *_: [], **fields)


def make_subject(
    name: str = "Deployment/web", file: str = "web.yaml", line: int = 1, **fields: Any
) -> Subject:
    start = Location(file, line)
    fields = {"kind": "kubernetes.object", "uri": f"k8s://manifests/-/{name}", "document": {}} | fields
    places = fields.pop("places", {})
    return Subject(name=name, location=start, locator=Fixed(start, places), **fields)


def make_finding(policy: Policy, subject: Subject, message: str, **fields: Any) -> Finding:
    path = fields.pop("path", None)
    fields = {"stage": policy.stage, "severity": policy.severity, "remediation": policy.remediation} | fields
    fields.setdefault("location", subject.locator.locate(path or ()))
    return Finding(policy=policy, subject=subject, message=message, path=path, **fields)


def make_decision(subject: Subject, *findings: Finding, policies: int = 1, number: int = 1):
    evaluation = Evaluation(subject, list(findings), policies, 1_500_000)
    return decide(evaluation, decision_id=f"d-{number:04}", revisions={"ml": "3f9a"}, timestamp_ns=STARTED)


def make_report(*decisions, policies=(), **fields: Any) -> CheckReport:
    sets = [PolicySet("ml", "3f9a", list(policies), lambda _: [])]
    fields = {
        "unreadable": [],
        "programme_problems": [],
        "elapsed_ns": 812_000_000,
        "started_ns": STARTED,
    } | fields
    return CheckReport(decisions=list(decisions), policy_sets=sets, **fields)


def sample() -> CheckReport:
    labels = make_policy(
        "required-ml-labels",
        title="Models carry the labels that tie them to the registry",
        description="A deployment that serves a model names the model, its version and its owner.",
        severity="high",
        owner="ml-platform",
        controls=("EU-AI-Act:Art.11", "NIST-AI-RMF:GV-1.6"),
        remediation="Add the labels model-name, model-version and model-owner under "
        "spec.template.metadata.labels, with the names the model registry knows.",
    )
    registry = make_policy(
        "approved-registry", severity="critical", remediation="Push the image to registry.example.com."
    )
    quota = make_policy("gpu-quota", severity="high", source=Location("policies/quota.rego", 12, 1))
    tags = make_policy(
        "cost-tags",
        Stage.WARN,
        framework="conftest",
        severity="low",
        source=Location("policies/tags.rego", 4),
    )
    types = make_policy("instance-types", Stage.DRYRUN, framework="conftest", severity="medium")

    scorer = make_subject(
        "Deployment/fraud-scorer",
        "manifests/prod/fraud-scorer.yaml",
        1,
        uri="k8s://manifests/prod/Deployment/fraud-scorer",
        namespace="prod",
        labels={"team": "risk"},
        places={
            ("spec", "template", "metadata", "labels"): Location("manifests/prod/fraud-scorer.yaml", 14, 7),
            ("spec", "template", "spec", "containers", 0, "image"): Location(
                "manifests/prod/fraud-scorer.yaml", 21, 11
            ),
        },
    )
    job = make_subject(
        "Job/train-large",
        "manifests/train.yaml",
        18,
        uri="k8s://manifests/research/Job/train-large",
        namespace="research",
    )
    gpu = make_subject(
        "aws_instance.gpu[0]",
        "plan.json",
        1,
        kind="terraform.resource",
        uri="tf://plan/aws_instance.gpu[0]",
        places={("change", "after", "instance_type"): Location("plan.json", 40, 11)},
    )
    notebook = make_subject(
        "aws_sagemaker_notebook_instance.lab",
        "plan.json",
        1,
        kind="terraform.resource",
        uri="tf://plan/aws_sagemaker_notebook_instance.lab",
        places={("change", "after", "tags"): Location("plan.json", 77, 11)},
    )
    fine = make_subject("Deployment/churn", "manifests/churn.yaml", 1, namespace="prod")
    other = make_subject("ConfigMap/settings", "manifests/churn.yaml", 30, namespace="prod")

    return make_report(
        make_decision(
            scorer,
            make_finding(
                labels,
                scorer,
                'Deployment "fraud-scorer" serves a model and lacks the labels {"model-owner", "model-version"}',
                path=("spec", "template", "metadata", "labels"),
                details={"missing": ["model-owner", "model-version"]},
            ),
            make_finding(
                registry,
                scorer,
                "image docker.io/acme/fraud:latest comes from a registry that is not approved for production",
                path=("spec", "template", "spec", "containers", 0, "image"),
            ),
            policies=3,
            number=1,
        ),
        make_decision(
            job,
            make_finding(
                quota,
                job,
                "policies/quota.rego:31:9: eval_conflict_error: complete rules must not produce "
                "multiple outputs",
                error=True,
            ),
            policies=2,
            number=2,
        ),
        make_decision(
            gpu,
            make_finding(
                types,
                gpu,
                "instance type p3.8xlarge is not on the list of allowed types",
                path=("change", "after", "instance_type"),
            ),
            make_finding(tags, gpu, "lacks the tag cost-center", excepted="sandbox accounts"),
            make_finding(
                quota,
                gpu,
                "4 GPUs, where the team's quota leaves 2",
                ruling=Ruling(
                    waiver="gpu",
                    waiver_expires=datetime(2026, 6, 30, tzinfo=UTC),
                    waiver_location=Location("waivers/gpu.yaml", 1, 3),
                    because="waived until 2026-06-30 by waivers/gpu.yaml:1:3 (risk, approved by finance): the new "
                    "cluster comes in June",
                ),
            ),
            policies=2,
            number=3,
        ),
        make_decision(
            notebook,
            make_finding(
                tags,
                notebook,
                "lacks the tags cost-center, owner",
                path=("change", "after", "tags"),
                remediation="Set them in the provider's default_tags.",
                ruling=Ruling(
                    team="research",
                    rollout="rollouts/tags.yaml",
                    scope="research",
                    enforced_from=datetime(2026, 4, 1, tzinfo=UTC),
                    because="scope research of rollouts/tags.yaml: denied from 2026-04-01",
                ),
            ),
            policies=2,
            number=4,
        ),
        make_decision(fine, policies=3, number=5),
        make_decision(other, policies=0, number=6),
        policies=[labels, registry, quota, tags, types],
        unreadable=[
            Unreadable(
                Location("manifests/broken.yaml", 7, 3),
                "not YAML: found a tab where an indentation should be",
                "indent with spaces",
            ),
            Unreadable(Location("state.json"), "a Terraform state, not a plan"),
        ],
        programme_problems=[
            Unreadable(
                Location("waivers/notebooks.yaml", 1),
                "expires is missing: an exemption without an end is not one",
            ),
        ],
    )


ESC = "\x1b[31mred\x1b[0m"
NASTY_NAMES = [
    f"Deployment/{ESC}",
    "[bold red]markup[/] :smile:",
    "a|b`c`<script>alert(1)</script> @everyone #1 ![x](http://evil) **b**",
    "line\nbreak\r\n::error::forged",
    "模型/部署-ü-🤖",
    "rtl\u202eexe\u2066",
    "nul\x00 \x08 \x7f \x9b31m \ufffe",
    "lone\ud800surrogate",
    "]]> & ' \" %0A ,:",
]


def nasty() -> CheckReport:
    """Everything that others wrote is hostile: names, namespaces, messages, files, remediations."""
    decisions = []
    policies = []
    for number, name in enumerate(NASTY_NAMES):
        policy = make_policy(
            f"policy-{name}", severity=name, remediation=f"do {name}\nthen {name}", title=name
        )
        subject = make_subject(name, f"dir/{name}.yaml", number + 1, uri=f"k8s://x/{name}", namespace=name)
        finding = make_finding(policy, subject, f"message {name}", details={"name": name}, path=(name, 0))
        waived = make_finding(policy, subject, f"other {name}", excepted=name)
        decisions.append(make_decision(subject, finding, waived, number=number))
        policies.append(policy)
    unreadable = [
        Unreadable(Location(f"{name}.yaml", 1), f"bad {name}", f"hint {name}") for name in NASTY_NAMES
    ]
    return make_report(*decisions, policies=policies, unreadable=unreadable, programme_problems=unreadable)


def many(subjects: int = 3000) -> CheckReport:
    policy = make_policy("required-labels", remediation="add them")
    decisions = []
    for number in range(subjects):
        subject = make_subject(f"Deployment/web-{number}", "dump.yaml", number * 10 + 1)
        decisions.append(
            make_decision(subject, make_finding(policy, subject, f"web-{number} lacks labels"), number=number)
        )
    return make_report(*decisions, policies=[policy])


@pytest.fixture(autouse=True)
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files do not change with every release."""
    for module in (solon.report.json, solon.report.sarif):
        monkeypatch.setattr(module, "__version__", "0.0.0")
    monkeypatch.setattr(solon, "__version__", "0.0.0")


@pytest.fixture
def sample_report() -> CheckReport:
    return sample()


@pytest.fixture
def nasty_report() -> CheckReport:
    return nasty()


@pytest.fixture
def many_report() -> CheckReport:
    return many()


@pytest.fixture
def build():
    """The makers above, for tests that build their own: build.policy(...), build.subject(...), ..."""

    class Build:
        policy = staticmethod(make_policy)
        subject = staticmethod(make_subject)
        finding = staticmethod(make_finding)
        decision = staticmethod(make_decision)
        report = staticmethod(make_report)

    return Build
