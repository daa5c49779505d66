"""What a log knows of its mirrors: ``mirrors/`` in it. Nothing is lost with it but time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from solon.decisions.log import durable
from solon.decisions.log.errors import Busy
from solon.decisions.log.store import Log

DIRECTORY: Final = "mirrors"


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """``entries`` are those that were signed when it was last brought up to date, at ``at``.

    ``problem`` is why the last run did not come to its end, since ``since``. ``digests`` are size, time of change and
    SHA-256 of files, so that what has not changed is not read again.
    """

    to: str
    entries: int = 0
    at: str = ""
    problem: str = ""
    since: str = ""
    digests: dict[str, tuple[int, int, str]] = {}


def read(path: str, to: str = "") -> Known:
    """An empty one where there is none that can be read."""
    try:
        return msgspec.json.decode(durable.read(path), type=Known)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Known(to)


def write(path: str, known: Known) -> None:
    """Raises OSError."""
    durable.replace(path, msgspec.json.encode(known), 0o600)


def every(log: Log) -> list[Known]:
    """In the order of their addresses."""
    where = os.path.join(log.directory, DIRECTORY)
    try:
        names = sorted(name for name in os.listdir(where) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    found = [read(os.path.join(where, name)) for name in names]
    return sorted((known for known in found if known.to), key=lambda known: known.to)


@contextmanager
def taken(log: Log, to: str) -> Iterator[str]:
    """A mirror is written by one process: the path of what is known of it. Raises Busy, OSError."""
    where = os.path.join(log.directory, DIRECTORY)
    durable.make_directory(where)
    name = os.path.join(where, hashlib.sha256(to.encode()).hexdigest()[:16])
    with durable.locked(f"{name}.lock", 0.0) as had:
        if not had:
            raise Busy(f"{name}.lock: {durable.holder(f'{name}.lock')} mirrors to {to}")
        yield f"{name}.json"


class Digests:
    """SHA-256 of a log's files."""

    def __init__(self, log: Log, known: Known) -> None:
        self._log = log
        self._known = dict(known.digests)

    def of(self, path: str) -> tuple[int, str]:
        """Size and digest. Raises OSError."""
        stat = os.stat(os.path.join(self._log.directory, path))
        known = self._known.get(path)
        if known is None or known[:2] != (stat.st_size, stat.st_mtime_ns):
            data = self.read(path)
            known = (len(data), stat.st_mtime_ns, hashlib.sha256(data).hexdigest())
            self._known[path] = known
        return known[0], known[2]

    def read(self, path: str) -> bytes:
        """Raises OSError."""
        return durable.read(os.path.join(self._log.directory, path))

    def among(self, paths: set[str]) -> dict[str, tuple[int, int, str]]:
        return {path: known for path, known in self._known.items() if path in paths}
