"""tfplan/v2: what a plan would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from solon.frameworks.sentinel.terraform.state import outputs, resources
from solon.frameworks.sentinel.terraform.view import View, list_of, map_of, maps_of, present
from solon.lang.budget import spend


def view(plan: Mapping[str, Any]) -> View:
    return View(
        {
            "terraform_version": lambda: present(plan, "terraform_version"),
            "variables": lambda: _variables(plan),
            "resource_changes": lambda: _changes(plan.get("resource_changes")),
            "resource_drift": lambda: _changes(plan.get("resource_drift")),
            "output_changes": lambda: _output_changes(plan),
            "planned_values": lambda: _planned(map_of(plan.get("planned_values"))),
            "raw": lambda: plan,
        }
    )


def _variables(plan: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, variable in maps_of(plan.get("variables")):
        found[name] = {"name": name}
        if "value" in variable:
            found[name]["value"] = variable["value"]
    return found


def _changes(changes: Any) -> dict[str, Any]:
    """Resource changes by address; one of a deposed object by its address and key."""
    found = {}
    for change in _with_address(changes):
        address, deposed = change["address"], change.get("deposed", "")
        found[f"{address}:{deposed}" if deposed else address] = {
            "address": address,
            "module_address": change.get("module_address", ""),
            "mode": change.get("mode", ""),
            "type": change.get("type", ""),
            "name": change.get("name", ""),
            "index": change.get("index"),
            "provider_name": change.get("provider_name", ""),
            "deposed": deposed,
            "change": _change(map_of(change.get("change"))),
        }
    return found


def _with_address(changes: Any) -> Iterator[dict[str, Any]]:
    listed = list_of(changes)
    spend(len(listed))
    return (each for each in listed if isinstance(each, dict) and isinstance(each.get("address"), str))


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """What changes. A value that is not known before the apply is not there; one that is none is null."""
    unknown = change.get("after_unknown", {})
    after = change.get("after")
    made = {
        "actions": change.get("actions", []),
        "before": change.get("before"),
        "after": after,
        "after_unknown": unknown,
    }
    if after is None and unknown is True:
        del made["after"]
    return made


def _output_changes(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"name": name, "change": _change(change)}
        for name, change in maps_of(plan.get("output_changes"))
    }


def _planned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"resources": resources(values), "outputs": outputs(values)}
