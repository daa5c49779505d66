"""One MLflow server for all tests of a session, governed by a policy repository."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow_server import MlflowServer

from solon.cli import key_files

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before anything imports it
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "2"

POLICY = """# METADATA
# title: Risks are stated, and small
# custom:
#   subject: ml.release
#   remediation: State the risk, and lower it
package ml.risk

deny contains {"msg": sprintf("risk is %s", [input.release.risk]), "path": ["release", "risk"]} if {
	input.release.risk == "high"
}

deny contains {"msg": "its risk is not stated"} if not input.release.risk

deny contains {"msg": "its files are not there"} if not input.model.verified
"""
SETTINGS = {
    "policies": ["policy"],
    "models": {"gate": "gate.pub.pem", "collectors": ["collector.pub.pem"]},
    "mlflow": {
        "aliases": ["champion", "production"],
        "stages": ["Production"],
        "names": ["prod.*"],
        "decisions": "decisions",
    },
}


@dataclass
class Site:
    """The server, a client of it, and the repository that governs it."""

    directory: Path
    server: MlflowServer
    client: Any
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def settings(self, **mlflow: Any) -> dict[str, Any]:
        """solon.yaml, for a repository whose watch governs more than the plugin does."""
        return {**SETTINGS, "mlflow": {**SETTINGS["mlflow"], "tracking_uri": self.server.url, **mlflow}}

    def name(self) -> str:
        return f"model-{next(self._numbers)}"

    def version(self, name: str, risk: str | None = "minimal", text: str = "weights") -> str:
        """A new version of a registered model, from a run of its own with a release."""
        from mlflow.exceptions import MlflowException

        client = self.client
        with suppress(MlflowException):  # it is there
            client.create_registered_model(name)
        run = client.create_run("0")
        client.log_text(run.info.run_id, text, "model/weights.txt")
        if risk is not None:
            said = {
                "kind": "solon.release/v1",
                "name": "x",
                "version": "0",
                "model": ["weights"],
                "risk": risk,
            }
            client.log_text(run.info.run_id, yaml.safe_dump(said), "solon/release.yaml")
        source = f"{run.info.artifact_uri}/model"
        return str(client.create_model_version(name, source, run.info.run_id).version)

    def aliases(self, name: str) -> dict[str, str]:
        return {alias: str(v) for alias, v in self.client.get_registered_model(name).aliases.items()}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("mlflow")
    (directory / "policy").mkdir()
    (directory / "policy/risk.rego").write_text(POLICY)
    (directory / "decisions").mkdir()
    for name in ("gate", "collector"):
        key_files.write_pair(f"{directory}/{name}.pem", f"{directory}/{name}.pub.pem")
    server = MlflowServer(directory / "server", "solon", {"SOLON_MLFLOW": f"{directory}/solon.yaml"})
    (directory / "solon.yaml").write_text(yaml.safe_dump(SETTINGS))
    try:
        server.start()
        import mlflow

        mlflow.set_tracking_uri(server.url)
        site = Site(directory, server, mlflow.MlflowClient(server.url, server.url))
        (directory / "solon.yaml").write_text(yaml.safe_dump(site.settings()))
        yield site
    finally:
        server.stop()


@pytest.fixture
def at_site(solon: Callable[..., Any], site: Site, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line, in the repository that governs the server, with the gate's key."""
    monkeypatch.chdir(site.directory)
    monkeypatch.setenv("SOLON_GATE_KEY", f"{site.directory}/gate.pem")
    return solon
