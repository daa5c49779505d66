"""Decisions as one JSON document.

docs/reference/formats.md describes the schema; within a version, keys are only ever added.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from solon import __version__
from solon.decisions.decision import Decision
from solon.decisions.record import pointer, rfc3339, ruling
from solon.frameworks.policy import Finding, Policy
from solon.lang.values import to_json
from solon.report.check_report import CheckReport, Shown, shown
from solon.report.text import UNSAFE
from solon.subjects.subject import Location, Unreadable

SCHEMA: Final = "solon.check/v1"


def render(report: CheckReport) -> str:
    return text(document(report))


def document(report: CheckReport) -> dict[str, Any]:
    unmatched = {id(decision) for decision in report.unmatched}
    return {
        "schema": SCHEMA,
        "solon": __version__,
        "started": rfc3339(report.started_ns),
        "elapsed_ns": report.elapsed_ns,
        "summary": asdict(report.counts),
        "policy_sets": [
            {
                "name": policy_set.name,
                "revision": policy_set.revision,
                "policies": [_policy(policy) for policy in policy_set.policies],
            }
            for policy_set in report.policy_sets
        ],
        "programme_problems": [_problem(problem) for problem in report.programme_problems],
        "notes": list(report.notes),
        "decisions": [_decision(decision, id(decision) in unmatched) for decision in report.decisions],
        "unreadable": [_problem(problem) for problem in report.unreadable],
    }


def text(value: Any) -> str:
    """Indented JSON that any stream takes and no terminal obeys: such characters are JSON's own escapes."""
    readable = json.dumps(value, indent=2, ensure_ascii=False)
    return UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", readable) + "\n"


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "title": policy.title,
        "description": policy.description,
        "language": policy.language,
        "framework": policy.framework,
        "stage": policy.stage.value,
        "severity": policy.severity,
        "owner": policy.owner,
        "controls": list(policy.controls),
        "remediation": policy.remediation,
        "location": location(policy.source),
    }


def _decision(decision: Decision, unmatched: bool) -> dict[str, Any]:
    subject = decision.subject
    return {
        "decision_id": decision.decision_id,
        "timestamp": rfc3339(decision.timestamp_ns),
        "outcome": decision.outcome.value,
        "unmatched": unmatched,
        "policies": decision.policies,
        "elapsed_ns": decision.elapsed_ns,
        "revisions": dict(decision.revisions),
        "subject": {
            "kind": subject.kind,
            "uri": subject.uri,
            "name": subject.name,
            "namespace": subject.namespace,
            "environment": subject.environment,
            "owner": subject.owner,
            "team": subject.team,
            "labels": dict(subject.labels),
            "location": location(subject.location),
        },
        "findings": [_finding(word, finding) for word, finding in shown(decision)],
    }


def _finding(word: Shown, finding: Finding) -> dict[str, Any]:
    return {
        "outcome": word.value,
        "policy": finding.policy.id,
        "stage": finding.stage.value,
        "severity": finding.severity,
        "message": finding.message,
        "path": None if finding.path is None else pointer(finding.path),
        "location": location(finding.location),
        "remediation": finding.remediation,
        "details": to_json(finding.details),
        "excepted": finding.excepted,
        "ruling": None if finding.ruling is None else ruling(finding.ruling),
    }


def location(place: Location) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}


def _problem(problem: Unreadable) -> dict[str, Any]:
    return {"problem": problem.problem, "hint": problem.hint, "location": location(problem.location)}
