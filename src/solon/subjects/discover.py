"""From paths to subjects: every file is opened here, told apart by content, and read one at a time."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solon.subjects import kubernetes, ml_release, terraform
from solon.subjects.documents import Problem, decode, text_of
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Location, Subject, Unreadable

EXTENSIONS: Final = (".yaml", ".yml", ".json")
SKIPPED: Final = frozenset(["node_modules", "__pycache__"])
MAX_BYTES: Final = 512 << 20
NOTHING: Final = "no YAML or JSON files in this directory"
LOOP: Final = "a symbolic link leads back to a directory around it"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read.

    ``named``: somebody gave its path, rather than a directory's around it. ``of_release``: it lies with a release.yaml, where
    tables, lists and bills of materials are what the release has, and no subjects.
    """

    path: str
    named: bool
    of_release: bool = False


def find(paths: Sequence[str]) -> list[Input | Unreadable]:
    """The files behind paths: files as they are, directories searched for YAML and JSON."""
    found: list[Input | Unreadable] = []
    for path in paths:
        if path == "-":
            found.append(Input("-", True))
        elif os.path.isdir(path):
            files = list(_walk(path, set()))
            if not files:
                found.append(Unreadable(Location(path), NOTHING))
            found.extend(files)
        elif not os.path.lexists(path):
            found.append(Unreadable(Location(path or "''"), "no such file or directory"))
        else:
            found.append(Input(path, True))
    return list(dict.fromkeys(found))


def _walk(
    directory: str, above: set[tuple[int, int]], of_release: bool = False
) -> Iterator[Input | Unreadable]:
    try:
        status = os.stat(directory)
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        yield Unreadable(Location(directory), _reason(error))
        return
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        yield Unreadable(Location(directory), LOOP)
        return
    of_release = of_release or any(
        entry.name == ml_release.RELEASE_FILE and ml_release.is_declared_in(entry.path) for entry in entries
    )
    for entry in entries:
        if entry.name.startswith(".") or entry.name in SKIPPED:
            continue
        try:
            is_directory = entry.is_dir()
        except OSError as error:
            yield Unreadable(Location(entry.path), _reason(error))
            continue
        if is_directory:
            yield from _walk(entry.path, above | {identity}, of_release)
        elif entry.name.endswith(EXTENSIONS):
            yield Input(entry.path, False, of_release)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def regular(path: str, flags: int) -> int:
    """For ``open(opener=…)``: nothing but a regular file, as a pipe would be waited for. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return descriptor


def read_bytes(
    path: str, stdin: Callable[[int], bytes], max_bytes: int = MAX_BYTES, remedy: str = "raise --max-size"
) -> bytes:
    """The content of a file, or of standard input for ``-``. Raises Problem.

    ``remedy``: what else than to split it helps where it is too large.
    """
    if path == "-":
        data = stdin(max_bytes + 1)
        if len(data) > max_bytes:
            raise Problem(f"larger than {max_bytes >> 20} MiB")
        return data
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Problem("not a regular file", hint="send it to standard input, and name it -")
        if status.st_size > max_bytes:
            size = f"{status.st_size / (1 << 20):,.0f} MiB"
            raise Problem(
                f"{size} is larger than the limit of {max_bytes >> 20} MiB",
                hint=f"split it, or {remedy}" if remedy else "split it",
            )
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Problem(_reason(error)) from None


def read(
    source: Input, *, stdin: Callable[[int], bytes], max_bytes: int = MAX_BYTES, cluster: str = ""
) -> Iterator[Subject | Unreadable]:
    """The subjects of one file, and what of it could not be read. ``cluster`` is the one that objects are for."""
    name = source.path
    try:
        data = read_bytes(name, stdin, max_bytes)
    except Problem as problem:
        yield problem.at(name)
        return
    # Standard input cannot be read again for positions.
    again = None if name == "-" else lambda: read_bytes(name, stdin, max_bytes)
    for found in read_data(name, data, again=again, cluster=cluster, named=source.named):
        if not (source.of_release and isinstance(found, Subject) and found.kind == kubernetes.DOCUMENT):
            yield found
        elif os.path.basename(name) == ml_release.RELEASE_FILE:
            hint = f"it is a mapping with `kind: {ml_release.RELEASE}`"
            yield Unreadable(found.location, "declares no release", hint)


def read_data(
    name: str,
    data: bytes,
    *,
    again: Callable[[], bytes] | None = None,
    cluster: str = "",
    named: bool = True,
) -> Iterator[Subject | Unreadable]:
    """As ``read``, of what has been read; without ``again`` the text is kept for positions."""
    try:
        if data[:4] == b"PK\x03\x04":
            raise Problem("a binary Terraform plan or another archive", hint=terraform.SHOW)
        if name.endswith(".tf"):
            raise Problem("Terraform configuration, not a plan", hint=terraform.SHOW)
        zero = data.find(b"\0", 0, 4096)
        if zero >= 0 and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            row = data.count(b"\n", 0, zero) + 1
            raise Problem("neither YAML nor JSON: it holds a NUL byte", row, hint="save it as UTF-8")
        text = text_of(data)
    except Problem as problem:
        yield problem.at(name)
        return
    file = SourceFile(name, lambda: text_of(again()) if again is not None else text)
    empty = True
    for document in decode(text):
        empty = False
        if isinstance(document, Problem):
            yield document.at(name)
            continue
        try:
            if terraform.is_plan(document.value):
                yield from terraform.subjects(document, file)
            elif ml_release.is_release(document.value):
                yield from ml_release.subjects(document, file)
            elif isinstance(document.value, dict | list):
                yield from kubernetes.subjects(document, file, cluster or kubernetes.NO_CLUSTER)
            elif named:
                raise Problem("no Kubernetes object, Terraform plan or release: a single value", document.row)
        except Problem as problem:
            yield problem.at(name)
    if empty and named:
        yield Unreadable(Location(name), "no documents in this file")
