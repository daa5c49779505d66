"""``data.inventory``: what else is in the cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from solon.frameworks.gatekeeper.match import Object, is_namespace, metadata, namespace_name


def inventory_of(objects: Iterable[Object]) -> dict[str, Any]:
    """``{"namespace": {ns: {groupVersion: {kind: {name: obj}}}}, "cluster": {groupVersion: {kind: {name: obj}}}}``"""
    inventory: dict[str, Any] = {"namespace": {}, "cluster": {}}
    for obj in objects:
        name, namespace = metadata(obj, "name"), namespace_name(obj)
        if not isinstance(name, str) or not name:
            continue
        place = inventory["namespace"].setdefault(namespace, {}) if namespace else inventory["cluster"]
        version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        place.setdefault(version, {}).setdefault(kind, {})[name] = obj
    return inventory


def namespaces_of(objects: Iterable[Object]) -> dict[str, Object]:
    """Name -> Namespace object."""
    return {str(metadata(obj, "name") or ""): obj for obj in objects if is_namespace(obj)}
