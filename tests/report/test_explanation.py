"""Values in explanations: as much of them as there is room for."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego
from solon.lang.trace import Trace
from solon.lang.values import Set
from solon.report.explanation import as_json, beginning, render


@pytest.mark.parametrize(
    ("value", "room", "text", "is_whole"),
    [
        ({"a": [1, None, True], "b": "x"}, 70, '{"a": [1, null, true], "b": "x"}', True),
        (Set.of((3, 1, 2)), 70, "[1, 2, 3]", True),
        ([], 70, "[]", True),
        ("é\n", 70, '"é\\n"', True),
        (list(range(100)), 10, "[0, 1, 2,…", False),
        ("x" * 100, 10, '"xxxxxxxx…', False),
        ("x" * 10_000, 70, '"' + "x" * 68 + "…", False),
        ("123456", 8, '"123456"', True),
        ("1234567", 8, '"123456…', False),
    ],
)
def test_the_beginning_of_a_value(value: Any, room: int, text: str, is_whole: bool) -> None:
    assert beginning(value, room) == (text, is_whole)


def test_no_more_of_a_value_is_read_than_is_shown() -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = [deep]
    assert beginning(deep, 20) == ("[" * 19 + "…", False)
    assert beginning(deep, 1000)[1] is False


@pytest.mark.parametrize("mode", ["fails", "full", "debug"])
def test_a_large_document_makes_no_large_explanation(mode: Any) -> None:
    trace = Trace(mode)
    program = rego.compile(
        {"p.rego": "package p\n\nr if {\n\tsome x in input.xs\n\tinput.xs == x\n}\n"}, watch=trace
    )
    program.evaluate("data.p.r", {"xs": ["y" * 1000] * 500})
    assert len(render(trace)) < 2_000_000
    assert len(str(as_json(trace))) < 10_000_000
    readings = [r for rule in as_json(trace) for f in rule.get("failures", []) for r in f["examples"][0]]
    assert all(str(value).endswith("…") for r in readings if r["text"] == "input.xs" for value in r["values"])
