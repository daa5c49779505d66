"""Configurations of Keras models: which of them run code when they are loaded.

``config.json`` of a ``.keras`` archive, ``model_config`` of an HDF5 file, ``to_json()``: objects with ``class_name`` and
``config``, and from Keras 3 on ``module`` and ``registered_name``. Lambda layers hold Python bytecode; what is of another
module than Keras' own is imported by that name (CVE-2025-1550), and so are Keras' own functions that reach files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from solon.evidence.artifacts.pickles.names import effect_of
from solon.evidence.artifacts.texts.objects import objects_in
from solon.evidence.artifacts.told import shown

_CODE: Final = {
    "Lambda": "has a Lambda layer: Python bytecode that runs when it is loaded or called",
    "__lambda__": "has a function in it: Python bytecode that runs when it is loaded or called",
    "TFOpLambda": "has a TFOpLambda layer: it calls what of TensorFlow its configuration names",
    "SlicingOpLambda": "has a SlicingOpLambda layer: it calls what of TensorFlow its configuration names",
}
_OWN: Final = re.compile(
    r"(?:keras|tf_keras|tensorflow\.keras|tensorflow\.python\.keras|tensorflow_keras|keras_hub|keras_nlp|keras_cv)"
    r"(?:\.(?!utils\b|src\.utils\b|src\.saving\b|saving\b|src\.legacy\b|config\b|src\.backend\b)[\w.]*)?\Z"
)
_PACKAGES: Final = ("keras>", "keras_hub>", "keras_nlp>", "keras_cv>", "keras.", "builtins>")
_IN_TEXT: Final = re.compile(
    rb'"class_name"\s*:\s*"([^"]{1,100})"|"(module|registered_name)"\s*:\s*"([^"]{1,200})"'
)
_ESCAPED: Final = re.compile(r"\\u00([0-7][0-9a-f])", re.IGNORECASE)


def is_config(value: Any) -> bool:
    """Whether a document is the configuration of a Keras object."""
    return isinstance(value, dict) and isinstance(value.get("class_name"), str) and "config" in value


def dangers(value: Any) -> list[str]:
    found: dict[str, None] = {}
    for at in objects_in(value):
        class_name = at.get("class_name")
        if not isinstance(class_name, str):
            continue
        name = class_name.rpartition(">")[2]
        if name in _CODE:
            found[_CODE[name]] = None
        module, registered = at.get("module"), at.get("registered_name")
        if isinstance(module, str):
            function = at.get("config") if class_name == "function" else None
            found |= dict.fromkeys(_of_module(module, function if isinstance(function, str) else class_name))
        for given in (registered, class_name):
            if isinstance(given, str):
                found |= dict.fromkeys(_registered(given))
        if len(found) >= 8:
            break
    return list(found)


def dangers_in_text(data: bytes) -> list[str]:
    """The same of text that stands somewhere in ``data``."""
    found: dict[str, None] = {}
    for match in _IN_TEXT.finditer(data):
        class_name = _text(match[1]) if match[1] else ""
        if class_name.rpartition(">")[2] in _CODE:
            found[_CODE[class_name.rpartition(">")[2]]] = None
        given = _text(match[3]) if match[3] else ""
        if match[2] == b"module":
            found |= dict.fromkeys(_of_module(given, ""))
        else:
            found |= dict.fromkeys(_registered(given or class_name))
        if len(found) >= 8:
            break
    return list(found)


def _of_module(module: str, name: str) -> Iterator[str]:
    whole = f"{module}.{name}".rstrip(".")
    if _OWN.match(module):
        return
    effect = effect_of(whole)
    if effect:
        yield f"would import {shown(whole, 100)}, which {effect}"
    else:
        yield f"needs code of its own, by name: {shown(whole, 100)}"


def _registered(name: str) -> Iterator[str]:
    if ">" in name and not name.startswith(_PACKAGES):
        yield f"needs code of its own, registered as {shown(name, 100)}"


def _text(data: bytes) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), data.decode("utf-8", "replace"))
