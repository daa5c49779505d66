"""solon baseline: what violates now, written down."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from dataclasses import dataclass

from solon.cli import governed
from solon.cli.errors import Failure, UsageError
from solon.cli.governed import Asked, Governed
from solon.cli.writing import replaced
from solon.decisions.record import rfc3339
from solon.governance.rollouts.baseline import Known, Pair, decoded, encoded
from solon.governance.scope import matches
from solon.report.check_report import plural
from solon.report.json import text as json_text
from solon.report.text import printable
from solon.subjects import discover
from solon.subjects.documents import Problem
from solon.subjects.subject import Unreadable

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """``update`` takes out what is put right, ``add`` adds what is new; neither: a new file."""

    output: str
    policies: list[str]
    update: bool
    add: bool
    dry_run: bool
    format: str


def run(asked: Asked, wanted: Wanted) -> int:
    """The exit status. Raises UsageError, Failure."""
    before = _before(wanted)
    at = governed.judged(asked)
    _must_be_sound(at, wanted)
    violations, waived = _violations(at, wanted)
    after = _after(before, violations, waived, wanted)
    if (before is None or after != before) and not wanted.dry_run:
        replaced(wanted.output, encoded(after, rfc3339(governed.clock() // 10**9 * 10**9)))
    told = _Told(wanted, sorted(after - (before or frozenset())), sorted((before or frozenset()) - after))
    sys.stdout.write(
        _json(told, len(after)) if wanted.format == "json" else _text(told, len(after), len(waived))
    )
    return 0


def _before(wanted: Wanted) -> Known | None:
    """What the file holds, where it is there. Raises UsageError."""
    changes = wanted.update or wanted.add
    if not os.path.lexists(wanted.output):
        if changes:
            raise UsageError(f"{wanted.output}: no such file: without --update and --add, one is written")
        return None
    if not changes:
        raise UsageError(
            f"{wanted.output} exists: --update takes out what is put right, --add adds what violates now"
        )
    try:
        found = decoded(discover.read_bytes(wanted.output, lambda _size: b""), wanted.output)
    except Problem as problem:
        raise UsageError(str(problem.at(wanted.output))) from None
    if isinstance(found, Unreadable):
        raise UsageError(str(found))
    return found


def _must_be_sound(at: Governed, wanted: Wanted) -> None:
    """Raises Failure; that a rollout names the very file that is to be written is no reason."""
    awaited = f"baseline {os.path.relpath(wanted.output)}:"
    problems = [p for p in at.programme.problems if not p.problem.startswith(awaited)]
    failures = [
        Unreadable(finding.location, f"{finding.policy.id} failed: {finding.message}")
        for decision in at.decisions
        for finding in decision.findings
        if finding.error
    ]
    found = [*problems, *at.unreadable, *failures]
    if found:
        raise Failure("\n".join([*map(str, found), "solon: no baseline was written: put this right first"]))


def _violations(at: Governed, wanted: Wanted) -> tuple[set[Pair], set[Pair]]:
    """The pairs that violate, and those that a waiver covers."""
    open_, waived = set[Pair](), set[Pair]()
    for decision in at.decisions:
        for finding in decision.findings:
            if finding.excepted or not _named(finding.policy.id, wanted):
                continue
            pair = (finding.policy.id, at.programme.traits(finding.subject, finding.path).uri)
            (waived if finding.ruling is not None and finding.ruling.waiver else open_).add(pair)
    return open_, waived


def _named(policy: str, wanted: Wanted) -> bool:
    return not wanted.policies or any(matches(glob, policy) for glob in wanted.policies)


def _after(
    before: Known | None, violations: Collection[Pair], waived: Collection[Pair], wanted: Wanted
) -> Known:
    """What the file is to hold. Policies that were not asked for stay as they are."""
    if before is None:
        return frozenset(violations)
    kept = before
    if wanted.update:
        still = {*violations, *waived}
        kept = frozenset(pair for pair in before if pair in still or not _named(pair[0], wanted))
    return kept | frozenset(violations) if wanted.add else kept


@dataclass(frozen=True, slots=True)
class _Told:
    wanted: Wanted
    added: list[Pair]
    removed: list[Pair]


def _text(told: _Told, total: int, waived: int) -> str:
    lines = []
    for sign, pairs in (("+", told.added), ("-", told.removed)):
        lines += [f"{sign} {policy}  {uri}" for policy, uri in pairs[:_SHOWN]]
        if len(pairs) > _SHOWN:
            lines.append(f"{sign} {len(pairs) - _SHOWN:,} more")
    what = "would hold" if told.wanted.dry_run else "holds"
    changed = f"{len(told.added):,} added, {len(told.removed):,} taken out"
    lines.append(f"{told.wanted.output} {what} {plural(total, 'violation')}: {changed}")
    if waived:
        lines.append(f"Left out: {plural(waived, 'violation')} that waivers cover")
    return "".join(f"{printable(line)}\n" for line in lines)


def _json(told: _Told, total: int) -> str:
    def pairs(found: list[Pair]) -> list[dict[str, str]]:
        return [{"policy": policy, "subject": uri} for policy, uri in found]

    return json_text(
        {
            "schema": "solon.baseline-change/v1",
            "file": told.wanted.output,
            "total": total,
            "added": pairs(told.added),
            "removed": pairs(told.removed),
            "written": not told.wanted.dry_run,
        }
    )
