"""solon check: statuses, formats, the log, terminals, and being interrupted."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POLICY = """package main

deny contains {"msg": "too few", "path": ["spec", "replicas"]} if input.spec.replicas == 1

warn contains "has no team" if not input.metadata.labels.team
"""
FINE = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: fine, labels: {team: a}}\nspec: {replicas: 2}\n"
)
DENIED = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: denied, labels: {team: a}}\nspec: {replicas: 1}\n"
WARNED = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: warned}\nspec: {replicas: 2}\n"
SOLON = [sys.executable, "-m", "solon"]


@pytest.fixture(autouse=True)
def repository(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "main.rego").write_text(POLICY)
    for name, text in (("fine", FINE), ("denied", DENIED), ("warned", WARNED), ("broken", "a: [")):
        (tmp_path / f"{name}.yaml").write_text(text)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["fine.yaml"], 0),
        (["warned.yaml"], 0),
        (["warned.yaml", "--fail-on", "warn"], 1),
        (["fine.yaml", "--fail-on", "warn"], 0),
        (["denied.yaml"], 1),
        (["denied.yaml", "fine.yaml"], 1),
        (["denied.yaml", "broken.yaml"], 2),
        (["fine.yaml", "nope.yaml"], 2),
        ([], 2),
        (["--nope", "fine.yaml"], 2),
    ],
)
@pytest.mark.parametrize("quiet", [False, True])
def test_status(solon: Callable[..., Any], arguments: list[str], status: int, quiet: bool) -> None:
    ran = solon("check", *arguments, *(["--quiet"] if quiet else []))
    assert ran.status == status
    if quiet:
        assert ran.out == ""


def test_standard_input(solon: Callable[..., Any]) -> None:
    ran = solon("check", "-", stdin=(DENIED + "---\n" + FINE).encode())
    assert ran.status == 1
    assert "at -:4:8" in ran.out
    assert re.search(r"· [\d.]+ m?s\n$", ran.out)
    assert "2 subjects: 1 denied, 1 allowed · 2 policies" in ran.out


@pytest.mark.parametrize(
    "arguments", [["denied.yaml", "warned.yaml", "broken.yaml"], ["fine.yaml"], ["broken.yaml"]]
)
def test_machine_formats_are_well_formed(solon: Callable[..., Any], arguments: list[str]) -> None:
    ran = solon("check", *arguments, "--format", "json")
    report = json.loads(ran.out)
    assert report["schema"] == "solon.check/v1"
    assert len(report["decisions"]) == len([name for name in arguments if name != "broken.yaml"])

    sarif = json.loads(solon("check", *arguments, "--format", "sarif").out)
    assert (sarif["version"], sarif["$schema"].endswith("sarif-schema-2.1.0.json")) == ("2.1.0", True)
    (run,) = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert not location["physicalLocation"]["artifactLocation"]["uri"].startswith("/")
        assert location["physicalLocation"]["region"]["startLine"] >= 1

    root = ET.fromstring(solon("check", *arguments, "--format", "junit").out)
    assert root.tag == "testsuites"
    failures = sum(int(suite.get("failures", "0")) for suite in root.iter("testsuite"))
    assert failures == ("denied.yaml" in arguments)


def test_github_annotates_the_line(solon: Callable[..., Any]) -> None:
    first, *_ = solon("check", "denied.yaml", "--format", "github").out.splitlines()
    assert first.startswith("::error file=denied.yaml,line=4,")


def test_output_goes_to_the_file_alone(solon: Callable[..., Any], tmp_path: Path) -> None:
    ran = solon("check", "denied.yaml", "--format", "json", "--output", "report.json")
    assert (ran.status, ran.out, ran.err) == (1, "", "")
    assert json.loads((tmp_path / "report.json").read_text())["decisions"]


def test_the_log_has_a_line_a_decision_and_grows(solon: Callable[..., Any], tmp_path: Path) -> None:
    for _ in range(2):
        solon("check", "denied.yaml", "fine.yaml", "broken.yaml", "--log", "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["result"]["allow"] for event in events] == [False, True, False, True]
    assert len({event["decision_id"] for event in events}) == 4
    assert stat.S_IMODE((tmp_path / "log.jsonl").stat().st_mode) == 0o600


def test_solon_yaml_says_what_options_do_not(
    solon: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy").rename(tmp_path / "rules")
    (tmp_path / "solon.yaml").write_text("policies: [rules]\nformat: json\nlog: log.jsonl\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    ran = solon("check", "../../denied.yaml")
    assert ran.status == 1
    assert json.loads(ran.out)["decisions"][0]["findings"][0]["message"] == "too few"
    assert (tmp_path / "log.jsonl").exists()
    assert solon("check", "../../denied.yaml", "--format", "table").out.startswith("Deployment/denied")


def test_policies_are_not_judged_with_their_directory(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "policy" / "fixture.yaml").write_text(DENIED)
    (tmp_path / "broken.yaml").unlink()
    assert "3 subjects: 1 denied, 1 warned, 1 allowed" in solon("check", ".").out
    assert "1 subject: 1 denied" in solon("check", "policy/fixture.yaml").out  # named, it is


@pytest.mark.parametrize(
    "word", ["check", "test", "eval", "profile", "lint", "fmt", "init", "demo", "notify", "audit", "serve"]
)
def test_help_has_an_example_and_fits(solon: Callable[..., Any], word: str) -> None:
    ran = solon(word, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert f"Example: solon {word}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100
    assert solon(word, "-h").out == ran.out


def test_the_list_of_commands_is_whole(solon: Callable[..., Any]) -> None:
    ran = solon("--help")
    commands = ran.out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in commands] == [
        "check",
        "test",
        "eval",
        "profile",
        "lint",
        "fmt",
        "init",
        "demo",
        "notify",
        "baseline",
        "audit",
        "explain",
        "serve",
        "rollout",
        "quota",
        "tickets",
        "waivers",
        "breakglass",
        "incident",
        "model",
        "log",
    ]
    assert all(line.endswith(".") and not line.endswith("...") for line in commands)


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (["chek", "x"], "'check'"),
        (["check", "--formt", "json", "x"], "--format"),
        (["test", "--coverag"], "--coverage"),
    ],
)
def test_a_slip_is_answered_with_a_suggestion(
    solon: Callable[..., Any], arguments: list[str], suggested: str
) -> None:
    ran = solon(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert suggested in ran.err.splitlines()[-1]


def test_version(solon: Callable[..., Any]) -> None:
    assert re.fullmatch(r"solon \d+\.\d+\.\d+\n", solon("--version").out)


# --- as a process


def in_terminal(
    arguments: list[str], cwd: Path, columns: int, streams: str = "out err", **environment: str
) -> tuple[int, str, str]:
    """Status, what the terminal showed, and what went past it, with those streams on a terminal."""
    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "LINES")}
    process = subprocess.Popen(
        [*SOLON, *arguments], cwd=cwd, stdin=subprocess.DEVNULL,
        stdout=theirs if "out" in streams else subprocess.PIPE,
        stderr=theirs if "err" in streams else subprocess.PIPE,
        env={**kept, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            if not select.select([ours], [], [], 60)[0] or not (part := os.read(ours, 65536)):
                break
        except OSError:  # the other side has closed
            break
        shown += part
    past = b"".join(pipe.read() for pipe in (process.stdout, process.stderr) if pipe)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    os.close(ours)
    return process.wait(60), shown.decode(), past.decode()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_colour_and_its_width(tmp_path: Path, columns: int) -> None:
    (tmp_path / "policy" / "main.rego").write_text(POLICY.replace("too few", "one is too few " * 20))
    status, shown, _ = in_terminal(["check", "denied.yaml"], tmp_path, columns)
    assert status == 1
    assert "\x1b[" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "").splitlines()
    assert max(map(len, plain)) <= min(columns, 110)
    assert max(map(len, plain)) > min(columns, 110) - 16  # and uses it


def test_no_color(tmp_path: Path) -> None:
    _, shown, _ = in_terminal(["check", "denied.yaml"], tmp_path, 80, NO_COLOR="1")
    assert "\x1b" not in shown


def test_a_report_that_is_piped_has_no_colour_and_no_progress(tmp_path: Path) -> None:
    _, shown, past = in_terminal(["check", "denied.yaml", "-o", "json"], tmp_path, 80, "err")
    assert shown == ""
    json.loads(past)


SLOW = """package main

deny contains "x" if {
	some i in numbers.range(1, 700)
	some j in numbers.range(1, 700)
	i * j < 0
}
"""


def test_long_work_shows_progress_on_the_terminal_of_stderr_alone(tmp_path: Path) -> None:
    (tmp_path / "policy" / "main.rego").write_text(SLOW)
    (tmp_path / "many.yaml").write_text("---\n".join([FINE] * 40))
    status, shown, past = in_terminal(["check", "many.yaml", "-o", "json"], tmp_path, 80, "err")
    assert status == 0
    assert "judging" in shown
    assert "/40" in shown
    assert len(json.loads(past)["decisions"]) == 40


def test_interrupted(tmp_path: Path) -> None:
    (tmp_path / "policy" / "main.rego").write_text(SLOW.replace("700", "9000"))
    process = subprocess.Popen(
        [*SOLON, "check", "fine.yaml", "--timeout", "60", "--log", "started"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell has what it runs in the background ignore the signal, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err in ("", "solon: interrupted\n")


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text("---\n".join([DENIED] * 2000))
    process = subprocess.Popen(
        [*SOLON, "check", "many.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("Deployment/denied")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 1


def test_the_cluster_is_part_of_the_name(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "solon.yaml").write_text("cluster: eu-1\n")
    found = [
        json.loads(solon("check", "fine.yaml", "--format", "json", *more).out)["decisions"][0]["subject"][
            "uri"
        ]
        for more in ([], ["--cluster", "us-2"], ["-p", "policy"])
    ]
    assert found == [f"k8s://{cluster}/-/Deployment/fine" for cluster in ("eu-1", "us-2", "manifests")]
