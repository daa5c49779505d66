"""Rego modules and data documents from directories, for every framework that packages them so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from solon.frameworks.policy import SourceText, source_text
from solon.subjects.discover import EXTENSIONS, SKIPPED, read_bytes
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.subject import Unreadable

Dialect = Literal["v0", "v1", "auto"]

# Files of these names hold data of the directory they are in, wherever they are (OPA's bundles).
DATA_FILES: Final = ("data.json", "data.yaml", "data.yml")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file: the value in it, and where below ``data`` it goes."""

    file: str
    place: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class RegoFiles:
    """What was read: module texts by file, their language, the data merged, and what could not be read."""

    modules: dict[str, str] = field(default_factory=dict)
    dialect: Dialect = "auto"
    data: dict[str, Any] = field(default_factory=dict)
    problems: list[Unreadable] = field(default_factory=list)
    revision: str = ""
    data_files: list[DataFile] = field(default_factory=list)
    texts: list[SourceText] = field(default_factory=list)


def read(
    policies: Sequence[str], data: Sequence[str] = (), dialect: Dialect = "auto", *, tests: bool = False
) -> RegoFiles:
    """Read Rego from files and directories.

    In a policy directory, a folder ``data`` and files named ``data.yaml`` or ``data.json`` are data; paths
    in ``data`` are data as a whole. Folders inside a data directory become fields. ``*_test.rego`` is left
    out unless ``tests``.
    """
    found = RegoFiles()
    digest = hashlib.sha256()
    files: list[tuple[str, tuple[str, ...] | None]] = []  # file, and where its data goes; None for Rego
    for path in policies:
        files += list(_policy_files(path))
    for path in data:
        files += list(_data_files(path, ()))
    for file, place in dict.fromkeys(files):
        if place is None and file.endswith("_test.rego") and not tests:
            continue
        try:
            raw = read_bytes(file, _no_stdin)
            digest.update(os.path.basename(file).encode() + b"\0" + len(raw).to_bytes(8, "big") + raw)
            found.texts.append(source_text(file, raw, place))
            if place is None:
                found.modules[file] = text_of(raw)
            else:
                document = _document(text_of(raw))
                _merge(found.data, place, document)
                found.data_files.append(DataFile(file, place, document))
        except Problem as problem:
            found.problems.append(problem.at(file))
    revision = f"sha256:{digest.hexdigest()}"
    return replace(found, dialect=dialect, revision=revision)


def _no_stdin(_size: int) -> bytes:
    raise Problem("standard input cannot be used here")


def find(path: str, endings: tuple[str, ...] = (".rego",)) -> Iterator[str]:
    """A file, or the Rego files in a directory and below, those of tests and data directories included."""
    if not os.path.isdir(path):
        yield path
        return
    for directory, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED)
        yield from (os.path.join(directory, name) for name in sorted(names) if name.endswith(endings))


def has_rego(path: str) -> bool:
    """Whether a path is, or holds, a Rego file."""
    return any(place is None for _, place in _policy_files(path))


def _policy_files(path: str) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    if not os.path.isdir(path):
        if path.endswith(".rego"):
            yield path, None
        return
    for directory, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in SKIPPED)
        if "data" in folders and directory == path:
            folders.remove("data")
            yield from _data_files(os.path.join(path, "data"), ())
        for name in sorted(names):
            file = os.path.join(directory, name)
            if name.endswith(".rego"):
                yield file, None
            elif name in DATA_FILES:
                inside = os.path.relpath(directory, path)
                yield file, () if inside == "." else tuple(inside.split(os.sep))


def _data_files(path: str, place: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not os.path.isdir(path):
        yield path, place
        return
    for entry in sorted(os.scandir(path), key=lambda e: e.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _data_files(entry.path, (*place, entry.name))
        elif entry.name.endswith(EXTENSIONS):
            yield entry.path, place


def _document(text: str) -> Any:
    documents = list(decode(text))
    for document in documents:
        if isinstance(document, Problem):
            raise document
    if len(documents) != 1:
        raise Problem(f"a data file must hold exactly one document, this one has {len(documents)}")
    return documents[0].value  # type: ignore[union-attr]


def _merge(into: dict[str, Any], place: tuple[str, ...], value: Any, above: tuple[str, ...] = ()) -> None:
    """Merge a data document at a place; two files must not say different things. Raises Problem.

    ``above`` is where ``into`` stands itself.
    """
    if not isinstance(value, dict):
        raise Problem("a data file must hold an object")
    for name in place:
        above = (*above, name)
        into = into.setdefault(name, {})
        if not isinstance(into, dict):
            raise Problem(f"data.{'.'.join(above)} is defined twice, and not as an object")
    for name, inner in value.items():
        if name not in into:
            into[name] = inner
        elif isinstance(into[name], dict) and isinstance(inner, dict):
            into[name] = dict(into[name])
            _merge(into[name], (), inner, (*above, name))
        elif into[name] != inner:
            raise Problem(f"data.{'.'.join([*above, name])} is defined twice, with different values")
