"""A receiver of decision logs on this machine, and an OPA that uploads to one."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

OPA = os.environ.get("OPA") or shutil.which("opa")
needs_opa = pytest.mark.skipif(OPA is None, reason="no opa binary: put one on the PATH, or name it in OPA")


@dataclass(frozen=True)
class Uploaded:
    path: str
    headers: dict[str, str]  # names in lower case
    packed: bytes

    @property
    def value(self) -> Any:
        return json.loads(gzip.decompress(self.packed))


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class LogReceiver:
    """``answer`` decides about an upload; ``faults`` are replies that come before that."""

    def __init__(self, answer: Callable[[Uploaded], Reply] = lambda _uploaded: Reply()) -> None:
        self.answer = answer
        self.faults: deque[Reply] = deque()
        self.uploads: list[tuple[Uploaded, Reply]] = []
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                data = self.rfile.read(length)
                if len(data) < length:  # who sent it was killed
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                uploaded = Uploaded(self.path, headers, data)
                reply = outer.faults.popleft() if outer.faults else outer.answer(uploaded)
                with outer.changed:
                    outer.uploads.append((uploaded, reply))
                    outer.changed.notify_all()
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was accepted, in order."""
        with self.changed:
            taken = [uploaded for uploaded, reply in self.uploads if reply.status < 300]
        return [event for uploaded in taken for event in uploaded.value]

    def wait(
        self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30
    ) -> list[dict[str, Any]]:
        until = time.monotonic() + seconds
        while not enough(self.events):
            with self.changed:
                if not self.changed.wait(until - time.monotonic()):
                    break
        return self.events


class UploadingOpa:
    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, given: Any) -> Any:
        request = urllib.request.Request(
            f"{self.address}/v1/data/{path}",
            json.dumps({"input": given}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)


@contextmanager
def uploading_opa(to: str, policies: dict[str, str], **settings: Any) -> Iterator[UploadingOpa]:
    """An OPA that uploads its decisions ten times a second. ``settings`` are those of ``decision_logs``."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        config = {
            "services": {"solon": {"url": to}},
            "decision_logs": {
                "service": "solon",
                "reporting": {
                    "min_delay_seconds": 0,
                    "max_delay_seconds": 1,
                    "upload_size_limit_bytes": 4096,
                },
                **settings,
            },
        }
        (place / "config.json").write_text(json.dumps(config))
        for name, text in policies.items():
            (place / name).write_text(text)
        ports = place / "log"
        with ports.open("wb") as log:
            process = subprocess.Popen(
                [
                    str(OPA), "run", "--server", "--addr", "127.0.0.1:0", "--disable-telemetry",
                    "--log-level", "info", "-c", str(place / "config.json"), *(str(place / n) for n in policies),
                ],
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        try:
            yield UploadingOpa(f"http://{_address(process.pid, ports)}")
        finally:
            process.terminate()
            process.wait(20)


def _address(pid: int, log: Path) -> str:
    """Where a process listens: it chose the port itself."""
    for _ in range(300):
        for inode, port in _listening():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if os.readlink(link) == f"socket:[{inode}]":
                        return f"127.0.0.1:{port}"
                except OSError:
                    continue
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def _listening() -> Iterator[tuple[str, int]]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            yield fields[9], int(fields[1].split(":")[1], 16)
