"""Several documents of one input, and what they share."""

import pytest

from solon.lang import rego
from solon.lang.budget import Budget
from solon.lang.rego import RegoError, Session

TEXT = """package p

large := [n | some n in numbers.range(1, 1000); n % 2 == input.rest]

first := count(large)

second := large[0]

third := input.zero / input.zero

clash := 1
clash := 2 if input.rest == 1
"""


@pytest.fixture
def program():
    return rego.compile({"p.rego": TEXT})


def test_documents_have_the_values_they_have_alone(program):
    document = {"rest": 0}
    session = Session(program, document, {})
    for name in ("data.p.first", "data.p.second", "data.p.third", "data.p.first"):
        assert session.evaluate(name) == program.evaluate(name, document)


def test_what_one_document_worked_out_is_not_worked_out_again(program):
    budget = Budget(seconds=None, steps=4_000)
    session = Session(program, {"rest": 1}, {}, budget=budget)
    assert session.evaluate("data.p.first") == 500
    assert session._state.run.steps >= 2_000
    assert session.evaluate("data.p.second") == 1
    assert session._state.run.steps < 10


def test_each_document_has_the_whole_budget():
    text = "\n".join(f"x{n} := count(numbers.range(1, 800))" for n in range(10))
    session = Session(
        rego.compile({"p.rego": f"package p\n{text}"}), {}, {}, budget=Budget(seconds=None, steps=2_000)
    )
    assert [session.evaluate(f"data.p.x{n}") for n in range(10)] == [800] * 10


def test_an_error_of_one_document_leaves_the_others(program):
    session = Session(program, {"rest": 1}, {})
    for _ in range(2):
        with pytest.raises(RegoError, match="complete rules must not produce multiple outputs"):
            session.evaluate("data.p.clash")
        assert session.evaluate("data.p.first") == 500


def test_what_no_rule_defines_is_refused(program):
    with pytest.raises(KeyError):
        Session(program, {}, {}).evaluate("data.p.nothing")
