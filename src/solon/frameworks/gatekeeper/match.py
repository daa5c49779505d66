"""The match section of a constraint: which objects it is about.

Every field that is given must match; an object of an AdmissionReview matches by its new or its old version.
(Gatekeeper documentation, "The match field".)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from solon.frameworks.gatekeeper.errors import GatekeeperError, SchemaError

Object = dict[str, Any]

# What the schema of constraints has names and namespaces look like.
_PATTERN: Final = re.compile(r"\*?[-:a-z0-9]*\*?")


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
    """A test for the match section.

    Raises SchemaError where a field has not the form that the schema of constraints asks for, GatekeeperError
    where the section makes no sense otherwise.
    """
    if match is None:
        match = {}
    if not isinstance(match, dict):
        raise SchemaError("spec.match must be an object")
    unknown = sorted(set(match) - set(_FIELDS))
    if unknown:
        raise GatekeeperError(f"spec.match.{unknown[0]}: unknown field; known are {', '.join(_FIELDS)}")
    tests = [_FIELDS[name](match[name]) for name in _FIELDS if match.get(name) is not None]

    def matches(target: Target) -> bool:
        for test in tests:  # noqa: SIM110 - all() takes twice as long, for each constraint and object
            if not test(target):
                return False
        return True

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
        raise SchemaError(f"spec.match.{field} must be a list of strings")
    return value


def _pattern(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise SchemaError(f"spec.match.{field} must be a string")
    if not _PATTERN.fullmatch(value):
        raise SchemaError(
            f"spec.match.{field}: {value!r} must be lower-case letters, digits, '-' and ':', "
            "with '*' at its ends alone"
        )
    return value


def _patterns(values: Any, field: str) -> list[Callable[[str], bool]]:
    return [glob(_pattern(value, field)) for value in _strings(values, field)]


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
        raise SchemaError("spec.match.kinds must be a list of {apiGroups, kinds}")
    unknown = sorted(name for entry in entries for name in entry if name not in ("apiGroups", "kinds"))
    if unknown:
        raise GatekeeperError(f"spec.match.kinds: unknown field {unknown[0]}; known are apiGroups, kinds")
    pairs = [
        (_any(entry.get("apiGroups"), "kinds.apiGroups"), _any(entry.get("kinds"), "kinds.kinds"))
        for entry in entries
    ]
    if not pairs:
        return lambda group, kind: True
    exact = {(g, k) for groups, kinds in pairs if groups and kinds for g in groups for k in kinds}
    open_ = [(groups, kinds) for groups, kinds in pairs if not (groups and kinds)]
    return lambda group, kind: (
        (group, kind) in exact
        or any(
            (groups is None or group in groups) and (kinds is None or kind in kinds)
            for groups, kinds in open_
        )
    )


def _any(names: Any, field: str) -> frozenset[str] | None:
    """The names, or None where they are all."""
    found = _strings([] if names is None else names, field)
    return None if not found or "*" in found else frozenset(found)


def _scope(scope: Any) -> Test:
    if not isinstance(scope, str):
        raise SchemaError("spec.match.scope must be a string: Cluster, Namespaced or *")
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
    tests = _patterns(patterns, "namespaces")

    def test(target: Target) -> bool:
        name = _namespace(target)
        return not tests or name is None or any(t(name) for t in tests)

    return test


def _excluded_namespaces(patterns: Any) -> Test:
    tests = _patterns(patterns, "excludedNamespaces")

    def test(target: Target) -> bool:
        name = _namespace(target)
        return name is None or not any(t(name) for t in tests)

    return test


def selector(value: Any, field: str) -> Callable[[dict[str, Any]], bool]:
    """A metav1.LabelSelector as a test of labels."""
    if not isinstance(value, dict):
        raise SchemaError(f"spec.match.{field} must be a label selector")
    unknown = sorted(set(value) - {"matchLabels", "matchExpressions"})
    if unknown:
        known = "matchLabels, matchExpressions"
        raise GatekeeperError(f"spec.match.{field}.{unknown[0]}: unknown field; known are {known}")
    wanted = value.get("matchLabels") or {}
    if not isinstance(wanted, dict) or not all(isinstance(label, str) for label in wanted.values()):
        raise SchemaError(f"spec.match.{field}.matchLabels must be an object of strings")
    expressions = value.get("matchExpressions") or []
    if not isinstance(expressions, list):
        raise SchemaError(f"spec.match.{field}.matchExpressions must be a list")
    tests = [_expression(entry, field) for entry in expressions]
    return lambda labels: all(labels.get(k) == v for k, v in wanted.items()) and all(t(labels) for t in tests)


def _expression(entry: Any, field: str) -> Callable[[dict[str, Any]], bool]:
    where = f"spec.match.{field}.matchExpressions"
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise SchemaError(f"{where} needs a key")
    key, operator = entry["key"], entry.get("operator")
    values = _strings(entry.get("values") or [], f"{field}.matchExpressions.values")
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
            raise MatchError(
                "unable to match constraints: "
                "namespace selector for namespace-scoped object but missing Namespace"
            )
        return test(labels_of(target.namespace))

    return matches


def _name(pattern: Any) -> Test:
    test = glob(_pattern(pattern, "name"))
    open_ended = pattern.endswith("*")

    def matches(target: Target) -> bool:
        name = metadata(target.object, "name") or ""
        # What is behind a generated name's prefix is not known: only a pattern open at its end can match.
        generate = metadata(target.object, "generateName") or "" if open_ended else ""
        return not pattern or test(str(name)) or (open_ended and test(str(generate)))

    return matches


def _source(source: Any) -> Test:
    if source not in ("All", "Original", "Generated"):
        raise SchemaError(f"spec.match.source {source!r} is unknown: must be All, Original or Generated")
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
