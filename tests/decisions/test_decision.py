from dataclasses import replace

import pytest

from solon.decisions.decision import Outcome, decide
from solon.frameworks.policy import Evaluation, Finding, Policy, Ruling, Stage
from solon.subjects.subject import Location, Subject

PLACE = Location("web.yaml", 1)
SUBJECT = Subject("kubernetes.object", "k8s://m/-/Pod/web", "Pod/web", {}, PLACE, None)


def found(stage, *, error=False, excepted=""):
    policy = Policy("p", "rego", "gatekeeper", PLACE, stage, lambda *_: True, lambda *_: [])
    return Finding(policy, SUBJECT, "no", stage, "medium", PLACE, error=error, excepted=excepted)


ENFORCED, WARNED = found(Stage.ENFORCE), found(Stage.WARN)
DRYRUN, AUDIT = found(Stage.DRYRUN), found(Stage.AUDIT)
FAILED = found(Stage.ENFORCE, error=True)
FAILED_IN_DRYRUN = found(Stage.DRYRUN, error=True)
EXCEPTED = found(Stage.ENFORCE, excepted="rule")
# Of a policy that denies by itself: what the programme has made of it.
LOWERED = replace(ENFORCED, stage=Stage.DRYRUN)
FAILED_LOWERED = replace(FAILED, stage=Stage.WARN)
WAIVED = replace(ENFORCED, ruling=Ruling(waiver="w"))
OVERRIDDEN = replace(ENFORCED, ruling=Ruling(breakglass="b"))


@pytest.mark.parametrize(
    "findings,outcome,groups",
    [
        ([], Outcome.ALLOW, "000000"),
        ([DRYRUN], Outcome.ALLOW, "000010"),
        ([AUDIT], Outcome.WARN, "001000"),
        ([EXCEPTED], Outcome.ALLOW, "000010"),
        ([WARNED, DRYRUN], Outcome.WARN, "001010"),
        ([FAILED, WARNED], Outcome.ERROR, "001001"),
        ([FAILED_IN_DRYRUN], Outcome.ERROR, "000001"),
        ([WARNED, FAILED, ENFORCED, DRYRUN, EXCEPTED], Outcome.DENY, "101021"),
        ([LOWERED], Outcome.ALLOW, "000010"),
        ([FAILED_LOWERED], Outcome.WARN, "001000"),
        ([WAIVED], Outcome.ALLOW, "000100"),
        ([OVERRIDDEN], Outcome.WARN, "010000"),
        ([replace(FAILED, ruling=Ruling(breakglass="b"))], Outcome.WARN, "010000"),
        ([OVERRIDDEN, WAIVED, ENFORCED], Outcome.DENY, "110100"),
    ],
)
def test_the_gravest_finding_gives_the_outcome(findings, outcome, groups):
    decision = decide(Evaluation(SUBJECT, findings, 1, 5), decision_id="d", revisions={}, timestamp_ns=7)
    names = ("enforced", "overridden", "warned", "waived", "recorded", "errors")
    sizes = [len(getattr(decision, name)) for name in names]
    assert (decision.outcome, "".join(map(str, sizes))) == (outcome, groups)
    assert sorted(map(id, decision.findings)) == sorted(map(id, findings))


@pytest.mark.parametrize("policies", [0, 1])
def test_no_policy_is_not_a_pass(policies):
    decision = decide(Evaluation(SUBJECT, [], policies), decision_id="d", revisions={}, timestamp_ns=0)
    assert decision.unmatched is (policies == 0)
