"""The built-in functions of Rego, by name."""

import importlib
import pkgutil
from collections.abc import Mapping

from solon.lang.rego.builtins.registry import Builtin

TABLE: Mapping[str, Builtin] = {
    b.name: b
    for m in pkgutil.iter_modules(__path__)
    for b in getattr(importlib.import_module(f"{__name__}.{m.name}"), "BUILTINS", ())
}
