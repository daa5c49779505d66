"""What a query answers: `false` of a single value is an answer, of a search it means that this did not hold."""

import pytest

from solon.lang import rego

INPUT = {"xs": [1, 2, 3], "no": False}


@pytest.mark.parametrize(
    "query, values",
    [
        ("1 == 2", [[False]]),
        ("1 != 1", [[False]]),
        ("1 > 2", [[False]]),
        ("false", [[False]]),
        ("input.no", [[False]]),
        ("input.xs[0] > 5", [[False]]),
        ('startswith("a", "b")', [[False]]),
        ("1 = 2", []),
        ("not true", []),
        ("[false][_]", []),
        ("[1, 2][_] > 5", []),
        ("[1, 2][_] == 5", []),
        ("input.xs[_] > 2", [[True]]),
        ("[1, 2][i] > 1", [[True]]),
        ("1 == 2; true", []),
        ("x := 1; x > 2", []),
        ("x := 1; x > 0", [[True, True]]),
        ("x = 1; x == 1", [[True, True]]),
    ],
)
def test_the_values_of_a_query(query, values):
    results = rego.compile({}).expressions(query, INPUT)
    assert [[e["value"] for e in result["expressions"]] for result in results] == values
