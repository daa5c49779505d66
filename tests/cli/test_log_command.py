"""solon log, as it is used."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Solon = Callable[..., Any]


def event(number: int, **more: object) -> bytes:
    said = {
        "decision_id": f"d-{number}",
        "timestamp": f"2026-03-01T09:30:{number:02}Z",
        "result": number % 2 == 0,
        "solon": {"subject": {"uri": f"k8s://c/ns/Pod/p{number % 3}"}},
        **more,
    }
    return json.dumps(said).encode() + b"\n"


@pytest.fixture
def log(solon: Solon, tmp_path: Path) -> Path:
    """A log of nine entries, signed once, and its public key in the file key.pub."""
    ran = solon("log", "init", "log", "--name", "example.com/p")
    (tmp_path / "key.pub").write_text(ran.out)
    (tmp_path / "events.jsonl").write_bytes(b"".join(event(n) for n in range(9)))
    assert solon("log", "append", "-l", "log", "events.jsonl").status == 0
    assert solon("log", "checkpoint", "-l", "log").status == 0
    return tmp_path / "log"


def test_a_key(solon: Solon, tmp_path: Path) -> None:
    ran = solon("log", "keygen", "example.com/p", "--output", "my.key")
    assert ran.status == 0
    assert ran.out.startswith("example.com/p+")
    assert stat.S_IMODE(os.stat("my.key").st_mode) == 0o600
    assert (tmp_path / "my.key").read_text().startswith("PRIVATE+KEY+example.com/p+")
    again = solon("log", "keygen", "example.com/p", "--output", "my.key")
    assert (again.status, again.err) == (2, "solon: my.key: exists already: a key is not written over\n")
    made = solon("log", "init", "log", "--key", "my.key")
    assert (made.status, made.out) == (0, ran.out)
    assert not (tmp_path / "log" / "log.key").exists()
    solon("log", "append", "-l", "log", stdin=event(1))
    assert solon("log", "checkpoint", "-l", "log").status == 0


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("keygen", "a b"), "cannot name a log"),
        (("init", "new"), "a log needs a name: --name example.com/platform"),
        (("init", "new", "--key", "nothing"), "nothing: the signing key cannot be read: no such file"),
        (("status",), "no log: name it with --log DIR, or as `log:` in solon.yaml"),
        (("status", "-l", "nothing"), "nothing: is no log: it has no log.json"),
        (("verify", "-l", "log", "--key", "x"), "'x' is no public key"),
        (("verify", "-l", "log", "--checkpoint", "nothing"), "nothing: no such file"),
        (("prove", "d-99", "-l", "log"), "d-99: is not in log"),
        (("show", "d-99", "-l", "log"), "d-99: is not in log"),
        (("erase", "-l", "log", "--reason", "r"), "name the decisions to erase, or one --subject"),
        (("erase", "d-1", "-l", "log"), "an erasure needs a reason"),
        (("erase", "d-1", "d-99", "-l", "log", "--reason", "r"), "d-99: is not in log; nothing was erased"),
        (("erase", "--subject", "x", "-l", "log", "--reason", "r"), "no decision in log is about it"),
        (("consistency", "nothing", "-l", "log"), "nothing: no such file"),
        (("consistency", "99", "-l", "log"), "no way from 99 to 1"),
        (("consistency", "0", "-l", "log", "--shard", "7777"), "7777: has no checkpoint yet"),
        (("witness", "-l", "log"), "no witnesses: name one with --file or --directory"),
        (("append", "-l", "log", "nothing"), "nothing: no such file"),
    ],
)
def test_what_cannot_be_done(solon: Solon, log: Path, arguments: tuple[str, ...], wrong: str) -> None:
    del log
    ran = solon("log", *arguments)
    assert ran.status == 2
    assert wrong in ran.err
    assert ran.err.startswith("solon: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_events_come_in_several_forms(solon: Solon, log: Path, tmp_path: Path) -> None:
    array = json.dumps([json.loads(event(n)) for n in (11, 12)]).encode()
    (tmp_path / "upload.json.gz").write_bytes(gzip.compress(array))
    (tmp_path / "lines.gz").write_bytes(gzip.compress(event(13) + b"\n" + event(14).rstrip()))
    ran = solon(
        "log", "append", "-l", str(log), "upload.json.gz", "lines.gz", "-", "-o", "json", stdin=event(15)
    )
    assert ran.status == 0
    assert json.loads(ran.out) == {
        "entries": 5,
        "refused": 0,
        "dropped": 0,
        "placed": [{"shard": "0001", "first": 9, "last": 13}],
    }
    assert json.loads(solon("log", "show", "d-14", "-l", "log", "-o", "json").out) == json.loads(event(14))


def test_an_event_that_is_none_keeps_no_other_out(solon: Solon, log: Path) -> None:
    bad = event(20) + b'{"decision_id":"x"}\n' + event(21) + b"nonsense\n"
    ran = solon("log", "append", "-l", str(log), stdin=bad)
    assert ran.status == 2
    assert ran.out == "2 entries durable: entries 9 to 10 of shard 0001\n"
    assert [line.split(":")[:3] for line in ran.err.splitlines()] == [
        ["solon", " stdin", "2"],
        ["solon", " stdin", "4"],
    ]


def test_verification(solon: Solon, log: Path) -> None:
    ran = solon("log", "verify", "-l", "log")
    assert ran.status == 0
    assert ran.out.splitlines()[0] == "9 entries · 1 shard · 9 signed · nothing is wrong"
    assert "Compared with the log's own checkpoints alone" in ran.out
    Path("kept.txt").write_text(solon("log", "checkpoint", "-l", "log").out)
    kept = solon("log", "verify", "-l", "log", "--checkpoint", "kept.txt", "--key", "key.pub")
    assert kept.out == (
        "9 entries · 1 shard · 9 signed · nothing is wrong\nContinues 1 checkpoint that was kept elsewhere.\n"
    )
    (segment,) = log.glob("shards/0001/segments/*.seg")
    segment.write_bytes(segment.read_bytes().replace(b"09:30:05", b"09:30:06"))
    ran = solon("log", "verify", "-l", "log", "-o", "json")
    assert ran.status == 1
    said = json.loads(ran.out)
    assert (said["schema"], said["valid"], said["entries"]) == ("solon.log-verify/v1", False, 9)
    (problem,) = said["problems"]
    assert (problem["index"], problem["id"], problem["shard"]) == (5, "d-5", "0001")
    assert problem["path"] == os.path.join("log", "shards", "0001", "segments", segment.name)


def test_proofs(solon: Solon, log: Path) -> None:
    assert solon("log", "prove", "d-4", "-l", "log", "--chain", "--output", "proof").status == 0
    ran = solon("log", "verify", "--proof", "proof", "--key", "key.pub", "-o", "json")
    assert ran.status == 0
    entry, chained = json.loads(ran.out)["proven"]
    assert (entry["index"], entry["id"], entry["outcome"]) == (4, "d-4", "allow")
    assert json.loads(entry["event"]) == json.loads(event(4))
    assert chained["id"] == "example.com/p/decisions/0001@9"
    assert chained["event"].startswith("example.com/p/decisions/0001\n9\n")
    assert "is not in the proof" not in solon("log", "prove", "d-4", "-l", "log", "--no-event").out
    text = Path("proof").read_text()
    Path("proof").write_text(text.replace("index 4", "index 5"))
    ran = solon("log", "verify", "--proof", "proof", "--key", "key.pub")
    assert ran.status == 1
    assert ran.out.startswith("✗ proof: the entry is not entry 5 of the 9")
    del log


def test_consistency(solon: Solon, log: Path) -> None:
    Path("kept.txt").write_text((log / "shards/0001/checkpoint").read_text())
    solon("log", "append", "-l", "log", stdin=event(30))
    solon("log", "checkpoint", "-l", "log")
    ran = solon("log", "consistency", "kept.txt", "-l", "log")
    assert ran.status == 0
    assert [line.split()[:2] for line in ran.out.splitlines()[:3]] == [
        ["example.com/p/decisions/0001"],
        ["old", "9"],
        ["new", "10"],
    ]
    said = json.loads(solon("log", "consistency", "3", "8", "-l", "log", "--shard", "0001", "-o", "json").out)
    assert (said["consistent"], said["old"]["size"], said["new"]["size"]) == (True, 3, 8)


def test_erasing(solon: Solon, log: Path) -> None:
    ran = solon(
        "log", "erase", "--subject", "k8s://c/ns/Pod/p1", "-l", "log", "--reason", "request 7", "--by", "dpo"
    )
    assert ran.status == 0
    assert ran.out.startswith("erased 3 events; the log says so in erasure-")
    name = ran.out.split()[-1]
    said = json.loads(solon("log", "show", name, "-l", "log", "-o", "json").out)
    assert (said["reason"], said["by"], [each["index"] for each in said["entries"]]) == (
        "request 7",
        "dpo",
        [1, 4, 7],
    )
    assert "its event was erased" in solon("log", "show", "d-4", "-l", "log").out
    assert solon("log", "show", "d-4", "-l", "log", "-o", "json").status == 2
    assert solon("log", "verify", "-l", "log").out.startswith(
        "10 entries · 1 shard · 10 signed · 3 erased · nothing"
    )
    # Two letters alone would be found among the random salts now and then.
    kept = b"".join(path.read_bytes() for path in log.rglob("*.seg"))
    assert b"Pod/p1" not in kept
    assert b"Pod/p2" in kept


def test_status(solon: Solon, log: Path) -> None:
    solon("log", "append", "-l", "log", stdin=event(30))
    said = json.loads(solon("log", "status", "-l", "log", "-o", "json").out)
    (shard,) = said["shards"]
    assert (shard["entries"], shard["signed"], shard["unsigned"], shard["writer"]) == (10, 9, 1, None)
    assert said["meta"]["size"] == 1
    shown = solon("log", "status", "-l", "log").out
    assert "shard 0001  10 entries durable · 9 signed · last " in shown
    assert "no witness" in shown
    del log


def test_witnesses_are_told(solon: Solon, log: Path) -> None:
    said = json.loads((log / "log.json").read_text())
    said["witnesses"] = [{"file": "../w.txt"}, {"file": "../missing/w.txt"}]
    (log / "log.json").write_text(json.dumps(said))
    ran = solon("log", "checkpoint", "-l", "log")
    assert ran.status == 2
    assert "missing/w.txt: the checkpoint cannot be sent: no such file or directory" in ran.err
    assert ran.out == Path("w.txt").read_text()
    shown = solon("log", "status", "-l", "log").out
    assert "witness ✓ ../w.txt: has 1 of 1" in shown
    assert "witness ✗ ../missing/w.txt: " in shown
    assert "(1 failure in a row)" in shown
    os.mkdir("missing")
    ran = solon("log", "witness", "-l", "log")
    assert ran.status == 0
    assert ran.out == "✓ ../w.txt: has 1 of 1\n✓ ../missing/w.txt: has 1 of 1\n"


def test_a_damaged_shard_is_told(solon: Solon, log: Path) -> None:
    (segment,) = log.glob("shards/0001/segments/*.seg")
    os.truncate(segment, 200)
    ran = solon("log", "checkpoint", "-l", "log")
    assert ran.status == 2
    assert (
        "0001/segments: has 0 whole entries, and 9 are signed: put the segments back as they were" in ran.err
    )
    ran = solon("log", "verify", "-l", "log")
    assert ran.status == 1
    assert all(f"(d-{number}): " in ran.out for number in range(9))


def test_the_log_of_solon_yaml(solon: Solon, log: Path) -> None:
    Path("solon.yaml").write_text("log: log\n")
    assert solon("log", "status").out.startswith("example.com/p\n")
    del log


DEPLOYMENT = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 1}\n"
POLICY = 'package main\n\ndeny contains "one replica" if input.spec.replicas < 2\n'


def test_what_is_appended_is_masked_and_dropped(solon: Solon, log: Path) -> None:
    secret = {"kind": "Secret", "apiVersion": "v1", "data": {"token": "aHVudGVyMg=="}}
    os.mkdir("rules")
    Path("rules/log.rego").write_text(
        'package system.log\nimport rego.v1\nmask contains "/input/user" if true\ndrop if input.path == "health"\n'
    )
    Path("solon.yaml").write_text("log: {directory: log, mask: rules}\n")
    lines = event(30, input=secret) + event(31, input={"user": "erika"}) + event(32, path="health")
    ran = solon("log", "append", "-o", "json", stdin=lines)
    assert (ran.status, ran.err) == (0, "")
    assert {name: json.loads(ran.out)[name] for name in ("entries", "refused", "dropped")} == {
        "entries": 2,
        "refused": 0,
        "dropped": 1,
    }
    raw = b"".join(path.read_bytes() for path in log.rglob("*.seg"))
    assert [text in raw for text in (b"aHVudGVyMg==", b"erika", b"health", b"d-30", b"d-31")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_check_appends_to_a_log(solon: Solon, log: Path) -> None:
    os.mkdir("policy")
    Path("policy/replicas.rego").write_text(POLICY)
    Path("web.yaml").write_text(DEPLOYMENT)
    ran = solon("check", "-p", "policy", "--log", "log", "web.yaml")
    assert (ran.status, ran.err) == (1, "")
    status = json.loads(solon("log", "status", "-l", "log", "-o", "json").out)["shards"][0]
    assert (status["entries"], status["signed"]) == (12, 12)  # with two that say what is in force
    assert solon("log", "verify", "-l", "log").status == 0
    raw = b"".join(path.read_bytes() for path in log.rglob("*.seg"))
    assert raw.count(b'"one replica"') >= 1
    assert b'"outcome":"deny"' in raw


def test_what_cannot_be_recorded_is_not_judged(solon: Solon, tmp_path: Path) -> None:
    os.mkdir("policy")
    Path("policy/replicas.rego").write_text(POLICY)
    Path("web.yaml").write_text(DEPLOYMENT)
    (tmp_path / "other").mkdir()
    ran = solon("check", "-p", "policy", "--log", "other", "web.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "solon: the decisions could not be written: other: is no log: it has no log.json (`solon log init` makes one)\n"
    )


def test_decisions_that_cannot_be_signed_are_recorded(solon: Solon, log: Path) -> None:
    os.mkdir("policy")
    Path("policy/replicas.rego").write_text(POLICY)
    Path("web.yaml").write_text(DEPLOYMENT)
    (log / "log.key").chmod(0o644)
    ran = solon("check", "-p", "policy", "--log", "log", "web.yaml")
    assert ran.status == 1
    assert "the decisions are in the log, and not signed yet: log/log.key: may be read by others" in ran.err
    assert json.loads(solon("log", "status", "-l", "log", "-o", "json").out)["shards"][0]["entries"] == 12
