"""Exit criteria: what must hold before a stage is left, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from solon.governance.rollouts.observations import Seen
from solon.governance.rollouts.rollout import Exit, Track
from solon.governance.times import period

STALE: Final = timedelta(hours=48)
TREND_DAYS: Final = 3  # fewer show none


@dataclass(frozen=True, slots=True)
class Criterion:
    """``name`` is that of the field of ``exit``, or ``errors``; the others are words for people."""

    name: str
    wanted: str
    actual: str
    holds: bool
    missing: int = 0  # days that are still to be observed

    def __str__(self) -> str:
        return f"{self.name}: {self.actual} (wanted: {self.wanted})"


def in_stage(seen: Sequence[Seen], track: Track, now: datetime) -> list[Seen]:
    """What was seen since the stage of that instant began."""
    stage, since = track.at(now).stage, track.since(now)
    return [each for each in seen if each.stage is stage and since <= each.time <= now]


def criteria(exit_: Exit, seen: Sequence[Seen], now: datetime, local: tzinfo) -> list[Criterion]:
    """Each criterion that is asked for, over what was seen in this stage, in order of time.

    Failures of the policy are one more where there are any: enforced, they would stop changes as well.
    """
    return list(_criteria(exit_, seen, now, local))


def _criteria(exit_: Exit, seen: Sequence[Seen], now: datetime, local: tzinfo) -> Iterator[Criterion]:
    if exit_.days is not None:
        days = len({each.time.astimezone(local).date() for each in seen})
        yield Criterion(
            "days",
            f"at least {exit_.days}",
            f"{days}",
            days >= exit_.days,
            max(exit_.days - days, 0),
        )
    unknown = _unknown(seen, now)
    last = seen[-1] if seen else None
    if exit_.violations is not None:
        wanted = f"at most {exit_.violations:,}" if exit_.violations else "none"
        if last is None or unknown:
            yield Criterion("violations", wanted, unknown, False)
        else:
            count = last.found.violations
            yield Criterion("violations", wanted, f"{count:,}", count <= exit_.violations)
    share = exit_.share
    if share is not None:
        wanted = f"at least {percent(share)}"
        if last is None or unknown:
            yield Criterion("green", wanted, unknown, False)
        else:
            red = min(last.found.units, last.units)
            # In whole numbers: 95% of 20 is 19, whatever binary fractions make of it.
            holds = last.units - red >= round(share * last.units, 9)
            yield Criterion(
                "green", wanted, f"{percent(last.green)}, {last.units - red:,} of {last.units:,}", holds
            )
    if exit_.trend is not None:
        yield unknown_trend(exit_.trend, unknown) if unknown else _trend(exit_.trend, seen)
    if last is not None and not unknown and last.found.errors:
        yield Criterion("errors", "none", f"{last.found.errors:,} failures of the policy", False)


def _unknown(seen: Sequence[Seen], now: datetime) -> str:
    """Why nothing is known of now; empty where something is."""
    if not seen:
        return "never observed in this stage"
    age = now - seen[-1].time
    return f"last observed {period(age)} ago" if age > STALE else ""


def unknown_trend(wanted: str, why: str) -> Criterion:
    return Criterion("trend", wanted, why, False)


def _trend(wanted: str, seen: Sequence[Seen]) -> Criterion:
    """The mean of the last third of the days against that of the first; a single peak moves neither much.

    Where there is nothing left, it counts as falling.
    """
    counts = [each.found.violations for each in seen]
    if len(counts) < TREND_DAYS:
        return unknown_trend(wanted, f"{len(counts)} of the {TREND_DAYS} days that show one")
    third = len(counts) // 3
    first, last = sum(counts[:third]) / third, sum(counts[-third:]) / third
    falling = last < first or last == 0
    word = "falling" if last < first else "rising" if last > first else "level"
    actual = f"{word}, from {first:,.4g} to {last:,.4g}"
    return Criterion("trend", wanted, actual, falling or (wanted == "not-rising" and last == first))


def percent(share: float) -> str:
    """``95%``, ``99.5%``: rounded down, so that what is not all is never shown as 100%."""
    return f"{int(share * 1000 + 1e-6) / 10:g}%"
