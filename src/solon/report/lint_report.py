"""What lint has to say, as text for people, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from solon import __version__
from solon.governance.changes import Changes
from solon.lang.remark import Remark
from solon.lang.source import Diagnostic, render
from solon.report import changes_report
from solon.report.github import command
from solon.report.json import text
from solon.report.sarif import SCHEMA, place
from solon.report.text import printable_lines
from solon.subjects.subject import Location

FORMATS: Final = ("table", "json", "github", "sarif")


@dataclass(frozen=True, slots=True)
class LintReport:
    """``rules`` says of each code what it is about; ``sources`` are the texts by file.

    ``changes`` are those since a base, where somebody asked.
    """

    remarks: Sequence[Remark]
    files: int
    rules: Mapping[str, str]
    sources: Mapping[str, str]
    changes: Changes | None = None

    @property
    def summary(self) -> str:
        errors = sum(remark.severity == "error" for remark in self.remarks)
        warnings = len(self.remarks) - errors
        found = ", ".join(
            f"{count} {word}{'s' * (count != 1)}"
            for count, word in ((errors, "error"), (warnings, "warning"))
            if count
        )
        return f"{self.files} file{'s' * (self.files != 1)}: {found or 'nothing to say'}"


def show(report: LintReport, name: str) -> str:
    return {"table": _table, "json": _json, "github": _github, "sarif": _sarif}[name](report)


def _table(report: LintReport) -> str:
    shown = [
        printable_lines(render(_with_severity(remark), report.sources.get(remark.diagnostic.span.file)))
        for remark in report.remarks
    ]
    changes = [changes_report.table(report.changes)] if report.changes is not None else []
    return "\n\n".join([*shown, *changes, report.summary]) + "\n"


def _with_severity(remark: Remark) -> Diagnostic:
    return replace(remark.diagnostic, code=f"{remark.severity} {remark.diagnostic.code}")


def _json(report: LintReport) -> str:
    remarks = [
        {
            "code": remark.diagnostic.code,
            "severity": remark.severity,
            "message": remark.diagnostic.message,
            "hint": remark.diagnostic.hint,
            "location": {
                "file": remark.diagnostic.span.file,
                "line": remark.diagnostic.span.row,
                "column": remark.diagnostic.span.column,
            },
        }
        for remark in report.remarks
    ]
    errors = sum(remark.severity == "error" for remark in report.remarks)
    summary = {"files": report.files, "errors": errors, "warnings": len(remarks) - errors}
    said: dict[str, Any] = {"schema": "solon.lint/v1", "remarks": remarks, "summary": summary}
    if report.changes is not None:
        said["changes"] = changes_report.document(report.changes)
    return text(said)


def _github(report: LintReport) -> str:
    lines = [
        command(
            remark.severity, _location(remark.diagnostic), remark.diagnostic.code, _said(remark.diagnostic)
        )
        for remark in report.remarks
    ]
    if report.changes is not None:
        lines += changes_report.notices(report.changes)
    return "\n".join([*lines, report.summary]) + "\n"


def _sarif(report: LintReport) -> str:
    about = {**report.rules, **(changes_report.RULES if report.changes is not None else {})}
    codes = list(dict.fromkeys([*about, *(r.diagnostic.code for r in report.remarks)]))
    rules = [{"id": code, "shortDescription": {"text": about.get(code, code)}} for code in codes]
    results: list[dict[str, Any]] = [
        {
            "ruleId": remark.diagnostic.code,
            "ruleIndex": codes.index(remark.diagnostic.code),
            "level": remark.severity,
            "message": {"text": _said(remark.diagnostic)},
            "locations": [place(_location(remark.diagnostic))],
        }
        for remark in report.remarks
    ]
    results += [
        {
            "ruleId": changes_report.rule_of(change),
            "ruleIndex": codes.index(changes_report.rule_of(change)),
            "level": "note",
            "message": {"text": "\n".join(changes_report.told(change))},
            "locations": [place(change.location)],
            "properties": changes_report.properties(change),
        }
        for change in (report.changes.policies if report.changes is not None else ())
    ]
    driver = {"name": "Solon", "semanticVersion": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _location(diagnostic: Diagnostic) -> Location:
    return Location(diagnostic.span.file, diagnostic.span.row, diagnostic.span.column)


def _said(diagnostic: Diagnostic) -> str:
    message = printable_lines(diagnostic.message)
    return f"{message}\nFix: {printable_lines(diagnostic.hint)}" if diagnostic.hint else message
