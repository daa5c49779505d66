from __future__ import annotations

from datetime import UTC, datetime

import pytest

from solon.frameworks.policy import Policy, PolicySet, Stage
from solon.governance.rollouts.lint import Version, raised, remarks
from solon.governance.rollouts.rollout import Plan, Rollout, plan
from solon.lang.remark import Remark
from solon.subjects.files import Part, parsed
from solon.subjects.subject import Location

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def policy(name: str) -> Policy:
    return Policy(name, "rego", "conftest", Location("p.rego"), Stage.ENFORCE, lambda *_: True, lambda *_: [])


POLICIES = [policy("main.deny"), policy("main.deny_gpus")]
SETS = [PolicySet("conftest", "r", POLICIES, lambda _: POLICIES)]


def planned(text: str) -> Plan:
    (part,) = parsed(text, "r.yaml", Rollout, "rollout")
    assert isinstance(part, Part), part
    found, problems = plan(part, UTC)
    assert found is not None, problems
    return found


def scopes(*lines: str, head: str = "policy: main.deny") -> str:
    """A rollout: each line is the name of a scope, its selector and its steps."""
    out = f"{head}\nscopes:\n"
    for line in lines:
        name, where, *steps = (part.strip() for part in line.split("|"))
        out += f"  - name: {name}\n    where: {{{where}}}\n    stages:\n"
        out += "".join(f"      - {{{step}}}\n" for step in steps)
    return out


def said(found: list[Remark]) -> list[tuple[str, int, str]]:
    return [(r.diagnostic.code, r.diagnostic.span.row, r.diagnostic.message) for r in found]


W, A, E = (
    "stage: warn, from: 2026-11-02",
    "stage: audit, from: 2026-11-09",
    "stage: enforce, from: 2026-12-01",
)
STRAIGHT = "rollout/straight-to-enforce"
SAYS = "emergency: worm, approved_by: ciso"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (scopes(f"a||{W}|{E}"), []),
        (scopes(f"a||{A}|{E}"), []),
        (scopes(f"a||{W}|{A}|{E}"), []),
        (scopes(f"a||{E}"), [(STRAIGHT, 6, "a goes from dryrun to enforce")]),
        (
            scopes(f"a||stage: dryrun, from: 2026-11-02|{E}"),
            [(STRAIGHT, 7, "a goes from dryrun to enforce")],
        ),
        # Once denied, it may come back.
        (scopes(f"a||{W}|{E}|stage: dryrun, from: 2026-12-02|stage: enforce, from: 2026-12-03"), []),
        # But not where it was the first way that was wrong.
        (
            scopes(f"a||{E}|{E.replace('12-01', '12-09')}, {SAYS}"),
            [(STRAIGHT, 6, "a goes from dryrun to enforce")],
        ),
        # A grace period is no stage of its own.
        (scopes(f"a||{E}, grace: 7d"), [(STRAIGHT, 6, "a goes from dryrun to enforce")]),
        (scopes(f"a||{E}, {SAYS}"), []),
        (scopes(f"a||{E}, emergency: worm"), [(STRAIGHT, 6, "a goes from dryrun to enforce")]),
        (scopes(f"a||{E}, approved_by: ciso"), [(STRAIGHT, 6, "a goes from dryrun to enforce")]),
        (
            scopes(f"a||{E}, emergency: ' ', approved_by: ciso"),
            [(STRAIGHT, 6, "a goes from dryrun to enforce")],
        ),
        (scopes(f"a||{E}", head="policy: main.deny\nemergency: worm\napproved_by: ciso"), []),
        (scopes(f"a||{E}", head="policy: main.deny\ndefault: warn"), []),
        (
            "policy: main.deny\ndefault: enforce\n",
            [(STRAIGHT, 2, "subjects in no scope are denied from the start")],
        ),
        ("policy: main.deny\ndefault: enforce\nemergency: worm\napproved_by: ciso\n", []),
        ("policy: main.deny\ndefault: warn\n", []),
        # --- names
        ("policy: main.*\n", []),
        ("policy: main.dney\n", [("rollout/unknown-policy", 1, "no policy is called main.dney")]),
        (
            "policy:\n  - main.deny\n  - other.*\n",
            [("rollout/unknown-policy", 3, "no policy is called other.*")],
        ),
        ("policy_set: conf*\n", []),
        ("policy_set: gatekeeper\n", [("rollout/unknown-policy", 1, "no policy set is called gatekeeper")]),
        # --- scopes
        (
            scopes(f"a|namespace: pay-*|{W}", f"b|namespace: pay-eu, team: x|{W}", f"c|namespace: ml|{W}"),
            [("rollout/unreachable-scope", 7, "b is never reached: a takes all of it before")],
        ),
        (scopes(f"a|namespace: pay-eu|{W}", f"b|namespace: pay-*|{W}"), []),
        # --- lengths
        (
            scopes(f"a||{W}|{A}", head="policy: main.deny\nexit: {days: 8}"),
            [("rollout/short-stage", 8, "warn in a lasts 7 days, and is to be observed for 8 days")],
        ),
        (scopes(f"a||{W}|{A}", head="policy: main.deny\nexit: {days: 7}"), []),
        (scopes(f"a||{W}, exit: {{days: 2}}|{A}", head="policy: main.deny\nexit: {days: 8}"), []),
        # The stage lasts as long as it does, also as a period of grace.
        (
            scopes(
                f"a||{W}|stage: enforce, from: 2026-11-05, grace: 4d",
                head="policy: main.deny\nexit: {days: 7}",
            ),
            [],
        ),
        # Nothing is asked of the way back.
        (scopes(f"a||{W}|stage: dryrun, from: 2026-11-03", head="policy: main.deny\nexit: {days: 8}"), []),
    ],
)
def test_remarks(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert said(list(remarks(planned(text), SETS))) == expected


def test_a_name_that_is_nearly_right() -> None:
    (found,) = remarks(planned("policy: main.dney\n"), SETS)
    assert found.diagnostic.hint == "did you mean main.deny?"


def test_where_policies_are_not_known_no_name_is_wrong() -> None:
    assert list(remarks(planned("policy: nope\n"), None)) == []


# --- changes

TOMORROW = "stage: enforce, from: 2026-11-21"
NOW_ENFORCED = "stage: enforce, from: 2026-11-19"
DRY = "stage: dryrun, from: 2026-11-02"
UNTIL_NOW = "stage: warn, from: 2026-11-02"


def skipped(before: str | None, after: str | None) -> list[str]:
    def version(text: str | None) -> Version:
        return Version(None if text is None else {"main.deny": planned(text)} if text else {})

    found = list(raised(version(before), version(after), ["main.deny"], NOW, Location("solon.yaml", 1, 1)))
    assert {each.diagnostic.code for each in found} <= {"rollout/skipped-stage"}
    return [each.diagnostic.message for each in found]


FROM_A = "main.deny denies in a what was in a, which was at dryrun"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # As it was.
        (scopes(f"a||{DRY}"), scopes(f"a||{DRY}"), []),
        (scopes(f"a||{NOW_ENFORCED}"), scopes(f"a||{NOW_ENFORCED}"), []),
        # From dryrun to enforce, whatever the file says of days that are over.
        (scopes(f"a||{DRY}"), scopes(f"a||{NOW_ENFORCED}"), [FROM_A]),
        (scopes(f"a||{DRY}"), scopes(f"a||{UNTIL_NOW}|{NOW_ENFORCED}"), [FROM_A]),
        (scopes(f"a||{DRY}"), scopes(f"a||{DRY}|{TOMORROW}"), [FROM_A]),
        (scopes(f"a||{DRY}"), scopes(f"a||{DRY}|{TOMORROW}, grace: 7d"), [FROM_A]),
        (scopes(f"a||{DRY}"), scopes(f"a||{DRY}|{TOMORROW}, {SAYS}"), []),
        # There is time to see it.
        (scopes(f"a||{DRY}"), scopes(f"a||{UNTIL_NOW}|{E}"), []),
        (scopes(f"a||{DRY}"), scopes(f"a||{DRY}|stage: warn, from: 2026-11-25|{E}"), []),
        (scopes(f"a||{UNTIL_NOW}"), scopes(f"a||{UNTIL_NOW}|{NOW_ENFORCED}"), []),
        # A selector that takes in more, an earlier scope, the default, a scope that is gone.
        (
            scopes(f"a|namespace: canary|{UNTIL_NOW}|{NOW_ENFORCED}"),
            scopes(f"a|namespace: '*'|{UNTIL_NOW}|{NOW_ENFORCED}"),
            ["main.deny denies in a what was in no scope, which was at dryrun"],
        ),
        (
            scopes(f"fleet||{DRY}"),
            scopes(f"vip|team: x|{NOW_ENFORCED}", f"fleet||{DRY}"),
            ["main.deny denies in vip what was in fleet, which was at dryrun"],
        ),
        (
            scopes(f"fleet|team: w|{DRY}", head="policy: main.deny\ndefault: warn"),
            scopes(
                f"vip|team: x|{NOW_ENFORCED}", f"fleet|team: w|{DRY}", head="policy: main.deny\ndefault: warn"
            ),
            [],
        ),
        (
            "policy: main.deny\n",
            "policy: main.deny\ndefault: enforce\n",
            ["main.deny denies in no scope what was in no scope, which was at dryrun"],
        ),
        ("policy: main.deny\ndefault: warn\n", "policy: main.deny\ndefault: enforce\n", []),
        (
            scopes(f"old|team: x|{DRY}", f"fleet||{NOW_ENFORCED}"),
            scopes(f"fleet||{NOW_ENFORCED}"),
            ["main.deny denies in fleet what was in old, which was at dryrun"],
        ),
        (
            scopes(f"old|team: x|{DRY}", head="policy: main.deny\ndefault: enforce"),
            "policy: main.deny\ndefault: enforce\n",
            ["main.deny denies in no scope what was in old, which was at dryrun"],
        ),
        (
            scopes(f"canary|namespace: c-*|{NOW_ENFORCED}", f"fleet||{DRY}"),
            scopes(f"canary|namespace: c-*|{NOW_ENFORCED}", f"fleet|team: '*'|{DRY}"),
            [],
        ),
        (
            scopes(f"a|team: x|{DRY}", f"fleet||{NOW_ENFORCED}"),
            scopes(f"fleet||{NOW_ENFORCED}", f"a|team: x|{DRY}"),
            ["main.deny denies in fleet what was in a, which was at dryrun"],
        ),
        # A rollout of a policy that had none.
        ("", scopes(f"a||{NOW_ENFORCED}"), ["main.deny denies in a what was in no rollout before"]),
        ("", scopes(f"a||{UNTIL_NOW}|{E}"), []),
        (scopes(f"a||{NOW_ENFORCED}"), "", []),
        # Rollouts come, and only lower; they go, and everything denies.
        (None, scopes(f"a||{NOW_ENFORCED}"), []),
        (
            scopes(f"a||{DRY}"),
            None,
            ["the rollouts are gone: every policy does what it asks for itself, from now on and everywhere"],
        ),
    ],
)
def test_a_change_that_skips_stages(before: str | None, after: str | None, expected: list[str]) -> None:
    assert skipped(before, after) == expected
