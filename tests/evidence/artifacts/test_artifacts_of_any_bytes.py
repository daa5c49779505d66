"""Whatever the bytes are: an answer, in bounds, and never a pass for what is broken."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
import zlib

import msgspec
import numpy as np
import pickle_zoo
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from solon.evidence.artifacts.examine import examine
from solon.evidence.artifacts.limits import Limits
from solon.evidence.artifacts.result import Artifact

LIMITS = Limits(
    depth=4,
    members=50,
    artifacts=200,
    inflated=4 << 20,
    free=1 << 20,
    held=1 << 18,
    opcodes=20_000,
    text=1 << 18,
)
NODE = helper.make_node("Add", ["x", "w"], ["y"])
VALUES = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
ONNX = helper.make_model(
    helper.make_graph(
        [NODE], "g", VALUES[:1], VALUES[1:], [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])]
    )
).SerializeToString()
GGUF = (
    b"GGUF\x03\x00\x00\x00" + (0).to_bytes(8, "little") + (2).to_bytes(8, "little")
    + (12).to_bytes(8, "little") + b"general.name" + (8).to_bytes(4, "little") + (4).to_bytes(8, "little") + b"tiny"
    + (1).to_bytes(8, "little") + b"a" + (9).to_bytes(4, "little") + (4).to_bytes(4, "little") + (2).to_bytes(8, "little") + bytes(8)
)  # fmt: skip
OPCODES = [
    b"(", b".", b"0", b"1", b"2", b"cos\nsystem\n", b"ios\nx\n", b"Vos\n", b"p1\n", b"g1\n", b"\x94", b"h\x00", b"\x8c\x02os", b"\x93",
    b"R", b"b", b"o", b"\x81", b"\x92", b")", b"]", b"}", b"t", b"\x85", b"\x86", b"\x87", b"u", b"e", b"a", b"s", b"N", b"K\x01",
    b"\x82\x01", b"Q", b"P1\n", b"\x80\x04", b"S'x'\n", b"B\x02\x00\x00\x00xx", b"d", b"l", b"\x8f", b"\x90", b"\x91",
]  # fmt: skip


def saved(save, *args, **kwargs):
    out = io.BytesIO()
    save(out, *args, **kwargs)
    return out.getvalue()


GOOD = {
    "pickle": pickle.dumps({"a": [1, 2.5, "x", (None, True)], "b": np.arange(3)}),
    "pickle-0": pickle.dumps({"a": [1, 2.5, "x"]}, 0),
    "legacy": pickle_zoo.torch_legacy(pickle.dumps({"a": 1}, 2)),
    "joblib": pickle_zoo._joblib(),
    "torch": pickle_zoo.torch_zip(pickle.dumps([1], 2)),
    "zip": pickle_zoo.zipped({"a.json": "{}", "b": "words\n" * 50}, zipfile.ZIP_DEFLATED),
    "zip-lzma": pickle_zoo.zipped({"a.json": "{}"}, zipfile.ZIP_LZMA),
    "tar": pickle_zoo.tarred({"a.json": b"{}", "b" * 120: b"words\n"}),
    "tar.gz": gzip.compress(pickle_zoo.tarred({"a.json": b"{}"})),
    "gzip": gzip.compress(b"words\n" * 20),
    "bz2": bz2.compress(b"words\n" * 20),
    "xz": lzma.compress(b"words\n" * 20),
    "lzma": lzma.compress(b"words\n" * 20, lzma.FORMAT_ALONE),
    "zlib": zlib.compress(b"words\n" * 20),
    "npy": saved(np.save, np.arange(6).reshape(2, 3)),
    "npy-objects": saved(np.save, np.array([None, {}], object), allow_pickle=True),
    "npz": saved(np.savez_compressed, a=np.arange(3)),
    "safetensors": safetensors.numpy.save({"a": np.ones((2, 3), np.float32), "b": np.zeros(2)}),
    "onnx": ONNX,
    "gguf": GGUF,
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100) + b'{"class_name": "Dense"}',
    "json": json.dumps(
        {"chat_template": "{{ x }}", "class_name": "X", "config": {}, "auto": [1, 2]}
    ).encode(),
    "yaml": b"---\na: !!str 1\nb: [x, {y: z}]\n",
    "mlmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n",
    "keras": pickle_zoo._keras({"module": "keras", "class_name": "Sequential", "config": {}}),
}


def check(data):
    found = examine(data, "x", LIMITS)
    assert len(found) <= LIMITS.artifacts
    assert found[0].path == "x"
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Artifact]) == found
    for artifact in found:
        assert artifact.verdict in ("safe", "unsafe", "unknown")
        assert artifact.verdict == "safe" or artifact.reasons
        assert not [reason for reason in artifact.reasons if "could not be looked at" in reason]
        assert len(artifact.reasons) <= 24
    return found


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes(data):
    check(data)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(OPCODES), max_size=30))
def test_opcodes_in_any_order(opcodes):
    found = check(b"\x80\x04" + b"".join(opcodes))
    assert found[0].verdict == "unsafe"


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_good_files_with_bytes_changed(name, data):
    changed = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(changed) - 1, 0)))
        how = data.draw(st.sampled_from(["set", "flip", "insert", "delete", "long"]))
        if how == "set":
            changed[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
        elif how == "flip" and changed:
            changed[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "insert":
            changed[at:at] = data.draw(st.binary(max_size=12))
        elif how == "delete":
            del changed[at : at + data.draw(st.integers(1, 20))]
        else:
            changed[at : at + 4] = b"\xff\xff\xff\x7f"
    check(bytes(changed))


@pytest.mark.parametrize("name", GOOD)
def test_good_files_cut_off_anywhere(name):
    data = GOOD[name]
    for end in range(0, len(data), max(1, len(data) // 60)):
        check(data[:end])


@pytest.mark.parametrize("name", sorted(pickle_zoo.PICKLES))
def test_a_hostile_pickle_is_unsafe_wherever_it_ends_after_its_call(name):
    """Whatever follows a call that was made does not undo it."""
    data = pickle_zoo.PICKLES[name][0]
    if name in ("import-only.pkl", "setitems.pkl") or data[:1] not in (b"\x80", b"c", b"("):
        return
    assert check(data + b"\x00\xff trailing")[0].verdict == "unsafe"


def test_tar_headers_with_any_numbers():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    header = bytearray(out.getvalue())
    for size in (b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"9" * 12, b" " * 12):
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header[:512])
        check(bytes(header))


N = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * N,
        "{{" * N,
        "{% " * N,
        "{{" + "[" * N + "}}",
        "{{ " + "'a" * N + " }}",
        "{{" + ". " * N + "}}",
        "def f(" + ")" * N,
        "class A(" + "(" * N,
        "import a" + ", a" * N + "!",
        "```\n~~~\n" * (N // 8),
        'a: 1\nb: [\n"' + "\\x" * N,
        "\n" * N + "<",
        "<a " * N,
        "!" * N,
        "a: !" + "!" * N,
        "- " * N,
        "{}\n" * N,
        "[" * N,
        "cb\n" * N,
        "\n".join(["c" * 100] * (N // 100)),
        "%TAG ! " * (N // 7),
        '"class_name": ' * (N // 14),
    ],
    ids=range(22),
)
def test_no_text_takes_time_in_proportion_to_its_square(text):
    """Each of these would take minutes."""
    check(text.encode())
    check(b"\x80\x04" + text.encode())
    examine(b"\x89HDF\r\n\x1a\n" + text.encode(), "x")
    examine(text.encode(), "x")
