"""JSON Web Tokens: io.jwt.*"""

from __future__ import annotations

import base64
import hmac
import json
import string as characters
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from solon.lang.rego.builtins import jws
from solon.lang.rego.builtins.json import marshal, unmarshal
from solon.lang.rego.builtins.registry import Builtin, Context, obj, string
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value, unkey

_ALPHABET: Final = frozenset(characters.ascii_letters + characters.digits + "-_")
_MAX_NESTING: Final = 16


def _sections(token: str) -> list[str]:
    if "." not in token:
        raise BuiltinError("encoded JWT had no period separators")
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


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _object(text: str) -> dict[str, Any]:
    try:
        value = unmarshal(text)
    except BuiltinError as error:
        raise BuiltinError(f"invalid JSON: {error}") from None
    if type(value) is not dict:
        raise BuiltinError("decoded JSON type was not an Object")
    return value


def _header(section: str) -> dict[str, Any]:
    text = _bytes(section, "header").decode("utf-8", "replace")
    try:
        fields = _object(text)
    except BuiltinError as error:
        raise BuiltinError(f"bad JWT header: {error}") from None
    if "enc" in fields:
        raise BuiltinError("JWT is a JWE object, which is not supported")
    return fields


def decode(token: Value) -> list[Value]:
    """[header, payload, signature in hex]; nothing is verified."""
    text = string(token, 1)
    for _ in range(_MAX_NESTING):
        header, payload, signature = _sections(text)
        fields = _header(header)
        body = _bytes(payload, "payload").decode("utf-8", "replace")
        if fields.get("cty") != "JWT":
            return [fields, _object(body), _bytes(signature, "signature").hex()]
        text = body.strip("\"'")
    raise BuiltinError("JWT is nested too deeply")


@dataclass(frozen=True, slots=True)
class _Parameters:
    """The registered parameters of a header."""

    alg: str = ""
    kid: str = ""
    typ: str = ""
    cty: str = ""
    critical: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    @property
    def valid(self) -> bool:
        return bool(self.alg) and not self.critical & self.unknown


def _parameters(fields: Mapping[str, Any]) -> _Parameters:
    known: dict[str, Any] = {}
    unknown: set[str] = set()
    for name in sorted(fields):
        value = fields[name]
        if name in ("alg", "kid", "typ", "cty"):
            if type(value) is not str:
                raise BuiltinError(f"{name}: must be a string")
            known[name] = value
        elif name == "crit":
            if type(value) is not list:
                raise BuiltinError("crit: must be a list")
            known["critical"] = frozenset(item for item in value if type(item) is str)
            if not known["critical"]:
                raise BuiltinError("crit: must be a nonempty list")
        else:
            unknown.add(name)
    return _Parameters(**known, unknown=frozenset(unknown))


def _keys(context: Context, text: str) -> list[jws.VerificationKey]:
    """Reading a key takes longer than verifying with it."""
    where = ("io.jwt.keys", text)
    if where not in context.cache:
        context.cache[where] = jws.verification_keys(text)
    return list(context.cache[where])


def _candidates(keys: list[jws.VerificationKey], header: _Parameters) -> list[jws.VerificationKey]:
    """The key that the header names, or those that do not exclude its algorithm."""
    if header.kid:
        for key in keys:
            if key.id == header.kid:
                return [key]
    return [key for key in keys if key.algorithm in ("", header.alg)]


def _verify(algorithm: str) -> Callable[[Context, Value, Value], bool]:
    def verify(context: Context, token: Value, certificate: Value) -> bool:
        header, payload, signature = _sections(string(token, 1))
        keys = _keys(context, string(certificate, 2))
        given, parameters = _bytes(signature, "signature"), _parameters(_header(header))
        message = f"{header}.{payload}".encode()
        return any(jws.verify(k.key, algorithm, message, given) for k in _candidates(keys, parameters))

    return verify


def _verify_secret(bits: str) -> Callable[[Value, Value], bool]:
    def verify(token: Value, secret: Value) -> bool:
        text, key = string(token, 1), string(secret, 2).encode()
        header, payload, signature = _sections(text)
        wanted = hmac.digest(key, f"{header}.{payload}".encode(), f"sha{bits}")
        return hmac.compare_digest(_bytes(signature, "signature"), wanted)

    return verify


@dataclass(frozen=True, slots=True)
class _Constraints:
    time: float
    keys: list[jws.VerificationKey] | None = None
    secret: str = field(default="", repr=False)
    alg: str = ""
    iss: str = ""
    aud: str = ""


def _constraints(context: Context, given: dict[Any, Value]) -> _Constraints:
    found: dict[str, Any] = {"time": float(context.now_ns)}
    for stored, value in given.items():
        name = unkey(stored)
        if name in ("cert", "secret", "alg", "iss", "aud"):
            if type(value) is not str:
                raise BuiltinError(f"{name} constraint: must be a string")
            found["keys" if name == "cert" else name] = _keys(context, value) if name == "cert" else value
        elif name == "time":
            if type(value) is not int and type(value) is not float:
                raise BuiltinError("token time constraint: must be a number")
            if value < 0:
                raise BuiltinError("token time constraint: must not be negative")
            found["time"] = value
        else:
            raise BuiltinError(f"unknown token validation constraint: {name}")
    constraints = _Constraints(**found)
    if constraints.keys is not None and constraints.secret:
        raise BuiltinError("duplicate key constraints")
    if constraints.keys is None and not constraints.secret:
        raise BuiltinError("no key constraint")
    return constraints


def decode_verify(context: Context, token: Value, constraints: Value) -> list[Value]:
    """[true, header, payload], or [false, {}, {}] if the signature or a constraint does not hold."""
    text = string(token, 1)
    wanted = _constraints(context, obj(constraints, 2))
    for _ in range(_MAX_NESTING):
        header, payload, signature = _sections(text)
        fields = _header(header)
        parameters = _parameters(fields)
        if not parameters.valid or (wanted.alg and wanted.alg != parameters.alg):
            return [False, {}, {}]
        message, given = f"{header}.{payload}".encode(), _bytes(signature, "signature")
        keys = [jws.VerificationKey(wanted.secret.encode())] if wanted.keys is None else wanted.keys
        if not any(jws.verify(k.key, parameters.alg, message, given) for k in _candidates(keys, parameters)):
            return [False, {}, {}]
        body = _bytes(payload, "payload").decode("utf-8", "replace")
        if parameters.cty.upper() != "JWT":
            claims = _object(body)
            return [True, fields, claims] if _acceptable(claims, wanted) else [False, {}, {}]
        text = body
    raise BuiltinError("JWT is nested too deeply")


def _acceptable(claims: Mapping[str, Any], wanted: _Constraints) -> bool:
    if wanted.iss and claims.get("iss") != wanted.iss:
        return False
    if "aud" in claims:
        audience = claims["aud"]
        if wanted.aud not in (audience if type(audience) is list else [audience]):
            return False
    elif wanted.aud:
        return False
    now = wanted.time / 1_000_000_000
    for name in ("exp", "nbf"):
        if name in claims and type(claims[name]) is not int and type(claims[name]) is not float:
            raise BuiltinError(f"{name} value must be a number")
        if name == "exp" and name in claims and now >= claims[name]:
            return False
    return "nbf" not in claims or now >= claims["nbf"]


def encode_sign(headers: Value, payload: Value, key: Value) -> str:
    return _signed(marshal(obj(headers, 1)), marshal(obj(payload, 2)), marshal(obj(key, 3)))


def encode_sign_raw(headers: Value, payload: Value, key: Value) -> str:
    secret, header = string(key, 3), string(headers, 1)
    return _signed(header, string(payload, 2), secret)


def _signed(header: str, payload: str, jwk: str) -> str:
    key = jws.signing_key(jwk)
    algorithm, kind = _signature_header(header)
    if algorithm not in jws.ALGORITHMS:
        raise BuiltinError(f"unknown JWS algorithm: {algorithm}")
    if kind == "JWT" and not _is_json(payload):
        raise BuiltinError("type is JWT but payload is not JSON")
    message = f"{_encode(header.encode())}.{_encode(payload.encode())}"
    return f"{message}.{_encode(jws.sign(key, algorithm, message.encode()))}"


def _signature_header(text: str) -> tuple[str, str]:
    """(alg, typ); a header without a type is one of a JWT."""
    problem = "missing or invalid 'alg' header: "
    try:
        fields = json.loads(text) if text.lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        raise BuiltinError(f"{problem}cannot parse JSON") from None
    algorithm, kind = fields.get("alg"), fields.get("typ")
    if algorithm is None:
        raise BuiltinError(f'{problem}jwsbb: header "alg" not found')
    if not isinstance(algorithm, str):
        raise BuiltinError(f'{problem}jwsbb: header "alg" is not a string')
    return algorithm, kind if isinstance(kind, str) else "JWT"


def _is_json(text: str) -> bool:
    try:
        unmarshal(text)
    except BuiltinError:
        return False
    return True


_ANY: Final = "object[string: any]"
_TREE: Final = "object[any: any]"

BUILTINS = (
    Builtin("io.jwt.decode", "(string) -> array<object[any: any], object[any: any], string>", decode),
    Builtin(
        "io.jwt.decode_verify",
        f"(string, {_ANY}) -> array<boolean, {_TREE}, {_TREE}>",
        decode_verify,
        contextual=True,
    ),
    Builtin("io.jwt.encode_sign", f"({_ANY}, {_ANY}, {_ANY}) -> string", encode_sign),
    Builtin("io.jwt.encode_sign_raw", "(string, string, string) -> string", encode_sign_raw),
    *(
        Builtin(f"io.jwt.verify_hs{bits}", "(string, string) -> boolean", _verify_secret(bits))
        for bits in ("256", "384", "512")
    ),
    *(
        Builtin(
            f"io.jwt.verify_{name.lower()}", "(string, string) -> boolean", _verify(name), contextual=True
        )
        for name in sorted(jws.ALGORITHMS)
        if not name.startswith("HS")
    ),
)
