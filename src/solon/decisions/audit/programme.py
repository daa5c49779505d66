"""What the log itself says of the programme: which policies were in force, what changed, who approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final

from solon.decisions.audit.carriers import Carrier
from solon.decisions.in_force.events import Recorded
from solon.decisions.in_force.parts import ActivePolicy, ActiveSet, ActiveWaiver
from solon.governance.breakglass.cases import Closed, Opened, Used

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def carriers(entries: Sequence[Recorded], start_us: int, end_us: int) -> list[Carrier]:
    """The policies that were in force at some time of the period, with those times. ``entries`` are in order."""
    begun: dict[tuple[str, str, str], int] = {}
    found: dict[tuple[str, str, str], Carrier] = {}
    for each in entries:
        policy_set = each.said.policy_set
        at = each.time_ns // 1_000
        if policy_set is None or at >= end_us:
            continue
        place = each.said.place
        now = {} if each.said.change == "removed" else {policy.id: policy for policy in policy_set.policies}
        for key in [key for key in begun if key[:2] == (place, policy_set.name) and key[2] not in now]:
            found[key] = _ended(found[key], begun.pop(key), at)
        for name, policy in now.items():
            key = (place, policy_set.name, name)
            begun.setdefault(key, at)
            found[key] = _carrier(policy, policy_set.name, place, found.get(key))
    for key, since in begun.items():
        found[key] = _ended(found[key], since, None)
    return [each for each in found.values() if _within(each, start_us)]


def _carrier(policy: ActivePolicy, policy_set: str, place: str, before: Carrier | None) -> Carrier:
    """As the newest entry has it, with all controls that it ever named."""
    earlier = before.controls if before else ()
    return Carrier(
        policy.id,
        policy_set,
        tuple(dict.fromkeys([*earlier, *policy.controls])),
        policy.title,
        policy.severity,
        policy.owner,
        policy.remediation,
        f"{policy.file}:{policy.line}",
        place,
        before.periods if before else (),
    )


def _ended(carrier: Carrier, since: int, until: int | None) -> Carrier:
    return replace(carrier, periods=(*(carrier.periods or ()), (since, until)))


def _within(carrier: Carrier, start_us: int) -> bool:
    return any(last is None or last > start_us for _, last in carrier.periods or ())


# --- what changed


def changes(
    entries: Sequence[Recorded], carriers: Sequence[Carrier], start_us: int, end_us: int
) -> Iterator[dict[str, Any]]:
    """Entries of the period that are about these policies: time, kind, what, place, by, entry, shard, index."""
    sets = {each.policy_set for each in carriers}
    policies = {each.policy for each in carriers}
    for each in entries:
        if start_us <= each.time_ns // 1_000 < end_us and _about(each, sets, policies):
            kind, what = _told(each)
            yield {
                "time": _EPOCH + timedelta(microseconds=each.time_ns // 1_000),
                "kind": kind,
                "what": what,
                "place": each.said.place,
                "by": each.by,
                "entry": each.id,
                "shard": each.shard,
                "index": each.index,
            }


def _about(each: Recorded, sets: set[str], policies: set[str]) -> bool:
    said = each.said
    if said.policy_set is not None:
        return said.policy_set.name in sets
    if said.rollout is not None:
        return not policies.isdisjoint(said.rollout.policies)
    if said.waiver is not None:
        return _names(said.waiver.waiver.policies, policies)
    if isinstance(said.breakglass, (Opened, Used)):
        return _names(said.breakglass.policies, policies)
    return True


def _names(globs: Sequence[str], policies: set[str]) -> bool:
    return any(fnmatchcase(policy, glob) for policy in policies for glob in globs)


def _told(each: Recorded) -> tuple[str, str]:
    said = each.said
    differences = said.differences
    if said.policy_set is not None:
        return "policy set", _set(said.policy_set, said.change, each)
    if said.rollout is not None:
        steps = [
            f"{step.scope or 'the rest'}: {step.was or 'not staged'} to {step.stage}"
            for step in (differences.steps if differences else [])
        ]
        return "rollout", "\n".join([f"{said.rollout.file} {said.change}", *steps])
    if said.waiver is not None:
        return "waiver", _waiver(said.waiver, said.change)
    if said.settings is not None:
        problems = [f"could not be used: {problem}" for problem in said.settings.problems]
        return "settings", "\n".join(
            [f"settings {said.change}; an error is {said.settings.posture}", *problems]
        )
    match said.breakglass:
        case Opened() as token:
            return "break-glass", f"{token.id} opened by {token.by}: {token.reason} ({token.ticket})"
        case Used() as token:
            return "break-glass", f"{token.id} used by {token.by} for {token.subjects:,} subjects"
        case Closed() as token:
            return "break-glass", f"{token.id} reviewed by {token.by}: {token.outcome}"
    return "programme", said.change


def _set(policy_set: ActiveSet, change: str, each: Recorded) -> str:
    differences = each.said.differences
    lines = [f"{policy_set.name} {change}, revision {policy_set.revision}"]
    if differences is not None and differences.was:
        lines[0] += f" (was {differences.was})"
        for word, names in (
            ("added", differences.added),
            ("changed", differences.changed),
            ("removed", differences.removed),
        ):
            if names:
                lines.append(f"{word}: {', '.join(names)}")
    return "\n".join(lines)


def _waiver(waiver: ActiveWaiver, change: str) -> str:
    said = waiver.waiver
    names = ", ".join(
        part for part in (f"owner {said.owner}", f"approved by {said.approved_by}", said.ticket) if part
    )
    return f"{waiver.id} {change}, {waiver.created} to {waiver.expires}\n{said.reason} ({names})"


# --- who approved


def approvals(entries: Sequence[Recorded]) -> dict[str, ActiveWaiver]:
    """The waivers by their ids, each as its newest entry has it."""
    return {each.said.waiver.id: each.said.waiver for each in entries if each.said.waiver is not None}


def tokens(entries: Sequence[Recorded]) -> Mapping[str, tuple[Opened | None, Closed | None]]:
    """The break-glass tokens by their ids: who opened each, and who reviewed it."""
    out: dict[str, tuple[Opened | None, Closed | None]] = {}
    for each in entries:
        event = each.said.breakglass
        if isinstance(event, Opened):
            out[event.id] = event, out.get(event.id, (None, None))[1]
        elif isinstance(event, Closed):
            out[event.id] = out.get(event.id, (None, None))[0], event
    return out
