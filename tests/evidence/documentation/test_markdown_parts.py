from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evidence.documentation.markdown import Names, front_matter, parts


def headings(text):
    return [
        (part.path, part.line, part.text.strip())
        for part in parts(text, 1, Names(lambda _: False, lambda _: False))
        if part.origin == "heading"
    ]


def labels(text, known=()):
    found = parts(text, 1, Names(lambda label: label.lower() in known, lambda label: label.lower() in known))
    return [(part.path, part.line, part.text) for part in found if part.origin == "label"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("# A\nx", [(("A",), 1, "x")]),
        ("# A\nx\n## B\ny\n# C\nz", [(("A",), 1, "x"), (("A", "B"), 3, "y"), (("C",), 5, "z")]),
        ("### C\n## B\n", [(("C",), 1, ""), (("B",), 2, "")]),
        ("## A ##\n", [(("A",), 1, "")]),
        ("## A #1\n", [(("A #1",), 1, "")]),
        ("## A#\n", [(("A#",), 1, "")]),
        ("#\n", [(("",), 1, "")]),
        ("#A\n", [((), 1, "#A")]),
        ("####### A\n", [((), 1, "####### A")]),
        ("    # A\n", [((), 1, "# A")]),
        ("   # A\n", [(("A",), 1, "")]),
        ("A\n===\nx", [(("A",), 1, "x")]),
        ("x\n\nA\n---\ny", [((), 1, "x"), (("A",), 3, "y")]),
        ("- a\n---\n", [((), 1, "- a\n---")]),
        ("| a |\n---\n", [((), 1, "| a |\n---")]),
        ("\n---\nx", [((), 1, "---\nx")]),
        ("x\ny\n---\n", [((), 1, "x\ny\n---")]),  # a paragraph over a rule, as people mean it
        ("# A\r\nx\r\n", [(("A",), 1, "x")]),
        ("```\n# A\n```\n# B", [((), 1, "# A"), (("B",), 4, "")]),
        ("~~~ yaml\n# A\n```\n~~~\n# B", [((), 1, "# A\n```"), (("B",), 5, "")]),
        ("````\n```\n# A\n````\n# B", [((), 1, "```\n# A"), (("B",), 5, "")]),
        ("```\n# A", [((), 1, "# A")]),  # a fence that nobody closes
        ("``` a`b\n# A", [((), 1, "``` a`b"), (("A",), 2, "")]),  # no fence
        ("<!-- # A -->\n# B\nx <!-- y\n# C\n--> z", [(("B",), 2, "x \n\n z")]),
        ("# A\n<!-- x", [(("A",), 1, "")]),
        ("```\n<!--\n```\n# A", [((), 1, "<!--"), (("A",), 4, "")]),
    ],
)
def test_headings_as_commonmark_has_them(text, expected):
    assert headings(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("- **License:** mit", [(("License",), 1, "mit")]),
        ("* __License__: mit", [(("License",), 1, "mit")]),
        ("**License:**\nmit\nand apache\n\nno more", [(("License",), 1, "\nmit\nand apache")]),
        ("- **A:** x\n- **B:** y\n- z", [(("A",), 1, "x"), (("B",), 2, "y")]),
        ("# H\n**A:** x", [(("H", "A"), 2, "x")]),
        ("**Who is it for?** Clerks", []),
        ("**Version** 2", [(("Version",), 1, "2")]),
        ("**Note** 2", []),
        ("version: 2", [(("version",), 1, "2")]),
        ("note: 2", []),
        ("| Version | 2 |", [(("Version",), 1, "2")]),
        ("| Version | 2 | 3 |", []),
        ("```\nversion: 2\n```", [(("version",), 2, "2")]),
    ],
)
def test_labels(text, expected):
    assert labels(text, {"version"}) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("---\na: 1\n---\n# A", ("---\na: 1\n", 4)),
        ("---\r\na: 1\r\n---\r\n# A", ("---\r\na: 1\r\n", 4)),
        ("---\na: 1\n...\n", ("---\na: 1\n", 4)),
        ("---\na: 1\n", ("", 1)),
        ("# A\n---\na: 1\n---\n", ("", 1)),
        ("\n---\na: 1\n---\n", ("", 1)),
    ],
)
def test_front_matter(text, expected):
    assert front_matter(text) == expected


@given(
    st.lists(
        st.sampled_from(
            ["# A", "x", "", "---", "===", "```", "~~~", "<!--", "-->", "- **B:** y", "| a | b |"]
        )
    )
)
def test_the_lines_of_a_part_are_those_of_the_text(lines):
    """Each part is where it says, and none of the lines is in two."""
    text = "\n".join(lines)
    seen: list[int] = []
    for part in parts(text, 1, Names(lambda label: label == "a", lambda _: True)):
        if part.origin == "label":
            assert part.path[-1] in lines[part.line - 1]
            continue
        assert not part.path or part.path[-1] in lines[part.line - 1]
        for number, line in enumerate(part.text.split("\n"), start=part.begins):
            if line.strip():
                assert line.strip() in lines[number - 1]
                seen.append(number)
    assert seen == sorted(set(seen))
    hidden = {"", "---", "===", "# A", "```", "~~~"}
    if "<!--" not in lines:
        assert {n for n, line in enumerate(lines, 1) if line not in hidden} - set(seen) <= {
            n for n, line in enumerate(lines, 1) if lines[n : n + 1] in (["---"], ["==="])
        }


@given(st.text(alphabet="#-=`~<!>|*:_ \nab\r\t", max_size=300))
def test_any_text_has_parts(text):
    for part in parts(text, 1, Names(lambda _: True, lambda _: True)):
        assert 1 <= part.line <= text.count("\n") + 1
