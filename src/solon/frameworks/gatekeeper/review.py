"""``input.review``: what a template's Rego is given, as Gatekeeper builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.match import Object, Target, group_of, is_namespace, metadata, namespace_name


@dataclass(frozen=True, slots=True)
class Review:
    """An admission request: the document for Rego, and the versions of the object to match.

    ``rejections``: constraints (kind, name) of which it cannot be told whether they match, and why.
    """

    document: dict[str, Any]
    targets: tuple[Target, ...]
    rejections: dict[tuple[str, str], str] = field(default_factory=dict)


def is_admission_review(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("kind") == "AdmissionReview"
        and group_of(document) == "admission.k8s.io"
    )


def review_of(document: Object, namespaces: Mapping[str, Object], source: str = "Original") -> Review:
    """The review of a plain object, or of an AdmissionReview. Raises GatekeeperError."""
    if is_admission_review(document):
        return _from_admission_review(document, namespaces, source)
    group, version = group_of(document), str(document.get("apiVersion", "")).rpartition("/")[2]
    name, namespace = metadata(document, "name"), namespace_name(document)
    review: dict[str, Any] = {
        "uid": "",
        "kind": {"group": group, "version": version, "kind": document.get("kind", "")},
        "resource": {"group": "", "version": "", "resource": ""},
        "operation": "",
        "userInfo": {},
        "object": document,
        "oldObject": None,
        "options": None,
    }
    if isinstance(name, str) and name:
        review["name"] = name
    if namespace:
        review["namespace"] = namespace
    around = None if is_namespace(document) else namespaces.get(namespace)
    review["namespaceObject"] = around if around is not None else {}
    return Review(review, (Target(document, around, source),))


_REQUEST_FIELDS = frozenset(
    [
        "uid", "kind", "resource", "subResource", "requestKind", "requestResource", "requestSubResource", "name",
        "namespace", "operation", "userInfo", "object", "oldObject", "dryRun", "options",
    ]  # fmt: skip
)  # fmt: skip


def _from_admission_review(document: Object, namespaces: Mapping[str, Object], source: str) -> Review:
    request = document.get("request")
    if not isinstance(request, dict):
        raise GatekeeperError("request did not actually pass in an AdmissionRequest")
    unknown = sorted(set(request) - _REQUEST_FIELDS)
    if unknown:
        raise GatekeeperError(
            f"unable to convert to an AdmissionReview object: unknown field request.{unknown[0]}"
        )
    new, old = request.get("object"), request.get("oldObject")
    if not isinstance(new, dict) and not isinstance(old, dict):
        raise GatekeeperError('AdmissionRequest does not contain an "object" or "oldObject" to review')
    review: dict[str, Any] = {
        "uid": "", "resource": {"group": "", "version": "", "resource": ""}, "operation": "", "userInfo": {},
        "options": None, **request, "object": new, "oldObject": old,
    }  # fmt: skip
    if review["operation"] == "DELETE":
        if not isinstance(old, dict):
            raise GatekeeperError("oldObject cannot be nil for DELETE operations")
        review["object"] = old
    versions = [v for v in (review["object"], old) if isinstance(v, dict)]
    if "kind" not in request:
        version = str(versions[0].get("apiVersion", "")).rpartition("/")[2]
        review["kind"] = {
            "group": group_of(versions[0]),
            "version": version,
            "kind": versions[0].get("kind", ""),
        }
    namespace = str(request.get("namespace") or namespace_name(versions[0]))
    around = None if is_namespace(versions[0]) else namespaces.get(namespace)
    review["namespaceObject"] = around if around is not None else {}
    return Review(review, tuple(Target(v, around, source) for v in versions))
