import pytest

from solon.decisions.decision import Outcome, decide
from solon.frameworks.policy import Evaluation, Finding, Policy, Stage
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


@pytest.mark.parametrize(
    "findings,outcome,groups",
    [
        ([], Outcome.ALLOW, "0000"),
        ([DRYRUN, AUDIT], Outcome.ALLOW, "0020"),
        ([EXCEPTED], Outcome.ALLOW, "0010"),
        ([WARNED, DRYRUN], Outcome.WARN, "0110"),
        ([FAILED, WARNED], Outcome.ERROR, "0101"),
        ([FAILED_IN_DRYRUN], Outcome.ERROR, "0001"),
        ([WARNED, FAILED, ENFORCED, DRYRUN, EXCEPTED], Outcome.DENY, "1121"),
    ],
)
def test_the_gravest_finding_gives_the_outcome(findings, outcome, groups):
    decision = decide(Evaluation(SUBJECT, findings, 1, 5), decision_id="d", revisions={}, timestamp_ns=7)
    sizes = [len(g) for g in (decision.enforced, decision.warned, decision.recorded, decision.errors)]
    assert (decision.outcome, "".join(map(str, sizes))) == (outcome, groups)
    assert sorted(map(id, decision.findings)) == sorted(map(id, findings))


@pytest.mark.parametrize("policies", [0, 1])
def test_no_policy_is_not_a_pass(policies):
    decision = decide(Evaluation(SUBJECT, [], policies), decision_id="d", revisions={}, timestamp_ns=0)
    assert decision.unmatched is (policies == 0)
