"""The evidence about the files of a release, as it is gathered."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import msgspec
import pickle_zoo
import pytest
from onnx import TensorProto, helper

from solon.evidence import digests
from solon.evidence.artifacts.result import Artifacts
from solon.evidence.collector import Given
from solon.evidence.gathering import gather
from solon.evidence.release import Release


@pytest.fixture
def collected(tmp_path):
    def collect(files, progress=lambda doing, done, of: None):
        for name, data in files.items():
            path = tmp_path / "model" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        release = Release(kind="solon.release/v1", name="m", version="1", model=["model"])
        model = digests.model(str(tmp_path), release.model)
        given = Given(release, str(tmp_path), model, datetime(2026, 11, 21, tzinfo=UTC), progress=progress)
        item = gather(given, only=["artifacts"]).evidence.artifacts
        assert item is not None
        return item

    return collect


def found(item):
    return {artifact.path.removeprefix("model/"): artifact for artifact in item.result.artifacts}


def reading(location):
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    node = helper.make_node("Add", ["x", "w"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    return helper.make_model(
        helper.make_graph([node], "g", values[:1], values[1:], [tensor])
    ).SerializeToString()


def test_every_released_file_is_told_of(collected):
    doing = []
    item = collected(
        {"a.json": b"{}", "sub/b.pt": pickle_zoo.torch_zip(pickle_zoo.SYSTEM)},
        lambda *args: doing.append(args),
    )
    assert (item.status, item.tool) == ("measured", "solon")
    assert {path: each.verdict for path, each in found(item).items()} == {
        "a.json": "safe",
        "sub/b.pt": "unsafe",
        "sub/b.pt!m/data.pkl": "unsafe",
        "sub/b.pt!m/byteorder": "safe",
        "sub/b.pt!m/data/0": "safe",
        "sub/b.pt!m/version": "safe",
    }
    assert ("model/sub/b.pt", 1, 2) in doing


def test_the_evidence_can_be_written_and_read(collected):
    """Names that are no text, and numbers that JSON has not, are in no document."""
    item = collected({name.replace("/", "_"): data for name, (data, _) in pickle_zoo.ZOO.items()})
    text = msgspec.json.encode(item.result)
    assert msgspec.json.decode(text, type=Artifacts) == item.result
    assert b"null" not in text
    assert b"NaN" not in text


def test_numbers_that_a_model_reads_are_safe(collected):
    item = collected({"m.onnx": reading("weights.bin"), "weights.bin": bytes(8), "other.bin": bytes(8)})
    assert {path: (each.format, each.verdict) for path, each in found(item).items()} == {
        "m.onnx": ("onnx", "safe"),
        "weights.bin": ("numbers", "safe"),
        "other.bin": ("unknown", "unknown"),
    }


def test_a_pickle_that_a_model_reads_as_numbers_stays_one(collected):
    item = collected({"m.onnx": reading("weights.bin"), "weights.bin": pickle_zoo.SYSTEM})
    assert found(item)["weights.bin"].verdict == "unsafe"


def test_a_file_that_a_model_reads_and_nobody_released_is_unknown(collected):
    each = found(collected({"m.onnx": reading("weights.bin")}))["m.onnx"]
    assert each.verdict == "unknown"
    assert each.reasons == [
        "reads model/weights.bin, which is not released with it: nobody knows what it will hold"
    ]


@pytest.mark.parametrize("path", [".git/evil.pkl", ".git/hooks/post-checkout", ".github/x.yml", "sub/.gitignore", ".gitattributes"])  # fmt: skip
def test_what_no_signature_covers_is_said_so(collected, path):
    """A file that is added there after signing still verifies."""
    each = found(collected({path: b"*.pkl\n"}))[path]
    assert any("signatures of model-signing leave out" in reason for reason in each.reasons)
    assert each.verdict == ("unsafe" if path.startswith(".git/") else "safe")


def test_a_file_that_has_gone_is_an_error_of_this_part_alone(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    release = Release(kind="solon.release/v1", name="m", version="1", model=["a.json"])
    model = digests.model(str(tmp_path), release.model)
    os.unlink(tmp_path / "a.json")
    given = Given(release, str(tmp_path), model, datetime(2026, 11, 21, tzinfo=UTC))
    item = gather(given, only=["artifacts"]).evidence.artifacts
    assert (item.status, item.problem, item.result) == ("error", "a.json: no such file or directory", None)
