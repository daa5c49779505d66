"""Signed notes and their keys, as C2SP's signed-note and Go's golang.org/x/mod/sumdb/note have them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from solon.decisions.log.errors import LogError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04  # Ed25519, with the time it was made
PRIVATE: Final = "PRIVATE+KEY+"
DASH: Final = "\u2014 "
MAX_BYTES: Final = 1 << 20
_MAX_SIGNATURES: Final = 100


class NotSigned(LogError):
    """A note without the signature that it needs."""


class BadSignature(LogError):
    """A note with a signature that does not verify."""


def check_name(name: str) -> str:
    """A name that a key may have. Raises LogError."""
    if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise LogError(
            f"{name!r} cannot name a log: no spaces, no +; such as example.com/platform (it need not be an address)"
        )
    if len(name.encode()) > 200:
        raise LogError("the name of a log has at most 200 bytes")
    return name


def _key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who is believed: a name and a public key. As text: ``name+key id in hex+base64(algorithm, public key)``."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        return _key_id(self.name, self.algorithm, self.public)

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises LogError."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise LogError(f"{_shown(text)} is no public key: name+id+key, as `solon log keygen` prints it")
        name, key_id, encoded = parts
        data = _decoded(encoded)
        if data is None or len(data) != 33 or data[0] not in {ED25519, COSIGNATURE}:
            raise LogError(f"{_shown(text)} is not an Ed25519 public key")
        key = cls(check_name(name), data[0], data[1:])
        if key.id.hex() != key_id:
            raise LogError(f"{_shown(text)} was changed: its key id does not belong to this name and key")
        return key

    def named(self, name: str) -> VerifierKey:
        """The same key under another name: a log's key signs for each of its shards."""
        return VerifierKey(name, self.algorithm, self.public)

    def verifies(self, signature: bytes, text: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        if self.algorithm == COSIGNATURE:
            if len(signature) != 72:
                return False
            time = int.from_bytes(signature[:8])
            text, signature = cosigned(text, time), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """As text: ``PRIVATE+KEY+name+key id in hex+base64(algorithm, seed)``."""

    name: str
    seed: bytes
    algorithm: int = ED25519

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.algorithm, self._private().public_key().public_bytes_raw())

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def secret(self) -> str:
        """The text that a key file holds."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.seed).decode()
        return f"{PRIVATE}{self.name}+{self.verifier.id.hex()}+{encoded}"

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Raises LogError, which shows nothing of the text."""
        parts = text.strip().removeprefix(PRIVATE).split("+", 2)
        if not text.startswith(PRIVATE) or len(parts) != 3:
            raise LogError(f"is no signing key: {PRIVATE}name+id+key, as `solon log keygen` writes it")
        data = _decoded(parts[2])
        if data is None or len(data) != 33 or data[0] not in {ED25519, COSIGNATURE}:
            raise LogError("is not an Ed25519 signing key")
        key = cls(check_name(parts[0]), data[1:], data[0])
        if key.verifier.id.hex() != parts[1]:
            raise LogError("was changed: its key id does not belong to this name and key")
        return key

    def named(self, name: str) -> SigningKey:
        return SigningKey(name, self.seed, self.algorithm)

    def sign(self, text: str, time: int = 0) -> str:
        """The signature line of a text. A cosignature says at which second it was made."""
        if self.algorithm == COSIGNATURE:
            signature = time.to_bytes(8) + self._private().sign(cosigned(text.encode(), time))
        else:
            signature = self._private().sign(text.encode())
        encoded = base64.b64encode(self.verifier.id + signature).decode()
        return f"{DASH}{self.name} {encoded}\n"


def cosigned(text: bytes, time: int) -> bytes:
    """What a cosignature signs of a checkpoint (C2SP tlog-cosignature)."""
    return b"cosignature/v1\ntime %d\n%s" % (time, text)


def parse(note: str) -> tuple[str, list[str]]:
    """The text of a note, and its signature lines. Raises LogError."""
    text, blank, rest = note.rpartition("\n\n")
    lines = rest.removesuffix("\n").split("\n")
    if not blank or not rest.endswith("\n") or len(lines) > _MAX_SIGNATURES or len(note) > MAX_BYTES:
        raise LogError("is no signed note: a text, a blank line, and lines with signatures")
    if any(ord(c) < 32 and c != "\n" for c in note) or not all(line.startswith(DASH) for line in lines):
        raise LogError(f"is no signed note: behind the blank line stand lines that begin with {DASH.strip()}")
    return text + "\n", lines


def signed_by(note: str, keys: Sequence[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """The text, and who of these signed it: at least one. Raises LogError.

    A signature of a known key that does not verify is an error; one of an unknown key says nothing.
    """
    text, lines = parse(note)
    signers: list[VerifierKey] = []
    for line in lines:
        name, _, encoded = line[len(DASH) :].partition(" ")
        data = _decoded(encoded)
        if data is None or len(data) < 5:
            raise LogError(f"is no signed note: the signature of {_shown(name)} is not base64")
        for key in keys:
            if (key.name, key.id) != (name, data[:4]):
                continue
            if not key.verifies(data[4:], text.encode()):
                raise BadSignature(f"the signature of {name} does not verify: the note was changed")
            if key not in signers:
                signers.append(key)
    if not signers:
        raise NotSigned(f"is not signed by {' or '.join(str(key) for key in keys)}")
    return text, signers


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
