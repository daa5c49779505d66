"""Tokens of Sentinel: literals, comments, and the semicolons that line breaks are."""

import pytest

from solon.lang.sentinel import SentinelError
from solon.lang.sentinel.lexer import tokenize


def kinds(text: str) -> str:
    """The tokens: a semicolon that a line break is shows as ⏎, the end of the file as nothing."""
    tokens, _ = tokenize("x.sentinel", text)
    shown = {"\n": "⏎", "": "$"}
    return " ".join(
        shown.get(value, kind) if kind == ";" else kind
        for kind, value in zip(tokens.kinds, tokens.values, strict=True)
        if kind != "eof"
    )


def literal(text: str) -> object:
    tokens, _ = tokenize("x.sentinel", text)
    return tokens.values[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n", "ident ⏎"),
        ("a", "ident $"),
        ("a;\n", "ident ;"),
        ("a // c\nb", "ident ⏎ ident $"),
        ("a # c\nb", "ident ⏎ ident $"),
        ("a /* c */ b", "ident ident $"),
        ("a /* c\n */ b", "ident ⏎ ident $"),
        ("1\n", "int ⏎"),
        ('"s"\n', "string ⏎"),
        ("break\ncontinue\nreturn\n", "break ⏎ continue ⏎ return ⏎"),
        ("f()\n", "ident ( ) ⏎"),
        ("a[1]\n}\n", "ident [ int ] ⏎ } ⏎"),
        ("a is empty\nb", "ident is empty ⏎ ident $"),
        ("a and\nb", "ident and ident $"),
        ("a\nand b", "ident ⏎ and ident $"),
        ("[\n1,\n2\n]", "[ int , int ⏎ ] $"),
        ("a.default\n", "ident . ident ⏎"),
        ("a.in\n", "ident . ident ⏎"),
        ("a\n\n\nb", "ident ⏎ ident $"),
        ("a\r\nb\r\n", "ident ⏎ ident ⏎"),
        ("a\n  .b\n  .c\nd", "ident . ident . ident ⏎ ident $"),
        ("a\n# c\n  .b", "ident . ident $"),
        ("\n\n\n", ""),
        ("", ""),
        ("ünïcode_1\n", "ident ⏎"),
        ("tags.ML-Team", "ident . ident - ident $"),
        ("a!=b", "ident != ident $"),
        ("x%=2", "ident %= int $"),
    ],
)
def test_a_line_break_is_a_semicolon_behind_what_may_end_a_statement(text: str, expected: str) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("42", 42),
        ("010", 8),
        ("0x1F", 31),
        ("0XfF", 255),
        ("9223372036854775807", 9223372036854775807),
        ("0.", 0.0),
        (".25", 0.25),
        ("072.40", 72.40),
        ("1E6", 1000000.0),
        ("1e-2", 0.01),
        ("6.67428e-11", 6.67428e-11),
        ('"plain"', "plain"),
        (r'"\a\b\f\n\r\t\v\\\""', '\a\b\f\n\r\t\v\\"'),
        (r'"\x41\101"', "AA"),
        (r'"\u65e5\U00008a9e"', "日語"),
        (r'"\xe6\x97\xa5"', "日"),
        (r'"\xff"', "\udcff"),
        ('`a\\n\n"b"`', 'a\\n\n"b"'),
        ('"日本"', "日本"),
        ('""', ""),
    ],
)
def test_a_literal_stands_for_its_value(text: str, expected: object) -> None:
    found = literal(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('x = "abc', "1:5", "the string does not end"),
        ('x = "abc\n"', "1:5", "the string does not end"),
        ("x = `abc", "1:5", "the raw string does not end"),
        ("x = 1\n/* abc", "2:1", "the comment does not end"),
        ("x = 089", "1:5", "no octal number: 089"),
        ("x = 0xZZ", "1:5", "no hexadecimal number: 0xZZ"),
        ("x = 12ab", "1:5", "a number ends in a letter"),
        ("x = 99999999999999999999", "1:5", "the number is too large for 64 bits"),
        (r'x = "\q"', "1:6", r"unknown escape \q"),
        (r'x = "\ud800"', "1:6", r"unknown escape \ud800"),
        ("x = a && b", "1:7", "there is no operator &&"),
        ("x = a || b", "1:7", "there is no operator ||"),
        ("x = 'a'", "1:5", "a string stands in double quotes"),
        ("x = §", "1:5", "unexpected character '§'"),
    ],
)
def test_what_is_no_token_is_told_with_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(SentinelError) as raised:
        tokenize("x.sentinel", text)
    (error,) = raised.value.errors
    assert (str(error.span), error.message) == (f"x.sentinel:{place}", message)
    assert error.hint


def test_comments_are_kept_with_their_places() -> None:
    text = "# one\na // two\n/* three\n*/ b\r\n"
    _, comments = tokenize("x.sentinel", text)
    assert [comment.text for comment in comments] == ["# one", "// two", "/* three\n*/"]
    assert [text[comment.at : comment.end] for comment in comments] == ["# one", "// two", "/* three\n*/"]


def test_tokens_cover_the_text() -> None:
    text = 'x = [1, "a"]\n'
    tokens, _ = tokenize("x.sentinel", text)
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)] == [
        "x", "=", "[", "1", ",", '"a"', "]", "\n", "",
    ]  # fmt: skip
