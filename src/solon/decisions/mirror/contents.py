"""What of a log is in its mirror."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import msgspec

from solon.decisions.in_force import texts
from solon.decisions.log import reading
from solon.decisions.log.shard import Place
from solon.decisions.log.store import Log
from solon.decisions.log.tiles import ENTRIES, WIDTH, TileReader, bundle, path_of
from solon.decisions.warehouse import manifest as manifests
from solon.decisions.warehouse.manifest import Manifest

ROWS: Final = "cold/rows"


def files(log: Log, manifest: Manifest, *, segments: bool) -> list[str]:
    """The files of the warehouse, the texts of policies, and the segments, as paths below the log."""
    found = [f"{manifests.DIRECTORY}/{path}" for path in manifest.files]
    found += [f"{texts.DIRECTORY}/{name}" for name in texts.kept(log.directory)]
    if segments:
        found += [_path(log, path) for place in log.places() for path in reading.files(place.segments)]
    return found


def settings(log: Log) -> bytes:
    """``log.json`` without what is about this machine."""
    said = log.settings
    public = {"schema": said.schema, "name": said.name, "key": said.key}
    return msgspec.json.format(msgspec.json.encode(public), indent=2) + b"\n"


def directory(log: Log, place: Place) -> str:
    return _path(log, place.directory)


def _path(log: Log, path: str) -> str:
    return os.path.relpath(path, log.directory).replace(os.sep, "/")


def tiles(place: Place, old: int, new: int) -> Iterator[tuple[str, bytes, bool]]:
    """Path, content, and whether it is full, of each tile that a tree of one size has and one of another had not."""
    reader = place.tiles(new)
    for level in _levels(new):
        before, now = (size >> 8 * max(level, 0) for size in (old, new))
        if before == now:
            continue
        for number in range(before // WIDTH, -(-now // WIDTH)):
            width = min(WIDTH, now - number * WIDTH)
            yield path_of(level, number, width), _content(reader, level, number, width), width == WIDTH


def outgrown(old: int, new: int) -> Iterator[str]:
    """Where the partial tiles of an old size are that full ones took the place of: prefixes of their paths."""
    for level in _levels(new):
        before, now = (size >> 8 * max(level, 0) for size in (old, new))
        number, width = divmod(before, WIDTH)
        if width and now // WIDTH > number:
            yield f"{path_of(level, number)}.p/"


def _levels(size: int) -> Iterator[int]:
    yield ENTRIES
    level = 0
    while size >> 8 * level:
        yield level
        level += 1


def _content(reader: TileReader, level: int, number: int, width: int) -> bytes:
    """As wide as the tree had it, even where a full one took its place meanwhile."""
    if level == ENTRIES:
        return bundle(reader.leaves(number)[:width])
    return b"".join(reader.tile(level, number)[:width])
