"""What an erasure says was erased: entries one by one, or blocks of many.

A block has a bit for each of its entries, the first one highest, compressed with zlib, in base64: a million entries in a row
are a few hundred bytes. So that it says which entries, and not only which places, it has SHA-256 over their leaf hashes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

SCHEMA: Final = "solon.erasure/v1"
MAX_BLOCK: Final = 1 << 24  # entries; a segment has fewer
_RUN: Final = re.compile("1+")


class Item(msgspec.Struct, frozen=True):
    """One entry: shard, index, and its leaf hash in hex."""

    shard: str
    index: int
    leaf: str


class Block(msgspec.Struct, frozen=True):
    """Some of ``count`` entries from ``first`` on. ``leaves`` is over the leaf hashes of the erased ones, in hex."""

    shard: str
    first: int
    count: int
    erased: str
    leaves: str

    def bits(self) -> str:
        """A 1 for each entry that is erased, and a 0 for each that is not. Raises ValueError."""
        if not 0 < self.count <= MAX_BLOCK or self.first < 0:
            raise ValueError(f"a block of {self.count} entries from {self.first} on")
        size = (self.count + 7) // 8
        try:
            packed = zlib.decompressobj().decompress(base64.b64decode(self.erased, validate=True), size + 1)
        except (ValueError, zlib.error):
            raise ValueError("a block whose bits cannot be read") from None
        text = f"{int.from_bytes(packed):0{size * 8}b}"
        if len(packed) != size or "1" in text[self.count :]:
            raise ValueError("a block that has not a bit for each entry")
        return text[: self.count]


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an entry of kind ERASURE holds. ``rule`` is the one of the retention, where it was that."""

    schema: str
    at: str
    by: str
    reason: str
    rule: str = ""
    entries: list[Item] = []
    blocks: list[Block] = []


def block(shard: str, first: int, bits: str, leaf_hashes: Sequence[bytes]) -> Block:
    """``bits`` as Block.bits gives them; the hashes are those of the erased ones, in order."""
    size = (len(bits) + 7) // 8
    packed = zlib.compress(int(bits.ljust(size * 8, "0"), 2).to_bytes(size), 9)
    digest = hashlib.sha256(b"".join(leaf_hashes)).hexdigest()
    return Block(shard, first, len(bits), base64.b64encode(packed).decode(), digest)


def read(payload: bytes) -> Erasure:
    """Raises ValueError."""
    try:
        said = msgspec.json.decode(payload, type=Erasure)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    for each in said.blocks:
        each.bits()
    return said


def runs(said: Erasure) -> Iterator[tuple[str, int, int]]:
    """Shard, first and end of entries in a row that are erased."""
    for item in said.entries:
        yield item.shard, item.index, item.index + 1
    for each in said.blocks:
        for match in _RUN.finditer(each.bits()):
            yield each.shard, each.first + match.start(), each.first + match.end()
