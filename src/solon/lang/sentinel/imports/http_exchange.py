"""One request of ``http`` and its redirects: sockets, TLS, deadlines and sizes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import SplitResult, urljoin, urlsplit

from solon.lang.budget import Meter
from solon.lang.sentinel.values import Failure

if TYPE_CHECKING:
    import http.client

MAX_RESPONSE: Final = 10 << 20  # bytes
_REDIRECTS: Final = frozenset([301, 302, 303, 307, 308])
_SAME_METHOD: Final = frozenset([307, 308])
_PRIVATE: Final = frozenset(["authorization", "cookie"])  # not for another host
_DEFAULTS: Final = (("Accept", "*/*"), ("User-Agent", "solon-sentinel"))


class HttpTimeoutError(Exception):
    """No answer in time."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What lets requests out: to hosts that are allowed, while the evaluation has time."""

    meter: Meter
    allowed_hosts: frozenset[str]
    proxy: str | None = None

    def passed(self, url: str) -> SplitResult:
        """The parts of a URL to a host that is allowed. Raises Failure."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise Failure(f"http: this is no URL: {url[:80]!r} ({error})") from None
        if parts.scheme not in ("http", "https") or not host:
            raise Failure(f"http: a URL begins with http:// or https://, not {url[:80]!r}")
        if host not in self.allowed_hosts:
            raise Failure(
                f"http: the host {host} is not allowed: policies reach no network unless the operator lets them"
                f" (--allow-host {host})"
            )
        return parts

    def left(self) -> float:
        """Seconds. Raises BudgetExceeded."""
        self.meter.renew()
        return self.meter.remaining

    def wait(self, seconds: float, sleep: Callable[[float], None]) -> None:
        """Pause, but no longer than the evaluation lasts. Raises BudgetExceeded."""
        self.meter.foresee(seconds)
        sleep(seconds)
        self.meter.renew()


@dataclass(frozen=True, slots=True)
class Exchange:
    gate: Gate
    timeout: float  # seconds, redirects and all
    verify: bool
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def followed(self, redirects: int) -> Response:
        """The response at the end of the redirects. Raises Failure, HttpTimeoutError, BudgetExceeded."""
        deadline = time.monotonic() + self.timeout
        current = self
        for _ in range(redirects + 1):
            response = current._once(deadline)
            target = next((value for name, value in response.headers if name.lower() == "location"), None)
            if response.status not in _REDIRECTS or target is None:
                return response
            current = current._redirected(response.status, target)
        raise Failure(f"http: more than {redirects} redirects, from {urlsplit(self.url).hostname}")

    def _redirected(self, status: int, target: str) -> Exchange:
        before = self.gate.passed(self.url)
        url = urljoin(self.url, target)
        after = self.gate.passed(url)
        kept = replace(self, url=url)
        if status not in _SAME_METHOD:
            kept = replace(kept, method="GET", body="")
        if (before.hostname, before.scheme) != (after.hostname, after.scheme):
            public = tuple((name, value) for name, value in kept.headers if name.lower() not in _PRIVATE)
            kept = replace(kept, headers=public)
        return kept

    def _once(self, deadline: float) -> Response:
        import http.client

        parts = self.gate.passed(self.url)
        seconds = min(deadline - time.monotonic(), self.gate.left())
        if seconds <= 0:
            raise HttpTimeoutError
        try:
            connection, absolute = self._connection(parts, seconds)
            with contextlib.closing(connection), _Watch(seconds) as watch:
                try:
                    return self._answered(connection, parts, watch, absolute=absolute)
                except (OSError, http.client.HTTPException, ValueError):
                    watch.check()
                    raise
        except TimeoutError:
            self.gate.left()
            raise HttpTimeoutError from None
        except (OSError, http.client.HTTPException, ValueError, UnicodeError) as error:
            problem = str(error) or type(error).__name__
            raise Failure(f"http: {self.method} {parts.scheme}://{parts.hostname}: {problem}") from None

    def _connection(self, parts: SplitResult, seconds: float) -> tuple[http.client.HTTPConnection, bool]:
        """A connection that is not yet open, and whether it wants the whole URL: a proxy does."""
        import http.client

        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        if self.gate.proxy is None:
            return http.client.HTTPConnection(host, port, timeout=seconds), False
        proxy = self.gate.passed(self.gate.proxy)
        if proxy.scheme != "http":
            raise Failure("http: `proxy_address` begins with http://")
        connection = http.client.HTTPConnection(str(proxy.hostname), proxy.port or 80, timeout=seconds)
        if parts.scheme == "https":
            connection.set_tunnel(host, port)
        return connection, parts.scheme == "http"

    def _answered(
        self,
        connection: http.client.HTTPConnection,
        parts: SplitResult,
        watch: _Watch,
        *,
        absolute: bool,
    ) -> Response:
        import http.client

        connection.connect()
        if parts.scheme == "https":
            self._secured(connection, str(parts.hostname), watch)
        watch.over(connection.sock)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        authority = parts.netloc.rpartition("@")[2]
        given = {name.lower() for name, _ in self.headers}
        headers = dict(
            [*((name, value) for name, value in _DEFAULTS if name.lower() not in given), *self.headers]
        )
        headers.setdefault("Host", authority)
        body = self.body.encode("utf-8", "surrogateescape") if self.body or self.method == "POST" else None
        connection.request(
            self.method, f"http://{authority}{path}" if absolute else path, body=body, headers=headers
        )
        with contextlib.closing(connection.getresponse()) as response:
            raw = response.read(MAX_RESPONSE + 1)
            if len(raw) > MAX_RESPONSE:
                raise ValueError(f"the answer is larger than {MAX_RESPONSE >> 20} MiB")
            watch.check()
            if response.length:
                raise http.client.IncompleteRead(raw, response.length)
        self.gate.meter.claim(2 * len(raw))
        return Response(
            response.status,
            response.reason,
            tuple(response.getheaders()),
            raw.decode("utf-8", "surrogateescape"),
        )

    def _secured(self, connection: http.client.HTTPConnection, host: str, watch: _Watch) -> None:
        import ssl

        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        # The socket that is watched is the one that shakes hands.
        connection.sock = context.wrap_socket(
            connection.sock, server_hostname=host, do_handshake_on_connect=False
        )
        watch.over(connection.sock)
        connection.sock.do_handshake()


class _Watch:
    """Cuts a socket when its time is over: a socket's own limit is for each read, not for all of them."""

    def __init__(self, seconds: float) -> None:
        self._late = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()

    def over(self, watched: socket.socket) -> None:
        """From now on it is this one. Raises TimeoutError."""
        self._socket = watched
        self.check()

    def check(self) -> None:
        """What a socket gives that was cut looks like its end. Raises TimeoutError."""
        if self._late:
            raise TimeoutError

    def _cut(self) -> None:
        self._late = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
