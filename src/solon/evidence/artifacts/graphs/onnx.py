"""ONNX: the header of a model, which operators it needs, and which other files it reads.

Fields are those of onnx.proto3. The onnx library is not used: it loads the whole model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from solon.evidence.artifacts.archives.member import leads_out
from solon.evidence.artifacts.graphs.protobuf import LEN, VARINT, Wire
from solon.evidence.artifacts.limits import Broken
from solon.evidence.artifacts.source import Source
from solon.evidence.artifacts.told import Told, shown

# Operators of ONNX itself, and of those that ONNX Runtime is built with.
_STANDARD: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
_RUNTIME: Final = frozenset(
    {"com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc"}
)
_MAX_DEPTH: Final = 64
_MAX_LISTED: Final = 500

# Fields of each message that hold other messages, by their number. ModelProto's are read one by one.
_NESTED: Final[dict[str, dict[int, str]]] = {
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
}


@dataclass(slots=True)
class _Seen:
    operators: dict[str, dict[str, int]] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    outside: dict[str, None] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    graphs: int = 0
    tensors: int = 0


def read(source: Source) -> Told:
    """Raises Broken and TooMuch."""
    told = Told("onnx")
    wire = Wire(source.stream())
    seen = _Seen()
    texts = {2: "producer_name", 3: "producer_version", 4: "domain"}
    for number, kind, value in wire.message(None):
        if kind == VARINT and number in (1, 5):
            told.header["ir_version" if number == 1 else "model_version"] = value
        elif kind != LEN:
            continue
        elif number in texts:
            told.header[texts[number]] = shown(wire.text(value), 200)
        elif number == 7:
            seen.graphs += 1
            _message(wire, "graph", value, seen, 0)
        elif number == 8:
            domain, version = _opset(wire, value)
            seen.imports[domain] = version
        elif number == 14:
            key, text = _entry(wire, value)
            if len(seen.metadata) < 64:
                seen.metadata[key] = text
        elif number in (20, 25):
            _message(wire, "training" if number == 20 else "function", value, seen, 0)
    told.bytes = wire.stream.position
    _explain(told, seen)
    return told


def _message(wire: Wire, of: str, length: int, seen: _Seen, depth: int) -> None:
    """Goes through one message and all that are nested in it."""
    if depth > _MAX_DEPTH:
        raise Broken("graphs nested too deeply")
    nested = _NESTED.get(of, {})
    operator = domain = name = ""
    for number, kind, value in wire.inside(length):
        if kind != LEN:
            continue
        if of == "tensor":
            if number == 13:
                _outside(seen, *_entry(wire, value))
        elif number in nested:
            _message(wire, nested[number], value, seen, depth + 1)
        elif of == "node" and number == 4:
            operator = wire.text(value)
        elif of == "node" and number == 7:
            domain = wire.text(value)
        elif of == "function" and number == 1:
            name = wire.text(value)
        elif of == "function" and number == 10:
            domain = wire.text(value)
    if of == "tensor":
        seen.tensors += 1
    elif of == "node":
        counts = seen.operators.setdefault(domain, {})
        if operator in counts or len(counts) < _MAX_LISTED:
            counts[operator] = counts.get(operator, 0) + 1
        if len(seen.operators) > _MAX_LISTED:
            raise Broken(f"operators of more than {_MAX_LISTED} domains")
    elif of == "function":
        seen.own.add(f"{domain}::{name}")
        if len(seen.functions) < _MAX_LISTED:
            seen.functions[f"{domain}.{name}" if domain else name] = None


def _outside(seen: _Seen, key: str, value: str) -> None:
    if key == "location" and len(seen.outside) < _MAX_LISTED:
        seen.outside[value] = None


def _entry(wire: Wire, length: int) -> tuple[str, str]:
    key = text = ""
    for number, kind, value in wire.inside(length):
        if kind == LEN and number == 1:
            key = shown(wire.text(value), 200)
        elif kind == LEN and number == 2:
            text = wire.text(value, 4096)
    return key, text


def _opset(wire: Wire, length: int) -> tuple[str, int]:
    domain, version = "", 0
    for number, kind, value in wire.inside(length):
        if kind == LEN and number == 1:
            domain = wire.text(value)
        elif kind == VARINT and number == 2:
            version = value
    return domain, version


def _explain(told: Told, seen: _Seen) -> None:
    told.header["opset_import"] = {shown(d, 100) or "ai.onnx": v for d, v in list(seen.imports.items())[:64]}
    told.header["operators"] = {
        shown(domain, 100) or "ai.onnx": sum(counts.values()) for domain, counts in seen.operators.items()
    }
    told.header["tensors"] = seen.tensors
    if seen.metadata:
        told.header["metadata_props"] = {key: shown(text, 400) for key, text in seen.metadata.items()}
    if seen.functions:
        told.header["functions"] = [shown(name, 200) for name in seen.functions]
    if seen.outside:
        told.header["external_data"] = [shown(location, 400) for location in seen.outside]
    if seen.graphs != 1:
        told.unknown(f"{seen.graphs} graphs, where a model has one")
    for location in seen.outside:
        if leads_out(location):
            told.unsafe(f"reads a file outside of the model: {shown(location, 200)}")
        elif not location:
            told.unknown("reads a file without a name")
    for domain, counts in seen.operators.items():
        foreign = [
            operator
            for operator in counts
            if domain not in _STANDARD | _RUNTIME and f"{domain}::{operator}" not in seen.own
        ]
        if foreign:
            named = ", ".join(sorted(foreign)[:8])
            told.unknown(
                f"needs operators that are not ONNX's, and code for them: {shown(named, 200)} of {shown(domain, 100)}"
            )
