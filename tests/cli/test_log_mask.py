"""What `solon check --log` records goes through the policies of solon.yaml."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.cli.log.rules import ruled

POLICY = 'package main\ndeny contains "no" if input.metadata.name == "bad"\n'
MASK = """package system.log
mask contains "/input/spec/token"
mask contains {"op": "upsert", "path": "/input/spec/user", "value": "***"}
drop if input.input.metadata.name == "skipped"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "masks").mkdir()
    (tmp_path / "policy/main.rego").write_text(POLICY)
    (tmp_path / "masks/mask.rego").write_text(MASK)
    (tmp_path / "solon.yaml").write_text(
        "policies: [policy]\nlog: {directory: decisions.jsonl, mask: masks}\n"
    )
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {"token": "t", "user": "ana"},
        }
        for name in ("good", "bad", "skipped")
    ]
    text = "\n---\n".join(json.dumps(each) for each in objects)
    (tmp_path / "pods.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("log", ["decisions.jsonl", "decisions"])
def test_decisions_are_masked_and_dropped(repository: Path, solon: Callable[..., Any], log: str) -> None:
    if log == "decisions":
        assert solon("log", "init", log, "--name", "example.com/p").status == 0
    assert solon("check", "pods.yaml", "--log", log).status == 1
    if log == "decisions":
        found = solon("log", "query", "--log", log, "--format", "json", "--columns", "decision_id").out
        assert len(json.loads(found)) == 2
        return
    events = [json.loads(line) for line in (repository / log).read_text().splitlines()]
    assert [event["input"]["metadata"]["name"] for event in events] == ["good", "bad"]
    for event in events:
        assert event["input"]["spec"] == {"user": "***"}
        assert event["erased"] == ["/input/spec/token"]
        assert event["masked"] == ["/input/spec/user"]


@pytest.mark.usefixtures("repository")
def test_what_is_no_text_is_masked_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    line = rb'{"decision_id":"a","timestamp":"2026-03-01T09:30:00Z","input":{"metadata":{},"spec":{"token":"t","x":"\ud800"}}}'
    (found,) = ruled([line + b"\n"])
    assert json.loads(found)["input"] == {"metadata": {}, "spec": {"x": "?", "user": "***"}}


def test_masks_that_do_not_compile_stop_the_check_before_it_judges(
    repository: Path, solon: Callable[..., Any]
) -> None:
    (repository / "masks/mask.rego").write_text("package system.log\nmask contains nowhere\n")
    found = solon("check", "pods.yaml")
    assert (found.status, found.out) == (2, "")
    assert "mask.rego:2:15" in found.err
    assert not (repository / "decisions.jsonl").exists() or not (repository / "decisions.jsonl").read_text()
