"""What the log says of incidents: those that were marked, and decisions that look like one.

A denial looks like an incident when, soon after it and for the same subject at the same gate,

    overridden    break-glass let pass what had denied
    wrong         a waiver covers what had denied, and calls it a false positive
    rolled-back   the same input is not denied any more, under other policies

The gravest cause that is first seen after a denial is offered once, for the first of the denials in a row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec

from solon.decisions.incidents import Incident, folded
from solon.decisions.warehouse import query
from solon.decisions.warehouse.session import Session

_FALSE: Final = re.compile(r"false[\s_-]*(positive|alarm)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is looked at of a decision."""

    shard: str
    index: int
    id: str
    time: datetime
    outcome: str
    subject: str
    path: str
    team: str
    denied_by: frozenset[str]
    waived: frozenset[str]
    overridden: frozenset[str]
    bundles: Mapping[str, str]

    @property
    def key(self) -> tuple[str, int]:
        return self.shard, self.index


@dataclass(frozen=True, slots=True)
class Text:
    """What is looked at of its event: a digest of the input, none where there was none, and what waivers say, by policy."""

    input: str
    waivers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """``decision`` is the first of ``denials`` in a row, and ``because`` the decision that shows that it was none."""

    decision: Decided
    kind: str
    policies: Sequence[str]
    denials: int
    because: Decided


def marked(session: Session) -> list[Incident]:
    """All that were marked. The session needs its records. Raises LogError."""
    rows = session.all("SELECT event FROM records WHERE kind = 'incident' ORDER BY time, shard, \"index\"")
    return folded(event for (event,) in rows)


def suggested(session: Session, *, within: timedelta, known: Iterable[str]) -> list[Candidate]:
    """Denials that look like incidents, and that are not ``known`` to be any, in order of time. Raises LogError."""
    pairs = list(_pairs(_decisions(session), within))
    texts = _texts(session, {each.key for denials, later in pairs for each in (*denials, later)})
    skip = set(known)
    found = []
    for denials, later in pairs:
        candidate = judged(denials, later, texts)
        if candidate is not None and skip.isdisjoint(each.id for each in denials):
            found.append(candidate)
    return sorted(found, key=lambda each: (each.decision.time, each.decision.key))


def judged(
    denials: Sequence[Decided], later: Decided, texts: Mapping[tuple[str, int], Text]
) -> Candidate | None:
    """What the next decision that did not deny the same says of denials in a row."""
    first = denials[0]
    denied = frozenset().union(*(each.denied_by for each in denials))
    none = Text("", {})
    said = texts.get(later.key, none)
    if denied & later.overridden:
        return Candidate(first, "overridden", sorted(denied & later.overridden), len(denials), later)
    wrong = sorted(name for name in denied & later.waived if _FALSE.search(said.waivers.get(name, "")))
    if wrong:
        return Candidate(first, "wrong", wrong, len(denials), later)
    last = denials[-1]
    same = said.input and said.input == texts.get(last.key, none).input
    if same and last.bundles != later.bundles and not denied & later.waived:
        return Candidate(first, "rolled-back", sorted(denied), len(denials), later)
    return None


def _pairs(decisions: Iterable[Decided], within: timedelta) -> Iterator[tuple[list[Decided], Decided]]:
    """Denials in a row of a subject at a gate, and the decision after them that did not deny, where it came soon enough."""
    for _, group in groupby(decisions, key=lambda each: (each.subject, each.path)):
        row: list[Decided] = []
        for each in group:
            if each.outcome == "deny":
                row.append(each)
            elif each.outcome in {"allow", "warn"} and row:
                soon = [denial for denial in row if each.time - denial.time <= within]
                if soon:
                    yield soon, each
                row = []


def _decisions(session: Session) -> Iterator[Decided]:
    """Of every subject that was denied, without events."""
    answer = session.ask(
        """SELECT shard, "index", decision_id, time, outcome, subject, coalesce(path, ''), coalesce(team, ''), denied_by,
             list_transform(list_filter(findings, lambda f: f.outcome = 'waived'), lambda f: f.policy),
             list_transform(list_filter(findings, lambda f: f.outcome = 'overridden'), lambda f: f.policy), bundles
           FROM decisions
           WHERE subject IN (SELECT DISTINCT subject FROM decisions WHERE outcome = 'deny' AND subject IS NOT NULL)
           ORDER BY subject, coalesce(path, ''), time, shard, "index" """
    )
    for (
        shard,
        index,
        name,
        time,
        outcome,
        subject,
        path,
        team,
        denied,
        waived,
        overridden,
        bundles,
    ) in answer.rows:
        yield Decided(
            shard,
            index,
            name,
            time,
            outcome,
            subject,
            path,
            team,
            frozenset(denied or ()),
            frozenset(waived or ()),
            frozenset(overridden or ()),
            bundles or {},
        )


def _texts(session: Session, keys: set[tuple[str, int]]) -> dict[tuple[str, int], Text]:
    """Of these decisions alone: events are large."""
    return {key: _text(event) for key, event in query.events(session, sorted(keys)).items()}


def _text(event: str) -> Text:
    try:
        said = msgspec.json.decode(event)
    except (msgspec.MsgspecError, RecursionError):
        return Text("", {})
    waivers = {}
    findings = _get(_get(said, "solon"), "findings")
    for finding in findings if isinstance(findings, list) else ():
        ruling = _get(finding, "ruling")
        if _get(ruling, "waiver"):
            waivers[str(_get(finding, "policy"))] = str(_get(ruling, "because"))
    document = _get(said, "input")
    return Text("" if document is None else _digest(document), waivers)


def _get(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, dict) else None


def _digest(document: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
