"""What lint says of templates and constraints beside each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata:
  name: k8sname
  annotations: {notes}
spec:
  crd: {spec: {names: {kind: K8sName}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package k8sname

        violation[{"msg": "x"}] {
          input.review.object.metadata.name == "bad"
        }
"""
NOTES = "{metadata.gatekeeper.sh/title: Names, description: Of objects}"
CONSTRAINT = """apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sName
metadata: {name: names, annotations: {notes}}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}}
"""
SUITE = """apiVersion: test.gatekeeper.sh/v1alpha1
kind: Suite
tests:
  - name: t
    template: t.yaml
    constraint: c.yaml
    cases: [{cases}]
"""
CASE = "{name: {name}, object: {name}.yaml, assertions: [{violations: {violations}}]}"
POD = "apiVersion: v1\nkind: {kind}\nmetadata: {name: {name}}\n"
ALL = "{solon.dev/severity: low, solon.dev/owner: a, solon.dev/controls: b, solon.dev/remediation: c}"


def fill(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


@pytest.fixture
def lint(solon: Callable[..., Any], tmp_path: Path) -> Callable[..., list[str]]:
    def run(*options: str, **files: str) -> list[str]:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        ran = solon("lint", ".", "-o", "github", *options)
        assert ran.err == ""
        return [line for line in ran.out.splitlines() if line.startswith("::")]

    return run


def suite(*names: str) -> dict[str, str]:
    cases = ", ".join(fill(CASE, name=name, violations="yes" if name == "bad" else "no") for name in names)
    pods = {name: fill(POD, name=name, kind="Service" if name == "other" else "Pod") for name in names}
    return {
        "t": fill(TEMPLATE, notes=NOTES),
        "c": fill(CONSTRAINT, notes="{}"),
        "s": fill(SUITE, cases=cases),
        **pods,
    }


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        (["bad", "good"], []),
        (["bad"], ["no case of a suite has K8sName let anything pass"]),
        (["good"], ["no case of a suite has K8sName find anything"]),
        # The constraint is not about Services: nothing is shown by one that passes.
        (["bad", "other"], ["no case of a suite has K8sName let anything pass"]),
        ([], ["no suite asks K8sName about an object"]),
    ],
)
def test_suites(lint: Callable[..., list[str]], cases: list[str], said: list[str]) -> None:
    found = lint(**suite(*cases))
    assert len(found) == len(said)
    for line, message in zip(found, said, strict=True):
        assert line.startswith("::warning file=./t.yaml,line=7,col=24,")
        assert message in line


@pytest.mark.parametrize(
    ("template", "constraint", "missing"),
    [
        (NOTES, ALL, ""),
        ("{description: d}", "{metadata.gatekeeper.sh/title: t}", ""),
        ("{description: d}", "{}", "no title"),
        ("{}", "{}", "no title and no description"),
    ],
)
def test_metadata(lint: Callable[..., list[str]], template: str, constraint: str, missing: str) -> None:
    files = suite("bad", "good") | {
        "t": fill(TEMPLATE, notes=template),
        "c": fill(CONSTRAINT, notes=constraint),
    }
    found = lint(**files)
    assert [line.partition("title=")[2].partition("%0A")[0] for line in found] == (
        [f"gatekeeper/missing-metadata::K8sName has {missing}"] if missing else []
    )


def test_in_a_policy_repository_everything_is_asked_for(
    lint: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "solon.yaml").write_text("policies: [.]\n")
    files = suite("bad", "good")
    found = lint("--ignore", "policy/no-codeowners", **files)
    assert len(found) == 1
    assert "K8sName has no severity and no remediation and no owner and no controls" in found[0]
    assert lint("--ignore", "policy/no-codeowners", **files | {"c": fill(CONSTRAINT, notes=ALL)}) == []
    (tmp_path / "solon.yaml").write_text(
        "policies: [.]\nlint: {require: [title], ignore: [policy/no-codeowners]}\n"
    )
    assert lint(**files) == []


def test_duplicates(lint: Callable[..., list[str]]) -> None:
    files = suite("bad", "good")
    found = lint(**files, u=files["t"], d=files["c"])
    assert [line.partition(" already")[0] for line in found] == [
        "::error file=./d.yaml,line=3,col=12,title=policy/duplicate-id::K8sName names is defined at ./c.yaml:1",
        "::error file=./u.yaml,line=4,col=3,title=policy/duplicate-id::ConstraintTemplate K8sName is defined at ./t.yaml:1",
    ]


def test_variants_of_a_constraint_for_a_test_are_no_duplicates(lint: Callable[..., list[str]]) -> None:
    files = suite("bad", "good")
    lines = files["s"].splitlines()
    more = (
        "\n".join([*lines, *lines[3:]])
        .replace("  - name: t", "  - name: u")
        .replace("constraint: c", "constraint: d", 1)
    )
    assert lint(**files | {"s": more, "d": files["c"]}) == []
