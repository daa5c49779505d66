"""The cache of compiled policies: files that their owner alone can read and write.

What is in them is run. So nothing is read from a directory or file that somebody else owns, or could write,
and a file that was cut short or changed by accident is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_FILES: Final = 2_000
MOST_BYTES: Final = 64 << 20  # of one program

_DIGEST: Final = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class DiskCache:
    """Compiled programs by identity, the latest used of them."""

    directory: Path

    def get(self, identity: str) -> bytes | None:
        path = self.directory / identity
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with open(descriptor, "rb") as file:
                if not _is_private(os.fstat(descriptor), stat.S_ISREG):
                    return None
                held = file.read(MOST_BYTES)
            os.utime(path)
        except OSError:
            return None
        digest, kept = held[:_DIGEST], held[_DIGEST:]
        return kept if hashlib.sha256(kept).digest() == digest else None

    def put(self, identity: str, stored: bytes) -> None:
        """Keep a program, and no more than MOST_FILES of them; a cache that cannot be written is no error."""
        if len(stored) + _DIGEST > MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            descriptor, temporary = tempfile.mkstemp(dir=self.directory)  # mode 0600
            try:
                with open(descriptor, "wb") as file:
                    file.write(hashlib.sha256(stored).digest() + stored)
                os.replace(temporary, self.directory / identity)
            except OSError:
                os.unlink(temporary)
                raise
            self._forget()

    def _forget(self) -> None:
        entries = sorted(os.scandir(self.directory), key=lambda entry: entry.stat().st_mtime)
        for entry in entries[: max(0, len(entries) - MOST_FILES)]:
            os.unlink(entry.path)


def of_user(environment: Mapping[str, str] = os.environ) -> DiskCache | None:
    """The user's cache, or None: with ``SOLON_CACHE=off``, or where there is no directory of their own.

    It is in ``SOLON_CACHE``, or in ``solon`` below ``XDG_CACHE_HOME`` or ``~/.cache``.
    """
    chosen = environment.get("SOLON_CACHE", "")
    if chosen == "off":
        return None
    home = environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    directory = Path(chosen or os.path.join(home, "solon"))
    if not directory.is_absolute():
        return None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = _is_private(os.lstat(directory), stat.S_ISDIR)
    except OSError:
        return None
    if not private:
        sys.stderr.write(
            f"solon: {directory} is not used as a cache, as others own it or can write it: chmod 700 {directory}\n"
        )
        return None
    return DiskCache(directory)


def _is_private(state: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Whether a file or directory is of the kind, and its owner's, who is who runs Solon, alone."""
    if not is_kind(state.st_mode):
        return False
    if not hasattr(os, "geteuid"):  # Windows: profiles are private
        return True
    return state.st_uid == os.geteuid() and not state.st_mode & 0o077
