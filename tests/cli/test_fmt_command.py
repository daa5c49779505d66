"""solon fmt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MESSY = "package a\nallow if {input.x}\n"
NEAT = "package a\n\nallow if input.x\n"
V0 = 'package a\ndeny[msg]{msg:="x"}\n'


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "p" / "data").mkdir(parents=True)
    (tmp_path / "p" / "messy.rego").write_text(MESSY)
    (tmp_path / "p" / "neat.rego").write_text(NEAT)
    (tmp_path / "p" / "data" / "deep_test.rego").write_text(NEAT)
    (tmp_path / "p" / "notes.txt").write_text("not Rego")
    return tmp_path / "p"


@pytest.mark.usefixtures("policies")
def test_prints_the_text(solon: Callable[..., Any]) -> None:
    ran = solon("fmt", "p/messy.rego")
    assert (ran.status, ran.out, ran.err) == (0, NEAT, "")


def test_write_rewrites_what_changes(solon: Callable[..., Any], policies: Path) -> None:
    neat = policies / "neat.rego"
    before = neat.stat().st_mtime_ns
    ran = solon("fmt", "--write", "p")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert (policies / "messy.rego").read_text() == NEAT
    assert neat.stat().st_mtime_ns == before


@pytest.mark.usefixtures("policies")
def test_list_names_what_would_change(solon: Callable[..., Any]) -> None:
    ran = solon("fmt", "--list", "p")
    assert (ran.status, ran.out) == (0, "p/messy.rego\n")


@pytest.mark.usefixtures("policies")
def test_diff(solon: Callable[..., Any]) -> None:
    ran = solon("fmt", "-d", "p")
    assert ran.out == (
        "--- p/messy.rego\n+++ p/messy.rego\n@@ -1,2 +1,3 @@\n package a\n-allow if {input.x}\n+\n+allow if input.x\n"
    )


def test_diff_of_a_file_without_a_last_line_break(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.rego").write_text("package a")
    assert solon("fmt", "-d", "a.rego").out.splitlines()[3:] == [
        "-package a",
        "\\ No newline at end of file",
        "+package a",
    ]


@pytest.mark.usefixtures("policies")
@pytest.mark.parametrize(("path", "status"), [("p/messy.rego", 1), ("p/neat.rego", 0)])
def test_fail(solon: Callable[..., Any], path: str, status: int) -> None:
    assert solon("fmt", "--fail", "-l", path).status == status


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ([], MESSY, NEAT),
        ([], V0, 'package a\n\ndeny[msg] {\n\tmsg := "x"\n}\n'),
        (["--v0-compatible"], "package a\np=1\n", "package a\n\np = 1\n"),
        ([], "package a\np=1\n", "package a\n\np := 1\n"),
        (["--rego-v1"], V0, 'package a\n\nimport rego.v1\n\ndeny contains msg if msg := "x"\n'),
        (["--rego-v1"], MESSY, NEAT),
    ],
)
def test_versions_from_standard_input(
    solon: Callable[..., Any], options: list[str], text: str, expected: str
) -> None:
    ran = solon("fmt", *options, "-", stdin=text.encode())
    assert (ran.status, ran.out, ran.err) == (0, expected, "")


def test_what_does_not_parse_is_shown_and_the_rest_is_laid_out(
    solon: Callable[..., Any], policies: Path
) -> None:
    (policies / "broken.rego").write_text("package a\nx := {\n")
    ran = solon("fmt", "-w", "p")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "p/broken.rego:3:1: rego_parse_error: unexpected end of file: expected a term\n"
    assert (policies / "messy.rego").read_text() == NEAT


def test_what_cannot_be_read(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "latin.rego").write_bytes(b"package a\n# caf\xe9\n")
    ran = solon("fmt", "nowhere.rego", "latin.rego")
    assert ran.status == 2
    assert ran.err == (
        "nowhere.rego: no such file or directory\nlatin.rego:2:6: not UTF-8: byte 0xe9 (save it as UTF-8)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-w", "-"], "solon: --write has nothing to write to when it reads standard input (-)\n"),
        (["."], "solon: .: no Rego or Sentinel files found\n"),
    ],
)
def test_usage(solon: Callable[..., Any], arguments: list[str], message: str) -> None:
    ran = solon("fmt", *arguments)
    assert (ran.status, ran.out, ran.err) == (2, "", message)


SENTINEL = 'main=rule{\ntags.team is "ml"\n}'
LAID_OUT = 'main = rule {\n\ttags.team is "ml"\n}\n'


def test_sentinel_is_laid_out_by_its_ending(solon: Callable[..., Any], policies: Path) -> None:
    (policies / "team.sentinel").write_text(SENTINEL)
    assert solon("fmt", "p/team.sentinel").out == LAID_OUT
    ran = solon("fmt", "--list", "--fail", "p")
    assert (ran.status, ran.out) == (1, "p/messy.rego\np/team.sentinel\n")
    assert solon("fmt", "--write", "p").status == 0
    assert (policies / "team.sentinel").read_text() == LAID_OUT
    assert solon("fmt", "--list", "--fail", "p").status == 0


def test_sentinel_from_standard_input(solon: Callable[..., Any]) -> None:
    ran = solon("fmt", "--sentinel", "-", stdin=SENTINEL.encode())
    assert (ran.status, ran.out, ran.err) == (0, LAID_OUT, "")


def test_sentinel_that_does_not_parse(solon: Callable[..., Any], policies: Path) -> None:
    (policies / "team.sentinel").write_text("main = rule {\n")
    (policies / "messy.rego").write_text(MESSY)
    ran = solon("fmt", "--write", "p")
    assert ran.status == 2
    assert ran.err.startswith("p/team.sentinel:2:1: ")
    assert (policies / "messy.rego").read_text() == NEAT
