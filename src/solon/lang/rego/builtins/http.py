"""http.send, to hosts that the operator allowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from solon.lang.rego.builtins.registry import Builtin, Context, obj
from solon.lang.rego.errors import BuiltinError, HaltError, OperandError
from solon.lang.values import Value, json_text, key, sorted_keys, to_json, unkey

if TYPE_CHECKING:
    import http.client

_REQUIRED: Final = ("method", "url")
_KNOWN: Final = frozenset(
    [
        *_REQUIRED, "body", "enable_redirect", "force_json_decode", "force_yaml_decode", "headers", "raw_body",
        "tls_use_system_certs", "tls_ca_cert", "tls_insecure_skip_verify", "tls_server_name", "timeout", "cache",
        "force_cache", "force_cache_duration_seconds", "raise_error", "caching_mode", "max_retry_attempts",
        "cache_ignored_headers",
    ]  # fmt: skip
)  # fmt: skip
MAX_RESPONSE: Final = 10 << 20
_TIMEOUT: Final = 5.0
_REDIRECTS: Final = frozenset([301, 302, 303, 307, 308])


def required_fields(request: dict[Any, Value]) -> None:
    """Refuses a request that lacks a field or has an unknown one."""
    unknown = sorted(json_text(unkey(name)) for name in set(request) - _KNOWN)
    if unknown:
        raise OperandError(1, f"invalid request parameters(s): {{{', '.join(unknown)}}}")
    missing = [f'"{name}"' for name in _REQUIRED if name not in request]
    if missing:
        raise OperandError(1, f"missing required request parameters(s): {{{', '.join(missing)}}}")


def send(context: Context, request: Value) -> Value:
    """The response as OPA's: status, status_code, body, raw_body, headers."""
    required_fields(obj(request, 1))
    where = ("http.send", key({name: request[key(name)] for name in sorted_keys(request)}))
    if where not in context.cache:
        context.cache[where] = _answer(context, request)
    return context.cache[where]


def _answer(context: Context, request: dict[Any, Value]) -> Value:
    import http.client

    try:
        return _send(context, request)
    except HaltError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if request.get("raise_error", True):
            raise BuiltinError(f"{request['method']} {request['url']}: {error}") from None
        return {"status_code": 0, "error": {"code": "eval_http_send_network_error", "message": str(error)}}


def _send(context: Context, request: dict[Any, Value]) -> Value:
    method, url = str(request["method"]).upper(), str(request["url"])
    headers = {str(name): str(value) for name, value in (request.get("headers") or {}).items()}
    body: bytes | None = None
    if "raw_body" in request:
        body = str(request["raw_body"]).encode()
    elif "body" in request:
        body = json.dumps(to_json(request["body"])).encode()
        headers.setdefault("Content-Type", "application/json")
    for _ in range(10):
        status, reason, got, raw = _once(context, request, method, url, headers, body)
        target = got.get("location")
        if not (request.get("enable_redirect") and status in _REDIRECTS and target):
            break
        url = urljoin(url, target)
        if status == 303:
            method, body = "GET", None
    text = raw.decode("utf-8", "replace")
    return {
        "status": f"{status} {reason}",
        "status_code": status,
        "headers": {name: [value] for name, value in got.items()},
        "raw_body": text,
        "body": _decoded(request, got.get("content-type", ""), text),
    }


def _decoded(request: dict[Any, Value], kind: str, text: str) -> Value:
    if request.get("force_yaml_decode") or "yaml" in kind:
        from solon.lang.rego.builtins.json import yaml_unmarshal

        return yaml_unmarshal(text)
    if request.get("force_json_decode") or "json" in kind:
        try:
            return json.loads(text)
        except ValueError:
            return None
    return None


def _once(
    context: Context,
    request: dict[Any, Value],
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
) -> tuple[int, str, dict[str, str], bytes]:
    import http.client
    import ssl

    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise BuiltinError(f"unsupported protocol scheme {parts.scheme!r}")
    # Asked again for each redirect, so that none leads to a host that is not allowed.
    if host not in context.allowed_hosts:
        raise HaltError(
            f"host {host} is not allowed: policies reach no network unless the operator allows the host"
        )
    timeout = _seconds(request.get("timeout"))
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        tls = ssl.create_default_context(cadata=request.get("tls_ca_cert"))
        if request.get("tls_insecure_skip_verify"):
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=tls)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        raw = response.read(MAX_RESPONSE + 1)
        if len(raw) > MAX_RESPONSE:
            raise BuiltinError(f"response is larger than {MAX_RESPONSE} bytes")
        got = {name.lower(): value for name, value in response.getheaders()}
        return response.status, response.reason, got, raw
    finally:
        connection.close()


def _seconds(timeout: Value) -> float:
    if timeout is None:
        return _TIMEOUT
    if type(timeout) is str:
        from solon.lang.rego.builtins.time import parse_duration_ns

        return parse_duration_ns(timeout) / 1e9
    return float(timeout) / 1e9


BUILTINS = (Builtin("http.send", "(object[string: any]) -> object[any: any]", send, contextual=True),)
