"""solon log retain and solon log hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decision_events import event, log_of

Solon = Callable[..., Any]
Run = Callable[..., tuple[int, str]]
AT = "2026-03-01T00:00:00Z"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three decisions of long ago, committed now, and a rule."""
    directory = tmp_path / "log"
    log_of(directory, [event(n, AT, bundles={"platform-a": "r1"}) for n in range(3)])
    said = json.loads((directory / "log.json").read_text())
    (directory / "log.json").write_text(
        json.dumps({**said, "retention": [{"sets": "platform-*", "keep": "1d"}]})
    )
    return directory


@pytest.fixture
def run(solon: Solon) -> Run:
    """Status and output of solon log …"""

    def go(*words: str) -> tuple[int, str]:
        ran = solon("log", *words)
        return ran.status, ran.out + ran.err

    return go


def test_what_will_be_due(run: Run, log: Path) -> None:
    status, text = run("retain", "--log", str(log), "--as-of", "2100-01-01", "--format", "json")
    said = json.loads(text)
    assert (status, said["applied"], said["rules"][0]["due"], said["rules"][0]["first"]) == (
        0,
        False,
        3,
        "2026-03-01T00:00:00.000000000Z",
    )


def test_holds_are_written_listed_and_released(run: Run, log: Path) -> None:
    where = ["--log", str(log)]
    assert run("hold", *where)[1] == "nothing is held\n"
    assert run("hold", "case", *where, "--reason", "r", "--id", "d-1", "--until", "2027-01-01")[0] == 0
    assert run("hold", *where)[1] == "case · d-1, before 2027-01-01 · r\n"
    assert json.loads(run("hold", *where, "--format", "json")[1])["holds"] == [
        {"name": "case", "reason": "r", "ids": ["d-1"], "until": "2027-01-01"}
    ]
    assert "1 held" in run("retain", *where, "--as-of", "2100-01-01")[1]
    assert run("hold", "case", *where, "--release") == (0, "case is released\n")
    assert run("hold", *where)[1] == "nothing is held\n"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["retain", "--apply", "--as-of", "2100-01-01"], "--as-of is for looking ahead"),
        (["retain", "--as-of", "soon"], "'soon' is no date"),
        (["hold", "--id", "x"], "a hold needs a name"),
        (["hold", "case", "--id", "x"], "needs a reason"),
        (["hold", "case", "--reason", "r"], "says nothing of what it holds"),
        (["hold", "case", "--reason", "r", "--since", "soon"], "is no date"),
        (["hold", "case", "--release"], "there is no such hold"),
    ],
)
def test_what_cannot_be_done(run: Run, log: Path, words: list[str], wrong: str) -> None:
    status, text = run(*words, "--log", str(log))
    assert status == 2
    assert wrong in text


def test_no_rules(run: Run, tmp_path: Path) -> None:
    log_of(tmp_path / "log", [event(1, AT)])
    assert run("retain", "--log", str(tmp_path / "log"))[1].endswith(
        "has no rules: log.json has none under `retention`\n"
    )


def test_what_is_held_is_not_erased(run: Run, log: Path) -> None:
    run("hold", "case", "--log", str(log), "--reason", "r", "--subject", "k8s:///payments/*")
    status, text = run("erase", "d-1", "--log", str(log), "--reason", "asked for")
    assert (status, "d-1: is held by case (r)" in text) == (2, True)
    run("hold", "case", "--log", str(log), "--release")
    assert run("erase", "d-1", "--log", str(log), "--reason", "asked for")[0] == 0
