"""Laying Sentinel out as HashiCorp's formatter does: tabs, one space between words, values and comments in columns.

Its rules are not published. They are gofmt's as far as files that it has laid out show; where they show nothing,
what is written stays: a rule on one line is on one line, a line that is broken is broken.
"""

from __future__ import annotations

from typing import Final

from solon.lang.sentinel import ast
from solon.lang.sentinel.errors import PARSE_ERROR, SentinelError
from solon.lang.sentinel.format.columns import aligned
from solon.lang.sentinel.format.compare import same
from solon.lang.sentinel.format.items import Items
from solon.lang.sentinel.format.layout import Layout, Marks
from solon.lang.sentinel.format.lines import lines, written
from solon.lang.sentinel.parser import parse
from solon.lang.source import Diagnostic, Span

# Text settles after one round, or after two where lines are broken that were one.
_ROUNDS: Final = 4


def format_text(file: str, text: str) -> str:
    """The text of a policy or module, laid out. Raises SentinelError.

    What is written is read again: it says the same as the text did, and would not be changed another time.
    """
    original = parsed = parse(text, file)
    for _ in range(_ROUNDS):
        out = _round(parsed)
        if out == parsed.text:
            break
        try:
            parsed = parse(out, file)
        except SentinelError as error:
            raise _refusal(original, f"cannot be laid out: {error.errors[0].message}") from None
        if not same(original, parsed):
            raise _refusal(original, "cannot be laid out without a change in what it means")
    return out


def _round(file: ast.File) -> str:
    items = Items(file)

    def width(marks: Marks, start: int, end: int) -> int:
        return len(written(items, marks, file.text, start, end).encode("utf-8", "surrogatepass"))

    return aligned(lines(items, Layout(file, items, width).marks, file.text))


def _refusal(file: ast.File, message: str) -> SentinelError:
    return SentinelError([Diagnostic(PARSE_ERROR, message, Span(file.name, 1, 1))], {file.name: file.text})
