"""How far a sink is: ``sinks/<name>.json`` in the log, replaced when a receiver has acknowledged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import Busy, LogError, os_error

DIRECTORY: Final = "sinks"
SCHEMA: Final = "solon.log-sink/v1"


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next entry of a shard, and the digest of the leaf before it, by which another history is found out."""

    next: int
    leaf: str = ""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``refused`` counts what the receiver would not take; ``problem`` is why nothing goes on, since ``since``."""

    schema: str
    to: str
    shards: dict[str, Mark] = {}
    shipped: int = 0
    refused: int = 0
    problem: str = ""
    since: str = ""


def path_of(log: str, name: str) -> str:
    return os.path.join(log, DIRECTORY, f"{name}.json")


def read(log: str, name: str) -> Position:
    """That of the beginning where there is none. Raises LogError."""
    path = path_of(log, name)
    try:
        found = msgspec.json.decode(durable.read(path), type=Position)
    except FileNotFoundError:
        return Position(SCHEMA, "")
    except OSError as error:
        raise os_error(error, "cannot be read") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise LogError(f"{path}: is damaged: remove it, and the sink gets everything once more") from None
    if found.schema != SCHEMA:
        raise LogError(f"{path}: has the schema {found.schema!r}, and this Solon knows {SCHEMA}")
    return found


def write(log: str, name: str, position: Position) -> None:
    """Durable when this returns. Raises LogError."""
    path = path_of(log, name)
    try:
        durable.make_directory(os.path.dirname(path))
        durable.replace(path, msgspec.json.encode(position) + b"\n")
        durable.sync_directory(os.path.dirname(path))
    except OSError as error:
        raise os_error(error, "the sink's position cannot be written; it is shipped again") from None


def names(log: str) -> list[str]:
    """The sinks that have a position."""
    try:
        found = os.listdir(os.path.join(log, DIRECTORY))
    except FileNotFoundError:
        return []
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


@contextmanager
def taken(log: str, name: str) -> Iterator[None]:
    """A sink is shipped to by one process. Raises Busy, LogError."""
    path = os.path.join(log, DIRECTORY, f"{name}.lock")
    try:
        durable.make_directory(os.path.dirname(path))
        with durable.locked(path, 0.0) as had:
            if not had:
                raise Busy(f"{path}: {durable.holder(path)} ships to {name}")
            yield
    except OSError as error:
        raise os_error(error, "the sink cannot be locked") from None


def digest(leaf: bytes) -> str:
    return hashlib.sha256(leaf).hexdigest()
