"""What lint has to say of a policy, in any language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from solon.lang.source import Diagnostic

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that lint has to say."""

    severity: Severity
    diagnostic: Diagnostic


def in_order(remarks: Iterable[Remark]) -> list[Remark]:
    """By place, each once: what a rule with several definitions says is said of each."""
    unique = dict.fromkeys(remarks)
    return sorted(
        unique, key=lambda r: (r.diagnostic.span.file, r.diagnostic.span.row, r.diagnostic.span.column)
    )
