"""Baselines: what violated a policy on the day that somebody looked.

A rollout may spare what is in one until a date; what comes later, or begins to violate later, is not spared.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from solon.subjects.subject import Location, Unreadable

SCHEMA: Final = "solon.baseline/v1"
Pair = tuple[str, str]  # the id of a policy, the uri of a subject
Known = frozenset[Pair]


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Subject uris by the policies that they violated; ``recorded`` is when, RFC 3339."""

    schema: str
    recorded: str
    findings: dict[str, list[str]]


def encoded(findings: Iterable[Pair], recorded: str) -> bytes:
    """The file for (policy id, subject uri) pairs: sorted, a line each, so that git shows what changed."""
    by_policy: dict[str, set[str]] = {}
    for policy, uri in findings:
        by_policy.setdefault(policy, set()).add(uri)
    found = {policy: sorted(uris) for policy, uris in sorted(by_policy.items())}
    return msgspec.json.format(msgspec.json.encode(Baseline(SCHEMA, recorded, found)), indent=2) + b"\n"


def decoded(data: bytes, file: str) -> Known | Unreadable:
    """The (policy id, subject uri) pairs of a file, or why it is none."""
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except msgspec.DecodeError as error:
        return Unreadable(Location(file), f"not a baseline: {error}", "record one with `solon baseline`")
    if baseline.schema != SCHEMA:
        return Unreadable(Location(file), f"unknown schema {baseline.schema!r}", f"this is {SCHEMA}")
    return frozenset((policy, uri) for policy, uris in baseline.findings.items() for uri in uris)
