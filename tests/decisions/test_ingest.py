"""Uploads: unpacked within bounds, each event kept once, and what is bad named without holding up what is good."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from decision_logs import KEY, around

from solon.decisions import ingest
from solon.decisions.event_rules import EventRules
from solon.decisions.ingest import Limits, Receiver, Refused, split, unpacked
from solon.decisions.log import settings
from solon.decisions.log.errors import LogError
from solon.decisions.log.leaf import Entry
from solon.decisions.log.store import Log, Placed

compress = partial(gzip.compress, mtime=0)  # the same name for a test each time
SMALL = Limits(body=1_000, plain=10_000, events=5, window=100)
AT = "2026-03-01T09:30:00Z"


def event(name: str, **changes: Any) -> dict[str, Any]:
    return {"decision_id": name, "timestamp": AT, "result": True} | changes


def body(*events: Any) -> bytes:
    return json.dumps(events).encode()


@pytest.fixture
def place(tmp_path: Path) -> str:
    settings.create(str(tmp_path / "log"), KEY)
    return str(tmp_path / "log")


def receiver(log: Log, limits: Limits = SMALL, **options: Any) -> Receiver:
    return Receiver(log, options.pop("rules", EventRules()), limits, lambda: 0, **options)


def logged(log: Log) -> list[str]:
    return [stored.says.id for place in log.shards() for stored in log.entries(place.name)]


# --- unpacking


@pytest.mark.parametrize(
    ("packed", "encoding", "plain"),
    [
        (b"[]", "", b"[]"),
        (b"[]", "identity", b"[]"),
        (compress(b"[1]"), "gzip", b"[1]"),
        (compress(b"[1") + compress(b"]"), "gzip", b"[1]"),
        (compress(b""), "gzip", b""),
        (compress(b"x" * 10_000), "gzip", b"x" * 10_000),
    ],
)
def test_bodies_are_unpacked(packed: bytes, encoding: str, plain: bytes) -> None:
    assert unpacked(packed, encoding, SMALL) == plain


@pytest.mark.parametrize(
    ("packed", "encoding", "status"),
    [
        (compress(b"x" * 10_001), "gzip", 413),
        (compress(b"x" * 50_000_000), "gzip", 413),
        (compress(b"x" * 6_000) + compress(b"x" * 6_000), "gzip", 413),
        (compress(b"[1]")[:-1], "gzip", 400),
        (compress(b"[1]")[:10], "gzip", 400),
        (compress(b"[1]") + b"rest", "gzip", 400),
        (zlib.compress(b"[1]"), "gzip", 400),
        (b"[1]", "gzip", 400),
        (b"[1]", "br", 415),
    ],
)
def test_what_is_too_large_or_broken_is_refused(packed: bytes, encoding: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        unpacked(packed, encoding, SMALL)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[", 400),
        (b"[1,]", 400),
        (b'{"decision_id":"a"}\n{"decision_id":"b"}', 400),
        (b"\xff", 400),
        (b"[" * 100_000, 413),
        (b"[" * 9_000, 400),
        (b"[1,2,3,4,5,6]", 413),
    ],
)
def test_what_is_no_array_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        split(data, SMALL)
    assert refused.value.status == status


# --- events


def test_events_are_kept_as_they_came_and_once(place: str) -> None:
    first = b'[{"decision_id":"a","timestamp":"%s", "own": [1.50]},' % AT.encode()
    with Log(place, around()) as log:
        to = receiver(log)
        assert to.receive(first + b'{"decision_id":"b","timestamp":"%s"}]' % AT.encode()).kept == 2
        again = to.receive(body(event("b"), event("c"), event("c")))
        assert (again.kept, again.duplicates) == (1, 2)
        assert logged(log) == ["a", "b", "c"]
        assert next(log.entries("0001")).payload == first[1:-1]


def test_the_same_id_at_another_time_is_another_decision(place: str) -> None:
    with Log(place, around()) as log:
        to = receiver(log)
        to.receive(body(event("a")))
        assert to.receive(body(event("a", timestamp="2026-03-01T09:30:00.000000001Z"))).kept == 1


def test_a_retry_is_known_after_a_restart_whoever_wrote_it(place: str) -> None:
    with Log(place, around()) as log, Log(place, around()) as other:
        receiver(log).receive(body(event("a")))
        receiver(other).receive(body(event("b")))
        assert log.writer().name != other.writer().name
    with Log(place, around()) as log:
        assert receiver(log).receive(body(event("a"), event("b"), event("c"))).kept == 1


def test_only_what_is_recent_is_remembered(place: str) -> None:
    with Log(place, around()) as log:
        for number in range(7):
            receiver(log).receive(body(event(f"id-{number}")))
        to = receiver(log, Limits(window=3))
        assert to.receive(body(event("id-4"), event("id-6"))).kept == 0
        assert to.receive(body(event("id-3"))).kept == 1


BAD = [
    (1, "is no JSON object"),
    ({"decision_id": "x"}, "is no decision event: Object missing required field `timestamp`"),
    ({"timestamp": AT}, "is no decision event: Object missing required field `decision_id`"),
    (event(""), "an entry needs an id"),
    (event("x" * 256), "an id has at most 255 bytes"),
    (event("x", timestamp="yesterday"), "has the time 'yesterday', which is not RFC 3339"),
    (event("x", timestamp="1969-12-31T23:59:59Z"), "is outside of 1970 to 2554"),
    (event("x", timestamp="2026-02-31T00:00:00Z"), "day is out of range"),
    (event("x", bundles=[]), "is no decision event: Expected `object | null`, got `array`"),
    (event("x", solon={"outcome": "perhaps"}), "unknown outcome 'perhaps'"),
    (event("x", solon={"event": "waiver"}), "is of the kind waiver, and only decisions are taken"),
    (event("x", solon={"event": "checkpoint"}), "has an unknown event 'checkpoint'"),
]


@pytest.mark.parametrize(("bad", "problem"), BAD)
def test_a_bad_event_is_named_and_set_aside_and_the_others_are_kept(
    place: str, bad: Any, problem: str
) -> None:
    with Log(place, around()) as log:
        received = receiver(log).receive(body(event("a"), bad, event("b")), partition="eu")
        assert logged(log) == ["a", "b"]
    assert received.kept == 2
    assert [index for index, _ in received.refused] == [1]
    assert problem in received.refused[0][1]
    aside = json.loads((Path(place) / ingest.SET_ASIDE).read_text())
    assert json.loads(aside["event"]) == bad
    assert (aside["index"], aside["partition"], aside["problem"]) == (1, "eu", received.refused[0][1])


def test_what_is_wrong_is_said_in_short_and_harmless_words(place: str) -> None:
    said = event("x", solon={"event": "\x1b[31m" + "x" * 5_000})
    with Log(place, around()) as log:
        ((_, problem),) = receiver(log).receive(body(said)).refused
    assert len(problem) <= 300
    assert "\x1b" not in problem


def test_bytes_that_are_no_text_are_set_aside_as_they_are(place: str) -> None:
    with Log(place, around()) as log:
        assert receiver(log).receive(b'[{"decision_id":"\xff"}]').refused
    aside = json.loads((Path(place) / ingest.SET_ASIDE).read_text())
    assert aside["event_base64"] == "eyJkZWNpc2lvbl9pZCI6Iv8ifQ=="


def test_nothing_is_acknowledged_that_could_not_be_set_aside(place: str) -> None:
    (Path(place) / "ingest").write_text("a file, where a directory should be")
    with Log(place, around()) as log, pytest.raises(LogError):
        receiver(log).receive(body(1))


def test_what_other_solons_ship_is_taken_where_that_is_wanted(place: str) -> None:
    with Log(place, around()) as log:
        assert receiver(log, relay=True).receive(body(event("w", solon={"event": "waiver"}))).kept == 1
        assert next(log.entries("0001")).says.kind.name == "WAIVER"


@pytest.mark.parametrize(
    ("given", "solon"),
    [
        (event("a"), {"partition": "eu/west"}),
        (event("a", solon={"outcome": "deny"}), {"outcome": "deny", "partition": "eu/west"}),
        (event("a", solon={"partition": "us"}), {"partition": "us"}),
        (event("a", own="}"), {"partition": "eu/west"}),
    ],
)
def test_the_partition_is_kept_with_the_event(place: str, given: Any, solon: Any) -> None:
    with Log(place, around()) as log:
        receiver(log).receive(body(given), partition="eu/west")
        kept = json.loads(next(log.entries("0001")).payload or b"")
    assert kept == given | {"solon": solon}


@pytest.mark.parametrize("partition", ["a b", "é", "x" * 256, "a\n"])
def test_odd_partitions_are_refused(place: str, partition: str) -> None:
    with Log(place, around()) as log, pytest.raises(Refused):
        receiver(log).receive(body(event("a")), partition=partition)


class Dropping(EventRules):
    def rewrite(self, line: bytes) -> bytes | None:
        return None if b"health" in line else line.replace(b"hunter2", b"***")


def test_rules_come_before_the_log(place: str) -> None:
    with Log(place, around()) as log:
        received = receiver(log, rules=Dropping()).receive(body(event("a", input="hunter2"), event("health")))
        assert (received.kept, received.dropped, received.duplicates) == (1, 1, 0)
        assert b"***" in (next(log.entries("0001")).payload or b"")


# --- failures


class Failing(Log):
    """Appends, and then says that it could not, for the appends named."""

    fails: tuple[int, ...] = ()
    keeps = False
    appends = 0

    def append(self, entries: Sequence[Entry]) -> Placed:
        self.appends += 1
        if self.appends in self.fails:
            if self.keeps:
                super().append(entries)
            raise LogError("disk full")
        return super().append(entries)


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("fails", [(1,), (2,), (3,), (1, 2, 3)])
def test_an_upload_that_failed_half_way_is_completed_by_its_retry(
    place: str, keeps: bool, fails: tuple[int, ...]
) -> None:
    path = Path(place) / settings.NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rows": 2}))
    with Failing(place, around()) as log:
        log.fails, log.keeps = fails, keeps
        to = receiver(log)
        upload = body(*(event(f"id-{number}") for number in range(5)))
        for _ in fails:
            with pytest.raises(LogError):
                to.receive(upload)
            assert to.problem == "disk full"
        to.receive(upload)
        assert to.problem == ""
        assert sorted(logged(log)) == [f"id-{number}" for number in range(5)]


class Slow(Log):
    """Lets others go on while it appends."""

    started: threading.Event
    go_on: threading.Event

    def append(self, entries: Sequence[Entry]) -> Placed:
        self.started.set()
        assert self.go_on.wait(10)
        return super().append(entries)


def test_an_upload_that_is_under_way_twice_is_kept_once(place: str) -> None:
    with Slow(place, around()) as log:
        log.started, log.go_on = threading.Event(), threading.Event()
        to = receiver(log)
        found: list[Any] = []

        def upload(*names: str) -> Callable[[], None]:
            return lambda: found.append(to.receive(body(*map(event, names))))

        threads = [threading.Thread(target=upload("a", "b")), threading.Thread(target=upload("b", "a"))]
        threads[0].start()
        assert log.started.wait(10)
        threads[1].start()
        log.go_on.set()
        for thread in threads:
            thread.join(10)
        assert sorted(logged(log)) == ["a", "b"]
        assert sorted((each.kept, each.duplicates) for each in found) == [(0, 2), (2, 0)]


def test_many_uploads_at_once_are_all_kept_once(place: str) -> None:
    with Log(place, around()) as log:
        to = receiver(log, Limits())
        uploads = [body(*(event(f"id-{n}") for n in range(first, first + 40))) for first in range(0, 400, 20)]
        threads = [threading.Thread(target=to.receive, args=(upload,)) for upload in uploads * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        found = logged(log)
    assert len(found) == len(set(found)) == 420
