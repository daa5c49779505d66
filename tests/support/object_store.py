"""An S3 on this machine: moto's, with faults in front of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "s3cret-key",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@dataclass(frozen=True)
class Fault:
    """For requests that ``when`` is true of (method, path): wait, then answer with ``status``, or as usual for 0."""

    when: Callable[[str, str], bool]
    status: int = 0
    code: str = ""
    seconds: float = 0.0
    times: int = 1_000_000


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: Any, **_named: Any) -> None:
        pass


class ObjectStore:
    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[int], None] = lambda _number: None
        self._used: dict[int, int] = {}
        self._lock = threading.Lock()
        backend = DomainDispatcherApplication(create_backend_app)

        def application(environ: dict[str, Any], start: Any) -> Any:
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            query = environ.get("QUERY_STRING", "")
            with self._lock:
                self.requests.append((method, f"{path}?{query}" if query else path))
                self.before(len(self.requests))
            fault = self._fault(method, path)
            if fault is not None:
                time.sleep(fault.seconds)
                if fault.status:
                    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                    body = f"<Error><Code>{fault.code}</Code><Message>no\nway</Message></Error>".encode()
                    start(
                        f"{fault.status} X",
                        [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))],
                    )
                    return [body if method != "HEAD" else b""]
            return backend(environ, start)

        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            with self._lock:
                if fault.when(method, path) and self._used.get(id(fault), 0) < fault.times:
                    self._used[id(fault)] = self._used.get(id(fault), 0) + 1
                    return fault
        return None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )
