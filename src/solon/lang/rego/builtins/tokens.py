"""JSON Web Tokens: io.jwt.decode, and verification with a shared secret (io.jwt.verify_hs*).

Tokens with asymmetric signatures are not verified here.
"""

from __future__ import annotations

import base64
import hmac
import json
import string as characters
from collections.abc import Callable
from typing import Any, Final

from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

_ALPHABET: Final = frozenset(characters.ascii_letters + characters.digits + "-_")


def _sections(token: str) -> list[str]:
    sections = token.split(".")
    if len(sections) != 3:
        raise BuiltinError(f"encoded JWT must have 3 sections, found {len(sections)}")
    return sections


def _bytes(section: str, name: str) -> bytes:
    body = section.rstrip("=")
    for at, char in enumerate(body):
        if char not in _ALPHABET:
            raise BuiltinError(f"JWT {name} had invalid encoding: illegal base64 data at input byte {at}")
    if len(body) % 4 == 1:
        raise BuiltinError(f"JWT {name} had invalid encoding: illegal base64 data at input byte {len(body)}")
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BuiltinError(f"JWT {name} is not a JSON object")
    return value


def decode(token: Value) -> list[Value]:
    """[header, payload, signature in hex]; nothing is verified."""
    header, payload, signature = _sections(string(token, 1))
    fields = _object(_bytes(header, "header"), "header")
    if "enc" in fields:
        raise BuiltinError("JWT is a JWE object, which is not supported")
    claims = _object(_bytes(payload, "payload"), "payload")
    return [fields, claims, _bytes(signature, "signature").hex()]


def _verify(algorithm: str, name: str) -> Callable[[Value, Value], bool]:
    def verify(token: Value, secret: Value) -> bool:
        header, payload, signature = _sections(string(token, 1))
        key = string(secret, 2).encode()
        if _object(_bytes(header, "header"), "header").get("alg") != name:
            return False
        wanted = hmac.digest(key, f"{header}.{payload}".encode(), algorithm)
        return hmac.compare_digest(_bytes(signature, "signature"), wanted)

    return verify


BUILTINS = (
    Builtin("io.jwt.decode", "(string) -> array[any]", decode),
    *(
        Builtin(f"io.jwt.verify_hs{bits}", "(string, string) -> boolean", _verify(f"sha{bits}", f"HS{bits}"))
        for bits in (256, 384, 512)
    ),
)
