"""A field's place is the place of its text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.subjects import discover
from solon.subjects.lines import Lines
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Path as FieldPath
from solon.subjects.subject import Subject

FLAT = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web, "tier" : front}
spec:
  containers:
    - name: one
      image: a
    -
      name: two
      ports: [{containerPort: 80}, {containerPort: 81}]
"""
ANCHORS = """\
base: &base
  image: a
  resources: &r
    limits: {cpu: 1}
one:
  <<: *base
  name: x
two: *base
"""


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        (FLAT, ("kind",), (2, 1)),
        (FLAT, ("metadata", "labels", "app"), (5, 12)),
        (FLAT, ("metadata", "labels", "tier"), (5, 22)),
        (FLAT, ("spec", "containers", 0), (8, 7)),
        (FLAT, ("spec", "containers", 0, "image"), (9, 7)),
        (FLAT, ("spec", "containers", 1, "name"), (11, 7)),
        (FLAT, ("spec", "containers", 1, "ports", 1, "containerPort"), (12, 37)),
        # what is not there: the nearest around it
        (FLAT, ("spec", "containers", 1, "image"), (11, 7)),
        (FLAT, ("spec", "volumes", 0), (6, 1)),
        (FLAT, ("spec", "containers", 7), (7, 3)),
        (FLAT, ("kind", "x"), (2, 1)),
        (FLAT, ("nope",), (1, 1)),
        (ANCHORS, ("two", "resources", "limits"), (4, 5)),  # an alias: where its anchor has it
        (ANCHORS, ("one", "name"), (7, 3)),
        ("---\na: 1\n", ("a",), (2, 1)),
        ("--- {a: 1}\n", ("a",), (1, 6)),
        ("é: {ü: 1, b: 2}\n", ("é", "b"), (1, 11)),
        ('{"a": 1,\n "b": {"c": [1,\n  [2, {"d": 3}]]}}', ("b", "c", 1, 1, "d"), (3, 8)),
        ('{"a": 1,\n "b": {"c": [1,\n  [2, {"d": 3}]]}}', ("b", "c", 1), (3, 3)),
        ('{"a": "}]", "b\\"{": {"c\\u0069": 1}}', ('b"{', "ci"), (1, 22)),
        ('[\n {"a": 1},\n {"a": 2}\n]', (1, "a"), (3, 3)),
        ('\n\n {"a": 1}', ("a",), (3, 3)),
        ("{a: 1, b: {c: 2}}", ("b", "c"), (1, 12)),
    ],
)  # fmt: skip
def test_place(text: str, path: FieldPath, place: tuple[int, int]) -> None:
    assert SourceFile("x", lambda: text).place(0, path) == place


@pytest.mark.parametrize(
    "text",
    [
        "# top\n---\na: 0\n---\n# none\n---\nb: {c: 1}\n",
        "a: 0\n---\n---\nb: {c: 1}\n",
        '{"a": 0}\n---\n---\n{"b": {"c": 1}}\n',
        "a: *nope\n---\n---\nb: {c: 1}\n",
    ],
)
def test_place_in_a_later_document(text: str) -> None:
    place = SourceFile("x", lambda: text).place(2, ("b", "c"))
    assert place is not None
    line = text.splitlines()[place[0] - 1]
    assert line[place[1] - 1 :].lstrip('"').startswith("c")


def leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from leaves(child, (*path, key))
    if path and not isinstance(value, dict | list):
        yield path, value


NAMES = st.text("abxé_", min_size=1, max_size=3)
VALUES = st.recursive(
    st.integers(0, 99) | st.text("ab:{}[]\"'\\,é #\n", max_size=5) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), st.sampled_from([None, 1, 3]), st.booleans())
def test_every_leaf_of_json(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    file = SourceFile("x", lambda: text)
    for path, leaf in leaves(value):
        behind = rest_at(text, file.place(0, path))
        if isinstance(path[-1], str):  # the place of a field is that of its name
            name, end = json.JSONDecoder().raw_decode(behind)
            assert name == path[-1]
            behind = behind[end:].lstrip(" :")
        assert json.JSONDecoder().raw_decode(behind)[0] == leaf


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), min_size=1, max_size=3),
    st.sampled_from([None, False, True]),
)
def test_every_leaf_of_yaml(values: list[Any], flow: bool | None) -> None:
    text = yaml.safe_dump_all(values, default_flow_style=flow, allow_unicode=True, width=200)
    file = SourceFile("x", lambda: text)
    for number, value in enumerate(values):
        for path, leaf in leaves(value):
            behind = rest_at(text, file.place(number, path))
            event = next(e for e in yaml.parse(behind.split("\n")[0] + "\n") if isinstance(e, yaml.ScalarEvent)) \
                if isinstance(path[-1], str) else None  # fmt: skip
            if event is not None:
                assert event.value == path[-1]
            elif isinstance(leaf, int) and not isinstance(leaf, bool):
                assert behind.startswith(str(leaf))


def rest_at(text: str, place: tuple[int, int] | None) -> str:
    assert place is not None
    return "\n".join(text.split("\n")[place[0] - 1 :])[place[1] - 1 :]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 70_000), max_size=6), st.integers(0, 250_000))
def test_rows_of_a_long_text(lengths: list[int], offset: int) -> None:
    text = "\n".join("x" * length for length in lengths)
    offset = min(offset, len(text))
    before = text[:offset].split("\n")
    assert Lines(text).place(offset) == (len(before), len(before[-1]) + 1)


def subjects(path: Path) -> list[Subject]:
    found = list(discover.read(discover.Input(str(path), True), stdin=lambda _: b""))
    assert all(isinstance(each, Subject) for each in found)
    return found  # type: ignore[return-value]


def test_items_of_a_list_have_their_own_places(tmp_path: Path) -> None:
    (tmp_path / "dump.yaml").write_text(
        "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n"
        "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: b\nkind: List\n"
    )
    first, second = subjects(tmp_path / "dump.yaml")
    assert [s.locator.locate(("metadata", "name")).line for s in (first, second)] == [6, 10]
    assert [s.locator.locate(()).line for s in (first, second)] == [3, 7]


def test_resources_of_a_plan_have_their_own_places(tmp_path: Path) -> None:
    plan = {
        "format_version": "1.2",
        "resource_changes": [
            {"address": f"a.b[{n}]", "change": {"actions": ["create"], "after": {"tags": {"n": "x"}}}}
            for n in range(3)
        ],
    }
    text = json.dumps(plan, indent=1)
    (tmp_path / "plan.json").write_text(text)
    rows = [n for n, line in enumerate(text.splitlines(), 1) if '"tags"' in line]
    _, *resources = subjects(tmp_path / "plan.json")
    assert [s.locator.locate(("change", "after", "tags")).line for s in resources] == rows


def test_a_file_that_has_gone_still_has_a_start(tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text("# one\n---\napiVersion: v1\nkind: Pod\n")
    (pod,) = subjects(path)
    path.unlink()
    assert str(pod.locator.locate(("kind",))) == f"{path}:3"
