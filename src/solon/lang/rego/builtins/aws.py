"""providers.aws.sign_req: requests signed with AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from solon.lang.rego.builtins.http import required_fields
from solon.lang.rego.builtins.json import marshal
from solon.lang.rego.builtins.registry import Builtin, boolean, number, obj
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Value, unkey

_CONFIG: Final = ("aws_access_key", "aws_region", "aws_secret_access_key", "aws_service")
_UNSIGNED_HEADERS: Final = frozenset(
    ["authorization", "user-agent", "x-amzn-trace-id"]
)  # proxies change them
_UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"


def _quoted(names: list[str]) -> str:
    return "{" + ", ".join(f'"{name}"' for name in names) + "}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")


def _body(request: dict[Any, Value]) -> bytes:
    if "raw_body" in request:
        raw = request["raw_body"]
        return raw.encode() if type(raw) is str else b""
    return marshal(request["body"]).encode() if "body" in request else b""


def _checked(config: dict[Any, Value]) -> None:
    missing = [name for name in _CONFIG if name not in config]
    if missing:
        raise OperandError(2, f"missing required AWS config parameters(s): {_quoted(missing)}")
    wrong = [name for name in _CONFIG if type(config[name]) is not str]
    if wrong:
        raise OperandError(2, f"invalid values for required AWS config parameters(s): {_quoted(wrong)}")


def _moment(time_ns: Value) -> datetime:
    value = number(time_ns, 3)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise OperandError(3, "could not convert time_ns value into a unix timestamp")
    return datetime.fromtimestamp(value // 1_000_000_000, UTC)


def sign_request(request: Value, config: Value, time_ns: Value) -> Value:
    """The request with the headers that sign it."""
    obj(request, 1)
    _checked(obj(config, 2))
    moment = _moment(time_ns)
    required_fields(request)
    given = request.get("headers", {})
    if type(given) is not dict:
        raise OperandError(0, "must be object")
    wrong = [name for name in ("method", "url") if type(request[name]) is not str]
    if wrong:
        raise OperandError(1, f"invalid values for required request parameters(s): {_quoted(wrong)}")
    disabled = config.get("disable_payload_signing", False)
    if type(disabled) is not bool:
        raise OperandError(2, "invalid value for 'disable_payload_signing' in AWS config")
    headers = {_text(unkey(name)): _text(value) for name, value in given.items()}
    payload = _UNSIGNED_PAYLOAD if boolean(disabled, 2) else _sha256(_body(request))
    return {**request, "headers": {**headers, **_signature(request, config, headers, payload, moment)}}


def _text(value: Value) -> str:
    return value if type(value) is str else ""


def _signature(
    request: dict[Any, Value],
    config: dict[Any, Value],
    headers: dict[str, str],
    payload: str,
    moment: datetime,
) -> dict[str, str]:
    try:
        url = urlsplit(request["url"])
    except ValueError as error:
        raise BuiltinError(f"parse {request['url']}: {error}") from None
    date, stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    own = {"host": url.netloc.rpartition("@")[2], "x-amz-date": stamp}
    if config["aws_service"] in ("s3", "glacier"):
        own["x-amz-content-sha256"] = payload
    if token := _text(config.get("aws_session_token")):
        own["x-amz-security-token"] = token
    signed = own | {name.lower(): value for name, value in headers.items()}
    signed = {name: value for name, value in signed.items() if name not in _UNSIGNED_HEADERS}
    names = ";".join(sorted(signed))
    canonical = [
        request["method"],
        quote(url.path, safe="/%:@!$&'()*+,;=~"),
        url.query,
        *(f"{name}:{signed[name]}" for name in sorted(signed)),
        "",
        names,
        payload,
    ]
    scope = f"{date}/{config['aws_region']}/{config['aws_service']}/aws4_request"
    key = f"AWS4{config['aws_secret_access_key']}".encode()
    for part in (date, config["aws_region"], config["aws_service"], "aws4_request"):
        key = _mac(key, part)
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, _sha256("\n".join(canonical).encode())])
    credential = f"AWS4-HMAC-SHA256 Credential={config['aws_access_key']}/{scope}"
    return own | {"Authorization": f"{credential},SignedHeaders={names},Signature={_mac(key, text).hex()}"}


_ANY: Final = "object[string: any]"

BUILTINS = (Builtin("providers.aws.sign_req", f"({_ANY}, {_ANY}, number) -> object[any: any]", sign_request),)
