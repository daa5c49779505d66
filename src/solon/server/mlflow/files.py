"""Keeps the files of what was let pass as they were judged, where they are written through MLflow's server.

Checked at the one artifact repository that the server's proxy writes to, below its routes. Files that clients write to their
storage themselves do not come by here.
"""

from __future__ import annotations

import inspect
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from solon.decisions.attestation import Attestation
from solon.decisions.releases import CannotTell, ReleaseStore

_SCHEME: Final = "mlflow-artifacts"
Denied = Callable[[str], Exception]


def keep(repository: Any, store: ReleaseStore, denied: Denied) -> None:
    """Put the checks before what a repository has to write with. ``denied`` makes the exception that refuses."""
    for name, written in WRITES.items():
        method = getattr(repository, name, None)
        if method is not None:
            setattr(repository, name, _kept(method, written, store, denied))


def _kept(
    method: Callable[..., Any], written: Written, store: ReleaseStore, denied: Denied
) -> Callable[..., Any]:
    signature = inspect.signature(method)

    @wraps(method)
    def kept(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        bound.apply_defaults()
        directory = bound.arguments.get("artifact_path") or ""
        for path in written(list(bound.arguments.values()), directory):
            said = _judged(path, store)
            if said is not None:
                raise denied(
                    f"Solon refuses to change {path}: it was let pass as it is, by decision {said.decision_id} of {said.time}."
                    "\nA model that differs is a new version: log and register it anew"
                )
        return method(*arguments, **named)

    return kept


def _judged(path: str, store: ReleaseStore) -> Attestation | None:
    """The decision that a file, or one below it, was let pass by."""
    try:
        passed = store.passed()
    except CannotTell:
        return None  # without decisions nothing goes live, and training may go on
    wanted = _parts(path)
    for location, said in passed.items():
        parts = urlsplit(location)
        if parts.scheme == _SCHEME:
            known = _parts(parts.path)
            if wanted[: len(known)] == known or known[: len(wanted)] == wanted:
                return said
    return None


def _parts(path: str) -> list[str]:
    """Of a path below the root of the artifacts; in lower case, as some file systems have it."""
    return [part for part in posixpath.normpath(f"/{path}").casefold().split("/") if part]


# What would be written: of the arguments in their order, and the directory that is named among them.
Written = Callable[[Sequence[Any], str], Iterator[str]]


def _file(said: Sequence[Any], directory: str) -> Iterator[str]:
    """A file goes into a directory under its own name."""
    yield posixpath.join(directory, os.path.basename(said[0]))


def _stream(said: Sequence[Any], directory: str) -> Iterator[str]:
    yield posixpath.join(directory, os.path.basename(said[1]))


def _directory(said: Sequence[Any], directory: str) -> Iterator[str]:
    for at, _, names in os.walk(said[0]):
        for name in names:
            yield posixpath.join(directory, os.path.relpath(os.path.join(at, name), said[0]))


def _file_in_parts(said: Sequence[Any], directory: str) -> Iterator[str]:
    """The name may come with directories, which some stores drop."""
    yield from _file(said, directory)
    yield posixpath.join(directory, said[0])


def _deleted(_said: Sequence[Any], directory: str) -> Iterator[str]:
    yield directory


WRITES: Final[Mapping[str, Written]] = {
    "log_artifact": _file,
    "log_artifacts": _directory,
    "log_artifact_from_stream": _stream,
    "log_artifact_from_async_stream": _stream,
    "delete_artifacts": _deleted,
    "create_multipart_upload": _file_in_parts,
    "complete_multipart_upload": _file_in_parts,
}
