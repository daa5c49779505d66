"""What lint says of rollouts, each at its line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from solon.frameworks.lint import span_of
from solon.frameworks.policy import PolicySet, Stage
from solon.governance.rollouts.observations import digest
from solon.governance.rollouts.rollout import RANK, Plan, Track, globs_of
from solon.governance.scope import covers, matches, overlap
from solon.governance.times import period
from solon.lang.remark import Remark, Severity
from solon.lang.source import Diagnostic
from solon.subjects.subject import Location, Unreadable

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "rollout/invalid": (
        "error",
        "a rollout that cannot be read: its policies do what they ask for themselves",
    ),
    "rollout/straight-to-enforce": ("error", "a rollout that denies, and warned nobody before"),
    "rollout/skipped-stage": ("error", "a change of rollouts by which more is denied, and nobody was warned"),
    "rollout/unknown-policy": ("error", "a rollout of a policy that there is not"),
    "rollout/unreachable-scope": ("warning", "a scope that an earlier one leaves nothing for"),
    "rollout/short-stage": ("warning", "a stage that ends before its exit criteria can hold"),
}
_WARNS: Final = (Stage.WARN, Stage.AUDIT)


def invalid(problem: Unreadable) -> Remark:
    return _remark("rollout/invalid", problem.location, problem.problem, problem.hint)


def remarks(plan: Plan, sets: Sequence[PolicySet] | None) -> Iterator[Remark]:
    """What is wrong with one rollout. ``sets`` is None where the policies are not known."""
    yield from _straight(plan)
    if sets is not None:
        yield from _unknown(plan, sets)
    yield from _unreachable(plan)
    for index, track in enumerate(plan.tracks):
        yield from _short(plan, index, track)


def _straight(plan: Plan) -> Iterator[Remark]:
    rollout = plan.part.value
    if rollout.default is Stage.ENFORCE and not _urgent(plan, plan.rest, plan.rest.periods[0].index):
        yield _remark(
            "rollout/straight-to-enforce",
            plan.part.place(("default",)),
            "subjects in no scope are denied from the start",
            "give them a scope with a stage of warn or audit; or say `emergency: REASON` and `approved_by: NAME`",
        )
    for number, track in enumerate(plan.tracks):
        for before, each in pairwise(track.periods):
            # A grace period is of the same step, and no stage of its own.
            if before.stage is not Stage.DRYRUN and before.index != each.index:
                break  # who comes here was warned
            if each.stage is not Stage.ENFORCE:
                continue
            if not _urgent(plan, track, each.index):
                yield _remark(
                    "rollout/straight-to-enforce",
                    plan.part.place(("scopes", number, "stages", each.index)),
                    f"{track.name} goes from {_before_grace(track, each.index)} to enforce",
                    "put a stage of warn or audit before it; or say `emergency: REASON` and `approved_by: NAME`",
                )
            break


def _before_grace(track: Track, index: int) -> Stage:
    return next(p.stage for p in reversed(track.periods) if p.index < index)


def _urgent(plan: Plan, track: Track, index: int) -> bool:
    """Whether the file says why it denies at once, and who approved that."""
    rollout = plan.part.value
    step = next((p.step for p in track.periods if p.index == index), None)
    emergency = (step.emergency if step else None) or rollout.emergency or ""
    approved_by = (step.approved_by if step else None) or rollout.approved_by or ""
    return bool(emergency.strip() and approved_by.strip())


def _unknown(plan: Plan, sets: Sequence[PolicySet]) -> Iterator[Remark]:
    rollout = plan.part.value
    for key, globs, names in (
        ("policy", globs_of(rollout.policy), [policy.id for each in sets for policy in each.policies]),
        ("policy_set", globs_of(rollout.policy_set), [each.name for each in sets]),
    ):
        for index, glob in enumerate(globs):
            if not any(matches(glob, name) for name in names):
                alone = isinstance(getattr(rollout, key), str)
                yield _remark(
                    "rollout/unknown-policy",
                    plan.part.place((key,) if alone else (key, index)),
                    f"no {key.replace('_', ' ')} is called {glob}",
                    _alike(glob, names),
                )


def _alike(glob: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(glob, list(names), n=1)
    return f"did you mean {found[0]}?" if found else "correct the name, or remove it"


def _unreachable(plan: Plan) -> Iterator[Remark]:
    for number, track in enumerate(plan.tracks):
        above = next((t for t in plan.tracks[:number] if covers(t.scope, track.scope)), None)
        if above is not None:
            yield _remark(
                "rollout/unreachable-scope",
                plan.part.place(("scopes", number, "name")),
                f"{track.name} is never reached: {above.name} takes all of it before",
                f"put it above {above.name}, or remove it",
            )


def _short(plan: Plan, number: int, track: Track) -> Iterator[Remark]:
    """A stage whose days of observation do not fit between its date and that of the next."""
    for each, following in pairwise(track.periods):
        step = each.step
        exit_ = step.exit if step is not None and step.exit is not None else track.default_exit
        if step is None or exit_ is None or exit_.days is None or RANK[following.stage] <= RANK[each.stage]:
            continue
        lasts = following.start - track.since(each.start)
        if lasts < timedelta(days=exit_.days):
            yield _remark(
                "rollout/short-stage",
                plan.part.place(("scopes", number, "stages", following.index, "from")),
                f"{each.stage} in {track.name} lasts {period(lasts)}, and is to be observed for {exit_.days} days",
                f"begin {following.stage} later, or ask for fewer days",
            )


# --- a change of rollouts


@dataclass(frozen=True, slots=True)
class Version:
    """The rollouts of a revision, by policy; None where it has none."""

    plans: Mapping[str, Plan] | None


def raised(
    before: Version, after: Version, policies: Iterable[str], now: datetime, config: Location
) -> Iterator[Remark]:
    """Where subjects that nobody warns yet are denied without a time of warning from now on.

    ``policies`` are those that ask for denial. ``config`` is solon.yaml, where rollouts are gone altogether.
    """
    if before.plans is None:
        return
    if after.plans is None:
        yield _remark(
            "rollout/skipped-stage",
            config,
            "the rollouts are gone: every policy does what it asks for itself, from now on and everywhere",
            "leave them until all that they name enforces; or let the policies warn first",
        )
        return
    for policy in policies:
        new = after.plans.get(policy)
        if new is None:  # no rollout names it: at dryrun
            continue
        old = before.plans.get(policy)
        seen: set[int] = set()
        for name, track in _moved(old, new, now):
            if id(track) in seen or _warned_of(track, now) or _excused(new, track, now):
                continue
            seen.add(id(track))
            was = f"{name or 'no scope'}, which was at dryrun" if old else "no rollout before"
            yield _remark(
                "rollout/skipped-stage",
                track.location,
                f"{policy} denies in {track.name or 'no scope'} what was in {was}",
                "let it warn from now on, and deny later; or say `emergency: REASON` and `approved_by: NAME`",
            )


def _moved(old: Plan | None, new: Plan, now: datetime) -> Iterator[tuple[str, Track]]:
    """The new scopes that subjects may be in now, by the scope in which they were at dryrun."""
    if old is None:
        for track in (*new.tracks, new.rest):
            yield "", track
        return
    for number, track in enumerate((*old.tracks, old.rest)):
        if track.at(now).stage is Stage.DRYRUN:
            # Those before it had taken their subjects already.
            above = {_identity(each) for each in old.tracks[:number]}
            for taker in _takers(track, new, above, rest=track is old.rest):
                yield track.name, taker


def _identity(track: Track) -> tuple[str, str]:
    return track.name, digest(track.scope)


def _takers(track: Track, new: Plan, above: Collection[tuple[str, str]], *, rest: bool) -> Iterator[Track]:
    for each in new.tracks:
        same = not rest and _identity(each) == _identity(track)
        if _identity(each) in above:
            continue
        if same or rest or overlap(each.scope, track.scope):
            yield each
        if same or (not rest and covers(each.scope, track.scope)):
            return
    yield new.rest


def _warned_of(track: Track, now: datetime) -> bool:
    """Whether there is a time of warning between now and the first denial; or no denial at all."""
    denies = track.denies_from(now)
    if denies is None:
        return True
    starts = [each.start for each in track.periods if now < each.start < denies]
    return any(
        track.at(at).stage in _WARNS and not _is_grace(track, at) for at in (now, *starts) if at < denies
    )


def _is_grace(track: Track, at: datetime) -> bool:
    step = track.at(at).step
    return step is not None and step.stage is not track.at(at).stage


def _excused(plan: Plan, track: Track, now: datetime) -> bool:
    denies = track.denies_from(now)
    return denies is not None and _urgent(plan, track, track.at(denies).index)


def _remark(code: str, location: Location, message: str, hint: str) -> Remark:
    return Remark(RULES[code][0], Diagnostic(code, message, span_of(location), hint))
