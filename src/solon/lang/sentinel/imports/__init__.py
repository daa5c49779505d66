"""The standard imports. Each is a module here, loaded when a policy first opens it.

(Written from the public documentation, "Standard Imports", version 0.40.)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from solon.lang.sentinel.values import Members, Opening, Surroundings, Value

_MODULES: Final = {
    "base64": "base64",
    "collection": "collection",
    "collection/lists": "collection_lists",
    "collection/maps": "collection_maps",
    "decimal": "decimal",
    "http": "http",
    "json": "json",
    "runtime": "runtime",
    "sockaddr": "sockaddr",
    "strings": "strings",
    "time": "time",
    "types": "types",
    "units": "units",
    "version": "version",
}


def _opening(module: str) -> Opening:
    def opened(surroundings: Surroundings, config: Mapping[str, Value]) -> Members:
        found: Members = import_module(f"{__name__}.{module}").opened(surroundings, config)
        return found

    return opened


STANDARD: Final[Mapping[str, Opening]] = {name: _opening(module) for name, module in _MODULES.items()}
