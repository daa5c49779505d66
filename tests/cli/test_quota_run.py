"""solon quota run: the command has its GPUs while it runs, and nobody has them for nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.cli import governed
from solon.cli.quota import run as command

ROOT = Path(__file__).parents[2]
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {generateName: train-, namespace: fraud, labels: {team: fraud}}
spec:
  template:
    spec:
      containers: [{name: main, resources: {limits: {nvidia.com/gpu: 12}}}]
"""
SAYS = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ), *map(json.load, map(open, sys.argv[2:]))], open('out', 'w'))"

Solon = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    for name in ("kubernetes/gpu_quota.rego", "lib/kubernetes.rego", "data/gpu-quota.yaml"):
        target = tmp_path / "policy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((ROOT / "library" / name).read_text())
    (tmp_path / "solon.yaml").write_text(
        "policies: [policy]\ninventory: [running.yaml]\nquota: {ledger: quota.db}\n"
    )
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "running.yaml").write_text("apiVersion: v1\nkind: List\nitems: []\n")
    return tmp_path


def states(solon: Solon) -> list[str]:
    found = json.loads(solon("quota", "list", "--all", "--format", "json").out)["reservations"]
    return [each["state"] for each in found]


def ran(solon: Solon, *arguments: str) -> tuple[int, str]:
    """The exit status, and what Solon printed."""
    found = solon("quota", "run", *arguments)
    assert found.out == ""
    return found.status, found.err


def python(*arguments: str) -> list[str]:
    return ["--", sys.executable, "-c", *arguments]


def test_the_command_has_the_labelled_copy(solon: Solon, here: Path) -> None:
    assert ran(solon, "job.yaml", *python(SAYS, "create", "./job.yaml"))[0] == 0
    (_, copy), environment, document = json.loads((here / "out").read_text())
    assert copy != "job.yaml"
    assert environment["SOLON_RESERVED_JOB"] == copy
    assert document["metadata"]["labels"] == {
        "team": "fraud",
        "solon.dev/reservation": environment["SOLON_RESERVATION"],
    }
    assert not os.path.exists(copy)
    assert states(solon) == ["released"]
    assert (here / "job.yaml").read_text() == JOB


def test_an_option_that_names_the_job_names_the_copy(solon: Solon, here: Path) -> None:
    absolute = str(here / "job.yaml")
    says = "import json, sys; json.dump(sys.argv[1:], open('out', 'w'))"
    status, err = ran(
        solon, "job.yaml", *python(says, f"--filename={absolute}", "x=job.yaml", "--x=job.yml", "job")
    )
    assert (status, err.count("does not name")) == (0, 0)
    first, *others = json.loads((here / "out").read_text())
    assert first.startswith("--filename=")
    assert first.endswith("/job.yaml")
    assert absolute not in first
    assert others == ["x=job.yaml", "--x=job.yml", "job"]


def test_a_command_that_names_no_job_is_told_where_the_copy_is(solon: Solon, here: Path) -> None:
    status, err = ran(solon, str(here / "job.yaml"), *python("pass"))
    assert status == 0
    assert "the command does not name" in err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "code, status",
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("pass", 0),
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_how_it_ends(code: str, status: int, keep: bool, solon: Solon) -> None:
    more = ["--keep"] if keep else []
    assert ran(solon, "job.yaml", *more, *python(code, "job.yaml"))[0] == status
    assert states(solon) == ["reserved" if keep and not status else "released"]


def test_a_job_without_gpus_runs_as_it_is(solon: Solon, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOLON_RESERVATION", raising=False)
    (here / "job.yaml").write_text(JOB.replace("nvidia.com/gpu", "cpu"))
    says = (
        "import json, os, sys; json.dump([sys.argv[1:], 'SOLON_RESERVATION' in os.environ], open('out', 'w'))"
    )
    status, err = ran(solon, "job.yaml", *python(says, "job.yaml"))
    assert (status, err) == (0, "solon: quota.db: a new ledger of reservations\n")
    assert json.loads((here / "out").read_text()) == [["job.yaml"], False]
    assert states(solon) == []


@pytest.mark.usefixtures("here")
def test_who_is_told_to_end_while_reserving_runs_nothing(
    solon: Solon, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = command.reserve

    def slow(*arguments: Any) -> Any:
        found = reserve(*arguments)
        os.kill(os.getpid(), signal.SIGTERM)
        return found

    monkeypatch.setattr(command, "reserve", slow)
    assert ran(solon, "job.yaml", *python("open('ran', 'w')", "job.yaml"))[0] == 128 + signal.SIGTERM
    assert not Path("ran").exists()
    assert states(solon) == ["released"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("here")
def test_a_command_that_is_not_there(solon: Solon) -> None:
    status, err = ran(solon, "job.yaml", "--keep", "--", "./no-such-program", "job.yaml")
    assert (status, err.splitlines()[-1]) == (127, "solon: ./no-such-program: no such file or directory")
    assert states(solon) == ["released"]


def test_what_is_denied_does_not_run(solon: Solon, here: Path) -> None:
    assert solon("quota", "reserve", "job.yaml").status == 0
    status, err = ran(solon, "job.yaml", *python("open('ran', 'w')", "job.yaml"))
    assert status == 1
    assert "so this is 8 too many" in " ".join(err.split())
    assert not (here / "ran").exists()


@pytest.mark.usefixtures("here")
def test_it_is_renewed_while_the_command_runs(solon: Solon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock goes 20 minutes further at each look at it, and the reservation is for 30."""
    now = [1_700_000_000 * 10**9]

    def clock() -> int:
        now[0] += 20 * 60 * 10**9
        return now[0]

    waits: list[float] = []

    def wait(child: Any, seconds: float) -> int | None:
        waits.append(seconds)
        return child.process.wait() if len(waits) > 5 else None

    monkeypatch.setattr(governed, "clock", clock)
    monkeypatch.setattr(command._Child, "wait", wait)
    status, err = ran(solon, "job.yaml", *python("pass", "job.yaml"))
    assert (status, err) == (0, "solon: quota.db: a new ledger of reservations\n")
    assert waits == [600.0] * 6
    assert states(solon) == ["released"]


@pytest.mark.usefixtures("here")
def test_who_loses_a_reservation_is_told(solon: Solon, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_700_000_000 * 10**9]
    waits: list[float] = []

    def wait(child: Any, seconds: float) -> int | None:
        waits.append(seconds)
        now[0] += 3600 * 10**9  # the machine slept
        return child.process.wait() if len(waits) > 3 else None

    monkeypatch.setattr(governed, "clock", lambda: now[0])
    monkeypatch.setattr(command._Child, "wait", wait)
    status, err = ran(solon, "job.yaml", *python("pass", "job.yaml"))
    assert status == 0
    assert err.count("does not hold any more: others may have its GPUs") == 1


# --- signals, to a process of its own

WAITS = """
import signal, sys, time
def stop(number, frame):
    print("stopped by", signal.Signals(number).name, flush=True)
    sys.exit(5)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, stop)
print("waiting", flush=True)
time.sleep(60)
"""


def started(here: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "solon", "quota", "run", "job.yaml", *arguments],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(here)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_goes_to_the_command(number: signal.Signals, solon: Solon, here: Path) -> None:
    with started(here, *python(WAITS, "job.yaml")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        out, _ = process.communicate()
    assert (process.returncode, out) == (5, f"stopped by {number.name}\n")
    assert states(solon) == ["released"]


def test_a_killed_submitter_frees_it_when_time_is_over(
    solon: Solon, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(
        here, "--for", "5m", *python("print('waiting', flush=True)\ninput()", "job.yaml")
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.kill()
    assert states(solon) == ["reserved"]
    assert solon("quota", "reserve", "job.yaml").status == 1
    later = time.time_ns() + 5 * 60 * 10**9
    monkeypatch.setattr(governed, "clock", lambda: later)
    assert solon("quota", "reserve", "job.yaml").status == 0
    assert states(solon) == ["expired", "reserved"]
