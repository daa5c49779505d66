"""What is known of a model's origin."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["critical", "high", "medium", "low", "unknown"]


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """``verified`` by the key with that ``key`` digest; ``problem`` says why not.

    ``files`` counts the released files that are as they were signed, and the signature itself, where it is among them.
    ``outside`` are those that the signature says nothing of: model-signing leaves out ``.git`` and its like.
    """

    verified: bool
    method: str = "openssf-model-signing"
    key: str = ""
    problem: str = ""
    files: int = 0
    outside: list[str] = []


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """``unknown`` says why vulnerabilities of it may have been missed.

    It has no exact version, the database nothing of its ecosystem, or a record cannot be compared with it.
    """

    name: str
    version: str
    ecosystem: str = "PyPI"
    unknown: str = ""


class Vulnerability(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a package is vulnerable to. Records that name each other as ``aliases`` are one, with the highest severity.

    ``severity`` is critical, high, medium, low or unknown; ``score`` that of CVSS, where there is one. ``fixed`` are the next
    versions that have a fix.
    """

    id: str
    package: str
    version: str
    severity: Severity
    score: float | None = None
    summary: str = ""
    aliases: list[str] = []
    fixed: list[str] = []


class Database(msgspec.Struct, frozen=True):
    """The file of vulnerabilities: ``records`` in it, the newest of them of ``newest`` (RFC 3339)."""

    digest: str
    records: int
    newest: str
    ecosystems: list[str]


class Dependencies(msgspec.Struct, frozen=True, omit_defaults=True):
    """``database`` is None where nobody gave one: then nothing was matched, and nothing is known."""

    sources: list[str]
    packages: list[Package]
    vulnerabilities: list[Vulnerability]
    database: Database | None = None
