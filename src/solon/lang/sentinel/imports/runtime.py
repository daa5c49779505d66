"""``runtime``: the version of Sentinel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.lang.sentinel.imports.declare import Namespace
from solon.lang.sentinel.imports.unsettled import RUNTIME_VERSION
from solon.lang.sentinel.values import Surroundings, Value

_NAMESPACE: Final = Namespace({"version": RUNTIME_VERSION})


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
