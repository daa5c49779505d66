"""docs/reference/commands.md names every command and every option, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from solon.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


GROUPS = {name: command.commands for name, command in COMMANDS.items() if hasattr(command, "commands")}


def section(name: str, level: str = "##") -> str:
    found = re.search(rf"^{level} solon {name}\n(.*?)(?=^{level} |^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section for solon {name}"
    return found[1]


def shown_options(text: str) -> set[str]:
    rows = re.findall(r"^\| (`--[^|]+)\|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"(?<!\w)--?[\w-]+", row)}


def options_of(command: Any) -> set[str]:
    options = [p.opts for p in command.params if p.param_type_name == "option"]
    return {word for words in options for word in words} - {"--help", "-h"}


def test_every_command_has_its_section() -> None:
    assert re.findall(r"^## solon (\w+)$", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", GROUPS)
def test_every_command_of_a_group_has_its_section(name: str) -> None:
    assert re.findall(rf"^### solon {name} (\w+)$", PAGE, re.MULTILINE) == list(GROUPS[name])


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in GROUPS])
def test_every_option_is_there(name: str) -> None:
    assert shown_options(section(name)) == options_of(COMMANDS[name])


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in GROUPS[group]])
def test_every_option_of_a_group_is_there(group: str, name: str) -> None:
    assert shown_options(section(f"{group} {name}", "###")) == options_of(GROUPS[group][name])
