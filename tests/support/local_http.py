"""A server on this machine that answers as an application says: for adapters that talk HTTP."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: Any


@dataclass(frozen=True)
class Response:
    status: int
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # instead of the value as JSON


Application = Callable[[Request], Response]


class LocalServer:
    """``faults`` are answers that come first, one for each request; None lets the application answer."""

    def __init__(self) -> None:
        self.application: Application = lambda _request: Response(404)
        self.faults: deque[Response | None] = deque()
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one packet

            def answer(self) -> None:
                parts = urlsplit(self.path)
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    json.loads(data) if data else None,
                )
                outer.requests.append(request)
                fault = outer.faults.popleft() if outer.faults else None
                response = fault or outer.application(request)
                raw = response.raw
                if raw is None:
                    raw = b"" if response.value is None else json.dumps(response.value).encode()
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - the names of the protocol

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def writes(self) -> list[Request]:
        return [
            request for request in self.requests if request.method != "GET" and "search" not in request.path
        ]
