"""Protocol buffers, field by field, without their schema: nothing is built, and nothing that is long is read.

The wire format as protobuf.dev/programming-guides/encoding has it. Groups, which no format here uses, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from solon.evidence.artifacts.limits import Broken, TooMuch
from solon.evidence.artifacts.source import Stream

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5
_MAX_FIELDS: Final = 20_000_000


@dataclass(slots=True)
class Wire:
    """A stream of fields. ``fields`` counts all that were seen, in whatever message."""

    stream: Stream
    fields: int = 0

    def message(self, end: int | None) -> Iterator[tuple[int, int, int]]:
        """The number, the wire type, and the value or length of each field until ``end``, that of the stream where None.

        Of a field with a length, the stream stands at its first byte; whatever of it is not read is passed over. Raises
        Broken and TooMuch.
        """
        stream = self.stream
        while (end is not None and stream.position < end) or (end is None and stream.need(1)):
            self.fields += 1
            if self.fields > _MAX_FIELDS:
                raise TooMuch(f"more than {_MAX_FIELDS} fields")
            key = self.varint()
            number, kind = key >> 3, key & 7
            if not 0 < number < 1 << 29:
                raise Broken(f"no number of a field before byte {stream.position}")
            if kind == LEN:
                length = self.varint()
                after = stream.position + length
                if end is not None and after > end:
                    raise Broken(f"a field before byte {stream.position} is longer than what it is in")
                yield number, kind, length
                if stream.position > after:
                    raise Broken(f"a field before byte {stream.position} is shorter than what is in it")
                stream.pass_over(after - stream.position)
            elif kind == VARINT:
                yield number, kind, self.varint()
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
                yield number, kind, int.from_bytes(stream.exactly(size), "little")
            else:
                raise Broken(f"no field before byte {stream.position}")
        if end is not None and stream.position > end:
            raise Broken(f"a field before byte {stream.position} is longer than what it is in")

    def inside(self, length: int) -> Iterator[tuple[int, int, int]]:
        """The fields of a message that the stream stands at."""
        return self.message(self.stream.position + length)

    def text(self, length: int, limit: int = 1024) -> str:
        """What the stream stands at; cut off at ``limit`` bytes."""
        return self.stream.exactly(min(length, limit)).decode("utf-8", "replace")

    def varint(self) -> int:
        stream = self.stream
        value = shift = 0
        while True:
            if stream.at >= len(stream.buffer) and not stream.need(1):
                raise Broken(f"truncated at byte {stream.position}")
            byte = stream.buffer[stream.at]
            stream.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF
            shift += 7
            if shift > 63:
                raise Broken(f"a number before byte {stream.position} that does not end")
