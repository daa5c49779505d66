"""What is deployed and no longer complies, by owner; and what owners are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from solon.decisions.replay.fleet import Standing, Violation
from solon.governance.notify import Kind, Message, Sent
from solon.report.check_report import plural
from solon.report.json import text as json_text
from solon.report.text import printable

SCHEMA: Final = "solon.audit/v1"
_MOST: Final = 12  # subjects told of in a message, whose length is limited
_SHOWN: Final = 20  # subjects of an owner in the table


@dataclass(frozen=True, slots=True)
class Owned:
    """The subjects of an owner that do not comply. ``sent`` is None where nobody was told."""

    owner: str
    subjects: Sequence[Standing]
    sent: Sent | None = None

    @property
    def news(self) -> list[Standing]:
        return [each for each in self.subjects if each.new]


@dataclass(frozen=True, slots=True)
class FleetReport:
    """``undone``: why subjects could not be judged, and how many. ``notify``: owners were to be told."""

    owners: Sequence[Owned]
    judged: int
    revisions: Mapping[str, str]
    undone: Mapping[str, int] = field(default_factory=dict)
    recorded: int = 0
    notify: bool = False

    @property
    def subjects(self) -> list[Standing]:
        return [each for owned in self.owners for each in owned.subjects]


def by_owner(standings: Iterable[Standing]) -> list[Owned]:
    """Those that do not comply, owners in order of their names."""
    found: dict[str, list[Standing]] = {}
    for each in standings:
        if each.violations:
            found.setdefault(each.owner, []).append(each)
    return [
        Owned(owner, sorted(found[owner], key=lambda s: (not s.new, not s.denied, s.uri)))
        for owner in sorted(found)
    ]


def message(owned: Owned, *, everything: bool = False) -> Message:
    """What an owner is told: the subjects with something new, or all of them."""
    subjects = list(owned.subjects) if everything else owned.news
    denied = sum(each.denied for each in subjects)
    title = f"{plural(len(subjects), 'deployed subject')} no longer {'complies' if len(subjects) == 1 else 'comply'}"
    if denied:
        title += f": {denied:,} would be denied today"
    parts = ["\n".join(_entry(each, everything=everything)) for each in subjects[:_MOST]]
    if len(subjects) > _MOST:
        parts.append(f"And {len(subjects) - _MOST:,} more: solon audit")
    rest = len(owned.subjects) - len(subjects)
    if rest:
        parts.append(f"{plural(rest, 'other')} of yours still {'does' if rest == 1 else 'do'} not comply.")
    return Message(title, "\n\n".join(parts), Kind.FAILURE if denied else Kind.WARNING)


def _entry(each: Standing, *, everything: bool) -> list[str]:
    lines = [_called(each)]
    for violation in each.violations if everything else each.new:
        lines.append(f"  {_word(violation)}: {violation.policy}: {violation.message}")
        if violation.remediation:
            lines.append(f"  fix: {violation.remediation}")
    return lines


def _called(each: Standing) -> str:
    where = f" in {each.namespace}" if each.namespace else ""
    return f"{each.name}{where}{f' ({each.environment})' if each.environment else ''}"


def _word(violation: Violation) -> str:
    if violation.word == "deny":
        return "would be denied"
    return f"denied from {violation.denied_from[:10]}" if violation.denied_from else "warning"


def table(report: FleetReport) -> str:
    lines = [f"{plural(report.judged, 'deployed subject')}: {_summary(report)}"]
    lines += [f"  {name}  {revision[:19]}" for name, revision in report.revisions.items()]
    for owned in report.owners:
        lines += ["", f"{owned.owner or '(no owner)'} · {_telling(report, owned)}"]
        for each in owned.subjects[:_SHOWN]:
            lines.append(f"  {'✗' if each.denied else '!'} {_called(each)}{'' if each.new else ' · known'}")
            lines += [f"      {v.policy}  {_word(v)}: {v.message}" for v in each.violations]
        if len(owned.subjects) > _SHOWN:
            lines.append(f"  and {len(owned.subjects) - _SHOWN:,} more: --format json has all")
    if report.undone:
        lines += [
            "",
            *(f"{plural(n, 'subject')} not judged: {why}" for why, n in sorted(report.undone.items())),
        ]
    if report.recorded:
        lines += ["", f"{plural(report.recorded, 'entry', 'entries')} added to the log"]
    return "".join(f"{printable(line)}\n" for line in lines)


def _summary(report: FleetReport) -> str:
    subjects = report.subjects
    new = sum(bool(each.new) for each in subjects)
    known = len(subjects) - new
    rest = report.judged - len(subjects)
    parts = [f"{new:,} no longer {'complies' if new == 1 else 'comply'}"] if new else []
    parts += [f"{known:,} {'does' if known == 1 else 'do'} not comply, as owners know"] if known else []
    parts += [f"{rest:,} {'complies' if rest == 1 else 'comply'}" if parts else "all comply"]
    return ", ".join(parts) if report.judged else "nothing to judge"


def _telling(report: FleetReport, owned: Owned) -> str:
    count = len(owned.news)
    if owned.sent is not None:
        if owned.sent.delivered:
            return f"told on {', '.join(map(str, owned.sent.delivered))}"
        return "not told"
    if not count:
        return "knows"
    return "would be told" if not report.notify else "not told"


def json(report: FleetReport) -> str:
    return json_text(
        {
            "schema": SCHEMA,
            "policies": dict(report.revisions),
            "judged": report.judged,
            "not_judged": dict(report.undone),
            "recorded": report.recorded,
            "owners": [_owned(owned) for owned in report.owners],
        }
    )


def _owned(owned: Owned) -> dict[str, Any]:
    sent = owned.sent
    return {
        "owner": owned.owner,
        "delivered": [str(channel) for channel in sent.delivered] if sent is not None else [],
        "failures": list(sent.failures) if sent is not None else [],
        "subjects": [
            {
                "subject": each.uri,
                "name": each.name,
                "namespace": each.namespace,
                "environment": each.environment,
                "deployed_by": each.of,
                "denied": each.denied,
                "violations": [
                    {
                        "policy": violation.policy,
                        "outcome": violation.word,
                        "message": violation.message,
                        "remediation": violation.remediation,
                        "denied_from": violation.denied_from or None,
                        "new": violation in each.new,
                    }
                    for violation in each.violations
                ],
            }
            for each in owned.subjects
        ],
    }
