"""Baselines: what is written is what is read, and what is wrong with one is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.governance.rollouts.baseline import SCHEMA, decoded, encoded
from solon.subjects.subject import Unreadable

WHEN = "2026-09-07T06:00:00Z"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.frozensets(st.tuples(TEXT, TEXT), max_size=20))
def test_what_is_written_is_read(findings):
    assert decoded(encoded(findings, WHEN), "b.json") == findings


def test_lines_are_sorted_and_each_is_there_once():
    pairs = [
        ("q", "k8s://c/b/Pod/x"),
        ("p", "k8s://c/b/Pod/y"),
        ("p", "k8s://c/a/Pod/x"),
        ("p", "k8s://c/b/Pod/y"),
    ]
    assert encoded(pairs, WHEN).decode() == (
        '{\n  "schema": "solon.baseline/v1",\n  "recorded": "2026-09-07T06:00:00Z",\n  "findings": {\n'
        '    "p": [\n      "k8s://c/a/Pod/x",\n      "k8s://c/b/Pod/y"\n    ],\n'
        '    "q": [\n      "k8s://c/b/Pod/x"\n    ]\n  }\n}\n'
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a baseline: "),
        (b"[]", "not a baseline: Expected `object`, got `array`"),
        (b"findings: {}", "not a baseline: "),
        (b"\xff\xfe", "not a baseline: "),
        (b"[" * 100_000, "not a baseline: "),
        (
            b'{"schema": "solon.baseline/v2", "recorded": "", "findings": {}}',
            "unknown schema 'solon.baseline/v2'",
        ),
        (
            b'{"schema": "solon.baseline/v1", "recorded": ""}',
            "not a baseline: Object missing required field `findings`",
        ),
        (
            b'{"schema": "solon.baseline/v1", "recorded": "", "findings": {"p": "k8s://x"}}',
            "not a baseline: Expected",
        ),
        (
            b'{"schema": "solon.baseline/v1", "recorded": "", "findings": {}, "x": 1}',
            "not a baseline: Object contains",
        ),
    ],
)
def test_what_is_none_is_said(data, problem):
    found = decoded(data, "b.json")
    assert isinstance(found, Unreadable)
    assert str(found).startswith(f"b.json: {problem}")
    assert SCHEMA == "solon.baseline/v1"
