"""The Subject: one thing judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; line and column count from 1, 0 where only the file is known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class Locator(Protocol):
    """Finds where a field of a document stands in its file."""

    def locate(self, path: Path) -> Location:
        """The place of ``path``; of its nearest existing ancestor where it does not exist."""


@dataclass(frozen=True, slots=True)
class OnePlace:
    """The Locator of a document that has no lines, or whose file is not at hand: every field is at one place."""

    place: Location

    def locate(self, path: Path) -> Location:
        del path
        return self.place


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing judged.

    ``kind`` is stable and dotted: ``kubernetes.object``, ``terraform.plan``, ``terraform.resource``.
    ``uri`` names it for good: ``k8s://cluster/namespace/Kind/name``, ``tf://plan-name/aws_instance.gpu[0]``.
    ``name`` is what a person calls it (``Deployment/web``, ``aws_instance.gpu[0]``).
    ``locator`` finds lines on demand; ``parent`` is the document this one was taken from (a whole plan).
    """

    kind: str
    uri: str
    name: str
    document: Any
    location: Location
    locator: Locator
    owner: str = ""
    team: str = ""
    namespace: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: Any = None

    def of(self, team: str, owner: str, environment: str) -> Subject:
        """The same, with whose it is. (dataclasses.replace takes five times as long, for every subject there is.)"""
        return Subject(
            self.kind,
            self.uri,
            self.name,
            self.document,
            self.location,
            self.locator,
            owner,
            team,
            self.namespace,
            environment,
            self.labels,
            self.parent,
        )


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that could not be read, in one line: what is wrong, where, what to do."""

    location: Location
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.location}: {self.problem}" + (f" ({self.hint})" if self.hint else "")
