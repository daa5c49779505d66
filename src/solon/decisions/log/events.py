"""Events in OPA's decision log shape, as entries of the log. The bytes are kept as they came."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from solon.decisions.log.leaf import Entry, Kind, policies_digest

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
KINDS: Final = {
    "decision": Kind.DECISION,
    "activation": Kind.ACTIVATION,
    "rollout": Kind.ROLLOUT,
    "waiver": Kind.WAIVER,
    "breakglass": Kind.BREAKGLASS,
    "incident": Kind.INCIDENT,
}


class _Bundle(msgspec.Struct):
    revision: str = ""


class _Solon(msgspec.Struct):
    event: str = "decision"
    outcome: str = ""


class _Event(msgspec.Struct):
    decision_id: str
    timestamp: str
    bundles: dict[str, _Bundle] | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    solon: _Solon | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


def entry_of(line: bytes) -> Entry:
    """The entry of one event. Raises ValueError, with what is wrong with it."""
    try:
        event = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"is no decision event: {error}") from None
    said = event.solon
    word = said.event if said else "decision"
    kind = KINDS.get(word)
    if kind is None:
        raise ValueError(f"has an unknown event {word!r}: known are {', '.join(KINDS)}")
    return Entry(
        kind,
        event.decision_id,
        nanoseconds(event.timestamp),
        line.strip(),
        (said.outcome if said else "") or _outcome(event),
        policies_digest({name: each.revision for name, each in (event.bundles or {}).items()}),
    )


def nanoseconds(text: str) -> int:
    """RFC 3339 as nanoseconds since 1970. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"has the time {text[:40]!r}, which is not RFC 3339, such as 2026-03-01T09:30:00Z")
    seconds = datetime.fromisoformat(match[1].upper() + match[3].upper().replace("Z", "+00:00")).timestamp()
    return int(seconds) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))


def _outcome(event: _Event) -> str:
    """What OPA's result amounts to, where it says so: a boolean, or an object with ``allow`` or ``allowed``."""
    if bytes(event.error) not in {b"", b"null"}:
        return "error"
    raw = bytes(event.result)
    if not raw:
        return ""
    result: Any = msgspec.json.decode(raw)
    if isinstance(result, dict):
        result = result.get("allow", result.get("allowed"))
    return {True: "allow", False: "deny"}.get(result, "") if isinstance(result, bool) else ""
