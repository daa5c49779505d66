"""``units``: how many bytes a kilobyte has, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solon.lang.sentinel.imports.declare import Namespace
from solon.lang.sentinel.values import Surroundings, Value

_NAMES: Final = ("kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte")
_NAMESPACE: Final = Namespace({name: 1024**power for power, name in enumerate(_NAMES, 1)})


def opened(_surroundings: Surroundings, _config: Mapping[str, Value]) -> Namespace:
    return _NAMESPACE
