"""What a command could not do."""

from __future__ import annotations


class UsageError(Exception):
    """Something the user can put right: the message says what is wrong, and what to do."""


class Failure(Exception):
    """Text that has been worded already, such as the errors of a policy; shown as it is."""
