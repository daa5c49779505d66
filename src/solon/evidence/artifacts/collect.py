"""The evidence about the files of a model: what each is, and each member of each archive."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import msgspec

from solon.evidence.artifacts.examine import examine
from solon.evidence.artifacts.result import Artifact, Artifacts
from solon.evidence.artifacts.told import worst
from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.places import Outside, inside
from solon.evidence.supply.signature import NEVER_SIGNED


def collect(given: Given) -> Collected:
    """What every released file is. Raises CannotCollect where one cannot be read."""
    found: list[Artifact] = []
    for done, file in enumerate(given.model.files):
        given.progress(file.path, done, len(given.model.files))
        try:
            found += examine(inside(given.root, file.path), file.path)
        except Outside as error:
            raise CannotCollect(str(error)) from None
        except OSError as error:
            raise CannotCollect(f"{file.path}: {(error.strerror or str(error)).lower()}") from None
    return Collected(Artifacts(related(found)), "the released files, looked at and never loaded")


def related(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Artifacts in the light of one another: numbers that an ONNX model reads, and what no signature covers."""
    paths = {artifact.path for artifact in artifacts}
    numbers = {
        path
        for artifact in artifacts
        if artifact.format == "onnx"
        for path in _external(artifact)
        if path in paths
    }
    return [
        _with_notes(_as_numbers(each) if each.path in numbers else _missing(each, paths))
        for each in artifacts
    ]


def _external(artifact: Artifact) -> list[str]:
    """Where the files lie that a model reads, as ONNX finds them: beside it."""
    beside = posixpath.dirname(artifact.path)
    return [
        posixpath.normpath(posixpath.join(beside, location))
        for location in artifact.header.get("external_data", [])
    ]


def _as_numbers(artifact: Artifact) -> Artifact:
    """What is of no known format is numbers, where a model reads it as such."""
    if artifact.format != "unknown":
        return artifact
    return msgspec.structs.replace(artifact, format="numbers", verdict="safe", reasons=[])


def _missing(artifact: Artifact, paths: set[str]) -> Artifact:
    if artifact.format != "onnx":
        return artifact
    missing = [path for path in _external(artifact) if path not in paths and not path.startswith("..")]
    if not missing:
        return artifact
    reason = f"reads {missing[0]}, which is not released with it: nobody knows what it will hold"
    return msgspec.structs.replace(
        artifact, verdict=worst(artifact.verdict, "unknown"), reasons=[*artifact.reasons, reason]
    )


def _with_notes(artifact: Artifact) -> Artifact:
    unsigned = {*NEVER_SIGNED} & set(artifact.path.partition("!")[0].split("/"))
    if not unsigned:
        return artifact
    reasons = [
        *artifact.reasons,
        f"signatures of model-signing leave out {min(unsigned)}: it may be changed after signing",
    ]
    verdict = artifact.verdict
    if ".git" in unsigned:
        reasons.append("git runs what .git/config and .git/hooks say")
        verdict = "unsafe"
    return msgspec.structs.replace(artifact, verdict=verdict, reasons=reasons)
