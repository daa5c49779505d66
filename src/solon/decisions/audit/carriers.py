"""The policies that carry a control, and when they were in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from solon.decisions.log.errors import LogError
from solon.frameworks.policy import PolicySet

_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Carrier:
    """A policy, and the controls that it names.

    ``periods`` are when it was in force at ``place``, in microseconds since 1970, the last of them without an end where it
    still is; None where the log does not say.
    """

    policy: str
    policy_set: str
    controls: Sequence[str]
    title: str = ""
    severity: str = ""
    owner: str = ""
    remediation: str = ""
    written: str = ""  # file:line
    place: str = ""
    periods: Sequence[tuple[int, int | None]] | None = None


def of_repository(sets: Iterable[PolicySet]) -> list[Carrier]:
    """The policies as they are now: since when they are so is not known."""
    return [
        Carrier(
            policy.id,
            each.name,
            policy.controls,
            policy.title,
            policy.severity,
            policy.owner,
            policy.remediation,
            str(policy.source),
        )
        for each in sets
        for policy in each.policies
    ]


def carrying(carriers: Sequence[Carrier], globs: Sequence[str]) -> dict[str, list[Carrier]]:
    """The controls that match, each with its policies. Raises LogError where a glob matches none."""
    known = sorted({control for each in carriers for control in each.controls})
    out: dict[str, list[Carrier]] = {}
    for glob in globs:
        found = [control for control in known if fnmatchcase(control, glob)]
        if not found:
            raise LogError(f"--control {glob}: no policy carries it{_instead(glob, known)}")
        for control in found:
            out[control] = [each for each in carriers if control in each.controls]
    return dict(sorted(out.items()))


def _instead(glob: str, known: Sequence[str]) -> str:
    if not known:
        return ": no policy names a control (`controls` in its metadata)"
    close = get_close_matches(glob, known, 1)
    if close:
        return f"; did you mean {close[0]}?"
    more = f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"; there are {', '.join(known[:_SHOWN])}{more}"
