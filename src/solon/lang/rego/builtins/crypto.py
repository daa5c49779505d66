"""Digests and message authentication codes: crypto.md5, .sha1, .sha256, .hmac.*"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.values import Value


def _digest(algorithm: str) -> Callable[[Value], str]:
    return lambda text: hashlib.new(algorithm, string(text, 1).encode(), usedforsecurity=False).hexdigest()


def _hmac(algorithm: str) -> Callable[[Value, Value], str]:
    return lambda text, key: hmac.new(
        string(key, 2).encode(), string(text, 1).encode(), algorithm
    ).hexdigest()


def hmac_equal(left: Value, right: Value) -> bool:
    return hmac.compare_digest(string(left, 1).encode(), string(right, 2).encode())


BUILTINS = (
    *(Builtin(f"crypto.{name}", "(string) -> string", _digest(name)) for name in ("md5", "sha1", "sha256")),
    *(
        Builtin(f"crypto.hmac.{name}", "(string, string) -> string", _hmac(name))
        for name in ("md5", "sha1", "sha256", "sha512")
    ),
    Builtin("crypto.hmac.equal", "(string, string) -> boolean", hmac_equal),
)
