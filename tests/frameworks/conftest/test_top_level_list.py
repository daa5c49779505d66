"""A document that is a list is judged item by item, as Conftest does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from solon.cli.main import app

RULE = """package main

deny contains {"msg": "a bad one", "path": ["a"]} if input.a == "bad"

warn contains "a list" if is_array(input)
"""


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ('[{"a": "bad"}, {"a": "good"}]', [("web.json[0]", "a bad one")]),
        ('[{"a": "good"}, {"a": "bad"}]', [("web.json[1]", "a bad one")]),
        ('[{"a": "bad"}, [{"a": "bad"}]]', [("web.json[0]", "a bad one"), ("web.json[1]", "a list")]),
        ("[]", [("web.json", "a list")]),
        ('["bad"]', [("web.json", "a list")]),
        ('{"a": "bad"}', [("web.json", "a bad one")]),
        (
            '[{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "a": "bad"}]',
            [("Pod/x", "a bad one")],
        ),
    ],
)
def test_each_item_is_a_subject(tmp_path: Path, text: str, findings: list[tuple[str, str]]) -> None:
    (tmp_path / "main.rego").write_text(RULE)
    (tmp_path / "web.json").write_text(text)
    run = CliRunner().invoke(
        app, ["check", "-p", str(tmp_path / "main.rego"), str(tmp_path / "web.json"), "--format", "json"]
    )
    decisions = json.loads(run.stdout)["decisions"]
    told = [(d["subject"]["name"].rpartition("/")[2], f["message"]) for d in decisions for f in d["findings"]]
    assert told == [(name.rpartition("/")[2], message) for name, message in findings]


def test_item_has_its_place(tmp_path: Path) -> None:
    (tmp_path / "main.rego").write_text(RULE)
    (tmp_path / "web.json").write_text('[\n  {"a": "good"},\n  {\n    "a": "bad"\n  }\n]\n')
    run = CliRunner().invoke(
        app, ["check", "-p", str(tmp_path / "main.rego"), str(tmp_path / "web.json"), "--format", "json"]
    )
    (finding,) = [f for d in json.loads(run.stdout)["decisions"] for f in d["findings"]]
    assert (finding["location"]["line"], finding["path"]) == (4, "/a")
