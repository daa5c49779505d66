"""``http``: requests to hosts that the operator allowed.

A request is refused unless its host is allowed, and so is every redirect. What it takes counts against the
evaluation's time: neither a request nor the pause before another try outlasts what is left of it.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from solon.lang.sentinel.imports.declare import (
    INT,
    LIST,
    STRING,
    Method,
    Namespace,
    function,
    kind,
    method,
    named,
)
from solon.lang.sentinel.imports.http_exchange import Exchange, Gate, HttpTimeoutError
from solon.lang.sentinel.imports.unsettled import ACCEPTED_STATUS_IS_NOT_RETRIED, HEADERS_ARE_CANONICAL
from solon.lang.sentinel.values import Failure, Surroundings, Undefined, Value, type_of

LONGEST: Final = 30  # seconds of a request
MOST_RETRIES: Final = 10
MOST_REDIRECTS: Final = 10
FIRST_PAUSE: Final = 1.0  # seconds; twice as long before each further try
LONGEST_PAUSE: Final = 30.0


def canonical(name: str) -> str:
    """``content-type`` as ``Content-Type``."""
    return "-".join(part.capitalize() for part in name.split("-")) if HEADERS_ARE_CANONICAL else name


@dataclass(frozen=True, slots=True)
class Request:
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    @property
    def type_name(self) -> str:
        return "map"

    def get(self, name: str, default: Value) -> Value:
        if name in {"url", "body"}:
            return getattr(self, name)
        if name == "headers":
            return dict(self.headers)
        found = _REQUEST.get(name)
        return default if found is None else found.of(self)

    def with_header(self, name: str, value: str) -> Request:
        return replace(self, headers=tuple((dict(self.headers) | {canonical(name): value}).items()))

    def with_basic_auth(self, user: str, password: str) -> Request:
        encoded = b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")
        return self.with_header("Authorization", f"Basic {encoded}")

    def with_body(self, body: str) -> Request:
        return replace(self, body=body)


_REQUEST: Final[dict[str, Method]] = named(
    "http.request",
    method("http.request.with_header", Request.with_header, STRING, STRING),
    method("http.request.with_basic_auth", Request.with_basic_auth, STRING, STRING),
    method("http.request.with_body", Request.with_body, STRING),
)


@dataclass(frozen=True, slots=True)
class Client:
    gate: Gate
    sleep: Callable[[float], None]
    accepted: tuple[int, ...] = (200,)
    retries: int = 1
    timeout: int = 10
    verify: bool = True

    @property
    def type_name(self) -> str:
        return "map"

    def get(self, name: str, default: Value) -> Value:
        if name == "accepted_status_codes":
            return list(self.accepted)
        if name in {"retries", "timeout"}:
            return getattr(self, name)
        if name == "certificate_verification":
            return self.verify
        found = _CLIENT.get(name)
        return default if found is None else found.of(self)

    def accept_status_codes(self, codes: list[Value]) -> Value:
        for code in codes:
            if type(code) is Undefined:
                return code
            if type(code) is not int:
                raise Failure(f"http.accept_status_codes: a status code is an int, not {type_of(code)}")
        return replace(self, accepted=tuple(codes))

    def with_retries(self, number: int) -> Client:
        if not 0 <= number <= MOST_RETRIES:
            raise Failure(f"http.with_retries: from 0 to {MOST_RETRIES} retries, not {number}")
        return replace(self, retries=number)

    def with_timeout(self, seconds: int) -> Client:
        if not 1 <= seconds <= LONGEST:
            raise Failure(f"http.with_timeout: from 1 to {LONGEST} seconds, not {seconds}")
        return replace(self, timeout=seconds)

    def without_certificate_verification(self) -> Client:
        return replace(self, verify=False)

    def send(self, method: str, wanted: str | Request) -> Value:
        """The response to a request, the last of as many tries as it may take. Raises Failure."""
        request = Request(wanted) if isinstance(wanted, str) else wanted
        pause = FIRST_PAUSE
        for retry in range(self.retries + 1):
            if retry:
                self.gate.wait(pause, self.sleep)
                pause = min(2 * pause, LONGEST_PAUSE)
            problem = self._try(method, request)
            if not isinstance(problem, str):
                return problem
        tries = f" ({self.retries + 1} tries)" if self.retries else ""
        raise Failure(f"http: {method} {shown(request.url)}: {problem}{tries}")

    def _try(self, method: str, request: Request) -> Value | str:
        """The response, or what was wrong that another try may mend."""
        exchange = Exchange(
            self.gate, self.timeout, self.verify, method, request.url, request.headers, request.body
        )
        try:
            response = exchange.followed(MOST_REDIRECTS)
        except HttpTimeoutError:
            return f"no answer within {self.timeout} s"
        accepted = response.status in self.accepted
        if 500 <= response.status <= 599 and response.status != 501:
            if not (accepted and ACCEPTED_STATUS_IS_NOT_RETRIED):
                return f"the answer is {response.status} {response.reason}"
        elif not accepted:
            raise Failure(
                f"http: {method} {shown(request.url)}: the answer is {response.status} {response.reason}"
                " (http.accept_status_codes accepts it)"
            )
        headers: dict[str, str] = {}
        for name, value in response.headers:
            written = canonical(name)
            headers[written] = f"{headers[written]}, {value}" if written in headers else value
        return Namespace({"status_code": response.status, "headers": headers, "body": response.body})


def shown(url: str) -> str:
    """A URL for a message: without its query, which may hold a secret, or a password."""
    bare = url.split("?", 1)[0]
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


_TARGET: Final = kind("a URL or a request", str, Request)
_CLIENT: Final[dict[str, Method]] = named(
    "http",
    method("http.get", lambda client, wanted: client.send("GET", wanted), _TARGET),
    method("http.post", lambda client, wanted: client.send("POST", wanted), _TARGET),
    method("http.send", lambda client, wanted: client.send("GET", wanted), kind("a request", Request)),
    method("http.accept_status_codes", Client.accept_status_codes, LIST),
    method("http.with_retries", Client.with_retries, INT),
    method("http.with_timeout", Client.with_timeout, INT),
    method("http.without_certificate_verification", Client.without_certificate_verification),
)


def opened(
    surroundings: Surroundings,
    config: Mapping[str, Value],
    sleep: Callable[[float], None] = time.sleep,
) -> Namespace:
    proxy = config.get("proxy_address")
    if not isinstance(proxy, str | None):
        raise Failure("http: `proxy_address` in the configuration is a URL")
    client = Client(Gate(surroundings.meter, surroundings.allowed_hosts, proxy), sleep)
    return Namespace(
        named("http", function("http.request", Request, STRING))
        | {name: found.of(client) for name, found in _CLIENT.items()}
        | {"client": client, "methodGet": "GET", "methodPost": "POST"}
        | {
            name: client.get(name, None)
            for name in ("accepted_status_codes", "certificate_verification", "retries", "timeout")
        }
    )
