"""solon.yaml, at the root of a policy repository."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.cli.errors import UsageError
from solon.subjects.documents import Document, Problem, decode_yaml, text_of

NAME: Final = "solon.yaml"


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. Paths are relative to it."""

    policies: list[str] = []
    data: list[str] = []
    inventory: list[str] = []
    namespaces: list[str] = []
    format: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration, and the directory it was found in."""

    config: Config = field(default_factory=Config)
    directory: str = ""

    def paths(self, names: list[str]) -> list[str]:
        return [os.path.relpath(os.path.join(self.directory, name)) for name in names]


def find(start: str) -> Found | None:
    """The solon.yaml of a directory or the nearest above it. Raises UsageError where it is malformed."""
    directory = os.path.abspath(start)
    while True:
        path = os.path.join(directory, NAME)
        if os.path.isfile(path):
            return Found(_read(os.path.relpath(path)), directory)
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _read(path: str) -> Config:
    try:
        with open(path, "rb") as file:
            text = text_of(file.read(1 << 20))
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except Problem as problem:
        raise UsageError(str(problem.at(path))) from None
    documents = list(decode_yaml(text))
    if len(documents) != 1:
        raise UsageError(f"{path}: must hold exactly one document")
    only = documents[0]
    if isinstance(only, Problem):
        raise UsageError(str(only.at(path)))
    return _convert(path, text, only)


def _convert(path: str, text: str, document: Document) -> Config:
    value: Any = document.value
    if isinstance(value, dict):
        for name in value:
            if name not in Config.__struct_fields__:
                row = next(
                    (n for n, line in enumerate(text.splitlines(), 1) if line.startswith(f"{name}:")), 1
                )
                known = ", ".join(Config.__struct_fields__)
                raise UsageError(f"{path}:{row}: unknown key {name!r}: known are {known}")
    try:
        return msgspec.convert(value, Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}") from None
