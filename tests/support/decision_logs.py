"""Entries, keys and clocks for tests of the decision log."""

from __future__ import annotations

import itertools
import random

from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.note import SigningKey
from solon.decisions.log.writer import Surroundings

KEY = SigningKey("log.example/test", bytes(range(32)))
_SECONDS = itertools.count()
START_NS = 1_772_357_400_000_000_000  # 2026-03-01T09:30:00Z


def around(seed: int = 0) -> Surroundings:
    """A clock that goes on by a second at each look, and random bytes that are the same each time."""
    return Surroundings(lambda: START_NS + next(_SECONDS) * 1_000_000_000, random.Random(seed).randbytes)


def entry(number: int, text: str = "") -> Entry:
    payload = b'{"decision_id":"id-%d","text":"%s"}' % (number, text.encode())
    return Entry(Kind.DECISION, f"id-{number}", START_NS + number, payload, "deny")


def entries(first: int, end: int) -> list[Entry]:
    return [entry(number) for number in range(first, end)]
