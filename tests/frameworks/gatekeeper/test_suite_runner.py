"""What running a suite says where a test does not hold, or cannot be run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from solon.frameworks.gatekeeper.suite import Filter, SuiteRunner
from solon.frameworks.policy import Context
from solon.frameworks.testing import Status, TestResult

TEMPLATE = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: counted}
spec:
  crd:
    spec:
      names: {kind: Counted}
      validation:
        openAPIV3Schema:
          type: object
          properties:
            level: {type: string}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package counted

        violation[{"msg": msg}] {
          msg := sprintf("container %v: bad", [input.review.object.spec.containers[_].name])
        }
"""
CONSTRAINT = """
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Counted
metadata: {name: counted}
"""
FILES = {
    "template.yaml": TEMPLATE,
    "constraint.yaml": CONSTRAINT,
    "wrong-parameters.yaml": CONSTRAINT + "spec: {parameters: {level: 3}}\n",
    "unknown-parameter.yaml": CONSTRAINT + "spec: {parameters: {levle: high}}\n",
    "other-kind.yaml": CONSTRAINT.replace("Counted", "Other"),
    "broken-template.yaml": TEMPLATE.replace("msg := sprintf", "msg = = sprintf"),
    "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app}, {name: proxy}]}",
    "two.yaml": "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Pod\n",
    "none.yaml": "# nothing\n",
    "broken.yaml": "a: [1\n",
    "text.yaml": "just text\n",
    "kindless.yaml": "apiVersion: v1\nmetadata: {name: x}\n",
    "review-without-request.yaml": "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n",
    "review-without-objects.yaml": (
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {operation: CREATE}\n"
    ),
    "review-unknown-field.yaml": (
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"
        "request: {operation: CREATE, pod: {}, object: {apiVersion: v1, kind: Pod}}\n"
    ),
    "delete-without-old.yaml": (
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n"
        "request: {operation: DELETE, object: {apiVersion: v1, kind: Pod}}\n"
    ),
}

Run = Callable[..., list[TestResult]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a suite with the tests given, beside FILES."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def run(*tests: Any, wanted: str = "", **suite: Any) -> list[TestResult]:
        document = {
            "apiVersion": "test.gatekeeper.sh/v1alpha1",
            "kind": "Suite",
            "tests": list(tests),
            **suite,
        }
        runner = SuiteRunner(lambda path: Path(path).read_bytes(), Context(now_ns=0), lambda: 0.0)
        return list(runner.run(str(tmp_path / "suite.yaml"), document, Filter.parse(wanted)))

    return run


def test_of(*cases: Any, **fields: Any) -> dict[str, Any]:
    return {
        "name": "t",
        "template": "template.yaml",
        "constraint": "constraint.yaml",
        "cases": list(cases),
        **fields,
    }


test_of.__test__ = False  # type: ignore[attr-defined]


def case(assertions: Any, object: str = "pod.yaml", **fields: Any) -> dict[str, Any]:
    return {"name": "c", "object": object, "assertions": assertions, **fields}


BOTH = "\n    - container app: bad\n    - container proxy: bad"


@pytest.mark.parametrize(
    ("assertions", "message"),
    [
        ([{"violations": "no"}], f"expected no violations, got 2 of{BOTH}"),
        ([{"violations": 3}], f"expected 3 violations, got 2 of{BOTH}"),
        ([{"violations": 1}], f"expected 1 violation, got 2 of{BOTH}"),
        ([{"violations": 0}], f"expected 0 violations, got 2 of{BOTH}"),
        ([{"violations": 2, "message": "app"}], f"expected 2 violations matching 'app', got 1 of{BOTH}"),
        ([{"message": "^app"}], f"expected at least one violation matching '^app', got 0 of{BOTH}"),
        (
            [{"violations": "no", "message": "proxy"}],
            f"expected no violations matching 'proxy', got 1 of{BOTH}",
        ),
        # The first that does not hold is told.
        ([{"violations": 2}, {"violations": 5}, {"violations": 6}], f"expected 5 violations, got 2 of{BOTH}"),
    ],
)
def test_failing_assertion(run: Run, assertions: Any, message: str) -> None:
    (result,) = run(test_of(case(assertions)))
    assert (result.status, result.message) == (Status.FAILED, message)
    assert result.name == "t/c"


def test_failing_assertion_where_there_are_no_violations(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    (result,) = run(test_of(case([{"violations": 1}], "empty.yaml")))
    assert (result.status, result.message) == (Status.FAILED, "expected 1 violation, got none")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (case([]), "assertions must be non-empty"),
        (case(None), "assertions must be non-empty"),
        (case({"violations": 1}), "assertions must be a list"),
        (case(["no"]), "an assertion must be an object"),
        (case([{"violations": -1}]), "assertion violations must be yes, no or a count, not -1"),
        (case([{"violations": "maybe"}]), "assertion violations must be yes, no or a count, not 'maybe'"),
        (case([{"violations": 1.5}]), "assertion violations must be yes, no or a count, not 1.5"),
        (case([{"violations": 1, "message": "("}]), "assertion message: "),
        (case([{}], ""), "must define object"),
        (case([{}], "missing.yaml"), "missing.yaml: no such file or directory"),
        (case([{}], "two.yaml"), "two.yaml: defines 2 objects, must be exactly one"),
        (case([{}], "none.yaml"), "none.yaml: defines no objects"),
        (case([{}], "broken.yaml"), "broken.yaml:2:1: not YAML"),
        (case([{}], "text.yaml"), "text.yaml: not an object"),
        (case([{}], inventory=["missing.yaml"]), "missing.yaml: no such file or directory"),
        (case([{}], inventory=["broken.yaml"]), "broken.yaml:2:1: not YAML"),
        (case([{}], inventory=["text.yaml"]), "inventory: an object needs apiVersion and kind"),
        (
            case([{}], inventory=["pod.yaml", "kindless.yaml"]),
            "inventory: an object needs apiVersion and kind",
        ),
        (
            case([{}], "review-without-request.yaml"),
            "request did not actually pass in an AdmissionRequest",
        ),
        (
            case([{}], "review-without-objects.yaml"),
            'AdmissionRequest does not contain an "object" or "oldObject" to review',
        ),
        (case([{}], "review-unknown-field.yaml"), "unknown field request.pod"),
        (case([{}], "delete-without-old.yaml"), "oldObject cannot be nil for DELETE operations"),
    ],
)
def test_case_that_cannot_be_run(run: Run, fields: Any, message: str) -> None:
    (result,) = run(test_of(fields))
    assert result.status is Status.ERROR
    assert message in result.message


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"template": None}, Status.ERROR, "missing template"),
        ({"constraint": ""}, Status.ERROR, "missing constraint"),
        ({"template": "missing.yaml"}, Status.ERROR, "missing.yaml: no such file or directory"),
        ({"template": "pod.yaml"}, Status.ERROR, "pod.yaml: not a ConstraintTemplate"),
        ({"constraint": "pod.yaml"}, Status.ERROR, "pod.yaml: not a constraint"),
        ({"constraint": "two.yaml"}, Status.ERROR, "two.yaml: defines 2 objects, must be exactly one"),
        ({"constraint": "other-kind.yaml"}, Status.ERROR, "Other is not the template's kind Counted"),
        ({"template": "broken-template.yaml"}, Status.ERROR, "rego_parse_error"),
        ({"expansion": "expansion.yaml"}, Status.ERROR, "expansion is not supported"),
        (
            {"constraint": "wrong-parameters.yaml"},
            Status.ERROR,
            "/wrong-parameters.yaml: spec.parameters.level: must be of type string, not 3",
        ),
        ({"constraint": "unknown-parameter.yaml"}, Status.ERROR, "spec.parameters.levle: unknown field"),
        ({"constraint": "wrong-parameters.yaml", "invalid": True}, Status.PASSED, ""),
        (
            {"invalid": True},
            Status.FAILED,
            "the constraint was expected to be invalid, but its parameters fit the schema",
        ),
        # Only what the schema refuses is what `invalid` means; gator says so too.
        ({"constraint": "unknown-parameter.yaml", "invalid": True}, Status.ERROR, "unknown field"),
        ({"template": "broken-template.yaml", "invalid": True}, Status.ERROR, "rego_parse_error"),
        ({"cases": []}, Status.SKIPPED, "no cases"),
        ({"skip": True, "template": "missing.yaml"}, Status.SKIPPED, "skip: true"),
    ],
)
def test_test_as_a_whole(run: Run, fields: dict[str, Any], status: Status, message: str) -> None:
    (result,) = run(test_of(case([{"violations": 2}]), **fields))
    assert result.status is status
    assert message in result.message
    assert result.name == "t"


@pytest.mark.parametrize("tests", ["t", {"a": 1}, ["t"], [1]])
def test_tests_that_are_no_list_of_objects(run: Run, tests: Any) -> None:
    (result,) = run(tests=tests)
    assert (result.status, result.message) == (Status.ERROR, "tests must be a list of objects")


def test_an_error_does_not_stop_what_follows(run: Run) -> None:
    results = run(
        test_of(case([{"violations": 2}]), template="missing.yaml"),
        test_of(case([{}], "missing.yaml"), case([{"violations": 2}])),
        test_of(case([{"violations": 2}])),
    )
    assert [r.status for r in results] == [Status.ERROR, Status.ERROR, Status.PASSED, Status.PASSED]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ["first/small", "first/large", "second/small"]),
        ("small", ["first/small", "second/small"]),
        ("first", ["first/small", "first/large"]),
        ("first//small", ["first/small"]),
        ("^first$//", ["first/small", "first/large"]),
        ("//large", ["first/large"]),
        ("second//large", []),
        ("third", []),
    ],
)
def test_filter(run: Run, wanted: str, names: list[str]) -> None:
    def named(test: str, *cases: str) -> dict[str, Any]:
        return test_of(*[case([{"violations": 2}], name=name) for name in cases], name=test)

    results = run(named("first", "small", "large"), named("second", "small"), wanted=wanted)
    assert [r.name for r in results] == names


def test_yes_and_no_written_without_quotes(run: Run) -> None:
    # YAML as Kubernetes reads it makes booleans of them.
    assertions = yaml.safe_load("[{violations: yes}, {violations: no, message: nothing}]")
    assert assertions[0]["violations"] is True
    (result,) = run(test_of(case(assertions)))
    assert result.status is Status.PASSED
