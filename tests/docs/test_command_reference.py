"""docs/reference/commands.md names every command and every option, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from solon.cli.main import assembled

PAGE = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its name, those of a group too: `waivers check`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


COMMANDS = dict(commands(typer.main.get_command(assembled())))


def section(name: str) -> str:
    found = re.search(rf"^## solon {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section for solon {name}"
    return found[1]


def test_every_command_has_its_section() -> None:
    assert re.findall(r"^## solon (\w[\w -]*)$", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_there(name: str) -> None:
    options = [p.opts for p in COMMANDS[name].params if p.param_type_name == "option"]
    rows = re.findall(r"^\| (`--[^|]+)\|", section(name), re.MULTILINE)
    shown = {word for row in rows for word in re.findall(r"(?<!\w)--?[\w-]+", row)}
    assert shown == {word for words in options for word in words} - {"--help", "-h"}
