"""A database of vulnerabilities: records of the OSV schema, read from files (https://ossf.github.io/osv-schema/, 1.7).

A file holds one record, a list of them, one a line (``.jsonl``), or is a zip of such files, as osv.dev publishes for each
ecosystem. A directory holds any number of these. Records are read one after the other, and only those that are about
packages somebody asks for are kept. One that cannot be read is an error: it might be about what was released.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Annotated, Any, Final

import msgspec

from solon.evidence import digests
from solon.evidence.collector import CannotCollect, Progress, silent
from solon.evidence.document import File, stamp
from solon.evidence.supply.result import Database
from solon.subjects.documents import Problem, decode, text_of

MAX_RECORD: Final = 16 << 20  # of a record; of the largest known it is a twentieth
MAX_FILE: Final = 256 << 20  # of a JSON or YAML file, which is read at once
MAX_UNPACKED: Final = 8 << 30  # of all members of a zip
_SUFFIXES: Final = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".zip")
_EVERY: Final = 2000  # records between two words of progress

_Time = Annotated[datetime, msgspec.Meta(tz=True)]
# An ecosystem, and a name as that ecosystem has it.
Name = tuple[str, str]


class Event(msgspec.Struct, frozen=True):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(msgspec.Struct, frozen=True):
    """``type`` is SEMVER, ECOSYSTEM or GIT."""

    type: str
    events: list[Event]


class AffectedPackage(msgspec.Struct, frozen=True):
    ecosystem: str
    name: str


class Severity(msgspec.Struct, frozen=True):
    """``score`` is a vector."""

    type: str
    score: str


class Affected(msgspec.Struct, frozen=True):
    package: AffectedPackage | None = None  # none where only commits of a repository are named
    severity: list[Severity] | None = None
    ranges: list[Range] | None = None
    versions: list[str] | None = None
    ecosystem_specific: Any = None
    database_specific: Any = None


class Record(msgspec.Struct, frozen=True):
    """What is read of a record."""

    id: str
    modified: _Time
    withdrawn: _Time | None = None
    aliases: list[str] | None = None
    summary: str | None = None
    details: str | None = None
    severity: list[Severity] | None = None
    affected: list[Affected] | None = None
    database_specific: Any = None


_ONE: Final = msgspec.json.Decoder(Record)
_MANY: Final = msgspec.json.Decoder(list[Record])


@dataclass(frozen=True, slots=True)
class Records:
    """The records about the packages that were asked for, and what the whole database is."""

    about: Mapping[Name, Sequence[tuple[Record, Affected]]]
    database: Database


def name_of(ecosystem: str, name: str) -> Name:
    """The name under which a package is found: that of PyPI as PEP 503 has it, others as they are.

    The release of a distribution does not count: not every package says of which it is.
    """
    if ecosystem == "PyPI":
        from packaging.utils import canonicalize_name

        return ecosystem, canonicalize_name(name)
    return base(ecosystem), name


def read(path: str, names: Collection[Name], progress: Progress = silent) -> Records:
    """Raises CannotCollect."""
    kept: dict[str, Record] = {}
    ecosystems: set[str] = set()
    newest = datetime.min.replace(tzinfo=UTC)
    count = 0
    files = list(_files(path))
    for number, file in enumerate(files):
        for record in _records(file):
            count += 1
            if count % _EVERY == 0:
                progress(f"reading {os.path.basename(file)}", number, len(files))
            newest = max(newest, record.modified)
            of = [each.package for each in record.affected or () if each.package is not None]
            if record.withdrawn is None:
                ecosystems.update(base(package.ecosystem) for package in of)
            if any(name_of(package.ecosystem, package.name) in names for package in of):
                before = kept.get(record.id)
                if before is None or before.modified <= record.modified:
                    kept[record.id] = record
    if not count:
        raise CannotCollect(f"{path}: holds no OSV records")
    about: dict[Name, list[tuple[Record, Affected]]] = {}
    for record in kept.values():
        for affected in record.affected or ():
            if record.withdrawn is None and affected.package is not None:
                name = name_of(affected.package.ecosystem, affected.package.name)
                about.setdefault(name, []).append((record, affected))
    database = Database(
        digest=_digest(path, files),
        records=count,
        newest=stamp(newest),
        ecosystems=sorted(ecosystems),
    )
    return Records(about, database)


def base(ecosystem: str) -> str:
    """Without a release: ``Debian`` of ``Debian:12``."""
    return ecosystem.partition(":")[0]


def _files(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
        return
    if not os.path.isdir(path):
        raise CannotCollect(f"{path}: no such file or directory")
    for directory, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(_SUFFIXES) and not name.startswith("."):
                file = os.path.join(directory, name)
                if not os.path.isfile(file):
                    raise CannotCollect(f"{file}: not a file, and may have been one with records")
                yield file


def _digest(path: str, files: Sequence[str]) -> str:
    """Of a file its own, of a directory that of its files: see ``digests.of_files``."""
    try:
        if files == [path]:
            return digests.of_file(path)
        return digests.of_files(
            File(os.path.relpath(file, path), os.path.getsize(file), digests.of_file(file)) for file in files
        )
    except OSError as error:
        raise CannotCollect(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _records(path: str) -> Iterator[Record]:
    try:
        with open(path, "rb") as file:
            if file.read(2) == b"PK":
                yield from _zipped(path)
                return
            file.seek(0)
            yield from _in(file, path, path)
    except OSError as error:
        raise CannotCollect(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _zipped(path: str) -> Iterator[Record]:
    """The members one after the other; never more of one in memory than is allowed, whatever the zip says of its size."""
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.is_dir() or not member.filename.lower().endswith(_SUFFIXES):
                    continue
                with archive.open(member) as file:
                    counted = _Counted(file, left)
                    yield from _in(counted, member.filename, f"{path}!{member.filename}")
                    left = counted.left
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise CannotCollect(f"{path}: not a zip that can be read: {error}") from None


class _Counted:
    """A member that may be so long and no longer."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self.file, self.left = file, left

    def read(self, size: int) -> bytes:
        return self._taken(self.file.read(size))

    def readline(self, size: int) -> bytes:
        return self._taken(self.file.readline(size))

    def _taken(self, data: bytes) -> bytes:
        self.left -= len(data)
        if self.left < 0:
            raise zipfile.BadZipFile(f"its members are larger than {MAX_UNPACKED >> 30} GiB")
        return data


def _in(file: Any, name: str, where: str) -> Iterator[Record]:
    kind = os.path.splitext(name)[1].lower()
    if kind in (".jsonl", ".ndjson"):
        yield from _lines(file, where)
        return
    data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise CannotCollect(
            f"{where}: larger than {MAX_FILE >> 20} MiB; write one record a line, in a .jsonl file"
        )
    if kind in (".yaml", ".yml"):
        yield from _yaml(data, where)
    elif data.lstrip()[:1] == b"[":
        yield from _decoded(lambda: _MANY.decode(data), where)
    else:
        yield from _decoded(lambda: [_ONE.decode(data)], where)


def _lines(file: Any, where: str) -> Iterator[Record]:
    number = 0
    while line := file.readline(MAX_RECORD + 1):
        number += 1
        if len(line) > MAX_RECORD:
            raise CannotCollect(f"{where}:{number}: larger than {MAX_RECORD >> 20} MiB")
        if line.strip():
            yield from _decoded(lambda line=line: [_ONE.decode(line)], f"{where}:{number}")  # type: ignore[misc]


def _yaml(data: bytes, where: str) -> Iterator[Record]:
    """As the Python Packaging Authority keeps its records."""
    try:
        for document in decode(text_of(data)):
            if isinstance(document, Problem):
                raise document
            yield from _decoded(lambda value=document.value: [msgspec.convert(value, Record)], where)  # type: ignore[misc]
    except Problem as problem:
        raise CannotCollect(f"{where}:{problem.row}: {problem.message}") from None


def _decoded(decode: Callable[[], list[Record]], where: str) -> list[Record]:
    try:
        return decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CannotCollect(f"{where}: no OSV record: {error}") from None
    except RecursionError:
        raise CannotCollect(f"{where}: no OSV record: nested too deeply") from None
