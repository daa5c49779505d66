"""Ed25519 keys in PEM: the private one signs, the public one lies where whoever verifies finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VerifyingKey = Ed25519PublicKey | EllipticCurvePublicKey
# The curves of Sigstore's key based signatures, each with the hash that goes with it.
CURVES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


def pem_of(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """The private and the public half."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def private_key(pem: bytes) -> Ed25519PrivateKey:
    """Raises ValueError."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("is protected by a passphrase, and Solon reads keys without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is not a private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("is not an Ed25519 key")  # noqa: TRY004
    return key


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Raises ValueError."""
    key = verifying_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("is not an Ed25519 key")  # noqa: TRY004
    return key


def verifying_key(pem: bytes) -> VerifyingKey:
    """A key that others may have signed with: Ed25519, or ECDSA on P-256, P-384 or P-521. Raises ValueError."""
    if b"PRIVATE KEY" in pem:
        raise ValueError(
            "holds a private key, and must hold the public one: make a new pair, this one is known"
        )
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is not a public key in PEM") from None
    if isinstance(key, Ed25519PublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and key.curve.name in CURVES
    ):
        return key
    raise ValueError("is not an Ed25519 key, nor one on the curves P-256, P-384 or P-521")
