"""The vulnerabilities of packages: the records of a database that they match, with their severity, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from solon.evidence.supply import cvss, osv, versions
from solon.evidence.supply.affected import Criteria
from solon.evidence.supply.osv import Affected, Name, Record, Records
from solon.evidence.supply.result import Package, Severity, Vulnerability

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
    out: dict[Package, Package] = {}
    found: list[Vulnerability] = []
    packages = list(packages)
    for name, versions_of in _by_name(packages).items():
        criteria = _criteria(name, records)
        for package in versions_of:
            unknown = [package.unknown] if package.unknown else []
            if name[0] not in known:
                unknown.append(f"the database has no records of {name[0] or 'its ecosystem'}")
            elif package.version:
                hits, untold = _hits(package, criteria)
                found += merged(package, hits)
                unknown += untold
            out[package] = msgspec.structs.replace(package, unknown="; ".join(unknown))
    return [out[package] for package in packages], in_order(found)


def _by_name(packages: Iterable[Package]) -> dict[Name, list[Package]]:
    named: dict[Name, list[Package]] = {}
    for package in dict.fromkeys(packages):
        named.setdefault(osv.name_of(package.ecosystem, package.name), []).append(package)
    return named


def _criteria(name: Name, records: Records) -> list[tuple[Record, Affected, Criteria]]:
    order = versions.order(name[0])
    about = records.about.get(name, ())
    return [(record, affected, Criteria(affected, order)) for record, affected in about]


def in_order(found: Iterable[Vulnerability]) -> list[Vulnerability]:
    return sorted(found, key=lambda each: (-_RANKS[each.severity], each.package, each.version, each.id))


def _hits(
    package: Package, criteria: Iterable[tuple[Record, Affected, Criteria]]
) -> tuple[list[_Hit], list[str]]:
    """The records that it matches, and why others might match, too."""
    ecosystem = osv.base(package.ecosystem)
    order = versions.order(ecosystem)
    untold: list[str] = []
    if order is None:
        untold.append(f"how versions of {ecosystem} are ordered is not known here")
    elif order(package.version) is None:
        untold.append(f"{package.version[:100]!r} is no version that can be compared")
    hits: dict[str, _Hit] = {}
    open_: dict[str, None] = {}
    for record, affected, criterion in criteria:
        verdict = criterion.judge(package.version)
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
