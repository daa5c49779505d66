"""Decisions as SARIF 2.1.0 (OASIS), the way code scanning services read it."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from solon import __version__
from solon.decisions.decision import Outcome
from solon.decisions.record import pointer, rfc3339
from solon.frameworks.policy import Finding, Policy
from solon.report.check_report import CheckReport, Shown, shown, why
from solon.report.json import text
from solon.report.text import printable_lines
from solon.subjects.subject import Location, Subject, Unreadable

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {
    Shown.ERROR: "error",
    Shown.DENY: "error",
    Shown.OVERRIDDEN: "warning",
    Shown.WARN: "warning",
    Shown.WAIVED: "note",
    Shown.RECORDED: "note",
}
# GitHub shows critical, high, medium or low by this number: over 9.0, 7.0, 4.0 and 0.
_SECURITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}


def render(report: CheckReport) -> str:
    rules: dict[str, Policy] = {}
    for policy in report.policies:
        rules.setdefault(policy.id, policy)
    results: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for decision in report.decisions:
        for word, finding in shown(decision):
            rules.setdefault(finding.policy.id, finding.policy)
            results.append(_result(word, finding, seen))
    numbers = {rule: index for index, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = numbers[result["ruleId"]]
    invocation = {
        "executionSuccessful": not report.unreadable
        and not report.programme_problems
        and not any(decision.outcome is Outcome.ERROR for decision in report.decisions),
        "startTimeUtc": _time(report.started_ns),
        "endTimeUtc": _time(report.started_ns + report.elapsed_ns),
        "toolConfigurationNotifications": [_notification(p, "error") for p in report.programme_problems],
        "toolExecutionNotifications": [_notification(problem, "error") for problem in report.unreadable],
    }
    driver = {
        "name": "Solon",
        "semanticVersion": __version__,
        "rules": [_rule(policy) for policy in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": results,
    }
    return text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(policy: Policy) -> dict[str, Any]:
    title = policy.title or policy.id
    description = policy.description or title
    advice = policy.remediation or description
    return {
        "id": policy.id,
        "name": title,
        "shortDescription": {"text": title},
        "fullDescription": {"text": description},
        "help": {"text": advice, "markdown": advice},
        "defaultConfiguration": {"level": {"enforce": "error", "warn": "warning"}.get(policy.stage, "note")},
        "properties": {
            # GitHub reads security-severity only where this tag stands.
            "tags": ["security", policy.framework, *dict.fromkeys(policy.controls)],
            "security-severity": _SECURITY.get(policy.severity, _SECURITY["medium"]),
            "language": policy.language,
            "owner": policy.owner,
            "source": str(policy.source),
        },
    }


def _result(word: Shown, finding: Finding, seen: Counter[str]) -> dict[str, Any]:
    message = printable_lines(finding.message) or finding.policy.id
    if finding.remediation:
        message += f"\nFix: {printable_lines(finding.remediation)}"
    properties = {"outcome": word.value, "stage": finding.stage.value, "severity": finding.severity}
    if finding.path is not None:
        properties["path"] = pointer(finding.path)
    result: dict[str, Any] = {
        "ruleId": finding.policy.id,
        "level": _LEVELS[word],
        "message": {"text": message},
        "locations": [place(finding.location) | {"logicalLocations": [_logical(finding.subject)]}],
        "partialFingerprints": {"solonFinding/v1": _fingerprint(finding, seen)},
        "properties": properties,
    }
    if finding.excepted or word in (Shown.WAIVED, Shown.OVERRIDDEN):
        suppression = {"kind": "external", "status": "accepted", "justification": why(finding)}
        result["suppressions"] = [suppression]
    return result


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """The same for the same finding wherever it moves in its file; equal findings are numbered."""
    parts = f"{finding.policy.id}\0{finding.subject.uri}\0{finding.message}"
    digest = sha256(parts.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _logical(subject: Subject) -> dict[str, Any]:
    return {"name": subject.name, "fullyQualifiedName": subject.uri, "kind": "resource"}


def place(location: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(location.file)}
    if location.line:
        region = {"startLine": location.line}
        if location.column:
            region["startColumn"] = location.column
        physical["region"] = region
    return {"physicalLocation": physical}


def _artifact(file: str) -> dict[str, Any]:
    """Files relative to where Solon ran are relative to the source root; others are what they are."""
    path = PurePath(file if file != "-" else "stdin")
    name = quote(path.as_posix(), safe="/", errors="backslashreplace")
    return {"uri": f"file://{name}"} if path.is_absolute() else {"uri": name, "uriBaseId": "%SRCROOT%"}


def _notification(problem: Unreadable, level: str) -> dict[str, Any]:
    message = problem.problem + (f" ({problem.hint})" if problem.hint else "")
    return {
        "level": level,
        "message": {"text": printable_lines(message)},
        "locations": [place(problem.location)],
    }


def _time(time_ns: int) -> str:
    return rfc3339(time_ns)[:23] + "Z"  # SARIF asks for no more than milliseconds
