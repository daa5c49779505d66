"""What references as heads define, rules that do not hold included. The values are OPA's."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("p[2] contains 1 if false", {"2": []}),
        ("p.a[0].c := 1 if false", {"a": {"0": {}}}),
        ("p.a[0].c := 1 if false\np.a[x].b := 2 if x := input.y", {"a": {}}),
        ("p.b.c[0].d := 1 if false\np.a[x].b := 2 if x := input.y", {"a": {}, "b": {"c": {"0": {}}}}),
        ("p[0][true] := 1 if false\np[x].y.z := 1 if { x := 3; false }", {}),
        (
            "p[0].b contains 1 if false\np[0].c.d := 3 if false\np[true][null] := 3",
            {"0": {"b": [], "c": {}}, "true": {"null": 3}},
        ),
        ("p[0][x][1] := 4 if { x := input.y }\np[0].d[1] := 4 if false", {"0": {}}),
        ("p[0][x] contains 4 if { x := input.y }", {"0": {}}),
        ("p[0].a := 1\np[1.5].a := 1 if false", {"0": {"a": 1}, "1.5": {}}),
    ],
)
def test_the_fixed_part_of_a_head_is_there_although_no_rule_holds(rules: str, wanted: Any) -> None:
    program = rego.compile({"a.rego": f"package a\n{rules}"})
    assert program.evaluate("data.a.p", input={}) == wanted


def test_names_of_keys_that_are_no_strings() -> None:
    rules = 'p[["<a>&"]] := 1\nq := json.marshal({["<"]: 1})\nr := {{"<": "&"}: 1}'
    program = rego.compile({"a.rego": f"package a\n{rules}"})
    assert program.evaluate("data.a") == {
        "p": {'["\\u003ca\\u003e\\u0026"]': 1},
        "q": '{"[\\"\\\\u003c\\"]":1}',
        "r": {'{"\\u003c":"\\u0026"}': 1},
    }
