"""An object store in memory, with versions, that can be killed at any of its calls."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from solon.decisions.mirror.objects import Listed, Taken


class Killed(BaseException):
    """The process is gone."""


@dataclass
class _Version:
    number: str
    data: bytes
    until: datetime | None = None


@dataclass
class MemoryObjects:
    """``kill`` counts calls down: at 0 the process is gone, ``late`` only after the store has done what was asked."""

    kept: dict[str, list[_Version]] = field(default_factory=dict)
    kill: int = -1
    late: bool = False
    calls: int = 0
    put_paths: list[str] = field(default_factory=list)

    def clone(self, kill: int, *, late: bool) -> Self:
        return type(self)(copy.deepcopy(self.kept), kill, late)

    def _called(self, *, done: bool) -> None:
        if not done:
            self.calls += 1
        if self.calls == self.kill and done == self.late:
            raise Killed

    def put(self, path: str, data: bytes, *, once: bool = False, until: datetime | None = None) -> None:
        self._called(done=False)
        if once and path in self.kept:
            raise Taken(f"{path}: is taken")
        self.put_paths.append(path)
        versions = self.kept.setdefault(path, [])
        versions.append(_Version(f"v{self.calls}-{len(versions)}", data, until))
        self._called(done=True)

    def get(self, path: str) -> bytes | None:
        self._called(done=False)
        return self.kept[path][-1].data if path in self.kept else None

    def digest(self, path: str) -> str:
        self._called(done=False)
        return hashlib.sha256(self.kept[path][-1].data).hexdigest() if path in self.kept else ""

    def listed(self, prefix: str) -> Iterator[Listed]:
        self._called(done=False)
        found = [
            Listed(path, each.number, len(each.data), each is versions[-1])
            for path, versions in sorted(self.kept.items())
            if path.startswith(prefix)
            for each in versions
        ]
        yield from found

    def remove(self, found: Listed) -> str:
        self._called(done=False)
        (version,) = (each for each in self.kept[found.path] if each.number == found.version)
        if version.until is not None:
            return f"{version.until:%Y-%m-%d}"
        self.kept[found.path].remove(version)
        if not self.kept[found.path]:
            del self.kept[found.path]
        self._called(done=True)
        return ""

    # --- what tests look at

    @property
    def latest(self) -> dict[str, bytes]:
        return {path: versions[-1].data for path, versions in self.kept.items()}

    def holding(self, text: bytes) -> list[str]:
        """Objects that have a text in any version."""
        return [path for path, versions in self.kept.items() if any(text in each.data for each in versions)]

    def written_to(self, directory: Path) -> Path:
        for path, data in self.latest.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return directory
