"""Tar archives, header by header: ustar, GNU's long names, and pax records.

IEEE Std 1003.1-2017, "pax Interchange Format" and "ustar Interchange Format"; the GNU types L and K.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from solon.evidence.artifacts.archives.member import Member, leads_out
from solon.evidence.artifacts.limits import Broken, Spent, TooMuch
from solon.evidence.artifacts.source import Inflated, Place, Source, Stream, of_bytes

BLOCK: Final = 512
_MAX_NAME: Final = 1 << 16
_PLAIN: Final = frozenset(b"0\x007S")
_LINKS: Final = {ord("1"): "a hard link", ord("2"): "a symbolic link"}
_DEVICES: Final = frozenset(b"346")


def begins(block: bytes) -> bool:
    """Whether a block is the header of a member: its checksum is right."""
    if len(block) < BLOCK or block[0] == 0:
        return False
    try:
        said = _number(block[148:156])
    except Broken:
        return False
    return said == sum(block[:148]) + 8 * 32 + sum(block[156:BLOCK])


def members(source: Source, spent: Spent) -> Iterator[Member]:
    """One after the other; each must be looked at before the next one is asked for. Raises Broken and TooMuch."""
    stream = source.stream()
    seen: set[str] = set()
    count, name, pax = 0, "", {}
    while True:
        header = stream.peek(BLOCK)
        if len(header) < BLOCK or not header.strip(b"\0"):
            if header.strip(b"\0"):
                raise Broken("its last header is cut off")
            return
        if not begins(header):
            raise Broken(f"no header of a member at byte {stream.position}")
        stream.skip(BLOCK)
        kind, size = header[156], _number(header[124:136])
        if kind in b"LKxg":
            records = _records(stream, size)
            if kind == ord("L"):
                name = _text(records.rstrip(b"\0"))
            elif kind == ord("x"):
                pax = _pax(records)
            continue
        name = pax.get("path") or name or _plain_name(header)
        if "size" in pax and pax["size"].isascii() and pax["size"].isdigit():
            size = int(pax["size"][:20])
        count += 1
        if count > spent.limits.members:
            raise TooMuch(f"more than {spent.limits.members} members: those beyond are not looked at")
        unsafe = [found] if (found := leads_out(name)) else []
        if name in seen:
            unsafe.append("twice in its archive: readers may take either")
        seen.add(name)
        if kind in _LINKS:
            unsafe.append(f"{_LINKS[kind]}: whoever unpacks it may write elsewhere")
        if kind in _DEVICES:
            unsafe.append("a device or a pipe, and no file")
        content: Source | None = None
        if kind in _PLAIN and not (kind != ord("0") and name.endswith("/")):
            content = _content(source, stream, size, spent)
        if content is not None or unsafe:
            yield Member(name, content, unsafe)
        if stream.skip(size) < size:
            raise Broken(f"truncated: {name} is longer than the archive")
        stream.skip(-size % BLOCK)
        name, pax = "", {}


def _content(source: Source, stream: Stream, size: int, spent: Spent) -> Source:
    """The bytes of a member: a part of the archive, or inflated again as far as it."""
    start = stream.position
    if isinstance(source, Place):
        return source.window(start, size)

    def inflate() -> Iterator[bytes]:
        again = source.stream()
        again.pass_over(start)
        return again.chunks(size)

    if size <= spent.limits.held:
        return of_bytes(stream.peek(size))
    return Inflated(inflate)


def _records(stream: Stream, size: int) -> bytes:
    if size > _MAX_NAME:
        raise TooMuch("a name, or the records of a member, of more than 64 KiB")
    data = stream.exactly(size)
    stream.skip(-size % BLOCK)
    return data


def _pax(data: bytes) -> dict[str, str]:
    """``LENGTH KEY=VALUE`` and a line feed, each."""
    found: dict[str, str] = {}
    while data:
        length, _, rest = data.partition(b" ")
        if not length.isdigit() or len(length) > 6 or not len(length) + 2 < int(length) <= len(data):
            raise Broken("records of a member that are none")
        key, _, value = rest[: int(length) - len(length) - 2].partition(b"=")
        found[_text(key)] = _text(value)
        data = data[int(length) :]
    return found


def _plain_name(header: bytes) -> str:
    name = _text(header[:100].partition(b"\0")[0])
    prefix = _text(header[345:500].partition(b"\0")[0]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _number(data: bytes) -> int:
    """Octal digits, or GNU's binary form. Raises Broken."""
    if data[:1] == b"\x80":
        return int.from_bytes(data[1:], "big")
    digits = data.strip(b" \0")
    if not digits:
        return 0
    if any(digit not in b"01234567" for digit in digits):
        raise Broken("a number of a header that is none")
    return int(digits, 8)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
