"""What was in force: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from solon.decisions.in_force.events import Changed, Recorded
from solon.decisions.in_force.parts import key_of, written
from solon.decisions.in_force.standing import InForce, Standing
from solon.decisions.record import rfc3339
from solon.governance.breakglass.cases import Case
from solon.governance.times import shown, stamp
from solon.governance.waivers.waiver import Exemption, State
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.query_report import render as rows_of
from solon.report.text import printable

SCHEMA: Final = "solon.in-force/v1"
RECORD_SCHEMA: Final = "solon.in-force-recorded/v1"
_MOST: Final = 200  # rows of policies in their scopes
_REVISION: Final = 19  # characters of one: sha256: and twelve digits


@dataclass(frozen=True, slots=True)
class Asked:
    """A place, and what was in force there; ``standings`` are those that were asked about. None: nothing was recorded."""

    place: str
    at: datetime
    found: InForce | None
    standings: Sequence[Standing] = ()
    problem: str = ""
    to_come: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision about a subject that the question goes by. ``found`` is by policy: outcomes; ``covered`` are waivers."""

    id: str
    time: str
    outcome: str
    subject: str
    let_pass: bool
    policies: int | None = None
    found: Mapping[str, str] = field(default_factory=dict)
    covered: Sequence[str] = ()
    overridden: Sequence[str] = ()


def render(name: str, asked: Sequence[Asked], decided: Decided | None, *, width: int) -> str:
    if name == "json":
        return text(msgspec.to_builtins(_document(asked, decided)))
    return "".join(f"{line.rstrip()}\n" for line in _lines(asked, decided, width))


# --- for people


def _lines(asked: Sequence[Asked], decided: Decided | None, width: int) -> Iterator[str]:
    if decided is not None:
        passed = "was let pass" if decided.let_pass else "was not let pass"
        yield f"{printable(decided.subject)} {passed}: {decided.outcome} at {decided.time[:19]}Z, decision {printable(decided.id)}"
        if decided.policies is not None:
            yield f"  {plural(decided.policies, 'policy', 'policies')} applied to it"
        yield ""
    for number, each in enumerate(asked):
        if number:
            yield ""
        yield from _place(each, decided, width)


def _place(asked: Asked, decided: Decided | None, width: int) -> Iterator[str]:
    at = stamp(asked.at)
    if asked.found is None:
        yield f"{printable(asked.place)} at {at}: {asked.problem}"
        return
    found, state = asked.found, asked.found.state
    last = state.last
    by = f" by {printable(last.by)}" if last.by else ""
    commit = f", commit {printable(last.said.commit[:12])}" if last.said.commit else ""
    yield f"In force in {printable(asked.place)} at {at}" + (
        ", which is yet to come: as it is recorded by now" if asked.to_come else ""
    )
    yield f"  last change {rfc3339(last.time_ns)[:19]}Z{by}{commit} (entry {last.index} of shard {last.shard})"
    for each in state.sets:
        since = rfc3339(state.entry(key_of(each)).time_ns)[:19]
        yield f"  {printable(each.name)}@{printable(each.revision[:_REVISION])}, since {since}Z"
    settings = state.settings
    yield f"  posture {settings.posture}; dates in {settings.timezone}" + (
        "" if settings.rollouts else "; no rollouts: each policy does what it asks for"
    )
    for problem in settings.problems:
        yield f"  ! not in force, as it could not be used: {printable(problem)}"
    if not state.complete:
        yield "  ! not whole: a crash came while it was recorded, or this Solon does not know all of it"
    yield ""
    yield from _policies(asked.standings, found, decided, width)
    yield from _waivers(found, decided, width)
    yield from _tokens(found, decided)


def _policies(
    standings: Sequence[Standing], found: InForce, decided: Decided | None, width: int
) -> Iterator[str]:
    if not standings:
        yield "No policy of that name was in force"
        return
    columns = ["policy", "stage", "scope", "since", "next", "severity", "at"]
    columns += [] if decided is None else ["found", "waiver", "why"]
    rows = []
    for each in standings[:_MOST]:
        coming = f"{each.next.stage} from {shown(each.next.start, found.local)}" if each.next else ""
        scope = _scope(each)
        row = [
            each.policy.id,
            str(each.stage),
            scope,
            shown(each.since, found.local) if each.since else "",
            coming,
            each.policy.severity,
            f"{each.policy.file}:{each.policy.line}",
        ]
        if decided is not None:
            waiver = each.waiver.id if each.waiver is not None else ""
            row += [decided.found.get(each.policy.id, ""), waiver, each.because]
        rows.append(row)
    yield from _table(columns, rows, width)
    if len(standings) > _MOST:
        yield f"and {len(standings) - _MOST:,} more: --policy GLOB shows some, --format json all"


def _scope(each: Standing) -> str:
    if not each.scope:
        return "in none" if each.rollout else each.because
    return each.scope if each.where == "everything" else f"{each.scope} ({each.where})"


def _waivers(found: InForce, decided: Decided | None, width: int) -> Iterator[str]:
    yield ""
    active = found.waivers
    if decided is not None:
        active = [each for each in active if each.id in decided.covered]
        if not active:
            yield "Waivers: none covered a finding of it"
            return
        yield "Waivers that covered a finding of it"
    elif not active:
        yield f"Waivers: none{_others(found)}"
        return
    else:
        yield f"Waivers{_others(found)}"
    rows = [
        [
            each.id,
            ", ".join(each.policies),
            str(each.waiver.scope),
            shown(each.expires, found.local),
            each.waiver.owner,
            each.waiver.approved_by,
            each.waiver.reason,
        ]
        for each in active
    ]
    yield from _table(["id", "policies", "for", "until", "owner", "approved by", "reason"], rows, width)


def _others(found: InForce) -> str:
    counts = {state: sum(each.state(found.at) is state for each in found.exemptions) for state in State}
    told = [f"{counts[state]} {state}" for state in (State.PENDING, State.EXPIRED) if counts[state]]
    return f" ({', '.join(told)})" if told else ""


def _tokens(found: InForce, decided: Decided | None) -> Iterator[str]:
    cases = found.tokens
    if decided is not None:
        used = set(decided.overridden)
        cases = [case for case in found.state.cases if case.id in used]
    yield ""
    if not cases:
        yield "Break-glass: none" + (" let it pass" if decided is not None else " could be used")
        return
    yield "Break-glass that let it pass" if decided is not None else "Break-glass that could be used"
    for case in cases:
        opened = case.opened
        yield (
            f"  {case.id}  until {shown(opened.expires)}, for {printable(str(opened.scope))}; "
            f"opened by {printable(opened.by)}, {printable(opened.ticket)}: {printable(opened.reason)}"
        )
        for use in case.uses:
            yield f"    used {shown(use.at)} by {printable(use.by)}: {plural(use.subjects, 'subject')} let through"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    kept = [at for at, _ in enumerate(columns) if any(row[at] for row in rows)]
    names = [columns[at] for at in kept]
    for piece in rows_of("table", names, [[row[at] for at in kept] for row in rows], width=width):
        yield from piece.splitlines()


# --- for machines


def _document(asked: Sequence[Asked], decided: Decided | None) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "decision": None if decided is None else _decided(decided),
        "places": [_asked(each) for each in asked],
    }


def _decided(decided: Decided) -> dict[str, Any]:
    return {
        "decision_id": decided.id,
        "timestamp": decided.time,
        "outcome": decided.outcome,
        "subject": decided.subject,
        "let_pass": decided.let_pass,
        "policies": decided.policies,
        "found": dict(decided.found),
        "waivers": list(decided.covered),
        "break_glass": list(decided.overridden),
    }


def _asked(asked: Asked) -> dict[str, Any]:
    out: dict[str, Any] = {"place": asked.place, "at": written(asked.at), "recorded": asked.found is not None}
    found = asked.found
    if found is None:
        return {**out, "problem": asked.problem}
    state = found.state
    return {
        **out,
        "complete": state.complete,
        "programme": state.digest,
        "last_change": entry(state.last),
        "settings": state.settings,
        "policy_sets": [
            {
                "name": each.name,
                "revision": each.revision,
                "entry": entry(state.entry(key_of(each))),
                "texts": each.texts,
            }
            for each in state.sets
        ],
        "policies": [standing(each) for each in asked.standings],
        "waivers": [waiver(each, found.at) for each in found.exemptions],
        "break_glass": [token(each, found.at) for each in state.cases],
    }


def entry(each: Recorded) -> dict[str, Any]:
    return {
        "id": each.id,
        "timestamp": rfc3339(each.time_ns),
        "change": each.said.change,
        "by": each.by,
        "commit": each.said.commit,
        "shard": each.shard,
        "index": each.index,
    }


def standing(each: Standing) -> dict[str, Any]:
    return {
        "policy": each.policy,
        "policy_set": each.of.name,
        "revision": each.of.revision,
        "stage": each.stage,
        "rollout": each.rollout,
        "scope": each.scope,
        "where": each.where,
        "since": None if each.since is None else written(each.since),
        "next": None if each.next is None else {"stage": each.next.stage, "from": written(each.next.start)},
        "because": each.because,
        "waiver": None if each.waiver is None else each.waiver.id,
        "break_glass": [case.id for case in each.breakglass],
    }


def waiver(each: Exemption, at: datetime) -> dict[str, Any]:
    said = each.waiver
    return {
        "id": each.id,
        "state": each.state(at),
        "policies": list(each.policies),
        "scope": said.scope,
        "created": written(each.created),
        "expires": written(each.expires),
        "owner": said.owner,
        "approved_by": said.approved_by,
        "reason": said.reason,
        "ticket": said.ticket,
        "file": each.location.file,
    }


def token(case: Case, at: datetime) -> dict[str, Any]:
    opened = case.opened
    return {
        "id": case.id,
        "usable": case.closed is None and opened.issued <= at < opened.expires,
        "by": opened.by,
        "reason": opened.reason,
        "ticket": opened.ticket,
        "scope": opened.scope,
        "policies": opened.policies,
        "issued": written(opened.issued),
        "expires": written(opened.expires),
        "uses": [
            {"at": written(use.at), "by": use.by, "subjects": use.subjects, "uris": use.uris}
            for use in case.uses
        ],
        "closed": None
        if case.closed is None
        else {"at": written(case.closed.at), "by": case.closed.by, "outcome": case.closed.outcome},
    }


# --- what was recorded


def recorded(name: str, place: str, changed: Sequence[Changed], problems: Iterable[str]) -> str:
    told = list(problems)
    if name == "json":
        return text(
            msgspec.to_builtins(
                {
                    "schema": RECORD_SCHEMA,
                    "place": place,
                    "changes": [
                        {
                            "event": each.event,
                            "key": each.key,
                            "change": each.change,
                            "differences": each.differences,
                        }
                        for each in changed
                    ],
                    "problems": told,
                }
            )
        )
    if not changed:
        return f"{printable(place)}: nothing changed since the log last heard of it\n"
    lines = [f"{printable(place)}: {plural(len(changed), 'entry', 'entries')}"]
    lines += [f"  {each.event:<10}  {each.change:<8}  {printable(each.key)}{_what(each)}" for each in changed]
    return "".join(f"{line}\n" for line in lines)


def _what(changed: Changed) -> str:
    """What of it changed: the policies of a set, the steps of a rollout."""
    said = changed.differences
    if said is None:
        return ""
    if said.steps:
        return "".join(f"; {step.scope or 'in no scope'}: {step.was} → {step.stage}" for step in said.steps)
    told = [
        f"{plural(len(names), 'policy', 'policies')} {word}"
        for word, names in (("added", said.added), ("changed", said.changed), ("removed", said.removed))
        if names
    ]
    return f": {', '.join(told)}" if told else ""
