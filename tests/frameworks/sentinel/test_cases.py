"""Where test cases are found, and where policy sets are."""

import pytest

from solon.frameworks.sentinel.cases import find
from solon.frameworks.sentinel.find import find as sets

FILES = [
    "aws/sentinel.hcl",
    "aws/tags.sentinel",
    "aws/untested.sentinel",
    "aws/test/tags/pass.hcl",
    "aws/test/tags/fail.json",
    "aws/test/tags/mock.sentinel",
    "aws/test/tags/.hidden.hcl",
    "aws/test/tags/data/people.json",
    "aws/test/nothing/pass.hcl",
    "gcp/sentinel.json",
    "gcp/tags.sentinel",
    "gcp/test/tags/pass.hcl",
    "loose/one.sentinel",
]


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)


AWS = [("aws/tags.sentinel", "aws/test/tags/fail.json"), ("aws/tags.sentinel", "aws/test/tags/pass.hcl")]
GCP = [("gcp/tags.sentinel", "gcp/test/tags/pass.hcl")]


@pytest.mark.parametrize(
    "paths, cases",
    [
        (["."], AWS + GCP),
        (["aws"], AWS),
        (["gcp", "aws", "gcp"], GCP + AWS),
        (["aws/tags.sentinel"], AWS),
        (["aws/untested.sentinel"], []),
        (["aws/test"], AWS),
        (["aws/test/tags"], AWS),
        (["aws/test/tags/pass.hcl"], AWS[1:]),
        (["aws/test/tags/mock.sentinel"], []),
        (["aws/test/nothing/pass.hcl"], []),  # there is no policy of that name
        (["loose", "missing"], []),
    ],
)
def test_cases(paths, cases):
    assert [(case.policy, case.file) for case in find(paths)] == cases


def test_a_case_is_named_after_its_policy():
    assert [case.name for case in find(["gcp"])] == ["tags/pass.hcl"]


@pytest.mark.parametrize(
    "path, expected",
    [
        (".", ["./aws", "./gcp"]),
        ("aws", ["aws"]),
        ("loose", ["loose"]),
        ("loose/one.sentinel", ["loose/one.sentinel"]),
        ("aws/sentinel.hcl", ["aws/sentinel.hcl"]),
        ("aws/test", []),
        ("aws/test/tags/fail.json", []),
    ],
)
def test_policy_sets(path, expected):
    assert sets(path) == expected
