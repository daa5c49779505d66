"""Checkpoints: how large a tree was and which root it had, signed (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solon.decisions.log import note
from solon.decisions.log.errors import LogError
from solon.decisions.log.merkle import HASH

_SIZE: Final = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``text`` is the signed note that it was read from, or became."""

    origin: str
    size: int
    root: bytes
    text: str = ""

    @property
    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, key: note.SigningKey) -> Checkpoint:
        """Signed by the log's key, under the name of the origin."""
        text = f"{self.body}\n{key.named(self.origin).sign(self.body)}"
        return Checkpoint(self.origin, self.size, self.root, text)


def parse(text: str) -> Checkpoint:
    """What a note says; its signatures are not looked at. Raises LogError."""
    body, _ = note.parse(text)
    lines = body.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise LogError("is no checkpoint: origin, size and root hash, a line each")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    if len(root) != HASH:
        raise LogError("is no checkpoint: its third line is not the base64 of a SHA-256 hash")
    return Checkpoint(lines[0], int(lines[1]), root, text)


def verified(text: str, key: note.VerifierKey) -> Checkpoint:
    """A checkpoint that the log's key signed, under the name of its origin. Raises LogError."""
    checkpoint = parse(text)
    try:
        note.signed_by(text, [key.named(checkpoint.origin)])
    except (note.NotSigned, note.BadSignature) as error:
        raise type(error)(f"checkpoint of {checkpoint.origin} at {checkpoint.size}: {error}") from None
    return checkpoint


def cosigners(text: str, keys: Sequence[note.VerifierKey]) -> list[note.VerifierKey]:
    """Who of these witnesses cosigned. Raises LogError for a cosignature that does not verify."""
    try:
        return note.signed_by(text, keys)[1]
    except note.NotSigned:
        return []


def several(text: str) -> Iterator[str]:
    """The notes of a file that has one after the other, as a file witness has them."""
    gathered: list[str] = []
    signed = False
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if signed and not line.startswith(note.DASH):
            yield "".join(gathered)
            gathered, signed = [], False
        if not gathered and line == "\n":
            continue
        gathered.append(line)
        signed = line.startswith(note.DASH)
    if gathered:
        yield "".join(gathered)
