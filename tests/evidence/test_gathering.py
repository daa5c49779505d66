"""The parts are gathered one after the other, and what goes wrong in one is no reason to lose the rest."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ml_releases import NOW, declared_in, write_evidence, write_release

from solon.evidence import digests, gathering
from solon.evidence.artifacts.result import Artifact, Artifacts
from solon.evidence.collector import CannotCollect, Collected, Given
from solon.evidence.document import Measured


@pytest.fixture
def given(tmp_path: Path) -> Given:
    root = str(write_release(tmp_path / "release", drift={"training": "a.csv", "serving": "b.csv"}))
    release = declared_in(Path(root))
    return Given(release, root, digests.model(root, release.model), NOW)


def collectors(monkeypatch: pytest.MonkeyPatch, **collect: Any) -> None:
    """Collectors of these parts do that; those of the others have nothing to gather."""

    def load(name: str) -> ModuleType:
        part = next(part for part, (module, _) in gathering.COLLECTORS.items() if module == name)
        made = ModuleType(name)
        made.collect = collect.get(part, lambda _: None)  # type: ignore[attr-defined]
        return made

    monkeypatch.setattr(gathering, "import_module", load)


def raising(error: Exception) -> Any:
    def collect(_: Given) -> Collected:
        raise error

    return collect


def test_a_part_has_its_source_and_what_it_is_about(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    about = Measured("training", "sha256:" + "0" * 64, "data/train.csv")
    found = Collected(Artifacts([]), "release directory", [about], "scanner", "2.1")
    collectors(monkeypatch, artifacts=lambda _: found)
    item = gathering.gather(given).evidence.artifacts
    assert item is not None
    assert (item.status, item.source, item.tool, item.tool_version) == (
        "measured",
        "release directory",
        "scanner",
        "2.1",
    )
    assert item.collected_at == "2026-11-21T12:00:00Z"
    assert [each.what for each in item.measured] == ["model", "declaration", "training"]
    assert item.measured[0].digest == given.model.digest


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (CannotCollect("data.csv: no column 'age'"), "data.csv: no column 'age'"),
        (ModuleNotFoundError("No module named 'scipy'", name="scipy"), "needs scipy, which is not installed: pip install 'solon[ml]'"),
        (ModuleNotFoundError("x", name="onnxruntime"), "needs onnxruntime, which is not installed: pip install 'solon[onnx]'"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (MemoryError(), "MemoryError: "),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_an_error_of_its_part_alone(
    given: Given, monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str
) -> None:
    collectors(monkeypatch, drift=raising(error), artifacts=lambda _: Collected(Artifacts([]), "x"))
    parts = gathering.gather(given).evidence
    assert parts.drift is not None
    assert parts.artifacts is not None
    assert (parts.drift.status, parts.drift.problem, parts.drift.result) == ("error", problem, None)
    assert parts.artifacts.status == "measured"


def test_what_cannot_be_written_is_an_error_of_its_part(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Artifacts([Artifact("a", "json", 1, "safe", header={"odd": object()})])
    collectors(monkeypatch, artifacts=lambda _: Collected(wrong, "x"))
    item = gathering.gather(given).evidence.artifacts
    assert item is not None
    assert (item.status, item.result) == ("error", None)
    assert item.problem.startswith("TypeError: ")


def test_an_interruption_is_no_evidence(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    collectors(monkeypatch, drift=raising(KeyboardInterrupt()))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        gathering.gather(given)


def test_what_is_not_declared_is_not_there(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    collectors(monkeypatch)
    parts = gathering.gather(given).evidence
    assert [getattr(parts, name) for name in parts.__struct_fields__] == [None] * 9


def test_one_part_anew_and_the_others_as_they_were(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write_evidence(Path(given.root))
    collectors(monkeypatch, drift=raising(CannotCollect("no")), artifacts=raising(CannotCollect("not asked")))
    parts = gathering.gather(given, ["drift"], before).evidence
    assert parts.artifacts == before.evidence.artifacts
    assert parts.documentation == before.evidence.documentation
    assert parts.drift is not None


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"risk": "minimal"}, True),
        ({"name": "other"}, True),
        ({"documentation": {"model_card": "b.md"}}, False),
        ({"documentation": None}, False),
        ({"task": "ranking"}, False),
    ],
)
def test_a_declaration_is_what_the_part_was_told(tmp_path: Path, change: dict[str, Any], same: bool) -> None:
    one = declared_in(write_release(tmp_path / "one"))
    other = declared_in(write_release(tmp_path / "other", **change))
    before = gathering.declaration(one, "documentation")
    assert (gathering.declaration(other, "documentation") == before) is same


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("../secret", "leads out of the release"),
        ("/etc/passwd", "must be a path inside the release"),
        ("docs/../../x", "leads out of the release"),
        ("docs/link/hostname", "leads out of the release"),
        ("nope", "no such file in the release"),
        ("docs", "no such file in the release"),
        ("a\0b", "must be a path inside the release"),
        ("", "must be a path inside the release"),
    ],
)
def test_paths_stay_inside(given: Given, path: str, problem: str) -> None:
    Path(given.root, "docs/link").symlink_to("/etc")
    with pytest.raises(CannotCollect, match=problem):
        given.path(path)


def test_tables_may_lie_with_the_data(given: Given, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/test.csv").write_text("a\n1\n")
    there = Given(given.release, given.root, given.model, NOW, data=str(tmp_path / "data"))
    assert there.path("test.csv") == str(tmp_path / "data/test.csv")
    with pytest.raises(CannotCollect, match="leads out"):
        there.path("../secret")
