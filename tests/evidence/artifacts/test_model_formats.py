"""Formats without code: what their heads say, held against the libraries that write them."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile

import gguf
import joblib
import numpy as np
import onnx
import pickle_zoo
import pytest
import safetensors.numpy
import skops.io
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from solon.evidence.artifacts.examine import examine

X = np.abs(np.random.default_rng(0).normal(size=(60, 3)))
Y = (X[:, 0] > 0.7).astype(int)


def only(data, name="model"):
    (found,) = examine(data, name)
    assert found.bytes == len(data)
    return found


def verdicts(found):
    return {artifact.path: (artifact.format, artifact.verdict) for artifact in found}


# --- safetensors


def tensors(header, buffer=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + buffer


def test_the_header_of_safetensors():
    data = safetensors.numpy.save(
        {"a": np.ones((2, 3), np.float32), "b": np.zeros(5, np.int64)}, {"format": "pt"}
    )
    found = only(data, "model.safetensors")
    assert (found.format, found.verdict, found.reasons) == ("safetensors", "safe", [])
    assert found.header == {
        "tensors": 2,
        "parameters": 11,
        "types": {"F32": 1, "I64": 1},
        "metadata": {"format": "pt"},
    }


def one(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    "data, says",
    {
        "hole": (tensors({"a": one(), "b": one(offsets=(8, 12))}, bytes(12)), "b: begins at byte 8 of the buffer, where 4 is free"),
        "overlap": (tensors({"a": one(), "b": one(offsets=(2, 6))}, bytes(6)), "b: begins at byte 2 of the buffer, where 4 is free"),
        "outside": (tensors({"a": one(shape=(2,), offsets=(0, 8))}, bytes(4)), "a: ends at byte 8 of the buffer, which has 4"),
        "rest": (tensors({"a": one()}, bytes(6)), "2 bytes of the buffer belong to no tensor"),
        "shape": (tensors({"a": one(shape=(3,))}, bytes(4)), "a: its shape needs other than the 4 bytes that it has"),
        "huge shape": (tensors({"a": one(shape=(2**62, 2**62))}, bytes(4)), "a: its shape needs other than the 4 bytes that it has"),
        "negative": (tensors({"a": one(shape=(-1, -1))}, bytes(4)), "a: a shape that is none"),
        "backwards": (tensors({"a": one(shape=(0,), offsets=(4, 0))}, bytes(4)), "a: begins at byte 4 of the buffer, where 0 is free"),
        "type": (tensors({"a": one(dtype="PY")}, bytes(4)), "a: a type that is not known: PY"),
        "twice": (tensors(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)), "a name twice in its header: readers may take either"),
        "cut off": (struct.pack("<Q", 100) + b'{"a": ' + bytes(94), "a header that is none: JSON is malformed: invalid character (byte 6)"),
    }.values(),
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_safetensors_file_that_breaks_its_format_is_unknown(data, says):
    found = only(data)
    assert (found.format, found.verdict) == ("safetensors", "unknown")
    assert says in found.reasons


def test_a_header_that_claims_more_than_the_format_allows():
    data = struct.pack("<Q", 100_000_001) + b"{" + bytes(1000)
    (found,) = examine(data, "x.safetensors")
    assert found.verdict == "unknown"
    assert found.format == "unknown"
    assert "its name says safetensors, and its content does not" in found.reasons


# --- numpy


@pytest.mark.parametrize(
    "array, header",
    [
        (np.arange(4), {"dtype": "<i8", "shape": [4]}),
        (np.zeros((2, 0, 3), np.float16), {"dtype": "<f2", "shape": [2, 0, 3]}),
        (np.array(["ab", "c"]), {"dtype": "<U2", "shape": [2]}),
        (np.zeros(3, [("a", "<f8"), ("b", "<i4", (2,))]), {"dtype": "[('a', '<f8'), ('b', '<i4', (2,))]", "shape": [3]}),
        (np.array(["2026-11-21"], "M8[s]"), {"dtype": "<M8[s]", "shape": [1]}),
    ],
)  # fmt: skip
def test_an_array_of_numbers_is_safe(array, header):
    out = io.BytesIO()
    np.save(out, array)
    found = only(out.getvalue())
    assert (found.format, found.verdict, found.header) == ("npy", "safe", header)


@pytest.mark.parametrize("dtype", [object, [("a", "f8"), ("b", object)], [("a", [("b", object)])]])
def test_an_array_of_objects_is_a_pickle(dtype):
    out = io.BytesIO()
    np.save(out, np.zeros(2, dtype), allow_pickle=True)
    found = only(out.getvalue())
    assert (found.format, found.verdict) == ("npy", "unsafe")
    assert found.reasons[0] == "an array of objects: its content is a pickle"
    assert "numpy.ndarray" in found.imports


def test_an_array_that_is_cut_off_or_followed_is_unknown():
    out = io.BytesIO()
    np.save(out, np.arange(4))
    assert only(out.getvalue()[:-1]).reasons == ["truncated: 31 bytes of numbers, where its shape needs 32"]
    assert only(out.getvalue() + b"\0").reasons == ["1 bytes follow the array"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_its_arrays(save):
    out = io.BytesIO()
    save(out, a=np.arange(3), b=np.zeros(2))
    assert verdicts(examine(out.getvalue(), "m.npz")) == {
        "m.npz": ("npz", "safe"),
        "m.npz!a.npy": ("npy", "safe"),
        "m.npz!b.npy": ("npy", "safe"),
    }


# --- ONNX, held against the onnx library


def model(nodes, initializers=(), functions=(), domains=(("", 20),)):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        list(initializers),
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in domains],
        functions=list(functions),
        producer_name="tests",
        producer_version="1",
    )


def external(location):
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


ADD = helper.make_node("Add", ["x", "w"], ["y"])


def test_the_header_of_onnx():
    made = model([ADD], [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])])
    helper.set_model_props(made, {"license": "MIT"})
    onnx.checker.check_model(made)
    found = only(made.SerializeToString(), "model.onnx")
    assert (found.format, found.verdict, found.reasons) == ("onnx", "safe", [])
    assert found.header == {
        "ir_version": made.ir_version,
        "producer_name": "tests",
        "producer_version": "1",
        "opset_import": {"ai.onnx": 20},
        "operators": {"ai.onnx": 1},
        "tensors": 1,
        "metadata_props": {"license": "MIT"},
    }


def test_nodes_are_found_in_branches_and_functions():
    """As deep as ``If`` in ``If``: what the onnx library finds by walking all graphs."""
    inner = helper.make_graph(
        [helper.make_node("Evil", [], ["z"], domain="evil")],
        "inner",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])],
    )
    branch = helper.make_graph(
        [helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])],
    )
    made = model([helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)])
    found = only(made.SerializeToString())
    assert found.header["operators"] == {"ai.onnx": 3, "evil": 4}
    assert found.verdict == "unknown"
    assert "needs operators that are not ONNX's, and code for them: Evil of evil" in found.reasons


def test_operators_that_the_model_defines_itself_need_no_code():
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 20)]
    )  # fmt: skip
    made = model(
        [helper.make_node("Twice", ["x"], ["y"], domain="mine")],
        functions=[function],
        domains=[("", 20), ("mine", 1)],
    )
    onnx.checker.check_model(made)
    found = only(made.SerializeToString())
    assert (found.verdict, found.header["functions"]) == ("safe", ["mine.Twice"])


@pytest.mark.parametrize(
    "location, verdict",
    [
        ("weights.bin", "safe"),
        ("sub/weights.bin", "safe"),
        ("/etc/passwd", "unsafe"),
        ("../../secret", "unsafe"),
        ("a/../../secret", "unsafe"),
        ("..\\secret", "unsafe"),
        ("C:\\secret", "unsafe"),
        ("", "unknown"),
    ],
)
def test_files_that_a_model_reads(location, verdict):
    found = only(model([ADD], [external(location)]).SerializeToString())
    assert (found.verdict, found.header["external_data"]) == (verdict, [location])


def test_external_data_of_an_attribute_is_found():
    constant = helper.make_node("Constant", [], ["w"], value=external("/etc/passwd"))
    assert only(model([constant, ADD]).SerializeToString()).verdict == "unsafe"


def test_onnx_that_is_cut_off_is_unknown():
    data = model([ADD], [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])]).SerializeToString()
    verdict = {examine(data[:end], "m.onnx")[0].verdict for end in range(1, len(data))}
    assert "unknown" in verdict
    assert "safe" not in {examine(data[:end], "m.onnx")[0].verdict for end in range(12, len(data) - 12)}


# --- GGUF, written by the gguf library


def written(tmp_path, template="{% for m in messages %}{{ m['content'] }}{% endfor %}"):
    path = tmp_path / "m.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_license("apache-2.0")
    writer.add_chat_template(template)
    writer.add_token_list(["a", "b", "c"])
    writer.add_array("numbers", [1, 2, 3])
    writer.add_tensor("w", np.ones((32, 2), np.float32))
    writer.add_tensor("q", np.zeros(64, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def test_the_header_of_gguf(tmp_path):
    data = written(tmp_path)
    found = only(data, "m.gguf")
    assert (found.format, found.verdict, found.reasons) == ("gguf", "safe", [])
    keys = {key: field.contents() for key, field in gguf.GGUFReader(tmp_path / "m.gguf").fields.items()}
    assert found.header == {
        "version": 3,
        "tensors": 2,
        "keys": 6,
        **{
            key: keys[key]
            for key in ("general.architecture", "general.name", "general.license", "tokenizer.chat_template")
        },
    }


def test_gguf_that_is_cut_off_is_unknown(tmp_path):
    data = written(tmp_path)
    assert "safe" not in {examine(data[:end], "m.gguf")[0].verdict for end in range(4, len(data) - 40, 7)}


def test_the_sizes_of_its_types_are_those_of_ggml():
    from solon.evidence.artifacts.tensors.gguf import _BLOCKS

    theirs = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: theirs.get(kind) for kind in _BLOCKS} == _BLOCKS


@pytest.mark.parametrize("count", [2**32, 2**63, 2**64 - 1])
def test_gguf_that_claims_much_is_refused_at_once(count):
    kv = struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 8, count)
    found = only(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + kv)
    assert found.verdict == "unknown"
    found = only(b"GGUF" + struct.pack("<IQQ", 3, count, count))
    assert found.reasons == [f"says it has {count} tensors and {count} keys"]


@pytest.mark.parametrize(
    "template, says",
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "__class__"),
        ("{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}", "__class__"),
        ("{{ ''['__class__'] }}", "__class__"),
        ("{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}", "\\x5f"),
        ("{{ ''|attr('a') }}", "|attr"),
        ("{{ cycler.__init__.__globals__.os.popen('id') }}", "__init__"),
        ("{{ lipsum['x'] }}", "lipsum"),
        ("{{ self.x }}", "self"),
        ("{{ ''['_'~'_class'] }}", "of pieces"),
        ("{% include 'other' %}", "include"),
        ("{%- import 'other' as o -%}", "import"),
        ("{{ os.system('x') }}", "os"),
    ],
)
def test_a_template_that_reaches_for_python_is_unsafe(template, says):
    found = only(json.dumps({"chat_template": template}).encode())
    assert found.verdict == "unsafe"
    assert says in found.reasons[0]
    assert only(template.encode()).verdict == "unsafe"


GOOD_TEMPLATES = [
    "{%- for message in messages %}{{- '<|' + message['role'] + '|>\\n' + message.content | trim + '<|end|>\\n' }}{%- endfor %}",
    "{% set ns = namespace(found=false) %}{% if not ns.found %}{{ raise_exception('After system roles, import os must alternate') }}{% endif %}",
    "{{ bos_token }}{% if tools is not none %}{{ tools | tojson(indent=4) }}{% endif %}{{ strftime_now('%d %b %Y') }}",
    "{% for key, value in tool.items() %}{{ key|string + ': ' + value.split('</think>')[-1].lstrip('\\n') }}{% endfor %}{{ loop.index0 }}",
]


@pytest.mark.parametrize("template", GOOD_TEMPLATES)
def test_a_template_that_only_talks_is_safe(template):
    assert only(json.dumps({"chat_template": template}).encode()).verdict == "safe"


# --- skops, held against its own list


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(FunctionTransformer(np.log1p), PoissonRegressor()),
        ColumnTransformer([("a", OneHotEncoder(handle_unknown="ignore"), [0])]),
        RandomForestClassifier(2),
        HistGradientBoostingClassifier(max_iter=2),
        KNeighborsClassifier(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_skops_is_trusted_where_skops_trusts_it(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = skops.io.dumps(estimator.fit(X, Y))
    theirs = skops.io.get_untrusted_types(data=data)
    found = examine(data, "m.skops")
    assert found[0].format == "skops"
    assert {
        reason.rpartition(" ")[2] for a in found for reason in a.reasons if "skops trusts" in reason
    } == set(theirs)
    assert found[0].verdict == ("unknown" if theirs else "safe")


def schema(module, name, loader="ObjectNode"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        node = {"__module__": module, "__class__": name, "__loader__": loader, "protocol": 2}
        archive.writestr("schema.json", json.dumps(node))
    return out.getvalue()


@pytest.mark.parametrize(
    "module, name, loader",
    [
        ("__main__", "Foo", "ObjectNode"),
        ("builtins", "eval", "TypeNode"),
        ("os", "system", "FunctionNode"),
        ("sklearn.linear_model._logistic", "LogisticRegression", "MethodNode"),
        ("sklearn.os", "System", "ObjectNode"),
        ("operator", "attrgetter", "OperatorFuncNode"),
    ],
)
def test_skops_of_other_types_is_unsafe(module, name, loader):
    found = examine(schema(module, name, loader), "m.skops")
    assert found[0].verdict == "unsafe"
    assert found[1].imports == [f"{module}.{name}"]


# --- pickles of well known libraries


@pytest.mark.parametrize("protocol", range(6))
def test_a_benign_pickle_is_unsafe_all_the_same(protocol):
    import pickle

    found = only(pickle.dumps(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), protocol))
    assert found.verdict == "unsafe"
    assert found.reasons == [
        "whoever loads it runs what it says",
        "every name in it is one that pickles of well known libraries have",
    ]


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_joblib_is_followed_through_its_arrays(compress):
    fitted = RandomForestClassifier(2).fit(X, Y)
    fitted.words, fitted.objects = np.array(["a", "bcd"]), np.array([None, {"a": 1}], object)
    out = io.BytesIO()
    joblib.dump(fitted, out, compress=compress)
    found = examine(out.getvalue(), "m.joblib")[-1]
    assert found.header["written_by"] == "joblib"
    assert found.reasons[-1] == "every name in it is one that pickles of well known libraries have"


def test_what_torch_wrote_is_followed_to_its_numbers():
    import pickle

    found = only(pickle_zoo.torch_legacy(pickle.dumps({"a": 1}, 2)))
    assert found.header == {"protocol": 2, "pickles": 5, "written_by": "torch"}
    assert "24 bytes that are no pickle follow" in found.reasons[1]


# --- what else lies beside models


@pytest.mark.parametrize(
    "data, format, verdict",
    [
        (b"", "empty", "safe"),
        (b'{"architectures": ["X"]}', "json", "safe"),
        ('{"a": 1}'.encode("utf-16"), "json", "safe"),
        (b'{"a": 1}\n{"a": 2}\n', "jsonl", "safe"),
        (b'{"version": "1.0", "added_tokens": [], "model": {"type": "BPE"}}', "tokenizer-json", "safe"),
        (b'{"learner": {}, "version": [3, 0, 0]}', "xgboost-json", "safe"),
        (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "xgboost-ubj", "safe"),
        (b"tree\nversion=v4\nnum_class=1\n", "lightgbm", "safe"),
        (b"CBM1\x00\x01", "catboost", "unknown"),
        (b"a: 1\nb: [x]\n", "yaml", "safe"),
        (b"scikit-learn==1.9.1\nnumpy\n", "text", "safe"),
        (b"age,sex\n1,f\n", "text", "safe"),
        (b'{"cells": [], "nbformat": 4}', "notebook", "unsafe"),
        (b"{_target_: os.system}\n", "yaml", "unsafe"),
        (b"# A model\n\nLoad it with trust_remote_code=True: it has `auto_map`.\n", "text", "safe"),
        (b"a: 1\na: 2\n_target_: os.system\n", "text", "unknown"),
        (b"<svg><a onload = 'x'></svg>", "xml", "unsafe"),
        (b"N.\xff\x00\x9c\xc3" + bytes(40), "unknown", "unknown"),
        (b"---\nlicense: mit\n---\n# A model\n\nSome: words\n- and: [more\n", "text", "safe"),
        (b"---\nlicense: mit\nauto_map: x.Y\n---\n# A model\n\nSome words.\n", "text", "unsafe"),
        (b'<?xml version="1.0"?><PMML version="4.4"></PMML>', "pmml", "safe"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "png", "safe"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "hdf5", "unknown"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100) + b'{"class_name": "Lambda"}', "hdf5", "unsafe"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100) + b'{"class_name": "\\u004cambda"}', "hdf5", "unsafe"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100) + b'"module": "subprocess"', "hdf5", "unsafe"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(30), "tflite", "unknown"),
        (bytes(range(256)), "unknown", "unknown"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "7z", "unknown"),
        (b"\xa7\x0d\x0d\x0a" + bytes(12) + b"\xe3", "pyc", "unsafe"),
        (b"MZ" + bytes(100), "pe", "unsafe"),
    ],
)  # fmt: skip
def test_other_formats(data, format, verdict):
    assert (only(data).format, only(data).verdict) == (format, verdict)


def field(number, payload):
    return bytes([number << 3 | 2, len(payload)]) + payload


def saved_model(*operators):
    nodes = b"".join(field(1, field(1, b"n") + field(2, name.encode())) for name in operators)
    library = field(2, field(1, field(3, field(1, b"f") + field(2, b"Identity"))))
    return b"\x08\x01" + field(2, field(2, nodes + library))


def test_a_saved_model_is_never_safe():
    found = only(saved_model("MatMul", "MatMul"))
    assert (found.format, found.verdict) == ("tensorflow-savedmodel", "unknown")
    assert found.header == {"operators": {"Identity": 1, "MatMul": 2}}
    found = only(saved_model("MatMul", "WriteFile"))
    assert found.verdict == "unsafe"
    assert "its graph has WriteFile, which writes files" in found.reasons


def test_a_sentencepiece_model_is_safe():
    piece = field(1, "▁the".encode()) + b"\x15" + struct.pack("<f", -1.5) + b"\x18\x01"
    assert only(field(1, piece) * 3 + field(2, b"\x18\x03")).format == "sentencepiece"


def test_a_keras_archive_of_own_layers():
    layers = [
        {"module": "keras.layers", "class_name": "Dense", "config": {"activation": "relu"}, "registered_name": None},
        {"module": "keras.src.models.functional", "class_name": "Functional", "config": {}, "registered_name": "Functional"},
    ]  # fmt: skip
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}}
    data = pickle_zoo._keras(config)
    assert verdicts(examine(data, "m.keras")) == {
        "m.keras": ("keras", "safe"),
        "m.keras!metadata.json": ("json", "safe"),
        "m.keras!config.json": ("keras-config", "safe"),
    }


def test_a_torch_archive_without_hostile_names_is_a_pickle_all_the_same():
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02"
        b"X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04K\x04tq\x05QK\x00K\x02K\x02\x86K\x02K\x01\x86\x89ccollections\n"
        b"OrderedDict\nq\x06)RtR."
    )
    found = examine(pickle_zoo.torch_zip(tensor), "m.pt")
    assert verdicts(found) == {
        "m.pt": ("torch", "unsafe"),
        "m.pt!m/data.pkl": ("pickle", "unsafe"),
        "m.pt!m/byteorder": ("text", "safe"),
        "m.pt!m/data/0": ("numbers", "safe"),
        "m.pt!m/version": ("text", "safe"),
    }
    assert found[1].imports == [
        "torch._utils._rebuild_tensor_v2",
        "torch.FloatStorage",
        "collections.OrderedDict",
    ]
    assert found[1].opcodes == {"BINPERSID": 1, "GLOBAL": 3, "REDUCE": 2}


def test_torchscript_is_a_program():
    data = pickle_zoo.zipped(
        {"m/constants.pkl": b"\x80\x02).", "m/data.pkl": b"\x80\x02N.", "m/code/__torch__.py": "x"}
    )
    found = examine(data, "m.pt")[0]
    assert found.format == "torchscript"
    assert "TorchScript: its code/ is a program" in found.reasons


def test_the_head_of_mlmodel():
    text = (
        b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.skops\n"
        b"  sklearn:\n    serialization_format: skops\nmlflow_version: 3.17.2\nrun_id: abc\n"
    )
    found = only(text)
    assert (found.format, found.verdict) == ("mlmodel", "safe")
    assert found.header == {
        "flavors": {
            "python_function": {"loader_module": "mlflow.sklearn"},
            "sklearn": {"serialization_format": "skops"},
        },
        "mlflow_version": "3.17.2",
        "run_id": "abc",
    }


def test_what_is_safetensors_and_a_pickle_is_both():
    data = pickle_zoo.ARCHIVES["polyglot.safetensors"][0]
    assert safetensors.numpy.load(data)["w"].shape == (64,)
    found = only(data, "model.safetensors")
    assert (found.format, found.verdict) == ("safetensors", "unsafe")
    assert "is a pickle as well, to whoever loads it as one" in found.reasons
