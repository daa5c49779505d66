"""Segments: the files that entries are written to, and nothing but written to.

    segment  header, then groups until the file ends
    header   magic (8), version (2), length of the origin (2), index of the first entry (8), time (8), origin, CRC-32 (4)
    group    magic (4), length of its frames (4), how many (4), index of the first (8), time (8), CRC-32 of these 28 (4)
    frame    length of the body (4), CRC-32 of the body (4), body
    body     1 and length of the leaf (2), leaf, salt (16), payload; or 2, length of the leaf (2), leaf: an erased one

A group is what one commit wrote. The next one is begun only when the disk has it, and that is how a torn tail is told
from damage: what is broken and has a whole group behind it was once whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final, NamedTuple

from solon.decisions.log.leaf import DIGEST, SALT, Entry, Kind, encode

MAGIC: Final = b"\x89SOLSEG\n"
GROUP_MAGIC: Final = b"\xa7GRP"
VERSION: Final = 1
HEADER: Final = Struct(">8sHHQQ")
GROUP: Final = Struct(">4sIIQQ")
CRC: Final = Struct(">I")
FRAME: Final = Struct(">II")
BODY: Final = Struct(">BH")
_WHOLE: Final = Struct(">IIBH")  # a frame and the beginning of its body
_ORDINARY: Final = Kind.DECISION
GROUP_SIZE: Final = GROUP.size + CRC.size
WHOLE: Final = 1
ERASED: Final = 2
MAX_PAYLOAD: Final = 256 << 20
NAME: Final = re.compile(r"(\d{20})\.seg")

_crc32: Final = zlib.crc32
_sha256: Final = hashlib.sha256


class Header(NamedTuple):
    first: int
    time_ns: int
    origin: str
    end: int  # where the groups begin


class Group(NamedTuple):
    offset: int
    end: int
    rows: int
    first: int
    time_ns: int


class Frame(NamedTuple):
    """One entry as it is stored. An erased one has no salt, and its payload is None."""

    number: int  # its index in the tree
    offset: int
    leaf: bytes
    salt: bytes
    payload: bytes | None


class Damage(Exception):
    """From this offset on the bytes are not what was written; ``index`` is the entry that should be there."""

    def __init__(self, index: int, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.index = index
        self.offset = offset
        self.problem = problem


def asked(directory: str) -> str:
    """The file by which another process asks the writer to begin a new segment with its next entry."""
    return os.path.join(directory, "seal")


def name_of(first: int) -> str:
    return f"{first:020}.seg"


def listed(directory: str) -> list[tuple[int, str]]:
    """The segments of a directory in order: index of the first entry, and path."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = [(int(match[1]), name) for name in names if (match := NAME.fullmatch(name))]
    return [(first, os.path.join(directory, name)) for first, name in sorted(found)]


def header(origin: str, first: int, time_ns: int) -> bytes:
    name = origin.encode()
    data = HEADER.pack(MAGIC, VERSION, len(name), first, time_ns) + name
    return data + CRC.pack(_crc32(data))


def read_header(data: bytes) -> Header:
    """Raises Damage."""
    try:
        magic, version, length, first, time_ns = HEADER.unpack_from(data)
        end = HEADER.size + length
        (checksum,) = CRC.unpack_from(data, end)
        if magic != MAGIC or _crc32(data[:end]) != checksum:
            raise Damage(-1, 0, "the header of the segment is damaged")
        origin = data[HEADER.size : end].decode()
    except (struct.error, UnicodeDecodeError):
        raise Damage(-1, 0, "the header of the segment is damaged") from None
    if version != VERSION:
        raise Damage(first, 0, f"the segment has version {version}, which this Solon does not know")
    return Header(first, time_ns, origin, end + CRC.size)


def encoded(entries: Sequence[Entry], salts: bytes, first: int, time_ns: int) -> bytes:
    """The group of these entries. Raises ValueError for an entry that has no leaf."""
    parts: list[bytes] = [b""]
    size = at = 0
    frame, body, crc32 = FRAME.pack, BODY.pack, _crc32
    for entry in entries:
        salt = salts[at : at + SALT]
        at += SALT
        leaf, payload = encode(entry, salt), entry.payload
        head = body(WHOLE, len(leaf)) + leaf + salt
        length = len(head) + len(payload)
        size += length
        parts += (frame(length, crc32(payload, crc32(head))), head, payload)
    parts[0] = group_header(size + FRAME.size * len(entries), len(entries), first, time_ns)
    return b"".join(parts)


def group_header(length: int, count: int, first: int, time_ns: int) -> bytes:
    data = GROUP.pack(GROUP_MAGIC, length, count, first, time_ns)
    return data + CRC.pack(_crc32(data))


def read_group(data: bytes, at: int) -> Group | None:
    """The group whose header stands there, if one does."""
    try:
        magic, length, count, first, time_ns = GROUP.unpack_from(data, at)
        (checksum,) = CRC.unpack_from(data, at + GROUP.size)
    except struct.error:
        return None
    if magic != GROUP_MAGIC or _crc32(data[at : at + GROUP.size]) != checksum:
        return None
    return Group(at, at + GROUP_SIZE + length, count, first, time_ns)


def groups(data: bytes, first: int, at: int) -> Iterator[Group]:
    """The groups of a segment, in order. Raises Damage where they stop before the file does."""
    while at < len(data):
        group = read_group(data, at)
        if group is None:
            raise Damage(first, at, "the header of a group is damaged")
        if group.end > len(data):
            raise Damage(first, at, "the group is cut off")
        yield group
        at, first = group.end, group.first + group.rows


def frames(data: bytes, group: Group) -> Iterator[Frame]:
    """The entries of a group. Raises Damage at the first that is not as it was written."""
    at, end = group.offset + GROUP_SIZE, group.end
    for index in range(group.first, group.first + group.rows):
        try:
            length, checksum = FRAME.unpack_from(data, at)
            start = at + FRAME.size
            body = data[start : start + length]
            state, leaf_length = BODY.unpack_from(body)
        except struct.error:
            raise Damage(index, at, "the entry is cut off") from None
        if _crc32(body) != checksum or start + length > end:
            raise Damage(index, at, "the checksum of the entry does not fit")
        leaf_end = BODY.size + leaf_length
        leaf = body[BODY.size : leaf_end]
        if state == WHOLE and length >= leaf_end + SALT:
            salt_end = leaf_end + SALT
            yield Frame(index, at, leaf, body[leaf_end:salt_end], body[salt_end:])
        elif state == ERASED and length == leaf_end:
            yield Frame(index, at, leaf, b"", None)
        else:
            raise Damage(index, at, "the entry has a form that Solon does not write")
        at = start + length
    if at != end:
        raise Damage(group.first + group.rows, at, "the group is longer than its entries")


def sound(data: bytes, group: Group) -> tuple[list[bytes], list[bytes]] | None:
    """The leaves of a group and their hashes, where every entry is whole and has the payload that its leaf has the digest of.

    None where one is not, or is no decision: then ``frames`` says more. This is the fast way through a log.
    """
    leaves: list[bytes] = []
    hashes: list[bytes] = []
    unpack, size, crc32, sha256, view = _WHOLE.unpack_from, _WHOLE.size, _crc32, _sha256, memoryview(data)
    at, end = group.offset + GROUP_SIZE, group.end
    try:
        for _ in range(group.rows):
            length, checksum, state, leaf_length = unpack(data, at)
            salt = at + size + leaf_length
            stop = at + FRAME.size + length
            leaf = data[at + size : salt]
            if (
                state != WHOLE
                or salt + SALT > stop
                or stop > end
                or leaf[1] > _ORDINARY
                or crc32(view[at + FRAME.size : stop]) != checksum
                or sha256(view[salt:stop]).digest() != leaf[DIGEST]
            ):
                return None
            leaves.append(leaf)
            hashes.append(sha256(b"\0" + leaf).digest())
            at = stop
    except (struct.error, IndexError):
        return None
    return (leaves, hashes) if at == end else None


def followed(data: bytes, at: int, index: int) -> bool:
    """Whether a whole header of a later group stands behind this offset: then the disk had what is before it."""
    while (at := data.find(GROUP_MAGIC, at + 1)) >= 0:
        group = read_group(data, at)
        if group is not None and group.first >= index:
            return True
    return False


def without(data: bytes, erased: frozenset[int]) -> bytes:
    """The segment without the payloads and salts of these entries. Raises Damage."""
    head = read_header(data)
    out = [data[: head.end]]
    for group in groups(data, head.first, head.end):
        if erased.isdisjoint(range(group.first, group.first + group.rows)):
            out.append(data[group.offset : group.end])
            continue
        parts = []
        for frame in frames(data, group):
            gone = frame.number in erased or frame.payload is None
            body = BODY.pack(ERASED if gone else WHOLE, len(frame.leaf)) + frame.leaf
            if not gone:
                body += frame.salt + (frame.payload or b"")
            parts.append(FRAME.pack(len(body), _crc32(body)) + body)
        content = b"".join(parts)
        out += (group_header(len(content), group.rows, group.first, group.time_ns), content)
    return b"".join(out)
