"""A real MLflow server: sqlite and artifacts in a directory, a free port, one worker."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

_PATIENCE = 180.0
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_WEBHOOK_CACHE_TTL": "1",
}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class MlflowServer:
    """``app`` is the application of ``--app-name``; ``environment`` is added to that of the server."""

    def __init__(
        self,
        directory: Path,
        app: str = "",
        environment: dict[str, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._app = app
        self._options = options
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> str:
        return (self.directory / "server.log").read_text(errors="replace")

    def start(self) -> MlflowServer:
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1", "--backend-store-uri", f"sqlite:///{self.directory}/mlflow.db",
            "--artifacts-destination", f"{self.directory}/artifacts",
            *(["--app-name", self._app] if self._app else []), *self._options,
        ]  # fmt: skip
        source = Path(__file__).parents[2] / "src"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
            **_QUIET,
            "PYTHONPATH": f"{self._entry_points()}:{source}",
            **self._environment,
        }
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=self.directory, stdout=log, stderr=log, start_new_session=True
            )
        self._wait()
        return self

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _entry_points(self) -> Path:
        """Where the server finds the plugin, even when this checkout is not what is installed."""
        found = self.directory / "plugin" / "solon_under_test-0.dist-info"
        shutil.rmtree(found.parent, ignore_errors=True)
        found.mkdir(parents=True)
        (found / "METADATA").write_text("Metadata-Version: 2.1\nName: solon-under-test\nVersion: 0\n")
        (found / "entry_points.txt").write_text(
            "[mlflow.app]\nsolon = solon.server.mlflow.plugin:create_app\n"
        )
        return found.parent

    def _wait(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise AssertionError(
                    f"mlflow server ended with {self._process.returncode}:\n{self.log[-3000:]}"
                )
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise AssertionError(f"mlflow server did not answer in time:\n{self.log[-3000:]}")
