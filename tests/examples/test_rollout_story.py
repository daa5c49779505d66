"""The rule that would have frozen every deploy, played from dryrun to enforce: 300 teams, 5,000 namespaces, half a year.

Every Monday, in the end every other one, the world is judged, and each single outcome is held against what people were
promised; that is computed here from dates alone, without the programme. What teams do is in examples/rollout/generate.py.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from solon.cli import config, policies, programme
from solon.cli.errors import UsageError
from solon.cli.rollout import steps as rollout_steps
from solon.decisions.decision import Decision, Outcome, decide
from solon.frameworks.policy import Context, Evaluation, PolicySet, Stage, evaluate
from solon.governance.programme import Programme
from solon.governance.rollouts import observations
from solon.governance.rollouts.promotion import Promotion
from solon.report import team_report
from solon.subjects import kubernetes
from solon.subjects.documents import Document
from solon.subjects.positions import SourceFile
from solon.subjects.subject import Subject

EXAMPLE = Path(__file__).parents[2] / "examples" / "rollout"


def load_generator() -> Any:
    spec = importlib.util.spec_from_file_location("rollout_example", EXAMPLE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = load_generator()
POLICY = generate.POLICY
BERLIN = ZoneInfo("Europe/Berlin")
WEEK = timedelta(weeks=1)
NOTICE = timedelta(days=28)
FIRST, LAST = datetime(2026, 9, 7, 7, tzinfo=UTC), datetime(2027, 3, 15, 7, tzinfo=UTC)


def day(text: str) -> datetime:
    """The first moment of a day in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


SPARED_UNTIL = day("2027-03-01")


def scope_of(team: str) -> str:
    number = int(team.removeprefix("team-"))
    return "canary" if number < 10 else "early" if number < 100 else "fleet"


@dataclass
class Promises:
    """What people were told: from when each scope is at which stage, and until when each waiver holds."""

    stages: dict[str, list[tuple[datetime, str]]]
    spared: set[str]
    waived: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def stage(self, scope: str, now: datetime) -> str:
        return ["dryrun", *(stage for start, stage in self.stages[scope] if start <= now)][-1]

    def enforced_from(self, workload: Any) -> datetime | None:
        dates = [start for start, stage in self.stages[scope_of(workload.team.name)] if stage == "enforce"]
        if dates and scope_of(workload.team.name) == "fleet" and workload.uri in self.spared:
            return max(dates[0], SPARED_UNTIL)
        return dates[0] if dates else None

    def outcome(self, workload: Any, now: datetime) -> str:
        if workload.labelled:
            return "allow"
        created, expires = self.waived.get(workload.uri, (now, now))
        if created <= now < expires:
            return "allow"
        stage = self.stage(scope_of(workload.team.name), now)
        date = self.enforced_from(workload)
        if stage == "enforce" and date is not None and now < date:
            return "warn"
        return {"dryrun": "allow", "warn": "warn", "audit": "warn", "enforce": "deny"}[stage]


@dataclass
class Monday:
    """What was seen on one day."""

    now: datetime
    outcomes: Counter[str]
    wrong: list[str]  # workloads for which something else was decided than had been promised
    untold: list[str]  # warned of, without the date that is known
    denied: set[str]


@dataclass
class Story:
    folder: Path
    world: Any
    promises: Promises
    judge: Callable[[datetime], tuple[Programme, list[tuple[Any, Decision]]]]
    mondays: list[Monday] = field(default_factory=list)
    promoted: dict[str, datetime] = field(default_factory=dict)  # scope -> the day on which its date was set
    refused: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, datetime] = field(default_factory=dict)  # team -> when it was first told a date
    reports: dict[str, dict[str, datetime | None]] = field(default_factory=dict)  # scope -> workload -> date
    there: dict[str, set[str]] = field(default_factory=dict)  # scope -> the workloads of that report's day
    stopped: list[tuple[Any, datetime]] = field(default_factory=list)  # new, and denied


class Judge:
    """Judges the world at a time; what a policy says of a document is asked once, what is done about it each time."""

    def __init__(self, folder: Path, world: Any) -> None:
        self._world = world
        self._sets: list[PolicySet] = policies.load(
            policies.Wanted([str(folder / "policy")], [], [], False, "v1")
        )
        self._said: dict[Any, Evaluation] = {}

    def __call__(self, now: datetime) -> tuple[Programme, list[tuple[Any, Decision]]]:
        found = config.find(".")
        assert found is not None
        plan = programme.read(found, self._sets, programme.Run(now))
        assert plan.problems == []
        return plan, [(workload, self._decided(workload, plan)) for workload in self._world.workloads]

    def _decided(self, workload: Any, plan: Programme) -> Decision:
        if workload not in self._said:
            self._said[workload] = evaluate(self._sets, subject_of(workload), Context(now_ns=0))
        evaluation = plan.apply(self._said[workload])
        return decide(evaluation, decision_id="", revisions={}, timestamp_ns=0)


def subject_of(workload: Any) -> Subject:
    file = SourceFile(f"{workload.namespace}.json", lambda: "{}")
    (subject,) = kubernetes.subjects(Document(workload.document(), 0, 1), file)
    return subject


def promote(scope: str, now: datetime, start: datetime, grace: str, clock: Callable[[datetime], None]) -> str:
    """What `solon rollout promote` says where it refuses, nothing where it has edited the file."""
    clock(now)
    said = io.StringIO()
    target = rollout_steps.Target(POLICY, scope, dry_run=False, as_of=None, format="table")
    asked = Promotion(Stage.ENFORCE, start.astimezone(BERLIN).date().isoformat(), grace)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = rollout_steps.promote(target, asked)
        except UsageError as error:
            return str(error)
    assert status in (0, 1)
    return said.getvalue() if status else ""


def play(folder: Path, clock: Callable[[datetime], None]) -> Story:
    world = generate.World()
    generate.write(world, folder, manifests=False)
    initial = {
        "canary": [(day("2026-09-21"), "warn")],
        "early": [(day("2026-10-05"), "warn")],
        "fleet": [(day("2026-10-19"), "warn"), (day("2026-11-16"), "audit")],
    }
    spared = {workload.uri for workload in world.workloads if not workload.labelled}
    story = Story(folder, world, Promises(initial, spared), Judge(folder, world))
    asked: list[str] = []
    now = FIRST
    while now <= LAST:
        plan, decided = story.judge(now)
        look(story, now, decided)
        if len(story.promoted) < len(initial):
            observe(plan, decided, folder)
        for scope, steps in story.promises.stages.items():
            if scope not in story.promoted:
                promote_or_not(story, scope, steps, now, clock)
        ask_for_waivers(story, now, asked)
        work(story, now)
        now += WEEK if len(story.promoted) < len(initial) else 2 * WEEK
    return story


def look(story: Story, now: datetime, decided: list[tuple[Any, Decision]]) -> None:
    """Hold what was decided against what was promised."""
    monday = Monday(now, Counter(), [], [], set())
    for workload, decision in decided:
        outcome = decision.outcome.value
        monday.outcomes[outcome] += 1
        if outcome != story.promises.outcome(workload, now):
            monday.wrong.append(workload.uri)
        if outcome == "deny":
            monday.denied.add(workload.uri)
        date = story.promises.enforced_from(workload)
        for finding in decision.warned:
            assert finding.ruling is not None
            if finding.ruling.enforced_from != date or finding.ruling.team != workload.team.name:
                monday.untold.append(workload.uri)
            if date is not None:
                story.told.setdefault(workload.team.name, now)
        for finding in decision.waived:
            assert finding.ruling is not None
            if finding.ruling.waiver_expires != story.promises.waived[workload.uri][1]:
                monday.untold.append(workload.uri)
            story.told.setdefault(workload.team.name, now)
    story.mondays.append(monday)


def observe(plan: Programme, decided: list[tuple[Any, Decision]], folder: Path) -> None:
    tally = observations.Tally(plan)
    for _, decision in decided:
        tally.add(decision.subject, decision.findings)
    observations.append(".solon/history.jsonl", tally.observation({}, str(folder)))


def promote_or_not(
    story: Story,
    scope: str,
    steps: list[tuple[datetime, str]],
    now: datetime,
    clock: Callable[[datetime], None],
) -> None:
    """Governance tries every Monday, with four weeks' notice; early gets a week of grace on top."""
    grace = "7d" if scope == "early" else ""
    start = day((now + NOTICE + timedelta(days=1)).astimezone(BERLIN).date().isoformat())
    refusal = promote(scope, now, start, grace, clock)
    if refusal:
        story.refused.setdefault(scope, []).append(refusal)
    else:
        story.promoted[scope] = now
        steps.append((start + timedelta(days=7) if grace else start, "enforce"))
        report(story, scope, now + timedelta(hours=1))


def report(story: Story, scope: str, now: datetime) -> None:
    """What the report of each team says on the day on which the date of a scope is set."""
    plan, decided = story.judge(now)
    fleet = team_report.fleet([decision for _, decision in decided], plan)
    story.reports[scope] = {
        item.uri: item.denied_from
        for team in fleet.teams
        for item in team.items
        if scope_of(team.team) == scope
    }
    story.there[scope] = {workload.uri for workload, _ in decided}


def ask_for_waivers(story: Story, now: datetime, asked: list[str]) -> None:
    """Who asks, does so after two weeks of warnings, and gets four months."""
    for workload in story.world.workloads:
        if workload.team.habit != "asks" or workload.labelled or workload.uri in story.promises.waived:
            continue
        if story.promises.stage(scope_of(workload.team.name), now - 2 * WEEK) == "dryrun":
            continue
        created = now.astimezone(BERLIN).date()
        expires = created + timedelta(days=120)
        story.promises.waived[workload.uri] = day(created.isoformat()), day(expires.isoformat())
        asked.append(generate.waiver(workload, created.isoformat(), expires.isoformat()))
    Path("waivers/asked.yaml").write_text("".join(asked))


def work(story: Story, now: datetime) -> None:
    """A week: who fixes does so, and new things are deployed, unless they are denied."""
    world, promises, chance = story.world, story.promises, story.world.chance
    for index, workload in enumerate(world.workloads):
        team = workload.team
        warned = promises.stage(scope_of(team.name), now) != "dryrun"
        if not workload.labelled and team.habit == "fixes" and warned and chance.random() < team.pace:
            world.workloads[index] = replace(workload, labelled=True)
    for _ in range(20):
        number = len(world.workloads) + len(story.stopped)
        team = world.teams[number % len(world.teams)]
        careful = team.habit == "fixes" and promises.stage(scope_of(team.name), now) != "dryrun"
        new = world.workload(number, careful or chance.random() < 0.7)
        if promises.outcome(new, now) == "deny":
            story.stopped.append((new, now))
        else:
            world.workloads.append(new)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)

        def clock(now: datetime) -> None:
            patch.setattr("solon.cli.governed.clock", lambda: int(now.timestamp()) * 1_000_000_000)

        yield play(folder, clock)


def test_it_is_as_large_as_it_says(story: Story) -> None:
    assert len(story.world.teams) == 300
    assert len({workload.namespace for workload in story.world.workloads}) >= 5_000
    assert story.mondays[-1].now == LAST


def test_the_rule_would_have_frozen_most_deploys(story: Story) -> None:
    lacking = len(story.promises.spared)
    assert 3_800 < lacking < 4_200
    assert story.mondays[0].outcomes == {"allow": 5_000}


def test_every_outcome_is_what_was_promised(story: Story) -> None:
    """In particular nobody is blocked before their date: the promises are computed without the programme."""
    assert {monday.now: monday.wrong for monday in story.mondays if monday.wrong} == {}
    assert story.mondays[-1].denied


def test_everybody_was_told(story: Story) -> None:
    """A warning at each check with the date, once there is one; and four weeks before anything is denied."""
    assert {monday.now: monday.untold for monday in story.mondays if monday.untold} == {}
    teams = {workload.uri: workload.team.name for workload in story.world.workloads}
    for monday in story.mondays:
        for uri in monday.denied:
            assert story.told[teams[uri]] + NOTICE <= monday.now, uri
    for workload, now in story.stopped:
        assert story.told[workload.team.name] + NOTICE <= now, workload.uri


def test_the_report_of_each_team_names_what_will_be_denied(story: Story) -> None:
    """Four weeks before at the latest, with the day: that of the scope, of what is spared, or of the waiver's end."""
    denied = {uri: monday.now for monday in reversed(story.mondays) for uri in monday.denied}
    assert len(denied) > 1_000
    reported = 0
    for uri, first in denied.items():
        scope = scope_of(uri.split("/")[3][:8])
        if uri not in story.there[scope]:
            continue
        date = story.reports[scope][uri]
        assert date is not None
        assert story.promoted[scope] + NOTICE <= date <= first, uri
        reported += 1
    assert reported > 1_000


def test_criteria_refuse_what_is_too_early(story: Story) -> None:
    assert set(story.promoted) == {"canary", "early", "fleet"}
    for scope, refusals in story.refused.items():
        assert len(refusals) >= 2, scope
    assert any("days: 1 (wanted: at least 4)" in said for said in story.refused["early"])
    assert any("violations: " in said and "at most 450" in said for said in story.refused["early"])
    assert any("not known before" in said for said in story.refused["fleet"])


def test_waves_come_one_after_the_other(story: Story) -> None:
    assert story.promoted["canary"] < story.promoted["early"] < story.promoted["fleet"]
    first = {
        scope: next(
            monday.now
            for monday in story.mondays
            if any(scope_of(uri.split("/")[3][:8]) == scope for uri in monday.denied)
        )
        for scope in ("early", "fleet")
    }
    assert first["early"] < first["fleet"]


def test_what_was_there_is_spared_and_what_is_new_is_not(story: Story) -> None:
    date = next(start for start, stage in story.promises.stages["fleet"] if stage == "enforce")
    between = [monday for monday in story.mondays if date <= monday.now < SPARED_UNTIL]
    after = [monday for monday in story.mondays if monday.now >= SPARED_UNTIL]
    assert between
    assert after

    def of_the_fleet(uris: set[str]) -> set[str]:
        return {uri for uri in uris if scope_of(uri.split("/")[3][:8]) == "fleet"}

    for monday in between:
        assert not of_the_fleet(monday.denied) & story.promises.spared
    assert any(scope_of(new.team.name) == "fleet" for new, _ in story.stopped)
    for monday in after:
        assert of_the_fleet(monday.denied) & story.promises.spared


def test_waivers_lapse_to_the_second(story: Story) -> None:
    ends = sorted({expires for _, expires in story.promises.waived.values() if expires <= LAST})[:4]
    assert len(story.promises.waived) > 500
    assert len(ends) >= 2
    for end in ends:
        assert end.astimezone(BERLIN).hour == end.astimezone(BERLIN).minute == 0
        held = {uri for uri, (_, expires) in story.promises.waived.items() if expires == end}
        for moment, covered in ((end - timedelta(microseconds=1), True), (end, False)):
            _, decided = story.judge(moment)
            for workload, decision in decided:
                if workload.uri in held:
                    assert bool(decision.waived) is covered, (workload.uri, moment)


def test_a_stage_changes_to_the_second(story: Story) -> None:
    for scope, steps in story.promises.stages.items():
        for start, _ in steps[-1:]:
            for moment in (start - timedelta(microseconds=1), start):
                _, decided = story.judge(moment)
                wrong = [
                    workload.uri
                    for workload, decision in decided
                    if scope_of(workload.team.name) == scope
                    and decision.outcome.value != story.promises.outcome(workload, moment)
                ]
                assert wrong == []


def test_the_rule_arrives(story: Story) -> None:
    """In the end most workloads have the label, and nothing else than the date of each was ever in the way."""
    lacking = [workload for workload in story.world.workloads if not workload.labelled]
    assert len(lacking) < len(story.world.workloads) / 2
    assert sum(workload.team.habit == "fixes" for workload in lacking) < 20


def test_demote_takes_effect_at_once(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last test: it takes the early wave back."""
    now = LAST + timedelta(hours=2)
    monkeypatch.setattr("solon.cli.governed.clock", lambda: int(now.timestamp()) * 1_000_000_000)

    def early() -> Counter[Outcome]:
        _, decided = story.judge(now)
        return Counter(
            decision.outcome for workload, decision in decided if scope_of(workload.team.name) == "early"
        )

    before = early()
    assert before[Outcome.DENY] > 0
    target = rollout_steps.Target(POLICY, "early", dry_run=False, as_of=None, format="table")
    with contextlib.redirect_stdout(io.StringIO()):
        assert rollout_steps.demote(target, Stage.WARN, "the label breaks the old scheduler") == 0
    after = early()
    assert after[Outcome.DENY] == 0
    assert after[Outcome.WARN] == before[Outcome.WARN] + before[Outcome.DENY]
    assert "# what ran when the rule was announced" in Path("rollouts/labels.yaml").read_text()
