"""Small ONNX models, made of operators as sklearn-onnx makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
Shape = Sequence[int | str | None]


def model(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Sequence[Any] = ()
) -> bytes:
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(constants))
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=9).SerializeToString()


def tensor(name: str, kind: int, shape: Shape) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def linear(
    weights: Sequence[float], bias: float = 0.0, rows: int | str = "n", width: int | None = None
) -> bytes:
    """One float input (rows, columns), one output (rows, 1): X·w + b."""
    w = numpy_helper.from_array(np.array(weights, np.float32).reshape(-1, 1), "w")
    b = numpy_helper.from_array(np.array([bias], np.float32), "b")
    return model(
        [helper.make_node("MatMul", ["X", "w"], ["xw"]), helper.make_node("Add", ["xw", "b"], ["y"])],
        [tensor("X", TensorProto.FLOAT, [rows, width or len(weights)])],
        [tensor("y", TensorProto.FLOAT, [rows, 1])],
        [w, b],
    )


def logistic(
    weights: Sequence[float],
    bias: float = 0.0,
    labels: Sequence[int] | Sequence[str] = (0, 1),
    zipmap: bool = False,
) -> bytes:
    """As sklearn-onnx has a logistic regression of two classes: a label, and probabilities as a tensor or maps."""
    texts = isinstance(labels[0], str)
    key = "classlabels_strings" if texts else "classlabels_ints"
    kind = TensorProto.STRING if texts else TensorProto.INT64
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["X"],
            ["label", "raw"],
            domain="ai.onnx.ml",
            coefficients=[*(-w for w in weights), *weights],
            intercepts=[-bias, bias],
            post_transform="LOGISTIC",
            **{key: list(labels)},
        ),
        helper.make_node("Normalizer", ["raw"], ["p"], domain="ai.onnx.ml", norm="L1"),
    ]
    last = tensor("p", TensorProto.FLOAT, ["n", 2])
    if zipmap:
        keys = "classlabels_strings" if texts else "classlabels_int64s"
        nodes.append(helper.make_node("ZipMap", ["p"], ["maps"], domain="ai.onnx.ml", **{keys: list(labels)}))
        value = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        last = helper.make_value_info("maps", helper.make_sequence_type_proto(helper.make_map_type_proto(kind, value)))  # fmt: skip
    return model(
        nodes,
        [tensor("X", TensorProto.FLOAT, ["n", len(weights)])],
        [tensor("label", kind, ["n"]), last],
    )


def label_beside(weights: Sequence[float], bias: float) -> bytes:
    """A label, and beside it probabilities that are not what it follows from: softmax over the input."""
    classifier = helper.make_node(
        "LinearClassifier",
        ["X"],
        ["label", "raw"],
        domain="ai.onnx.ml",
        coefficients=[*(-w for w in weights), *weights],
        intercepts=[-bias, bias],
        post_transform="LOGISTIC",
        classlabels_ints=[0, 1],
    )
    return model(
        [classifier, helper.make_node("Softmax", ["X"], ["p"])],
        [tensor("X", TensorProto.FLOAT, ["n", len(weights)])],
        [tensor("label", TensorProto.INT64, ["n"]), tensor("p", TensorProto.FLOAT, ["n", 2])],
    )


def by_column(columns: dict[str, dict[str, float] | float], bias: float = 0.0) -> bytes:
    """An input for each column, (rows, 1): a weight for a number, or one for each text; one number a row as output."""
    nodes, inputs, constants, terms = [], [], [], []
    for name, weight in columns.items():
        term = f"term {name}"
        if isinstance(weight, dict):
            inputs.append(tensor(name, TensorProto.STRING, ["n", 1]))
            nodes.append(
                helper.make_node(
                    "LabelEncoder",
                    [name],
                    [term],
                    domain="ai.onnx.ml",
                    keys_strings=list(weight),
                    values_floats=list(weight.values()),
                    default_float=0.0,
                )
            )
        else:
            inputs.append(tensor(name, TensorProto.FLOAT, ["n", 1]))
            constants.append(numpy_helper.from_array(np.array([weight], np.float32), f"w {name}"))
            nodes.append(helper.make_node("Mul", [name, f"w {name}"], [term]))
        terms.append(term)
    constants.append(numpy_helper.from_array(np.array([bias], np.float32), "bias"))
    nodes.append(helper.make_node("Sum", [*terms, "bias"], ["y"]))
    return model(nodes, inputs, [tensor("y", TensorProto.FLOAT, ["n", 1])], constants)


def endless() -> bytes:
    """A loop of 2^62 rounds, around one number a row."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Mul", ["held", "one"], ["kept"]),
        ],
        "body",
        [
            tensor("round", TensorProto.INT64, []),
            tensor("go", TensorProto.BOOL, []),
            tensor("held", TensorProto.FLOAT, ["n", 1]),
        ],
        [tensor("on", TensorProto.BOOL, []), tensor("kept", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.array([1.0], np.float32), "one")],
    )
    return model(
        [
            helper.make_node("ReduceSum", ["X", "axes"], ["first"], keepdims=1),
            helper.make_node("Loop", ["rounds", "yes", "first"], ["y"], body=body),
        ],
        [tensor("X", TensorProto.FLOAT, ["n", 2])],
        [tensor("y", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
            numpy_helper.from_array(np.array(2**62, np.int64), "rounds"),
            numpy_helper.from_array(np.array(True), "yes"),
        ],
    )


def greedy(rows: int) -> bytes:
    """Makes a tensor of so many rows, times two, of each row; one number in all as output."""
    return model(
        [
            helper.make_node("Shape", ["X"], ["shape"]),
            helper.make_node("Mul", ["shape", "times"], ["large"]),
            helper.make_node("ConstantOfShape", ["large"], ["z"]),
            helper.make_node("ReduceSum", ["z"], ["sum"], keepdims=0),
            helper.make_node("Add", ["X", "sum"], ["y"]),
        ],
        [tensor("X", TensorProto.FLOAT, ["n", 2])],
        [tensor("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.array([rows, 1], np.int64), "times")],
    )
