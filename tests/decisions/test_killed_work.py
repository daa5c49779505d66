"""kill -9 at random moments of compaction, retention and upload: nothing is lost, nothing is there twice, all verifies.

Of appending, signing and erasing see test_log_crashes. SOLON_KILLS says how often in all: 200 and more now and then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("SOLON_KILLS", "30"))
PATHS = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "support")])


@pytest.mark.parametrize(("what", "share"), [("compaction", 0.2), ("retention", 0.2), ("upload", 0.2)])
def test_work_that_is_killed(tmp_path: Path, what: str, share: float) -> None:
    rounds = max(int(KILLS * share), 1)
    run = subprocess.run(
        [
            sys.executable,
            str(ROOT / "tests/support/killed_work.py"),
            what,
            str(tmp_path / "log"),
            str(rounds),
            "7",
        ],
        env={**os.environ, "PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=120 + rounds * 10,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found.pop("wrong") == []
    assert found["killed"] >= rounds // 4
    assert found["acknowledged"] >= rounds
