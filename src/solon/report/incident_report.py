"""Incidents: those that were marked, and decisions that look like one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from solon.decisions.incidents import Incident
from solon.decisions.warehouse.incidents import Candidate, Decided
from solon.governance.times import period
from solon.report import query_report
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.text import printable

SCHEMA: Final = "solon.incidents/v1"
SUGGESTED: Final = "solon.incidents-suggested/v1"
_SAYS: Final = {
    "overridden": "break-glass let it pass",
    "wrong": "a waiver calls it a false positive",
    "rolled-back": "the same input passes, under other policies",
}


def document(incident: Incident) -> dict[str, Any]:
    return {**asdict(incident), "state": incident.state}


def added(name: str, incident: Incident) -> str:
    if name == "json":
        return text({"schema": SCHEMA, "incidents": [document(incident)]})
    policies = ", ".join(incident.policies)
    return (
        printable(f"{incident.id}: {incident.decision} is marked as {incident.kind}, caused by {policies}")
        + "\n"
    )


def closed(name: str, incident: Incident, resolution: str, entry: str) -> str:
    if name == "json":
        return text({"schema": SCHEMA, "closed": incident.id, "resolution": resolution, "entry": entry})
    return printable(f"{incident.id}: closed as {resolution}; the log says so in {entry}") + "\n"


def listed(name: str, incidents: Sequence[Incident], *, width: int) -> str:
    if name == "json":
        return text({"schema": SCHEMA, "incidents": [document(each) for each in incidents]})
    if not incidents:
        return "No incidents.\n"
    columns = ("id", "state", "kind", "decided", "policies", "team", "decision", "reason", "by")
    rows = [
        (
            each.id,
            each.state,
            each.kind,
            each.decided[:16].replace("T", " "),
            list(each.policies),
            each.team,
            each.decision,
            each.reason,
            each.by,
        )
        for each in incidents
    ]
    return "".join(query_report.render("table", columns, rows, width=width))


def suggested(name: str, candidates: Sequence[Candidate], *, width: int) -> str:
    if name == "json":
        return text({"schema": SUGGESTED, "candidates": [_candidate(each) for each in candidates]})
    if not candidates:
        return "No denial looks like an incident.\n"
    columns = ("decided", "kind", "policies", "team", "subject", "denials", "what_followed", "after", "by")
    rows = [
        (
            each.decision.time,
            each.kind,
            list(each.policies),
            each.decision.team,
            each.decision.subject,
            each.denials,
            _SAYS[each.kind],
            period(each.because.time - each.decision.time),
            each.because.id,
        )
        for each in candidates
    ]
    table = "".join(query_report.render("table", columns, rows, width=width))
    commands = "".join(f"  {_command(each)}\n" for each in candidates)
    count = plural(len(candidates), "denial")
    verb = "looks" if len(candidates) == 1 else "look"
    return f"{table}\n{count} {verb} like an incident. To mark, with a reason of your own:\n{commands}"


def _command(each: Candidate) -> str:
    parts = ["solon", "incident", "add", each.decision.id, "--kind", each.kind]
    if each.decision.denied_by and set(each.policies) != each.decision.denied_by:
        parts += [part for policy in each.policies for part in ("--policy", policy)]
    parts += ["--evidence", each.because.id, "--reason", "..."]
    return printable(shlex.join(parts))


def _candidate(each: Candidate) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "policies": list(each.policies),
        "denials": each.denials,
        "decision": _decided(each.decision),
        "because": _decided(each.because),
    }


def _decided(each: Decided) -> dict[str, Any]:
    return {
        "decision_id": each.id,
        "time": query_report.value(each.time),
        "outcome": each.outcome,
        "subject": each.subject,
        "team": each.team,
        "path": each.path,
        "denied_by": sorted(each.denied_by),
        "bundles": dict(each.bundles),
    }
