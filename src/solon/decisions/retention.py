"""Retention: events of decisions are erased when they are older than a rule of log.json keeps them, unless a hold keeps them.

Leaves, and so proofs, stay, and entries of the log say by which rule what was erased. Only decisions have an age: activations,
rollout steps, waivers and break-glass say what was in force, and stay. A segment at a time is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from solon.decisions.log import claims, durable, erasure, merkle, reading, segment, settings
from solon.decisions.log.claims import Block, Erasure
from solon.decisions.log.errors import Busy, Damaged, LogError, os_error
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.reading import Stored
from solon.decisions.log.settings import Hold, Settings
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.warehouse.rows import row
from solon.governance import times

REASON: Final = "retention"
_SEGMENTS: Final = 16  # that one erasure is about
_HEAD: Final = 1 << 17
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KNOWN: Final = 10_000  # combinations of policy sets that are remembered


@dataclass(slots=True)
class Tally:
    """What a rule erases: how many events, of how many bytes, from which time to which, and how many a hold keeps."""

    rule: str
    due: int = 0
    held: int = 0
    bytes: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, time_ns: int, size: int) -> None:
        self.first_ns = min(self.first_ns, time_ns) if self.due else time_ns
        self.last_ns = max(self.last_ns, time_ns)
        self.due += 1
        self.bytes += size


@dataclass(slots=True)
class Outcome:
    """A tally for each rule; ``erasures`` are the ids of the entries that say what was erased, and ``left`` what was not."""

    tallies: list[Tally]
    erasures: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Holds:
    """Which entries are kept whatever the rules say."""

    def __init__(self, holds: Sequence[Hold]) -> None:
        self._holds = [(each, _since(each.since), _since(each.until)) for each in holds]
        self._subjects = any(each.subjects for each in holds)

    def of(self, stored: Stored, shard: str) -> Hold | None:
        """The first that it is under. Raises Damaged."""
        if not self._holds:
            return None
        leaf = stored.says
        subject = (row(stored, shard) or {}).get("subject") or "" if self._subjects else ""
        at = (leaf.time_ns, stored.time_ns)  # a decision may have come late, or its clock have been wrong
        for each, since, until in self._holds:
            if (
                (not each.ids or leaf.id in each.ids)
                and (not each.subjects or any(fnmatchcase(subject, glob) for glob in each.subjects))
                and (since is None or max(at) >= since)
                and (until is None or min(at) < until)
            ):
                return each
        return None


def _since(text: str) -> int | None:
    return (times.moment(text) - _EPOCH) // timedelta(microseconds=1) * 1_000 if text else None


class _Event(msgspec.Struct):
    bundles: dict[str, msgspec.Raw] | None = None


_decode: Final = msgspec.json.Decoder(_Event).decode


class _Judge:
    """The rules at one time."""

    def __init__(self, said: Settings, now: datetime) -> None:
        self.rules = said.retention
        self.holds = Holds(said.holds)
        self._before = [
            max((rule.before(now) - _EPOCH) // timedelta(microseconds=1), 0) * 1_000 for rule in self.rules
        ]
        self._others = next((at for at, rule in enumerate(self.rules) if not rule.globs), None)
        self._known: dict[tuple[str, ...], int | None] = {}
        self.newest = max(self._before, default=0)  # nothing that is newer is due

    def due(self, stored: Stored) -> int | None:
        """The rule by which an entry is not kept any longer."""
        if stored.payload is None or stored.leaf[1] != Kind.DECISION:
            return None
        at = age_of(stored)
        if at >= self.newest:
            return None
        rule = self._rule(_sets(stored.payload))
        return rule if rule is not None and at < self._before[rule] else None

    def _rule(self, sets: tuple[str, ...]) -> int | None:
        """Of several that fit, the one that keeps longest."""
        if sets not in self._known:
            fits = [
                at
                for at, rule in enumerate(self.rules)
                if any(fnmatchcase(name, glob) for name in sets for glob in rule.globs)
            ]
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[sets] = min(fits, key=lambda at: self._before[at]) if fits else self._others
        return self._known[sets]


def age_of(stored: Stored) -> int:
    """From when on an entry has its age: when it was decided, or committed, whichever is later."""
    return max(int.from_bytes(stored.leaf[4:12]), stored.time_ns)


def _sets(payload: bytes) -> tuple[str, ...]:
    try:
        return tuple(_decode(payload).bundles or ())
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


@dataclass(slots=True)
class _Part:
    """What is due in one segment: a bit for each of its entries, and leaf hashes, by rule."""

    path: str
    first: int
    count: int
    bits: dict[int, bytearray] = field(default_factory=dict)
    hashes: dict[int, list[bytes]] = field(default_factory=dict)

    def add(self, rule: int, stored: Stored) -> None:
        self.bits.setdefault(rule, bytearray(b"0" * self.count))[stored.index - self.first] = ord("1")
        self.hashes.setdefault(rule, []).append(merkle.leaf_hash(stored.leaf))

    def block(self, shard: str, rule: int) -> Block:
        return claims.block(shard, self.first, self.bits[rule].decode(), self.hashes[rule])

    @property
    def indexes(self) -> frozenset[int]:
        return frozenset(
            self.first + at for bits in self.bits.values() for at, bit in enumerate(bits) if bit == ord("1")
        )


def due(log: Log, now: datetime, tell: Callable[[int], None] = lambda _: None) -> Outcome:
    """What the rules would erase. Raises LogError."""
    judge = _ruled(log, now)
    outcome = Outcome([Tally(str(rule)) for rule in judge.rules])
    try:
        for place in log.shards():
            for _ in _parts(place, judge, outcome.tallies, tell):
                pass
    except OSError as error:
        raise os_error(error, "the log cannot be read") from None
    return outcome


def apply(log: Log, now: datetime, *, by: str, tell: Callable[[int], None] = lambda _: None) -> Outcome:
    """Erase what the rules do not keep. Interrupted, it is completed by doing it again. Raises LogError."""
    outcome = Outcome([])
    try:
        with erasure.alone(log):
            judge = _ruled(log, now)  # a hold that was begun meanwhile is among them
            outcome.tallies += [Tally(str(rule)) for rule in judge.rules]
            log.writer()
            for place in log.shards():
                busy = _sealed(log, place, judge)
                waiting: list[_Part] = []
                for part in _parts(place, judge, outcome.tallies, tell):
                    if reading.is_active(place.segments, part.path):
                        taken = sum(len(hashes) for hashes in part.hashes.values())
                        outcome.left.append(f"{taken:,} events of shard {place.name} wait: {busy}")
                        continue
                    waiting.append(part)
                    if len(waiting) == _SEGMENTS:
                        outcome.erasures += _erase(log, place, judge, waiting, by)
                        waiting = []
                if waiting:
                    outcome.erasures += _erase(log, place, judge, waiting, by)
    except OSError as error:
        raise os_error(error, "the log cannot be rewritten") from None
    return outcome


def _ruled(log: Log, now: datetime) -> _Judge:
    said = settings.read(log.directory)
    if not said.retention:
        raise LogError(f"{log.directory}: has no rules: log.json has none under `retention`")
    return _Judge(said, now)


def _parts(
    place: Place, judge: _Judge, tallies: Sequence[Tally], tell: Callable[[int], None]
) -> Iterator[_Part]:
    """Each segment that has something that is due."""
    files = segment.listed(place.segments)
    for at, (first, path) in enumerate(files):
        if _begun(path) >= judge.newest:
            return  # this one and those behind it were committed later
        stop = files[at + 1][0] if at + 1 < len(files) else reading.size(place.segments)
        part = _Part(path, first, stop - first)
        for stored in reading.entries(place.segments, first, stop):
            rule = judge.due(stored)
            if rule is None:
                continue
            if judge.holds.of(stored, place.name) is not None:
                tallies[rule].held += 1
                continue
            tallies[rule].add(int.from_bytes(stored.leaf[4:12]), len(stored.payload or b""))
            part.add(rule, stored)
        tell(part.count)
        if part.bits:
            yield part


def _begun(path: str) -> int:
    """When a segment was begun; none of its entries was committed before."""
    with open(path, "rb") as file:
        try:
            return segment.read_header(file.read(_HEAD)).time_ns
        except segment.Damage as damage:
            raise Damaged(f"{path}: {damage.problem}; `solon log verify` says what is lost") from None


def _sealed(log: Log, place: Place, judge: _Judge) -> str:
    """End the newest segment where something in it is due; why that could not be done, if so."""
    files = segment.listed(place.segments)
    if not files or _begun(files[-1][1]) >= judge.newest:
        return ""
    entries = reading.entries(place.segments, files[-1][0], reading.size(place.segments))
    if all(judge.due(stored) is None for stored in entries):
        return ""
    if log.writes(place):
        log.writer().writer.seal()
        return ""
    try:
        shard = log.opened(place)
    except Busy as error:
        if erasure.ended_by_its_writer(place):
            return ""
        return f"{error}, and to the segment that they are in; it begins the next one with its next entry"
    try:
        shard.writer.seal()
    finally:
        shard.close()
    return ""


def _erase(log: Log, place: Place, judge: _Judge, parts: Sequence[_Part], by: str) -> list[str]:
    """Say it, then do it. The ids of the entries that say it."""
    now = log.around.clock()
    names = []
    for number, rule in enumerate(judge.rules):
        blocks = [part.block(place.name, number) for part in parts if number in part.bits]
        if blocks:
            name = f"erasure-{log.around.random(16).hex()}"
            said = Erasure(claims.SCHEMA, erasure.moment(now), by, REASON, rule=str(rule), blocks=blocks)
            log.append([Entry(Kind.ERASURE, name, now, msgspec.json.encode(said))])
            names.append(name)
    for part in parts:
        try:
            durable.replace(part.path, segment.without(durable.read(part.path), part.indexes), 0o600)
        except segment.Damage as damage:
            raise Damaged(
                f"{part.path}:{damage.offset}: entry {damage.index}: {damage.problem}; `solon log verify` says more"
            ) from None
        durable.sync_directory(place.segments)
    return names
