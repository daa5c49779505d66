"""GGUF: keys with values, and tensors, of llama.cpp and its kin.

The format is ggml's docs/gguf.md, versions 2 and 3. Long lists (the vocabulary) are passed over.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final, Literal

from solon.evidence.artifacts.limits import Broken
from solon.evidence.artifacts.source import Source, Stream
from solon.evidence.artifacts.texts import templates
from solon.evidence.artifacts.told import Told, shown

MAGIC: Final = b"GGUF"
_MAX_KEYS: Final = 100_000
_MAX_TENSORS: Final = 1_000_000
_MAX_KEY: Final = 65_535
_MAX_ELEMENTS: Final = 20_000_000
_MAX_TEMPLATE: Final = 1 << 20
_MAX_SHOWN: Final = 200
_MAX_DEPTH: Final = 4
# Types of values: how struct writes the plain ones.
_PLAIN: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
# Types of tensors: how many elements a block has, and how many bytes (ggml-common.h).
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66),
    39: (32, 17),
}  # fmt: skip
Order = Literal["<", ">"]


def read(source: Source) -> Told:
    """Raises Broken and TooMuch."""
    told = Told("gguf")
    reader = _Reader(source.stream())
    version = reader.begin()
    if version not in (2, 3):
        return told.unknown(f"version {version}, which is not read")
    tensors, keys = reader.number("Q"), reader.number("Q")
    told.header = {"version": version, "tensors": tensors, "keys": keys}
    if keys > _MAX_KEYS or tensors > _MAX_TENSORS:
        return told.unknown(f"says it has {tensors} tensors and {keys} keys")
    values: dict[str, Any] = {}
    for _ in range(keys):
        key = reader.key()
        value = reader.value(reader.number("I"), keep=_MAX_TEMPLATE if "template" in key else _MAX_SHOWN + 1)
        if key in values:
            told.unknown(f"the key {shown(key, 100)} twice: readers may take either")
        values[key] = value
    _explain(told, values)
    _check_tensors(told, reader, tensors, values.get("general.alignment", 32), source)
    return told


class _Reader:
    """Reads numbers in the order of the file; what is long is passed over."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.order: Order = "<"
        self.elements = 0

    def begin(self) -> int:
        self.stream.exactly(len(MAGIC))
        data = self.stream.exactly(4)
        if data[:2] == b"\0\0":
            self.order = ">"
        return int(struct.unpack(self.order + "I", data)[0])

    def number(self, kind: str) -> int:
        kind = self.order + kind
        return int(struct.unpack(kind, self.stream.exactly(struct.calcsize(kind)))[0])

    def key(self) -> str:
        length = self.number("Q")
        if length > _MAX_KEY:
            raise Broken(f"a key of {length} bytes")
        return self.stream.exactly(length).decode("utf-8", "replace")

    def text(self, keep: int) -> str | None:
        """None where it is longer than what is kept."""
        length = self.number("Q")
        if length > keep:
            self.stream.pass_over(length)
            return None
        return self.stream.exactly(length).decode("utf-8", "replace")

    def value(self, kind: int, keep: int, depth: int = 0) -> Any:
        """A plain value; of a list its length; None for a text that is too long."""
        if kind in _PLAIN:
            return struct.unpack(
                self.order + _PLAIN[kind], self.stream.exactly(struct.calcsize("<" + _PLAIN[kind]))
            )[0]
        if kind == _STRING:
            return self.text(keep)
        if kind != _ARRAY or depth == _MAX_DEPTH:
            raise Broken(f"a value of the type {kind}, which is not known")
        of, count = self.number("I"), self.number("Q")
        if of in _PLAIN:
            self.stream.pass_over(count * struct.calcsize("<" + _PLAIN[of]))
            return count
        self.elements += count
        if self.elements > _MAX_ELEMENTS:
            raise Broken("longer lists than are followed")
        for _ in range(count):
            self.value(of, 0, depth + 1)
        return count


def _explain(told: Told, values: dict[str, Any]) -> None:
    for key, value in values.items():
        if "template" in key:
            if value is None:
                told.unknown(f"{shown(key, 100)}: a template of more than 1 MiB, which is not read")
            elif isinstance(value, str):
                for danger in templates.dangers(value):
                    told.unsafe(f"{shown(key, 100)}: {danger}")
                told.header[shown(key, 100)] = shown(value, _MAX_SHOWN)
        elif key.startswith("general.") and isinstance(value, str | int | float) and len(told.header) < 64:
            shortened = shown(value, _MAX_SHOWN) if isinstance(value, str) else value
            if not isinstance(value, float) or math.isfinite(value):
                told.header[shown(key, 100)] = shortened


def _check_tensors(told: Told, reader: _Reader, count: int, alignment: Any, source: Source) -> None:
    if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
        told.unknown("an alignment that is no power of two")
        return
    end = 0
    for _ in range(count):
        name = shown(reader.key(), 100)
        dimensions = reader.number("I")
        if dimensions > 4:
            told.unknown(f"{name}: {dimensions} dimensions")
            return
        elements = math.prod(reader.number("Q") for _ in range(dimensions))
        kind, offset = reader.number("I"), reader.number("Q")
        if offset % alignment:
            told.unknown(f"{name}: is not aligned")
        block = _BLOCKS.get(kind)
        if block is None:
            told.unknown(f"{name}: a type that is not known: {kind}")
            continue
        end = max(end, offset + -(-elements // block[0]) * block[1])
    begin = reader.stream.position + -reader.stream.position % alignment
    size = source.size if source.size is not None else begin + reader.stream.skip(1 << 62)
    told.bytes = size
    if count and begin + end > size:
        told.unknown(f"truncated: its tensors end at byte {begin + end}, and the file at {size}")
    elif size > begin + end + alignment:
        told.unknown(f"{size - begin - end} bytes follow its tensors")
