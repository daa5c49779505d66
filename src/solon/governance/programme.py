"""The programme: from what policies ask for to what is done about it, for whom, and from when.

Everything is decided by files that were read before and a time that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from solon.frameworks.policy import Evaluation, Finding, Policy, PolicySet, Ruling, Stage
from solon.governance.ownership import Ownership
from solon.governance.rollouts.baseline import Known
from solon.governance.rollouts.rollout import (
    RANK,
    Grandfathering,
    Plan,
    Rollout,
    Track,
    assigned,
    plan,
    unmatched,
)
from solon.governance.scope import Traits
from solon.governance.times import moment, shown
from solon.governance.waivers.waiver import Checked, Cover, Exemption, Rules, Waiver, checked
from solon.subjects.files import Files
from solon.subjects.subject import Path, Subject, Unreadable

Spares = Callable[[str, Traits], str]


def _spares_nothing(policy: str, traits: Traits) -> str:
    del policy, traits
    return ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a programme is made of. ``rollouts`` and ``waivers`` are None in a repository that has none.

    ``baselines`` are by the name that rollouts give them; ``created`` gives the creation time of a subject as
    RFC 3339, or nothing; ``breakglass`` the id of a token that covers a policy and a subject, or nothing.
    """

    ownership: Ownership
    rules: Rules
    rollouts: Files[Rollout] | None = None
    waivers: Files[Waiver] | None = None
    baselines: Mapping[str, Known] = field(default_factory=dict)
    baseline_texts: Mapping[str, bytes] = field(default_factory=dict)  # as they were read
    created: Callable[[Subject], str] = lambda _: ""
    breakglass: Spares = _spares_nothing
    local: tzinfo = UTC


class Programme:
    """Rollouts, waivers and ownership as they are at one time."""

    def __init__(self, inputs: Inputs, sets: Sequence[PolicySet], now: datetime) -> None:
        self.now = now
        self.inputs = inputs
        self.policies: list[Policy] = [policy for each in sets for policy in each.policies]
        self.problems: list[Unreadable] = []
        self.plans: list[Plan] = []
        self.by_policy: dict[str, Plan] = {}
        self.waivers = Checked()
        self.broken = False  # whether a rollout is: which policies it is about is not known then
        if inputs.rollouts is not None:
            self._read_rollouts(inputs.rollouts, sets)
        if inputs.waivers is not None:
            self.waivers = checked(inputs.waivers.parts, inputs.rules, self.policies, inputs.local)
            self.problems += [*inputs.waivers.problems, *self.waivers.problems]
        self._cover = Cover(self.waivers.exemptions, now)
        self._terms: dict[tuple[int, Stage], tuple[Stage, datetime | None, str]] = {}

    def _read_rollouts(self, files: Files[Rollout], sets: Sequence[PolicySet]) -> None:
        broken = list(files.problems)
        for part in files.parts:
            found, problems = plan(part, self.inputs.local)
            broken += problems
            if found is not None:
                self.plans.append(found)
        self.by_policy, twice = assigned(self.plans, sets)
        self.problems += [*broken, *twice]
        self.broken = bool(broken or twice)

    @property
    def governed(self) -> bool:
        """Whether rollouts say what is done: a policy that none names is only recorded then."""
        return self.inputs.rollouts is not None

    @property
    def unnamed(self) -> list[Policy]:
        """The policies that no rollout names."""
        return (
            [policy for policy in self.policies if policy.id not in self.by_policy] if self.governed else []
        )

    @property
    def idle(self) -> list[Plan]:
        """Rollouts that name no policy there is."""
        return unmatched(self.plans, self.by_policy)

    def traits(self, subject: Subject, path: Path | None = None) -> Traits:
        return self.inputs.ownership.traits(subject, path)

    def track(self, policy: str, traits: Traits) -> Track | None:
        found = self.by_policy.get(policy)
        return found.track(traits) if found is not None else None

    def apply(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation with the subject's owner, and each finding at the stage that the programme has for it."""
        subject = evaluation.subject
        traits = self.traits(subject)
        if traits.team or traits.owner or traits.environment:
            subject = subject.of(traits.team, traits.owner, traits.environment)
        findings = [self._ruled(finding, subject, traits) for finding in evaluation.findings]
        return Evaluation(subject, findings, evaluation.policies, evaluation.elapsed_ns)

    def _ruled(self, finding: Finding, subject: Subject, traits: Traits) -> Finding:
        if subject.kind == "terraform.plan" and finding.path:
            traits = self.traits(subject, finding.path)
        stage, ruling = self.staged(finding.policy, subject, traits, finding.stage)
        if finding.excepted:
            return finding.ruled(subject, stage, ruling)
        # A waiver is for what a policy says; an emergency may be that it says nothing but an error.
        waiver = None if finding.error else self._cover.of(finding.policy.id, traits)
        if waiver is not None:
            ruling = self._waived(ruling, waiver)
        elif stage is Stage.ENFORCE and (token := self.inputs.breakglass(finding.policy.id, traits)):
            if finding.policy.overridable:
                ruling = replace(ruling, breakglass=token, because=f"let through by break-glass {token}")
            else:
                ruling = replace(
                    ruling, because=f"break-glass {token} lets nothing through here: hard-mandatory"
                )
        return finding.ruled(subject, stage, ruling)

    def _waived(self, ruling: Ruling, waiver: Exemption) -> Ruling:
        said = waiver.waiver
        return replace(
            ruling,
            waiver=waiver.id,
            waiver_expires=waiver.expires,
            waiver_location=waiver.location,
            because=f"waived until {shown(waiver.expires, self.inputs.local)} by {waiver.location} "
            f"({said.owner}, approved by {said.approved_by}): {said.reason}",
        )

    def staged(self, policy: Policy, subject: Subject, traits: Traits, asked: Stage) -> tuple[Stage, Ruling]:
        """The stage of a policy for a subject, and the reason. ``asked`` is what the policy itself asks for."""
        team, owner = traits.team, traits.owner
        track = self.track(policy.id, traits)
        if track is None:
            if not self.governed or self.broken:
                return asked, Ruling(team, owner)
            return Stage.DRYRUN, Ruling(team, owner, because="no rollout names this policy")
        terms = self._terms.get((id(track), asked))
        if terms is None:
            terms = self._terms[id(track), asked] = self._terms_of(track, asked)
        stage, bites, because = terms
        existing = track.existing
        until = None
        if (
            asked is Stage.ENFORCE
            and existing is not None
            and (bites is None or bites < existing.until)
            and self._exists(policy, subject, traits, existing)
        ):
            until = existing.until
            bites = track.denies_from(max(until, bites or self.now))
            if stage is Stage.ENFORCE:
                when = f"; denied from {shown(bites, self.inputs.local)}" if bites else ""
                stage, because = Stage.AUDIT, f"was there before{when}"
            else:
                because = self._in_words(track, bites)
        return stage, Ruling(
            team, owner, track.rollout, track.name, bites, existing_until=until, because=because
        )

    def _terms_of(self, track: Track, asked: Stage) -> tuple[Stage, datetime | None, str]:
        """What a track makes of what a policy asks for: the stage, from when it denies, and both in words."""
        period = track.at(self.now)
        stage = _lower(asked, period.stage)
        bites = track.bites(self.now) if asked is Stage.ENFORCE else None
        return stage, bites, "" if stage is asked else self._in_words(track, bites)

    def _in_words(self, track: Track, bites: datetime | None) -> str:
        place = f"scope {track.name} of {track.rollout}" if track.name else f"in no scope of {track.rollout}"
        if bites is None:
            return f"{place}: {track.at(self.now).stage}, with no date to deny"
        return f"{place}: denied from {shown(bites, self.inputs.local)}"

    def _exists(self, policy: Policy, subject: Subject, traits: Traits, existing: Grandfathering) -> bool:
        if self.now >= existing.until:
            return False
        if existing.baseline is not None:
            known = self.inputs.baselines.get(existing.baseline, frozenset())
            if (policy.id, traits.uri) in known:
                return True
        if existing.created_before is None:
            return False
        created = self.inputs.created(subject)
        try:
            return bool(created) and moment(created) < existing.created_before
        except ValueError:
            return False


def _lower(one: Stage, other: Stage) -> Stage:
    return min(one, other, key=RANK.__getitem__)


def creation_times(documents: Sequence[Any]) -> Callable[[Subject], str]:
    """Creation times from what exists in the cluster; of a subject that is not there, from the subject itself."""
    known: dict[tuple[str, str, str], str] = {}
    for document in documents:
        key, created = _identity(document)
        if created:
            known[key] = created

    def of(subject: Subject) -> str:
        key, created = _identity(subject.document)
        return known.get(key, created)

    return of


def _identity(document: Any) -> tuple[tuple[str, str, str], str]:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict):
        return ("", "", ""), ""
    key = (str(document.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name")))
    created = metadata.get("creationTimestamp")
    return key, created if isinstance(created, str) else ""
