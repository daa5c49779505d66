"""All that a report shows, and whether the evidence of each control is whole.

Whether a control is met is for the auditor to say. Evidence is whole where the log verifies and is signed, the policies were
asked on every day on which decisions are usual, they were in force, and none of them failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from solon.decisions.audit import programme
from solon.decisions.audit.carriers import Carrier
from solon.decisions.audit.evidence import Evidence
from solon.decisions.audit.gaps import Gap, uncovered, without_decisions
from solon.decisions.in_force.events import Recorded
from solon.decisions.in_force.parts import ActiveWaiver
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.verify import Report
from solon.decisions.log.witness import Status
from solon.governance.breakglass.cases import Closed, Opened

ALL: Final = "all policies"
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """The log, as it was when the report was made.

    ``verified`` is None where that was not asked for; ``compared`` are checkpoints kept elsewhere that it continues.
    """

    name: str
    key: str
    own_key: bool
    verified: Report | None
    compared: int
    meta: Checkpoint | None
    shards: Sequence[tuple[str, int, Checkpoint | None]]  # name, entries, checkpoint
    witnesses: Sequence[Status]

    @property
    def entries(self) -> int:
        return sum(entries for _, entries, _ in self.shards)

    @property
    def unsigned(self) -> int:
        return sum(entries - (signed.size if signed else 0) for _, entries, signed in self.shards)

    @property
    def erased(self) -> int:
        return sum(each.erased for each in self.verified.shards) if self.verified else 0


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A time in which no policy of a control was in force at a place."""

    place: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Control:
    """A control, and its evidence; ``shortcomings`` are why it is not whole."""

    name: str
    carriers: Sequence[Carrier]
    decisions: int
    outcomes: Mapping[str, int]  # of findings: deny, waived, overridden, error, ...
    gaps: Sequence[Gap]
    uncovered: Sequence[Uncovered] | None  # None: the log does not say when they were in force
    shortcomings: Sequence[str]

    @property
    def whole(self) -> bool:
        return not self.shortcomings


@dataclass(frozen=True, slots=True)
class Audit:
    """``asked`` are the controls as they were asked for; ``recorded``: what was in force is read from the log.

    ``start`` is the first moment of the period, ``end`` the first behind it.
    """

    asked: Sequence[str]
    start: datetime
    end: datetime
    made: datetime
    kept: Kept
    recorded: bool
    controls: Sequence[Control]
    carriers: Sequence[Carrier]
    evidence: Evidence
    changes: Sequence[dict[str, Any]]  # time, kind, what, place, by, entry, shard, index
    approvals: Mapping[str, ActiveWaiver]
    tokens: Mapping[str, tuple[Opened | None, Closed | None]]
    limits: Sequence[str]

    @property
    def sound(self) -> bool:
        return self.kept.verified is None or not self.kept.verified.problems

    @property
    def whole(self) -> bool:
        return all(each.whole for each in self.controls)

    @property
    def days(self) -> int:
        return max((self.end - self.start) // timedelta(days=1), 1)


def assessed(
    asked: Sequence[str],
    start: datetime,
    end: datetime,
    made: datetime,
    kept: Kept,
    carried: Mapping[str, Sequence[Carrier]],
    carriers: Sequence[Carrier],
    evidence: Evidence,
    *,
    recorded: Sequence[Recorded],
) -> Audit:
    """``carried``: the controls, each with its policies; ``carriers`` are all policies that are looked at.

    ``recorded`` are the entries of the log about the programme.
    """
    shared = list(_shared(kept))
    strange = _strange(evidence, recorded)
    controls = [
        _control(name, policies, start, end, made, evidence, shared, strange, bool(recorded))
        for name, policies in carried.items()
    ]
    return Audit(
        asked,
        start,
        end,
        made,
        kept,
        bool(recorded),
        controls,
        carriers,
        evidence,
        list(programme.changes(recorded, carriers, _us(start), _us(end))),
        programme.approvals(recorded),
        programme.tokens(recorded),
        list(_limits(kept, evidence, recorded, start)),
    )


def _control(
    name: str,
    carriers: Sequence[Carrier],
    start: datetime,
    end: datetime,
    made: datetime,
    evidence: Evidence,
    shared: Sequence[str],
    strange: Mapping[str, int],
    recorded: bool,
) -> Control:
    sets = sorted({each.policy_set for each in carriers})
    outcomes: dict[str, int] = {}
    for policy in {each.policy for each in carriers}:
        for word, count in evidence.policies.get(policy, {}).items():
            outcomes[word] = outcomes.get(word, 0) + count
    counts: dict[date, int] = {}
    for each in sets:
        for day, count in evidence.days_of.get(each, {}).items():
            counts[day] = counts.get(day, 0) + count
    until = min(end, made)  # days that are still to come are no gaps
    last = (until - timedelta(microseconds=1)).date()
    gaps = without_decisions(counts, start.date(), last)
    decisions = sum(count for day, count in counts.items() if day >= start.date())
    open_ = _uncovered(carriers, start, until) if recorded else None
    found = [
        *shared,
        *_unrecorded(sum(strange.get(each, 0) for each in sets)),
        *_shortcomings(decisions, outcomes, gaps, open_, evidence, {c.policy for c in carriers}),
    ]
    return Control(name, carriers, decisions, outcomes, gaps, open_, found)


def _shortcomings(
    decisions: int,
    outcomes: Mapping[str, int],
    gaps: Sequence[Gap],
    open_: Sequence[Uncovered] | None,
    evidence: Evidence,
    policies: set[str],
) -> Iterator[str]:
    if not decisions:
        yield "No decision of the period asked a policy set that carries it."
    unusual = [gap for gap in gaps if not gap.expected]
    if decisions and unusual:
        days = sum(gap.days for gap in unusual)
        named = ", ".join(_named(gap) for gap in sorted(unusual, key=lambda each: -each.days)[:_NAMED])
        more = f", and {len(unusual) - _NAMED} more" if len(unusual) > _NAMED else ""
        yield f"{_count(days, 'day')} without a decision, where decisions are usual: {named}{more}."
    for each in open_ or ():
        yield f"None of its policies was in force at {each.place} from {_time(each.first)} to {_time(each.last)}."
    failed = outcomes.get("error", 0)
    if failed:
        passed = sum(
            bool(each["passed"]) for each in evidence.errors if policies.intersection(each["policies"])
        )
        let = f", and {passed:,} of them let pass what was not judged" if passed else ""
        yield f"A policy that carries it failed in {_count(failed, 'decision')}{let}."


def _strange(evidence: Evidence, recorded: Sequence[Recorded]) -> dict[str, int]:
    """By policy set: decisions at a revision that the log never says was in force, though it said so of others by then."""
    sets = [
        (each.time_ns // 1_000, each.said.policy_set) for each in recorded if each.said.policy_set is not None
    ]
    known = {(each.name, each.revision) for _, each in sets}
    begun = {name: min(at for at, each in sets if each.name == name) for name, _ in known}
    out: dict[str, int] = {}
    for row in evidence.revisions:
        name = row["policy_set"]
        if (
            (name, row["revision"]) not in known
            and name in begun
            and _us(row["last"].replace(tzinfo=UTC)) > begun[name]
        ):
            out[name] = out.get(name, 0) + row["decisions"]
    return out


def _unrecorded(count: int) -> Iterator[str]:
    if count:
        yield f"{_count(count, 'decision')} at a revision of its policies that the log never says was in force."


def _shared(kept: Kept) -> Iterator[str]:
    """What holds for every control."""
    if kept.verified is not None and kept.verified.problems:
        yield f"The log does not verify: {_count(len(kept.verified.problems), 'problem')}."
    if kept.verified is None:
        yield "The log was not verified when this was made."
    if kept.unsigned:
        yield f"{_count(kept.unsigned, 'entry', 'entries')} of the log {'is' if kept.unsigned == 1 else 'are'} not signed yet."


def _uncovered(carriers: Sequence[Carrier], start: datetime, end: datetime) -> list[Uncovered]:
    """By place, from when on the place is known at all."""
    out = []
    for place in sorted({each.place for each in carriers}):
        periods = [period for each in carriers if each.place == place for period in each.periods or ()]
        known = min((first for first, _ in periods), default=None)
        if known is None:
            continue
        begin = max(_us(start), known)
        out += [Uncovered(place, _at(a), _at(b)) for a, b in uncovered(periods, begin, _us(end))]
    return out


def _limits(kept: Kept, evidence: Evidence, recorded: Sequence[Recorded], start: datetime) -> Iterator[str]:
    """What this does not prove."""
    yield (
        "That every decision was logged. No log shows what was never appended to it: compare the number of decisions with "
        "traces of the gates themselves, such as runs of the pipeline and admission audit logs."
    )
    reached = [each for each in kept.witnesses if each.size]
    if not reached and not kept.compared:
        yield (
            "That the operator did not rewrite history. No witness has a checkpoint of this log, and none that was kept "
            "elsewhere was compared: who has the signing key can make another log and sign it."
        )
    elif not reached:
        yield "That history was not rewritten after the checkpoints that were kept elsewhere: nothing newer has left the operator."
    if kept.own_key:
        yield (
            "That the key is the operator's. The key that was believed is the one in the log itself: compare it with the one "
            "that you were given by another way."
        )
    yield "That clocks were right. The time of a decision is what the one who decided said; the order in a shard is proven."
    yield "The tables and extracts here. They are copies for reading: what is proven are the entries, by the proofs beside them."
    if not recorded:
        yield (
            "That these policies carried the control during the period. The log has no entries that say what was in force: "
            "the policies, and the controls that they name, are those of the repository when this was made."
        )
    elif recorded[0].time_ns // 1_000 > _us(start):
        first = _time(_at(recorded[0].time_ns // 1_000))
        yield f"What was in force before {first}: the log has no entry about the programme from before then."
    if kept.erased:
        yield (
            f"What {_count(kept.erased, 'erased event')} said. Their entries are proven to have been there; what they held is "
            "gone, and they are in no count here."
        )
    if evidence.counts["unnamed"]:
        yield (
            f"Which policy made {_count(evidence.counts['unnamed'], 'denial')} of OPA's: such events name the policy sets "
            "that were asked, and no policy."
        )


def _named(gap: Gap) -> str:
    return f"{gap.first}" if gap.days == 1 else f"{gap.first} to {gap.last}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _at(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
