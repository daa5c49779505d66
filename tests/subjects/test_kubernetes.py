"""Kubernetes objects as subjects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.subjects import discover
from solon.subjects.subject import Subject, Unreadable

Read = Callable[[str], list[Any]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)

    def run(text: str) -> list[Subject | Unreadable]:
        Path("x.yaml").write_text(text)
        return list(discover.read(discover.Input("x.yaml", True), stdin=lambda _: b""))

    return run


def shape(subject: Subject) -> tuple[str, str, str, str]:
    return subject.kind, subject.uri, subject.name, subject.namespace


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: ns, labels: {app: x, size: 3}}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (POD, ("kubernetes.object", "k8s://manifests/ns/Pod/a", "Pod/a", "ns")),
        (
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n",
            ("kubernetes.object", "k8s://manifests/-/Namespace/ns", "Namespace/ns", ""),
        ),
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n",
            ("kubernetes.object", "k8s://manifests/-/Job/run-", "Job/run-", ""),
        ),
        (
            "apiVersion: v1\nkind: Pod\n",
            ("kubernetes.object", "k8s://manifests/-/Pod/-", "Pod/-", ""),
        ),
        (
            "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nmetadata: {name: t, namespace: ml}\n",
            ("kubernetes.object", "k8s://manifests/ml/PyTorchJob/t", "PyTorchJob/t", "ml"),
        ),
        # not well-formed where a name is expected: judged all the same
        (
            "apiVersion: v1\nkind: Pod\nmetadata: [a]\n",
            ("kubernetes.object", "k8s://manifests/-/Pod/-", "Pod/-", ""),
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: 7, namespace: no}\n",
            ("kubernetes.object", "k8s://manifests/-/Pod/-", "Pod/-", ""),
        ),
        # a kind that only ends like a list of objects
        (
            "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: []}\n",
            ("kubernetes.object", "k8s://manifests/-/AllowList/a", "AllowList/a", ""),
        ),
        # no Kubernetes object: a document, as Conftest judges any
        ("services: {web: {image: a}}\n", ("document", "file://x.yaml", "x.yaml", "")),
        ("apiVersion: v1\nkind: ''\n", ("document", "file://x.yaml", "x.yaml", "")),
        ("kind: Pod\n", ("document", "file://x.yaml", "x.yaml", "")),
        ("apiVersion: 1\nkind: Pod\n", ("document", "file://x.yaml", "x.yaml", "")),
    ],
)
def test_a_document(read: Read, text: str, found: tuple[str, str, str, str]) -> None:
    (subject,) = read(text)
    assert shape(subject) == found


def test_labels_are_texts(read: Read) -> None:
    (pod,) = read(POD)
    assert pod.labels == {"app": "x"}


def test_many_documents(read: Read) -> None:
    found = read(POD + "---\n---\n# none\n---\n" + POD.replace("name: a", "name: b"))
    assert [(s.name, s.location.line) for s in found] == [("Pod/a", 1), ("Pod/b", 8)]


DUMP = """\
apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a, namespace: ns}
- apiVersion: apps/v1
  kind: DeploymentList
  items:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: inner, namespace: ns}
kind: %s
metadata:
  resourceVersion: ""
"""


@pytest.mark.parametrize("kind", ["List", "PodList"])
def test_a_dump_is_unrolled(read: Read, kind: str) -> None:
    found = read(DUMP % kind)
    assert [s.uri for s in found] == ["k8s://manifests/ns/Pod/a", "k8s://manifests/ns/Deployment/inner"]
    assert [str(s.locator.locate(("metadata",))) for s in found] == ["x.yaml:5:3", "x.yaml:11:5"]


def test_a_dump_as_json_is_the_same(read: Read) -> None:
    found = read('{"apiVersion": "v1", "kind": "List", "items": [\n {"apiVersion": "v1", "kind": "Pod"}]}')
    assert [(s.name, str(s.locator.locate(("kind",)))) for s in found] == [("Pod/-", "x.yaml:2:23")]


@pytest.mark.parametrize("items", ["[]", "null", "{}"])
def test_an_empty_list_holds_nothing(read: Read, items: str) -> None:
    found = read(f"apiVersion: v1\nkind: List\nitems: {items}\n")
    assert [s for s in found if s.kind == "kubernetes.object" and s.name != "List/-"] == []
