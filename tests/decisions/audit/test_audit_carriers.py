"""Which policies carry a control, and when they were in force."""

from __future__ import annotations

from typing import Any

import pytest

from solon.decisions.audit import programme
from solon.decisions.audit.carriers import Carrier, carrying
from solon.decisions.in_force.events import Differences, Recorded, Said
from solon.decisions.in_force.parts import ActivePolicy, ActiveSet, ActiveWaiver
from solon.decisions.log.errors import LogError
from solon.frameworks.policy import Stage
from solon.governance.waivers.waiver import State, Waiver

ONE = Carrier("a", "base", ("EU-AI-Act:Art.12", "SOC2:CC8.1"))
TWO = Carrier("b", "base", ("EU-AI-Act:Art.9",))
THREE = Carrier("c", "base", ())


@pytest.mark.parametrize(
    ("globs", "found"),
    [
        (["EU-AI-Act:Art.12"], {"EU-AI-Act:Art.12": ["a"]}),
        (["EU-AI-Act:*"], {"EU-AI-Act:Art.12": ["a"], "EU-AI-Act:Art.9": ["b"]}),
        (["SOC2:CC8.1", "*Art.9"], {"EU-AI-Act:Art.9": ["b"], "SOC2:CC8.1": ["a"]}),
        ([], {}),
    ],
)
def test_controls_and_their_policies(globs: list[str], found: dict[str, list[str]]) -> None:
    carried = carrying([ONE, TWO, THREE], globs)
    assert {name: [each.policy for each in policies] for name, policies in carried.items()} == found


@pytest.mark.parametrize(
    ("carriers", "glob", "says"),
    [
        ([ONE, TWO], "EU-AI-Act:Art.1", "no policy carries it; did you mean EU-AI-Act:Art.12?"),
        ([ONE, TWO], "zzz", "no policy carries it; there are EU-AI-Act:Art.12, EU-AI-Act:Art.9, SOC2:CC8.1"),
        ([THREE], "zzz", "no policy carries it: no policy names a control (`controls` in its metadata)"),
        ([ONE], "eu-ai-act:art.12", "no policy carries it; did you mean EU-AI-Act:Art.12?"),
    ],
)
def test_a_control_that_nothing_carries(carriers: list[Carrier], glob: str, says: str) -> None:
    with pytest.raises(LogError) as raised:
        carrying(carriers, [glob])
    assert str(raised.value) == f"--control {glob}: {says}"


# --- from entries of the log


def policy(name: str, *controls: str) -> ActivePolicy:
    return ActivePolicy(name, "rego", "conftest", Stage.ENFORCE, f"{name}.rego", 3, controls=list(controls))


def active(
    second: int, *policies: ActivePolicy, place: str = "ci", change: Any = "changed", name: str = "base"
) -> Recorded:
    part = ActiveSet(name, f"r{second}", list(policies))
    said = Said("activation", place, change, f"policies {name}", "digest", policy_set=part)
    return Recorded(f"e-{second}", second * 1_000_000_000, "0001", second, said, "ann")


def periods(entries: list[Recorded], start: int = 0, end: int = 100) -> dict[tuple[str, str], Any]:
    found = programme.carriers(entries, start * 1_000_000, end * 1_000_000)
    return {
        (each.place, each.policy): [
            (a // 1_000_000, None if b is None else b // 1_000_000) for a, b in each.periods or ()
        ]
        for each in found
    }


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([active(10, policy("a"))], {("ci", "a"): [(10, None)]}),
        ([active(10, policy("a")), active(20, policy("a"))], {("ci", "a"): [(10, None)]}),
        ([active(10, policy("a")), active(20, policy("b"))], {("ci", "a"): [(10, 20)], ("ci", "b"): [(20, None)]}),
        ([active(10, policy("a")), active(20), active(30, policy("a"))], {("ci", "a"): [(10, 20), (30, None)]}),
        ([active(10, policy("a")), active(20, policy("a"), change="removed")], {("ci", "a"): [(10, 20)]}),
        (
            [active(10, policy("a")), active(20, place="k8s"), active(30, policy("a"), place="k8s")],
            {("ci", "a"): [(10, None)], ("k8s", "a"): [(30, None)]},
        ),
        ([active(10, policy("a")), active(20, policy("b"), name="other")], {("ci", "a"): [(10, None)], ("ci", "b"): [(20, None)]}),
        ([active(10, policy("a")), active(200)], {("ci", "a"): [(10, None)]}),
    ],
)  # fmt: skip
def test_when_policies_were_in_force(entries: list[Recorded], found: dict[Any, Any]) -> None:
    assert periods(entries) == found


def test_what_ended_before_the_period_does_not_carry() -> None:
    entries = [active(10, policy("a")), active(20, policy("b"))]
    assert set(periods(entries, start=20)) == {("ci", "b")}
    assert set(periods(entries, start=19)) == {("ci", "a"), ("ci", "b")}


def test_a_policy_carries_every_control_that_it_named() -> None:
    entries = [active(10, policy("a", "X:1")), active(20, policy("a", "X:2"))]
    (found,) = programme.carriers(entries, 0, 100_000_000)
    assert (found.controls, found.written) == (("X:1", "X:2"), "a.rego:3")


def test_changes_are_those_of_the_period_and_the_policies() -> None:
    waiver = ActiveWaiver(
        "w-1",
        "w.yaml",
        Waiver("a*", owner="ann", reason="vendor image", approved_by="ben", ticket="SEC-1"),
        "2026-01-01",
        "2026-02-01",
        State.ACTIVE,
    )
    said = Said("waiver", "ci", "added", "waiver w-1", "digest", waiver=waiver)
    entries = [
        active(10, policy("a"), change="added"),
        active(20, policy("z"), name="other"),
        Recorded("e-30", 30_000_000_000, "0001", 30, said, "ann"),
        active(40, policy("a")),
    ]
    changed = Recorded(
        "e-50", 50_000_000_000, "0001", 50,
        Said("activation", "ci", "changed", "policies base", "d", policy_set=ActiveSet("base", "r50", []),
             differences=Differences(was="r40", removed=["a"])),
    )  # fmt: skip
    found = list(programme.changes([*entries, changed], [Carrier("a", "base", ())], 20_000_000, 60_000_000))
    assert [(each["entry"], each["kind"], each["what"], each["by"]) for each in found] == [
        ("e-30", "waiver", "w-1 added, 2026-01-01 to 2026-02-01\nvendor image (owner ann, approved by ben, SEC-1)", "ann"),
        ("e-40", "policy set", "base changed, revision r40", "ann"),
        ("e-50", "policy set", "base changed, revision r50 (was r40)\nremoved: a", ""),
    ]  # fmt: skip
    assert programme.approvals(entries)["w-1"].waiver.approved_by == "ben"
