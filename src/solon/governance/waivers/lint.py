"""What lint and CI say of waivers, each at its line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final

from solon.frameworks.lint import span_of
from solon.governance.times import shown
from solon.governance.waivers.review import Review
from solon.governance.waivers.waiver import Exemption
from solon.lang.remark import Remark, Severity
from solon.lang.source import Diagnostic
from solon.subjects.subject import Unreadable

RULES: Final[dict[str, tuple[Severity, str]]] = {
    "waiver/invalid": ("error", "a waiver that is rejected: no expiry, too long, not approved"),
    "waiver/expired": ("error", "a waiver that no longer covers anything"),
    "waiver/unknown-policy": ("warning", "a waiver of a policy that there is not"),
}
# What only `solon waivers check` tells: it changes from day to day, not with the files.
REMINDERS: Final[dict[str, tuple[Severity, str]]] = {
    "waiver/expiring": ("warning", "a waiver that expires soon"),
    "waiver/unused": ("warning", "a waiver that has matched nothing for a while"),
    "waiver/overlap": ("warning", "two waivers that may exempt the same"),
}


def remarks(review: Review, local: tzinfo) -> Iterator[Remark]:
    """What is wrong with the files as they are."""
    for problem in review.problems:
        yield _invalid(problem)
    for each in review.expired:
        yield _remark(
            "waiver/expired",
            each,
            f"{each.id} expired {shown(each.expires, local)}, and covers nothing",
            f"remove it; or, while it is needed, `solon waivers renew {each.id}`",
        )
    for each, glob in review.unknown:
        yield _remark(
            "waiver/unknown-policy",
            each,
            f"{each.id} is for {glob}, and no policy is called so: it exempts nothing",
            "correct the name, or remove the waiver",
        )


def reminders(review: Review, local: tzinfo) -> Iterator[Remark]:
    """What its owners should know."""
    for each in review.expiring:
        yield _remark(
            "waiver/expiring",
            each,
            f"{each.id} of {each.waiver.owner} expires {shown(each.expires, local)}",
            f"put right what it exempts; or `solon waivers renew {each.id}`",
        )
    for unused in review.unused:
        yield _remark(
            "waiver/unused",
            unused.exemption,
            f"{unused.exemption.id} has matched nothing since {shown(unused.since, local)}",
            "remove it: what it exempted is gone, or its scope is not what it was meant to be",
        )
    for pair in review.overlapping:
        yield _remark(
            "waiver/overlap",
            pair.other,
            f"{pair.other.id} and {pair.one.id} at {pair.one.location} may exempt the same",
            "make one of them, or part their scopes",
        )


def _invalid(problem: Unreadable) -> Remark:
    severity, _ = RULES["waiver/invalid"]
    return Remark(
        severity,
        Diagnostic("waiver/invalid", problem.problem, span_of(problem.location), problem.hint),
    )


def _remark(code: str, exemption: Exemption, message: str, hint: str) -> Remark:
    severity, _ = {**RULES, **REMINDERS}[code]
    return Remark(severity, Diagnostic(code, message, span_of(exemption.location), hint))
