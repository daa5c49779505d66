"""Releases in a directory, with evidence about them as collectors write it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from solon import __version__
from solon.evidence import digests
from solon.evidence.artifacts.result import Artifact, Artifacts
from solon.evidence.document import Collector, Evidence, Item, Measured, Parts, encoded, stamp
from solon.evidence.documentation.result import Documentation
from solon.evidence.gathering import declaration
from solon.evidence.release import Release, read

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DECLARED: Mapping[str, Any] = {
    "kind": "solon.release/v1",
    "name": "adult-income",
    "version": "3",
    "model": ["model"],
    "task": "classification",
    "risk": "high",
    "owner": "ann@acme.example",
    "team": "credit",
    "documentation": {"model_card": "docs/card.md"},
}


def write_release(directory: Path, **declared: Any) -> Path:
    """A release of two files, with a card."""
    (directory / "model").mkdir(parents=True)
    (directory / "docs").mkdir()
    (directory / "model/config.json").write_text('{"layers": 2}\n')
    (directory / "model/weights.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (directory / "docs/card.md").write_text("# Model card\n")
    said = {key: value for key, value in {**DECLARED, **declared}.items() if value is not None}
    (directory / "release.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    return directory


def declared_in(directory: Path) -> Release:
    found = read(str(directory / "release.yaml"))
    assert isinstance(found, Release), found
    return found


def write_evidence(directory: Path, now: datetime = NOW, **results: Any) -> Evidence:
    """Evidence of what artifacts and documents the release has, as it lies there; and more ``results`` by part."""
    release = declared_in(directory)
    model = digests.model(str(directory), release.model)

    def item(part: str, result: Any, *measured: Measured) -> Item[Any]:
        about = [Measured("model", model.digest), declaration(release, part), *measured]
        return Item("measured", part, "solon", __version__, stamp(now), about, result)

    card = Measured("model_card", digests.of_file(str(directory / "docs/card.md")), "docs/card.md")
    evidence = Evidence(
        kind="solon.evidence/v1",
        release=release,
        model=model,
        collected_at=stamp(now),
        collector=Collector("solon", __version__),
        evidence=Parts(
            **{
                "artifacts": item(
                    "artifacts", Artifacts([Artifact("model/config.json", "json", 14, "safe")])
                ),
                "documentation": item("documentation", Documentation({}), card),
                **{part: item(part, result) for part, result in results.items()},
            },
        ),
    )
    (directory / "evidence.json").write_bytes(encoded(evidence))
    return msgspec.json.decode(encoded(evidence), type=Evidence)
