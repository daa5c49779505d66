"""Rollouts: dates to stages, which policies a file is about, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.frameworks.policy import Policy, PolicySet, Stage
from solon.governance.rollouts.rollout import Plan, Rollout, assigned, plan, unmatched
from solon.governance.scope import Traits
from solon.subjects.files import parsed
from solon.subjects.subject import Location, Unreadable

BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str, name: str = "r.yaml") -> tuple[list[Plan], list[str]]:
    """The rollouts of a file, and its problems."""
    plans: list[Plan] = []
    problems: list[str] = []
    for part in parsed(text, name, Rollout, "rollout"):
        if isinstance(part, Unreadable):
            problems.append(str(part))
            continue
        found, wrong = plan(part, UTC)
        plans += [found] if found is not None else []
        problems += map(str, wrong)
    return plans, problems


def only(text: str) -> Plan:
    (found,), problems = read(text)
    assert problems == []
    return found


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


STEPS = """policy: p
default: {default}
scopes:
  - name: all
    stages:
      - {{stage: warn, from: 2026-11-02}}
      - {{stage: audit, from: 2026-12-01T09:00:00Z}}
      - {{stage: enforce, from: 2027-01-11, grace: 7d}}
"""


@pytest.mark.parametrize(
    ("default", "at", "stage"),
    [
        ("dryrun", "0001-01-01T00:00:00Z", "dryrun"),
        ("dryrun", "2026-11-01T23:59:59.999999Z", "dryrun"),
        ("dryrun", "2026-11-02T00:00:00Z", "warn"),
        ("dryrun", "2026-12-01T08:59:59.999999Z", "warn"),
        ("dryrun", "2026-12-01T09:00:00Z", "audit"),
        ("dryrun", "2027-01-10T23:59:59Z", "audit"),
        ("dryrun", "2027-01-11T00:00:00Z", "audit"),  # grace: what was there goes on
        ("dryrun", "2027-01-17T23:59:59.999999Z", "audit"),
        ("dryrun", "2027-01-18T00:00:00Z", "enforce"),
        ("dryrun", "9999-12-31T23:59:59Z", "enforce"),
        ("enforce", "2026-11-01T23:59:59Z", "enforce"),
        ("enforce", "2026-11-02T00:00:00Z", "warn"),
        ("audit", "2026-11-01T00:00:00Z", "audit"),
    ],
)
def test_a_stage_holds_from_its_first_instant(default, at, stage):
    track = only(STEPS.format(default=default)).track(Traits())
    assert track.at(instant(at)).stage == stage


@pytest.mark.parametrize(
    ("steps", "at", "stage"),
    [
        # In grace, what would be denied is shown, whatever was before it.
        ("[{stage: enforce, from: 2026-12-01, grace: 7d}]", "2026-12-07T23:59:59Z", "warn"),
        ("[{stage: enforce, from: 2026-12-01, grace: 7d}]", "2026-12-08T00:00:00Z", "enforce"),
        ("[{stage: enforce, from: 2026-12-01, grace: 0d}]", "2026-12-01T00:00:00Z", "enforce"),
        # A step that begins when the grace period ends takes its place.
        (
            "[{stage: enforce, from: 2026-12-01, grace: 7d}, {stage: warn, from: 2026-12-08}]",
            "2026-12-08T00:00:00Z",
            "warn",
        ),
        # Denied already: there is no grace to go back to.
        (
            "[{stage: enforce, from: 2026-11-01}, {stage: enforce, from: 2026-12-01, grace: 7d}]",
            "2026-12-02T00:00:00Z",
            "enforce",
        ),
        (
            "[{stage: enforce, from: 2026-12-01}, {stage: warn, from: 2026-12-02}]",
            "2026-12-03T00:00:00Z",
            "warn",
        ),
    ],
)
def test_grace_and_steps_back(steps, at, stage):
    track = only(f"policy: p\nscopes: [{{name: a, stages: {steps}}}]").track(Traits())
    assert track.at(instant(at)).stage == stage


@pytest.mark.parametrize(
    ("at", "bites"),
    [
        ("2026-10-01T00:00:00Z", "2027-01-18T00:00:00Z"),
        ("2027-01-17T23:59:59Z", "2027-01-18T00:00:00Z"),
        ("2027-01-18T00:00:00Z", None),
    ],
)
def test_from_when_it_denies_includes_the_grace(at, bites):
    track = only(STEPS.format(default="dryrun")).track(Traits())
    assert track.bites(instant(at)) == (instant(bites) if bites else None)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-03-29", 1),  # the clock goes forward that night
        ("2026-10-25", 2),  # and back that one
        ("2026-12-01", 1),
        ("2026-07-01", 2),
    ],
)
def test_a_date_begins_at_midnight_there(text, offset):
    (part,) = parsed(
        f"policy: p\nscopes: [{{name: a, stages: [{{stage: warn, from: {text}}}]}}]", "r", Rollout, "rollout"
    )
    assert not isinstance(part, Unreadable)
    found, problems = plan(part, BERLIN)
    assert found is not None
    assert problems == []
    start = datetime.fromisoformat(text).replace(tzinfo=UTC) - timedelta(hours=offset)
    track = found.track(Traits())
    assert track.at(start - timedelta(microseconds=1)).stage is Stage.DRYRUN
    assert track.at(start).stage is Stage.WARN


SCOPES = """policy: p
default: warn
scopes:
  - {name: one, where: {namespace: pay-gateway}, stages: [{stage: enforce, from: 2026-01-01}]}
  - {name: two, where: {namespace: "pay-*"}, stages: [{stage: audit, from: 2026-01-01}]}
  - {name: three, where: {team: [pay, ml]}, stages: [{stage: dryrun, from: 2026-01-01}]}
  - {name: four, where: {labels: {tier: gold}, environment: prod}, stages: [{stage: enforce, from: 2026-01-01}]}
"""


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        (Traits(namespace="pay-gateway", team="pay"), "one"),
        (Traits(namespace="pay-other", team="ml"), "two"),
        (Traits(namespace="pay-gateway2"), "two"),
        (Traits(namespace="search", team="ml"), "three"),
        (Traits(team="mlx"), ""),
        (Traits(labels={"tier": "gold"}, environment="prod"), "four"),
        (Traits(labels={"tier": "gold"}), ""),
        (Traits(team="pay", labels={"tier": "gold"}, environment="prod"), "three"),
        (Traits(), ""),
    ],
)
def test_the_first_scope_that_holds(traits, name):
    track = only(SCOPES).track(traits)
    assert track.name == name
    if not name:
        assert track.at(instant("2030-01-01T00:00:00Z")).stage is Stage.WARN


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scopes: []", "r.yaml:1:1: policy is missing: name the policies that this is about"),
        (
            "policy: p\nscopes:\n  - {name: a, stages: []}",
            "r.yaml:3:15: stages is empty: a scope has one step or more",
        ),
        (
            "policy: p\nscopes:\n  - {name: '', stages: [{stage: warn, from: 2026-01-01}]}",
            "r.yaml:3:6: name is empty",
        ),
        (
            "policy: p\nscopes:\n  - {name: a, stages: [{stage: warn, from: 2026-13-01}]}",
            "r.yaml:3:38: from: '2026-13-01' is no date: month must be in 1..12",
        ),
        (
            "policy: p\nscopes:\n  - {name: a, stages: [{stage: warn, from: 2026-02-30}]}",
            "r.yaml:3:38: from: '2026-02-30' is no date: day is out of range for month",
        ),
        (
            "policy: p\nscopes:\n  - {name: a, stages: [{stage: warn, from: 2026-02-02}, {stage: audit, from: 2026-02-02}]}",
            "r.yaml:3:72: from 2026-02-02 is not after the step before it",
        ),
        (
            "policy: p\nscopes:\n  - {name: a, stages: [{stage: warn, from: 2026-02-02, grace: 7d}]}",
            "r.yaml:3:56: only enforce has a grace period",
        ),
        (
            "policy: p\nscopes:\n  - {name: a, stages: [{stage: enforce, from: 9999-12-30, grace: 7d}]}",
            "r.yaml:3:59: grace ends after the year 9999",
        ),
        (
            "policy: p\nscopes:\n  - name: a\n    where: {namespace: ''}\n    stages: [{stage: warn, from: 2026-02-02}]",
            "r.yaml:4:13: namespace is empty, and matches nothing",
        ),
        (
            "policy: p\nexisting: {until: 2026-01-01}",
            "r.yaml:2:1: say what exists already: created_before: DATE, or baseline: FILE",
        ),
        (
            "policy: p\nexisting: {until: soon, baseline: b.json}",
            "r.yaml:2:12: until: 'soon' is no date: write 2026-12-01, or 2026-12-01T09:00:00Z",
        ),
        ("policy: p\nexit: {green: 101%}", "r.yaml:2:8: green must be a share such as 95%, and is '101%'"),
        ("policy: p\nexit: {days: -1}", "r.yaml:2:8: days must not be negative"),
        (
            "policy: p\nexit: {trend: sinking}",
            "r.yaml:2:8: trend must be falling or not-rising, and is 'sinking'",
        ),
        ("policy: p\ndefault: block", "r.yaml:2:1: default: unknown 'block'"),
        ("policy: p\nscope: []", "r.yaml:2:1: unknown key scope: known are "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem):
    plans, problems = read(text)
    assert plans == []
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_a_broken_existing_of_the_rollout_is_told_where_each_scope_has_its_own():
    text = (
        "policy: p\nexisting: {until: never, baseline: b}\nscopes:\n"
        "  - {name: a, existing: {until: 2027-01-01, baseline: b}, stages: [{stage: warn, from: 2026-01-01}]}"
    )
    assert read(text)[0] == []
    assert "until: 'never' is no date" in read(text)[1][0]


def test_one_broken_rollout_of_a_file_does_not_spoil_the_others():
    plans, problems = read("- {policy: a}\n- {policy: b, default: block}\n- {policy: c}\n")
    assert [each.part.value.policy for each in plans] == ["a", "c"]
    assert len(problems) == 1


# --- which policies


def policy(name: str) -> Policy:
    return Policy(name, "rego", "conftest", Location("p"), Stage.ENFORCE, lambda *_: True, lambda *_: [])


def policy_set(name: str, *policies: str) -> PolicySet:
    return PolicySet(name, "r", [policy(each) for each in policies], lambda _: [])


@pytest.mark.parametrize(
    ("rollouts", "chosen"),
    [
        (["policy: main.deny"], 0),
        (["policy: main.*", "policy: main.deny"], 1),
        (["policy: main.deny", "policy: main.*"], 0),
        (["policy_set: conftest:*", "policy: main.*"], 1),
        (["policy: '*'", "policy_set: conftest:policy"], 0),
        (["policy_set: conftest:policy"], 0),
        (["policy: [other.deny, main.deny]", "policy: '*'"], 0),
        (["policy: main.den"], None),
        (["policy: Main.Deny"], None),
        (["policy: main.deny?"], None),
    ],
)
def test_the_rollout_that_names_it_best(rollouts, chosen):
    plans, problems = read("\n---\n".join(rollouts))
    assert problems == []
    found, twice = assigned(plans, [policy_set("conftest:policy", "main.deny")])
    assert twice == []
    assert found == ({} if chosen is None else {"main.deny": plans[chosen]})


@pytest.mark.parametrize(
    "rollouts",
    [
        ["policy: main.deny", "policy: [main.deny, x]"],
        ["policy: main.*", "policy: '*.deny'"],
        ["policy_set: conftest:*", "policy_set: conftest:policy"],
    ],
)
def test_two_that_name_it_equally_well_are_a_problem(rollouts):
    plans, _ = read("\n---\n".join(rollouts))
    _, problems = assigned(plans, [policy_set("conftest:policy", "main.deny")])
    assert [str(each) for each in problems] == [
        "r.yaml:3:1: main.deny is in two rollouts: this, and r.yaml:1:1"
    ]


def test_a_better_one_makes_two_others_no_problem():
    plans, _ = read("policy: main.*\n---\npolicy: '*.deny'\n---\npolicy: main.deny")
    found, problems = assigned(plans, [policy_set("s", "main.deny")])
    assert problems == []
    assert found["main.deny"] is plans[2]


def test_rollouts_of_policies_that_are_not_there():
    plans, _ = read("policy: main.deny\n---\npolicy: gone")
    found, _ = assigned(plans, [policy_set("s", "main.deny")])
    assert unmatched(plans, found) == [plans[1]]


# --- properties

MOMENTS = st.integers(0, 2 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
GRACE = {"": timedelta(), "90m": timedelta(minutes=90), "12h": timedelta(hours=12), "3d": timedelta(days=3)}
STAGES = ["dryrun", "warn", "audit", "enforce"]


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, datetime, str]]:
    starts = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=5, unique=True)))
    found = []
    for start, following in zip(starts, [*starts[1:], datetime.max.replace(tzinfo=UTC)], strict=True):
        stage = draw(st.sampled_from(STAGES))
        fits = [name for name, length in GRACE.items() if start + length <= following]
        found.append((stage, start, draw(st.sampled_from(fits)) if stage == "enforce" else ""))
    return found


def by_hand(default: str, steps: Sequence[tuple[str, datetime, str]], now: datetime) -> str:
    """The stage, read as a person reads the file: the last step that has begun; in its grace period what was before."""
    begun = [step for step in steps if step[1] <= now]
    if not begun:
        return default
    stage, start, grace = begun[-1]
    if now >= start + GRACE[grace]:
        return stage
    before = by_hand(default, steps, start - timedelta(microseconds=1))
    return "warn" if before == "dryrun" else before


@given(st.sampled_from(STAGES), steps(), st.lists(MOMENTS, max_size=5))
def test_a_stage_is_what_a_person_reads(default, found, others):
    written = "".join(
        f"      - {{stage: {stage}, from: '{start:%Y-%m-%dT%H:%M:%SZ}'{f', grace: {grace}' if grace else ''}}}\n"
        for stage, start, grace in found
    )
    track = only(f"policy: p\ndefault: {default}\nscopes:\n  - name: a\n    stages:\n{written}").track(
        Traits()
    )
    edges = [start + GRACE[grace] + shift for _, start, grace in found for shift in (timedelta(0), -SECOND)]
    edges += [start for _, start, _ in found]
    for now in [*others, *edges]:
        assert track.at(now).stage == by_hand(default, found, now), now
        bites = track.bites(now)
        if bites is not None:
            assert bites > now
            assert by_hand(default, found, bites) == "enforce"
            assert by_hand(default, found, bites - SECOND) != "enforce"


SECOND = timedelta(seconds=1)
