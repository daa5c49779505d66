"""solon lint in a policy repository: CODEOWNERS, and what solon.yaml asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLEAN = "package a\n\nallow if input.x\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_rego", ".rego").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lines(ran: Any) -> list[str]:
    return [line.partition("%0A")[0] for line in ran.out.splitlines()[:-1]]


def test_files_that_nobody_owns(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(
        tmp_path,
        policy__a_rego=CLEAN,
        other__b_rego=CLEAN.replace("a", "b"),
        CODEOWNERS="/policy/ @a\n*.py nobody\n",
    )
    assert lines(solon("lint", ".", "-o", "github")) == [
        "::warning file=./other/b.rego,line=1,col=1,title=policy/unowned-file::CODEOWNERS gives this file to nobody",
        "::warning file=CODEOWNERS,line=2,col=1,title=policy/bad-codeowners::not an owner: nobody",
    ]


def test_codeowners_is_looked_for_upwards(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, deep__policy__a_rego=CLEAN)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text("/deep/ @a\n")
    assert lines(solon("lint", "deep/policy", "-o", "github")) == []
    (tmp_path / ".github/CODEOWNERS").write_text("/policy/ @a\n")
    unowned = ".github/CODEOWNERS gives this file to nobody"
    assert lines(solon("lint", "deep/policy", "-o", "github")) == [
        f"::warning file=deep/policy/a.rego,line=1,col=1,title=policy/unowned-file::{unowned}"
    ]


def test_rollouts_and_waivers_have_owners_too(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, policy__a_rego=CLEAN, waivers__w_yaml="[]\n", rollouts__r_yaml="[]\n")
    write(tmp_path, solon_yaml="policies: [policy]\ncodeowners: owners.txt\n")
    (tmp_path / "owners.txt").write_text("/policy/ @a\n/rollouts/ @b\n")
    assert lines(solon("lint", "policy", "-o", "github", "--ignore", "conftest/missing-metadata")) == [
        "::warning file=waivers/w.yaml,line=1,col=1,title=policy/unowned-file::owners.txt gives this file to nobody"
    ]


@pytest.mark.parametrize(("path", "said"), [(".", 1), ("policy", 1), ("policy/a", 0)])
def test_data_that_nobody_defines(solon: Callable[..., Any], tmp_path: Path, path: str, said: int) -> None:
    """In a part of the policies it cannot be told: the rest may define them."""
    write(tmp_path, policy__a__x_rego="package a\n\nallow if data.lib.f\n", CODEOWNERS="* @a\n")
    write(tmp_path, policy__b__y_rego="package b\n\nallow if input.x\n", solon_yaml="policies: [policy]\n")
    found = lines(solon("lint", path, "-o", "github"))
    assert [line.split("::")[-1] for line in found] == ["neither rules nor data define data.lib"] * said


@pytest.mark.parametrize(("config", "said"), [("policies: [policy]\n", 1), (None, 0)])
def test_a_repository_without_codeowners(
    solon: Callable[..., Any], tmp_path: Path, config: str | None, said: int
) -> None:
    write(tmp_path, policy__a_rego=CLEAN)
    (tmp_path / ".git").mkdir()
    if config:
        write(tmp_path, solon_yaml=config)
    found = lines(solon("lint", "policy", "-o", "github"))
    missing = "no CODEOWNERS says who approves changes to these policies"
    assert found == [f"::warning file=solon.yaml,line=1,col=1,title=policy/no-codeowners::{missing}"] * said


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("lint: 3\n", "solon.yaml:1:1: lint must be keys, and is 3"),
        (
            "lint: {requires: [title]}\n",
            "solon.yaml:1:8: unknown key lint.requires: known are require, ignore",
        ),
        ("lint: {require: title}\n", "solon.yaml:1:8: lint.require must be a list, such as [title]"),
        (
            "lint: {require: [name]}\n",
            "solon.yaml:1:18: unknown field 'name': known are title, description",
        ),
        ("lint: {ignore: [rego/none]}\n", "solon.yaml: lint.ignore: unknown code rego/none; known are"),
    ],
)
def test_configuration(solon: Callable[..., Any], tmp_path: Path, config: str, problem: str) -> None:
    write(tmp_path, a_rego=CLEAN, solon_yaml=config)
    ran = solon("lint", ".")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"solon: {problem}")


def test_comments_silence_remarks(solon: Callable[..., Any], tmp_path: Path) -> None:
    policy = "package a\n\ndeny contains 1 if input.x\n"
    comment = "# solon: ignore conftest/untested-policy, conftest/missing-metadata -- a sketch\n"
    write(tmp_path, a_rego=policy.replace("deny", f"{comment}deny"))
    assert solon("lint", ".").out == "1 file: nothing to say\n"
    write(tmp_path, a_rego=f"package a\n\n{comment}allow if input.x\n")
    assert [line.split("title=")[1] for line in lines(solon("lint", ".", "-o", "github"))] == [
        "lint/unused-ignore::there is no conftest/untested-policy here to ignore",
        "lint/unused-ignore::there is no conftest/missing-metadata here to ignore",
    ]


def test_what_is_wrong_with_comments_cannot_be_ignored_by_mistake(
    solon: Callable[..., Any], tmp_path: Path
) -> None:
    write(tmp_path, a_rego="package a\n\nallow if input.x # solon: ignore rego/never-holds\n")
    ran = solon("lint", ".")
    assert ran.status == 1
    assert "a.rego:3:18: error lint/bad-ignore: this does not say why" in ran.out


def test_what_does_not_compile_may_have_needed_its_comments(
    solon: Callable[..., Any], tmp_path: Path
) -> None:
    comment = "# solon: ignore conftest/untested-policy -- a sketch"
    write(tmp_path, a_rego=f"package a\n\n{comment}\ndeny if nofunc(1)\n")
    ran = solon("lint", ".")
    assert (ran.status, ran.out) == (2, "")
    assert "unused-ignore" not in ran.err
