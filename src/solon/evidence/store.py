"""The evidence that was judged, kept so that it can be judged again: ``evidence/<sha256>.json``, never altered."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from solon.evidence import digests
from solon.evidence.document import Evidence

_DOCUMENTS: Final = "evidence"


class NotStored(ValueError):
    """What is in the store is not what it says it is."""


@dataclass(frozen=True, slots=True)
class Stored:
    """``digest`` is that of the document's bytes."""

    evidence: Evidence
    digest: str


@dataclass(frozen=True, slots=True)
class Store:
    """A directory; it is made when the first evidence is put."""

    directory: str

    def put(self, document: bytes) -> str:
        """Keep an evidence document; its digest. Raises OSError, msgspec.ValidationError."""
        msgspec.json.decode(document, type=Evidence)
        digest = digests.of_bytes(document)
        self._write(self._document(digest), document)
        return digest

    def get(self, digest: str) -> Stored | None:
        """Raises OSError, NotStored."""
        try:
            with open(self._document(digest), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        if digests.of_bytes(data) != digest:
            raise NotStored(f"{self._document(digest)}: is not the evidence that was kept under this name")
        try:
            return Stored(msgspec.json.decode(data, type=Evidence), digest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise NotStored(f"{self._document(digest)}: {error}") from None

    def documents(self) -> Iterator[Stored]:
        """All that was ever put, in no order that means anything. Raises OSError, NotStored."""
        directory = os.path.join(self.directory, _DOCUMENTS)
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
            digest = f"sha256:{name.removesuffix('.json')}"
            found = self.get(digest) if name.endswith(".json") and _is_digest(digest) else None
            if found is not None:
                yield found

    def _document(self, digest: str) -> str:
        return os.path.join(self.directory, _DOCUMENTS, digest.removeprefix("sha256:") + ".json")

    def _write(self, path: str, data: bytes) -> None:
        """Whole or not at all."""
        directory = os.path.dirname(path)
        os.makedirs(directory, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".")
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def _is_digest(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return len(digits) == 64 and all(c in "0123456789abcdef" for c in digits)
