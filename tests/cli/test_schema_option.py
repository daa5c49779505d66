"""--schema: policies are held against JSON Schemas before anything is judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POLICY = """package main

# METADATA
# schemas:
#   - input: schema["pod"]
deny contains "no name" if not input.nme
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "schemas").mkdir()
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    (tmp_path / "schemas" / "pod.json").write_text(json.dumps(schema))
    (tmp_path / "pod.json").write_text('{"name": "web"}')


@pytest.mark.parametrize(
    "command",
    [
        ["check", "-p", "policy", "--schema", "schemas", "pod.json"],
        ["eval", "-d", "policy", "--format", "pretty", "--schema", "schemas", "data.main.deny"],
    ],
)
def test_a_field_that_the_schema_has_not_is_refused(solon: Callable[..., Any], command: list[str]) -> None:
    ran = solon(*command)
    assert ran.status == 2
    assert "undefined ref: input.nme" in ran.out + ran.err
    assert solon(*[word for word in command if word not in ("--schema", "schemas")]).status != 2


def test_a_schema_that_is_not_there_is_told(solon: Callable[..., Any]) -> None:
    ran = solon("eval", "--schema", "none", "1")
    assert (ran.status, ran.err) == (2, "solon: none: no such file or directory\n")
