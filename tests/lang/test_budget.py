"""A policy that runs away is stopped by the steps it takes, with its place and how far it got."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.lang import rego
from solon.lang.budget import Budget, BudgetExceeded, Meter, running, spend
from solon.lang.rego import EvalError

BUDGET = Budget(seconds=None, steps=10_000)
INPUT = {"xs": list(range(120))}

# name, rules of the package, line on which it is stopped
RUNAWAY = [
    ("loops in loops", "p if {\n\tsome x in numbers.range(1, 200)\n\tsome y in numbers.range(1, 200)\n\tx + y < 0\n}", 4),
    ("a cross product in a comprehension", "p := [1 |\n\tinput.xs[_]\n\tinput.xs[_] < 0\n]", 4),
    ("a set of triples", "p := {[x, y, z] |\n\tsome x in input.xs\n\tsome y in input.xs\n\tsome z in input.xs\n}", 5),
    ("an object of pairs", "p := {[x, y]: 1 |\n\tsome x in input.xs\n\tsome y in input.xs\n}", 4),
    ("every in every", "p if {\n\tevery x in input.xs {\n\t\tevery y in input.xs {\n\t\t\tx + y >= 0\n\t\t}\n\t}\n}", 4),
    ("a negation", "p if not q\n\nq if {\n\tinput.xs[x]\n\tinput.xs[y]\n\tx + y < 0\n}", 6),
    ("functions that call functions", "f(x) := [g(x) | input.xs[_]]\n\ng(x) := [x |\n\tinput.xs[_]\n]\n\np := f(1)", 5),
    ("a partial set", "p contains [x, y] if {\n\tsome x in input.xs\n\tsome y in input.xs\n}", 4),
    ("a partial object", "p[x][y] := 1 if {\n\tsome x in input.xs\n\tsome y in input.xs\n}", 4),
    ("walk in walk", "p if {\n\twalk(input, [a, _])\n\twalk(input, [b, _])\n\ta == [b]\n}", 4),
    ("with in a loop", "p if {\n\tsome x in input.xs\n\tq with input.n as x\n}\n\nq if {\n\tsome y in input.xs\n\ty < 0\n}", 8),
    ("a range of a thousand million", "p := count(numbers.range(1, 1000000000))", 2),
    ("every address of a network", 'p := net.cidr_expand("10.0.0.0/8")', 2),
    ("a wide format", 'p := sprintf("%999999d", [1])', 2),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "row"), [case[1:] for case in RUNAWAY], ids=[case[0] for case in RUNAWAY])
def test_a_runaway_policy_is_stopped_where_it_runs_away(rules: str, row: int) -> None:
    program = rego.compile({"runaway.rego": f"package a\n{rules}\n"})
    with pytest.raises(EvalError) as raised:
        program.evaluate("data.a.p", input=INPUT, budget=BUDGET)
    (error,) = raised.value.errors
    assert raised.value.code == "eval_cancel_error"
    assert re.fullmatch(
        r"evaluation took more than 10,000 steps \([\d,]+ steps in [\d.e-]+ s\)", error.message
    )
    assert (error.span.file, error.span.row) == ("runaway.rego", row)
    assert f"  {row} | " in raised.value.render()


def test_the_same_policy_ends_within_a_larger_budget() -> None:
    program = rego.compile(
        {"a.rego": "package a\np := count([1 | some x in input.xs; some y in input.xs; x < y])"}
    )
    assert program.evaluate("data.a.p", input=INPUT, budget=Budget(seconds=None, steps=None)) == 7140
    assert program.evaluate("data.a.p", input=INPUT, budget=Budget(seconds=None, steps=14_520)) == 7140
    with pytest.raises(EvalError, match="more than 14,519 steps"):
        program.evaluate("data.a.p", input=INPUT, budget=Budget(seconds=None, steps=14_519))


def test_a_runaway_query_is_stopped_too() -> None:
    with pytest.raises(EvalError) as raised:
        rego.compile({}).evaluate("x := numbers.range(1, 1000000000)", budget=BUDGET)
    message = "query:1:1: eval_cancel_error: evaluation took more than 10,000 steps (1,000,000,000 steps in "
    assert str(raised.value).startswith(message)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_is_looked_at_every_so_many_steps() -> None:
    clock = Clock()
    meter = Meter(Budget(seconds=2.0, steps=None), clock)
    meter.charge(50_000)
    clock.now += 1.5
    meter.charge(50_000)
    clock.now += 1.0
    with pytest.raises(BudgetExceeded) as raised:
        meter.charge(50_000)
    assert str(raised.value) == "evaluation took longer than 2 s (150,000 steps in 2.5 s)"
    assert (raised.value.steps, raised.value.seconds) == (150_000, 2.5)


@pytest.mark.parametrize("step", [1e-6, 1e-4, 1e-3])
def test_however_long_a_step_takes_the_limit_of_time_is_kept(step: float) -> None:
    clock = Clock()
    meter = Meter(Budget(seconds=1.0, steps=None), clock)

    def run() -> None:
        while True:
            clock.now += step
            meter.charge(1)

    with pytest.raises(BudgetExceeded) as raised:
        run()
    assert 1.0 <= raised.value.seconds <= 1.2


def test_what_would_take_longer_than_there_is_time_is_refused_before_it_starts() -> None:
    meter = Meter(Budget(seconds=2.0, steps=None), Clock())
    meter.charge(10_000_000)  # half a second, at the least
    with pytest.raises(BudgetExceeded, match="would take longer than 2 s"):
        meter.charge(100_000_000)
    with pytest.raises(BudgetExceeded, match="might take longer than 2 s"):
        meter.foresee(2.5)


def test_memory_that_an_evaluation_would_take_is_refused_before_it_is_taken() -> None:
    meter = Meter(Budget(seconds=None, steps=None, memory=64 << 20), Clock())
    meter.claim(60 << 20)
    with pytest.raises(BudgetExceeded, match=r"would take more than 64 MB of memory"):
        meter.claim(65 << 20)
    meter.text(2 << 20)
    with pytest.raises(BudgetExceeded, match=r"would take more than 64 MB of memory"):
        meter.text((2 << 20) + 1)


def test_outside_of_an_evaluation_nothing_is_charged() -> None:
    assert not running
    spend(10**12)
    rego.compile({}).evaluate("1 + 1")
    assert not running
    with pytest.raises(EvalError):
        rego.compile({}).evaluate("numbers.range(1, 1000000000)", budget=BUDGET)
    assert not running


@given(st.lists(st.integers(0, 30_000), max_size=20), st.integers(0, 100_000))
def test_steps_add_up_and_the_limit_is_exact(charges: list[int], limit: int) -> None:
    meter = Meter(Budget(seconds=None, steps=limit), Clock())
    total = 0
    for charge in charges:
        total += charge
        if total > limit:
            with pytest.raises(BudgetExceeded) as raised:
                meter.charge(charge)
            assert raised.value.steps == total
            message = f"evaluation took more than {limit:,} steps ({total:,} steps in 0 s)"
            assert str(raised.value) == message
            return
        meter.charge(charge)
        assert meter.steps == total
