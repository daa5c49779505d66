"""The checks before the methods of a registry store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow_decisions import KEY, envelope, registered

from solon.decisions.releases import ReleaseStore
from solon.server.mlflow import files
from solon.server.mlflow.governance import Governance
from solon.server.mlflow.settings import MlflowSettings

pytest.importorskip("mlflow")
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.abstract_store import AbstractStore

from solon.server.mlflow.plugin import _HARMLESS, _READS, CHECKS, Guard, guard

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HERE = "mlflow-artifacts:/0/a"


def test_every_method_of_mlflows_stores_is_known() -> None:
    methods = {
        name for name, each in vars(AbstractStore).items() if callable(each) and not name.startswith("_")
    }
    unknown = {name for name in methods - set(CHECKS) - _HARMLESS if not name.startswith(_READS)}
    assert unknown == set(), "say in plugin.py what they make live"
    assert set(CHECKS) <= methods


class Store:
    """A registry that does what it is told."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.done.append((name, alias, version))

    def get_model_version_download_uri(self, _name: str, _version: str) -> str:
        return HERE

    def promote_everything(self, name: str) -> None:
        self.done.append((name,))


def store(directory: Path, *, on_error: str = "closed") -> Any:
    """A store of its own class, guarded by the decisions in a directory."""
    methods = {name: each for name, each in vars(Store).items() if name not in ("__dict__", "__weakref__")}
    kind = type("Guarded", (), methods)
    settings = MlflowSettings(aliases=["champion"], on_error=on_error)  # type: ignore[arg-type]
    decisions = ReleaseStore(str(directory / "decisions"), [KEY.public_key()])
    guard(kind, Guard(Governance(settings, decisions), lambda: NOW))
    return kind()


def test_by_position_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    made = store(tmp_path)
    for call in (
        lambda: made.set_registered_model_alias("adult", "champion", "1"),
        lambda: made.set_registered_model_alias(alias="champion", version="1", name="adult"),
        lambda: made.set_registered_model_alias("adult", version=1, alias="champion"),
    ):
        with pytest.raises(
            MlflowException, match="Solon refuses to set the alias champion of adult to version 1"
        ):
            call()
    assert made.done == []
    made.set_registered_model_alias("adult", "challenger", "1")
    made._unused = ReleaseStore(str(tmp_path / "decisions"), [KEY.public_key()]).keep(envelope(registered()))
    made.set_registered_model_alias("adult", "champion", "1")
    assert made.done == [("adult", "challenger", "1"), ("adult", "champion", "1")]


def test_what_cannot_be_told_is_refused_unless_settings_say_otherwise(tmp_path: Path) -> None:
    closed = store(tmp_path)
    with pytest.raises(MlflowException, match="whether it may cannot be told") as caught:
        closed.set_registered_model_alias("adult", "champion", "1")
    assert caught.value.get_http_status_code() == 403
    opened = store(tmp_path, on_error="open")
    opened.set_registered_model_alias("adult", "champion", "1")
    assert (closed.done, opened.done) == ([], [("adult", "champion", "1")])


def test_open_is_for_what_cannot_be_told_alone(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    with pytest.raises(MlflowException, match="never gated"):
        store(tmp_path, on_error="open").set_registered_model_alias("adult", "champion", "1")


def test_a_method_that_nobody_knows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a later version of MLflow may bring one.
    monkeypatch.setattr(AbstractStore, "promote_everything", lambda _self, _name: None, raising=False)
    made = store(tmp_path)
    with pytest.raises(MlflowException, match="does not know promote_everything"):
        made.promote_everything("adult")
    assert made.done == []


class Repository:
    """Artifacts, as the server's proxy writes them."""

    def __init__(self, artifact_uri: str) -> None:
        self.artifact_uri = artifact_uri
        self.written: list[str] = []

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        self.written.append(f"{artifact_path}/{local_file}")

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        self.written.append(f"{artifact_path}/{local_dir}")

    def log_artifact_from_stream(
        self, _stream: Any, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        self.written.append(f"{artifact_path}/{artifact_file_name}")

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self.written.append(f"{artifact_path}")

    def create_multipart_upload(
        self, local_file: str, num_parts: int = 1, artifact_path: str | None = None
    ) -> None:
        self.written.append(f"{artifact_path}/{local_file}/{num_parts}")


@pytest.fixture
def kept(tmp_path: Path) -> files.Kept:
    decisions = ReleaseStore(str(tmp_path / "decisions"), [KEY.public_key()])
    decisions.keep(envelope(registered("adult", "mlflow-artifacts:/0/run/artifacts/model")))
    decisions.keep(envelope(registered("bad", "mlflow-artifacts:/0/bad"), "deny"))
    decisions.keep(envelope(registered("far", "s3://bucket/0/far")))
    return files.Kept(decisions, "/srv/artifacts", PermissionError)


@pytest.fixture
def repository(kept: files.Kept) -> Repository:
    return kept.keep(Repository("/srv/artifacts"))


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/srv/artifacts/0/run", "artifacts/model"),
        ("file:///srv/artifacts/0/run/artifacts/model", ""),
        ("file:///srv/artifacts/0/r%75n/artifacts", "model"),
        ("/srv/x/../artifacts/0", "run/artifacts/model/deep"),
        ("s3://bucket/0", "far"),
        ("s3://bucket", "0/x/../far"),
    ],
)
def test_the_same_files_by_another_root_are_kept(kept: files.Kept, root: str, path: str) -> None:
    with pytest.raises(PermissionError):
        kept.keep(Repository(root)).log_artifact("weights", path)


@pytest.mark.parametrize(
    ("root", "path"), [("/srv", "0/run/artifacts/model"), ("s3://other/0", "far"), ("gs://bucket/0", "far")]
)
def test_other_places_are_not(kept: files.Kept, root: str, path: str) -> None:
    found = kept.keep(Repository(root))
    found.log_artifact("weights", path)
    assert found.written


MODEL = "0/run/artifacts/model"


@pytest.mark.parametrize(
    "write",
    [
        lambda r, _: r.log_artifact("/tmp/x/weights", MODEL),
        lambda r, _: r.log_artifact("/tmp/x/weights", artifact_path=f"{MODEL}/deep"),
        lambda r, _: r.log_artifact("/tmp/x/model", "0/run/artifacts"),
        lambda r, _: r.log_artifact("/tmp/x/weights", "0/run/artifacts/x/../model"),
        lambda r, _: r.log_artifact("/tmp/x/weights", "0/run/ARTIFACTS/Model/"),
        lambda r, _: r.log_artifact("/tmp/x/weights", f"//{MODEL}"),
        lambda r, tmp: r.log_artifacts(str(tmp / "upload"), "0/run/artifacts"),
        lambda r, _: r.log_artifact_from_stream(None, "weights", MODEL),
        lambda r, _: r.delete_artifacts(MODEL),
        lambda r, _: r.delete_artifacts(f"{MODEL}/weights"),
        lambda r, _: r.delete_artifacts("0/run"),
        lambda r, _: r.delete_artifacts(),
        lambda r, _: r.create_multipart_upload("weights", 3, MODEL),
        lambda r, _: r.create_multipart_upload("model/weights", 3, "0/run/artifacts"),
    ],
)
def test_files_that_were_let_pass_are_kept(repository: Repository, tmp_path: Path, write: Any) -> None:
    (tmp_path / "upload/model").mkdir(parents=True)
    (tmp_path / "upload/model/weights").touch()
    with pytest.raises(PermissionError, match="Solon refuses to change"):
        write(repository, tmp_path)
    assert repository.written == []


def test_other_files_are_written(repository: Repository) -> None:
    repository.log_artifact("weights", "0/run/artifacts/model-2")
    repository.log_artifact("weights", "0/bad")
    repository.log_artifact("weights", "0/far")
    repository.log_artifact_from_stream(None, "weights")
    repository.delete_artifacts("0/other")
    assert len(repository.written) == 5
