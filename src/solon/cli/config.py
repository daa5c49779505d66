"""solon.yaml, at the root of a policy repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from solon.cli.errors import UsageError
from solon.frameworks.lint import FIELDS
from solon.report import FORMATS
from solon.subjects.documents import Problem, decode_yaml, text_of
from solon.subjects.positions import SourceFile

NAME: Final = "solon.yaml"
_TEXTS: Final = ("format", "log")  # the other keys are lists


class LintConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``require`` are the fields that a policy must have, ``ignore`` the codes to leave out."""

    require: list[str] | None = None
    ignore: list[str] = []


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. Paths are relative to it."""

    policies: list[str] = []
    data: list[str] = []
    inventory: list[str] = []
    namespaces: list[str] = []
    format: str = ""
    log: str = ""
    lint: LintConfig = LintConfig()


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
        raise UsageError(
            f"{path}: must hold one document, such as `policies: [policy]`; has {len(documents)}"
        )
    only = documents[0]
    if isinstance(only, Problem):
        raise UsageError(str(only.at(path)))
    return _convert(path, text, only.value)


def _convert(path: str, text: str, value: Any) -> Config:
    file = SourceFile(path, lambda: text)

    def wrong(problem: str, *at: str | int) -> UsageError:
        row, column = file.place(0, at) or (1, 1)
        return UsageError(f"{path}:{row}:{column}: {problem}")

    if not isinstance(value, dict):
        raise wrong("must hold keys, such as `policies: [policy]`")
    for name, said in value.items():
        if name not in Config.__struct_fields__:
            raise wrong(f"unknown key {name!r}: known are {', '.join(Config.__struct_fields__)}", name)
        if name == "lint":
            _check_lint(said, wrong)
        elif name in _TEXTS:
            if not isinstance(said, str):
                raise wrong(f"{name} must be a text", name)
        else:
            _check_list(said, wrong, name)
    config = msgspec.convert(value, Config)
    if config.format and config.format not in FORMATS:
        raise wrong(f"unknown format {config.format!r}: known are {', '.join(FORMATS)}", "format")
    return config


def _check_list(said: Any, wrong: Callable[..., UsageError], *at: str) -> None:
    name = ".".join(at)
    if not isinstance(said, list):
        raise wrong(f"{name} must be a list, such as [{said}]" if said else f"{name} must be a list", *at)
    for index, item in enumerate(said):
        if not isinstance(item, str):
            raise wrong(f"{name} must be a list of texts, and has {item!r}", *at, index)


def _check_lint(said: Any, wrong: Callable[..., UsageError]) -> None:
    known = LintConfig.__struct_fields__
    if not isinstance(said, dict):
        raise wrong(f"lint must hold keys: {', '.join(known)}", "lint")
    for name, value in said.items():
        if name not in known:
            raise wrong(f"unknown key lint.{name}: known are {', '.join(known)}", "lint", name)
        _check_list(value, wrong, "lint", name)
    for index, name in enumerate(said.get("require", [])):
        if name not in FIELDS:
            raise wrong(
                f"lint.require: unknown field {name!r}: known are {', '.join(FIELDS)}",
                "lint",
                "require",
                index,
            )
