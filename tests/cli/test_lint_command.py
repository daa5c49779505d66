"""solon lint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

UNUSED = "package a\n\nimport data.b\n\nallow if input.x\n"
DOUBTFUL = 'package a\n\nallow if {\n\tinput.kind == "A"\n\tinput.kind == "B"\n}\n'
CLEAN = "package a\n\nallow if input.x\n"
TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: k8sname, annotations: {metadata.gatekeeper.sh/title: Names, description: Of objects}}
spec:
  crd: {spec: {names: {kind: K8sName}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8sname

        import data.lib.names

        violation[{"msg": "x"}] {
          re_match("a", input.review.name)
        }
      libs:
        - |
          package lib.names
          f(x, y) = x { true }
"""


def write(tmp_path: Path, **files: str) -> None:
    for name, text in files.items():
        (tmp_path / name.replace("_yaml", ".yaml").replace("_rego", ".rego")).write_text(text)


def test_errors_are_shown_with_their_lines(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, a_rego=UNUSED)
    ran = solon("lint", ".")
    assert (ran.status, ran.err) == (1, "")
    assert ran.out == (
        "./a.rego:3:1: error rego/unused-import: import data.b unused\n"
        "  3 | import data.b\n    | ~~~~~^\n  help: remove it\n\n1 file: 1 error\n"
    )


@pytest.mark.parametrize(
    ("text", "options", "status", "summary"),
    [
        (CLEAN, [], 0, "1 file: nothing to say"),
        (UNUSED, [], 1, "1 file: 1 error"),
        (UNUSED, ["--ignore", "rego/unused-import"], 0, "1 file: nothing to say"),
        (DOUBTFUL, [], 0, "1 file: 1 warning"),
        (DOUBTFUL, ["--strict"], 1, "1 file: 1 warning"),
        (CLEAN, ["--strict"], 0, "1 file: nothing to say"),
    ],
)
def test_status(
    solon: Callable[..., Any], tmp_path: Path, text: str, options: list[str], status: int, summary: str
) -> None:
    write(tmp_path, a_rego=text)
    ran = solon("lint", *options)
    assert (ran.status, ran.out.splitlines()[-1], ran.err) == (status, summary, "")


def test_json(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, a_rego=DOUBTFUL)
    assert json.loads(solon("lint", "a.rego", "-o", "json").out) == {
        "schema": "solon.lint/v1",
        "remarks": [
            {
                "code": "rego/contradiction",
                "severity": "warning",
                "message": 'input.kind cannot be both "A" and "B"',
                "hint": 'if either will do, write `input.kind in {"A", "B"}`',
                "location": {"file": "a.rego", "line": 5, "column": 2},
            }
        ],
        "summary": {"files": 1, "errors": 0, "warnings": 1},
    }


def test_github(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, a_rego=UNUSED, b_rego=DOUBTFUL.replace("package a", "package b"))
    assert solon("lint", ".", "-o", "github").out == (
        "::error file=./a.rego,line=3,col=1,title=rego/unused-import::import data.b unused%0AFix: remove it\n"
        "::warning file=./b.rego,line=5,col=2,title=rego/contradiction::input.kind cannot be both "
        '"A" and "B"%0AFix: if either will do, write `input.kind in {"A", "B"}`\n'
        "2 files: 1 error, 1 warning\n"
    )


def test_sarif(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, a_rego=UNUSED)
    run = json.loads(solon("lint", ".", "-o", "sarif").out)["runs"][0]
    (result,) = run["results"]
    assert (
        run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "rego/unused-import"
    )
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.rego", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 1},
    }


def test_templates_are_linted_at_their_lines(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, t_yaml=TEMPLATE, other_yaml="kind: Pod\n")
    ran = solon("lint", "t.yaml", "-o", "json", "--ignore", "gatekeeper/untested-template")
    assert ran.status == 1
    assert [
        (r["code"], r["location"]["line"], r["location"]["column"]) for r in json.loads(ran.out)["remarks"]
    ] == [
        ("rego/unused-import", 11, 9),
        ("rego/deprecated-builtin", 14, 11),
        ("rego/unused-argument", 19, 16),
    ]


def test_a_template_in_quotation_marks_has_one_place(solon: Callable[..., Any], tmp_path: Path) -> None:
    rego = json.dumps("package k8sname\nviolation[{}] { x := 1 }\n")
    text = TEMPLATE.partition("      rego:")[0] + f"      rego: {rego}\n"
    write(tmp_path, t_yaml=text)
    (_, remark) = json.loads(solon("lint", "t.yaml", "-o", "json").out)["remarks"]
    assert remark["location"]["line"] == 8


def test_policies_that_do_not_compile(solon: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, a_rego="package a\n\nallow if nofunc(1)\n", t_yaml=TEMPLATE.replace("re_match", "nofunc"))
    ran = solon("lint", ".")
    assert (ran.status, ran.out) == (2, "")
    assert "./a.rego:3:10: rego_type_error: undefined function nofunc" in ran.err
    assert "t.yaml:1: ConstraintTemplate/k8sname: K8sName.rego:6:3: rego_type_error" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "solon: nowhere: no such file or directory\n"),
        (
            ["."],
            "solon: .: nothing to lint. Looked for Rego and Sentinel files and Gatekeeper ConstraintTemplates\n",
        ),
        (
            [".", "--ignore", "rego/nothing"],
            "solon: --ignore rego/nothing: unknown; known are rego/unused-import",
        ),
    ],
)
def test_usage(solon: Callable[..., Any], arguments: list[str], message: str) -> None:
    ran = solon("lint", *arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(message)
