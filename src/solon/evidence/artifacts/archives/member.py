"""A member of an archive, and names that lead out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from solon.evidence.artifacts.source import Source

_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """``source`` is None for what has no content to look at; ``unsafe`` and ``unknown`` are what is wrong with it."""

    name: str
    source: Source | None
    unsafe: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def leads_out(name: str) -> str:
    """Why a name is no place inside the directory that an archive is unpacked to; nothing where it is one."""
    slashed = name.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed):
        return "its path is absolute: whoever unpacks it writes elsewhere"
    if ".." in slashed.split("/"):
        return "its path has `..`: whoever unpacks it writes elsewhere"
    return ""
