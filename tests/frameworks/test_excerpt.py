"""The lines that a policy is written in."""

from __future__ import annotations

import pytest

from solon.frameworks.excerpt import excerpt

REGO = """package a.b

# a comment
deny contains "one" if {
	input.one
}

helper := 1

deny contains "two" if input.two

deny_other contains 1 if input.x
x["y z"].deny if input.z
"""
YAML = "kind: One\n---\nkind: Two\nspec:\n  a: 1\n---\nkind: Three\n"


@pytest.mark.parametrize(
    ("text", "file", "policy", "line", "numbers"),
    [
        (REGO, "p.rego", "a.b.deny", 4, [4, 5, 6, 10]),
        (REGO, "p.rego", "a.b.deny_other", 12, [12]),
        (REGO, "p.rego", "a.b.none", 12, [12, 13]),  # what stands at the line, to the end
        (REGO.replace("if {", "{").replace(" contains", ""), "p.rego", "a.b.none", 13, [13]),
        ("not rego {", "p.rego", "a.b.deny", 1, [1]),
        (YAML, "c.yaml", "Kind/name", 3, [3, 4, 5]),
        (YAML, "c.yaml", "Kind/name", 7, [7]),
        (YAML, "c.yaml", "Kind/name", 70, []),
        (YAML, "c.yaml", "Kind/name", 0, [1]),
        ("", "c.yaml", "Kind/name", 1, []),
        ("a\n" * 100, "c.yaml", "Kind/name", 11, list(range(11, 51))),
    ],
)
def test_lines(text: str, file: str, policy: str, line: int, numbers: list[int]) -> None:
    found = excerpt(text, file, policy, line)
    assert [number for number, _ in found] == numbers
    assert all(text.splitlines()[number - 1] == shown for number, shown in found)


def test_rego_of_version_0() -> None:
    text = 'package main\n\ndeny[msg] {\n\tmsg := "x"\n}\n'
    assert [number for number, _ in excerpt(text, "p.rego", "main.deny", 3)] == [3, 4, 5]
