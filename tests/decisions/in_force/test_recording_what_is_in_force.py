"""What is recorded of a programme, when, and what is read from it."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from decision_logs import KEY, entries
from programmes import REGO, ROLLOUT, WAIVER, ns, opened, policy_set, programme, used

from solon.decisions.in_force import reading, recording, texts
from solon.decisions.in_force.events import Author
from solon.decisions.in_force.state import State, as_of, places, with_digest
from solon.decisions.log import settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import Kind
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.log.writer import Surroundings
from solon.decisions.warehouse import compaction


class Clock:
    now = ns("2026-01-15")

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Log:
    settings.create(str(tmp_path / "log"), KEY)
    numbers = iter(range(1, 1 << 40))
    return Log(str(tmp_path / "log"), Surroundings(clock, lambda size: next(numbers).to_bytes(size)))


def recorded(log: Log, clock: Clock, now: str, **more: Any) -> list[tuple[str, str]]:
    """What `solon check` records at that time: the name of each part, and what became of it."""
    clock.now = ns(now)
    return [(each.key, each.change) for each in recording.record(log, programme(now, **more))]


def state(log: Log, when: str, place: str = "default") -> State | None:
    return as_of(reading.entries(log), ns(when), place)


def test_the_first_look_records_all_of_it(log: Log, clock: Clock) -> None:
    assert recorded(log, clock, "2026-01-15") == [
        ("policies conftest:policy", "added"),
        ("rollout rollouts/rollout.yaml", "added"),
        ("waiver legacy", "added"),
        ("settings", "added"),
    ]
    kinds = [stored.says.kind for stored in log.entries("0001")]
    assert kinds == [Kind.ACTIVATION, Kind.ROLLOUT, Kind.WAIVER, Kind.ACTIVATION]


def test_nothing_is_appended_when_nothing_changed(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    assert recorded(log, clock, "2026-01-16") == []
    assert len(list(log.entries("0001"))) == 4


@pytest.mark.parametrize(
    ("now", "change", "expected"),
    [
        ("2026-01-16", {"rego": REGO + "# more\n"}, [("policies conftest:policy", "changed")]),
        ("2026-01-16", {"severity": "low"}, [("policies conftest:policy", "changed")]),
        (
            "2026-01-16",
            {"rollout": ROLLOUT.replace("2026-04-01", "2026-05-01")},
            [("rollout rollouts/rollout.yaml", "changed")],
        ),
        (
            "2026-01-16",
            {"rollout": None},
            [("settings", "changed"), ("rollout rollouts/rollout.yaml", "removed")],
        ),
        (
            "2026-01-16",
            {"waivers": WAIVER.replace("vendor image", "still there")},
            [("waiver legacy", "changed")],
        ),
        ("2026-01-16", {"waivers": ""}, [("waiver legacy", "removed")]),
        ("2026-02-02", {}, [("rollout rollouts/rollout.yaml", "stepped")]),
        ("2026-03-11", {}, [("rollout rollouts/rollout.yaml", "stepped"), ("waiver legacy", "expired")]),
        (
            "2026-01-16",
            {
                "waivers": WAIVER.replace("2026-03-10", "2027-03-10")
            },  # longer than is allowed: it covers nothing
            [("settings", "changed"), ("waiver legacy", "removed")],
        ),
        (
            "2026-01-16",
            {"tokens": [opened("bg-000000000001", "2026-01-15T10:00", "2026-01-15T11:00")]},
            [("token bg-000000000001", "opened")],
        ),
    ],
)
def test_what_changed_is_recorded(
    log: Log, clock: Clock, now: str, change: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    recorded(log, clock, "2026-01-15")
    found = recorded(log, clock, now, **change)
    assert [(key[:21] if key.startswith("token") else key, word) for key, word in found] == expected


def test_a_waiver_that_is_to_come_begins(log: Log, clock: Clock) -> None:
    assert ("waiver legacy", "added") in recorded(log, clock, "2026-01-05")
    assert recorded(log, clock, "2026-01-11") == [("waiver legacy", "began")]


def test_an_entry_says_which_policies_changed(log: Log, clock: Clock) -> None:
    sets = [policy_set({"policy/a.rego": REGO}), policy_set({"lib/b.rego": REGO}, name="conftest:lib")]
    recorded(log, clock, "2026-01-15", sets=sets)
    sets = [policy_set({"policy/a.rego": REGO + "#"}), policy_set({"lib/b.rego": REGO}, name="conftest:lib")]
    recorded(log, clock, "2026-01-16", sets=sets)
    (last,) = [each for each in reading.entries(log) if each.said.change == "changed"]
    assert last.said.key == "policies conftest:policy"
    was = hashlib.sha256(REGO.encode()).hexdigest()
    assert msgspec.to_builtins(last.said.differences) == {"was": f"sha256:{was}", "changed": ["main.deny"]}


def test_a_step_of_a_rollout_is_named_with_its_date(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    recorded(log, clock, "2026-04-02", waivers=None)
    (step,) = [each for each in reading.entries(log) if each.said.change == "stepped"]
    assert msgspec.to_builtins(step.said.differences) == {
        "steps": [
            {"scope": "canary", "stage": "enforce", "was": "warn", "at": "2026-02-01T00:00:00Z"},
            {"scope": "fleet", "stage": "enforce", "was": "dryrun", "at": "2026-04-01T00:00:00Z"},
        ]
    }


def test_an_event_has_the_shape_of_opas(log: Log) -> None:
    recording.record(log, programme("2026-01-15"), author=lambda: Author("ci", "3f2c"))
    first = next(log.entries("0001"))
    event = json.loads(first.payload)
    revision = f"sha256:{hashlib.sha256(REGO.encode()).hexdigest()}"
    assert event["decision_id"].startswith("activation-")
    assert event["timestamp"] == "2026-01-15T00:00:00.000000000Z"
    assert event["bundles"] == {"conftest:policy": {"revision": revision}}
    assert (event["path"], event["requested_by"]) == ("solon/programme", "ci")
    solon = event["solon"]
    assert (solon["event"], solon["place"], solon["commit"]) == ("activation", "default", "3f2c")
    assert solon["policy_set"]["policies"] == [
        {
            "id": "main.deny",
            "language": "rego",
            "framework": "conftest",
            "enforcement": "enforce",
            "file": "policy/main.rego",
            "line": 3,
            "title": "No bad things",
            "severity": "high",
            "controls": ["EU-AI-Act:Art.12"],
        }
    ]


# --- as of


def test_before_the_first_entry_nothing_is_known(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    assert state(log, "2026-01-14") is None
    assert state(log, "2026-01-15", "production") is None


@pytest.mark.parametrize("compacted", [0, 1, 2])
def test_what_was_in_force_at_a_time(log: Log, clock: Clock, compacted: int) -> None:
    recorded(log, clock, "2026-01-15")
    log.append(entries(0, 3))
    if compacted:
        compaction.compact(log, open_segments=True)
    recorded(log, clock, "2026-01-20", severity="low", waivers="")
    log.append(entries(3, 6))
    if compacted == 2:
        compaction.compact(log, open_segments=True)
    before, after = state(log, "2026-01-17"), state(log, "2026-01-21")
    assert before is not None
    assert after is not None
    assert [each.severity for each in before.sets[0].policies] == ["high"]
    assert [each.id for each in before.waivers] == ["legacy"]
    assert [each.severity for each in after.sets[0].policies] == ["low"]
    assert after.waivers == []
    assert before.complete
    assert after.complete
    assert before.digest == programme("2026-01-15").digest
    assert after.rollouts[0].rollout == before.rollouts[0].rollout


def test_places_know_nothing_of_each_other(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15", place="ci")
    recorded(log, clock, "2026-01-15", place="prod/eu1", severity="low")
    assert recorded(log, clock, "2026-01-16", place="ci") == []
    found = reading.entries(log)
    assert places(found) == ["ci", "prod/eu1"]
    severities = [
        as_of(found, ns("2026-01-16"), place).sets[0].policies[0].severity for place in places(found)
    ]
    assert severities == ["high", "low"]


def test_the_digest_of_a_decision_finds_what_it_was_judged_under(log: Log, clock: Clock) -> None:
    """Two processes with different policies may judge at one place, a moment apart."""
    recorded(log, clock, "2026-01-15")
    recorded(log, clock, "2026-01-16", severity="low")
    found = reading.entries(log)
    one = with_digest(found, programme("2026-01-15").digest, "default", ns("2026-01-17"))
    assert one is not None
    assert one.sets[0].policies[0].severity == "high"
    assert (
        with_digest(
            found, programme("2026-01-15", rego="package other\n").digest, "default", ns("2026-01-17")
        )
        is None
    )


def test_a_clock_that_went_back_hides_nothing(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    recorded(log, clock, "2026-01-10", severity="low")
    found = with_digest(
        reading.entries(log), programme("2026-01-10", severity="low").digest, "default", ns("2026-01-11")
    )
    assert found is not None
    assert found.sets[0].policies[0].severity == "low"


def test_what_is_kept_is_for_its_owner_alone(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    kept = [*Path(log.directory, "policies").iterdir(), *Path(log.directory, "in-force").glob("*.json")]
    assert len(kept) == 2
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_an_entry_that_names_no_digest_is_told_by_verification(log: Log) -> None:
    said = '{"event":"activation","place":"p","policy_set":{"texts":[{"sha256":"../../log.key"}]}}'
    line = f'{{"decision_id":"x","timestamp":"2026-01-14T00:00:00Z","solon":{said}}}'
    log.append([recording.entry_of(line.encode())])
    (problem,) = verify(log).problems
    assert problem.text == "'../../log.key' is no digest of a text (entry 0 of shard 0001, x)"


def test_break_glass_is_told_by_its_own_times(log: Log, clock: Clock) -> None:
    events = [opened("bg-000000000001", "2026-01-16T10:00", "2026-01-16T11:00")]
    recorded(log, clock, "2026-01-15")
    recorded(log, clock, "2026-01-17", tokens=events)  # later than it happened
    recorded(log, clock, "2026-01-18", tokens=[*events, used("bg-000000000001", "2026-01-16T10:30")])
    assert state(log, "2026-01-16T09:00").cases == []
    (case,) = state(log, "2026-01-16T10:15").cases
    assert (case.id, case.uses) == ("bg-000000000001", ())
    (case,) = state(log, "2026-01-16T10:45").cases
    assert [use.uris for use in case.uses] == [["k8s:///payments/Deployment/gateway"]]


def test_an_event_of_the_ledger_is_recorded_once(log: Log, clock: Clock) -> None:
    """Also where the line is lost with the checkout in which it was written, and comes back."""
    events = [opened("bg-000000000001", "2026-01-16T10:00", "2026-01-16T11:00")]
    recorded(log, clock, "2026-01-17", tokens=[*events, used("bg-000000000001", "2026-01-16T10:30")])
    assert recorded(log, clock, "2026-01-18", tokens=events) == []
    assert (
        recorded(log, clock, "2026-01-19", tokens=[*events, used("bg-000000000001", "2026-01-16T10:30")])
        == []
    )


def test_two_uses_in_one_second_are_two(log: Log, clock: Clock) -> None:
    events = [opened("bg-000000000001", "2026-01-16T10:00", "2026-01-16T11:00")]
    use = used("bg-000000000001", "2026-01-16T10:30")
    recorded(log, clock, "2026-01-17", tokens=[*events, use])
    recorded(log, clock, "2026-01-18", tokens=[*events, use, use])
    (case,) = state(log, "2026-01-18").cases
    assert case.uses == (use, use)


def test_a_batch_that_was_not_written_to_its_end_is_seen(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    found = [each for each in reading.entries(log) if each.said.key != "waiver legacy"]
    broken = as_of(found, ns("2026-01-16"), "default")
    assert broken is not None
    assert not broken.complete


# --- the copy


def cleared(log: Log, content: bytes | None) -> None:
    for path in Path(log.directory, "in-force").glob("*.json"):
        path.unlink() if content is None else path.write_bytes(content)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"place":"default","seen":1}'])
@pytest.mark.parametrize("compacted", [False, True])
def test_the_copy_is_made_again_from_the_entries(
    log: Log, clock: Clock, content: bytes | None, compacted: bool
) -> None:
    events = [opened("bg-000000000001", "2026-01-14T10:00", "2026-01-14T11:00")]
    recorded(log, clock, "2026-01-15", tokens=events)
    if compacted:
        compaction.compact(log, open_segments=True)
    cleared(log, content)
    assert recorded(log, clock, "2026-01-16", tokens=events) == []
    cleared(log, content)
    assert recorded(log, clock, "2026-01-17", tokens=events, severity="low") == [
        ("policies conftest:policy", "changed")
    ]


def test_what_was_not_appended_is_not_taken_for_recorded(
    log: Log, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts are on the disk before the entry that names them, and the copy is written behind it."""
    name = hashlib.sha256(REGO.encode()).hexdigest()

    def full(_entries: object) -> None:
        assert Path(log.directory, "policies", name).read_text() == REGO
        raise LogError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(log, "append", full)
        with pytest.raises(LogError):
            recording.record(log, programme("2026-01-15"))
    assert len(recorded(log, clock, "2026-01-16")) == 4
    assert recorded(log, clock, "2026-01-16") == []


def test_processes_at_once_record_a_change_once(log: Log) -> None:
    now = programme("2026-01-15")

    def one(_number: int) -> int:
        with Log(log.directory) as own:
            return len(recording.record(own, now))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [0] * 7 + [4]
    assert len(reading.entries(log)) == 4


def test_entries_that_come_another_way_count(log: Log, clock: Clock, tmp_path: Path) -> None:
    """A log that another machine's entries are relayed to."""
    settings.create(str(tmp_path / "far"), KEY)
    far = Log(str(tmp_path / "far"), log.around)
    recorded(log, clock, "2026-01-15")
    recorded(far, clock, "2026-01-16", severity="low")
    relayed = [recording.entry_of(stored.payload) for stored in far.entries("0001")]
    log.append(relayed)
    recording.forget(log, relayed)
    assert recorded(log, clock, "2026-01-17", severity="low") == []
    assert state(log, "2026-01-17").sets[0].policies[0].severity == "low"


def test_times_go_on_where_the_clock_does_not(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15")
    recorded(log, clock, "2026-01-10", severity="low")
    times = [each.time_ns for each in reading.entries(log)]
    assert times == sorted(times)
    assert state(log, "2026-01-16").sets[0].policies[0].severity == "low"


def test_an_entry_that_solon_did_not_write_is_passed_over(log: Log, clock: Clock) -> None:
    line = b'{"decision_id":"x","timestamp":"2026-01-14T00:00:00Z","solon":{"event":"activation","set":1}}'
    log.append([recording.entry_of(line)])
    assert state(log, "2026-01-15") is None
    recorded(log, clock, "2026-01-15")
    assert state(log, "2026-01-15").complete


# --- texts


def test_the_text_of_policies_is_kept(log: Log, clock: Clock) -> None:
    recorded(
        log,
        clock,
        "2026-01-15",
        baseline=b"{}",
        rollout=ROLLOUT + "existing: {until: 2026-09-01, baseline: baseline.json}\n",
    )
    found = state(log, "2026-01-15")
    assert found is not None
    (text,) = found.sets[0].texts
    assert (text.file, text.size) == ("policy/main.rego", len(REGO))
    assert texts.get(log.directory, text.sha256) == REGO.encode()
    baseline = found.rollouts[0].baselines["baseline.json"]
    assert texts.get(log.directory, baseline.sha256) == b"{}"
    assert verify(log).problems == []


def test_a_text_that_is_too_long_is_not_kept(log: Log, clock: Clock) -> None:
    recorded(log, clock, "2026-01-15", rego="package main\n" + "#" * (4 << 20))
    (text,) = state(log, "2026-01-15").sets[0].texts
    assert (text.size, text.sha256) == ((4 << 20) + 13, "")
    assert not list(Path(log.directory, "policies").glob("*"))


@pytest.mark.parametrize("harm", ["missing", "changed", "longer"])
def test_a_text_that_is_not_as_it_was_is_named(log: Log, clock: Clock, harm: str) -> None:
    recorded(log, clock, "2026-01-15")
    name = hashlib.sha256(REGO.encode()).hexdigest()
    path = Path(log.directory, "policies", name)
    if harm == "missing":
        path.unlink()
    else:
        path.write_text(REGO.replace("bad", "red") if harm == "changed" else REGO + "#" * (8 << 20))
    with pytest.raises(LogError, match=name):
        texts.get(log.directory, name)
    (problem,) = verify(log).problems
    assert problem.path == str(path)
    assert ("is missing" if harm == "missing" else "was changed") in problem.text
    assert "entry 0 of shard 0001" in problem.text


@pytest.mark.parametrize(
    "name", ["", "../log.key", "/etc/passwd", "a" * 63, "A" * 64, f"../{'a' * 61}", "٣" * 64]
)
def test_only_digests_name_texts(log: Log, name: str) -> None:
    with pytest.raises(LogError, match="is no digest"):
        texts.get(log.directory, name)


def test_places_have_names() -> None:
    assert recording.place_problem("prod/eu-1") == ""
    for wrong in ("", " ", "/prod", "a b", "-x", "x" * 201, "a\n"):
        assert "cannot name a place" in recording.place_problem(wrong)


def test_what_says_what_was_in_force_is_not_erased(log: Log, clock: Clock) -> None:
    from solon.decisions.log import erasure

    recorded(log, clock, "2026-01-15")
    place = log.shard("0001")
    with pytest.raises(LogError, match="says what was in force"):
        erasure.erase(log, [(place, next(log.entries("0001")))], reason="r", by="b")
