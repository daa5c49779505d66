"""--param, --tfrun and --cost-estimate."""

import json

import pytest

from solon.cli import runs
from solon.cli.errors import UsageError


@pytest.mark.parametrize(
    "argument, value",
    [
        ("p=text", "text"),
        ("p=", ""),
        ("p=a=b", "a=b"),
        ("p=3", 3),
        ("p=2.5", 2.5),
        ('p=["a", 1]', ["a", 1]),
        ('p={"k": true}', {"k": True}),
        ("p=true", "true"),  # as Sentinel's own command line has it
        ("p=null", "null"),
        ('p="quoted"', '"quoted"'),
        ("p=[1", "[1"),
    ],
)
def test_params(argument, value):
    assert runs.params([argument]) == {"p": value}


@pytest.mark.parametrize("argument", ["", "p", "=3"])
def test_params_need_a_name_and_a_value(argument):
    with pytest.raises(UsageError, match="write NAME=VALUE"):
        runs.params([argument])


def test_without_files_nothing_is_known():
    assert runs.read(None, None) is None


def test_a_run_and_its_costs(tmp_path):
    run, costs = tmp_path / "run.yaml", tmp_path / "infracost.json"
    run.write_text("workspace:\n  name: prod\ncost_estimate:\n  proposed_monthly_cost: 12.5\n")
    costs.write_text(json.dumps({"totalMonthlyCost": "99.1", "projects": []}))
    assert runs.read(str(run), None) == {
        "workspace": {"name": "prod"},
        "cost_estimate": {"proposed_monthly_cost": "12.5"},
    }
    assert runs.read(str(run), str(costs))["cost_estimate"] == {"proposed_monthly_cost": "99.1"}
    assert runs.read(None, str(costs)) == {"cost_estimate": {"proposed_monthly_cost": "99.1"}}


@pytest.mark.parametrize(
    "run, costs, problem",
    [
        ("[1]", None, "run.yaml: must hold keys"),
        ("a: 1\n---\nb: 2\n", None, "run.yaml: must hold one document, has 2"),
        ("a: [", None, "run.yaml:"),
        (None, "{}", "costs.json: has no costs"),
        (None, "3", "costs.json: has no costs"),
    ],
)
def test_what_is_wrong_with_them(tmp_path, run, costs, problem):
    (tmp_path / "run.yaml").write_text(run or "")
    (tmp_path / "costs.json").write_text(costs or "")
    with pytest.raises(UsageError, match=problem):
        runs.read(
            str(tmp_path / "run.yaml") if run else None, str(tmp_path / "costs.json") if costs else None
        )


def test_a_file_that_is_not_there():
    with pytest.raises(UsageError, match=r"none.json: no such file or directory"):
        runs.read(None, "none.json")
