"""The report as Markdown, for a repository or a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from solon.decisions.audit.assessed import Audit
from solon.report.audit.parts import Column, Section, Table
from solon.report.audit.view import view
from solon.report.markdown import code, escape, paragraph
from solon.report.text import printable_lines

_SIDE = {"number": "--:"}


def render(audit: Audit) -> str:
    return "".join(f"{line}\n" for line in _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    shown = view(audit)
    yield from (f"# Audit: {escape(shown.title)}", "", escape(shown.period), "")
    yield from (f"**{escape(shown.verdict)}.** {escape(shown.explained)}", "")
    yield from (f"- {name}: {escape(fact)}" for name, fact in shown.facts)
    yield from ("", "## What auditors ask", "", "| Question | Answer |", "|---|---|")
    yield from (f"| {escape(each.question)} | {escape(each.answer)} |" for each in shown.answers)
    for section in shown.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from ("", f"## {escape(section.title)}", "")
    for text in section.lead:
        yield from (paragraph(text), "")
    for table in section.tables:
        yield from _table(table)
    yield from (f"- {paragraph(point)}" for point in section.points)
    for caption, text in section.texts:
        yield from ("", f"### {escape(caption)}", "")
        # Indented, it is a code block that no text can end.
        yield from (f"    {line}" for line in printable_lines(text).split("\n"))


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield from (f"### {escape(table.title)}", "")
    if not table.rows:
        yield from (table.empty, "")
        return
    yield f"| {' | '.join(escape(column.title) for column in table.columns)} |"
    yield f"|{'|'.join(_SIDE.get(column.kind, '---') for column in table.columns)}|"
    for row in table.rows:
        cells = (_cell(text, column) for text, column in zip(row, table.columns, strict=True))
        yield f"| {' | '.join(cells)} |"
    if table.more:
        yield from ("", escape(table.more))
    yield ""


def _cell(text: str, column: Column) -> str:
    if column.kind == "code" and text:
        return "<br>".join(code(line) for line in text.split("\n"))
    return "<br>".join(escape(line) for line in text.split("\n"))
