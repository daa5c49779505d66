"""Kubernetes objects, and other documents that stand between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from solon.subjects.documents import Document
from solon.subjects.positions import FieldLocator, SourceFile
from solon.subjects.subject import Location, Path, Subject

OBJECT = "kubernetes.object"
DOCUMENT = "document"
NO_CLUSTER = "manifests"  # where nobody says which


def subjects(document: Document, file: SourceFile, cluster: str = NO_CLUSTER) -> Iterator[Subject]:
    """The objects of a document: itself, the items of a List (``kubectl get -o yaml``), or those of a plain list."""
    value = document.value
    if isinstance(value, list) and value and all(isinstance(item, dict | list) for item in value):
        for index, item in enumerate(value):
            yield from _subjects(item, (index,), document, file, cluster)
    else:
        yield from _subjects(value, (), document, file, cluster)


def _subjects(
    value: Any, path: Path, document: Document, file: SourceFile, cluster: str
) -> Iterator[Subject]:
    start = Location(file.name, document.row)
    locator = FieldLocator(file, document.index, start, path)
    if not is_object(value):
        name = f"{file.name}#{document.index}" if document.index else file.name
        uri = "file://" + "/".join([name, *map(str, path)])
        name += "".join(f"[{part}]" for part in path if isinstance(part, int))
        yield Subject(DOCUMENT, uri, name, value, start, locator)
        return
    kind = value["kind"]
    if is_list(value):
        for index, item in enumerate(value["items"]):
            yield from _subjects(item, (*path, "items", index), document, file, cluster)
        return
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = _text(metadata.get("name")) or _text(metadata.get("generateName")) or "-"
    namespace = _text(metadata.get("namespace"))
    uri = f"k8s://{cluster}/{namespace or '-'}/{kind}/{name}"
    yield Subject(
        OBJECT, uri, f"{kind}/{name}", value, start, locator, namespace=namespace, labels=_labels(metadata)
    )


def is_object(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("apiVersion"), str)
        and isinstance(value.get("kind"), str)
        and bool(value["kind"])
    )


def is_list(value: Mapping[str, Any]) -> bool:
    return str(value["kind"]).endswith("List") and isinstance(value.get("items"), list)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _labels(metadata: Mapping[str, Any]) -> dict[str, str]:
    labels = metadata.get("labels")
    if not isinstance(labels, dict):
        return {}
    return {name: value for name, value in labels.items() if isinstance(value, str)}
