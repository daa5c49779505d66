"""input.review, as Gatekeeper builds it of plain objects and of AdmissionReviews."""

from __future__ import annotations

from typing import Any

import pytest

from solon.frameworks.gatekeeper.errors import GatekeeperError
from solon.frameworks.gatekeeper.review import is_admission_review, review_of

SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "retail"}}}
NAMESPACES = {"shop": SHOP}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
OLD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}},
}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}


def admission(**request: Any) -> dict[str, Any]:
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def test_plain_object() -> None:
    # What gator shows for such a Pod; it never knows the Namespace, which a cluster does.
    assert review_of(POD, {}).document == {
        "uid": "",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "", "resource": ""},
        "operation": "",
        "userInfo": {},
        "object": POD,
        "oldObject": None,
        "options": None,
        "name": "web",
        "namespace": "shop",
        "namespaceObject": {},
    }


@pytest.mark.parametrize(
    ("document", "kind", "present"),
    [
        (ROLE, ("rbac.authorization.k8s.io", "v1", "ClusterRole"), {"name"}),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, ("apps", "v1", "Deployment"), set()),
        ({"kind": "Pod"}, ("", "", "Pod"), set()),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-", "namespace": "n"}},
            ("", "v1", "Pod"),
            {"namespace"},
        ),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "", "namespace": ""}},
            ("", "v1", "Pod"),
            set(),
        ),
    ],
)
def test_kind_and_names(document: Any, kind: tuple[str, str, str], present: set[str]) -> None:
    review = review_of(document, {}).document
    assert tuple(review["kind"].values()) == kind
    assert {"name", "namespace"} & set(review) == present


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (POD, SHOP),
        ({**POD, "metadata": {"namespace": "lab"}}, {}),
        (ROLE, {}),
        (SHOP, {}),
        (admission(operation="CREATE", object=POD), SHOP),
        (admission(operation="CREATE", namespace="shop", object={"apiVersion": "v1", "kind": "Pod"}), SHOP),
        (admission(operation="DELETE", oldObject=OLD), SHOP),
        (admission(operation="UPDATE", namespace="shop", object=SHOP, oldObject=SHOP), {}),
    ],
)
def test_namespace_around(document: Any, expected: Any) -> None:
    review = review_of(document, NAMESPACES)
    assert review.document["namespaceObject"] == expected
    assert [target.namespace or {} for target in review.targets] == [expected] * len(review.targets)


REQUEST = {
    "uid": "u",
    "kind": {"group": "", "version": "v1", "kind": "Pod"},
    "resource": {"group": "", "version": "v1", "resource": "pods"},
    "subResource": "status",
    "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
    "requestResource": {"group": "", "version": "v1", "resource": "pods"},
    "requestSubResource": "status",
    "name": "web",
    "namespace": "shop",
    "operation": "UPDATE",
    "userInfo": {"username": "ann", "groups": ["devs"]},
    "object": POD,
    "oldObject": OLD,
    "dryRun": True,
    "options": {"kind": "UpdateOptions"},
}


def test_admission_review_keeps_what_the_request_says() -> None:
    assert review_of(admission(**REQUEST), {}).document == {**REQUEST, "namespaceObject": {}}


def test_admission_review_that_says_little() -> None:
    review = review_of(admission(operation="CREATE", object=ROLE), {}).document
    assert review["kind"] == {"group": "rbac.authorization.k8s.io", "version": "v1", "kind": "ClusterRole"}
    assert (review["uid"], review["userInfo"], review["options"], review["oldObject"]) == ("", {}, None, None)


@pytest.mark.parametrize(
    ("request_", "objects", "targets"),
    [
        ({"operation": "CREATE", "object": POD}, (POD, None), [POD]),
        ({"operation": "UPDATE", "object": POD, "oldObject": OLD}, (POD, OLD), [POD, OLD]),
        # The object that goes away is the one to judge.
        ({"operation": "DELETE", "oldObject": OLD}, (OLD, OLD), [OLD, OLD]),
        ({"operation": "DELETE", "object": None, "oldObject": OLD}, (OLD, OLD), [OLD, OLD]),
        ({"operation": "CONNECT", "oldObject": OLD}, (None, OLD), [OLD]),
    ],
)
def test_objects(request_: Any, objects: tuple[Any, Any], targets: list[Any]) -> None:
    review = review_of(admission(**request_), {})
    assert (review.document["object"], review.document["oldObject"]) == objects
    assert [target.object for target in review.targets] == targets


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"},
            "request did not actually pass in",
        ),
        (admission(), 'does not contain an "object" or "oldObject" to review'),
        (admission(operation="CREATE", object=None), 'does not contain an "object" or "oldObject" to review'),
        (admission(operation="CREATE", object="x"), 'does not contain an "object" or "oldObject" to review'),
        (admission(operation="DELETE", object=POD), "oldObject cannot be nil for DELETE operations"),
        (admission(operation="CREATE", object=POD, user="ann"), "unknown field request.user"),
    ],
)
def test_malformed_admission_review(document: Any, message: str) -> None:
    with pytest.raises(GatekeeperError, match=message):
        review_of(document, {})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (admission(), True),
        ({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}, True),
        ({"apiVersion": "example.com/v1", "kind": "AdmissionReview"}, False),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "Review"}, False),
        (POD, False),
        ([], False),
        (None, False),
    ],
)
def test_which_documents_are_admission_reviews(document: Any, expected: bool) -> None:
    assert is_admission_review(document) is expected


def test_source_is_passed_on() -> None:
    assert [t.source for t in review_of(POD, {}, "Generated").targets] == ["Generated"]
    assert [t.source for t in review_of(admission(object=POD), {}, "Generated").targets] == ["Generated"]
