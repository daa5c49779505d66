"""Where ``source`` leads: to a file here, and nowhere else.

Nothing is fetched. A policy set is somebody's text, and what it names is read with the rights of who runs Solon:
so Sentinel text may lie anywhere beside it, and any other file only inside the repository around.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from solon.subjects.discover import read_bytes
from solon.subjects.documents import Problem, decode_json, text_of

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
    """The files of one run, each read once."""

    _texts: dict[str, str] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> Iterable[str]:
        """The Sentinel text that was read."""
        return self._texts.values()

    def path(self, source: str, directory: str) -> str:
        """The file that a source names, as it is shown. Raises Refused."""
        if _REMOTE.match(source):
            raise Refused(
                f"remote sources are not fetched: {source}",
                "put a copy beside the policies, and name its path",
            )
        if "\0" in source:
            raise Refused("a path has no NUL character")
        return os.path.normpath(os.path.join(directory, source))

    def text(self, path: str) -> str:
        """Sentinel text. Raises Refused."""
        held = self._texts.get(path)
        if held is None:
            if not os.path.realpath(path).endswith(EXTENSION):
                raise Refused(f"{path} is not a {EXTENSION} file")
            held = self._texts[path] = _read(path, MAX_POLICY)
        return held

    def configuration(self, path: str) -> str:
        """The text of a configuration file or a test case. Raises Refused."""
        return _read(path, MAX_CONFIGURATION)

    def value(self, path: str, root: str) -> Any:
        """Data in JSON. Raises Refused."""
        if path not in self._values:
            if not _is_inside(os.path.realpath(path), root):
                raise Refused(f"{path} is outside of {root}", "data is read from the repository alone")
            try:
                self._values[path] = decode_json(_read(path, MAX_DATA))
            except Problem as problem:
                raise Refused(str(problem.at(path))) from None
        return self._values[path]


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def _read(path: str, limit: int) -> str:
    try:
        return text_of(read_bytes(path, _no_stdin, limit, remedy=""))
    except Problem as problem:
        raise Refused(str(problem.at(path))) from None


def _no_stdin(_size: int) -> bytes:
    return b""
