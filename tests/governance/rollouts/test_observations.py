from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from solon.frameworks.policy import Stage
from solon.governance.rollouts.observations import (
    MAX_LINE,
    SCHEMA,
    Found,
    Observation,
    RolloutSeen,
    ScopeSeen,
    append,
    by_day,
    digest,
    last_used,
    read,
)
from solon.governance.scope import Scope
from solon.subjects.subject import Unreadable

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def observation(at: datetime = AT, subjects: int = 1, waivers: dict[str, int] | None = None) -> Observation:
    scope = ScopeSeen("canary", "d", Stage.WARN, 3, 2, {"a": Found(violations=5)})
    return Observation(
        SCHEMA, at, {"set": "r1"}, subjects, 0, [RolloutSeen("r.yaml", ["a"], [scope])], waivers or {}
    )


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "deep" / "history.jsonl")
    first, second = observation(), observation(AT + timedelta(days=1))
    assert append(path, first) is False
    assert append(path, second) is False
    assert list(read(path)) == [first, second]


def test_no_file_is_no_observation(tmp_path: Path) -> None:
    assert list(read(str(tmp_path / "none"))) == []


def test_the_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append(str(path), observation(waivers={"w": 2}))
    assert json.loads(path.read_text()) == {
        "schema": "solon.observation/v1",
        "time": "2026-11-20T12:00:00Z",
        "revisions": {"set": "r1"},
        "subjects": 1,
        "unowned": 0,
        "rollouts": [
            {
                "file": "r.yaml",
                "policies": ["a"],
                "scopes": [
                    {
                        "name": "canary",
                        "digest": "d",
                        "stage": "warn",
                        "subjects": 3,
                        "units": 2,
                        "found": {"a": {"violations": 5}},
                    }
                ],
            }
        ],
        "waivers": {"w": 2},
    }


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append(str(path), observation())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    found = list(read(str(path)))
    assert found[0] == observation()
    assert str(found[1]) == f"{path}:2: ends in the middle, and is left out"
    assert append(str(path), observation(subjects=9)) is True
    found = list(read(str(path)))
    assert [getattr(each, "subjects", None) for each in found] == [1, None, 9]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{}", "no observation, and left out: Object missing required field `schema`"),
        (b"nonsense", "no observation, and left out: JSON is malformed"),
        (b"\xff\xfe", "no observation, and left out"),
        (b'[["' + b"[" * 100_000, "no observation, and left out"),
        (
            (
                b'{"schema":"solon.observation/v9","time":"2026-11-20T12:00:00Z","revisions":{},"subjects":0,'
                b'"unowned":0,"rollouts":[],"waivers":{}}'
            ),
            "unknown schema 'solon.observation/v9', and left out (this is solon.observation/v1)",
        ),
        (
            (
                b'{"schema":"solon.observation/v1","time":"2026-11-20T12:00:00","revisions":{},"subjects":0,'
                b'"unowned":0,"rollouts":[],"waivers":{}}'
            ),
            "its time has no zone",
        ),
    ],
)
def test_a_broken_line_is_said_and_passed_over(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\n" + line + b"\n")
    append(str(path), observation())
    broken, good = read(str(path))
    assert isinstance(broken, Unreadable)
    assert str(broken).startswith(f"{path}:2: {problem}")
    assert good == observation()


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"[" * (MAX_LINE + 10) + b"\n")
    append(str(path), observation())
    broken, good = read(str(path))
    assert str(broken) == f"{path}:1: longer than 16 MiB, and left out"
    assert good == observation()


def test_writers_at_once_write_whole_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "history.jsonl")
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(path, n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [each for each in read(path) if isinstance(each, Observation)]
    assert sorted(each.subjects for each in found) == sorted([n for n in range(4) for _ in range(10)])


def _write_many(path: str, number: int) -> None:
    for _ in range(10):
        append(path, observation(subjects=number))


def test_the_last_of_each_day_counts() -> None:
    # In Berlin, 23:30 UTC is the day after; the order of the lines does not matter, nor does what is later than asked.
    times = [
        "2026-11-18T09:00Z",
        "2026-11-18T22:59Z",
        "2026-11-18T23:30Z",
        "2026-11-18T08:00Z",
        "2026-11-21T00:00Z",
    ]
    found = [observation(datetime.fromisoformat(at), subjects=n) for n, at in enumerate(times)]
    assert [each.subjects for each in by_day(found, ZoneInfo("Europe/Berlin"), AT)] == [1, 2]
    assert [each.subjects for each in by_day(found, UTC, AT)] == [2]


def test_many_days_are_bounded() -> None:
    found = (observation(AT + timedelta(days=n), subjects=n) for n in range(1_200))
    kept = by_day(found, UTC, AT + timedelta(days=9_999))
    assert [each.subjects for each in kept] == list(range(200, 1_200))


def test_when_a_waiver_was_last_used() -> None:
    later = AT + timedelta(days=2)
    found = [observation(later, waivers={"a": 1, "b": 0}), observation(AT, waivers={"a": 4, "b": 2})]
    assert last_used(found) == {"a": later, "b": AT}


def test_the_digest_is_that_of_the_selector() -> None:
    assert digest(Scope(namespace="a", team="b")) == digest(Scope(team="b", namespace="a"))
    assert digest(Scope(labels={"a": "1", "b": "2"})) == digest(Scope(labels={"b": "2", "a": "1"}))
    assert digest(Scope(namespace="a")) != digest(Scope(namespace="b"))
    assert digest(Scope(namespace="a")) != digest(Scope(team="a"))
