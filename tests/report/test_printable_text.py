import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.report.text import printable, printable_lines

ANY = st.text(st.characters())  # lone surrogates too


@pytest.mark.parametrize(
    "text,line,lines",
    [
        ("plain [b]text[/b]", "plain [b]text[/b]", "plain [b]text[/b]"),
        ("\x1b[2J\x9b2J", r"\x1b[2J\x9b2J", r"\x1b[2J\x9b2J"),
        ("a\tb", r"a\tb", "a   b"),
        ("a\r\nb\n", r"a\r\nb\n", "a\nb"),
        ("a\rb", r"a\rb", r"a\rb"),
        ("x\u202ey\u2028z", r"x\u202ey\u2028z", r"x\u202ey\u2028z"),
        ("\ud800", r"\ud800", r"\ud800"),
        ("👩\u200d🔬 ünï 模", "👩\u200d🔬 ünï 模", "👩\u200d🔬 ünï 模"),
    ],
)
def test_printable(text, line, lines):
    assert printable(text) == line
    assert printable_lines(text) == lines


@given(ANY)
def test_no_control_character_is_left(text):
    assert not [c for c in printable(text) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [
        c for c in printable_lines(text) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c != "\n"
    ]
    printable_lines(text).encode()
