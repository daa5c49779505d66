"""Bytes that can be looked at without being loaded: from any place, or from their start on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from solon.evidence.artifacts.limits import Broken

CHUNK: Final = 1 << 18

# The bytes at an offset: fewer than asked for at the end only.
ReadAt = Callable[[int, int], bytes]


class Source(Protocol):
    """What can be read from its start as often as wanted. ``size`` is None where nobody knows it yet."""

    @property
    def size(self) -> int | None: ...

    def stream(self) -> Stream: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Part of a file, or of memory, that can be read anywhere."""

    read_at: ReadAt
    start: int
    length: int

    @property
    def size(self) -> int:
        return self.length

    def at(self, offset: int, size: int) -> bytes:
        """Fewer than ``size`` at the end only."""
        if offset < 0 or offset >= self.length:
            return b""
        return self.read_at(self.start + offset, min(size, self.length - offset))

    def window(self, offset: int, size: int) -> Place:
        """Cut off where this one ends."""
        offset = min(max(offset, 0), self.length)
        return Place(self.read_at, self.start + offset, min(max(size, 0), self.length - offset))

    def stream(self) -> Stream:
        return Stream(self.at)


def of_bytes(data: bytes) -> Place:
    return Place(lambda offset, size: data[offset : offset + size], 0, len(data))


def of_file(file: BinaryIO) -> Place:
    def read_at(offset: int, size: int) -> bytes:
        file.seek(offset)
        return file.read(size)

    return Place(read_at, 0, file.seek(0, os.SEEK_END))


@dataclass(frozen=True, slots=True)
class Inflated:
    """What a compressed stream gives, chunk by chunk; only from its start on."""

    inflate: Callable[[], Iterator[bytes]]

    @property
    def size(self) -> None:
        return None

    def stream(self) -> Stream:
        chunks = self.inflate()
        return Stream(lambda _offset, _size: next(chunks, b""), seekable=False)


class Stream:
    """Reads forward. Never holds more than a chunk and what was asked for.

    >>> stream = of_bytes(b"solon").stream()
    >>> stream.read(2), stream.skip(2), stream.read(9), stream.position
    (b'so', 2, b'n', 5)
    """

    __slots__ = ("_base", "_more", "_seekable", "at", "buffer")

    def __init__(self, more: ReadAt, *, seekable: bool = True) -> None:
        self._more = more
        self._seekable = seekable
        self._base = 0
        self.buffer = b""
        self.at = 0

    @property
    def position(self) -> int:
        return self._base + self.at

    def need(self, size: int) -> bool:
        """Whether ``size`` bytes follow; they are in ``buffer`` from ``at`` then."""
        if len(self.buffer) - self.at >= size:
            return True
        self.buffer = self.buffer[self.at :]
        self._base += self.at
        self.at = 0
        pieces, have = [self.buffer], len(self.buffer)
        while have < size:
            more = self._more(self._base + have, max(CHUNK, size - have))
            if not more:
                break
            pieces.append(more)
            have += len(more)
        self.buffer = b"".join(pieces)
        return have >= size

    def peek(self, size: int) -> bytes:
        self.need(size)
        return self.buffer[self.at : self.at + size]

    def read(self, size: int) -> bytes:
        """Fewer than ``size`` at the end only. The caller bounds ``size``."""
        data = self.peek(size)
        self.at += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        """Raises Broken where it ends before."""
        if not self.need(size):
            raise Broken(f"truncated at byte {self.position}")
        data = self.buffer[self.at : self.at + size]
        self.at += size
        return data

    def skip(self, size: int) -> int:
        """How many could be skipped: fewer at the end only."""
        left = size
        here = min(left, len(self.buffer) - self.at)
        self.at += here
        left -= here
        if left and self._seekable and self._more(self.position + left - 1, 1):
            self._base = self.position + left
            self.buffer, self.at = b"", 0
            return size
        while left and self.need(1):
            here = min(left, len(self.buffer) - self.at)
            self.at += here
            left -= here
        return size - left

    def pass_over(self, size: int) -> None:
        """Raises Broken where it ends before."""
        if self.skip(size) < size:
            raise Broken(f"truncated at byte {self.position}")

    def line(self, limit: int) -> bytes:
        """Up to the next line feed, without it. Raises Broken where none is within ``limit`` bytes."""
        end = self.buffer.find(b"\n", self.at, self.at + limit + 1)
        if end < 0:
            self.need(limit + 1)
            end = self.buffer.find(b"\n", self.at, self.at + limit + 1)
        if end < 0:
            raise Broken(f"a line at byte {self.position} that does not end")
        data = self.buffer[self.at : end]
        self.at = end + 1
        return data

    def pass_line(self) -> bool:
        """Skips to behind the next line feed; False where there is none."""
        while self.need(1):
            end = self.buffer.find(b"\n", self.at)
            self.at = len(self.buffer) if end < 0 else end + 1
            if end >= 0:
                return True
        return False

    def chunks(self, size: int | None = None) -> Iterator[bytes]:
        """What follows, at most ``size`` bytes of it, piece by piece."""
        left = size
        while left != 0 and self.need(1):
            end = len(self.buffer) if left is None else min(len(self.buffer), self.at + left)
            piece = self.buffer[self.at : end]
            self.at = end
            if left is not None:
                left -= len(piece)
            yield piece
