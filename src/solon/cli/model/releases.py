"""The release that a command is about."""

from __future__ import annotations

import os
from dataclasses import dataclass

from solon.cli.errors import Failure, UsageError
from solon.evidence import digests, release
from solon.evidence.document import Model
from solon.evidence.release import Release
from solon.subjects.documents import Problem
from solon.subjects.ml_release import EVIDENCE_FILE, RELEASE_FILE


@dataclass(frozen=True, slots=True)
class Found:
    """``directory`` is where release.yaml lies."""

    directory: str
    release: Release

    def model(self) -> Model:
        """The released files, as they are now. Raises UsageError."""
        try:
            return digests.model(self.directory, self.release.model)
        except Problem as problem:
            raise UsageError(str(problem.at(os.path.join(self.directory, RELEASE_FILE)))) from None

    @property
    def evidence(self) -> str:
        return os.path.join(self.directory, EVIDENCE_FILE)


def find(path: str) -> Found:
    """The release in a directory, or the one whose release.yaml is named. Raises UsageError, Failure."""
    directory = os.path.dirname(path) or "." if os.path.basename(path) == RELEASE_FILE else path
    if not os.path.isdir(directory):
        raise UsageError(f"{path}: no such directory")
    declared = os.path.join(directory, RELEASE_FILE)
    if not os.path.lexists(declared):
        raise UsageError(
            f"{declared}: no such file. A release begins with one: `kind: solon.release/v1`, `name`, `version` and "
            "`model`, the files that are released"
        )
    found = release.read(declared)
    if isinstance(found, list):
        raise Failure("\n".join(map(str, found)))
    return Found(directory, found)
