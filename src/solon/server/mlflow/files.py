"""Keeps the files of what was let pass as they were judged, where they are written through MLflow's server.

Checked at the artifact repositories that the server writes to, below its routes. Files that clients write to their storage
themselves do not come by here.
"""

from __future__ import annotations

import inspect
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from solon.decisions.attestation import Attestation
from solon.decisions.releases import CannotTell, ReleaseStore

_PROXIED: Final = "mlflow-artifacts"
R = TypeVar("R")
Place = tuple[str, ...]  # a location: its scheme, its host, and the parts of its path


@dataclass
class Kept:
    """``destination`` is where the server keeps what comes by its proxy, ``denied`` makes the exception that refuses."""

    store: ReleaseStore
    destination: str
    denied: Callable[[str], Exception]
    _known: Mapping[str, Attestation] = field(default_factory=dict)
    _places: Mapping[Place, Attestation] = field(default_factory=dict)
    _above: Mapping[Place, Attestation] = field(default_factory=dict)

    def keep(self, repository: R) -> R:
        """Put the checks before what a repository writes with; the same repository."""
        for name, written in WRITES.items():
            method = getattr(repository, name, None)
            if method is not None:
                setattr(repository, name, self._checked(repository, method, written))
        return repository

    def _checked(self, repository: Any, method: Callable[..., Any], written: Written) -> Callable[..., Any]:
        signature = inspect.signature(method)
        root = str(repository.artifact_uri)

        @wraps(method)
        def checked(*arguments: Any, **named: Any) -> Any:
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            directory = bound.arguments.get("artifact_path") or ""
            for path in written(list(bound.arguments.values()), directory):
                self._check(root, path)
            return method(*arguments, **named)

        return checked

    def _check(self, root: str, path: str) -> None:
        """Raise ``denied`` where a file, or one below it, was let pass."""
        try:
            self._learn(self.store.passed())
        except CannotTell:
            return  # without decisions nothing goes live, and training may go on
        wanted = _place(root, path)
        said = self._above.get(wanted)
        for count in range(len(wanted), 0, -1):
            said = said or self._places.get(wanted[:count])
        if said is not None:
            raise self.denied(
                f"Solon refuses to change {path}: it was let pass as it is, by decision {said.decision_id} of {said.time}."
                "\nA model that differs is a new version: log and register it anew"
            )

    def _learn(self, passed: Mapping[str, Attestation]) -> None:
        if passed is self._known:
            return
        places = {self._located(location): said for location, said in passed.items()}
        above = {place[:count]: said for place, said in places.items() for count in range(len(place))}
        self._places, self._above, self._known = places, above, passed

    def _located(self, location: str) -> Place:
        parts = urlsplit(location)
        return _place(self.destination, parts.path) if parts.scheme == _PROXIED else _place(location, "")


def _place(root: str, path: str) -> Place:
    """A path below a root; in lower case, as some file systems have it."""
    parts = urlsplit(root)
    if parts.scheme in ("", "file"):
        host, at = "", os.path.realpath(unquote(parts.path) if parts.scheme else root)
    else:
        host, at = parts.netloc, parts.path
    whole = posixpath.normpath(f"{at}/{posixpath.normpath(f'/{path}')}")
    return (parts.scheme or "file", host, *(part.casefold() for part in whole.split("/") if part))


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


def _named(_said: Sequence[Any], directory: str) -> Iterator[str]:
    yield directory


WRITES: Final[Mapping[str, Written]] = {
    "log_artifact": _file,
    "log_artifacts": _directory,
    "log_artifact_from_stream": _stream,
    "log_artifact_from_async_stream": _stream,
    "delete_artifacts": _named,
    "create_multipart_upload": _file_in_parts,
    "complete_multipart_upload": _file_in_parts,
    "create_presigned_upload_url": _named,
}
