"""Keys and signatures of JSON Web Tokens: JSON Web Keys, PEM, and the thirteen algorithms."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from solon.lang.budget import spend
from solon.lang.rego.builtins import pem
from solon.lang.rego.errors import BuiltinError

if TYPE_CHECKING:  # importing cryptography takes longer than most evaluations
    from cryptography.hazmat.primitives import hashes

ALGORITHMS: Final = frozenset(
    ["EdDSA", *(family + bits for family in ("RS", "PS", "ES", "HS") for bits in ("256", "384", "512"))]
)
_MAX_KEYS: Final = 1000
SIGNATURE_STEPS: Final = 20_000  # making or verifying one takes as long as so many elements


class VerificationKey(NamedTuple):
    """A key that may verify; ``algorithm`` and ``id`` are empty if the source does not say."""

    key: Any  # a public or private key of cryptography, or bytes
    algorithm: str = ""
    id: str = ""


def verification_keys(text: str) -> list[VerificationKey]:
    """The keys in a PEM certificate, a PEM public key, a JSON Web Key or a set of them."""
    block = pem.decode(text)
    if block is None:
        keys = [VerificationKey(*_from_jwk(jwk)) for jwk in _jwks(text)]
        return [key for key in keys if not key.algorithm or key.algorithm in ALGORITHMS]
    if block.rest:
        raise BuiltinError("extra data after a PEM certificate block")
    return [VerificationKey(_public(block))]


def _public(block: pem.Block) -> Any:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if block.label == "CERTIFICATE":
        try:
            return x509.load_der_x509_certificate(block.data).public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BuiltinError(f"failed to parse a PEM certificate: {error}") from None
    if block.label == "PUBLIC KEY":
        try:
            return load_der_public_key(block.data)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BuiltinError(f"failed to parse a PEM public key: {error}") from None
    raise BuiltinError("failed to extract a Key from the PEM certificate")


def signing_key(text: str) -> Any:
    """The first key of a JSON Web Key or a set of them."""
    keys = _jwks(text)
    if not keys:
        raise BuiltinError("no keys found in JWK set")
    return _from_jwk(keys[0])[0]


def _jwks(text: str) -> list[Mapping[str, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad_jwk(error) from None
    keys = value.get("keys", [value]) if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(isinstance(jwk, dict) for jwk in keys):
        raise _bad_jwk("not an object")
    if len(keys) > _MAX_KEYS:
        raise _bad_jwk(f"more than {_MAX_KEYS} keys")
    return keys


def _bad_jwk(reason: object) -> BuiltinError:
    return BuiltinError(f"failed to parse a JWK key (set): {reason}")


def _from_jwk(jwk: Mapping[str, Any]) -> tuple[Any, str, str]:
    """(key, algorithm, id)."""
    read = _READERS.get(jwk.get("kty", ""))
    if read is None:
        raise _bad_jwk(f'invalid key type "{jwk.get("kty")}"')
    try:
        return read(jwk), str(jwk.get("alg", "")), str(jwk.get("kid", ""))
    except KeyError as missing:
        raise _bad_jwk(f"required field {missing} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _bad_jwk(error) from None


def _octets(jwk: Mapping[str, Any], name: str) -> bytes:
    body = jwk[name].rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)


def _number(jwk: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_octets(jwk, name), "big")


def _rsa(jwk: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    public = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n"))
    if "d" not in jwk:
        return public.public_key()
    d = _number(jwk, "d")
    if "p" in jwk and "q" in jwk:
        p, q = _number(jwk, "p"), _number(jwk, "q")
    else:
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
    dmp1, dmq1, iqmp = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, public).private_key()


def _elliptic(jwk: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    curves: dict[str, Callable[[], ec.EllipticCurve]]
    curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
    curve = curves.get(jwk["crv"])
    if curve is None:
        raise ValueError(f"invalid curve {jwk['crv']}")
    public = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), curve())
    if "d" not in jwk:
        return public.public_key()
    return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public).private_key()


def _edwards(jwk: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    if jwk["crv"] != "Ed25519":
        raise ValueError(f"invalid curve {jwk['crv']}")
    if "d" in jwk:
        return ed25519.Ed25519PrivateKey.from_private_bytes(_octets(jwk, "d"))
    return ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk, "x"))


_READERS: Final[Mapping[Any, Callable[[Mapping[str, Any]], Any]]] = {
    "RSA": _rsa, "EC": _elliptic, "OKP": _edwards, "oct": lambda jwk: _octets(jwk, "k"),
}  # fmt: skip


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]


def _padding(algorithm: str, salt: int | None = None) -> Any:
    from cryptography.hazmat.primitives.asymmetric import padding

    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    digest = _hash(algorithm)
    length = padding.PSS.AUTO if salt is None else salt
    return padding.PSS(padding.MGF1(digest), length)


def verify(key: Any, algorithm: str, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by ``key``; a key of the wrong type verifies nothing."""
    if algorithm not in ALGORITHMS:
        return False
    spend(SIGNATURE_STEPS)
    if algorithm.startswith("HS"):
        if not isinstance(key, bytes):
            return False
        return hmac.compare_digest(hmac.digest(key, message, f"sha{algorithm[2:]}"), signature)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        key = key.public_key()
    try:
        if algorithm == "EdDSA" and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif algorithm.startswith("ES") and isinstance(key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
            key.verify(encode_dss_signature(*pair), message, ec.ECDSA(_hash(algorithm)))
        elif algorithm[:2] in ("RS", "PS") and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, _padding(algorithm), _hash(algorithm))
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def sign(key: Any, algorithm: str, message: bytes) -> bytes:
    """The signature of ``message``; ``algorithm`` is one of ALGORITHMS."""
    spend(SIGNATURE_STEPS)
    if algorithm.startswith("HS"):
        if not isinstance(key, bytes):
            raise _wrong_key(algorithm)
        return hmac.digest(key, message, f"sha{algorithm[2:]}")
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    if algorithm == "EdDSA" and isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if algorithm.startswith("ES") and isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        pair = decode_dss_signature(key.sign(message, ec.ECDSA(_hash(algorithm))))
        return b"".join(part.to_bytes(size, "big") for part in pair)
    if algorithm[:2] in ("RS", "PS") and isinstance(key, rsa.RSAPrivateKey):
        digest = _hash(algorithm)
        try:
            return key.sign(message, _padding(algorithm, digest.digest_size), digest)
        except ValueError as error:
            raise BuiltinError(f"failed to sign: {error}") from None
    raise _wrong_key(algorithm)


def _wrong_key(algorithm: str) -> BuiltinError:
    return BuiltinError(f"the key cannot sign with {algorithm}")
