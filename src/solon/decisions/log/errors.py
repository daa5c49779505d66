"""What can be wrong with a log. Messages are one line, and say what to do."""

from __future__ import annotations


class LogError(Exception):
    """Something could not be done with a log."""


class Busy(LogError):
    """Another process writes there."""


class Damaged(LogError):
    """What is on the disk is not what was written there."""


def os_error(error: OSError, what: str) -> LogError:
    """An error of the system, in one line."""
    name = f"{error.filename}: " if error.filename else ""
    return LogError(f"{name}{what}: {(error.strerror or str(error)).lower()}")
