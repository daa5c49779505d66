"""One document to what it says: its fields, what it is about, and when it was written and reviewed."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from solon.evidence.document import stamp
from solon.evidence.documentation import dates, markdown, structured
from solon.evidence.documentation.fields import FACT_NAMES, SHORT, Kind, Vocabulary, vocabulary
from solon.evidence.documentation.outline import Part
from solon.evidence.documentation.placeholders import bare, judged, marks, remainder
from solon.evidence.documentation.result import Document, Field, Placeholder
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Path

MOST_PLACEHOLDERS: Final = 100
_LONGEST_FACT: Final = 200
_LONGEST_USE: Final = 600
_AHEAD: Final = timedelta(days=1)  # today may be tomorrow's date elsewhere
_DATES: Final = ("written_at", "reviewed_at")
_BARE_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
_CATEGORIES: Final = ("use", "risk")
_LONGEST_CATEGORY: Final = 4  # words; what is longer tells of it, and names none
_LEVEL: Final = re.compile(r"(minimal|limited|high|prohibited|unacceptable)(?:[ -]risk)?")


@dataclass(slots=True)
class _Found:
    """What was found so far; ``facts`` with their lines."""

    parts: dict[str, list[Part]] = field(default_factory=dict)
    facts: dict[str, tuple[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def document(data: bytes, kind: Kind, path: str, digest: str, now: datetime) -> Document:
    """What a document says. What cannot be read is a problem in it, and the rest is read all the same."""
    words, found = vocabulary(kind), _Found()
    placeholders: list[Placeholder] = []
    for part in _parts(data, path, words, found):
        if part.origin != "label":  # what a label says stands under its heading, too
            lines = part.origin == "heading"
            placeholders += [
                Placeholder(part.begins + mark.line * lines, mark.text) for mark in marks(part.text)
            ]
        if _fact(part, words, found, path, now) and part.origin != "heading":
            continue
        named = words.own_field_names(part.path) if part.origin == "label" else words.field_names(part.path)
        for name in named:
            found.parts.setdefault(name, []).append(part)
    fields = {name: _field(name, parts) for name, parts in sorted(found.parts.items())}
    facts = {name: value for name, (value, _) in found.facts.items()}
    intended = fields.get("intended_use")
    return Document(
        path=path,
        digest=digest,
        fields=_without_copies(fields, found.parts),
        intended_use=_said(found.parts["intended_use"]) if intended and intended.says_something else "",
        placeholders=placeholders[:MOST_PLACEHOLDERS],
        placeholder_count=len(placeholders),
        problems=found.problems,
        **{name: facts[name] for name in FACT_NAMES if name in facts},
    )


def _parts(data: bytes, path: str, words: Vocabulary, found: _Found) -> Iterator[Part]:
    try:
        if b"\0" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            raise Problem("not a text", hint="write it as Markdown, YAML or JSON")
        text = text_of(data)
    except Problem as problem:
        found.problems.append(_told(problem, path))
        return
    if not text.strip():
        found.problems.append(f"{path}: is empty")
        return
    if path.lower().endswith((".yaml", ".yml", ".json")):
        if not (yield from _keys(text, path, found)):
            found.problems.append(f"{path}: must hold keys, such as `intended_use:`")
        return
    front, first = markdown.front_matter(text)
    if front and not (yield from _keys(front, path, found)):
        first = 1  # a rule, and no front matter
    yield from markdown.parts(text, first, markdown.Names(words.is_fact, words.is_name))


def _keys(text: str, path: str, found: _Found) -> Generator[Part, None, bool]:
    """The parts of a YAML or JSON text; whether there are keys in it, or would be if it could be read."""
    file, keys = SourceFile(path, lambda: text), False
    for each in decode(text):
        if isinstance(each, Problem):
            found.problems.append(_told(each, path))
            keys = True
        elif isinstance(each.value, dict):
            keys = True

            def line_of(at: Path, index: int = each.index, row: int = each.row) -> int:
                place = file.place(index, at)
                return place[0] if place else row

            try:
                yield from structured.parts(each.value, text, line_of)
            except Problem as problem:
                found.problems.append(_told(problem, path))
    return keys


def _told(problem: Problem, path: str) -> str:
    return str(problem.at(path))


def _field(name: str, parts: Sequence[Part]) -> Field:
    titles = [name.replace("_", " "), *(step for part in parts for step in part.path[-1:])]
    found = judged("\n".join(part.text for part in parts), titles, sentence=name not in SHORT)
    return Field(found.says_something, found.words, parts[0].line, found.placeholder)


def _said(parts: Sequence[Part]) -> str:
    text = " ".join(remainder("\n".join(part.text for part in parts)).split())
    return text if len(text) <= _LONGEST_USE else text[: _LONGEST_USE - 1] + "…"


def _without_copies(fields: Mapping[str, Field], parts: Mapping[str, Sequence[Part]]) -> dict[str, Field]:
    """The fields, where of those with the same text under other headings only the first says something."""
    out = dict(fields)
    first: dict[str, str] = {}
    for name in sorted(fields, key=lambda name: fields[name].line):
        if name in SHORT or not fields[name].says_something:
            continue
        text = bare("\n".join(part.text for part in parts[name]))
        other = first.setdefault(text, name)
        if other != name and not {part.line for part in parts[name]} & {part.line for part in parts[other]}:
            out[name] = Field(
                False, 0, fields[name].line, f"the same text as {other} in line {fields[other].line}"
            )
    return out


def _fact(part: Part, words: Vocabulary, found: _Found, path: str, now: datetime) -> bool:
    """Whether a part gives a fact, which is noted; two that differ are a problem, and so is a date that is none."""
    name = words.fact_name(part.path, is_heading=part.origin == "heading")
    value = _word(part.raw or part.text) if name else ""
    if not value or (name in _CATEGORIES and len(value.split()) > _LONGEST_CATEGORY):
        return False
    try:
        if name in _DATES:
            at = dates.moment(value)
            if at > now + _AHEAD:
                raise dates.NoDate(f"{value} is in the future")
            value = stamp(at)
    except dates.NoDate as error:
        found.problems.append(f"{path}:{part.line}: {name}: {error}")
        return True
    if name == "risk" and (level := _LEVEL.fullmatch(value.lower())):
        value = "prohibited" if level[1] == "unacceptable" else level[1]
    if name == "model_digest" and _BARE_DIGEST.fullmatch(value):
        value = f"sha256:{value.lower()}"
    before, line = found.facts.setdefault(name, (value, part.line))
    if before != value:
        found.problems.append(f"{path}:{part.line}: {name} is {value} here, and {before} in line {line}")
    return True


def _word(text: str) -> str:
    """A text of one line, without marks; nothing where it is longer, or a placeholder."""
    text = text.strip()
    if "\n" in text or len(text) > _LONGEST_FACT or not judged(text, sentence=False).says_something:
        return ""
    return text.strip("*_`\"' ")
