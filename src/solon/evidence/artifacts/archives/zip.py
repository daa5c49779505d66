"""Zip archives: what their directory says, what their members say of themselves, and where the two differ.

Read here rather than by ``zipfile``, which refuses what other readers take: that is how members are hidden from
scanners. Names of fields are those of PKWARE's APPNOTE.TXT 6.3.10. Nothing is unpacked to disk.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from solon.evidence.artifacts.archives.inflate import (
    BZIP2,
    DEFLATE,
    Compression,
    Drawn,
    draw,
    lzma_in_zip,
)
from solon.evidence.artifacts.archives.member import Member, leads_out
from solon.evidence.artifacts.limits import Broken, Spent, TooMuch
from solon.evidence.artifacts.source import Place
from solon.evidence.artifacts.told import Told

LOCAL: Final = b"PK\x03\x04"
_CENTRAL: Final = b"PK\x01\x02"
_END: Final = b"PK\x05\x06"
_END64: Final = b"PK\x06\x06"
_LOCATOR64: Final = b"PK\x06\x07"
_MAX_DIRECTORY: Final = 64 << 20
_FULL: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 1
_DESCRIPTOR: Final = 8
_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
_LINK: Final = 0o120000


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory of an archive lies; ``shift`` is how many bytes stand before the archive."""

    offset: int
    size: int
    entries: int
    shift: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the directory has it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    link: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The members that were read of an archive, and what is wrong with the archive itself."""

    told: Told
    members: list[Entry]
    hidden: list[Place] = field(default_factory=list)


def directory(place: Place) -> Directory | None:
    """Where the directory is, as most readers look for it: the last end record that fits; None where there is none."""
    length = place.length
    tail_size = min(length, (1 << 16) + 22)
    tail = place.at(length - tail_size, tail_size)
    at = len(tail)
    for _ in range(64):
        at = tail.rfind(_END, 0, at)
        if at < 0:
            return None
        found = _end_record(place, length - tail_size + at, tail[at : at + 22])
        if found is not None:
            return found
    return None


def _end_record(place: Place, at: int, record: bytes) -> Directory | None:
    if len(record) < 22:
        return None
    entries, size, offset = struct.unpack("<HII", record[10:20])
    start = at
    if _FULL in (size, offset) or entries == 0xFFFF:
        locator = place.at(at - 20, 20)
        if locator[:4] == _LOCATOR64:
            there = int.from_bytes(locator[8:16], "little")
            for start in (there, at - 76):
                wide = place.at(start, 56)
                if wide[:4] == _END64:
                    entries, size, offset = struct.unpack("<QQQ", wide[32:56])
                    break
            else:
                return None
    shift = start - size - offset
    if shift < 0 or size > start:
        return None
    if entries and place.at(shift + offset, 4) != _CENTRAL:
        return None
    return Directory(shift + offset, size, entries, shift, at + 22 + int.from_bytes(record[20:22], "little"))


def read(place: Place, found: Directory, spent: Spent) -> Found:
    """The members of an archive, and what readers of it may disagree about. Raises Broken and TooMuch."""
    told = Told("zip", bytes=place.length)
    if found.size > _MAX_DIRECTORY:
        raise TooMuch("a directory of more than 64 MiB")
    members: list[Entry] = []
    data = place.at(found.offset, found.size)
    at = 0
    while data[at : at + 4] == _CENTRAL:
        if len(members) >= spent.limits.members:
            told.unknown(f"more than {spent.limits.members} members: those beyond are not looked at")
            break
        entry, at = _entry(data, at, told)
        members.append(replace(entry, offset=entry.offset + found.shift))
    whole = len(members) < spent.limits.members
    if whole and at < len(data):
        told.unknown("its directory has bytes that are no entry")
    if whole and found.entries != len(members):
        told.unknown(f"its directory has {len(members)} members, and says {found.entries}")
    if place.length > found.end:
        told.unsafe(f"{place.length - found.end} bytes follow its end: another format may begin there")
    if found.shift:
        told.unsafe(f"{found.shift} bytes stand before it: other readers may see another file")
    _names(told, members)
    members = _no_more_than(place, members, told)
    hidden = _gaps(place, found, members, told) if whole else []
    return Found(told, members, hidden)


def _entry(data: bytes, at: int, told: Told) -> tuple[Entry, int]:
    if len(data) - at < 46:
        raise Broken("its directory is cut off")
    (by, flags, method, crc, packed, size, named, extras, remarks, _disk, mode, offset) = struct.unpack(
        "<HxxHHxxxxIIIHHHHxxII", data[at + 4 : at + 46]
    )
    name = data[at + 46 : at + 46 + named]
    extra = data[at + 46 + named : at + 46 + named + extras]
    wide = _wide(extra, [size == _FULL, packed == _FULL, offset == _FULL])
    if wide is None:
        told.unknown(f"{_text(name, flags)}: its sizes are not given in full")
        wide = [None, None, None]
    size, packed, offset = (
        given if given is not None else short
        for given, short in zip(wide, (size, packed, offset), strict=True)
    )
    link = by >> 8 == 3 and (mode >> 16) & 0o170000 == _LINK
    return Entry(_text(name, flags), flags, method, crc, packed, size, offset, link), (
        at + 46 + named + extras + remarks
    )


def _wide(extra: bytes, wanted: list[bool]) -> list[int | None] | None:
    """The sizes and the offset of the extra field 1 (zip64), in the order in which they are wanted."""
    if not any(wanted):
        return [None, None, None]
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            numbers = extra[at + 4 : at + 4 + size]
            found: list[int | None] = []
            for want in wanted:
                if want and len(numbers) < 8:
                    return None
                found.append(int.from_bytes(numbers[:8], "little") if want else None)
                numbers = numbers[8:] if want else numbers
            return found
        at += 4 + size
    return None


def _text(name: bytes, flags: int) -> str:
    try:
        return name.decode("utf-8" if flags & 0x800 else "cp437")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _no_more_than(place: Place, members: list[Entry], told: Told) -> list[Entry]:
    """The members that can be in a file of that size together; more are there only where they overlap."""
    total = 0
    for index, member in enumerate(members):
        total += member.packed
        if total > place.length:
            told.unsafe("its members claim more bytes than it has: not all of them are looked at")
            return members[: index + 1]
    return members


def _names(told: Told, members: list[Entry]) -> None:
    seen: set[str] = set()
    for member in members:
        if member.name in seen:
            told.unsafe(f"{member.name}: twice in it: readers may take either")
        seen.add(member.name)


def _gaps(place: Place, found: Directory, members: list[Entry], told: Told) -> list[Place]:
    """Bytes between members that belong to none; a member that the directory does not have may be there."""
    hidden: list[Place] = []
    end = found.shift
    spans = [(start, stop) for start, stop in (_span(place, member) for member in members) if stop]
    for start, stop in [*sorted(spans), (found.offset, found.offset)]:
        if start < end:
            told.unsafe("members overlap: readers may take either")
        elif start > end and LOCAL in place.at(end, min(start - end, 1 << 20)):
            told.unsafe(f"a member at byte {end} that its directory does not have")
            hidden.append(place.window(end, start - end))
        elif start > end + 64:
            told.note(f"{start - end} bytes at byte {end} that no member has")
        end = max(end, stop)
        if len(hidden) > 16:
            break
    return hidden


def _span(place: Place, member: Entry) -> tuple[int, int]:
    """From the first byte of a member's own header to behind its data; an end of 0 where there is no such header."""
    header = place.at(member.offset, 30)
    if len(header) < 30 or header[:4] != LOCAL:
        return member.offset, 0
    named, extras = struct.unpack("<HH", header[26:30])
    end = member.offset + 30 + named + extras + member.packed
    if header[6] & _DESCRIPTOR or member.flags & _DESCRIPTOR:
        after = place.at(end, 24)
        signed = 4 if after[:4] == b"PK\x07\x08" else 0
        end += signed + (20 if member.packed >= _FULL or member.size >= _FULL else 12)
        if place.at(end, 2) != b"PK" and place.at(end + 8, 2) == b"PK":
            end += 8
    return member.offset, end


def content(place: Place, entry: Entry, spent: Spent) -> Member:
    """A member with its content, and all in which its own header differs from the directory."""
    unsafe, unknown = [], []
    if out := leads_out(entry.name):
        unsafe.append(out)
    header = place.at(entry.offset, 30)
    if len(header) < 30 or header[:4] != LOCAL:
        return Member(entry.name, None, unsafe, ["no member begins where the directory says"])
    flags, method = struct.unpack("<HH", header[6:10])
    named, extras = struct.unpack("<HH", header[26:30])
    name = _text(place.at(entry.offset + 30, named), flags)
    if name.replace("\\", "/") != entry.name.replace("\\", "/"):
        unsafe.append(f"its own header calls it {name!r}: readers may take either")
    if method != entry.method:
        unsafe.append(f"its own header has the compression {method}, and the directory {entry.method}")
    if flags & _ENCRYPTED != entry.flags & _ENCRYPTED:
        unsafe.append("its own header and the directory differ on whether it is encrypted")
    if entry.link:
        unsafe.append("a symbolic link: whoever unpacks it may write elsewhere")
    start = entry.offset + 30 + named + extras
    if start + entry.packed > place.length:
        unknown.append("longer than the file it is in")
    data = place.window(start, entry.packed)
    drawn = _drawn(data, entry.method, spent)
    if method != entry.method and (drawn is None or drawn.problem):
        drawn = _drawn(data, method, spent) or drawn
    encrypted = bool((flags | entry.flags) & _ENCRYPTED)
    if drawn is None:
        why = "encrypted" if encrypted else f"compressed by the method {entry.method}"
        return Member(entry.name, None, unsafe, [*unknown, f"{why}: cannot be looked at"])
    if encrypted:
        if drawn.problem or drawn.crc != entry.crc:
            return Member(entry.name, None, unsafe, [*unknown, "encrypted: cannot be looked at"])
        unsafe.append("said to be encrypted, and is not: a scanner that believes it looks away")
    if drawn.problem:
        unknown.append(drawn.problem)
    elif drawn.crc != entry.crc:
        unknown.append("its checksum is wrong: some readers take it all the same")
    if not drawn.problem and drawn.size != entry.size:
        unknown.append(f"{drawn.size} bytes, where the directory says {entry.size}")
    is_directory = entry.name.endswith("/") and not drawn.size
    return Member(entry.name, None if is_directory else drawn.source, unsafe, unknown)


def _drawn(data: Place, method: int, spent: Spent) -> Drawn | None:
    if method == _STORED:
        crc = 0
        for piece in data.stream().chunks():
            crc = zlib.crc32(piece, crc)
        return Drawn(data, data.length, crc)
    head = 0
    compression: Compression | None = {_DEFLATED: DEFLATE, _BZIP2: BZIP2}.get(method)
    if method == _LZMA:
        compression, head = lzma_in_zip(data.at(0, 9)), 9
    if compression is None:
        return None
    packed = data.window(head, data.length - head)
    return draw(lambda: packed.stream().chunks(), compression, spent)


def headers(place: Place, spent: Spent) -> Iterator[Member]:
    """Members by their own headers, one behind the other: of an archive that has lost its directory, or hides some."""
    at = 0
    for _ in range(spent.limits.members):
        at = _next_header(place, at)
        header = place.at(at, 30)
        if len(header) < 30:
            return
        flags, method, crc, packed, size, named, extras = struct.unpack("<6xHHxxxxIIIHH", header)
        start = at + 30 + named + extras
        extra = place.at(at + 30 + named, extras)
        wide = _wide(extra, [size == _FULL, packed == _FULL, False]) or [None, None, None]
        packed = packed if wide[1] is None else wide[1]
        size = size if wide[0] is None else wide[0]
        if not packed:
            following = _next_header(place, start)
            packed = following - start
        entry = Entry(
            _text(place.at(at + 30, named), flags), flags, method, crc, packed, size, at, link=False
        )
        member = content(place, entry, spent)
        yield replace(member, unknown=[*member.unknown, "told from its own header alone"])
        at = start + packed


def _next_header(place: Place, at: int) -> int:
    """Where the next member begins; the end of the place where none does."""
    while at < place.length:
        block = place.at(at, 1 << 20)
        found = block.find(LOCAL)
        if found >= 0:
            return at + found
        if len(block) <= 3:
            break
        at += len(block) - 3
    return place.length
