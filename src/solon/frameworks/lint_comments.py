"""Remarks silenced in place: ``# solon: ignore rego/unjoined-loops -- ten at most``.

A comment behind code is about its line; one by itself, or one of several in a row, about the line that follows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solon.lang.rego.errors import RegoError
from solon.lang.rego.lexer import tokenize
from solon.lang.remark import Remark, Severity
from solon.lang.sentinel import ast
from solon.lang.source import Diagnostic, Span

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "lint/bad-ignore": (
        "error",
        "a comment that silences nothing: without a reason, or of a code that is unknown",
    ),
    "lint/unused-ignore": ("warning", "a comment that silences what is not said"),
}
_COMMENT: Final = re.compile(r"\s*solon:\s*ignore\b(?P<codes>[^#]*?)(?:\s--\s*(?P<reason>.*))?$")
_IN_YAML: Final = re.compile(r"(?:^|\s)#(?P<text>\s*solon:\s*ignore\b.*)$")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment, and the rows that it is about."""

    span: Span
    codes: tuple[str, ...]
    reason: str
    first: int
    last: int

    def covers(self, diagnostic: Diagnostic) -> bool:
        span = diagnostic.span
        return (
            span.file == self.span.file
            and self.first <= span.row <= self.last
            and diagnostic.code in self.codes
        )


def in_rego(file: str, text: str) -> Iterator[Ignore]:
    """The comments of a Rego file; none where it cannot be read, which the compiler says."""
    if "solon:" not in text:
        return
    try:
        _, comments = tokenize(file, text)
    except RegoError:
        return
    lines = text.split("\n")
    for comment in comments:
        yield from _read(file, lines, comment.row, comment.column, comment.text)


def in_sentinel(file: ast.File) -> Iterator[Ignore]:
    """The comments of a Sentinel file, ``# …`` or ``// …``."""
    if "solon:" not in file.text:
        return
    lines = file.text.split("\n")
    for comment in file.comments:
        mark = "#" if comment.text.startswith("#") else "//"
        if comment.text.startswith(mark):
            row, column = file.place(comment.at)
            yield from _read(file.name, lines, row, column, comment.text.removeprefix(mark))


def in_yaml(file: str, text: str) -> Iterator[Ignore]:
    """The comments of a YAML file, those of the Rego in it included."""
    lines = text.split("\n")
    for row, line in enumerate(lines, 1):
        found = _IN_YAML.search(line)
        if found:
            yield from _read(file, lines, row, found.start("text"), found["text"])


def _read(file: str, lines: Sequence[str], row: int, column: int, text: str) -> Iterator[Ignore]:
    found = _COMMENT.match(text.rstrip())
    if not found:
        return
    codes = tuple(code for code in re.split(r"[,\s]+", found["codes"]) if code)
    first = last = row
    if _is_comment(lines[row - 1]):
        while first > 1 and _is_comment(lines[first - 2]):
            first -= 1
        while last < len(lines) and (_is_comment(lines[last - 1]) or not lines[last - 1].strip()):
            last += 1
    yield Ignore(
        Span(file, row, column, len(text.strip()) + 1), codes, (found["reason"] or "").strip(), first, last
    )


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def apply(
    remarks: Iterable[Remark], ignores: Sequence[Ignore], known: Mapping[str, str], unasked: Collection[str]
) -> list[Remark]:
    """The remarks that are left, and what is wrong with the comments.

    ``known`` are all codes; what is said under those ``unasked`` is not known, so that their comments may be of use.
    """
    valid = [each for each in ignores if each.reason and each.codes and all(c in known for c in each.codes)]
    used: set[tuple[Span, str]] = set()
    left: list[Remark] = []
    for remark in remarks:
        covering = [each for each in valid if each.covers(remark.diagnostic)]
        used |= {(each.span, remark.diagnostic.code) for each in covering}
        if not covering:
            left.append(remark)
    for each in ignores:
        if each not in valid:
            left.append(_bad(each, known))
            continue
        left += [
            _remark(
                "lint/unused-ignore", f"there is no {code} here to ignore", each.span, "remove the comment"
            )
            for code in each.codes
            if (each.span, code) not in used and code not in unasked
        ]
    return left


def _bad(ignore: Ignore, known: Mapping[str, str]) -> Remark:
    unknown = [code for code in ignore.codes if code not in known]
    if unknown:
        problem, hint = f"there is no code {unknown[0]}", "the codes are those that `solon lint` prints"
    elif not ignore.codes:
        problem, hint = "this does not say what to ignore", "write # solon: ignore CODE -- why"
    else:
        problem, hint = "this does not say why", f"write # solon: ignore {', '.join(ignore.codes)} -- why"
    return _remark("lint/bad-ignore", problem, ignore.span, hint)


def _remark(code: str, message: str, span: Span, hint: str) -> Remark:
    return Remark(RULES[code][0], Diagnostic(code, message, span, hint))
