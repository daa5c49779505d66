"""The proof that an entry is in the log, as one text that is checked without the log (C2SP tlog-proof).

Its ``extra`` line is the body of the entry's frame: what a leaf hash, and the event behind it, are made of.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solon.decisions.log import checkpoint, merkle, note
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import SALT, Leaf, decode
from solon.decisions.log.segment import BODY, ERASED, WHOLE

FIRST: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9]\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry, its place, the way from there to a checkpoint's root, and that checkpoint."""

    index: int
    path: Sequence[bytes]
    leaf: bytes
    salt: bytes
    payload: bytes | None  # None where it is erased, or left out
    checkpoint: str

    def __str__(self) -> str:
        body = BODY.pack(ERASED if self.payload is None else WHOLE, len(self.leaf)) + self.leaf
        if self.payload is not None:
            body += self.salt + self.payload
        lines = [FIRST, f"extra {_encoded(body)}", f"index {self.index}", *map(_encoded, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof shows."""

    checkpoint: checkpoint.Checkpoint
    index: int
    leaf: Leaf
    payload: bytes | None


def parse(text: str) -> Proof:
    """Raises LogError."""
    head, _, signed = text.partition("\n\n")
    lines = head.split("\n")
    extra = lines[1].removeprefix("extra ") if len(lines) > 2 and lines[1].startswith("extra ") else ""
    index = _INDEX.fullmatch(lines[2]) if extra else None
    if lines[0] != FIRST or index is None:
        raise LogError(
            f"is no proof: {FIRST}, then the lines extra and index, as `solon log prove` prints it"
        )
    try:
        body = base64.b64decode(extra, validate=True)
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    except (binascii.Error, ValueError):
        raise LogError("is no proof: a line of it is not base64") from None
    if len(body) < BODY.size or len(path) > 63 or any(len(each) != merkle.HASH for each in path):
        raise LogError("is no proof: its hashes, or its entry, do not have the right length")
    state, length = BODY.unpack_from(body)
    leaf, rest = body[BODY.size : BODY.size + length], body[BODY.size + length :]
    whole = state == WHOLE and len(rest) >= SALT
    if not whole and (state != ERASED or rest):
        raise LogError("is no proof: its entry has another form than Solon's")
    return Proof(int(index[1]), path, leaf, rest[:SALT], rest[SALT:] if whole else None, signed)


def verify(proof: Proof, key: note.VerifierKey) -> Proven:
    """What it shows to one who believes the key. Raises LogError where it shows nothing."""
    signed = checkpoint.verified(proof.checkpoint, key)
    if not merkle.included(proof.index, signed.size, merkle.leaf_hash(proof.leaf), proof.path, signed.root):
        raise LogError(
            f"the entry is not entry {proof.index} of the {signed.size:,} that the checkpoint signs: "
            "the proof, or the entry in it, was changed"
        )
    try:
        leaf = decode(proof.leaf)
    except ValueError as error:
        raise LogError(f"the leaf {error}") from None
    if proof.payload is not None and hashlib.sha256(proof.salt + proof.payload).digest() != leaf.digest:
        raise LogError("the event is not the one that was logged: it was changed in the proof")
    return Proven(signed, proof.index, leaf, proof.payload)


def several(text: str) -> Iterator[str]:
    """The proofs of a file that has one after the other."""
    parts = re.split(rf"^(?={re.escape(FIRST)}$)", text, flags=re.MULTILINE)
    yield from (part for part in parts if part.strip())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
