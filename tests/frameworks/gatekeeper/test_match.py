"""spec.match: which objects a constraint is about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError
from solon.frameworks.gatekeeper.match import MatchError, Target, compile_match, glob, kinds_of


def obj(kind: str = "Pod", api: str = "v1", /, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


POD = obj("Pod", name="web", namespace="shop-eu", labels={"app": "web", "tier": "front"})
BARE = obj("Pod", name="bare", namespace="lab")
ROLE = obj("ClusterRole", "rbac.authorization.k8s.io/v1", name="reader")
SHOP = obj("Namespace", name="shop-eu", labels={"team": "retail", "stage": "prod"})
LAB = obj("Namespace", name="lab")
DEPLOYMENT = obj("Deployment", "apps/v1", name="web", namespace="shop-eu")
NAMESPACES = {"shop-eu": SHOP, "lab": LAB}
ALL = {"pod": POD, "bare": BARE, "role": ROLE, "shop": SHOP, "lab": LAB, "deployment": DEPLOYMENT}


def around(document: dict[str, Any]) -> dict[str, Any] | None:
    return NAMESPACES.get(document["metadata"].get("namespace", ""))


def expression(operator: str, *values: str, key: str = "tier") -> dict[str, Any]:
    return {
        "matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]
    }


@pytest.mark.parametrize(
    ("match", "names"),
    [
        (None, "pod bare role shop lab deployment"),
        ({}, "pod bare role shop lab deployment"),
        # kinds
        ({"kinds": []}, "pod bare role shop lab deployment"),
        ({"kinds": [{}]}, "pod bare role shop lab deployment"),
        ({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "pod bare"),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}, ""),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["Deployment"]}]}, "deployment"),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}]}, "deployment"),
        ({"kinds": [{"apiGroups": ["apps"]}]}, "deployment"),
        ({"kinds": [{"kinds": ["ClusterRole"]}]}, "role"),
        ({"kinds": [{"apiGroups": [], "kinds": []}]}, "pod bare role shop lab deployment"),
        ({"kinds": [{"kinds": ["ClusterRole"]}, {"apiGroups": ["apps"]}]}, "role deployment"),
        ({"kinds": [{"kinds": ["pod"]}]}, ""),
        ({"kinds": [{"kinds": ["P*"]}]}, ""),
        ({"kinds": [{"apiGroups": ["apps/v1"]}]}, ""),
        # scope
        ({"scope": "Cluster"}, "role shop lab"),
        ({"scope": "Namespaced"}, "pod bare deployment"),
        ({"scope": "*"}, "pod bare role shop lab deployment"),
        ({"scope": ""}, "pod bare role shop lab deployment"),
        ({"scope": "namespaced"}, "pod bare role shop lab deployment"),
        # namespaces: objects of the cluster always match
        ({"namespaces": []}, "pod bare role shop lab deployment"),
        ({"namespaces": ["lab"]}, "bare role lab"),
        ({"namespaces": ["shop-*"]}, "pod role shop deployment"),
        ({"namespaces": ["*-eu"]}, "pod role shop deployment"),
        ({"namespaces": ["*hop*"]}, "pod role shop deployment"),
        ({"namespaces": ["lab", "shop-eu"]}, "pod bare role shop lab deployment"),
        ({"namespaces": ["nowhere"]}, "role"),
        ({"excludedNamespaces": []}, "pod bare role shop lab deployment"),
        ({"excludedNamespaces": ["lab"]}, "pod role shop deployment"),
        ({"excludedNamespaces": ["*"]}, "role"),
        ({"namespaces": ["*"], "excludedNamespaces": ["l*"]}, "pod role shop deployment"),
        # name
        ({"name": ""}, "pod bare role shop lab deployment"),
        ({"name": "web"}, "pod deployment"),
        ({"name": "we*"}, "pod deployment"),
        ({"name": "*r"}, "role"),
        ({"name": "*a*"}, "bare role lab"),
        # labelSelector
        ({"labelSelector": {}}, "pod bare role shop lab deployment"),
        ({"labelSelector": {"matchLabels": {}, "matchExpressions": []}}, "pod bare role shop lab deployment"),
        ({"labelSelector": {"matchLabels": {"app": "web"}}}, "pod"),
        ({"labelSelector": {"matchLabels": {"app": "web", "tier": "back"}}}, ""),
        ({"labelSelector": expression("In", "front", "back")}, "pod"),
        ({"labelSelector": expression("NotIn", "front")}, "bare role shop lab deployment"),
        ({"labelSelector": expression("Exists")}, "pod"),
        ({"labelSelector": expression("DoesNotExist")}, "bare role shop lab deployment"),
        ({"labelSelector": {"matchLabels": {"app": "web"}, **expression("NotIn", "front")}}, ""),
        # namespaceSelector: of the namespace; of a Namespace its own labels; objects of the cluster match
        ({"namespaceSelector": {"matchLabels": {"team": "retail"}}}, "pod role shop deployment"),
        ({"namespaceSelector": expression("In", "prod", key="stage")}, "pod role shop deployment"),
        ({"namespaceSelector": expression("NotIn", "prod", key="stage")}, "bare role lab"),
        ({"namespaceSelector": expression("Exists", key="stage")}, "pod role shop deployment"),
        ({"namespaceSelector": expression("DoesNotExist", key="stage")}, "bare role lab"),
        # source
        ({"source": "All"}, "pod bare role shop lab deployment"),
        ({"source": "Original"}, "pod bare role shop lab deployment"),
        ({"source": "Generated"}, ""),
        # all must hold
        ({"kinds": [{"kinds": ["Pod"]}], "namespaces": ["shop-*"], "scope": "Namespaced"}, "pod"),
        ({"kinds": [{"kinds": ["Pod"]}], "scope": "Cluster"}, ""),
        # null is as if it were not there
        ({"kinds": None, "labelSelector": None, "name": None}, "pod bare role shop lab deployment"),
    ],
)
def test_match(match: Any, names: str) -> None:
    test = compile_match(match)
    assert [
        name for name, document in ALL.items() if test(Target(document, around(document)))
    ] == names.split()


@pytest.mark.parametrize(
    ("source", "wanted", "matches"),
    [
        ("Original", "All", True),
        ("Generated", "All", True),
        ("Original", "Generated", False),
        ("Generated", "Generated", True),
        ("Generated", "Original", False),
    ],
)
def test_source(source: str, wanted: str, matches: bool) -> None:
    assert compile_match({"source": wanted})(Target(POD, SHOP, source)) is matches


@pytest.mark.parametrize(
    ("pattern", "generate", "matches"),
    [
        ("web-", "web-", False),
        ("web-*", "web-", True),
        ("we*", "web-", True),
        ("*eb*", "web-", True),
        ("*web-", "web-", False),
        ("*", "web-", True),
        ("other*", "web-", False),
        ("*", "", True),
        ("web*", "", False),
    ],
)
def test_generated_name(pattern: str, generate: str, matches: bool) -> None:
    pod = obj("Pod", **({"generateName": generate} if generate else {}))
    assert compile_match({"name": pattern})(Target(pod, None)) is matches


@pytest.mark.parametrize(
    "document",
    [
        {"apiVersion": "v1", "kind": "Pod"},
        {"apiVersion": "v1", "kind": "Pod", "metadata": None},
        obj(labels=[]),
    ],
)
@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ({"scope": "Cluster"}, True),
        ({"namespaces": ["x"]}, True),
        ({"excludedNamespaces": ["*"]}, True),
        ({"labelSelector": {"matchLabels": {"a": "b"}}}, False),
        ({"labelSelector": expression("DoesNotExist")}, True),
        ({"namespaceSelector": {"matchLabels": {"a": "b"}}}, True),
        ({"name": "x*"}, False),
    ],
)
def test_object_with_little_metadata(document: Any, match: Any, matches: bool) -> None:
    assert compile_match(match)(Target(document, None)) is matches


def test_namespace_of_the_request_counts_where_the_object_names_none() -> None:
    pod = obj(name="web")
    assert compile_match({"scope": "Namespaced"})(Target(pod, SHOP))
    assert compile_match({"namespaces": ["shop-eu"]})(Target(pod, SHOP))
    assert not compile_match({"excludedNamespaces": ["shop-eu"]})(Target(pod, SHOP))
    assert compile_match({"namespaceSelector": {"matchLabels": {"team": "retail"}}})(Target(pod, SHOP))


def test_namespace_of_another_group_is_an_ordinary_object() -> None:
    other = Target(obj("Namespace", "example.com/v1", name="shop-eu", labels={"team": "retail"}), None)
    assert not compile_match({"scope": "Namespaced"})(other)
    assert compile_match({"namespaces": ["nowhere"]})(other)


def test_unknown_namespace_cannot_be_matched_by_its_labels() -> None:
    selects = compile_match({"namespaceSelector": {"matchLabels": {"team": "retail"}}})
    with pytest.raises(MatchError, match="missing Namespace"):
        selects(Target(POD, None))
    # Fields are asked in order, so that one that does not match spares the question.
    assert not compile_match({"name": "x", "scope": "Cluster", "namespaceSelector": {}})(Target(POD, None))


@pytest.mark.parametrize(
    ("match", "error", "message"),
    [
        # What the schema of constraints refuses:
        ([], SchemaError, "spec.match must be an object"),
        ("Pod", SchemaError, "spec.match must be an object"),
        ({"kinds": "Pod"}, SchemaError, "spec.match.kinds must be a list of {apiGroups, kinds}"),
        ({"kinds": ["Pod"]}, SchemaError, "spec.match.kinds must be a list of {apiGroups, kinds}"),
        ({"kinds": {"kinds": ["Pod"]}}, SchemaError, "spec.match.kinds must be a list of {apiGroups, kinds}"),
        ({"kinds": [{"kinds": "Pod"}]}, SchemaError, "spec.match.kinds.kinds must be a list of strings"),
        ({"kinds": [{"kinds": "*"}]}, SchemaError, "spec.match.kinds.kinds must be a list of strings"),
        (
            {"kinds": [{"apiGroups": [1]}]},
            SchemaError,
            "spec.match.kinds.apiGroups must be a list of strings",
        ),
        ({"scope": 3}, SchemaError, "spec.match.scope must be a string: Cluster, Namespaced or *"),
        ({"namespaces": "shop"}, SchemaError, "spec.match.namespaces must be a list of strings"),
        ({"namespaces": [1]}, SchemaError, "spec.match.namespaces must be a list of strings"),
        ({"excludedNamespaces": "x"}, SchemaError, "spec.match.excludedNamespaces must be a list of strings"),
        (
            {"namespaces": ["a*b"]},
            SchemaError,
            "spec.match.namespaces: 'a*b' must be lower-case letters, digits, '-' and ':', with '*' at its",
        ),
        ({"excludedNamespaces": ["Shop"]}, SchemaError, "spec.match.excludedNamespaces: 'Shop' must be"),
        ({"name": 3}, SchemaError, "spec.match.name must be a string"),
        ({"name": ["web"]}, SchemaError, "spec.match.name must be a string"),
        ({"name": "Web"}, SchemaError, "spec.match.name: 'Web' must be lower-case letters"),
        ({"labelSelector": "app=web"}, SchemaError, "spec.match.labelSelector must be a label selector"),
        ({"labelSelector": []}, SchemaError, "spec.match.labelSelector must be a label selector"),
        (
            {"labelSelector": {"matchLabels": ["a"]}},
            SchemaError,
            "spec.match.labelSelector.matchLabels must be an object of strings",
        ),
        (
            {"namespaceSelector": {"matchLabels": {"a": 1}}},
            SchemaError,
            "spec.match.namespaceSelector.matchLabels must be an object of strings",
        ),
        (
            {"labelSelector": {"matchExpressions": {"key": "a"}}},
            SchemaError,
            "spec.match.labelSelector.matchExpressions must be a list",
        ),
        (
            {"labelSelector": {"matchExpressions": [{"operator": "Exists"}]}},
            SchemaError,
            "spec.match.labelSelector.matchExpressions needs a key",
        ),
        (
            {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]}},
            SchemaError,
            "spec.match.labelSelector.matchExpressions.values must be a list of strings",
        ),
        (
            {"source": "original"},
            SchemaError,
            "spec.match.source 'original' is unknown: must be All, Original or Generated",
        ),
        ({"source": ""}, SchemaError, "spec.match.source '' is unknown"),
        # What makes no sense otherwise:
        (
            {"kind": "Pod"},
            GatekeeperError,
            "spec.match.kind: unknown field; known are kinds, scope, namespaces",
        ),
        (
            {"kinds": [{"kind": ["Pod"]}]},
            GatekeeperError,
            "spec.match.kinds: unknown field kind; known are apiGroups, kinds",
        ),
        (
            {"labelSelector": {"app": "web"}},
            GatekeeperError,
            "spec.match.labelSelector.app: unknown field; known are matchLabels, matchExpressions",
        ),
        ({"labelSelector": expression("In")}, GatekeeperError, "matchExpressions: In needs values"),
        ({"labelSelector": expression("NotIn")}, GatekeeperError, "matchExpressions: NotIn needs values"),
        (
            {"namespaceSelector": expression("Exists", "a")},
            GatekeeperError,
            "spec.match.namespaceSelector.matchExpressions: Exists takes no values",
        ),
        (
            {"labelSelector": expression("exists")},
            GatekeeperError,
            "matchExpressions: 'exists' is not a valid operator: In, NotIn, Exists or DoesNotExist",
        ),
        (
            {"labelSelector": {"matchExpressions": [{"key": "a"}]}},
            GatekeeperError,
            "matchExpressions: None is not a valid operator",
        ),
    ],
)
def test_malformed(match: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(GatekeeperError) as caught:
        compile_match(match)
    assert type(caught.value) is error
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("match", "group", "kind", "expected"),
    [
        (None, "apps", "Deployment", True),
        ({}, "", "Pod", True),
        ({"kinds": []}, "", "Pod", True),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]}, "apps", "Deployment", True),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]}, "", "Deployment", False),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["Deployment"]}]}, "any", "Deployment", True),
    ],
)
def test_kinds_alone(match: Any, group: str, kind: str, expected: bool) -> None:
    assert kinds_of(match)(group, kind) is expected


TEXT = st.text("ab*-", max_size=5)


@settings(max_examples=100)
@given(TEXT.map(lambda text: text.replace("*", "")), TEXT.map(lambda text: text.replace("*", "")), TEXT)
def test_glob(inner: str, other: str, text: str) -> None:
    assert glob(inner)(text) is (text == inner)
    assert glob(inner + "*")(inner + other)
    assert glob("*" + inner)(other + inner)
    assert glob("*" + inner + "*")(other + inner + other)
    assert glob("*" + inner + "*")(text) is (inner in text)
