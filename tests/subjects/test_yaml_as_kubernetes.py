"""YAML is read as Kubernetes reads it, by both parsers alike."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.subjects import documents
from solon.subjects.documents import Document, Problem, decode, decode_yaml


def read(text: str) -> list[Any]:
    found = list(decode_yaml(text))
    assert not [each for each in found if isinstance(each, Problem)]
    return [each.value for each in found if isinstance(each, Document)]


def slowly(text: str) -> list[Any]:
    return documents._load_all(text)


# As `opa eval -i` reads them, which uses Kubernetes' own library.
SCALARS: list[tuple[str, Any]] = [
    ("yes", True), ("Yes", True), ("on", True), ("ON", True), ("y", True), ("true", True), ("TRUE", True),
    ("no", False), ("No", False), ("off", False), ("n", False), ("N", False), ("False", False),
    ('"yes"', "yes"), ("'no'", "no"), ("yess", "yess"), ("nO", "nO"), ("yEs", "yEs"),
    ("null", None), ("~", None), ("Null", None), ("", None), ("nuLL", "nuLL"),
    ("0", 0), ("1", 1), ("-1", -1), ("+1", 1), ("1_000", 1000), ("0x1F", 31), ("0b11", 3), ("017", 15), ("0o17", 15),
    ("08", 8), ("1.5", 1.5), (".5", 0.5), ("1.0", 1), ("1e3", 1000), ("1E3", 1000), ("1.5e+3", 1500), ("1e-3", 0.001),
    ("9223372036854775807", 2**63 - 1), ("9223372036854775808", 2**63), ("18446744073709551615", 2**64 - 1),
    ("18446744073709551616", 18446744073709552000), ("999999999999999999999999999999", 1e30),
    ("0xffffffffffffffffffff", "0xffffffffffffffffffff"), ("1e999", "1e999"), ("9" * 400, "9" * 400),
    ("2001-01-01", "2001-01-01"), ("12:30:45", "12:30:45"), ("1.2.3", "1.2.3"), ("v1", "v1"), ("512Mi", "512Mi"),
    ("100m", "100m"), ("0x", "0x"), ("1__0", 10), ("=", "="),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
@pytest.mark.parametrize("shape", ["a: {}", "a: {}\n", "- {}", "b: [x, {}, z]", "a: {} # y", "c: {{d: {}}}"])
def test_scalars(text: str, value: Any, shape: str) -> None:
    def innermost(found: Any) -> Any:
        while isinstance(found, dict | list):
            found = next(iter(found.values())) if isinstance(found, dict) else found[len(found) // 2]
        return found

    if not text and "{}," in shape:
        pytest.skip("nothing between commas is no YAML")
    (found,) = read(shape.format(text))
    assert (innermost(found), type(innermost(found))) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("yes: 1", ["true"]),
        ("n: 1", ["false"]),
        ("true: 1", ["true"]),
        ("1: a", ["1"]),
        ("'1': a", ["1"]),
        ("null: a", ["null"]),
        ("{1: a, no: b}", ["1", "false"]),
        ("? x\n: y", ["x"]),
    ],
)
def test_keys_are_texts(text: str, keys: list[str]) -> None:
    (found,) = read(text)
    assert list(found) == keys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, d: 2}\nc:\n  <<: *x\n  d: 3\n", {"a": {"b": 1, "d": 2}, "c": {"b": 1, "d": 3}}),
        ("a: !!str 1\nb: !!int '2'\n", {"a": "1", "b": 2}),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", {"a": "x\ny\n", "b": "x y"}),
        ('a: "\\u00e9\\n"', {"a": "é\n"}),
        ("a: !!binary aGk=\n", {"a": "aGk="}),
        ("a: !!timestamp 2001-01-01\n", {"a": "2001-01-01"}),
    ],
)
def test_anchors_tags_and_blocks(text: str, value: Any) -> None:
    assert read(text) == [value]


WORDS = st.sampled_from(
    ["yes", "no", "on", "off", "y", "n", "true", "null", "~", "1", "0x1f", "017", "1_0", "1e3", "1.0", ".inf", "-.nan",
     "08", "12:30", "2001-01-01", "<<", "=", "", "a b", "- x", "? y", "a: b", "a #b", "*x", "&x", "!t", "%d", "@a", "`", "'", '"',
     "[", "]", "{", "}", ",", "#", "|", ">", "---", "...", "\t", "\n", " lead", "trail ", "é", "\u2028", "日本", "\\"]
)  # fmt: skip
# What PyYAML's writer leaves bare, though Kubernetes reads a boolean or a number.
BARE = re.compile(r"[yYnN]|[-+]?0?[0-9_.]+([eE][-+]?[0-9]+)?|0o[0-7]+")
TEXT = (WORDS | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)).filter(
    lambda text: not BARE.fullmatch(text)
)
SCALAR = (
    TEXT
    | st.booleans()
    | st.none()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(-1e6, 1e6, allow_nan=False).filter(lambda number: not number.is_integer())
)
DOCUMENTS = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=16,
)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.sampled_from([None, False, True]), st.booleans())
def test_what_a_writer_wrote(value: Any, flow: bool | None, unicode: bool) -> None:
    """Texts that PyYAML's writer quotes so that YAML 1.1 reads them back; both ways read what it meant."""
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=unicode)
    found = read(text)
    assert found == slowly(text) or (found == [] and slowly(text) == [None])
    assert found == ([] if value is None else [value])


@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(
    ["a:", "b: ", "  c:", "  - ", "- ", "---\n", "...\n", "\n", "yes", " no", "1", "01", "1.0", "'x'", '"y"', "{a: ", "}", "[", "]", ", ", "#c",
     " ", "&x ", "*x", "<<: ", "|\n", "? ", "!!str ", "null", "~", ".5", "0x1", "é", "%YAML 1.1\n", ": "]
), max_size=14).map("".join))  # fmt: skip
def test_both_parsers_agree_on_any_text(text: str) -> None:
    """Where the fast one answers, it says what the right one says, or both find nothing to read."""
    fast = documents._fast(text)
    if fast is None or documents._too_deep(text):
        return
    try:
        right = slowly(text)
    except Problem as problem:
        if problem.message.startswith("not YAML: found duplicate anchor"):
            return  # of an anchor that nothing refers to: PyYAML minds, Kubernetes does not
        pytest.fail(f"{text!r} is read as {fast}, but: {problem}")
    assert fast == right or (right == [] and fast == [None])


# --- streams


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\n", [(1, 0)]),
        ("---\na: 1\n", [(2, 0)]),
        ("# top\n---\na: 1\n", [(3, 0)]),
        ("%YAML 1.1\n---\na: 1\n", [(3, 0)]),
        ("a: 1\n---\nb: 2\n---\n", [(1, 0), (3, 1)]),
        ("a: 1\n---\n# none\n---\nb: 2\n", [(1, 0), (5, 2)]),
        ("--- {a: 1}\n--- # why\nb: 2\n", [(1, 0), (3, 1)]),
        ("a: 1\n...\n---\nb: 2\n", [(1, 0), (4, 1)]),
        ("a: 1\r\n---\r\nb: 2\r\n", [(1, 0), (3, 1)]),
        ("a: |\n  ---\n  x\n---\nb: 2\n", [(1, 0), (5, 1)]),
        ("\n\n---\na: yes\n---\nb: no\n", [(4, 0), (6, 1)]),
        ('{"a": 1}\n---\n{"b": 2}\n', [(1, 0), (3, 1)]),
    ],
)
def test_rows_and_numbers_of_documents(text: str, found: list[tuple[int, int]]) -> None:
    documents_ = list(decode(text))
    assert [(d.row, d.index) for d in documents_ if isinstance(d, Document)] == found
    assert len(documents_) == len(found)


def test_a_broken_document_spoils_no_other() -> None:
    text = "a: 1\n---\nb: [\n---\nc: yes\n---\nd: 1\nd: 2\n---\ne: 5\n"
    found = list(decode(text))
    assert [d.value for d in found if isinstance(d, Document)] == [{"a": 1}, {"c": True}, {"e": 5}]
    assert [(p.message.partition(":")[0], p.row) for p in found if isinstance(p, Problem)] == [
        ("not YAML", 4),
        ("duplicate key 'd'", 8),
    ]
