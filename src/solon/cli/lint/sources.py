"""What solon lint reads: Rego with its data, Gatekeeper's objects and suites, Sentinel, and the texts of all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from solon.frameworks import rego_files
from solon.frameworks.gatekeeper.constraint import is_constraint
from solon.frameworks.gatekeeper.suite import is_suite
from solon.frameworks.gatekeeper.template import is_template
from solon.frameworks.rego_files import Dialect, RegoFiles
from solon.frameworks.sentinel.sources import EXTENSION
from solon.lang.sentinel import SentinelError, ast, parse
from solon.lang.sentinel.check import check
from solon.subjects import discover
from solon.subjects.documents import Problem, text_of
from solon.subjects.subject import Subject, Unreadable


@dataclass(slots=True)
class Sources:
    """``texts`` are those of all files that hold policies, by name; ``broken`` is what could not be read."""

    rego: RegoFiles
    templates: list[Subject] = field(default_factory=list)
    constraints: list[Subject] = field(default_factory=list)
    suites: list[Subject] = field(default_factory=list)
    sentinel: dict[str, ast.File] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many files, or templates, there are to lint."""
        return len(self.rego.modules) + len(self.templates) + len(self.sentinel)


def read(paths: Sequence[str], data: Sequence[str], dialect: Dialect) -> Sources:
    found = Sources(rego_files.read(paths, data, dialect, tests=True))
    found.broken += map(str, found.rego.problems)
    found.texts.update(found.rego.modules)
    seen: set[str] = set()
    for source in discover.find(
        [path for path in paths if os.path.isdir(path) or path.endswith(discover.EXTENSIONS)]
    ):
        if isinstance(source, Unreadable) or os.path.realpath(source.path) in seen:
            continue
        seen.add(os.path.realpath(source.path))
        try:
            data_read = discover.read_bytes(source.path, lambda _size: b"")
            if b"gatekeeper.sh/" in data_read:
                _add(found, source, text_of(data_read))
        except Problem as problem:
            found.broken.append(str(problem.at(source.path)))
    for name in dict.fromkeys(name for path in paths for name in _sentinel_files(path)):
        _add_sentinel(found, name)
    return found


def _sentinel_files(path: str) -> Iterator[str]:
    """Policies and modules; what stands in ``test`` below the path are mocks."""
    for name in rego_files.find(path, (EXTENSION,)):
        inside = os.path.relpath(name, path).split(os.sep)
        if name.endswith(EXTENSION) and "test" not in inside[:-1]:
            yield name


def _add_sentinel(found: Sources, name: str) -> None:
    try:
        text = text_of(discover.read_bytes(name, lambda _size: b""))
        found.texts[name] = text
        file = found.sentinel[name] = parse(text, name)
        check(file)
    except Problem as problem:
        found.broken.append(str(problem.at(name)))
    except SentinelError as error:
        found.broken.append(error.render())


def _add(found: Sources, source: discover.Input, text: str) -> None:
    for subject in discover.read(source, stdin=lambda _size: b""):
        if isinstance(subject, Unreadable):
            found.broken.append(str(subject))
            continue
        for is_one, kept in (
            (is_template, found.templates),
            (is_constraint, found.constraints),
            (is_suite, found.suites),
        ):
            if is_one(subject.document):
                kept.append(subject)
                found.texts[source.path] = text
