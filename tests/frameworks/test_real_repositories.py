"""Ways in which real repositories write their tests and packages."""

import time
from pathlib import Path

import pytest

from solon.frameworks import rego_files
from solon.frameworks.conftest import load
from solon.frameworks.rego_tests import RegoTests
from solon.lang.budget import Budget
from solon.subjects import discover
from solon.subjects.subject import Unreadable


@pytest.mark.parametrize(
    ("head", "passed", "failed"),
    [
        ('test_case[sprintf("case %v", [c.n])]', {"[case 1]"}, {"[case 2]"}),
        ("test_case[c.path]", {'[["a",1]]'}, {'[["b",2]]'}),
        ("test_case[c.n].positive", {"[1][positive]"}, {"[2][positive]"}),
    ],
)
def test_a_case_may_have_any_term_for_its_name(
    tmp_path: Path, head: str, passed: set[str], failed: set[str]
) -> None:
    (tmp_path / "p_test.rego").write_text(
        f"""package p_test
        {head} if {{
            some c in [{{"n": 1, "path": ["a", 1]}}, {{"n": 2, "path": ["b", 2]}}]
            c.n == 1
        }}
        """
    )
    results = list(RegoTests(rego_files.read([str(tmp_path)], tests=True)).run(time.perf_counter))
    names: dict[str, set[str]] = {"passed": set(), "failed": set()}
    for result in results:
        names[result.status.value].add(result.name.removeprefix("data.p_test.test_case"))
    assert names == {"passed": passed, "failed": failed}


def test_packages_in_quotes_have_tests_and_policies(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(
        "# METADATA\n# scope: subpackages\n# custom:\n#   severity: high\npackage rules\n"
    )
    (tmp_path / "q.rego").write_text('package rules["no-root"]\n\ndeny contains "root"\n')
    (tmp_path / "q_test.rego").write_text(
        'package rules["no-root_test"]\n\ntest_denied if data.rules["no-root"].deny == {"root"}\n'
    )
    files = rego_files.read([str(tmp_path)], tests=True)
    (result,) = RegoTests(files).run(time.perf_counter, None, Budget())
    assert (result.name, result.status.value) == ('data.rules["no-root_test"].test_denied', "passed")
    (policy,) = load("p", rego_files.read([str(tmp_path)]), every=True).policies
    assert (policy.id, policy.severity) == ('rules["no-root"].deny', "high")


def test_tags_of_cloudformation_are_read_as_their_values(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  a: !Ref Role\n  b: !GetAtt Role.Arn\n  c: !Join ['-', [x, !Ref y]]\n  d: !Sub {k: v}\n"
    )
    (source,) = discover.find([str(tmp_path)])
    assert not isinstance(source, Unreadable)
    (subject,) = discover.read(source, stdin=lambda _size: b"")
    assert not isinstance(subject, Unreadable)
    assert subject.document == {
        "Resources": {"a": "Role", "b": "Role.Arn", "c": ["-", ["x", "y"]], "d": {"k": "v"}}
    }


def test_tests_of_one_name_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "p_test.rego").write_text("package p_test\n\ntest_a if true\n\ntest_a if true\n")
    results = RegoTests(rego_files.read([str(tmp_path)], tests=True)).run(time.perf_counter)
    assert [result.name for result in results] == ["data.p_test.test_a", "data.p_test.test_a#01"]
