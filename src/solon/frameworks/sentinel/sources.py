"""Where ``source`` leads: to a file here, and nowhere else.

Nothing is fetched. A policy set is somebody's text, and what it names is read with the rights of who runs Solon:
so Sentinel text may lie anywhere beside it, and any other file only inside the repository around.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from solon.frameworks.policy import SourceText, source_text
from solon.subjects.discover import read_bytes
from solon.subjects.documents import Problem, decode_json, text_of
from solon.subjects.subject import Location, Unreadable

MAX_POLICY: Final = 16 << 20  # bytes; mocks of large plans have some
MAX_CONFIGURATION: Final = 4 << 20
MAX_DATA: Final = 64 << 20
EXTENSION: Final = ".sentinel"

_REMOTE: Final = re.compile(
    r"[a-z][a-z0-9+.-]*::|[a-z][a-z0-9+.-]*://|git@|(?:github\.com|gitlab\.com|bitbucket\.org)/|"
    r"[^/]*\.amazonaws\.com/|www\.googleapis\.com/",
    re.IGNORECASE,
)


class Refused(Exception):
    """A source that is not read: why, and what to do."""

    def told(self, at: Location) -> str:
        """With the place that names the source, unless that is the source itself."""
        return (
            str(self) if str(self).startswith(f"{at.file}:") else str(Unreadable(at, self.problem, self.hint))
        )

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem} ({hint})" if hint else problem)
        self.problem = problem
        self.hint = hint


def root_of(directory: str) -> str:
    """The repository that a directory is in; without one, where the command runs, if that is around it."""
    start = os.path.realpath(directory)
    here = start
    while True:
        if os.path.lexists(os.path.join(here, ".git")):
            return here
        above = os.path.dirname(here)
        if above == here:
            break
        here = above
    working = os.path.realpath(os.getcwd())
    return working if _is_inside(start, working) else start


@dataclass(slots=True)
class Sources:
    """The files of one run, each read once; ``read`` are all of them.

    ``copies`` says where copies of remote sources are: beginnings of sources, and the directories in their place.
    """

    copies: Mapping[str, str] = field(default_factory=dict)
    read: list[SourceText] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def revision(self) -> str:
        """A digest of everything that was read."""
        return f"sha256:{self._digest.hexdigest()}"

    def path(self, source: str, directory: str) -> str:
        """The file that a source names, as it is shown. Raises Refused."""
        if "\0" in source:
            raise Refused("a path has no NUL character")
        if not _REMOTE.match(source):
            return os.path.normpath(os.path.join(directory, source))
        beginning = max((each for each in self.copies if source.startswith(each)), key=len, default="")
        if not beginning:
            raise Refused(
                f"remote sources are not fetched: {source}",
                "put a copy beside the policies, and name its path here or under sentinel.sources in solon.yaml",
            )
        rest = source.removeprefix(beginning).partition("?")[0]
        copy = os.path.normpath(os.path.join(self.copies[beginning], rest.lstrip("/")))
        if not _is_inside(copy, os.path.normpath(self.copies[beginning])):
            raise Refused(f"{source} leads out of {self.copies[beginning]}")
        return copy

    def text(self, path: str) -> str:
        """Sentinel text. Raises Refused."""
        held = self._texts.get(path)
        if held is None:
            if not os.path.realpath(path).endswith(EXTENSION):
                raise Refused(f"{path} is not a {EXTENSION} file")
            held = self._texts[path] = self._read(path, MAX_POLICY)
        return held

    def configuration(self, path: str) -> str:
        """The text of a configuration file or a test case. Raises Refused."""
        return self._read(path, MAX_CONFIGURATION)

    def value(self, path: str, root: str) -> Any:
        """Data in JSON. Raises Refused."""
        if path not in self._values:
            if not _is_inside(os.path.realpath(path), root):
                raise Refused(f"{path} is outside of {root}", "data is read from the repository alone")
            try:
                self._values[path] = decode_json(self._read(path, MAX_DATA))
            except Problem as problem:
                raise Refused(str(problem.at(path))) from None
        return self._values[path]

    def _read(self, path: str, limit: int) -> str:
        try:
            data = read_bytes(path, _no_stdin, limit, remedy="")
            self.read.append(source_text(path, data))
            self._digest.update(len(data).to_bytes(8, "big") + data)
            return text_of(data)
        except Problem as problem:
            raise Refused(str(problem.at(path))) from None


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def _no_stdin(_size: int) -> bytes:
    return b""
