"""Signed in-toto statements: what is said of which files, in an envelope that any DSSE tool can verify.

(DSSE v1.0.2, https://github.com/secure-systems-lab/dsse; in-toto Attestation Framework, Statement v1.) What Solon signs
it signs with Ed25519; it verifies ECDSA, too. A key's id is the SHA-256 of its public half in DER, in hexadecimal digits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from solon.signing.keys import CURVES, VerifyingKey

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
MAX_BYTES: Final = 16 << 20
MAX_SIGNATURES: Final = 100  # each is tried with each key, on all of the payload


class NotVerified(ValueError):
    """Why an envelope proves nothing, in one line."""


class ResourceDescriptor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file and its ``digest`` by algorithm (``sha256``), in hexadecimal digits."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True):
    """``predicate``, of the type ``predicate_type``, is said of each ``subject``."""

    type_: str = msgspec.field(name="_type")
    subject: list[ResourceDescriptor]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_Signature]


def statement(subject: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]) -> Statement:
    """What is said of files: ``subject`` has ``sha256:…`` digests by name."""
    described = [
        ResourceDescriptor(name, {"sha256": digest.removeprefix("sha256:")})
        for name, digest in subject.items()
    ]
    return Statement(STATEMENT_TYPE, described, predicate_type, dict(predicate))


def sign(said: Statement, key: Ed25519PrivateKey) -> bytes:
    """The envelope, as JSON ended by a line feed."""
    payload = msgspec.json.encode(said)
    signature = _Signature(
        base64.b64encode(key.sign(_encoded(PAYLOAD_TYPE, payload))).decode(), key_id(key.public_key())
    )
    envelope = _Envelope(base64.b64encode(payload).decode(), PAYLOAD_TYPE, [signature])
    return msgspec.json.encode(envelope) + b"\n"


def verify(envelope: bytes, keys: Sequence[VerifyingKey]) -> tuple[Statement, str]:
    """The statement, and the id of the key that signed it. Raises NotVerified."""
    if len(envelope) > MAX_BYTES:
        raise NotVerified(f"larger than {MAX_BYTES >> 20} MiB")
    try:
        found = msgspec.json.decode(envelope, type=_Envelope)
        payload = base64.b64decode(found.payload, validate=True)
        signatures = [base64.b64decode(each.sig, validate=True) for each in found.signatures]
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        raise NotVerified("is no DSSE envelope") from None
    if found.payload_type != PAYLOAD_TYPE:
        raise NotVerified(f"holds {found.payload_type!r}, no in-toto statement")
    if not keys:
        raise NotVerified("no key was given that it could be signed by")
    if len(signatures) > MAX_SIGNATURES:
        raise NotVerified(f"has more than {MAX_SIGNATURES} signatures")
    signed = _encoded(found.payload_type, payload)
    by = next((key for key in keys for signature in signatures if _is_by(key, signature, signed)), None)
    if by is None:
        raise NotVerified("is signed by none of the trusted keys, or was changed")
    try:
        said = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, RecursionError):
        raise NotVerified("is signed, and holds no in-toto statement") from None
    if said.type_ != STATEMENT_TYPE:
        raise NotVerified(f"holds a statement of the type {said.type_!r}, which is not known")
    return said, key_id(by)


def key_id(key: VerifyingKey) -> str:
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(encoded).hexdigest()


def _encoded(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _is_by(key: VerifyingKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            key.verify(signature, signed, ec.ECDSA(CURVES[key.curve.name]))
    except InvalidSignature:
        return False
    return True
