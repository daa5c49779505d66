"""A file of JSON lines, followed by a new one when it is large: ``decisions.jsonl``, ``decisions.jsonl.1``, …"""

from __future__ import annotations

import os
from collections.abc import Sequence

from solon.decisions.log import durable
from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Down, Refusal
from solon.decisions.sinks.jsonl import append_durably


class FileSink:
    """On the disk when ``send`` returns. ``keep`` old files stay; older ones are removed."""

    def __init__(self, path: str, rotate_bytes: int, keep: int) -> None:
        self._path = path
        self._rotate_bytes = rotate_bytes
        self._keep = keep

    def send(self, batch: Sequence[Stored]) -> Refusal | None:
        """Raises Down."""
        lines = b"".join((each.payload or b"").replace(b"\n", b" ") + b"\n" for each in batch)
        try:
            if self._is_full(len(lines)):
                self._rotate()
            append_durably(self._path, lines)
        except OSError as error:
            raise Down(f"{self._path}: {(error.strerror or str(error)).lower()}") from None
        return None

    def close(self) -> None:
        """Nothing is held open: a file that something else rotated is not written to any more."""

    def _is_full(self, more: int) -> bool:
        try:
            size = os.path.getsize(self._path)
        except FileNotFoundError:
            return False
        return size > 0 and size + more > self._rotate_bytes

    def _rotate(self) -> None:
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, self._keep + 1))]
        for number in range(len(names) - 2, -1, -1):
            if os.path.exists(names[number]):
                os.replace(names[number], names[number + 1])
        if not self._keep:
            os.unlink(self._path)
        durable.sync_directory(os.path.dirname(self._path) or ".")
