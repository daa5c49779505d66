"""The result of a Terraform run task: one outcome for each policy, as HCP Terraform shows them.

(HashiCorp, "Run tasks integration API": a message of 1,000 characters, 1 to 250 outcomes, bodies in Markdown.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.decisions.decision import Decision
from solon.frameworks.policy import Finding, Policy
from solon.report.check_report import CheckReport, Shown, plural, shown, summary, why
from solon.report.markdown import code, escape, paragraph
from solon.report.text import printable

MESSAGE: Final = 1_000  # characters
URL: Final = 500
OUTCOMES: Final = 250
_BODY: Final = 900_000  # characters of all bodies together
_ONE: Final = 100_000  # of one
_LEVELS: Final = {
    Shown.ERROR: ("Error", "error"),
    Shown.DENY: ("Failed", "error"),
    Shown.OVERRIDDEN: ("Overridden", "warning"),
    Shown.WARN: ("Warning", "warning"),
    Shown.WAIVED: ("Waived", "info"),
    Shown.RECORDED: ("Recorded", "info"),
}
_GRAVITY: Final = {"low": "info", "medium": "warning", "high": "error", "critical": "error"}


@dataclass(slots=True)
class _Row:
    """What is said of one policy, the gravest first."""

    policy: Policy
    findings: list[tuple[Shown, Finding, Decision]] = field(default_factory=list)


def failed(report: CheckReport, *, is_open: bool) -> bool:
    """Whether the run must not go on. ``is_open``: what could not be judged lets it."""
    if report.counts.denied:
        return True
    unjudged = report.unreadable or report.programme_problems or any(d.errors for d in report.decisions)
    return bool(unjudged) and not is_open


def render(report: CheckReport, *, is_open: bool, with_outcomes: bool, url: str = "") -> dict[str, Any]:
    """The document of the PATCH that ends a task."""
    status = "failed" if failed(report, is_open=is_open) else "passed"
    outcomes = list(_outcomes(report)) if with_outcomes else []
    return document(status, _message(report, is_open=is_open), outcomes, url)


def document(status: str, message: str, outcomes: Sequence[Any] = (), url: str = "") -> dict[str, Any]:
    """``status`` is running, passed or failed."""
    attributes = {"status": status, "message": _cut(printable(message), MESSAGE)}
    if url and len(url) <= URL:
        attributes["url"] = url
    data: dict[str, Any] = {"type": "task-results", "attributes": attributes}
    if outcomes:
        data["relationships"] = {"outcomes": {"data": list(outcomes)}}
    return {"data": data}


def _message(report: CheckReport, *, is_open: bool) -> str:
    counts = report.counts
    text = summary(report)
    if problems := [*report.programme_problems, *report.unreadable]:
        text = f"{problems[0]} · {text}"
    if counts.denied or not (counts.errors or problems):
        return text
    return f"Not everything could be judged, and {'still it passes' if is_open else 'so it fails'}: {text}"


def _outcomes(report: CheckReport) -> Iterator[dict[str, Any]]:
    rows = _rows(report)
    order = list(Shown)
    violated = sorted((row for row in rows if row.findings), key=lambda row: order.index(row.findings[0][0]))
    clean = [row for row in rows if not row.findings]
    room = _BODY
    for number, row in enumerate(violated):
        if number == OUTCOMES - 1 and len(violated) > OUTCOMES:
            yield _more(violated[number:])
            return
        outcome = _outcome(row, min(_ONE, room))
        room -= len(outcome["attributes"]["body"])
        yield outcome
    if report.unreadable or report.programme_problems:
        return  # what was not judged has passed nothing
    for row in clean[: max(OUTCOMES - len(violated), 0)]:
        yield _wrapped(
            row.policy.id,
            row.policy.title or row.policy.id,
            {"Status": [{"label": "Passed", "level": "none"}]},
            "",
        )


def _rows(report: CheckReport) -> list[_Row]:
    """A row for each policy, also those that have nothing to say; policies of one id are one."""
    rows: dict[str, _Row] = {}
    for policy in report.policies:
        rows.setdefault(policy.id, _Row(policy))
    for decision in report.decisions:
        for word, finding in shown(decision):
            rows.setdefault(finding.policy.id, _Row(finding.policy)).findings.append(
                (word, finding, decision)
            )
    order = list(Shown)
    for row in rows.values():
        row.findings.sort(key=lambda each: order.index(each[0]))
    return list(rows.values())


def _outcome(row: _Row, room: int) -> dict[str, Any]:
    label, level = _LEVELS[row.findings[0][0]]
    tags: dict[str, Any] = {"Status": [{"label": label, "level": level}]}
    severity = row.findings[0][1].severity
    if severity:
        tags["Severity"] = [{"label": severity.capitalize(), "level": _GRAVITY.get(severity, "info")}]
    if row.policy.controls:
        tags["Controls"] = [{"label": control} for control in row.policy.controls[:10]]
    subjects = len({decision.subject.uri for _, _, decision in row.findings})
    first = row.findings[0][1].message
    description = f"{row.policy.title or row.policy.id}: {plural(subjects, 'resource')}"
    if subjects == 1:
        description = f"{row.findings[0][2].subject.name}: {first}"
    return _wrapped(row.policy.id, description, tags, _body(row, room))


def _body(row: _Row, room: int) -> str:
    text = f"{paragraph(row.policy.description)}\n\n" if row.policy.description else ""
    for number, (word, finding, decision) in enumerate(row.findings):
        lines = [f"- **{word}** {code(decision.subject.name)}: {paragraph(finding.message)}"]
        if reason := why(finding):
            lines.append(f"  <i>{escape(reason[:1].upper() + reason[1:])}</i>")
        if finding.remediation and not finding.excepted:
            lines.append(f"  <b>Fix:</b> {paragraph(finding.remediation)}")
        item = "<br>\n".join(lines) + "\n"
        if len(text) + len(item) > room - 100:
            return text + f"- {plural(len(row.findings) - number, 'more finding')}, in the decision log\n"
        text += item
    return text


def _more(rows: Sequence[_Row]) -> dict[str, Any]:
    """The policies that there is no room for, as one outcome of the gravest of them."""
    label, level = _LEVELS[rows[0].findings[0][0]]
    return _wrapped(
        "more",
        f"{plural(len(rows), 'more policy', 'more policies')} with findings, in the decision log",
        {"Status": [{"label": label, "level": level}]},
        "".join(f"- {code(row.policy.id)}\n" for row in rows[:1_000]),
    )


def _wrapped(identity: str, description: str, tags: dict[str, Any], body: str) -> dict[str, Any]:
    return {
        "type": "task-result-outcomes",
        "attributes": {
            "outcome-id": _cut(printable(identity), 250),
            "description": _cut(printable(description), 500),
            "tags": tags,
            "body": body,
        },
    }


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
