"""Which format a protocol buffer is of: by which fields it has, as none of them says so itself."""

from __future__ import annotations

from typing import Final, Literal

from solon.evidence.artifacts.graphs.protobuf import FIXED32, LEN, VARINT, Wire
from solon.evidence.artifacts.limits import Broken
from solon.evidence.artifacts.source import Source

Schema = Literal["onnx", "savedmodel", "sentencepiece", "graphdef"]
_MOST: Final = 1_000_000
_ONNX: Final = {
    1: VARINT,
    2: LEN,
    3: LEN,
    4: LEN,
    5: VARINT,
    6: LEN,
    7: LEN,
    8: LEN,
    14: LEN,
    20: LEN,
    25: LEN,
    26: LEN,
}


def schema_of(source: Source) -> Schema | None:
    """None for what is no protocol buffer, or of another kind. Raises TooMuch."""
    wire = Wire(source.stream())
    seen: dict[int, int] = {}
    inner: dict[int, int] = {}
    whole = False
    try:
        for number, kind, value in wire.message(None):
            if seen.setdefault(number, kind) != kind:
                return None
            if number == 1 and kind == LEN and not inner:
                inner = _fields(wire, value)
            if wire.fields > _MOST:
                break
        whole = True
    except Broken:
        pass
    return _schema(seen, inner, whole=whole)


def _fields(wire: Wire, length: int) -> dict[int, int]:
    return {number: kind for number, kind, _ in wire.inside(length)}


def _schema(seen: dict[int, int], inner: dict[int, int], *, whole: bool) -> Schema | None:
    if seen.get(1) == VARINT and seen.get(7) == LEN and all(_ONNX.get(n) == kind for n, kind in seen.items()):
        return "onnx"
    if seen == {1: VARINT, 2: LEN}:
        return "savedmodel"
    if not whole or seen.get(1) != LEN:
        return None
    if inner.get(1) == LEN and inner.get(2) == FIXED32 and set(seen) <= {1, 2, 3, 4, 5}:
        return "sentencepiece"
    if inner.get(1) == LEN and inner.get(2) == LEN and set(seen) <= {1, 2, 3, 4}:
        return "graphdef"
    return None
