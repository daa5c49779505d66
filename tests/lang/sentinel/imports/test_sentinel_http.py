"""http, against servers on this machine: what is let out, followed, tried again, cut short, and trusted."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from local_http import LocalServer, Request, Response
from sentinel_imports import MISSING, call, opened, surroundings

from solon.lang.budget import Budget, BudgetExceeded
from solon.lang.sentinel.imports import http, http_exchange
from solon.lang.sentinel.values import Failure, Undefined

NOWHERE = Undefined("no key")
HERE = frozenset(["127.0.0.1"])


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        running.application = lambda request: Response(200, {"path": request.path, "method": request.method})
        yield running


class Pauses:
    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def client(
    *, pauses: Callable[[float], None] | None = None, config: dict[str, Any] | None = None, **given: Any
) -> Any:
    return http.opened(surroundings(**{"hosts": HERE} | given), config or {}, pauses or Pauses())


def body(response: Any) -> Any:
    return response.get("body", MISSING)


def status(response: Any) -> Any:
    return response.get("status_code", MISSING)


def failure(members: Any, name: str, *arguments: Any) -> str:
    with pytest.raises(Failure) as raised:
        call(members, name, *arguments)
    return raised.value.message


def test_get(server: LocalServer) -> None:
    response = call(client(), "get", f"{server.url}/a?b=c")
    assert (status(response), body(response)) == (200, '{"path": "/a", "method": "GET"}')
    (request,) = server.requests
    assert (request.method, request.path, request.query, request.body) == ("GET", "/a", {"b": "c"}, None)
    assert request.headers["accept"] == "*/*"
    assert request.headers["host"] == server.url.removeprefix("http://")


def test_a_request_has_headers_and_a_body(server: LocalServer) -> None:
    members = client()
    request = call(members, "request", f"{server.url}/post")
    request = call(request, "with_header", "X-Team", "ml")
    request = call(request, "with_basic_auth", "user", "pass")
    request = call(request, "with_body", '{"foo":"bar"}')
    call(members, "post", request)
    (received,) = server.requests
    assert (received.method, received.body) == ("POST", {"foo": "bar"})
    assert (received.headers["x-team"], received.headers["authorization"]) == ("ml", "Basic dXNlcjpwYXNz")
    assert received.headers["content-length"] == "13"


def test_what_a_request_says_of_itself() -> None:
    original = call(call(client(), "request", "http://example.hashicorp.com"), "with_header", "Foo", "bar")
    overridden = call(original, "with_header", "foo", "baz")
    multiple = call(original, "with_header", "Foo", original.get("headers", None)["Foo"] + ",baz")
    assert [each.get("headers", None) for each in (original, overridden, multiple)] == [
        {"Foo": "bar"}, {"Foo": "baz"}, {"Foo": "bar,baz"},
    ]  # fmt: skip
    assert (original.get("url", None), original.get("body", None)) == ("http://example.hashicorp.com", "")
    assert call(original, "with_body", "x").get("body", None) == "x"


def test_send_takes_a_request(server: LocalServer) -> None:
    members = client()
    assert status(call(members, "send", call(members, "request", server.url))) == 200
    assert failure(members, "send", server.url) == "http.send: the argument must be a request, not string"


def test_the_client_is_configured_by_copies(server: LocalServer) -> None:
    members = client()
    base = members.get("client", MISSING)
    changed = call(
        call(call(members, "with_timeout", 5), "with_retries", 3), "accept_status_codes", [200, 404]
    )
    changed = call(changed, "without_certificate_verification")
    names = ("timeout", "retries", "accepted_status_codes", "certificate_verification")
    assert [changed.get(name, None) for name in names] == [5, 3, [200, 404], False]
    assert [base.get(name, None) for name in names] == [10, 1, [200], True]
    assert [members.get(name, None) for name in names] == [10, 1, [200], True]
    assert (members.get("methodGet", None), members.get("methodPost", None)) == ("GET", "POST")
    assert status(call(base, "get", server.url)) == 200


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("with_timeout", 31, "http.with_timeout: from 1 to 30 seconds, not 31"),
        ("with_timeout", 0, "http.with_timeout: from 1 to 30 seconds, not 0"),
        ("with_retries", 11, "http.with_retries: from 0 to 10 retries, not 11"),
        ("with_retries", -1, "http.with_retries: from 0 to 10 retries, not -1"),
        ("accept_status_codes", ["200"], "http.accept_status_codes: a status code is an int, not string"),
        ("accept_status_codes", 200, "http.accept_status_codes: the argument must be a list, not int"),
        ("get", 1, "http.get: the argument must be a URL or a request, not int"),
        ("request", None, "http.request: the argument must be a string, not null"),
        ("get", "example.hashicorp.com/foo", "http: a URL begins with http:// or https://, not 'example.hashicorp.com/foo'"),
        ("get", "file:///etc/passwd", "http: a URL begins with http:// or https://, not 'file:///etc/passwd'"),
        ("get", "http://[::1", "http: this is no URL: 'http://[::1' (Invalid IPv6 URL)"),
        ("get", "http://127.0.0.1:99999/", "http: this is no URL: 'http://127.0.0.1:99999/' (Port out of range 0-65535)"),
        ("get", "https://example.com/x?token=t", "http: the host example.com is not allowed: policies reach no network unless the operator lets them (--allow-host example.com)"),
        ("get", "http://127.0.0.1@example.com/", "http: the host example.com is not allowed: policies reach no network unless the operator lets them (--allow-host example.com)"),
    ],
)  # fmt: skip
def test_failures(name: str, argument: object, message: str) -> None:
    assert failure(client(), name, argument) == message


def test_no_host_is_allowed_unless_it_is() -> None:
    assert "the host 127.0.0.1 is not allowed" in failure(opened("http"), "get", "http://127.0.0.1:1/")


def test_undefined() -> None:
    members = client()
    assert call(members, "get", NOWHERE) is NOWHERE
    assert call(members, "request", NOWHERE) is NOWHERE
    assert call(members, "accept_status_codes", [NOWHERE]) is NOWHERE


def test_only_the_accepted_codes_are_no_error(server: LocalServer) -> None:
    server.application = lambda _request: Response(404, "gone")
    message = failure(client(), "get", f"{server.url}/a?token=secret")
    assert (
        message
        == f"http: GET {server.url}/a: the answer is 404 Not Found (http.accept_status_codes accepts it)"
    )
    response = call(call(client(), "accept_status_codes", [200, 404]), "get", server.url)
    assert (status(response), body(response)) == (404, '"gone"')
    assert len(server.requests) == 2


def test_response_headers_are_a_map(server: LocalServer) -> None:
    server.application = lambda _request: Response(200, 1, {"content-type": "application/json", "X-TAG": "a"})
    headers = call(client(), "get", server.url).get("headers", MISSING)
    assert (headers["Content-Type"], headers["X-Tag"]) == ("application/json", "a")


def redirecting(status_code: int) -> Callable[[Request], Response]:
    return lambda request: (
        Response(status_code, headers={"Location": "/there"})
        if request.path == "/here"
        else Response(200, {"method": request.method, "body": request.body})
    )


@pytest.mark.parametrize(
    ("status_code", "answer"),
    [
        (301, '{"method": "GET", "body": null}'),
        (302, '{"method": "GET", "body": null}'),
        (303, '{"method": "GET", "body": null}'),
        (307, '{"method": "POST", "body": [1]}'),
        (308, '{"method": "POST", "body": [1]}'),
    ],
)
def test_redirects_are_followed(server: LocalServer, status_code: int, answer: str) -> None:
    server.application = redirecting(status_code)
    members = client()
    request = call(call(members, "request", f"{server.url}/here"), "with_body", "[1]")
    assert body(call(members, "post", request)) == answer


def test_redirects_end(server: LocalServer) -> None:
    server.application = lambda _request: Response(302, headers={"Location": "/again"})
    assert failure(client(), "get", server.url) == "http: more than 10 redirects, from 127.0.0.1"
    assert len(server.requests) == 11


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://localhost:1/", "http: the host localhost is not allowed"),
        ("//169.254.169.254/latest/meta-data", "http: the host 169.254.169.254 is not allowed"),
        ("file:///etc/passwd", "http: a URL begins with http:// or https://"),
    ],
)
def test_a_redirect_leads_to_no_host_that_is_not_allowed(
    server: LocalServer, target: str, message: str
) -> None:
    server.application = lambda _request: Response(302, headers={"Location": target})
    assert failure(client(), "get", server.url).startswith(message)


def test_credentials_do_not_go_to_another_host(server: LocalServer) -> None:
    with LocalServer() as other:
        other.application = lambda _request: Response(200, "there")
        port = other.url.rpartition(":")[2]
        server.application = lambda _request: Response(302, headers={"Location": f"http://localhost:{port}/"})
        members = client(hosts=frozenset(["127.0.0.1", "localhost"]))
        request = call(call(members, "request", server.url), "with_basic_auth", "user", "pass")
        assert body(call(members, "get", call(request, "with_header", "X-Team", "ml"))) == '"there"'
        (received,) = other.requests
    assert "authorization" in server.requests[0].headers
    assert "authorization" not in received.headers
    assert received.headers["x-team"] == "ml"


def test_server_errors_are_tried_again_with_longer_and_longer_pauses(server: LocalServer) -> None:
    server.faults.extend([Response(500), Response(503), Response(502)])
    pauses = Pauses()
    assert status(call(call(client(pauses=pauses), "with_retries", 3), "get", server.url)) == 200
    assert (pauses.taken, len(server.requests)) == ([1.0, 2.0, 4.0], 4)


def test_no_more_tries_than_asked_for(server: LocalServer) -> None:
    server.application = lambda _request: Response(503)
    pauses = Pauses()
    members = client(pauses=pauses, budget=Budget(seconds=None))
    assert failure(members, "get", server.url) == (
        f"http: GET {server.url}: the answer is 503 Service Unavailable (2 tries)"
    )
    assert len(server.requests) == 2
    failure(call(members, "with_retries", 0), "get", server.url)
    assert len(server.requests) == 3
    pauses.taken.clear()
    failure(call(members, "with_retries", 10), "get", server.url)
    assert (pauses.taken, len(server.requests)) == ([1, 2, 4, 8, 16, 30, 30, 30, 30, 30], 14)


@pytest.mark.parametrize("code", [400, 404, 429, 501])
def test_other_errors_are_not_tried_again(server: LocalServer, code: int) -> None:
    server.application = lambda _request: Response(code)
    failure(client(), "get", server.url)
    assert len(server.requests) == 1


def test_an_accepted_server_error_is_an_answer(server: LocalServer) -> None:
    server.application = lambda _request: Response(503, "down")
    response = call(call(client(), "accept_status_codes", [503]), "get", server.url)
    assert (status(response), body(response), len(server.requests)) == (503, '"down"', 1)


def test_a_pause_does_not_outlast_the_evaluation(server: LocalServer) -> None:
    server.application = lambda _request: Response(503)
    pauses = Pauses()
    members = client(pauses=pauses, budget=Budget(seconds=5.0))
    with pytest.raises(BudgetExceeded, match="might take longer than 5 s"):
        call(call(members, "with_retries", 10), "get", server.url)
    assert pauses.taken == [1.0, 2.0, 4.0]


@contextmanager
def raw_server(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """A server that does what it likes with its connections."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                with suppress(OSError):
                    answer(connection, over)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def silent(_connection: socket.socket, over: threading.Event) -> None:
    over.wait(5)


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """A byte now and then: no read takes long, all of them together would."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.02):
        connection.sendall(b"X")


def dripping_body(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.wait(0.02):
        connection.sendall(b"X")


WAITS = [silent, dripping, dripping_body]


@pytest.mark.parametrize("behaviour", WAITS)
def test_a_server_that_keeps_one_waiting_is_left(behaviour: Callable[..., None]) -> None:
    with raw_server(behaviour) as url:
        members = client(pauses=Pauses())
        waiting = call(call(members, "with_timeout", 1), "with_retries", 0)
        assert failure(waiting, "get", url) == f"http: GET {url}: no answer within 1 s"


@pytest.mark.parametrize("behaviour", WAITS)
def test_a_request_does_not_outlast_the_evaluation(behaviour: Callable[..., None]) -> None:
    with raw_server(behaviour) as url, pytest.raises(BudgetExceeded, match=r"took longer than 0\.3 s"):
        call(client(budget=Budget(seconds=0.3)), "get", url)


def test_a_timeout_is_tried_again() -> None:
    seen: list[int] = []

    def slow_at_first(connection: socket.socket, over: threading.Event) -> None:
        seen.append(1)
        if len(seen) == 1:
            over.wait(1.5)
        else:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with raw_server(slow_at_first) as url:
        assert body(call(call(client(), "with_timeout", 1), "get", url)) == "ok"


def test_an_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "MAX_RESPONSE", 1 << 20)

    def endless(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(endless) as url:
        assert failure(client(), "get", url) == "http: GET http://127.0.0.1: the answer is larger than 1 MiB"


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "a\r\nX-B: b"), ("X-A\r\nX-B", "b"), ("X A:", "b"), ("X-A", "\u2028")]
)
def test_a_header_is_one_header(server: LocalServer, name: str, value: str) -> None:
    members = client()
    message = failure(members, "get", call(call(members, "request", server.url), "with_header", name, value))
    assert message.startswith("http: GET http://127.0.0.1: ")
    assert server.requests == []


def test_a_path_is_one_path(server: LocalServer) -> None:
    message = failure(client(), "get", f"{server.url}/a b")
    assert message.startswith("http: GET http://127.0.0.1: URL can't contain control characters")
    assert server.requests == []


@pytest.mark.parametrize(
    "head", [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf"]
)
def test_half_an_answer_is_none(head: bytes) -> None:
    def broken(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)

    with raw_server(broken) as url:
        assert failure(client(), "get", url).startswith("http: GET http://127.0.0.1: IncompleteRead(")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert failure(client(), "get", f"http://127.0.0.1:{port}/").startswith(
        "http: GET http://127.0.0.1: [Errno 111]"
    )


def test_what_is_no_http() -> None:
    def nonsense(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(1000)
        connection.sendall(b"\x00\xff nonsense\r\n\r\n")

    with raw_server(nonsense) as url:
        assert failure(client(), "get", url).startswith("http: GET http://127.0.0.1: ")


def test_a_proxy_receives_the_requests(server: LocalServer) -> None:
    members = client(hosts=frozenset(["127.0.0.1", "model.example"]), config={"proxy_address": server.url})
    assert status(call(members, "get", "http://model.example/a?b=c")) == 200
    (request,) = server.requests
    assert (request.path, request.headers["host"]) == ("/a", "model.example")


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("http://proxy.example:3128", "http: the host proxy.example is not allowed"),
        ("https://127.0.0.1:3128", "http: `proxy_address` begins with http://"),
    ],
)
def test_a_proxy_must_be_allowed_too(proxy: str, message: str) -> None:
    assert failure(client(config={"proxy_address": proxy}), "get", "http://127.0.0.1/").startswith(message)


def test_a_proxy_address_is_a_url() -> None:
    with pytest.raises(Failure, match="`proxy_address` in the configuration is a URL"):
        client(config={"proxy_address": 3128})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_a_certificate_is_verified_unless_the_policy_says_not_to(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def secured(connection: socket.socket, _over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(1000)
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")

    with raw_server(secured) as url:
        https = url.replace("http:", "https:")
        members = client()
        assert "CERTIFICATE_VERIFY_FAILED" in failure(members, "get", https)
        assert body(call(call(members, "without_certificate_verification"), "get", https)) == "secret"


def test_a_handshake_that_never_ends_is_left() -> None:
    with raw_server(dripping) as url:
        https = url.replace("http:", "https:")
        waiting = call(
            call(call(client(), "with_timeout", 1), "with_retries", 0), "without_certificate_verification"
        )
        message = failure(waiting, "get", https)
    assert message.startswith(
        (f"http: GET {https}: no answer within 1 s", "http: GET https://127.0.0.1: [SSL")
    )
