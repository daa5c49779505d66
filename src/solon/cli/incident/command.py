"""solon incident add, list, close and suggest."""

from __future__ import annotations

import getpass
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from solon.cli.errors import UsageError
from solon.cli.governed import clock
from solon.cli.log.command import opened, record, worded
from solon.cli.log.query import window
from solon.cli.progress import counting
from solon.decisions import incidents
from solon.decisions.incidents import Incident
from solon.decisions.log.store import Log
from solon.decisions.record import rfc3339
from solon.decisions.warehouse import incidents as found_incidents
from solon.decisions.warehouse import lookup, session
from solon.decisions.warehouse.rows import row
from solon.governance import times
from solon.report import incident_report


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of a decision. Without ``policies``, all that denied are meant."""

    kind: str
    reason: str
    policies: Sequence[str]
    evidence: Sequence[str]
    by: str | None


def add(directory: str | None, decision: str, mark: Mark, format_: str) -> int:
    if not mark.reason.strip():
        raise UsageError("an incident needs a reason: --reason TEXT, which is kept in the log")
    with worded(), opened(directory) as log:
        denied, subject = _denied(log, decision)
        for name in mark.evidence:
            if not lookup.find(log, name):
                raise UsageError(f"--evidence {name}: is not in {log.directory}")
        known = [each for each in _marked(log) if each.decision == decision and each.counts]
        if known:
            raise UsageError(
                f"{decision}: is marked already, as {known[0].id} ({known[0].kind}, {known[0].state})"
            )
        incident = Incident(
            f"inc-{secrets.token_hex(4)}",
            decision,
            rfc3339(denied["time_ns"]),
            mark.kind,
            _policies(decision, mark.policies, denied),
            denied.get("team") or "",
            denied.get("subject") or "",
            mark.reason.strip(),
            mark.by or getpass.getuser(),
            rfc3339(now := clock()),
            tuple(dict.fromkeys(mark.evidence)),
        )
        line = incidents.added(incident, now, subject)
    record(log.directory, [line])
    sys.stdout.write(incident_report.added(format_, incident))
    return 0


def _denied(log: Log, decision: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A decision that denied, and its subject. Raises UsageError, LogError."""
    found = lookup.find(log, decision)
    if not found:
        raise UsageError(
            f"{decision}: is not in {log.directory}: `solon log query --decision deny` finds ids"
        )
    place, stored = found[0]
    said = row(stored, place.name)
    if said is None:
        raise UsageError(f"{decision}: its event was erased")
    overridden = [each["policy"] for each in said.get("findings") or () if each["outcome"] == "overridden"]
    if said["kind"] != "decision" or (said["outcome"] not in {"deny", "error"} and not overridden):
        what = said["outcome"] or said["kind"]
        raise UsageError(
            f"{decision}: denied nothing ({what}): an incident is a denial that should not have been"
        )
    failed = [each["policy"] for each in said.get("findings") or () if each["outcome"] == "error"]
    causes = list(dict.fromkeys([*(said.get("denied_by") or ()), *overridden, *failed]))
    solon = msgspec.json.decode(said["event"]).get("solon")
    subject = solon.get("subject") if isinstance(solon, dict) else None
    if not isinstance(subject, dict):
        subject = {name: said.get(name) for name in ("name", "namespace")} | {"uri": said.get("subject")}
    return {**said, "causes": causes, "time_ns": stored.says.time_ns}, subject


def _policies(decision: str, named: Sequence[str], denied: dict[str, Any]) -> list[str]:
    causes = denied["causes"]
    if not named and not causes:
        raise UsageError(f"{decision}: its event names no policy: say which caused it, with --policy")
    unknown = [name for name in named if causes and name not in causes]
    if unknown:
        raise UsageError(f"--policy {unknown[0]}: did not deny {decision}: {', '.join(causes)} did")
    return list(dict.fromkeys(named)) or causes


def listed(directory: str | None, format_: str, *, open_: bool) -> int:
    with worded(), opened(directory) as log:
        known = [each for each in _marked(log) if each.open or not open_]
    sys.stdout.write(incident_report.listed(format_, known, width=_width()))
    return 0


def close(
    directory: str | None, name: str, resolution: str, reason: str, by: str | None, format_: str
) -> int:
    if not reason.strip():
        raise UsageError("closing an incident needs a reason: --reason TEXT, which is kept in the log")
    with worded(), opened(directory) as log:
        known = {each.id: each for each in _marked(log)}
    incident = known.get(name)
    if incident is None:
        raise UsageError(f"{name}: no incident of that id: `solon incident list` has them")
    if not incident.open:
        raise UsageError(f"{name}: is closed since {incident.closed}, as {incident.resolution}")
    entry = f"{name}/closed-{secrets.token_hex(2)}"
    who = by or getpass.getuser()
    line = incidents.ended(incident, clock(), resolution=resolution, by=who, note=reason.strip(), entry=entry)
    record(log.directory, [line])
    sys.stdout.write(incident_report.closed(format_, incident, resolution, entry))
    return 0


def suggest(directory: str | None, since: str, within: str, format_: str) -> int:
    when = window(since, None, datetime.now(UTC))
    try:
        soon = times.duration(within)
    except ValueError as error:
        raise UsageError(f"--within {error}") from None
    with (
        worded(),
        opened(directory) as log,
        counting("reading entries") as tell,
        session.opened(log, window=when, records=True, tell=tell) as found,
    ):
        known = [each.decision for each in found_incidents.marked(found)]
        candidates = found_incidents.suggested(found, within=soon, known=known)
    sys.stdout.write(incident_report.suggested(format_, candidates, width=_width()))
    return 0


def _marked(log: Log) -> list[Incident]:
    with session.opened(log, records=True) as found:
        return found_incidents.marked(found)


def _width() -> int:
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 160
