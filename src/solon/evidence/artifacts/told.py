"""What is told of one content, while it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from solon.evidence.artifacts.result import Artifact, Verdict

MAX_REASONS: Final = 24
MAX_IMPORTS: Final = 300
_WORSE: Final[dict[Verdict, int]] = {"safe": 0, "unknown": 1, "unsafe": 2}


def worst(one: Verdict, other: Verdict) -> Verdict:
    return one if _WORSE[one] >= _WORSE[other] else other


@dataclass(slots=True)
class Told:
    """A verdict only ever gets worse."""

    format: str
    verdict: Verdict = "safe"
    reasons: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    opcodes: dict[str, int] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    bytes: int = 0

    def note(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    def unknown(self, reason: str) -> Told:
        self.verdict = worst(self.verdict, "unknown")
        self.note(reason)
        return self

    def unsafe(self, reason: str) -> Told:
        self.verdict = "unsafe"
        self.note(reason)
        return self

    def artifact(self, path: str) -> Artifact:
        reasons = [shown(reason) for reason in self.reasons]
        imports = [shown(name) for name in self.imports]
        return Artifact(
            path=path,
            format=self.format,
            bytes=self.bytes,
            verdict=self.verdict,
            reasons=_first(reasons, MAX_REASONS),
            imports=_first(imports, MAX_IMPORTS),
            opcodes=self.opcodes,
            header=self.header,
        )


def shown(text: str, limit: int = 400) -> str:
    """Text of others as it may stand in a document: bounded, printable, and valid Unicode."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return str(text)  # a name of a pickle is a kind of text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _first(texts: list[str], most: int) -> list[str]:
    return texts if len(texts) <= most else [*texts[: most - 1], f"and {len(texts) - most + 1} more"]
