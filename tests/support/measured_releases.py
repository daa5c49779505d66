"""Releases as collectors are given them: a directory of files, and what release.yaml would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from solon.evidence import digests
from solon.evidence.collector import Given, Operator
from solon.evidence.release import Release

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Files:
    """Writes files below a directory, and gives the release made of them; ``model.bin`` is there where none is named."""

    root: Path
    operator: Operator = field(default_factory=Operator)

    def given(self, files: Mapping[str, str | bytes], operator: Operator | None = None, **said: Any) -> Given:
        for name, content in {"model/model.bin": b"weights", **files}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        declared = {
            "kind": "solon.release/v1",
            "name": "m",
            "version": "2",
            "model": ["model"],
            "task": "classification",
            **said,
        }
        release = msgspec.convert(declared, Release)
        model = digests.model(str(self.root), release.model)
        return Given(release, str(self.root), model, NOW, operator or self.operator)
