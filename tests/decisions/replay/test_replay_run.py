"""Each input is judged once; each decision is told of once, in its order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.decisions.replay import run as module
from solon.decisions.replay.judging import Verdict
from solon.decisions.replay.recorded import Recorded
from solon.decisions.replay.run import Replay, here


def decision(number: int, key: int) -> tuple[Recorded, bytes]:
    """Without an input where the key is 0."""
    problem = "" if key else "no input"
    return Recorded(f"d{number}", number, "allow", "p", problem=problem, key=b"%d" % key), b"%d" % key


def late(ahead: int):  # -> Judging
    """Judges so many events later than they came, as other processes do."""

    def judged(events: Iterable[bytes | None]) -> Iterator[Verdict]:
        held: deque[bytes] = deque()
        for event in events:
            if event is not None:
                held.append(event)
            while held and (event is None or len(held) > ahead):
                yield Verdict(outcome=held.popleft().decode())
        for event in held:
            yield Verdict(outcome=event.decode())

    return judged


KEYS = st.lists(st.integers(0, 6), max_size=60)


@given(KEYS, st.integers(0, 9))
def test_each_decision_gets_the_verdict_of_its_input(keys: list[int], ahead: int) -> None:
    told: list[tuple[str, str | None]] = []
    replay = Replay(lambda then, now: told.append((then.id, now.outcome if now else None)))
    replay.run([decision(number, key) for number, key in enumerate(keys)], late(ahead))
    assert told == [(f"d{number}", str(key) if key else None) for number, key in enumerate(keys)]
    assert replay.judged == len(set(keys) - {0})


@given(KEYS, st.integers(0, 9))
def test_with_little_memory_inputs_are_judged_again_and_nothing_is_lost(keys: list[int], ahead: int) -> None:
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_REMEMBERED", 2)
        patch.setattr(module, "_WAITING", 3)
        replay = Replay(lambda then, now: told.append(f"{then.id} {now.outcome if now else '0'}"))
        replay.run([decision(number, key) for number, key in enumerate(keys)], late(ahead))
    assert told == [f"d{number} {key}" for number, key in enumerate(keys)]


def test_decisions_do_not_pile_up_behind_one_that_takes_long() -> None:
    """A source of which only the first input is new is not read to its end while that is judged."""
    read = 0

    def source() -> Iterator[tuple[Recorded, bytes]]:
        nonlocal read
        for number in range(100_000):
            read += 1
            yield decision(number, 1)

    def judged(events: Iterable[bytes | None]) -> Iterator[Verdict]:
        first, second = (next(iter_) for iter_ in [iter(events)] * 2)
        assert (first, second) == (b"1", None)
        assert read <= 20_001
        yield Verdict(outcome="1")

    Replay(lambda then, now: None).run(source(), judged)


def test_in_this_process() -> None:
    told = []
    Replay(lambda then, now: told.append(now)).run(
        [decision(0, 5), decision(1, 5)], here(lambda event: Verdict(outcome=event.decode()))
    )
    assert told == [Verdict(outcome="5")] * 2
