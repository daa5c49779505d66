"""What a collector is given, and what it gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from solon import __version__
from solon.evidence import digests
from solon.evidence.document import Measured, Model
from solon.evidence.places import Outside, inside
from solon.evidence.release import Release

# What is being done, how much of it is done, of how much (0 where nobody knows).
Progress = Callable[[str, int, int], None]


def silent(doing: str, done: int, of: int) -> None:
    """Nobody wants to know."""


class CannotCollect(Exception):
    """Why there is no evidence, in one line that says what to do. It becomes an item with the status ``error``."""


@dataclass(frozen=True, slots=True)
class Operator:
    """What only whoever runs the collector may say, and no release: commands, keys, databases.

    ``predictor`` and ``baseline_predictor`` are commands that read rows and write predictions. ``keys`` are files with public
    keys that a model may be signed with, ``vulnerabilities`` a file or directory of OSV records.
    """

    predictor: Sequence[str] = ()
    baseline_predictor: Sequence[str] = ()
    keys: Sequence[str] = ()
    vulnerabilities: str = ""
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Given:
    """One release, as a collector sees it. ``data`` is another directory that tables may be read from."""

    release: Release
    root: str
    model: Model
    now: datetime
    operator: Operator = Operator()
    data: str = ""
    progress: Progress = silent

    def path(self, name: str) -> str:
        """Where a file of the release is; in its directory, or else in that for data. Raises CannotCollect."""
        try:
            whole = inside(self.root, name)
            if not os.path.exists(whole) and self.data:
                whole = inside(self.data, name)
        except Outside as error:
            raise CannotCollect(f"{error}; what it names lies in it, or in the directory of --data") from None
        if not os.path.isfile(whole):
            raise CannotCollect(
                f"{name}: no such file in the release"
                + (", nor in the directory of --data, from which its path is said" if self.data else "")
            )
        return whole

    def measured(self, what: str, name: str) -> Measured:
        """That a file was measured. Raises CannotCollect."""
        try:
            return Measured(what, digests.of_file(self.path(name)), name)
        except OSError as error:
            raise CannotCollect(f"{name}: {(error.strerror or str(error)).lower()}") from None


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector found. That the model and the declaration were measured is added to ``measured``."""

    result: Any
    source: str
    measured: Sequence[Measured] = ()
    tool: str = "solon"
    tool_version: str = __version__


class Collect(Protocol):
    """``collect`` of the module of each part. Raises CannotCollect; any other exception is an error of that part, too."""

    def __call__(self, given: Given) -> Collected | None:
        """None where the release declares nothing for it: then there is no such evidence."""
