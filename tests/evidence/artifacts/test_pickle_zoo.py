"""Hostile model files: each is told of, by name, and nothing of it ever runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pickle_zoo
import pytest
from picklescan.scanner import SafetyLevel, scan_file_path

from solon.evidence.artifacts.examine import examine
from solon.evidence.artifacts.result import Artifact

ROOT = Path(__file__).parents[3]


def named(artifacts):
    return {name for artifact in artifacts for name in artifact.imports}


def reasons(artifacts):
    return " | ".join(reason for artifact in artifacts for reason in artifact.reasons)


@pytest.mark.parametrize("name", pickle_zoo.PICKLES | pickle_zoo.ARCHIVES)
def test_a_hostile_pickle_is_unsafe_and_named(name):
    data, expected = (pickle_zoo.PICKLES | pickle_zoo.ARCHIVES)[name]
    found = examine(data, name)
    assert found[0].path == name
    assert found[0].verdict == "unsafe"
    if expected == "system":
        assert named(found) & {"os.system", "posix.system", "nt.system"}
    elif expected:
        assert expected in named(found)
    assert "could not be looked at" not in reasons(found)


@pytest.mark.parametrize("name", pickle_zoo.OTHERS)
def test_what_else_runs_code_is_unsafe_and_said_so(name):
    data, expected = pickle_zoo.OTHERS[name]
    found = examine(data, name)
    assert found[0].verdict == "unsafe"
    assert expected in reasons(found)


@pytest.mark.parametrize("name", pickle_zoo.INNOCENT)
def test_what_only_looks_like_it_is_safe(name):
    assert [(a.path, a.verdict, a.reasons) for a in examine(pickle_zoo.INNOCENT[name], name)] == [
        (name, "safe", [])
    ]


def test_a_name_that_is_made_while_loading_is_said_so():
    (found,) = examine(pickle_zoo.PICKLES["computed.pkl"][0], "x")
    assert "imports whose names are made while it is loaded, and cannot be told: 1" in found.reasons
    assert found.opcodes == {"REDUCE": 2, "STACK_GLOBAL": 2}


@pytest.mark.parametrize(
    "name, says",
    {
        "reduce-4.pkl": "would call posix.system, which runs commands",
        "eval.pkl": "would call builtins.eval, which runs Python code",
        "locate.pkl": "would call pydoc.locate, which runs Python code",
        "inst.pkl": "would call os.system, which runs commands",
        "obj.pkl": "would call os.system, which runs commands",
        "newobj.pkl": "would call subprocess.Popen, which runs commands",
        "import-only.pkl": "would import antigravity.x, which runs commands",
        "build.pkl": "would call what is not known from ordinary models: evil_package.Stateful",
        "truncated.pkl": "cannot be followed to its end: truncated: ends at byte 54 without a STOP",
    }.items(),
    ids=str,
)
def test_the_reason_is_in_plain_words(name, says):
    assert says in examine(pickle_zoo.PICKLES[name][0], name)[0].reasons


@pytest.mark.parametrize("name", sorted(pickle_zoo.ZOO))
def test_what_is_told_can_be_written(name):
    found = examine(pickle_zoo.ZOO[name][0], name)
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Artifact]) == found


def test_nothing_of_it_runs(tmp_path):
    """A canary, and an audit hook that sees every import, call of the system, unpickling, and file that is written."""
    zoo, warm = tmp_path / "zoo", tmp_path / "warm"
    zoo.mkdir()
    warm.mkdir()
    for name, (data, _) in pickle_zoo.ZOO.items():
        (zoo / name).write_bytes(data)
        (warm / name).write_bytes(data)
    canary = Path(pickle_zoo.CANARY)
    canary.unlink(missing_ok=True)
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/pickle_zoo.py"), str(zoo), str(warm)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["happened"] == []
    assert set(seen["verdicts"]) == set(pickle_zoo.ZOO)
    assert set(seen["verdicts"].values()) == {"unsafe"}
    assert not canary.exists()


# picklescan raises on these.
NO_ZIP_FOR_OTHERS = {"cut-off.pt", "no-directory.pt"}


@pytest.mark.parametrize(
    "name", sorted((pickle_zoo.PICKLES | pickle_zoo.ARCHIVES).keys() - NO_ZIP_FOR_OTHERS)
)
def test_what_picklescan_flags_is_named_here_too(name, tmp_path):
    data, _ = (pickle_zoo.PICKLES | pickle_zoo.ARCHIVES)[name]
    path = tmp_path / name
    path.write_bytes(data)
    theirs = {
        f"{found.module}.{found.name}"
        for found in scan_file_path(str(path)).globals
        if found.safety != SafetyLevel.Innocuous and "unknown" not in (found.module, found.name)
    }
    assert theirs <= named(examine(data, name))
