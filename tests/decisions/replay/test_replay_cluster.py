"""Judging on a Ray cluster: a local one, in a process of its own, since Ray leaves much behind in one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from decision_events import event, log_of

from solon.decisions.replay.cluster import Cluster
from solon.decisions.replay.pool import PoolError

HAS_RAY = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'solon[ray]'")
SOURCE = str(Path(__file__).parents[3] / "src")


@needs_ray
def test_on_a_cluster_it_comes_out_as_on_this_machine(tmp_path: Path) -> None:
    """Enough decisions for several chunks; one input is odd, which must not matter to the others."""
    place = tmp_path / "repository"
    (place / "policy").mkdir(parents=True)
    (place / "policy/main.rego").write_text(
        'package main\nimport rego.v1\ndeny contains "odd" if input.number % 2 == 1\n'
    )
    (place / "solon.yaml").write_text("log: log\n")
    events = [event(n, "2026-03-01T08:00:00Z", input={"kind": "Deployment", "number": n}) for n in range(300)]
    log_of(place / "log", events)
    found = []
    for more in ([], ["--on", "ray", "--jobs", "2"]):
        run = subprocess.run(
            [sys.executable, "-m", "solon", "log", "replay", "--format", "json", *more],
            cwd=place,
            env={**os.environ, "PYTHONPATH": SOURCE, "RAY_ADDRESS": "", "RAY_TMPDIR": "/tmp"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert run.returncode == 1, run.stderr
        found.append(json.loads(run.stdout))
    assert found[0] == found[1]
    assert (found[0]["inputs"], found[0]["changes"]["newly_denied"]) == (300, 150)


def test_what_the_cluster_would_not_get_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repository").mkdir()
    monkeypatch.chdir(tmp_path / "repository")
    with pytest.raises(
        PoolError, match=r"--on ray sends .*repository to the cluster, and ../candidate is not in it"
    ):
        Cluster(lambda: lambda event: None, 0, directory=".", paths=["../candidate"], log="log")


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PoolError, match=r"pip install 'solon\[ray\]'"):
        Cluster(lambda: lambda event: None, 0, directory=".", paths=[], log="log")
