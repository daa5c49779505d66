"""Files as they are in a revision of a git repository. Nothing is checked out, and nothing is fetched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from solon.cli.errors import UsageError
from solon.subjects.discover import EXTENSIONS, MAX_BYTES

_REGULAR: Final = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Revision:
    """``root`` is the top of the working tree, ``commit`` the full name, ``shown`` what the user asked for."""

    root: str
    commit: str
    shown: str

    @classmethod
    def find(cls, directory: str, wanted: str) -> Revision:
        """The commit at which what is here left ``wanted``. Raises UsageError."""
        if not wanted or wanted.startswith("-"):
            raise UsageError(f"--base {wanted!r}: not a revision")
        root = _ask(directory, "rev-parse", "--show-toplevel")
        if root is None:
            raise UsageError(f"--base {wanted}: {directory} is not in a git repository")
        commit = _ask(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted + "^{commit}")
        if not commit:
            raise UsageError(
                f"--base {wanted}: there is no such revision (in CI, fetch it first: `fetch-depth: 0`)"
            )
        # What happened on the other branch since is not what this change does.
        fork = _ask(root, "merge-base", commit, "HEAD")
        return cls(root, fork or commit, wanted)

    def write(self, paths: Sequence[str], into: str) -> dict[str, str]:
        """Write the policies and data among the files below paths; gives where each path is now.

        Paths outside the repository have no history: they stay where they are. Raises UsageError.
        """
        places = {path: self._inside(path) for path in paths}
        files: dict[str, str] = {}
        for place in filter(None, places.values()):
            files.update(self._files(place))
        for name, data in self._contents(files):
            target = os.path.join(into, *name.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "xb") as file:
                file.write(data)
        return {
            path: os.path.normpath(os.path.join(into, place)) if place else path
            for path, place in places.items()
        }

    def _inside(self, path: str) -> str | None:
        """The place of a path in the repository."""
        place = os.path.relpath(os.path.realpath(path), os.path.realpath(self.root))
        return None if place.split(os.sep)[0] == os.pardir else place

    def _files(self, place: str) -> Iterator[tuple[str, str]]:
        """The name and object of each file below a place; symbolic links and submodules are not files."""
        paths = [] if place == os.curdir else ["--", place.replace(os.sep, "/")]
        listed = _run(self.root, "ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, *paths)
        for entry in listed.stdout.decode("utf-8", "surrogateescape").split("\0"):
            about, _, name = entry.partition("\t")
            mode, _, rest = about.partition(" ")
            parts = name.split("/")
            if mode not in _REGULAR or not name.endswith((*EXTENSIONS, ".rego")):
                continue
            identity, size = rest.split()[1:]
            if (
                size.isdigit()
                and int(size) <= MAX_BYTES
                and not {"", os.curdir, os.pardir, ".git"} & set(parts)
            ):
                yield name, identity

    def _contents(self, files: dict[str, str]) -> Iterator[tuple[str, bytes]]:
        if not files:
            return
        with subprocess.Popen(  # noqa: S603 - git alone, and no shell
            _command(self.root, "cat-file", "--batch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for name, identity in files.items():
                process.stdin.write(identity.encode() + b"\n")
                process.stdin.flush()
                yield name, self._read(process.stdout, name)
            process.stdin.close()

    def _read(self, answers: IO[bytes], name: str) -> bytes:
        header = answers.readline().split()
        if len(header) != 3:
            raise UsageError(f"--base {self.shown}: {name} cannot be read from the repository")
        data = answers.read(int(header[2]))
        answers.read(1)
        return data


def _ask(directory: str, *arguments: str) -> str | None:
    """What git prints, or None where it fails. Raises UsageError where there is no git."""
    done = _run(directory, *arguments)
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n") if done.returncode == 0 else None


def _run(directory: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git alone, and no shell
            _command(directory, *arguments), capture_output=True, check=False, env=_environment()
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"--base needs git, which cannot be run: {reason}") from None


def _command(directory: str, *arguments: str) -> list[str]:
    return ["git", "--literal-pathspecs", "-C", directory, *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
