"""The ways to the results of a rule."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.trace import Trace
from solon.lang.ways import Way, ways

CONTAINERS = [
    {"name": "log", "image": "registry.example/log"},
    {"name": "web", "image": "nginx"},
    {"name": "job", "image": "busybox"},
]


def found(text: str, input: Any, rule: str = "data.main.deny") -> list[Way]:
    trace = Trace("debug")
    program = rego.compile({"main.rego": f"package main\n{text}"}, watch=trace)
    rego.Session(program, input, {}).evaluate(rule)
    return list(ways(trace.events, rule))


def told(way: Way) -> list[tuple[int, dict[str, Any]]]:
    return [(step.span.row, {each.text: each.values[-1] for each in step.readings}) for step in way.steps]


def test_each_result_has_the_way_that_led_to_it() -> None:
    text = """deny contains msg if {
    some c in input.containers
    not startswith(c.image, "registry.example/")
    msg := c.name
}"""
    one, two = found(text, {"containers": CONTAINERS})
    web, job = CONTAINERS[1:]
    assert told(one) == [(3, {}), (4, {"c": web, "c.image": "nginx"}), (5, {"c": web, "c.name": "web"})]
    assert told(two) == [(3, {}), (4, {"c": job, "c.image": "busybox"}), (5, {"c": job, "c.name": "job"})]
    assert [[each.values for each in way.result] for way in (one, two)] == [[("web",)], [("job",)]]


def test_what_was_tried_in_vain_is_left_out() -> None:
    text = "deny contains 1 if {\n input.a == 1\n input.b == 2\n}\ndeny contains 2 if { input.a == 1 }"
    (only,) = found(text, {"a": 1, "b": 3})
    assert (only.span.row, told(only)) == (6, [(6, {"input.a": 1})])


def test_other_rules_are_told_by_their_values() -> None:
    text = 'deny contains msg if {\n some n in bad\n msg := n\n}\nbad contains c.name if { some c in input.containers; c.name == "web" }'
    (only,) = found(text, {"containers": CONTAINERS})
    assert [row for row, _ in told(only)] == [3, 4]
    assert "bad" in told(only)[0][1]


@pytest.mark.parametrize(
    "text",
    [
        'deny contains "x" if not input.owner',
        'deny := "x" if { not input.owner }',
        'deny contains "x" if { every c in input.containers { c.image } }',
        'deny contains "x" if { count([c | some c in input.containers; c.image]) == 3 }',
        'default deny := "y"\ndeny := "x" if { input.containers }',
    ],
)
def test_every_form_of_rule_has_one(text: str) -> None:
    (only,) = found(text, {"containers": CONTAINERS})
    assert len(only.steps) == 1


def test_a_rule_without_a_result_has_none() -> None:
    assert found("deny contains 1 if input.nothing", {}) == []
