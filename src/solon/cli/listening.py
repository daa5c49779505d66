"""The socket that a command listens at."""

from __future__ import annotations

import socket

from solon.cli.errors import UsageError


def listening(said: str) -> socket.socket:
    """At the address of ``--listen``. Raises UsageError."""
    from solon.server import run

    try:
        return run.listen(said)
    except ValueError as error:
        raise UsageError(f"--listen {error}") from None
    except OSError as error:
        raise UsageError(f"--listen {said}: {(error.strerror or str(error)).lower()}") from None
