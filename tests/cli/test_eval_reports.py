"""What solon eval tells besides the result: --metrics, --coverage, --profile, --explain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POLICY = """package main

allow if {
	some role in input.roles
	role == "admin"
	trace("an admin")
}

deny contains "empty" if {
	count(input.roles) == 0
}
"""


@pytest.fixture(autouse=True)
def policy(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(POLICY)
    (tmp_path / "i.json").write_text('{"roles": ["dev", "admin"]}')


@pytest.fixture
def ask(solon: Callable[..., Any]) -> Callable[..., Any]:
    def run(*options: str, query: str = "data.main.allow") -> Any:
        return solon("eval", "-d", "p.rego", "-i", "i.json", *options, query)

    return run


TIMERS = {
    f"timer_rego_{name}_ns"
    for name in ("load_files", "module_parse", "module_compile", "query_parse", "query_compile", "query_eval")
}


def test_metrics_are_the_timers_of_opa(ask: Callable[..., Any]) -> None:
    printed = json.loads(ask("--metrics").out)
    assert printed["metrics"].keys() == TIMERS
    assert printed["metrics"]["timer_rego_query_eval_ns"] > 0
    assert printed["result"][0]["expressions"][0]["value"] is True


def test_metrics_as_a_table(ask: Callable[..., Any]) -> None:
    out = ask("--metrics", "-f", "pretty").out
    assert out.startswith("true\n+-")
    assert re.search(r"^\| timer_rego_query_eval_ns +\| +[\d,]+ \|$", out, re.MULTILINE)


def test_coverage_as_opa_has_it_by_line(ask: Callable[..., Any]) -> None:
    printed = json.loads(ask("--coverage").out)["coverage"]
    assert printed == {
        "files": {
            "p.rego": {
                "covered": [{"start": {"row": 3}, "end": {"row": 6}}],
                "not_covered": [{"start": {"row": 9}, "end": {"row": 10}}],
                "covered_lines": 4,
                "not_covered_lines": 2,
                "coverage": 66.67,
            }
        },
        "covered_lines": 4,
        "not_covered_lines": 2,
        "coverage": 66.67,
    }


def test_coverage_as_a_table(ask: Callable[..., Any]) -> None:
    assert "   66.7%  p.rego  (not reached: 9-10)\n" in ask("--coverage", "-f", "pretty").out


def test_a_profile_has_the_metrics_beside_it(ask: Callable[..., Any]) -> None:
    printed = json.loads(ask("--profile").out)
    assert printed["metrics"].keys() == TIMERS
    rows = {(line["location"]["file"], line["location"]["row"]): line for line in printed["profile"]}
    assert rows["p.rego", 5]["num_eval"] == 2
    assert rows["p.rego", 4]["num_steps"] == 2
    assert rows["p.rego", 4]["location"] == {"file": "p.rego", "row": 4, "col": 2}


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (("--profile-sort", "num_eval"), ("p.rego", 5)),
        (("--profile-sort", "num_steps"), ("p.rego", 4)),
        (("--profile-sort", "file", "--profile-sort", "line"), ("p.rego", 4)),
        (("--profile-sort", "line"), ("query", 1)),
    ],
)
def test_a_profile_is_sorted_as_asked(ask: Callable[..., Any], options: Any, first: Any) -> None:
    printed = json.loads(ask("--profile", *options).out)["profile"]
    assert (printed[0]["location"]["file"], printed[0]["location"]["row"]) == first


def test_a_profile_is_limited(ask: Callable[..., Any]) -> None:
    assert len(json.loads(ask("--profile", "--profile-limit", "2").out)["profile"]) == 2
    assert len(json.loads(ask("--profile", "--profile-limit", "0").out)["profile"]) == 4


def test_a_profile_as_a_table(ask: Callable[..., Any]) -> None:
    out = ask("--profile", "-f", "pretty").out
    assert re.search(
        r"^\| TIME +\| NUM EVAL \| NUM STEPS \| NUM GEN EXPR \| LOCATION +\|$", out, re.MULTILINE
    )
    assert re.search(r"^\| +[\d.]+ (ns|us|ms) \| +2 \| +0 \| +1 \| p.rego:5 +\|$", out, re.MULTILINE)


def test_fails_come_before_the_result(ask: Callable[..., Any]) -> None:
    assert ask("--explain", "fails", "-f", "pretty", query="data.main.deny").out == (
        "data.main.deny (p.rego:9) gave no result\n"
        "  p.rego:10  count(input.roles) == 0  failed\n"
        '      count(input.roles) is 2; input.roles is ["dev", "admin"]\n'
        "[]\n"
    )


def test_fails_as_json(ask: Callable[..., Any]) -> None:
    query, deny = json.loads(ask("--explain", "fails", query="data.main.deny").out)["explanation"]
    assert query["rule"] == ""
    assert deny == {
        "rule": "data.main.deny",
        "location": {"file": "p.rego", "row": 9, "col": 1},
        "tried": 1,
        "results": 0,
        "failures": [
            {
                "text": "count(input.roles) == 0",
                "location": {"file": "p.rego", "row": 10, "col": 2},
                "failed": 1,
                "evaluated": 1,
                "examples": [
                    [
                        {"text": "count(input.roles)", "values": [2], "why": ""},
                        {"text": "input.roles", "values": [["dev", "admin"]], "why": ""},
                    ]
                ],
            }
        ],
    }


def test_notes(ask: Callable[..., Any]) -> None:
    assert (
        ask("--explain", "notes", "-f", "pretty").out == 'p.rego:6  data.main.allow  Note "an admin"\ntrue\n'
    )


def test_steps_as_json(ask: Callable[..., Any]) -> None:
    events = json.loads(ask("--explain", "full").out)["explanation"]
    assert [e["op"] for e in events if e["location"]["row"] == 5] == ["Eval", "Fail", "Eval", "Redo"]
    assert next(e for e in events if e["op"] == "Fail") == {
        "op": "Fail",
        "rule": "data.main.allow",
        "text": 'role == "admin"',
        "location": {"file": "p.rego", "row": 5, "col": 2},
        "depth": 2,
        "readings": [{"text": "role", "values": ["dev"], "why": ""}],
    }


def test_beside_output_for_machines_it_goes_to_standard_error(ask: Callable[..., Any]) -> None:
    ran = ask("--explain", "notes", "--metrics", "-f", "raw")
    assert ran.out == "true\n"
    assert "an admin" in ran.err
    assert "timer_rego_query_eval_ns" in ran.err


def test_an_evaluation_that_fails_is_told_of(solon: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "two.rego").write_text("package a\n\np := 1 if input.x\n\np := 2 if input.x\n")
    ran = solon("eval", "-d", "two.rego", "-I", "--profile", "data.a.p", stdin=b'{"x": true}')
    printed = json.loads(ran.out)
    assert ran.status == 2
    assert printed["errors"][0]["code"] == "eval_conflict_error"
    assert {
        line["location"]["row"] for line in printed["profile"] if line["location"]["file"] == "two.rego"
    } == {
        3,
        5,
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--profile", "--explain", "full"), "solon: --profile and --explain change what is measured"),
        (
            ("--profile", "--profile-sort", "num_redo"),
            "solon: --profile-sort num_redo: unknown; it must be one of",
        ),
    ],
)
def test_what_cannot_be_had(ask: Callable[..., Any], options: Any, problem: str) -> None:
    ran = ask(*options)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(problem)


def test_a_trace_cannot_drive_a_terminal(solon: Callable[..., Any]) -> None:
    ran = solon(
        "eval", "-I", "--explain", "fails", "-f", "pretty", "input.x == 1", stdin=b'{"x": "\\u001b[2J"}'
    )
    assert "\x1b" not in ran.out
