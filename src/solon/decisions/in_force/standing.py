"""What a recorded programme comes to at a moment: the stage of each policy, and what spares a subject from it.

It is asked as the present one is: dates are read, scopes matched and stages lowered by the code of governance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from solon.decisions.in_force.parts import ActivePolicy, ActiveRollout, ActiveSet, ActiveWaiver, key_of
from solon.decisions.in_force.state import State
from solon.frameworks.policy import Policy, PolicySet, Ruling, Stage
from solon.governance.breakglass.cases import Case
from solon.governance.ownership import Around, Ownership, OwnershipSettings
from solon.governance.programme import Inputs, Programme, creation_times
from solon.governance.rollouts import baseline
from solon.governance.rollouts.baseline import Known
from solon.governance.rollouts.rollout import BEGINNING, RANK, Period, Rollout, Track
from solon.governance.scope import Traits, compiled, matches
from solon.governance.times import moment, zone
from solon.governance.waivers.waiver import Cover, Exemption, WaiverSettings, rules
from solon.governance.waivers.waiver import State as WaiverState
from solon.subjects.fields import mapping
from solon.subjects.files import Files, Part
from solon.subjects.subject import Location, OnePlace, Subject, Unreadable

_NOBODY: Final = OwnershipSettings(team=[], owner=[], environment=[])


@dataclass(frozen=True, slots=True)
class Standing:
    """A policy in one scope of its rollout, or for one subject. ``since`` is None where no date began the stage."""

    policy: ActivePolicy
    of: ActiveSet
    stage: Stage
    rollout: str = ""
    scope: str = ""
    where: str = ""
    since: datetime | None = None
    next: Period | None = None
    because: str = ""
    periods: Sequence[Period] = ()
    waiver: Exemption | None = None
    breakglass: Sequence[Case] = ()


class InForce:
    """A state at a moment. ``text`` gives the baselines that rollouts name, by digest; raises LogError."""

    def __init__(self, state: State, at: datetime, text: Callable[[str], bytes]) -> None:
        self.state = state
        self.at = at
        self.local = zone(state.settings.timezone)
        self.exemptions = [_exemption(each) for each in state.waivers]
        self.programme = self._programme(text)
        self._cover = Cover(self.exemptions, at)

    @property
    def waivers(self) -> list[Exemption]:
        """Those that hold at that moment."""
        return [each for each in self.exemptions if each.state(self.at) is WaiverState.ACTIVE]

    @property
    def tokens(self) -> list[Case]:
        """The break-glass tokens that could be used at that moment."""
        return [
            case
            for case in self.state.cases
            if case.closed is None and case.opened.issued <= self.at < case.opened.expires
        ]

    @property
    def policies(self) -> list[tuple[ActiveSet, ActivePolicy]]:
        return [(each, policy) for each in self.state.sets for policy in each.policies]

    def standings(self) -> list[Standing]:
        """Each policy in each scope of its rollout."""
        return [standing for each, policy in self.policies for standing in self._in_scopes(each, policy)]

    def of_subject(self, subject: Subject, traits: Traits) -> list[Standing]:
        """Each policy as it stood for a subject."""
        return [self.of(each, policy, subject, traits) for each, policy in self.policies]

    def of(self, policies: ActiveSet, policy: ActivePolicy, subject: Subject, traits: Traits) -> Standing:
        stage, ruling = self.programme.staged(_policy(policy), subject, traits, policy.enforcement)
        track = self.programme.track(policy.id, traits)
        tokens = [
            case
            for case in self.tokens
            if any(matches(glob, policy.id) for glob in case.opened.policies)
            and compiled(case.opened.scope)(traits)
        ]
        waiver = self._cover.of(policy.id, traits)
        return self._standing(policies, policy, stage, track, ruling, waiver, tokens)

    def _in_scopes(self, policies: ActiveSet, policy: ActivePolicy) -> list[Standing]:
        plan = self.programme.by_policy.get(policy.id)
        if plan is None:
            stage, ruling = self.programme.staged(_policy(policy), _SUBJECT, Traits(), policy.enforcement)
            return [self._standing(policies, policy, stage, None, ruling)]
        out = []
        for track in (*plan.tracks, plan.rest):
            stage = min(policy.enforcement, track.at(self.at).stage, key=RANK.__getitem__)
            out.append(self._standing(policies, policy, stage, track, Ruling()))
        return out

    def _standing(
        self,
        policies: ActiveSet,
        policy: ActivePolicy,
        stage: Stage,
        track: Track | None,
        ruling: Ruling,
        waiver: Exemption | None = None,
        tokens: Sequence[Case] = (),
    ) -> Standing:
        if track is None:
            return Standing(policy, policies, stage, because=ruling.because, waiver=waiver, breakglass=tokens)
        since = track.since(self.at)
        return Standing(
            policy,
            policies,
            stage,
            track.rollout,
            track.name,
            str(track.scope) if track.name else "",
            None if since == BEGINNING else since,
            track.next(self.at),
            ruling.because,
            [period for period in track.periods if period.start != BEGINNING],
            waiver,
            tokens,
        )

    def _programme(self, text: Callable[[str], bytes]) -> Programme:
        settings = self.state.settings
        broken = (
            [Unreadable(Location(""), problem) for problem in settings.problems] if settings.broken else []
        )
        parts = [self._rollout(each) for each in self.state.rollouts]
        inputs = Inputs(
            ownership=Ownership(_NOBODY, Around()),
            rules=rules(WaiverSettings()),
            rollouts=Files(parts, broken) if settings.rollouts else None,
            baselines=_baselines(self.state.rollouts, text),
            created=creation_times(()),
            local=self.local,
        )
        sets = [_policy_set(each) for each in self.state.sets]
        return Programme(inputs, sets, self.at)

    def _rollout(self, part: ActiveRollout) -> Part[Rollout]:
        at = self.state.entry(key_of(part)).said.at
        location = Location(part.file, at.line if at is not None else 0)
        return Part(part.rollout, lambda _path: location, part.file, part.number)


def _exemption(part: ActiveWaiver) -> Exemption:
    location = Location(part.file)
    periods = [(moment(begun), moment(ended)) for begun, ended in part.periods]
    return Exemption(
        part.id,
        Part(part.waiver, lambda _path: location, part.file),
        moment(part.created),
        moment(part.expires),
        periods,
    )


def _policy(given: ActivePolicy) -> Policy:
    return Policy(
        given.id,
        given.language,
        given.framework,
        Location(given.file, given.line),
        given.enforcement,
        lambda *_: True,
        lambda *_: (),
        severity=given.severity,
    )


def _policy_set(given: ActiveSet) -> PolicySet:
    return PolicySet(given.name, given.revision, list(map(_policy, given.policies)), lambda _: ())


def _baselines(rollouts: Sequence[ActiveRollout], text: Callable[[str], bytes]) -> dict[str, Known]:
    known: dict[str, Known] = {}
    for rollout in rollouts:
        for name, kept in rollout.baselines.items():
            read = baseline.decoded(text(kept.sha256), name) if kept.sha256 else frozenset()
            known[name] = frozenset() if isinstance(read, Unreadable) else read
    return known


# --- subjects, as decisions have them


_NOWHERE: Final = Location("")
_SUBJECT: Final = Subject("", "", "", None, _NOWHERE, OnePlace(_NOWHERE))


def judged(event: Mapping[str, Any]) -> tuple[Subject, Traits]:
    """The subject of a decision's event, and what scopes may ask of it: what was known of it when it was judged."""
    solon = mapping(event.get("solon"))
    said = mapping(solon.get("subject"))
    labels = {name: each for name, each in mapping(said.get("labels")).items() if isinstance(each, str)}
    word = {name: each for name, each in said.items() if isinstance(each, str)}
    line = said.get("line")
    subject = Subject(
        word.get("kind", ""),
        word.get("uri", ""),
        word.get("name", ""),
        event.get("input"),
        Location(word.get("file", ""), line if isinstance(line, int) else 0),
        OnePlace(_NOWHERE),
        word.get("owner", ""),
        word.get("team", ""),
        word.get("namespace", ""),
        word.get("environment", ""),
        labels,
    )
    cluster = mapping(solon.get("programme")).get("cluster")
    around = Around(cluster=cluster if isinstance(cluster, str) else "")
    traits = Ownership(_NOBODY, around).traits(subject)
    return subject, msgspec.structs.replace(traits, team=subject.team)
