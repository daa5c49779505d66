"""The tickets that findings ask for: one for each policy and owner, as neutral text that each tracker writes its way.

What policies and manifests say is not trusted. It stands in ``Code`` alone, which no tracker reads as markup, a
mention, a reference or a link; everything else is Solon's own words.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from solon.governance.inert import inert_line, visible

LISTED: Final = 200  # subjects in a ticket
_SAID: Final = 10  # messages of one subject
_FIXES: Final = 5
_LONGEST: Final = 500  # characters of one message or remediation
_NAME: Final = 200
_TITLE: Final = 200
# A change of the texts below is a change of every ticket.
_VERSION: Final = 1
_SEVERITIES: Final = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Offence:
    """A finding that somebody must put right.

    ``blocks`` says that it denies already; ``blocks_on`` is the day from which it will, where one is known.
    """

    policy: str
    title: str
    severity: str
    owner: str
    uri: str
    name: str
    file: str
    line: int
    message: str
    remediation: str = ""
    blocks: bool = False
    blocks_on: date | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Text of others, shown as it is."""

    text: str


Text = tuple[str | Code, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One of a list, with lines below it."""

    text: Text
    lines: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket should say. ``digest`` changes when that changes, and only then.

    ``opening`` are paragraphs, then come ``fixes`` and a list of ``items``; ``total`` subjects are concerned,
    more than there are items where there are too many. ``blocks`` is when it starts to block: ``now``, the
    earliest date, or nothing.
    """

    key: str
    digest: str
    policy: str
    owner: str
    title: str
    opening: tuple[Text, ...]
    fixes: tuple[Code, ...]
    items: tuple[Item, ...]
    total: int
    blocks: str


def key_of(policy: str, owner: str) -> str:
    """What a ticket is found by, for good."""
    return hashlib.sha256(json.dumps([policy, owner]).encode()).hexdigest()[:16]


def wanted(offences: Iterable[Offence]) -> list[Ticket]:
    """The tickets, by policy and owner. The order of the findings does not matter."""
    groups: dict[tuple[str, str], set[Offence]] = {}
    for offence in offences:
        groups.setdefault((offence.policy, offence.owner), set()).add(offence)
    return [_ticket(*group, sorted(groups[group], key=_place)) for group in sorted(groups)]


def _place(offence: Offence) -> tuple[str, int, str, str, str]:
    return (offence.file, offence.line, offence.uri, offence.message, repr(offence))


def _ticket(policy: str, owner: str, offences: Sequence[Offence]) -> Ticket:
    subjects: dict[str, list[Offence]] = {}
    for offence in offences:
        subjects.setdefault(offence.uri, []).append(offence)
    fixes = tuple(dict.fromkeys(o.remediation for o in offences if o.remediation.strip()))
    starts = Counter(map(_start, subjects.values()))
    items = tuple(
        _item(found, own_fix=len(fixes) > _FIXES, own_start=len(starts) > 1)
        for found in list(subjects.values())[:LISTED]
    )
    severity = max((o.severity for o in offences), key=_gravity)
    opening = (
        ("Policy ", Code(visible(policy, _NAME)), *_severity(severity), " · ", *_owner(owner)),
        (_subjects(len(subjects)), " violate" if len(subjects) > 1 else " violates", " it. ", _when(starts)),
    )
    blocks = min((s for s in starts if s), default="", key=lambda s: (s != "now", s))
    title = inert_line(next((o.title for o in offences if o.title.strip()), policy), _TITLE - 60)
    headline = f"{title} ({inert_line(owner, 50) or 'no owner'})"
    shown_fixes = tuple(Code(visible(fix, _LONGEST)) for fix in fixes) if len(fixes) <= _FIXES else ()
    content = (_VERSION, headline, opening, shown_fixes, items, len(subjects), blocks)
    return Ticket(
        key=key_of(policy, owner),
        digest=hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()[:16],
        policy=policy,
        owner=owner,
        title=headline,
        opening=opening,
        fixes=shown_fixes,
        items=items,
        total=len(subjects),
        blocks=blocks,
    )


def _gravity(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else -1


def _severity(severity: str) -> Text:
    if severity in _SEVERITIES:
        return (f" · severity {severity}",)
    return (" · severity ", Code(visible(severity, _NAME))) if severity else ()


def _owner(owner: str) -> Text:
    if not owner:
        return ("no owner is known: label the subjects, or name the owner in CODEOWNERS",)
    return ("owner ", Code(visible(owner, _NAME)))


def _start(offences: Sequence[Offence]) -> str:
    """When a subject starts to be blocked: ``now``, a date, or nothing."""
    if any(offence.blocks for offence in offences):
        return "now"
    return min((o.blocks_on.isoformat() for o in offences if o.blocks_on), default="")


def _when(starts: Counter[str]) -> str:
    """One sentence on what will be blocked when."""
    if len(starts) == 1:
        return _starts(next(iter(starts)))
    said = [f"{count} from {day}" for day, count in sorted(starts.items()) if day not in ("", "now")]
    if starts["now"]:
        said.insert(0, f"{starts['now']} now")
    if starts[""]:
        said.append(f"{starts['']} without a date so far")
    return f"Blocked: {', '.join(said)}."


def _starts(start: str) -> str:
    if start == "now":
        return "It blocks changes now."
    if start:
        return f"It will block changes from {start} on."
    return "It blocks nothing so far, and no date is set."


def _item(offences: Sequence[Offence], *, own_fix: bool, own_start: bool) -> Item:
    first = offences[0]
    place = f"{first.file}:{first.line}" if first.line else first.file
    head: Text = (Code(visible(first.name, _NAME)), *((" at ", Code(visible(place, _NAME))) if place else ()))
    start = _start(offences)
    if own_start and start:
        head += (" · blocked now" if start == "now" else f" · blocked from {start}",)
    lines: list[Text] = []
    if first.uri != first.name:
        lines.append((Code(visible(first.uri, _NAME)),))
    messages = dict.fromkeys((o.message, o.remediation if own_fix else "") for o in offences)
    for message, fix in list(messages)[:_SAID]:
        lines.append((Code(visible(message, _LONGEST)),))
        if fix.strip():
            lines.append(("Fix: ", Code(visible(fix, _LONGEST))))
    if len(messages) > _SAID:
        lines.append((f"and {len(messages) - _SAID} more findings",))
    return Item(head, tuple(lines))


def _subjects(count: int) -> str:
    return f"{count:,} subject{'s' * (count != 1)}"
