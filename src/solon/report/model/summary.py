"""The summary for a pull request, in Markdown: the verdict, what stops it and how to put it right, and the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from solon.decisions.decision import Decision
from solon.report.check_report import plural
from solon.report.markdown import LIMIT, code, escape, paragraph
from solon.report.model.view import OfPolicy, Part, View, view

_ICONS: Final = {"good": "✅", "soon": "⚠️", "bad": "❌"}
# What was measured is not judged: its mark must not be read as passed.
_STATES: Final = {"measured": "●", "not gathered": "○", "error": "❗", "refused": "❌"}
_RESERVE: Final = 400
_MOST: Final = 12  # findings that one fix is for


def render(decision: Decision, limit: int = LIMIT) -> str:
    """No longer than a comment on GitHub may be."""
    seen = view(decision)
    table = _table(seen.parts)
    text = "\n".join(_head(seen)) + "\n"
    groups = [*seen.stops, *seen.others]
    for number, group in enumerate(groups):
        lines = "\n".join(_group(group)) + "\n"
        if len(text) + len(lines) > limit - _RESERVE - len(table):
            left = sum(each.count for each in groups[number:])
            return text + f"\n**{plural(left, 'more finding')}** would make this comment too long.\n" + table
        text += lines
    return text + table


def _head(seen: View) -> Iterator[str]:
    yield f"## {_ICONS[seen.tone]} {escape(seen.title)}: {seen.verdict.lower()}"
    yield ""
    yield f"{escape(seen.why)} · {code(seen.uri)}"
    yield ""


def _group(group: OfPolicy) -> Iterator[str]:
    severity = f" ({escape(group.severity)})" if group.severity else ""
    yield f"**{group.effect}: {escape(group.title)}**{severity}"
    yield ""
    for remedied in group.remedied:
        for each in remedied.said[:_MOST]:
            reason = f"<br>\n  <i>{escape(each.reason)}</i>" if each.reason else ""
            yield f"- {paragraph(each.message)}{reason}"
        if len(remedied.said) > _MOST:
            yield f"- and {len(remedied.said) - _MOST} more"
        if remedied.fix:
            yield ""
            yield f"  <b>Fix:</b> {paragraph(remedied.fix)}"
        yield ""


def _table(parts: Sequence[Part]) -> str:
    rows = ["", "| | Evidence | |", "|---|---|---|"]
    for part in parts:
        said = "<br>".join(escape(line) for line in part.lines[:6])
        said = said if part.status in ("measured", "not gathered") else f"{part.status}: {said}"
        rows.append(f"| {_STATES[part.status]} | {part.name} | {said} |")
    return "\n".join(rows) + "\n"
