"""What is older than a rule keeps it is erased, everywhere, and can still be proven; what is held stays."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from decision_events import KEY, event

from solon.decisions import retention
from solon.decisions.log import claims, erasure, proof, reading, segment, settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.events import entry_of
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.settings import Hold, Rule, Settings
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify
from solon.decisions.log.writer import Surroundings
from solon.decisions.warehouse import compaction, session

NOW_TEXT = "2026-11-21T12:00:00Z"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Said = dict[str, Any]


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


class Clock:
    """The clock of a log, which a test sets."""

    def __init__(self) -> None:
        self.now = "2026-11-21T12:00:00Z"

    def __call__(self) -> int:
        return ns(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_log(tmp_path: Path, clock: Clock) -> Callable[..., Log]:
    """open_log(rules, holds): the log with these in log.json, opened anew."""

    def make(rules: Sequence[Said] = (), holds: Sequence[Said] = (), **more: object) -> Log:
        path = str(tmp_path / "log")
        if not settings.is_log(path):
            settings.create(path, KEY)
        said = msgspec.structs.replace(
            settings.read(path),
            retention=msgspec.convert(rules, list[Rule]),
            holds=msgspec.convert(holds, list[Hold]),
            **more,
        )
        settings.write(path, said)
        return Log(path, Surroundings(clock, random.Random(5).randbytes))

    return make


def written(log: Log, clock: Clock, at: str, said: Sequence[Said], *, seal: bool = True) -> None:
    """Append events, as if at that time."""
    before, clock.now = clock.now, at
    log.append([entry_of(json.dumps(each).encode()) for each in said])
    if seal:
        log.writer().writer.seal()
    clock.now = before


def decision(number: int, at: str, sets: Sequence[str] = ("platform-base",), **more: Any) -> Said:
    said = event(number, at, **more)
    return {**said, "bundles": {name: {"revision": "r1"} for name in sets}}


def kept(log: Log) -> list[str]:
    return [
        stored.says.id
        for place in log.shards()
        for stored in log.entries(place.name)
        if stored.payload is not None and stored.leaf[1] == Kind.DECISION
    ]


OLD, NEW = "2025-01-10T00:00:00Z", "2026-10-01T00:00:00Z"


@pytest.mark.parametrize(
    ("keep", "now", "before"),
    [
        ("400d", "2026-11-21T12:00:00+00:00", "2025-10-17T12:00:00+00:00"),
        ("2w", "2026-11-21T12:00:00+00:00", "2026-11-07T12:00:00+00:00"),
        ("7y", "2026-11-21T12:00:00+00:00", "2019-11-21T12:00:00+00:00"),
        ("1y", "2028-02-29T00:00:00+00:00", "2027-02-28T00:00:00+00:00"),
        ("999999y", "2026-11-21T12:00:00+00:00", "0001-01-01T00:00:00+00:00"),
        ("999999d", "2026-11-21T12:00:00+00:00", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_how_long_is_kept(keep: str, now: str, before: str) -> None:
    assert Rule(keep).before(datetime.fromisoformat(now)).isoformat() == before


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"retention": [{"keep": "7"}]}, "keep is '7'"),
        ({"retention": [{"keep": "0d"}]}, "keep is '0d'"),
        ({"retention": [{"keep": "7y"}, {"keep": "8y"}]}, "two rules without sets"),
        ({"retention": [{"keep": "7y", "set": "a"}]}, "unknown field"),
        ({"holds": [{"name": "a", "reason": "r"}]}, "says nothing of what it holds"),
        ({"holds": [{"name": "a", "reason": " ", "ids": ["x"]}]}, "needs a reason"),
        ({"holds": [{"name": "a", "reason": "r", "since": "soon"}]}, "is no date"),
        ({"holds": [{"name": "a", "reason": "r", "ids": ["x"]}] * 2}, "two holds have the same name"),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, said: Said, wrong: str) -> None:
    settings.create(str(tmp_path / "log"), KEY)
    path = tmp_path / "log" / settings.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **said}))
    with pytest.raises(LogError, match=wrong):
        settings.read(str(tmp_path / "log"))


@pytest.mark.parametrize(
    ("sets", "rules", "gone"),
    [
        (["platform-base"], [{"sets": "platform-*", "keep": "400d"}], True),
        (["platform-base"], [{"sets": ["ml", "platform-*"], "keep": "400d"}], True),
        (["platform-base"], [{"sets": "platform-*", "keep": "7y"}], False),
        (["platform-base"], [{"sets": "ml-*", "keep": "1d"}], False),
        (["platform-base"], [{"keep": "400d"}], True),
        ([], [{"keep": "400d"}], True),
        ([], [{"sets": "*", "keep": "1d"}], False),
        # what has a rule is not under that for all others, and of two rules the one that keeps longer holds
        (["platform-base"], [{"sets": "platform-*", "keep": "7y"}, {"keep": "1d"}], False),
        (
            ["platform-base", "ml-a"],
            [{"sets": "platform-*", "keep": "1d"}, {"sets": "ml-*", "keep": "7y"}],
            False,
        ),
        (
            ["platform-base", "ml-a"],
            [{"sets": "platform-*", "keep": "1d"}, {"sets": "ml-*", "keep": "2d"}],
            True,
        ),
    ],
)
def test_rules(
    open_log: Callable[..., Log], clock: Clock, sets: list[str], rules: list[Said], gone: bool
) -> None:
    with open_log(rules) as log:
        written(log, clock, OLD, [decision(1, OLD, sets)])
        assert sum(each.due for each in retention.due(log, NOW).tallies) == gone
        assert kept(log) == ["d-1"]
        retention.apply(log, NOW, by="ann")
        assert kept(log) == ([] if gone else ["d-1"])


@pytest.mark.parametrize(
    ("decided", "committed", "gone"),
    [(OLD, OLD, True), (OLD, NEW, False), (NEW, OLD, False), ("2099-01-01T00:00:00Z", OLD, False)],
)
def test_age_counts_from_when_it_was_decided_or_committed(
    open_log: Callable[..., Log], clock: Clock, decided: str, committed: str, gone: bool
) -> None:
    """So that nobody is rid of a decision at once by dating it back."""
    with open_log([{"keep": "400d"}]) as log:
        written(log, clock, committed, [decision(1, decided)])
        retention.apply(log, NOW, by="ann")
        assert kept(log) == ([] if gone else ["d-1"])


def test_what_was_in_force_stays(open_log: Callable[..., Log], clock: Clock) -> None:
    with open_log([{"keep": "1d"}]) as log:
        said = {**decision(1, OLD), "solon": {"event": "activation"}}
        written(log, clock, OLD, [said, decision(2, OLD)])
        retention.apply(log, NOW, by="ann")
        payloads = [stored.payload is None for stored in log.entries("0001")]
    assert payloads == [False, True, False]  # the activation, the decision, and the record of the erasure


def test_every_proof_still_holds(open_log: Callable[..., Log], clock: Clock) -> None:
    with open_log([{"sets": "platform-*", "keep": "400d"}, {"keep": "1y"}]) as log:
        for part in range(3):
            sets = [["platform-base"], ["other"]]
            some = [decision(part * 10 + n, OLD, sets[n % 2], name=f"secret-{n}") for n in range(10)]
            written(log, clock, OLD, some)
        written(log, clock, NEW, [decision(100 + n, NEW) for n in range(5)])
        log.integrate()
        kept_outside = [each.text for place in log.places() if (each := place.checkpoint(log.key))]
        place, stored = log.find("d-3")[0]
        before = log.prove(place, stored)
        outcome = retention.apply(log, NOW, by="ann")
        assert [(each.rule, each.due) for each in outcome.tallies] == [
            ("platform-*: 400d", 15),
            ("all others: 1y", 15),
        ]
        log.integrate()
        report = verify(log, trusted=kept_outside)
        assert (report.problems, report.notes, report.shards[0].erased) == ([], [], 30)
        assert kept(log) == [f"d-{n}" for n in range(100, 105)]
        place, stored = log.find("d-3")[0]
        after = proof.verify(log.prove(place, stored), log.key)
        assert (after.leaf.id, after.payload) == ("d-3", None)
        assert proof.verify(before, log.key).payload is not None
        said = [claims.read(log.find(name)[0][1].payload or b"") for name in outcome.erasures]
        assert [(each.rule, each.reason, each.by) for each in said] == [
            ("platform-*: 400d", "retention", "ann"),
            ("all others: 1y", "retention", "ann"),
        ]
        raw = b"".join(path.read_bytes() for path in Path(log.directory).rglob("*.seg"))
        assert b"secret-" not in raw
        assert retention.apply(log, NOW, by="ann").erasures == []


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        ({"ids": ["d-1"]}, {"d-1"}),
        ({"subjects": ["k8s:///payments/*"]}, {"d-1", "d-2"}),
        ({"subjects": ["k8s:///opa/*"]}, {"d-4"}),
        ({"since": "2025-01-11"}, {"d-2"}),
        ({"until": "2025-01-11"}, {"d-1", "d-3", "d-4"}),
        ({"subjects": ["k8s:///payments/*"], "until": "2025-01-11"}, {"d-1"}),
        ({"ids": ["d-1"], "since": "2025-01-11"}, set()),
    ],
)
def test_what_is_held_stays(open_log: Callable[..., Log], clock: Clock, hold: Said, held: set[str]) -> None:
    later = "2025-01-12T00:00:00Z"
    review = {"request": {"kind": {"kind": "Pod"}, "name": "p", "namespace": "opa"}}
    opa = {"decision_id": "d-4", "timestamp": OLD, "bundles": {"x": {"revision": "1"}}, "input": review}
    with open_log([{"keep": "1d"}], [{"name": "case", "reason": "r", **hold}]) as log:
        written(log, clock, OLD, [decision(1, OLD), decision(3, OLD, namespace="search"), opa])
        written(log, clock, later, [decision(2, later)])
        outcome = retention.apply(log, NOW, by="ann")
        assert set(kept(log)) == held
        assert (outcome.tallies[0].due, outcome.tallies[0].held) == (4 - len(held), len(held))
        assert verify(log).problems == []


def test_the_newest_segment_is_ended_where_something_in_it_is_due(
    open_log: Callable[..., Log], clock: Clock
) -> None:
    with open_log([{"keep": "1d"}]) as log:
        written(log, clock, OLD, [decision(1, OLD)], seal=False)
    with open_log([{"keep": "1d"}]) as log:
        assert retention.apply(log, NOW, by="ann").left == []
        assert kept(log) == []


def test_what_another_process_writes_waits(
    open_log: Callable[..., Log], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "PATIENCE", 0.0)
    with open_log([{"keep": "1d"}]) as other, Log(other.directory, other.around) as log:
        written(other, clock, OLD, [decision(1, OLD)])
        written(other, clock, OLD, [decision(2, OLD)], seal=False)
        outcome = retention.apply(log, NOW, by="ann")
        assert kept(log) == ["d-2"]
        (left,) = outcome.left
        assert left.startswith("1 events of shard 0001 wait: ")
        written(
            other, clock, NOW_TEXT, [decision(3, NOW_TEXT)], seal=False
        )  # it was asked to begin a new segment
        assert retention.apply(log, NOW, by="ann").left == []
        assert kept(log) == ["d-3"]
        log.integrate()
        other.integrate()
        assert verify(log).problems == []


@pytest.mark.parametrize("compacted", ["before", "between", "never"])
def test_the_copy_follows(open_log: Callable[..., Log], clock: Clock, compacted: str) -> None:
    with open_log([{"sets": "platform-*", "keep": "1d"}]) as log:
        written(log, clock, OLD, [decision(n, OLD, ["platform-a" if n % 2 else "other"]) for n in range(20)])
        if compacted == "before":
            compaction.compact(log)
        written(log, clock, OLD, [decision(20, OLD), decision(21, OLD, ["other"])])
        retention.apply(log, NOW, by="ann")
        expected = sorted([f"d-{n}" for n in range(0, 20, 2)] + ["d-21"])
        for step in range(2):
            with session.opened(log) as asked:
                assert sorted(name for (name,) in asked.all("SELECT decision_id FROM decisions")) == expected
            if step == 0 and compacted != "never":
                compaction.compact(log, open_segments=True)
                rows = list((Path(log.directory) / "cold/rows").rglob("*.parquet"))
                assert duckdb.execute(
                    "SELECT count(*) FROM read_parquet($1, hive_partitioning=false) WHERE list_contains(map_keys(bundles), 'platform-a')",
                    [[str(path) for path in rows]],
                ).fetchone() == (0,)


def _crash(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solon.decisions.retention.durable.replace", crash)
    with pytest.raises(KeyboardInterrupt):
        retention.apply(log, NOW, by="ann")
    monkeypatch.undo()


def test_a_crash_between_saying_it_and_doing_it(
    open_log: Callable[..., Log], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_log([{"keep": "1d"}]) as log:
        written(log, clock, OLD, [decision(n, OLD) for n in range(9)])
        _crash(monkeypatch, log)
    with open_log([{"keep": "1d"}]) as log:
        report = verify(log)
        assert report.problems == []
        assert any("9 of entries 0 to 8 of shard 0001 are erased by" in note for note in report.notes)
        retention.apply(log, NOW, by="ann")
        log.integrate()
        report = verify(log)
        assert (report.problems, report.notes, kept(log)) == ([], [], [])


def test_what_was_to_be_erased_is_not_compacted_after_the_record_of_it(
    open_log: Callable[..., Log], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record may be in a shard that is compacted first, and the payload, after a crash, still be there."""
    with open_log([{"keep": "1d"}]) as first, Log(first.directory, first.around) as second:
        first.append([])
        written(second, clock, OLD, [decision(n, OLD) for n in range(5)])
        _crash(monkeypatch, first)
        assert kept(first) == [f"d-{n}" for n in range(5)]
        with monkeypatch.context() as patch:
            patch.setattr(compaction, "STEP_ROWS", 1)
            compaction.compact(first, open_segments=True)
        with session.opened(first) as asked:
            assert asked.all("SELECT count(*) FROM entries WHERE kind = 'decision'") == [(0,)]


def test_an_erasure_of_many_is_small(open_log: Callable[..., Log], clock: Clock) -> None:
    with open_log([{"keep": "1d"}]) as log:
        written(log, clock, OLD, [decision(n, OLD) for n in range(5_000)])
        (name,) = retention.apply(log, NOW, by="ann").erasures
        assert len(log.find(name)[0][1].payload or b"") < 500


def _changed(log: Log, change: Callable[[Said], None]) -> list[str]:
    """Erase one entry; then enter a record of it that says something else instead. What verification says."""
    place = log.shard("0001")
    ((_, path), *_) = segment.listed(place.segments)
    data = Path(path).read_bytes()
    stored = list(reading.entries(place.segments))
    hashes = [hashlib.sha256(b"\0" + each.leaf).digest() for each in stored]
    Path(path).write_bytes(segment.without(data, frozenset({1})))
    said = msgspec.to_builtins(
        claims.Erasure(claims.SCHEMA, OLD, "a", "r", blocks=[claims.block("0001", 0, "0100", [hashes[1]])])
    )
    change(said)
    log.append([Entry(Kind.ERASURE, "erasure-x", ns(NEW), json.dumps(said).encode())])
    return [problem.text for problem in verify(log).problems]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda said: None, []),
        (lambda said: said["blocks"].clear(), ["its payload is gone, and no erasure says so"]),
        (
            lambda said: said["blocks"][0].update(shard="0002"),
            ["its payload is gone, and no erasure says so"],
        ),
        (
            lambda said: said["blocks"][0].update(leaves="00" * 32),
            ["erasure-x erased other entries than those that are there, from 0 to 3"],
        ),
        (
            lambda said: said["blocks"][0].update(erased="AAAA"),
            ["is not an erasure", "its payload is gone, and no erasure says so"],
        ),
        (
            lambda said: said["blocks"][0].update(count=1 << 40),
            ["is not an erasure", "its payload is gone, and no erasure says so"],
        ),
    ],
)
def test_a_record_that_says_something_else(
    open_log: Callable[..., Log], clock: Clock, change: Callable[[Said], None], problems: list[str]
) -> None:
    with open_log() as log:
        written(log, clock, OLD, [decision(n, OLD) for n in range(4)])
        assert _changed(log, change) == problems


@pytest.mark.parametrize("bits", ["1", "0", "10000001", "0" * 7 + "1" * 3, "01" * 5_000, "1" * 100_000])
def test_bits_of_a_block(bits: str) -> None:
    found = claims.block("0001", 5, bits, [b"x"])
    assert found.bits() == bits
    said = claims.Erasure(claims.SCHEMA, "", "", "", blocks=[found])
    numbers = [n for shard, first, end in claims.runs(said) for n in range(first, end)]
    assert numbers == [5 + at for at, bit in enumerate(bits) if bit == "1"]


def test_no_rules(open_log: Callable[..., Log]) -> None:
    with open_log() as log, pytest.raises(LogError, match="has no rules"):
        retention.due(log, NOW)


def test_settings_are_written_as_they_were_read(tmp_path: Path) -> None:
    settings.create(str(tmp_path / "log"), KEY)
    said: Settings = msgspec.structs.replace(
        settings.read(str(tmp_path / "log")), retention=[Rule("7y", "a-*")], holds=[Hold("h", "r", ids=["x"])]
    )
    settings.write(str(tmp_path / "log"), said)
    assert settings.read(str(tmp_path / "log")) == said
