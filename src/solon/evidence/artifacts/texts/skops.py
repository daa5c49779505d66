"""skops: the types that a file names in its ``schema.json``. They are read, and none is imported.

skops itself asks its libraries which types it trusts; here the names alone decide, so that some which skops trusts are
told of as not known. Names are those of skops' ``get_untrusted_types``.
"""

from __future__ import annotations

import re
from typing import Any, Final

from solon.evidence.artifacts.pickles.names import effect_of, kind_of
from solon.evidence.artifacts.told import Told

# Kinds of nodes that call a function, or take an attribute by name.
_CALLS: Final = frozenset(
    {"OperatorFuncNode", "MethodNode", "PartialNode", "ReduceNode", "ConstructorFromReduceNode"}
)
# Of scikit-learn, and not trusted: numbers in it are used as places in memory (skops, UNTRUSTED_TYPE_REASONS).
_UNTRUSTED: Final = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
_NUMBER: Final = re.compile(
    r"numpy\.(?:float|int|uint|complex|datetime|timedelta|bool|str|bytes|void|longdouble|longlong)\d*_?\Z"
)
_UFUNCS: Final = ("numpy.", "scipy.special.", "scipy.special._ufuncs.")


def is_schema(value: Any) -> bool:
    return isinstance(value, dict) and "__loader__" in value and "__module__" in value and "protocol" in value


def explain(told: Told, value: Any) -> None:
    """Says which types a schema names, and which of them are not of the libraries that skops knows."""
    types: dict[str, str] = {}
    loaders: set[str] = set()
    stack = [value]
    while stack:
        at = stack.pop()
        if isinstance(at, list):
            stack.extend(v for v in at if isinstance(v, dict | list))
        if not isinstance(at, dict):
            continue
        stack.extend(v for v in at.values() if isinstance(v, dict | list))
        module, name, loader = at.get("__module__"), at.get("__class__"), at.get("__loader__")
        if isinstance(module, str) and isinstance(name, str):
            types[f"{module}.{name}"] = str(loader)
            loaders.add(str(loader))
    told.imports = sorted(types)
    told.header = {"protocol": value.get("protocol"), "skops": str(value.get("_skops_version", ""))[:40]}
    for name, loader in sorted(types.items()):
        if effect := effect_of(name):
            told.unsafe(f"names {name}, which {effect}")
        elif not _trusted(name, loader):
            told.unsafe(f"names a type that skops does not trust: {name}")


def _trusted(name: str, loader: str) -> bool:
    if name == _UNTRUSTED or loader in _CALLS:
        return False
    if loader == "FunctionNode":
        return name.startswith(_UFUNCS)
    return (
        kind_of(name) == "ordinary"
        or _NUMBER.match(name) is not None
        or name in ("builtins.NoneType", "builtins.map", "builtins.type")
    )
