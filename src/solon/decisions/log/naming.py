"""Which entries differ: those that were signed, beside those that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_MANY: Final = 20  # entries in a row that are named as one


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that is there: its leaf hash, and where it stands."""

    index: int
    hash: bytes
    id: str
    path: str
    offset: int


@dataclass(frozen=True, slots=True)
class Difference:
    """``found`` is what stands in the place of the entry, or the entry itself. ``missing``: what was signed is not there."""

    text: str
    index: int
    last: int
    found: Found | None = None
    missing: bool = False


def differences(signed: Sequence[bytes], found: Sequence[Found]) -> Iterator[Difference]:
    """Compare the leaf hashes that were signed with the entries that are there, both in order."""
    where = {leaf: index for index, leaf in enumerate(signed)}
    there = {each.hash for each in found}
    missing = [index for index, leaf in enumerate(signed) if leaf not in there]
    strange = {each.index: each for each in found if each.hash not in where and each.index < len(signed)}
    swapped = not missing and not strange
    for first, last in _runs(missing):
        if last - first >= _MANY and strange.keys().isdisjoint(range(first, last + 1)):
            yield Difference("were signed, and are missing", first, last, missing=True)
            continue
        for index in range(first, last + 1):
            other = strange.pop(index, None)
            text = "is not the one that was signed" if other else "was signed, and is missing"
            yield Difference(text, index, index, other, missing=True)
    highest = -1
    for each in found:
        place = where.get(each.hash)
        if place is None:
            continue
        if place != each.index and (swapped or place < highest):
            text = f"stands in another place: it was signed as entry {place}"
            yield Difference(text, each.index, each.index, each)
        highest = max(highest, place)
    for each in strange.values():
        if each.index < highest:
            text = "was never signed, and stands among those that were"
            yield Difference(text, each.index, each.index, each)


def _runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Numbers in order, as ranges: first and last."""
    begun = 0
    for at in range(1, len(indexes) + 1):
        if at == len(indexes) or indexes[at] != indexes[at - 1] + 1:
            yield indexes[begun], indexes[at - 1]
            begun = at
