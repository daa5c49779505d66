"""tfconfig/v2: the configuration, with expressions as Terraform shows them (constants and references)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from solon.frameworks.sentinel.terraform.view import View, list_of, map_of, maps_of
from solon.lang.budget import spend
from solon.lang.sentinel.values import Failure, Function, Value

_INDEX: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')


def view(configuration: Mapping[str, Any]) -> View:
    strip_index = Function("strip_index", _strip_index, 1, 1)
    return View(
        {
            "providers": lambda: _providers(configuration),
            "resources": lambda: _resources(configuration),
            "provisioners": lambda: _provisioners(configuration),
            "variables": lambda: _variables(configuration),
            "outputs": lambda: _outputs(configuration),
            "module_calls": lambda: _module_calls(configuration),
            "strip_index": lambda: strip_index,
        }
    )


def modules(configuration: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every module with its address: ``module.a.module.b``, empty for the root."""
    waiting = [("", map_of(configuration.get("root_module")))]
    while waiting:
        address, module = waiting.pop()
        spend(1)
        yield address, module
        inside = [
            (_below(address, f"module.{name}"), map_of(call.get("module")))
            for name, call in maps_of(module.get("module_calls"))
        ]
        waiting.extend(reversed(inside))


def _below(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _key(module: str, name: str) -> str:
    return f"{module}:{name}" if module else name


def _providers(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: {
            "provider_config_key": key,
            "name": provider.get("name", ""),
            "full_name": provider.get("full_name", ""),
            "alias": provider.get("alias", ""),
            "module_address": provider.get("module_address", ""),
            "config": provider.get("expressions", {}),
            "version_constraint": provider.get("version_constraint", ""),
        }
        for key, provider in maps_of(configuration.get("provider_config"))
    }


def _declared(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every resource: the address of its module, its own, and what is said of it."""
    for module, inside in modules(configuration):
        resources = list_of(inside.get("resources"))
        spend(len(resources))
        for resource in resources:
            if isinstance(resource, dict) and isinstance(resource.get("address"), str):
                yield module, _below(module, resource["address"]), resource


def _resources(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        address: {
            "address": address,
            "module_address": module,
            "mode": resource.get("mode", ""),
            "type": resource.get("type", ""),
            "name": resource.get("name", ""),
            "provider_config_key": resource.get("provider_config_key", ""),
            "provisioners": _provisioners_of(address, resource),
            "config": resource.get("expressions", {}),
            "count": resource.get("count_expression", {}),
            "for_each": resource.get("for_each_expression", {}),
            "depends_on": resource.get("depends_on", []),
        }
        for module, address, resource in _declared(configuration)
    }


def _provisioners_of(address: str, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "resource_address": address,
            "type": provisioner.get("type", ""),
            "index": str(index),
            "config": provisioner.get("expressions", {}),
        }
        for index, provisioner in enumerate(list_of(resource.get("provisioners")))
        if isinstance(provisioner, dict)
    ]


def _provisioners(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{address}:{provisioner['index']}": provisioner
        for _, address, resource in _declared(configuration)
        for provisioner in _provisioners_of(address, resource)
    }


def _variables(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _key(module, name): {
            "module_address": module,
            "name": name,
            "default": variable.get("default"),
            "description": variable.get("description", ""),
        }
        for module, inside in modules(configuration)
        for name, variable in maps_of(inside.get("variables"))
    }


def _outputs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _key(module, name): {
            "module_address": module,
            "name": name,
            "sensitive": output.get("sensitive", False),
            "value": output.get("expression", {}),
            "description": output.get("description", ""),
            "depends_on": output.get("depends_on", []),
        }
        for module, inside in modules(configuration)
        for name, output in maps_of(inside.get("outputs"))
    }


def _module_calls(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _key(module, name): {
            "module_address": module,
            "name": name,
            "source": call.get("source", ""),
            "config": call.get("expressions", {}),
            "count": call.get("count_expression", {}),
            "for_each": call.get("for_each_expression", {}),
            "depends_on": call.get("depends_on", []),
            "version_constraint": call.get("version_constraint", ""),
        }
        for module, inside in modules(configuration)
        for name, call in maps_of(inside.get("module_calls"))
    }


def _strip_index(address: Value) -> str:
    """An address without the indices in it: ``module.a[0].x.y["k"]`` becomes ``module.a.x.y``."""
    if not isinstance(address, str):
        raise Failure("strip_index takes a string")
    spend(len(address))
    return _INDEX.sub("", address)
