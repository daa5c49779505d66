"""solon lint has nothing to say of the starter library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from solon.frameworks import rego_files
from solon.frameworks.conftest.lint import lint
from solon.frameworks.lint import FIELDS
from solon.lang import rego

ROOT = Path(__file__).parents[2]


def test_nothing_is_wrong_with_the_library(solon: Callable[..., Any]) -> None:
    ran = solon("lint", "--strict", str(ROOT / "library"))
    assert (ran.status, ran.err) == (0, ""), ran.out
    assert ran.out.endswith(": nothing to say\n")


def test_every_policy_says_everything_of_itself() -> None:
    files = rego_files.read([str(ROOT / "library")], tests=True)
    assert list(lint(rego.compile(files.modules, data=files.data), FIELDS)) == []
