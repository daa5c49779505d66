"""Collects what the model card, the data sheet and the risk assessment of a release say."""

from __future__ import annotations

from solon.evidence import digests
from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.document import Measured, stamp
from solon.evidence.documentation import dates, reading
from solon.evidence.documentation.fields import KINDS, Kind
from solon.evidence.documentation.result import Document, Documentation

MAX_BYTES = 1 << 20


def collect(given: Given) -> Collected | None:
    """The documents that the release names; what is wrong with one of them is a problem in it. Raises CannotCollect."""
    declared = given.release.documentation
    if declared is None:
        return None
    paths: dict[Kind, str] = {kind: path for kind in KINDS if (path := getattr(declared, kind))}
    if not paths:
        raise CannotCollect("release.yaml names no document: write `documentation: {model_card: README.md}`")
    documents: dict[str, Document] = {}
    measured: list[Measured] = []
    for done, (kind, path) in enumerate(paths.items()):
        given.progress(path, done, len(paths))
        documents[kind] = found = _document(given, kind, path)
        if found.digest:
            measured.append(Measured(kind, found.digest, path))
    return Collected(Documentation(documents, _trained_at(given)), ", ".join(paths.values()), measured)


def _document(given: Given, kind: Kind, path: str) -> Document:
    try:
        whole = given.path(path)
        with open(whole, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            problem = f"{path}: larger than {MAX_BYTES >> 20} MiB: a document for people is not"
            return Document(path, digests.of_file(whole), problems=[problem])
    except CannotCollect as error:
        return Document(path, problems=[str(error)])
    except OSError as error:
        return Document(path, problems=[f"{path}: {(error.strerror or str(error)).lower()}"])
    return reading.document(data, kind, path, digests.of_bytes(data), given.now)


def _trained_at(given: Given) -> str:
    text = given.release.trained_at
    try:
        return stamp(dates.moment(text)) if text else ""
    except dates.NoDate as error:
        raise CannotCollect(f"release.yaml: trained_at: {error}") from None
