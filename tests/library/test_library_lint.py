"""solon lint has nothing to say of the starter library, and of the policy repositories among the examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.frameworks import rego_files
from solon.frameworks.conftest.lint import lint
from solon.frameworks.lint import FIELDS
from solon.lang import rego

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "place",
    [ROOT / "library", *sorted(each.parent for each in ROOT.glob("examples/*/solon.yaml"))],
    ids=lambda p: p.name,
)
def test_nothing_is_wrong(solon: Callable[..., Any], place: Path) -> None:
    ran = solon("lint", "--strict", str(place))
    assert (ran.status, ran.err) == (0, ""), ran.out
    assert ran.out.endswith(": nothing to say\n")


def test_every_policy_says_everything_of_itself() -> None:
    files = rego_files.read([str(ROOT / "library")], tests=True)
    assert list(lint(rego.compile(files.modules, data=files.data), FIELDS)) == []
