"""``base64``: the standard and the URL-safe encoding of RFC 4648, with padding."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from solon.lang.budget import claim
from solon.lang.sentinel.imports.declare import STRING, Namespace, function, named
from solon.lang.sentinel.values import Failure, Surroundings, Value

_TO_URL: Final = str.maketrans("+/", "-_")
_FROM_URL: Final = str.maketrans("-_+/", "+/**")  # `*` is in no alphabet


def encode(text: str) -> str:
    claim(2 * len(text))
    # Characters that UTF-8 has no bytes for (half of a surrogate pair) come out as bytes all the same.
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return b64encode(data).decode("ascii")


def decode(text: str) -> str:
    return _decoded("decode", text, text)


def _decoded(name: str, standard: str, text: str) -> str:
    claim(2 * len(text))
    try:
        data = b64decode(standard.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        raise Failure(f"base64.{name}: this is not base64: {text[:40]!r}") from None
    return data.decode("utf-8", "surrogateescape")


def urlencode(text: str) -> str:
    return encode(text).translate(_TO_URL)


def urldecode(text: str) -> str:
    return _decoded("urldecode", text.translate(_FROM_URL), text)


_NAMESPACE: Final = Namespace(
    named(
        "base64",
        function("base64.encode", encode, STRING),
        function("base64.decode", decode, STRING),
        function("base64.urlencode", urlencode, STRING),
        function("base64.urldecode", urldecode, STRING),
    )
)


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
