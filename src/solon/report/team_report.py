"""What each team has to put right, by when, and how: the report that a rollout gives to those it is about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Any, Final

from solon.decisions.decision import Decision
from solon.decisions.masking import Scrubber, mask
from solon.frameworks.policy import Finding, Stage
from solon.governance.programme import Programme
from solon.governance.times import period, shown
from solon.report.check_report import plural
from solon.report.json import location
from solon.report.json import text as json_text
from solon.subjects import terraform
from solon.subjects.subject import Location

SCHEMA: Final = "solon.team-report/v1"
UNOWNED: Final = "unowned"
INDEX: Final = "index"


@dataclass(frozen=True, slots=True)
class Item:
    """One violation. ``denied_from`` is when it is denied: now or before, later, or None where there is no date."""

    policy: str
    title: str
    severity: str
    stage: Stage
    resource: str
    namespace: str
    uri: str
    location: Location
    message: str
    fix: str
    denied_from: datetime | None = None
    waiver: str = ""
    waived_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unowned:
    """A subject that nobody answers for."""

    resource: str
    namespace: str
    uri: str
    location: Location


@dataclass(frozen=True, slots=True)
class TeamReport:
    """The violations of a team, the first to be denied first; without a name, those that are nobody's."""

    team: str
    items: Sequence[Item]
    now: datetime
    local: tzinfo
    unowned: Sequence[Unowned] = ()

    @property
    def denied(self) -> list[Item]:
        """What is denied already."""
        return [each for each in self._open if each.denied_from is not None and each.denied_from <= self.now]

    @property
    def coming(self) -> list[Item]:
        """What will be denied, by date."""
        found = [each for each in self._open if each.denied_from is not None and each.denied_from > self.now]
        return sorted(found, key=lambda each: each.denied_from or self.now)

    @property
    def undated(self) -> list[Item]:
        return [each for each in self._open if each.denied_from is None]

    @property
    def waived(self) -> list[Item]:
        """What a waiver covers, the first to end first."""
        found = [each for each in self.items if each.waived_until is not None]
        return sorted(found, key=lambda each: each.waived_until or self.now)

    @property
    def _open(self) -> list[Item]:
        return [each for each in self.items if each.waived_until is None]

    @property
    def next(self) -> datetime | None:
        """The next day on which something begins to be denied."""
        dates = [each.denied_from for each in self.items if each.denied_from and each.denied_from > self.now]
        return min(dates, default=None)

    @property
    def name(self) -> str:
        return self.team or "Without an owner"

    @property
    def file(self) -> str:
        """The name of its file, without ending: safe whatever the team is called, and no other team's."""
        if not self.team:
            return UNOWNED
        plain = re.sub(r"[^a-z0-9]+", "-", self.team.lower()).strip("-")[:60]
        if plain == self.team and plain not in (UNOWNED, INDEX):
            return plain
        return f"{plain or 'team'}-{hashlib.sha256(self.team.encode(errors='replace')).hexdigest()[:8]}"

    @property
    def as_of(self) -> str:
        return shown(self.now.replace(second=0), self.local)

    @property
    def summary(self) -> str:
        parts = [
            f"{count:,} {what}"
            for count, what in (
                (len(self.denied), "denied now"),
                (len(self.coming), "to be denied"),
                (len(self.waived), "waived"),
                (len(self.undated), "without a date"),
            )
            if count
        ]
        return ", ".join(parts) or "nothing to put right"

    def when(self, at: datetime) -> str:
        """``2026-12-01, in 10 days``."""
        return f"{shown(at, self.local)}, in {period(at - self.now)}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The reports of all teams, by name; that of what is nobody's is among them, the last."""

    teams: Sequence[TeamReport]
    now: datetime
    local: tzinfo
    failures: int = 0

    @property
    def as_of(self) -> str:
        return shown(self.now.replace(second=0), self.local)

    def of(self, team: str) -> TeamReport | None:
        return next((each for each in self.teams if each.team == team), None)


def fleet(decisions: Iterable[Decision], programme: Programme) -> Fleet:
    """``decisions``: as the programme has ruled. The secrets of a subject are taken out of its messages."""
    items: dict[str, list[Item]] = {}
    unowned: list[Unowned] = []
    failures = 0
    for decision, clean in _scrubbed(decisions):
        subject = decision.subject
        traits = programme.traits(subject)
        if subject.kind != terraform.PLAN:
            items.setdefault(traits.team or traits.owner, [])
            if not traits.team and not traits.owner:
                unowned.append(Unowned(traits.resource, traits.namespace, traits.uri, subject.location))
        for finding in decision.findings:
            if finding.error:
                failures += 1
            elif not finding.excepted:
                team, item = _item(finding, programme, clean)
                items.setdefault(team, []).append(item)
    now, local = programme.now, programme.inputs.local
    order = sorted(items.items(), key=lambda pair: (pair[0] == "", pair[0]))
    reports = [
        TeamReport(team, sorted(found, key=_place), now, local, unowned if not team else ())
        for team, found in order
    ]
    return Fleet(reports, now, local, failures)


def _place(item: Item) -> tuple[str, str, int, int]:
    return item.policy, item.location.file, item.location.line, item.location.column


def _scrubbed(decisions: Iterable[Decision]) -> Iterator[tuple[Decision, Callable[[Any, str], Any]]]:
    parent: Any = None
    secrets: frozenset[str] = frozenset()
    for decision in decisions:
        if not decision.findings:
            yield decision, lambda value, _: value
            continue
        if decision.subject.parent is not parent:
            parent = decision.subject.parent
            secrets = mask(parent)[2]
        yield decision, Scrubber(mask(decision.subject.document)[2] | secrets)


def _item(finding: Finding, programme: Programme, clean: Callable[[Any, str], Any]) -> tuple[str, Item]:
    traits, ruling = programme.traits(finding.subject, finding.path), finding.ruling
    return traits.team or traits.owner, Item(
        policy=finding.policy.id,
        title=finding.policy.title,
        severity=finding.severity,
        stage=finding.stage,
        resource=traits.resource,
        namespace=traits.namespace,
        uri=traits.uri,
        location=finding.location,
        message=clean(finding.message, ""),
        fix=clean(finding.remediation, ""),
        denied_from=denied_from(finding, programme),
        waiver=ruling.waiver if ruling else "",
        waived_until=ruling.waiver_expires if ruling else None,
    )


def denied_from(finding: Finding, programme: Programme) -> datetime | None:
    """From when a violation is denied, as far as the files say: waivers end, and stages come."""
    ruling = finding.ruling
    bites = programme.now if finding.stage is Stage.ENFORCE else ruling.enforced_from if ruling else None
    if bites is None or ruling is None or ruling.waiver_expires is None:
        return bites
    bites = max(bites, ruling.waiver_expires)
    track = programme.track(finding.policy.id, programme.traits(finding.subject, finding.path))
    return track.denies_from(bites) if track is not None else bites


@dataclass(frozen=True, slots=True)
class OfPolicy:
    """The violations of one policy. ``fix`` is what puts all of them right; empty where it differs."""

    policy: str
    title: str
    severity: str
    fix: str
    items: Sequence[Item] = field(default_factory=list)


def by_policy(items: Iterable[Item]) -> Iterator[OfPolicy]:
    """In the order in which policies come first."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.policy, []).append(item)
    for policy, several in found.items():
        fixes = {each.fix for each in several}
        severities = list(dict.fromkeys(each.severity for each in several))
        yield OfPolicy(
            policy, several[0].title, ", ".join(severities), fixes.pop() if len(fixes) == 1 else "", several
        )


def by_date(
    items: Iterable[Item], key: Callable[[Item], datetime | None]
) -> Iterator[tuple[datetime, list[Item]]]:
    for at, group in groupby(items, key=key):
        if at is not None:
            yield at, list(group)


# --- JSON


def team_json(report: TeamReport) -> str:
    return json_text({"schema": SCHEMA, **_team(report)})


def index_json(found: Fleet) -> str:
    return json_text(
        {
            "schema": "solon.team-reports/v1",
            "as_of": _time(found.now),
            "failures": found.failures,
            "teams": [
                {
                    "team": each.team,
                    "file": f"{each.file}.json",
                    "denied": len(each.denied),
                    "coming": len(each.coming),
                    "waived": len(each.waived),
                    "undated": len(each.undated),
                    "next": _time(each.next),
                    "unowned_subjects": len(each.unowned),
                }
                for each in found.teams
            ],
        }
    )


def _team(report: TeamReport) -> dict[str, Any]:
    return {
        "team": report.team,
        "as_of": _time(report.now),
        "denied": [_json(each) for each in report.denied],
        "coming": [_json(each) for each in report.coming],
        "waived": [_json(each) for each in report.waived],
        "undated": [_json(each) for each in report.undated],
        "unowned_subjects": [
            {"uri": u.uri, "resource": u.resource, "namespace": u.namespace, "location": location(u.location)}
            for u in report.unowned
        ],
    }


def _json(item: Item) -> dict[str, Any]:
    return {
        "policy": item.policy,
        "title": item.title,
        "severity": item.severity,
        "stage": item.stage.value,
        "resource": item.resource,
        "namespace": item.namespace,
        "uri": item.uri,
        "location": location(item.location),
        "message": item.message,
        "fix": item.fix,
        "denied_from": _time(item.denied_from),
        "waiver": item.waiver,
        "waived_until": _time(item.waived_until),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def counted(items: Sequence[Item]) -> str:
    """``3 violations on 2 resources``."""
    return f"{plural(len(items), 'violation')} on {plural(len({each.uri for each in items}), 'resource')}"
