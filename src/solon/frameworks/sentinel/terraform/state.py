"""tfstate/v2: what Terraform knew to be there. A plan's planned values have the same form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from solon.frameworks.sentinel.terraform.view import View, list_of, map_of, maps_of, present
from solon.lang.budget import spend


def view(state: Mapping[str, Any]) -> View:
    """``state`` is the prior state in a plan, or the document of a state; empty where there was none."""
    values = map_of(state.get("values"))
    return View(
        {
            "terraform_version": lambda: present(state, "terraform_version"),
            "resources": lambda: resources(values),
            "outputs": lambda: outputs(values),
        }
    )


def resources(values: Mapping[str, Any]) -> dict[str, Any]:
    """The resources of all modules by address; a deposed object by its address and key."""
    found: dict[str, Any] = {}
    for module, resource in all_resources(values):
        made = _resource(resource, module)
        deposed = made["deposed_key"]
        found[f"{made['address']}:{deposed}" if deposed else made["address"]] = made
    return found


def all_resources(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of the module, and the resource."""
    modules = [map_of(values.get("root_module"))]
    while modules:
        module = modules.pop()
        inside = list_of(module.get("resources"))
        spend(len(inside) + 1)
        for each in inside:
            if isinstance(each, dict) and isinstance(each.get("address"), str):
                yield str(module.get("address", "")), each
        modules.extend(map_of(child) for child in reversed(list_of(module.get("child_modules"))))


def _resource(resource: Mapping[str, Any], module: str) -> dict[str, Any]:
    return {
        "address": resource["address"],
        "module_address": module,
        "mode": resource.get("mode", ""),
        "type": resource.get("type", ""),
        "name": resource.get("name", ""),
        "index": resource.get("index"),
        "provider_name": resource.get("provider_name", ""),
        "values": resource.get("values", {}),
        "depends_on": resource.get("depends_on", []),
        "tainted": resource.get("tainted", False),
        "deposed_key": resource.get("deposed_key", ""),
    }


def outputs(values: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of the root module by name; the value of one that is not known yet is not there."""
    found: dict[str, Any] = {}
    for name, output in maps_of(values.get("outputs")):
        found[name] = {"name": name, "sensitive": output.get("sensitive", False)}
        if "value" in output:
            found[name]["value"] = output["value"]
    return found
