"""What a report shows: sections of words and tables, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from solon.decisions.audit.assessed import Audit
from solon.report.audit.parts import Answer, View
from solon.report.audit.sections import sections, time, trust
from solon.report.check_report import plural


def view(audit: Audit) -> View:
    mark, verdict, explained = _verdict(audit)
    first, last = audit.start, audit.end - timedelta(microseconds=1)
    facts = [
        ("Log", audit.kept.name),
        ("Period", f"{time(audit.start)} to {time(audit.end)}, which is not in it"),
        ("Asked for", ", ".join(audit.asked) or "everything"),
        ("Made", time(audit.made)),
    ]
    return View(
        title=_title(audit),
        period=f"{first:%-d %B %Y} to {last:%-d %B %Y}",
        mark=mark,
        verdict=verdict,
        explained=explained,
        facts=facts,
        figures=list(_figures(audit)),
        answers=list(_answers(audit)),
        sections=list(sections(audit)),
    )


def _title(audit: Audit) -> str:
    names = [each.name for each in audit.controls]
    if not audit.asked:
        return "All controls" if len(names) != 1 else names[0]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} controls"


def _verdict(audit: Audit) -> tuple[str, str, str]:
    said = (
        "Whether a control is met is for the auditor to say; this says whether the evidence of it is whole."
    )
    if not audit.sound:
        return (
            "bad",
            "The log does not verify",
            "Entries are not those that were signed. Nothing below can be relied on.",
        )
    gaps = [each for each in audit.controls if not each.whole]
    if gaps:
        return "soon", f"The evidence of {plural(len(gaps), 'control')} is not whole", said
    return "good", "The evidence is whole", said


def _figures(audit: Audit) -> Iterator[tuple[str, str, str]]:
    evidence = audit.evidence
    yield f"{sum(evidence.outcomes.values()):,}", "decisions", "coverage"
    yield f"{evidence.counts['denials']:,}", "denials", "denials"
    yield f"{len(evidence.waivers):,}", "waivers used", "waivers"
    yield f"{evidence.counts['breakglass']:,}", "let pass by break-glass", "break-glass"
    yield f"{sum(each.counts for each in evidence.incidents):,}", "incidents", "incidents"
    yield (
        f"{sum(each['open'] for each in evidence.remediation):,}",
        "violations open at the end",
        "violations",
    )


# --- the questions


def _answers(audit: Audit) -> Iterator[Answer]:
    evidence, kept = audit.evidence, audit.kept
    decisions = sum(evidence.outcomes.values())
    policies = {each.policy for each in audit.carriers}
    yield Answer(
        "Which policies carry the control, and were they in force?",
        f"{plural(len(policies), 'policy', 'policies')} in {plural(len({c.policy_set for c in audit.carriers}), 'policy set')}; "
        + (
            "as the log recorded it"
            if audit.recorded
            else "as the repository has them now: the log does not say"
        ),
        "policies",
    )
    yield Answer(
        "Were they asked, and how often?",
        f"{plural(decisions, 'decision')} about {plural(evidence.counts['subjects'], 'subject')}",
        "coverage",
    )
    gaps = [gap for each in audit.controls for gap in each.gaps]
    unusual = {gap for gap in gaps if not gap.expected}
    yield Answer(
        "Was there a time without decisions?",
        "No day, from the first decision on"
        if not gaps
        else f"{plural(len(set(gaps)), 'stretch', 'stretches')} of days, {len(unusual):,} of them unusual",
        "coverage",
    )
    yield Answer(
        "What was denied, and why?",
        f"{plural(evidence.counts['denials'], 'decision')} denied something; each is listed with its reason",
        "denials",
    )
    yield Answer(
        "Which exceptions were planned, who approved them, and when do they end?",
        f"{plural(len(evidence.waivers), 'waiver')}, used in {plural(evidence.counts['waived'], 'decision')}",
        "waivers",
    )
    yield Answer(
        "Which emergencies were let pass?",
        plural(evidence.counts["breakglass"], "decision"),
        "break-glass",
    )
    count = sum(each.counts for each in evidence.incidents)
    rate = f", {1_000 * count / decisions:,.3g} in 1,000 decisions" if decisions and count else ""
    yield Answer("Did policies do harm?", f"{plural(count, 'incident')} marked{rate}", "incidents")
    open_ = sum(each["open"] for each in evidence.remediation)
    fixed = sum(each["fixed"] for each in evidence.remediation)
    yield Answer(
        "What was put right, and what is still wrong?",
        f"{fixed:,} fixed in the period, {open_:,} open at its end",
        "violations",
    )
    yield Answer(
        "What changed in the rules?",
        f"{plural(len(evidence.revisions), 'revision')} of policy sets decided"
        + (f"; {plural(len(audit.changes), 'change')} recorded" if audit.recorded else ""),
        "changes",
    )
    yield Answer("Can I trust this record?", trust(audit), "proof")
    if kept.unsigned:
        yield Answer(
            "Is all of it signed?", f"No: {plural(kept.unsigned, 'entry', 'entries')} not yet", "proof"
        )
