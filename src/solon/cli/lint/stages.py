"""Enforcement that a change raises without passing the stages before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.frameworks.lint import remark, span_of
from solon.governance.changes import Changes, Leap, leaps
from solon.lang.remark import Remark

CODES: Final = ("policy/skipped-stage", "policy/enforcement-raised")


def remarks(changes: Changes, *, governed: bool) -> Iterator[Remark]:
    """``governed``: this is a policy repository, in which policies go through the stages."""
    for leap in leaps(changes, governed=governed):
        yield _skipped(leap) if leap.skipped else _raised(leap)


def _skipped(leap: Leap) -> Remark:
    change = leap.change
    before = "is new" if change.stages[0] is None else f"was at {change.stages[0]}"
    hint = (
        "let it warn first: name the rule warn_…"
        if "/" not in change.id
        else "let it warn first: enforcementAction: warn"
    )
    return remark(
        "policy/skipped-stage",
        f"{change.id} {before}, and denies at once",
        span_of(change.location),
        f"{hint}; or say in a rollout from when it denies, and whom",
    )


def _raised(leap: Leap) -> Remark:
    change = leap.change
    return remark(
        "policy/enforcement-raised",
        f"{change.id} denies, everywhere and at once, what {change.was or 'it'} warned of",
        span_of(change.location),
        "a rollout raises it scope by scope, from a date that can be announced",
    )
