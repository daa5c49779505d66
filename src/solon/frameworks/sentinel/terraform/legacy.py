"""tfplan, tfconfig and tfstate of version 1, which older policies import: everything by module, type and name.

``module(path)`` gives what is in a module, ``module_paths`` lists them; the root module's own is at the top, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from solon.frameworks.sentinel.terraform.configuration import modules
from solon.frameworks.sentinel.terraform.state import all_resources
from solon.frameworks.sentinel.terraform.view import MISSING, Part, View, list_of, map_of, maps_of, present
from solon.lang.budget import spend
from solon.lang.sentinel.values import Failure, Function, Undefined, Value

_MODULE: Final = re.compile(r'module\.([^.\[]+(?:\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\])?)')

ModulePath = tuple[str, ...]
Modules = Mapping[ModulePath, dict[str, Any]]


def plan_view(plan: Mapping[str, Any]) -> View:
    return _by_module(
        lambda: _planned(plan),
        {
            "terraform_version": lambda: present(plan, "terraform_version"),
            "variables": lambda: {
                name: variable["value"]
                for name, variable in maps_of(plan.get("variables"))
                if "value" in variable
            },
        },
    )


def state_view(state: Mapping[str, Any]) -> View:
    return _by_module(
        lambda: _stored(map_of(state.get("values"))),
        {"terraform_version": lambda: present(state, "terraform_version")},
    )


def config_view(configuration: Mapping[str, Any]) -> View:
    return _by_module(lambda: _configured(configuration), {})


def path_of(module_address: str) -> ModulePath:
    """``module.a.module.b[0]`` is ("a", "b[0]")."""
    return tuple(_MODULE.findall(module_address))


def _by_module(made: Callable[[], Modules], parts: Mapping[str, Part]) -> View:
    """The view of what is in modules, which are found when one is first asked for."""
    held: list[Modules] = []

    def all_modules() -> Modules:
        if not held:
            held.append(made())
        return held[0]

    def module(path: Value) -> Value:
        if not isinstance(path, list):
            raise Failure("module takes a list of names")
        names = tuple(str(name) for name in path)
        found = all_modules().get(names)
        return Undefined(f"there is no module {'.'.join(names)}") if found is None else found

    def of_root(name: str) -> Part:
        return lambda: all_modules()[()].get(name, MISSING)

    at_root = ("data", "path", "resources", "outputs", "modules", "providers")
    function = Function("module", module, 1, 1)
    return View(
        {
            **{name: of_root(name) for name in at_root},
            "variables": of_root("variables"),
            "module": lambda: function,
            "module_paths": lambda: [list(path) for path in all_modules()],
            **parts,
        }
    )


def _with_parents(paths: Iterator[ModulePath]) -> list[ModulePath]:
    """The paths, each behind those of the modules around it; the root first."""
    found: dict[ModulePath, None] = {(): None}
    for path in paths:
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length])
    return list(found)


def _place(module: dict[str, Any], resource: Mapping[str, Any], made: Any) -> None:
    """Put a resource under its type, name and index."""
    kind = "data" if resource.get("mode") == "data" else "resources"
    index = resource.get("index")
    of_type = module[kind].setdefault(str(resource.get("type", "")), {})
    of_type.setdefault(str(resource.get("name", "")), {})[0 if index is None else index] = made


# --- tfplan


def _planned(plan: Mapping[str, Any]) -> Modules:
    changes = [each for each in list_of(plan.get("resource_changes")) if isinstance(each, dict)]
    spend(len(changes))
    at = [path_of(str(each.get("module_address", ""))) for each in changes]
    found: Modules = {
        path: {"path": list(path), "resources": {}, "data": {}} for path in _with_parents(iter(at))
    }
    for path, each in zip(at, changes, strict=True):
        if not each.get("deposed"):
            _place(found[path], each, _planned_resource(map_of(each.get("change"))))
    return found


def _planned_resource(change: Mapping[str, Any]) -> dict[str, Any]:
    actions = list_of(change.get("actions"))
    after = change.get("after")
    return {
        "applied": after if isinstance(after, dict) else {},
        "diff": _diff(change.get("before"), after, change.get("after_unknown")),
        "destroy": "delete" in actions,
        "requires_new": "delete" in actions and "create" in actions,
    }


def _diff(before: Any, after: Any, unknown: Any) -> dict[str, Any]:
    """What differs, by attributes in dotted form (``tags.Name``, ``ingress.0.port``), as text."""
    old, new = dict(_flat("", before)), dict(_flat("", after))
    computed = {name for name, value in _flat("", unknown) if value == "true"}
    found = {}
    for name in [*old, *(n for n in new if n not in old), *sorted(computed - old.keys() - new.keys())]:
        if name in computed or old.get(name, "") != new.get(name, "") or (name in new and name not in old):
            is_computed = name in computed
            found[name] = {
                "old": old.get(name, ""),
                "new": "" if is_computed else new.get(name, ""),
                "computed": is_computed,
            }
    return found


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    spend(1)
    if isinstance(value, dict | list):
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
        if name:
            yield f"{name}.{'%' if isinstance(value, dict) else '#'}", str(len(pairs))
        for key, inside in pairs:
            yield from _flat(f"{name}.{key}" if name else str(key), inside)
    elif name:
        words = {None: "", True: "true", False: "false"}
        yield name, words[value] if value is None or isinstance(value, bool) else str(value)


# --- tfstate


def _stored(values: Mapping[str, Any]) -> Modules:
    resources = [(path_of(module), resource) for module, resource in all_resources(values)]
    found: Modules = {
        path: {"path": list(path), "resources": {}, "data": {}, "outputs": {}}
        for path in _with_parents(path for path, _ in resources)
    }
    for path, resource in resources:
        attributes = map_of(resource.get("values"))
        made = {
            "attr": attributes,
            "depends_on": resource.get("depends_on", []),
            "id": attributes.get("id", ""),
            "tainted": resource.get("tainted", False),
        }
        if not resource.get("deposed_key"):
            _place(found[path], resource, made)
    for name, output in maps_of(values.get("outputs")):
        found[()]["outputs"][name] = {
            "sensitive": output.get("sensitive", False),
            "value": output.get("value"),
        }
    return found


# --- tfconfig


def _configured(configuration: Mapping[str, Any]) -> Modules:
    found: Modules = {
        path_of(address): {
            "resources": _declared(module, "managed"),
            "data": _declared(module, "data"),
            "modules": {
                name: {
                    "source": call.get("source", ""),
                    "version": call.get("version_constraint", ""),
                    **_expressions(call.get("expressions")),
                }
                for name, call in maps_of(module.get("module_calls"))
            },
            "outputs": {
                name: {
                    "depends_on": output.get("depends_on", []),
                    "description": output.get("description", ""),
                    "sensitive": output.get("sensitive", False),
                    **_value(output.get("expression")),
                }
                for name, output in maps_of(module.get("outputs"))
            },
            "variables": {
                name: {
                    "default": variable.get("default"),
                    "description": variable.get("description", ""),
                }
                for name, variable in maps_of(module.get("variables"))
            },
            "providers": {},
        }
        for address, module in modules(configuration)
    }
    for _, provider in maps_of(configuration.get("provider_config")):
        path = path_of(str(provider.get("module_address", "")))
        if path in found:
            _add_provider(found[path]["providers"], provider)
    return found


def _add_provider(providers: dict[str, Any], provider: Mapping[str, Any]) -> None:
    made = {"version": provider.get("version_constraint", ""), **_expressions(provider.get("expressions"))}
    usual = {"alias": {}, "config": {}, "references": {}, "version": ""}
    of_name = providers.setdefault(str(provider.get("name", "")), usual)
    alias = provider.get("alias")
    if alias:
        of_name["alias"][str(alias)] = made
    else:
        of_name.update(made)


def _declared(module: Mapping[str, Any], mode: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for resource in list_of(module.get("resources")):
        if isinstance(resource, dict) and resource.get("mode", "managed") == mode:
            provisioners = [
                {"type": each.get("type", ""), **_expressions(each.get("expressions"))}
                for each in list_of(resource.get("provisioners"))
                if isinstance(each, dict)
            ]
            found.setdefault(str(resource.get("type", "")), {})[str(resource.get("name", ""))] = {
                **_expressions(resource.get("expressions")),
                "provisioners": provisioners or None,
            }
    return found


def _expressions(expressions: Any) -> dict[str, Any]:
    return {"config": _constant(map_of(expressions)), "references": _references(map_of(expressions))}


def _constant(expression: Any) -> Any:
    """The constants of expressions. An argument that refers to something has no value here."""
    if isinstance(expression, list):
        return [_constant(each) for each in expression]
    if not isinstance(expression, dict):
        return expression
    if "constant_value" in expression:
        return expression["constant_value"]
    return {name: _constant(each) for name, each in expression.items() if not _refers(each)}


def _references(expression: Any) -> Any:
    if isinstance(expression, list):
        return [_references(each) for each in expression]
    if not isinstance(expression, dict) or "constant_value" in expression:
        return []
    if _refers(expression):
        return expression["references"]
    return {name: _references(each) for name, each in expression.items()}


def _value(expression: Any) -> dict[str, Any]:
    """The value of an output, where it is a constant, and what it refers to."""
    known = {} if _refers(expression) else {"value": _constant(expression)}
    return {**known, "references": _references(expression)}


def _refers(expression: Any) -> bool:
    return isinstance(expression, dict) and isinstance(expression.get("references"), list)
