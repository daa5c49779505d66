"""Test cases, which lie beside policies: ``test/<policy>/*.hcl`` and ``*.json`` for ``<policy>.sentinel``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solon.frameworks.sentinel.sources import EXTENSION
from solon.subjects.discover import SKIPPED

DIRECTORY: Final = "test"
CASES: Final = (".hcl", ".json")


@dataclass(frozen=True, slots=True)
class Case:
    """A test case and the policy it is for; ``name`` is ``policy/case``."""

    policy: str
    file: str

    @property
    def name(self) -> str:
        return f"{os.path.basename(self.policy).removesuffix(EXTENSION)}/{os.path.basename(self.file)}"


def find(paths: Sequence[str]) -> list[Case]:
    """The cases of policies in and below directories, of policies that are named, and cases that are named."""
    found: dict[Case, None] = {}
    for path in paths:
        for case in _below(path) if os.path.isdir(path) else _named(path):
            found.setdefault(case)
    return list(found)


def _named(path: str) -> Iterator[Case]:
    """The cases of a policy, or a case itself."""
    if path.endswith(EXTENSION):
        yield from _beside(path)
    elif path.endswith(CASES):
        folder = os.path.dirname(os.path.abspath(path))
        tests, name = os.path.split(folder)
        policy = os.path.join(os.path.dirname(tests), name + EXTENSION)
        if os.path.basename(tests) == DIRECTORY and os.path.isfile(policy):
            yield Case(os.path.relpath(policy), os.path.normpath(path))


def _below(directory: str) -> Iterator[Case]:
    inside = os.path.abspath(directory).split(os.sep)
    if len(inside) > 1 and inside[-2] == DIRECTORY:  # test/<policy> itself
        yield from _beside(os.path.relpath(os.sep.join([*inside[:-2], inside[-1] + EXTENSION])))
        return
    if inside[-1] == DIRECTORY:
        directory = os.path.dirname(os.path.normpath(directory)) or os.pardir
    for at, folders, names in os.walk(directory):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED)
        if DIRECTORY in folders:
            for name in sorted(names):
                if name.endswith(EXTENSION):
                    yield from _beside(os.path.normpath(os.path.join(at, name)))


def _beside(policy: str) -> Iterator[Case]:
    if not os.path.isfile(policy):
        return
    directory, name = os.path.split(policy)
    folder = os.path.join(directory, DIRECTORY, name.removesuffix(EXTENSION))
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for each in names:
        file = os.path.join(folder, each)
        if each.endswith(CASES) and not each.startswith(".") and os.path.isfile(file):
            yield Case(policy, file)
