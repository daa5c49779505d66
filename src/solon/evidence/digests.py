"""Digests of what evidence is about: SHA-256, written ``sha256:`` and hexadecimal digits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from solon.evidence.document import File, Model
from solon.evidence.places import Outside, inside
from solon.subjects.documents import Problem

_CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def of_file(path: str) -> str:
    """Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return "sha256:" + digest.hexdigest()


def of_value(value: Any) -> str:
    """Of a plain value, whatever the order of its keys."""
    return of_bytes(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def of_files(files: Iterable[File]) -> str:
    """Of many: that of the lines ``DIGEST  PATH``, sorted by path, as sha256sum writes them."""
    lines = sorted((file.path, file.digest.removeprefix("sha256:")) for file in files)
    return of_bytes("".join(f"{digest}  {path}\n" for path, digest in lines).encode())


def model(root: str, paths: Sequence[str]) -> Model:
    """The released files. Raises Problem where one is not there, is no regular file, or lies outside."""
    found: dict[str, File] = {}
    for path in paths:
        for name in _files(root, path):
            if not name.isprintable():
                # A line feed in a name would be read as the next line of what `of_files` digests.
                raise Problem(f"{name!r}: a name that cannot be printed", hint="rename the file")
            whole = os.path.join(root, name)
            try:
                found[name] = File(name, os.path.getsize(whole), of_file(whole))
            except OSError as error:
                raise Problem(f"{name}: {(error.strerror or str(error)).lower()}") from None
    if not found:
        raise Problem("no files are released", hint="name them under `model:`")
    files = [found[name] for name in sorted(found)]
    return Model(of_files(files), files)


def _files(root: str, path: str) -> Iterator[str]:
    """Every file under a path, from the root, with nothing left out: what is hidden is released, too."""
    try:
        whole = inside(root, path)
    except Outside as error:
        raise Problem(str(error)) from None
    if os.path.isfile(whole):
        yield os.path.relpath(whole, root)
        return
    if not os.path.isdir(whole):
        raise Problem(f"{path}: no such file or directory")
    for directory, below, names in os.walk(whole):
        below.sort()
        for name in [*below, *names]:
            at = os.path.join(directory, name)
            if os.path.islink(at):
                raise Problem(f"{os.path.relpath(at, root)}: a symbolic link; release what it points to")
        for name in sorted(names):
            at = os.path.join(directory, name)
            if not os.path.isfile(at):
                raise Problem(f"{os.path.relpath(at, root)}: not a regular file")
            yield os.path.relpath(at, root)
