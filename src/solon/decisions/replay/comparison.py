"""Then and now: what a decision came to, and what it would come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Found, Recorded


class Kind(StrEnum):
    """What would become of a decision, the gravest first."""

    DENIED = "newly denied"
    FAILS = "newly fails"
    WARNED = "newly warned"
    ALLOWED = "newly allowed"
    UNWARNED = "no longer warned"
    OTHER = "other findings"
    SAME = "as before"


class Cause(StrEnum):
    """Why a policy does something else about a decision than it did."""

    POLICY = "policy"  # it finds what it did not find, or no longer finds what it did
    STAGE = "stage"  # it finds the same, and the rollout has another stage for it
    WAIVER = "waiver"  # it finds the same, and a waiver came or ended
    BREAKGLASS = "break-glass"  # it found the same, and break-glass let it pass


# What lies between two words for the same finding, the first that is among them.
_CAUSES: Final = (("overridden", Cause.BREAKGLASS), ("waived", Cause.WAIVER))


@dataclass(frozen=True, slots=True)
class Shift:
    """What one policy did, and does. An empty word: it found nothing."""

    policy: str
    was: str
    now: str
    message: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Comparison:
    """``unexplained``: the policies are those of then, and nothing that the log lacks tells the difference."""

    kind: Kind
    shifts: tuple[Shift, ...] = ()
    same_revision: bool = False

    @property
    def unexplained(self) -> bool:
        return self.same_revision and (
            any(shift.cause is Cause.POLICY for shift in self.shifts)
            or (self.kind is not Kind.SAME and not self.shifts)
        )


def compared(then: Recorded, now: Verdict, revisions: frozenset[str]) -> Comparison:
    """``revisions`` are those of the candidate's policy sets."""
    shifts = _shifts(then.findings, now.findings)
    was = _stopped(then)
    kind = _KINDS.get((was, now.outcome), Kind.DENIED if now.outcome == "deny" else Kind.OTHER)
    if was == now.outcome:
        other = bool(shifts) or then.answer != now.answer
        kind = Kind.OTHER if other else Kind.SAME
    return Comparison(kind, shifts, bool(then.revisions) and then.revisions == revisions)


_KINDS: Final = {
    ("deny", "allow"): Kind.ALLOWED,
    ("deny", "warn"): Kind.ALLOWED,
    ("error", "allow"): Kind.ALLOWED,
    ("error", "warn"): Kind.ALLOWED,
    ("allow", "warn"): Kind.WARNED,
    ("warn", "allow"): Kind.UNWARNED,
    **{(was, "error"): Kind.FAILS for was in ("", "allow", "warn", "deny")},
}


def _stopped(then: Recorded) -> str:
    """The outcome without break-glass: a policy that an emergency overrode is no stricter for denying now."""
    return "deny" if any(each.word == "overridden" for each in then.findings) else then.outcome


_GRAVEST: Final = ("error", "deny", "overridden", "warn", "waived", "recorded")


def _shifts(then: Sequence[Found], now: Sequence[Found]) -> tuple[Shift, ...]:
    """What each policy does differently, by the gravest of its findings, or by how many there are."""
    if not then and not now:
        return ()
    before, after = _by_policy(then), _by_policy(now)
    found = []
    for policy in sorted(before.keys() | after.keys()):
        was, is_now = before.get(policy), after.get(policy)
        if was is not None and is_now is not None and was[1] == is_now[1]:
            continue
        old, new = _word(was), _word(is_now)
        message = (is_now or was or ("", Counter()))[0]
        found.append(Shift(policy, old, new, message, _cause(old, new)))
    return tuple(found)


def _by_policy(findings: Sequence[Found]) -> dict[str, tuple[str, Counter[str]]]:
    """Of each policy the message of its gravest finding, and how many of each word there are."""
    out: dict[str, tuple[str, Counter[str]]] = {}
    gravest: dict[str, int] = {}
    for each in findings:
        rank = _GRAVEST.index(each.word) if each.word in _GRAVEST else len(_GRAVEST)
        message, words = out.get(each.policy, ("", Counter()))
        words[each.word] += 1
        if rank < gravest.get(each.policy, len(_GRAVEST) + 1):
            gravest[each.policy] = rank
            message = each.message
        out[each.policy] = message, words
    return out


def _word(found: tuple[str, Counter[str]] | None) -> str:
    if found is None:
        return ""
    return next((word for word in _GRAVEST if found[1][word]), "")


def _cause(was: str, now: str) -> Cause:
    if not was or not now or was == now or "error" in (was, now):
        return Cause.POLICY
    return next((cause for word, cause in _CAUSES if word in (was, now)), Cause.STAGE)
