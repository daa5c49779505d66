from __future__ import annotations

import msgspec
import pytest

from solon.governance.scope import Scope
from solon.subjects.files import parsed, read


class Note(msgspec.Struct, forbid_unknown_fields=True):
    policy: str | list[str]
    scope: Scope
    days: int = 0


@pytest.mark.parametrize(
    "text, problem",
    [
        (
            "- policy: 3\n  scope: {team: a}",
            "n.yaml:1:3: policy must be a text or a list, and is 3 (put it in quotes)",
        ),
        (
            "policy: a\nscope: {team: no}",
            "n.yaml:2:9: scope.team must be a text or a list, and is False (YAML",
        ),
        ("- policy: a\n  scope: {tem: a}", "n.yaml:2:11: unknown key scope.tem: known are team, namespace"),
        ("policy: a", "n.yaml:1:1: scope is missing"),
        ("policy: a\nscope: [x]", "n.yaml:2:1: scope must be keys, and is a list"),
        ("policy: a\nscope: {}\ndays: long", "n.yaml:3:1: days must be a number, and is 'long'"),
        ("policy: a\nscope: {}\nfoo: 1", "n.yaml:3:1: unknown key foo: known are policy, scope, days"),
        ("- {policy: a, scope: {}}\n- 2", "n.yaml:2:3: a note must hold keys, and is 2"),
        ("policy: [", "n.yaml:2:1: not YAML: did not find expected node content"),
        ("policy: a\npolicy: b", "n.yaml:2:1: duplicate key 'policy'"),
    ],
)
def test_each_problem_is_told_at_its_line(text, problem):
    problems = [str(found) for found in parsed(text, "n.yaml", Note, "note") if not hasattr(found, "value")]
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_what_is_right_beside_what_is_wrong_is_read():
    text = "- {policy: a, scope: {team: x}}\n- {policy: b}\n- {policy: c, scope: {}}\n---\npolicy: d\nscope: {}\n"
    found = list(parsed(text, "n.yaml", Note, "note"))
    assert [part.value.policy for part in found if hasattr(part, "value")] == ["a", "c", "d"]
    assert [part.location.line for part in found if hasattr(part, "value")] == [1, 3, 5]
    assert str(found[0].place(("scope", "team"))) == "n.yaml:1:23"


def test_a_directory_is_read_as_a_whole(tmp_path):
    (tmp_path / "a.yaml").write_text("policy: a\nscope: {}\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yml").write_text("policy: b\nscope: {}\n")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "README.md").write_text("not one")
    files = read([str(tmp_path)], Note, noun="note")
    assert [part.value.policy for part in files.parts] == ["a", "b"]
    assert [problem.location.file for problem in files.problems] == [str(tmp_path / "c.yaml")]


def test_an_empty_directory_has_no_problems(tmp_path):
    assert read([str(tmp_path)], Note, noun="note") == type(read([], Note, noun="note"))([], [])
    missing = read([str(tmp_path / "gone")], Note, noun="note")
    assert "no such file" in str(missing.problems[0])
