"""Numbers with a fraction, where OPA computes with more digits than a float has. The values are OPA's."""

from __future__ import annotations

from typing import Any

import pytest

from solon.lang import rego


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("p := 1 / 3 * 3", 1),
        ("p := 2 / 3 * 1.5", 1),
        ("p := 1 / 49 * 49", 1),
        ("p := floor(1 / 3 * 3)", 1),
        ("p := 1 / 3 + 1 / 3 + 1 / 3 == 1", True),
        ("p := 3 / 7 * 7", 3),
        ("p := 1e400 % 7", 4),
        ("p := -7 % 4", -3),
        ("p := 12345678901234567890 + 0.1", 12345678901234567890),
        ("p := 1e30 + 0.5", 1000000000000000000000000000000),
        ("p := product([0.1, 3])", 0.30000000000000004),
        ("p := product([1 / 3, 3])", 1),
        ("p := product([12345678901234567890, 1.5])", 18518518351851850000),
        ("p := [max([1.0, 1]), max([1, 1.0]), min([1.0, 1])]", [1, 1.0, 1]),
        ("p := json.marshal([1.0, {1.0: 2.0}, {3.0}])", '[1.0,{"1.0":2.0},[3.0]]'),
        ("p := {1.0: 2}", {"1.0": 2}),
        ("p := array.slice([1, 2], 12345678901234567890, 1)", rego.UNDEFINED),
        ('p := substring("abc", 12345678901234567890, 1)', rego.UNDEFINED),
        ("p := array.slice([1, 2, 3], 1.0, 2)", [2]),
    ],
)
def test_numbers(rule: str, wanted: Any) -> None:
    found = rego.compile({"a.rego": f"package a\n{rule}"}).evaluate("data.a.p")
    assert (found, repr(found)) == (wanted, repr(wanted))
