"""Whether the released files are those that somebody signed: OpenSSF model-signing, with keys, and offline.

(The OpenSSF Model Signing specification v1.0, https://github.com/ossf/model-signing-spec.) A Sigstore bundle holds a DSSE
envelope with an in-toto statement, whose predicate lists the files with their digests. The envelope is verified here,
rather than by the model_signing library: that trusts what the signature itself says may be ignored, and ``.git`` always.
Here each released file is either signed as it lies here, or named in ``outside``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.document import File
from solon.evidence.supply.result import Signature
from solon.signing import dsse, keys
from solon.signing.dsse import NotVerified

PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
MAX_BYTES: Final = 24 << 20  # of a bundle: an envelope, and what verifies it
_MAX_KEY: Final = 64 << 10
_CHUNK: Final = 1 << 20
_SHOWN: Final = 5
# What the library leaves out of signatures unless it is told otherwise (model_signing.hashing: ignore_git_paths).
NEVER_SIGNED: Final = (".git", ".gitattributes", ".github", ".gitignore")


class _Bundle(msgspec.Struct, frozen=True):
    """(Sigstore bundle v0.3.) What it says of who signed is not read: only the keys of the operator count."""

    media_type: str = msgspec.field(name="mediaType")
    envelope: msgspec.Raw = msgspec.field(name="dsseEnvelope")


class _Resource(msgspec.Struct, frozen=True):
    """A file, or a shard of one: ``name:start:end``."""

    name: str
    algorithm: str
    digest: str


class _Serialization(msgspec.Struct, frozen=True):
    method: str
    ignore_paths: list[str] = []


class _Manifest(msgspec.Struct, frozen=True):
    resources: list[_Resource]
    serialization: _Serialization


@dataclass(frozen=True, slots=True)
class _Signed:
    """The pieces of each file, and the paths that the signature leaves out. An empty file has no shards."""

    files: Mapping[str, Sequence[_Piece]]
    ignored: Sequence[str]
    sharded: bool

    def leaves_out(self, path: str, file: File) -> bool:
        return (self.sharded and not file.bytes) or any(
            PurePosixPath(path).is_relative_to(os.path.normpath(each)) for each in self.ignored
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was signed of a file: from ``start`` to before ``end``; all of it where there is no ``end``."""

    start: int
    end: int | None
    algorithm: str
    digest: str


def collect(given: Given) -> Collected | None:
    """Raises CannotCollect where the bundle is not there, or a key of the operator is none."""
    supply = given.release.supply
    if supply is None or not supply.signature:
        return None
    measured = given.measured("signature", supply.signature)
    trusted = [_key(path) for path in given.operator.keys]
    bundle = _bytes(given.path(supply.signature), MAX_BYTES)
    if not trusted:
        result = Signature(
            verified=False, problem="no key was given that the model may be signed by (--signer)"
        )
    else:
        result = verify(bundle, trusted, given, supply.signature)
    return Collected(result, supply.signature, [measured])


def verify(bundle: bytes, trusted: Sequence[keys.VerifyingKey], given: Given, name: str) -> Signature:
    """Whether a bundle, of that name in the release, signs the released files."""
    try:
        statement, key = dsse.verify(_envelope(bundle), trusted)
        signed = _signed(statement)
    except NotVerified as error:
        return Signature(verified=False, problem=f"{name} {error}")
    root = signed_root(given.release.model)
    itself = os.path.normpath(name)
    released = {_below(root, file.path): file for file in given.model.files if file.path != itself}
    outside: list[str] = []
    unsigned: list[str] = []
    changed: list[str] = []
    for number, (path, file) in enumerate(released.items()):
        given.progress(f"comparing {file.path} with its signature", number, len(released))
        if path not in signed.files:
            (outside if signed.leaves_out(path, file) else unsigned).append(file.path)
        elif not _is_as_signed(os.path.join(given.root, file.path), file, signed.files[path]):
            changed.append(file.path)
    missing = [path for path in signed.files if path not in released]
    wrong = {
        "changed since it was signed": changed,
        "not signed": unsigned,
        "signed, and not released": missing,
    }
    return Signature(
        verified=not any(wrong.values()),
        key=key,
        problem="; ".join(f"{said}: {_some(names)}" for said, names in wrong.items() if names),
        files=len(given.model.files) - len(outside) - len(unsigned) - len(changed),
        outside=outside,
    )


def signed_root(paths: Sequence[str]) -> str:
    """The directory that the names in a signature start from.

    Of a release of one directory it is that directory. One file is signed by itself, and named ``.``. Of several paths it
    is the directory of release.yaml.
    """
    return os.path.normpath(paths[0]) if len(paths) == 1 else "."


def _below(root: str, path: str) -> str:
    return path if root == "." else os.path.relpath(path, root)


def _envelope(bundle: bytes) -> bytes:
    """Raises NotVerified."""
    if len(bundle) > MAX_BYTES:
        raise NotVerified(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        found = msgspec.json.decode(bundle, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotVerified("is no Sigstore bundle with a DSSE envelope") from None
    if not found.media_type.startswith("application/vnd.dev.sigstore.bundle"):
        raise NotVerified(f"is no Sigstore bundle, but {found.media_type!r}")
    return bytes(found.envelope)


def _signed(statement: dsse.Statement) -> _Signed:
    """Raises NotVerified."""
    if statement.predicate_type != PREDICATE_TYPE:
        raise NotVerified(
            f"is a statement of the type {statement.predicate_type!r}, not of a model: sign with model-signing 1.0 or later"
        )
    try:
        manifest = msgspec.convert(statement.predicate, _Manifest)
        digests = b"".join(bytes.fromhex(resource.digest) for resource in manifest.resources)
    except (msgspec.ValidationError, ValueError):
        raise NotVerified("is signed, and does not list files with their digests") from None
    said = [subject.digest.get("sha256") for subject in statement.subject]
    if said != [hashlib.sha256(digests).hexdigest()]:
        raise NotVerified("contradicts itself: the digest of the whole is not that of its files")
    if not manifest.resources:
        raise NotVerified("signs no files")
    sharded = manifest.serialization.method == "shards"
    pieces: dict[str, list[_Piece]] = {}
    for resource in manifest.resources:
        path, piece = _piece(resource, sharded=sharded)
        pieces.setdefault(path, []).append(piece)
    return _Signed(pieces, [*NEVER_SIGNED, *manifest.serialization.ignore_paths], sharded)


def _piece(resource: _Resource, *, sharded: bool) -> tuple[str, _Piece]:
    algorithm = resource.algorithm.partition("-sharded-")[0]
    if algorithm not in _HASHES:
        raise NotVerified(f"has digests of the kind {resource.algorithm!r}, which is not known")
    if not sharded:
        return resource.name, _Piece(0, None, algorithm, resource.digest.lower())
    path, *numbers = resource.name.rsplit(":", 2)
    if len(numbers) != 2 or not all(n.isascii() and n.isdigit() and len(n) < 20 for n in numbers):
        raise NotVerified(f"names a part of a file as {resource.name!r}, and not as NAME:START:END")
    return path, _Piece(int(numbers[0]), int(numbers[1]), algorithm, resource.digest.lower())


def _is_as_signed(whole: str, file: File, pieces: Sequence[_Piece]) -> bool:
    """Whether the pieces are all of the file, and each has its digest."""
    if [piece.end for piece in pieces] == [None]:
        (piece,) = pieces
        if piece.algorithm == "sha256":
            return file.digest == f"sha256:{piece.digest}"
    at = 0
    for piece in sorted(pieces, key=lambda piece: piece.start):
        end = file.bytes if piece.end is None else piece.end
        if piece.start != at or end > file.bytes or _digest(whole, piece.algorithm, at, end) != piece.digest:
            return False
        at = end
    return at == file.bytes


def _blake3() -> Any:
    import blake3

    return blake3.blake3()


_HASHES: Final[Mapping[str, Callable[[], Any]]] = {
    "sha256": hashlib.sha256,
    "blake2b": hashlib.blake2b,
    "blake3": _blake3,
}


def _digest(whole: str, algorithm: str, start: int, end: int) -> str:
    made = _HASHES[algorithm]()
    try:
        for chunk in _chunks(whole, start, end):
            made.update(chunk)
    except OSError as error:
        raise CannotCollect(f"{whole}: {(error.strerror or str(error)).lower()}") from None
    digest: str = made.hexdigest()
    return digest


def _chunks(whole: str, start: int, end: int) -> Iterator[bytes]:
    with open(whole, "rb") as file:
        file.seek(start)
        left = end - start
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk


def _key(path: str) -> keys.VerifyingKey:
    try:
        return keys.verifying_key(_bytes(path, _MAX_KEY))
    except ValueError as error:
        raise CannotCollect(f"{path}: {error}") from None


def _bytes(path: str, limit: int) -> bytes:
    """What is in a file, and one byte more than may be."""
    try:
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise CannotCollect(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
