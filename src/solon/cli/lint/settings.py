"""What solon lint asks for, by its options and by the solon.yaml of the repository that the policies are in."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from solon.cli import config
from solon.cli.errors import UsageError
from solon.frameworks.conftest import lint as conftest
from solon.frameworks.gatekeeper import repository
from solon.frameworks.lint import FIELDS
from solon.subjects import discover
from solon.subjects.subject import Unreadable


@dataclass(frozen=True, slots=True)
class Settings:
    """``config`` is solon.yaml, or nothing without one; ``whole``: these are all policies of its repository.

    ``staged``: rollouts say what is enforced, and not the policies themselves. ``programme`` are the files of
    rollouts and waivers.
    """

    ignored: frozenset[str]
    data: Sequence[str]
    config: str = ""
    whole: bool = False
    namespaces: Sequence[str] = ()
    staged: bool = False
    programme: Sequence[str] = ()
    codeowners: str = ""
    required_of_rego: Collection[str] = field(default=conftest.REQUIRED)
    required_of_templates: Collection[str] = field(default=repository.REQUIRED)

    @property
    def directory(self) -> str:
        """The root of the policy repository; without solon.yaml, where we are."""
        return os.path.dirname(self.config) or "."


def settings(
    paths: Sequence[str], ignore: Sequence[str], data: Sequence[str], codes: Collection[str]
) -> Settings:
    """``codes`` are those that can be ignored. Raises UsageError."""
    for code in ignore:
        if code not in codes:
            raise UsageError(f"--ignore {code}: unknown; known are {', '.join(codes)}")
    found = config.find(directory_of(paths[0]))
    if found is None:
        return Settings(frozenset(ignore), data)
    path, said = os.path.relpath(os.path.join(found.directory, config.NAME)), found.config.lint
    for code in said.ignore:
        if code not in codes:
            raise UsageError(f"{path}: lint.ignore: unknown code {code}; known are {', '.join(codes)}")
    required = FIELDS if said.require is None else said.require
    policies = found.paths(found.config.policies or ["policy"])
    return Settings(
        ignored=frozenset([*ignore, *said.ignore]),
        data=list(dict.fromkeys([*data, *found.paths(found.config.data)])),
        config=path,
        whole=all(_is_within(each, paths) for each in policies),
        namespaces=found.config.namespaces,
        staged=found.rollouts() is not None,
        programme=_files([*(found.rollouts() or ()), *(found.waivers() or ())]),
        codeowners=found.config.codeowners,
        required_of_rego=required,
        required_of_templates=required,
    )


def directory_of(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path) or "."


def _is_within(path: str, paths: Sequence[str]) -> bool:
    places = [os.path.join(os.path.realpath(each), "") for each in paths]
    return os.path.join(os.path.realpath(path), "").startswith(tuple(places))


def _files(paths: Sequence[str]) -> list[str]:
    return [source.path for source in discover.find(paths) if not isinstance(source, Unreadable)]
