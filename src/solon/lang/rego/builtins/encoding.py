"""base64.*, base64url.*, hex.*, urlquery.*"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from solon.lang.budget import claim, spend
from solon.lang.rego.builtins.registry import Builtin, obj, string, wrong_type
from solon.lang.rego.errors import BuiltinError, OperandError
from solon.lang.values import Set, Value, sorted_items, sorted_members


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _decoded(text: str, *, urlsafe: bool) -> bytes:
    body = text.replace("\n", "").replace("\r", "")
    try:
        if urlsafe:
            body = body.rstrip("=")
            if "+" in body or "/" in body:
                raise binascii.Error
            return base64.b64decode(
                body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4), validate=True
            )
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise BuiltinError("illegal base64 data") from None


def b64_encode(text: Value) -> str:
    return base64.b64encode(string(text, 1).encode()).decode()


def b64_decode(text: Value) -> str:
    return _text(_decoded(string(text, 1), urlsafe=False))


def b64_is_valid(text: Value) -> bool:
    if type(text) is not str:
        return False
    try:
        _decoded(text, urlsafe=False)
    except BuiltinError:
        return False
    return True


def url_encode(text: Value) -> str:
    return base64.urlsafe_b64encode(string(text, 1).encode()).decode()


def url_encode_no_pad(text: Value) -> str:
    return url_encode(text).rstrip("=")


def url_decode(text: Value) -> str:
    return _text(_decoded(string(text, 1), urlsafe=True))


def hex_encode(text: Value) -> str:
    return string(text, 1).encode().hex()


def hex_decode(text: Value) -> str:
    body = string(text, 1)
    spend(len(body))
    for char in body:
        if char not in "0123456789abcdefABCDEF":
            raise BuiltinError(f"encoding/hex: invalid byte: U+{ord(char):04X} {char!r}")
    if len(body) % 2:
        raise BuiltinError("encoding/hex: odd length hex string")
    return _text(bytes.fromhex(body))


def query_encode(text: Value) -> str:
    spend(len(string(text, 1)))
    return quote_plus(text, safe="~")


def query_decode(text: Value) -> str:
    body = string(text, 1)
    spend(2 * len(body))
    for at, char in enumerate(body):
        if char == "%" and not (
            len(body) >= at + 3 and all(c in "0123456789abcdefABCDEF" for c in body[at + 1 : at + 3])
        ):
            raise BuiltinError(f'invalid URL escape "{body[at : at + 3]}"')
    return unquote_plus(body)


def query_encode_object(fields: Value) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in sorted_items(obj(fields, 1)):
        if type(name) is not str:
            raise OperandError(1, "keys must be strings")
        members = [value] if type(value) is str else value
        if type(value) is Set:
            members = sorted_members(value)
        elif type(value) not in (str, list):
            raise wrong_type(value, 1, "one of {string, array, set}")
        spend(len(members))
        pairs += [(name, string(member, 1)) for member in members]
        claim(sum(3 * len(member) for member in members))
    return "&".join(f"{query_encode(name)}={query_encode(value)}" for name, value in pairs)


def query_decode_object(text: Value) -> dict[Any, Value]:
    out: dict[Any, Value] = {}
    for part in string(text, 1).split("&"):
        if ";" in part:
            raise BuiltinError("invalid semicolon separator in query")
        query_decode(part)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100_000)
    except ValueError as error:
        raise BuiltinError(str(error)) from None
    for name, value in pairs:
        out.setdefault(name, []).append(value)
    return out


def _function(name: str, function: Any, result: str = "string") -> Builtin:
    return Builtin(name, f"(string) -> {result}", function)


BUILTINS = (
    _function("base64.encode", b64_encode),
    _function("base64.decode", b64_decode),
    Builtin("base64.is_valid", "(string) -> boolean", b64_is_valid),
    _function("base64url.encode", url_encode),
    _function("base64url.encode_no_pad", url_encode_no_pad),
    _function("base64url.decode", url_decode),
    _function("hex.encode", hex_encode),
    _function("hex.decode", hex_decode),
    _function("urlquery.encode", query_encode),
    _function("urlquery.decode", query_decode),
    Builtin(
        "urlquery.encode_object",
        "(object[string: string|array[string]|set[string]]) -> string",
        query_encode_object,
    ),
    _function("urlquery.decode_object", query_decode_object, "object[string: array[string]]"),
)
