"""The log is the spool: positions, receivers that are down, crashes, and what status says of it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from decision_logs import KEY, START_NS, around, entries
from log_receiver import LogReceiver, Reply, Uploaded

from solon.decisions.event_rules import EventRules
from solon.decisions.ingest import Limits, Receiver
from solon.decisions.log import durable, erasure, settings
from solon.decisions.log.errors import Busy, Damaged, LogError
from solon.decisions.log.leaf import Entry, Kind
from solon.decisions.log.reading import Stored
from solon.decisions.log.store import Log
from solon.decisions.sinks import position, tail
from solon.decisions.sinks.deliver import Down, Refusal, Unwanted
from solon.decisions.sinks.lag import lag
from solon.decisions.sinks.settings import SinkSettings
from solon.decisions.sinks.ship import Backoff, Shipped, Shipper, follow, opened

FILE = SinkSettings(name="out", file="unused")
NOW = START_NS


class Memory:
    """Keeps what it gets; fails while ``down`` is set."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.down = ""
        self.poison: set[str] = set()

    def send(self, batch: Sequence[Stored]) -> Refusal | None:
        if self.down:
            raise Down(self.down)
        names = [each.says.id for each in batch]
        if self.poison & set(names):
            raise Unwanted("no")
        self.got += names
        return None

    def close(self) -> None:
        pass


@pytest.fixture
def place(tmp_path: Path) -> str:
    settings.create(str(tmp_path / "log"), KEY)
    return str(tmp_path / "log")


@pytest.fixture
def log(place: str) -> Iterator[Log]:
    with Log(place, around()) as found:
        yield found


def names(first: int, end: int) -> list[str]:
    return [f"id-{number}" for number in range(first, end)]


def shipper(log: Log, sink: Memory, said: SinkSettings = FILE) -> Shipper:
    return Shipper(log, said, sink, lambda: NOW)


def test_what_is_new_is_shipped_and_no_more(log: Log) -> None:
    sink = Memory()
    ships = shipper(log, sink)
    assert ships.once() == Shipped()
    log.append(entries(0, 2_500))
    assert ships.once().accepted == 2_500
    assert ships.once().accepted == 0
    log.append(entries(2_500, 2_501))
    assert ships.once().accepted == 1
    assert shipper(log, sink).once().accepted == 0
    assert sink.got == names(0, 2_501)


def test_every_shard_is_shipped(place: str, log: Log) -> None:
    sink = Memory()
    log.append(entries(0, 2))
    with Log(place, around()) as other:
        other.append(entries(2, 4))
        shipper(log, sink).once()
    assert sorted(sink.got) == names(0, 4)


def test_segments_that_follow_one_another_are_shipped(place: str) -> None:
    path = Path(place) / settings.NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"segment_minutes": 1}))
    sink = Memory()
    with Log(place, around()) as log:
        ships = shipper(log, sink)
        for number in range(100):  # the clock goes on by a second at each look
            log.append(entries(number, number + 1))
            if number % 7 == 0:
                ships.once()
        ships.once()
        assert len(os.listdir(log.shard("0001").segments)) > 2
    assert sink.got == names(0, 100)


@pytest.mark.parametrize(
    ("kinds", "got"),
    [
        (("decision",), ["d"]),
        (("waiver", "activation"), ["w", "a"]),
        (("decision", "activation", "rollout", "waiver", "breakglass"), ["w", "d", "a"]),
    ],
)
def test_a_sink_gets_the_kinds_it_asked_for(log: Log, kinds: tuple[str, ...], got: list[str]) -> None:
    log.append([Entry(kind, name, 1, b"{}") for name, kind in
                (("w", Kind.WAIVER), ("d", Kind.DECISION), ("a", Kind.ACTIVATION))])  # fmt: skip
    sink = Memory()
    shipper(log, sink, SinkSettings(name="out", file="x", kinds=kinds)).once()
    assert sink.got == got


def test_what_was_erased_is_not_shipped(log: Log) -> None:
    log.append(entries(0, 3))
    erasure.erase(log, log.find("id-1"), reason="asked for", by="ana")
    sink = Memory()
    shipper(log, sink).once()
    assert sink.got == ["id-0", "id-2"]
    assert lag(log)[0].behind == 0


def test_a_sink_that_is_down_loses_nothing(log: Log) -> None:
    sink = Memory()
    sink.down = "connection refused"
    ships = shipper(log, sink)
    log.append(entries(0, 3))
    assert str(ships.once().down) == "connection refused"
    (found,) = lag(log, [FILE])
    assert (found.behind, found.problem, found.shipped) == (3, "connection refused", 0)
    assert found.since == "2026-03-01T09:30:00.000000000Z"
    assert found.oldest_ns is not None
    sink.down = ""
    assert shipper(log, sink).once().accepted == 3
    (found,) = lag(log)
    assert (found.behind, found.problem, found.since, found.shipped) == (0, "", "", 3)


def test_what_a_receiver_never_takes_is_named_and_the_rest_goes_on(log: Log, place: str) -> None:
    sink = Memory()
    sink.poison = {"id-1"}
    ships = shipper(log, sink)
    log.append(entries(0, 4))
    done = ships.once()
    assert (done.accepted, done.refused, done.down) == (3, 1, None)
    assert sink.got == ["id-0", "id-2", "id-3"]
    said = json.loads((Path(place) / "sinks/out.refused.jsonl").read_text())
    assert said == {
        "time": "2026-03-01T09:30:00.000000000Z",
        "shard": "0001",
        "first": 1,
        "last": 1,
        "count": 1,
        "id": "id-1",
        "problem": "no",
    }
    assert lag(log)[0].refused == 1


def test_one_that_stands_alone_waits_for_company(log: Log) -> None:
    sink = Memory()
    sink.poison = {"id-0"}
    ships = shipper(log, sink)
    log.append(entries(0, 1))
    assert ships.once().down is not None
    log.append(entries(1, 2))
    assert ships.once().refused == 1
    assert sink.got == ["id-1"]


def test_sinks_do_not_know_of_each_other(log: Log) -> None:
    up, down = Memory(), Memory()
    down.down = "no"
    log.append(entries(0, 3))
    for sink, name in ((down, "down"), (up, "up")):
        shipper(log, sink, SinkSettings(name=name, file="x")).once()
    assert [(each.sink, each.behind) for each in lag(log)] == [("down", 3), ("up", 0)]


def test_a_sink_that_was_never_shipped_to_is_behind_by_everything(log: Log) -> None:
    log.append(entries(0, 3))
    assert [(each.sink, each.to, each.behind) for each in lag(log, [FILE])] == [("out", "unused", 3)]


# --- positions


def test_a_position_that_cannot_be_written_ships_nothing_twice_meanwhile(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Memory()
    ships = shipper(log, sink)
    log.append(entries(0, 3))

    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out.json")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace", full)
        for _ in range(3):
            with pytest.raises(LogError, match=r"position cannot be written.*: no space left on device"):
                ships.once()
    log.append(entries(3, 4))
    ships.once()
    assert sink.got == names(0, 4)
    assert shipper(log, sink).once().accepted == 0


def test_another_history_is_not_shipped(log: Log, place: str, tmp_path: Path) -> None:
    log.append(entries(0, 3))
    shipper(log, Memory()).once()
    for first, size, problem in (
        (100, 4, "entry 2 is not the one that was shipped"),
        (0, 2, "has 2 entries"),
    ):
        settings.create(str(tmp_path / f"other-{size}"), KEY)
        with Log(str(tmp_path / f"other-{size}"), around()) as other:
            other.append(entries(first, first + size))
            path = Path(position.path_of(other.directory, "out"))
            path.parent.mkdir()
            path.write_bytes(Path(position.path_of(place, "out")).read_bytes())
            with pytest.raises(Damaged, match=problem):
                shipper(other, Memory()).once()


@pytest.mark.parametrize("text", ["", "{", '{"schema":"other","to":""}', '{"schema":1}'])
def test_a_damaged_position_is_said(log: Log, place: str, text: str) -> None:
    (Path(place) / "sinks").mkdir()
    (Path(place) / "sinks/out.json").write_text(text)
    with pytest.raises(LogError, match=r"sinks/out\.json: (is damaged|has the schema)"):
        shipper(log, Memory())
    assert "sinks/out.json" in lag(log)[0].problem


def test_one_process_ships_to_a_sink(place: str) -> None:
    with (
        position.taken(place, "out"),
        pytest.raises(Busy, match="ships to out"),
        position.taken(place, "out"),
    ):
        pass
    with position.taken(place, "out"):
        pass


# --- following


def test_a_long_way_behind_is_left_when_it_is_stopped(log: Log) -> None:
    stop = threading.Event()

    class Stopping(Memory):
        def send(self, batch: Sequence[Stored]) -> Refusal | None:
            stop.set()
            return super().send(batch)

    sink = Stopping()
    log.append(entries(0, 2_500))
    assert shipper(log, sink).once(stop).accepted == len(sink.got) == 1_000
    stop.clear()
    shipper(log, sink).once()
    assert sink.got == names(0, 2_500)


def test_following_ships_what_comes_says_what_changes_and_ends(log: Log) -> None:
    sink = Memory()
    sink.down = "connection refused"
    ships = shipper(log, sink)
    log.append(entries(0, 2))
    stop, said = threading.Event(), []

    def say(text: str) -> None:
        said.append(text)
        sink.down = ""

    backoff = Backoff(lambda: -1.0)  # no waiting
    thread = threading.Thread(target=follow, args=(ships, stop, backoff, say, 0.01))
    thread.start()
    until = time.monotonic() + 20
    while len(sink.got) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    log.append(entries(2, 5))
    while (len(sink.got) < 5 or len(said) < 2) and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert sink.got == names(0, 5)
    assert said == ["out: connection refused", "out: goes on"]
    assert backoff.tries == 0


def test_a_log_ships_to_another_which_keeps_each_once(log: Log, tmp_path: Path) -> None:
    settings.create(str(tmp_path / "other"), KEY)
    with Log(str(tmp_path / "other"), around()) as other:
        takes = Receiver(other, EventRules(), Limits(), lambda: 0)

        def answer(uploaded: Uploaded) -> Reply:
            takes.receive(uploaded.packed, uploaded.headers["content-encoding"])
            return Reply(503) if len(receiver.uploads) % 2 else Reply()  # the answer got lost

        event = {"timestamp": "2026-03-01T09:30:00Z", "result": True}
        log.append(
            [
                Entry(Kind.DECISION, f"id-{n}", 1, json.dumps({"decision_id": f"id-{n}"} | event).encode())
                for n in range(2_500)
            ]
        )
        with LogReceiver(answer) as receiver:
            sink = opened(SinkSettings(name="out", http=f"{receiver.url}/logs", limit_kib=1), log, {})
            ships = Shipper(log, SinkSettings(name="out", http=receiver.url), sink, lambda: 0)
            while ships.once().down:
                pass
            sink.close()
        found = [stored.says.id for stored in other.entries("0001")]
    assert found == names(0, 2_500)


def test_large_events_go_in_smaller_batches(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_BYTES", 1_000)
    sizes: list[int] = []

    class Counting(Memory):
        def send(self, batch: Sequence[Stored]) -> Refusal | None:
            sizes.append(sum(len(each.payload or b"") for each in batch))
            return super().send(batch)

    sink = Counting()
    log.append([Entry(Kind.DECISION, f"id-{n}", 1, b'"%s"' % (b"x" * 398)) for n in range(10)])
    shipper(log, sink).once()
    assert sizes == [1_200, 1_200, 1_200, 400]
    assert sink.got == names(0, 10)


def test_a_token_may_be_in_a_file(log: Log, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    log.append(entries(0, 1))
    with LogReceiver() as receiver:
        said = SinkSettings(name="out", http=receiver.url, token_file=str(tmp_path / "token"))
        sink = opened(said, log, {})
        Shipper(log, said, sink, lambda: 0).once()
        sink.close()
    assert receiver.uploads[0][0].headers["authorization"] == "Bearer s3cret"


def test_a_token_that_is_not_there_is_said(log: Log) -> None:
    said = SinkSettings(name="out", http="https://siem.example/logs", token_env="SIEM")
    with pytest.raises(LogError, match="SIEM is not set in the environment"):
        opened(said, log, {})
    with pytest.raises(LogError, match="certificates cannot be read"):
        opened(SinkSettings(name="out", http="https://siem.example/", ca="missing.pem"), log, {})


# --- the command


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[list[dict[str, Any]]], Path]:
    def write(sinks: list[dict[str, Any]]) -> Path:
        (tmp_path / "solon.yaml").write_text(json.dumps({"log": {"directory": "log", "sinks": sinks}}))
        return tmp_path

    return write


def test_shipping_once(
    log: Log, repository: Callable[..., Path], solon: Callable[..., Any], tmp_path: Path
) -> None:
    log.append(entries(0, 2))
    repository(
        [{"name": "archive", "file": "a/out.jsonl"}, {"name": "siem", "http": "http://127.0.0.1:1/logs"}]
    )
    found = solon("log", "ship")
    assert (found.status, found.out) == (
        2,
        "archive: 2 events shipped to a/out.jsonl\nsiem: 0 events shipped to http://127.0.0.1:1/logs\n",
    )
    assert "siem: 127.0.0.1:1:" in found.err
    assert "nothing is lost: run again" in found.err
    lines = (tmp_path / "a/out.jsonl").read_text().splitlines()
    assert [json.loads(line)["decision_id"] for line in lines] == ["id-0", "id-1"]
    assert solon("log", "ship", "--sink", "archive").status == 0
    status = json.loads(solon("log", "status", "--format", "json").out)
    assert [(each["sink"], each["behind"], each["shipped"]) for each in status["sinks"]] == [
        ("archive", 0, 2),
        ("siem", 2, 0),
    ]
    text = solon("log", "status").out
    assert "  sink archive → a/out.jsonl: has everything\n" in text
    assert "✗ sink siem → http://127.0.0.1:1/logs: 2 entries behind, the oldest " in text


@pytest.mark.parametrize(
    ("sinks", "options", "problem"),
    [
        ([], [], "no sinks: list them in solon.yaml"),
        ([{"name": "a", "file": "x"}], ["--sink", "b"], "--sink b: is not in solon.yaml, which has a"),
        ([{"name": "a"}], [], "solon.yaml"),
        ([{"name": "a", "file": "x"}, {"name": "a", "file": "y"}], [], "two sinks have the name a"),
    ],
)
def test_what_cannot_be_shipped_is_one_line(
    repository: Callable[..., Path], solon: Callable[..., Any], sinks: Any, options: list[str], problem: str
) -> None:
    repository(sinks)
    found = solon("log", "ship", *options)
    assert (found.status, found.out) == (2, "")
    assert problem in found.err
    assert len(found.err.splitlines()) == 1


def test_every_event_arrives_although_the_shipper_is_killed(
    log: Log, repository: Callable[..., Path]
) -> None:
    with LogReceiver() as receiver:
        root = repository([{"name": "siem", "http": f"{receiver.url}/logs", "limit_kib": 1}])
        written = 0
        for kill in range(4):
            log.append(entries(written, written + 3_000))
            written += 3_000
            process = subprocess.Popen(
                [sys.executable, "-m", "solon", "log", "ship", "--follow"],
                cwd=root, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            before = len(receiver.uploads)
            until = time.monotonic() + 30
            while kill < 3 and len(receiver.uploads) < before + 3 and time.monotonic() < until:
                time.sleep(0.001)
            if kill == 3:
                receiver.wait(lambda events: any(each["decision_id"] == "id-11999" for each in events))
            process.send_signal(signal.SIGTERM if kill == 3 else signal.SIGKILL)
            process.communicate(timeout=30)
            assert process.returncode == (0 if kill == 3 else -signal.SIGKILL)
        found = [event["decision_id"] for event in receiver.events]
    assert list(dict.fromkeys(found)) == names(0, written)
    assert lag(log)[0].behind == 0
