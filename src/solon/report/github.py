"""Workflow commands: GitHub Actions shows them beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.frameworks.policy import Finding
from solon.report.check_report import CheckReport, Shown, shown, summary, why
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Location, Unreadable

_COMMANDS: Final = {
    Shown.ERROR: "error",
    Shown.DENY: "error",
    Shown.OVERRIDDEN: "warning",
    Shown.WARN: "warning",
    Shown.WAIVED: "notice",
    Shown.RECORDED: "notice",
}
_ORDER: Final = (Shown.DENY, Shown.ERROR, Shown.OVERRIDDEN, Shown.WARN, Shown.WAIVED, Shown.RECORDED)


def render(report: CheckReport) -> str:
    """The gravest findings come first: GitHub shows ten annotations of a kind for each step."""
    lines = [*map(_problem, report.unreadable), *map(_programme_problem, report.programme_problems)]
    found = [entry for decision in report.decisions for entry in shown(decision)]
    for wanted in _ORDER:
        lines += [_annotation(word, finding) for word, finding in found if word is wanted]
    return "\n".join([*lines, summary(report), *report.notes]) + "\n"


def _annotation(word: Shown, finding: Finding) -> str:
    message = f"{finding.subject.name}: {finding.message}"
    if why(finding):
        message += f" ({why(finding)})"
    if finding.remediation and not finding.excepted:
        message += f"\nFix: {finding.remediation}"
    title = f"{finding.policy.id} ({word})"
    return command(_COMMANDS[word], finding.location, title, message)


def _problem(problem: Unreadable) -> str:
    return command("error", problem.location, "could not be read", _sentence(problem))


def _programme_problem(problem: Unreadable) -> str:
    return command("error", problem.location, "the programme is wrong here", _sentence(problem))


def _sentence(problem: Unreadable) -> str:
    return problem.problem + (f"\nFix: {problem.hint}" if problem.hint else "")


def command(name: str, location: Location, title: str, message: str) -> str:
    properties = ",".join(f"{key}={_property(value)}" for key, value in _properties(location, title))
    return f"::{name} {properties}::{_data(printable_lines(message))}"


def _properties(location: Location, title: str) -> Iterator[tuple[str, str]]:
    yield "file", location.file
    if location.line:
        yield "line", str(location.line)
    if location.column:
        yield "col", str(location.column)
    yield "title", title


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
