"""TensorFlow's SavedModel and GraphDef: which operators of a graph reach beyond it.

Fields are those of saved_model.proto, meta_graph.proto, graph.proto and function.proto. TensorFlow's own advice is that
a graph is a program (SECURITY.md, "TensorFlow models are programs"), so that none is ever safe.
"""

from __future__ import annotations

from typing import Final

from solon.evidence.artifacts.graphs.protobuf import LEN, Wire
from solon.evidence.artifacts.source import Source
from solon.evidence.artifacts.told import Told, shown

_REACHING: Final = {
    "PyFunc": "calls Python",
    "PyFuncStateless": "calls Python",
    "EagerPyFunc": "calls Python",
    "ReadFile": "reads files",
    "WriteFile": "writes files",
    "MatchingFiles": "lists files",
    "WholeFileReader": "reads files",
    "WholeFileReaderV2": "reads files",
    "TextLineReader": "reads files",
    "FixedLengthRecordReader": "reads files",
    "TFRecordReader": "reads files",
    "TextLineDataset": "reads files",
    "TFRecordDataset": "reads files",
    "FixedLengthRecordDataset": "reads files",
    "PrintV2": "writes to files or the terminal",
    "DebugIdentity": "writes files",
    "DebugIdentityV2": "writes files",
    "DumpGradient": "writes files",
    "ImmutableConst": "maps files",
    "RpcCall": "reaches the network",
    "RpcClient": "reaches the network",
    "RpcServer": "reaches the network",
    "CollectiveGather": "reaches the network",
    "DataServiceDataset": "reaches the network",
    "GeneratorDataset": "calls Python",
}
_MAX_LISTED: Final = 500
# From a SavedModel down to its nodes: field numbers that lead to a NodeDef.
_PATHS: Final[dict[str, dict[int, str]]] = {
    "saved": {2: "meta"},
    "meta": {2: "graph"},
    "graph": {1: "node", 2: "library"},
    "library": {1: "function"},
    "function": {3: "node"},
}


def read(source: Source, schema: str) -> Told:
    """Raises Broken and TooMuch."""
    told = Told("tensorflow-savedmodel" if schema == "savedmodel" else "tensorflow-graph")
    wire = Wire(source.stream())
    operators: dict[str, int] = {}
    _message(wire, None, "saved" if schema == "savedmodel" else "graph", operators)
    told.bytes = wire.stream.position
    told.header = {"operators": {shown(name, 100): n for name, n in sorted(operators.items())}}
    for name, effect in _REACHING.items():
        if name in operators:
            told.unsafe(f"its graph has {name}, which {effect}")
    return told.unknown(
        "a TensorFlow graph is a program: what its operators do is not known from their names"
    )


def _message(wire: Wire, length: int | None, of: str, operators: dict[str, int]) -> None:
    nested = _PATHS.get(of, {})
    for number, kind, value in wire.message(None if length is None else wire.stream.position + length):
        if kind != LEN:
            continue
        if number in nested:
            _message(wire, value, nested[number], operators)
        elif of == "node" and number == 2:
            name = wire.text(value, 200)
            if name in operators or len(operators) < _MAX_LISTED or name in _REACHING:
                operators[name] = operators.get(name, 0) + 1
