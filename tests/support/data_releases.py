"""Releases in a directory of a test, that declare data and drift."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from solon.evidence import digests
from solon.evidence.collector import Given
from solon.evidence.release import DataPart, DriftPart, Release


def released(
    root: Path, files: Mapping[str, str | bytes], data: DataPart | None = None, drift: DriftPart | None = None
) -> Given:
    """What a collector is given of a release with these files."""
    for name, content in {"model.bin": "weights", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    release = Release("solon.release/v1", "credit", "1", ["model.bin"], data=data, drift=drift)
    model = digests.model(str(root), release.model)
    return Given(release, str(root), model, datetime(2026, 9, 1, tzinfo=UTC))
