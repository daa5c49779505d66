"""What the programme makes of findings: stages, grandfathering, waivers, and that it only lowers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.decision import decide
from solon.frameworks.policy import Evaluation, Finding, Policy, PolicySet, Stage
from solon.governance.ownership import Around, Ownership, OwnershipSettings
from solon.governance.programme import Inputs, Programme, creation_times
from solon.governance.rollouts.rollout import RANK, Rollout
from solon.governance.waivers.waiver import Waiver, WaiverSettings, rules
from solon.subjects import kubernetes, terraform
from solon.subjects.documents import Document
from solon.subjects.files import Files, parsed
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Subject, Unreadable

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def policy(name: str, stage: str = "enforce", severity: str = "medium") -> Policy:
    return Policy(
        name,
        "rego",
        "conftest",
        Location("p.rego"),
        Stage(stage),
        lambda *_: True,
        lambda *_: [],
        severity=severity,
    )


def subjects(document: Any, file: str = "x.json") -> list[Subject]:
    source, found = SourceFile(file, lambda: "{}"), Document(document, 0, 1)
    if terraform.is_plan(document):
        return list(terraform.subjects(found, source))
    return list(kubernetes.subjects(found, source))


def deployment(name: str = "web", namespace: str = "pay", created: str = "", **labels: str) -> Subject:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    if created:
        metadata["creationTimestamp"] = created
    return subjects({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})[0]


def files(text: str | None, kind: type, noun: str) -> Files[Any] | None:
    if text is None:
        return None
    found = list(parsed(text, f"{noun}.yaml", kind, noun))
    return Files(
        [each for each in found if not isinstance(each, Unreadable)],
        [each for each in found if isinstance(each, Unreadable)],
    )


def programme(
    rollouts: str | None = None,
    waivers: str | None = None,
    *,
    policies: list[Policy] | None = None,
    now: datetime = NOW,
    **more: Any,
) -> Programme:
    inputs = Inputs(
        Ownership(OwnershipSettings(), Around()),
        rules(WaiverSettings()),
        files(rollouts, Rollout, "rollout"),
        files(waivers, Waiver, "waiver"),
        **more,
    )
    known = policies if policies is not None else [policy("p")]
    return Programme(inputs, [PolicySet("set", "r", known, lambda _: known)], now)


def finding(subject: Subject, asked: Policy | None = None, **more: Any) -> Finding:
    asked = asked or policy("p")
    return Finding(asked, subject, "wrong", asked.stage, asked.severity, subject.location, **more)


def ruled(made: Programme, subject: Subject, asked: Policy | None = None, **more: Any) -> Finding:
    (found,) = made.apply(Evaluation(subject, [finding(subject, asked, **more)], 1)).findings
    return found


AT = "policy: p\nscopes: [{{name: a, stages: [{{stage: {}, from: 2026-11-01}}]}}]"


@pytest.mark.parametrize(
    ("native", "period", "stage"),
    [
        ("enforce", "dryrun", "dryrun"),
        ("enforce", "warn", "warn"),
        ("enforce", "audit", "audit"),
        ("enforce", "enforce", "enforce"),
        ("audit", "warn", "warn"),
        ("audit", "enforce", "audit"),
        ("warn", "dryrun", "dryrun"),
        ("warn", "audit", "warn"),
        ("warn", "enforce", "warn"),
        ("dryrun", "enforce", "dryrun"),
    ],
)
def test_it_only_lowers(native, period, stage):
    asked = policy("p", native)
    assert ruled(programme(AT.format(period), policies=[asked]), deployment(), asked).stage == stage


@pytest.mark.parametrize(
    ("rollouts", "native", "stage"),
    [
        (None, "enforce", "enforce"),  # no rollouts: what it asks for
        ("", "enforce", "dryrun"),  # rollouts, none of which names it
        (AT.replace("policy: p", "policy: q").format("warn"), "enforce", "dryrun"),
        ("policy: [", "enforce", "enforce"),  # broken is never dryrun
        ("policy: p\nscopes: [{name: a}]", "enforce", "enforce"),
        ("policy: p\nstages: []", "warn", "warn"),
        ("policy: p\ndefault: block", "enforce", "enforce"),
        ("[]", "enforce", "dryrun"),
    ],
)
def test_what_no_rollout_names(rollouts, native, stage):
    asked = policy("p", native)
    made = programme(rollouts, policies=[asked])
    assert ruled(made, deployment(), asked).stage == stage
    broken = rollouts is not None and "p" in rollouts and "policy: q" not in rollouts
    assert bool(made.problems) is broken


def test_next_to_a_broken_rollout_the_others_hold():
    made = programme(
        AT.format("warn") + "\n---\npolicy: q\nscopes: 7\n", policies=[policy("p"), policy("q"), policy("r")]
    )
    assert [ruled(made, deployment(), policy(name)).stage.value for name in "pqr"] == [
        "warn",
        "enforce",
        "enforce",
    ]


def test_unnamed_policies_are_listed():
    made = programme(AT.format("warn"), policies=[policy("p"), policy("q")])
    assert [each.id for each in made.unnamed] == ["q"]
    assert programme(None, policies=[policy("q")]).unnamed == []


def test_the_reason_names_scope_and_date():
    text = "policy: p\nscopes: [{name: a, stages: [{stage: warn, from: 2026-11-01}, {stage: enforce, from: 2027-01-01, grace: 7d}]}]"
    found = ruled(programme(text), deployment(team="pay"))
    assert found.ruling is not None
    assert (found.ruling.team, found.ruling.scope, found.ruling.rollout) == ("pay", "a", "rollout.yaml")
    assert found.ruling.enforced_from == datetime(2027, 1, 8, tzinfo=UTC)
    assert found.ruling.because == "scope a of rollout.yaml: denied from 2027-01-08"


# --- what was there before

SPARED = """policy: p
scopes:
  - name: a
    stages: [{{stage: {stage}, from: 2026-11-01}}]
    existing: {{until: 2027-03-01, {what}}}
"""
OLD, NEW = "2026-06-01T00:00:00Z", "2026-11-15T00:00:00Z"


@pytest.mark.parametrize(
    ("stage", "what", "created", "inventory", "outcome"),
    [
        ("enforce", "created_before: 2026-09-01", OLD, None, "audit"),
        ("enforce", "created_before: 2026-09-01", NEW, None, "enforce"),
        ("enforce", "created_before: 2026-09-01", "2026-08-31T23:59:59Z", None, "audit"),
        ("enforce", "created_before: 2026-09-01", "2026-09-01T00:00:00Z", None, "enforce"),
        ("enforce", "created_before: 2026-09-01", "", None, "enforce"),
        ("enforce", "created_before: 2026-09-01", "long ago", None, "enforce"),
        # The cluster knows better than whoever writes a manifest.
        ("enforce", "created_before: 2026-09-01", OLD, NEW, "enforce"),
        ("enforce", "created_before: 2026-09-01", NEW, OLD, "audit"),
        ("enforce", "created_before: 2026-09-01", "", OLD, "audit"),
        ("enforce", "baseline: there.json", NEW, None, "audit"),
        ("enforce", "baseline: other.json", OLD, None, "enforce"),
        ("enforce", "baseline: gone.json", OLD, None, "enforce"),
        ("enforce", "baseline: other.json, created_before: 2026-09-01", OLD, None, "audit"),
        ("warn", "baseline: there.json", NEW, None, "warn"),
        ("dryrun", "baseline: there.json", NEW, None, "dryrun"),
    ],
)
def test_what_was_there_is_spared(stage, what, created, inventory, outcome):
    known = {
        "there.json": frozenset({("p", "k8s://manifests/pay/Deployment/web")}),
        "other.json": frozenset(
            {("q", "k8s://manifests/pay/Deployment/web"), ("p", "k8s://manifests/pay/Pod/web")}
        ),
    }
    exists = [deployment(created=inventory).document] if inventory else []
    made = programme(SPARED.format(stage=stage, what=what), baselines=known, created=creation_times(exists))
    assert ruled(made, deployment(created=created)).stage == outcome


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        ("2027-02-28T23:59:59.999999+00:00", "audit"),
        ("2027-03-01T00:00:00+00:00", "enforce"),
    ],
)
def test_it_is_spared_until_the_date(now, stage):
    made = programme(
        SPARED.format(stage="enforce", what="created_before: 2026-09-01"),
        created=creation_times([]),
        now=datetime.fromisoformat(now),
    )
    found = ruled(made, deployment(created=OLD))
    assert found.stage == stage
    assert found.ruling is not None
    expected = datetime(2027, 3, 1, tzinfo=UTC) if stage == "audit" else None
    assert (found.ruling.existing_until, found.ruling.enforced_from) == (expected, expected)


def test_before_the_cutover_the_date_of_what_is_spared_is_told():
    text = """policy: p
scopes:
  - name: a
    stages: [{stage: warn, from: 2026-11-01}, {stage: enforce, from: 2027-01-01}]
    existing: {until: 2027-03-01, created_before: 2026-09-01}
"""
    made = programme(text, created=creation_times([]))
    old, new = ruled(made, deployment(created=OLD)), ruled(made, deployment(created=NEW))
    assert old.ruling is not None
    assert new.ruling is not None
    assert (old.stage, old.ruling.enforced_from) == ("warn", datetime(2027, 3, 1, tzinfo=UTC))
    assert (new.stage, new.ruling.enforced_from) == ("warn", datetime(2027, 1, 1, tzinfo=UTC))
    assert old.ruling.because.endswith("denied from 2027-03-01")


def test_a_policy_that_only_warns_spares_nothing():
    asked = policy("p", "warn")
    made = programme(
        SPARED.format(stage="enforce", what="created_before: 2026-09-01"),
        policies=[asked],
        created=creation_times([]),
    )
    found = ruled(made, deployment(created=OLD), asked)
    assert found.stage is Stage.WARN
    assert found.ruling is not None
    assert found.ruling.enforced_from is None


# --- plans

PLAN = {
    "format_version": "1.2",
    "resource_changes": [
        {
            "address": "aws_instance.gpu",
            "type": "aws_instance",
            "change": {"actions": ["create"], "after": {"tags": {"team": "ml"}}},
        },
        {
            "address": "aws_s3_bucket.data",
            "type": "aws_s3_bucket",
            "change": {"actions": ["create"], "after": {"tags": {"team": "pay"}}},
        },
    ],
}
ML_ONLY = """policy: p
scopes:
  - {name: ml, where: {team: ml}, stages: [{stage: enforce, from: 2026-11-01}]}
  - {name: pay, where: {resource: aws_s3_bucket.data}, stages: [{stage: warn, from: 2026-11-01}]}
"""


@pytest.mark.parametrize(
    ("path", "scope", "team"),
    [
        (("resource_changes", 0, "change", "after"), "ml", "ml"),
        (("resource_changes", 1), "pay", "pay"),
        (("resource_changes", 2), "", ""),
        (("resource_changes", -1), "", ""),
        (("resource_changes", True), "", ""),
        (("resource_changes", "0"), "", ""),
        (("resource_changes",), "", ""),
        ((), "", ""),
        (None, "", ""),
        (("planned_values", 0), "", ""),
    ],
)
def test_a_finding_of_a_plan_is_about_its_resource(path, scope, team):
    found = ruled(programme(ML_ONLY), subjects(PLAN, "plan.json")[0], path=path)
    assert found.ruling is not None
    assert (found.ruling.scope, found.ruling.team) == (scope, team)


def test_a_baseline_spares_a_resource_of_a_plan():
    known = {"b.json": frozenset({("p", "tf://plan/aws_instance.gpu")})}
    made = programme(SPARED.format(stage="enforce", what="baseline: b.json"), baselines=known)
    plan = subjects(PLAN, "plan.json")[0]
    stages = [ruled(made, plan, path=("resource_changes", index)).stage.value for index in (0, 1)]
    assert stages == ["audit", "enforce"]


# --- waivers and break-glass beside stages

WAIVER = """- policy: p
  scope: {namespace: pay}
  owner: pay
  reason: later
  approved_by: governance
  created: 2026-11-01
  expires: 2027-01-01
"""


@pytest.mark.parametrize(
    ("more", "waived"),
    [({}, True), ({"error": True}, False), ({"excepted": "exception.x"}, False)],
)
def test_a_waiver_covers_what_a_policy_says(more, waived):
    found = ruled(programme(AT.format("enforce"), WAIVER), deployment(), **more)
    assert found.ruling is not None
    assert bool(found.ruling.waiver) is waived


def test_a_waiver_counts_before_break_glass():
    made = programme(AT.format("enforce"), WAIVER, breakglass=lambda policy, traits: "bg-1")
    assert ruled(made, deployment()).ruling.waiver  # type: ignore[union-attr]
    assert ruled(made, deployment(namespace="ml")).ruling.breakglass == "bg-1"  # type: ignore[union-attr]


def test_break_glass_is_not_used_for_what_is_not_denied():
    made = programme(AT.format("audit"), breakglass=lambda policy, traits: "bg-1")
    assert ruled(made, deployment()).ruling.breakglass == ""  # type: ignore[union-attr]


# --- properties

TEAMS = ["pay", "ml", "search"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p", "q", "r"]),
            st.sampled_from(["dryrun", "warn", "audit", "enforce"]),
            st.booleans(),
            st.sampled_from(["", "exception.x"]),
        ),
        max_size=6,
    ),
    st.sampled_from(TEAMS),
    st.sampled_from(["dryrun", "warn", "audit", "enforce"]),
    st.sampled_from(["dryrun", "enforce"]),
    st.booleans(),
)
def test_no_finding_is_lost_and_none_is_raised(said, team, period, default, waived):
    policies = {(name, stage): policy(name, stage) for name, stage, _, _ in said}
    text = (
        f"policy: [p, q]\ndefault: {default}\nscopes:\n"
        f"  - {{name: a, where: {{team: [pay, ml]}}, stages: [{{stage: {period}, from: 2026-11-01}}]}}"
    )
    made = programme(
        text, WAIVER if waived else None, policies=list({p.id: p for p in policies.values()}.values())
    )
    subject = deployment(team=team)
    findings = [
        finding(subject, policies[name, stage], error=error, excepted=excepted)
        for name, stage, error, excepted in said
    ]
    evaluation = made.apply(Evaluation(subject, findings, len(findings)))
    assert len(evaluation.findings) == len(findings)
    for before, after in zip(findings, evaluation.findings, strict=True):
        assert RANK[after.stage] <= RANK[before.stage]
        assert (after.policy, after.message, after.error, after.excepted) == (
            before.policy, before.message, before.error, before.excepted,
        )  # fmt: skip
        assert after.ruling is not None
        assert after.ruling.team == team
    decision = decide(evaluation, decision_id="", revisions={}, timestamp_ns=0)
    assert Counter(map(id, decision.findings)) == Counter(map(id, evaluation.findings))


@pytest.mark.parametrize(("overridable", "outcome"), [(True, "warn"), (False, "deny")])
def test_break_glass_lets_nothing_through_that_is_hard_mandatory(overridable, outcome):
    asked = replace(policy("p"), overridable=overridable)
    made = programme(policies=[asked], breakglass=lambda *_: "bg-1")
    found = ruled(made, deployment(), asked)
    assert found.ruling is not None
    assert found.ruling.because == (
        "let through by break-glass bg-1"
        if overridable
        else "break-glass bg-1 lets nothing through here: hard-mandatory"
    )
    assert bool(found.ruling.breakglass) is overridable
    evaluation = Evaluation(found.subject, [found], 1)
    assert decide(evaluation, decision_id="d", revisions={}, timestamp_ns=0).outcome == outcome
