"""What a mirror needs of an object store. Paths are below the mirror's address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from solon.decisions.log.errors import LogError


class Taken(LogError):
    """There is an object of that name already."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version of an object, or the mark that one was deleted. ``version`` is "" where the store keeps none."""

    path: str
    version: str
    size: int
    latest: bool
    deleted: bool = False


class Objects(Protocol):
    """Every method raises LogError. What ``put`` has returned from is there, whole, with that content."""

    def put(self, path: str, data: bytes, *, once: bool = False, until: datetime | None = None) -> None:
        """``once`` raises Taken where there is one; one is held by the store's object lock ``until`` then."""

    def get(self, path: str) -> bytes | None: ...

    def digest(self, path: str) -> str:
        """SHA-256, as the store says it; "" where it does not."""

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All versions, where the store shows them."""

    def remove(self, found: Listed) -> str:
        """Until when object lock holds it; "" where it is gone."""
