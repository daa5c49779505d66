"""The next step of a scope, and the step back: what is written into the rollout, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from solon.frameworks.policy import Stage
from solon.governance.rollouts.criteria import criteria, in_stage
from solon.governance.rollouts.observations import Seen
from solon.governance.rollouts.rollout import ORDER, RANK, Step, Track
from solon.governance.times import duration, moment, shown, stamp


class NotNow(Exception):
    """Why a step cannot be taken: a line, and what is missing."""

    def __init__(self, reason: str, missing: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is asked for: no ``stage`` is the next one, an empty ``begins`` the first moment of tomorrow."""

    stage: Stage | None = None
    begins: str = ""
    grace: str = ""
    emergency: str = ""
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A step that a scope takes. Its first ``keep`` steps stay; those that are ``gone`` are still to come."""

    step: Step
    keep: int
    gone: Sequence[Step]
    was: Stage


def promoted(
    track: Track,
    asked: Promotion,
    seen: Sequence[tuple[str, Sequence[Seen]]],
    now: datetime,
    local: tzinfo,
) -> Move:
    """The step behind the last one. ``seen`` is by policy, each by day. Raises NotNow.

    In an emergency nothing has to hold, and steps that are still to come give way.
    """
    if bool(asked.emergency) != bool(asked.approved_by):
        raise NotNow("an emergency needs both: --emergency REASON and --approved-by NAME")
    keep, gone = _begun(track, now) if asked.emergency else (_steps(track), [])
    last = track.at(now) if asked.emergency else track.periods[-1]
    stage = asked.stage or ORDER[min(RANK[last.stage] + 1, len(ORDER) - 1)]
    if last.stage is Stage.ENFORCE:
        since = "always" if last.step is None else shown(last.start, local)
        raise NotNow(f"{track.name} enforces from {since}: no stage comes behind that")
    if RANK[stage] <= RANK[last.stage]:
        raise NotNow(f"{stage} is no step up from {last.stage}: `solon rollout demote` goes back")
    if not asked.emergency:
        if stage is Stage.ENFORCE and last.stage is Stage.DRYRUN:
            raise NotNow(
                "dryrun goes to warn or audit first, so that people are told before they are denied; in an "
                "emergency, say --emergency REASON --approved-by NAME"
            )
        _must_hold(track, seen, now, local)
    start, said = _start(asked, now, local)
    if start <= last.start:
        raise NotNow(
            f"the step to {last.stage} is from {shown(last.start, local)}: say a later date with --from"
        )
    if asked.grace and stage is not Stage.ENFORCE:
        raise NotNow("--grace: only enforce has a grace period")
    if asked.grace:
        try:
            duration(asked.grace)
        except ValueError as error:
            raise NotNow(f"--grace: {error}") from None
    step = Step(
        stage,
        said,
        grace=asked.grace or None,
        emergency=asked.emergency or None,
        approved_by=asked.approved_by or None,
    )
    return Move(step, keep, gone, last.stage)


def _start(asked: Promotion, now: datetime, local: tzinfo) -> tuple[datetime, str]:
    """When the step begins, and how to write that."""
    today = now.astimezone(local).date()
    said = asked.begins
    if not said:
        said = stamp(now) if asked.emergency else (today + timedelta(days=1)).isoformat()
    try:
        start = moment(said, local)
    except ValueError as error:
        raise NotNow(f"--from: {error}") from None
    if start.astimezone(local).date() < today:
        raise NotNow(f"--from: {said} is over, and was decided without this step; today is the earliest")
    return start, said


def _must_hold(
    track: Track, seen: Sequence[tuple[str, Sequence[Seen]]], now: datetime, local: tzinfo
) -> None:
    last = track.periods[-1]
    exit_ = last.step.exit if last.step is not None and last.step.exit is not None else track.default_exit
    if not exit_:
        return
    if last.start > now:
        raise NotNow(
            f"the step to {last.stage} comes on {shown(last.start, local)}, and whether its exit criteria hold is "
            "not known before"
        )
    missing: list[str] = []
    for policy, observations in seen:
        found = criteria(exit_, in_stage(observations, track, now), now, local)
        missing += [f"{policy}: {each}" for each in found if not each.holds]
    if missing:
        raise NotNow(f"the exit criteria of {last.stage} in {track.name} do not hold", missing)


def demoted(track: Track, stage: Stage | None, now: datetime) -> Move:
    """The step back from the stage of now, at once. Raises NotNow.

    Steps that are to come would bring back what is taken back, and go.
    """
    current = track.at(now).stage
    keep, gone = _begun(track, now)
    wanted = stage or _before(track, now)
    if RANK[wanted] > RANK[current]:
        raise NotNow(f"{track.name} is at {current}: `solon rollout promote` goes up")
    if wanted is current and not gone:
        raise NotNow(f"{track.name} is at {current} already, and nothing is to come")
    # To the second that has begun, so that it holds from now on; but steps come one after the other.
    start = now.replace(microsecond=0)
    last = max((p.start for p in track.periods if 0 <= p.index < keep), default=None)
    if last is not None and start <= last:
        start = last + timedelta(seconds=1)
    return Move(Step(wanted, stamp(start)), keep, gone, current)


def _steps(track: Track) -> int:
    return 1 + max(period.index for period in track.periods)


def _begun(track: Track, now: datetime) -> tuple[int, list[Step]]:
    """How many steps have begun, and those that have not.

    One whose grace period is not over has not denied yet, and counts as one that has not begun.
    """
    waiting = {p.index: p.step for p in track.periods if p.start > now and p.step is not None}
    keep = min(waiting, default=_steps(track))
    return keep, [step for _, step in sorted(waiting.items())]


def _before(track: Track, now: datetime) -> Stage:
    """The stage that was before, one that asks for less; else the one below. A grace period ends where it is."""
    current = track.at(now)
    if current.step is not None and current.step.stage is not current.stage:
        return current.stage
    lower = [p.stage for p in track.periods if p.start <= now and RANK[p.stage] < RANK[current.stage]]
    return lower[-1] if lower else ORDER[max(RANK[current.stage] - 1, 0)]
