"""What the files of a model are."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

# safe: the format holds no code. unsafe: loading it may run code. unknown: it cannot be told, which is never safe.
Verdict = Literal["safe", "unsafe", "unknown"]


class Artifact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file, or a member of an archive (``model.pt!archive/data.pkl``).

    ``format`` is told from the content, never the name. ``bytes`` is its size, of what is compressed that of what was
    inflated of it. The verdict of an archive is the worst of its own and those of its members. ``imports`` are the
    names that a pickle would bring in, ``opcodes`` those of it that can run something. ``header`` has what the head of
    a format says.
    """

    path: str
    format: str
    bytes: int
    verdict: Verdict
    reasons: list[str] = []
    imports: list[str] = []
    opcodes: dict[str, int] = {}
    header: dict[str, Any] = {}


class Artifacts(msgspec.Struct, frozen=True):
    artifacts: list[Artifact]
