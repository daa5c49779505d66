"""What a change of policies does: which are added, removed, tightened and loosened, and how that is known.

Two versions of the policies are compared by what they say of themselves (enforcement, severity, parameters, what they
are about) and by what they say of samples. Nothing is guessed: where only the text differs, that is what is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from solon.frameworks.policy import Policy, Stage
from solon.lang.values import json_text
from solon.subjects.subject import Location

Direction = Literal["tighter", "looser", ""]
Kind = Literal["added", "removed", "tightened", "loosened", "tightened and loosened", "changed"]

SEVERITIES: Final = ("low", "medium", "high", "critical")
STAGES: Final = (Stage.DRYRUN, Stage.WARN, Stage.AUDIT, Stage.ENFORCE)
_MOST_DIFFERENCES: Final = 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A policy in one version. ``text`` differs where its code or its data do; ``match`` is what it is about."""

    policy: Policy
    text: str
    match: Any = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one version of a policy says of a sample: the first message, or nothing."""

    sample: str
    location: Location
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """How a change is known. ``about`` is enforcement, severity, parameters, match, behaviour or text."""

    about: str
    direction: Direction
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """``was`` is the policy's former id, where it has another one now; ``stages`` are the former and the new one."""

    id: str
    kind: Kind
    location: Location
    reasons: tuple[Reason, ...] = ()
    newly_found: tuple[Verdict, ...] = ()
    newly_passed: tuple[Verdict, ...] = ()
    was: str = ""
    stages: tuple[Stage | None, Stage | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes since ``base``. Subjects count as denied where a policy that is enforced finds something."""

    base: str
    policies: list[Change]
    samples: int = 0
    newly_denied: list[Verdict] = field(default_factory=list)
    newly_allowed: list[Verdict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


# What a version says of every sample, in the same order for both: by policy, the verdicts.
Behaviour = Mapping[str, Sequence[Verdict]]


def compare(
    base: str,
    before: Mapping[str, Snapshot],
    after: Mapping[str, Snapshot],
    judged: tuple[Behaviour, Behaviour],
    samples: int,
    problems: Sequence[str] = (),
) -> Changes:
    """The changes from one version to another. ``judged`` has of each policy all samples that it was asked about."""
    former = renamed(before, after)
    changes: list[Change] = []
    for name, new in after.items():
        old = before.get(former.get(name, name))
        found, passed = _differences(
            judged[0].get(former.get(name, name), ()) if old else (), judged[1].get(name, ())
        )
        change = Change(name, "added", new.policy.source, (), found, passed, "", (None, new.policy.stage))
        if old is None:
            changes.append(change)
            continue
        told = len(judged[1].get(name, ()))
        reasons = (*_reasons(old, new), *_behaviour(old, new, found, passed, told))
        if reasons:
            stages = (old.policy.stage, new.policy.stage)
            was = former.get(name, "")
            changes.append(replace(change, kind=_kind(reasons), reasons=reasons, was=was, stages=stages))
    for name, old in before.items():
        if name not in after and name not in former.values():
            _, passed = _differences(judged[0].get(name, ()), ())
            changes.append(
                Change(name, "removed", old.policy.source, (), (), passed, "", (old.policy.stage, None))
            )
    denied, allowed = _subjects(before, after, judged)
    return Changes(
        base, sorted(changes, key=lambda c: c.id), samples, list(denied), list(allowed), list(problems)
    )


def renamed(before: Mapping[str, Snapshot], after: Mapping[str, Snapshot]) -> dict[str, str]:
    """Conftest's ``warn_x`` that has become ``deny_x``, or the other way round: new id -> former id."""
    found: dict[str, str] = {}
    for name, snapshot in after.items():
        if name in before or snapshot.policy.framework != "conftest":
            continue
        package, dot, rule = name.rpartition(".")
        verb, _, rest = rule.partition("_")
        for other in {"deny", "warn", "violation"} - {verb}:
            former = f"{package}{dot}{other}{rule[len(verb) :]}" if rest or rule == verb else ""
            if former in before and former not in after:
                found[name] = former
    return found


def _kind(reasons: Collection[Reason]) -> Kind:
    directions = {reason.direction for reason in reasons} - {""}
    if directions == {"tighter"}:
        return "tightened"
    if directions == {"looser"}:
        return "loosened"
    return "tightened and loosened" if directions else "changed"


# --- what policies say of themselves


def _reasons(old: Snapshot, new: Snapshot) -> Iterator[Reason]:
    before, after = old.policy, new.policy
    if before.stage is not after.stage:
        raised = STAGES.index(after.stage) > STAGES.index(before.stage)
        yield Reason("enforcement", _direction(raised), f"{before.stage} → {after.stage}")
    if before.severity != after.severity:
        known = before.severity in SEVERITIES and after.severity in SEVERITIES
        raised = known and SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity)
        yield Reason("severity", _direction(raised) if known else "", f"{before.severity} → {after.severity}")
    for path, one, other in _unequal("", before.parameters, after.parameters):
        yield Reason("parameters", "", f"{path}: {_shown(one)} → {_shown(other)}" if path else "changed")
    yield from _match(old.match or {}, new.match or {})


def _direction(tighter: bool) -> Direction:
    return "tighter" if tighter else "looser"


def _unequal(path: str, one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """The fields in which two documents differ."""
    if one == other and type(one) is type(other):
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        names = list(dict.fromkeys([*one, *other]))
        found = [
            difference
            for name in names
            for difference in _unequal(
                f"{path}.{name}" if path else str(name), one.get(name), other.get(name)
            )
        ]
        return found[:_MOST_DIFFERENCES]
    return [(path, one, other)]


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = json_text(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _match(old: Any, new: Any) -> Iterator[Reason]:
    """What a policy is about: more of it is tighter."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for name in dict.fromkeys([*old, *new]):
        one, other = old.get(name), new.get(name)
        if one == other:
            continue
        wider = _MATCHES.get(name, _selector)(one, other)
        direction: Direction = "" if wider is None else _direction(wider)
        yield Reason("match", direction, f"{name}: {_shown(one)} → {_shown(other)}")


def _kinds(value: Any) -> frozenset[Any] | None:
    """The (group, kind) pairs; None stands for all."""
    if not isinstance(value, list) or not value:
        return None
    pairs = {
        (group, kind)
        for entry in value
        if isinstance(entry, dict)
        for group in entry.get("apiGroups") or ["*"]
        for kind in entry.get("kinds") or ["*"]
    }
    return None if ("*", "*") in pairs else frozenset(pairs)


def _names(value: Any) -> frozenset[Any] | None:
    if isinstance(value, str):
        return None if value in ("", "*") else frozenset([value])
    return frozenset(map(str, value)) if isinstance(value, list) and value else None


def _inclusion(read: Callable[[Any], frozenset[Any] | None]) -> Callable[[Any, Any], bool | None]:
    """Whether the new list names more, where one of the two names all that the other does."""

    def wider(one: Any, other: Any) -> bool | None:
        before, after = read(one), read(other)
        if before == after:
            return None
        if after is None or (before is not None and before < after):
            return True
        return False if before is None or after < before else None

    return wider


def _exclusion(one: Any, other: Any) -> bool | None:
    before, after = _names(one) or frozenset(), _names(other) or frozenset()
    return True if after < before else False if before < after else None


def _selector(one: Any, other: Any) -> bool | None:
    """A condition that was not there before makes it about less."""
    return False if not one else True if not other else None


_MATCHES: Final[Mapping[str, Callable[[Any, Any], bool | None]]] = {
    "kinds": _inclusion(_kinds),
    "namespaces": _inclusion(_names),
    "scope": _inclusion(_names),
    "subject": _inclusion(_names),
    "excludedNamespaces": _exclusion,
}


# --- what they say of samples


def _differences(
    before: Sequence[Verdict], after: Sequence[Verdict]
) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    """The samples of which something is newly found, and those of which nothing is any more."""
    old = {(v.sample, v.location): v for v in before}
    new = {(v.sample, v.location): v for v in after}
    found = tuple(v for at, v in new.items() if v.message and not (at in old and old[at].message))
    passed = tuple(v for at, v in old.items() if v.message and not (at in new and new[at].message))
    return found, passed


def _behaviour(
    old: Snapshot, new: Snapshot, found: Sequence[Verdict], passed: Sequence[Verdict], told: int
) -> Iterator[Reason]:
    if found:
        yield Reason("behaviour", "tighter", f"{_samples(len(found))} newly found to violate it")
    if passed:
        yield Reason("behaviour", "looser", f"{_samples(len(passed))} no longer found to violate it")
    if old.text != new.text and not found and not passed:
        tells = f"none of {_samples(told)} tells a difference" if told else "no sample is there to tell"
        yield Reason("text", "", f"its text or data changed, and {tells}")


def _samples(count: int) -> str:
    return f"{count} sample{'s' * (count != 1)}"


def _subjects(
    before: Mapping[str, Snapshot], after: Mapping[str, Snapshot], judged: tuple[Behaviour, Behaviour]
) -> tuple[tuple[Verdict, ...], tuple[Verdict, ...]]:
    """The samples that are newly denied, and newly allowed, by all policies together."""
    sides = []
    for snapshots, behaviour in zip((before, after), judged, strict=True):
        denied: dict[tuple[str, Location], Verdict] = {}
        for name, snapshot in snapshots.items():
            if snapshot.policy.stage is Stage.ENFORCE:
                for verdict in behaviour.get(name, ()):
                    if verdict.message:
                        denied.setdefault((verdict.sample, verdict.location), verdict)
        sides.append(denied)
    old, new = sides
    return tuple(v for at, v in new.items() if at not in old), tuple(
        v for at, v in old.items() if at not in new
    )


# --- stages that were passed over


@dataclass(frozen=True, slots=True)
class Leap:
    """A policy that denies from now on. ``skipped``: it did not warn before."""

    change: Change
    skipped: bool


def leaps(changes: Changes, *, governed: bool) -> Iterator[Leap]:
    """The policies whose own enforcement is raised to deny.

    In a repository that is not ``governed`` new policies may deny at once, and those that warned may go on to.
    """
    for change in changes.policies:
        before, after = change.stages
        if after is not Stage.ENFORCE or before is after:
            continue
        skipped = before in (None, Stage.DRYRUN)
        if governed or before is Stage.DRYRUN:
            yield Leap(change, skipped)
