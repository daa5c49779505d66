"""Rego modules and data documents from directories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from solon.frameworks import rego_files
from solon.frameworks.rego_files import RegoFiles


def written(directory: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
    return directory


def read(
    directory: Path, files: dict[str, str | bytes], data: Sequence[str] = (), **settings: Any
) -> RegoFiles:
    """What is read of the files, with ``data`` naming those below the directory that are data."""
    written(directory, files)
    return rego_files.read([str(directory)], [str(directory / d) for d in data], **settings)


def names(directory: Path, found: RegoFiles) -> list[str]:
    return [str(Path(file).relative_to(directory)) for file in found.modules]


MODULE = "package main\n"


def test_modules_in_order_with_those_of_folders(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "b.rego": MODULE,
        "a.rego": MODULE,
        "deep/er/c.rego": MODULE,
        "a_test.rego": MODULE,
        ".hidden/d.rego": MODULE,
        "node_modules/e.rego": MODULE,
        "note.txt": "x",
        "rego": MODULE,
    }
    assert names(tmp_path, read(tmp_path, files)) == ["a.rego", "b.rego", "deep/er/c.rego"]
    with_tests = rego_files.read([str(tmp_path)], tests=True)
    assert names(tmp_path, with_tests) == ["a.rego", "a_test.rego", "b.rego", "deep/er/c.rego"]


def test_files_by_name(tmp_path: Path) -> None:
    written(tmp_path, {"a.rego": MODULE, "b.rego": MODULE, "c.txt": MODULE})
    found = rego_files.read([str(tmp_path / name) for name in ("b.rego", "a.rego", "c.txt", "b.rego")])
    assert names(tmp_path, found) == ["b.rego", "a.rego"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [({"a.rego": MODULE}, True), ({"x/y/a.rego": MODULE}, True), ({"a.yaml": "a: 1"}, False), ({}, False)],
)
def test_has_rego(tmp_path: Path, files: dict[str, str | bytes], expected: bool) -> None:
    assert rego_files.has_rego(str(written(tmp_path, files))) is expected


@pytest.mark.parametrize(
    ("files", "data", "expected"),
    [
        ({"data.yaml": "a: 1"}, [], {"a": 1}),
        ({"data.json": '{"a": 1}'}, [], {"a": 1}),
        ({"data.yml": "a: 1"}, [], {"a": 1}),
        # Folders become fields, for files that are called data …
        ({"x/y/data.yaml": "a: 1"}, [], {"x": {"y": {"a": 1}}}),
        # … and other documents beside policies are not data.
        ({"values.yaml": "a: 1", "x/values.json": "{}"}, [], {}),
        # A folder `data` holds data, whatever the files are called.
        ({"data/limits.yaml": "a: 1", "data/x/more.json": '{"b": 2}'}, [], {"a": 1, "x": {"b": 2}}),
        ({"x/data/limits.yaml": "a: 1"}, [], {}),
        ({"data/.hidden.yaml": "a: 1", "data/note.txt": "x"}, [], {}),
        # --data
        ({"some/a.yaml": "a: 1", "some/x/b.json": '{"b": 2}'}, ["some"], {"a": 1, "x": {"b": 2}}),
        ({"some/a.yaml": "a: 1"}, ["some/a.yaml"], {"a": 1}),
        # Objects are merged, and what is said twice is said once.
        ({"data.yaml": "a: {x: 1}", "data.json": '{"a": {"y": 2}}'}, [], {"a": {"x": 1, "y": 2}}),
        ({"data.yaml": "a: {x: 1}", "a/data.yaml": "z: 2"}, [], {"a": {"x": 1, "z": 2}}),
        ({"data.yaml": "a: [1]", "data.json": '{"a": [1]}'}, [], {"a": [1]}),
    ],
)
def test_data(tmp_path: Path, files: dict[str, str | bytes], data: list[str], expected: Any) -> None:
    found = read(tmp_path, files, data)
    assert (found.problems, found.data) == ([], expected)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"data.json": '{"a": 1}', "data.yaml": "a: 2"},
            "data.yaml: data.a is defined twice, with different values",
        ),
        (
            {"data.json": '{"a": {"b": {"c": 1}}}', "data.yaml": "a: {b: {c: 2}}"},
            "data.yaml: data.a.b.c is defined twice, with different values",
        ),
        (
            {"data/x.json": '{"a": 1}', "data/a/y.yaml": "b: 1"},
            "x.json: data.a is defined twice, with different values",
        ),
        (
            {"data/a.json": '{"x": 1}', "data/x/y.yaml": "b: 1"},
            "y.yaml: data.x is defined twice, and not as an object",
        ),
        ({"data.yaml": "[1]"}, "data.yaml: a data file must hold an object"),
        ({"data.yaml": "text"}, "data.yaml: a data file must hold an object"),
        (
            {"data.yaml": "a: 1\n---\nb: 2\n"},
            "data.yaml: a data file must hold exactly one document, this one has 2",
        ),
        ({"data.yaml": ""}, "data.yaml: a data file must hold exactly one document, this one has 0"),
        ({"data.yaml": "a: [1"}, "data.yaml:2:1: not YAML: "),
        ({"data.json": '{"a": '}, "data.json:1:"),
        ({"data.yaml": "a: 1\na: 2"}, "data.yaml:2:1: duplicate key 'a'"),
        ({"data.yaml": b"a: \xff"}, "data.yaml:1:4: not UTF-8: byte 0xff"),
        ({"a.rego": b"package main\n# \xff"}, "a.rego:2:3: not UTF-8: byte 0xff"),
    ],
)
def test_problems(tmp_path: Path, files: dict[str, str | bytes], problem: str) -> None:
    found = read(tmp_path, {"z.rego": MODULE, **files})
    (told,) = map(str, found.problems)
    assert problem in told
    assert told.startswith(str(tmp_path))
    assert names(tmp_path, found) == ["z.rego"]  # the others are still read


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.rego").mkdir()
    (tmp_path / "b.rego").symlink_to(tmp_path / "nowhere.rego")
    found = rego_files.read([str(tmp_path)])
    assert [str(p).partition(": ")[2] for p in found.problems] == ["no such file or directory"]


def test_revision_is_of_the_content_and_not_of_the_place(tmp_path: Path) -> None:
    def revision(directory: str, files: dict[str, str | bytes]) -> str:
        return read(tmp_path / directory, files).revision

    files: dict[str, str | bytes] = {"a.rego": MODULE, "data.yaml": "a: 1"}
    first = revision("one", files)
    assert first == revision("two", files)
    assert first == revision("three", {**files, "a_test.rego": MODULE, "note.txt": "x"})
    others = [
        revision("four", {**files, "data.yaml": "a: 2"}),
        revision("five", {**files, "a.rego": MODULE + "\n"}),
        revision("six", {"b.rego": MODULE, "data.yaml": "a: 1"}),
        revision("seven", {"a.rego": MODULE}),
    ]
    assert len({first, *others}) == 5
