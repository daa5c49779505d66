"""``mirror.json``: what a mirror holds. It is written when all that it names is there."""

from __future__ import annotations

from typing import Final

import msgspec

from solon.decisions.log.errors import Damaged

NAME: Final = "mirror.json"
SCHEMA: Final = "solon.log-mirror/v1"


class File(msgspec.Struct, frozen=True):
    size: int
    sha256: str


class Tree(msgspec.Struct, frozen=True):
    """The signed tree of a shard, or of the meta-log, whose tiles are all there. ``root`` is in hex."""

    size: int
    root: str


class Table(msgspec.Struct, frozen=True):
    """The newest version of the Delta table: its files, and when each was added, in milliseconds since 1970."""

    version: int
    created: int
    columns: str
    files: dict[str, int]


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """``files`` are those that are no tiles and no checkpoints, by their paths."""

    schema: str
    log: str
    key: str
    at: str = ""
    entries: int = 0
    trees: dict[str, Tree] = {}
    files: dict[str, File] = {}
    delta: Table | None = None


def decode(data: bytes, where: str) -> State:
    """Raises Damaged."""
    try:
        found = msgspec.json.decode(data, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged(f"{where}: is no mirror.json of this Solon ({error})") from None
    if found.schema != SCHEMA:
        raise Damaged(f"{where}: has the schema {found.schema!r}, and this Solon knows {SCHEMA}")
    return found
