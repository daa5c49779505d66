"""Suites of our own, in the format of gator verify, for what the Gatekeeper library's do not exercise.

Gatekeeper's gator accepts and passes each of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from solon.cli.main import app

SUITES = Path(__file__).parent / "suites"

# How many of a suite's results there are, so that none is left out unnoticed: passed, skipped.
RESULTS = {
    "assertions": (17, 2),
    "inventory": (6, 0),
    "match": (285, 0),
    "parameters": (40, 0),
    "review": (19, 0),
    "rego": (9, 0),
    "skipped": (0, 1),
}


def test_every_suite_is_listed() -> None:
    assert sorted(path.parent.name for path in SUITES.glob("*/suite.yaml")) == sorted(RESULTS)


@pytest.mark.parametrize("name", RESULTS)
def test_suite_passes(name: str) -> None:
    run = CliRunner().invoke(app, ["test", str(SUITES / name), "--format", "json"])
    report = json.loads(run.stdout)
    assert [r for r in report["results"] if r["status"] not in ("passed", "skipped")] == []
    assert (report["summary"]["passed"], report["summary"]["skipped"]) == RESULTS[name]
    assert run.exit_code == 0
