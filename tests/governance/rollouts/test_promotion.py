from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from solon.frameworks.policy import Stage
from solon.governance.rollouts.observations import Found, Seen
from solon.governance.rollouts.promotion import NotNow, Promotion, demoted, promoted
from solon.governance.rollouts.rollout import Rollout, Step, Track, plan
from solon.subjects.files import Part, parsed

NOW = datetime(2026, 11, 20, 12, 30, 15, 999, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ENFORCE, AUDIT, WARN, DRYRUN = Stage.ENFORCE, Stage.AUDIT, Stage.WARN, Stage.DRYRUN


def track(*stages: str, exit_: str = "{}", default: str = "dryrun") -> Track:
    steps = "".join(f"      - {{{each}}}\n" for each in stages)
    text = f"policy: a\ndefault: {default}\nexit: {exit_}\nscopes:\n  - name: fleet\n    stages:\n{steps}"
    (part,) = parsed(text, "r.yaml", Rollout, "rollout")
    assert isinstance(part, Part), part
    found, problems = plan(part, UTC)
    assert found is not None, problems
    return found.tracks[0]


def steps(track: Track) -> Sequence[Step]:
    return list({p.index: p.step for p in track.periods if p.step is not None}.values())


def seen(count: int, days: int = 3, stage: Stage = WARN) -> list[tuple[str, list[Seen]]]:
    return [("a", [Seen(NOW - timedelta(days=n), stage, 9, 3, Found(count)) for n in reversed(range(days))])]


@pytest.mark.parametrize(
    ("stages", "asked", "wanted"),
    [
        (["stage: warn, from: 2026-11-02"], Promotion(), Step(AUDIT, "2026-11-21")),
        (["stage: audit, from: 2026-11-02"], Promotion(), Step(ENFORCE, "2026-11-21")),
        (["stage: warn, from: 2026-11-02"], Promotion(ENFORCE), Step(ENFORCE, "2026-11-21")),
        (["stage: dryrun, from: 2026-11-02"], Promotion(AUDIT), Step(AUDIT, "2026-11-21")),
        (["stage: audit, from: 2026-11-02"], Promotion(begins="2026-11-20"), Step(ENFORCE, "2026-11-20")),
        (
            ["stage: audit, from: 2026-11-02"],
            Promotion(begins="2026-12-01", grace="7d"),
            Step(ENFORCE, "2026-12-01", grace="7d"),
        ),
        # Behind a step that is still to come, where nothing has to hold.
        (
            ["stage: warn, from: 2026-11-02", "stage: audit, from: 2026-12-01"],
            Promotion(begins="2026-12-24"),
            Step(ENFORCE, "2026-12-24"),
        ),
        (
            ["stage: dryrun, from: 2026-11-02"],
            Promotion(ENFORCE, emergency="worm", approved_by="ciso"),
            Step(ENFORCE, "2026-11-20T12:30:15Z", emergency="worm", approved_by="ciso"),
        ),
    ],
)
def test_promoted(stages: list[str], asked: Promotion, wanted: Step) -> None:
    move = promoted(track(*stages), asked, [], NOW, UTC)
    assert (move.step, move.keep, list(move.gone)) == (wanted, len(stages), [])


@pytest.mark.parametrize(
    ("stages", "asked", "reason"),
    [
        (["stage: enforce, from: 2026-11-02"], Promotion(), "fleet enforces from 2026-11-02"),
        (["stage: audit, from: 2026-11-02"], Promotion(WARN), "warn is no step up from audit"),
        (["stage: audit, from: 2026-11-02"], Promotion(AUDIT), "audit is no step up from audit"),
        (["stage: dryrun, from: 2026-11-02"], Promotion(ENFORCE), "dryrun goes to warn or audit first"),
        (["stage: warn, from: 2026-11-02"], Promotion(emergency="worm"), "an emergency needs both"),
        (["stage: warn, from: 2026-11-02"], Promotion(approved_by="ciso"), "an emergency needs both"),
        (["stage: warn, from: 2026-11-02"], Promotion(begins="soon"), "--from: 'soon' is no date"),
        (["stage: warn, from: 2026-11-02"], Promotion(begins="2026-11-19"), "--from: 2026-11-19 is over"),
        (["stage: warn, from: 2026-12-01"], Promotion(), "the step to warn is from 2026-12-01"),
        (["stage: warn, from: 2026-11-02"], Promotion(grace="7d"), "--grace: only enforce"),
        (["stage: audit, from: 2026-11-02"], Promotion(grace="week"), "--grace: 'week' is no duration"),
    ],
)
def test_not_promoted(stages: list[str], asked: Promotion, reason: str) -> None:
    with pytest.raises(NotNow) as refused:
        promoted(track(*stages), asked, [], NOW, UTC)
    assert str(refused.value).startswith(reason)
    assert not refused.value.missing


def test_tomorrow_is_that_of_the_time_zone() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # 00:30 on the 21st in Berlin
    stages = track("stage: warn, from: 2026-11-02")
    assert promoted(stages, Promotion(), [], late, UTC).step.from_ == "2026-11-21"
    assert promoted(stages, Promotion(), [], late, BERLIN).step.from_ == "2026-11-22"
    with pytest.raises(NotNow, match="2026-11-20 is over"):
        promoted(stages, Promotion(begins="2026-11-20"), [], late, BERLIN)


def test_criteria_must_hold() -> None:
    strict = track("stage: warn, from: 2026-11-02", exit_="{days: 3, violations: 5}")
    assert promoted(strict, Promotion(), seen(5), NOW, UTC).step.stage is AUDIT
    with pytest.raises(NotNow) as refused:
        promoted(strict, Promotion(), seen(6, days=2), NOW, UTC)
    assert str(refused.value) == "the exit criteria of warn in fleet do not hold"
    assert refused.value.missing == [
        "a: days: 2 (wanted: at least 3)",
        "a: violations: 6 (wanted: at most 5)",
    ]


def test_criteria_must_hold_for_every_policy_of_the_rollout() -> None:
    strict = track("stage: warn, from: 2026-11-02", exit_="{violations: 5}")
    both = [*seen(0), ("b", [])]
    with pytest.raises(NotNow) as refused:
        promoted(strict, Promotion(), both, NOW, UTC)
    assert refused.value.missing == ["b: violations: never observed in this stage (wanted: at most 5)"]


def test_those_of_the_last_step_count() -> None:
    own = track("stage: warn, from: 2026-11-02, exit: {violations: 9}", exit_="{violations: 5}")
    assert promoted(own, Promotion(), seen(9), NOW, UTC).step.stage is AUDIT


def test_a_stage_that_has_not_begun_cannot_be_left() -> None:
    stages = track("stage: warn, from: 2026-11-02", "stage: audit, from: 2026-12-01", exit_="{violations: 5}")
    with pytest.raises(NotNow, match="the step to audit comes on 2026-12-01"):
        promoted(stages, Promotion(begins="2026-12-24"), seen(0), NOW, UTC)


def test_an_emergency_goes_before_what_is_to_come() -> None:
    stages = track(
        "stage: warn, from: 2026-11-02",
        "stage: audit, from: 2026-12-01",
        "stage: enforce, from: 2026-12-24",
        exit_="{violations: 5}",
    )
    move = promoted(stages, Promotion(ENFORCE, emergency="worm", approved_by="ciso"), seen(99), NOW, UTC)
    assert (move.keep, list(move.gone), move.was) == (1, list(steps(stages))[1:], WARN)
    assert move.step.from_ == "2026-11-20T12:30:15Z"


@pytest.mark.parametrize(
    ("stages", "to", "wanted", "keep"),
    [
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-11-16"], None, WARN, 2),
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-11-16"], DRYRUN, DRYRUN, 2),
        (["stage: enforce, from: 2026-11-16"], None, DRYRUN, 1),
        (["stage: warn, from: 2026-11-16"], None, DRYRUN, 1),
        # What is to come goes.
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-12-16"], None, DRYRUN, 1),
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-12-16"], WARN, WARN, 1),
        (["stage: warn, from: 2026-12-02", "stage: enforce, from: 2026-12-16"], DRYRUN, DRYRUN, 0),
        # In its grace period, enforce has not denied yet, and will not.
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-11-16, grace: 7d"], None, WARN, 1),
        (["stage: enforce, from: 2026-11-16, grace: 7d"], None, WARN, 0),
        (["stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-11-16, grace: 4d"], None, WARN, 2),
    ],
)
def test_demoted(stages: list[str], to: Stage | None, wanted: Stage, keep: int) -> None:
    before = track(*stages)
    move = demoted(before, to, NOW)
    assert move.step == Step(wanted, "2026-11-20T12:30:15Z")
    assert move.keep == keep
    assert list(move.gone) == list(steps(before))[keep:]
    # As the file then says: at once, and for good.
    after = track(*stages[:keep], f"stage: {move.step.stage}, from: {move.step.from_}")
    for later in (NOW, NOW + timedelta(days=400)):
        assert after.at(later).stage is wanted
    assert after.next(NOW) is None


@pytest.mark.parametrize(
    ("stages", "to", "reason"),
    [
        (["stage: warn, from: 2026-11-02"], AUDIT, "fleet is at warn: `solon rollout promote` goes up"),
        (["stage: warn, from: 2026-11-02"], WARN, "fleet is at warn already, and nothing is to come"),
        (["stage: dryrun, from: 2026-11-02"], None, "fleet is at dryrun already, and nothing is to come"),
    ],
)
def test_not_demoted(stages: list[str], to: Stage | None, reason: str) -> None:
    with pytest.raises(NotNow) as refused:
        demoted(track(*stages), to, NOW)
    assert str(refused.value) == reason


def test_two_steps_in_one_second_come_one_after_the_other() -> None:
    stages = track("stage: warn, from: 2026-11-02", "stage: enforce, from: 2026-11-20T12:30:15Z")
    assert demoted(stages, None, NOW).step == Step(WARN, "2026-11-20T12:30:16Z")
