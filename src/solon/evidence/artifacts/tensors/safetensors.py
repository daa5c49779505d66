"""safetensors: a header of JSON, and plain numbers.

The format as its README has it: eight bytes length of the header (little endian), the header (an object that begins
with ``{``), and the buffer, which the tensors cover without holes.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import msgspec

from solon.evidence.artifacts.source import Source
from solon.evidence.artifacts.told import Told, shown

MAX_HEADER: Final = 100_000_000
_MAX_STRINGS: Final = 4_000_000
_MAX_DIMENSIONS: Final = 64
_MAX_METADATA: Final = 64
_MOST: Final = (1 << 63) - 1
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:]', re.DOTALL)
# Bits of one element.
_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
    "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def begins(head: bytes, size: int | None) -> bool:
    """Whether a content begins with a length that may be that of a header, and with ``{``."""
    length = int.from_bytes(head[:8], "little")
    return len(head) >= 9 and head[8:9] == b"{" and length > 1 and (size is None or length <= size)


def read(source: Source) -> Told:
    """Raises Broken, and TooMuch where the stream is one that inflates too far."""
    told = Told("safetensors")
    stream = source.stream()
    length = int.from_bytes(stream.exactly(8), "little")
    if length > MAX_HEADER:
        return told.unknown(f"a header of {length} bytes; {MAX_HEADER} are the most that the format allows")
    header = b"".join(stream.chunks(length))
    if len(header) < length:
        return told.unknown(f"truncated: a header of {length} bytes, of which {len(header)} are there")
    if header.count(b'"') > _MAX_STRINGS or header.count(b",") > _MAX_STRINGS:
        return told.unknown("more tensors than are looked at")
    buffer = source.size - 8 - length if source.size is not None else stream.skip(1 << 62)
    told.bytes = 8 + length + buffer
    try:
        fields = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        if len(fields) != _names_in(header):
            told.unknown("a name twice in its header: readers may take either")
        metadata = msgspec.json.decode(fields.pop("__metadata__", b"{}"), type=dict[str, str])
        tensors = {name: msgspec.json.decode(raw, type=_Tensor) for name, raw in fields.items()}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return told.unknown(f"a header that is none: {error}")
    _check(told, tensors, buffer)
    told.header = _summary(tensors, metadata)
    return told


def _names_in(header: bytes) -> int:
    """How many names the outer object has, those that are there twice counted twice."""
    depth = names = 0
    for token in _TOKEN.finditer(header):
        first = token[0][:1]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
        elif first == b":" and depth == 1:
            names += 1
    return names


def _check(told: Told, tensors: dict[str, _Tensor], buffer: int) -> None:
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        begin, stop = tensor.data_offsets
        bits = _BITS.get(tensor.dtype)
        if bits is None:
            told.unknown(f"{name}: a type that is not known: {shown(tensor.dtype, 40)}")
        elif _elements(tensor) < 0:
            told.unknown(f"{name}: a shape that is none")
        elif _elements(tensor) * bits != (stop - begin) * 8:
            told.unknown(f"{name}: its shape needs other than the {stop - begin} bytes that it has")
        if begin != end or stop < begin:
            told.unknown(f"{name}: begins at byte {begin} of the buffer, where {end} is free")
        if stop > buffer:
            told.unknown(f"{name}: ends at byte {stop} of the buffer, which has {buffer}")
        end = max(end, stop)
        if len(told.reasons) > 8:
            return
    if end < buffer:
        told.unknown(f"{buffer - end} bytes of the buffer belong to no tensor")


def _elements(tensor: _Tensor) -> int:
    """How many a shape stands for; -1 where it is none."""
    if len(tensor.shape) > _MAX_DIMENSIONS or any(extent < 0 for extent in tensor.shape):
        return -1
    return math.prod(tensor.shape)


def _summary(tensors: dict[str, _Tensor], metadata: dict[str, str]) -> dict[str, Any]:
    types: dict[str, int] = {}
    for tensor in tensors.values():
        types[shown(tensor.dtype, 40)] = types.get(shown(tensor.dtype, 40), 0) + 1
    found: dict[str, Any] = {
        "tensors": len(tensors),
        "parameters": min(sum(_elements(tensor) for tensor in tensors.values()), _MOST),
        "types": dict(sorted(types.items())),
    }
    if metadata:
        kept = sorted(metadata.items())[:_MAX_METADATA]
        found["metadata"] = {shown(key, 100): shown(value, 400) for key, value in kept}
    return found
