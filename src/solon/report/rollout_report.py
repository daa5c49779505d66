"""Where policies stand in their rollouts, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from solon.frameworks.policy import Policy, Stage
from solon.governance.rollouts.observations import Seen
from solon.governance.rollouts.rollout import ORDER, Plan
from solon.governance.rollouts.standing import SOON, Standing
from solon.governance.times import period
from solon.report.check_report import plural
from solon.report.json import text as json_text
from solon.report.table import wrap
from solon.report.text import printable

SCHEMA: Final = "solon.rollout-status/v1"
_MANY: Final = 40  # scopes; of more, only those that somebody should look at are shown
_FEW: Final = 8  # of one policy are shown all the same
_WIDEST: Final = 120


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What the output can show."""

    holds: str
    fails: str
    dot: str
    cut: str
    bars: str


UNICODE: Final = Glyphs("✓", "✗", "·", "…", "▁▂▃▄▅▆▇█")
ASCII: Final = Glyphs("+", "-", "|", "~", "_.:-=+*#")


@dataclass(frozen=True, slots=True)
class StatusReport:
    """``unnamed`` are the policies that no rollout names, ``idle`` the rollouts that name none."""

    standings: Sequence[Standing]
    unnamed: Sequence[Policy]
    idle: Sequence[Plan]
    now: datetime
    local: tzinfo


def sparkline(values: Sequence[int], bars: str, longest: int) -> str:
    """The last values as bars, from nothing to the most there were; whatever is not nothing shows."""
    shown = values[-longest:]
    most = max(shown, default=0)
    top = len(bars) - 1
    return "".join(bars[max(1, round(value * top / most)) if value else 0] for value in shown)


def table(report: StatusReport, *, width: int, glyphs: Glyphs = UNICODE, everything: bool = False) -> str:
    return "".join(f"{line.rstrip()}\n" for line in _lines(report, min(width, _WIDEST), glyphs, everything))


def _lines(report: StatusReport, width: int, glyphs: Glyphs, everything: bool) -> Iterator[str]:
    brief = not everything and len(report.standings) > _MANY
    for policy, group in groupby(report.standings, key=lambda each: each.policy):
        of_policy = list(group)
        shown = [each for each in of_policy if notable(each, report.now)] if brief else of_policy
        if brief and len(of_policy) <= _FEW:
            shown = of_policy
        yield from _policy(policy, shown, report, width, glyphs)
        if len(shown) < len(of_policy):
            yield f"  {_rest(of_policy, shown)}; --all shows {'them' if len(of_policy) - len(shown) > 1 else 'it'}"
        yield ""
    yield from _closing(report, width)


def notable(standing: Standing, now: datetime) -> bool:
    """Whether somebody should look at it: it changes soon, comes too early, or is never reached."""
    soon = standing.next is not None and standing.next.start - now <= SOON
    return bool(soon or standing.early or standing.covered_by)


def _rest(of_policy: Sequence[Standing], shown: Sequence[Standing]) -> str:
    hidden = [each for each in of_policy if each not in shown]
    violations = sum(each.last.found.violations for each in hidden if each.last)
    return f"{plural(len(hidden), 'more scope')}: {_stages(hidden)}; {plural(violations, 'violation')}"


def _stages(standings: Sequence[Standing]) -> str:
    counts = [(sum(each.stage is stage for each in standings), stage) for stage in reversed(ORDER)]
    return ", ".join(f"{count:,} at {stage}" for count, stage in counts if count)


def _policy(
    policy: Policy, shown: Sequence[Standing], report: StatusReport, width: int, glyphs: Glyphs
) -> Iterator[str]:
    yield from _wrapped(f"{policy.id}  {policy.title}" if policy.title else policy.id, width, 0, 2)
    if not shown:
        return
    bars = 10 if width < 100 else 20
    # Two blanks at the start of each column but the first; the widest of each of the others is known.
    room = width - 2 - (2 + 7) - (2 + 10) - (2 + 6) - (2 + bars) - (2 + 18)
    names = [_name(each) for each in shown]
    size = min(max(map(cell_len, [*names, "SCOPE"])), max(room, 8))
    heads = f"  {'SCOPE':<{size}}  {'STAGE':<7}  {'SINCE':<10}  {'NOW':>6}  {'OVER TIME':<{bars}}  NEXT"
    yield heads
    for name, each in zip(names, shown, strict=True):
        counts = [seen.found.violations for seen in each.seen]
        yield (
            f"  {_fit(name, size, glyphs)}  {each.stage:<7}  {_date(each.since, report.local):<10}  "
            f"{_short(each.last):>6}  {sparkline(counts, glyphs.bars, bars):<{bars}}  {_next(each, report)}"
        )
        yield from _below(each, width, glyphs)


def _below(each: Standing, width: int, glyphs: Glyphs) -> Iterator[str]:
    if each.criteria:
        parts = [f"{glyphs.holds if c.holds else glyphs.fails} {c}" for c in each.criteria]
        yield from _joined(parts, f" {glyphs.dot} ", width, 4)
    if each.early:
        yield from _wrapped(f"! {each.early}", width, 4, 6)
    if each.covered_by:
        yield from _wrapped(f"! never reached: {each.covered_by} takes all of it before", width, 4, 6)


def _name(standing: Standing) -> str:
    return printable(standing.track.name) or ("(in no scope)" if standing.plan.tracks else "(everything)")


def _fit(text: str, size: int, glyphs: Glyphs) -> str:
    if cell_len(text) > size:
        text = set_cell_size(text, size - 1).rstrip() + glyphs.cut
    return set_cell_size(text, size)


def _short(seen: Seen | None) -> str:
    """A count in six characters at most; a dash where nobody has looked."""
    if seen is None:
        return "-"
    count = seen.found.violations
    return f"{count:,}" if count < 100_000 else f"{count // 1000:,}k"


def _date(at: datetime | None, local: tzinfo) -> str:
    return "-" if at is None else f"{at.astimezone(local):%Y-%m-%d}"


def _next(standing: Standing, report: StatusReport) -> str:
    coming = standing.next
    return "-" if coming is None else f"{coming.stage} {_date(coming.start, report.local)}"


def _closing(report: StatusReport, width: int) -> Iterator[str]:
    standings = report.standings
    if not standings:
        yield "No rollout names a policy."
    else:
        policies = len({each.policy.id for each in standings})
        parts = [
            f"{plural(policies, 'policy', 'policies')} in {plural(len(standings), 'scope')}: {_stages(standings)}"
        ]
        early = sum(bool(each.early) for each in standings)
        if early:
            parts.append(f"{early} {'comes' if early == 1 else 'come'} too early")
        unseen = sum(each.last is None for each in standings)
        if unseen:
            parts.append(f"{unseen} never observed (`solon rollout observe PATHS`)")
        dates = [each.last.time for each in standings if each.last]
        if dates and report.now - max(dates) > timedelta(hours=48):
            parts.append(f"last observed {period(report.now - max(dates))} ago")
        yield from _wrapped("; ".join(parts), width, 0, 2)
    if report.unnamed:
        names = ", ".join(printable(policy.id) for policy in report.unnamed)
        yield from _wrapped(f"In no rollout, so at dryrun: {names}", width, 0, 2)
    for plan in report.idle:
        yield from _wrapped(f"{printable(str(plan.part.location))}: names no policy there is", width, 0, 2)


def _wrapped(text: str, width: int, indent: int, hang: int) -> Iterator[str]:
    for number, line in enumerate(wrap(printable(text), width - hang)):
        yield " " * (hang if number else indent) + line


def _joined(parts: Sequence[str], between: str, width: int, indent: int) -> Iterator[str]:
    """As many parts in a line as there is room for."""
    line = ""
    for part in parts:
        if line and cell_len(line) + cell_len(between) + cell_len(part) > width - indent:
            yield " " * indent + line
            line = ""
        line += between + part if line else part
    yield " " * indent + line


def json_of(report: StatusReport) -> str:
    return json_text(
        {
            "schema": SCHEMA,
            "as_of": _time(report.now),
            "standings": [_standing(each) for each in report.standings],
            "unnamed": [policy.id for policy in report.unnamed],
            "idle": [str(plan.part.location) for plan in report.idle],
        }
    )


def _standing(each: Standing) -> dict[str, Any]:
    coming = each.next
    return {
        "policy": each.policy.id,
        "rollout": each.track.rollout,
        "scope": each.track.name,
        "stage": each.stage.value,
        "since": _time(each.since),
        "next": None if coming is None else {"stage": coming.stage.value, "from": _time(coming.start)},
        "observations": [_seen(seen) for seen in each.seen],
        "criteria": [
            {"name": c.name, "wanted": c.wanted, "actual": c.actual, "holds": c.holds} for c in each.criteria
        ],
        "ready": each.ready and each.stage is not Stage.ENFORCE,
        "early": each.early,
        "covered_by": each.covered_by,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "time": _time(seen.time),
        "stage": seen.stage.value,
        "subjects": seen.subjects,
        "units": seen.units,
        "violations": seen.found.violations,
        "violating_subjects": seen.found.subjects,
        "violating_units": seen.found.units,
        "waived": seen.found.waived,
        "existing": seen.found.existing,
        "errors": seen.found.errors,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
