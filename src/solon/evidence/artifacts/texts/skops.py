"""skops: the types that a file names in its ``schema.json``. They are read, and none is imported.

skops asks the libraries that are installed which types it trusts (``skops.io.get_untrusted_types``). Here the names
alone decide, and a name that is not known is not trusted.
"""

from __future__ import annotations

import re
from typing import Any, Final

from solon.evidence.artifacts.pickles.names import effect_of
from solon.evidence.artifacts.texts.objects import objects_in
from solon.evidence.artifacts.told import Told, shown

# Kinds of nodes that call a function, or take an attribute by name.
_CALLS: Final = frozenset({"OperatorFuncNode", "MethodNode", "PartialNode", "ReduceNode"})
_TRUSTED: Final = re.compile(
    r"""
    builtins\.(?:int|float|str|bool|bytes|bytearray|list|set|map|tuple|dict|slice|type|NoneType)
    | collections\.(?:OrderedDict|defaultdict) | datetime\.\w+
    | numpy\.(?:ndarray|matrix|ma\.(?:core\.)?MaskedArray|random\.\w+(?:\.\w+)?)
    | numpy\.(?:float|int|uint|complex|datetime|timedelta|bool|str|bytes|void|longdouble|longlong|object)\d*_?
    | sklearn\._loss\._loss\.Cy\w+
    | sklearn\._loss\.link\.\w+
    | sklearn\._loss\.loss\.(?:AbsoluteError|ExponentialLoss|HuberLoss|PinballLoss
        |Half(?:BinomialLoss|GammaLoss|MultinomialLoss|PoissonLoss|SquaredError))
    | sklearn\.ensemble\._hist_gradient_boosting\.binning\._BinMapper
    """,
    re.VERBOSE,
)
# Estimators are public classes of scikit-learn; these modules hold classes of other kinds.
_ESTIMATOR: Final = re.compile(
    r"sklearn\.(?!.*\b(?:_loss|_tree|kernels|_kd_tree|_ball_tree|_dist_metrics|_stochastic_optimizers|predictor|binning|utils|metrics)\.)"
    r"(?:\w+\.)+[A-Z]\w*\Z"
)
_UFUNCS: Final = re.compile(
    r"numpy\.(?:abs|absolute|add|subtract|multiply|divide|maximum|minimum|exp|exp2|expm1|log|log2|log10|log1p|sqrt|cbrt|square|power"
    r"|reciprocal|sign|sin|cos|tan|arcsin|arccos|arctan|sinh|cosh|tanh|arcsinh|arccosh|arctanh|floor|ceil|rint|negative)\Z"
    r"|scipy\.special\.(?:_ufuncs\.)?(?:expit|logit|erf|gammaln|log1p|expm1)\Z"
)
_LIBRARIES: Final = frozenset({"sklearn", "numpy", "scipy", "builtins", "collections", "datetime"})


def is_schema(value: Any) -> bool:
    return isinstance(value, dict) and "__loader__" in value and "__module__" in value and "protocol" in value


def explain(told: Told, value: Any) -> None:
    """Says which types a schema names, and which of them skops does not trust unless it is told to."""
    loaders: dict[str, set[str]] = {}
    for at in objects_in(value):
        module, name = at.get("__module__"), at.get("__class__")
        if isinstance(module, str) and isinstance(name, str):
            loaders.setdefault(f"{module}.{name}", set()).add(str(at.get("__loader__")))
    told.imports = sorted(loaders)
    told.header = {
        "protocol": shown(str(value["protocol"]), 40),
        "skops": shown(str(value.get("_skops_version", "")), 40),
    }
    for name, by in sorted(loaders.items()):
        if (effect := effect_of(name)) and not _TRUSTED.fullmatch(name):
            told.unsafe(f"names {name}, which {effect}")
        elif all(_trusted(name, loader) for loader in by):
            continue
        elif by & _CALLS or name.partition(".")[0] not in _LIBRARIES:
            told.unsafe(f"names a type that skops does not trust: {name}")
        else:
            told.unknown(f"names a type that skops trusts only if it is told to: {name}")


def _trusted(name: str, loader: str) -> bool:
    if loader in _CALLS:
        return False
    if loader == "FunctionNode":
        return _UFUNCS.match(name) is not None
    return bool(_TRUSTED.fullmatch(name) or _ESTIMATOR.match(name))
