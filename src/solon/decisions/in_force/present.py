"""The programme that a process is about to judge with, in the parts that the log has of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from solon.decisions.in_force.parts import (
    ActivePeriod,
    ActivePolicy,
    ActiveRollout,
    ActiveScope,
    ActiveSet,
    ActiveSettings,
    ActiveWaiver,
    Part,
    Parts,
    Text,
    TokenEvent,
    digest,
    key_of,
    written,
)
from solon.frameworks.policy import Policy, PolicySet, SourceText, source_text
from solon.governance.breakglass.cases import Case
from solon.governance.programme import Programme
from solon.governance.rollouts.rollout import Plan, Track
from solon.governance.times import period
from solon.governance.waivers.waiver import Exemption
from solon.lang.values import json_text, to_json
from solon.subjects.subject import Location


@dataclass(frozen=True, slots=True)
class Present:
    """``texts`` are by digest. ``locations`` finds, by key, where a part is written: asked only where one changed."""

    place: str
    parts: Parts
    texts: Mapping[str, bytes] = field(default_factory=dict)
    locations: Mapping[str, Callable[[], Location]] = field(default_factory=dict)
    tokens: Sequence[TokenEvent] = ()
    digest: str = ""  # of all parts


def present(
    place: str,
    sets: Iterable[PolicySet],
    programme: Programme | None,
    *,
    root: str = "",
    timezone: str = "UTC",
    posture: str = "closed",
    longest_breakglass: str = "",
    tokens: Sequence[TokenEvent] = (),
    problems: Sequence[str] = (),
) -> Present:
    """Without a programme each policy does what it asks for. ``root`` is the directory that files are told from."""
    read = _Reading(root)
    parts: list[Part] = [read.policy_set(each) for each in sets]
    settings = ActiveSettings(posture=posture, timezone=timezone, problems=list(problems))
    if programme is not None:
        plans: dict[int, list[str]] = {id(plan): [] for plan in programme.plans}
        for policy, plan in programme.by_policy.items():
            plans[id(plan)].append(policy)
        parts += [read.rollout(plan, plans[id(plan)], programme) for plan in programme.plans]
        parts += [read.waiver(each, programme) for each in programme.waivers.exemptions]
        settings = ActiveSettings(
            posture=posture,
            timezone=timezone,
            rollouts=programme.governed,
            broken=programme.broken,
            longest_waivers={name: period(each) for name, each in programme.inputs.rules.longest.items()},
            longest_breakglass=longest_breakglass,
            problems=[*map(str, programme.problems), *problems],
        )
    parts.append(settings)
    named = {key_of(part): part for part in parts}
    return Present(place, named, read.texts, read.locations, tokens, digest(named))


def events_of(cases: Iterable[Case]) -> list[TokenEvent]:
    """What happened to tokens, a token after the other."""
    events: list[TokenEvent] = []
    for case in cases:
        events += [case.opened, *case.uses]
        events += [case.closed] if case.closed is not None else []
    return events


class _Reading:
    """Collects the texts that parts name, and where parts stand."""

    def __init__(self, root: str) -> None:
        self._root = os.path.abspath(root) + os.sep if root else ""
        self._files: dict[str, str] = {}
        self.texts: dict[str, bytes] = {}
        self.locations: dict[str, Callable[[], Location]] = {}

    def file(self, path: str) -> str:
        """The path from the root, where it is below; as it was given elsewhere."""
        if path not in self._files:
            whole = os.path.abspath(path)
            below = self._root and whole.startswith(self._root)
            self._files[path] = whole[len(self._root) :] if below else path
        return self._files[path]

    def policy_set(self, given: PolicySet) -> ActiveSet:
        texts = [self._text(each, self.file(each.file)) for each in given.texts]
        policies = [self._policy(policy) for policy in given.policies]
        return ActiveSet(given.name, given.revision, policies, texts)

    def _text(self, given: SourceText, file: str) -> Text:
        name = ""
        if given.data is not None:
            name = hashlib.sha256(given.data).hexdigest()
            self.texts[name] = given.data
        data = None if given.place is None else list(given.place)
        return Text(file, given.size, name, data)

    def _policy(self, policy: Policy) -> ActivePolicy:
        source, code = policy.source, policy.code
        return ActivePolicy(
            id=policy.id,
            language=policy.language,
            framework=policy.framework,
            enforcement=policy.stage,
            file=self.file(source.file),
            line=source.line,
            title=policy.title,
            severity=policy.severity,
            owner=policy.owner,
            controls=list(policy.controls),
            remediation=policy.remediation,
            parameters=_writable(policy.parameters),
            code="" if code is None else self.file(code.file),
            code_line=0 if code is None else code.line,
        )

    def rollout(self, plan: Plan, policies: Sequence[str], programme: Programme) -> ActiveRollout:
        rollout = plan.part.value
        named = [rollout.existing, *(scope.existing for scope in rollout.scopes)]
        known = programme.inputs.baseline_texts
        names = sorted({each.baseline for each in named if each is not None and each.baseline is not None})
        part = ActiveRollout(
            file=self.file(plan.part.file),
            rollout=rollout,
            policies=sorted(policies),
            scopes=[_scope(track, programme) for track in (*plan.tracks, plan.rest)],
            number=plan.part.number,
            baselines={
                name: self._text(source_text(name, known[name]), name) for name in names if name in known
            },
        )
        self.locations[key_of(part)] = lambda: plan.part.location
        return part

    def waiver(self, given: Exemption, programme: Programme) -> ActiveWaiver:
        current = (written(given.created), written(given.expires))
        before = [] if len(given.periods) == 1 else given.periods
        part = ActiveWaiver(
            id=given.id,
            file=self.file(given.part.file),
            waiver=given.waiver,
            created=current[0],
            expires=current[1],
            state=given.state(programme.now),
            periods=[(written(begun), written(ended)) for begun, ended in before] or [current],
        )
        self.locations[key_of(part)] = lambda: given.location
        return part


def _writable(parameters: Any) -> Any:
    """Parameters as they can be written: a number of more than 64 bits is JSON, and has to be a text."""
    plain = None if parameters is None else to_json(parameters)
    try:
        msgspec.json.encode(plain)
    except (TypeError, ValueError, OverflowError):
        return json_text(parameters).encode("utf-8", "replace").decode()
    return plain


def _scope(track: Track, programme: Programme) -> ActiveScope:
    return ActiveScope(
        stage=track.at(programme.now).stage,
        periods=[ActivePeriod(each.stage, written(each.start)) for each in track.periods],
        name=track.name,
        where=track.scope,
        since=written(track.since(programme.now)),
    )
