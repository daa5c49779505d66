"""The ledger: every line that was changed, removed or moved is named; nothing that was written gets lost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.governance.breakglass import ledger
from solon.governance.breakglass.cases import Closed, Opened, Status, Used
from solon.governance.breakglass.ledger import Book, missing_from, parse, read, record
from solon.governance.breakglass.token import Refused
from solon.governance.scope import Scope

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
A, B = "bg-aaaaaaaaaaaa", "bg-bbbbbbbbbbbb"


def opened(id: str = A, at: datetime = NOON) -> Opened:
    return Opened(
        at=at,
        id=id,
        by="ana@example.com",
        reason="the gateway is down",
        ticket="PAY-1",
        scope=Scope(team="payments"),
        policies=["*"],
        issued=at,
        expires=at + timedelta(minutes=30),
        token="0" * 64,
    )


def used(id: str = A, at: datetime = NOON) -> Used:
    return Used(
        at=at, id=id, by="ci", policies=["main.deny"], findings=2, subjects=1, uris=["k8s://c/n/Pod/x"]
    )


def closed(id: str = A, at: datetime = NOON) -> Closed:
    return Closed(at=at, id=id, by="ben@example.com", outcome="rolled back")


EVENTS: list[Any] = [opened(), used(), opened(B), closed(), used(B)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "breakglass.jsonl")
    for event in EVENTS:
        record(path, lambda _book, event=event: event)
    return path


def written(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines(keepends=True)


def problems(lines: list[bytes]) -> list[str]:
    return [str(problem) for problem in parse(b"".join(lines), "L").problems]


# --- what is written


def test_lines_form_a_chain_that_anybody_can_check(path: str) -> None:
    """As the documentation says it, without the code under test."""
    previous = "0" * 64
    for number, raw in enumerate(written(path), 1):
        line = json.loads(raw)
        assert list(line) == ["line", "previous", "event", "digest"]
        assert (line["line"], line["previous"]) == (number, previous)
        body, _, end = raw.partition(b',"digest":"')
        assert end == f'{line["digest"]}"}}\n'.encode()
        assert hashlib.sha256(body).hexdigest() == line["digest"]
        previous = line["digest"]
    assert [json.loads(raw)["event"]["type"] for raw in written(path)] == [
        "opened",
        "used",
        "opened",
        "closed",
        "used",
    ]


def test_events_become_cases(path: str) -> None:
    book = read(path)
    assert (list(book.cases), book.problems, book.torn, book.lines) == ([A, B], [], None, 5)
    first, second = book.cases.values()
    assert (first.opened, list(first.uses), first.closed) == (opened(), [used()], closed())
    assert (second.opened, list(second.uses), second.closed) == (opened(B), [used(B)], None)


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert read(str(tmp_path / "none.jsonl")) == Book()
    (tmp_path / "empty.jsonl").touch()
    assert read(str(tmp_path / "empty.jsonl")).lines == 0


def test_a_refusal_writes_nothing(path: str) -> None:
    before = Path(path).read_bytes()

    def refuse(_book: Book) -> Closed:
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        record(path, refuse)
    assert Path(path).read_bytes() == before


# --- tampering


def test_every_change_of_every_line_is_named(path: str) -> None:
    lines = written(path)
    for number, raw in enumerate(lines):
        changed = raw.replace(b"2026", b"2027", 1)
        assert problems([*lines[:number], changed, *lines[number + 1 :]]) == [
            f"L:{number + 1}: this line was changed after it was written"
        ]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_line_that_was_removed_is_named(path: str, number: int) -> None:
    lines = written(path)
    del lines[number]
    assert problems(lines) == [f"L:{number + 1}: line {number + 1} is missing before this one"]


def test_lines_that_were_removed_are_named(path: str) -> None:
    lines = written(path)
    assert problems([lines[0], lines[3], lines[4]]) == ["L:2: lines 2 to 3 are missing before this one"]


def test_lines_that_changed_places_are_named(path: str) -> None:
    lines = written(path)
    lines[1], lines[2] = lines[2], lines[1]
    assert problems(lines) == [
        "L:2: line 2 is missing before this one",
        "L:3: this line stands in another place: it was line 2",
    ]


def test_a_line_that_stands_there_twice_is_named(path: str) -> None:
    lines = written(path)
    assert problems([*lines[:3], lines[1], *lines[3:]]) == [
        "L:4: this line stands in another place: it was line 2"
    ]


def forged(number: int, previous: str, event: dict[str, Any]) -> bytes:
    body = json.dumps({"line": number, "previous": previous, "event": event}, separators=(",", ":"))[:-1]
    return f'{body},"digest":"{hashlib.sha256(body.encode()).hexdigest()}"}}\n'.encode()


def test_a_line_that_was_written_anew_does_not_fit_the_next(path: str) -> None:
    lines = written(path)
    second = json.loads(lines[1])
    lines[1] = forged(2, second["previous"], {**second["event"], "findings": 0})
    assert problems(lines) == ["L:3: this line follows another than the one before it"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"type": "closed", "at": "2026-12-01T12:00:00Z", "id": A, "by": "eve", "outcome": "fine"}, f"{A} was closed before"),
        ({"type": "closed", "at": "2026-12-01T12:00:00Z", "id": "bg-x", "by": "eve", "outcome": "fine"}, "bg-x was never opened"),
        ({"type": "reopened", "at": "2026-12-01T12:00:00Z"}, "this is no line of a ledger: Invalid value 'reopened'"),
        ({"type": "closed", "at": "2026-12-01T12:00:00", "id": B, "by": "eve", "outcome": "fine"}, "no line of a ledger: Expected `datetime` with a timezone"),
        ({"type": "closed", "at": "2026-12-01T12:00:00+02:00", "id": B, "by": "eve", "outcome": "fine"}, "at is not a time in UTC"),
        ({"type": "closed", "at": "9999-12-31T23:59:59Z", "id": B, "by": "eve", "outcome": "fine"}, "at is not a time in UTC"),
        ({"type": "closed", "at": "2026-12-01T12:00:00Z", "id": B, "by": "eve", "outcome": ""}, "outcome is empty"),
        ({"type": "closed", "at": "2026-12-01T12:00:00Z", "id": B, "by": "e\x1b[1m", "outcome": "x"}, "by has characters that cannot be shown"),
        ({"type": "closed", "at": "2026-12-01T12:00:00Z", "id": B, "by": "eve", "outcome": "x", "y": 1}, "unknown field `y`"),
    ],
)  # fmt: skip
def test_lines_that_cannot_be(path: str, event: dict[str, Any], said: str) -> None:
    lines = written(path)
    found = problems([*lines, forged(6, json.loads(lines[-1])["digest"], event)])
    assert len(found) == 1
    assert found[0].startswith("L:6: ")
    assert said in found[0]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\n", "this is no line of a ledger"),
        (b"{}\n", "this is no line of a ledger"),
        (b"\xff\xfe\x00\n", "this is no line of a ledger"),
        (b"<<<<<<< HEAD\n", "this is left from a merge"),
    ],
)
def test_lines_that_are_none(path: str, raw: bytes, said: str) -> None:
    lines = written(path)
    found = problems([*lines[:2], raw, *lines[2:]])
    assert found[0].startswith(f"L:3: {said}")


def test_nothing_is_added_to_a_ledger_that_was_tampered_with(path: str) -> None:
    lines = written(path)
    Path(path).write_bytes(b"".join([lines[0], *lines[2:]]))
    before = Path(path).read_bytes()
    with pytest.raises(Refused, match=r"breakglass\.jsonl:2: line 2 is missing"):
        record(path, lambda _book: used(B))
    assert Path(path).read_bytes() == before


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
@settings(max_examples=150)
def test_garbage_is_named_and_never_fails(garbage: list[bytes], end: bool) -> None:
    data = b"\n".join(garbage) + b"\n" * end
    book = parse(data, "L")
    assert book.cases == {}
    assert bool(data) == bool(book.problems or book.torn)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_byte_can_be_changed_without_a_word(data: st.DataObject) -> None:
    lines = []
    head = ledger.FIRST
    for number, event in enumerate(EVENTS, 1):
        _, head, raw = ledger._line(number, head, event)
        lines.append(raw)
    whole = b"".join(lines)
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda other: other != whole[at]))
    book = parse(whole[:at] + bytes([byte]) + whole[at + 1 :], "L")
    assert book.problems or book.torn


# --- the end of the ledger, against an earlier state


def test_what_is_missing_from_an_earlier_state(path: str) -> None:
    lines = written(path)
    whole = b"".join(lines)
    assert missing_from(whole, whole, "L", "main") is None
    assert missing_from(whole, b"".join(lines[:2]), "L", "main") is None
    assert missing_from(whole, b"", "L", "main") is None
    cut = missing_from(b"".join(lines[:3]), whole, "L", "main")
    assert str(cut) == "L:4: the line that stood here at main is missing or changed (lines are only added)"
    other = missing_from(b"".join([lines[0], lines[2]]), b"".join(lines[:2]), "L", "main")
    assert str(other).startswith("L:2: ")
    assert missing_from(lines[0] + lines[1][:-5] + b"\n", b"".join(lines[:2]), "L", "main") is not None


# --- crashes


@pytest.mark.parametrize("kept", [1, 20, 200])
def test_a_line_that_was_not_finished_is_said_and_kept(path: str, kept: int) -> None:
    lines = written(path)
    Path(path).write_bytes(b"".join(lines[:4]) + lines[4][:kept])
    book = read(path)
    assert (book.problems, len(book.cases)) == ([], 2)
    assert str(book.torn) == (
        f"{path}:5: was not written to its end (a crash, or a full disk: what it records did not happen)"
    )
    record(path, lambda _book: used(B))
    after = read(path)
    assert (after.problems, after.torn, after.lines) == ([], None, 7)
    assert Path(path).read_bytes().startswith(b"".join(lines[:4]) + lines[4][:kept] + b"\n")
    torn = json.loads(written(path)[5])["event"]
    assert (torn["type"], torn["fragment"]) == ("torn", hashlib.sha256(lines[4][:kept]).hexdigest())
    record(path, lambda _book: closed(B))
    assert read(path).problems == []


def test_what_a_torn_line_says_cannot_be_changed(path: str) -> None:
    lines = written(path)
    Path(path).write_bytes(b"".join(lines[:4]) + lines[4][:50])
    record(path, lambda _book: used(B))
    changed = written(path)
    changed[4] = changed[4].replace(b"line", b"lime")
    assert problems(changed)[0] == "L:5: this is no line of a ledger"


def test_a_line_that_lacks_only_its_end_of_line_is_whole(path: str) -> None:
    lines = written(path)
    Path(path).write_bytes(b"".join(lines).removesuffix(b"\n"))
    assert (read(path).torn, read(path).lines) == (None, 5)
    record(path, lambda _book: closed(B))
    assert Path(path).read_bytes().startswith(b"".join(lines))
    assert read(path).problems == []


def test_the_first_line_may_be_torn_too(tmp_path: Path) -> None:
    path = str(tmp_path / "l.jsonl")
    Path(path).write_bytes(b'{"line":1,')
    record(path, lambda _book: opened())
    assert (read(path).problems, list(read(path).cases)) == ([], [A])


# --- files that are none


@pytest.mark.parametrize("how", ["directory", "fifo", "missing directory", "huge"])
def test_paths_that_are_no_ledger(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l"
    if how == "directory":
        path.mkdir()
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "missing directory":
        path = tmp_path / "none" / "l"
    else:
        monkeypatch.setattr(ledger, "MAX_BYTES", 10)
        path.write_bytes(b"x" * 11)
    with pytest.raises((OSError, Refused)):
        record(str(path), lambda _book: opened())
    if how != "missing directory":
        with pytest.raises((OSError, Refused)):
            read(str(path))


# --- several processes at once


WRITER = """
import sys
from datetime import datetime, UTC
from solon.governance.breakglass.cases import Opened
from solon.governance.breakglass.ledger import record
from solon.governance.scope import Scope
at = datetime(2026, 12, 1, tzinfo=UTC)
for index in range(10):
    id = f"bg-{int(sys.argv[2]):06x}{index:06x}"
    record(sys.argv[1], lambda book: Opened(at, id, "a", "r", "t", Scope(team="x"), ["*"], at, at, "0"))
"""


def test_processes_write_one_after_the_other(tmp_path: Path) -> None:
    path = str(tmp_path / "l.jsonl")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, str(number)], env=environment)
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    book = read(path)
    assert (book.problems, book.torn, book.lines, len(book.cases)) == ([], None, 40, 40)


# --- the review


@pytest.mark.parametrize(
    ("events", "at", "status"),
    [
        ([opened()], NOON, Status.ACTIVE),
        ([opened()], NOON + timedelta(minutes=29, seconds=59), Status.ACTIVE),
        # A use may stand in a copy of the ledger that was thrown away: every token gets an outcome.
        ([opened()], NOON + timedelta(minutes=30), Status.OPEN),
        ([opened()], NOON + timedelta(days=3, minutes=30), Status.OVERDUE),
        ([opened(), used()], NOON, Status.OPEN),
        ([opened(), used(at=NOON + timedelta(minutes=5))], NOON + timedelta(days=3, minutes=4, seconds=59), Status.OPEN),
        ([opened(), used(at=NOON + timedelta(minutes=5))], NOON + timedelta(days=3, minutes=5), Status.OVERDUE),
        ([opened(), used(), used(at=NOON + timedelta(minutes=9))], NOON + timedelta(days=3), Status.OVERDUE),
        ([opened(), used(), closed()], NOON, Status.CLOSED),
        ([opened(), closed()], NOON + timedelta(days=300), Status.CLOSED),
    ],
)  # fmt: skip
def test_a_review_is_open_until_it_is_closed(events: list[Any], at: datetime, status: Status) -> None:
    cases, problems = ledger.fold(enumerate(events, 1))
    assert problems == []
    assert cases[A].status(at, timedelta(days=3)) is status


def test_events_that_contradict_each_other() -> None:
    events = [closed(), opened(), opened(), used(B), closed(), used(), closed()]
    assert ledger.fold(enumerate(events, 1))[1] == [
        (1, f"{A} was never opened"),
        (3, f"{A} is opened a second time"),
        (4, f"{B} was never opened"),
        (6, f"{A} was closed before"),
        (7, f"{A} was closed before"),
    ]
