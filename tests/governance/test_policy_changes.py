"""What a change of policies does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from solon.frameworks.policy import Policy, Stage
from solon.governance.changes import Changes, Snapshot, Verdict, compare, leaps
from solon.subjects.subject import Location

AT = Location("s.yaml", 1)


def snapshot(
    name: str,
    stage: Stage = Stage.ENFORCE,
    severity: str = "medium",
    parameters: Any = None,
    text: str = "t",
    match: Any = None,
) -> Snapshot:
    framework = "gatekeeper" if "/" in name else "conftest"
    policy = Policy(
        name, "rego", framework, Location("p.rego", 3), stage,
        applies=lambda *_: True, judge=lambda *_: [], severity=severity, parameters=parameters,
    )  # fmt: skip
    return Snapshot(policy, text, match)


def changes(
    before: Sequence[Snapshot],
    after: Sequence[Snapshot],
    judged: tuple[Mapping[str, Sequence[Verdict]], Mapping[str, Sequence[Verdict]]] = ({}, {}),
) -> Changes:
    one, other = ({s.policy.id: s for s in side} for side in (before, after))
    return compare("HEAD", one, other, judged, 3)


def only(one: Snapshot, other: Snapshot) -> tuple[str, list[tuple[str, str, str]]]:
    (change,) = changes([one], [other]).policies
    return change.kind, [(r.about, r.direction, r.text) for r in change.reasons]


def test_nothing() -> None:
    assert changes([snapshot("a.deny")], [snapshot("a.deny")]).policies == []


def test_added_and_removed() -> None:
    found = changes([snapshot("a.deny")], [snapshot("b.deny", Stage.WARN)]).policies
    assert [(c.id, c.kind, c.stages) for c in found] == [
        ("a.deny", "removed", (Stage.ENFORCE, None)),
        ("b.deny", "added", (None, Stage.WARN)),
    ]


@pytest.mark.parametrize(
    ("before", "after", "kind", "text"),
    [
        (Stage.DRYRUN, Stage.WARN, "tightened", "dryrun → warn"),
        (Stage.ENFORCE, Stage.DRYRUN, "loosened", "enforce → dryrun"),
    ],
)
def test_enforcement(before: Stage, after: Stage, kind: str, text: str) -> None:
    direction = "tighter" if kind == "tightened" else "looser"
    assert only(snapshot("K/a", before), snapshot("K/a", after)) == (kind, [("enforcement", direction, text)])


def test_a_rule_that_warned_and_denies() -> None:
    before, after = snapshot("a.warn_x", Stage.WARN), snapshot("a.deny_x")
    (change,) = changes([before], [after]).policies
    assert (change.id, change.was, change.kind) == ("a.deny_x", "a.warn_x", "tightened")
    assert len(changes([before], [after, snapshot("a.warn_x", Stage.WARN)]).policies) == 1
    assert [c.kind for c in changes([snapshot("a.warn_y", Stage.WARN)], [after]).policies] == [
        "added",
        "removed",
    ]


def test_severity_and_parameters() -> None:
    one = snapshot("K/a", severity="low", parameters={"max": 10, "labels": ["a"], "same": 1})
    other = snapshot(
        "K/a", severity="high", parameters={"max": 5, "labels": ["a", "b"], "same": 1, "new": True}
    )
    assert only(one, other) == (
        "tightened",
        [
            ("severity", "tighter", "low → high"),
            ("parameters", "", "max: 10 → 5"),
            ("parameters", "", 'labels: ["a"] → ["a","b"]'),
            ("parameters", "", "new: none → true"),
        ],
    )


@pytest.mark.parametrize(
    ("one", "other", "direction"),
    [
        ({"namespaces": ["a"]}, {"namespaces": ["a", "b"]}, "tighter"),
        ({"namespaces": ["a", "b"]}, {"namespaces": ["a"]}, "looser"),
        ({"namespaces": ["a"]}, {"namespaces": ["b"]}, ""),
        ({"namespaces": ["a"]}, {}, "tighter"),
        ({}, {"namespaces": ["a"]}, "looser"),
        ({"excludedNamespaces": ["a"]}, {"excludedNamespaces": ["a", "b"]}, "looser"),
        ({"excludedNamespaces": ["a"]}, {}, "tighter"),
        ({"excludedNamespaces": ["a"]}, {"excludedNamespaces": ["b"]}, ""),
        ({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, {"kinds": [{"apiGroups": ["", "apps"], "kinds": ["Pod"]}]}, "tighter"),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}, {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "looser"),
        ({"scope": "Namespaced"}, {"scope": "*"}, "tighter"),
        ({}, {"labelSelector": {"matchLabels": {"a": "b"}}}, "looser"),
        ({"labelSelector": {"matchLabels": {"a": "b"}}}, {"labelSelector": {"matchLabels": {"a": "c"}}}, ""),
        ({"subject": ["a"]}, {"subject": ["a", "b"]}, "tighter"),
    ],
)  # fmt: skip
def test_match(one: Any, other: Any, direction: str) -> None:
    kind, ((about, found, _),) = only(snapshot("K/a", match=one), snapshot("K/a", match=other))
    assert (about, found) == ("match", direction)
    assert kind == {"tighter": "tightened", "looser": "loosened", "": "changed"}[direction]


def verdicts(**said: str) -> list[Verdict]:
    return [Verdict(name, AT, message) for name, message in said.items()]


def test_behaviour() -> None:
    one, other = snapshot("a.deny", text="1"), snapshot("a.deny", text="2")
    judged = {"a.deny": verdicts(x="no", y="")}, {"a.deny": verdicts(x="", y="no", z="new")}
    found = changes([one], [other], judged)
    (change,) = found.policies
    assert change.kind == "tightened and loosened"
    assert [r.text for r in change.reasons] == [
        "2 samples newly found to violate it",
        "1 sample no longer found to violate it",
    ]
    assert [v.sample for v in change.newly_found] == [v.sample for v in found.newly_denied] == ["y", "z"]
    assert [v.sample for v in change.newly_passed] == [v.sample for v in found.newly_allowed] == ["x"]


def test_where_no_sample_tells() -> None:
    one, other = snapshot("a.deny", text="1"), snapshot("a.deny", text="2")
    same = {"a.deny": verdicts(x="no", y="")}
    (change,) = changes([one], [other], (same, same)).policies
    assert (change.kind, change.reasons[0].text) == (
        "changed",
        "its text or data changed, and none of 2 samples tells a difference",
    )
    assert only(one, other) == (
        "changed",
        [("text", "", "its text or data changed, and no sample is there to tell")],
    )


def test_who_is_denied_counts_all_policies_that_deny() -> None:
    before = [snapshot("a.deny"), snapshot("b.warn", Stage.WARN)]
    judged = (
        {"a.deny": verdicts(x="no"), "b.warn": verdicts(y="hm")},
        {"b.deny": verdicts(y="hm"), "c.deny": verdicts(x="no")},
    )
    found = changes(before, [snapshot("b.deny"), snapshot("c.deny")], judged)
    assert [v.sample for v in found.newly_denied] == ["y"]
    assert found.newly_allowed == []


@pytest.mark.parametrize(
    ("before", "after", "governed", "found"),
    [
        (Stage.DRYRUN, Stage.ENFORCE, False, [True]),
        (Stage.DRYRUN, Stage.ENFORCE, True, [True]),
        (Stage.WARN, Stage.ENFORCE, False, []),
        (Stage.WARN, Stage.ENFORCE, True, [False]),
        (None, Stage.ENFORCE, False, []),
        (None, Stage.ENFORCE, True, [True]),
        (None, Stage.WARN, True, []),
        (Stage.DRYRUN, Stage.WARN, True, []),
        (Stage.ENFORCE, Stage.ENFORCE, True, []),
        (Stage.ENFORCE, Stage.WARN, True, []),
        (Stage.ENFORCE, None, True, []),
    ],
)
def test_stages_that_are_passed_over(
    before: Stage | None, after: Stage | None, governed: bool, found: list[bool]
) -> None:
    one, other = ([snapshot("K/a", stage)] if stage else [] for stage in (before, after))
    assert [leap.skipped for leap in leaps(changes(one, other), governed=governed)] == found
