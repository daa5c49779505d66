"""Incidents that a policy caused: denials that should not have been.

People mark them; the mark is an entry of the log, and so is its end. Nothing is ever taken back: what was marked by mistake is
closed as ``retracted``, stays to be read, and counts no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from solon import __version__
from solon.decisions.log.events import nanoseconds
from solon.decisions.record import rfc3339

SCHEMA: Final = "solon.incident/v1"
# What happened to the denial, and what that is.
KINDS: Final = {
    "overridden": "it was overridden by break-glass",
    "wrong": "it was waived, since the policy was wrong",
    "rolled-back": "the policy was rolled back, and let the same pass",
}
RESOLUTIONS: Final = {
    "fixed": "what caused it is put right",
    "retracted": "it was no incident: it counts no more",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are RFC 3339; those of the end are empty while it is open. ``team`` and ``subject`` are the decision's.

    ``evidence`` are ids of decisions that show it, such as the one that break-glass let pass.
    """

    id: str
    decision: str
    decided: str
    kind: str
    policies: Sequence[str]
    team: str
    subject: str
    reason: str
    by: str
    at: str
    evidence: Sequence[str] = ()
    closed: str = ""
    closed_by: str = ""
    resolution: str = ""
    note: str = ""

    @property
    def decided_us(self) -> int:
        """Microseconds since 1970."""
        return nanoseconds(self.decided) // 1_000

    @property
    def open(self) -> bool:
        return not self.closed

    @property
    def counts(self) -> bool:
        return self.resolution != "retracted"

    @property
    def state(self) -> str:
        return self.resolution or "open"


class _Said(msgspec.Struct, omit_defaults=True):
    """``solon.incident`` of an event. An ``action`` is add or close."""

    schema: str
    action: str
    id: str
    by: str = ""
    reason: str = ""
    decision: str = ""
    decided: str = ""
    kind: str = ""
    policies: tuple[str, ...] = ()
    team: str = ""
    subject: str = ""
    evidence: tuple[str, ...] = ()
    resolution: str = ""


class _Solon(msgspec.Struct):
    incident: _Said


class _Event(msgspec.Struct):
    timestamp: str
    solon: _Solon


_decode: Final = msgspec.json.Decoder(_Event).decode


def added(incident: Incident, at_ns: int, subject: Mapping[str, Any]) -> bytes:
    """The event that marks it. ``subject`` is that of the decision's event, so that the mark is found by it, too."""
    said = _Said(
        SCHEMA,
        "add",
        incident.id,
        incident.by,
        incident.reason,
        incident.decision,
        incident.decided,
        incident.kind,
        tuple(incident.policies),
        incident.team,
        incident.subject,
        tuple(incident.evidence),
    )
    return _event(incident.id, at_ns, said, subject)


def ended(incident: Incident, at_ns: int, *, resolution: str, by: str, note: str, entry: str) -> bytes:
    """The event that closes it; ``entry`` is its id."""
    return _event(
        entry,
        at_ns,
        _Said(SCHEMA, "close", incident.id, by, note, resolution=resolution),
        {"uri": incident.subject},
    )


def _event(name: str, at_ns: int, said: _Said, subject: Mapping[str, Any]) -> bytes:
    kept = ("uri", "kind", "name", "namespace", "environment", "owner", "team")
    solon = {
        "event": "incident",
        "incident": said,
        "subject": {key: subject[key] for key in kept if isinstance(subject.get(key), str)},
    }
    return msgspec.json.encode(
        {
            "labels": {"id": "solon", "version": __version__},
            "decision_id": name,
            "timestamp": rfc3339(at_ns),
            "requested_by": said.by,
            "solon": solon,
        }
    )


def folded(events: Iterable[str | bytes]) -> list[Incident]:
    """The incidents that events tell of, in the order in which they were marked. What is no such event is passed over.

    Where an id was marked twice, the first holds; where it was closed twice, the last.
    """
    found: dict[str, Incident] = {}
    ends: dict[str, tuple[str, _Said]] = {}
    for text in events:
        try:
            event = _decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        said = event.solon.incident
        if said.action == "close" and said.resolution in RESOLUTIONS:
            ends[said.id] = event.timestamp, said
        elif said.action == "add" and said.kind in KINDS:
            with suppress(ValueError):
                nanoseconds(said.decided)
                found.setdefault(said.id, _incident(said, event.timestamp))
    return [
        replace(
            each,
            closed=ends[name][0],
            closed_by=ends[name][1].by,
            resolution=ends[name][1].resolution,
            note=ends[name][1].reason,
        )
        if name in ends
        else each
        for name, each in found.items()
    ]


def _incident(said: _Said, at: str) -> Incident:
    return Incident(
        said.id,
        said.decision,
        said.decided,
        said.kind,
        said.policies,
        said.team,
        said.subject,
        said.reason,
        said.by,
        at,
        said.evidence,
    )
