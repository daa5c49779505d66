"""What a replay of the log came to: for people, as JSON, as Markdown, and row by row as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from solon.decisions.record import rfc3339
from solon.decisions.replay.comparison import Kind, Shift
from solon.decisions.replay.tally import Changed, Counts, PolicyCounts, Tally
from solon.report import query_report
from solon.report.check_report import plural
from solon.report.json import text as json_text
from solon.report.markdown import escape
from solon.report.text import printable

SCHEMA: Final = "solon.log-replay/v1"
_SHOWN: Final = 40  # rows of a table for people
_SIGNS: Final = {Kind.DENIED: "✗", Kind.FAILS: "!", Kind.ALLOWED: "✓"}
_NOBODY: Final = "(no team)"


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """``candidate`` are its paths, ``revisions`` are by policy set; ``as_of`` and ``which`` are in words.

    ``surroundings`` are what policies read that the log does not have, by policy. ``shown`` is how many decisions of
    each kind are told of.
    """

    tally: Tally
    candidate: Sequence[str]
    revisions: Mapping[str, str]
    as_of: str
    judged: int
    erased: int = 0
    which: str = ""
    shown: int = 5
    surroundings: Mapping[str, frozenset[str]] = field(default_factory=dict)
    has_inventory: bool = False
    unnamed: Sequence[str] = ()


# --- rows of both tables, the largest first


def _policies(tally: Tally) -> list[tuple[str, PolicyCounts]]:
    def weight(row: tuple[str, PolicyCounts]) -> tuple[Any, ...]:
        name, found = row
        return (-found.denied, -found.fails, -found.allowed, -found.found, -found.gone, name)

    return sorted(tally.policies.items(), key=weight)


def _teams(tally: Tally) -> list[tuple[str, Counts]]:
    def weight(row: tuple[str, Counts]) -> tuple[Any, ...]:
        name, found = row
        stopped = found.kinds[Kind.DENIED] + found.kinds[Kind.FAILS]
        return (-stopped, -found.kinds[Kind.ALLOWED], -found.kinds[Kind.WARNED], name)

    changed = ((name, each) for name, each in tally.teams.items() if set(each.kinds) - {Kind.SAME})
    return sorted(changed, key=weight)


_POLICY_COLUMNS: Final = (
    "policy", "newly denied", "newly allowed", "subjects", "teams", "newly found", "no longer found", "because",
)  # fmt: skip
_TEAM_COLUMNS: Final = ("team", "newly denied", "subjects", "newly allowed", "newly warned", "newly fails")


def _policy_rows(tally: Tally) -> list[list[Any]]:
    return [
        [
            name,
            found.denied + found.fails,
            found.allowed,
            len(found.subjects),
            len(found.teams),
            found.found,
            found.gone,
            ", ".join(f"{cause} {count:,}" for cause, count in sorted(found.causes.items())),
        ]
        for name, found in _policies(tally)
    ]


def _team_rows(tally: Tally) -> list[list[Any]]:
    return [
        [
            name or _NOBODY,
            found.kinds[Kind.DENIED],
            len(found.stopped),
            found.kinds[Kind.ALLOWED],
            found.kinds[Kind.WARNED],
            found.kinds[Kind.FAILS],
        ]
        for name, found in _teams(tally)
    ]


# --- for people


def table(report: ReplayReport, *, width: int) -> str:
    tally = report.tally
    lines = [printable(_heading(report))]
    lines += [f"  {printable(name)}  {_short(revision)}" for name, revision in report.revisions.items()]
    lines += ["", *(f"  {line}" for line in _summary(tally))]
    for title, columns, rows in (
        ("By policy", _POLICY_COLUMNS, _policy_rows(tally)),
        ("By team", _TEAM_COLUMNS, _team_rows(tally)),
    ):
        if rows:
            lines += ["", title]
            text = "".join(query_report.render("table", columns, rows[:_SHOWN], width=width - 2))
            lines += [f"  {line}" for line in text.splitlines()]
            if len(rows) > _SHOWN:
                lines.append(f"  and {len(rows) - _SHOWN:,} more: --format json has all")
    for kind in Kind:
        lines += _examples(report, kind)
    notes = _notes(report)
    if notes:
        lines += ["", "Notes", *(f"  {printable(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def _heading(report: ReplayReport) -> str:
    tally = report.tally
    when = f" of {_day(tally.first_ns)} to {_day(tally.last_ns)}" if tally.compared else ""
    return (
        f"{plural(tally.decisions, 'decision')}{report.which}{when}, "
        f"{plural(report.judged, 'different input')}, judged {report.as_of} by "
        f"{', '.join(report.candidate)}"
    )


def _summary(tally: Tally) -> Iterator[str]:
    rows: list[tuple[int, str]] = []
    total = tally.total
    words = {
        Kind.DENIED: f"newly denied{_subjects(total.stopped) if not tally.of_kind(Kind.FAILS) else ''}",
        Kind.FAILS: "newly fail: a policy cannot judge them",
        Kind.ALLOWED: f"newly allowed{_subjects(total.allowed)}",
    }
    for kind in Kind:
        if kind in {Kind.OTHER, Kind.SAME}:
            continue
        if tally.of_kind(kind) or kind in {Kind.DENIED, Kind.ALLOWED}:
            rows.append((tally.of_kind(kind), words.get(kind, kind.value)))
    same = tally.of_kind(Kind.SAME) + tally.of_kind(Kind.OTHER)
    other = tally.of_kind(Kind.OTHER)
    rows.append((same, "as before" + (f", {other:,} of them with other findings" if other else "")))
    undone = sum(tally.undone.values())
    if undone:
        rows.append((undone, "not judged"))
    wide = max(len(f"{count:,}") for count, _ in rows)
    for count, word in rows:
        yield f"{count:>{wide},} {word}"


def _subjects(uris: set[str]) -> str:
    return f", {plural(len(uris), 'subject')}" if uris else ""


def _examples(report: ReplayReport, kind: Kind) -> list[str]:
    if kind is Kind.SAME or (kind is Kind.OTHER and not report.tally.unexplained):
        return []
    found = report.tally.kept([kind])[: report.shown or None]
    if not found:
        return []
    lines = ["", kind.value.capitalize()]
    for each in found:
        where = f" in {each.namespace}" if each.namespace else ""
        team = f" · {each.team}" if each.team else ""
        doubt = f" · depends on {', '.join(each.depends)}" if each.depends else ""
        doubt += " · unexplained" if each.unexplained else ""
        lines.append(
            printable(
                f"  {_SIGNS.get(kind, '·')} {each.name or each.uri or '?'}{where}{team} · {each.was or 'no outcome'} on "
                f"{_day(each.time_ns)} · {each.id}{doubt}"
            )
        )
        lines += [printable(f"      {shift.policy}  {_shift(shift)}") for shift in each.telling[:3]]
        if len(each.telling) > 3:
            lines.append(f"      and {len(each.telling) - 3} more policies")
    more = report.tally.of_kind(kind) - len(found)
    if more:
        lines.append(f"  and {more:,} more decisions: --format csv has all")
    return lines


def _shift(shift: Shift) -> str:
    change = f"{shift.was or 'nothing'} → {shift.now or 'nothing'}"
    return f"{change}: {shift.message}" if shift.message else change


def _notes(report: ReplayReport) -> list[str]:
    tally = report.tally
    out = [
        f"{plural(count, 'decision')} not judged: {why} ({_first(tally.undone_ids[why], count)})"
        for why, count in sorted(tally.undone.items())
    ]
    if report.erased:
        out.append(
            f"{plural(report.erased, 'decision')} of that time {'is' if report.erased == 1 else 'are'} erased, "
            "and cannot be judged again"
        )
    if tally.masked:
        out.append(
            f"{plural(tally.masked, 'decision')} had values that are masked in the log; "
            + (
                f"{tally.on_masked:,} of the changes depend on them"
                if tally.on_masked
                else "no change depends on them"
            )
        )
    by_read: dict[str, list[str]] = {}
    for policy, read in report.surroundings.items():
        for name in read:
            by_read.setdefault(name, []).append(policy)
    if "inventory" in by_read:
        given = (
            "was judged with what --inventory gave" if report.has_inventory else "give one with --inventory"
        )
        out.append(f"data.inventory is not in the log ({given}); it is read by {_some(by_read['inventory'])}")
    if "plan" in by_read:
        out.append(f"data.plan is not in the event of a resource; it is read by {_some(by_read['plan'])}")
    if report.unnamed:
        out.append(
            f"in no rollout, so only recorded (--no-programme judges by what they ask for): {_some(report.unnamed)}"
        )
    if tally.same_revision:
        out.append(
            f"{plural(tally.same_revision, 'decision')} had these very revisions: "
            + (
                f"{tally.unexplained:,} of them came out differently, and nothing that is known explains it"
                if tally.unexplained
                else "what came out differently is explained by stages, waivers, break-glass, or what the log lacks"
            )
        )
    return out


def _first(ids: Sequence[str], count: int) -> str:
    return ", ".join(each or "no id" for each in ids) + (", …" if count > len(ids) else "")


def _some(names: Sequence[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")


def _day(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%d}"


def _short(revision: str) -> str:
    return printable(revision[:19])


# --- for machines


def json(report: ReplayReport) -> str:
    tally = report.tally
    return json_text(
        {
            "schema": SCHEMA,
            "candidate": list(report.candidate),
            "revisions": dict(report.revisions),
            "as_of": report.as_of,
            "decisions": tally.decisions,
            "inputs": report.judged,
            "judged": tally.compared,
            "first": rfc3339(tally.first_ns) if tally.compared else None,
            "last": rfc3339(tally.last_ns) if tally.compared else None,
            "changes": {_key(kind): tally.of_kind(kind) for kind in Kind},
            "not_judged": dict(sorted(tally.undone.items())),
            "not_judged_examples": dict(sorted(tally.undone_ids.items())),
            "erased": report.erased,
            "masked": tally.masked,
            "depends_on_masked": tally.on_masked,
            "same_revision": tally.same_revision,
            "unexplained": tally.unexplained,
            "reads_what_is_not_in_the_log": {
                name: sorted(read) for name, read in sorted(report.surroundings.items())
            },
            "in_no_rollout": sorted(report.unnamed),
            "policies": [_policy_json(name, found) for name, found in _policies(tally)],
            "teams": [
                {
                    "team": name,
                    **{_key(kind): found.kinds[kind] for kind in Kind},
                    "subjects_stopped": len(found.stopped),
                    "subjects_allowed": len(found.allowed),
                    "doubtful": found.doubtful,
                }
                for name, found in _teams(tally)
            ],
            "examples": [_changed_json(each) for each in tally.kept()],
        }
    )


def _key(kind: Kind) -> str:
    return kind.value.replace(" ", "_")


def _policy_json(name: str, found: PolicyCounts) -> dict[str, Any]:
    return {
        "policy": name,
        "newly_denied": found.denied,
        "newly_fails": found.fails,
        "newly_allowed": found.allowed,
        "newly_found": found.found,
        "no_longer_found": found.gone,
        "subjects": len(found.subjects),
        "teams": sorted(found.teams),
        "causes": {str(cause): count for cause, count in sorted(found.causes.items())},
    }


def _changed_json(each: Changed) -> dict[str, Any]:
    return {
        "change": _key(each.kind),
        "decision_id": each.id,
        "time": rfc3339(each.time_ns),
        "subject": each.uri,
        "name": each.name,
        "namespace": each.namespace,
        "team": each.team,
        "was": each.was,
        "now": each.now,
        "depends_on": list(each.depends),
        "unexplained": each.unexplained,
        "policies": [
            {
                "policy": shift.policy,
                "was": shift.was,
                "now": shift.now,
                "cause": str(shift.cause),
                "message": shift.message,
            }
            for shift in each.shifts
        ],
    }


CSV_COLUMNS: Final = (
    "change", "time", "decision_id", "subject", "namespace", "team", "was", "now", "policies", "message",
    "depends_on",
)  # fmt: skip


def csv_row(each: Changed) -> list[Any]:
    telling = each.telling or list(each.shifts)
    return [
        each.kind.value,
        rfc3339(each.time_ns),
        each.id,
        each.uri,
        each.namespace,
        each.team,
        each.was,
        each.now,
        [shift.policy for shift in telling],
        next((shift.message for shift in telling if shift.message), ""),
        list(each.depends),
    ]


def csv_text(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a spreadsheet can read them, and take none for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([query_report.cell(value) for value in row] for row in rows)
    return out.getvalue()


def markdown(report: ReplayReport) -> str:
    tally = report.tally
    lines = [f"**{_cell(_heading(report))}**", ""]
    lines += [f"- {line.strip()}" for line in _summary(tally)]
    for title, columns, rows in (
        ("By policy", _POLICY_COLUMNS, _policy_rows(tally)),
        ("By team", _TEAM_COLUMNS, _team_rows(tally)),
    ):
        if rows:
            lines += ["", f"### {title}", "", f"| {' | '.join(columns)} |"]
            lines.append(f"|{'|'.join('---' if at == 0 else '--:' for at in range(len(columns)))}|")
            lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows[:_SHOWN]]
            if len(rows) > _SHOWN:
                lines += ["", f"And {len(rows) - _SHOWN:,} more."]
    stopped = tally.kept([Kind.DENIED, Kind.FAILS])[: report.shown or None]
    if stopped:
        lines += ["", "### Newly denied", ""]
        for each in stopped:
            because = "; ".join(f"{_cell(s.policy)}: {_cell(s.message)}" for s in each.telling[:3])
            lines.append(f"- {_cell(each.name or each.uri)} ({_cell(each.team or _NOBODY)}): {because}")
    notes = _notes(report)
    if notes:
        lines += ["", "### Notes", "", *(f"- {_cell(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


RENDERERS: Final = {"json": json, "markdown": markdown}
