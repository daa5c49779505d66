"""Programmes made of texts, as a process has them before it judges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from solon.decisions.in_force.present import Present, present
from solon.frameworks.policy import Policy, PolicySet, Stage, source_text
from solon.governance.breakglass.cases import Opened, Used
from solon.governance.ownership import Around, Ownership, OwnershipSettings
from solon.governance.programme import Inputs, Programme
from solon.governance.rollouts.rollout import Rollout
from solon.governance.scope import Scope
from solon.governance.waivers.waiver import Waiver, WaiverSettings, rules
from solon.subjects.files import Files, parsed
from solon.subjects.subject import Location, Unreadable

REGO = 'package main\n\ndeny contains msg if {\n\tinput.bad\n\tmsg := "is bad"\n}\n'
ROLLOUT = """
policy: main.deny
scopes:
  - name: canary
    where: {namespace: canary-*}
    stages: [{stage: warn, from: 2026-01-01}, {stage: enforce, from: 2026-02-01}]
  - name: fleet
    stages: [{stage: warn, from: 2026-02-01}, {stage: enforce, from: 2026-04-01}]
"""
WAIVER = """
- id: legacy
  policy: main.deny
  scope: {namespace: legacy}
  owner: team-payments
  reason: vendor image
  approved_by: security
  created: 2026-01-10
  expires: 2026-03-10
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ns(text: str) -> int:
    return int(at(text).timestamp()) * 1_000_000_000


def read(text: str | None, kind: type, noun: str) -> Files[Any] | None:
    found = [] if text is None else list(parsed(text, f"{noun}s/{noun}.yaml", kind, noun))
    problems = [each for each in found if isinstance(each, Unreadable)]
    return None if text is None else Files([e for e in found if not isinstance(e, Unreadable)], problems)


def policy_set(
    files: Mapping[str, str],
    severity: str = "high",
    name: str = "conftest:policy",
    stage: Stage = Stage.ENFORCE,
) -> PolicySet:
    """A policy `main.deny` of these files, in the first of them."""
    policies = [
        Policy(
            "main.deny",
            "rego",
            "conftest",
            Location(next(iter(files)), 3, 1),
            stage,
            lambda *_: True,
            lambda *_: [],
            title="No bad things",
            severity=severity,
            controls=("EU-AI-Act:Art.12",),
        )
    ]
    revision = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    texts = [source_text(file, text.encode()) for file, text in files.items()]
    return PolicySet(name, f"sha256:{revision}", policies, lambda _: policies, texts)


def programme(
    now: str,
    *,
    rego: str = REGO,
    rollout: str | None = ROLLOUT,
    waivers: str | None = WAIVER,
    tokens: Sequence[Opened | Used] = (),
    place: str = "default",
    baseline: bytes | None = None,
    sets: Sequence[PolicySet] | None = None,
    **more: Any,
) -> Present:
    """What a process has that judges at that time."""
    sets = sets if sets is not None else [policy_set({"policy/main.rego": rego}, **more)]
    inputs = Inputs(
        Ownership(OwnershipSettings(), Around()),
        rules(WaiverSettings()),
        read(rollout, Rollout, "rollout"),
        read(waivers, Waiver, "waiver"),
        baseline_texts={"baseline.json": baseline} if baseline is not None else {},
    )
    return present(place, sets, Programme(inputs, sets, at(now)), tokens=tokens)


def opened(id: str, when: str, until: str) -> Opened:
    return Opened(
        at=at(when),
        id=id,
        by="ana@example.com",
        reason="the gateway is down",
        ticket="PAY-1",
        scope=Scope(team="payments"),
        policies=["*"],
        issued=at(when),
        expires=at(until),
        token="0" * 64,
    )


def used(id: str, when: str) -> Used:
    uris = ["k8s:///payments/Deployment/gateway"]
    return Used(
        at=at(when), id=id, by="ben@example.com", policies=["main.deny"], findings=1, subjects=1, uris=uris
    )
