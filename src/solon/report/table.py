"""Decisions for people: grouped by subject, the remediation under each finding, a summary at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style

from solon.decisions.decision import Decision
from solon.frameworks.policy import Finding
from solon.report.check_report import CheckReport, Shown, plural, shown, summary_parts, why
from solon.report.text import printable, printable_lines
from solon.subjects.subject import Location, Unreadable

_BOLD: Final = Style(bold=True)
_DIM: Final = Style(dim=True)
_PLAIN: Final = Style()
_FIX: Final = Style(color="green")
_GOOD: Final = Style(color="green", bold=True)
_MIXED: Final = Style(color="yellow", bold=True)
_BAD: Final = Style(color="red", bold=True)
_SYMBOLS: Final = {
    Shown.ERROR: ("✗", Style(color="magenta", bold=True)),
    Shown.DENY: ("✗", _BAD),
    Shown.OVERRIDDEN: ("!", _BAD),
    Shown.WARN: ("!", _MIXED),
    Shown.WAIVED: ("·", _DIM),
    Shown.RECORDED: ("·", _DIM),
}
_SEVERITIES: Final = {
    "critical": Style(color="red", bold=True),
    "high": Style(color="red"),
    "medium": Style(color="yellow"),
}
_INDENT: Final = 4
_WIDEST: Final = 110  # longer lines of prose are hard to read

Line = list[tuple[str, Style]]


def render(report: CheckReport, *, width: int = 80, color: bool = False, verbose: bool = False) -> str:
    """The report in lines of ``width`` columns where words allow it; ``verbose`` lists every subject."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    segments: list[Segment] = []
    for line in _lines(report, width, verbose):
        segments += [Segment(text, style) for text, style in line]
        segments.append(Segment.line())
    console.print(Segments(segments), soft_wrap=True, end="")
    return out.getvalue()


def _lines(report: CheckReport, width: int, verbose: bool) -> Iterator[Line]:
    unmatched = {id(decision) for decision in report.unmatched}
    for decision in report.decisions:
        if decision.findings:
            yield from _subject(decision, width)
            yield []
    if verbose:
        fine = [d for d in report.decisions if not d.findings and (d.policies or id(d) in unmatched)]
        for decision in fine:
            yield _fine(decision)
        if fine:
            yield []
    yield from _problems("Programme files that are wrong", report.programme_problems, width)
    yield from _problems("Inputs that could not be read", report.unreadable, width)
    yield from _summary(report, width)


def _summary(report: CheckReport, width: int) -> Iterator[Line]:
    counts = report.counts
    bad = counts.denied or counts.errors or counts.unreadable
    style = _BAD if bad else _MIXED if counts.warned or not counts.subjects else _GOOD
    line = ""
    for part in summary_parts(report):
        longer = f"{line} · {part}" if line else part
        if line and len(longer) > width:
            yield [(line, style)]
            longer = part
        line = longer
    yield [(line, style)]
    for note in report.notes:
        for text in wrap(printable_lines(note), min(width, _WIDEST)):
            yield [(text, _MIXED)]


def _subject(decision: Decision, width: int) -> Iterator[Line]:
    name, rest, place = _title(decision)
    if sum(cell_len(text) for text, _ in (name, rest, place)) <= width:
        yield [name, rest, place]
    else:
        yield [name, rest]
        yield [("  " + place[0].removeprefix(" · "), _DIM)]
    for word, finding in shown(decision):
        yield from _finding(word, finding, width)


def _title(decision: Decision) -> Line:
    """Name, kind and place of the subject."""
    subject = decision.subject
    kind = subject.kind + (f" in {subject.namespace}" if subject.namespace else "")
    return [
        (printable(subject.name), _BOLD),
        (f" · {printable(kind)}", _DIM),
        (f" · {printable(str(subject.location))}", _DIM),
    ]


def _fine(decision: Decision) -> Line:
    if decision.unmatched:
        return [("? ", _DIM), *_title(decision), (" · no policy matched", _DIM)]
    policies = plural(decision.policies, "policy", "policies")
    return [("✓ ", _FIX), *_title(decision), (f" · {policies}", _DIM)]


def _finding(word: Shown, finding: Finding, width: int) -> Iterator[Line]:
    symbol, style = _SYMBOLS[word]
    quiet = word in (Shown.RECORDED, Shown.WAIVED)
    severity = _DIM if quiet else _SEVERITIES.get(finding.severity, _PLAIN)
    line: Line = [(f"  {symbol} {word:<8}", style), (" ", _PLAIN)]
    line.append((printable(finding.policy.id), _DIM if quiet else _BOLD))
    if finding.severity:
        line.append((f"  {printable(finding.severity)}", severity))
    if finding.excepted:
        line.append((f"  {printable(why(finding))}", _DIM))
    elif word is Shown.RECORDED:
        line.append((f"  {finding.stage}", _DIM))
    yield line
    yield from _block(finding.message, width, _DIM if quiet else _PLAIN)
    if _elsewhere(finding.location, finding.subject.location):
        yield [(" " * _INDENT + "at " + printable(str(finding.location)), _DIM)]
    if why(finding) and not finding.excepted:
        yield from _block(why(finding), width, _DIM, "why: ")
    if finding.remediation and not finding.excepted:
        yield from _block(finding.remediation, width, _DIM if quiet else _FIX, "fix: ")


def _elsewhere(place: Location, subject: Location) -> bool:
    """Whether a finding stands in another line than the one its subject begins in."""
    return (place.file, place.line) != (subject.file, subject.line)


def _problems(title: str, problems: Sequence[Unreadable], width: int) -> Iterator[Line]:
    if not problems:
        return
    yield [(title, _BOLD)]
    for problem in problems:
        yield [("  ✗ ", _BAD), (printable(str(problem.location)), _PLAIN)]
        yield from _block(problem.problem, width, _PLAIN)
        if problem.hint:
            yield from _block(problem.hint, width, _FIX, "fix: ")
    yield []


def _block(text: str, width: int, style: Style, label: str = "") -> Iterator[Line]:
    """Indented paragraphs; lines after the first stand under the first word behind the label."""
    room = min(width, _WIDEST) - _INDENT - len(label)
    lines: Iterable[str] = wrap(printable_lines(text), max(room, 20))
    for number, line in enumerate(lines):
        lead = label if number == 0 else " " * len(label)
        yield [((" " * _INDENT + lead + line).rstrip(), style)]


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` terminal cells; a word is only broken when it is longer than a line."""
    out: list[str] = []
    for paragraph in text.split("\n"):
        if len(paragraph) <= width and (paragraph.isascii() or cell_len(paragraph) <= width):
            out.append(paragraph)
            continue
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))][: width // 2]
        line, used = indent, len(indent)
        for word in paragraph.split():
            for piece in _pieces(word, width - len(indent)):
                size = cell_len(piece)
                if used > len(indent) and used + 1 + size > width:
                    out.append(line)
                    line, used = indent, len(indent)
                gap = " " if used > len(indent) else ""
                line += gap + piece
                used += len(gap) + size
        out.append(line)
    return out


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces of at most ``width`` cells; rich's own way to cut loses characters without width."""
    if cell_len(word) <= width:
        return [word]
    pieces = [""]
    for char in word:
        if pieces[-1] and cell_len(pieces[-1] + char) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces
