"""Waivers as text for people, as JSON and CSV, and as metrics."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import msgspec

from solon.frameworks.policy import Policy
from solon.governance.times import period, shown
from solon.governance.waivers.review import MOST_OVERLAPS, Review, Unused, by_owner, is_expiring
from solon.governance.waivers.waiver import Exemption, Rules, State, approvers_of, graded
from solon.report.check_report import plural
from solon.report.json import location, text
from solon.report.table import wrap
from solon.report.text import printable

_WIDEST: Final = 110
_MOST_PAIRS: Final = 20


@dataclass(frozen=True, slots=True)
class WaiversReport:
    """The waivers of a repository at one time, and the rules that they are held to."""

    review: Review
    rules: Rules
    local: tzinfo

    @property
    def summary(self) -> str:
        """``12 waivers: 9 active (2 expire within 30 days), 1 pending, 2 expired``."""
        health = self.review.health
        within = period(self.rules.remind_before)
        soon = f" ({health.expiring:,} expire{'s' * (health.expiring == 1)} within {within})"
        parts = [f"{health.active:,} active{soon if health.expiring else ''}"] if health.active else []
        parts += [f"{health.pending:,} pending"] * bool(health.pending)
        parts += [f"{health.expired:,} expired"] * bool(health.expired)
        count = plural(len(self.review.exemptions), "waiver")
        wrong = f"; {plural(len(self.review.problems), 'problem')}" if self.review.problems else ""
        return count + (": " + ", ".join(parts) if parts else "") + wrong


def relative(moment: datetime, now: datetime) -> str:
    """``in 24 days``, ``3 hours ago``."""
    return f"in {period(moment - now)}" if moment > now else f"{period(now - moment)} ago"


# --- for people


def check_table(report: WaiversReport, width: int) -> str:
    """What is to be done, the gravest first."""
    return _text([*_check(report), report.summary], width)


def _check(report: WaiversReport) -> Iterator[str]:
    review, local = report.review, report.local
    yield from _section("Invalid: they cover nothing", (_problem(each) for each in review.problems))
    yield from _section("Expired: remove them, or renew them", (_expired(report, e) for e in review.expired))
    owned = by_owner(review.expiring)
    if owned:
        yield f"Expire within {period(report.rules.remind_before)}"
        for owner, several in owned.items():
            yield f"  {printable(owner)}"
            for each in several:
                yield from (f"  {line}" for line in _entry("!", _until(report, each), each))
        yield ""
    yield from _section(
        "For policies that there are not: they exempt nothing",
        (
            [f"  ! {each.id}: no policy is called {glob}", f"    {each.location}"]
            for each, glob in review.unknown
        ),
    )
    yield from _section("Unused", (_unused(each, local) for each in review.unused))
    pairs = review.overlapping[:_MOST_PAIRS]
    more = len(review.overlapping) - len(pairs)
    yield from _section(
        "Overlapping: two that may exempt the same",
        (
            [f"  ! {each.one.id} and {each.other.id}", f"    {each.one.location} and {each.other.location}"]
            for each in pairs
        ),
        f"  and {more:,}{' or' * (len(review.overlapping) == MOST_OVERLAPS)} more" if more else "",
    )


def _section(title: str, entries: Iterator[list[str]], end: str = "") -> Iterator[str]:
    lines = [printable(line) for entry in entries for line in entry]
    if lines:
        yield from [title, *lines, *([end] if end else []), ""]


def _problem(problem: Any) -> list[str]:
    return [f"  ✗ {problem.location}", f"    {problem.problem}"] + (
        [f"    fix: {problem.hint}"] if problem.hint else []
    )


def _expired(report: WaiversReport, each: Exemption) -> list[str]:
    when = f"expired {shown(each.expires, report.local)}, {relative(each.expires, report.review.now)}"
    return list(_entry("✗", f"{when} · {each.waiver.owner}", each))


def _until(report: WaiversReport, each: Exemption) -> str:
    return f"{shown(each.expires, report.local)}, {relative(each.expires, report.review.now)}"


def _unused(unused: Unused, local: tzinfo) -> list[str]:
    each = unused.exemption
    seen = "last matched something" if unused.last else "has matched nothing since"
    return list(_entry("!", f"{seen} {shown(unused.since, local)} · {each.waiver.owner}", each))


def _entry(symbol: str, said: str, each: Exemption) -> Iterator[str]:
    yield printable(f"  {symbol} {each.id} · {said}")
    yield printable(f"    {', '.join(each.policies)} for {each.waiver.scope}")
    yield printable(f"    {each.location}")


def list_table(report: WaiversReport, listed: Sequence[Exemption], width: int) -> str:
    lines: list[str] = []
    for each in listed:
        lines += [*(line[2:] for line in _entry(_symbol(report, each), _standing(report, each), each))][:2]
    more = len(report.review.exemptions) - len(listed)
    shown = f"{len(listed):,} of {report.summary}" if more else report.summary
    return _text([*lines, *([""] if lines else []), shown], width)


def _symbol(report: WaiversReport, each: Exemption) -> str:
    if is_expiring(each, report.review.now, report.rules.remind_before):
        return "!"
    return {State.ACTIVE: "✓", State.PENDING: "·", State.EXPIRED: "✗"}[each.state(report.review.now)]


def _standing(report: WaiversReport, each: Exemption) -> str:
    now = report.review.now
    state = each.state(now)
    if state is State.PENDING:
        said = f"pending, from {shown(each.created, report.local)} until {shown(each.expires, report.local)}"
    else:
        said = f"{state}{' until' * (state is State.ACTIVE)} {_until(report, each)}"
    return f"{said} · {each.waiver.owner}"


def show_table(report: WaiversReport, each: Exemption, named: Sequence[Policy], width: int) -> str:
    """All of one waiver."""
    waiver, now, local = each.waiver, report.review.now, report.local
    fields = [("state", _standing(report, each).rpartition(" · ")[0])]
    fields += [("policy", _limits(report, policy)) for policy in named]
    fields += [
        ("policy", f"{glob}: no policy is called so") for e, glob in report.review.unknown if e.id == each.id
    ]
    fields += [
        ("scope", str(waiver.scope)),
        ("owner", waiver.owner),
        ("reason", waiver.reason),
        ("ticket", waiver.ticket),
        ("approved by", waiver.approved_by),
        ("created", f"{shown(each.created, local)}, {relative(each.created, now)}"),
        (
            "renewed",
            f"{_times(len(waiver.history))}; first granted {shown(each.since, local)}" * bool(waiver.history),
        ),
    ]
    fields += [
        ("unused", _unused(u, local)[0].split(" · ")[1])
        for u in report.review.unused
        if u.exemption.id == each.id
    ]
    fields += [
        ("overlaps", (pair.one if pair.other.id == each.id else pair.other).id)
        for pair in report.review.overlapping
        if each.id in (pair.one.id, pair.other.id)
    ]
    fields.append(("file", str(each.location)))
    lines = [printable(each.id)]
    last = ""
    for name, said in fields:
        if said:
            room = min(width, _WIDEST) - 15
            first, *rest = wrap(printable(said), max(room, 20))
            lines.append(f"  {name if name != last else '':<13}{first}")
            lines += [" " * 15 + line for line in rest]
            last = name
    if waiver.history:
        lines += ["", "Before"]
        for past in waiver.history:
            by = f", approved by {past.approved_by}" if past.approved_by else ""
            lines.append(
                f"  {past.created} to {past.expires}{by}" + (f", {past.ticket}" if past.ticket else "")
            )
            lines += [f"    {past.reason}"] if past.reason else []
    return _text(lines, width)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _limits(report: WaiversReport, policy: Policy) -> str:
    severity = graded(policy.severity)
    allowed = approvers_of(policy.id, severity, report.rules.approvers)
    who = (", ".join(allowed) or "nobody") if report.rules.approvers else "anybody but the owner"
    return f"{policy.id} ({severity}: {period(report.rules.longest[severity])} at most; {who} may approve)"


def reminder(report: WaiversReport, each: Exemption) -> list[str]:
    """A waiver for its owner, who does not have the repository at hand."""
    state = "expired" if each.state(report.review.now) is State.EXPIRED else "expires"
    return [
        f"{each.id} {state} {_until(report, each)}",
        f"{', '.join(each.policies)} for {each.waiver.scope}",
        f"Reason: {each.waiver.reason}" + (f" ({each.waiver.ticket})" if each.waiver.ticket else ""),
        f"Put right what it exempts, or: solon waivers renew {each.id}",
    ]


def _text(lines: Sequence[str], width: int) -> str:
    out: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        hang = " " * (indent + 2 if line[indent : indent + 2] in ("✓ ", "✗ ", "! ", "· ") else indent)
        first, *rest = wrap(printable(line), max(min(width, _WIDEST), 40)) or [""]
        out.append(first)
        if rest:
            room = max(min(width, _WIDEST) - len(hang), 20)
            out += [hang + more for more in wrap(" ".join(part.strip() for part in rest), room)]
    return "\n".join(out) + "\n"


# --- for machines


def check_json(report: WaiversReport) -> str:
    review = report.review
    return text(
        {
            "schema": "solon.waivers.check/v1",
            "at": _at(review.now),
            "invalid": [
                {"problem": each.problem, "hint": each.hint, "location": location(each.location)}
                for each in review.problems
            ],
            "expired": [_waiver(report, each) for each in review.expired],
            "expiring": {
                owner: [_waiver(report, each) for each in several]
                for owner, several in by_owner(review.expiring).items()
            },
            "unknown_policies": [
                {"id": each.id, "policy": glob, "location": location(each.location)}
                for each, glob in review.unknown
            ],
            "unused": [
                {
                    "id": each.exemption.id,
                    "since": _at(each.since),
                    "last_matched": _at(each.last) if each.last else None,
                    "location": location(each.exemption.location),
                }
                for each in review.unused
            ],
            "overlapping": [
                {
                    "ids": [each.one.id, each.other.id],
                    "locations": [location(e.location) for e in (each.one, each.other)],
                }
                for each in review.overlapping
            ],
            "summary": _numbers(report),
        }
    )


def list_json(report: WaiversReport, listed: Sequence[Exemption]) -> str:
    return text(
        {
            "schema": "solon.waivers/v1",
            "at": _at(report.review.now),
            "waivers": [_waiver(report, each) for each in listed],
        }
    )


def show_json(report: WaiversReport, each: Exemption, named: Sequence[Policy]) -> str:
    limits = [
        {
            "policy": policy.id,
            "severity": graded(policy.severity),
            "longest_seconds": int(report.rules.longest[graded(policy.severity)].total_seconds()),
            "approvers": approvers_of(policy.id, graded(policy.severity), report.rules.approvers)
            if report.rules.approvers
            else None,
        }
        for policy in named
    ]
    return text({"schema": "solon.waiver/v1", **_waiver(report, each), "limits": limits})


def _waiver(report: WaiversReport, each: Exemption) -> dict[str, Any]:
    waiver = each.waiver
    return {
        "id": each.id,
        "state": each.state(report.review.now).value,
        "policies": list(each.policies),
        "scope": msgspec.to_builtins(waiver.scope),
        "owner": waiver.owner,
        "reason": waiver.reason,
        "ticket": waiver.ticket,
        "approved_by": waiver.approved_by,
        "created": _at(each.created),
        "expires": _at(each.expires),
        "since": _at(each.since),
        "renewals": len(waiver.history),
        "history": msgspec.to_builtins(waiver.history),
        "location": location(each.location),
    }


_COLUMNS: Final = (
    *("id", "state", "policies", "scope", "owner", "reason", "ticket", "approved_by", "created", "expires"),
    *("since", "renewals", "file", "line"),
)


def list_csv(report: WaiversReport, listed: Sequence[Exemption]) -> str:
    out = io.StringIO()
    rows = csv.DictWriter(out, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    for each in listed:
        row = _waiver(report, each)
        row |= {"policies": " ".join(each.policies), "scope": str(each.waiver.scope)}
        row |= {"file": each.location.file, "line": each.location.line}
        rows.writerow({key: _cell(value) for key, value in row.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Safe in a spreadsheet, which takes what begins so for a formula."""
    if isinstance(value, str):
        value = printable(value)
        return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value
    return value


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _numbers(report: WaiversReport) -> dict[str, Any]:
    health = report.review.health
    return {
        "active": health.active,
        "pending": health.pending,
        "expired": health.expired,
        "expiring": health.expiring,
        "renewed": health.renewed,
        "problems": len(report.review.problems),
        "median_age_seconds": int(health.median_age.total_seconds()),
        "oldest_seconds": int(health.oldest.total_seconds()),
        "by_owner": dict(health.by_owner),
    }


def metrics_json(report: WaiversReport) -> str:
    return text({"schema": "solon.waivers.metrics/v1", "at": _at(report.review.now), **_numbers(report)})


def metrics_prometheus(report: WaiversReport) -> str:
    """The text format of Prometheus, such as its node exporter reads from a directory."""
    numbers = _numbers(report)
    soon = period(report.rules.remind_before)
    lines: list[str] = []
    for name, about, samples in (
        (
            "solon_waivers",
            "Waivers by state.",
            {f'{{state="{state}"}}': numbers[state] for state in ("active", "pending", "expired")},
        ),
        ("solon_waivers_expiring", f"Active waivers that expire within {soon}.", {"": numbers["expiring"]}),
        ("solon_waivers_renewed", "Active waivers that were renewed.", {"": numbers["renewed"]}),
        ("solon_waivers_problems", "What is wrong with files of waivers.", {"": numbers["problems"]}),
        (
            "solon_waivers_age_median_seconds",
            "Median age of active waivers, since they were first granted.",
            {"": numbers["median_age_seconds"]},
        ),
        (
            "solon_waivers_age_oldest_seconds",
            "Age of the oldest active waiver, since it was first granted.",
            {"": numbers["oldest_seconds"]},
        ),
        (
            "solon_waivers_by_owner",
            "Active waivers by owner.",
            {f'{{owner="{_label(owner)}"}}': count for owner, count in numbers["by_owner"].items()},
        ),
    ):
        lines += [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
        lines += [f"{name}{labels} {value}" for labels, value in samples.items()]
    return "\n".join(lines) + "\n"


def _label(value: str) -> str:
    return printable(value).replace("\\", r"\\").replace('"', r"\"")
