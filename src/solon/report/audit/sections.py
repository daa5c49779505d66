"""The sections of a report, in its order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from solon.decisions.audit.assessed import Audit
from solon.decisions.audit.evidence import ROWS
from solon.governance.times import period
from solon.report.audit.parts import Column, Section, Table
from solon.report.check_report import plural

_PROVEN: Final = (
    "Proven, by the signed checkpoint and the proofs in this pack: that each entry was in the log when that checkpoint was signed, "
    "is as it was appended, and stands in its order; and that the log continues every checkpoint that it was compared with. Not "
    "proven:"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def sections(audit: Audit) -> Iterator[Section]:
    evidence = audit.evidence
    yield _controls(audit)
    yield _policies(audit)
    yield _coverage(audit)
    yield Section(
        "denials",
        "Denials",
        ["What a policy of these controls denied. The extract decisions.csv has all of them, with every decision."],
        [
            Table(
                [Column("Time", "time"), Column("Subject", "code"), Column("Team"), Column("Policies", "code"),
                 Column("Why"), Column("Asked by"), Column("Decision", "code")],
                [
                    [time(row["time"]), row["subject"] or "", row["team"] or "", _lines(row["policies"]),
                     _lines(row["messages"]), row["requested_by"] or "", row["decision_id"]]
                    for row in evidence.denials
                ],
                more=_more(evidence.counts["denials"], "denial"),
            )
        ],
    )  # fmt: skip
    yield _waivers(audit)
    yield _breakglass(audit)
    yield _incidents(audit)
    yield _violations(audit)
    yield _errors(audit)
    yield _changes(audit)
    yield _proof(audit)
    yield Section(
        "limits",
        "What is proven, and what is not",
        [_PROVEN],
        points=audit.limits,
    )


def _controls(audit: Audit) -> Section:
    rows = [
        [
            each.name,
            "whole" if each.whole else "not whole",
            _lines(sorted({carrier.policy for carrier in each.carriers})),
            f"{each.decisions:,}",
            *(f"{each.outcomes.get(word, 0):,}" for word in ("deny", "waived", "overridden", "error")),
            _lines(each.shortcomings),
        ]
        for each in audit.controls
    ]
    columns = [
        Column("Control", "code"),
        Column("Evidence", "state"),
        Column("Policies", "code"),
        Column("Decisions", "number"),
        Column("Denied", "number"),
        Column("Waived", "number"),
        Column("Break-glass", "number"),
        Column("Failed", "number"),
        Column("What is missing"),
    ]
    lead = (
        "A decision counts for a control where a policy set was asked that has a policy of it. The evidence is whole where the "
        "log verifies and is signed, no usual day is without a decision, and the policies were in force and did not fail."
    )
    return Section("controls", "Controls", [lead], [Table(columns, rows, empty="No policy names a control.")])


def _policies(audit: Audit) -> Section:
    rows = []
    for each in audit.carriers:
        outcomes = audit.evidence.policies.get(each.policy, {})
        words = ("deny", "warn", "waived", "overridden", "recorded", "error")
        rows.append(
            [
                each.policy,
                each.title,
                each.severity,
                each.owner,
                _lines(each.controls),
                _lines([each.policy_set, *([each.place] if each.place else [])]),
                _in_force(each.periods),
                ", ".join(f"{outcomes[word]:,} {word}" for word in words if outcomes.get(word)) or "none",
            ]
        )
    source = (
        "From the entries of the log that say what was in force."
        if audit.recorded
        else "The log does not say what was in force, so these are the policies of the repository as it was when this was made."
    )
    columns = [
        Column("Policy", "code"),
        Column("Title"),
        Column("Severity"),
        Column("Owner"),
        Column("Controls", "code"),
        Column("Policy set", "code"),
        Column("In force"),
        Column("Findings"),
    ]
    revisions = [
        [
            row["policy_set"],
            row["revision"] or "",
            time(row["first"]),
            time(row["last"]),
            f"{row['decisions']:,}",
        ]
        for row in audit.evidence.revisions
    ]
    decided = Table(
        [Column("Policy set", "code"), Column("Revision", "code"), Column("First decision", "time"),
         Column("Last decision", "time"), Column("Decisions", "number")],
        revisions[:ROWS],
        title="Revisions that decided",
        empty="No decision names a policy set.",
        more=_more(len(revisions), "revision"),
    )  # fmt: skip
    return Section(
        "policies", "Policies", [source], [Table(columns, rows, empty="No policies are known."), decided]
    )


def _in_force(periods: Sequence[tuple[int, int | None]] | None) -> str:
    if periods is None:
        return "not recorded"
    out = []
    for first, last in periods:
        until = "" if last is None else f" to {_day(last)}"
        out.append(f"from {_day(first)}{until}" if first or until else "")
    return _lines(out) or "at no time"


def _coverage(audit: Audit) -> Section:
    evidence = audit.evidence
    outcomes = [[word, f"{count:,}"] for word, count in evidence.outcomes.items()]
    gaps = sorted(
        {(gap, each.name) for each in audit.controls for gap in each.gaps},
        key=lambda it: (it[0].first, it[1]),
    )
    merged: dict[Any, list[str]] = {}
    for gap, name in gaps:
        merged.setdefault(gap, []).append(name)
    rows = [
        [
            str(gap.first),
            str(gap.last),
            f"{gap.days:,}",
            f"{gap.usual:,.0f}",
            "no" if gap.expected else "yes",
            "all" if len(names) == len(audit.controls) else _lines(names),
        ]
        for gap, names in merged.items()
    ]
    tables = [
        Table([Column("Outcome"), Column("Decisions", "number")], outcomes, title="Decisions", empty="No decisions."),
        Table(
            [Column("First day", "time"), Column("Last day", "time"), Column("Days", "number"),
             Column("Usual decisions", "number"), Column("Unusual"), Column("Controls", "code")],
            rows[:ROWS],
            title="Days without a decision",
            empty="None, from the first decision on.",
            more=_more(len(rows), "stretch", "stretches"),
        ),
    ]  # fmt: skip
    uncovered = [
        [each.place, time(each.first), time(each.last), control.name]
        for control in audit.controls
        for each in control.uncovered or ()
    ]
    if audit.recorded:
        columns = [
            Column("Place", "code"),
            Column("From", "time"),
            Column("To", "time"),
            Column("Control", "code"),
        ]
        tables.append(Table(columns, uncovered, title="Times without a policy of the control in force"))
    lead = (
        "Days in UTC. A day without a decision is unusual where half of such days have some, in weeks with decisions. No policy was "
        "asked then, or nothing was logged: the log cannot tell these apart."
    )
    return Section("coverage", "Coverage", [lead], tables, figure="calendar")


def _waivers(audit: Audit) -> Section:
    rows = [
        [
            each["waiver"],
            _lines(each["policies"]),
            _lines(each["teams"] or ()),
            f"{each['decisions']:,}",
            f"{each['subjects']:,}",
            f"{_day_of(each['first_used'])} to {_day_of(each['last_used'])}",
            _day_of(each["expires"]) or "not said",
            _approved(audit, each["waiver"]),
            each["because"] or "",
        ]
        for each in audit.evidence.waivers
    ]
    columns = [
        Column("Waiver", "code"),
        Column("Policies", "code"),
        Column("Teams"),
        Column("Decisions", "number"),
        Column("Subjects", "number"),
        Column("Used"),
        Column("Ends", "time"),
        Column("Owner and approval"),
        Column("What it says"),
    ]
    lead = "Planned exceptions, as decisions of the period used them; with the end and the words of the newest of these."
    table = Table(columns, rows[:ROWS], more=_more(len(rows), "waiver"))
    return Section("waivers", "Waivers", [lead], [table])


def _approved(audit: Audit, name: str) -> str:
    """As the log recorded the waiver."""
    found = audit.approvals.get(name)
    if found is None:
        return "not recorded"
    said = found.waiver
    return _lines([said.owner, f"approved by {said.approved_by}" if said.approved_by else "", said.ticket])


def _breakglass(audit: Audit) -> Section:
    rows = [
        [
            time(row["time"]),
            row["token"] or "",
            row["subject"] or "",
            row["team"] or "",
            _lines(row["policies"]),
            row["requested_by"] or "",
            row["because"] or "",
            row["decision_id"],
        ]
        for row in audit.evidence.breakglass
    ]
    columns = [
        Column("Time", "time"),
        Column("Token", "code"),
        Column("Subject", "code"),
        Column("Team"),
        Column("Policies", "code"),
        Column("Asked by"),
        Column("What it says"),
        Column("Decision", "code"),
    ]
    tables = [Table(columns, rows, more=_more(audit.evidence.counts["breakglass"], "decision"))]
    if audit.recorded:
        tables.append(_tokens(audit))
    lead = "Emergencies that were let pass although a policy denied."
    return Section("break-glass", "Break-glass", [lead], tables)


def _tokens(audit: Audit) -> Table:
    """The tokens that decisions of the period used."""
    used = sorted({row["token"] for row in audit.evidence.breakglass if row["token"]})
    rows = []
    for name in used:
        opened, closed = audit.tokens.get(name, (None, None))
        rows.append(
            [
                name,
                f"{opened.by}, {time(opened.issued)}" if opened else "not recorded",
                f"{opened.reason} ({opened.ticket})" if opened else "",
                time(opened.expires) if opened else "",
                f"{closed.by}, {time(closed.at)}: {closed.outcome}" if closed else "not reviewed yet",
            ]
        )
    columns = [
        Column("Token", "code"),
        Column("Opened by"),
        Column("Why"),
        Column("Until", "time"),
        Column("Review"),
    ]
    return Table(columns, rows, title="The tokens that were used")


def _incidents(audit: Audit) -> Section:
    rows = [
        [
            each.id,
            each.kind,
            each.state,
            _shown(each.decided),
            _lines(each.policies),
            each.team,
            f"{each.reason} ({each.by}, {_shown(each.at)})",
            f"{each.note} ({each.closed_by}, {_shown(each.closed)})" if each.closed else "",
            each.decision,
        ]
        for each in audit.evidence.incidents
    ]
    columns = [
        Column("Incident", "code"),
        Column("Kind"),
        Column("State"),
        Column("Decided", "time"),
        Column("Policies", "code"),
        Column("Team"),
        Column("What happened"),
        Column("What was done"),
        Column("Decision", "code"),
    ]
    lead = "Denials that should not have been, as people marked them; those that are retracted do not count."
    return Section(
        "incidents", "Incidents", [lead], [Table(columns, rows[:ROWS], more=_more(len(rows), "incident"))]
    )


def _violations(audit: Audit) -> Section:
    rows = [
        [
            each["policy"],
            each["team"],
            f"{each['fixed']:,}",
            _period(each["median"]),
            _period(each["p90"]),
            f"{each['waived']:,}",
            f"{each['open']:,}",
            _period(each["oldest"]),
        ]
        for each in audit.evidence.remediation
    ]
    times = Table(
        [Column("Policy", "code"), Column("Team"), Column("Fixed", "number"), Column("Median", "number"),
         Column("9 of 10 within", "number"), Column("Waived", "number"), Column("Open", "number"), Column("Oldest", "number")],
        rows,
        title="Time to remediate, from first seen to fixed",
    )  # fmt: skip
    open_ = Table(
        [Column("Policy", "code"), Column("Subject", "code"), Column("Team"), Column("State"),
         Column("First seen", "time"), Column("Last seen", "time"), Column("For", "number")],
        [
            [each["policy"], each["subject"], each["team"], each["state"], time(each["opened"]), time(each["last_seen"]),
             _period(each["age"])]
            for each in audit.evidence.open
        ],
        title="There at the end of the period",
        more=_more(sum(each["open"] + each["waived"] for each in audit.evidence.remediation), "violation"),
    )  # fmt: skip
    lead = (
        "A violation is fixed when a later decision of the same gate asked the same policy sets and did not find it. One that a "
        "waiver covers is neither open nor fixed."
    )
    return Section("violations", "Violations", [lead], [times, open_])


def _errors(audit: Audit) -> Section:
    rows = [
        [
            time(row["time"]),
            row["subject"] or "",
            _lines(row["policies"]),
            "let pass" if row["passed"] else "stopped",
            row["posture"] or "",
            _lines(row["messages"]),
            row["decision_id"],
        ]
        for row in audit.evidence.errors
    ]
    columns = [
        Column("Time", "time"),
        Column("Subject", "code"),
        Column("Policies", "code"),
        Column("The change was"),
        Column("Posture"),
        Column("Why"),
        Column("Decision", "code"),
    ]
    table = Table(columns, rows, more=_more(audit.evidence.counts["errors"], "decision"))
    return Section(
        "errors",
        "Policies that failed",
        ["Decisions in which a policy of these controls did not judge."],
        [table],
    )


def _changes(audit: Audit) -> Section:
    if not audit.recorded:
        return Section(
            "changes",
            "Changes of the rules",
            [
                "The log has no entries of activations, rollout steps or waivers: see the revisions that decided, under Policies."
            ],
        )
    rows = [
        [time(row["time"]), row["kind"], row["place"], row["what"], row["by"], row["entry"]]
        for row in audit.changes
    ]
    columns = [
        Column("Time", "time"),
        Column("Kind"),
        Column("Place", "code"),
        Column("What"),
        Column("By"),
        Column("Entry", "code"),
    ]
    lead = "Activations of policy sets, steps of rollouts, waivers and break-glass, as entries of the log."
    return Section(
        "changes",
        "Changes of the rules",
        [lead],
        [Table(columns, rows[:ROWS], more=_more(len(rows), "change"))],
    )


def _proof(audit: Audit) -> Section:
    kept = audit.kept
    shards = [
        [
            name,
            f"{entries:,}",
            f"{signed.size:,}" if signed else "0",
            f"{entries - (signed.size if signed else 0):,}",
        ]
        for name, entries, signed in kept.shards
    ]
    witnesses = [
        [
            each.witness,
            f"{each.size:,}",
            _us(each.sent_ns // 1_000) if each.sent_ns else "never",
            each.problem,
        ]
        for each in kept.witnesses
    ]
    problems = [[str(each)] for each in (kept.verified.problems if kept.verified else [])]
    tables = [
        Table(
            [
                Column("Shard", "code"),
                Column("Entries", "number"),
                Column("Signed", "number"),
                Column("Not signed", "number"),
            ],
            shards,
            title="Entries",
        ),
        Table(
            [
                Column("Witness", "code"),
                Column("Has checkpoints", "number"),
                Column("Since", "time"),
                Column("Problem"),
            ],
            witnesses,
            title="Witnesses",
            empty="None: nothing that the operator cannot change has a checkpoint of this log.",
        ),
    ]
    if problems:
        tables.insert(
            0,
            Table(
                [Column("Problem")],
                problems[:ROWS],
                title="What is wrong",
                more=_more(len(problems), "problem"),
            ),
        )
    texts = [("Public key", f"{kept.key}\n")]
    if kept.meta is not None:
        texts.append((f"Checkpoint of all shards, at {kept.meta.size:,}", kept.meta.text))
    texts.append(("To verify it", commands(audit)))
    return Section("proof", "Proof", [f"{trust(audit)}."], tables, texts=texts)


def commands(audit: Audit) -> str:
    """What to run, in the directory of the pack. ``LOG`` is the log, or a copy of it."""
    again = " ".join(
        [
            *(f"--control '{each}'" for each in audit.asked),
            f"--from {_stamp(audit.start)}",
            f"--to {_stamp(audit.end)}",
        ]
    )
    return (
        "# The files of this pack are as they were made:\n"
        "sha256sum --check SHA256SUMS\n"
        "# Each entry in proofs/ is in the log, as it was logged. This needs the public key, and no log:\n"
        'for file in proofs/*.tlog-proof; do solon log verify --proof "$file" --key log.pub || break; done\n'
        "# The log is whole, and continues the checkpoint of this pack:\n"
        "solon log verify --log LOG --key log.pub --checkpoint checkpoints/meta.txt\n"
        "# Any other decision, chosen by you from decisions.csv:\n"
        "solon log prove DECISION_ID --log LOG\n"
        "# This report again:\n"
        f"solon log report --log LOG {again} --output again\n"
    )


def trust(audit: Audit) -> str:
    kept = audit.kept
    if kept.verified is None:
        return "It was not verified when this was made"
    if kept.verified.problems:
        return f"No: {plural(len(kept.verified.problems), 'problem')}"
    outside = len([each for each in kept.witnesses if each.size]) + kept.compared
    held = (
        f", and {plural(outside, 'checkpoint')} held elsewhere"
        if outside
        else "; no checkpoint of it is held elsewhere"
    )
    return f"All {kept.verified.entries:,} entries are those that were signed{held}"


# --- words


def _lines(values: Sequence[str]) -> str:
    return "\n".join(each for each in values if each)


def _more(count: int, one: str, many: str = "") -> str:
    left = count - ROWS
    return f"and {plural(left, one, many)} more, in decisions.csv" if left > 0 else ""


def time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _shown(text: str) -> str:
    """RFC 3339 as it is shown here."""
    return text[:16].replace("T", " ")


def _day_of(at: datetime | date | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


def _us(us: int) -> str:
    return time(_EPOCH + timedelta(microseconds=us))


def _day(us: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=us):%Y-%m-%d}"


def _period(seconds: float | None) -> str:
    return "" if seconds is None else period(timedelta(seconds=seconds))
