"""ML releases: a directory with ``release.yaml``, and the evidence about it in ``evidence.json`` beside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from solon.subjects.documents import Document, Problem, decode, text_of
from solon.subjects.positions import FieldLocator, SourceFile
from solon.subjects.subject import Location, Locator, Path, Subject

KIND: Final = "ml.release"
RELEASE: Final = "solon.release/v1"
EVIDENCE: Final = "solon.evidence/v1"
RELEASE_FILE: Final = "release.yaml"
EVIDENCE_FILE: Final = "evidence.json"
MAX_BYTES: Final = 1 << 20  # of release.yaml
_DECLARES: Final = b"solon.release/"
_TRAITS: Final = ("team", "owner", "environment")
_ANEW: Final = "collect it anew: solon model collect"


def is_release(value: Any) -> bool:
    """Whether a document declares a release, or is evidence about one."""
    return isinstance(value, dict) and value.get("kind") in (RELEASE, EVIDENCE) and "apiVersion" not in value


def subjects(document: Document, file: SourceFile) -> Iterator[Subject]:
    """The release that a document is about; nothing for a release.yaml that has its evidence beside it.

    The subject's document is the evidence, as it was written: whether it is about what lies here is for
    ``solon.evidence.admission``. Of a release without evidence it is a document with no parts. Raises Problem.
    """
    value = document.value
    directory = os.path.dirname(file.name)
    start = Location(file.name, document.row)
    here = FieldLocator(file, document.index, start)
    if value["kind"] == RELEASE:
        if os.path.basename(file.name) != RELEASE_FILE:
            raise Problem(f"declares a release, and is not named {RELEASE_FILE}", document.row)
        evidence = os.path.join(directory, EVIDENCE_FILE)
        if os.path.lexists(evidence):
            if not _is_evidence(evidence):
                raise Problem(
                    f"{EVIDENCE_FILE} beside it is no evidence about one release", document.row, hint=_ANEW
                )
            return
        yield release(value, {"kind": EVIDENCE, "release": value, "evidence": {}}, start, Fields(here, here))
        return
    if document.index:
        raise Problem("more than one document, where evidence is about one release", document.row, hint=_ANEW)
    declared = value.get("release")
    if not isinstance(declared, dict):
        raise Problem("not evidence about a release: `release` is missing", document.row)
    path = os.path.join(directory, RELEASE_FILE)
    beside = SourceFile(path, lambda: _text(path))
    declaration = FieldLocator(beside, 0, Location(path, 1)) if os.path.isfile(path) else None
    yield release(declared, value, start, Fields(here, declaration))


def is_declared_in(path: str) -> bool:
    """Whether a release.yaml speaks of a release; others have files of that name, too."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return _DECLARES in file.read(MAX_BYTES)
    except OSError:
        return False


def _is_evidence(path: str) -> bool:
    """Whether a file holds evidence about a release, and nothing before or behind it."""
    if not os.path.isfile(path):
        return False
    try:
        found = list(decode(_text(path)))
    except (OSError, Problem):
        return False
    values = [each.value for each in found if isinstance(each, Document)]
    return len(found) == len(values) == 1 and is_release(values[0]) and values[0]["kind"] == EVIDENCE


def release(declared: dict[str, Any], document: Any, start: Location, locator: Locator) -> Subject:
    """The subject of a release. Raises Problem where it cannot be named."""
    for field in ("name", "version"):
        if not isinstance(declared.get(field), str) or not declared[field]:
            raise Problem(f"a release must have a `{field}` that is a text", *_place(locator, field))
    name, version = declared["name"], declared["version"]
    said = {field: declared[field] for field in _TRAITS if isinstance(declared.get(field), str)}
    labels = declared.get("labels")
    labels = {k: v for k, v in labels.items() if isinstance(v, str)} if isinstance(labels, dict) else {}
    registry = declared.get("registry")
    registry = registry if isinstance(registry, str) and registry else "local"
    return Subject(
        KIND,
        uri(registry, name, version),
        f"{name} {version}",
        document,
        start,
        locator,
        owner=said.get("owner", ""),
        team=said.get("team", ""),
        environment=said.get("environment", ""),
        labels={**labels, **said},
    )


def uri(registry: str, name: str, version: str) -> str:
    """``model://registry/name/version``, each part quoted where it has to be."""
    return "model://" + "/".join(quote(part, safe="") for part in (registry, name, version))


@dataclass(frozen=True, slots=True)
class Fields:
    """Finds what the release declares in release.yaml, where that is known, and the rest in the evidence."""

    evidence: FieldLocator
    release: FieldLocator | None

    def locate(self, path: Path) -> Location:
        if path and path[0] == "release" and self.release is not None:
            return self.release.locate(path[1:])
        return self.evidence.locate(path)


def _place(locator: Locator, field: str) -> tuple[int, int]:
    at = locator.locate(("release", field))
    return at.line, at.column


def _text(path: str) -> str:
    with open(path, "rb") as file:
        return text_of(file.read())
