"""Break-glass tokens and their reviews, as text for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from solon.governance.breakglass.cases import Case, Status
from solon.governance.breakglass.settings import BreakglassSettings
from solon.governance.breakglass.token import Claims
from solon.governance.times import period, shown
from solon.report.check_report import plural
from solon.report.json import text
from solon.report.text import printable

_SYMBOLS: Final = {Status.ACTIVE: "!", Status.OPEN: "✗", Status.OVERDUE: "✗", Status.CLOSED: "✓"}
_SUMMARY: Final = (
    (Status.OVERDUE, "overdue"),
    (Status.OPEN, "to review"),
    (Status.ACTIVE, "active"),
    (Status.CLOSED, "closed"),
)


@dataclass(frozen=True, slots=True)
class BreakglassReport:
    """The tokens of a ledger at one time."""

    cases: Sequence[Case]
    settings: BreakglassSettings
    now: datetime

    def status(self, case: Case) -> Status:
        return case.status(self.now, self.settings.review_time)

    @property
    def to_review(self) -> list[Case]:
        return [case for case in self.cases if self.status(case) in (Status.OPEN, Status.OVERDUE)]

    @property
    def summary(self) -> str:
        """``3 tokens: 1 overdue, 2 closed``."""
        counts = Counter(map(self.status, self.cases))
        parts = [f"{counts[status]} {word}" for status, word in _SUMMARY if counts[status]]
        return plural(len(self.cases), "token") + (": " + ", ".join(parts) if parts else "")


def table(report: BreakglassReport, cases: Sequence[Case]) -> str:
    """Some of the cases, and the summary of all."""
    blocks = ["\n".join(_short(report, case)) for case in cases]
    return "\n\n".join([*blocks, report.summary]) + "\n"


def _short(report: BreakglassReport, case: Case) -> Iterator[str]:
    opened, status = case.opened, report.status(case)
    yield f"{_SYMBOLS[status]} {case.id}  {status:<8} {printable(f'{opened.ticket}: {opened.reason}')}"
    length = period(opened.expires - opened.issued)
    yield printable(f"    opened {shown(opened.issued)} by {opened.by} for {length}")
    yield printable(f"    for {opened.scope}; policies {', '.join(opened.policies)}")
    if case.uses:
        yield f"    {_used(case)}"
    yield "    " + printable(_review(report, case))


def _used(case: Case) -> str:
    times = {1: "once", 2: "twice"}.get(len(case.uses), f"{len(case.uses)} times")
    findings, subjects = sum(use.findings for use in case.uses), sum(use.subjects for use in case.uses)
    last = shown(max(use.at for use in case.uses))
    return f"used {times}, last {last}: {plural(findings, 'finding')} on {plural(subjects, 'subject')} let through"


def _review(report: BreakglassReport, case: Case) -> str:
    if case.closed is not None:
        return f"closed {shown(case.closed.at)} by {case.closed.by}: {case.closed.outcome}"
    status, due = report.status(case), case.due(report.settings.review_time)
    if status is Status.ACTIVE:
        return f"valid until {shown(case.opened.expires)}; not used yet"
    unused = "" if case.uses else "; no use is in this ledger"
    if status is Status.OVERDUE:
        return f"its review was due {shown(due)}, {period(report.now - due)} ago{unused}"
    return f"to be reviewed by somebody else than {case.opened.by} until {shown(due)}{unused}"


def details(report: BreakglassReport, case: Case) -> str:
    """Everything about one token."""
    opened = case.opened
    rows = [
        ("reason", opened.reason),
        ("ticket", opened.ticket),
        ("opened", f"{shown(opened.issued)} by {opened.by}"),
        ("expires", f"{shown(opened.expires)}, after {period(opened.expires - opened.issued)}"),
        ("scope", str(opened.scope)),
        ("policies", ", ".join(opened.policies)),
        ("review", _review(report, case)),
    ]
    lines = [f"{case.id}  {report.status(case)}"]
    lines += [f"  {name + ':':<10}{printable(value)}" for name, value in rows]
    for use in case.uses:
        count = f"{plural(use.findings, 'finding')} on {plural(use.subjects, 'subject')}"
        lines.append(
            "  " + printable(f"used {shown(use.at)} by {use.by}: {count}; {', '.join(use.policies)}")
        )
        lines += [f"    {printable(uri)}" for uri in use.uris]
        if use.subjects > len(use.uris):
            lines.append(f"    and {use.subjects - len(use.uris):,} more")
    return "\n".join(lines) + "\n"


def json_of(report: BreakglassReport, cases: Sequence[Case], **more: Any) -> str:
    """Some of the cases; ``more`` stands before them."""
    return text({"schema": "solon.breakglass/v1", **more, "tokens": [_case(report, case) for case in cases]})


def _case(report: BreakglassReport, case: Case) -> dict[str, Any]:
    opened: dict[str, Any] = msgspec.to_builtins(case.opened)
    due = case.due(report.settings.review_time)
    return {
        **{
            name: opened[name]
            for name in ("id", "by", "reason", "ticket", "scope", "policies", "issued", "expires")
        },
        "status": report.status(case).value,
        "uses": [_event(use) for use in case.uses],
        "review": {
            "due": msgspec.to_builtins(due),
            "closed": _event(case.closed) if case.closed is not None else None,
        },
    }


def _event(event: Any) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(event).items() if name not in ("type", "id")}


def verdict(claims: Claims | None, problem: str) -> str:
    """What is to be said of one token: what it is for, where its signature holds, and whether it can be used."""
    if claims is None:
        return f"✗ break-glass token: {problem}\n"
    lines = [
        f"✗ {claims.jti}: {printable(problem)}"
        if problem
        else f"✓ {claims.jti} can be used until {shown(claims.expires)}",
        printable(f"    opened {shown(claims.issued)} by {claims.sub}; {claims.ticket}: {claims.reason}"),
        printable(f"    for {claims.scope}; policies {', '.join(claims.policies)}"),
    ]
    return "\n".join(lines) + "\n"


def verdict_json(claims: Claims | None, problem: str) -> str:
    said = msgspec.to_builtins(claims) if claims is not None else None
    return text({"schema": "solon.breakglass/v1", "usable": not problem, "problem": problem, "claims": said})
