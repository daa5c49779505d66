"""Files that are there, whole, after a crash: written beside, synced, renamed; and the directory synced."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

TEMPORARY: Final = ".tmp"
_WAIT: Final = 0.01


def write_all(descriptor: int, data: bytes) -> None:
    """All of it, however many calls it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def replace(path: str, data: bytes, mode: int = 0o644) -> None:
    """Put the data at the path, with one rename. The name is durable after ``sync_directory``."""
    temporary = f"{path}{TEMPORARY}{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: str) -> None:
    """The directory and those above it, each durable in the one above."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(os.path.abspath(path))
    make_directory(above)
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        return
    sync_directory(above)


def read(path: str) -> bytes:
    """All of a file. It is read, not mapped: a map of a file that a writer cuts would end this process."""
    with open(path, "rb") as file:
        return file.read()


def lock(path: str, wait: float = 0.0) -> int | None:
    """The descriptor of the lock file, which holds the lock until it is closed; None where another process has it.

    The file says which process that is.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(descriptor)
                return None
            time.sleep(_WAIT)
            continue
        with suppress(OSError):  # who holds it is for messages alone, and need not fit on a full disk
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def is_locked(path: str) -> bool:
    """Whether a process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: str) -> str:
    """The process that a lock file names, for messages."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return f"process {file.read(20).strip() or 'unknown'}"
    except OSError:
        return "another process"


@contextmanager
def held(descriptor: int, wait: float) -> Iterator[None]:
    """The lock of an open file, which is closed behind. Raises BlockingIOError after waiting."""
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_WAIT)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: str, wait: float) -> Iterator[bool]:
    """Whether the lock was had, for as long as the block lasts."""
    descriptor = lock(path, wait)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)
