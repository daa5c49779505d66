"""The summary for a pull request, in Markdown: the verdict, what stops it and how to put it right, and the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from solon.decisions.decision import Decision
from solon.report.markdown import LIMIT, code, escape, paragraph
from solon.report.model.view import Part, Said, View, view

_ICONS: Final = {"good": "✅", "soon": "⚠️", "bad": "❌"}
_STATES: Final = {"measured": "✅", "not gathered": "·", "error": "❗", "refused": "❌"}
_RESERVE: Final = 400


def render(decision: Decision, limit: int = LIMIT) -> str:
    """No longer than a comment on GitHub may be."""
    seen = view(decision)
    text = "\n".join(_head(seen)) + "\n"
    for number, each in enumerate(findings := [*seen.stops, *seen.others]):
        lines = "\n".join(_finding(each)) + "\n"
        if len(text) + len(lines) > limit - _RESERVE - len(table := _table(seen.parts)):
            text += f"\n**{len(findings) - number} more findings** would make this comment too long.\n"
            return text + table
        text += lines
    return text + _table(seen.parts)


def _head(seen: View) -> Iterator[str]:
    yield f"## {_ICONS[seen.tone]} {escape(seen.title)}: {seen.verdict.lower()}"
    yield ""
    yield f"{escape(seen.why)} · {code(seen.uri)}"
    yield ""


def _finding(each: Said) -> Iterator[str]:
    severity = f" ({escape(each.severity)})" if each.severity else ""
    yield f"- **{each.effect}** {escape(each.title or each.policy)}{severity}<br>"
    lines = [paragraph(each.message)]
    lines += [f"<i>{escape(each.reason)}</i>"] if each.reason else []
    lines += [f"<b>Fix:</b> {paragraph(each.fix)}"] if each.fix else []
    yield "  " + "<br>\n  ".join(lines)


def _table(parts: Sequence[Part]) -> str:
    rows = ["", "| | Evidence | |", "|---|---|---|"]
    for part in parts:
        said = "<br>".join(escape(line) for line in part.lines[:6])
        said = said if part.status in ("measured", "not gathered") else f"{part.status}: {said}"
        rows.append(f"| {_STATES[part.status]} | {part.name} | {said} |")
    return "\n".join(rows) + "\n"
