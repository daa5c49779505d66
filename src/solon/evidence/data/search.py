"""The search of a column's values for personal data: which kinds, and in how many values."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import re2

from solon.evidence.data import names
from solon.evidence.data.detectors import DETECTORS, Detector

# Values are searched together, so many bytes at once: a call for each would take most of the time.
_BLOCK: Final = 1 << 20
_BEFORE: Final = 64  # bytes in which a word must stand before a number
# Cells that are nothing but numbers are identifiers where so large a share has the check digits right, of so many at least.
_SHARE: Final = 0.5
_FEWEST: Final = 10

_DASHES: Final = {ord(dash): "-" for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"}


def search(counts: Mapping[str, int], column: str = "") -> Mapping[str, int]:
    """How many of a column's values hold each kind that is found. ``counts`` says how often each value is there."""
    texts = list(counts)
    blocks = list(_blocks(texts))
    said = " ".join(names.words(column)).encode()
    found: dict[str, set[int]] = {}
    for detector in DETECTORS:
        if hits := _hits(detector, blocks, said):
            found.setdefault(detector.kind, set()).update(hits)
    return {kind: sum(counts[texts[index]] for index in hits) for kind, hits in found.items()}


@dataclass(frozen=True, slots=True)
class _Block:
    """Values one below the other. The first has the index ``first``; each begins where ``starts`` says."""

    data: bytes
    starts: Sequence[int]
    first: int

    def cell(self, offset: int) -> tuple[int, int, int]:
        """The index of the value at an offset, and where it begins and ends."""
        place = bisect_right(self.starts, offset) - 1
        end = self.starts[place + 1] - 1 if place + 1 < len(self.starts) else len(self.data)
        return self.first + place, self.starts[place], end


def _blocks(texts: Sequence[str]) -> Iterator[_Block]:
    parts: list[bytes] = []
    starts: list[int] = []
    size = first = 0
    for index, text in enumerate(texts):
        part = _plain(text).encode("utf-8", "replace")
        if parts and size + len(part) > _BLOCK:
            yield _Block(b"\n".join(parts), starts, first)
            parts, starts, size, first = [], [], 0, index
        starts.append(size)
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield _Block(b"\n".join(parts), starts, first)


def _plain(text: str) -> str:
    """With the spaces, dashes and digits that patterns know, for those that only look like them."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_DASHES)


def _hits(detector: Detector, blocks: Sequence[_Block], said: bytes) -> set[int]:
    """The indexes of the values that hold what a detector finds; ``said`` are the words of the column's name."""
    named = bool(detector.words) and _words(detector).search(said) is not None
    if named or (detector.alone and not detector.checked):
        return {
            block.cell(start)[0] for block in blocks for start, _ in _found(detector, block, _alone(detector))
        }
    if not detector.checked:
        return {
            block.cell(start)[0] for block in blocks for start, _ in _found(detector, block, _after(detector))
        }
    return _checked(detector, blocks)


def _found(detector: Detector, block: _Block, pattern: Any) -> Iterator[tuple[int, int]]:
    """Where the candidates are that hold."""
    group = pattern.groups
    for match in pattern.finditer(block.data):
        start, end = match.span(group)
        if not _part(block.data, start, end) and detector.holds(
            block.data[start:end].decode("utf-8", "replace")
        ):
            yield start, end


def _part(data: bytes, start: int, end: int) -> bool:
    """Whether it is a part of a longer number, such as 0.4111111111111111."""
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    return _joined(before[:1], before[1:]) or _joined(after[1:], after[:1])


def _joined(digit: bytes, between: bytes) -> bool:
    return digit.isdigit() and between == b"."


def _checked(detector: Detector, blocks: Sequence[_Block]) -> set[int]:
    """What has check digits, and stands in a text with the words for it, or is one of many in a column of the like."""
    hits: set[int] = set()
    likely: set[int] = set()
    candidates = 0
    for block in blocks:
        for match in _alone(detector).finditer(block.data):
            start, end = match.span()
            index, first, last = block.cell(start)
            holds = (
                index not in hits
                and not _part(block.data, start, end)
                and detector.holds(match.group().decode())
            )
            if not block.data[first:start].strip() and not block.data[end:last].strip():
                candidates += 1
                if holds:
                    likely.add(index)
            elif holds and (
                detector.alone or _words(detector).search(block.data[max(first, start - _BEFORE) : start])
            ):
                hits.add(index)
    fewest = 1 if detector.alone else _FEWEST
    return hits | likely if likely and len(likely) >= max(fewest, _SHARE * candidates) else hits


@cache
def _alone(detector: Detector) -> Any:
    return _compiled(detector.pattern)


@cache
def _after(detector: Detector) -> Any:
    """The candidate is the group of this pattern."""
    return _compiled(rf"(?i:\b(?:{'|'.join(detector.words)})\b){detector.gap}({detector.pattern})")


@cache
def _words(detector: Detector) -> Any:
    return _compiled(rf"(?i:\b(?:{'|'.join(detector.words)})\b)")


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options=options)
