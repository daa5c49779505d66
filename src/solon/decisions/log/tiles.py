"""Tiles: the tree as static files that any C2SP tlog-tiles client reads.

    tile/<level>/<N>[.p/<width>]     256 hashes; <width> of them at the right edge
    tile/entries/<N>[.p/<width>]     256 leaves, each behind its length (2 bytes, big-endian)

They follow from the segments. Writing them again writes the same, so that a crash in between costs nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from solon.decisions.log import durable, merkle
from solon.decisions.log.errors import Damaged

WIDTH: Final = 256
ENTRIES: Final = -1  # the level of the bundles of leaves
_MANY: Final = 64  # tiles that are kept in memory
_TOGETHER: Final = 512  # tiles that wait to be written
_THREADS: Final = 16


def path_of(level: int, number: int, width: int = WIDTH) -> str:
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.insert(0, f"x{number % 1000:03}")
    if width < WIDTH:
        parts[-1] += ".p"
        parts.append(str(width))
    return os.path.join("tile", "entries" if level == ENTRIES else str(level), *parts)


def bundle(leaves: Iterable[bytes]) -> bytes:
    return b"".join([len(leaf).to_bytes(2) + leaf for leaf in leaves])


def unbundled(data: bytes) -> list[bytes]:
    """The leaves of a bundle; what does not fit at its end is left out."""
    leaves: list[bytes] = []
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data):
            break
        leaves.append(data[at + 2 : end])
        at = end
    return leaves


class TileReader:
    """The tree of one size, from the files below a directory. Raises Damaged where one is missing or cut."""

    def __init__(self, directory: str, size: int) -> None:
        self.size = size
        self._directory = directory
        self._kept: dict[tuple[int, int], list[bytes]] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree: see ``merkle.Node``."""
        tile_level, height = divmod(level, 8)
        first = index << height
        number, at = divmod(first, WIDTH)
        hashes = self.tile(tile_level, number)[at : at + (1 << height)]
        if len(hashes) < 1 << height:
            raise Damaged(f"{self._path(tile_level, number)}: has too few hashes")
        while len(hashes) > 1:
            hashes = merkle.parents(hashes)
        return hashes[0]

    def tile(self, level: int, number: int) -> list[bytes]:
        kept = self._kept.get((level, number))
        if kept is None:
            data = self._data(level, number)
            kept = [data[at : at + merkle.HASH] for at in range(0, len(data), merkle.HASH)]
            if len(self._kept) >= _MANY:
                self._kept.pop(next(iter(self._kept)))
            self._kept[level, number] = kept
        return kept

    def leaves(self, number: int) -> list[bytes]:
        return unbundled(self._data(ENTRIES, number))

    def root(self) -> bytes:
        return merkle.root(self.size, self.node)

    def _width(self, level: int, number: int) -> int:
        return min(WIDTH, (self.size >> 8 * max(level, 0)) - number * WIDTH)

    def _path(self, level: int, number: int) -> str:
        return os.path.join(self._directory, path_of(level, number, self._width(level, number)))

    def _data(self, level: int, number: int) -> bytes:
        """Of the tile as wide as this size has it, or of the full one that took its place."""
        width = self._width(level, number)
        wanted = width * merkle.HASH
        for path in (self._path(level, number), os.path.join(self._directory, path_of(level, number))):
            try:
                data = durable.read(path)
            except FileNotFoundError:
                continue
            if level == ENTRIES:
                return data
            if len(data) >= wanted:
                return data[:wanted]
            raise Damaged(f"{path}: is cut off")
        raise Damaged(f"{self._path(level, number)}: is missing")


class TileBuilder:
    """The tiles that a tree gets as it grows from one size on: full ones as they are filled, partial ones at the end."""

    def __init__(self, before: TileReader | None = None) -> None:
        self.size = before.size if before else 0
        self._levels: list[tuple[int, list[bytes]]] = []  # number and hashes of the tile that is not full
        self._bundle: list[bytes] = []
        size = self.size
        while size and before:
            number, width = divmod(size, WIDTH)
            self._levels.append((number, before.tile(len(self._levels), number)[:] if width else []))
            size >>= 8
        if before and self.size % WIDTH:
            number = self.size // WIDTH
            self._bundle = before.leaves(number)
            if [merkle.leaf_hash(leaf) for leaf in self._bundle] != self._levels[0][1]:
                raise Damaged(
                    f"{path_of(ENTRIES, number, self.size % WIDTH)}: does not fit the tile of its hashes"
                )

    def extend(self, leaves: Sequence[bytes], hashes: Sequence[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Level, number and content of each tile that is full now."""
        at = 0
        while at < len(leaves):
            number = self.size // WIDTH
            taken = min(WIDTH - len(self._bundle), len(leaves) - at)
            self._bundle += leaves[at : at + taken]
            self.size += taken
            if len(self._bundle) == WIDTH:
                yield ENTRIES, number, bundle(self._bundle)
                self._bundle = []
            yield from self._add(0, hashes[at : at + taken])
            at += taken

    def _add(self, level: int, hashes: Sequence[bytes]) -> Iterator[tuple[int, int, bytes]]:
        if level == len(self._levels):
            self._levels.append((0, []))
        number, gathered = self._levels[level]
        gathered += hashes
        if len(gathered) < WIDTH:
            return
        yield level, number, b"".join(gathered)
        above: Sequence[bytes] = gathered
        while len(above) > 1:
            above = merkle.parents(above)
        self._levels[level] = (number + 1, [])
        yield from self._add(level + 1, above)

    def partial(self) -> Iterator[tuple[int, int, bytes]]:
        """The tiles at the right edge that are not full."""
        if self._bundle:
            yield ENTRIES, self.size // WIDTH, bundle(self._bundle)
        for level, (number, hashes) in enumerate(self._levels):
            if hashes:
                yield level, number, b"".join(hashes)

    def width(self, level: int) -> int:
        return len(self._bundle) if level == ENTRIES else len(self._levels[level][1])

    def root(self) -> bytes:
        """The root of the tree of this size, from the right edge alone."""
        root: bytes | None = None
        for _, hashes in self._levels:
            if hashes:
                frontier = merkle.Frontier()
                frontier.extend(hashes)
                root = frontier.root(root)
        return merkle.EMPTY if root is None else root


class TileFiles:
    """Writes tiles below a directory: whole, under their names, and durable when ``finish`` has returned."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._touched: set[str] = set()
        self._full: list[tuple[int, int]] = []
        self._waiting: list[tuple[str, bytes]] = []

    def write(self, level: int, number: int, data: bytes, width: int = WIDTH) -> None:
        path = os.path.join(self._directory, path_of(level, number, width))
        above = os.path.dirname(path)
        if above not in self._touched:
            durable.make_directory(above)
            self._touched.add(above)
        self._waiting.append((path, data))
        if width == WIDTH:
            self._full.append((level, number))
        if len(self._waiting) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        """Many at a time: a disk that is asked to sync sixteen files does it about as fast as one."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda each: durable.replace(*each), self._waiting):
                pass
        self._waiting.clear()

    def finish(self) -> None:
        if len(self._waiting) <= 2:
            for path, data in self._waiting:
                durable.replace(path, data)
            self._waiting.clear()
        else:
            self._flush()
        for directory in self._touched:
            durable.sync_directory(directory)

    def clear(self) -> None:
        """Remove the partial tiles that full ones took the place of: to be called when the checkpoint is there."""
        for level, number in self._full:
            path = os.path.join(self._directory, path_of(level, number) + ".p")
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
        self._full.clear()
