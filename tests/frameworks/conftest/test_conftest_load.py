"""Rego packages as Conftest has them: which rules are policies, and what their results mean."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import pytest

from solon.frameworks import rego_files
from solon.frameworks.conftest.load import combined, load
from solon.frameworks.policy import Context, Finding, PolicySet, Stage, evaluate
from solon.frameworks.rego_files import Dialect
from solon.lang.rego import RegoError
from solon.subjects.subject import Location, Path, Subject


class NoFile:
    def locate(self, path: Path) -> Location:
        return Location("input.yaml", len(path))


def subject(document: Any, kind: str = "document", file: str = "input.yaml", parent: Any = None) -> Subject:
    return Subject(kind, f"file://{file}", file, document, Location(file, 1), NoFile(), parent=parent)


def policies(
    directory: pathlib.Path,
    modules: dict[str, str],
    namespaces: Sequence[str] = ("main",),
    *,
    every: bool = False,
    data: Sequence[str] = (),
    dialect: Dialect = "auto",
) -> PolicySet:
    """The policy set of files written below a directory."""
    for name, text in modules.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    files = rego_files.read([str(directory)], data, dialect)
    assert files.problems == []
    return load("p", files, namespaces, every=every)


def ask(policy_set: PolicySet, document: Any, **context: Any) -> list[Finding]:
    found = document if isinstance(document, Subject) else subject(document)
    return evaluate([policy_set], found, Context(now_ns=0, **context)).findings


def said(findings: Sequence[Finding]) -> list[tuple[str, Stage, str]]:
    return sorted((f.policy.id, f.stage, f.message) for f in findings)


DENY, WARN = Stage.ENFORCE, Stage.WARN


# --- which rules are policies


@pytest.mark.parametrize(
    ("rule", "stage"),
    [
        ("deny", DENY),
        ("violation", DENY),
        ("warn", WARN),
        ("deny_root", DENY),
        ("violation_no_root_2", DENY),
        ("warn_Old", WARN),
        ("denyroot", None),
        ("deny_", None),
        ("deny__root", None),
        ("my_deny", None),
        ("allow", None),
        ("Deny", None),
        ("exception", None),
    ],
)
def test_names_of_policies(tmp_path: pathlib.Path, rule: str, stage: Stage | None) -> None:
    found = policies(tmp_path, {"main.rego": f'package main\n{rule} contains "no" if input.bad'})
    assert [(p.id, p.stage) for p in found.policies] == ([(f"main.{rule}", stage)] if stage else [])
    assert said(ask(found, {"bad": True})) == ([(f"main.{rule}", stage, "no")] if stage else [])
    assert ask(found, {"bad": False}) == []


def test_function_is_no_policy(tmp_path: pathlib.Path) -> None:
    assert policies(tmp_path, {"main.rego": 'package main\ndeny(x) := "no" if x'}).policies == []


def test_rule_of_many_definitions_is_one_policy(tmp_path: pathlib.Path) -> None:
    modules = {
        "a.rego": 'package main\ndeny contains "a" if input.a\ndeny contains "b" if input.b',
        "deep/b.rego": 'package main\ndeny contains "c" if input.c',
    }
    found = policies(tmp_path, modules)
    assert [p.id for p in found.policies] == ["main.deny"]
    everything = ask(found, {"a": 1, "b": 1, "c": 1})
    assert said(everything) == [("main.deny", DENY, message) for message in "abc"]


# --- namespaces

PACKAGES = {
    "main.rego": 'package main\ndeny contains "main"',
    "team.rego": 'package team.images\ndeny contains "team"',
    "other.rego": 'package other\nwarn contains "other"',
    "lib.rego": 'package lib\nnames := ["x"]',
}


@pytest.mark.parametrize(
    ("namespaces", "every", "ids"),
    [
        (["main"], False, ["main.deny"]),
        (["team.images"], False, ["team.images.deny"]),
        (["main", "other"], False, ["main.deny", "other.warn"]),
        (["team"], False, []),
        (["nowhere"], False, []),
        (["main"], True, ["main.deny", "other.warn", "team.images.deny"]),
    ],
)
def test_namespaces(tmp_path: pathlib.Path, namespaces: list[str], every: bool, ids: list[str]) -> None:
    found = policies(tmp_path, PACKAGES, namespaces, every=every)
    assert sorted(p.id for p in found.policies) == ids
    assert sorted({f.policy.id for f in ask(found, {})}) == ids


# --- results


@pytest.mark.parametrize(
    ("rule", "messages"),
    [
        ('deny contains "no"', ["no"]),
        ('deny contains msg if some msg in ["b", "a"]', ["a", "b"]),
        ('deny contains {"msg": "no"}', ["no"]),
        ('deny contains {"msg": "no", "more": 1}', ["no"]),
        ('deny contains "no" if input.missing', []),
        ("deny := set()", []),
        ("deny := []", []),
        ("deny := {}", []),
        ("deny := false", []),
        ("deny if input.missing", []),
        ("default deny := false", []),
        # Conftest lets these pass, or refuses them; here they are violations.
        ('deny := ["no"]', ["no"]),
        ("deny if true", ["deny is true"]),
        ("deny := true", ["deny is true"]),
        ('deny := "no"', ["no"]),
        ('deny := {"msg": "no"}', ["no"]),
        ('deny.key := "no"', ["no"]),
    ],
)
def test_results(tmp_path: pathlib.Path, rule: str, messages: list[str]) -> None:
    findings = ask(policies(tmp_path, {"main.rego": f"package main\n{rule}"}), {})
    assert sorted(f.message for f in findings) == messages
    assert not any(f.error for f in findings)


@pytest.mark.parametrize(
    "rule",
    [
        "deny contains 3",
        "deny contains null",
        'deny contains ["no"]',
        'deny contains {"message": "no"}',
        'deny contains {"msg": 3}',
        "deny := 3",
        "deny := null",
        'deny[key] := "no" if some key in ["a"]',
        'deny := {"key": "no"}',
    ],
)
def test_result_that_says_nothing_is_an_error(tmp_path: pathlib.Path, rule: str) -> None:
    (finding,) = ask(policies(tmp_path, {"main.rego": f"package main\n{rule}"}), {})
    assert finding.error
    assert finding.message == "a result must be a string, or an object with a string msg"


def test_rule_that_is_true_says_its_title(tmp_path: pathlib.Path) -> None:
    text = "package main\n\n# METADATA\n# title: Nothing is allowed\ndeny if true"
    (finding,) = ask(policies(tmp_path, {"main.rego": text}), {})
    assert finding.message == "Nothing is allowed"


def test_structured_result(tmp_path: pathlib.Path) -> None:
    rule = """package main
deny contains {
	"msg": "too many",
	"severity": "critical",
	"remediation": "ask for fewer",
	"path": ["spec", "replicas"],
	"limit": 3,
	"owners": {"team": "a"},
}"""
    (finding,) = ask(policies(tmp_path, {"main.rego": rule}), {"spec": {"replicas": 9}})
    assert finding.message == "too many"
    assert finding.severity == "critical"
    assert finding.remediation == "ask for fewer"
    assert finding.path == ("spec", "replicas")
    assert finding.details == {"limit": 3, "owners": {"team": "a"}}


def test_unknown_severity_is_the_policys(tmp_path: pathlib.Path) -> None:
    rule = """package main
# METADATA
# custom: {severity: low}
deny contains {"msg": "no", "severity": "huge"}"""
    (finding,) = ask(policies(tmp_path, {"main.rego": rule}), {})
    assert finding.severity == "low"


# --- annotations

ANNOTATED = """# METADATA
# scope: package
# title: Of the package
# custom:
#   severity: low
#   owner: platform
package main

# METADATA
# title: Images have a version
# description: So that what runs is known
# custom:
#   severity: high
#   controls: [SOC2:CC8.1, "ISO-42001:A.6.2"]
#   remediation: Name a version
deny_latest contains "latest"

warn contains "warned"
"""


def test_annotations(tmp_path: pathlib.Path) -> None:
    deny, warn = sorted(policies(tmp_path, {"main.rego": ANNOTATED}).policies, key=lambda p: p.id)
    assert (deny.title, deny.description) == ("Images have a version", "So that what runs is known")
    assert (deny.severity, deny.owner, deny.remediation) == ("high", "platform", "Name a version")
    assert deny.controls == ("SOC2:CC8.1", "ISO-42001:A.6.2")
    assert (deny.source.line, deny.language, deny.framework) == (16, "rego", "conftest")
    assert (warn.title, warn.severity, warn.owner, warn.controls) == ("Of the package", "low", "platform", ())


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ("", {"kubernetes.object", "document", "terraform.plan", "combined"}),
        ("terraform.resource", {"terraform.resource"}),
        ("[terraform.resource, document]", {"terraform.resource", "document"}),
    ],
)
def test_subjects_of_a_policy(tmp_path: pathlib.Path, wanted: str, kinds: set[str]) -> None:
    note = f"# METADATA\n# custom:\n#   subject: {wanted}\n" if wanted else ""
    found = policies(tmp_path, {"main.rego": f'package main\n\n{note}deny contains "no"'})
    asked = {"kubernetes.object", "document", "terraform.plan", "terraform.resource", "combined"}
    assert {kind for kind in asked if ask(found, subject({}, kind))} == kinds


# --- exceptions


@pytest.mark.parametrize(
    ("rule", "exception", "excepted"),
    [
        ("deny_root", '["root"]', True),
        ("violation_root", '["root"]', True),
        ("warn_root", '["root"]', True),
        ("deny_root", '["other", "root"]', True),
        ("deny_no_root", '["no_root"]', True),
        ("deny", '[""]', True),
        ("deny_root", '{"other", "root"}', True),
        ("deny_root", '{"rule": "root"}', True),
        ("deny_root", '{"root": "rule"}', False),
        ("deny_root", '["deny_root"]', False),
        ("deny_root", '["other"]', False),
        ("deny_root", '[""]', False),
        ("deny", '["deny"]', False),
        ("deny_root", "[]", False),
        ("deny_root", '"root"', False),
    ],
)
def test_exception(tmp_path: pathlib.Path, rule: str, exception: str, excepted: bool) -> None:
    text = f'package main\n{rule} contains "no"\nexception contains {exception} if input.spared'
    found = policies(tmp_path, {"main.rego": text})
    (finding,) = ask(found, {"spared": True})
    assert finding.excepted == ("main.exception" if excepted else "")
    (finding,) = ask(found, {"spared": False})
    assert finding.excepted == ""


def test_exception_of_another_package_does_not_count(tmp_path: pathlib.Path) -> None:
    modules = {
        "main.rego": 'package main\ndeny_root contains "no"',
        "other.rego": 'package other\nexception contains ["root"]',
    }
    (finding,) = ask(policies(tmp_path, modules), {})
    assert finding.excepted == ""


# --- data


def test_data_files(tmp_path: pathlib.Path) -> None:
    outside = tmp_path / "outside"
    (outside / "teams" / "a").mkdir(parents=True)
    (outside / "limits.yaml").write_text("limits: {gpu: 4}\n")
    (outside / "teams" / "a" / "quota.json").write_text('{"quota": 7}')
    modules = {
        "main.rego": """package main
deny contains sprintf("%v %v %v %v", [data.limits.gpu, data.teams.a.quota, data.regions[0], data.nested.here])""",
        "data/regions.yml": "regions: [eu-west-1]\n",
        "nested/data.yaml": "here: yes-it-is\n",
    }
    found = policies(tmp_path / "policy", modules, data=[str(outside)])
    assert said(ask(found, {})) == [("main.deny", DENY, "4 7 eu-west-1 yes-it-is")]


def test_what_surrounds_the_subject_is_data(tmp_path: pathlib.Path) -> None:
    rule = """package main
deny contains sprintf("%v in %v", [data.inventory.cluster.v1.Node.n.kind, data.plan.name])"""
    found = policies(tmp_path, {"main.rego": rule})
    inventory = {"cluster": {"v1": {"Node": {"n": {"kind": "Node"}}}}}
    (finding,) = ask(found, subject({}, parent={"name": "plan"}), inventory=inventory)
    assert finding.message == "Node in plan"


def test_file_of_the_subject_is_data(tmp_path: pathlib.Path) -> None:
    rule = """package main
deny contains sprintf("%v %v", [data.conftest.file.name, data.conftest.file.dir])"""
    (finding,) = ask(policies(tmp_path, {"main.rego": rule}), subject({}, file="some/web.yaml"))
    assert finding.message == f"web.yaml {os.getcwd()}/some"


# --- versions

V0 = 'package main\n\ndeny[msg] {\n  input.bad\n  msg = "v0"\n}\n'
V1 = 'package main\n\ndeny contains "v1" if input.bad\n'


@pytest.mark.parametrize(
    ("text", "dialect", "message"),
    [(V0, "auto", "v0"), (V0, "v0", "v0"), (V1, "auto", "v1"), (V1, "v1", "v1")],
)
def test_versions(tmp_path: pathlib.Path, text: str, dialect: Dialect, message: str) -> None:
    found = policies(tmp_path, {"main.rego": text}, dialect=dialect)
    assert said(ask(found, {"bad": True})) == [("main.deny", DENY, message)]


def test_versions_side_by_side(tmp_path: pathlib.Path) -> None:
    found = policies(tmp_path, {"old.rego": V0, "new.rego": V1})
    assert [m for _, _, m in said(ask(found, {"bad": True}))] == ["v0", "v1"]


@pytest.mark.parametrize(("text", "dialect"), [(V0, "v1"), (V1, "v0")])
def test_insisted_version_refuses_the_other(tmp_path: pathlib.Path, text: str, dialect: Dialect) -> None:
    with pytest.raises(RegoError, match="rego_parse_error"):
        policies(tmp_path, {"main.rego": text}, dialect=dialect)


def test_all_errors_of_all_files_are_told(tmp_path: pathlib.Path) -> None:
    modules = {
        "a.rego": "package main\ndeny contains x if true",
        "b.rego": 'package main\nwarn contains "w" if nothing(1)',
    }
    with pytest.raises(RegoError) as caught:
        policies(tmp_path, modules)
    text = caught.value.render()
    assert "rego_unsafe_var_error: var x is unsafe" in text
    assert "undefined function nothing" in text


# --- failures at run time


def test_rule_that_fails_is_an_error_and_the_rest_goes_on(tmp_path: pathlib.Path) -> None:
    text = """package main
name := "a"
name := input.name

deny contains "broken" if name == "b"
warn contains "other"
"""
    found = policies(tmp_path, {"main.rego": text})
    findings = ask(found, {"name": "b"})
    error, other = sorted(findings, key=lambda f: f.policy.id)
    assert error.error
    assert error.policy.id == "main.deny"
    assert "rules must not produce multiple outputs" in error.message
    assert f"{tmp_path}/main.rego:2:1" in error.message or f"{tmp_path}/main.rego:3:1" in error.message
    assert (other.message, other.error) == ("other", False)
    # Another subject is judged as if nothing had happened.
    assert said(ask(found, {"name": "a"})) == [("main.warn", WARN, "other")]


def test_exception_that_fails_is_an_error(tmp_path: pathlib.Path) -> None:
    text = """package main
name := "a"
name := input.name

deny_root contains "no"
exception contains ["root"] if name == "b"
"""
    (finding,) = ask(policies(tmp_path, {"main.rego": text}), {"name": "b"})
    assert finding.error
    assert "rules must not produce multiple outputs" in finding.message


def test_built_in_that_fails_is_undefined(tmp_path: pathlib.Path) -> None:
    text = 'package main\ndeny contains "no" if to_number(input.x) > 3\nwarn contains "w"'
    assert said(ask(policies(tmp_path, {"main.rego": text}), {"x": "many"})) == [("main.warn", WARN, "w")]


# --- --combine


def test_combined(tmp_path: pathlib.Path) -> None:
    parts = [subject({"n": 1}, file="a.yaml"), subject({"n": 2}, file="a.yaml"), subject([3], file="b.yaml")]
    together = combined(parts)
    assert together.document == [
        {"path": "a.yaml", "contents": {"n": 1}},
        {"path": "a.yaml", "contents": {"n": 2}},
        {"path": "b.yaml", "contents": [3]},
    ]
    assert (together.kind, together.uri) == ("combined", "file://combined")
    rule = "package main\ndeny contains input[i].path if input[i].contents.n == 2"
    assert said(ask(policies(tmp_path, {"main.rego": rule}), together)) == [("main.deny", DENY, "a.yaml")]


# --- the set


def test_revision_is_of_the_content(tmp_path: pathlib.Path) -> None:
    one = policies(tmp_path / "a", {"main.rego": V1})
    same = policies(tmp_path / "b", {"main.rego": V1})
    other = policies(tmp_path / "c", {"main.rego": V1, "data/x.yaml": "x: 1\n"})
    assert one.revision == same.revision != other.revision
    assert one.revision.startswith("sha256:")


def test_resource_that_a_result_names_is_the_place(tmp_path: pathlib.Path) -> None:
    rule = 'package main\ndeny contains {"msg": "no", "address": "aws_vpc.b"}'
    plan = {"resource_changes": [{"address": "aws_vpc.a"}, {"address": "aws_vpc.b"}]}
    (finding,) = ask(policies(tmp_path, {"main.rego": rule}), subject(plan, "terraform.plan"))
    assert finding.path == ("resource_changes", 1)
