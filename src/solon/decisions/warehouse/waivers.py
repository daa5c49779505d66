"""Waivers as decisions used them, each with the words and the end that the newest of these decisions has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from solon.decisions.warehouse import query
from solon.decisions.warehouse.session import Session
from solon.governance.times import moment


class _Ruling(msgspec.Struct):
    waiver: str | None = None
    waiver_expires: str | None = None
    because: str | None = None


class _Finding(msgspec.Struct):
    ruling: _Ruling | None = None


class _Solon(msgspec.Struct):
    findings: list[_Finding] = []


class _Event(msgspec.Struct):
    solon: _Solon


def used(session: Session, asof_us: int, *, since_us: int = 0) -> list[dict[str, Any]]:
    """By decisions since then: waiver, policies, teams, decisions, subjects, first_used, last_used, age, expires, because. Raises LogError."""
    found = session.dictionaries(
        """SELECT w.waiver, list_sort(list(DISTINCT w.policy)) AS policies, list_sort(list(DISTINCT team)
             FILTER (team <> '')) AS teams, count(DISTINCT (shard, "index")) AS decisions,
             count(DISTINCT subject) AS subjects, min(time) AS first_used, max(time) AS last_used,
             ($1 - epoch_us(min(time))) / 1e6 AS age, arg_max(struct_pack(s := shard, i := "index"), time) AS newest
           FROM (SELECT d.*, unnest(d.findings) AS w FROM decisions d
                 WHERE len(d.waivers) > 0 AND time >= make_timestamp($2))
           WHERE w.waiver IS NOT NULL GROUP BY w.waiver ORDER BY first_used, w.waiver""",
        [asof_us, since_us],
    )
    newest = [(key["s"], key["i"]) for key in (each.pop("newest") for each in found)]
    events = query.events(session, newest)
    for each, key in zip(found, newest, strict=True):
        each["expires"], each["because"] = _terms(each["waiver"], events.get(key, ""))
    return found


def _terms(waiver: str, event: str) -> tuple[datetime | None, str]:
    try:
        findings = msgspec.json.decode(event, type=_Event).solon.findings
    except (msgspec.MsgspecError, RecursionError):
        return None, ""
    for each in findings:
        if each.ruling is not None and each.ruling.waiver == waiver:
            try:
                return moment(each.ruling.waiver_expires or ""), each.ruling.because or ""
            except ValueError:
                return None, each.ruling.because or ""
    return None, ""
