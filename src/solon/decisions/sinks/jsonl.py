"""Lines added to a file, so that a crash spoils none that were there."""

from __future__ import annotations

import os

from solon.decisions.log import durable


def append_durably(path: str, lines: bytes) -> None:
    """Add to a file that only its owner may read; on the disk when this returns. Raises OSError.

    What could not be written to its end is taken back.
    """
    directory = os.path.dirname(path) or "."
    durable.make_directory(directory)
    new = not os.path.exists(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            lines = b"\n" + lines  # a crash left a line unfinished: end it, so that it spoils no other
        try:
            durable.write_all(descriptor, lines)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        durable.sync_directory(directory)
