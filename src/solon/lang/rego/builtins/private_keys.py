"""crypto.parse_private_keys, crypto.x509.parse_rsa_private_key and crypto.x509.parse_keypair."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from solon.lang.rego.builtins import pem
from solon.lang.rego.builtins.certificates import read
from solon.lang.rego.builtins.registry import Builtin, string
from solon.lang.rego.builtins.x509_fields import certificate_fields, public_key_fields, text
from solon.lang.rego.errors import BuiltinError
from solon.lang.values import Value

_LABELS: Final = ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY")
_BEGIN: Final = "-----BEGIN"


def _base64(body: str) -> bytes:
    try:
        return base64.b64decode(body.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise BuiltinError("illegal base64 data") from None


def _load(data: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BuiltinError(f"x509: failed to parse private key: {error}") from None


def _private_keys(body: str) -> list[Any]:
    """The keys of the PEM blocks in the text, or in the text that it is the base64 of."""
    if not body.lstrip().startswith(_BEGIN):
        try:
            body = _base64(body).decode("utf-8", "replace")
        except BuiltinError:
            return []
    return [_load(block.data) for block in pem.blocks(body) if block.label in _LABELS]


def _fields(key: Any) -> Value:
    """The key as Go's JSON encoding shows its private key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        precomputed = {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []}
        _, public = public_key_fields(key.public_key())
        return {**public, "D": numbers.d, "Primes": [numbers.p, numbers.q], "Precomputed": precomputed}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        _, public = public_key_fields(key.public_key())
        return {**public, "D": key.private_numbers().private_value}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return text(key.private_bytes_raw() + key.public_key().public_bytes_raw())
    raise BuiltinError("x509: unknown private key algorithm")


def parse_private_keys(keys: Value) -> Value:
    body = string(keys, 1)
    return [_fields(key) for key in _private_keys(body)] if body else None


def _url_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _url_number(number: int, size: int = 0) -> str:
    return _url_text(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def parse_key_to_jwk(body: Value) -> Value:
    """The first key as a JSON Web Key."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    given = string(body, 1)
    if not given:
        raise BuiltinError("input PEM data was empty")
    if not given.startswith(_BEGIN):
        given = _base64(given).decode("utf-8", "replace")
    keys = _private_keys(given)
    if not keys:
        return None
    key = keys[0]
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        parts = {
            "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1,
            "dq": numbers.dmq1, "qi": numbers.iqmp,
        }  # fmt: skip
        return {"kty": "RSA", **{name: _url_number(part) for name, part in parts.items()}}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point, size = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(key.curve.name)
        parts = {"x": point.x, "y": point.y, "d": key.private_numbers().private_value}
        return {"kty": "EC", "crv": curve, **{name: _url_number(part, size) for name, part in parts.items()}}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        public_bytes, secret = key.public_key().public_bytes_raw(), key.private_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": _url_text(public_bytes), "d": _url_text(secret)}
    raise BuiltinError("x509: unknown private key algorithm")


def _ders(body: str, labels: tuple[str, ...], what: str) -> list[bytes]:
    data = body if body.startswith(_BEGIN) else _base64(body)
    if isinstance(data, bytes) and not data.startswith(_BEGIN.encode()):
        return [data]
    source = data if isinstance(data, str) else data.decode("utf-8", "replace")
    found = [block.data for block in pem.blocks(source) if block.label in labels]
    if not found:
        raise BuiltinError(f"tls: failed to find any PEM data in {what} input")
    return found


def parse_keypair(certificate: Value, key: Value) -> dict[str, Value]:
    """The certificate chain and its private key, if they belong together."""
    from cryptography import x509

    ders = _ders(string(certificate, 1), ("CERTIFICATE",), "certificate")
    private = _load(_ders(string(key, 1), _LABELS, "key")[0])
    first = read(x509.load_der_x509_certificate, ders[0])
    leaf, public = read(certificate_fields, first), first.public_key()
    if public_key_fields(public) != public_key_fields(private.public_key()):
        raise BuiltinError("tls: private key does not match public key")
    del leaf["URIStrings"]
    return {
        "Certificate": [text(der) for der in ders],
        "PrivateKey": _fields(private),
        "Leaf": leaf,
        **dict.fromkeys(("OCSPStaple", "SignedCertificateTimestamps", "SupportedSignatureAlgorithms")),
    }


_ANY: Final = "object[string: any]"

BUILTINS = (
    Builtin("crypto.parse_private_keys", f"(string) -> array[{_ANY}]", parse_private_keys),
    Builtin("crypto.x509.parse_rsa_private_key", f"(string) -> {_ANY}", parse_key_to_jwk),
    Builtin("crypto.x509.parse_keypair", f"(string, string) -> {_ANY}", parse_keypair),
)
