"""The rules of the house that no other tool checks: layers, sizes, names, and a quick start."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src/solon").rglob("*.py"))
DRAWERS = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
HEAVY = {"re2", "yaml", "ryaml", "rich", "jsonschema", "pydantic", "msgspec", "httpx", "apprise", "duckdb"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); {code}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_an_import_points_downwards() -> None:
    run = python(
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, config_filename='pyproject.toml'))"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 kept, 0 broken" in run.stdout


def test_a_file_has_one_job() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCES
        if (lines := len(path.read_text().splitlines())) > 800
    }
    assert not long


def test_no_name_says_nothing() -> None:
    assert not [path for path in SOURCES if DRAWERS & {path.stem, path.parent.name}]


def test_base_names_of_tests_are_unique() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert not [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize("module", ["solon", "solon.cli.main"])
def test_start_is_quick(module: str) -> None:
    """What a command may not need is imported when it is needed: `solon --help` loads no engine."""
    if not (ROOT / "src" / module.replace(".", "/")).with_suffix(".py").exists() and module != "solon":
        pytest.skip(f"{module} does not exist")
    run = python(f"import {module}; print(*sys.modules)")
    assert run.returncode == 0, run.stderr
    assert not HEAVY & set(run.stdout.split())
