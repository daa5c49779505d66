"""The match section of a constraint: which objects it is about.

Every field that is given must match; an object of an AdmissionReview matches by its new or its old version.
(Gatekeeper documentation, "The match field".)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.gatekeeper.errors import GatekeeperError

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """An object to match, and what is known around it. ``namespace`` is the Namespace object, if known."""

    object: Object
    namespace: Object | None
    source: str = "Original"


class MatchError(Exception):
    """Whether the object matches cannot be told; Gatekeeper then rejects it."""


Test = Callable[[Target], bool]


def compile_match(match: Any) -> Test:
    """A test for the match section. Raises GatekeeperError where the section is malformed."""
    if match is None:
        match = {}
    if not isinstance(match, dict):
        raise GatekeeperError("spec.match must be an object")
    unknown = sorted(set(match) - set(_FIELDS))
    if unknown:
        raise GatekeeperError(f"spec.match.{unknown[0]}: unknown field; known are {', '.join(_FIELDS)}")
    tests = [_FIELDS[name](match[name]) for name in _FIELDS if match.get(name) not in (None, [], "")]

    def matches(target: Target) -> bool:
        return all(test(target) for test in tests)

    return matches


def kinds_of(match: Any) -> Callable[[str, str], bool]:
    """A test for (group, kind) alone, to narrow constraints before any is asked."""
    entries = match.get("kinds") if isinstance(match, dict) else None
    return _kind_test(entries) if entries else lambda group, kind: True


# --- names


def group_of(obj: Object) -> str:
    group, slash, _ = str(obj.get("apiVersion", "")).partition("/")
    return group if slash else ""


def metadata(obj: Object, field: str) -> Any:
    found = obj.get("metadata")
    return found.get(field) if isinstance(found, dict) else None


def namespace_name(obj: Object) -> str:
    found = metadata(obj, "namespace")
    return found if isinstance(found, str) else ""


def is_namespace(obj: Object) -> bool:
    return obj.get("kind") == "Namespace" and group_of(obj) == ""


def labels_of(obj: Object | None) -> dict[str, Any]:
    found = metadata(obj, "labels") if obj is not None else None
    return found if isinstance(found, dict) else {}


def _strings(value: Any, field: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise GatekeeperError(f"spec.match.{field} must be a list of strings")
    return value


def glob(pattern: str) -> Callable[[str], bool]:
    """``*`` at either end stands for anything; elsewhere it is a character."""
    if pattern.startswith("*") and pattern.endswith("*") and len(pattern) > 1:
        inner = pattern[1:-1]
        return lambda text: inner in text
    if pattern.startswith("*"):
        return lambda text: text.endswith(pattern[1:])
    if pattern.endswith("*"):
        return lambda text: text.startswith(pattern[:-1])
    return lambda text: text == pattern


# --- one function for each field


def _kinds(entries: Any) -> Test:
    test = _kind_test(entries)
    return lambda target: test(group_of(target.object), str(target.object.get("kind", "")))


def _kind_test(entries: Any) -> Callable[[str, str], bool]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise GatekeeperError("spec.match.kinds must be a list of {apiGroups, kinds}")
    pairs = [(_any(entry.get("apiGroups")), _any(entry.get("kinds"))) for entry in entries]
    return lambda group, kind: any(
        (groups is None or group in groups) and (kinds is None or kind in kinds) for groups, kinds in pairs
    )


def _any(names: Any) -> frozenset[str] | None:
    """The names, or None where they are all."""
    return None if not names or "*" in names else frozenset(_strings(names, "kinds"))


def _scope(scope: Any) -> Test:
    if scope == "Cluster":
        return lambda t: is_namespace(t.object) or not (namespace_name(t.object) or t.namespace)
    if scope == "Namespaced":
        return lambda t: not is_namespace(t.object) and bool(namespace_name(t.object) or t.namespace)
    return lambda t: True


def _namespace(target: Target) -> str | None:
    """The name that namespace lists are matched with; None for objects that have none."""
    if is_namespace(target.object):
        return str(metadata(target.object, "name") or "")
    if target.namespace is not None:
        return str(metadata(target.namespace, "name") or "")
    return namespace_name(target.object) or None


def _namespaces(patterns: Any) -> Test:
    tests = [glob(pattern) for pattern in _strings(patterns, "namespaces")]

    def test(target: Target) -> bool:
        name = _namespace(target)
        return name is None or any(t(name) for t in tests)

    return test


def _excluded_namespaces(patterns: Any) -> Test:
    tests = [glob(pattern) for pattern in _strings(patterns, "excludedNamespaces")]

    def test(target: Target) -> bool:
        name = _namespace(target)
        return name is None or not any(t(name) for t in tests)

    return test


def selector(value: Any, field: str) -> Callable[[dict[str, Any]], bool]:
    """A metav1.LabelSelector as a test of labels."""
    if not isinstance(value, dict):
        raise GatekeeperError(f"spec.match.{field} must be a label selector")
    wanted = value.get("matchLabels") or {}
    if not isinstance(wanted, dict):
        raise GatekeeperError(f"spec.match.{field}.matchLabels must be an object")
    tests = [_expression(entry, field) for entry in value.get("matchExpressions") or []]
    return lambda labels: all(labels.get(k) == v for k, v in wanted.items()) and all(t(labels) for t in tests)


def _expression(entry: Any, field: str) -> Callable[[dict[str, Any]], bool]:
    where = f"spec.match.{field}.matchExpressions"
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise GatekeeperError(f"{where} needs a key")
    key, operator, values = entry["key"], entry.get("operator"), entry.get("values") or []
    if operator in ("In", "NotIn") and not values:
        raise GatekeeperError(f"{where}: {operator} needs values")
    if operator in ("Exists", "DoesNotExist") and values:
        raise GatekeeperError(f"{where}: {operator} takes no values")
    match operator:
        case "In":
            return lambda labels: key in labels and labels[key] in values
        case "NotIn":
            return lambda labels: key not in labels or labels[key] not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
        case _:
            raise GatekeeperError(
                f"{where}: {operator!r} is not a valid operator: In, NotIn, Exists or DoesNotExist"
            )


def _label_selector(value: Any) -> Test:
    test = selector(value, "labelSelector")
    return lambda target: test(labels_of(target.object))


def _namespace_selector(value: Any) -> Test:
    test = selector(value, "namespaceSelector")

    def matches(target: Target) -> bool:
        obj = target.object
        if is_namespace(obj):
            return test(labels_of(obj))
        if target.namespace is None:
            if not namespace_name(obj):
                return True  # cluster-scoped
            raise MatchError("namespace selector for namespace-scoped object but missing Namespace")
        return test(labels_of(target.namespace))

    return matches


def _name(pattern: Any) -> Test:
    if not isinstance(pattern, str):
        raise GatekeeperError("spec.match.name must be a string")
    test = glob(pattern)
    prefix = pattern.endswith("*")

    def matches(target: Target) -> bool:
        name, generate = metadata(target.object, "name"), metadata(target.object, "generateName")
        if isinstance(name, str) and test(name):
            return True
        # What is behind a generated name's prefix is not known: only a pattern open at its end can match.
        return prefix and isinstance(generate, str) and generate != "" and test(generate)

    return matches


def _source(source: Any) -> Test:
    if source not in ("All", "Original", "Generated"):
        raise GatekeeperError(f"invalid source field {source!r}: must be All, Original or Generated")
    return lambda target: source in ("All", target.source)


_FIELDS: Final[dict[str, Callable[[Any], Test]]] = {
    "kinds": _kinds,
    "scope": _scope,
    "namespaces": _namespaces,
    "excludedNamespaces": _excluded_namespaces,
    "labelSelector": _label_selector,
    "namespaceSelector": _namespace_selector,
    "name": _name,
    "source": _source,
}
