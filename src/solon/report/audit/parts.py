"""What a report is made of: words and tables, the same for every format that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """``kind`` is text, number, time, code, or state: whole or not."""

    title: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """``more`` rows are left out; ``empty`` is said where there are none."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    empty: str = "None."
    more: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """``figure`` is calendar or nothing; ``texts`` are shown as they are, each with a caption."""

    id: str
    title: str
    lead: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figure: str = ""
    points: Sequence[str] = ()
    texts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """To a question of an auditor's; ``section`` has more."""

    question: str
    answer: str
    section: str


@dataclass(frozen=True, slots=True)
class View:
    """``mark`` is good, soon or bad."""

    title: str
    period: str
    mark: str
    verdict: str
    explained: str
    facts: Sequence[tuple[str, str]]
    figures: Sequence[tuple[str, str, str]]  # number, what it is, section
    answers: Sequence[Answer]
    sections: Sequence[Section]
