"""What a receiver refuses does not hold up the rest, and nothing is given up while it is the receiver that fails."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.decisions.log.reading import Stored
from solon.decisions.sinks.deliver import Delivered, Down, Refusal, TooLarge, Unwanted, deliver
from solon.decisions.sinks.ship import Backoff


def stored(number: int) -> Stored:
    return Stored(number, b"leaf", b"", b"{}", "file", 0, 0)


class Fake:
    """Takes up to ``most`` at once, wants none of ``poison``, and fails at the attempts named."""

    def __init__(
        self,
        most: int = 1_000,
        poison: Sequence[int] = (),
        huge: Sequence[int] = (),
        fails: Sequence[int] = (),
    ) -> None:
        self.most, self.poison, self.huge, self.fails = most, set(poison), set(huge), set(fails)
        self.attempts = 0
        self.got: list[int] = []

    def __call__(self, batch: Sequence[Stored]) -> Refusal | None:
        self.attempts += 1
        numbers = [each.index for each in batch]
        if self.attempts in self.fails:
            raise Down("down")
        if len(batch) > self.most or self.huge & set(numbers):
            raise TooLarge("too large")
        if self.poison & set(numbers):
            raise Unwanted("unwanted")
        self.got += numbers
        return None


def refused(done: Delivered) -> list[int]:
    return [each.first.index for each in done.refused]


@pytest.mark.parametrize(
    ("receiver", "got", "bad"),
    [
        (Fake(), [0, 1, 2, 3, 4, 5, 6], []),
        (Fake(most=2), [0, 1, 2, 3, 4, 5, 6], []),
        (Fake(poison=[3]), [0, 1, 2, 4, 5, 6], [3]),
        (Fake(poison=[0, 1]), [2, 3, 4, 5, 6], [0, 1]),
        (Fake(poison=[6]), [0, 1, 2, 3, 4, 5], [6]),
        (Fake(most=1, poison=[2, 4]), [0, 1, 3, 5, 6], [2, 4]),
        (Fake(huge=[5]), [0, 1, 2, 3, 4, 6], [5]),
        (Fake(huge=[0], poison=[1]), [2, 3, 4, 5, 6], [0, 1]),
    ],
)
def test_halves_until_what_is_bad_stands_alone(receiver: Fake, got: list[int], bad: list[int]) -> None:
    done = deliver([stored(number) for number in range(7)], receiver)
    assert (receiver.got, refused(done), done.accepted) == (got, bad, len(got))
    assert done.down is None
    assert done.left is None


def test_what_alone_is_too_large_is_refused() -> None:
    done = deliver([stored(0)], Fake(huge=[0]))
    assert refused(done) == [0]
    assert done.left is None


@pytest.mark.parametrize("rows", [1, 2, 500])
def test_where_nothing_is_wanted_it_is_the_receiver_that_is_wrong(rows: int) -> None:
    receiver = Fake(poison=range(rows))
    done = deliver([stored(number) for number in range(rows)], receiver)
    assert str(done.down) == "unwanted"
    assert done.left == stored(0)
    assert not done.refused
    assert receiver.attempts < 60


def test_what_was_taken_before_it_failed_is_not_sent_again() -> None:
    receiver = Fake(most=2, fails=[4])
    done = deliver([stored(number) for number in range(8)], receiver)
    assert done.left is not None
    assert receiver.got == list(range(done.left.index)) == [0, 1]
    assert done.accepted == 2


def test_what_a_receiver_partly_refused_is_not_accepted() -> None:
    batch = [stored(number) for number in range(5)]
    done = deliver(batch, lambda part: Refusal(part[0], part[-1], 2, "rejected"))
    assert (done.accepted, done.left) == (3, None)
    assert done.refused == [Refusal(batch[0], batch[-1], 2, "rejected")]


@settings(max_examples=100)
@given(
    rows=st.integers(1, 40),
    most=st.integers(1, 40),
    poison=st.sets(st.integers(0, 39), max_size=4),
    huge=st.sets(st.integers(0, 39), max_size=4),
    fails=st.sets(st.integers(1, 30), max_size=6),
)
def test_nothing_is_lost_nor_twice(
    rows: int, most: int, poison: set[int], huge: set[int], fails: set[int]
) -> None:
    receiver = Fake(most, sorted(poison), sorted(huge), sorted(fails))
    left = [stored(number) for number in range(rows)]
    bad: list[int] = []
    for _ in range(20):
        done = deliver(left, receiver)
        bad += refused(done)
        if done.left is None:
            left = []
            break
        assert done.down is not None
        left = [each for each in left if each.index >= done.left.index]
    rest = {each.index for each in left}
    assert not rest or rest <= poison | huge  # only what is bad, and stands alone, is tried for ever
    assert sorted([*receiver.got, *bad, *rest]) == list(range(rows))
    assert set(bad) <= poison | huge


def test_waits_double_with_chance_up_to_five_minutes() -> None:
    longest = Backoff(lambda: 1.0)
    assert [longest.next() for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    shortest = Backoff(lambda: 0.0)
    assert [shortest.next() for _ in range(4)] == [0.5, 1, 2, 4]


@pytest.mark.parametrize(("after", "wait"), [(None, 1.0), (0.0, 1.0), (7.0, 7.0), (100_000.0, 300.0)])
def test_what_the_receiver_asks_for_is_waited(after: float | None, wait: float) -> None:
    assert Backoff(lambda: 1.0).next(after) == wait
