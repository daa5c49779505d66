"""evaluate: every policy that applies is asked, and what fails is a finding of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from solon.frameworks.policy import Context, Policy, PolicyFailure, PolicySet, Stage, Violation, evaluate
from solon.subjects.subject import Location, Path, Subject

CONTEXT = Context(now_ns=0)


class Lines:
    """A field stands in the line of its depth."""

    def locate(self, path: Path) -> Location:
        return Location("web.yaml", 1 + len(path))


SUBJECT = Subject(
    "document", "file://web.yaml", "web.yaml", {"a": {"b": 1}}, Location("web.yaml", 1), Lines()
)


def policy(name: str, *found: Violation, applies: bool = True, fails: str = "", **fields: Any) -> Policy:
    def judge(_subject: Subject, _context: Context) -> Iterable[Violation]:
        yield from found
        if fails:
            raise PolicyFailure(fails)

    return Policy(
        id=name,
        language="rego",
        framework="conftest",
        source=Location("main.rego", 1),
        applies=lambda _subject, _context: applies,
        judge=judge,
        **{"stage": Stage.ENFORCE, **fields},
    )


def policy_set(*policies: Policy, candidates: Sequence[Policy] | None = None) -> PolicySet:
    asked = policies if candidates is None else candidates
    return PolicySet("p", "sha256:0", policies, lambda _subject: asked)


def test_findings_of_all_policies_of_all_sets_in_order() -> None:
    sets = [
        policy_set(policy("a", Violation("1"), Violation("2")), policy("b")),
        policy_set(policy("c", Violation("3"))),
    ]
    evaluation = evaluate(sets, SUBJECT, CONTEXT)
    assert [(f.policy.id, f.message) for f in evaluation.findings] == [("a", "1"), ("a", "2"), ("c", "3")]
    assert evaluation.policies == 3
    assert evaluation.subject.uri == SUBJECT.uri


def test_a_subject_with_findings_has_its_line() -> None:
    clean = evaluate([policy_set(policy("a"))], SUBJECT, CONTEXT)
    assert clean.subject is SUBJECT
    violated = evaluate([policy_set(policy("a", Violation("1")))], SUBJECT, CONTEXT)
    assert violated.subject.location == Location("web.yaml", 1)
    assert all(finding.subject is violated.subject for finding in violated.findings)


def test_policies_that_do_not_apply_are_not_counted() -> None:
    evaluation = evaluate(
        [policy_set(policy("a", Violation("1"), applies=False), policy("b"))], SUBJECT, CONTEXT
    )
    assert (evaluation.findings, evaluation.policies) == ([], 1)


def test_only_candidates_are_asked() -> None:
    one, other = policy("a", Violation("1")), policy("b", Violation("2"))
    evaluation = evaluate([policy_set(one, other, candidates=[other])], SUBJECT, CONTEXT)
    assert [f.policy.id for f in evaluation.findings] == ["b"]
    assert evaluation.policies == 1


def test_finding_of_a_violation() -> None:
    violation = Violation(
        "no", details={"x": 1}, path=("a", "b"), severity="critical", remediation="do", excepted="e"
    )
    (finding,) = evaluate([policy_set(policy("a", violation, stage=Stage.WARN))], SUBJECT, CONTEXT).findings
    assert (finding.message, finding.stage, finding.severity) == ("no", Stage.WARN, "critical")
    assert (finding.path, finding.location) == (("a", "b"), Location("web.yaml", 3))
    assert (finding.remediation, finding.details, finding.excepted) == ("do", {"x": 1}, "e")
    assert not finding.error


def test_what_a_violation_does_not_say_is_the_policys() -> None:
    one = policy("a", Violation("no"), severity="low", remediation="as always")
    (finding,) = evaluate([policy_set(one)], SUBJECT, CONTEXT).findings
    assert (finding.severity, finding.remediation) == ("low", "as always")
    assert (finding.path, finding.location) == (None, Location("web.yaml", 1))


def test_policy_that_fails_is_an_error_and_the_rest_goes_on() -> None:
    sets = [
        policy_set(policy("a", Violation("half"), fails="main.rego:3:1: broken"), policy("b", Violation("2")))
    ]
    evaluation = evaluate(sets, SUBJECT, CONTEXT)
    # What it said before it failed does not count: the subject was not judged.
    assert [(f.policy.id, f.message, f.error) for f in evaluation.findings] == [
        ("a", "main.rego:3:1: broken", True),
        ("b", "2", False),
    ]
    assert evaluation.policies == 2


def test_policy_that_cannot_tell_whether_it_applies_is_an_error() -> None:
    def applies(_subject: Subject, _context: Context) -> bool:
        raise PolicyFailure("unclear")

    unclear = Policy("a", "rego", "gatekeeper", Location("x", 1), Stage.ENFORCE, applies, lambda _s, _c: [])
    evaluation = evaluate([policy_set(unclear, policy("b", Violation("2")))], SUBJECT, CONTEXT)
    assert [(f.message, f.error) for f in evaluation.findings] == [("unclear", True), ("2", False)]


def test_nothing_to_ask() -> None:
    assert evaluate([], SUBJECT, CONTEXT).findings == []
    assert evaluate([policy_set()], SUBJECT, CONTEXT).policies == 0
