"""Which field a violation is about, from its details or its message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.frameworks.field_path import field_path

POD_SPEC = {
    "replicas": 3,
    "containers": [{"name": "app", "image": "x"}, {"name": "side.car", "image": "y"}],
    "initContainers": [{"name": "setup"}],
    "volumes": [{"name": "cache", "emptyDir": {}}],
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web", "team": "a"}},
    "spec": POD_SPEC,
}
DEPLOYMENT = {"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": POD_SPEC}}}
CRON_JOB = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": POD_SPEC}}}}}


@pytest.mark.parametrize("name", ["path", "field", "fieldPath", "jsonPath"])
@pytest.mark.parametrize(
    ("value", "path"),
    [
        (["spec", "replicas"], ("spec", "replicas")),
        (["spec", "containers", 0], ("spec", "containers", 0)),
        ("/spec/replicas", ("spec", "replicas")),
        ("/spec/containers/1/image", ("spec", "containers", 1, "image")),
        ("/metadata/labels/app.kubernetes.io~1name", ("metadata", "labels", "app.kubernetes.io/name")),
        ("/a~01b", ("a~1b",)),
        ("spec.replicas", ("spec", "replicas")),
        ("$.spec.replicas", ("spec", "replicas")),
        ("spec.containers[1].image", ("spec", "containers", 1, "image")),
        ("metadata.labels['app.kubernetes.io/name']", ("metadata", "labels", "app.kubernetes.io/name")),
        ('metadata.labels["team"]', ("metadata", "labels", "team")),
        ("replicas", ("replicas",)),
        # A path named outright need not exist: what is missing is often what the violation is about.
        ("spec.securityContext.runAsNonRoot", ("spec", "securityContext", "runAsNonRoot")),
    ],
)
def test_details(name: str, value: Any, path: tuple[str | int, ...]) -> None:
    assert field_path("no", {name: value}, POD) == path


@pytest.mark.parametrize(
    "details",
    [
        None,
        {},
        "spec.replicas",
        ["spec"],
        {"path": ""},
        {"path": []},
        {"path": None},
        {"path": 3},
        {"path": ["spec", None]},
        {"path": ["spec", 1.5]},
        {"path": ["spec", True]},
        {"path": {"a": "b"}},
        {"other": "spec.replicas"},
        {"path": "…"},
    ],
)
def test_details_that_name_no_path(details: Any) -> None:
    assert field_path("no", details, POD) is None


def test_first_of_the_details_counts() -> None:
    assert field_path("no", {"field": "b", "path": "a"}, POD) == ("a",)
    assert field_path("no", {"field": "b", "path": 3}, POD) == ("b",)


def test_details_go_before_the_message() -> None:
    assert field_path("spec.replicas is bad", {"path": "metadata.name"}, POD) == ("metadata", "name")


@pytest.mark.parametrize(
    ("message", "document", "path"),
    [
        ("spec.replicas is 3", POD, ("spec", "replicas")),
        ("see (spec.containers[1].image).", POD, ("spec", "containers", 1, "image")),
        ('metadata.labels["team"] is wrong', POD, ("metadata", "labels", "team")),
        ("metadata.labels['app.kubernetes.io/name'] is wrong", POD, ("metadata", "labels", "app.kubernetes.io/name")),
        # The first that exists.
        ("spec.nothing and e.g. spec.replicas", POD, ("spec", "replicas")),
        ("spec.nothing is missing", POD, None),
        ("spec.containers[2].image", POD, None),
        ("image registry.example.com/app", POD, None),
        ("replicas is bad", POD, None),
        # Containers and volumes by their names
        ("container <app> is bad", POD, ("spec", "containers", 0)),
        ('container "app" is bad', POD, ("spec", "containers", 0)),
        ("Container: 'app' is bad", POD, ("spec", "containers", 0)),
        ("container `side.car` is bad", POD, ("spec", "containers", 1)),
        ("initContainer <setup> is bad", POD, ("spec", "initContainers", 0)),
        ("container <setup> is bad", POD, ("spec", "initContainers", 0)),
        ("volume <cache> is bad", POD, ("spec", "volumes", 0)),
        ("container <other> is bad", POD, None),
        ("container app is bad", POD, None),
        ("containers <app>", POD, None),
        ("container <app>", DEPLOYMENT, ("spec", "template", "spec", "containers", 0)),
        ("volume <cache>", CRON_JOB, ("spec", "jobTemplate", "spec", "template", "spec", "volumes", 0)),
        ("container <other>, container <side.car>", POD, ("spec", "containers", 1)),
        # Documents of any shape
        ("spec.replicas, container <app>", None, None),
        ("spec.replicas, container <app>", [], None),
        ("spec.replicas, container <app>", {"spec": "text"}, None),
        ("spec.replicas, container <app>", {"spec": {"containers": "text", "volumes": [None, "x"]}}, None),
        ("", POD, None),
    ],
)  # fmt: skip
def test_message(message: str, document: Any, path: Any) -> None:
    assert field_path(message, None, document) == path


NINES = "9" * 5000


@pytest.mark.parametrize(
    ("message", "value", "path"),
    [
        ("", "/a/²", ("a", "²")),
        ("", "/a/٣", ("a", "٣")),
        ("", f"/a/{NINES}", ("a", NINES)),
        ("", f"a[{NINES}]", ("a",)),
        (f"spec.containers[{NINES}]", None, None),
        ("spec.containers[²]", None, None),
    ],
)
def test_what_looks_like_an_index_and_is_none(message: str, value: Any, path: Any) -> None:
    assert field_path(message, {"path": value}, {"spec": {}}) == path


KEYS = st.text("abcXYZ_", min_size=1, max_size=4)


@settings(max_examples=100)
@given(st.lists(st.one_of(KEYS, st.integers(0, 2)), min_size=1, max_size=5), KEYS)
def test_every_way_of_writing_a_path_is_read(rest: list[str | int], first: str) -> None:
    path = (first, *rest)
    dotted = first + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    pointer = "".join(f"/{part}" for part in path)
    assert field_path("", {"path": list(path)}, None) == path
    assert field_path("", {"path": dotted}, None) == path
    assert field_path("", {"path": pointer}, None) == path


@settings(max_examples=100)
@given(st.text(max_size=200), st.dictionaries(st.sampled_from(["path", "field"]), st.text(max_size=50)))
def test_any_text_is_taken(message: str, details: dict[str, str]) -> None:
    path = field_path(message, details, POD)
    assert path is None or all(type(part) in (str, int) for part in path)
