"""``types``: the type of a value, as a string."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.lang.sentinel.imports.declare import ANY, Namespace, function, named
from solon.lang.sentinel.values import Surroundings, Value, type_of

_NAMESPACE: Final = Namespace(named("types", function("types.type_of", type_of, ANY)))


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
