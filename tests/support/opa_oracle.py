"""What OPA and Solon answer to a generated program, in one form: ("value", …), ("error", …) or ("refused", …)."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rego_programs import BASE, Generated

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import UNDEFINED, RegoError
from solon.lang.values import json_text

OPA = os.environ.get("OPA") or shutil.which("opa")
BUDGET = Budget(seconds=5, steps=30_000)
Broken = (OSError, http.client.HTTPException, json.JSONDecodeError)  # no answer from OPA
Answer = tuple[str, Any]


class Opa:
    """One OPA server, asked about one program after the other."""

    def __init__(self, address: Path) -> None:
        self.address = address
        self.connection: http.client.HTTPConnection | None = None
        self.others: set[str] = set()

    def ask(self, method: str, path: str, body: str | None = None) -> Any:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("opa", timeout=10)
            self.connection.sock = socket.socket(socket.AF_UNIX)
            self.connection.sock.connect(str(self.address))
        self.connection.request(method, path, None if body is None else body.encode())
        return json.loads(
            self.connection.getresponse().read() or "{}", parse_float=_number, parse_int=_number
        )

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def load(self, program: Generated) -> list[dict[str, Any]]:
        """The errors OPA finds in the program; it is loaded when there are none."""
        names = set(program.modules)
        if len(names) > 1 or self.others:
            self.ask("PUT", "/v1/policies/t.rego", "package t")
        for name in self.others - names:
            self.ask("PUT", f"/v1/policies/{name}", "package unused")
        self.others = names - {"t.rego"}
        for name, text in program.modules.items():
            refused = self.ask("PUT", f"/v1/policies/{name}", text)
            if "errors" in refused or "code" in refused:
                return refused.get("errors") or [refused]
        return []

    def document(self, program: Generated, strict: bool = False) -> Answer:
        path = f"/v1/data/t?strict-builtin-errors={'true' if strict else 'false'}"
        given = self.ask("POST", path, json.dumps({"input": program.input}))
        if "code" in given:
            return "error", (given.get("errors") or [given])[0]
        return "value", given.get("result", {})

    def bindings(self, program: Generated) -> Answer:
        given = self.ask("POST", "/v1/query", json.dumps({"query": program.query, "input": program.input}))
        if "code" in given:
            first = (given.get("errors") or [given])[0]
            return ("error" if first["code"].startswith("eval") else "refused"), first
        return "value", given.get("result", [])


def _number(text: str) -> Decimal:
    return Decimal(text)


@contextmanager
def server(version: str = "v1") -> Iterator[Opa]:
    with tempfile.TemporaryDirectory() as folder:
        address = Path(folder) / "socket"
        command = [str(OPA), "run", "--server", "--addr", f"unix://{address}", "--log-level", "error"]
        command += ["--disable-telemetry", *(["--v0-compatible"] if version == "v0" else [])]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        opa = Opa(address)
        try:
            for _ in range(200):
                if address.exists() or process.poll() is not None:
                    break
                time.sleep(0.05)
            opa.ask("PUT", "/v1/data/base", json.dumps(BASE))
            yield opa
        finally:
            opa.close()
            process.terminate()
            process.wait(10)


def compiled(program: Generated) -> rego.Program:
    return rego.compile(program.modules, data={"base": BASE}, version=program.version)  # type: ignore[arg-type]


def document(found: rego.Program, program: Generated, strict: bool = False) -> Answer:
    try:
        value = found.evaluate("data.t", input=program.input, strict_builtin_errors=strict, budget=BUDGET)
    except RegoError as error:
        return "error", error
    return "value", json.loads(
        json_text({} if value is UNDEFINED else value), parse_float=_number, parse_int=_number
    )


def bindings(found: rego.Program, program: Generated) -> Answer:
    try:
        value = found.query(program.query, input=program.input, budget=BUDGET)
    except RegoError as error:
        return ("error" if error.code.startswith("eval") else "refused"), error
    return "value", json.loads(json_text(value), parse_float=_number, parse_int=_number)


def difference(wanted: Any, found: Any) -> str:
    """How two values differ: "", "digits" where only far digits of a number do, or "value"."""
    if isinstance(wanted, Decimal) and isinstance(found, Decimal):
        if wanted == found:
            return ""
        return "digits" if abs(wanted - found) <= abs(wanted) * Decimal("1e-12") else "value"
    if type(wanted) is not type(found):
        return "value"
    if isinstance(wanted, dict):
        if wanted.keys() != found.keys():
            return "value"
        return max(
            (difference(v, found[k]) for k, v in wanted.items()),
            default="",
            key=["", "digits", "value"].index,
        )
    if isinstance(wanted, list):
        if len(wanted) != len(found):
            return "value"
        return max(map(difference, wanted, found), default="", key=["", "digits", "value"].index)
    return "" if wanted == found else "value"
