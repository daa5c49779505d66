"""Comments that silence remarks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.frameworks.lint_comments import apply, in_rego, in_yaml
from solon.lang.remark import Remark
from solon.lang.source import Diagnostic, Span

KNOWN = {"rego/a": "", "rego/b": ""}


def left(
    text: str, *said: tuple[str, int], unasked: tuple[str, ...] = (), yaml: bool = False
) -> list[tuple[str, int]]:
    remarks = [Remark("warning", Diagnostic(code, "m", Span("f", row, 1))) for code, row in said]
    ignores = list((in_yaml if yaml else in_rego)("f", text))
    found = apply(remarks, ignores, KNOWN, unasked)
    return [(each.diagnostic.code, each.diagnostic.span.row) for each in found]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("p := 1 # solon: ignore rego/a -- why", 1),
        ("# solon: ignore rego/a -- why\np := 1", 2),
        ("# solon: ignore rego/a -- why\n\n# METADATA\n# title: x\np := 1", 5),
        ("# a licence\n# solon: ignore rego/a -- why\npackage p", 1),
        ("#solon:ignore rego/a -- why\np := 1", 2),
        ("\t# solon: ignore rego/b, rego/a -- why -- indeed\n\tp := 1", 2),
    ],
)
def test_what_a_comment_covers(text: str, row: int) -> None:
    assert ("rego/a", row) not in left(text, ("rego/a", row), ("rego/b", row))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("p := 1 # solon: ignore rego/a -- why\nq := 1", 2),
        ("# solon: ignore rego/a -- why\np := 1\nq := 1", 3),
        ("# solon: ignore rego/b -- why\np := 1", 2),
        ('p := "# solon: ignore rego/a -- why"', 1),
        ("p := 1 # solon: ignore rego/a", 1),
        ("p := 1 # solon: ignore -- why", 1),
        ("p := 1 # solon: ignore rego/a, rego/none -- why", 1),
        ("p := 1 # solon: ignored rego/a -- why", 1),
    ],
)
def test_what_it_does_not_cover(text: str, row: int) -> None:
    assert ("rego/a", row) in left(text, ("rego/a", row))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p := 1 # solon: ignore rego/a", "this does not say why"),
        ("p := 1 # solon: ignore rego/a --", "this does not say why"),
        ("p := 1 # solon: ignore rego/a -- ", "this does not say why"),
        ("p := 1 # solon: ignore -- why", "this does not say what to ignore"),
        ("p := 1 # solon: ignore rego/c -- why", "there is no code rego/c"),
        ("p := 1 # solon: ignore rego/a -- why", "there is no rego/a here to ignore"),
    ],
)
def test_comments_that_are_of_no_use(text: str, message: str) -> None:
    (remark,) = apply([], list(in_rego("f", text)), KNOWN, ())
    assert (remark.diagnostic.message, remark.diagnostic.span.row, remark.diagnostic.span.column) == (
        message,
        1,
        8,
    )
    assert remark.severity == ("warning" if message.startswith("there is no rego/a") else "error")


def test_what_was_not_asked_may_be_of_use() -> None:
    assert left("p := 1 # solon: ignore rego/a -- why", unasked=("rego/a",)) == []


def test_yaml() -> None:
    text = "spec:\n  # solon: ignore rego/a -- why\n  rego: |\n    p { 1 } # solon: ignore rego/b -- why\n"
    assert left(text, ("rego/a", 3), ("rego/b", 4), yaml=True) == []


@given(st.text("# solon:ignre/a-\n\t", max_size=80))
def test_any_text_is_read(text: str) -> None:
    for read in (in_rego, in_yaml):
        apply([], list(read("f", text)), KNOWN, ())
