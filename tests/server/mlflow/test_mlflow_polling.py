"""What a look at the registry finds, remembers and would undo."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from solon.decisions.releases import Answer
from solon.server.mlflow.governed import Going, Way
from solon.server.mlflow.polling import Departure, Memory, Remedy, Seen, Step, compare, remedies

ONE = Going("adult", "1", Way.ALIAS, "champion")
TWO = Going("adult", "2", Way.ALIAS, "champion")
YES, NO = Answer(True), Answer(False, "denied")


def after(*looks: dict[Going, Answer]) -> Memory:
    memory: Memory | None = None
    for answers in looks:
        memory = compare(answers, (), memory).memory
    assert memory is not None
    return memory


def departures(
    answers: dict[Going, Answer], before: Memory | None, untold: Iterable[Going] = ()
) -> list[Departure]:
    return [violation.departure for violation in compare(answers, untold, before).violations]


def test_what_was_let_pass_is_no_violation() -> None:
    assert departures({ONE: YES}, None) == []


def test_at_the_first_look_nothing_is_new() -> None:
    assert departures({ONE: NO}, None) == [Departure.KNOWN]


def test_what_went_live_since_and_may_not_is_new() -> None:
    assert departures({TWO: NO}, after({ONE: YES})) == [Departure.NEW]
    assert departures({ONE: NO}, after({})) == [Departure.NEW]


def test_what_may_no_longer_be_live_has_lapsed_once() -> None:
    before = after({ONE: YES})
    assert departures({ONE: NO}, before) == [Departure.LAPSED]
    assert departures({ONE: NO}, after({ONE: YES}, {ONE: NO})) == [Departure.KNOWN]


def test_what_nobody_can_tell_stays_as_it_was_remembered() -> None:
    before = after({ONE: NO})
    look = compare({}, [ONE], before)
    assert look.violations == []
    assert departures({ONE: NO}, look.memory) == [Departure.KNOWN]
    look = compare({}, [TWO], before)  # it is new, and was not there before
    assert departures({TWO: NO}, look.memory) == [Departure.NEW]


def undone(
    answers: dict[Going, Answer], before: Memory | None, passes: Iterable[tuple[str, str]]
) -> list[Remedy]:
    allowed = set(passes)
    look = compare(answers, (), before)
    return [
        remedy
        for violation in look.violations
        for remedy in remedies(violation, before, answers, lambda *version: version in allowed)
    ]


def test_an_alias_goes_back_to_the_version_that_had_it() -> None:
    assert undone({TWO: NO}, after({ONE: YES}), [("adult", "1")]) == [
        Remedy(Step.SET_ALIAS, "adult", "1", "champion")
    ]


def test_an_alias_goes_back_even_when_it_was_taken_away_in_between() -> None:
    assert undone({TWO: NO}, after({ONE: YES}, {}), [("adult", "1")]) == [
        Remedy(Step.SET_ALIAS, "adult", "1", "champion")
    ]


@pytest.mark.parametrize("before", [after({}), after({ONE: NO}), after({ONE: YES})])
def test_an_alias_that_nothing_good_had_is_taken_away(before: Memory) -> None:
    assert undone({TWO: NO}, before, []) == [Remedy(Step.DELETE_ALIAS, "adult", "2", "champion")]


def test_a_stage_is_left_again_and_who_was_pushed_out_comes_back() -> None:
    good, bad = Going("adult", "1", Way.STAGE, "Production"), Going("adult", "2", Way.STAGE, "Production")
    assert undone({bad: NO}, after({good: YES}), [("adult", "1")]) == [
        Remedy(Step.MOVE, "adult", "2", "None"),
        Remedy(Step.MOVE, "adult", "1", "Production"),
    ]
    assert undone({good: YES, bad: NO}, after({good: YES}), [("adult", "1")]) == [
        Remedy(Step.MOVE, "adult", "2", "None")
    ]


def test_a_version_that_was_made_is_taken_out() -> None:
    assert undone({Going("prod.adult", "4", Way.NAME): NO}, after({}), []) == [
        Remedy(Step.DELETE_VERSION, "prod.adult", "4")
    ]


def test_what_was_there_before_is_never_undone() -> None:
    assert undone({ONE: NO}, None, []) == []
    assert undone({ONE: NO}, after({ONE: NO}), []) == []
    assert undone({ONE: NO}, after({ONE: YES}), [("adult", "1")]) == [], (
        "a decision that ended takes nothing down"
    )


def test_a_memory_is_read_as_it_was_written() -> None:
    memory = after({ONE: YES, Going('a"b', "7", Way.NAME): NO})
    assert msgspec.json.decode(msgspec.json.encode(memory), type=Memory) == memory
    assert memory.live[1] == Seen("adult", "1", Way.ALIAS, "champion", True)
