"""Markdown to parts: headings, labels (``- **License:** mit``) and rows of two cells, each with what it says.

Headings are those of CommonMark (0.31, sections 4.2 and 4.3). What looks like one in a fenced block of code is none, and
comments (``<!-- … -->``), in which templates ask their questions, are no text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from solon.evidence.documentation.outline import Part

_FENCE: Final = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NO_PARAGRAPH: Final = re.compile(r" {0,3}(?:[-*+>|]|\d{1,9}[.)]\s|#)|\s*$| {4}|\t")
_LONGEST_TITLE: Final = 200
_ITEM: Final = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")
_BOLD: Final = re.compile(r"(\*\*|__)(?P<label>[^*]{1,80}?)(?::\s*\1|\1\s*:)\s*(?P<value>.*)")

_BOLD_ALONE: Final = re.compile(r"(\*\*|__)(?P<label>[^*]{1,80}?)\1\s+(?P<value>\S.*)")


def front_matter(text: str) -> tuple[str, int]:
    """The YAML between a first line of ``---`` and the next, and in which line (from 1) the rest begins; none: ``""`` and 1."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return "", 1
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[: number - 1]) + "\n", number + 1
    return "", 1


@dataclass(frozen=True, slots=True)
class Names:
    """Which labels there are without their marks: ``plain`` need not be bold (``Version: 2``), ``bold`` need no colon."""

    plain: Callable[[str], bool]
    bold: Callable[[str], bool]


def parts(text: str, first: int, names: Names) -> Iterator[Part]:
    """The parts of a text from line ``first`` on."""
    path: list[tuple[int, str]] = []
    at, begins = first, first
    kept: list[str] = []

    def part() -> Iterator[Part]:
        titles = tuple(title for _, title in path)
        if path or any(line.strip() for line in kept):
            yield Part(titles, at, "\n".join(kept), begins, "heading")
        yield from _labels(titles, kept, begins, names)

    for number, line, is_code in _lines(text, first):
        title, level = ("", 0) if is_code else _title(line)
        place = number
        if level:
            yield from part()
        elif not is_code and _underlined(line, kept):
            yield from _before_title(kept, part)
            title, level, place = kept[-1].strip(), 1 if line.lstrip()[0] == "=" else 2, number - 1
        else:
            kept.append(line)
            continue
        while path and path[-1][0] >= level:
            path.pop()
        path.append((level, title))
        at, begins = place, number + 1
        kept.clear()
    yield from part()


def _before_title(kept: list[str], part: Callable[[], Iterator[Part]]) -> Iterator[Part]:
    """The part above an underlined title, which is the last line that was kept."""
    title = kept.pop()
    yield from part()
    kept.append(title)


def _lines(text: str, first: int) -> Iterator[tuple[int, str, bool]]:
    """The lines from ``first`` on, without comments and fences; whether it is one of code."""
    fence, comment = "", False
    for number, whole in enumerate(text.split("\n"), start=1):
        if number < first:
            continue
        line = whole.rstrip("\r")
        if fence:
            closing = line.strip()
            if (
                len(closing) >= len(fence)
                and not closing.strip(fence[0])
                and len(line) - len(line.lstrip()) < 4
            ):
                fence = ""
                yield number, "", True
            else:
                yield number, line, True
            continue
        if not comment and (opening := _FENCE.match(line)):
            fence = opening[1]
            yield number, "", True
            continue
        line, comment = _uncommented(line, comment)
        yield number, line, False


def _uncommented(line: str, comment: bool) -> tuple[str, bool]:
    """The line without comments, and whether one is still open at its end."""
    if not comment and "<!--" not in line:
        return line, False
    kept, at = [], 0
    while True:
        end = line.find("-->" if comment else "<!--", at)
        if not comment:
            kept.append(line[at : end if end >= 0 else None])
        if end < 0:
            return "".join(kept), comment
        at = end + (3 if comment else 4)
        comment = not comment


def _title(line: str) -> tuple[str, int]:
    """The title and level of a heading; level 0 where the line is none."""
    found = _HEADING.match(line)
    if not found:
        return "", 0
    title = line[found.end(1) :].strip()
    closed = title.rstrip("#")
    if closed != title and (not closed or closed[-1] in " \t"):
        title = closed.rstrip()
    return title, len(found[1])


def _underlined(line: str, kept: list[str]) -> bool:
    """Whether the line makes a title of the one before, which stands alone."""
    if not kept or not _UNDERLINE.match(line):
        return False
    if _NO_PARAGRAPH.match(kept[-1]) or len(kept[-1]) > _LONGEST_TITLE:
        return False
    return len(kept) == 1 or not kept[-2].strip()


def _labels(path: tuple[str, ...], lines: list[str], begins: int, names: Names) -> Iterator[Part]:
    """Each label with its value, which may go on in the lines below up to an empty one, an item, or another label."""
    open_: tuple[str, int, list[str]] | None = None
    for number, line in enumerate(lines, start=begins):
        label = _label(line, names)
        if open_ is not None:
            name, at, value = open_
            if label is None and line.strip() and not _ITEM.match(line) and not line.lstrip().startswith("|"):
                value.append(line.strip())
                continue
            yield Part((*path, name), at, "\n".join(value), at, "label")
            open_ = None
        if label is not None:
            open_ = (label[0], number, [label[1]])
    if open_ is not None:
        name, at, value = open_
        yield Part((*path, name), at, "\n".join(value), at, "label")


def _label(line: str, names: Names) -> tuple[str, str] | None:
    stripped = line.strip()
    if stripped.startswith("|"):
        cells = [cell.strip() for cell in stripped.strip("|").split("|")]
        name = cells[0].strip("*_ :")
        return (name, cells[1]) if len(cells) == 2 and names.plain(name) else None
    item = _ITEM.match(line)
    rest = line[item.end() :] if item else stripped
    if bold := _BOLD.match(rest):
        return bold["label"].strip(), bold["value"].strip()
    if (bold := _BOLD_ALONE.match(rest)) and names.bold(bold["label"]):
        return bold["label"].strip(), bold["value"].strip()
    name, colon, value = rest.partition(":")
    name = name.strip("*_ ")
    return (name, value.strip()) if colon and len(name) <= 80 and names.plain(name) else None
