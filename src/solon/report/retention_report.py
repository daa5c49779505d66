"""What the retention of a log erases, and what is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from solon.decisions.log.settings import Hold
from solon.decisions.record import rfc3339
from solon.decisions.retention import Outcome, Tally
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.text import printable

_DAY: Final = 10


def render(name: str, outcome: Outcome, *, applied: bool) -> str:
    if name == "json":
        return text(
            {
                "schema": "solon.log-retention/v1",
                "applied": applied,
                "rules": [_tally(each) for each in outcome.tallies],
                "erasures": outcome.erasures,
                "left": outcome.left,
            }
        )
    return "".join(f"{line}\n" for line in _lines(outcome, applied))


def _tally(each: Tally) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "due": each.due,
        "held": each.held,
        "bytes": each.bytes,
        "first": rfc3339(each.first_ns) if each.due else None,
        "last": rfc3339(each.last_ns) if each.due else None,
    }


def _lines(outcome: Outcome, applied: bool) -> Iterator[str]:
    for each in outcome.tallies:
        parts = [plural(each.due, "event") + (" erased" if applied else " due")]
        if each.due:
            first, last = rfc3339(each.first_ns)[:_DAY], rfc3339(each.last_ns)[:_DAY]
            parts.append(f"from {first} to {last}" if first != last else f"from {first}")
            parts.append(f"{each.bytes:,} bytes")
        if each.held:
            parts.append(f"{each.held:,} held")
        yield f"{printable(each.rule)} · {' · '.join(parts)}"
    for left in outcome.left:
        yield f"✗ {printable(left)}"
    if outcome.erasures:
        yield (
            f"the log says so in {plural(len(outcome.erasures), 'entry', 'entries')}: {', '.join(outcome.erasures[:3])}"
            + (" …" if len(outcome.erasures) > 3 else "")
        )
    elif not applied and any(each.due for each in outcome.tallies):
        yield "nothing is erased yet: --apply"


def holds(name: str, held: Sequence[Hold]) -> str:
    if name == "json":
        return text({"schema": "solon.log-holds/v1", "holds": [msgspec.to_builtins(each) for each in held]})
    return "".join(f"{line}\n" for line in map(_hold, held)) or "nothing is held\n"


def _hold(each: Hold) -> str:
    parts = [*each.ids, *each.subjects]
    if each.since:
        parts.append(f"from {each.since} on")
    if each.until:
        parts.append(f"before {each.until}")
    return printable(f"{each.name} · {', '.join(parts)} · {each.reason}")
