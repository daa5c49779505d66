"""The ledger of reservations: what holds, for how long, and for whom when many ask at once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from solon.governance.quota.ledger import Ledger, LedgerError
from solon.governance.quota.reservation import Reservation, State

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Ledger:
    return Ledger(str(tmp_path / "state/quota.db"), clock)


def reservation(id: str, now: datetime, gpus: int = 1) -> Reservation:
    document = {"kind": "Job", "metadata": {"name": id}}
    return Reservation(id, "fraud", "anna", "Job/x", gpus, [document], now, now + HALF_AN_HOUR, HALF_AN_HOUR)


def add(ledger: Ledger, id: str) -> list[str]:
    """Reserve; the ids of those that held before."""
    known: list[str] = []

    def judge(others: Sequence[Reservation], now: datetime) -> Reservation:
        known.extend(each.id for each in others)
        return reservation(id, now)

    assert ledger.reserve(judge) is not None
    return known


def states(ledger: Ledger) -> dict[str, str]:
    return {each.id: each.state.value for each in ledger.all()}


def test_a_reservation_is_read_as_it_was_written(ledger: Ledger) -> None:
    written = reservation("r-1", NOON, 8)
    assert ledger.reserve(lambda others, now: written) == written
    assert ledger.created
    assert ledger.all() == [written]


def test_what_is_denied_is_not_written(ledger: Ledger) -> None:
    assert ledger.reserve(lambda others, now: None) is None
    assert ledger.all() == []


def test_whoever_judges_knows_of_those_before(ledger: Ledger) -> None:
    assert [add(ledger, "r-1"), add(ledger, "r-2"), add(ledger, "r-3")] == [[], ["r-1"], ["r-1", "r-2"]]
    ledger.end("r-1", State.RELEASED)
    ledger.end("r-2", State.CONFIRMED)
    assert add(ledger, "r-4") == ["r-3"]


def test_it_ends_when_its_time_is_over(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    clock.now = NOON + HALF_AN_HOUR - timedelta(microseconds=1)
    assert states(ledger) == {"r-1": "reserved"}
    clock.now = NOON + HALF_AN_HOUR
    assert states(ledger) == {"r-1": "expired"}
    assert ledger.all()[0].ended == NOON + HALF_AN_HOUR
    assert add(ledger, "r-2") == []


def test_renewed_it_holds_for_its_length_again(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    clock.now = NOON + timedelta(minutes=20)
    assert ledger.renew("r-1")
    clock.now = NOON + timedelta(minutes=49)
    assert states(ledger) == {"r-1": "reserved"}
    assert ledger.all()[0].made == NOON
    clock.now = NOON + timedelta(minutes=50)
    assert not ledger.renew("r-1")
    assert states(ledger) == {"r-1": "expired"}


def test_what_has_expired_stays_so_when_the_clock_goes_back(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    clock.now = NOON + timedelta(hours=1)
    assert states(ledger) == {"r-1": "expired"}
    clock.now = NOON
    assert states(ledger) == {"r-1": "expired"}
    assert not ledger.renew("r-1")


def test_what_was_made_in_the_future_holds_for_its_length_from_now(ledger: Ledger, clock: Clock) -> None:
    clock.now = NOON + timedelta(days=4000)
    add(ledger, "r-1")
    clock.now = NOON
    assert add(ledger, "r-2") == ["r-1"]
    clock.now = NOON + HALF_AN_HOUR
    assert states(ledger) == {"r-1": "expired", "r-2": "expired"}


def test_the_ended_are_forgotten_after_a_month(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    ledger.end("r-1", State.RELEASED)
    clock.now = NOON + timedelta(days=30)
    assert states(ledger) == {"r-1": "released"}
    clock.now = NOON + timedelta(days=30, microseconds=1)
    assert states(ledger) == {}


def test_to_release_twice_is_no_error(ledger: Ledger) -> None:
    add(ledger, "r-1")
    assert ledger.end("r-1", State.RELEASED).state is State.RELEASED
    assert ledger.end("r-1", State.RELEASED).state is State.RELEASED
    with pytest.raises(LedgerError, match=r"^r-1: has been released already$"):
        ledger.end("r-1", State.CONFIRMED)
    with pytest.raises(LedgerError, match=r"^r-9: no such reservation in "):
        ledger.end("r-9", State.RELEASED)


def test_what_expired_is_not_confirmed(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    clock.now = NOON + HALF_AN_HOUR
    with pytest.raises(LedgerError, match=r"^r-1: has expired already$"):
        ledger.end("r-1", State.CONFIRMED)


def test_an_error_while_judging_reserves_nothing(ledger: Ledger) -> None:
    def judge(_others: Sequence[Reservation], _now: datetime) -> Reservation:
        raise ValueError("broken policy")

    with pytest.raises(ValueError, match="broken policy"):
        ledger.reserve(judge)
    assert add(ledger, "r-1") == []


def test_who_waits_too_long_is_told(ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-1")
    hurried = Ledger(ledger.path, clock, wait=0.01)

    def judge(_others: Sequence[Reservation], _now: datetime) -> None:
        with pytest.raises(LedgerError, match="busy: others have been reserving for a minute"):
            hurried.all()

    ledger.reserve(judge)


@pytest.mark.parametrize(
    "prepare, problem",
    [
        (lambda path: path.write_bytes(b"reservations:\n" * 300), "file is not a database"),
        (lambda path: path.mkdir(), "unable to open database file"),
        (
            lambda path: sqlite3.connect(path).executescript("CREATE TABLE users (name)").close(),
            "a database of something else, no ledger of reservations",
        ),
        (
            lambda path: (
                sqlite3.connect(path)
                .executescript("PRAGMA application_id = 1399811153; PRAGMA user_version = 7")
                .close()
            ),
            r"of another version of Solon \(7; this one knows 1\)",
        ),
    ],
)
def test_what_is_no_ledger(prepare, problem: str, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "quota.db"
    prepare(path)
    with pytest.raises(LedgerError, match=rf"quota\.db: {problem}$"):
        Ledger(str(path), clock).all()


# --- processes


@pytest.mark.parametrize("moment", ["while it judges", "behind it"])
def test_a_process_that_is_killed(moment: str, ledger: Ledger, clock: Clock) -> None:
    add(ledger, "r-0")

    def judge(_others: Sequence[Reservation], now: datetime) -> Reservation:
        if moment == "while it judges":
            os.kill(os.getpid(), signal.SIGKILL)
        return reservation("r-1", now)

    child = os.fork()
    if not child:
        ledger.reserve(judge)
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = ["r-0"] if moment == "while it judges" else ["r-0", "r-1"]
    assert add(ledger, "r-2") == left
    clock.now = NOON + HALF_AN_HOUR
    assert add(ledger, "r-3") == []


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {generateName: train-, namespace: fraud, labels: {team: fraud}}
spec:
  template:
    spec:
      containers: [{name: main, resources: {limits: {nvidia.com/gpu: 2}}}]
"""
# Of the 16 GPUs of team fraud 3 are in use: six jobs with 2 GPUs each fit in, and 1 is left over.
RUNNING = """\
apiVersion: v1
kind: Pod
metadata: {name: notebook, namespace: fraud, labels: {team: fraud}}
spec: {containers: [{name: main, resources: {limits: {nvidia.com/gpu: 3}}}]}
status: {phase: Pending}
"""


@pytest.mark.parametrize("killed", [0, 20])
def test_fifty_processes_get_exactly_the_quota(killed: int, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    (policy / "data").mkdir(parents=True)
    for name in ("kubernetes/gpu_quota.rego", "lib/kubernetes.rego", "data/gpu-quota.yaml"):
        target = policy / name
        target.parent.mkdir(exist_ok=True)
        target.write_text((ROOT / "library" / name).read_text())
    (tmp_path / "job.yaml").write_text(JOB)
    (tmp_path / "running.yaml").write_text(RUNNING)
    arguments = ["50", str(killed), "7", "job.yaml", "quota.db", "policy", "running.yaml"]
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/quota_race.py"), *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "SOLON_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(run.stdout)
    held = {
        each.id: each.gpus for each in Ledger(str(tmp_path / "quota.db"), lambda: datetime.now(UTC)).all()
    }
    assert set(said["told"]) <= set(held)  # none is lost
    assert list(held.values()) == [2] * 6
    if killed:
        assert len(said["statuses"]) == 50
        assert set(said["statuses"]) <= {0, 1, -signal.SIGKILL}
    else:
        assert Counter(said["statuses"]) == {0: 6, 1: 44}
        assert set(said["told"]) == set(held)
