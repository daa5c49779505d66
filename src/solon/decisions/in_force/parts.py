"""The parts of a programme, as entries of the log have them. Times are RFC 3339 in UTC; files are below solon.yaml.

A part stands by itself: the newest entry of each part is what is in force. Digests name the texts beside the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from solon.frameworks.policy import Stage
from solon.governance.breakglass.cases import Closed, Opened, Used
from solon.governance.rollouts.rollout import BEGINNING, Rollout
from solon.governance.scope import Scope
from solon.governance.waivers.waiver import State as WaiverState
from solon.governance.waivers.waiver import Waiver

PLACE: Final = "default"


class Text(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A file. ``sha256`` is empty where it was too long to be kept. ``data``: its value stands below there."""

    file: str
    size: int
    sha256: str = ""
    data: list[str] | None = None


class ActivePolicy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """``enforcement`` is what it asks for itself. ``code`` is where its rules are, where that is another file."""

    id: str
    language: str
    framework: str
    enforcement: Stage
    file: str
    line: int
    title: str = ""
    severity: str = "medium"
    owner: str = ""
    controls: list[str] = []
    remediation: str = ""
    parameters: Any = None
    code: str = ""
    code_line: int = 0


class ActiveSet(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A policy set."""

    name: str
    revision: str
    policies: list[ActivePolicy]
    texts: list[Text] = []


class ActivePeriod(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A stage, and from when on; without a time it is the one before all steps."""

    stage: Stage
    start: str = ""


class ActiveScope(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """``stage`` is the one at the time of the entry, ``since`` when it began. Without a name: subjects in no scope."""

    stage: Stage
    periods: list[ActivePeriod]
    name: str = ""
    where: Scope = Scope()
    since: str = ""


class ActiveRollout(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A rollout: as it is written, and what was made of it. ``policies`` are the ids of those that it decides about."""

    file: str
    rollout: Rollout
    policies: list[str]
    scopes: list[ActiveScope]
    number: int = 0  # of the rollout in its file, from 0
    baselines: dict[str, Text] = {}


class ActiveWaiver(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A waiver that holds by the rules. ``periods`` are those of all its grants."""

    id: str
    file: str
    waiver: Waiver
    created: str
    expires: str
    state: WaiverState
    periods: list[tuple[str, str]] = []


class ActiveSettings(msgspec.Struct, frozen=True, gc=False):
    """``problems``: files of the programme that could not be used, and so were not in force.

    ``broken``: a rollout was among them, so that policies that no other names did what they ask for.
    """

    posture: str = "closed"
    timezone: str = "UTC"
    rollouts: bool = False  # whether rollouts say what is done at all
    broken: bool = False
    longest_waivers: dict[str, str] = {}
    longest_breakglass: str = ""
    problems: list[str] = []


TokenEvent = Opened | Used | Closed
Part = ActiveSet | ActiveRollout | ActiveWaiver | ActiveSettings
Parts = Mapping[str, Part]

_encode: Final = msgspec.json.encode
SETTINGS: Final = "settings"


def field_of(part: Part) -> str:
    """Where the part stands in an entry, under ``solon``."""
    match part:
        case ActiveSet():
            return "policy_set"
        case ActiveRollout():
            return "rollout"
        case ActiveWaiver():
            return "waiver"
        case ActiveSettings():
            return "settings"


def key_of(part: Part) -> str:
    """What the part is called among all of a place."""
    match part:
        case ActiveSet():
            return f"policies {part.name}"
        case ActiveRollout():
            return f"rollout {part.file}" + (f"#{part.number + 1}" if part.number else "")
        case ActiveWaiver():
            return f"waiver {part.id}"
        case ActiveSettings():
            return SETTINGS


def token_keys(events: Iterable[TokenEvent]) -> dict[str, TokenEvent]:
    """Events of the ledger, by their content: each is told once. Two that are the same in a second have a number."""
    found: dict[str, TokenEvent] = {}
    for event in events:
        key = name = f"token {event.id} {hashlib.sha256(_encode(event)).hexdigest()[:16]}"
        number = 1
        while key in found:
            number += 1
            key = f"{name}#{number}"
        found[key] = event
    return found


def digest(parts: Parts) -> str:
    """SHA-256 over all parts in the order of their names: 4 bytes of length and the name, 8 bytes of length and the JSON."""
    whole = hashlib.sha256()
    for key in sorted(parts):
        name, text = key.encode(), _encode(parts[key])
        whole.update(len(name).to_bytes(4) + name + len(text).to_bytes(8) + text)
    return whole.hexdigest()


def written(at: datetime) -> str:
    """A time; nothing for the one before all others."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{at.isoformat()[:-6]}Z" if at != BEGINNING else ""  # it ends with +00:00
