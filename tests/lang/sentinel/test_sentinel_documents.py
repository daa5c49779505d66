"""Long literals of data mean the same, read fast or slowly."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.lang.sentinel import SentinelError, Source, Undefined, ast, compile
from solon.lang.sentinel.documents import documents_of
from solon.lang.sentinel.parser import parse, parse_fast

PADDING = '\t"padding": "' + "x" * 1_000 + '",\n'


def mock(value: object) -> str:
    """A value as HashiCorp's generator of mocks writes it: a comma behind every line."""
    text = json.dumps(value, indent="\t", ensure_ascii=False)
    lines = [line if line.endswith(("{", "[", ",")) else f"{line}," for line in text.split("\n")]
    return "\n".join(lines).removesuffix(",")


def value_of(text: str) -> object:
    result = compile(Source(text, "m.sentinel")).evaluate(explain=False)
    assert result.failure is None, result.reason
    return result.main


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=5), _VALUES, max_size=4))
def test_a_document_is_what_it_says(data: dict[str, object]) -> None:
    whole = {**data, "padding": "x" * 1_000}
    text = f"main = {mock(whole)}\n"
    assert value_of(text) == whole
    slow = compile(Source(f"x = 1; {text}", "m.sentinel")).evaluate(explain=False)
    assert slow.main == whole


def test_mocks_are_read_as_documents_and_places_stay() -> None:
    text = f'import "x"\n# a comment\nplan = {{\n{PADDING}\t"a": [\n\t\t1,\n\t],\n}}\nlist = [\n{PADDING}]\nmain = plan.b\n'
    shorter, documents = documents_of(text.replace(PADDING + "]", '\t"' + "y" * 1_000 + '",\n]'))
    assert sorted(type(value).__name__ for value in documents.values()) == ["dict", "list"]
    assert len(shorter) == len(text) - len(PADDING) + 1_005
    result = compile(Source(text.replace(PADDING + "]", "]"), "m.sentinel")).evaluate(imports={"x": {}})
    assert isinstance(result.undefined, Undefined)
    assert str(result.undefined.at) == "m.sentinel:11:13"


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ('"a": undefined', "undefined"),
        ('"a": 0x10', 16),
        ('"a": 010', 8),
        ('"a": .5', 0.5),
        ('"a": 1E2', 100.0),
        ('"a": `raw`', "raw"),
        ('"a": "\\x41"', "A"),
        ('"a": "\\u0041"', "A"),
        ('"a": 1 + 1', 2),
        ('"a": 9223372036854775807', 9223372036854775807),
        ('"a": "b, ]\\n"', "b, ]\n"),
        ('"a": 1, # comment', 1),
        ('"a": [1, 2,]', [1, 2]),
    ],
)
def test_what_json_does_not_have_is_read_as_well(member: str, expected: object) -> None:
    text = f"plan = {{\n{PADDING}\t{member},\n}}\nmain = [plan.a]\n".replace("comment,", "comment")
    found = value_of(text)
    assert isinstance(found, list)
    assert ("undefined" if isinstance(found[0], Undefined) else found[0]) == expected


@pytest.mark.parametrize(
    "member",
    ['"a": 99999999999999999999', '"a": "\\/"', '"a": "\\ud83d\\ude00"', '"a": 1e', '"a"', '"a": 089'],
)
def test_what_sentinel_does_not_have_is_refused(member: str) -> None:
    with pytest.raises(SentinelError) as raised:
        compile(Source(f"x = 1\nplan = {{\n{PADDING}\t{member},\n}}\n", "m.sentinel"))
    assert raised.value.errors[0].span.row == 4


def test_words_with_another_meaning_keep_it() -> None:
    text = f'true = "yes"\nplan = {{\n{PADDING}\t"a": true,\n}}\nmain = plan.a is "yes"\n'
    assert value_of(text) is True


def test_a_document_is_new_in_every_evaluation() -> None:
    program = compile(
        Source(f'plan = {{\n{PADDING}\t"a": [],\n}}\nappend(plan["a"], 1)\nmain = plan.a', "m.sentinel")
    )
    assert [program.evaluate().main for _ in range(2)] == [[1], [1]]


def test_who_needs_tokens_gets_them_all() -> None:
    text = f"plan = {{\n{PADDING}}}\n"
    slow, fast = parse(text, "m.sentinel"), parse_fast(text, "m.sentinel")
    assert len(slow.tokens.kinds) > len(fast.tokens.kinds)
    assert isinstance(slow.statements[0], ast.Assign)
    assert isinstance(slow.statements[0].value, ast.Map)
