"""Generated modules mean the same to Solon as to OPA.

Skipped without OPA: put `opa` on PATH, or name it in the environment variable OPA. SOLON_FUZZ=5000 tries
that many modules instead of a few.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.rego import UNDEFINED, RegoError

OPA = os.environ.get("OPA") or shutil.which("opa")
EXAMPLES = int(os.environ.get("SOLON_FUZZ", "0"))

pytestmark = pytest.mark.skipif(OPA is None, reason="no `opa` on PATH, and OPA does not name one")

INPUT: dict[str, Any] = {
    "n": 2,
    "s": "a",
    "t": True,
    "f": False,
    "z": None,
    "xs": [1, 2, 3, 2],
    "ys": ["b", "a", "c"],
    "o": {"a": 1, "b": 2, "c": {"a": [1, {"b": "a"}]}},
    "deep": [{"k": "a", "v": 1}, {"k": "b", "v": [1, 2]}, {"k": "a", "w": False}],
    "e": [],
    "m": [[1, 2], [3], "a", None, False, {"a": 0}],
}
BASE: dict[str, Any] = {"a": {"x": 1, "y": [True, False]}, "b": ["a", "b"], "k": "a"}


# --- modules


class Writer:
    """Writes one module, choice by choice; ``below(n)`` chooses a number under n.

    Variables in ``scope`` have a value where the writer stands.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below
        self.rules: list[str] = []  # references to rules written before
        self.functions: list[tuple[str, int]] = []
        self.fresh = 0
        self.binding = False  # whether a term may bring new variables, as the index of a reference

    def pick(self, *choices: str) -> str:
        return choices[self.below(len(choices))]

    def chance(self, n: int) -> bool:
        """True once in ``n``."""
        return self.below(n) == n - 1

    def new(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    # terms

    def scalar(self) -> str:
        return self.pick("0", "1", "2", '"a"', '"b"', "true", "false", "null", "-1", "1.5", '""', '"xs"', "3")

    def index(self, scope: list[str]) -> str:
        choice = self.below(12)
        if choice < 4:
            return "." + self.pick("a", "b", "c", "k", "v", "w", "x", "y")
        if choice < 6:
            return f"[{self.pick('0', '1', '2')}]"
        if choice < 8:
            return "[_]"
        if choice < 10 and scope:
            return f"[{self.pick(*scope)}]"
        if choice == 10 and self.binding:
            variable = self.new()
            scope.append(variable)
            return f"[{variable}]"
        return f"[{self.scalar()}]"

    def ref(self, scope: list[str]) -> str:
        heads = [*(f"input.{name}" for name in INPUT), "input.missing", "input", "data.base"]
        heads += [f"data.base.{name}" for name in BASE]
        heads += self.rules * 3 + scope * 3
        text = self.pick(*heads)
        while self.below(5) < 2:
            text += self.index(scope)
        return text

    def term(self, scope: list[str], depth: int = 2) -> str:
        choice = self.below(22)
        if depth <= 0 or choice < 6:
            if self.chance(3):
                return self.scalar()
            return self.ref(scope) if self.below(3) or not scope else self.pick(*scope)
        if choice < 8:
            return f"[{', '.join(self.term(scope, depth - 1) for _ in range(self.below(4)))}]"
        if choice == 8:
            parts = [self.term(scope, depth - 1) for _ in range(self.below(3) + 1)]
            return "{" + ", ".join(parts) + "}"
        if choice < 11:
            names = self.pick("a", "a b", "k v", "b").split()
            keys = [f'"{name}"' for name in names]
            if self.chance(4):
                keys[0] = self.term(scope, 0)
            return "{" + ", ".join(f"{k}: {self.term(scope, depth - 1)}" for k in keys) + "}"
        if choice < 15:
            return self.comprehension(scope, depth)
        if choice < 18:
            return self.call(scope, depth)
        if choice == 18:
            operator = self.pick("+", "-", "*", "%", "&", "|", "-")
            return f"({self.operand(scope, depth)} {operator} {self.operand(scope, depth)})"
        if choice == 19:
            comparison = self.pick("==", "!=", "<", "<=", ">", ">=", "in")
            return f"({self.operand(scope, depth)} {comparison} {self.operand(scope, depth)})"
        if choice == 20:
            return f'$"x{{{self.pick("input.n", "input.o", "data.base.k", "1", *scope)}}}y"'
        return self.ref(scope)

    def closed(self, scope: list[str], depth: int) -> str:
        """A term that binds nothing."""
        before, self.binding = self.binding, False
        text = self.term(scope, depth)
        self.binding = before
        return text

    def domain(self, scope: list[str]) -> str:
        return self.term(scope, 2) if self.chance(6) else self.ref(scope)

    def operand(self, scope: list[str], depth: int) -> str:
        return self.term(scope, depth - 1) if self.chance(3) else self.ref(scope)

    def comprehension(self, scope: list[str], depth: int) -> str:
        inner = list(scope)
        body = "; ".join(self.body(inner, depth - 1, self.below(2) + 1))
        head = self.closed(inner, 0) if self.chance(2) or not inner else inner[-1]
        kind = self.below(3)
        if kind == 0:
            return f"[{head} | {body}]"
        if kind == 1:
            return f"{{{head} | {body}}}"
        # With keys that differ: a conflict is found or not by the order in which things are evaluated.
        key, value = self.new(), self.new()
        inner += [key, value]
        return (
            f"{{{key}: {self.closed(inner, 0)} | some {key}, {value} in {self.domain(scope)}; {value} != 7}}"
        )

    def call(self, scope: list[str], depth: int) -> str:
        names = [
            "count/1", "sum/1", "max/1", "sort/1", "to_number/1", "upper/1", "is_string/1", "is_array/1",
            "type_name/1", "object.keys/1", "json.marshal/1", "abs/1", "array.concat/2", "startswith/2",
            "object.get/3", "concat/2", "split/2", "union/1", "array.reverse/1", "object.union/2", "format_int/2",
        ]  # fmt: skip
        names += [f"{name}/{arity}" for name, arity in self.functions] * 6
        name, arity = self.pick(*names).split("/")
        return f"{name}({', '.join(self.operand(scope, depth) for _ in range(int(arity)))})"

    # statements

    def pattern(self, scope: list[str], depth: int = 1) -> str:
        choice = self.below(6)
        if choice < 3 or depth <= 0:
            variable = self.new()
            scope.append(variable)
            return variable
        if choice == 3:
            return self.scalar()
        if choice == 4:
            return f"[{', '.join(self.pattern(scope, depth - 1) for _ in range(self.below(3) + 1))}]"
        return f'{{"{self.pick("a", "k")}": {self.pattern(scope, depth - 1)}}}'

    def statement(self, scope: list[str], depth: int) -> str:
        choice = self.below(20)
        if choice < 4:
            value = self.term(scope, depth)
            variable = self.new()
            scope.append(variable)
            return f"{variable} := {value}"
        if choice < 6:
            value = self.term(scope, depth)
            return (
                f"{self.pattern(scope)} = {value}" if self.chance(2) else f"{value} = {self.pattern(scope)}"
            )
        if choice < 9:
            domain = self.domain(scope)
            if self.chance(3):
                key = self.pick("_", self.argument(scope))
                return f"some {key}, {self.pattern(scope)} in {domain}"
            return f"some {self.pattern(scope)} in {domain}"
        if choice < 12:
            comparison = self.pick("==", "!=", "<", "<=", ">", ">=", "==")
            return f"{self.operand(scope, depth)} {comparison} {self.operand(scope, depth)}"
        if choice == 12:
            inner = list(scope)
            domain = self.domain(scope)
            key, value = self.new(), self.new()
            keyed = self.chance(3)
            inner += [key, value] if keyed else [value]
            body = "; ".join([f"{value} != {self.scalar()}", *self.body(inner, depth - 1, self.below(2) + 1)])
            return f"every {f'{key}, {value}' if keyed else value} in {domain} {{ {body} }}"
        if choice < 15:
            if self.chance(3):
                return f"not {self.closed(scope, depth - 1)}"
            operator = self.pick("==", "!=", "<", "=")
            return f"not {self.closed(scope, depth - 1)} {operator} {self.closed(scope, depth - 1)}"
        if choice == 15:
            key = f"{self.term(scope, 0)}, " if self.chance(3) else ""
            return f"{key}{self.term(scope, 0)} in {self.domain(scope)}"
        if choice == 16:
            variable = self.new()
            scope.append(variable)
            return f"some {variable}; {self.pick('input.xs', 'input.o', 'input.deep', 'input.m')}[{variable}]"
        return self.term(scope, depth)

    def modifier(self, scope: list[str]) -> str:
        targets = ["input", "input.o.a", "input.xs", "input.new.x", "data.base.k", "data.base.a", "data.base"]
        targets += [rule for rule in self.rules if not rule.startswith("alias")] * 2 + [
            f for f, _ in self.functions
        ]
        target = self.pick(*targets)
        same = [f for f, n in self.functions if (target, n) in self.functions]
        value = self.pick(*same) if same and self.chance(2) else self.closed(scope, 1)
        return f" with {target} as {value}"

    def body(self, scope: list[str], depth: int, length: int) -> list[str]:
        out = []
        before, self.binding = self.binding, True
        for _ in range(length):
            known = list(scope)
            text = self.statement(scope, depth)
            if self.chance(6) and not text.startswith("some"):
                text += self.modifier(known)
            out.append(text)
        self.binding = before
        return out

    # rules

    def braced(self, scope: list[str]) -> str:
        return "{ " + "; ".join(self.body(scope, 2, self.below(3) + 1)) + " }"

    def value_of(self, scope: list[str]) -> str:
        return self.pick(*scope) if scope and self.below(3) else self.closed(scope, 1)

    def rule(self, number: int) -> list[str]:
        name = f"p{number}"
        kind = self.below(10)
        lines: list[str] = []
        if kind < 3:
            if self.chance(3):
                lines.append(f"default {name} := {self.pick('0', '[]', 'false', 'null')}")
            for _ in range(1 + self.chance(3)):
                scope: list[str] = []
                body = self.braced(scope)
                line = f"{name} := {self.value_of(scope)} if {body}"
                while self.chance(4):
                    scope = []
                    body = self.braced(scope)
                    line += f" else := {self.value_of(scope)} if {body}"
                lines.append(line)
        elif kind < 5:
            for _ in range(1 + self.chance(2)):
                scope = []
                body = self.braced(scope)
                lines.append(f"{name} contains {self.value_of(scope)} if {body}")
        elif kind < 7:
            for _ in range(1 + self.chance(2)):
                scope = []
                body = self.braced(scope)
                lines.append(f"{name}[{self.value_of(scope)}] := {self.value_of(scope)} if {body}")
        elif kind == 7:
            for _ in range(1 + self.chance(2)):
                scope = []
                body = self.braced(scope)
                if self.chance(2):
                    lines.append(
                        f"{name}.{self.pick('a', 'b')}[{self.value_of(scope)}] := {self.value_of(scope)} if {body}"
                    )
                else:
                    key = self.pick(*scope, '"a"')
                    lines.append(f"{name}[{key}] contains {self.value_of(scope)} if {body}")
        elif kind == 8:
            arity = 1 + self.chance(3)
            if self.chance(4):
                lines.append(f"default {name}({', '.join('_' * arity)}) := {self.scalar()}")
            for _ in range(1 + self.chance(2)):
                scope = []
                arguments = ", ".join(
                    self.pattern(scope) if self.chance(3) else self.argument(scope) for _ in range(arity)
                )
                body = self.braced(scope)
                lines.append(f"{name}({arguments}) := {self.value_of(scope)} if {body}")
            self.functions.append((name, arity))
            return lines
        else:
            lines.append(f"{name} := {self.term([], 2)}")
        self.rules.append(self.pick(name, f"data.t.{name}"))
        return lines

    def argument(self, scope: list[str]) -> str:
        variable = self.new()
        scope.append(variable)
        return variable

    def module(self) -> str:
        lines = ["package t", ""]
        if self.chance(4):
            lines.insert(1, "import data.base as alias")
            self.rules += ["alias", "alias.a"]
        for number in range(self.below(4) + 1):
            lines += self.rule(number)
        return "\n".join(lines) + "\n"


@st.composite
def modules(draw: Any) -> str:
    return Writer(lambda n: draw(st.integers(0, n - 1))).module()


# --- answers: ("value", value), ("error", code), or ("refused", message)


class Opa:
    """One OPA server, asked about one module after the other."""

    def __init__(self, address: Path) -> None:
        self.address = address

    def ask(self, method: str, path: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection("opa", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.address))
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read() or "{}")
        finally:
            connection.close()

    def answer(self, text: str) -> tuple[str, Any]:
        refused = self.ask("PUT", "/v1/policies/t.rego", text)
        if "errors" in refused:
            return "refused", refused["errors"][0]["message"]
        given = self.ask("POST", "/v1/data/t?strict-builtin-errors=false", json.dumps({"input": INPUT}))
        if "code" in given:
            return "error", (given.get("errors") or [given])[0]["code"]
        return "value", canonical(given.get("result"))


@pytest.fixture(scope="module")
def opa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opa]:
    address = tmp_path_factory.mktemp("opa") / "socket"
    command = [
        str(OPA),
        "run",
        "--server",
        "--addr",
        f"unix://{address}",
        "--log-level",
        "error",
        "--disable-telemetry",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if address.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        server = Opa(address)
        server.ask("PUT", "/v1/data/base", json.dumps(BASE))
        yield server
    finally:
        process.terminate()
        process.wait(10)


def solon(text: str) -> tuple[str, Any]:
    try:
        program = rego.compile({"t.rego": text}, data={"base": BASE})
    except RegoError as error:
        return "refused", str(error)
    try:
        value = program.evaluate("data.t", input=INPUT)
    except RegoError as error:
        return "error", error.code
    return "value", canonical(None if value is UNDEFINED else value)


def canonical(value: Any) -> Any:
    """A form in which 1 is 1.0 and true is not 1."""
    if isinstance(value, float):
        return ("number", int(value) if value.is_integer() else float(f"{value:.9g}"))
    if isinstance(value, bool) or not isinstance(value, int | list | dict):
        return (type(value).__name__, value)
    if isinstance(value, int):
        return ("number", value)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return {k: canonical(v) for k, v in value.items()}


@given(text=modules())
@settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_generated_modules_have_the_value_that_opa_gives(opa: Opa, text: str) -> None:
    wanted = opa.answer(text)
    event(f"OPA: {wanted[0]}")
    # What OPA refuses is another test's: its type checker, and its order of safety checks, are stricter.
    if wanted[0] == "refused" or wanted == ("error", "eval_internal_error"):
        return
    found = solon(text)
    if wanted[0] == "value" and found == ("error", "eval_conflict_error"):
        # OPA's rule index passes over rules whose head is undefined, and with them over their conflicts.
        event("Solon: a conflict that OPA does not reach")
        return
    assert found == wanted, text
