"""What policies read besides their subject."""

from __future__ import annotations

import pytest

from solon.frameworks.conftest.surroundings import surroundings
from solon.lang import rego

LIBRARY = """package lib
import rego.v1
others := data.inventory.namespace
around(address) := data.plan.resource_changes[address]
limit := data.limits.most
"""


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("input.x", set()),
        ("data.inventory.cluster", {"inventory"}),
        ("data.plan.variables; data.inventory", {"inventory", "plan"}),
        ("count(data.lib.others) > 0", {"inventory"}),  # by another rule
        ("data.lib.around(input.address)", {"plan"}),  # by a function
        ("data.lib.limit > 1", set()),
        ("data.inventory_of_ours.x", set()),
        ('x := {y | y := data.inventory["a"][_]}; count(x) > 1', {"inventory"}),
        ("every y in data.inventory.namespace { y.z }", {"inventory"}),
    ],
)
def test_what_a_policy_reads(body: str, read: set[str]) -> None:
    program = rego.compile(
        {
            "main.rego": f"package main\nimport rego.v1\ndeny contains 1 if {{ {body} }}\nwarn contains 1 if input.y",
            "lib.rego": LIBRARY,
        }
    )
    assert surroundings(program, ["main.deny", "main.warn"]) == ({"main.deny": read} if read else {})
