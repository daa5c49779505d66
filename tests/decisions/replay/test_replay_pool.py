"""Judging on all cores: in order, all of it, and in spite of processes that die or stand still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import replay_judges
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.pool import BYTES, EVENTS, LOST, InOrder, Pool, PoolError, chunks


def outcomes(load: Any, events: list[bytes], jobs: int = 2, stall: float = 30.0) -> list[str]:
    return [verdict.problem or verdict.outcome for verdict in Pool(load, jobs, stall=stall)(events)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_verdicts_come_in_the_order_of_the_events(jobs: int) -> None:
    events = [b"%d" % number for number in range(300)]
    assert outcomes(replay_judges.Slow(), events, jobs) == [event.decode() for event in events]


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        (b"kill", "the process that judged it was killed by SIGKILL"),
        (b"exit", "the process that judged it ended with status 7"),
    ],
)
def test_only_the_event_that_a_process_dies_of_is_not_judged(word: bytes, problem: str) -> None:
    events = [b"%d" % number for number in range(200)]
    events[10] = events[11] = events[150] = word
    expected = [problem if event == word else event.decode() for event in events]
    assert outcomes(replay_judges.sound, events) == expected


def test_an_event_that_takes_too_long_is_given_up() -> None:
    found = outcomes(replay_judges.sound, [b"a", b"hang", b"b"], jobs=1, stall=0.5)
    assert found == ["a", "the process that judged it took too long", "b"]


def test_one_that_stands_still_is_seen_while_others_go_on() -> None:
    events = [b"hang", *(b"nap" for _ in range(EVENTS * 12))]
    found = outcomes(replay_judges.sound, events, jobs=2, stall=1.0)
    assert found == [f"{LOST} took too long", *(["nap"] * (EVENTS * 12))]


@pytest.mark.parametrize(
    ("load", "problem"),
    [
        (replay_judges.broken, "policy/main.rego:1:1: does not compile"),
        (
            replay_judges.dying,
            "a process that was to judge was killed by SIGKILL while it loaded the policies",
        ),
    ],
)
def test_policies_that_cannot_be_loaded_end_it(load: Any, problem: str) -> None:
    with pytest.raises(PoolError) as told:
        outcomes(load, [b"a", b"b"])
    assert str(told.value) == problem


def test_no_more_is_read_than_is_needed_to_keep_all_busy() -> None:
    read = 0

    def events() -> Iterator[bytes]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield b"%d" % number

    verdicts = Pool(replay_judges.sound, 1, stall=30)(events())
    next(verdicts)
    assert read == 2 * EVENTS  # a chunk that was judged, and one that waits
    verdicts.close()  # type: ignore[attr-defined]


def test_a_chunk_is_bounded_by_its_bytes() -> None:
    half = bytes(BYTES // 2)
    assert [len(chunk.events) for chunk in chunks([half, half, half, b"x"]) if chunk] == [2, 2]


def test_a_source_that_waits_is_not_waited_for() -> None:
    """None stands for: what comes next depends on what is under way. What was read before it is not held back."""
    found = [None if chunk is None else chunk.events for chunk in chunks([b"a", None, None, b"b"])]
    assert found == [[b"a"], None, None, [b"b"]]
    assert outcomes(replay_judges.sound, [b"a", None, b"b", None]) == ["a", "b"]  # type: ignore[list-item]


@given(st.permutations(range(8)))
def test_chunks_that_come_in_any_order_are_given_on_in_theirs(order: list[int]) -> None:
    done = InOrder()
    found = [each for number in order for each in done.add(number, [Verdict(outcome=str(number))])]
    assert [each.outcome for each in found] == [str(number) for number in range(8)]
