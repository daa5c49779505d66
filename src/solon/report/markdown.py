"""A pull request comment: what is wrong in a table, the fixes in sections that open.

Never longer than GitHub takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from solon.decisions.decision import Decision, Outcome
from solon.frameworks.policy import Finding
from solon.report.check_report import CheckReport, Shown, by_gravity, plural, shown, summary, why
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Unreadable

LIMIT: Final = 65_536  # characters in a comment on GitHub
_ROWS: Final = 25
_RESERVE: Final = 400  # what the note on left out subjects takes
_LONGEST: Final = 2_000  # characters of one message
_ICONS: Final = {
    Outcome.DENY: "❌ denied",
    Outcome.ERROR: "❗ error",
    Outcome.WARN: "⚠️ warned",
    Outcome.ALLOW: "✅ allowed",
}
# Everything that means something in Markdown or HTML, in a table or not, is written as an entity.
_SPECIAL: Final = re.compile(r"[&<>`*_\[\]|\\~$]")
# What begins a list or a heading at the start of a line.
_MARKER: Final = re.compile(r"^[-+=#\d]")
# People and issues are not to be called by a message: an empty character keeps the mark from its name.
_MENTION: Final = re.compile(r"[@#](?=\w)")


def render(report: CheckReport, limit: int = LIMIT) -> str:
    listed = by_gravity([decision for decision in report.decisions if decision.findings])
    head = [f"## Solon: {_verdict(report)}", "", escape(summary(report)), ""]
    head += [line for note in report.notes for line in (escape(note), "")]
    head += _problems("Inputs that could not be read", report.unreadable)
    head += _problems("Programme files that are wrong", report.programme_problems)
    if listed:
        head += ["| | Subject | Findings | Where |", "|---|---|--:|---|", *map(_row, listed[:_ROWS])]
        if len(listed) > _ROWS:
            head.append(f"| | _{plural(len(listed) - _ROWS, 'more subject')} below_ | | |")
        head.append("")
    text = "\n".join(head) + "\n"
    for number, decision in enumerate(listed):
        section = _section(decision)
        if len(text) + len(section) > limit - _RESERVE:
            return text + _left_out(listed[number:])
        text += section
    return text


def _verdict(report: CheckReport) -> str:
    counts = report.counts
    if counts.denied:
        return f"❌ {counts.denied} denied"
    if counts.errors or counts.unreadable:
        return "❗ not everything could be judged"
    if counts.warned:
        return f"⚠️ {counts.warned} warned"
    return "✅ nothing denied" if counts.subjects else "nothing was judged"


def _row(decision: Decision) -> str:
    place = code(str(decision.subject.location))
    name = escape(_cut(decision.subject.name, 200))
    return f"| {_ICONS[decision.outcome]} | **{name}** | {len(decision.findings)} | {place} |"


def _section(decision: Decision) -> str:
    subject = decision.subject
    name = escape(_cut(subject.name, 200))
    title = f"<b>{name}</b> · {escape(subject.kind)} · {code(str(subject.location))}"
    lines = ["<details>", f"<summary>{_ICONS[decision.outcome]} {title}</summary>", ""]
    for word, finding in shown(decision):
        lines += _finding(word, finding)
    return "\n".join([*lines, "", "</details>", ""]) + "\n"


def _finding(word: Shown, finding: Finding) -> list[str]:
    severity = f" ({escape(finding.severity)})" if finding.severity else ""
    lines = [f"- **{word}** {code(finding.policy.id)}{severity} at {code(str(finding.location))}<br>"]
    lines.append(f"  {paragraph(finding.message)}")
    reason = why(finding)
    if reason:
        lines[-1] += f"<br>\n  <i>{escape(reason[:1].upper() + reason[1:])}</i>"
    if finding.remediation and not finding.excepted:
        lines[-1] += f"<br>\n  <b>Fix:</b> {paragraph(finding.remediation)}"
    return lines


def _problems(title: str, problems: Sequence[Unreadable]) -> list[str]:
    if not problems:
        return []
    lines = [f"**{title}**", ""]
    for problem in problems[:_ROWS]:
        hint = f"<br>\n  <b>Fix:</b> {paragraph(problem.hint)}" if problem.hint else ""
        lines.append(f"- {code(str(problem.location))}: {paragraph(problem.problem)}{hint}")
    if len(problems) > _ROWS:
        lines.append(f"- _{len(problems) - _ROWS} more_")
    return [*lines, ""]


def _left_out(decisions: Sequence[Decision]) -> str:
    findings = sum(len(decision.findings) for decision in decisions)
    return (
        f"**{plural(len(decisions), 'more subject')} with {plural(findings, 'finding')}** would make this "
        "comment too long. All of them: `solon check --format table`.\n"
    )


def escape(text: str) -> str:
    """The text in one line, as Markdown and HTML that show it as it is."""
    alone = _MENTION.sub(lambda match: match.group() + "\u200b", printable(text))
    return _SPECIAL.sub(_entity, alone)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def code(text: str) -> str:
    return f"<code>{escape(_cut(text, 300))}</code>"


def paragraph(text: str) -> str:
    shown_text = "<br>".join(escape(line) for line in _cut(printable_lines(text), _LONGEST).split("\n"))
    return _MARKER.sub(_entity, shown_text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"
