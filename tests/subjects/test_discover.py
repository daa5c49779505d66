"""From paths to files: what is read, and what each is."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.subjects import discover
from solon.subjects.discover import Input
from solon.subjects.subject import Location, Subject, Unreadable


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*names: str, text: str = "a: 1\n") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def test_a_directory_is_searched_in_order() -> None:
    write("d/b.yaml", "d/a.json", "d/z/c.yml", "d/README.md", "d/main.tf", "d/x.txt")
    write("d/.git/a.yaml", "d/.hidden.yaml", "d/node_modules/a.yaml", "d/z/__pycache__/a.json")
    assert discover.find(["d"]) == [Input(f"d/{name}", False) for name in ("a.json", "b.yaml", "z/c.yml")]


def test_a_file_that_is_named_is_read_whatever_it_is_called() -> None:
    write("notes.txt", ".hidden.yaml")
    assert discover.find(["notes.txt", ".hidden.yaml", "-"]) == [
        Input("notes.txt", True), Input(".hidden.yaml", True), Input("-", True)
    ]  # fmt: skip


def test_a_path_given_twice_is_read_once() -> None:
    write("a.yaml")
    assert discover.find(["a.yaml", "a.yaml", "-", "-"]) == [Input("a.yaml", True), Input("-", True)]


def test_a_link_to_a_directory_is_followed_once() -> None:
    write("real/a.yaml")
    Path("d").mkdir()
    Path("d/link").symlink_to("../real")
    assert discover.find(["d"]) == [Input("d/link/a.yaml", False)]


def test_what_is_not_there() -> None:
    Path("empty").mkdir()
    assert discover.find(["nope", "empty"]) == [
        Unreadable(Location("nope"), "no such file or directory"),
        Unreadable(Location("empty"), "no YAML or JSON files in this directory"),
    ]


PLAN = '{"format_version": "1.2", "resource_changes": []}'
POD = "apiVersion: v1\nkind: Pod\n"


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("plan.json", PLAN, ["terraform.plan"]),
        ("plan.yaml", PLAN, ["terraform.plan"]),
        ("noext", PLAN, ["terraform.plan"]),
        ("pod.json", '{"apiVersion": "v1", "kind": "Pod"}', ["kubernetes.object"]),
        ("pod.txt", POD, ["kubernetes.object"]),
        (
            "both.yaml",
            POD + "---\n" + PLAN + "\n---\nx: 1\n",
            ["kubernetes.object", "terraform.plan", "document"],
        ),
        ("flow.json", "{apiVersion: v1, kind: Pod}", ["kubernetes.object"]),
    ],
)
def test_content_says_what_a_file_is(name: str, text: str, kinds: list[str]) -> None:
    write(name, text=text)
    found = discover.read(Input(name, True), stdin=lambda _: b"")
    assert [s.kind for s in found if isinstance(s, Subject)] == kinds


@pytest.mark.parametrize("text", ["", "# nothing\n", "just words\n", "42"])
def test_what_is_no_document_is_passed_over_in_a_directory(text: str) -> None:
    write("d/x.yaml", text=text)
    assert list(discover.read(Input("d/x.yaml", False), stdin=lambda _: b"")) == []
    assert len(list(discover.read(Input("d/x.yaml", True), stdin=lambda _: b""))) == 1


def test_the_limit_of_size_holds_for_files_and_standard_input() -> None:
    write("a.yaml", text=POD)
    for name in ("a.yaml", "-"):
        (problem,) = discover.read(Input(name, True), stdin=lambda size: POD.encode()[:size], max_bytes=8)
        assert isinstance(problem, Unreadable)
        assert "larger than" in problem.problem


def test_standard_input_keeps_its_places() -> None:
    (pod,) = discover.read(Input("-", True), stdin=lambda _: POD.encode())
    assert isinstance(pod, Subject)
    assert str(pod.locator.locate(("kind",))) == "-:2:1"
