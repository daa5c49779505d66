"""Compressed streams, inflated piece by piece, with bounds on what they grow to."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from solon.evidence.artifacts.limits import MIB, Broken, Spent, TooMuch
from solon.evidence.artifacts.source import CHUNK, Inflated, Source, of_bytes

_MEMORY: Final = 256 * MIB
_MAX_STREAMS: Final = 10_000
_ERRORS: Final = (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError)


class Codec(Protocol):
    """What zlib, bz2 and lzma give."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Compression:
    """``several``: streams behind one another are one content."""

    make: Callable[[], Codec]
    several: bool = False


GZIP: Final = Compression(lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), several=True)
ZLIB: Final = Compression(zlib.decompressobj)
DEFLATE: Final = Compression(lambda: zlib.decompressobj(-zlib.MAX_WBITS))
BZIP2: Final = Compression(bz2.BZ2Decompressor, several=True)
XZ: Final = Compression(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY), several=True)
LZMA: Final = Compression(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _MEMORY))
STREAMS: Final = {"gzip": GZIP, "zlib": ZLIB, "bzip2": BZIP2, "xz": XZ, "lzma": LZMA}


def lzma_in_zip(head: bytes) -> Compression | None:
    """The compression of a member with the zip method 14 that begins with ``head``; None where it is refused.

    APPNOTE 5.8.8: two bytes version, two bytes length of the properties, which are five.
    """
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        return None
    packed, size = head[4], int.from_bytes(head[5:9], "little")
    lc, lp, pb = packed % 9, packed // 9 % 5, packed // 45
    if packed >= 225 or lc + lp > 4 or size > 64 * MIB:
        return None
    options = {"id": lzma.FILTER_LZMA1, "dict_size": max(size, 4096), "lc": lc, "lp": lp, "pb": pb}
    return Compression(lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options]))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a compressed stream gave when it was read to its end; ``problem`` is why it is not whole, or not all.

    What was inflated is kept where that is little enough, and is inflated again where not. ``crc`` is the CRC-32 of all of it.
    """

    source: Source
    size: int
    crc: int = 0
    problem: str = ""


def draw(open_stream: Callable[[], Iterator[bytes]], compression: Compression, spent: Spent) -> Drawn:
    """Inflates a stream to its end, once."""
    kept: list[bytes] | None = []
    size = crc = 0
    more: list[bool] = []
    problem = ""
    try:
        for piece in _inflate(open_stream(), compression, spent, more):
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            if kept is not None:
                kept.append(piece)
                if size > spent.limits.held:
                    kept = None
    except (Broken, TooMuch) as error:
        problem = str(error)
    if more and not problem:
        problem = "more bytes follow the end of the compressed stream"
    if kept is not None:
        return Drawn(of_bytes(b"".join(kept)), size, crc, problem)
    return Drawn(Inflated(lambda: _inflate(open_stream(), compression, spent, [])), size, crc, problem)


def _inflate(
    data: Iterator[bytes], compression: Compression, spent: Spent, more: list[bool]
) -> Iterator[bytes]:
    """What ``data`` gives; ``more`` is added to where something follows that is no part of it. Raises Broken, TooMuch."""
    machine = compression.make()
    begun = False
    consumed = total = streams = 0
    for chunk in data:
        consumed += len(chunk)
        left = chunk
        while True:
            begun = begun or bool(left)
            try:
                made = machine.decompress(left, CHUNK)
            except _ERRORS as error:
                if streams:
                    more.append(True)
                    return
                raise Broken(f"does not inflate: {error}") from None
            if made:
                total += len(made)
                spent.inflate(len(made), total, consumed)
                yield made
            if machine.eof:
                left = machine.unused_data
                streams += 1
                if not compression.several:
                    if left or next(data, b""):
                        more.append(True)
                    return
                if streams > _MAX_STREAMS:
                    raise TooMuch(f"more than {_MAX_STREAMS} compressed streams in one")
                left = left.lstrip(b"\0")  # padding, which gzip and xz allow
                machine, begun = compression.make(), False
                if not left:
                    break
                continue
            left = getattr(machine, "unconsumed_tail", b"")
            if not left and len(made) < CHUNK:
                break
    if begun or not streams:
        raise Broken("truncated: the compressed stream does not end")
