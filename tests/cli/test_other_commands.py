"""solon test, eval and init."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from solon.cli.main import ELSEWHERE, assembled
from solon.governance import codeowners

POLICY = """package main

deny contains "one" if input.replicas == 1

deny contains "none" if {
	input.replicas == 0
	input.tier == "gold"
}
"""
TESTS = """package main_test

import data.main

test_one if count(main.deny) == 1 with input as {"replicas": 1}

test_two if {
	print("looking at two")
	count(main.deny) == 0 with input as {"replicas": 2}
}

todo_test_later if false
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    (tmp_path / "policy" / "main_test.rego").write_text(TESTS)
    return tmp_path


# --- test


@pytest.mark.usefixtures("repository")
def test_tests_that_pass(solon: Callable[..., Any]) -> None:
    ran = solon("test", "policy")
    assert (ran.status, ran.err) == (0, "")
    assert re.search(r"^2 passed, 1 skipped · [\d.]+ m?s$", ran.out, re.MULTILINE)


@pytest.mark.usefixtures("repository")
def test_verbose_lists_tests_and_what_they_print(solon: Callable[..., Any]) -> None:
    ran = solon("test", "policy", "-v")
    assert all(name in ran.out for name in ("test_one", "test_two", "todo_test_later", "looking at two"))
    assert "looking at two" not in solon("test", "policy").out


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("pattern", "passed"), [("one", 1), ("^data.main_test.test_", 2), ("test_(one|two)", 2)]
)
def test_run_selects(solon: Callable[..., Any], pattern: str, passed: int) -> None:
    ran = solon("test", "policy", "--run", pattern, "--format", "json")
    assert ran.status == 0
    assert json.loads(ran.out)["summary"]["passed"] == passed


@pytest.mark.usefixtures("repository")
def test_run_that_selects_nothing_is_an_error(solon: Callable[..., Any]) -> None:
    ran = solon("test", "policy", "--run", "nothing")
    assert (ran.status, ran.out) == (2, "")
    assert "no test matches --run 'nothing'" in ran.err


def test_a_test_that_fails(solon: Callable[..., Any], repository: Path) -> None:
    (repository / "policy" / "bad_test.rego").write_text("package bad_test\n\ntest_x if data.main.nope\n")
    ran = solon("test", "policy")
    assert ran.status == 1
    assert "policy/bad_test.rego:3" in ran.out
    assert "1 failed" in ran.out
    root = ET.fromstring(solon("test", "policy", "-o", "junit").out)
    assert sum(1 for _ in root.iter("failure")) == 1
    assert sum(1 for _ in root.iter("testcase")) == 4


def test_a_data_file_may_be_named_beside_the_tests(solon: Callable[..., Any], repository: Path) -> None:
    (repository / "limits.yaml").write_text("limits:\n  gpus: 4\n")
    (repository / "limits_test.rego").write_text(
        "package limits_test\n\ntest_limit if data.limits.gpus == 4\n"
    )
    assert solon("test", "limits_test.rego", "limits.yaml").status == 0
    assert solon("test", "limits_test.rego").status == 1


@pytest.mark.usefixtures("repository")
def test_coverage_names_the_lines_not_reached(solon: Callable[..., Any]) -> None:
    ran = solon("test", "policy", "--coverage")
    assert ran.status == 0
    assert re.search(
        r"policy/main\.rego  \(not reached: (5-)?7\)|policy/main\.rego  \(not reached: 5, 7\)", ran.out
    )
    ran = solon("test", "policy", "--coverage", "--format", "json")
    files = json.loads(ran.err)["files"]
    assert 7 in [span["start"]["row"] for span in files["policy/main.rego"]["not_covered"]]
    assert 3 in [span["start"]["row"] for span in files["policy/main.rego"]["covered"]]
    json.loads(ran.out)


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(("threshold", "status"), [("10", 0), ("100", 1)])
def test_a_threshold_of_coverage(solon: Callable[..., Any], threshold: str, status: int) -> None:
    assert solon("test", "policy", "--threshold", threshold).status == status


def test_tests_that_do_not_compile(solon: Callable[..., Any], repository: Path) -> None:
    (repository / "policy" / "bad_test.rego").write_text("package bad_test\n\ntest_x if nope(1)\n")
    ran = solon("test", "policy")
    assert (ran.status, ran.out) == (2, "")
    assert "policy/bad_test.rego:3:11: rego_type_error: undefined function nope" in ran.err
    assert ran.err.endswith("solon: 1 error in Rego; no test was run\n")


# --- eval

OPA = shutil.which("opa") or os.path.expanduser("~/go/bin/opa")
QUERIES = [
    "x := 1", "1 + 1", '"text"', "[3, 1]", '{"b": [1], "a": {"d": 1, "c": null}}', "{3, 1, 2}", "1 > 2", "false", "input.no.such",
    "x := [1, 2][_]", "x := [1, 2][_]; x > 1", "1; 2", 'x := 1; y := "a"', "data.main.deny", "count(data.main.deny) > 0", "data.main",
    "input.replicas", "some x in [1, 2]; y := x * 2", '"a\\nb"', "x = input; x.replicas",
]  # fmt: skip


@pytest.mark.skipif(not os.path.exists(OPA), reason="needs opa")
@pytest.mark.parametrize("query", QUERIES)
def test_eval_answers_as_opa_does(solon: Callable[..., Any], repository: Path, query: str) -> None:
    (repository / "input.json").write_text('{"replicas": 1, "z": 1, "a": 2}')
    arguments = ["eval", "-d", "policy/main.rego", "-i", "input.json", query, "--format"]
    for format_ in ("json", "raw", "values", "bindings"):
        theirs = subprocess.run(
            [OPA, *arguments, format_], cwd=repository, capture_output=True, text=True, check=False
        )
        ours = solon(*arguments, format_)
        assert ours.status == theirs.returncode
        if format_ == "json":  # whose texts opa writes with escapes, for HTML's sake
            assert json.loads(ours.out) == json.loads(theirs.stdout)
        else:
            assert ours.out == theirs.stdout, format_


EVAL = [
    (["1 + 1", "-f", "raw"], 0, "2\n"),
    (['{"b": 1, "a": "x"}', "-f", "raw"], 0, '{"a":"x","b":1}\n'),
    (["x := [1, 2][_]", "-f", "values"], 0, "[\n  true\n]\n[\n  true\n]\n"),
    (["x := [1, 2][_]", "-f", "bindings"], 0, '{\n  "x": 1\n}\n{\n  "x": 2\n}\n'),
    (["input.x", "-f", "json"], 0, "{}\n"),
    (["input.x", "-f", "pretty"], 0, "undefined\n"),
    (["data.main.deny", "-f", "raw", "-d", "policy", "-i", "input.yaml"], 0, '["one"]\n'),
    (["data.limits.max", "-f", "raw", "-d", "limits:max.json"], 0, "7\n"),
    (["input.x", "--fail", "-f", "raw"], 1, ""),
    (["1", "--fail", "-f", "raw"], 0, "1\n"),
    (["1", "--fail-defined", "-f", "raw"], 1, "1\n"),
    (["input.x", "--fail-defined", "-f", "raw"], 0, ""),
    (["1 / 0", "-f", "raw"], 0, ""),
]


@pytest.mark.parametrize(("arguments", "status", "out"), EVAL)
def test_eval(
    solon: Callable[..., Any], repository: Path, arguments: list[str], status: int, out: str
) -> None:
    (repository / "input.yaml").write_text("replicas: 1\n")
    (repository / "max.json").write_text('{"max": 7}')
    ran = solon("eval", *arguments)
    assert (ran.status, ran.out, ran.err) == (status, out, "")


def test_eval_reads_standard_input(solon: Callable[..., Any]) -> None:
    assert solon("eval", "-I", "-f", "raw", "input.a", stdin=b"a: yes\n").out == "true\n"
    assert solon("eval", "-i", "-", "-f", "raw", "input.a", stdin=b'{"a": 1}').out == "1\n"


def test_eval_says_what_is_wrong(solon: Callable[..., Any]) -> None:
    ran = solon("eval", "1 +")
    assert ran.status == 2
    (error,) = json.loads(ran.out)["errors"]
    assert (error["code"], error["location"]["row"]) == ("rego_parse_error", 1)
    ran = solon("eval", "1 / 0", "--strict-builtin-errors", "-f", "raw")
    assert (ran.status, ran.out) == (2, "")
    assert "divide by zero" in ran.err


# --- init


def test_init_writes_what_passes_its_own_tests(
    solon: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = solon("init", "mine")
    assert ran.status == 0
    listed = {line.strip() for line in ran.out.splitlines() if line.startswith("  ") and "solon " not in line}
    assert listed == {
        str(path.relative_to(tmp_path / "mine")) for path in (tmp_path / "mine").rglob("*") if path.is_file()
    }
    assert {
        "CODEOWNERS",
        ".pre-commit-config.yaml",
        ".gitlab-ci.yml",
        ".github/workflows/policies.yml",
    } <= listed
    monkeypatch.chdir(tmp_path / "mine")
    ran = solon("lint", "--strict")
    assert (ran.status, ran.out, ran.err) == (0, "5 files: nothing to say\n", "")
    ran = solon("test")
    assert ran.status == 0
    assert "failed" not in ran.out
    ran = solon("check", "examples")
    assert ran.status == 1
    assert "error" not in ran.out
    assert "unreadable" not in ran.out


@pytest.mark.parametrize(
    "name", [".pre-commit-config.yaml", ".gitlab-ci.yml", ".github/workflows/policies.yml"]
)
def test_init_writes_ci_that_runs_what_there_is(solon: Callable[..., Any], tmp_path: Path, name: str) -> None:
    solon("init", ".")
    text = (tmp_path / name).read_text()
    assert yaml.safe_load(text)
    commands: dict[str, Any] = typer.main.get_command(assembled()).commands  # type: ignore[attr-defined]
    ran = [line.split() for line in re.findall(r"\bsolon ([a-z]+\b[^\n;&]*)", text)]
    assert {" ".join(words[:2]) for words in ran} >= {"waivers check"}
    assert {words[0] for words in ran} >= {"lint", "test"}
    for first, *words in ran:
        command = commands[first]
        if hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_init_gives_every_file_of_policies_to_somebody(solon: Callable[..., Any], tmp_path: Path) -> None:
    solon("init", ".")
    owners = codeowners.parse((tmp_path / "CODEOWNERS").read_text())
    assert owners.problems == ()
    for path in tmp_path.rglob("*.rego"):
        assert owners.owners(path.relative_to(tmp_path).as_posix()) == ("@your-org/platform-security",)


def test_init_overwrites_nothing(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text("mine")
    ran = solon("init")
    assert (ran.status, ran.out) == (2, "")
    assert "solon.yaml exists already" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["solon.yaml"]
    assert (tmp_path / "solon.yaml").read_text() == "mine"


def test_the_list_says_of_each_command_what_its_own_help_says() -> None:
    found: dict[str, Any] = typer.main.get_command(assembled()).commands  # type: ignore[attr-defined]
    for name, _, line in ELSEWHERE:
        assert " ".join(found[name].help.split("\n\n")[0].split()) == line, name


def test_one_command_is_enough_for_its_own_run() -> None:
    for name in ("check", "model", "audit"):
        commands: dict[str, Any] = typer.main.get_command(assembled(name)).commands  # type: ignore[attr-defined]
        assert list(commands) == [name]
