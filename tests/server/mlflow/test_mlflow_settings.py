"""What governs a registry: settings that are half understood govern nothing, and then no server starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from solon.cli import key_files
from solon.server.mlflow import governance
from solon.server.mlflow.governance import SettingsError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    key_files.write_pair(f"{tmp_path}/gate.pem", f"{tmp_path}/gate.pub.pem")
    return tmp_path


def written(repository: Path, **said: object) -> str:
    path = repository / "solon.yaml"
    path.write_text(yaml.safe_dump({"policies": ["policy"], "models": {"gate": "gate.pub.pem"}, **said}))
    return str(path)


def test_settings_are_read_whole_or_not_at_all(repository: Path) -> None:
    path = Path(written(repository, mlflow={"aliases": ["champion"]}))
    path.write_text(path.read_text() + "#" * (1 << 20))
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        governance.read(str(path))


def test_settings_are_those_of_the_policy_repository(repository: Path) -> None:
    found = governance.read(written(repository, mlflow={"aliases": ["champion"]}))
    assert found.settings.on_error == "closed"
    assert found.store.directory == f"{repository}/.solon/decisions"
    assert len(found.store.keys) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "has no `mlflow:`"),
        ({"mlflow": {}}, "governs nothing"),
        ({"mlflow": {"alias": ["champion"]}}, "unknown field `alias`"),
        ({"mlflow": {"aliases": "champion"}}, "Expected `array`"),
        ({"mlflow": {"aliases": [""]}}, "none may be empty"),
        ({"mlflow": {"aliases": ["champion"], "on_error": "maybe"}}, "Invalid enum value 'maybe'"),
        ({"mlflow": {"aliases": ["champion"], "registry": ""}}, "registry must have a name"),
        (
            {"mlflow": {"aliases": ["champion"], "keys": ["nowhere.pem"]}},
            "nowhere.pem: no such file or directory",
        ),
        ({"mlflow": {"aliases": ["champion"], "keys": ["gate.pem"]}}, "holds a private key"),
        ({"mlflow": {"aliases": ["champion"], "keys": ["solon.yaml"]}}, "is not a public key"),
    ],
)
def test_what_is_wrong_is_said(repository: Path, said: dict[str, object], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        governance.read(written(repository, **said))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "a: b: c", "- 1", "\x00", "mlflow: {aliases: [a]}\n---\nmlflow: {}", "&a [*a, *a]"]
)
def test_a_file_that_is_none_is_refused(repository: Path, text: str) -> None:
    (repository / "solon.yaml").write_text(text)
    with pytest.raises(SettingsError):
        governance.read(str(repository / "solon.yaml"))


def test_without_the_variable_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    from solon.server.mlflow.plugin import create_app

    monkeypatch.delenv("SOLON_MLFLOW", raising=False)
    with pytest.raises(SettingsError, match="SOLON_MLFLOW is not set"):
        create_app()


@pytest.mark.parametrize("name", ["solon", "no-such-application"])
def test_another_application_must_be_there(name: str) -> None:
    pytest.importorskip("mlflow")
    from solon.server.mlflow.plugin import _other

    with pytest.raises(SettingsError, match=f"there is no '{name}'"):
        _other(name)


def test_mlflow_finds_the_plugin_in_the_package() -> None:
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert declared["mlflow.app"] == {"solon": "solon.server.mlflow.plugin:create_app"}
