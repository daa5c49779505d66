"""Witnesses: files, directories, and one that speaks C2SP's tlog-witness, which judges as the specification says."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from decision_logs import KEY, entries, entry

from solon.decisions.log import checkpoint, merkle, note, witness
from solon.decisions.log.errors import LogError
from solon.decisions.log.note import SigningKey
from solon.decisions.log.settings import WitnessSettings
from solon.decisions.log.store import Log
from solon.decisions.log.verify import verify

MakeLog = Callable[..., Log]
WITNESS = SigningKey("witness.example/w1", bytes([7] * 32), note.COSIGNATURE)


def grown(log: Log, number: int) -> Log:
    """With one more checkpoint in the meta-log."""
    log.append([entry(number)])
    log.integrate()
    return log


def never(_seconds: float) -> None:
    pytest.fail("it waited")


class Witness:
    """A witness of one log, in the words of the specification."""

    def __init__(self) -> None:
        self.size, self.root = 0, merkle.EMPTY
        self.requests: list[str] = []

    def __call__(self, url: str, body: bytes) -> witness.Answer:
        assert url == "https://witness.example/add-checkpoint"
        self.requests.append(body.decode())
        head, _, text = body.decode().partition("\n\n")
        first, *proof = head.split("\n")
        old = int(first.removeprefix("old "))
        path = [base64.b64decode(line) for line in proof]
        try:
            signed = checkpoint.verified(text, KEY.verifier)
        except LogError:
            return witness.Answer(403, b"")
        if signed.origin != "log.example/test/meta":
            return witness.Answer(404, b"")
        if old > signed.size or len(path) > 63:
            return witness.Answer(400, b"")
        if old != self.size:
            return witness.Answer(409, b"%d\n" % self.size)
        if not merkle.consistent(old, signed.size, self.root, signed.root, path):
            return witness.Answer(422, b"")
        self.size, self.root = signed.size, signed.root
        other = SigningKey("other.example/w2", bytes([8] * 32), note.COSIGNATURE)
        lines = other.sign(signed.body, 1_700_000_000) + WITNESS.sign(signed.body, 1_700_000_000)
        return witness.Answer(200, lines.encode())


def with_witness(make_log: MakeLog, name: str = "log", seed: int = 0) -> Log:
    return make_log(
        name, seed, witnesses=[WitnessSettings(url="https://witness.example/", key=str(WITNESS.verifier))]
    )


def test_a_witness_cosigns(make_log: MakeLog) -> None:
    log, other = with_witness(make_log), Witness()
    for number in range(5):
        grown(log, number)
        (status,) = witness.send(log, post=other, sleep=never)
        assert (status.problem, status.size) == ("", number + 1)
        text = log.meta.checkpoint(log.key).text  # type: ignore[union-attr]
        assert checkpoint.cosigners(text, [WITNESS.verifier]) == [WITNESS.verifier]
        assert "other.example" not in text  # nobody knows whose that is
        assert list(witness.cosigned_checkpoints(log)) == [text]
    assert len(other.requests) == 5  # it is known each time what the witness has
    assert [request.split("\n")[0] for request in other.requests] == [f"old {n}" for n in range(5)]
    assert verify(log).problems == []
    log.close()


def test_the_same_checkpoint_is_cosigned_once(make_log: MakeLog) -> None:
    log, other = grown(with_witness(make_log), 1), Witness()
    for _ in range(3):
        assert witness.send(log, post=other, sleep=never)[0].problem == ""
        text = log.meta.checkpoint(log.key).text  # type: ignore[union-attr]
        assert text.count("witness.example/w1") == 1
    log.close()


def test_a_witness_that_has_seen_another_size(make_log: MakeLog) -> None:
    """What is known of it here was lost: it says with 409 what it has."""
    log, other = with_witness(make_log), Witness()
    for number in range(3):
        grown(log, number)
    witness.send(log, post=other, sleep=never)
    grown(log, 3)
    for path in Path(log.directory, "witness").iterdir():
        path.unlink()
    (status,) = witness.send(log, post=other, sleep=never)
    assert (status.problem, status.size) == ("", 4)
    assert [request.split("\n")[0] for request in other.requests] == ["old 0", "old 0", "old 3"]
    log.close()


def test_a_log_that_was_rewritten_is_not_cosigned(make_log: MakeLog) -> None:
    log, other = grown(grown(with_witness(make_log), 1), 2), Witness()
    assert witness.send(log, post=other, sleep=never)[0].problem == ""
    forged = with_witness(make_log, "forged", seed=9)
    for number in range(4):
        grown(forged, number)
    (status,) = witness.send(forged, post=other, sleep=never)
    assert "does not accept that this log continues what it has seen at 2" in status.problem
    assert status.failures == 1
    shorter = grown(with_witness(make_log, "shorter", seed=9), 1)
    assert (
        "has seen 2 entries, and this log has 1" in witness.send(shorter, post=other, sleep=never)[0].problem
    )
    for each in (log, forged, shorter):
        each.close()


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (witness.Answer(404, b"unknown log\n"), "answered 404: unknown log"),
        (witness.Answer(403, b""), "answered 403"),
        (witness.Answer(409, b"many\n"), "answered 409, and not with a size"),
        (witness.Answer(200, b""), "answered without a cosignature of witness.example/w1"),
        (witness.Answer(200, b"\xff"), "answered without a cosignature"),
        (witness.Answer(200, b"<html>"), "answered without a cosignature"),
        (witness.Answer(200, WITNESS.sign("something else\n", 1).encode()), "does not verify"),
        (witness.Answer(503, b""), "answered 503"),
    ],
)
def test_what_goes_wrong_is_said_and_tried_again(
    make_log: MakeLog, answer: witness.Answer, wrong: str
) -> None:
    log = grown(with_witness(make_log), 1)
    waited: list[float] = []
    for failures in (1, 2):
        (status,) = witness.send(log, post=lambda _url, _body: answer, sleep=waited.append)
        assert wrong in status.problem
        assert (status.failures, status.size) == (failures, 0)
        assert witness.statuses(log) == [status]
    assert bool(waited) == (answer.status == 503)
    (status,) = witness.send(log, post=Witness(), sleep=never)
    assert (status.problem, status.failures, status.size) == ("", 0, 1)
    log.close()


def test_a_witness_that_is_away_for_a_moment(make_log: MakeLog) -> None:
    log, other, calls = grown(with_witness(make_log), 1), Witness(), []

    def post(url: str, body: bytes) -> witness.Answer:
        calls.append(url)
        if len(calls) == 1:
            raise witness.Unreached("connection refused")
        return other(url, body) if len(calls) > 2 else witness.Answer(502, b"")

    assert witness.send(log, post=post, sleep=lambda _: None)[0].problem == ""
    assert len(calls) == 3
    log.close()


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An HTTP server that keeps what it is sent, and answers 200 without a cosignature."""
    kept: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if "good" in self.path else 500)
            self.end_headers()
            self.wfile.write(b"nothing")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", kept
        http.shutdown()
        thread.join()


def test_over_http(make_log: MakeLog, server: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, kept = server
    settings = [WitnessSettings(url=url + path, key=str(WITNESS.verifier)) for path in ("/good", "/bad/")]
    log = grown(make_log(), 1)
    good, bad = witness.send(log, settings, sleep=lambda _: None)
    assert good.problem == f"{url}/good/add-checkpoint: answered without a cosignature of witness.example/w1"
    assert bad.problem == f"{url}/bad/add-checkpoint: answered 500: nothing"
    assert kept[0][0] == "/good/add-checkpoint"
    signed = log.meta.checkpoint(log.key)
    assert signed is not None
    assert kept[0][1].decode() == f"old 0\n\n{signed.text}"
    log.close()


def test_nobody_there(make_log: MakeLog) -> None:
    log = grown(make_log(), 1)
    settings = [WitnessSettings(url="http://127.0.0.1:9", key=str(WITNESS.verifier))]
    (status,) = witness.send(log, settings, sleep=lambda _: None)
    assert "connection refused" in status.problem
    log.close()


def test_a_file(make_log: MakeLog, tmp_path: Path) -> None:
    log = make_log(witnesses=[WitnessSettings(file=str(tmp_path / "kept.txt"))])
    for number in range(3):
        grown(log, number)
        for _ in range(2):
            assert witness.send(log)[0].problem == ""
    notes = list(checkpoint.several((tmp_path / "kept.txt").read_text()))
    assert [checkpoint.verified(text, log.key).size for text in notes] == [1, 2, 3]
    report = verify(log, trusted=notes)
    assert (report.problems, len(report.outside)) == ([], 3)
    log.close()
    forged = grown(make_log("forged", 9, witnesses=[WitnessSettings(file=str(tmp_path / "kept.txt"))]), 1)
    before = (tmp_path / "kept.txt").read_text()
    assert "does not continue: history was rewritten" in witness.send(forged)[0].problem
    for number in range(2, 7):
        grown(forged, number)
    assert "does not continue: history was rewritten" in witness.send(forged)[0].problem
    assert (tmp_path / "kept.txt").read_text() == before
    forged.close()


def test_a_file_of_something_else(make_log: MakeLog, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("shopping list\n")
    log = grown(make_log(witnesses=[WitnessSettings(file=str(tmp_path / "kept.txt"))]), 1)
    assert "is not a file of checkpoints" in witness.send(log)[0].problem
    assert (tmp_path / "kept.txt").read_text() == "shopping list\n"
    log.close()


def test_a_directory(make_log: MakeLog, tmp_path: Path) -> None:
    log = make_log(witnesses=[WitnessSettings(directory=str(tmp_path / "kept"))])
    for number in range(3):
        grown(log, number)
        for _ in range(2):
            assert witness.send(log)[0].problem == ""
    (place,) = (tmp_path / "kept").iterdir()
    files = sorted(place.iterdir())
    assert [path.name for path in files] == [f"{n:020}.checkpoint" for n in (1, 2, 3)]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o444}
    forged = make_log("forged", 9, witnesses=[WitnessSettings(directory=str(tmp_path / "kept"))])
    forged.append(entries(0, 4))
    for number in range(5, 10):
        grown(forged, number)
    assert "does not continue: history was rewritten" in witness.send(forged)[0].problem
    assert sorted(place.iterdir()) == files
    log.close()
    forged.close()


def test_one_that_fails_keeps_no_other_from_it(make_log: MakeLog, tmp_path: Path) -> None:
    log = grown(
        make_log(
            witnesses=[
                WitnessSettings(file=str(tmp_path / "missing" / "kept.txt")),
                WitnessSettings(file=str(tmp_path / "kept.txt")),
            ]
        ),
        1,
    )
    bad, good = witness.send(log)
    assert "no such file or directory" in bad.problem
    assert good.problem == ""
    log.close()


def test_nothing_to_send(make_log: MakeLog) -> None:
    with pytest.raises(LogError, match="has no checkpoint yet"):
        witness.send(make_log())


def test_tlog_scales_accepts_the_cosignature(make_log: MakeLog) -> None:
    pytest.importorskip("tlog_scales", reason="tlog-scales is not installed: pip install tlog-scales")
    from tlog_scales.signing import Vkey, VkeySet
    from tlog_scales.tlog import Checkpoint

    log = grown(with_witness(make_log), 1)
    witness.send(log, post=Witness(), sleep=never)
    text = log.meta.checkpoint(log.key).text  # type: ignore[union-attr]
    log.close()
    signed = Checkpoint.from_text(text)
    keys = VkeySet(Vkey.from_string(str(WITNESS.verifier)))
    assert len(keys.verify(signed.signatures, signed)) == 1
