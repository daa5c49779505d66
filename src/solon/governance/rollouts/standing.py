"""Where each policy stands in each scope of its rollout, and whether it is ready for what comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from solon.frameworks.policy import Policy, Stage
from solon.governance.programme import Programme
from solon.governance.rollouts.criteria import Criterion, criteria, in_stage
from solon.governance.rollouts.observations import History, Seen
from solon.governance.rollouts.rollout import BEGINNING, RANK, Exit, Period, Plan, Track
from solon.governance.scope import covers
from solon.governance.times import period

SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy in one scope; the scope without a name is that of subjects in none.

    ``since`` is None where the stage is the default. ``seen`` is by day, all of it; ``covered_by`` is the earlier
    scope that leaves nothing for this one; ``early`` says that a date comes before its criteria hold.
    """

    policy: Policy
    plan: Plan
    track: Track
    stage: Stage
    since: datetime | None
    next: Period | None
    seen: Sequence[Seen]
    exit: Exit | None
    criteria: Sequence[Criterion]
    covered_by: str = ""
    early: str = ""

    @property
    def last(self) -> Seen | None:
        return self.seen[-1] if self.seen else None

    @property
    def ready(self) -> bool:
        return all(each.holds for each in self.criteria)


def standings(programme: Programme, history: History) -> list[Standing]:
    """In the order of rollouts, policies and scopes."""
    policies = {policy.id: policy for policy in programme.policies}
    found = []
    for plan in programme.plans:
        for policy, chosen in programme.by_policy.items():
            if chosen is plan:
                found += list(_of(plan, policies[policy], programme, history))
    return found


def _of(plan: Plan, policy: Policy, programme: Programme, history: History) -> Iterator[Standing]:
    for index, track in enumerate(plan.tracks):
        above = next((t.name for t in plan.tracks[:index] if covers(t.scope, track.scope)), "")
        yield standing(plan, policy, track, history, programme.now, programme.inputs.local, above)
    rest = standing(plan, policy, plan.rest, history, programme.now, programme.inputs.local)
    if not plan.tracks or rest.stage is not Stage.DRYRUN or (rest.last and rest.last.subjects):
        yield rest


def standing(
    plan: Plan,
    policy: Policy,
    track: Track,
    history: History,
    now: datetime,
    local: tzinfo,
    covered_by: str = "",
) -> Standing:
    seen, since, exit_ = history.of(policy.id, track), track.since(now), track.exit(now)
    stage, coming = track.at(now).stage, track.next(now)
    # At the last stage there is none to go to.
    asked = exit_ if exit_ and stage is not Stage.ENFORCE else None
    found = criteria(asked, in_stage(seen, track, now), now, local) if asked else []
    return Standing(
        policy,
        plan,
        track,
        stage,
        since if since != BEGINNING else None,
        coming,
        seen,
        exit_,
        found,
        covered_by,
        _early(found, stage, coming, now),
    )


def _early(found: Sequence[Criterion], stage: Stage, coming: Period | None, now: datetime) -> str:
    """Why the next date comes too early: the days do not suffice, or it is close and something does not hold."""
    failing = [each for each in found if not each.holds]
    if coming is None or not failing or RANK[coming.stage] <= RANK[stage]:
        return ""
    left = coming.start - now
    missing = max(each.missing for each in failing)
    if timedelta(days=missing) > left + timedelta(days=1):  # today may still be one of them
        return f"{coming.stage} comes in {period(left)}, and {missing} more days are to be observed"
    others = [each.name for each in failing if not each.missing]
    if left <= SOON and others:
        return f"{coming.stage} comes in {period(left)}, and {_listed(others)} not hold"
    return ""


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    if others:
        return f"{', '.join(others)} and {last} do"
    return f"{last} {'do' if last in ('violations', 'errors') else 'does'}"
