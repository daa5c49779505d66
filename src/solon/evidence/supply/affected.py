"""Whether a version of a package is among those that a record says are affected.

As the OSV schema evaluates it (https://ossf.github.io/osv-schema/#evaluation): a version is affected where it is listed, or lies
in a range. Ranges of git commits are left out: a package has none. What cannot be compared is said to be unknown, never to
be unaffected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from solon.evidence.supply import versions
from solon.evidence.supply.osv import Affected, Range
from solon.evidence.supply.versions import Parse


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a version is affected; None where that cannot be told. ``fixed`` are the next versions with a fix."""

    affected: bool | None
    fixed: Sequence[str] = ()


class Criteria:
    """One of ``affected`` of a record, made ready once to be asked about any number of versions."""

    def __init__(self, affected: Affected, order: Parse | None) -> None:
        """``order`` is None where that of the ecosystem is not known."""
        self._order = order
        self._listed = frozenset(affected.versions or ())
        self._places = frozenset(map(order, self._listed) if order is not None else ()) - {None}
        self._spans = [_Span(each, order) for each in affected.ranges or () if each.type != "GIT"]

    def judge(self, version: str) -> Verdict:
        verdicts = [span.judge(version) for span in self._spans]
        if self._listed:
            verdicts.append(Verdict(self._lists(version)))
        if any(verdict.affected for verdict in verdicts):
            return Verdict(True, [text for verdict in verdicts for text in verdict.fixed])
        if not verdicts or any(verdict.affected is None for verdict in verdicts):
            return Verdict(None)
        return Verdict(False)

    def _lists(self, version: str) -> bool | None:
        if version in self._listed or self._order is None:
            return version in self._listed
        places = _places(version, self._order)
        return not self._places.isdisjoint(places) if places else None


@dataclass(frozen=True, slots=True)
class _Event:
    """``at`` is a version, ``_ENDS`` for before and after every one, or None where the text is none."""

    kind: str
    at: Any
    text: str


_ENDS: Final = object()


class _Span:
    """A range of versions. Where it cannot be read, no version can be told to be in it or not."""

    def __init__(self, within: Range, order: Parse | None) -> None:
        self._order = order or (versions.semver if within.type == "SEMVER" else None)
        events = list(_events(within, self._order)) if self._order is not None else []
        starts = [event for event in events if event.kind == "introduced"]
        self._readable = bool(starts) and all(event.at is not None for event in events)
        self._always = any(event.at is _ENDS for event in starts)
        self._limits = [event.at for event in events if event.kind == "limit"]
        changes = [event for event in events if event.kind != "limit" and event.at is not _ENDS]
        self._changes = sorted(changes, key=lambda event: event.at) if self._readable else []

    def judge(self, version: str) -> Verdict:
        places = _places(version, self._order) if self._order is not None else []
        if not places or not self._readable:
            return Verdict(None)
        verdicts = [self._evaluated(at) for at in places]
        return next((verdict for verdict in verdicts if verdict.affected), verdicts[0])

    def _evaluated(self, at: Any) -> Verdict:
        if self._limits and not any(limit is _ENDS or at < limit for limit in self._limits):
            return Verdict(False)
        affected = self._always
        following: list[str] = []
        for event in self._changes:
            if event.kind == "introduced":
                affected = affected or at >= event.at
            elif at > event.at or (event.kind == "fixed" and at == event.at):
                affected = False
            elif event.kind == "fixed":
                following.append(event.text)
        return Verdict(affected, following[:1] if affected else ())


def _events(within: Range, order: Parse) -> Iterator[_Event]:
    for event in within.events:
        for kind in ("introduced", "fixed", "last_affected", "limit"):
            text = getattr(event, kind)
            if text is not None:
                ends = (kind, text) in (("introduced", "0"), ("limit", "*"))
                yield _Event(kind, _ENDS if ends else order(text), text)


def _places(version: str, order: Parse) -> list[Any]:
    """A version, and what it is a build of; none where it is no version."""
    at = order(version)
    return [] if at is None else list(dict.fromkeys([at, versions.without_local(at)]))
