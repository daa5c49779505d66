"""The release store: signed decisions on the versions of a model registry, for whoever must know before one goes live.

A directory, with a directory for each registered model, in it ``TIME-DECISION.dsse.json``. The newest decision on a content
counts. The store is only as complete as those who may write to it leave it; what is in it, nobody can forge.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from solon.decisions.attestation import Attestation, attested
from solon.decisions.log import durable
from solon.decisions.log.events import nanoseconds
from solon.signing import dsse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENDING: Final = ".dsse.json"
_LONGEST: Final = 150  # characters of a name in a path


class CannotTell(Exception):
    """What was decided cannot be told: why, in a line, and what to do."""


class Registered(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which version in a registry was judged.

    ``location`` is where its files are: two versions with one location have the same content. ``names`` are the registered
    models in which that content may go live. It is the ``source`` of an attestation, where lists are JSON.
    """

    registry: str
    name: str
    version: str
    location: str
    names: tuple[str, ...]
    run: str = ""
    model: str = ""
    owner: str = ""

    def source(self) -> dict[str, str]:
        plain = msgspec.to_builtins(self)
        return {**plain, "names": msgspec.json.encode(self.names).decode()}

    @classmethod
    def of(cls, source: Mapping[str, str]) -> Registered | None:
        """None where it is about no version of a registry."""
        try:
            names = msgspec.json.decode(source["names"], type=tuple[str, ...])
            return msgspec.convert({**source, "names": names}, cls)
        except (KeyError, msgspec.MsgspecError):
            return None

    def covers(self, registry: str, name: str, location: str) -> bool:
        return self.registry == registry and self.location == location and name in self.names


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a content may go live under a name; if not, ``because`` says why and what to do, in a line or more."""

    passed: bool
    because: str = ""
    attestation: Attestation | None = None


@dataclass
class ReleaseStore:
    """``keys`` are those whose decisions count. From several threads at once."""

    directory: str
    keys: Sequence[Ed25519PublicKey]
    registry: str = "mlflow"
    _read: dict[tuple[str, int, int], Attestation] = field(default_factory=dict)
    _passed: tuple[list[tuple[str, int]], dict[str, Attestation]] | None = None

    def keep(self, envelope: bytes) -> list[str]:
        """Put a signed decision where it is found under each of its names; the paths.

        Raises OSError, and NotVerified for what this store would not believe.
        """
        said = attested(dsse.verify(envelope, self.keys)[0])
        registered = Registered.of(said.source)
        if registered is None:
            raise dsse.NotVerified("is about no version of a registry")
        paths = []
        for name in registered.names:
            directory = self._directory(name)
            durable.make_directory(directory)
            path = os.path.join(directory, _file_name(said))
            durable.replace(path, envelope)
            durable.sync_directory(directory)
            paths.append(path)
        return paths

    def decided(self, name: str) -> list[Attestation]:
        """Every decision on a registered model, the newest first. Raises CannotTell.

        A file that no trusted key signed might be a denial that was spoilt, so it is no answer.
        """
        if not os.path.isdir(self.directory):
            raise CannotTell(
                f"{self.directory}: no such directory; the gate writes decisions there (`mlflow.decisions`)"
            )
        found = [each for each, registered in self._in(self._directory(name)) if name in registered.names]
        return sorted(found, key=lambda each: (nanoseconds(each.time), not each.passed), reverse=True)

    def passed(self) -> dict[str, Attestation]:
        """The locations whose content was let pass, under whatever name, by the newest decision. Raises CannotTell.

        A file that nobody can believe is passed over here.
        """
        found: dict[str, Attestation] = {}
        try:
            with os.scandir(self.directory) as entries:
                directories = sorted((e.path, e.stat().st_mtime_ns) for e in entries if e.is_dir())
        except OSError as error:
            raise CannotTell(f"{self.directory}: {(error.strerror or str(error)).lower()}") from None
        before = self._passed
        if before is not None and before[0] == directories:
            return before[1]
        for directory, _ in directories:
            newest: dict[str, Attestation] = {}
            for each, registered in self._in(directory, strict=False):
                known = newest.get(registered.location)
                if known is None or nanoseconds(known.time) <= nanoseconds(each.time):
                    newest[registered.location] = each
            found |= {location: each for location, each in newest.items() if each.passed}
        self._passed = (directories, found)
        return found

    def answer(self, name: str, location: str, now: datetime) -> Answer:
        """Whether what lies at a location may go live as a version of a registered model. Raises CannotTell."""
        for said in self.decided(name):
            registered = Registered.of(said.source)
            if registered is not None and registered.covers(self.registry, name, location):
                return _answer(said, now)
        return Answer(False, "it was never gated for this name")

    def _in(self, directory: str, *, strict: bool = True) -> Iterator[tuple[Attestation, Registered]]:
        """The decisions in a directory that are about this registry. Raises CannotTell, where it is ``strict``."""
        for path, stamp in self._files(directory):
            known = self._read.get(stamp)
            if known is None:
                try:
                    known = self._read[stamp] = self._attestation(path)
                except CannotTell:
                    if strict:
                        raise
                    continue
            registered = Registered.of(known.source)
            if registered is not None and registered.registry == self.registry:
                yield known, registered

    def _files(self, directory: str) -> Iterator[tuple[str, tuple[str, int, int]]]:
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name.endswith(ENDING):
                        status = entry.stat()
                        yield entry.path, (entry.path, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:
            return
        except OSError as error:
            raise CannotTell(f"{directory}: {(error.strerror or str(error)).lower()}") from None

    def _attestation(self, path: str) -> Attestation:
        try:
            with open(path, "rb") as file:
                said = attested(dsse.verify(file.read(dsse.MAX_BYTES + 1), self.keys)[0])
            nanoseconds(said.time)
            return said
        except OSError as error:
            raise CannotTell(f"{path}: {(error.strerror or str(error)).lower()}") from None
        except ValueError as error:  # not verified, or of no time
            raise CannotTell(
                f"{path}: {error}: add its key to those trusted, or take the file away"
            ) from None

    def _directory(self, name: str) -> str:
        return os.path.join(self.directory, _quoted(name))


def _answer(said: Attestation, now: datetime) -> Answer:
    if not said.passed:
        lines = [
            f"{finding.policy}: {finding.message}"
            + (f" (fix: {finding.remediation})" if finding.remediation else "")
            for finding in said.findings
            if finding.effect in ("deny", "error")
        ]
        word = "denied" if said.outcome.value == "deny" else "could not be judged"
        return Answer(
            False, "\n".join([f"it was {word}, decision {said.decision_id} of {said.time}", *lines]), said
        )
    if not said.is_current(now):
        return Answer(
            False, f"decision {said.decision_id} let it pass until {said.expires}, and that is over", said
        )
    return Answer(True, "", said)


def _quoted(name: str) -> str:
    """A name as the name of a directory: no two the same, none with a meaning to the file system."""
    quoted = quote(name, safe="").replace(".", "%2E") if name.startswith(".") else quote(name, safe="")
    if len(quoted) <= _LONGEST:
        return quoted
    return quoted[:_LONGEST] + "-" + hashlib.sha256(name.encode()).hexdigest()


def _file_name(said: Attestation) -> str:
    time = "".join(character for character in said.time if character.isalnum())
    return f"{time}-{hashlib.sha256(said.decision_id.encode()).hexdigest()[:16]}{ENDING}"
