"""Waivers that exempt something in common."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from solon.governance.scope import Globs, has_wildcard, lower_kind, overlap
from solon.governance.waivers.waiver import Exemption, State

_FIELDS: Final = ("subject", "resource", "namespace", "team", "environment", "cluster")
_LABELS: Final = 4  # how many labels are worth a look
_LAST: Final = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two waivers that may exempt something in common."""

    one: Exemption
    other: Exemption


def overlaps(exemptions: Sequence[Exemption], policies: Sequence[str], now: datetime) -> Iterator[Overlap]:
    """Pairs that are in force at one time, name a policy in common, and may meet in a subject, as they are found."""
    lasting = [each for each in exemptions if each.state(now) is not State.EXPIRED]
    names = _names(lasting, policies)
    for first, second in _candidates(lasting):
        one, other = lasting[first], lasting[second]
        if (
            one.created < other.expires
            and other.created < one.expires
            and not names[first].isdisjoint(names[second])
            and overlap(one.waiver.scope, other.waiver.scope)
        ):
            yield Overlap(one, other)


def _names(exemptions: Sequence[Exemption], policies: Sequence[str]) -> list[frozenset[str]]:
    """The policies that each names, those that are not there yet as well."""
    known: dict[tuple[str, ...], frozenset[str]] = {}
    out = []
    for each in exemptions:
        globs = tuple(each.policies)
        if globs not in known:
            known[globs] = frozenset(
                [g for g in globs if not has_wildcard(g)]
                + [policy for policy in policies if each.names(policy)]
            )
        out.append(known[globs])
    return out


Key = Callable[[Exemption], "Globs | None"]


def _candidates(exemptions: Sequence[Exemption]) -> Iterator[tuple[int, int]]:
    """Pairs of positions, each once, among which all overlaps are: by the one key that leaves the fewest."""
    if len(exemptions) < 2:
        return
    labels = Counter(name for each in exemptions for name in each.waiver.scope.labels or ())
    keys = [_field(name) for name in _FIELDS] + [_label(name) for name, _ in labels.most_common(_LABELS)]
    best = min((_Heads(exemptions, key) for key in keys), key=lambda heads: heads.cost)
    yield from best.pairs()


def _field(name: str) -> Key:
    return lambda each: getattr(each.waiver.scope, name)


def _label(name: str) -> Key:
    return lambda each: (each.waiver.scope.labels or {}).get(name)


class _Heads:
    """What globs begin with, in order: two can only meet where one beginning begins the other.

    A text without wildcards is all beginning, and ends; a scope that says nothing of the key begins with anything.
    """

    def __init__(self, exemptions: Sequence[Exemption], key: Key) -> None:
        self._heads = sorted(
            (head, position)
            for position, each in enumerate(exemptions)
            for head in dict.fromkeys(_head(lower_kind(glob)) for glob in _globs(key(each)))
        )
        self._ends = [
            bisect_left(self._heads, (head + _LAST, 0), index) for index, (head, _) in enumerate(self._heads)
        ]
        self.cost = sum(end - index for index, end in enumerate(self._ends))

    def pairs(self) -> Iterator[tuple[int, int]]:
        seen: set[tuple[int, int]] = set()
        several = len({position for _, position in self._heads}) < len(self._heads)
        for index, (_, one) in enumerate(self._heads):
            for _, other in self._heads[index + 1 : self._ends[index]]:
                pair = (one, other) if one < other else (other, one)
                if one == other or pair in seen:
                    continue
                if several:
                    seen.add(pair)
                yield pair


def _globs(globs: Globs | None) -> Sequence[str]:
    if globs is None:
        return ["*"]
    return [globs] if isinstance(globs, str) else globs


def _head(glob: str) -> str:
    wild = min((at for at in (glob.find("*"), glob.find("?")) if at >= 0), default=-1)
    return glob + "\0" if wild < 0 else glob[:wild]
