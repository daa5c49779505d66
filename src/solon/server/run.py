"""Runs an application until it is told to end; what was accepted by then is answered first."""

from __future__ import annotations

import signal
import socket
from typing import Any, Final

import uvicorn

_DRAIN: Final = 30  # seconds for requests that are under way
_CONNECTIONS: Final = 256


def run(application: Any, listening: socket.socket) -> None:
    """SIGTERM and SIGINT end it, and are no failure."""
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_DRAIN,
        timeout_keep_alive=75,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises what it got once more when it is done
    uvicorn.Server(config).run(sockets=[listening])


def listen(said: str) -> socket.socket:
    """A socket at ``host:port``. Raises ValueError, OSError."""
    host, colon, port = said.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{said}: is no address such as 127.0.0.1:8282")
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"  # noqa: S104 (that is what `:8282` means)
    family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(1_024)
    except OSError:
        found.close()
        raise
    return found


def is_local(listening: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    host = listening.getsockname()[0]
    return bool(host == "::1" or host.startswith("127."))


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
