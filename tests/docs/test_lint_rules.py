"""docs/reference/lint.md: every code has its section, with an example that it speaks of and one that it leaves alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.cli.lint.command import CODES

PAGE = (Path(__file__).parents[2] / "docs/reference/lint.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+/[\w-]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
_FILES = re.compile(r"<!-- file: (\S+) -->\n```[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^```text\n(\S+:\d+:\d+: (?:error|warning) .*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_code_has_its_section() -> None:
    assert set(SECTIONS) == set(CODES)
    rows = re.findall(r"^\| \[([\w/-]+)\]\(#([\w-]+)\) \|", PAGE, re.MULTILINE)
    assert [code for code, _ in rows] == list(SECTIONS)
    assert all(anchor == code.replace("/", "") for code, anchor in rows)


@pytest.mark.parametrize("code", SECTIONS)
def test_examples(
    code: str, solon: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = _FILES.findall(SECTIONS[code])
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (said,) = _SAID.findall(SECTIONS[code])
    found = {}
    for kind in ("bad", "good"):
        place, before = (tmp_path / code / name for name in (kind, "before"))
        base = []
        if before.exists():  # what is committed; the example is what is there then
            shutil.copytree(before, tmp_path / kind)
            commit(tmp_path / kind)
            place = Path(shutil.copytree(place, tmp_path / kind, dirs_exist_ok=True))
            base = ["--base", "HEAD"]
        monkeypatch.chdir(place)
        ran = solon("lint", ".", *base)
        assert ran.err == ""
        found[kind] = ran.out.replace("./", "")
    assert said.strip() in found["bad"]
    assert f" {code}: " not in found["good"]


def commit(place: Path) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "before"]):
        subprocess.run(["git", "-C", place, *identity, *arguments], check=True, capture_output=True)
