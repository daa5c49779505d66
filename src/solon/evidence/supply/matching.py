"""Which records of a database a package matches, after the evaluation that the OSV schema describes.

A package is affected where its version is listed, or lies in a range. Ranges of git commits are left out: a package has
none. What cannot be compared is said to be unknown, never to be unaffected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.evidence.supply import cvss, osv, versions
from solon.evidence.supply.osv import Affected, Range, Record, Records
from solon.evidence.supply.result import Package, Severity, Vulnerability
from solon.evidence.supply.versions import Parse

_RANKS: Final[Mapping[Severity, int]] = {"unknown": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
# What databases call their levels.
_LEVELS: Final[Mapping[str, Severity]] = {
    "negligible": "low",
    "low": "low",
    "moderate": "medium",
    "medium": "medium",
    "high": "high",
    "important": "high",
    "critical": "critical",
}
_MALICIOUS: Final = "MAL-"  # records of packages that were made to do harm; they have no severity
_LONGEST_SUMMARY: Final = 200
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a version is affected; None where that cannot be told. ``fixed`` are the next versions with a fix."""

    affected: bool | None
    fixed: Sequence[str] = ()


@dataclass(slots=True)
class _Hit:
    """A record that a package matches, with the severity of that package in it."""

    record: Record
    severity: Severity
    score: float | None
    fixed: list[str] = field(default_factory=list)


def matched(packages: Iterable[Package], records: Records) -> tuple[list[Package], list[Vulnerability]]:
    """The packages, each with what is unknown of it, and the vulnerabilities, the severest first."""
    known = {osv.base(each) for each in records.database.ecosystems}
    out: list[Package] = []
    found: list[Vulnerability] = []
    for package in packages:
        unknown = [package.unknown] if package.unknown else []
        if osv.base(package.ecosystem) not in known:
            unknown.append(f"the database has no records of {package.ecosystem or 'its ecosystem'}")
        elif package.version:
            hits, untold = _hits(package, records)
            found += merged(package, hits)
            unknown += untold
        out.append(Package(package.name, package.version, package.ecosystem, "; ".join(unknown)))
    return out, in_order(found)


def in_order(found: Iterable[Vulnerability]) -> list[Vulnerability]:
    return sorted(found, key=lambda each: (-_RANKS[each.severity], each.package, each.version, each.id))


def _hits(package: Package, records: Records) -> tuple[list[_Hit], list[str]]:
    """The records that it matches, and why others might match, too."""
    order = versions.order(osv.base(package.ecosystem))
    untold: list[str] = []
    if order is not None and order(package.version) is None:
        untold.append(f"{package.version!r} is no version that can be compared")
    hits: dict[str, _Hit] = {}
    open_: dict[str, None] = {}
    for record, affected in records.about.get(osv.name_of(package.ecosystem, package.name), ()):
        verdict = judged(package.version, affected, order)
        if verdict.affected is None:
            open_[record.id] = None
        if not verdict.affected:
            continue
        severity, score = severity_of(record, affected)
        hit = hits.setdefault(record.id, _Hit(record, severity, score))
        if _RANKS[severity] > _RANKS[hit.severity]:
            hit.severity, hit.score = severity, score
        hit.fixed += [each for each in verdict.fixed if each not in hit.fixed]
    if ids := [id for id in open_ if id not in hits]:
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        untold.append(f"whether {', '.join(ids[:_SHOWN])}{more} affects it cannot be told")
    return list(hits.values()), untold


def judged(version: str, affected: Affected, order: Parse | None) -> Verdict:
    """Whether a version is among the affected. ``order`` is None where that of the ecosystem is not known."""
    listed = affected.versions or ()
    ranges = [each for each in affected.ranges or () if each.type != "GIT"]
    verdicts = [_in_range(version, each, order) for each in ranges]
    if listed:
        verdicts.append(_in_list(version, listed, order))
    if any(verdict.affected for verdict in verdicts):
        return Verdict(True, [text for verdict in verdicts for text in verdict.fixed])
    if not verdicts or any(verdict.affected is None for verdict in verdicts):
        return Verdict(None)
    return Verdict(False)


def _in_list(version: str, listed: Sequence[str], order: Parse | None) -> Verdict:
    if version in listed:
        return Verdict(True)
    if order is None:
        return Verdict(False)
    places = _places(version, order)
    return Verdict(any(order(each) in places for each in listed) if places else None)


def _in_range(version: str, within: Range, order: Parse | None) -> Verdict:
    order = order or (versions.semver if within.type == "SEMVER" else None)
    if order is None:
        return Verdict(None)
    places = _places(version, order)
    events = list(_events(within, order))
    introduced = any(event.kind == "introduced" for event in events)
    if not places or not introduced or any(event.at is None for event in events):
        return Verdict(None)
    verdicts = [_evaluated(at, events) for at in places]
    return next((verdict for verdict in verdicts if verdict.affected), verdicts[0])


def _places(version: str, order: Parse) -> list[Any]:
    """A version, and what it is a build of; none where it is no version."""
    at = order(version)
    return [] if at is None else list(dict.fromkeys([at, versions.without_local(at)]))


@dataclass(frozen=True, slots=True)
class _Event:
    """``at`` is a version, ``_ENDS`` for before and after every one, or None where the text is none."""

    kind: str
    at: Any
    text: str


_ENDS: Final = object()


def _events(within: Range, order: Parse) -> Iterator[_Event]:
    for event in within.events:
        for kind in ("introduced", "fixed", "last_affected", "limit"):
            text = getattr(event, kind)
            if text is not None:
                ends = (kind, text) in (("introduced", "0"), ("limit", "*"))
                yield _Event(kind, _ENDS if ends else order(text), text)


def _evaluated(at: Any, events: Sequence[_Event]) -> Verdict:
    """IncludedInRanges of the schema, for one range and a version in it or not."""
    limits = [event.at for event in events if event.kind == "limit"]
    if limits and not any(limit is _ENDS or at < limit for limit in limits):
        return Verdict(False)
    affected = any(event.kind == "introduced" and event.at is _ENDS for event in events)
    changes = [event for event in events if event.kind != "limit" and event.at is not _ENDS]
    following: list[str] = []
    for event in sorted(changes, key=lambda event: event.at):
        if event.kind == "introduced":
            affected = affected or at >= event.at
        elif at > event.at or (event.kind == "fixed" and at == event.at):
            affected = False
        elif event.kind == "fixed":
            following.append(event.text)
    return Verdict(affected, following[:1] if affected else ())


def severity_of(record: Record, affected: Affected) -> tuple[Severity, float | None]:
    """The highest that the record has for a package: of CVSS vectors, and of the words that databases have for it."""
    if record.id.startswith(_MALICIOUS):
        return "critical", None
    vectors = [each.score for each in [*(affected.severity or ()), *(record.severity or ())]]
    scores = [score for score in map(cvss.base_score, vectors) if score is not None]
    said: list[Severity] = [cvss.level(score) for score in scores]
    for more in (record.database_specific, affected.database_specific, affected.ecosystem_specific):
        word = more.get("severity") if isinstance(more, dict) else None
        if isinstance(word, str) and word.lower() in _LEVELS:
            said.append(_LEVELS[word.lower()])
    return max(said, key=lambda each: _RANKS[each], default="unknown"), max(scores, default=None)


def merged(package: Package, hits: Sequence[_Hit]) -> Iterator[Vulnerability]:
    """One vulnerability for all records that call themselves the same, by way of others, too."""
    groups: list[tuple[set[str], list[_Hit]]] = []
    for hit in hits:
        names, together = {hit.record.id, *(hit.record.aliases or ())}, [hit]
        apart = []
        for group in groups:
            if names & group[0]:
                names |= group[0]
                together = [*group[1], *together]
            else:
                apart.append(group)
        groups = [*apart, (names, together)]
    for names, together in groups:
        first = min(together, key=lambda hit: (-_RANKS[hit.severity], -(hit.score or 0), hit.record.id))
        fixed = list(dict.fromkeys(text for hit in together for text in hit.fixed))
        yield Vulnerability(
            id=first.record.id,
            package=package.name,
            version=package.version,
            severity=first.severity,
            score=first.score,
            summary=next((text for hit in [first, *together] if (text := _summary(hit.record))), ""),
            aliases=sorted(names - {first.record.id}),
            fixed=fixed,
        )


def _summary(record: Record) -> str:
    """In one line."""
    said = " ".join((record.summary or record.details or "")[: 4 * _LONGEST_SUMMARY].split())
    return said if len(said) <= _LONGEST_SUMMARY else said[: _LONGEST_SUMMARY - 3] + "..."
