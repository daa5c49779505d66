"""The ledger: what happened to every token, one JSON line an event, each carrying the digest of the line before.

    {"line":2,"previous":"<digest of line 1>","event":{"type":"used",…},"digest":"<digest of this line up to here>"}

Lines are only ever added. One that was changed, removed, added or put elsewhere breaks the chain, and is named.
What a chain cannot show is that lines at the end are missing: ``missing_from`` compares with an earlier state.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from solon.governance.breakglass.cases import AnyEvent, Case, Torn, fold
from solon.governance.breakglass.token import Refused
from solon.subjects.subject import Location, Unreadable

E = TypeVar("E", bound=AnyEvent)

MAX_BYTES: Final = 64 << 20
FIRST: Final = "0" * 64  # what stands before the first line
_END: Final = re.compile(rb',"digest":"([0-9a-f]{64})"\}\Z')
_TORN: Final = ("was not written to its end", "a crash, or a full disk: what it records did not happen")
_MERGE: Final = re.compile(rb"(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)")


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    line: int
    previous: str
    event: AnyEvent
    digest: str


@dataclass(frozen=True, slots=True)
class Book:
    """A ledger that was read. With problems, nothing it says can be relied on.

    ``torn`` is a last line that was not written to its end: what it would have recorded did not happen.
    """

    cases: Mapping[str, Case] = field(default_factory=dict)
    problems: Sequence[Unreadable] = ()
    torn: Unreadable | None = None
    lines: int = 0
    head: str = FIRST  # the digest of the last line
    fragment: bytes = b""

    @property
    def sound(self) -> Book:
        """Itself. Raises Refused where it has problems."""
        if self.problems:
            more = f"; and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
            raise Refused(f"{self.problems[0]}{more}")
        return self


def parse(data: bytes, name: str) -> Book:
    """What the lines say, and what shows that they are not as they were written."""
    lines = data.split(b"\n")
    ended = not lines[-1]
    if ended:
        lines.pop()
    entries: list[_Entry] = []
    problems: list[tuple[int, str]] = []
    known: str | None = FIRST  # the digest that the next line must carry; None: cannot be known
    expected = 1
    fragment = b""
    for number, raw in enumerate(lines, 1):
        entry = _entry(raw)
        if isinstance(entry, str):
            following = _entry(lines[number]) if number < len(lines) else ""
            if isinstance(following, _Entry) and _is_torn(following, raw):
                expected += 1
            elif number == len(lines) and not ended and not _END.search(raw):
                fragment = raw
            else:
                problems.append((number, entry))
                found = _END.search(raw)
                known, expected = (found[1].decode() if found else None), expected + 1
            continue
        if entry.line < expected:
            problems.append((number, f"this line stands in another place: it was line {entry.line}"))
            continue
        if entry.line > expected:
            problems.append((number, f"{_range(expected, entry.line - 1)} missing before this one"))
        elif known is not None and entry.previous != known:
            problems.append((number, "this line follows another than the one before it"))
        entries.append(entry)
        known, expected = entry.digest, entry.line + 1
    cases, impossible = fold((entry.line, entry.event) for entry in entries)
    if not problems:
        problems = impossible
    return Book(
        cases=cases,
        problems=[Unreadable(Location(name, line), text) for line, text in problems],
        torn=Unreadable(Location(name, len(lines)), *_TORN) if fragment else None,
        lines=len(lines),
        head=known or FIRST,
        fragment=fragment,
    )


def _entry(raw: bytes) -> _Entry | str:
    """A line, or what is wrong with it by itself."""
    found = _END.search(raw)
    if found is None:
        if _MERGE.match(raw):
            return (
                "this is left from a merge: keep the lines of the shared branch, open anew what the other had"
            )
        return "this is no line of a ledger"
    if _digest(raw[: found.start()]) != found[1].decode():
        return "this line was changed after it was written"
    try:
        return msgspec.json.decode(raw, type=_Entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"this is no line of a ledger: {error}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_torn(entry: _Entry, raw: bytes) -> bool:
    return isinstance(entry.event, Torn) and entry.event.fragment == _digest(raw)


def _range(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"


def read(path: str) -> Book:
    """The ledger as it is; an empty one where there is none yet. Raises OSError, Refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Book()
    with _locked(descriptor, path, fcntl.LOCK_SH):
        return parse(_content(descriptor, path), path)


def record(path: str, decide: Callable[[Book], E]) -> E:
    """Add the event that ``decide`` makes of what is there, and have it on the disk before returning.

    Nobody else adds a line in between, so that what ``decide`` saw still holds. Raises OSError; Refused where the
    ledger is not as it was written, or where ``decide`` refuses.
    """
    new = not os.path.lexists(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    with _locked(descriptor, path, fcntl.LOCK_EX):
        data = _content(descriptor, path)
        book = parse(data, path).sound
        event = decide(book)
        text = b"" if not data or data.endswith(b"\n") else b"\n"
        line, head = book.lines, book.head
        if book.fragment:
            torn = Torn(at=event.at, fragment=_digest(book.fragment))
            line, head, added = _line(line + 1, head, torn)
            text += added
        text += _line(line + 1, head, event)[2]
        if len(data) + len(text) > MAX_BYTES:
            raise Refused(f"{path}: is full; begin a new one, and keep this one")
        _write(descriptor, text)
    if new:
        _sync_directory(path)
    return event


def _line(number: int, previous: str, event: AnyEvent) -> tuple[int, str, bytes]:
    body = msgspec.json.encode({"line": number, "previous": previous, "event": event})[:-1]
    digest = _digest(body)
    return number, digest, body + f',"digest":"{digest}"}}\n'.encode()


def _write(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _sync_directory(path: str) -> None:
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _locked(descriptor: int, path: str, how: int) -> Iterator[None]:
    """The lock ends with the descriptor."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused(f"{path}: is no file")
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _content(descriptor: int, path: str) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MAX_BYTES:
        raise Refused(f"{path}: has {size:,} bytes; a ledger has at most {MAX_BYTES:,}")
    parts = bytearray()
    while part := os.pread(descriptor, 1 << 20, len(parts)):
        parts += part
    return bytes(parts)


def missing_from(now: bytes, earlier: bytes, name: str, when: str) -> Unreadable | None:
    """The first line of an earlier state of the ledger that is not there any more."""
    earlier = earlier.removesuffix(b"\n")
    if now == earlier or now.startswith(earlier + b"\n") or not earlier:
        return None
    present = now.split(b"\n")
    for number, raw in enumerate(earlier.split(b"\n"), 1):
        if number > len(present) or present[number - 1] != raw:
            return Unreadable(
                Location(name, number),
                f"the line that stood here at {when} is missing or changed",
                "lines are only added",
            )
    return None
