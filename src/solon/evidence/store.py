"""The evidence that was judged, kept so that it can be judged again: by digest, and the newest of each release.

``evidence/<sha256>.json`` holds documents, never altered; ``releases/<registry>/<name>/<version>`` the digest of the newest.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import msgspec

from solon.evidence import digests
from solon.evidence.document import Evidence

_DOCUMENTS: Final = "evidence"
_RELEASES: Final = "releases"


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
        """Keep an evidence document, as the newest of its release; its digest. Raises OSError, msgspec.ValidationError."""
        evidence = msgspec.json.decode(document, type=Evidence)
        digest = digests.of_bytes(document)
        self._write(self._document(digest), document)
        declared = evidence.release
        self._write(
            self._release(declared.registry, declared.name, declared.version), digest.encode() + b"\n"
        )
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
        except msgspec.DecodeError as error:
            raise NotStored(f"{self._document(digest)}: {error}") from None

    def newest(self, registry: str, name: str, version: str) -> Stored | None:
        """That of a release. Raises OSError, NotStored."""
        path = self._release(registry, name, version)
        try:
            with open(path, encoding="ascii") as file:
                digest = file.read(100).strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise NotStored(f"{path}: holds no digest") from None
        found = self.get(digest) if _is_digest(digest) else None
        if found is None:
            raise NotStored(f"{path}: the evidence that it names is not here")
        return found

    def releases(self) -> Iterator[Stored]:
        """The newest evidence of every release. Raises OSError, NotStored."""
        root = os.path.join(self.directory, _RELEASES)
        for directory, below, names in os.walk(root):
            below.sort()
            for name in sorted(names):
                with open(os.path.join(directory, name), encoding="ascii") as file:
                    digest = file.read(100).strip()
                found = self.get(digest) if _is_digest(digest) else None
                if found is not None:
                    yield found

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

    def _release(self, registry: str, name: str, version: str) -> str:
        parts = [_part(each) for each in (registry, name, version)]
        return os.path.join(self.directory, _RELEASES, *parts)

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


def _part(text: str) -> str:
    """One name of a path, whatever the text is: neither empty, nor ``..``, nor hidden."""
    return quote(text, safe="").replace(".", "%2E") or "%"


def _is_digest(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return len(digits) == 64 and all(c in "0123456789abcdef" for c in digits)
