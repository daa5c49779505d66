"""Verification: everything is derived anew from the segments, and compared with what was signed.

What differs is named: entry, id, file and offset. Where tiles are as they were signed they say which entry stood in
its place; where they were changed as well, the checkpoints before and after say between which entries it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from solon.decisions.in_force import texts
from solon.decisions.log import checkpoint as checkpoints
from solon.decisions.log import claims, durable, merkle, segment
from solon.decisions.log.ahead import Looked, ahead, read_group
from solon.decisions.log.checkpoint import Checkpoint
from solon.decisions.log.erased import Claims
from solon.decisions.log.errors import Damaged, LogError
from solon.decisions.log.leaf import DIGEST, Kind, decode
from solon.decisions.log.naming import Difference, Found, differences
from solon.decisions.log.note import VerifierKey
from solon.decisions.log.salvage import Gap, parts, salvaged
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.log.tiles import WIDTH, TileBuilder, TileReader, path_of

_sha256: Final = hashlib.sha256
_SPECIAL: Final = {Kind.CHECKPOINT, Kind.ERASURE, Kind.ACTIVATION, Kind.ROLLOUT}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written; ``index`` and ``id`` are those of the entry, where it is about one."""

    text: str
    path: str
    shard: str = ""
    index: int | None = None
    last: int | None = None  # of several entries in a row
    id: str = ""
    offset: int | None = None

    def __str__(self) -> str:
        place = self.path if self.offset is None else f"{self.path}:{self.offset}"
        if self.index is None:
            return f"{place}: {self.text}"
        if self.last is not None and self.last > self.index:
            return f"{place}: entries {self.index} to {self.last}: {self.text}"
        name = f" ({self.id})" if self.id else ""
        return f"{place}: entry {self.index}{name}: {self.text}"


@dataclass(slots=True)
class Checked:
    """What was found in one shard."""

    origin: str
    entries: int = 0
    signed: int = 0
    erased: int = 0


@dataclass(slots=True)
class Report:
    """``notes`` are worth knowing and nothing wrong. ``outside`` are the checkpoints from elsewhere that fit."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shards: list[Checked] = field(default_factory=list)
    outside: list[Checkpoint] = field(default_factory=list)

    @property
    def entries(self) -> int:
        return sum(each.entries for each in self.shards)


class _Known(NamedTuple):
    """A root that the tree of some size had, and who says so."""

    root: bytes
    source: str
    outside: bool = False


def verify(
    log: Log,
    *,
    key: VerifierKey | None = None,
    trusted: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
    jobs: int = 1,
) -> Report:
    """What is wrong with a log, for one who believes the key, and the checkpoints that were kept elsewhere.

    With more ``jobs`` than one, that many processes look through the segments of a large log.

    Raises LogError where the log cannot be read.
    """
    key = key or log.key
    report = Report()
    places = log.shards()
    known: dict[str, dict[int, list[_Known]]] = {place.origin: {} for place in (*places, log.meta)}
    outside = list(_trusted(trusted, key, known, report))
    walks = [_Walk(place, key, known[place.origin], report, progress, jobs) for place in places]
    meta = _Walk(log.meta, key, known[log.meta.origin], report, progress, 1)
    meta.run()
    for stored in meta.special:
        signed = _recorded(stored, report)
        if signed is None:
            continue
        if signed.origin not in known:
            report.problems.append(
                Problem(f"the shard {signed.origin} is missing", log.directory, "meta", stored.index)
            )
            known[signed.origin] = {}
        known[signed.origin].setdefault(signed.size, []).append(_Known(signed.root, "the meta-log"))
    for walk in walks:
        recorded = set(walk.known)
        walk.run()
        if walk.signed is not None and walk.signed.size not in recorded:
            report.problems.append(
                Problem(
                    f"the checkpoint at {walk.signed.size:,} is not in the meta-log",
                    os.path.join(walk.place.directory, "checkpoint"),
                    walk.place.name,
                )
            )
    _judge_erasures(walks, report)
    _judge_texts(log, walks, report)
    wrong = {problem.shard for problem in report.problems}
    names = {place.origin: place.name for place in (*places, log.meta)}
    report.outside = [each for each in outside if names.get(each.origin) not in wrong]
    report.shards = [walk.checked for walk in walks]
    return report


def _trusted(
    notes: Sequence[str], key: VerifierKey, known: dict[str, dict[int, list[_Known]]], report: Report
) -> Iterator[Checkpoint]:
    for text in notes:
        try:
            signed = checkpoints.verified(text, key)
        except LogError as error:
            report.problems.append(Problem(str(error), "a checkpoint from outside"))
            continue
        if signed.origin not in known:
            report.problems.append(Problem(f"no shard is {signed.origin}", "a checkpoint from outside"))
            continue
        known[signed.origin].setdefault(signed.size, []).append(
            _Known(signed.root, "a checkpoint from outside", True)
        )
        yield signed


def _recorded(stored: _Special, report: Report) -> Checkpoint | None:
    try:
        return checkpoints.parse(stored.payload.decode())
    except (LogError, UnicodeDecodeError):
        report.problems.append(
            Problem(
                "is not the checkpoint of a shard", stored.path, "meta", stored.index, offset=stored.offset
            )
        )
        return None


def _judge_erasures(walks: Sequence[_Walk], report: Report) -> None:
    """A payload may be gone where an entry of the log says that it was erased, and only there."""
    claimed = Claims()
    for walk in walks:
        for stored in walk.special:
            if stored.kind != Kind.ERASURE:
                continue
            try:
                claimed.add(claims.read(stored.payload), stored.id)
            except ValueError:
                walk.problem("is not an erasure", stored.path, stored.index, stored.id, stored.offset)
    for walk in walks:
        for text, path, frame in claimed.faults(walk.place, walk.rewritten, whole=walk.whole):
            if frame is None:
                walk.problem(text, path)
            else:
                walk.problem(text, path, frame.number, _id(frame.leaf), frame.offset)
    report.notes += claimed.notes


def _judge_texts(log: Log, walks: Sequence[_Walk], report: Report) -> None:
    """The texts of policies beside the log are those that entries name."""
    seen: set[str] = set()
    for walk in walks:
        for stored in walk.special:
            for name in texts.named(stored.payload) if stored.kind != Kind.ERASURE else ():
                if name in seen:
                    continue
                seen.add(name)
                try:
                    texts.get(log.directory, name)
                except LogError as error:
                    path, colon, problem = str(error).partition(": ")
                    path, problem = (path, problem) if colon else (log.directory, path)
                    named_by = f"entry {stored.index} of shard {walk.place.name}, {stored.id}"
                    report.problems.append(Problem(f"{problem} ({named_by})", path))


def _id(leaf: bytes) -> str:
    try:
        return decode(leaf).id
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class _Special:
    """An entry of the log about the log, or about the programme."""

    kind: int
    index: int
    id: str
    payload: bytes
    path: str
    offset: int


class _Walk:
    """One shard, from its first entry to its last."""

    def __init__(
        self,
        place: Place,
        key: VerifierKey,
        known: dict[int, list[_Known]],
        report: Report,
        progress: Callable[[int], None],
        jobs: int,
    ) -> None:
        self.place = place
        self.known = known
        self.signed: Checkpoint | None = None
        self.checked = Checked(place.origin)
        self.special: list[_Special] = []
        self.rewritten: set[str] = set()  # segments with erased entries
        self._key = key
        self._report = report
        self._progress = progress
        self._jobs = jobs
        self._builder = TileBuilder()
        self.whole = True  # every entry so far could be read, in its place
        # By whether it comes from outside: the largest size at which the tree was the one that is known, and the first
        # at which it was another, with who knows that.
        self._fits = {False: 0, True: 0}
        self._differs: dict[bool, tuple[int, str]] = {}
        self._tiles: list[str] = []  # those that do not follow from the segments
        self._sizes: list[int] = []
        self._named_at: dict[int, int] = {}
        # What is signed is read before the meta-log is: whatever is published by then is in there.
        try:
            self.signed = self.place.checkpoint(self._key)
        except LogError as error:
            self.problem(str(error).partition(": ")[2], os.path.join(self.place.directory, "checkpoint"))

    def run(self) -> None:
        if self.signed is not None:
            self.known.setdefault(self.signed.size, []).append(_Known(self.signed.root, "its checkpoint"))
            self.checked.signed = self.signed.size
        self._sizes = sorted((size for size in self.known if size), reverse=True)
        expected = 0
        files = segment.listed(self.place.segments)
        for number, ((first, path), looked) in enumerate(zip(files, ahead(files, self._jobs), strict=True)):
            expected = self._segment(first, path, expected, looked, last=number == len(files) - 1)
        self.checked.entries = expected
        if self.whole:
            self._right_edge()
        self._judge(expected)

    # --- reading

    def _segment(self, first: int, path: str, expected: int, looked: Looked | None, *, last: bool) -> int:
        if first > expected:
            self._missing(expected, first, path, 0)
        elif first < expected:
            self._broken(
                Gap(first, first, 0, f"begins again at entry {first}, and {expected} was next"), path
            )
        data = durable.read(path) if looked is None else b""
        try:
            head = segment.read_header(data) if looked is None else looked.head
            if (head.origin, head.first) != (self.place.origin, first):
                said = f"is the segment of {head.origin} from entry {head.first} on, put here"
                self._broken(Gap(first, first, 0, said), path)
        except segment.Damage:
            pass  # ``salvaged`` says so
        there = (
            looked.groups if looked is not None else parts(data, first, lambda group: read_group(data, group))
        )
        expected = first
        for part in there:
            if isinstance(part, Gap):
                tail = last and not segment.followed(data, part.offset, part.first)
                if tail and part.first >= self._signed_size():
                    self._report.notes.append(
                        f"{path}:{part.offset}: ends in a group that is being written, or was when a crash came: it was "
                        "not acknowledged, and is no part of the log"
                    )
                    return expected
                self._broken(part, path)
                expected = max(expected, part.end)
                continue
            group, found = part
            if isinstance(found, tuple):
                if self.whole:
                    self._grow(*found)
            else:
                self._entries(found, path)
            expected = max(expected, group.first + group.rows)
            self._progress(group.rows)
        return expected

    def _signed_size(self) -> int:
        return max(self.known, default=0)

    def _entries(self, frames: Sequence[segment.Frame], path: str) -> None:
        sha256 = _sha256
        leaves, hashes = [], []
        for index, offset, leaf, salt, payload in frames:
            if payload is None:
                self.checked.erased += 1
                self.rewritten.add(path)
            elif sha256(salt + payload).digest() != leaf[DIGEST]:
                self.problem("its payload is not the one that was logged", path, index, _id(leaf), offset)
            if leaf[1] in _SPECIAL and payload is not None:
                self.special.append(_Special(leaf[1], index, _id(leaf), payload, path, offset))
            leaves.append(leaf)
            hashes.append(sha256(b"\0" + leaf).digest())
        if self.whole:
            self._grow(leaves, hashes)

    def _grow(self, leaves: list[bytes], hashes: list[bytes]) -> None:
        """Add to the tree, with a stop at each size that has a known root."""
        builder = self._builder
        while self._sizes and builder.size + len(leaves) >= self._sizes[-1]:
            cut = self._sizes.pop() - builder.size
            self._tiles_of(builder.extend(leaves[:cut], hashes[:cut]))
            leaves, hashes = leaves[cut:], hashes[cut:]
            self._compare_root()
            if self.signed is not None and builder.size == self.signed.size:
                self._right_edge()
        self._tiles_of(builder.extend(leaves, hashes))

    def _compare_root(self) -> None:
        size, root = self._builder.size, self._builder.root()
        for each in self.known[size]:
            if each.root != root:
                self._differs.setdefault(each.outside, (size, each.source))
            elif each.outside not in self._differs:
                self._fits[each.outside] = size

    def _tiles_of(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        if self.signed is None:
            for _ in tiles:
                pass
            return
        for level, number, data in tiles:
            if (number + 1) << 8 * (max(level, 0) + 1) <= self.signed.size:
                self._compare_tile(path_of(level, number), data)

    def _right_edge(self) -> None:
        """The partial tiles of the newest checkpoint, or the full ones that took their place."""
        builder = self._builder
        if self.signed is None or builder.size != self.signed.size:
            return
        for level, number, data in builder.partial():
            path = path_of(level, number, builder.width(level))
            if (found := self._tile(path)) is None:
                found = (self._tile(path_of(level, number)) or b"")[: len(data)]
            if found != data and path not in self._tiles:
                self._tiles.append(path)

    def _compare_tile(self, path: str, data: bytes) -> None:
        if self._tile(path) != data:
            self._tiles.append(path)

    def _tile(self, path: str) -> bytes | None:
        try:
            return durable.read(os.path.join(self.place.directory, path))
        except FileNotFoundError:
            return None

    # --- judging

    def _judge(self, count: int) -> None:
        beyond = max((size for size in self.known if size > count), default=0)
        if self.whole and not self._differs and not beyond:
            for path in self._tiles:
                self.problem(
                    "does not follow from the entries (`solon log checkpoint --rebuild` writes it anew)",
                    os.path.join(self.place.directory, path),
                )
            unsigned = count - (self.signed.size if self.signed is not None else 0)
            if unsigned > 0:
                self._report.notes.append(
                    f"{self.place.origin}: {unsigned:,} of {count:,} entries are durable, and in no checkpoint yet"
                )
            return
        named = self.signed is not None and self._named(self.signed)
        if not named or not any(problem.shard == self.place.name for problem in self._report.problems):
            self._bracketed(count)

    def _named(self, signed: Checkpoint) -> bool:
        """Say which entries differ from those in the tiles, if the tiles are what was signed."""
        tiles = self.place.tiles(signed.size)
        hashes: list[bytes] = []
        try:
            for number in range((signed.size + WIDTH - 1) // WIDTH):
                hashes += tiles.tile(0, number)
        except (Damaged, OSError):
            return False
        frontier = merkle.Frontier()
        frontier.extend(hashes)
        if frontier.root() != signed.root:
            return False
        for each in differences(hashes, list(self._found())):
            self._name(each, hashes, tiles)
        return True

    def _found(self) -> Iterator[Found]:
        for first, path in segment.listed(self.place.segments):
            data = durable.read(path)
            for part in salvaged(data, first):
                if isinstance(part, Gap):
                    continue
                for frame in part[1]:
                    yield Found(
                        frame.number, merkle.leaf_hash(frame.leaf), _id(frame.leaf), path, frame.offset
                    )

    def _bracketed(self, count: int) -> None:
        """The entries between the last size that fits and the first that does not."""
        # Who rewrote a log signed it again: then what it says of itself does not tell where that began.
        outside = True in self._differs
        if self._differs:
            size, source = self._differs[outside]
            self.problem(
                f"these are not the entries that {source} signed, or they are not in that order; the tiles were changed as "
                "well, so that it cannot be said which ones",
                self.place.segments,
                self._fits[outside],
                last=size - 1,
            )
        for size in sorted(size for size in self.known if size > count):
            self.problem(
                f"are missing at the end: {self.known[size][0].source} has {size:,}",
                self.place.segments,
                count,
                last=size - 1,
            )
            return

    def _missing(self, first: int, end: int, path: str, offset: int) -> None:
        self.whole = False
        self.problem("missing before this segment", path, first, offset=offset, last=end - 1)

    def _broken(self, gap: Gap, path: str) -> None:
        if gap.end > gap.first:
            self.whole = False
            self.problem(gap.problem, path, gap.first, offset=gap.offset, last=gap.end - 1)
        else:
            self.problem(gap.problem, path, gap.first, offset=gap.offset)

    def problem(
        self,
        text: str,
        path: str,
        index: int | None = None,
        name: str = "",
        offset: int | None = None,
        last: int | None = None,
    ) -> None:
        self._report.problems.append(
            Problem(text, path, self.place.name, index, last if last != index else None, name, offset)
        )

    def _name(self, each: Difference, signed: Sequence[bytes], tiles: TileReader) -> None:
        """A problem with an entry; one that is known already, since it could not be read, gets its id."""
        text, found = each.text, each.found
        if each.last > each.index:
            ends = [_signed_id(tiles, index, signed[index]) for index in (each.index, each.last)]
            self.problem(f"{text} ({' to '.join(ends)})", self._home(each.index), each.index, last=each.last)
            return
        name = (
            _signed_id(tiles, each.index, signed[each.index]) if each.missing or found is None else found.id
        )
        if not self._named_at:
            self._named_at = {
                problem.index: at
                for at, problem in enumerate(self._report.problems)
                if problem.shard == self.place.name and problem.index is not None and problem.last is None
            }
        at = self._named_at.get(each.index)
        if at is None:
            path = found.path if found else self._home(each.index)
            self.problem(text, path, each.index, name, found.offset if found else None)
        elif not self._report.problems[at].id:
            self._report.problems[at] = replace(self._report.problems[at], id=name)

    def _home(self, index: int) -> str:
        files = [path for first, path in segment.listed(self.place.segments) if first <= index]
        return files[-1] if files else self.place.segments


def _signed_id(tiles: TileReader, index: int, leaf: bytes) -> str:
    """The id of the entry that was signed there, from the bundle of its tile."""
    try:
        leaves = tiles.leaves(index // WIDTH)
    except Damaged:
        return ""
    at = index % WIDTH
    if at < len(leaves) and merkle.leaf_hash(leaves[at]) == leaf:
        return _id(leaves[at])
    return ""
